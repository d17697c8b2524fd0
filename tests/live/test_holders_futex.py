# SPDX-License-Identifier: Apache-2.0
"""Who holds what is waited for in a futex: the programs of tests/holders, each built as it is used.

A row names the scene, the sentence (a pattern of fnmatch, filled in with the announced facts) and
who is on: the fact that holds its id, OTHERS for any other thread of the process, or nobody.
"""

import fnmatch
import glob
import os
import shutil
import subprocess
import time
from dataclasses import dataclass

import pytest
from conftest import ROOT, Situation, until, read_proc

SOURCES = ROOT / "tests/holders"
STAGE = ROOT / "tests/situations/stage.c"
OTHERS = "any other thread of its process"
FLAGS = ["-D_GNU_SOURCE", "-O1", "-g", "-fno-optimize-sibling-calls", "-pthread"]


@dataclass
class Scene:
    """What a look at a scene shows."""

    scene: str
    kind: str
    text: str
    on: str = ""
    argument: str = ""
    elsewhere: bool = False  # the holder is of another process
    uncertain: bool = False


def mutex(scene, on, text="mutex queue_lock in locks.c ({address})", **more):
    return Scene(scene, "mutex", text, on, **more)


def each_mutex(kinds, on, **more):
    return [mutex("mutex", on, argument=kind, **more) for kind in kinds]


def rwlock(scene, purpose, on, more=""):
    return Scene(scene, "rwlock",
                 f"read-write lock table_lock in locks.c ({{address}}), to {purpose}{more}", on)


READERS = " (2 readers have it)"
UNRECORDED = " (who holds it is not recorded)"
COMMON = [
    mutex("mutex", "holder", "the priority-inheriting mutex (queue_lock* in locks.c, futex 0x*)",
          argument="inheriting"),
    mutex("mutex", "holder", "the priority-inheriting mutex (queue_lock* in locks.c, futex 0x*)",
          argument="inheriting-robust"),
    mutex("mutex-let-go", ""),
    mutex("mutex-heap", "holder", "mutex {address}", argument="recursive"),
    mutex("mtx", "holder", "mutex c11_lock in locks.c ({address})", argument="recursive"),
    mutex("condition-mutex", "holder", argument="recursive"),
    rwlock("write-read", "write", OTHERS, READERS),
    rwlock("write-behind", "write", OTHERS, READERS),
    Scene("semaphore", "semaphore", "semaphore free_places in locks.c ({address})", OTHERS),
    Scene("semaphore-timed", "semaphore",
          "semaphore free_places in locks.c ({address}), at most 59 min * more", OTHERS),
    Scene("semaphore-shared", "semaphore", "semaphore {address}"),
    Scene("join", "thread-join", "thread {holder} to end", "holder"),
    Scene("futex", "futex", "futex word in locks.c ({address}) to change from 7 (private)", OTHERS),
]
ENDED = ", whose owner (thread {holder}) has ended"
GLIBC = COMMON + each_mutex(["normal", "recursive", "errorcheck", "adaptive", "robust"],
                            "holder") + [
    mutex("mutex-self", "holder"),
    mutex("mutex-self", "", "a priority-inheriting mutex: its owner has ended, or it would be a "
          "deadlock", argument="inheriting"),
    mutex("mutex-ended", "", "mutex queue_lock in locks.c ({address})" + ENDED),
    mutex("mutex-heap", "holder", "mutex {address}"),
    mutex("mutex-shared", "holder", "mutex {address}", elsewhere=True),
    mutex("mutex-shared", "holder", "mutex {address}", argument="robust", elsewhere=True),
    mutex("condition-mutex", "holder"),
    mutex("mtx", "holder", "mutex c11_lock in locks.c ({address})"),
    rwlock("read-written", "read", "holder"),
    rwlock("write-written", "write", "holder"),
    Scene("condition", "condition", "condition variable filled in locks.c ({address}) with mutex "
          "queue_lock in locks.c ({mutex})", OTHERS),
    Scene("barrier", "barrier",
          "the other threads at barrier start_line in locks.c ({address}): 2 of 3 have come",
          OTHERS),
    Scene("once", "once", "another thread to finish what is done once (set_up_once in locks.c, "
          "futex {address})", OTHERS),
]
MUSL = COMMON + each_mutex(["recursive", "errorcheck", "robust"], "holder") + [
    mutex("mutex", OTHERS, "mutex queue_lock in locks.c ({address})" + UNRECORDED),
    mutex("mutex-self", OTHERS, "mutex queue_lock in locks.c ({address})" + UNRECORDED),
    mutex("mutex-ended", "",
          "mutex queue_lock in locks.c ({address}), whose owner has ended", argument="recursive"),
    mutex("mutex-shared", "holder", "mutex {address}", argument="recursive", elsewhere=True),
    mutex("mtx", OTHERS, "mutex c11_lock in locks.c ({address})" + UNRECORDED),
    rwlock("read-written", "read", OTHERS, UNRECORDED),
    rwlock("write-written", "write", OTHERS, UNRECORDED),
    Scene("condition", "condition", "a condition variable (futex 0x*)", OTHERS),
    Scene("barrier", "barrier", "the other threads at a barrier (futex 0x*): 2 have come", OTHERS),
]


