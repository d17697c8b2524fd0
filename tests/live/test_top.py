# SPDX-License-Identifier: Apache-2.0
"""The live view, driven by keys in a terminal: the table, its pages, what becomes of targets."""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

import pytest
from conftest import (SANITIZED, VALIDATOR, Situation, descendants, needs_root, read_proc,
                      threads_of, until)
from terminal import SECONDS, Terminal


@pytest.fixture(name="mutex")
def mutex_fixture():
    with Situation("mutex") as scene:
        yield scene


READER = "import sys, time; sys.stdin.readline(); time.sleep(1000)"


@pytest.fixture(name="reader")
def reader_fixture(spawn):
    """Reads from a pipe of ours, and sleeps when it has got a line."""
    process = spawn([sys.executable, "-c", READER], stdin=subprocess.PIPE)
    until(lambda: read_proc(f"/proc/{process.pid}/syscall").startswith("0 "), "the reader to read")
    return process


# ---- what is refused

def test_without_a_terminal(run):
    seen = run(["top"])
    assert seen.status == 2
    assert len(seen.messages) == 1 and "terminal" in seen.messages[0]
    assert not seen.out


def test_without_such_a_target():
    with Terminal(["no-process-has-that-name"]) as terminal:
        terminal.shows("no process has that name", "status 2")


@pytest.mark.parametrize("arguments, words", [
    (["-d", "0.01"], "seconds from 0.1 to 3600"),
    (["-d", "soon"], "seconds from 0.1 to 3600"),
    (["-c", "pid,colour"], "'colour'"),
    (["-c", ""], "no column"),
    (["--format=json"], "unknown or ambiguous option"),
])
def test_wrong_options(run, arguments, words):
    seen = run(["top", *arguments])
    assert seen.status == 2
    assert len(seen.messages) == 1 and words in seen.messages[0]


def test_help(run):
    seen = run(["top", "--help"])
    assert seen.status == 0 and not seen.err
    assert "--columns" in seen.out and "syscall" in seen.out
    assert max(map(len, seen.out.splitlines())) <= 80


@pytest.mark.parametrize("kind", ["dumb", "no-such-terminal"])
def test_terminals_that_cannot_place_text(mutex, kind):
    with Terminal([mutex.pid], environment={"TERM": kind}) as terminal:
        terminal.shows(f"TERM={kind}", "status 2")
        assert not terminal.is_full_screen


# ---- the table and its keys

def test_threads(mutex):
    with Terminal([mutex.pid], width=160) as terminal:
        terminal.shows("WAITS FOR", f"{mutex.pid}", "mutex", "futex", "each 1 s")
        line = terminal.row(mutex.tid)
        assert re.search(r"\bS +\d.* mutex .* futex +futex_", line), line
        terminal.keys("q")
        terminal.shows("status 0")


def test_whole_machine():
    with Situation("pause") as scene, Terminal(["-d", "0.2"]) as terminal:
        terminal.shows("COMMAND", "S ")
        terminal.keys("/")
        terminal.type(str(scene.pid))
        terminal.keys("Enter")
        terminal.shows("1 thread: 1 resting", str(scene.pid))


def test_moving():
    with Situation("threads", 40) as scene, Terminal([scene.pid], height=15) as terminal:
        terminal.shows("41 threads")
        tids = threads_of(scene.pid)
        terminal.keys("o", "j", "j")
        terminal.keys("Enter")
        terminal.shows(str(tids[0]))

        def selected():
            lines = terminal.selected()
            return int(lines[0].split()[1]) if len(lines) == 1 else lines

        def lands(*keys, at):
            terminal.keys(*keys)
            until(lambda: selected() == at, f"{keys} to select {at}", SECONDS)

        lands("Home", at=tids[0])
        lands("Down", at=tids[1])
        lands("j", at=tids[2])
        lands("k", at=tids[1])
        lands("Up", at=tids[0])
        lands("PageDown", at=tids[12])
        lands("C-f", at=tids[24])
        lands("C-b", at=tids[12])
        lands("PageUp", at=tids[0])
        lands("End", at=tids[40])
        lands("Home", at=tids[0])
        lands("G", at=tids[40])


