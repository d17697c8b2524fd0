# SPDX-License-Identifier: Apache-2.0
"""Each situation: the call and its arguments, the descriptor, the wait in words, the stack.

The words are patterns of fnmatch, filled in with the facts that the situation announced; all of
them must be found. test_all_are_expected() sees to it that no situation goes without its row;
test_holders_kernel.py has those of names that begin with "on-".

Two calls are missing, since nothing can be set that holds them for sure: sync(2), which does not
ask FUSE file systems, and ptrace(2), whose waiting is done by wait4(2).
"""

import fnmatch
import subprocess
from dataclasses import dataclass

import pytest
from conftest import SITUATIONS, Situation, assert_reaches_main, functions


@dataclass
class Expected:
    """What a look at a situation shows."""

    kind: str
    wait: list  # in wait.text
    call: list = ()  # in syscall.text; none: in no call
    name: str = ""  # of the call, where it is not the situation's
    idle: bool = False
    function: str = ""  # among the user frames, near the call
    on: str = ""  # the fact that holds the pid (or tid) of who is waited on
    unseen: str = ""  # who is waited on where no look can be taken at it: a disk, a server


def pipe(kind, name, direction, **more):
    return Expected(kind, ["*pipe*", "*situations*{peer}*"], [f"{name}({{fd}}<*pipe*", *direction],
                    name, on="peer", **more)


def tcp(kind, name, **more):
    return Expected(kind, ["*TCP 127.0.0.1:{port}*127.0.0.1:{remote}*"],
                    [f"{name}({{fd}}<TCP 127.0.0.1:{{port}}*127.0.0.1:{{remote}}*"], name, **more)


def accept(where, name="accept"):
    return Expected("socket-accept", [f"a client to connect to {where}*0 of 5 queued*"],
                    [f"{name}({{fd}}<{where}*"], name, idle=True, function="accept*")


WATCHED = ["*{pipe}<*pipe*", "*{socket}<*127.0.0.1:{port}*", "*{event}<*eventfd*"]
SOME_TIME = "*59 min*"  # of just less than an hour


def futex(kind, function, *, operation="FUTEX_WAIT*", **more):
    more.setdefault("wait", ["*"])
    wait = more.pop("wait")
    return Expected(kind, wait, [f"futex(0x*{operation}*"], "futex", function=function, **more)


def disk(kind, call, function, where=" {device}", of="{path}"):
    name = call.split("(")[0]
    return Expected(kind, [f"the disk{where}: {name} of {of}"], [call], name, function=function,
                    unseen="{device} (disk)")


def fuse(name, call, function):
    return Expected("fuse|file-read|file-write|sync|ioctl|mount|disk", ["*"], [call], name,
                    function=function)


def nfs(name, call, **more):
    return Expected("network-disk", [f"the NFS server 127.0.0.1: {name} of *{{path}}*"], [call],
                    name, unseen="127.0.0.1 (NFS)", **more)


