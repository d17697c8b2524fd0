#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whystuck's goroutines with what stripped servers tell of themselves.

    servers.py [-v] [SERVER]...

Debian's etcd, caddy and prometheus run on the loopback interface, with their data in a folder that
is removed. Each is asked for /debug/pprof/goroutine?debug=2 before and after a look. A goroutine
that both answers have with the same stack was at rest, and whystuck's view of it must be equal; one
that woke up and came back in between is found out by asking again: it is equal another time. From
npm's registry comes esbuild, static and stripped, which tells nothing: its goroutines are listed.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import compare
import dump
import toolchains

ROUNDS = 10
START_SECONDS = 60
TELLER = "runtime/pprof.writeGoroutineStacks"


class Absent(Exception):
    """A server that isn't here, and why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    found = shutil.which(name)
    if not found:
        raise Absent(f"{name} is not installed")
    return found


def etcd(folder):
    clients, peers = free_port(), free_port()
    return [program("etcd"), "--data-dir", f"{folder}/data", "--enable-pprof",
            "--listen-client-urls", f"http://127.0.0.1:{clients}",
            "--advertise-client-urls", f"http://127.0.0.1:{clients}",
            "--listen-peer-urls", f"http://127.0.0.1:{peers}",
            "--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}",
            "--initial-cluster", f"default=http://127.0.0.1:{peers}"], clients


def caddy(folder):
    admin, web = free_port(), free_port()
    pathlib.Path(folder, "caddy.json").write_text(json.dumps({
        "admin": {"listen": f"127.0.0.1:{admin}"},
        "apps": {"http": {"servers": {"files": {
            "listen": [f"127.0.0.1:{web}"],
            "routes": [{"handle": [{"handler": "file_server", "root": folder}]}]}}}}}))
    return [program("caddy"), "run", "--config", f"{folder}/caddy.json"], admin


def prometheus(folder):
    web = free_port()
    pathlib.Path(folder, "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: itself\n  scrape_interval: 1s\n  static_configs:\n"
        f"  - targets: ['127.0.0.1:{web}']\n")
    return [program("prometheus"), f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{web}"], web


def esbuild(folder):
    """npm keeps what it has fetched; only the unpacked program is ours to keep."""
    made = toolchains.BUILD / "esbuild"
    if not (made / "package/bin/esbuild").exists():
        if not shutil.which("npm"):
            raise Absent("npm is not installed")
        machine = {"x86_64": "x64", "aarch64": "arm64"}[os.uname().machine]
        result = subprocess.run(["npm", "pack", "--silent", f"@esbuild/linux-{machine}"],
                                cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Absent(f"npm: {result.stderr.strip()}")
        made.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-xzf", pathlib.Path(folder, result.stdout.strip()), "-C", made],
                       check=True)
    web = free_port()
    return [made / "package/bin/esbuild", f"--serve=127.0.0.1:{web}", f"--servedir={folder}"], web


@contextlib.contextmanager
def running(make):
    """A server that answers; (pid, port)."""
    with tempfile.TemporaryDirectory(prefix="whystuck-go-") as folder:
        command, port = make(folder)
        environment = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder,
                       "XDG_DATA_HOME": folder}
        with open(f"{folder}/log", "w+", encoding="utf-8") as log:
            # esbuild serves until its standard input ends.
            process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.PIPE,
                                       stdout=log, stderr=log)
            try:
                end = time.monotonic() + START_SECONDS
                while not answers(port):
                    if process.poll() is not None or time.monotonic() > end:
                        log.seek(0)
                        raise RuntimeError(f"{command[0]} did not start: {log.read()[-1000:]}")
                    time.sleep(0.05)
                yield process.pid, port
            finally:
                process.kill()
                process.wait()
                process.stdin.close()


def answers(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True  # an answer too
    except OSError:
        return False
    return True


def told_by(port):
    url = f"http://127.0.0.1:{port}/debug/pprof/goroutine?debug=2"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return dump.parse(answer.read().decode())


def same(one, two):
    return one and two and (one.status, one.frames, one.creator) == \
        (two.status, two.frames, two.creator)


def join_differences(process, ours):
    """Each goroutine in a system call is on a thread of the process, which says the same."""
    threads = {thread["tid"]: thread for thread in process["threads"]}
    for goroutine in ours.values():
        if goroutine.status == "syscall" and goroutine.tid is None:
            yield f"goroutine {goroutine.id} is in a call, on no thread"
        elif goroutine.status == "syscall" and \
                threads.get(goroutine.tid, {}).get("goroutine") != goroutine.id:
            yield f"thread {goroutine.tid} does not name goroutine {goroutine.id}"


class Comparison:
    """What rounds of answer, look, answer have shown of a server's goroutines."""

    def __init__(self):
        self.equal, self.different, self.passing, self.frames = {}, {}, 0, 0

    def add_round(self, pid, port):
        before, began = told_by(port), time.monotonic()
        process = compare.look_at(pid, [])
        after, seconds = told_by(port), time.monotonic() - began
        ours, minor = dump.of_json(process), dump.minor_of(process)
        for difference in join_differences(process, ours):
            self.different.setdefault("join", difference)
        for number in before.keys() & after.keys():
            theirs = after[number]
            if not same(before[number], theirs) or theirs.is_in(TELLER):
                continue
            mine = ours.get(number)
            differs = dump.difference(mine, theirs, seconds, minor) \
                if mine else "is not listed"
            if differs:
                self.different.setdefault(number, f"goroutine {number} {theirs.functions[-1]}: "
                                                  f"{differs}")
            elif number not in self.equal:
                self.equal[number] = theirs
                self.frames += len(theirs.frames)
        self.passing += len(self.different.keys() & self.equal.keys())
        for number in self.different.keys() & self.equal.keys():
            del self.different[number]
        return process


