# SPDX-License-Identifier: Apache-2.0
"""Builds the Go programs of the live tests.

GO=/path/to/go takes another toolchain than the one that is installed.
"""

import os
import re
import shutil
import subprocess

import pytest

from conftest import ROOT

GO = os.environ.get("GO") or shutil.which("go")
needs_go = pytest.mark.skipif(not GO, reason="no Go is installed")


def build(name, folder, *options, cgo=False):
    """The program of tests/go/@name, in @folder, as go build makes it with @options."""
    source = ROOT / "tests/go" / name
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOPROXY": "off",
                   "GO111MODULE": "on", "CGO_ENABLED": str(int(cgo)), "CC": "gcc",
                   "GOCACHE": str(ROOT / "build/go-cache")}
    said = subprocess.run([GO, "version"], env=environment, capture_output=True, text=True,
                          check=True).stdout
    version = re.search(r"go(1\.\d+)", said)[1]
    # The language of the version itself: an older one has its timers' channels from before 1.23.
    module = folder / f"{name}.mod"
    module.write_text(re.sub(r"(?m)^go .*$", f"go {version}", (source / "go.mod").read_text()))
    program = folder / name
    subprocess.run([GO, "build", f"-modfile={module}", "-buildvcs=false", *options, "-o", program,
                    "."], cwd=source, env=environment, check=True)
    return program
