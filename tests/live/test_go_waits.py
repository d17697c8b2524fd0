# SPDX-License-Identifier: Apache-2.0
"""What goroutines wait for, against a program that says so itself (tests/go/waits)."""

import json
import os
import re
import subprocess

import pytest

from conftest import ROOT, end_tree, needs_root
from go_program import build, needs_go

KINDS = {"plain": [], "stripped": ["-buildmode=pie", "-ldflags=-s -w"]}

pytestmark = [needs_root, needs_go]


@pytest.fixture(name="said", scope="module", params=list(KINDS))
def said_fixture(request, tmp_path_factory):
    """The running program, what it said of its goroutines, and how it was built."""
    program = build("waits", tmp_path_factory.mktemp("go"), *KINDS[request.param])
    process = subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        # Since Go 1.24 a listener is one of MPTCP, where the kernel has that.
        env={**os.environ, "GODEBUG": "multipathtcp=0"})
    facts = []
    for line in process.stdout:
        if not line.strip():
            break
        facts.append(json.loads(line))
    yield process.pid, facts, request.param
    end_tree(process)


def goroutines(look, pid):
    return {one["id"]: one for one in look(pid).process(pid)["goroutines"]}


def expected(fact, kind):
    """A stripped program has no names of variables."""
    if kind == "stripped":
        return re.sub(r"main\.\w+ \((0x[0-9a-f]+), ", r"\1 (", fact["text"])
    return fact["text"]


def test_each_goroutine_waits_for_what_it_says(look, said):
    pid, facts, kind = said
    seen = goroutines(look, pid)
    assert len(facts) >= 30
    for fact in facts:
        wait, text = seen[fact["id"]]["wait"], expected(fact, kind)
        assert wait, f"{fact['name']}: {text}"
        assert wait["kind"] == fact["kind"], fact["name"]
        if text[-1] in " (":
            assert wait["text"].startswith(text), fact["name"]
        else:
            assert wait["text"] == text, fact["name"]


def test_goroutines_that_may_end_a_wait_are_named(look, said):
    pid, facts, _ = said
    seen = goroutines(look, pid)
    told = [fact for fact in facts if fact["on"] is not None]
    assert len(told) >= 12
    for fact in told:
        holders = seen[fact["id"]]["wait"]["on"]
        named = {str(one["goroutine"]): one["text"] for one in holders if one["goroutine"]}
        assert named == fact["on"], fact["name"]
        for one in holders:
            assert one["pid"] == pid and one["sure"] == "may", fact["name"]
        assert [one["text"] for one in holders if not one["goroutine"]] == [
            "any other goroutine of its process"], fact["name"]


def test_kinds_are_documented(said):
    documented = (ROOT / "docs/waits.md").read_text()
    for fact in said[1]:
        assert f"| `{fact['kind']}` |" in documented


def test_goroutine_in_a_syscall_waits_for_what_its_thread_does(look, said):
    pid = said[0]
    seen = look(pid).process(pid)
    main = next(one for one in seen["goroutines"] if one["id"] == 1)
    thread = next(one for one in seen["threads"] if one["tid"] == main["tid"])
    assert main["status"] == "syscall"
    assert main["wait"] == thread["wait"]
    assert main["wait"]["kind"] == "pipe-read"


def test_peers_of_descriptors_are_named(look, said):
    pid, facts, _ = said
    seen = goroutines(look, pid)
    reader = next(fact["id"] for fact in facts if fact["name"] == "read")
    assert {one["pid"] for one in seen[reader]["wait"]["on"]} == {pid}


def test_sentences_stand_in_the_text(run, said):
    pid, facts, _ = said
    out = run([pid]).out
    fact = next(fact for fact in facts if fact["name"] == "wait group")
    assert f"waits for {fact['text']}" in out
    assert "waits for a value from a nil channel: for ever" in out
    assert re.search(r"sleeps until (\d+-\d+-\d+ )?\d+:\d+:\d+, 5\d min \d+ s left", out)
