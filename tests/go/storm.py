#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at a storm of goroutines, again and again, and for stacks that cannot be.

    storm.py [SECONDS] [VERSION]

tests/go/storm starts and ends 100,000 goroutines a second of two colours, which use each other's
stacks again. A stack that whystuck calls complete begins at runtime.goexit, goes on with outer,
middle (as often as it likes) and inner of one colour, in this order, and was begun by that colour's
starter; one that waits in a channel is in inner. What was read while it changed must be a gap.
"""

import json
import collections
import os
import re
import subprocess
import sys
import time

import compare
import toolchains

SOURCE = toolchains.HERE / "storm"
LOOK_SECONDS = 120
# From the outside in, one letter a frame; what is below main's functions is the runtime's or sync's.
# A go statement with arguments begins with a function that the compiler made (s).
POSSIBLE = re.compile(r"gs?(om*i?)?x*")
LETTERS = {"Outer": "o", "Middle": "m", "Inner": "i"}
COLOURED = re.compile(r"main\.(red|blue)(Outer|Middle|Inner)")
SHIM = re.compile(r"main\.start(Red|Blue)\W\w+")


def impossible(goroutine):
    """What cannot be of a goroutine of the storm, in words; None: it can."""
    letters, colours = "", set()
    for frame in reversed([frame for frame in goroutine["stack"] if frame["kind"] == "go"]):
        found = COLOURED.fullmatch(frame["symbol"] or "")
        if found:
            letters += LETTERS[found[2]]
            colours.add(found[1])
            continue
        found = SHIM.match(frame["symbol"] or "")
        if found:
            letters += "s"
            colours.add(found[1].lower())
        else:
            letters += "g" if frame["symbol"] == "runtime.goexit" else "x"
    creator = goroutine["created_by"] and goroutine["created_by"]["symbol"]
    starters = {"main.startRed": "red", "main.startBlue": "blue"}
    if creator in starters:
        colours.add(starters[creator])
    elif not colours:
        return None  # main, or the runtime's own
    if len(colours) != 1:
        return "red and blue"
    if goroutine["stack_end"] != "complete":
        return None
    if not POSSIBLE.fullmatch(letters):
        return f"in an order that can't be ({letters})"
    if goroutine["wait_reason"] == "chan receive" and "i" not in letters:
        return f"it waits elsewhere than in inner ({letters})"
    return None


class Tally:
    def __init__(self):
        self.looks, self.goroutines, self.waiting, self.gaps = 0, 0, 0, 0
        self.reasons = collections.Counter()
        self.errors = []

    def add(self, pid):
        result = subprocess.run([compare.WHYSTUCK, "-f", "json", "--runtime-frames", str(pid)],
                                capture_output=True, text=True, timeout=LOOK_SECONDS, check=False)
        self.looks += 1
        if result.returncode not in (0, 1) or "Sanitizer" in result.stderr or \
                "runtime error" in result.stderr:
            self.errors.append(f"whystuck ended with {result.returncode}: {result.stderr[-3000:]}")
            return
        for goroutine in json.loads(result.stdout)["processes"][0]["goroutines"]:
            self.goroutines += 1
            self.waiting += goroutine["wait_reason"] == "chan receive"
            self.gaps += goroutine["stack_end"] != "complete"
            self.reasons.update(gap["reason"] for gap in goroutine["gaps"])
            wrong = impossible(goroutine)
            if wrong:
                self.errors.append(f"{wrong}: {json.dumps(goroutine)}")


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    chain = toolchains.get(sys.argv[2]) if len(sys.argv) > 2 else toolchains.system()
    program = chain.build(SOURCE, "stripped")
    tally = Tally()
    # It outlives the looks; what it says of its rate is of the time that they took.
    with subprocess.Popen([program, str(seconds)], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "GOTRACEBACK": "none"}) as process:
        try:
            if process.stdout.readline() != "ready\n":
                sys.exit("storm: it did not get ready")
            end = time.monotonic() + seconds - 1
            while time.monotonic() < end and not tally.errors:
                tally.add(process.pid)
            rate = process.stdout.readline().strip() if not tally.errors else "?"
        finally:
            process.kill()
    print(f"Go {chain.version}: {tally.looks} looks at {rate} goroutines a second: "
          f"{tally.goroutines} goroutines seen, {tally.waiting} of them waiting, {tally.gaps} not "
          f"whole and said so; {len(tally.errors)} errors")
    for reason, count in tally.reasons.most_common(5):
        print(f"    {count} times: {reason}")
    for error in tally.errors[:3]:
        print(error)
    sys.exit(1 if tally.errors or not tally.goroutines else 0)


if __name__ == "__main__":
    main()
