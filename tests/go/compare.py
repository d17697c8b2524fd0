#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whystuck's goroutines with the dump that the Go runtime itself writes on SIGQUIT.

    compare.py [-v] [--kind KIND]... [VERSION]...      VERSION: 1.19 ... 1.27, "system", or "all"

Each version builds tests/go/server in each kind of build. Its goroutines are at rest when it
announces itself: whystuck looks, and then the runtime tells of the same goroutines. Equal must be,
of every goroutine, the state or the wait reason, minutes, "locked to thread", each frame's function,
file and line, and by which line of which goroutine it was created. Three looks:

    user      the view that people get, against runtime.Stack, which hides what the runtime hides
    system    the runtime's own goroutines and frames too, against the dump on SIGQUIT
    runnable  the same of goroutines that never came to run, or gave way, on one processor

A look at a process older than a minute is the last of each version ("aged"),
like "user": minutes are told.
"""

import argparse
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import dump
import toolchains

WHYSTUCK = os.environ.get("WHYSTUCK", str(toolchains.ROOT / "build/whystuck"))
SERVER = toolchains.HERE / "server"
LIBC = ctypes.CDLL(None, use_errno=True)
SYS_TGKILL = {"x86_64": 234, "aarch64": 131}[os.uname().machine]
LOOK_SECONDS = 60
LOOKS_MAX = 10

# What goes on while we look, and how far out of its stack stands still: at these functions, which
# have one line each. Nothing else may differ.
# Of the one that tells, its caller stands still.
MOVING = {"main.movingLoop": 0, "main.movingYields": 0, "main.finish": 1}
MOVING_STATES = {"running", "runnable"}
TELLING_STATES = {"running", "syscall"}
# The runtime's own that work on after a collection, by the function that each begins with.
AT_WORK = {"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge", "runtime.forcegchelper",
           "runtime.gcBgMarkWorker.func1"}
ALL = ["--runtime-frames"]
# whystuck's options, and the server's arguments.
LOOKS = {
    "user": ([], ["stack"]),
    "system": (ALL, []),
    "runnable": (ALL, ["runnable"]),
    "aged": ([], ["stack"]),
}


class Server:
    """A process of tests/go/server that has announced itself."""

    def __init__(self, program, look, prefix=()):
        self.options, self.arguments = LOOKS[look]
        environment = {**os.environ, "GOTRACEBACK": "all"}
        environment.pop("GODEBUG", None)
        if "runnable" in self.arguments:
            environment["GODEBUG"] = "asyncpreemptoff=1"
        self.dump = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*prefix, program, *self.arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.dump, env=environment)
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                self.end()
                raise RuntimeError(f"{program} did not get ready: {self.told()}")
            line += byte
        self.threads = json.loads(line)
        self.began = time.monotonic()

    @property
    def pid(self):
        return self.process.pid

    def told(self):
        self.dump.seek(0)
        return self.dump.read().decode(errors="replace")

    def tell(self):
        """What the runtime has to say; the process ends. The thread of the loop is to write the
        dump, so that its stack is in it."""
        if "stack" in self.arguments:
            while os.read(self.process.stdout.fileno(), 1 << 20):
                pass
        else:
            tid = self.threads.get("main.movingLoop", self.pid)
            if LIBC.syscall(SYS_TGKILL, self.pid, tid, signal.SIGQUIT):
                raise OSError(ctypes.get_errno(), "tgkill")
        self.process.wait(timeout=LOOK_SECONDS)
        return self.told()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def look_at(pid, options):
    result = subprocess.run([WHYSTUCK, "-f", "json", "-n", "10000", *options, str(pid)],
                            capture_output=True, text=True, timeout=LOOK_SECONDS, check=False)
    if result.returncode not in (0, 1) or not result.stdout:
        raise RuntimeError(f"whystuck ended with {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)["processes"][0]


def still(ours, theirs):
    """What of a goroutine that goes on stands still, in both views of it. While the scheduler
    picks the one that yields again, it has no stack to be seen: that must be said."""
    if theirs.is_in("main.movingYields") and not ours.frames and ours.gaps:
        theirs.frames = None
    for goroutine in (ours, theirs):
        if goroutine.frames is None:
            continue
        for number, frame in enumerate(goroutine.frames):
            if frame.function in MOVING:
                goroutine.frames = goroutine.frames[number + MOVING[frame.function]:]
                break
    for states in (MOVING_STATES, TELLING_STATES):
        if states >= {ours.status, theirs.status}:
            ours.status = theirs.status


def outermost_only(goroutine):
    goroutine.status = "at work"
    goroutine.frames = goroutine.frames[-2:] if goroutine.frames else goroutine.frames


def compare(ours, theirs, seconds, minor):
    """(goroutines, frames) compared, and each difference in words."""
    differences, frames = [], 0
    for number in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(number), theirs.get(number)
        if not mine or not other:
            there = mine or other
            differences.append(f"goroutine {number} [{there.status}] "
                               f"{'only whystuck' if mine else 'only the runtime'} has: "
                               f"{there.functions[:3]} ... {there.functions[-1:]}")
            continue
        told = other.functions or mine.functions
        if MOVING.keys() & set(told):
            still(mine, other)
        elif AT_WORK.intersection(told):
            outermost_only(mine)
            outermost_only(other)
        frames += len(other.frames or [])
        differs = dump.difference(mine, other, seconds, minor)
        if differs:
            name = next((name for name in reversed(told) if name.startswith("main.")), told[-1:])
            reasons = f" ({'; '.join(mine.gaps)})" if mine.gaps else ""
            differences.append(f"goroutine {number} {name}: {differs}{reasons}")
    return len(ours.keys() & theirs.keys()), frames, differences


def compare_threads(server, process, ours):
    """The join: who is locked to a thread says so; and a thread in Go's hands names its goroutine."""
    differences = []
    threads = {thread["tid"]: thread for thread in process["threads"]}
    for function, tid in server.threads.items():
        found = [goroutine for goroutine in ours.values() if goroutine.is_in(function)]
        if len(found) != 1:
            differences.append(f"{len(found)} goroutines are in {function}")
            continue
        runs = found[0].status in ("running", "syscall")
        if runs and found[0].tid != tid:
            differences.append(f"{function} is on thread {found[0].tid}, not {tid}")
        if runs and threads[tid]["goroutine"] != found[0].id:
            differences.append(f"thread {tid} runs {threads[tid]['goroutine']}, not {function}")
    for goroutine in ours.values():
        if goroutine.status == "syscall" and goroutine.tid is None:
            differences.append(f"goroutine {goroutine.id} is in a call, on no thread")
        if goroutine.tid is not None and goroutine.tid not in threads:
            differences.append(f"goroutine {goroutine.id} is on thread {goroutine.tid}: none of its")
    return differences


