# SPDX-License-Identifier: Apache-2.0
"""Targets that are not there, not to be looked at, or out to mislead; and output that fails."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import threading
import time

import pytest
from conftest import (LOOK_SECONDS, SANITIZED, SITUATIONS, WHYSTUCK, Situation, assert_reaches_main,
                      functions, needs_root, read_proc, state_of, threads_of, tracer_of, until)

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def assert_one_message(run, *words):
    assert len(run.messages) == 1, run.err
    assert run.messages[0].startswith("whystuck: "), run.err
    for word in words:
        assert word in run.messages[0], run.err


def unused_pid():
    """The id of a process that has just ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


# ---- nobody there

@pytest.mark.parametrize("format_", ["text", "json", "folded"])
def test_no_such_pid(run, format_):
    pid = unused_pid()
    seen = run(["-f", format_, pid])
    assert seen.status == 2
    assert_one_message(seen, str(pid))


def test_no_such_name(run):
    seen = run(["no-such-process"])
    assert seen.status == 2
    assert seen.out == ""
    assert_one_message(seen, "no-such-process")


@pytest.mark.parametrize("target", ["0", "-1", "99999999999999999999", "4194305", "1x", ""])
def test_no_pid_at_all(run, target):
    seen = run(["--", target])
    assert seen.status == 2
    assert seen.out == ""
    assert_one_message(seen)


def test_one_of_two(look):
    """What is there is shown, what is not is said."""
    with Situation("pause") as scene:
        seen = look([unused_pid(), scene.pid])
        assert seen.status == 1
        assert [process["pid"] for process in seen.processes] == [scene.pid]
        assert_one_message(seen)


@pytest.mark.parametrize("options", [
    ["--no-such-option", "1"], [], ["-f", "xml", "1"], ["-n", "0", "1"], ["-n", "many", "1"],
    ["-t", "x", "1"], ["--stop=sometimes", "1"], ["--color=blue", "1"], ["-s", "q", "1"]])
def test_usage(run, options):
    seen = run(options)
    assert seen.status == 2
    assert seen.out == ""
    assert_one_message(seen)


# ---- ends during the look

def test_ending_processes(look):
    """Processes that end at any moment of a look: shown, or said to have ended."""
    for round_ in range(150):
        child = subprocess.Popen(["sleep", f"{round_ % 15 / 1000}"])
        try:
            seen = look(child.pid)
            assert seen.status in (0, 1, 2)
            if seen.status == 2:
                assert_one_message(seen, str(child.pid))
        finally:
            child.wait()


def test_killed_during_the_look(look):
    """A process of many threads that is killed while it is looked at."""
    for round_ in range(20):
        with Situation("threads", 100) as scene:
            timer = threading.Timer(round_ / 1000, scene.process.kill)
            timer.start()
            seen = look(scene.pid)
            timer.join()
            assert seen.status in (0, 1, 2)
            if seen.status:
                assert seen.messages


def test_ending_threads(look):
    """Threads that come and go: no thread is made up, the main one is always there."""
    with Situation("thread-storm") as scene:
        for _ in range(50):
            seen = look(scene.pid)
            assert seen.status in (0, 1)
            assert seen.process(scene.pid)["threads"][0]["tid"] == scene.pid
        assert scene.process.poll() is None
        assert not tracer_of(scene.pid)


# ---- nothing to see

def test_zombie(look):
    with Situation("zombie") as scene:
        seen = look(scene.pid)
        thread = seen.thread(scene.pid)
        assert thread["state"] == "Z"
        assert thread["wait"]["kind"] == "zombie"
        assert thread["user_stack"] is None
        assert str(scene.parent) in thread["wait"]["text"]


def test_zombie_leader(look):
    """The main thread has ended; the others are shown all the same."""
    with Situation("zombie-leader") as scene:
        seen = look(scene.pid)
        assert seen.thread(scene.pid)["state"] == "Z"
        thread = seen.thread(scene.pid, scene.tid)
        assert thread["syscall"]["name"] == "pause"
        assert "outlive_main" in functions(thread)


def kernel_thread():
    for entry in os.listdir("/proc"):
        if entry.isdigit() and not os.path.exists(f"/proc/{entry}/exe"):
            fields = read_proc(f"/proc/{entry}/stat").rpartition(")")[2].split()
            if fields and int(fields[6]) & 0x00200000:  # PF_KTHREAD, include/linux/sched.h
                return int(entry)
    return None


