# SPDX-License-Identifier: Apache-2.0
"""Who is waited on, of waits that the kernel knows more of than the process: locks on files, the
other ends of pipes and sockets, children, queues. Who must not be named is as much of each test."""

import fnmatch
import gzip
import os
import subprocess
import sys

import pytest
from conftest import SITUATIONS, Situation, descendants, until


def holders(thread):
    """By pid how sure it is that the wait hangs on that process."""
    return {one["pid"]: one["sure"] for one in thread["wait"]["on"]}


def texts(thread):
    return {one["text"] for one in thread["wait"]["on"]}


# By situation: the facts that name the holders, how sure that is, and what is said of them.
EXPECTED = {
    # ---- locks on files
    "flock": (["holder"], "owns", "holds the lock"),
    "fcntl-posix": (["holder"], "owns", "holds the lock"),
    "fcntl-ofd": (["holder"], "owns", "holds the lock"),
    "on-flock-readers": (["first", "second"], "owns", "holds the lock"),
    "on-flock-inherited": (["first", "second"], "may", "holds the lock"),
    "on-flock-taker-ended": (["heir"], "owns", "holds the lock"),
    "on-posix-ranges": (["middle"], "owns", "holds the lock"),
    "on-ofd-and-posix": (["holder"], "owns", "holds the lock"),
    # ---- sockets
    "on-dgram-pair": (["first", "second"], "may", "the other end of the socket"),
    "on-dgram-connected": (["holder"], "may", "the other end of the socket"),
    "on-dgram-addressed": (["holder"], "may", "has the socket that it sends to"),
    "on-connect-unix": (["holder"], "may", "listens there"),
    "connect-unix": (["pid"], "may", "listens there"),
    "on-connect-tcp": (["holder"], "may", "listens there"),
    "on-read-not-accepted": (["holder"], "may", "the other end of the socket"),
    "on-read-udp": (["holder"], "may", "the other end of the socket"),
    "on-read-across": (["holder"], "may", "the other end of the socket"),
    "on-read-handed-over": (["holder"], "may", "the other end of the socket"),
    "read-tcp": (["peer"], "may", "the other end of the socket"),
    "recv-unix": (["peer"], "may", "the other end of the socket"),
    "read-socketpair": (["peer"], "may", "the other end of the socket"),
    # ---- what several processes have open
    "on-eventfd": (["holder"], "may", "has the eventfd open"),
    "on-eventfd-thread": (["pid"], "may", "any other thread of its process"),
    "on-posix-queue": (["holder"], "may", "has the queue open"),
    "on-sysv-receive": (["holder"], "may", "sent to the queue last"),
    "on-sysv-send": (["holder"], "may", "received from the queue last"),
    "on-sysv-semaphore": (["holder"], "may", "changed the semaphore last"),
    "on-tty-read": (["holder"], "may", "the other end of the terminal"),
    "on-tty-poll": (["holder"], "may", "the other end of the terminal"),
    "on-tty-write": (["holder"], "may", "the other end of the terminal"),
    "on-poll-pidfd": (["child"], "owns", "the process"),
    "fuse-fsync": (["server"], "may", "serves the file system"),
    "fuse-openat": (["server"], "may", "serves the file system"),
    "fuse-mount": (["server"], "may", "serves the file system"),
    # ---- children
    "wait4": (["child"], "owns", "the child"),
    "waitid": (["child"], "owns", "the child"),
    "wait4-any": (["child"], "may", "a child of it"),
    "on-wait4-group": (["child"], "may", "a child of it"),
    "on-wait4-children": (["first", "second"], "may", "a child of it"),
}

# Those that have a test of their own.
ALONE = {"on-read-remote", "on-kernel-mutex", "on-kernel-rwsem", "on-epoll-proxy", "on-poll-proxy", "on-epoll-unix"}


def test_all_are_expected():
    listed = subprocess.run([SITUATIONS, "--list"], capture_output=True, text=True, check=True)
    names = {name for name in listed.stdout.split() if name.startswith("on-")}
    assert names == {name for name in EXPECTED if name.startswith("on-")} | ALONE


@pytest.mark.parametrize("name", EXPECTED)
def test_holders(name, look, tmp_path):
    facts, sure, text = EXPECTED[name]
    with Situation(name, tmp_path) as scene:
        thread = look(scene.pid).thread(scene.pid, scene.tid)
        assert holders(thread) == {scene.facts[fact]: sure for fact in facts}, thread["wait"]
        assert texts(thread) == {text}


@pytest.mark.parametrize("name,facts", [("on-epoll-proxy", ["server"]),
                                        ("on-poll-proxy", ["server", "writer"]),
                                        ("on-epoll-unix", ["server"])])
def test_upstreams(name, facts, look, tmp_path):
    """Of several descriptors: the servers that it asked, not the clients that ask it."""
    with Situation(name, tmp_path) as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert thread["wait"]["idle"]
        assert holders(thread) == {scene.facts[fact]: "may" for fact in facts}
        assert any(text.startswith("may owe it an answer on ") for text in texts(thread))


