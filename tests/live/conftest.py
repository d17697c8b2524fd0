# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the live tests: whystuck as WHYSTUCK names it, on situations that SITUATIONS sets."""

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import time

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHYSTUCK = os.environ.get("WHYSTUCK", str(ROOT / "build" / "whystuck"))
SITUATIONS = os.environ.get("SITUATIONS", str(ROOT / "build" / "situations"))
SANITIZED = bool(os.environ.get("SANITIZED"))
SKIP = 77  # of a situation that this machine cannot set
LOOK_SECONDS = 20  # no look takes longer, whatever the target does

VALIDATOR = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schema.json").read_text()))


def read_proc(path):
    """A file of /proc, with bytes that are no UTF-8 replaced; '' where it cannot be read."""
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError:
        return ""


def state_of(pid, tid=None):
    """The kernel's letter for a thread; '' where there is none."""
    stat = read_proc(f"/proc/{pid}/task/{tid or pid}/stat")
    return stat.rpartition(")")[2].split()[0] if stat else ""


def tracer_of(pid, tid=None):
    for line in read_proc(f"/proc/{pid}/task/{tid or pid}/status").splitlines():
        if line.startswith("TracerPid:"):
            return int(line.split()[1])
    return 0


def threads_of(pid):
    try:
        return sorted(int(tid) for tid in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return []


def until(condition, what, seconds=10):
    """Looks again and again until `condition` holds; bounded."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"gave up waiting for {what}")
        time.sleep(0.002)


def descendants(pid):
    """The processes below one, the furthest first."""
    found = []
    for tid in threads_of(pid):
        for child in read_proc(f"/proc/{pid}/task/{tid}/children").split():
            found += descendants(int(child)) + [int(child)]
    return found


# Orphans become children of the tests: where nothing else takes their exit status, they would stay.
PR_SET_CHILD_SUBREAPER = 36  # include/uapi/linux/prctl.h
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_tree(process):
    """Ends a process that a test started, and those that it started, by their ids."""
    below = descendants(process.pid)
    for pid in below:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if process.poll() is None:
        process.kill()
    process.wait()
    for pid in below:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass  # its parent has taken its status already
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


class Situation:
    """A running situation: its facts as attributes, and waits until it is where it says."""

    def __init__(self, name, argument="", program=SITUATIONS, prefix=(), **popen):
        self.name = name
        command = [*prefix, program, name] + ([str(argument)] if argument != "" else [])
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, **popen)
        try:
            self.facts = self._await_facts()
            self._await_place()
        except BaseException:
            end_tree(self.process)
            raise

    def _await_facts(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        message = self.process.stderr.read()
        if self.process.wait() == SKIP:
            pytest.skip(f"{self.name} cannot be had here: {message.strip()}")
        pytest.fail(f"{self.name} did not get ready: {message}")

    def _await_place(self):
        if self.syscall < 0:
            return
        path = f"/proc/{self.pid}/task/{self.tid}/syscall"
        until(lambda: read_proc(path).split(" ")[0] == str(self.syscall),
              f"{self.name} to be in syscall {self.syscall}")

    def until_state(self, state, tid=None):
        tid = tid or self.tid
        until(lambda: state_of(self.pid, tid) == state, f"{tid} to be in state {state}")

    def __getattr__(self, name):
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        end_tree(self.process)

    def ask(self, line="\n"):
        """Has the workers woken; what they counted."""
        self.process.stdin.write(line)
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Run:
    """What a run of whystuck gave."""

    def __init__(self, arguments, prefix=(), **options):
        options.setdefault("timeout", LOOK_SECONDS)
        # STOP=always: the same tests by way of ptrace, where BPF would be taken.
        how = [f"--stop={os.environ['STOP']}"] if os.environ.get("STOP") else []
        self.command = [*prefix, WHYSTUCK, *how, *map(str, arguments)]
        result = subprocess.run(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, check=False, **options)
        self.status = result.returncode
        self.raw = result.stdout
        self.out = result.stdout.decode(errors="strict")
        self.err = result.stderr.decode(errors="strict")
        assert "Sanitizer" not in self.err and "runtime error" not in self.err, self.err
        assert self.status in (0, 1, 2), f"{self.command} ended with {self.status}: {self.err}"

    @property
    def messages(self):
        return self.err.splitlines()


class Look(Run):
    """What a look as JSON gave, valid by the project's schema."""

    def __init__(self, targets, *options, **keywords):
        if not isinstance(targets, (list, tuple)):
            targets = [targets]
        super().__init__(["-f", "json", *options, *targets], **keywords)
        self.json = json.loads(self.out) if self.out else None
        if self.json is not None:
            VALIDATOR.validate(self.json)

    @property
    def processes(self):
        return self.json["processes"] if self.json else []

    def process(self, pid):
        found = [process for process in self.processes if process["pid"] == pid]
        assert found, f"process {pid} is not in the look: {self.err}"
        return found[0]

    def thread(self, pid, tid=None):
        threads = self.process(pid)["threads"]
        found = [thread for thread in threads if thread["tid"] == (tid or pid)]
        assert found, f"thread {tid or pid} is not among {[one['tid'] for one in threads]}"
        return found[0]

    def reasons(self):
        """Every gap's reason, wherever it stands."""
        gaps = list(self.json["gaps"])
        for process in self.processes:
            gaps += process["gaps"]
            for thread in process["threads"]:
                gaps += thread["gaps"]
        return [gap["reason"] for gap in gaps]


def functions(thread):
    """The names of a thread's user frames, inlined ones too."""
    return [frame["symbol"] for frame in thread["user_stack"] or []]


def assert_reaches_main(thread):
    """The stack is whole, and `main` stands above nothing but how the C library calls it."""
    assert thread["user_stack_end"] == "complete", thread
    assert "main" in functions(thread)[-4:], functions(thread)


@pytest.fixture(name="look")
def look_fixture():
    return Look


@pytest.fixture(name="run")
def run_fixture():
    return Run


@pytest.fixture(name="without_leak_check")
def without_leak_check_fixture(monkeypatch):
    """Where a thread of ours waits for ever and is left behind: the leak checker would wait too."""
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")


@pytest.fixture(name="situation")
def situation_fixture():
    return Situation


@pytest.fixture(name="spawn")
def spawn_fixture():
    """Starts other programs; what still runs is ended with the test."""
    started = []

    def spawn(command, **popen):
        process = subprocess.Popen(command, **popen)
        started.append(process)
        return process

    yield spawn
    for process in started:
        end_tree(process)


@pytest.fixture(name="mount_namespace")
def mount_namespace_fixture():
    """Leaves out what needs a mount namespace where none can be had: in a chroot, for one, whose
    root is no mount point, so that its mounts can't be made private."""
    refused = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True,
                             check=False).stderr
    if refused:
        pytest.skip(refused.strip())


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
