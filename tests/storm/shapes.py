#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""shapes.py SECONDS: no stack is shown that never was.

Looks again and again, in every way there is, at a process whose threads' stacks change for ever
and tell whether they are of one moment: shapes.c. WHYSTUCK and SHAPES name the programs; SHAPES with
"-deep" behind it is the one with large frames.
"""

import collections
import dataclasses
import json
import os
import re
import subprocess
import sys
import time

WHYSTUCK, SHAPES = os.environ["WHYSTUCK"], os.environ["SHAPES"]
LOOK_SECONDS = 60  # no look takes longer, however slow the sanitizers make it
SIZE = 1000  # of shapes.c
REST_MAX_NS = 20000 << 12  # of shapes.c
CALLS = {"read": "a", "timerfd_settime": "a", "futex": "b", "epoll_pwait2": "c"}
WAITS = {"a": "timerfd-read", "b": "futex", "c": "epoll"}
ENOUGH = 5  # stacks of each chain, in each way
PATIENCE = 60  # seconds more for each way, until it has seen enough


class Impossible(Exception):
    """A thread as shown that never was like that."""


@dataclasses.dataclass
class Way:
    """A way to look: its name, the count of threads, the options, and what must look so."""

    name: str
    threads: int
    options: list
    collector: str | None  # None: now the one, now the other
    in_namespace: bool = False  # where BPF's ids mean nothing, so that it is not taken
    deep: bool = False  # stacks that are longer than what is copied of one at once


WAYS = [
    Way("bpf, auto", 40, [], "bpf"),
    Way("bpf, never", 40, ["--stop=never"], "bpf"),
    Way("bpf, few", 4, ["--stop=never"], "bpf"),
    Way("few, auto", 4, [], None),
    Way("bpf, deep", 40, [], "bpf", deep=True),
    Way("few, deep", 4, ["--stop=never"], None, deep=True),
    Way("ptrace, deep", 8, ["--stop=always"], "ptrace", deep=True),
    Way("ptrace", 40, ["--stop=always"], "ptrace"),
    Way("ptrace, few", 4, ["--stop=always"], "ptrace"),
    Way("ptrace, auto", 40, [], "ptrace", in_namespace=True),
    Way("passive", 40, ["--stop=never"], "passive", in_namespace=True),
    Way("passive, few", 4, ["--stop=never"], "passive", in_namespace=True),
]


def require(condition, problem):
    if not condition:
        raise Impossible(problem)


def chain_of(functions):
    """Of a whole stack, innermost first: its chain, depth, and whether it stands at the end."""
    require("change_shapes" in functions, "no change_shapes() below the chain")
    above = functions[:functions.index("change_shapes")][::-1]
    links = []
    while len(links) < len(above) and re.fullmatch(r"[abcd]\d+", above[len(links)] or ""):
        links.append(above[len(links)])
    chain = links[0][0] if links else None
    require(links == [f"{chain}{number + 1}" for number in range(len(links))],
            "links of different moments")
    rest = above[len(links):]
    for function in rest:
        require(not re.fullmatch(r"[abcd]\d+|rest_[abcd]", function or "") or
                (function == rest[0] == f"rest_{chain}"), "a chain goes on in another's function")
    return chain, len(links), bool(rest) and rest[0] == f"rest_{chain}"


def kernel_call(thread):
    """The system call by the kernel stack; None: it has none."""
    found = {match[1] for frame in thread["kernel_stack"] or []
             if (match := re.fullmatch(r"(?:__(?:x64|arm64|se|do)_sys_|ksys_)([a-z_0-9]+)(?:\..+)?",
                                       frame["symbol"] or ""))}
    require(len(found) <= 1, f"one kernel stack in {found}")
    return found.pop() if found else None


def check_call(call, facts):
    """That the call's arguments are of this thread. The depth that they tell, or None."""
    values = {argument["name"]: argument["value"] for argument in call["args"]}
    if call["name"] == "read":
        require(values["fd"] == str(facts["timer"]), "read() of another thread's timer")
        return int(values["count"]) - SIZE
    if call["name"] == "futex":
        return (int(values["uaddr"], 16) - facts["words"]) / 4
    if call["name"] == "epoll_pwait2":
        require(values["epfd"] == str(facts["epoll"]), "another thread's epoll")
        return int(values["maxevents"]) - SIZE
    return None


