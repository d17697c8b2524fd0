# SPDX-License-Identifier: Apache-2.0
"""Tables of what was measured: for a terminal, and for docs/bench.md."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass

TERMINAL, MARKDOWN = "terminal", "markdown"

ABOUT = """\
`make bench` wrote this file and the plot, in one run on the machine named below.

![Time of a look against the number of threads](growth.svg)

- **Target**: `bench/target.c`. Threads of 22 frames in seven kinds of wait; all rest.
- **Times** are wall times of the whole command, its output to nowhere, taken by `bench/launch.c` right
  around the command. The tools take turns in changing order, after a round that is not counted. Medians;
  the ratios are those of the medians.
- **Bare passes and copy** is `bench/floor.c`: the BPF program loaded, two passes over the threads and a
  copy of 4 KiB of each stack, by the parts whystuck is made of, and nothing else.
- **Pause** is the longest time between two beats of a thread of the target that sleeps 0.2 ms at a time,
  during a look at the target. An idle run is as long as the look before it, and nobody looks. The pause is
  within noise when its median is no longer than the longest of the idle runs; both ranges are given.
- **Growth** is the highest CPU time per thread over the lowest with fewer threads, from 100 threads on.
- **CPU time** is the command's own, in user mode and in the kernel.
"""


@dataclass
class Goal:
    """A figure that is aimed at, and what it came to."""
    what: str
    wanted: str
    reached: str
    met: bool = None  # None: not measured, and `reached` says why
    detail: str = ""

    @property
    def verdict(self):
        return {True: "met", False: "missed", None: "not measured"}[self.met]


def table(heads, rows, form):
    """Lines of a table. A head that begins with > stands over a column of figures."""
    right = [head.startswith(">") for head in heads]
    heads = [head.lstrip(">") for head in heads]
    if form == MARKDOWN:
        rule = ["--:" if figures else "---" for figures in right]
        return ["| " + " | ".join(row) + " |" for row in [heads, rule, *rows]]
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    return ["  ".join(cell.rjust(width) if figures else cell.ljust(width)
                      for cell, width, figures in zip(row, widths, right)).rstrip()
            for row in [heads, *rows]]


def goal_table(goals, form):
    rows = [(goal.what, goal.wanted, goal.reached, goal.verdict, goal.detail) for goal in goals]
    return table(["goal", "wanted", "reached", "", ""], rows, form)


def cost_table(measured, form):
    """@measured: pairs of a number of threads, or what else was looked at, and a tool."""
    rows = []
    for subject, tool in measured:
        low, high = tool.spread()
        rows.append((subject, tool.name, milliseconds(tool.median()),
                     f"{milliseconds(low)} – {milliseconds(high)}",
                     milliseconds(tool.median("cpu_ms")), f"{tool.median('peak_mib'):.0f}",
                     str(len(tool.results))))
    return table([">threads", "command", ">wall ms", ">lowest – highest", ">CPU ms", ">peak MiB",
                  ">runs"], rows, form)


def milliseconds(value):
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def first_version(command):
    """The version a program gives in its first line, or "none"."""
    try:
        line = subprocess.run([command, "--version"], capture_output=True, text=True,
                              check=False).stdout.split("\n")[0]
    except OSError:
        return "none"
    numbers = re.findall(r"\d+(?:\.\d+)+", line)
    return numbers[-1] if numbers else "unknown"


def machine(whystuck):
    """The machine in a line, without its name."""
    return (f"Linux {platform.release()} on {platform.machine()}, {os.cpu_count()} CPUs; "
            f"whystuck {first_version(whystuck)}, eu-stack {first_version('eu-stack')}, "
            f"gdb {first_version('gdb')}")


def write_page(path, goals, measured, notes, whystuck):
    lines = ["# What a look costs", "", *ABOUT.rstrip("\n").split("\n"), "",
             f"Machine: {machine(whystuck)}.", "", *goal_table(goals, MARKDOWN), ""]
    lines += [f"- {note}" for note in notes] + [""] * bool(notes)
    lines += ["The times behind them:", "", *cost_table(measured, MARKDOWN)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
