# SPDX-License-Identifier: Apache-2.0
"""Whether the looks of several kernels are right, taken the way that each kernel allows, and agree.

What may differ is replaced: ids, ports, addresses, times, and all that is the kernel's own, as the
names of its functions. The rest has to be the same.
"""

import difflib
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
# pylint: disable=wrong-import-position
from conftest import VALIDATOR
from test_situations import EXPECTED, check_call, check_stack, check_wait

# What whystuck -v tells first where the kernel has a task iterator for one process, and where not.
LOOKED_BY_BPF = r"whystuck: looked by bpf at "
NOT_BY_BPF = r"whystuck: not by bpf: this kernel has no BPF task iterator for one process \(6\.1 has\)$"
LOOKED_BY_PTRACE = r"whystuck: looked by ptrace at "
FIRST_WITH_BPF = (6, 1)

RUN = {"running", "running-vdso"}  # looked at wherever they are just then
# Their kernels have them not, or whoever looked has changed them.
WHERE = re.compile(r"^(run_|main$)")


class Seen:
    """What one kernel's guest saw of one scene."""

    def __init__(self, folder, name):
        self.name = name
        self.facts = json.loads((folder / f"{name}.facts").read_text())
        self.told = (folder / f"{name}.told").read_text().splitlines()
        self.look = json.loads((folder / f"{name}.json").read_text())

    def thread(self):
        for process in self.look["processes"]:
            for thread in process["threads"]:
                if thread["tid"] == self.facts["tid"]:
                    return thread
        raise AssertionError("the thread is not in the look")


def has_bpf(series):
    return tuple(map(int, series.split("."))) >= FIRST_WITH_BPF


def check_way(series, told, stopped, runs):
    """By BPF or, with the reason, by ptrace; `stopped` has each thread's time."""
    wanted = [LOOKED_BY_BPF] if has_bpf(series) else [NOT_BY_BPF, LOOKED_BY_PTRACE]
    assert len(told) >= len(wanted), told
    for line, pattern in zip(told, wanted):
        assert re.match(pattern, line), line
    if has_bpf(series) and not runs:
        assert not any(stopped), f"threads were stopped: {stopped}"


def check(series, seen):
    """Whether one look is right."""
    VALIDATOR.validate(seen.look)
    stopped = [thread["stopped_ns"] for process in seen.look["processes"]
               for thread in process["threads"]]
    check_way(series, seen.told, stopped, seen.name in RUN)
    expected = EXPECTED.get(seen.name)
    if expected:
        thread = seen.thread()
        check_call(thread, expected, seen.facts, seen.name)
        check_wait(thread, expected, seen.facts)
        check_stack(thread, expected, seen.name)


# ---- what may differ

TEXTS = [
    (re.compile(r"0x[0-9a-f]{5,}"), "0x…"),
    (re.compile(r":\[\d+\]"), ":[…]"),
    (re.compile(r"whystuck-\d+"), "whystuck-…"),
    (re.compile(r"\{at \d+\.\d+\}"), "{at …}"),
    (re.compile(r"until \d\d:\d\d:\d\d"), "until …"),
    (re.compile(r"\b(pid|thread|tid|process) \d+"), r"\1 …"),
    (re.compile(r"(127\.0\.0\.1|\[::1\]):\d+"), r"\1:…"),
    (re.compile(r"\d+(\.\d+)? (ns|µs|ms|s|min|h|d)\b( \d+ (s|min|h)\b)*"), "some time"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T][0-9:.]+(Z| UTC)?"), "some date"),
]
NUMBERS = {"pid", "tid", "ppid", "namespace_pid", "inode"}
PRESENCE = {"address", "blocked_ns", "wchan"}  # that it is known, not what it is
LEFT_OUT = {"taken_at", "kernel", "started_at", "stopped_ns", "limits", "version"}


def plain(value):
    """A value of JSON without what differs from boot to boot."""
    if isinstance(value, dict):
        return {key: plain_member(key, one) for key, one in value.items() if key not in LEFT_OUT}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, str):
        for pattern, replacement in TEXTS:
            value = pattern.sub(replacement, value)
    return value


def plain_member(key, value):
    if key in PRESENCE:
        return value is not None
    if key in NUMBERS and isinstance(value, int):
        return "…"
    if key == "kernel_stack":
        return None if value is None else "frames" if value else "none"
    return plain(value)


def plain_look(seen):
    look = plain(seen.look)
    if seen.name in RUN: # only who called is the same at any time, not from which line
        for process in look["processes"]:
            for thread in process["threads"]:
                names = [frame["symbol"] or "" for frame in thread["user_stack"]]
                first = next(i for i, name in enumerate(names) if name.startswith("run_"))
                thread["user_stack"] = thread["user_stack"][first + 1:]
    return look


def differences(one, other, names):
    texts = [json.dumps(look, indent=1, ensure_ascii=False).splitlines() for look in (one, other)]
    return list(difflib.unified_diff(*texts, *names, n=0, lineterm=""))


def report(seen_in):
    """Prints what is wrong; 1 where something is."""
    wrong = 0
    series = list(seen_in)
    scenes = sorted({(path.parent.name, path.stem) for folder in seen_in.values()
                     for path in folder.glob("*/*.facts")})
    for set_, name in scenes:
        looks = {}
        for one in series:
            folder = seen_in[one] / set_
            if not (folder / f"{name}.facts").exists():
                print(f"{one}: no {name}: {(folder / f'{name}.skipped').read_text().strip()}")
                continue
            try:
                looks[one] = Seen(folder, name)
                check(one, looks[one])
            except Exception as error:
                wrong += 1
                print(f"{one} {set_} {name}: {type(error).__name__} {error}")
        if not looks: continue
        reference = list(looks)[-1]
        for one in list(looks)[:-1]:
            d = differences(plain_look(looks[one]), plain_look(looks[reference]), (one, reference))
            if d:
                wrong += 1
                print(f"{set_} {name} differs", *d, sep="\n")
    print(f"{len(scenes)} scenes, {wrong} wrong")
    return 1 if wrong else 0
