# SPDX-License-Identifier: Apache-2.0
"""Programs whose own functions tell what they wait for, as Debian has them."""

import glob
import os
import shutil
import subprocess
import tempfile

import pytest
from conftest import end_tree, needs_root, read_proc, until

PORT = "54321"


class Postgresql:
    """A cluster of its own in a temporary directory, on a unix socket there and on 127.0.0.1."""

    def __init__(self, programs):
        self.programs = programs
        self.directory = tempfile.mkdtemp(prefix="whystuck-postgresql-")
        self.sessions = []
        self.server = None
        shutil.chown(self.directory, "postgres")
        self.data = os.path.join(self.directory, "data")
        subprocess.run([*self.as_owner("initdb"), "-D", self.data, "-A", "trust", "-N"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.server = subprocess.Popen(
            [*self.as_owner("postgres"), "-D", self.data, "-k", self.directory, "-p", PORT,
             "-c", "listen_addresses="], cwd="/", stderr=subprocess.DEVNULL)
        until(lambda: self.psql("-c", "create table t (a int)").wait() == 0, "the server", 30)

    def as_owner(self, program):
        return ["runuser", "-u", "postgres", "--", os.path.join(self.programs, program)]

    def psql(self, *arguments, **popen):
        session = subprocess.Popen(
            ["psql", "-qX", "-h", self.directory, "-p", PORT, "-U", "postgres", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **popen)
        self.sessions.append(session)
        return session

    def backend(self, title):
        """The process that the server calls so; None: there is none."""
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            line = read_proc(path)
            if line.startswith("postgres: postgres postgres [local] " + title):
                return int(path.split("/")[2])
        return None

    def close(self):
        for session in self.sessions:
            end_tree(session)
        if self.server:  # by itself, so that it gives back its shared memory
            subprocess.run([*self.as_owner("pg_ctl"), "-D", self.data, "-m", "immediate", "stop"],
                           check=False, stdout=subprocess.DEVNULL, cwd="/")
            end_tree(self.server)
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture(name="postgresql", scope="module")
def postgresql_fixture():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found or not shutil.which("psql"):
        pytest.skip("needs Debian's postgresql")
    server = Postgresql(os.path.dirname(found[-1]))
    yield server
    server.close()


@needs_root
def test_lock_of_postgresql(look, postgresql):
    """A client waits for its server's process, and that for a lock of the database's."""
    holder, waiter = postgresql.psql(), postgresql.psql()
    holder.stdin.write("begin; lock table t;\n\\echo locked\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "locked\n"
    waiter.stdin.write("begin; lock table t;\n")
    waiter.stdin.flush()
    until(lambda: postgresql.backend("LOCK TABLE waiting"), "the second session to wait")
    backend = postgresql.backend("LOCK TABLE waiting")
    resting = postgresql.backend("idle in transaction")

    seen = look([waiter.pid, backend, resting])
    client = seen.thread(waiter.pid)["wait"]
    assert client["kind"] == "poll" and not client["idle"]
    assert [one["pid"] for one in client["on"]] == [backend]
    blocked = seen.thread(backend)["wait"]
    assert blocked["kind"] == "postgresql" and not blocked["idle"]
    assert blocked["text"] == "a lock of PostgreSQL's: its view pg_locks has who holds it"
    rests = seen.thread(resting)["wait"]
    assert rests["idle"]
    assert rests["text"] == f"its client to send something: psql (pid {holder.pid})"
    assert [one["pid"] for one in rests["on"]] == [holder.pid]


@needs_root
def test_sleep_of_postgresql(look, postgresql):
    postgresql.psql("-c", "select pg_sleep(3600)")
    until(lambda: postgresql.backend("SELECT"), "the session to sleep")
    backend = postgresql.backend("SELECT")
    until(lambda: "pg_sleep" in str(look(backend).thread(backend)["user_stack"]), "pg_sleep")
    assert look(backend).thread(backend)["wait"]["text"].startswith("sleeps, as SQL's pg_sleep")
