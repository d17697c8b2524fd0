# SPDX-License-Identifier: Apache-2.0
"""Whether several kernels' looks are right, each taken the way that its kernel allows, and agree.

What may differ is replaced: ids, ports, addresses, times, and all that is the kernel's own, as the
names of its functions. The rest has to be the same as the last kernel's.
"""

import dataclasses
import difflib
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
from conftest import VALIDATOR  # noqa: E402
from test_situations import (EXPECTED, UNINTERRUPTIBLE, WATCHED, check_call,  # noqa: E402
                             check_stack, check_wait)

# What whystuck -v tells first, where the kernel can walk the tasks of one process and where not,
# and where /proc told all of a few threads.
FIRST_WITH_BPF = (6, 1)
BY_BPF = [r"whystuck: looked by bpf at "]
BY_PTRACE = [r"whystuck: not by bpf: this kernel has no BPF task iterator for one process\b",
             r"whystuck: looked by ptrace at "]
BY_PROC = [r"whystuck: not by bpf: the look is small, ", r"whystuck: looked by passive at "]
# An uninterruptible wait may be for a lock, which BPF alone would tell.
BY_PROC_WITHOUT_LOCK = [BY_PTRACE[0], BY_PROC[1]]

# The scenes that a kernel can't have, by the first that can.
SINCE = {"epoll_pwait2": (5, 11), "futex_waitv": (5, 16)}

# Who runs may have to be stopped for the look.
RUNNING = {"running"}

# What can't be known of a scene, by a gap's reason.
GAPS = {"exec-nfs": "/tmp/scene/file could not be opened: its file system gives no answer"}

# What is another call on arm64, which has only the younger: what is expected of it instead. Of one
# that a signal ended before it was shown nothing is left there (arch/arm64/kernel/signal.c,
# do_signal()).
YOUNGER = {
    "pause()": {"kind": "sleep", "name": "ppoll", "call": ["ppoll(NULL, 0, NULL, NULL, 0)"]},
    "poll(*": {"name": "ppoll",
               "call": ["ppoll(*", *WATCHED, "*POLLIN*", "*POLLPRI*", "*, NULL, NULL, 0)"]},
    "vfork()": {"name": "clone", "call": ["clone(*CLONE_VFORK*"]},
    "*kill(*SIGSTOP)": {"call": []},
}

# Where the kernel's stack of a thread that a page fault brought there may not say so.
FAULTS_UNTOLD = {("arm64", "5.10")}

# What of a program is in memory, and so known, though its server is silent, is chance.
CHANCE = {"exec-nfs"}

# Where less can be known without BPF: a second tracer can't get at the registers, and what is in an
# uninterruptible wait never stops for one. On arm64 that may be the return address of any call.
LESS_BY_PTRACE = {"amd64": {"traced", "exit_group", "vfork"},
                  "arm64": {"traced", "exit_group", *UNINTERRUPTIBLE}}
# The stop ends the call, and then nobody answers for the memory that it begins again with.
ANOTHER_BY_PTRACE = {"userfault"}


def version(series):
    return tuple(map(int, series.split(".")))


def has_bpf(series):
    return version(series) >= FIRST_WITH_BPF


def threads_of(look):
    return [thread for process in look["processes"] for thread in process["threads"]]