EXPECTED = {
    # ---- pipes
    "read-pipe": pipe("pipe-read", "read", ["*, {buffer}, 100)"], function="read"),
    "readv-pipe": pipe("pipe-read", "readv", ["*100*200*"], function="readv"),
    "preadv2-pipe": pipe("pipe-read", "preadv2", [], function="syscall"),
    "write-pipe": pipe("pipe-write", "write", ["*, 9)"], function="write"),
    "writev-pipe": pipe("pipe-write", "writev", ["*100*200*"], function="writev"),
    "pwritev2-pipe": pipe("pipe-write", "pwritev2", [], function="syscall"),
    "read-own-pipe": Expected("pipe-read", ["*pipe*"], ["read({fd}<*pipe*"], "read"),
    "splice-pipe": Expected("splice|pipe-read", ["*"],
                            ["splice({fd}<*pipe*", "*{sink}</dev/null*"], "splice"),
    "vmsplice-pipe": Expected("splice|pipe-write", ["*"], ["vmsplice({fd}<*pipe*"], "vmsplice"),
    "sendfile-socket": Expected("splice|socket-send", ["*"],
                                ["sendfile*({fd}<*unix*", "*{file}<{path}*deleted*"], "sendfile*"),
    "open-fifo-read": Expected("fifo-open", ["*writer*{path}*"], ["openat(*{path}*O_RDONLY*"],
                               "openat", function="open*"),
    "open-fifo-write": Expected("fifo-open", ["*reader*{path}*"],
                                ["openat(*{path}*O_WRONLY*O_CLOEXEC*"], "openat"),
    "read-fifo": Expected("pipe-read", ["*FIFO*{path}*", "*{peer}*"], ["read({fd}<*{path}*"],
                          "read", on="peer"),
    # ---- sockets
    "accept": accept("TCP 127.0.0.1:{port}"),
    "accept4": Expected("socket-accept", ["a client to connect to TCP 127.0.0.1:{port}*"],
                        ["accept4({fd}<TCP 127.0.0.1:{port}*", "*SOCK_CLOEXEC*",
                         "*SOCK_NONBLOCK*"], "accept4", idle=True),
    "accept-v6": accept("TCP [[]::1]:{port}"),
    "accept-netns": accept("TCP 127.0.0.1:{port}"),
    "accept-foreign-netns": Expected("socket-accept", ["a client to connect to*"],
                                     ["accept({fd}<*"], "accept", idle=True),
    "accept-unix": Expected("socket-accept", ["a client to connect to*unix*{path}*"],
                            ["accept({fd}<unix*{path}*"], "accept", idle=True),
    "accept-abstract": Expected("socket-accept", ["a client to connect to*unix*{path}*"],
                                ["accept({fd}<unix*{path}*"], "accept", idle=True),
    "connect": Expected("socket-connect", ["*127.0.0.1:{port}*"],
                        ["connect({fd}<TCP*", "*127.0.0.1:{port}*"], function="*connect"),
    "connect-unix": Expected("socket-connect", ["*{path}*"],
                             ["connect({fd}<unix*", "*{path}*"], "connect"),
    "read-tcp": tcp("socket-receive", "read"),
    "recvfrom-tcp": Expected("socket-receive", ["*127.0.0.1:{port}*127.0.0.1:{remote}*"],
                             ["recvfrom({fd}<TCP 127.0.0.1:{port}*", "*4096*MSG_WAITALL*"],
                             "recvfrom"),
    "recvfrom-tcp6": Expected("socket-receive", ["*[[]::1]:{port}*[[]::1]:{remote}*"],
                              ["recvfrom({fd}<TCP [[]::1]:{port}*"], "recvfrom"),
    "recvmsg-tcp": tcp("socket-receive", "recvmsg"),
    "sendto-tcp": tcp("socket-send", "sendto"),
    "sendmsg-tcp": Expected("socket-send", ["*127.0.0.1:{port}*127.0.0.1:{remote}*"],
                            ["sendmsg({fd}<TCP*", "*MSG_NOSIGNAL*"], "sendmsg"),
    "sendmmsg-tcp": tcp("socket-send", "sendmmsg"),
    "write-tcp": tcp("socket-send", "write"),
    "recvfrom-udp": Expected("socket-receive", ["*UDP 127.0.0.1:{port}*"],
                             ["recvfrom({fd}<UDP 127.0.0.1:{port}*"], "recvfrom",
                             idle=True),
    "recvmmsg-udp": Expected("socket-receive", ["*UDP 127.0.0.1:{port}*"],
                             ["recvmmsg({fd}<UDP 127.0.0.1:{port}*"], "recvmmsg",
                             idle=True),
    "read-socketpair": Expected("socket-receive", ["*unix*", "*{peer}*"], ["read({fd}<unix*"],
                                "read", on="peer"),
    "recv-unix": Expected("socket-receive", ["*unix*", "*{peer}*"], ["recvfrom({fd}<unix*"],
                          "recvfrom", on="peer"),
    "recvmsg-netlink": Expected("socket-receive", ["*netlink*"], ["recvmsg({fd}<*netlink*"],
                                "recvmsg", idle=True),
    # ---- several descriptors
    "poll": Expected("poll", WATCHED, ["poll(*", *WATCHED, "*POLLIN*", "*POLLPRI*", "*-1)"],
                     idle=True, function="*poll"),
    "poll-timeout": Expected("poll", [*WATCHED, SOME_TIME], ["poll(*", *WATCHED], "poll",
                             idle=True),
    "poll-nothing": Expected("sleep", [SOME_TIME], ["poll(*"], "poll", idle=True),
    "ppoll": Expected("poll", WATCHED, ["ppoll(*", *WATCHED, "*59 min*", "*USR1*"], idle=True),
    "select": Expected("select", WATCHED, ["select(*", *WATCHED, "*59 min*"], idle=True),
    "pselect6": Expected("select", WATCHED, ["pselect6(*", *WATCHED], idle=True),
    "epoll_wait": Expected("epoll", WATCHED, ["epoll_wait({fd}<*", "*8, -1*"], idle=True),
    "epoll_pwait": Expected("epoll", WATCHED, ["epoll_pwait({fd}<*", "*TERM*"], idle=True),
    "epoll_pwait2": Expected("epoll", WATCHED, ["epoll_pwait2({fd}<*", "*59 min*"], idle=True),
    # ---- descriptors of other kinds
    "read-eventfd": Expected("eventfd-read", ["*eventfd*"], ["read({fd}<*eventfd*"], "read",
                             idle=True),
    "read-timerfd": Expected("timerfd-read", ["*timerfd*", SOME_TIME], ["read({fd}<*timerfd*"],
                             "read", idle=True),
    "read-signalfd": Expected("signalfd-read", ["*USR1*", "*CHLD*"], ["read({fd}<*signalfd*"],
                              "read", idle=True),
    "read-inotify": Expected("inotify-read", ["*"], ["read({fd}<*inotify*"], "read", idle=True),
    "read-tty": Expected("tty-read", ["*{terminal}*"], ["read({fd}<*{terminal}*"], "read",
                         idle=True),
    "zoo": Expected("signal", ["a signal*"], ["pause()"], "pause", idle=True),
    # ---- futexes
    "mutex": futex("mutex", "*mutex_lock*", wait=["*mutex*{address}*"]),
    "mutex-queue": futex("mutex", "*mutex_lock*", wait=["*mutex*{address}*"]),
    "mutex-pi": futex("mutex", "*mutex_lock*", operation="FUTEX_LOCK_PI", wait=["*{address}*"]),
    "mutex-shared": futex("mutex", "*mutex_lock*", wait=["*{address}*"]),
    "condition": futex("condition", "pthread_cond_wait*", wait=["*condition*{address:.12}*"]),
    "condition-timed": futex("condition", "pthread_cond_timedwait*", wait=[SOME_TIME]),
    "thread-join": futex("thread-join", "*pthread_*join*", wait=["*{joined}*"], on="joined"),
    "rwlock-read": futex("rwlock", "*rwlock_rdlock*", wait=["*read*{address:.12}*"]),
    "rwlock-write": futex("rwlock", "*rwlock_wrlock*", wait=["*write*{address:.12}*"]),
    "semaphore": futex("semaphore", "*sem_wait*", idle=True, wait=["*semaphore*"]),
    "semaphore-timed": futex("semaphore", "*sem_*", idle=True, wait=["*semaphore*"]),
    "barrier": futex("barrier", "*barrier_wait*", wait=["*barrier*"]),
    "futex": Expected("futex", ["*{address}*", SOME_TIME],
                      ["futex({address}*FUTEX_WAIT_PRIVATE, 42, *59 min*"]),
    "futex-bitset": Expected("futex", ["*{address}*", SOME_TIME],
                             ["futex({address}*FUTEX_WAIT_BITSET*", "*FUTEX_CLOCK_REALTIME*",
                              "*0xff)"], "futex"),
    "futex_waitv": Expected("futex", ["*"], ["futex_waitv(*{first}*{second}*"]),
    # ---- locks of files
    "flock": Expected("file-lock", ["*{path}*"], ["flock({fd}<{path}>, LOCK_SH)"],
                      function="flock"),
    "fcntl-posix": Expected("file-lock", ["*{path}*"],
                            ["fcntl({fd}<{path}>, F_SETLKW, *", "*F_WRLCK*", "*10*", "*20*"],
                            "fcntl"),
    "fcntl-ofd": Expected("file-lock", ["*{path}*"],
                          ["fcntl({fd}<{path}>, F_OFD_SETLKW, *"], "fcntl"),
    # ---- IPC
    "msgrcv": Expected("message-queue", ["*{id}*"], ["msgrcv({id}, *, 5, MSG_NOERROR)"],
                       idle=True),
    "msgsnd": Expected("message-queue", ["*{id}*"], ["msgsnd({id}, *"]),
    "semop": Expected("semaphore-sysv", ["*{id}*"], ["semop({id}, *2*-1*"]),
    "semtimedop": Expected("semaphore-sysv", ["*{id}*"], ["semtimedop({id}, *2*-1*", "*59 min*"]),
    "mq_timedreceive": Expected("message-queue", ["*{name}*"], ["mq_timedreceive({fd}<*{name}*"],
                                idle=True),
    "mq_timedsend": Expected("message-queue", ["*{name}*", SOME_TIME],
                             ["mq_timedsend({fd}<*{name}*"]),
    "io_getevents": Expected("aio", ["*"], ["io_getevents(*, 1, 4, *59 min*"]),
    "io_uring_enter": Expected("io-uring", ["*"],
                               ["io_uring_enter({fd}<*io_uring*", "*IORING_ENTER_GETEVENTS*"],
                               idle=True),
    # ---- sleeps
    "nanosleep": Expected("sleep", [SOME_TIME], ["nanosleep(*59 min*"], idle=True),
    "clock_nanosleep": Expected("sleep", [SOME_TIME],
                                ["clock_nanosleep(CLOCK_MONOTONIC, 0, *59 min*"], idle=True,
                                function="clock_nanosleep*"),
    "clock_nanosleep-absolute": Expected("sleep", [SOME_TIME],
                                         ["clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, *"],
                                         "clock_nanosleep", idle=True),
    "restart_syscall": Expected("sleep", ["*"], ["*clock_nanosleep*"], "restart_syscall",
                                idle=True),
    "running": Expected("running", ["*"]),
    "running-vdso": Expected("running", ["*"]),
    # ---- processes
    "wait4": Expected("child", ["*{child}*end*"], ["wait4({child}, *"], on="child"),
    "wait4-any": Expected("child", ["any child*"], ["wait4(-1, *"], "wait4", idle=True),
    "waitid": Expected("child", ["*{child}*"],
                       ["waitid(P_PID, {child}, *", "*WEXITED*", "*WSTOPPED*"], on="child"),
    "vfork": Expected("vfork|child", ["*"], ["vfork()"]),
    "pause": Expected("signal", ["a signal*"], ["pause()"], idle=True, function="*pause"),
    "rt_sigsuspend": Expected("signal", ["a signal*"], ["rt_sigsuspend(*"], idle=True),
    "rt_sigtimedwait": Expected("signal", ["*USR1*USR2*"],
                                ["rt_sigtimedwait(*USR1*USR2*", "*59 min*"], idle=True),
    "stopped": Expected("stopped", ["*SIGCONT*"], ["*kill(*SIGSTOP)"], "*kill"),
    # ---- threads and stacks
    "threads": Expected("signal", ["a signal*"], ["pause()"], "pause", idle=True),
    "signal-handler": Expected("signal", ["a signal*"], ["pause()"], "pause", idle=True,
                               function="handle"),
    "workers": Expected("pipe-read", ["*"], ["read(0<*"], "read"),
    # ---- hostile ones that look like others from here
    "comm-escapes": Expected("signal", ["a signal*"], ["pause()"], "pause", idle=True),
    "poll-many": Expected("poll", ["*15*000*descriptors*{fd}<*"],
                          ["poll(*{fd}<*more*, 15000, -1)"], "poll", idle=True),
    # ---- memory that is not given
    "memory-at-limit": Expected("memory", [
        "memory: its cgroup is at its limit, with the OOM killer off: a page fault"]),
    "memory-above-high": Expected("memory", [
        "is held back: its cgroup uses more than its memory.high: a page fault"]),
    # ---- a disk that does not answer
    "disk-read-device": disk("disk", "read({fd}<{device}>, 0x*, 4096)", "*read*", "", "{device}"),
    "disk-fsync-device": disk("sync", "fsync({fd}<{device}>)", "fsync", "", "{device}"),
    "disk-read": disk("disk", "read({fd}<{path}>, 0x*, 4096)", "*read*"),
    "disk-write": disk("disk", "write({fd}<{path}>, 0x*, 4096)", "*write*"),
    "disk-fsync": disk("sync", "fsync({fd}<{path}>)", "fsync"),
    "disk-page-fault": Expected("page-fault", ["the disk: a page fault"]),
    # ---- a file system that does not answer
    "fuse-fsync": fuse("fsync", "fsync({fd}<{path}>)", "fsync"),
    "fuse-fdatasync": fuse("fdatasync", "fdatasync({fd}<{path}>)", "fdatasync"),
    "fuse-pread64": fuse("pread64", "pread64({fd}<{path}>, 0x*, 100, 4096)", "*pread*"),
    "fuse-pwrite64": fuse("pwrite64", "pwrite64({fd}<{path}>, *, 100, 4096)", "*pwrite*"),
    "fuse-read": Expected("fuse", ["*FUSE*: read of {path}"], ["read({fd}<{path}>, 0x*, 100)"],
                          "read", function="*read*", on="server"),
    "fuse-preadv": fuse("preadv", "preadv({fd}<{path}>, *100*200*4096*", "*preadv*"),
    "fuse-pwritev": fuse("pwritev", "pwritev({fd}<{path}>, *100*200*4096*", "*pwritev*"),
    "fuse-ioctl": fuse("ioctl", "ioctl({fd}<{path}>, *", "ioctl"),
    "fuse-mount": fuse("mount", "mount(*none*{path}*tmpfs*", "mount"),
    "fuse-openat": fuse("openat", "openat(*{path}*", "open*"),
    # ---- file servers that do not answer
    "read-nfs": nfs("read", "read({fd}<{path}>, 0x*, 4096)", function="read"),
    "read-nfs-direct": nfs("read", "read({fd}<{path}>, 0x*, 4096)", function="read"),
    "stat-nfs": nfs("newfstatat", "newfstatat(*{path}*", function="*stat*"),
    "mount-smb": Expected("network-disk", ["the SMB server: mount of *//127.0.0.1/share*"],
                          ["mount(*//127.0.0.1/share*{path}*cifs*"], "mount", function="mount"),
}

