# SPDX-License-Identifier: Apache-2.0
"""The target goes on as if nobody had looked, whatever happens to whystuck."""

import os
import random
import signal
import statistics
import subprocess
import threading
import time

import pytest
from conftest import (SANITIZED, WHYSTUCK, Situation, end_tree, state_of, threads_of, tracer_of,
                      until)

ROUNDS = int(os.environ.get("ROUNDS", "2000"))
WORKERS = 49  # beside the main thread


def assert_unharmed(scene, tids):
    """All threads live, none is stopped or traced, and each one goes on when it is woken."""
    assert threads_of(scene.pid) == tids
    for tid in tids:
        until(lambda tid=tid: state_of(scene.pid, tid) in "SRD" and not tracer_of(scene.pid, tid),
              f"thread {tid} to be let go")
    assert scene.ask()["woken"] == WORKERS
    assert scene.ask()["woken"] == WORKERS


def duration(pid):
    """How long a look takes here, in seconds."""
    times = []
    for _ in range(9):
        began = time.monotonic()
        subprocess.run([WHYSTUCK, str(pid)], stdout=subprocess.DEVNULL, check=True)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def test_killed_at_any_moment():
    """Killed by SIGKILL at random moments from its start to its end, ROUNDS times in all."""
    with Situation("workers", WORKERS) as scene:
        tids = threads_of(scene.pid)
        assert len(tids) == WORKERS + 1
        typical = duration(scene.pid)
        seed = time.time_ns()
        chance = random.Random(seed)
        print(f"seed {seed}, a look takes {typical * 1e3:.1f} ms")
        killed = 0
        for round_ in range(ROUNDS):
            stop = ("--stop=auto", "--stop=always")[round_ % 2]
            viewer = subprocess.Popen([WHYSTUCK, stop, str(scene.pid)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, typical))
            viewer.kill()
            killed += viewer.wait() == -signal.SIGKILL
            if round_ % 100 == 99:
                assert_unharmed(scene, tids)
        assert_unharmed(scene, tids)
        # The moments do cover the look, and do not all come after its end.
        assert killed > ROUNDS / 3, f"only {killed} of {ROUNDS} were killed"


@pytest.mark.parametrize("stop", ["auto", "always", "never"])
def test_looked_at_at_once(stop):
    """Several looks at the same target at the same time: each ends, none harms."""
    with Situation("workers", WORKERS) as scene:
        tids = threads_of(scene.pid)
        viewers = [subprocess.Popen([WHYSTUCK, f"--stop={stop}", str(scene.pid)],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for _ in range(8)]
        try:
            for viewer in viewers:
                assert viewer.wait(timeout=20) in (0, 1)
        finally:
            for viewer in viewers:
                end_tree(viewer)
        assert_unharmed(scene, tids)


def test_signals_are_not_lost(run):
    """Queued signals that come while the target is looked at are all delivered, each once."""
    sent = 0
    with Situation("workers", WORKERS) as scene:
        done = threading.Event()

        def send():
            nonlocal sent
            while not done.is_set():
                os.kill(scene.pid, scene.signal)
                sent += 1
                time.sleep(0.0005)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            for option in ("--stop=auto", "--stop=always") * 20:
                assert run([option, scene.pid]).status in (0, 1)
        finally:
            done.set()
            sender.join()
        assert sent > 100
        until(lambda: scene.ask()["signals"] == sent, f"all {sent} signals to be counted")


@pytest.mark.skipif(SANITIZED, reason="what a look stops is measured on the program itself")
def test_never_interrupts():
    """--stop=never interrupts no system call."""
    with Situation("workers", WORKERS) as scene:
        before = scene.ask()["interruptions"]
        for _ in range(10):
            subprocess.run([WHYSTUCK, "--stop=never", str(scene.pid)], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        assert scene.ask()["interruptions"] == before


def test_terminated(spawn):
    """SIGINT and SIGTERM in the middle of a look leave nothing stopped either."""
    with Situation("workers", WORKERS) as scene:
        tids = threads_of(scene.pid)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) * 10:
            viewer = spawn([WHYSTUCK, "--stop=always", str(scene.pid)],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.004)
            viewer.send_signal(number)
            viewer.wait(timeout=20)
        assert_unharmed(scene, tids)
