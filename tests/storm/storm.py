#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""storm.py SECONDS: looks at processes of which nothing stays as it is, for that long.

Threads start and end 5,000 times a second, children are forked and execute, a process executes
itself: storm.c. Each look must end in time and in order, whatever it saw, and its output be valid;
the targets must go on, neither stopped nor traced. WHYSTUCK and STORM name the programs.
"""

import collections
import itertools
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHYSTUCK, STORM = os.environ["WHYSTUCK"], os.environ["STORM"]
VALIDATOR = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schema.json").read_text()))
NAME = os.path.basename(STORM)
RATE = 5000  # threads in a second
LOOK_SECONDS = 60  # no look takes longer, however slow the sanitizers make it
KINDS = ("threads", "forks", "execs")
STOPS = ("--stop=auto", "--stop=never", "--stop=always")
OPTIONS = (["-f", "json"], [], ["-f", "folded"], ["-f", "json", "-p"], ["--no-lines", "-v"],
           ["-f", "json", "--addresses"], ["-s", "RD"])


class Target:
    """A storm, and the count of what it has done."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.file = pathlib.Path(folder, kind)
        self.file.write_bytes(bytes(8))
        self.process = subprocess.Popen([STORM, kind, str(self.file), str(RATE)],
                                        stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.began = time.monotonic()

    def done(self):
        return struct.unpack("Q", self.file.read_bytes())[0]

    def check_unharmed(self):
        """It lives, goes on, and none of its threads is stopped or traced."""
        assert self.process.poll() is None, \
            f"{self.kind} ended with {self.process.returncode}: {self.process.stderr.read()}"
        before, end = self.done(), time.monotonic() + 10
        while self.done() == before:
            assert time.monotonic() < end, f"{self.kind} does not go on"
            time.sleep(0.001)
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            try:
                status = pathlib.Path(f"/proc/{self.pid}/task/{tid}/status").read_text()
            except OSError:
                continue  # it has ended
            assert "TracerPid:\t0\n" in status, f"thread {tid} is traced: {status}"
            assert not re.search(r"State:\s[tT]", status), f"thread {tid} is stopped: {status}"

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def plans(targets):
    """Whom to look at and how, for ever: every combination, and all the machine now and then."""
    ways = itertools.product(OPTIONS, STOPS, targets)
    for number, (options, stop, target) in enumerate(itertools.cycle(ways)):
        yield target.kind, [stop, *options, str(target.pid)]
        if number % 8 == 1:
            yield "all of them", [stop, *options, *(str(one.pid) for one in targets)]
        if number % 32 == 7:  # others' processes are never stopped for a test
            yield "-a", ["--stop=never", "-a", *options]
        if number % 8 == 3:
            yield "by name", [stop, *options, NAME]


def check(kind, arguments, result):
    command = " ".join(arguments)
    assert "Sanitizer" not in result.stderr and "runtime error" not in result.stderr, \
        f"{command}: {result.stderr}"
    # That no thread is in a state is an answer; the targets themselves are there all the time.
    assert result.returncode in (0, 1), \
        f"{command} at {kind} ended with {result.returncode}: {result.stderr}"
    if "folded" in arguments:
        return sum(int(line.rpartition(" ")[2]) for line in result.stdout.splitlines())
    if "json" not in arguments:
        return len(re.findall("^thread ", result.stdout, re.MULTILINE))
    look = json.loads(result.stdout)
    if "-a" in arguments:  # to validate a machine of many threads would take most of the time
        look["processes"] = [process for process in look["processes"] if process["comm"] == NAME]
    VALIDATOR.validate(look)
    return sum(len(process["threads"]) for process in look["processes"])


def main():
    seconds = float(sys.argv[1])
    looks, threads, statuses = collections.Counter(), collections.Counter(), collections.Counter()
    slowest = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        targets = [Target(kind, folder) for kind in KINDS]
        try:
            for target in targets:
                target.check_unharmed()
            began = time.monotonic()
            before = {target.kind: target.done() for target in targets}
            for kind, arguments in plans(targets):
                if time.monotonic() > began + seconds:
                    break
                start = time.monotonic()
                result = subprocess.run([WHYSTUCK, *arguments], stdin=subprocess.DEVNULL,
                                        capture_output=True, text=True, timeout=LOOK_SECONDS,
                                        check=False)
                slowest[kind] = max(slowest[kind], time.monotonic() - start)
                looks[kind] += 1
                statuses[result.returncode] += 1
                threads[kind] += check(kind, arguments, result)
                if sum(looks.values()) % 20 == 0:
                    for target in targets:
                        target.check_unharmed()
            took = time.monotonic() - began
            for target in targets:
                rate = (target.done() - before[target.kind]) / took
                print(f"{target.kind:<8} {rate:>7.0f} a second")
                target.check_unharmed()
        finally:
            for target in targets:
                target.end()
    print(f"{sum(looks.values())} looks in {took:.0f} s; statuses {dict(statuses)}")
    for kind, count in looks.items():
        print(f"  {kind:<12} {count:>6} looks  {threads[kind]:>8} threads shown, "
              f"the slowest took {slowest[kind] * 1e3:.0f} ms")
        assert threads[kind], f"no thread of {kind} was ever shown"


if __name__ == "__main__":
    main()
