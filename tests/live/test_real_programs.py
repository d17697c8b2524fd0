# SPDX-License-Identifier: Apache-2.0
"""Programs as people run them, stuck in ways that people meet: whom they wait for."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys

import pytest

from conftest import Look, needs_root, read_proc, until

needs_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-trigger"), reason="this is no Debian")

# Accepts and reads a request, and never answers it.
BACKEND = """
import socket, threading
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.recv(65536)
print("asked", flush=True)
threading.Event().wait()
"""

CLIENT = """
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print("sent", flush=True)
connection.recv(65536)
"""

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{backend}; }}
    }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def worker_of(pid):
    children = read_proc(f"/proc/{pid}/task/{pid}/children").split()
    return int(children[0]) if children else 0


@needs_root
@needs_nginx
def test_a_client_behind_nginx_in_front_of_a_stuck_backend(spawn, tmp_path, run):
    python = [sys.executable, "-c"]
    backend = spawn([*python, BACKEND], stdout=subprocess.PIPE, text=True)
    port, backend_port = free_port(), int(backend.stdout.readline())
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(NGINX.format(folder=tmp_path, port=port, backend=backend_port))
    os.chmod(tmp_path, 0o755)
    nginx = spawn(["nginx", "-p", str(tmp_path), "-c", str(configuration)],
                  stderr=subprocess.DEVNULL)
    until(lambda: can_connect(port), "nginx to listen")
    client = spawn([*python, CLIENT, str(port)], stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "sent\n"
    assert backend.stdout.readline() == "asked\n"
    worker = worker_of(nginx.pid)
    until(lambda: read_proc(f"/proc/{client.pid}/syscall").startswith("45 ") and
          read_proc(f"/proc/{worker}/syscall").startswith("232 "), "all to wait")
    look = Look(client.pid)
    assert not look.json["deadlocks"]
    wait = look.thread(client.pid)["wait"]
    assert wait["kind"] == "socket-receive"
    assert [hop["pid"] for hop in wait["chain"]] == [worker, backend.pid], wait
    out = run([client.pid]).out
    line = next(line for line in out.splitlines() if line.strip().startswith("on "))
    assert f"nginx (pid {worker})" in line and f"(pid {backend.pid})" in line, out


@needs_dpkg
def test_dpkg_that_waits_for_its_lock(spawn, tmp_path, run):
    triggers = tmp_path / "triggers"
    triggers.mkdir()
    (triggers / "File").touch()
    (tmp_path / "info").mkdir()
    with open(triggers / "Lock", "w", encoding="ascii") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        dpkg = spawn(["dpkg-trigger", f"--admindir={tmp_path}", "--by-package=base-files",
                      "--no-await", "something"], stdout=subprocess.DEVNULL)
        until(lambda: read_proc(f"/proc/{dpkg.pid}/syscall").startswith("72 "),
              "dpkg-trigger to wait for its lock")
        wait = Look(dpkg.pid).thread(dpkg.pid)["wait"]
        assert wait["kind"] == "file-lock"
        assert [(one["pid"], one["sure"]) for one in wait["on"]] == [(os.getpid(), "owns")]
        out = run([dpkg.pid]).out
        assert f"waits for the lock on {triggers}/Lock (fcntl, write" in out
        assert f"(pid {os.getpid()}) (" in out, out