def test_stack_is_joined_and_live(reader):
    with Terminal([reader.pid]) as terminal:
        terminal.shows(str(reader.pid))
        terminal.keys("Enter")
        text = terminal.shows("waits for data", "syscall  read(0<pipe:", "kernel", "user")
        lines = [line.split()[0] for line in text.splitlines() if line.strip()]
        assert lines.index("kernel") < lines.index("syscall") < lines.index("user")
        reader.stdin.write(b"\n")
        reader.stdin.flush()
        terminal.shows("clock_nanosleep(", without=["read(0"])
        terminal.keys("q")
        terminal.shows("COMMAND")


def test_what_changed_is_marked(reader):
    with Terminal([reader.pid]) as terminal:
        terminal.shows(str(reader.pid))
        assert terminal.row(reader.pid)[0] == " "
        reader.stdin.write(b"\n")
        reader.stdin.flush()
        terminal.shows("*  ")
        assert terminal.row(reader.pid)[0] == "*" and "sleeps" in terminal.row(reader.pid)
        until(lambda: terminal.row(reader.pid)[0] == " ", "it to be as at the look before", SECONDS)


def test_new_threads_are_marked(spawn, tmp_path):
    program = shutil.copy("/bin/sleep", tmp_path / "some-sleep")
    first = spawn([program, "1000"])
    with Terminal(["some-sleep"]) as terminal:
        terminal.shows(str(first.pid))
        process = spawn([program, "1000"])
        terminal.shows(str(process.pid))
        assert terminal.row(process.pid)[0] == "+" and terminal.row(first.pid)[0] == " "
        until(lambda: terminal.row(process.pid)[0] == " ", "it to be no longer new", SECONDS)


def test_who_waits_on_whom(spawn):
    """Both ways along a pipe: its reader, and on whom that waits."""
    shell = spawn(["sh", "-c", "sleep 1000 | cat"])
    ends = {}

    def are_there():
        ends.update({read_proc(f"/proc/{pid}/comm").strip(): pid for pid in descendants(shell.pid)})
        return {"cat", "sleep"} <= set(ends)

    until(are_there, "both ends")
    cat, sleep = ends["cat"], ends["sleep"]
    with Terminal([cat, sleep], width=200) as terminal:
        terminal.shows(f"sleep (pid {sleep})")
        terminal.keys("o", "j")
        terminal.keys("Enter")
        terminal.keys("/")
        terminal.type(str(cat))
        terminal.keys("Enter")
        terminal.shows("1 thread:")
        terminal.keys("w")
        terminal.shows("waits for data", f"sleep (pid {sleep})", "sleeps")
        terminal.keys("Escape")
        terminal.keys("a")
        terminal.keys("/")
        terminal.type(str(sleep))
        terminal.keys("Enter", "End", "w")
        terminal.shows("on it wait", f"thread {cat}")


def test_deadlock():
    with Situation("deadlock-behind") as scene, Terminal([scene.pid], width=160) as terminal:
        text = terminal.shows("deadlocked")
        assert re.match(r"\d+ threads: [1-9]\d* deadlocked", text), text
        terminal.keys("w")
        terminal.shows("a ring", "deadlock: 2 threads", "wait for each other")


def test_goroutines():
    from test_go import started
    server = started("stripped")
    try:
        with Terminal([server.pid], width=100) as terminal:
            terminal.shows("COMMAND", str(server.pid))
            terminal.keys("g")
            terminal.shows("goroutines:", "chan receive", "goroutine")
    finally:
        server.end()


def test_no_goroutines(mutex):
    with Terminal([mutex.pid]) as terminal:
        terminal.shows("COMMAND", "mutex")
        terminal.keys("g")
        terminal.shows("no goroutines")


def test_views():
    with Situation("threads", 7) as scene, Terminal([scene.pid]) as terminal:
        terminal.shows("8 threads", "TID")
        terminal.keys("v")
        terminal.shows("THREADS", without=["TID"])
        assert re.match(rf" +{scene.pid} +8 ", terminal.row(scene.pid))
        terminal.keys("Tab")
        until(lambda: re.search(rf"{scene.pid} +7 ", terminal.text()), "those with the same stack")
        terminal.keys("Enter")
        terminal.shows("7 threads")
        terminal.keys("Escape", "1")
        terminal.shows("TID")
        terminal.keys("2")
        terminal.shows("THREADS")
        terminal.keys("3")
        until(lambda: re.search(rf"{scene.pid} +7 ", terminal.text()), "those with the same stack")
        terminal.keys("3", "2", "Enter")
        terminal.shows("7 threads (ids")


