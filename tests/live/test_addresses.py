# SPDX-License-Identifier: Apache-2.0
"""--addresses: where the kernel's frames are, for those who may know and ask."""

import re
import subprocess

import pytest
from conftest import Situation, needs_root, read_proc


def kernel_symbols():
    """Where each symbol of the kernel starts; those of the same name share an entry."""
    starts = {}
    for line in read_proc("/proc/kallsyms").splitlines():
        address, _, name = line.split()[:3]
        starts.setdefault(name, set()).add(int(address, 16))
    return starts


def addresses_of(look):
    return [frame["address"] for process in look.processes for thread in process["threads"]
            for frame in thread["kernel_stack"] or []]


@pytest.fixture(name="bpf")
def bpf_fixture(run):
    """Leaves out what only BPF can show where it can't be had."""
    with Situation("threads", 20) as scene:
        how = run(["-v", scene.pid]).err
        if "looked by bpf" not in how:
            pytest.skip(how.splitlines()[0])


@needs_root
@pytest.mark.usefixtures("bpf")
@pytest.mark.parametrize("threads", [1, 20])
def test_addresses_are_those_of_the_symbols(look, threads):
    """The address less the offset is where /proc/kallsyms has the symbol."""
    starts = kernel_symbols()
    if not any(starts.get("schedule", {0})):
        pytest.skip("the kernel hides its addresses")
    with Situation("threads", threads) as scene:
        seen = look(scene.pid, "--addresses")
        assert seen.status == 0, seen.err
        frames = [frame for thread in seen.process(scene.pid)["threads"]
                  for frame in thread["kernel_stack"]]
        assert len(frames) > 3 * threads
        for frame in frames:
            assert int(frame["address"], 16) - frame["offset"] in starts[frame["symbol"]], frame


@needs_root
@pytest.mark.usefixtures("bpf")
def test_addresses_in_text(run, look):
    with Situation("pause") as scene:
        frame = look(scene.pid, "--addresses").thread(scene.pid)["kernel_stack"][0]
        if not frame["address"]:
            pytest.skip("the kernel hides its addresses")
        shown = f"{frame['address']} {frame['symbol']}+"
        assert shown in run([scene.pid, "--addresses"]).out
        assert frame["address"] not in run([scene.pid]).out


def test_no_addresses_unasked(look):
    with Situation("threads", 20) as scene:
        assert set(addresses_of(look(scene.pid))) <= {None}


@needs_root
def test_without_bpf(look):
    """What was asked for and can't be shown is said, once."""
    with Situation("threads", 5) as scene:
        seen = look(scene.pid, "--addresses", "--stop=always")
        assert seen.status == 1
        assert len(seen.messages) == 1
        assert "addresses" in seen.messages[0]
        assert set(addresses_of(seen)) == {None}


@needs_root
def test_hidden_by_the_kernel(look):
    """What the kernel does not show to the caller in /proc/kallsyms is not told by way of BPF."""
    without = ("setpriv", "--bounding-set=-syslog")
    symbols = subprocess.run([*without, "cat", "/proc/kallsyms"], capture_output=True, text=True,
                             check=False)
    if symbols.returncode or re.search("^0*[1-9a-f]", symbols.stdout, re.MULTILINE):
        pytest.skip("this kernel shows its addresses to all (kernel.perf_event_paranoid < 2)")
    with Situation("pause") as scene:
        seen = look(scene.pid, "--addresses", prefix=without)
        assert seen.status == 1
        assert len(seen.messages) == 1
        assert "CAP_SYSLOG" in seen.messages[0]
        assert set(addresses_of(seen)) == {None}
