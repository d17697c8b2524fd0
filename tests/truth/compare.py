#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whystuck's user stacks with gdb's and eu-stack's, function by function.

    compare.py [-v] [TARGET]...

Each target is stopped by SIGSTOP while the three look at it, so that they see the same moment. A
thread is equal when its frames have the same code addresses and their names mean the same function,
as far as both tools give one. Below 99.9 % of equal threads of a target, but for the differences
that KNOWN names and docs/truth.md explains, the comparison has failed.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from symbols import bare, same_function
from targets import FROM_SOURCE, TARGETS, Absent

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WHYSTUCK = os.environ.get("WHYSTUCK", str(ROOT / "build/whystuck"))
BUILD = ROOT / "build/truth"
LIMIT = 256
ENOUGH = 0.999

# (target, tool): why that tool's stacks differ there; the words are headings of docs/truth.md.
NO_CFI = "musl has no call frame information"
KNOWN = {(target, tool): NO_CFI for target in ("musl", "musl static")
         for tool in ("eu-stack", "gdb", "gdb, inlined")}


class Frame:
    """One frame as a tool gives it."""

    def __init__(self, address, name, module=None, inlined=False):
        self.address, self.name, self.module, self.inlined = address, name, module, inlined

    def __repr__(self):
        return f"{self.address:#x} {self.name}{' (inlined)' if self.inlined else ''}"


def run(command, timeout=120):
    return subprocess.run(command, capture_output=True, text=True, errors="replace",
                          timeout=timeout, check=False, stdin=subprocess.DEVNULL)


def whystuck_frames(pid, lines):
    options = ["--lines"] if lines else ["--no-lines"]
    result = run([WHYSTUCK, "-f", "json", "-n", str(LIMIT), *options, str(pid)])
    threads = json.loads(result.stdout)["processes"][0]["threads"]
    return {thread["tid"]: [Frame(int(frame["address"], 16), frame["symbol"], frame["module"],
                                  frame["inlined"]) for frame in thread["user_stack"] or []]
            for thread in threads}


def eu_stack_frames(pid):
    found, frames = {}, None
    for line in run(["eu-stack", "-n", str(LIMIT), "-p", str(pid)]).stdout.splitlines():
        thread = re.match(r"TID (\d+):", line)
        frame = re.match(r"#\d+ +0x([0-9a-f]+)(?: - 1)? *(.*)", line)
        if thread:
            frames = found.setdefault(int(thread[1]), [])
        elif frame:
            frames.append(Frame(int(frame[1], 16), frame[2] or None))
    return found


def gdb_frames(pid):
    result = run(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-iex",
                  "set auto-load off", "-p", str(pid), "-x", str(HERE / "gdb_frames.py")])
    found = {}
    for line in result.stdout.splitlines():
        if line.startswith("FRAMES "):
            tid, frames = json.loads(line[len("FRAMES "):])
            found[tid] = [Frame(address & (2**64 - 1), name, inlined=inlined)
                          for address, name, inlined in frames]
    return found


def threads_of(pid):
    return [int(tid) for tid in os.listdir(f"/proc/{pid}/task")]


def all_stopped(pid):
    states = []
    for tid in threads_of(pid):
        stat = pathlib.Path(f"/proc/{pid}/task/{tid}/stat").read_text(errors="replace")
        states.append(stat.rpartition(")")[2].split()[0])
    return set(states) <= {"T"}


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    end = time.monotonic() + 10
    while not all_stopped(pid):
        if time.monotonic() > end:
            raise RuntimeError(f"process {pid} does not stop")
        time.sleep(0.005)


def difference(ours, theirs):
    """The first frame that is not the same: (its number, ours, theirs), or None."""
    for number in range(max(len(ours), len(theirs))):
        mine = ours[number] if number < len(ours) else None
        other = theirs[number] if number < len(theirs) else None
        if not mine or not other or mine.address != other.address:
            return number, mine, other
        if mine.name and other.name and other.name != "??" and \
                not same_function(mine.name, other.name, mine.module):
            return number, mine, other
    return None


def names_only(frames):
    """Frames by their functions alone, for inlined ones, whose addresses tools give differently."""
    return [frame for frame in frames if frame.name]


def inline_difference(ours, theirs):
    ours, theirs = names_only(ours), names_only(theirs)
    for number in range(max(len(ours), len(theirs))):
        mine = ours[number] if number < len(ours) else None
        other = theirs[number] if number < len(theirs) else None
        if not mine or not other or mine.inlined != other.inlined or \
                not same_function(mine.name, other.name, mine.module):
            return number, mine, other
    return None