def check_kernel_side(thread, facts):
    """That kernel stack and call fit. The chain of the call and its depth, None if not known."""
    call, inside = thread["syscall"], kernel_call(thread)
    frames = [frame["symbol"] or "" for frame in thread["kernel_stack"] or []]
    if inside:
        require(call, f"in {inside}() by its kernel stack, and in no call")
        require(call["name"] in (inside, "restart_syscall"),
                f"the kernel stack is in {inside}(), the call is {call['name']}()")
    elif call is None and frames:
        require(not any("do_syscall" in frame for frame in frames), "a call's kernel stack alone")
    if frames and thread["wchan"]:
        require(thread["wchan"] == frames[0], "the wait channel is of another moment")
    if not call or call["name"] == "restart_syscall":
        return None, None
    require(call["name"] in CALLS, f"no thread calls {call['name']}()")
    return CALLS[call["name"]], check_call(call, facts)


def brief(thread):
    """A thread in a line."""
    return (f"state {thread['state']}, in {(thread['syscall'] or {'text': None})['text']}, kernel "
            f"{[frame['symbol'] for frame in thread['kernel_stack'] or []]}, user "
            f"{[frame['symbol'] for frame in thread['user_stack'] or []]}, "
            f"stopped for {thread['stopped_ns']} ns, asleep for {thread['blocked_ns']} ns, "
            f"gaps {[gap['reason'] for gap in thread['gaps']]}")


def check(thread, facts, number, look_ns):
    """The chain of the thread's stack, None if that is not shown whole. Raises Impossible."""
    called, told = check_kernel_side(thread, facts)
    if thread["state"] == "S":
        require((thread["blocked_ns"] or 0) < REST_MAX_NS + look_ns + 10**9,
                "asleep for longer than any thread sleeps")
    if thread["state"] == "S" and called and thread["wait"] and thread["kernel_stack"]:
        require(thread["wait"]["kind"] == WAITS[called],
                f"in {thread['syscall']['name']}() it waits for {thread['wait']['kind']}")
    if told is not None:
        require(told in range(1, 21), f"a call of depth {told}")
    if thread["user_stack_end"] != "complete":
        return None
    functions = [frame["symbol"] for frame in thread["user_stack"] if not frame["inlined"]]
    require(("begin_odd" if number % 2 else "begin_even") in functions, "another thread's stack")
    chain, depth, at_end = chain_of(functions)
    if called:
        require(chain == called and at_end, f"a stack of chain {chain} in a call of {called}")
        require(told in (None, depth), f"a stack of depth {depth} in a call of depth {told}")
    elif thread["syscall"]:
        require(chain in ("b", "c") and at_end, f"chain {chain} does not restart a call")
    return chain


class Target:
    """The program, where the looks find it, and what it says of its threads."""

    def __init__(self, way):
        command = [SHAPES + ("-deep" if way.deep else ""), str(way.threads)]
        self.prefix = []
        if way.in_namespace:
            command = ["unshare", "-p", "-f", "--kill-child", "--mount-proc", *command]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.facts = json.loads(self.process.stdout.readline())["threads"]
        self.pid = self.process.pid
        self.host_pid = self.pid
        if way.in_namespace:
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as children:
                self.host_pid = int(children.read().split()[0])
            self.prefix = ["nsenter", "-t", str(self.host_pid), "-p", "-m"]
            self.pid = 1

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def check_unharmed(self):
        assert self.process.poll() is None, "the target has ended"
        for tid in os.listdir(f"/proc/{self.host_pid}/task"):
            with open(f"/proc/{self.host_pid}/task/{tid}/status", encoding="utf-8") as status:
                text = status.read()
            assert "TracerPid:\t0\n" in text, f"thread {tid} is traced: {text}"
            assert not re.search(r"State:\s[tT]", text), f"thread {tid} is stopped: {text}"