@needs_root
def test_kernel_thread(look):
    pid = kernel_thread()
    if not pid:
        pytest.skip("no kernel threads in this pid namespace")
    thread = look(pid).thread(pid)
    assert thread["user_stack"] is None
    assert thread["syscall"] is None
    assert thread["kernel_stack"]
    assert thread["gaps"] == []


# ---- not permitted

def readable_program(tmp_path):
    """Programs where nobody can reach them, in a folder that is open to all."""
    folder = pathlib.Path("/tmp") / f"whystuck-{os.getpid()}-{tmp_path.name}"
    folder.mkdir(mode=0o755)
    for program in (SITUATIONS, WHYSTUCK):
        shutil.copy(program, folder)
    return folder


@pytest.fixture(name="open_folder")
def open_folder_fixture(tmp_path):
    folder = readable_program(tmp_path)
    yield folder
    shutil.rmtree(folder)


def look_as_nobody(folder, *arguments):
    result = subprocess.run([*AS_NOBODY, folder / pathlib.Path(WHYSTUCK).name, "-f", "json",
                             *map(str, arguments)],
                            capture_output=True, timeout=20, check=False, cwd="/")
    return result, json.loads(result.stdout) if result.stdout else None


@needs_root
def test_not_permitted(open_folder):
    """Nobody looks at root's process: what is open to all is shown, with what would be needed."""
    with Situation("pause") as scene:
        result, seen = look_as_nobody(open_folder, scene.pid)
        assert result.returncode in (1, 2)
        process = seen["processes"][0]
        assert process["comm"] == "situations"
        thread = process["threads"][0]
        assert thread["state"] == "S"
        assert thread["user_stack"] is None
        reasons = [gap["reason"] for gap in thread["gaps"] + process["gaps"]]
        assert any("CAP_SYS_PTRACE" in reason or "sudo" in reason for reason in reasons), reasons
        assert result.stderr.decode().count("\n") <= 4, result.stderr


@needs_root
def test_own_process_of_nobody(open_folder):
    """Nobody looks at a process of its own: the user side is whole, the kernel's is not."""
    program = str(open_folder / pathlib.Path(SITUATIONS).name)
    with Situation("pause", program=program, prefix=AS_NOBODY, cwd="/") as scene:
        result, seen = look_as_nobody(open_folder, scene.pid)
        thread = seen["processes"][0]["threads"][0]
        assert_reaches_main(thread)
        assert thread["syscall"]["text"] == "pause()"
        assert thread["kernel_stack"] is None
        assert any(gap["stage"] == "kernel_stack" and "CAP_SYS_ADMIN" in gap["reason"]
                   for gap in thread["gaps"]), thread["gaps"]
        assert result.returncode == 1


@needs_root
@pytest.mark.usefixtures("mount_namespace")
def test_hidepid(open_folder):
    """/proc hides other users' processes: one line says so."""
    with Situation("pause") as scene:
        # A process hidden from nobody, by a mount that only this command sees.
        script = ("mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534"
                  f" --regid=65534 --clear-groups {open_folder}/whystuck {scene.pid}")
        result = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True,
                                text=True, timeout=20, check=False, cwd="/")
        if "mount:" in result.stderr:
            pytest.skip(result.stderr)
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1, result.stderr
        assert "hidepid" in result.stderr


# ---- traced, stopped, uninterruptible

def test_uninterruptible(look):
    """State D: nothing hangs, and the process goes on as before."""
    with Situation("vfork") as scene:
        began = time.monotonic()
        thread = look(scene.pid).thread(scene.pid)
        assert time.monotonic() - began < 5
        assert thread["state"] == "D"
        assert state_of(scene.pid) == "D"
        assert not tracer_of(scene.pid)


@needs_root
def test_hung_file_system(look, tmp_path):
    """A file on a file system that answers nothing: naming it must not ask that file system."""
    with Situation("fuse-fsync", tmp_path) as scene:
        seen = look(scene.pid, "-p")
        thread = seen.thread(scene.pid)
        assert thread["syscall"]["name"] == "fsync"
        assert scene.path in thread["syscall"]["text"]