def describe_threads(process):
    threads = process["threads"]
    runs = sum(thread["goroutine"] is not None for thread in threads)
    roles = sum(bool(thread.get("role")) for thread in threads)
    return f"{len(threads)} threads: {runs} with a goroutine, {roles} in a role of the scheduler's"


def compare_server(name, make, verbose):
    comparison = Comparison()
    with running(make) as (pid, port):
        for number in range(ROUNDS):
            process = comparison.add_round(pid, port)
            if number >= 2 and not comparison.different:
                break
    print(f"{name:<11} {process['runtime']}: {len(comparison.equal)} goroutines at rest equal, "
          f"{comparison.frames} frames; {len(comparison.different)} different; "
          f"{comparison.passing} were on the move once; {describe_threads(process)}", flush=True)
    for difference in list(comparison.different.values())[:None if verbose else 5]:
        print(f"            {difference}")
    return bool(comparison.equal) and not comparison.different


def list_server(name, make):
    """For want of anybody else's view: stacks are complete, and end where goroutines do."""
    with running(make) as (pid, _):
        process = compare.look_at(pid, ["--runtime-frames"])
    ours = dump.of_json(process)
    bad = [goroutine for goroutine in ours.values() if goroutine.stack_end != "complete" or
           not goroutine.frames or goroutine.frames[-1].function != "runtime.goexit"]
    main = [goroutine.id for goroutine in ours.values() if goroutine.is_in("main.main")]
    print(f"{name:<11} {process['runtime']}: {len(ours)} goroutines listed, {len(bad)} of them "
          f"incomplete; main.main is in {main}; {describe_threads(process)}", flush=True)
    return main == [1] and not bad


def main():
    servers = {"etcd": etcd, "caddy": caddy, "prometheus": prometheus, "esbuild": esbuild}
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("server", nargs="*", help=", ".join(servers))
    arguments = parser.parse_args()
    good = True
    for name in arguments.server or servers:
        try:
            if name == "esbuild":
                good = list_server(name, servers[name]) and good
            else:
                good = compare_server(name, servers[name], arguments.verbose) and good
        except Absent as error:
            print(f"{name:<11} {error}")
            good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
