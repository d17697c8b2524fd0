# SPDX-License-Identifier: Apache-2.0
"""The options of the command line, and targets in other namespaces and roots."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import (SITUATIONS, Run, Situation, assert_reaches_main, functions, needs_root,
                      read_proc, threads_of, until)


# ---- which threads and processes

def test_thread(look):
    with Situation("threads", 5) as scene:
        tids = threads_of(scene.pid)
        seen = look(scene.pid, "-t", str(tids[2]), f"--thread={tids[4]}")
        assert [thread["tid"] for thread in seen.process(scene.pid)["threads"]] == [
            tids[2], tids[4]]


def test_thread_that_is_not_there(look):
    with Situation("pause") as scene:
        seen = look(scene.pid, "-t", "1")
        assert seen.status in (1, 2)
        assert len(seen.messages) == 1


def test_thread_id_as_target(look):
    """The id of a thread stands for its process."""
    with Situation("threads", 2) as scene:
        seen = look(threads_of(scene.pid)[1])
        assert seen.status == 0
        assert len(seen.process(scene.pid)["threads"]) == 3


def test_state(look):
    with Situation("running") as busy, Situation("pause") as idle:
        seen = look([busy.pid, idle.pid], "-s", "R")
        states = [(process["pid"], [thread["state"] for thread in process["threads"]])
                  for process in seen.processes]
        assert (busy.pid, ["R"]) in states
        assert (idle.pid, ["S"]) not in states
        both = look([busy.pid, idle.pid], "--state=RS")
        assert len(both.processes) == 2


def test_name(look, tmp_path):
    """A name stands for every process that has it."""
    program = shutil.copy(SITUATIONS, tmp_path / "whystuck-target")
    with Situation("pause", program=program) as one, Situation("pause", program=program) as two:
        seen = look("whystuck-target")
        assert seen.status == 0
        assert sorted(process["pid"] for process in seen.processes) == sorted([one.pid, two.pid])


def test_name_of_a_subcommand(tmp_path):
    """`top` is a subcommand; `show top` is the process."""
    program = shutil.copy(SITUATIONS, tmp_path / "top")
    with Situation("pause", program=program) as scene:
        seen = Run(["show", "-f", "json", "top"])
        assert scene.pid in [process["pid"] for process in json.loads(seen.out)["processes"]]


def test_show(run):
    with Situation("pause") as scene:
        seen = run(["show", scene.pid])
        assert seen.status == 0
        assert f"thread {scene.pid}" in seen.out


def test_several(look):
    with Situation("pause") as one, Situation("accept") as two:
        seen = look([one.pid, two.pid, one.pid])
        assert sorted(process["pid"] for process in seen.processes) == sorted([one.pid, two.pid])


@needs_root
def test_all(look):
    with Situation("pause") as scene:
        users = {process["pid"] for process in look([], "-a").processes}
        assert scene.pid in users
        assert os.getpid() in users
        assert 2 not in users or read_proc("/proc/2/comm").strip() != "kthreadd"


@needs_root
def test_many_that_have_slept_for_long_are_as_each_alone(look, spawn):
    """Of so many, those that have slept for a second are looked at together."""
    reader, writer = os.pipe()
    cats = [spawn(["cat"], stdin=reader) for _ in range(150)]
    os.close(reader)
    until(lambda: (look(cats[-1].pid).thread(cats[-1].pid)["blocked_ns"] or 0) > 2e9,
          "the last one to have slept", seconds=60)
    seen = look([], "-a", timeout=60)
    for cat in cats[::30]:
        thread, alone = seen.thread(cat.pid), look(cat.pid).thread(cat.pid)
        for part in ("state", "kernel_stack", "user_stack", "user_stack_end", "syscall", "gaps"):
            assert thread[part] == alone[part]
        assert thread["wait"]["text"] == alone["wait"]["text"]
        assert f"(pid {os.getpid()})" in thread["wait"]["text"]
        assert not thread["stopped_ns"]
    pids = [process["pid"] for process in seen.processes]
    assert pids == sorted(set(pids))
    os.close(writer)


@needs_root
@pytest.mark.skipif(read_proc("/proc/2/comm").strip() != "kthreadd", reason="no kernel threads")
def test_all_with_kernel_threads(look):
    seen = look([], "-a", "-k", timeout=60)
    kthreadd = seen.thread(2)
    assert kthreadd["user_stack"] is None
    assert kthreadd["wait"]["kind"] in ("kernel", "unknown")


# ---- what is shown of them

def test_no_kernel(look):
    with Situation("pause") as scene:
        thread = look(scene.pid, "--no-kernel").thread(scene.pid)
        assert thread["kernel_stack"] is None
        assert_reaches_main(thread)


def test_no_user(look):
    with Situation("pause") as scene:
        thread = look(scene.pid, "--no-user").thread(scene.pid)
        assert thread["user_stack"] is None
        assert thread["user_stack_end"] is None
        assert thread["syscall"]["text"] == "pause()"


def test_lines(look):
    with Situation("pause") as scene:
        frames = look(scene.pid).thread(scene.pid)["user_stack"]
        frame = next(frame for frame in frames if frame["symbol"] == "run_pause")
        assert frame["file"].endswith("processes.c")
        assert "pause();" in pathlib.Path(__file__).resolve().parents[1].joinpath(
            "situations/processes.c").read_text().splitlines()[frame["line"] - 1]
        for frame in look(scene.pid, "--no-lines").thread(scene.pid)["user_stack"]:
            assert frame["file"] is None
            assert frame["line"] is None
            assert not frame["inlined"]


@pytest.mark.parametrize("count", [1, 2, 3, 256, 65536])
def test_max_frames(look, count):
    with Situation("pause") as scene:
        thread = look(scene.pid, "-n", str(count), "--no-lines").thread(scene.pid)
        assert len(thread["user_stack"]) <= count
        assert thread["user_stack_end"] == ("limit" if count <= 3 else "complete")


def test_group(run, look):
    """Identical stacks once, with their count and ids; JSON has every thread by itself."""
    with Situation("threads", 20) as scene:
        tids = threads_of(scene.pid)
        text = run([scene.pid]).out
        assert text.count("rest_thread") == 1
        assert re.search(r"\b20 threads\b", text)
        assert text.index("rest_thread") < text.index("run_threads"), "the larger group first"
        assert str(tids[1]) in text and str(tids[-1]) in text
        assert run([scene.pid, "--no-group"]).out.count("rest_thread") == 20
        assert run([scene.pid, "--group"]).out.count("rest_thread") == 1
        assert len(look(scene.pid, "--group").process(scene.pid)["threads"]) == 21


def test_process_info(look, run):
    with Situation("accept") as scene:
        information = look(scene.pid, "-p").process(scene.pid)["info"]
        assert any(limit["name"] == "Max open files" for limit in information["limits"])
        network = os.stat(f"/proc/{scene.pid}/ns/net").st_ino
        assert {"name": "net", "inode": network} in information["namespaces"]
        assert scene.fd in [one["fd"] for one in information["descriptors"]]
        text = run([scene.pid, "-p"]).out
        assert f"127.0.0.1:{scene.port}" in text
        assert SITUATIONS in text


def test_process_facts(look):
    with Situation("pause") as scene:
        process = look(scene.pid).process(scene.pid)
        assert process["ppid"] == os.getpid()
        assert process["comm"] == "situations"
        assert process["cmdline"] == [SITUATIONS, "pause"]
        assert process["exe"] == os.path.realpath(SITUATIONS)
        assert process["cwd"] == os.getcwd()
        assert process["uid"] == os.geteuid()
        thread = process["threads"][0]
        assert thread["wchan"]
        assert 0 <= thread["blocked_ns"] < 60e9
        assert thread["kernel_stack"][-1]["symbol"]


def test_folded(run):
    """One line a stack, the outermost frame first, with a count: what flame graphs are made of."""
    with Situation("threads", 4) as scene:
        lines = run(["-f", "folded", scene.pid]).out.splitlines()
        assert len(lines) == 2
        counts = {}
        for line in lines:
            stack, _, count = line.rpartition(" ")
            counts[int(count)] = stack.split(";")
        assert set(counts) == {1, 4}
        assert counts[4].index("start_thread") < counts[4].index("rest_thread")
        assert counts[1].index("main") < counts[1].index("run_threads")


def test_color(run):
    with Situation("pause") as scene:
        assert "\x1b[" not in run([scene.pid]).out
        assert "\x1b[" in run([scene.pid, "--color=always"]).out
        assert "\x1b[" not in run([scene.pid, "--color=never"]).out


def test_help_and_version(run):
    for option in ("-h", "--help"):
        seen = run([option])
        assert seen.status == 0
        assert "--max-frames" in seen.out
        assert seen.err == ""
    for option in ("-V", "--version"):
        seen = run([option])
        assert seen.status == 0
        assert re.fullmatch(r"whystuck \d+\.\d+\.\d+\n", seen.out)


# ---- other worlds

@needs_root
def test_chroot(look, tmp_path):
    """In a root of its own, with a program that has no such path here."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(SITUATIONS, root / "program")
    libraries = subprocess.run(["ldd", SITUATIONS], capture_output=True, text=True, check=True)
    for path in re.findall(r"(/\S+)", libraries.stdout):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    with Situation("pause", program="/program", prefix=("chroot", str(root))) as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert_reaches_main(thread)
        assert "run_pause" in functions(thread)