def look_at_rest(server):
    """A look in which the loop has a stack. Every 10 ms the runtime takes the processor from it and
    gives it back: within that moment whystuck has a gap to show, and can but be asked again."""
    for _ in range(LOOKS_MAX):
        began = time.monotonic()
        process = look_at(server.pid, server.options)
        loop = server.threads.get("main.movingLoop")
        if not any(goroutine["gaps"] and goroutine["status"] in MOVING_STATES and
                   goroutine["tid"] == loop for goroutine in process["goroutines"]):
            break
    return process, began


def run(server):
    """A look at a server, and its own view, compared; the server ends."""
    process, began = look_at_rest(server)
    told = server.tell()
    seconds = time.monotonic() - began
    ours, theirs = dump.of_json(process), dump.parse(told)
    if not theirs:
        raise RuntimeError(f"no goroutines in the runtime's dump: {told[:500]}")
    if not ours:
        raise RuntimeError(f"whystuck has no goroutines; gaps: {process['gaps']}, of its threads: "
                           f"{[thread['gaps'] for thread in process['threads']]}")
    differences = compare_threads(server, process, ours)
    goroutines, frames, more = compare(ours, theirs, seconds, dump.minor_of(process))
    return goroutines, frames, differences + more


def compare_build(program, looks):
    for look in looks:
        server = Server(program, look)
        try:
            yield look, *run(server)
        finally:
            server.end()


def report(version, kind, look, goroutines, frames, differences, verbose):
    print(f"{version:<6} {kind:<17} {look:<9} {goroutines:>10} {frames:>8} {len(differences):>11}",
          flush=True)
    for difference in differences if verbose else differences[:5]:
        print(f"       {difference}")
    if len(differences) > 5 and not verbose:
        print(f"       ... and {len(differences) - 5} more (-v tells them)")


def compare_version(toolchain, kinds, verbose):
    """Whether all kinds of build are equal. The aged server is of the first kind's."""
    good, aged = True, None
    try:
        for kind in kinds:
            program = toolchain.build(SERVER, kind)
            if not aged:
                aged = Server(program, "aged")
            for result in compare_build(program, ["user", "system", "runnable"]):
                report(toolchain.version, kind, *result, verbose)
                good = good and not result[-1]
        while time.monotonic() < aged.began + 61:
            time.sleep(0.5)
        result = run(aged)
        report(toolchain.version, kinds[0], "aged", *result, verbose)
        return good and not result[-1]
    finally:
        if aged:
            aged.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--kind", action="append", choices=list(toolchains.KINDS))
    parser.add_argument("version", nargs="*", default=["system"])
    arguments = parser.parse_args()
    versions = toolchains.VERSIONS if "all" in arguments.version else arguments.version

    print(f"{'Go':<6} {'build':<17} {'look':<9} {'goroutines':>10} {'frames':>8} {'differences':>11}")
    good, compared, absent = True, 0, []
    for version in versions:
        try:
            chain = toolchains.system() if version == "system" else toolchains.get(version)
        except toolchains.Absent as error:
            absent.append(f"Go {version} can't be had: {error}")
            continue
        good = compare_version(chain, arguments.kind or list(toolchains.KINDS),
                               arguments.verbose) and good
        compared += 1
    print(*absent, sep="\n")
    sys.exit(0 if good and compared else 1)


if __name__ == "__main__":
    main()