class Tally:
    """What was seen in one way."""

    def __init__(self, way):
        self.way = way
        self.looks = 0
        self.chains = collections.Counter()
        self.joined = 0    # a stack, a call and a kernel stack together
        self.not_whole = collections.Counter()
        self.impossible = []
        self.collectors = collections.Counter()

    def look(self, target):
        began = time.monotonic_ns()
        result = subprocess.run(
            [*target.prefix, WHYSTUCK, "-v", "-f", "json", "--no-lines", *self.way.options,
             str(target.pid)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=LOOK_SECONDS, check=False)
        took = time.monotonic_ns() - began
        assert "Sanitizer" not in result.stderr and "runtime error" not in result.stderr, \
            result.stderr
        assert result.returncode in (0, 1), f"status {result.returncode}: {result.stderr}"
        self.looks += 1
        self.collectors.update(re.findall(r"looked by (\w+)", result.stderr))
        threads = {thread["tid"]: thread
                   for thread in json.loads(result.stdout)["processes"][0]["threads"]}
        for number, facts in enumerate(target.facts):
            self.take(threads[facts["tid"]], facts, number, took)

    def take(self, thread, facts, number, took):
        try:
            chain = check(thread, facts, number, took)
        except Impossible as problem:
            self.impossible.append((str(problem), thread))
            return
        if chain:
            self.chains[chain] += 1
            self.joined += bool(thread["syscall"] and thread["kernel_stack"])
        elif thread["user_stack_end"] == "complete":
            self.chains["between"] += 1
        else:
            self.not_whole[thread["state"]] += 1

    def has_enough(self):
        return not any(self.missing())

    def missing(self):
        """What there is too little of for the way to be proved."""
        for chain in "abc":
            if self.chains[chain] < ENOUGH:
                yield f"only {self.chains[chain]} stacks of chain {chain} were seen whole"
        if "--stop=never" not in self.way.options and not self.chains["d"]:
            yield "no stack of chain d, which runs, was seen whole"
        if self.joined < ENOUGH:
            yield f"only {self.joined} stacks were seen with their call and kernel stack"
        if self.way.collector and not self.collectors[self.way.collector]:
            yield f"never looked by {self.way.collector}, but by {dict(self.collectors)}"

    def problems(self):
        yield from (f"impossible: {problem}: {brief(thread)}"
                    for problem, thread in self.impossible[:3])
        yield from self.missing()


def main():
    seconds = float(sys.argv[1])
    failed = False
    print(f"{'way':<14}{'looks':>6}{'a':>8}{'b':>8}{'c':>8}{'d':>8}{'between':>9}{'with call':>11}"
          f"{'not whole':>11}{'impossible':>12}")
    refused = subprocess.run(["unshare", "-p", "-f", "--mount-proc", "true"], capture_output=True,
                             text=True, check=False).stderr
    for way in WAYS:
        if way.in_namespace and refused:
            print(f"{way.name:<14} left out: {refused.strip()}")
            continue
        tally = Tally(way)
        with Target(way) as target:
            end = time.monotonic() + seconds / len(WAYS)
            while time.monotonic() < end or \
                    (not tally.has_enough() and time.monotonic() < end + PATIENCE):
                tally.look(target)
            target.check_unharmed()
        counts = "".join(f"{tally.chains[chain]:>8}" for chain in "abcd")
        print(f"{way.name:<14}{tally.looks:>6}{counts}{tally.chains['between']:>9}"
              f"{tally.joined:>11}{sum(tally.not_whole.values()):>11}"
              f"{len(tally.impossible):>12}", flush=True)
        for problem in tally.problems():
            print(f"  FAILED: {problem}")
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