# Those that other tests look at, since they have no stack that leads to main, or none at all.
ELSEWHERE = {
    "traced", "exit_group", "zombie", "zombie-leader", "userfault", "userfault-stack", "jit",
    "frame-cycle", "wild-stack", "thread-storm", "recursion", "fuse-mmap", "fuse-execve",
    "fuse-program", "fuse-debug", "exec-nfs",
    "deadlock-pair", "deadlock-philosophers", "deadlock-behind", "deadlock-self",
    "deadlock-shared", "deadlock-flocks", "deadlock-mutex-and-pipe", "deadlock-all-asleep", "chain",
    "shares", "comm-markup", "shared-owner-ended",
}

# Uninterruptible waits, in which no stop shows the registers: the stack may be missing or cut off
# there, with the reason said. glibc's vfork() keeps its return address in a register.
UNINTERRUPTIBLE = {name for name, expected in EXPECTED.items()
                   if name.startswith(("disk-", "fuse-", "memory-")) or
                   expected.kind == "network-disk"} | {"vfork"}

# What is waited for besides the call.
STATES = {"stopped": "T", "disk-page-fault": "D", "memory-at-limit": "D",
          "memory-above-high": "D"}

# The argument that a situation wants instead of a directory.
ARGUMENTS = {"threads": 3, "workers": 6}


