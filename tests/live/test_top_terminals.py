# SPDX-License-Identifier: Apache-2.0
"""The live view in terminals of each size and kind, and how it gives them back, whatever ends it."""

import os
import re
import shutil
import signal
import subprocess

import pytest
from conftest import SANITIZED, SITUATIONS, WHYSTUCK, Situation, until
from terminal import SECONDS, Terminal


@pytest.fixture(name="mutex")
def mutex_fixture():
    with Situation("mutex") as scene:
        yield scene


@pytest.mark.parametrize("width, height", [(20, 10), (300, 60), (1, 1), (2, 3), (80, 4)])
def test_resizing(mutex, width, height):
    with Terminal([mutex.pid]) as terminal:
        terminal.shows("WAITS FOR")
        terminal.resize(width, height)
        if width >= 20:
            terminal.shows("PID", str(mutex.pid), *(["USER", "ON"] if width == 300 else []))
        for key in ("Enter", "w", "?", "q", "c", "q", "/", "x", "Escape", "l", "h", "v", "v", "v"):
            terminal.keys(key)
        terminal.resize(120, 30)
        terminal.shows("WAITS FOR", "KERNEL", "q quit")
        terminal.keys("q")
        terminal.shows("status 0")


def test_20_columns(mutex):
    with Terminal([mutex.pid], width=20, height=10) as terminal:
        terminal.shows("PID", str(mutex.pid), without=["WAITS"])
        terminal.keys("l", "l", "l", "l", "l")
        terminal.shows("WAITS FOR", "mutex", without=["PID"])
        terminal.keys("Enter")
        terminal.shows("thread")
        assert "kernel" not in terminal.text() or "futex_" in terminal.text()
        terminal.keys("Right", "Right")
        terminal.shows("sleeping")


def colors_of(terminal):
    return set(re.findall(r"\033\[[0-9;]*?(3[0-7])[;m]", terminal.text("-e")))


def test_colors():
    screen, vt100 = {"TERM": "screen"}, {"TERM": "vt100"}
    with Situation("running") as scene:
        for arguments, environment, colored in (
                ([], screen, True), ([], {**screen, "NO_COLOR": "1"}, False), ([], vt100, False),
                (["--color=never"], screen, False), (["--color=always"], vt100, False)):
            with Terminal([*arguments, scene.pid], environment=environment) as terminal:
                terminal.shows("runs on CPU")
                terminal.keys("Enter")
                terminal.shows("running on CPU")
                assert bool(colors_of(terminal)) == colored, (arguments, environment)


def test_without_utf8(mutex):
    for locale, arrow in (("C.UTF-8", "→"), ("C", "->"), ("en_NO.UTF-8", "→")):
        with Situation("accept") as scene, \
                Terminal([scene.pid], width=60, environment={"LC_ALL": locale}) as terminal:
            terminal.shows(str(scene.pid))
            text = terminal.text()
            assert ("…" in text) == (arrow == "→"), text
            assert text.isascii() == (arrow == "->")


# ---- ends

SHELL = "PS1='ready$ ' exec bash --norc --noprofile -i"


@pytest.fixture(name="shell")
def shell_fixture():
    """A terminal with a shell, in which whystuck top can be begun, and its modes before."""
    with Terminal(command=SHELL) as terminal:
        terminal.shows("ready$")
        terminal.type("export LC_ALL=C.UTF-8; ulimit -c 0; clear")
        terminal.keys("Enter")
        terminal.shows("ready$", without=["clear"])
        yield terminal


def begin(shell, *arguments):
    """Begins whystuck top; how the terminal was."""
    shell.type("stty -icrnl; stty icrnl; " + " ".join([WHYSTUCK, "top", *map(str, arguments)]))
    shell.keys("Enter")
    shell.shows("WAITS FOR")
    assert shell.is_full_screen


def assert_given_back(shell, *statuses):
    until(lambda: not shell.is_full_screen, "the end of the full screen", SECONDS)
    shell.type("echo ended by $?; stty -a")
    shell.keys("Enter")
    text = shell.shows("ended by", "echoke")
    assert re.search(r"ended by (\d+)\n", text).group(1) in map(str, statuses), text
    words = text.split()
    assert {"icanon", "echo", "isig", "icrnl", "opost", "onlcr"} <= set(words), text
    assert shell.tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"
    assert shell.tmux("display-message", "-p", "#{keypad_flag}").strip() == "0"


CRASHES = [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT,
                                    *CRASHES])
def test_terminal_is_given_back_at_a_signal(mutex, shell, number):
    begin(shell, mutex.pid)
    os.kill(shell.top, number)
    # the sanitizers' own handlers end the program in ways of their own
    assert_given_back(shell, 128 + number, *([1, 66] if SANITIZED and number in CRASHES else []))


@pytest.mark.skipif(SANITIZED, reason="sanitizers need more room than that")
def test_terminal_is_given_back_where_memory_is_exhausted(shell, tmp_path):
    program = shutil.copy(SITUATIONS, tmp_path / "whystuck-grows")
    with Situation("pause", program=program):
        begin(shell, "-d", "0.1", "whystuck-grows")
        subprocess.run(["prlimit", f"--pid={shell.top}", "--as=1"], check=True)
        with Situation("threads", 5000, program=program):
            # what a library makes of it may be a crash as well
            assert_given_back(shell, 2, 128 + signal.SIGSEGV, 128 + signal.SIGABRT)


def test_quitting(mutex, shell):
    begin(shell, mutex.pid)
    shell.keys("q")
    assert_given_back(shell, 0)


def test_control_c(mutex, shell):
    begin(shell, mutex.pid)
    shell.keys("C-c")
    assert_given_back(shell, 128 + signal.SIGINT)


def test_stopping_and_going_on(mutex, shell):
    begin(shell, mutex.pid)
    for _ in range(2):
        shell.keys("C-z")
        shell.shows("Stopped", "ready$")
        assert not shell.is_full_screen
        shell.type("fg")
        shell.keys("Enter")
        shell.shows("WAITS FOR")
        assert shell.is_full_screen
    os.kill(shell.top, signal.SIGSTOP)  # which leaves it no time to tidy up
    shell.shows("Stopped")
    shell.type("fg")
    shell.keys("Enter")
    shell.shows("WAITS FOR", "q quit", without=["Stopped"])
    shell.keys("?")
    shell.shows("one up")
    shell.keys("q", "q")
    assert_given_back(shell, 0)


def test_input_from_elsewhere(mutex, shell):
    """Keys come from the terminal where standard input is none."""
    begin(shell, mutex.pid, "</dev/null")
    shell.keys("q")
    assert_given_back(shell, 0)
