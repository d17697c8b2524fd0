# SPDX-License-Identifier: Apache-2.0
"""Goroutines beside the threads that run them: the stripped server of tests/go, and one with cgo.
Whether stacks are what the runtime says they are, tests/go/compare.py shows."""

import pathlib
import re
import sys

import pytest
from conftest import ROOT, functions, needs_root, read_proc, state_of, threads_of, tracer_of

sys.path.insert(0, str(ROOT / "tests/go"))
import compare  # noqa: E402
import toolchains  # noqa: E402


def started(kind, prefix=()):
    try:
        chain = toolchains.system()
    except toolchains.Absent as error:
        pytest.skip(str(error))
    server = compare.Server(chain.build(compare.SERVER, kind), "user", prefix)
    server.by_function = lambda seen, name: [
        one for one in seen.process(server.pid)["goroutines"]
        if name in [frame["symbol"] for frame in one["stack"]]]
    return server


@pytest.fixture(name="server", scope="module")
def server_fixture():
    server = started("stripped")
    yield server
    server.end()


@pytest.fixture(name="native", scope="module")
def native_fixture():
    server = started("cgo")
    yield server
    server.end()


def test_process(look, server):
    seen = look(server.pid)
    process = seen.process(server.pid)
    assert process["runtime"].startswith("go1.")
    ids = [goroutine["id"] for goroutine in process["goroutines"]]
    assert len(ids) == len(set(ids)) > 100
    assert not any(goroutine["system"] for goroutine in process["goroutines"])
    # One gives way all the time: that it can't be read is said, or it can.
    gaps = [goroutine for goroutine in process["goroutines"] if goroutine["gaps"]]
    assert {one["start"]["symbol"] for one in gaps} <= {"main.movingYields"}, seen.err
    assert seen.status == bool(gaps), seen.err


def test_computing(look, server):
    """A loop is taken from its thread every 10 ms; each look shows where it is all the same."""
    for _ in range(10):
        loop, = [one for one in look(server.pid).process(server.pid)["goroutines"]
                 if one["start"]["symbol"] == "main.addMoving.func1.1"]
        assert "main.movingLoop" in [frame["symbol"] for frame in loop["stack"]], loop


def test_runtime_frames(look, server):
    """The runtime's own stand there only when asked for, and nothing else is lost by that."""
    usual = look(server.pid).process(server.pid)["goroutines"]
    everything = look(server.pid, "--runtime-frames").process(server.pid)["goroutines"]
    own = [goroutine for goroutine in everything if goroutine["system"]]
    assert "runtime.forcegchelper" in [goroutine["start"]["symbol"] for goroutine in own]
    assert {one["id"] for one in everything} - {one["id"] for one in own} == \
        {one["id"] for one in usual}


def test_thread_of_a_goroutine(look, server):
    """Kernel, system call and goroutine in one: the thread is known by its id."""
    tid = server.threads["main.callReadLocked"]
    seen = look(server.pid)
    thread = seen.thread(server.pid, tid)
    goroutine, = [one for one in seen.process(server.pid)["goroutines"] if one["tid"] == tid]
    assert thread["goroutine"] == goroutine["id"]
    assert goroutine["status"] == "syscall" and goroutine["locked"]
    assert thread["syscall"]["name"] == "read"
    assert "main.callReadLocked" in functions(thread)
    assert thread["user_stack_end"] == "complete"


@needs_root
def test_kernel_stack_of_a_goroutine(look, server):
    thread = look(server.pid).thread(server.pid, server.threads["main.callReadLocked"])
    assert any("pipe_read" in frame["symbol"] for frame in thread["kernel_stack"])


def test_running(look, server):
    """A loop's registers are its own: the frame that runs stands first."""
    tid = None
    for _ in range(100):  # Go takes it off its thread every 10 ms, and may go on with it on another
        seen = look(server.pid)
        tid = server.by_function(seen, "main.movingLoop")[0]["tid"]
        if tid:
            break
    thread = seen.thread(server.pid, tid)
    names = [name for name in functions(thread) if not name.startswith("runtime.")]
    assert names[0] == "main.movingLoop"
    assert thread["goroutine"]


def test_idle_threads(look, server):
    """Each thread that sleeps runs a goroutine, or says what the scheduler keeps it for."""
    threads = look(server.pid).process(server.pid)["threads"]
    without = [thread for thread in threads
               if thread["goroutine"] is None and thread["state"] == "S"]
    assert any(thread.get("role") for thread in without)
    assert [thread["tid"] for thread in without if not thread.get("role")] == []