def queue(offset):
    return f"(anonymous namespace)::queue{offset} in locks.cpp ({{address}})"


CXX = [
    mutex("mutex", "holder", "mutex " + queue("")),
    mutex("recursive-mutex", "holder", "mutex " + queue("+0x28")),
    mutex("timed-mutex", "holder", "mutex " + queue("+0x50") + ", at most 59 min * more"),
    Scene("shared-mutex", "rwlock", "read-write lock (anonymous namespace)::table_lock in "
          "locks.cpp ({address}), to read", "holder"),
    Scene("shared-mutex-read", "rwlock", "read-write lock (anonymous namespace)::table_lock in "
          "locks.cpp ({address}), to write (1 reader has it)", OTHERS),
    Scene("condition", "condition", "condition variable " + queue("+0x78") +
          " with mutex (anonymous namespace)::queue in locks.cpp (0x*)", OTHERS),
    Scene("future", "future", "the result of a future (futex 0x*)", OTHERS),
    Scene("static", "once", "another thread to finish the initialization of static variable "
          "(anonymous namespace)::instance()::only (futex 0x*)", OTHERS),
    Scene("once", "once", "another thread to finish what is done once ((anonymous namespace)::"
          "set_up_once in locks.cpp, futex {address})", OTHERS),
    Scene("join", "thread-join", "thread {holder} to end", "holder"),
]
RUST = [
    mutex("mutex", OTHERS, "mutex locks::QUEUE_LOCK (0x*)" + UNRECORDED),
    Scene("condition", "condition", "a condition variable (locks::FILLED, futex 0x*)", OTHERS),
    Scene("read", "rwlock", "read-write lock locks::TABLE_LOCK (0x*), to read" + UNRECORDED,
          OTHERS),
    Scene("write", "rwlock", "read-write lock locks::TABLE_LOCK (0x*), to write" + READERS,
          OTHERS),
    Scene("once", "once", "another thread to finish what is done once (locks::SET_UP, futex 0x*)",
          OTHERS),
    Scene("park", "park", "another thread to unpark it", OTHERS),
    Scene("channel", "park", "another thread to unpark it", OTHERS),
    Scene("join", "thread-join", "thread {holder} to end", "holder"),
]
PARKING_LOT = [
    Scene("mutex", "mutex", "a mutex of parking_lot" + UNRECORDED, OTHERS),
    Scene("condition", "condition", "a condition variable of parking_lot", OTHERS),
    Scene("read", "rwlock", "a read-write lock of parking_lot, to read" + UNRECORDED, OTHERS),
    Scene("write", "rwlock", "a read-write lock of parking_lot, to write" + UNRECORDED, OTHERS),
    Scene("once", "once", "another thread to finish what is done once (parking_lot)", OTHERS),
]
LOOKALIKE = [mutex(scene, "", "mutex memory in lookalike.c ({address})")
             for scene in ("no-kind", "shared", "no-owner")] + [
             mutex(scene, "tid", "mutex memory in lookalike.c ({address})", uncertain=True)
             for scene in ("no-users", "count")]

# Debian's crates, which librust-parking-lot-dev puts there.
CRATES = "/usr/share/cargo/registry"

# How each program is built; {out} is what comes out.
PROGRAMS = {
    "glibc": (GLIBC, [["gcc", *FLAGS, "-o", "{out}", SOURCES / "locks.c", STAGE]]),
    "musl": (MUSL, [["musl-gcc", *FLAGS, "-o", "{out}", SOURCES / "locks.c", STAGE]]),
    "cxx": (CXX, [["gcc", *FLAGS, "-c", "-o", "{out}.o", STAGE],
                  ["g++", "-std=c++17", *FLAGS, "-o", "{out}", SOURCES / "locks.cpp", "{out}.o"]]),
    "rust": (RUST, [["rustc", "-O", "-g", "-o", "{out}", SOURCES / "locks.rs"]]),
    "rust-bare": (RUST, [["rustc", "-O", "-C", "strip=debuginfo", "-o", "{out}",
                          SOURCES / "locks.rs"]]),
    "parking-lot": (PARKING_LOT, [
        ["cp", "-r", SOURCES / "parking_lot", "{out}.crate"],
        ["cp", SOURCES / "stage.rs", "{out}.crate/src"],
        ["cargo", "build", "-q", "--offline", "--manifest-path", "{out}.crate/Cargo.toml",
         "--config", "source.crates-io.replace-with='debian'",
         "--config", f"source.debian.directory='{CRATES}'"],
        ["mv", "{out}.crate/target/debug/locks", "{out}"]]),
    "lookalike": (LOOKALIKE, [["gcc", *FLAGS, "-o", "{out}", SOURCES / "lookalike.c", STAGE]]),
}