def assert_found(text, patterns, facts):
    for pattern in patterns:
        assert fnmatch.fnmatchcase(text, pattern.format(**facts)), f"{pattern} is not in: {text}"


def test_all_are_expected():
    listed = subprocess.run([SITUATIONS, "--list"], capture_output=True, text=True, check=True)
    names = {name for name in listed.stdout.split() if not name.startswith("on-")}
    assert names == set(EXPECTED) | ELSEWHERE


def check_wait(thread, expected, facts):
    wait = thread["wait"]
    assert wait["kind"] in expected.kind.split("|"), wait
    assert_found(wait["text"], expected.wait, facts)
    assert wait["idle"] == expected.idle, wait
    if expected.on:
        ids = [one[id_] for one in wait["on"] for id_ in ("pid", "tid")]
        assert facts[expected.on] in ids, wait
    if expected.unseen:
        texts = [one["text"] for one in wait["chain"] if one["pid"] is None]
        assert texts == [expected.unseen.format(**facts)], wait


def check_call(thread, expected, facts, name):
    call = thread["syscall"]
    if not expected.call:
        assert call is None
        return
    assert call, thread["gaps"]
    assert fnmatch.fnmatchcase(call["name"], expected.name or name)
    assert_found(call["text"], expected.call, facts)


def check_stack(thread, expected, name):
    if name in UNINTERRUPTIBLE and thread["user_stack_end"] != "complete":
        assert any(gap["stage"] == "user_stack" for gap in thread["gaps"]), thread
        return
    assert_reaches_main(thread)
    names = [one for one in functions(thread) if one]
    assert any(one.startswith("run_") for one in names), names
    if expected.function:
        assert any(fnmatch.fnmatchcase(one, expected.function) for one in names), names


