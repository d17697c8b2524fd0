#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the stacks that whystuck sees without a stop with those that it sees by ptrace.

    ways.py [TARGET]...

The targets are those of compare.py, here at rest in their waits. A thread is equal when the symbols
and offsets of its kernel stack and the code addresses of its user stack are the same, and why the
user stack ended. The look by ptrace comes last of a round: what it stops is in a restarted call
afterwards. A thread that differs is looked at again, since some wake up now and then.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

from targets import TARGETS, Absent

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHYSTUCK = os.environ.get("WHYSTUCK", str(ROOT / "build/whystuck"))
BUILD = ROOT / "build/truth"
WAYS = {"bpf": "--stop=never", "auto": "--stop=auto"}  # each against --stop=always
ROUNDS = 5


def look(pid, option):
    """The threads by their ids, and what -v says."""
    result = subprocess.run([WHYSTUCK, "-v", "-f", "json", "--no-lines", option, str(pid)],
                            capture_output=True, text=True, timeout=120, check=False,
                            stdin=subprocess.DEVNULL)
    if result.returncode not in (0, 1):
        raise RuntimeError(f"a look at {pid} ended with {result.returncode}: {result.stderr}")
    threads = json.loads(result.stdout)["processes"][0]["threads"]
    return {thread["tid"]: thread for thread in threads}, result.stderr


def stacks(thread):
    """What must be equal of a thread."""
    kernel, user = thread["kernel_stack"], thread["user_stack"]
    return {
        "kernel stack": kernel and [f"{frame['symbol']}+{frame['offset']}" for frame in kernel],
        "user stack": user and [frame["address"] for frame in user],
        "end": thread["user_stack_end"],
        "call": thread["syscall"] and thread["syscall"]["name"],
    }


class Comparison:
    """Of one way with ptrace's, at one process."""

    def __init__(self, way):
        self.way, self.threads, self.running, self.different = way, 0, 0, {}

    def compare(self, ours, theirs):
        """Keeps what differed in each round so far."""
        if set(ours) != set(theirs):
            raise RuntimeError(f"other threads: {set(ours) ^ set(theirs)}")
        first = not self.threads
        self.threads, self.running = len(ours), 0
        for tid, thread in ours.items():
            if "R" in (thread["state"], theirs[tid]["state"]):
                self.running += 1
                self.different.pop(tid, None)
            elif not (thread["kernel_stack"] and thread["user_stack"]):
                self.different[tid] = ("its stacks", None, "?")
            elif stacks(thread) == stacks(theirs[tid]):
                self.different.pop(tid, None)
            elif first or tid in self.different:
                self.different[tid] = [(name, value, stacks(theirs[tid])[name])
                                       for name, value in stacks(thread).items()
                                       if value != stacks(theirs[tid])[name]][0]


def compare_process(pid):
    found = {way: Comparison(way) for way in WAYS}
    for _ in range(ROUNDS):
        seen = {way: look(pid, option) for way, option in WAYS.items()}
        stopped, how = look(pid, "--stop=always")
        if "looked by ptrace" not in how:
            raise RuntimeError(f"not looked at by ptrace: {how}")
        if "looked by bpf" not in seen["bpf"][1]:
            raise RuntimeError(f"not looked at by BPF: {seen['bpf'][1]}")
        for way, comparison in found.items():
            comparison.compare(seen[way][0], stopped)
        if not any(comparison.different for comparison in found.values()):
            break
    return list(found.values())


def compare_target(name):
    """Starts, compares and ends one target. Whether all is equal."""
    try:
        with TARGETS[name](BUILD) as processes:
            rows = [row for pid in processes for row in compare_process(pid)]
    except Absent as absent:
        print(f"{name:<28} left out: {absent}", flush=True)
        return True
    passed = True
    for way in WAYS:
        ours = [row for row in rows if row.way == way]
        threads, running = sum(row.threads for row in ours), sum(row.running for row in ours)
        different = [item for row in ours for item in row.different.items()]
        print(f"{name:<28} {way:<13} {threads:>7} {threads - running - len(different):>7} "
              f"{len(different):>9} {running:>8}  {'FAILED' if different else ''}", flush=True)
        for tid, (what, mine, other) in different[:3]:
            print(f"    thread {tid}, {what}: {way} says {mine}, ptrace says {other}")
        passed &= not different
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("targets", nargs="*")
    arguments = parser.parse_args()
    _, how = look(os.getpid(), "--stop=never")
    if "looked by bpf" not in how:
        reason = re.search("not by bpf: ([^,\n]*)", how)
        print(f"ways.py: left out, BPF can't be had: {reason[1] if reason else how}")
        return
    BUILD.mkdir(parents=True, exist_ok=True)
    print(f"{'target':<28} {'way':<13} {'threads':>7} {'equal':>7} {'differing':>9} {'running':>8}")
    results = [compare_target(name) for name in arguments.targets or TARGETS]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