@pytest.mark.parametrize("name", ["read-eventfd", "mq_timedreceive", "msgrcv", "semop", "accept",
                                  "open-fifo-read", "nanosleep", "running"])
def test_nobody(name, look, tmp_path):
    """Nobody is known that could end these: the process has alone what it waits for."""
    with Situation(name, tmp_path) as scene:
        assert holders(look(scene.pid).thread(scene.pid)) == {}


@pytest.mark.parametrize("name", ["on-sysv-semaphore", "on-sysv-receive"])
def test_last_users_are_a_guess(name, look):
    with Situation(name) as scene:
        on = look(scene.pid).thread(scene.pid)["wait"]["on"]
        assert [one["uncertain"] for one in on] == [True]


def kernel_tells_locks():
    """Since Linux 6.16 and 6.17, where it is built in."""
    try:
        with gzip.open("/proc/config.gz", "rt") as config:
            built = "CONFIG_DETECT_HUNG_TASK_BLOCKER=y\n" in config
    except OSError:
        built = False
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    return built and release >= (6, 17)


@pytest.mark.skipif(bool(os.environ.get("STOP")), reason="only BPF tells")
@pytest.mark.skipif(not kernel_tells_locks(), reason="needs Linux 6.17 with its blocker tracking")
@pytest.mark.parametrize("name,lock", [("on-kernel-mutex", "a mutex in the kernel, in *"),
                                       ("on-kernel-rwsem", "a read-write lock, to write, in the "
                                                           "kernel, in *")])
def test_locks_of_the_kernel(name, lock, look, tmp_path):
    """Which thread has the kernel's own lock, as the kernel keeps account of it."""
    with Situation(name, tmp_path) as scene:
        scene.until_state("D")
        wait = look(scene.pid).thread(scene.pid)["wait"]
        assert wait["kind"] == "kernel-lock"
        assert fnmatch.fnmatchcase(wait["text"], lock), wait
        assert [(one["pid"], one["tid"], one["sure"]) for one in wait["on"]] == [
            (scene.pid, scene.holder, "owns")]


def test_another_machine(look, run):
    """Who is elsewhere can't be looked at, but is named by its address."""
    with Situation("on-read-remote") as scene:
        wait = look(scene.pid).thread(scene.pid)["wait"]
        assert wait["text"] == "data on TCP 10.213.7.1:40000 from 10.213.7.99:5432"
        assert wait["on"] == []
        assert [one["text"] for one in wait["chain"]] == ["10.213.7.99:5432 (TCP)"]
        assert [one["pid"] for one in wait["chain"]] == [None]
        assert "10.213.7.99:5432" in run([scene.pid]).out


def test_two_flocks_of_one_process(look, tmp_path, spawn):
    """A process that keeps itself waiting: it is its own holder."""
    path = tmp_path / "locked"
    program = ("import fcntl, sys\n"
               "first, second = open(sys.argv[1], 'w'), open(sys.argv[1], 'w')\n"
               "fcntl.flock(first, fcntl.LOCK_EX)\n"
               "print(flush=True)\n"
               "fcntl.flock(second, fcntl.LOCK_EX)\n")
    process = spawn(["python3", "-c", program, path], stdout=subprocess.PIPE)
    process.stdout.readline()
    until(lambda: " FLOCK" in blocked_locks(process.pid), "the second flock")
    thread = look(process.pid).thread(process.pid)
    assert thread["wait"]["kind"] == "file-lock"
    assert holders(thread) == {process.pid: "owns"}


def blocked_locks(pid):
    with open("/proc/locks", encoding="ascii") as locks:
        return "".join(line for line in locks if "->" in line and f" {pid} " in line)


def test_vfork(look):
    """The child that has the parent's memory, which alone can go on."""
    with Situation("vfork") as scene:
        scene.until_state("D")
        thread = look(scene.pid).thread(scene.pid)
        assert holders(thread) == {child: "owns" for child in descendants(scene.pid)}
        assert texts(thread) == {"the child"}


@pytest.mark.parametrize("name,fact", [("zombie", "parent"), ("traced", "tracer")])
def test_ended_and_stopped(name, fact, look):
    with Situation(name) as scene:
        assert holders(look(scene.pid).thread(scene.pid)) == {scene.facts[fact]: "owns"}


def test_ends_at_a_disk(look, tmp_path):
    """A process waits for its child, and that for a disk which does not answer."""
    call = "import subprocess, sys; subprocess.call(sys.argv[1:])"
    with Situation("disk-read", tmp_path, prefix=(sys.executable, "-c", call)) as scene:
        parent = scene.process.pid
        chain = look(parent).thread(parent)["wait"]["chain"]
        assert [one["pid"] for one in chain] == [scene.pid, None]
        assert chain[-1]["text"] == f"{scene.device} (disk)"