@pytest.mark.parametrize("name", EXPECTED)
def test_situation(name, look, tmp_path):
    expected = EXPECTED[name]
    with Situation(name, ARGUMENTS.get(name, tmp_path)) as scene:
        if name in STATES:
            scene.until_state(STATES[name])
        seen = look(scene.pid)
        thread = seen.thread(scene.pid, scene.tid)

        check_call(thread, expected, scene.facts, name)
        check_wait(thread, expected, scene.facts)
        check_stack(thread, expected, name)


@pytest.mark.parametrize("name", ["read-pipe", "accept", "poll", "mutex", "epoll_wait", "pause"])
def test_never_stopped(name, look, tmp_path):
    """Without a stop the call and the wait are the same; what cannot be known is said."""
    expected = EXPECTED[name]
    with Situation(name, tmp_path) as scene:
        thread = look(scene.pid, "--stop=never").thread(scene.pid, scene.tid)
        check_call(thread, expected, scene.facts, name)
        assert thread["stopped_ns"] == 0
        assert thread["wait"]["kind"] in ("futex", *expected.kind.split("|"))


# What the descriptors of the zoo are called, by the fact that holds their number.
ZOO = {
    "pipe": ("pipe", "*pipe*"),
    "listener": ("socket", "TCP 127.0.0.1:{port}*"),
    "client": ("socket", "TCP 127.0.0.1:*127.0.0.1:{port}*"),
    "udp": ("socket", "UDP*"),
    "udp6": ("socket", "UDP*"),
    "socketpair": ("socket", "unix*"),
    "netlink": ("socket", "netlink*"),
    "eventfd": ("eventfd", "*eventfd*7*"),
    "timerfd": ("timerfd", "*timerfd*"),
    "signalfd": ("signalfd", "*USR1*"),
    "inotify": ("inotify", "*inotify*"),
    "epoll": ("epoll", "*epoll*"),
    "pidfd": ("pidfd", "*{parent}*"),
    "tty": ("tty", "{terminal}*"),
    "null": ("character-device", "/dev/null*"),
    "file": ("file", "/etc/passwd"),
    "directory": ("directory", "/usr*"),
    "deleted_file": ("file", "{deleted}*deleted*"),
}


