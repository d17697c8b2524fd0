#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""locks.py SECONDS: looks every 10 ms, for that long, at 64 threads that lock and unlock without
end and in one order: locks.c. No look may speak of a deadlock, not even of a possible one; holders
must be seen, or the looks would prove nothing. WHYSTUCK and LOCKS name the programs.
"""

import collections
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHYSTUCK, LOCKS = os.environ["WHYSTUCK"], os.environ["LOCKS"]
VALIDATOR = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schema.json").read_text()))
PACE_SECONDS = 0.01
LOOK_SECONDS = 60
# Threads are stopped in few looks: that keeps the others from locking.
STOPS = ("--stop=never", "--stop=auto", "--stop=auto", "--stop=never", "--stop=always")


def look(pid, stop):
    result = subprocess.run([WHYSTUCK, "-f", "json", "--no-kernel", "--no-lines", stop, str(pid)],
                            capture_output=True, check=False, timeout=LOOK_SECONDS)
    assert result.returncode in (0, 1), result.stderr
    assert b"Sanitizer" not in result.stderr and b"runtime error" not in result.stderr, \
        result.stderr
    return json.loads(result.stdout)


def main():
    seconds = float(sys.argv[1])
    seen = collections.Counter()
    with subprocess.Popen([LOCKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as target:
        try:
            assert target.stdout.readline() == "ready\n"
            end = time.monotonic() + seconds
            for stop in itertools.cycle(STOPS):
                began = time.monotonic()
                if began > end:
                    break
                found = look(target.pid, stop)
                if seen["looks"] % 50 == 0:
                    VALIDATOR.validate(found)
                seen["looks"] += 1
                assert not found["deadlocks"], found["deadlocks"]
                for thread in found["processes"][0]["threads"]:
                    wait = thread["wait"]
                    if not wait:
                        continue
                    assert "deadlock" not in wait, wait
                    seen["changed"] += "changed" in wait
                    for holder in wait["on"]:
                        seen[holder["sure"]] += 1
                time.sleep(max(0, PACE_SECONDS - (time.monotonic() - began)))
            output, _ = target.communicate("", timeout=LOOK_SECONDS)
        finally:
            target.kill()
    rounds = int(output.split()[0])
    print(f"locks: {seen['looks']} looks at 64 threads in {seconds:g} s, {rounds} rounds of theirs: "
          f"no deadlock; holders seen: {seen['owns']} that own, {seen['may']} that may; "
          f"{seen['changed']} waits whose holder changed meanwhile")
    assert seen["owns"] and seen["may"] and rounds


if __name__ == "__main__":
    main()