def test_one_goroutine(look, server):
    known = server.by_function(look(server.pid), "main.selectSeveral")[0]["id"]
    seen = look(server.pid, f"--goroutine={known}").process(server.pid)
    assert [goroutine["id"] for goroutine in seen["goroutines"]] == [known]
    assert seen["threads"] == []


def test_one_goroutine_and_its_thread(look, server):
    tid = server.threads["main.callReadLocked"]
    known = look(server.pid).thread(server.pid, tid)["goroutine"]
    seen = look(server.pid, f"--goroutine={known}").process(server.pid)
    assert [goroutine["id"] for goroutine in seen["goroutines"]] == [known]
    assert [thread["tid"] for thread in seen["threads"]] == [tid]


def test_goroutine_that_is_not_there(look, server):
    seen = look(server.pid, "--goroutine=999999")
    assert seen.status in (1, 2)
    assert len(seen.messages) == 1


def test_no_goroutines(look, server):
    assert look(server.pid, "--no-goroutines").process(server.pid)["goroutines"] == []


def test_words_of_the_runtime(run, server):
    """The header is the one that people know; three that are alike stand there once."""
    out = run([server.pid]).out
    assert re.search(r"(?m)^goroutine \d+ \[select \(no cases\)\]:$", out)
    assert re.search(r"(?m)^goroutine \d+ \[chan receive \(nil chan\)\]:$", out)
    assert re.search(r"(?m)^goroutine \d+ \[chan receive, locked to thread\]:$", out)
    assert re.search(r"(?m)^3 goroutines \[chan receive\]:.*\n(?:  .*\n)*? .*main\.chanRange", out)


def test_folded(run, server):
    counts = {}
    for line in run(["-f", "folded", server.pid]).out.splitlines():
        stack, _, count = line.rpartition(" ")
        for name in set(stack.split(";")):
            counts[name] = counts.get(name, 0) + int(count)
    assert counts["main.chanRange"] == 3
    assert counts["main.condWait"] == 2


def test_c_and_go_in_one_stack(look, native):
    """C's frames stand inside of the Go function that called it."""
    tid = native.threads["main.cgoBlockedLocked"]
    thread = look(native.pid).thread(native.pid, tid)
    names = functions(thread)
    order = [names.index(name) for name in ("block_in_c", "runtime.cgocall", "main.cgoBlockedLocked")
             if name in names]
    assert len(order) >= 2 and order == sorted(order), names
    assert names.index("block_in_c") < names.index("main.cgoBlockedLocked")
    assert thread["user_stack_end"] == "complete"


def test_callback_from_c(look, native):
    """A goroutine that C called stands on the stacks of both, and is told to its outermost Go."""
    goroutine, = native.by_function(look(native.pid), "main.cgoCallback")
    names = [frame["symbol"] for frame in goroutine["stack"]]
    assert names.index("main.calledBack") < names.index("main.cgoCallback")
    assert goroutine["stack_end"] == "complete"


@needs_root
def test_pid_namespace(look):
    """The runtime knows its threads by their ids in its own namespace."""
    server = started("stripped", ("unshare", "--pid", "--fork", "--kill-child"))
    try:
        child, = read_proc(f"/proc/{server.pid}/task/{server.pid}/children").split()
        inner = {}
        for tid in threads_of(child):
            status = read_proc(f"/proc/{child}/task/{tid}/status")
            inner[int(re.search(r"NSpid:.*\t(\d+)", status)[1])] = tid
        tid = inner[server.threads["main.callReadLocked"]]
        thread = look(child).thread(int(child), tid)
        assert "main.callReadLocked" in functions(thread)
        assert thread["goroutine"]
    finally:
        server.end()


def test_no_harm(look, server):
    """Nothing is left stopped or traced, and the one that computes goes on."""
    for _ in range(20):
        look(server.pid)
    tids = threads_of(server.pid)
    assert not {state_of(server.pid, tid) for tid in tids} & {"T", "t", ""}
    assert {tracer_of(server.pid, tid) for tid in tids} == {0}
    before = pathlib.Path(f"/proc/{server.pid}/stat").read_text().split()[13]
    while pathlib.Path(f"/proc/{server.pid}/stat").read_text().split()[13] == before:
        pass
