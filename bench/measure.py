# SPDX-License-Identifier: Apache-2.0
"""What is measured, and how: targets to look at, and runs of tools that take turns."""

import os
import statistics
import subprocess
from dataclasses import dataclass, field

# Of a build or a person: they make a tool fetch symbols, or look elsewhere.
LEFT_OUT = ("DEBUGINFOD_URLS", "NO_COLOR", "WHYSTUCK")


class NotMeasured(Exception):
    """Why a figure could not be had on this machine."""


@dataclass
class Run:
    """What one run of a command cost."""
    wall_ms: float
    cpu_ms: float
    peak_mib: float


@dataclass
class Tool:
    """A command with the words PID for its target, and what its runs cost."""
    name: str
    command: list
    runs: int = 7
    warm_up: bool = True
    results: list = field(default_factory=list)

    def median(self, what="wall_ms"):
        return statistics.median(getattr(run, what) for run in self.results)

    def spread(self, what="wall_ms"):
        values = [getattr(run, what) for run in self.results]
        return min(values), max(values)


class Launcher:
    """Runs commands by bench/launch.c, whose clock starts right before the command does."""

    def __init__(self, program):
        self.program = program
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in LEFT_OUT}

    def run(self, command, pid=None):
        words = [word.replace("PID", str(pid)) for word in command]
        answer = subprocess.run([self.program, *words], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True)
        wall, user, system, peak_kib, status = map(int, answer.stdout.split())
        # eu-stack and whystuck say by 1 that something could not be had.
        if status not in (0, 1):
            raise NotMeasured(f"{os.path.basename(words[0])} ended with status {status}")
        return Run(wall / 1e6, (user + system) / 1e6, peak_kib / 1024)

    def take_turns(self, tools, pid_of):
        """
        Runs tool by tool in turn, so that a disturbance hits all alike, and in another order each
        time, so that none always follows the one that leaves the caches cold. The first round
        only warms up. @pid_of gives a tool's target.
        """
        for tool in tools:
            if tool.warm_up:
                self.run(tool.command, pid_of(tool))
        for turn in range(max(tool.runs for tool in tools)):
            start = turn % len(tools)
            for tool in tools[start:] + tools[:start]:
                if len(tool.results) < tool.runs:
                    tool.results.append(self.run(tool.command, pid_of(tool)))


class Program:
    """A program that prints a line once it is ready; it ends with its context, at the end of its
    input if it reads that."""

    def __init__(self, *command, reads_input=False):
        words = [str(word) for word in command]
        self.reads_input = reads_input
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.process.kill()
            said = self.process.communicate()[1].strip()
            raise NotMeasured(f"{os.path.basename(words[0])} {words[1]} did not start: {said}")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if not self.reads_input:
            self.process.kill()
        self.process.communicate()

    @property
    def pid(self):
        return self.process.pid

    def beats(self):
        """Of a target with a heartbeat: the longest pause in ms, and the system calls that were
        interrupted, since this was last asked."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        pause, interruptions = self.process.stdout.readline().split()
        return int(pause) / 1e6, int(interruptions)


def read_number(path):
    """The number in a file; None: there is no such file, or it says that there is no limit."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def task_limits():
    """How many more threads each limit of the machine allows: pairs of its name and the number."""
    with open("/proc/loadavg", encoding="ascii") as file:
        present = int(file.read().split()[3].split("/")[1])
    for name in ("threads-max", "pid_max"):
        limit = read_number(f"/proc/sys/kernel/{name}")
        if limit:
            yield f"kernel.{name} of {limit}", limit - present
    for path in cgroup_folders():
        limit = read_number(f"{path}/pids.max")
        if limit:
            yield f"pids.max of {limit}", limit - (read_number(f"{path}/pids.current") or 0)
    with open("/proc/meminfo", encoding="ascii") as file:
        free_kib = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))
    # A thread at rest: 16 KiB of kernel stack, its task_struct, two pages of its own stack.
    yield f"{free_kib // 1024} MiB of free memory", free_kib // 64


def cgroup_folders():
    """The folders of our cgroup and of those above it, where processes are counted."""
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if controllers in ("", "pids"):
                root = "/sys/fs/cgroup" + (f"/{controllers}" if controllers else "")
                parts = [part for part in path.split("/") if part]
                for depth in range(len(parts) + 1):
                    yield "/".join([root, *parts[:depth]])


def largest_target(wanted, others):
    """
    How many threads one target may have, up to @wanted, while others have @others: the number,
    and the limit that forbids more or None. A stack and its guard are two mappings.
    """
    limits = [(name, room - others - 500) for name, room in task_limits()]
    mappings = read_number("/proc/sys/vm/max_map_count")
    if mappings:
        limits.append((f"vm.max_map_count of {mappings}", mappings // 2 - 100))
    name, room = min(limits, key=lambda limit: limit[1])
    return (wanted, None) if room >= wanted else (max(room, 0), name)