def test_zoo(look):
    """Every kind of descriptor is named with --process-info."""
    with Situation("zoo") as scene:
        seen = look(scene.pid, "-p")
        descriptors = {one["fd"]: one for one in seen.process(scene.pid)["info"]["descriptors"]}
        for fact, (kind, text) in ZOO.items():
            descriptor = descriptors[scene.facts[fact]]
            assert descriptor["kind"] == kind, descriptor
            assert_found(descriptor["text"], [text], scene.facts)
        assert descriptors[scene.deleted_file]["deleted"]
        assert descriptors[scene.deleted_file]["path"] == scene.deleted


def test_pipe_peer(look):
    """The process at a pipe's other end, with its descriptor."""
    with Situation("read-pipe") as scene:
        descriptors = look(scene.pid, "-p").process(scene.pid)["info"]["descriptors"]
        mine = next(one for one in descriptors if one["fd"] == scene.fd)
        assert [(peer["pid"], peer["comm"], peer["fd"]) for peer in mine["peers"]] == [
            (scene.peer, "situations", 4)]
        assert str(scene.peer) in mine["text"]


def test_listening_queue(look):
    """A connection that waits to be accepted is counted."""
    with Situation("zoo") as scene:
        descriptors = look(scene.pid, "-p").process(scene.pid)["info"]["descriptors"]
        listener = next(one for one in descriptors if one["fd"] == scene.listener)
        assert listener["socket"]["receive_queue"] == 1
        assert listener["socket"]["send_queue"] == 5


