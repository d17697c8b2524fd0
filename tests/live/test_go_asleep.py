# SPDX-License-Identifier: Apache-2.0
"""Goroutines that wait for each other (tests/go/asleep): a deadlock only where nothing else can let
them go on."""

import subprocess

import pytest

from conftest import Look, end_tree, needs_root, until
from go_program import build, needs_go

pytestmark = [needs_root, needs_go]

ASLEEP = ["pipe", "stopped timer", "nil channel"]
AWAKE = ["timer", "sleep", "ticker", "server", "signal", "busy", "input", "thread of C",
         "call of C"]
OF_C = {"nil channel", "thread of C", "call of C"}


@pytest.fixture(name="programs", scope="module")
def programs_fixture(tmp_path_factory):
    return {cgo: build("asleep", tmp_path_factory.mktemp("go"), cgo=cgo) for cgo in (False, True)}


@pytest.fixture(name="asleep")
def asleep_fixture(programs, request):
    """The pid of the program in the mode, and the ids of the two goroutines."""
    mode = request.param
    process = subprocess.Popen([programs[mode in OF_C], mode], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    *goroutines, ready = process.stdout.readline().split()
    assert ready == "ready"
    yield process.pid, sorted(int(goroutine) for goroutine in goroutines)
    end_tree(process)


def parked(pid):
    """A look at which the main goroutine is where it stays."""
    looks = []

    def is_parked():
        looks.append(Look(pid))
        main = looks[-1].process(pid)["goroutines"][0]
        return main["id"] == 1 and main["wait"] and main["status"] in ("waiting", "syscall")

    until(is_parked, "the main goroutine to park")
    return looks[-1]


@pytest.mark.parametrize("asleep", ASLEEP, indirect=True)
def test_all_asleep_is_a_deadlock(asleep):
    pid, goroutines = asleep
    until(lambda: parked(pid).json["deadlocks"], "a deadlock")
    found = parked(pid).json["deadlocks"]
    assert len(found) == 1
    members = [member["goroutine"] for member in found[0]["cycle"]]
    assert set(goroutines) <= set(members) <= {1, *goroutines}
    # No goroutine is known to have what another waits for.
    assert not found[0]["certain"]


@pytest.mark.parametrize("asleep", AWAKE, indirect=True)
def test_what_others_may_end_is_none_that_is_certain(asleep):
    pid, goroutines = asleep
    for _ in range(5):
        for found in parked(pid).json["deadlocks"]:
            members = {member["goroutine"] for member in found["cycle"]}
            assert not found["certain"] and members == set(goroutines)


@pytest.mark.parametrize("asleep", ASLEEP + AWAKE, indirect=True)
def test_each_is_likely_to_have_what_the_other_waits_for(asleep):
    pid, goroutines = asleep
    seen = {one["id"]: one for one in parked(pid).process(pid)["goroutines"]}
    for one, other in (goroutines, reversed(goroutines)):
        wait = seen[one]["wait"]
        assert wait["kind"] == "mutex"
        assert [on["goroutine"] for on in wait["on"]] == [other, None]
        assert [on.get("uncertain", False) for on in wait["on"]] == [True, False]


@pytest.fixture(name="traffic")
def traffic_fixture(tmp_path):
    """The pid of the program, and the addresses of its mutexes."""
    process = subprocess.Popen([build("traffic", tmp_path)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    yield process.pid, process.stdout.readline().split()
    end_tree(process)


def test_in_heavy_traffic_nobody_is_named_who_has_not_got_the_mutex(traffic):
    pid, mutexes = traffic
    named = 0
    for _ in range(40):
        look = Look(pid)
        assert not look.json["deadlocks"]
        seen = {one["id"]: one for one in look.process(pid)["goroutines"]}
        for goroutine in seen.values():
            wait = goroutine["wait"]
            if not wait or wait["kind"] != "mutex":
                continue
            number = next(number for number, address in enumerate(mutexes)
                          if address in wait["text"])
            holders = [on["goroutine"] for on in wait["on"] if on["goroutine"]]
            assert len(holders) <= 1
            for holder in holders:
                functions = [frame["symbol"] for frame in seen[holder]["stack"]]
                assert f"main.inside{number}" in functions, (wait, functions)
                named += 1
    assert named