class Seen:
    """What one kernel's guest saw of one scene."""

    def __init__(self, architecture, series, folder, name):
        self.architecture = architecture
        self.series = series
        self.set = folder.name
        self.name = name
        self.told = (folder / f"{name}.told").read_text().splitlines()
        self.look = json.loads((folder / f"{name}.json").read_text())
        facts = folder / f"{name}.facts"
        self.facts = json.loads(facts.read_text()) if facts.exists() else {}

    def check(self):
        """Whether it is right."""
        VALIDATOR.validate(self.look)
        ways = [BY_BPF if has_bpf(self.series) else BY_PTRACE]
        if self.set == "alone":
            ways += [BY_PROC] if has_bpf(self.series) else [BY_PROC, BY_PROC_WITHOUT_LOCK]
        assert any(self._told(way) for way in ways), self.told
        if has_bpf(self.series) and self.name not in RUNNING:
            assert not any(one["stopped_ns"] for one in threads_of(self.look)), "it was stopped"
        reasons = [gap["reason"] for process in self.look["processes"] for gap in process["gaps"]]
        assert self.name not in GAPS or GAPS[self.name] in reasons, reasons
        if self.name in EXPECTED:
            self._check_scene(EXPECTED[self.name])

    def _told(self, way):
        return len(self.told) >= len(way) and all(map(re.match, way, self.told))

    def _check_scene(self, expected):
        """As the live tests do, less what only libc's debug symbols or the modules tell."""
        expected = dataclasses.replace(expected, function="")
        if self.architecture == "arm64" and expected.call and expected.call[0] in YOUNGER:
            expected = dataclasses.replace(expected, **YOUNGER[expected.call[0]])
        if (self.architecture, self.series) in FAULTS_UNTOLD:
            expected = dataclasses.replace(
                expected, wait=[text.replace(": a page fault", "*") for text in expected.wait])
        thread = next(one for one in threads_of(self.look) if one["tid"] == self.facts["tid"])
        if self.set == "without-modules":
            assert thread["wait"]["kind"] in expected.kind.split("|"), thread["wait"]
        else:
            check_call(thread, expected, self.facts, self.name)
            check_wait(thread, expected, self.facts)
        check_stack(thread, expected, self.name)
        if has_bpf(self.series):
            assert thread["user_stack_end"] == "complete", thread


# ---- what may differ

TEXTS = [
    (re.compile(r"0x[0-9a-f]{5,}"), "0x…"),
    (re.compile(r":\[\d+\]"), ":[…]"),
    (re.compile(r"\b(pid|thread|tid|process|child) \d+"), r"\1 …"),
    (re.compile(r"(127\.0\.0\.1|\[::1\]):\d+"), r"\1:…"),
    (re.compile(r"whystuck-(sendfile-)?\w+"), "whystuck-…"),
    (re.compile(r"/[\w-]+/[\w-]+\.(facts|failed)"), r"….\1"),
    (re.compile(r"\b\d{4,} bytes"), "many bytes"),
    (re.compile(r"CPU \d+"), "CPU …"),
    (re.compile(r"\{at [^}]+\}"), "{at …}"),
    (re.compile(r"until [-0-9 :]+"), "until … "),
    (re.compile(r"\d+(\.\d+)? (ns|µs|ms|s|min|h)\b( \d+ s\b)?"), "some time"),
]
IDS = {"pid", "tid", "ppid", "namespace_pid", "tracer", "inode"}
QUEUES = {"send_queue", "receive_queue"}  # with what the kernel adds to each piece
PRESENCE = {"address", "wchan"}  # that it is known, not what it is
# blocked_ns is null where the CPU had no time to tell its clock.
LEFT_OUT = {"taken_at", "kernel", "started_at", "stopped_ns", "limits", "blocked_ns"}


def plain(value, replacements):
    """A value of JSON without what differs from boot to boot."""
    if isinstance(value, dict):
        is_kernels = value.get("module") == "[vdso]"
        return {key: plain_member(key, one, replacements) for key, one in value.items()
                if key not in LEFT_OUT and not (is_kernels and key == "build_id")}
    if isinstance(value, list):
        return [plain(one, replacements) for one in value]
    if isinstance(value, str):
        for pattern, replacement in replacements:
            value = pattern.sub(replacement, value)
    return value


def plain_member(key, value, replacements):
    if key in PRESENCE:
        return value is not None
    if key in IDS and value is not None:
        return "…"
    if key in QUEUES and value is not None:
        return "many" if value >= 1000 else value
    if key == "kernel_stack":
        return None if value is None else "frames" if value else "empty"
    return plain(value, replacements)