@pytest.fixture(name="program", scope="module")
def program_fixture(tmp_path_factory):
    """Gives the path of a program by its name, built once."""
    built = {}

    def program(name):
        if name not in built:
            commands = PROGRAMS[name][1]
            for command in commands:
                if not shutil.which(command[0]):
                    pytest.skip(f"no {command[0]} here")
            if name == "parking-lot" and not glob.glob(CRATES + "/parking_lot-0.12*"):
                pytest.skip("no librust-parking-lot-dev here")
            # Of the same name as its source: Rust puts it before its own names.
            out = tmp_path_factory.mktemp(name) / "locks"
            for command in commands:
                subprocess.run([str(part).format(out=out) for part in command], check=True)
            built[name] = str(out)
        return built[name]

    return program


def expected_holders(row, scene):
    if not row.on:
        return []
    if row.on == OTHERS:
        return [(scene.pid, None, "may", False)]
    tid = scene.facts[row.on]
    return [(tid if row.elsewhere else scene.pid, tid, "owns", row.uncertain)]


def rows():
    for name, (scenes, _) in PROGRAMS.items():
        for row in scenes:
            yield pytest.param(name, row, id="-".join(filter(None, [name, row.scene,
                                                                    row.argument])))


@pytest.mark.parametrize("name, row", rows())
def test_holder(name, row, program, look):
    with Situation(row.scene, row.argument, program=program(name)) as scene:
        wait = look(scene.pid).thread(scene.pid, scene.tid)["wait"]
        assert wait["kind"] == row.kind, wait
        text = row.text.format(**scene.facts).replace("[", "[[]")
        assert fnmatch.fnmatchcase(wait["text"], text) or fnmatch.fnmatchcase(
            wait["text"], "waits without end for " + text), wait
        found = [(one["pid"], one["tid"], one["sure"], one.get("uncertain", False))
                 for one in wait["on"]]
        assert found == expected_holders(row, scene), wait


def test_one_thread_alone(program, look):
    """A holder that was not asked for is known all the same, and not taken for one that ended."""
    with Situation("mutex", program=program("glibc")) as scene:
        seen = look(scene.pid, "-t", str(scene.tid))
        threads = seen.process(scene.pid)["threads"]
        wait = next(one for one in threads if one["tid"] == scene.tid)["wait"]
        assert "ended" not in wait["text"]
        assert [one["tid"] for one in wait["on"]] == [scene.holder]


def test_stripped_program(program, look, tmp_path):
    """Its owner is known without its name."""
    stripped = tmp_path / "locks"
    subprocess.run(["strip", "-o", stripped, program("glibc")], check=True)
    with Situation("mutex", program=str(stripped)) as scene:
        wait = look(scene.pid).thread(scene.pid, scene.tid)["wait"]
        assert wait["text"] == f"mutex {scene.address}"
        assert [one["tid"] for one in wait["on"]] == [scene.holder]


PYTHON = """
import os, threading
one, other = threading.Lock(), threading.Lock()
both = threading.Barrier(2)
def take(first, second):
    with first:
        both.wait()
        second.acquire()
threads = [threading.Thread(target=take, args=pair, daemon=True)
           for pair in ((one, other), (other, one))]
for thread in threads:
    thread.start()
print(*(thread.native_id for thread in threads), flush=True)
threads[0].join()
"""


def settled(pid, tids):
    """Whether all wait for a futex, and have not run between two readings."""
    def switches():
        return [read_proc(f"/proc/{pid}/task/{tid}/status").partition("voluntary_ctxt")[2]
                for tid in tids]
    before = switches()
    time.sleep(0.05)
    return before == switches() and all(
        read_proc(f"/proc/{pid}/task/{tid}/wchan").startswith("futex") for tid in tids)


@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="no /usr/bin/python3")
def test_python_locks(look, spawn):
    """Two locks of Python's that are taken crosswise: only threads of the process could help."""
    process = spawn(["/usr/bin/python3", "-c", PYTHON], stdout=subprocess.PIPE, text=True)
    tids = [process.pid, *map(int, process.stdout.readline().split())]
    until(lambda: settled(process.pid, tids), "Python's threads to wait")
    seen = look(process.pid)
    for tid in tids:
        wait = seen.thread(process.pid, tid)["wait"]
        assert wait["kind"] in ("semaphore", "futex"), wait
        assert [(one["pid"], one["tid"], one["sure"]) for one in wait["on"]] == [
            (process.pid, None, "may")], wait
