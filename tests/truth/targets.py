# SPDX-License-Identifier: Apache-2.0
"""The targets of the comparison: how each is built, started and ended.

To add one: a line in TARGETS. Each is a function of the folder to build in that gives a context,
whose value is the list of processes to compare.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CC = os.environ.get("CC", "cc").split()


class Absent(Exception):
    """What a target needs is not on this machine."""


def need(program):
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/bin")
    if not path:
        raise Absent(f"no {program} here")
    return path


def children(pid):
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        listed = pathlib.Path(f"/proc/{pid}/task/{tid}/children").read_text(encoding="ascii")
        found += [int(child) for child in listed.split()]
    return found


@contextlib.contextmanager
def running(command, **options):
    """A process that is ended with its children, stopped or not."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, **options)
    try:
        yield process
    finally:
        try:
            for child in children(process.pid):
                os.kill(child, signal.SIGKILL)
        except OSError:
            pass
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def program(command):
    """A program of ours, which says when it is ready."""
    with running(command) as process:
        line = process.stdout.readline()
        if line != "ready\n":
            raise RuntimeError(f"{command[0]} did not get ready")
        time.sleep(0.05)
        yield [process.pid]


def newer(path, source):
    return path.exists() and path.stat().st_mtime > source.stat().st_mtime


def built(name, flags, *arguments, compiler=None, source="target.c"):
    """A target that is compiled from @source with @flags and run with @arguments."""
    def start(build):
        command = compiler or CC
        need(command[0])
        path, origin = build / name.replace(" ", "-"), HERE / source
        if not newer(path, origin):
            made = subprocess.run([*command, *flags, "-o", str(path), str(origin)],
                                  capture_output=True, text=True, check=False)
            if made.returncode:
                raise RuntimeError(f"{name} cannot be built: {made.stderr}")
        return program([str(path), *arguments])
    return name, start


def c_target(name, *flags, arguments=("threads",), compiler=None):
    return built(name, ["-D_GNU_SOURCE", "-g", "-pthread", *flags], *arguments, compiler=compiler)


def cxx_target(name, *flags):
    return built(name, ["-std=c++17", "-g", "-pthread", "-Wno-terminate", *flags],
                 compiler=["g++"], source="target.cpp")


def rust_target(name, *flags):
    return built(name, ["-g", *flags], compiler=["rustc"], source="target.rs")


def settle(pid, threads, seconds=10):
    """Until a server has as many threads as it will have, and they rest."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tids = os.listdir(f"/proc/{pid}/task")
        states = {pathlib.Path(f"/proc/{pid}/task/{tid}/stat").read_text(errors="replace")
                  .rpartition(")")[2].split()[0] for tid in tids}
        if len(tids) >= threads and states == {"S"}:
            return
        time.sleep(0.02)


@contextlib.contextmanager
def python(_):
    """Threads of Python, in a lock, a sleep and a socket."""
    code = ("import threading, time, socket, sqlite3\n"
            "lock = threading.Lock(); lock.acquire()\n"
            "one, other = socket.socketpair()\n"
            "ways = [lock.acquire, lambda: time.sleep(86400), lambda: one.recv(1),\n"
            "        lambda: max([1, 2], key=lambda n: time.sleep(86400))]\n"
            "for way in ways * 3: threading.Thread(target=way, daemon=True).start()\n"
            "print('ready', flush=True); time.sleep(86400)\n")
    with running([need("python3"), "-c", code]) as process:
        process.stdout.readline()
        settle(process.pid, 13)
        yield [process.pid]


@contextlib.contextmanager
def system_python(build):
    if not os.path.exists("/usr/bin/python3"):
        raise Absent("no /usr/bin/python3 here")
    with python(build) as processes:
        yield processes


@contextlib.contextmanager
def node(_):
    code = ("require('fs').readFile('/etc/passwd', () => console.log('ready'));"
            "setInterval(() => 0, 9e8)")
    with running([need("node"), "-e", code]) as process:
        process.stdout.readline()
        settle(process.pid, 7)
        yield [process.pid]


@contextlib.contextmanager
def redis(_):
    with tempfile.TemporaryDirectory() as folder:
        with running([need("redis-server"), "--port", "0", "--unixsocket", f"{folder}/socket",
                      "--dir", folder, "--save", ""]) as process:
            settle(process.pid, 5)
            yield [process.pid]


@contextlib.contextmanager
def nginx(_):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        configuration = pathlib.Path(folder, "nginx.conf")
        configuration.write_text(
            f"daemon off; worker_processes 2; error_log {folder}/error.log; pid {folder}/pid;\n"
            f"events {{ }}\nhttp {{ access_log off; client_body_temp_path {folder}/body;\n"
            f"proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n"
            f"uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
            f"server {{ listen unix:{folder}/socket; }} }}\n", encoding="ascii")
        with running([need("nginx"), "-p", folder, "-c", str(configuration)]) as process:
            end = time.monotonic() + 10
            while len(children(process.pid)) < 2 and time.monotonic() < end:
                time.sleep(0.02)
            workers = children(process.pid)
            for worker in workers:
                settle(worker, 1)
            yield [process.pid, *workers]


TARGETS = dict([
    c_target("O0", "-O0"),
    c_target("O2", "-O2"),
    c_target("O3 with LTO", "-O3", "-flto"),
    c_target("no frame pointers", "-O2", "-fomit-frame-pointer", "-fno-plt"),
    c_target("frame pointers", "-O2", "-fno-omit-frame-pointer"),
    c_target("debug_frame alone", "-O2", "-fno-asynchronous-unwind-tables", "-fno-exceptions"),
    c_target("stripped", "-O2", "-s"),
    c_target("static", "-O2", "-static"),
    c_target("static-pie", "-O2", "-static-pie"),
    c_target("musl", "-O2", compiler=["musl-gcc"]),
    c_target("musl static", "-O2", "-static", compiler=["musl-gcc"]),
    c_target("signal handler", "-O2", arguments=["handler"]),
    c_target("vDSO", "-O2", arguments=["vdso"]),
    c_target("deep recursion", "-O1", "-fno-optimize-sibling-calls", arguments=["recursion"]),
    c_target("1,000 threads", "-O2", arguments=["threads", "999"]),
    c_target("clang", "-O2", compiler=["clang"]),
    cxx_target("C++", "-O2"),
    cxx_target("C++ O0", "-O0"),
    rust_target("Rust", "-O"),
    rust_target("Rust debug"),
    ("python3", system_python),
    ("node", node),
    ("redis-server", redis),
    ("nginx", nginx),
])

# Those of target.c's threads whose own names are there to be compared with what they must be.
FROM_SOURCE = {"O0", "O2", "O3 with LTO", "no frame pointers", "frame pointers",
               "debug_frame alone", "static", "static-pie", "musl", "musl static",
               "1,000 threads", "clang"}
