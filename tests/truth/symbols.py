# SPDX-License-Identifier: Apache-2.0
"""Names as tools give them, and whether two of them mean the same function."""

import functools
import os
import re
import subprocess

# What one tool adds to a name and another leaves out.
DECORATIONS = (
    re.compile(r"@@?[A-Z][\w.]*$"),  # a symbol's version
    re.compile(r"(\.(constprop|isra|part|cold|lto_priv|localalias|llvm)(\.\d+)?)+$"),
    re.compile(r"::h[0-9a-f]{16}(E)?$"),  # Rust's hash
    re.compile(r"\{\{vtable\.shim\}\}$"),
    re.compile(r" \[clone [^]]*\]"),
    re.compile(r"\[abi:\w+\]"),
)


def without_brackets(name, opening, closing):
    """A name without what stands between brackets, for templates and parameters."""
    kept, depth = [], 0
    for letter in name:
        if letter == opening:
            depth += 1
        elif letter == closing and depth:
            depth -= 1
        elif not depth:
            kept.append(letter)
    return "".join(kept)


# The escapes of Rust's older mangling, which eu-stack leaves in a name.
ESCAPES = {"$u7b$": "{", "$u7d$": "}", "$LT$": "<", "$GT$": ">", "$u20$": " ", "$C$": ",",
           "$RF$": "&", "$BP$": "*", "..": "::", "$LP$": "(", "$RP$": ")"}


def unescaped(name):
    if "$" in name:
        for escape, letter in ESCAPES.items():
            name = name.replace(escape, letter)
        name = re.sub(r"(^|::)_(?=[{<])", r"\1", name)
    return name


def bare(name):
    """The function's name alone: no version, clone, parameters, template arguments or result.

    A lambda or closure has a number in one tool's names and in another's the scope that it is in.
    """
    name = re.sub(r"^__vdso_", "", unescaped(name))
    name = name.replace("(anonymous namespace)", "{anonymous}").replace("->", "")
    name = re.sub(r"\boperator\(\)", "{call}", name)
    name = re.sub(r"\boperator<+", "{less}", name)
    name = re.sub(r"\boperator>+", "{more}", name)
    before = None
    while before != name:
        before = name
        for decoration in DECORATIONS:
            name = decoration.sub("", name)
    name = re.sub(r"\{\{closure\}\}|\{(lambda|closure)[^{}]*\}(#\d+)?|<lambda\([^<>]*\)>",
                  "{lambda}", name)
    name = without_brackets(name, "<", ">")
    name = without_brackets(name, "(", ")")
    name = re.sub(r"\s*\bconst$", "", name.strip())
    return re.sub(r"(::)+$", "", name).split(" ")[-1]


def debug_file(path):
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=False)
    found = re.search(r"Build ID: (\w\w)(\w+)", notes.stdout)
    debug = f"/usr/lib/debug/.build-id/{found[1]}/{found[2]}.debug" if found else ""
    return debug if os.path.exists(debug) else None


@functools.lru_cache(maxsize=None)
def addresses(path):
    """name -> addresses of the functions of that name in an ELF file and its debug file."""
    table = {}
    for options in (["-D"], ["-a"], ["-C"], ["-DC"]):
        for file in filter(None, (path, debug_file(path))):
            listed = subprocess.run(["nm", *options, "--defined-only", file],
                                    capture_output=True, text=True, errors="replace", check=False)
            for line in listed.stdout.splitlines():
                parts = line.split(" ", 2)
                if len(parts) == 3 and parts[1] in "tTwWiuV":
                    table.setdefault(bare(parts[2]), set()).add(int(parts[0], 16))
    return table


def same_function(one, other, module):
    """Whether two names, as two tools give them, are of the same function of @module."""
    one, other = bare(one), bare(other)
    if one == other or one.split("::")[-1] == other.split("::")[-1]:
        return True
    if not module or not os.path.exists(module):
        return False
    table = addresses(module)
    return bool(table.get(one, set()) & table.get(other, set()))