def plain_look(seen, more=()):
    ids = [(re.compile(rf"(?<![\w.]){value}(?!\.?\w)"), f"<{name}>")
           for name, value in seen.facts.items()
           if isinstance(value, int) and value >= 40 and name not in ("syscall", "threads")]
    look = plain(seen.look, ids + TEXTS + list(more))
    for thread in threads_of(look):
        if thread["state"] == "R":  # only the callers are the same at any time
            names = [frame["symbol"] or "" for frame in thread["user_stack"] or []]
            first = next((i for i, name in enumerate(names) if name.startswith("run_")), -1)
            thread["user_stack"] = (thread["user_stack"] or [])[first + 1:]
            thread["kernel_stack"] = None  # there only while it stands in line for a CPU
    return look


def leave_out_less(look, reference):
    """Takes from both what can't be known by ptrace, which `look` was taken by."""
    for less, more in zip(threads_of(look), threads_of(reference)):
        if not any(gap["stage"] == "user_stack" for gap in less["gaps"]):
            continue
        more["user_stack"] = more["user_stack"][:len(less["user_stack"])]
        for thread in (less, more):
            del thread["gaps"], thread["user_stack_end"]


def compare(seen, reference):
    """The lines in which two looks differ."""
    if seen.name in ANOTHER_BY_PTRACE and has_bpf(seen.series) != has_bpf(reference.series):
        return []
    if seen.name in CHANCE:
        return []
    untold = [(re.compile(": a page fault"), "")]
    more = untold if (seen.architecture, seen.series) in FAULTS_UNTOLD else []
    looks = [plain_look(seen, more), plain_look(reference, more)]
    if seen.name in LESS_BY_PTRACE[seen.architecture] and not has_bpf(seen.series):
        leave_out_less(*looks)
    texts = [json.dumps(look, indent=1, ensure_ascii=False).splitlines() for look in looks]
    return list(difflib.unified_diff(*texts, seen.series, reference.series, n=2, lineterm=""))


# ---- the whole machine

def check_machine(seen):
    """Each kernel thread is there with its kernel stack, and none has a gap."""
    kernel = [process for process in seen.look["processes"]
              if process["pid"] == 2 or process["ppid"] == 2]
    assert len(kernel) > 20, f"{len(kernel)} kernel threads"
    assert {"kthreadd", "ksoftirqd/0", "kswapd0"} <= {process["comm"] for process in kernel}
    for process in kernel:
        for thread in process["threads"]:
            assert thread["state"] == "R" or thread["kernel_stack"], process
            assert thread["user_stack"] is None and thread["syscall"] is None, process
            assert not thread["gaps"] and not process["gaps"], process
    seen.look["processes"] = sorted(
        (process for process in seen.look["processes"] if process not in kernel),
        key=lambda process: process["cmdline"])


# ---- all of it

def look_through(architecture, series, folder, set_, name, problems):
    """One kernel's look, checked; None where it is not there."""
    failed = folder / set_ / f"{name}.failed"
    if failed.exists():
        if version(series) >= SINCE.get(name, (0,)):
            problems.append(f"{series} {set_} {name}: {failed.read_text()}")
        return None
    try:
        seen = Seen(architecture, series, folder / set_, name)
        seen.check()
        if set_ == "machine":
            check_machine(seen)
        return seen
    except (AssertionError, OSError, ValueError, LookupError, StopIteration) as error:
        problems.append(f"{series} {set_} {name}: {error!r}")
        return None


def report(folders, architecture):
    """Prints what is wrong with the looks in the folders, by series; how much that is."""
    problems = []
    scenes = sorted({(path.parent.name, path.stem) for folder in folders.values()
                     for path in folder.glob("*/*.told")})
    for set_, name in scenes:
        looks = [seen for series, folder in folders.items()
                 if (seen := look_through(architecture, series, folder, set_, name, problems))]
        for seen in looks[:-1]:
            difference = compare(seen, looks[-1])
            if difference:
                problems.append("\n".join([f"{set_} {name} differs:", *difference]))
    for problem in problems:
        print(problem)
    print(f"{len(scenes)} scenes on {', '.join(folders)} for {architecture}: "
          f"{len(problems) or 'nothing'} wrong")
    return len(problems)