@needs_root
@pytest.mark.usefixtures("mount_namespace")
def test_mount_namespace(look, tmp_path):
    """A program that only a mount of the target's own makes visible."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    script = ('mount -t tmpfs none "$0" && cp "$1" "$0/program" && shift && exec "$0/program" "$@"')
    with Situation("pause", prefix=("unshare", "-m", "sh", "-c", script, str(folder))) as scene:
        assert not (folder / "program").exists()
        thread = look(scene.pid).thread(scene.pid)
        assert_reaches_main(thread)
        assert "run_pause" in functions(thread)


@needs_root
def test_pid_namespace(look, spawn):
    """As in a container, where the process has another id of its own."""
    container = spawn(["unshare", "-p", "-f", "--mount-proc", SITUATIONS, "wait4"],
                      stdout=subprocess.PIPE, text=True)
    if not container.stdout.readline():
        pytest.skip("unshare -p is refused")
    pid = int(read_proc(f"/proc/{container.pid}/task/{container.pid}/children").split()[0])
    until(lambda: read_proc(f"/proc/{pid}/syscall").startswith("61 "), "wait4()")
    seen = look(pid, "-p")
    thread = seen.thread(pid)
    assert_reaches_main(thread)
    assert thread["syscall"]["name"] == "wait4"
    assert seen.process(pid)["info"]["namespace_pid"] == 1
    child = int(read_proc(f"/proc/{pid}/task/{pid}/children").split()[0])
    # The call has the child's id in the container; on whom it waits is named by ours, if at all.
    assert all(one["pid"] == child for one in thread["wait"]["on"])