def source_array(name):
    """The functions that an array of target.c names."""
    found = re.search(rf"{name}\[\]\)\(void\) = {{([^}}]*)}}", (HERE / "target.c").read_text())
    return re.findall(r"\w+", found[1])


def by_start(pid, tids):
    """Threads in the order of their start: ids rise, and begin again below pid_max."""
    limit = int(pathlib.Path("/proc/sys/kernel/pid_max").read_text())
    return sorted(tids, key=lambda tid: (tid - pid) % limit)


def expected_by_source(pid, tids):
    """The functions that must stand in each thread's stack, by how target.c starts them."""
    ways, rests = source_array("ways"), source_array("rests")
    main, *others = by_start(pid, tids)
    expected = {main: ["rest_in_pause", "threads", "main"]}
    for index, tid in enumerate(others):
        way = ways[index if index == len(ways) - 1 else index % (len(ways) - 1)]
        rest = rests[index // len(ways) % len(rests)]
        # Those that call last what they call may have been replaced by it.
        skipped = way in ("recur", "by_once")
        expected[tid] = [rest] + ([] if skipped else [way]) + ["go"]
    return expected


def source_difference(ours, expected):
    """The first function that the source says must stand there and does not."""
    names = iter(bare(frame.name or "") for frame in ours)
    for number, function in enumerate(expected):
        if function not in names:
            return number, None, function
    return None


class Comparison:
    """Of one tool's stacks with ours."""

    def __init__(self, tool, ours, theirs, differ):
        self.tool = tool
        self.threads = len(ours)
        self.differing = []
        for tid, frames in ours.items():
            found = differ(frames, theirs.get(tid, []))
            if found:
                self.differing.append((tid, found))

    @property
    def equal(self):
        return self.threads - len(self.differing)

    def passed(self, target):
        return (target, self.tool) in KNOWN or self.equal >= ENOUGH * self.threads


def compare_process(pid, from_source):
    """Our stacks against each tool's, for a process that stands still meanwhile."""
    for _ in range(3):
        stop(pid)
        ours = whystuck_frames(pid, lines=False)
        with_lines = whystuck_frames(pid, lines=True)
        stop(pid)
        eu_stack = eu_stack_frames(pid)
        stop(pid)
        gdb = gdb_frames(pid)
        stop(pid)
        again = whystuck_frames(pid, lines=False)
        if {tid: [frame.address for frame in frames] for tid, frames in ours.items()} == \
                {tid: [frame.address for frame in frames] for tid, frames in again.items()}:
            break
    else:
        raise RuntimeError(f"process {pid} does not stand still")
    physical = {tid: [frame for frame in frames if not frame.inlined]
                for tid, frames in gdb.items()}
    found = [Comparison("eu-stack", ours, eu_stack, difference),
             Comparison("gdb", ours, physical, difference),
             Comparison("gdb, inlined", with_lines, gdb, inline_difference)]
    if from_source:
        found.append(Comparison("the source", with_lines, expected_by_source(pid, with_lines),
                                source_difference))
    return found


def compare_target(name, verbose):
    """Starts, compares and ends one target. Whether it passed."""
    try:
        with TARGETS[name](BUILD) as processes:
            rows = [comparison for pid in processes
                    for comparison in compare_process(pid, name in FROM_SOURCE)]
    except Absent as absent:
        print(f"{name:<28} left out: {absent}", flush=True)
        return True
    passed = True
    for tool in dict.fromkeys(row.tool for row in rows):
        ours = [row for row in rows if row.tool == tool]
        threads, equal = sum(row.threads for row in ours), sum(row.equal for row in ours)
        ok = all(row.passed(name) for row in ours)
        note = KNOWN.get((name, tool), "") if equal < threads else ""
        print(f"{name:<28} {tool:<13} {threads:>7} {equal:>7} {threads - equal:>9}  "
              f"{'' if ok else 'FAILED'}{note and 'known: ' + note}", flush=True)
        passed &= ok
        if verbose or not ok:
            for row in ours:
                for tid, (number, mine, other) in row.differing[:3]:
                    print(f"    thread {tid}, frame {number}: we say {mine}, {tool} says {other}")
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("targets", nargs="*")
    arguments = parser.parse_args()
    for tool in ("gdb", "eu-stack"):
        if not shutil.which(tool):
            sys.exit(f"compare.py: needs {tool}")
    BUILD.mkdir(parents=True, exist_ok=True)
    print(f"{'target':<28} {'tool':<13} {'threads':>7} {'equal':>7} {'differing':>9}")
    results = [compare_target(name, arguments.verbose) for name in arguments.targets or TARGETS]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