def read_to_end(stream, seconds):
    """All that a stream gives until it ends; None where it does not end in time."""
    read = []
    thread = threading.Thread(target=lambda: read.append(stream.read()), daemon=True)
    thread.start()
    thread.join(seconds)
    return read[0] if read else None


@needs_root
def test_program_that_is_not_answered_for(tmp_path, spawn, without_leak_check):
    """A program whose server tells its attributes and gives no more bytes: the rest is shown, and
    ends, though the call that asked for them can't be ended before the server is."""
    with Situation("fuse-program", tmp_path) as scene:
        looker = spawn([WHYSTUCK, "-f", "json", str(scene.pid)], text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out = read_to_end(looker.stdout, LOOK_SECONDS)
        assert out is not None, "the output has no end"
        process, = json.loads(out)["processes"]
        assert process["threads"][0]["wait"]["kind"] == "signal"
        assert any("its file system gives no answer" in gap["reason"] for gap in process["gaps"])
    assert looker.wait(LOOK_SECONDS) == 1


@needs_root
@pytest.mark.parametrize("ours", [True, False], ids=["ours", "the target's"])
def test_debug_files_that_are_not_answered_for(tmp_path, spawn, without_leak_check, ours):
    """/usr/lib/debug of ours, or of a container, on a dead file system: that is said, and what the
    programs themselves tell is shown."""
    program = tmp_path / "stripped"
    dead = tmp_path / "dead"
    dead.mkdir()
    subprocess.run(["strip", "-o", program, SITUATIONS], check=True)
    with Situation("fuse-debug", dead, program=program) as scene:
        enter = ["nsenter", f"--mount=/proc/{scene.pid}/ns/mnt"] if ours else []
        looker = spawn([*enter, WHYSTUCK, "-f", "json", str(scene.pid)], text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out = read_to_end(looker.stdout, LOOK_SECONDS)
        assert out is not None, "the output has no end"
        process, = json.loads(out)["processes"]
        thread, = process["threads"]
        assert "__libc_start_main" in [frame["symbol"] for frame in thread["user_stack"]]
        assert any("debug files gives no answer" in gap["reason"] for gap in process["gaps"])
    assert looker.wait(LOOK_SECONDS) == 1


def test_traced(look):
    """Already traced, and stopped by its tracer: that is said, the rest is shown, all stays."""
    with Situation("traced") as scene:
        seen = look(scene.pid)
        thread = seen.thread(scene.pid)
        assert thread["state"] == "t"
        assert thread["wait"]["kind"] == "traced"
        assert str(scene.tracer) in thread["wait"]["text"]
        assert any(str(scene.tracer) in reason for reason in seen.reasons()) or \
            thread["user_stack"] is not None
        assert tracer_of(scene.pid) == scene.tracer
        assert state_of(scene.pid) == "t"


def test_exit_group(look):
    """On its way out, held by its tracer."""
    with Situation("exit_group") as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert thread["syscall"]["text"] == "exit_group(7)"
        assert state_of(scene.pid) == "t"


@pytest.mark.skipif(not shutil.which("gdb"), reason="needs gdb")
def test_traced_by_gdb(look, spawn):
    """A thread that runs under a debugger is not to be taken from it."""
    with Situation("pause") as scene:
        debugger = spawn(["gdb", "-nx", "-batch", "-p", str(scene.pid), "-ex", "continue"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
        until(lambda: tracer_of(scene.pid) == debugger.pid and state_of(scene.pid) == "S",
              "gdb to trace and continue")
        seen = look(scene.pid)
        assert seen.status in (0, 1)
        thread = seen.thread(scene.pid)
        assert thread["syscall"]["text"] == "pause()"
        assert any(str(debugger.pid) in reason for reason in seen.reasons()) or \
            thread["user_stack"] is not None, seen.reasons()
        assert tracer_of(scene.pid) == debugger.pid


@pytest.mark.skipif(not shutil.which("gdb"), reason="needs gdb")
@pytest.mark.skipif(SANITIZED, reason="LeakSanitizer does not work under a tracer")
def test_own_tracer(spawn, tmp_path):
    """The debugger that whystuck itself runs under: stopped, it would never let it go on."""
    out = tmp_path / "out"
    debugger = spawn(["gdb", "-nx", "-q", WHYSTUCK], stdin=subprocess.PIPE, text=True,
                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = debugger.communicate(f"run --stop=always {debugger.pid} >{out} 2>&1\n", timeout=60)
    assert "traces whystuck itself" in out.read_text(), said


def test_stopped_stays_stopped(look):
    with Situation("pause") as scene:
        os.kill(scene.pid, signal.SIGSTOP)
        scene.until_state("T")
        for option in ("--stop=auto", "--stop=always", "--stop=never"):
            thread = look(scene.pid, option).thread(scene.pid)
            assert thread["state"] == "T"
            assert thread["wait"]["kind"] == "stopped"
            assert state_of(scene.pid) == "T"
            assert not tracer_of(scene.pid)
        assert_reaches_main(look(scene.pid).thread(scene.pid))
        os.kill(scene.pid, signal.SIGCONT)
        scene.until_state("S")


# ---- hostile names

def test_comm_with_escapes(look, run):
    """A name with control characters: valid JSON, and text that a terminal shows as it stands."""
    with Situation("comm-escapes") as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert thread["comm"] == '\x1b[31m\n"\\\\xff\t'
        text = run([scene.pid, "--color=never"])
        assert "\x1b" not in text.out
        assert "\t" not in text.out
        assert "\\x1b[31m\\n" in text.out
        folded = run(["-f", "folded", scene.pid])
        assert all(line.rpartition(" ")[2].isdigit() for line in folded.out.splitlines())
        assert "\x1b" not in folded.out


def test_path_with_newline(look, run, tmp_path):
    """An executable whose path has a newline, an escape and a space in it."""
    folder = tmp_path / "a\nb \x1b[31mc"
    folder.mkdir()
    program = shutil.copy(SITUATIONS, folder)
    with Situation("pause", program=program) as scene:
        seen = look(scene.pid)
        assert seen.process(scene.pid)["exe"] == program
        assert_reaches_main(seen.thread(scene.pid))
        text = run([scene.pid, "-p"])
        assert "\x1b" not in text.out
        assert "a\\nb" in text.out


def test_many_descriptors(look, run):
    """15,000 descriptors in one poll(): a line that ends."""
    with Situation("poll-many") as scene:
        seen = look(scene.pid)
        assert len(seen.thread(scene.pid)["syscall"]["text"]) < 4096
        assert max(map(len, run([scene.pid]).out.splitlines())) < 4096


# ---- hostile memory

@pytest.mark.parametrize("stop", ["never", "auto", "always"])
@pytest.mark.usefixtures("without_leak_check")
def test_userfault(look, stop):
    """Memory that nobody answers for, where reading it would wait for ever."""
    with Situation("userfault") as scene:
        seen = look(scene.pid, f"--stop={stop}")
        assert seen.thread(scene.pid)["state"] in "SDR"
        assert any(gap for gap in seen.reasons())
        assert scene.process.poll() is None


@pytest.mark.parametrize("stop", ["auto", "never", "always"])
@pytest.mark.usefixtures("without_leak_check")
def test_userfault_in_a_stack(look, stop):
    """The copy of a stack gets no answer: threads that are stopped for it are let go soon."""
    with Situation("userfault-stack") as scene:
        seen = look(scene.pid, f"--stop={stop}")
        thread = seen.thread(scene.pid, scene.tid)
        assert thread["syscall"]["name"] == "pause"
        assert functions(thread)[0] == "pause"
        assert ("its stack could not be copied: the process's memory gave no answer" in
                [gap["reason"] for gap in thread["gaps"]])
        assert thread["stopped_ns"] < 1_000_000_000
        assert state_of(scene.pid, scene.tid) == "S"
        assert not tracer_of(scene.pid, scene.tid)


@pytest.mark.parametrize("stop", ["auto", "never"])
@pytest.mark.usefixtures("without_leak_check")
def test_locked_address_space(look, tmp_path, stop):
    """A thread that is stuck holds mmap_lock: even ps waits for ever then, for the command line."""
    with Situation("fuse-mmap", tmp_path) as scene:
        try:
            seen = look(scene.pid, f"--stop={stop}")
            thread = seen.thread(scene.pid)
            assert thread["state"] == "D"
            assert thread["syscall"]["name"] == "mmap"
            assert thread["syscall"]["text"].endswith(f", {scene.fd}<{scene.path}>, 0)")
            assert functions(thread)[0] == "mmap"
            if os.geteuid() == 0:
                names = [frame["symbol"] for frame in thread["kernel_stack"]]
                assert "fuse_file_mmap" in names
            writer = seen.thread(scene.pid, scene.writer)
            assert writer["syscall"]["name"] == "pwrite64"
            assert any("the lock of its address space" in reason for reason in seen.reasons())
            # Others are found by their names all the same.
            assert look("no-such-name").status == 2
        finally:
            os.kill(scene.server, signal.SIGKILL)  # lets the lock go


@pytest.mark.parametrize("options", [[], ["--stop=always"], ["--stop=always", "-t"]])
def test_held_up_in_exec(look, tmp_path, options):
    """A thread is stuck in execve: whoever traces any thread of the process waits for it."""
    with Situation("fuse-execve", tmp_path) as scene:
        if "-t" in options:
            options = [*options, str(scene.tid)]
        seen = look(scene.pid, *options)
        assert functions(seen.thread(scene.pid))[0] == "pause"
        if "-t" not in options:
            assert seen.thread(scene.pid, scene.executing)["syscall"]["name"] == "execve"
        if "--stop=always" in options:
            assert any("held up in an exec" in reason for reason in seen.reasons())


@pytest.mark.parametrize("name", ["frame-cycle", "wild-stack"])
def test_misleading_stack(look, name):
    with Situation(name) as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert thread["syscall"]["text"] == "pause()"
        assert thread["user_stack"][0]["address"].startswith(scene.address[:-3])
        assert thread["user_stack_end"] in ("no-unwind-info", "unreadable")
        assert len(thread["user_stack"]) < 5


def test_just_in_time_code(look):
    """Code that no file has: by frame pointers, named by the perf map."""
    with Situation("jit") as scene:
        try:
            thread = look(scene.pid).thread(scene.pid)
            assert functions(thread)[:2] == ["jitted function", "run_jit"]
            assert_reaches_main(thread)
        finally:
            os.unlink(scene.map)


# ---- output and memory

def test_closed_pipe():
    """A reader that has enough: no message but one at most, no signal, no harm to the target."""
    with Situation("threads", 200) as scene:
        for format_ in ("text", "json", "folded"):
            result = subprocess.run(
                ["sh", "-c", '"$0" -f "$1" --no-group "$2" | head -c1 >/dev/null; true',
                 WHYSTUCK, format_, str(scene.pid)],
                capture_output=True, timeout=20, check=False)
            assert result.stderr.count(b"\n") <= 1, result.stderr
        assert threads_of(scene.pid)
        assert not tracer_of(scene.pid)


def test_full_device():
    """Output that cannot be written: one line, and a status that tells."""
    with Situation("pause") as scene, open("/dev/full", "wb") as full:
        result = subprocess.run([WHYSTUCK, str(scene.pid)], stdout=full, stderr=subprocess.PIPE,
                                timeout=20, check=False)
        assert result.returncode in (1, 2)
        assert result.stderr.count(b"\n") == 1, result.stderr


@pytest.mark.skipif(SANITIZED, reason="sanitizers reserve more than any limit allows")
def test_memory_exhausted():
    """With too little memory: the whole look or one line, and nothing left stopped."""
    with Situation("workers", 49) as scene:
        for kibibytes in range(6000, 40000, 300):
            limit = kibibytes << 10
            result = subprocess.run(
                [WHYSTUCK, str(scene.pid)], capture_output=True, timeout=20, check=False,
                preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS,
                                                                  (limit, limit)))
            # 127: not even the dynamic linker had enough.
            assert result.returncode in (0, 1, 2, 127), (kibibytes, result)
            if result.returncode == 2:
                assert result.stderr.count(b"\n") == 1, (kibibytes, result)
                assert result.stderr.startswith(b"whystuck: "), (kibibytes, result)
        assert scene.ask()["woken"] == 49
        for tid in threads_of(scene.pid):
            assert state_of(scene.pid, tid) not in "Tt"
            assert not tracer_of(scene.pid, tid)


def test_all_processes(look):
    """Everything on the machine, in one look that ends, and none of it stopped after."""
    with Situation("workers", 10) as scene:
        seen = look([], "-a", timeout=60)
        assert seen.status in (0, 1)
        assert scene.pid in [process["pid"] for process in seen.processes]
        assert scene.ask()["woken"] == 10
