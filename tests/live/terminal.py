# SPDX-License-Identifier: Apache-2.0
"""A terminal of tmux's, in which a test types and reads what is on the screen."""

import os
import re
import subprocess
import uuid

import pytest
from conftest import SANITIZED, WHYSTUCK, descendants, read_proc, until

SECONDS = 20 if SANITIZED else 10  # within which a key or a look shows


class Terminal:
    """A terminal with whystuck top in it, or with a shell; its text as one sees it."""

    def __init__(self, arguments=(), width=120, height=30, command=None, environment=None, cwd=None):
        self.socket = f"whystuck-test-{uuid.uuid4().hex[:12]}"
        variables = {"LC_ALL": "C.UTF-8", "NO_COLOR": "", **(environment or {})}
        settings = " ".join(f"{name}='{value}'" for name, value in variables.items())
        top = " ".join([WHYSTUCK, "top", *map(str, arguments)])
        line = command or f"{settings} {top}; echo status $?; exec cat"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                  *(["-c", str(cwd)] if cwd else []), line)

    def tmux(self, *arguments):
        result = subprocess.run(["tmux", "-u", "-L", self.socket, *arguments], capture_output=True,
                                text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
        assert result.returncode == 0, result.stderr
        return result.stdout

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.tmux("kill-server")

    def text(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def lines(self):
        return self.text().splitlines()

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def shows(self, *words, without=()):
        """Waits until all of the words are seen, and none of the others; the text then."""
        seen = []

        def is_there():
            seen[:] = [self.text()]
            return (all(word in seen[0] for word in words)
                    and not any(word in seen[0] for word in without))

        try:
            until(is_there, f"{words} without {without}", SECONDS)
        except BaseException:
            print(seen[0])
            raise
        return seen[0]

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def is_full_screen(self):
        return self.tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    @property
    def top(self):
        """The pid of whystuck in it."""
        pane = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        for pid in [*descendants(pane), pane]:
            if read_proc(f"/proc/{pid}/comm").strip() == "whystuck":
                return pid
        pytest.fail("whystuck does not run")

    def selected(self):
        """The lines shown in reverse below the heads of columns."""
        reverse, found = False, []
        for line in self.text("-e").split("\n"):
            in_reverse = ""
            for text, codes in re.findall(r"([^\033]*)(?:\033\[([0-9;]*)m|$)", line):
                in_reverse += text if reverse else ""
                for code in codes.split(";") if codes else []:
                    reverse = code == "7" or (reverse and code not in ("0", "27"))
            if in_reverse:
                found.append(in_reverse)
        return found[1:]

    def row(self, tid):
        """The line of the thread."""
        found = [line for line in self.lines() if re.search(rf"\b{tid}\b", line[:20])]
        assert found, self.text()
        return found[0]