def test_recursion(look):
    """A deep stack is cut at the limit, and only there."""
    with Situation("recursion", 200) as scene:
        whole = look(scene.pid).thread(scene.pid)
        assert functions(whole).count("descend") == 201
        assert_reaches_main(whole)
        cut = look(scene.pid, "-n", "20").thread(scene.pid)
        assert len(cut["user_stack"]) == 20
        assert cut["user_stack_end"] == "limit"
    with Situation("recursion", 5000) as scene:
        cut = look(scene.pid).thread(scene.pid)
        assert len(cut["user_stack"]) == 256
        assert cut["user_stack_end"] == "limit"


def test_signal_frame(look):
    """The frame that a signal interrupted stands below the handler's, marked between them."""
    with Situation("signal-handler") as scene:
        thread = look(scene.pid).thread(scene.pid)
        names = functions(thread)
        assert names.index("handle") < names.index("interrupted") < names.index("main")
        between = thread["user_stack"][names.index("handle"):names.index("interrupted")]
        assert "signal" in [frame["kind"] for frame in between], between


def test_vdso(look):
    """Running in the vDSO or just around it, whichever is met."""
    with Situation("running-vdso") as scene:
        modules = set()
        for _ in range(20):
            thread = look(scene.pid).thread(scene.pid)
            assert_reaches_main(thread)
            modules |= {frame["module"] for frame in thread["user_stack"]}
            if "[vdso]" in modules:
                return
        pytest.fail(f"never met in the vDSO, but in {modules}")


def test_running(look):
    with Situation("running") as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert thread["state"] == "R"
        assert thread["syscall"] is None
        assert thread["wait"]["kind"] == "running"
        assert thread["wait"]["idle"] is False
