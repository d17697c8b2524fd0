# SPDX-License-Identifier: Apache-2.0
"""Go's toolchains: the system's own, and those that tools/get-go brings; and what they build."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/go"

# From the first that whystuck knows to the newest.
VERSIONS = [f"1.{minor}" for minor in range(16, 28)]

# name: whether cgo is used, and what go build is told.
KINDS = {
    "plain": (False, []),
    "stripped": (False, ["-ldflags=-s -w"]),
    "pie": (False, ["-buildmode=pie"]),
    "cgo": (True, ["-ldflags=-linkmode=external"]),
    "cgo pie stripped": (True, ["-buildmode=pie", "-ldflags=-s -w -linkmode=external"]),
}


class Absent(Exception):
    """A toolchain that can't be had, and why."""


class Toolchain:
    def __init__(self, version, program):
        self.version, self.program = version, str(program)

    def environment(self, cgo):
        return {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOPROXY": "off",
                "GO111MODULE": "on", "CGO_ENABLED": str(int(cgo)), "CC": "gcc",
                "GOCACHE": str(BUILD / "cache")}

    def build(self, source, kind, tags=""):
        """The program of a folder's sources, built anew where these are newer than it."""
        cgo, options = KINDS[kind]
        name = "-".join([pathlib.Path(source).name, *kind.split(), *tags.split()])
        made = BUILD / self.version / name
        newest = max(file.stat().st_mtime for file in pathlib.Path(source).iterdir())
        if made.exists() and made.stat().st_mtime > newest:
            return made
        made.parent.mkdir(parents=True, exist_ok=True)
        # The language is this version's: without that the newest files would not be allowed theirs.
        module = made.parent / f"{pathlib.Path(source).name}.mod"
        text = (pathlib.Path(source) / "go.mod").read_text()
        module.write_text(re.sub(r"(?m)^go .*$", f"go {self.version}", text))
        command = [self.program, "build", f"-modfile={module}", "-buildvcs=false", *options,
                   "-o", str(made), "."]
        if int(self.version.split(".")[1]) < 18:
            command.remove("-buildvcs=false")
        subprocess.run(command, cwd=source, env=self.environment(cgo), check=True)
        return made


def version_of(program):
    """1.19 of what says "go version go1.19.8 linux/amd64"; None where it doesn't run."""
    if not program or not os.access(program, os.X_OK):
        return None
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=False,
                          env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    found = re.match(r"go version go(1\.\d+)", said)
    return found[1] if found else None


def system():
    """The toolchain that is installed."""
    program = shutil.which("go")
    version = version_of(program)
    if not version:
        raise Absent("no Go is installed")
    return Toolchain(version, program)


def get(version):
    """The toolchain of a version: the system's, or else one that is fetched."""
    program = shutil.which("go")
    if version_of(program) == version:
        return Toolchain(version, program)
    chains = BUILD / "toolchains"
    result = subprocess.run([ROOT / "tools/get-go", chains, version], text=True, check=False,
                            stdout=sys.stderr, stderr=subprocess.PIPE)
    if result.returncode:
        raise Absent(result.stderr.strip().removeprefix("get-go: "))
    return Toolchain(version, chains / version / "bin/go")
