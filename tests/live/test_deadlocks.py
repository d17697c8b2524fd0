# SPDX-License-Identifier: Apache-2.0
"""Who waits for whom: deadlocks are found and named, chains lead to the root, and nothing else is
called a deadlock."""

import re
import sys

import pytest

from conftest import Look, until, read_proc, threads_of


def deadlocks(facts):
    return Look(facts.pid).json["deadlocks"]


def ids(deadlock):
    return [member["tid"] for member in deadlock["cycle"]]


def only(found):
    assert len(found) == 1, found
    return found[0]


def waits_by_futex(pid, tid):
    return read_proc(f"/proc/{pid}/task/{tid}/syscall").startswith("202 ")


def test_two_threads_and_two_mutexes(situation):
    with situation("deadlock-pair") as facts:
        found = only(deadlocks(facts))
        assert found["certain"] and found["behind"] == 0
        assert ids(found) == [facts.thread0, facts.thread1]
        assert f"held by thread {facts.thread1}" in found["cycle"][0]["text"]
        assert found["cycle"][0]["text"].startswith("waits for mutex ")


def test_the_text_begins_with_it(situation, run):
    with situation("deadlock-pair") as facts:
        lines = run([facts.pid]).out.splitlines()
        assert lines[0] == \
            f"deadlock: 2 threads of situations (pid {facts.pid}) wait for each other"
        assert re.fullmatch(
            rf"  thread {facts.thread0} waits for mutex .*0x[0-9a-f]+.*, "
            rf"held by thread {facts.thread1}", lines[1])
        chain = f"on       thread {facts.thread1} (holds the mutex)" \
                f" → thread {facts.thread0} (holds the mutex): a deadlock"
        assert any(line.strip() == chain for line in lines), lines


def test_five_philosophers(situation):
    with situation("deadlock-philosophers") as facts:
        found = only(deadlocks(facts))
        assert found["certain"]
        assert ids(found) == [getattr(facts, f"thread{i}") for i in range(5)]


def test_a_thousand_threads_behind_a_pair(situation):
    with situation("deadlock-behind", 998) as facts:
        # two threads and the main one beside those that queue up
        until(lambda: sum(waits_by_futex(facts.pid, tid) for tid in threads_of(facts.pid)) == 1000,
              "all to wait")
        look = Look(facts.pid)
        found = only(look.json["deadlocks"])
        assert found["certain"] and found["behind"] == 998
        assert ids(found) == [facts.thread0, facts.thread1]
        assert look.thread(facts.pid, facts.thread0)["holds_up"] == 999
        behind = [thread for thread in look.process(facts.pid)["threads"]
                  if thread["wait"] and thread["wait"].get("deadlock")]
        assert len(behind) == 1000


def test_a_mutex_that_its_own_thread_has(situation):
    with situation("deadlock-self") as facts:
        found = only(deadlocks(facts))
        assert found["certain"] and ids(found) == [facts.tid]


@pytest.mark.parametrize("name, certain", [
    ("deadlock-shared", True), ("deadlock-flocks", True), ("deadlock-mutex-and-pipe", False)])
def test_across_processes(situation, name, certain):
    with situation(name) as facts:
        for pid in facts.pid, facts.child:  # whichever is asked for
            look = Look(pid)
            found = only(look.json["deadlocks"])
            assert found["certain"] == certain
            assert sorted(member["pid"] for member in found["cycle"]) == \
                sorted([facts.pid, facts.child])
            assert [process["pid"] for process in look.processes] == [pid]


def test_all_threads_of_a_process_asleep_on_each_other(situation):
    with situation("deadlock-all-asleep") as facts:
        found = only(deadlocks(facts))
        assert not found["certain"]
        assert sorted(ids(found)) == sorted([facts.tid, facts.sleeper])


def test_one_thread_alone_is_in_it_all_the_same(situation):
    with situation("deadlock-pair") as facts:
        look = Look([], "-t", facts.thread1)
        assert [thread["tid"] for thread in look.process(facts.pid)["threads"]] == [facts.thread1]
        assert ids(only(look.json["deadlocks"])) == [facts.thread0, facts.thread1]
        assert look.thread(facts.pid, facts.thread1)["wait"]["deadlock"]


def test_a_chain_leads_to_its_root(situation, run):
    with situation("chain") as facts:
        look = Look(facts.pid)
        assert not look.json["deadlocks"]
        wait = look.thread(facts.pid, facts.waiter)["wait"]
        assert [(hop["pid"], hop["tid"]) for hop in wait["chain"]] == \
            [(facts.pid, facts.root), (facts.writer, facts.writer)]
        assert only(wait["on"])["sure"] == "owns"
        assert only(look.thread(facts.pid, facts.root)["wait"]["on"])["sure"] == "may"
        assert look.thread(facts.pid, facts.root)["holds_up"] == 2
        out = run([facts.pid]).out
        assert out.startswith(
            f"3 wait for situations (pid {facts.writer}), which waits for a signal\n"), out
        assert re.search(rf"on +thread {facts.root} \(holds the mutex\) → "
                         rf"situations \(pid {facts.writer}\) \(the other end of the pipe\), "
                         r"which waits for a signal\n", out), out


def test_nothing_of_who_is_waited_for_is_stopped(situation):
    with situation("chain") as facts:
        before = read_proc(f"/proc/{facts.writer}/status")
        Look(facts.pid)
        after = read_proc(f"/proc/{facts.writer}/status")
        switches = re.compile(r"ctxt_switches:\s+\d+")
        assert switches.findall(before) == switches.findall(after)


def test_an_owner_in_another_process_that_has_ended(situation, run):
    with situation("shared-owner-ended") as facts:
        wait = Look(facts.pid).thread(facts.pid)["wait"]
        assert wait["on"] == [] and wait["owner_ended"], wait
        assert re.search(r"on +nobody: its owner has ended", run([facts.pid]).out)


PYTHON = """
import threading
one, other, met = threading.Lock(), threading.Lock(), threading.Barrier(2)
def work(first, second):
    with first:
        met.wait()
        with second:
            pass
threads = [threading.Thread(target=work, args=pair) for pair in ((one, other), (other, one))]
for thread in threads:
    thread.start()
print("ready", flush=True)
for thread in threads:
    thread.join()
"""


def test_a_python_program_whose_threads_wait_for_each_other(spawn):
    process = spawn([sys.executable, "-c", PYTHON], stdout=-1, text=True)
    assert process.stdout.readline() == "ready\n"
    until(lambda: all(waits_by_futex(process.pid, tid) for tid in threads_of(process.pid)),
          "all its threads to wait")
    look = Look(process.pid)
    found = only(look.json["deadlocks"])
    assert not found["certain"]
    assert sorted(ids(found)) == threads_of(process.pid)
    assert len(ids(found)) == 3