def test_filters(mutex):
    with Situation("running") as busy, Terminal([mutex.pid, busy.pid]) as terminal:
        terminal.shows(str(mutex.pid), str(busy.pid))
        terminal.keys("/")
        terminal.type("MUTEX")
        terminal.shows("only rows with: MUTEX", "mutex", without=[str(busy.pid)])
        terminal.keys("Enter")
        terminal.shows('with "MUTEX"')
        terminal.keys("a")
        terminal.shows(str(busy.pid))
        terminal.keys("S")
        terminal.type("R")
        terminal.keys("Enter")
        terminal.shows("in state R", str(busy.pid), without=[f"{mutex.pid} "])
        terminal.keys("a", "u")
        terminal.type("65533")
        terminal.keys("Enter")
        terminal.shows("no thread is like that", "of user 65533")
        terminal.keys("u")
        terminal.type("root" if os.geteuid() == 0 else str(os.geteuid()))
        terminal.keys("Enter")
        terminal.shows(str(busy.pid), str(mutex.pid))


def test_resting_are_hidden():
    with Situation("pause") as scene, Situation("mutex") as other, \
            Terminal([scene.pid, other.pid]) as terminal:
        terminal.shows(str(scene.pid), str(other.pid))
        terminal.keys("i")
        terminal.shows("resting hidden", without=[f"{scene.pid} "])
        terminal.keys("i")
        terminal.shows(str(scene.pid))


def test_order_and_columns():
    with Situation("threads", 3) as scene, Terminal([scene.pid]) as terminal:
        terminal.shows("4 threads")
        tids = threads_of(scene.pid)

        def order():
            return [int(line[:20].split()[1]) for line in terminal.lines()[2:6]]

        terminal.keys(">", ">")
        terminal.shows("ordered by tid", "TIDv")
        until(lambda: order() == tids, "the order by id", SECONDS)
        terminal.keys("r")
        terminal.shows("TID^")
        until(lambda: order() == tids[::-1], "the order reversed", SECONDS)
        terminal.keys("<", "<")
        terminal.shows("ordered by what hurts most")
        terminal.keys("o")
        terminal.shows("Enter sorts by it", "* hurts")
        terminal.keys("Escape")
        terminal.shows("KERNEL")
        terminal.keys("c")
        terminal.shows("* pid", "  uid")
        terminal.keys("Space")
        terminal.shows("  pid", without=["* pid"])
        terminal.keys("q")
        terminal.shows("TID", without=["PID"])


def test_columns_of_the_command_line(mutex):
    with Terminal(["-c", "wait,uid,pid", mutex.pid]) as terminal:
        assert terminal.shows("WAITS FOR").splitlines()[1].split() == ["WAITS", "FOR", "UID", "PID"]
        terminal.keys("l")
        terminal.shows("UID", without=["WAITS"])
        terminal.keys("Right")
        terminal.shows("PID", without=["UID"])
        terminal.keys("h", "Left")
        terminal.shows("WAITS FOR")


def test_freezing(spawn):
    process = spawn(["sleep", "1000"])
    with Terminal(["-d", "0.2", process.pid]) as terminal:
        terminal.shows(str(process.pid))
        terminal.keys("f")
        terminal.shows("frozen")
        process.kill()
        process.wait()
        before = terminal.text()
        terminal.keys("Enter")
        terminal.shows("kernel")
        terminal.keys("q")
        terminal.shows("frozen", "COMMAND")
        assert terminal.text() == before
        terminal.keys("f")
        terminal.shows("nothing to show", without=["frozen"])


def test_saving(mutex, tmp_path):
    with Terminal([mutex.pid], cwd=tmp_path) as terminal:
        terminal.shows(str(mutex.pid))
        terminal.keys("f", "s")
        terminal.shows("saved as whystuck-")
        terminal.keys("s")
        terminal.shows("-2.json")
        files = sorted(tmp_path.iterdir())
        assert len(files) == 2
        for file in files:
            saved = json.loads(file.read_text())
            VALIDATOR.validate(saved)
            assert saved["processes"][0]["pid"] == mutex.pid
            assert saved["processes"][0]["threads"][0]["user_stack"]
        assert files[0].stat().st_mode & 0o777 == 0o600


def test_saving_where_nothing_can_be_written(mutex):
    with Terminal([mutex.pid], cwd="/proc/self") as terminal:
        terminal.shows(str(mutex.pid))
        terminal.keys("s")
        terminal.shows("not saved: whystuck-")


