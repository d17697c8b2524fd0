# SPDX-License-Identifier: Apache-2.0
"""Programs and libraries that are gone, replaced, cut off or made to mislead while they run."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

import pytest
from conftest import SITUATIONS, Situation, assert_reaches_main, functions, read_proc, until


@pytest.fixture(name="copy")
def copy_fixture(tmp_path):
    """A copy of the situations program that a test may break."""
    return pathlib.Path(shutil.copy(SITUATIONS, tmp_path / "situations"))


def replace(path, content):
    """Puts another file in a path's place; who runs the old one keeps it."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(0o755)
    new.rename(path)


def test_deleted(look, copy):
    """The program that runs has been deleted: it is read all the same."""
    with Situation("pause", program=str(copy)) as scene:
        copy.unlink()
        seen = look(scene.pid)
        thread = seen.thread(scene.pid)
        assert_reaches_main(thread)
        assert any("run_pause" == name for name in functions(thread))


def test_replaced_by_other_program(look, copy):
    """An update under a running program: names come from what runs, not from what is there now."""
    with Situation("pause", program=str(copy)) as scene:
        replace(copy, pathlib.Path("/bin/true").read_bytes())
        assert_reaches_main(look(scene.pid).thread(scene.pid))


def test_replaced_by_text(look, copy):
    with Situation("pause", program=str(copy)) as scene:
        replace(copy, b"#!/bin/sh\nexit 0\n" * 1000)
        assert_reaches_main(look(scene.pid).thread(scene.pid))


def test_replaced_by_fifo(look, copy):
    """Opening what has the program's name now would wait for ever."""
    with Situation("pause", program=str(copy)) as scene:
        copy.unlink()
        os.mkfifo(copy)
        began = time.monotonic()
        assert_reaches_main(look(scene.pid).thread(scene.pid))
        assert time.monotonic() - began < 5


def elf_sections(content):
    """Where the section headers of a 64-bit ELF file stand: [(offset, name)]."""
    start, = struct.unpack_from("<Q", content, 0x28)
    size, count, names = struct.unpack_from("<HHH", content, 0x3a)
    names_offset, = struct.unpack_from("<Q", content, start + names * size + 0x18)
    found = []
    for number in range(count):
        at = start + number * size
        name, = struct.unpack_from("<I", content, at)
        end = content.index(b"\0", names_offset + name)
        found.append((at, content[names_offset + name:end].decode()))
    return found


def section(content, name):
    """Offset and size of a section's content."""
    at = next(at for at, found in elf_sections(content) if found == name)
    return struct.unpack_from("<QQ", content, at + 0x18)


def headers_all_ones(content):
    for at, _ in elf_sections(content):
        content[at:at + 64] = b"\xff" * 64


def headers_past_the_end(content):
    struct.pack_into("<Q", content, 0x28, len(content) - 32)


def headers_without_number(content):
    struct.pack_into("<HHH", content, 0x3a, 1, 0xffff, 0xfffe)


def huge_sections(content):
    """Every section as large as a size can be, over the whole file."""
    for at, _ in elf_sections(content):
        struct.pack_into("<QQ", content, at + 0x18, 0, 2**63)


def cyclic_links(content):
    """Section n's link is n itself, and its entries have no size."""
    for number, (at, _) in enumerate(elf_sections(content)):
        struct.pack_into("<I", content, at + 0x28, number)
        struct.pack_into("<Q", content, at + 0x38, 0)


def symbols_all_ones(content):
    for name in (".symtab", ".dynsym"):
        offset, size = section(content, name)
        content[offset:offset + size] = b"\xff" * size


def names_without_end(content):
    offset, size = section(content, ".strtab")
    content[offset:offset + size] = b"A" * size


def debug_all_ones(content):
    for name in (".debug_info", ".debug_line", ".debug_abbrev", ".debug_str"):
        offset, size = section(content, name)
        content[offset:offset + size] = b"\xff" * size