def test_keys_are_told(mutex):
    with Terminal([mutex.pid], height=60) as terminal:
        terminal.shows("mutex")
        terminal.keys("?")
        terminal.shows("save the look as JSON", "by the column to the right", "each the longest first")
        terminal.keys("q")
        terminal.shows("WAITS FOR")


def test_interval(mutex):
    with Terminal([mutex.pid]) as terminal:
        terminal.shows("each 1 s")
        terminal.keys("d", "C-u")
        terminal.type("3600")
        terminal.keys("Enter")
        terminal.shows("each 3600 s")
        clock = re.search(r"\d\d:\d\d:\d\d", terminal.text()).group()
        until(lambda: time.strftime("%H:%M:%S") != clock, "the next second")
        terminal.keys("Space")  # looks at once
        terminal.shows("each 3600 s", without=[clock])


def test_drawing_anew(mutex):
    with Terminal([mutex.pid, "-d", "3600"]) as terminal:
        terminal.shows("WAITS FOR", "mutex")
        name = terminal.tmux("display-message", "-p", "#{pane_tty}").strip()
        pathlib.Path(name).write_text("\033[Hscribble from elsewhere")
        terminal.shows("scribble")
        terminal.keys("C-l")
        terminal.shows("WAITS FOR", without=["scribble"])


# ---- what happens to targets

def test_target_that_ends_and_comes_again(spawn, tmp_path):
    program = shutil.copy("/bin/sleep", tmp_path / "comes-and-goes")
    process = spawn([program, "1000"])
    with Terminal(["-d", "0.2", "comes-and-goes"], cwd=tmp_path) as terminal:
        terminal.shows(str(process.pid))
        terminal.keys("Enter")
        terminal.shows("kernel")
        process.kill()
        process.wait()
        terminal.shows("has ended", "kernel")
        terminal.keys("q")
        terminal.shows("nothing to show", "comes-and-goes: no process has that name",
                       without=[f"{process.pid} "])
        terminal.keys("Enter", "w", "g", "s", "j", "G", "v")  # on nobody
        again = spawn([program, "1000"])
        terminal.shows(str(again.pid), without=["nothing to show"])


def test_hostile_names():
    with Situation("comm-escapes") as scene, Terminal([scene.pid]) as terminal:
        terminal.shows(str(scene.pid), "\\x1b[31m")
        terminal.keys("v")
        terminal.shows("THREADS", "\\x1b[31m")
        terminal.keys("1", "Enter")
        terminal.shows('"\\x1b[31m\\n"\\\\\\xff\\t"')
        terminal.keys("w")
        terminal.shows("\\x1b[31m")


@needs_root
def test_5000_threads_do_not_slow_down_keys():
    with Situation("threads", 5000) as scene, Terminal(["-d", "0.1", scene.pid]) as terminal:
        terminal.shows("5001 threads")
        delays = []
        for _ in range(7):
            for key, word in (("?", "one up"), ("q", "WAITS FOR")):
                begin = time.monotonic()
                terminal.keys(key)
                while word not in terminal.text():
                    assert time.monotonic() < begin + SECONDS
                delays.append(time.monotonic() - begin)
        if not SANITIZED:
            # by the best quarter, since to ask tmux takes longer than that where others are busy
            assert statistics.quantiles(delays)[0] < 0.1, delays
        terminal.keys("/")
        terminal.type(str(threads_of(scene.pid)[4321]))
        terminal.shows("1 thread:")
        terminal.keys("Escape", "3")
        until(lambda: re.search(rf"{scene.pid} +5000 ", terminal.text()), "one row", SECONDS)


@needs_root
@pytest.mark.skipif(SANITIZED, reason="sanitizers take time of their own")
def test_cost():
    """Less than 2 % of a core with 1,000 blocked threads, at a look a second."""
    with Situation("threads", 1000) as scene, Terminal([scene.pid], height=60) as terminal:
        terminal.shows("1001 threads")
        tasks = f"/proc/{terminal.top}/task"

        def spent():
            return sum(int(read_proc(f"{tasks}/{tid}/schedstat").split()[0])
                       for tid in os.listdir(tasks)) / 1e9

        def clock():
            return re.search(r"\d\d:\d\d:\d\d", terminal.text()).group()

        first = clock()
        until(lambda: clock() != first, "the second look")
        begin, used = time.monotonic(), spent()
        seen = {clock()}
        until(lambda: seen.add(clock()) or len(seen) == 6, "five more looks", 30)
        assert spent() - used < 0.02 * (time.monotonic() - begin)