def debug_scrambled(content):
    """Debug information with every seventh byte turned around."""
    for name in (".debug_info", ".debug_line", ".debug_abbrev"):
        offset, size = section(content, name)
        for at in range(offset, offset + size, 7):
            content[at] ^= 0x5a


BREAKAGES = [headers_all_ones, headers_past_the_end, headers_without_number, huge_sections,
             cyclic_links, symbols_all_ones, names_without_end, debug_all_ones, debug_scrambled]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda one: one.__name__)
def test_hostile_elf(look, run, copy, breakage):
    """Section headers, symbols and debug information that mislead, in a program that runs.

    What the kernel and the C library go by is whole: the program headers and what they load.
    """
    content = bytearray(copy.read_bytes())
    loaded = bytes(content)
    breakage(content)
    if breakage is symbols_all_ones:  # .dynsym is loaded: the dynamic linker needs it
        offset, size = section(loaded, ".dynsym")
        content[offset:offset + size] = loaded[offset:offset + size]
    copy.write_bytes(content)
    with Situation("pause", program=str(copy)) as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert thread["syscall"]["text"] == "pause()"
        assert thread["user_stack"]
        assert thread["user_stack"][0]["symbol"] in ("pause", "__libc_pause")
        assert run([scene.pid]).out


def frames_all_ones(content, offset, size):
    content[offset:offset + size] = b"\xff" * size


def frames_zero(content, offset, size):
    content[offset:offset + size] = b"\0" * size


def frames_scrambled(content, offset, size):
    for at in range(offset, offset + size, 11):
        content[at] ^= 0x2d


@pytest.mark.parametrize("breakage", [frames_all_ones, frames_zero, frames_scrambled],
                         ids=lambda one: one.__name__)
def test_hostile_frame_information(look, copy, breakage):
    """.eh_frame, which no program needs until it throws, says nonsense."""
    content = bytearray(copy.read_bytes())
    breakage(content, *section(content, ".eh_frame"))
    copy.write_bytes(content)
    with Situation("pause", program=str(copy)) as scene:
        thread = look(scene.pid).thread(scene.pid)
        assert thread["user_stack"][0]["symbol"] in ("pause", "__libc_pause")
        if thread["user_stack_end"] != "complete":
            assert any(gap["stage"] == "user_stack" for gap in thread["gaps"])


LIBRARY_USER = """
import ctypes, sys, time
library = ctypes.CDLL(sys.argv[1])
print("ready", flush=True)
library.wait_here()
"""


@pytest.fixture(name="library")
def library_fixture(tmp_path):
    """A shared library with a function that waits."""
    source = tmp_path / "library.c"
    source.write_text("#include <unistd.h>\nint wait_here(void) { return pause() + 1; }\n")
    path = tmp_path / "liblibrary.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", path, source],
                   check=True)
    return path


def start_library_user(spawn, library):
    user = spawn([sys.executable, "-c", LIBRARY_USER, str(library)], stdout=subprocess.PIPE,
                 text=True)
    assert user.stdout.readline() == "ready\n"
    until(lambda: read_proc(f"/proc/{user.pid}/syscall").startswith("34 "), "pause()")
    return user


def test_library_truncated(look, spawn, library):
    """A library that is cut off while it is mapped: a mapping of ours would end us by SIGBUS."""
    user = start_library_user(spawn, library)
    for size in (4097, 64, 1, 0):
        os.truncate(library, size)
        seen = look(user.pid)
        assert seen.status in (0, 1)
        assert functions(seen.thread(user.pid))[0] in ("pause", "__libc_pause")
    assert user.poll() is None


def test_library_replaced_by_fifo(look, spawn, library):
    user = start_library_user(spawn, library)
    library.unlink()
    os.mkfifo(library)
    began = time.monotonic()
    seen = look(user.pid)
    assert time.monotonic() - began < 5
    assert "wait_here" in functions(seen.thread(user.pid))
