# SPDX-License-Identifier: Apache-2.0
"""whystuck record: what it counts, how it writes that, and how it ends."""

import collections
import gzip
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree

import pytest
from browser import MISSING, browser
from conftest import (ROOT, SITUATIONS, WHYSTUCK, Situation, needs_root, state_of, threads_of,
                      tracer_of, until)

SVG = "{http://www.w3.org/2000/svg}"


# On a busy machine the target keeps to its times, and looks come in time, only if both go first.
AHEAD = ["nice", "-n", "-20"] if os.geteuid() == 0 else []


def record(*arguments, prefix=(), **options):
    """A recording that ends by itself."""
    options.setdefault("timeout", 60)
    result = subprocess.run([*prefix, WHYSTUCK, "record", *map(str, arguments)], stdin=subprocess.DEVNULL,
                            capture_output=True, check=False, **options)
    assert b"Sanitizer" not in result.stderr, result.stderr
    return result


def folded(text):
    """Stacks, as lists of frames, with how often each was met."""
    counts = collections.Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        counts[tuple(stack.split(";"))] += int(count)
    return counts


def looks_and_samples(result):
    """What -v tells."""
    found = re.search(r"whystuck: (\d+) looks? in .*, (\d+) samples", result.stderr.decode())
    assert found, result.stderr
    return int(found[1]), int(found[2])


class Recording:
    """One that is going on."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen([WHYSTUCK, "record", *map(str, arguments)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **options)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def until_it_looks(self):
        """Until it waits for the time of a look, as it does between them."""
        path = pathlib.Path(f"/proc/{self.process.pid}/wchan")
        until(lambda: path.read_text().startswith("do_sigtimedwait"), "a look to be over")

    def end(self, number):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return subprocess.CompletedProcess([], self.process.returncode, out, err)


# ---- what is counted

def test_sums_equal_the_samples_taken():
    with Situation("threads", 6) as scene:
        result = record("-v", "-d", 1, "-F", 50, scene.pid)
        assert result.returncode == 0, result.stderr
        looks, samples = looks_and_samples(result)
        assert 20 <= looks <= 50
        assert samples == 7 * looks
        counts = folded(result.stdout.decode())
        assert sum(counts.values()) == samples
        stacks = [stack for stack in counts if "rest_thread" in stack]
        assert [counts[stack] for stack in stacks] == [6 * looks]
        assert stacks[0][0] == "situations"
        assert stacks[0][-1].endswith("_[k]")


def test_shares_are_as_they_are():
    """30 % in a read, 20 % computing, 50 % behind a mutex."""
    with Situation("shares", prefix=AHEAD) as scene:
        result = record("-d", 10, scene.pid, prefix=AHEAD, timeout=90)
        assert result.returncode == 0, result.stderr
        counts = folded(result.stdout.decode())
        shares = collections.Counter()
        for stack, count in counts.items():
            for name in ("share_in_read", "share_in_f", "share_in_lock"):
                if name in stack:
                    shares[name] += count
        whole = sum(count for stack, count in counts.items() if "share_work" in stack)
        assert abs(shares["share_in_read"] / whole - 0.3) < 0.02, shares
        assert abs(shares["share_in_f"] / whole - 0.2) < 0.02, shares
        assert abs(shares["share_in_lock"] / whole - 0.5) < 0.02, shares


def test_processes_that_are_started_meanwhile(spawn, tmp_path):
    program = str(shutil.copy(SITUATIONS, tmp_path / "late-target"))
    with Situation("pause", program=program) as first, Recording("-F", 20, "late-target") as going:
        going.until_it_looks()
        with Situation("mutex", program=program):
            time.sleep(2.5)  # names are resolved once a second
        result = going.end(signal.SIGINT)
    counts = folded(result.stdout.decode())
    assert any("pause" in stack for stack in counts), counts
    assert any("futex" in " ".join(stack) for stack in counts), counts
    assert first.pid


@needs_root
def test_without_bpf():
    """In another pid namespace the kernel's ids are not those of /proc."""
    if subprocess.run(["unshare", "-pf", "--mount-proc", "true"], capture_output=True,
                      check=False).returncode:
        pytest.skip("no pid namespace can be had")
    script = (f"{SITUATIONS} threads 3 > /dev/null & sleep 0.5; "
              f"{WHYSTUCK} record -v -d 1 -F 20 $!; kill $!")
    result = subprocess.run(["unshare", "-pf", "--mount-proc", "sh", "-c", script],
                            capture_output=True, timeout=60, check=False)
    looks, samples = looks_and_samples(result)
    assert looks >= 10 and samples == 4 * looks
    assert sum(folded(result.stdout.decode()).values()) == samples


@pytest.mark.skipif(not shutil.which("go"), reason="needs Go")
def test_goroutines(tmp_path, spawn):
    source = tmp_path / "main.go"
    source.write_text("""package main
import ("fmt"; "time")
func worker(c chan int) { <-c }
func main() {
	c := make(chan int)
	for i := 0; i < 25; i++ { go worker(c) }
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
""")
    program = tmp_path / "goroutines"
    subprocess.run(["go", "build", "-o", program, source], check=True, timeout=300,
                   env={**os.environ, "GOFLAGS": "-buildvcs=false", "GO111MODULE": "off"})
    target = spawn([program], stdout=subprocess.PIPE)
    assert target.stdout.readline() == b"ready\n"
    time.sleep(0.5)  # until all have come to wait; those that have not are not counted below
    output = tmp_path / "out.pprof"
    result = record("-v", "-d", 1, "-F", 20, "-o", output, target.pid)
    assert result.returncode == 0, result.stderr
    looks, _ = looks_and_samples(result)
    traces = pprof("-traces", "-sample_index=samples", output)
    found = re.search(r"wait:  channel-receive.*?\n\s+(\d+)\s+main\.worker", traces, re.S) or \
        re.search(r"\n\s+(\d+)\s+main\.worker", traces)
    assert found and int(found[1]) == 25 * looks, traces


# ---- formats

def pprof(*arguments):
    return subprocess.run(["go", "tool", "pprof", *map(str, arguments)], check=True, timeout=120,
                          capture_output=True, text=True).stdout


@pytest.mark.skipif(not shutil.which("go"), reason="needs Go's pprof")
def test_pprof(tmp_path):
    output = tmp_path / "out.pb.gz"
    with Situation("threads", 6) as scene:
        result = record("-v", "-d", 1, "-F", 50, "-o", output, scene.pid)
    assert result.returncode == 0, result.stderr
    looks, samples = looks_and_samples(result)
    assert gzip.decompress(output.read_bytes())
    top = pprof("-top", "-sample_index=samples", output)
    assert "File: situations" in top
    total = re.search(r"of (\d+) total", top)
    assert total and int(total[1]) == samples, top
    assert re.search(rf"\s{samples}\s+100%\s+.*do_syscall_64", top), top
    traces = pprof("-traces", "-sample_index=samples", output)
    block = [part for part in traces.split("-----------+") if f"tid:  {scene.pid + 1}" in part]
    assert block or scene.pid, traces
    for label in ("process:  situations", "thread:  situations", "state:  S", "wait:  "):
        assert label in traces, traces
    assert len(re.findall(r"^\s+tid:  \d+", traces, re.M)) == 7
    assert re.search(rf"\s{looks}\s+do_sys_pause|\s{looks}\s+\S*pause", traces), traces
    wall = pprof("-top", "-sample_index=wall", "-unit=ms", output)
    seconds = float(re.search(r"of ([\d.]+)ms total", wall)[1]) / 1000
    assert 0.8 * 7 < seconds < 1.2 * 7, wall
    lines = pprof("-list=run_threads", f"-source_path={ROOT}", output)
    assert "threads.c" in lines


def test_svg_is_well_formed_and_adds_up(tmp_path):
    output = tmp_path / "out.svg"
    with Situation("threads", 3) as scene:
        result = record("-v", "-d", 0.5, "-o", output, scene.pid)
    assert result.returncode == 0, result.stderr
    root = xml.etree.ElementTree.parse(output).getroot()
    frames = root.findall(f"{SVG}g[@id='frames']/{SVG}g")
    titles = [frame.find(f"{SVG}title").text for frame in frames]
    assert titles[0].startswith("all\n")
    assert f" {looks_and_samples(result)[1]} samples, 100.00 %" in titles[0]
    by_depth = collections.Counter()
    for frame in frames:
        by_depth[int(frame.get("data-depth"))] += int(frame.get("data-size"))
    whole = int(root.get("data-total"))
    assert by_depth[0] == by_depth[1] == by_depth[2] == whole > 0
    assert all(one <= whole for one in by_depth.values())
    assert any(title.startswith("waiting: ") for title in titles)
    assert any(title.startswith("main\nnative, waiting") for title in titles)
    assert any("\nkernel, waiting" in title for title in titles)


@pytest.mark.parametrize("name", ["comm-markup", "comm-escapes"])
def test_hostile_names_are_escaped(name, tmp_path):
    output = tmp_path / "out.svg"
    with Situation(name) as scene:
        assert record("-d", 0.3, "-o", output, scene.pid).returncode == 0
        plain = record("-d", 0.3, scene.pid)
    text = output.read_text()
    assert text.count("<script") == 1 and text.count("</script>") == 1
    assert text.count("]]>") == 1
    root = xml.etree.ElementTree.parse(output).getroot()
    titles = [one.text for one in root.iter(f"{SVG}title")]
    expected = ("]]></script>&\"'" if name == "comm-markup"
                else "\\x1b[31m\\n\"\\\\\\xff\\t")
    assert any(title.startswith(expected + "\nprocess") for title in titles), titles
    line, = plain.stdout.decode().splitlines()
    assert line.startswith(expected.replace(";", ":") + ";")


@pytest.mark.skipif(bool(MISSING), reason=str(MISSING))
def test_svg_in_a_browser(tmp_path):
    """It zooms by a click, searches, tells how much matches, and goes back; hostile names are no
    markup there."""
    output = tmp_path / "out.svg"
    with Situation("threads", 3) as one, Situation("comm-markup") as other:
        assert record("-d", 0.5, "-o", output, one.pid, other.pid).returncode == 0
    with browser() as page:
        page.open(output)
        assert page.run("return document.documentElement.nodeName") == "svg"
        assert page.run("return document.querySelectorAll('script').length") == 1
        names = page.run("return Array.from(document.querySelectorAll('#frames title'), "
                         "(one) => one.textContent.split('\\n')[0])")
        assert "]]></script>&\"'" in names

        def group(name):
            return names.index(name) + 1

        def width(name):
            return page.run("return Number(document.querySelector('#frames g:nth-child(' + "
                            "arguments[0] + ') rect').getAttribute('width'))", group(name))

        assert width("all") == 1180
        before = width("situations")
        assert abs(before - 1180 * 4 / 5) < 40
        page.click(page.find(f"#frames g:nth-child({group('situations')})"))
        assert width("situations") == 1180
        assert page.run("return document.querySelectorAll('#frames g.hidden').length") > 0
        assert page.run("return document.querySelector('#frames g').classList.contains('outer')")
        page.click(page.find("#reset"))
        assert abs(width("situations") - before) < 0.1
        assert page.run("return document.querySelectorAll('#frames g.hidden').length") == 0

        page.click(page.find("#search"))
        page.press("^rest_")
        assert page.run("return document.querySelectorAll('#frames g.matched').length") == 1
        matched = page.run("return document.getElementById('matched').textContent")
        share = float(re.fullmatch(r"matched: ([\d.]+) %", matched)[1])
        assert abs(share - 60) < 3
        page.click(page.find("#clear"))
        assert page.run("return document.getElementById('matched').textContent") == ""
        page.click(page.find("#search"))
        page.press("(")
        assert page.run(
            "return document.getElementById('search').classList.contains('wrong')")


def test_format_goes_by_the_file(tmp_path):
    mask = os.umask(0o027)
    try:
        write_each_format(tmp_path, 0o027)
    finally:
        os.umask(mask)


def write_each_format(tmp_path, mask):
    with Situation("pause") as scene:
        for ending, begin in ((".svg", b"<?xml"), (".pprof", b"\x1f\x8b"), (".pb.gz", b"\x1f\x8b"),
                              (".txt", b"situations;"), (".folded", b"situations;")):
            output = tmp_path / f"out{ending}"
            assert record("-d", 0.1, "-F", 50, "-o", output, scene.pid).returncode == 0
            assert output.read_bytes().startswith(begin)
            assert output.stat().st_mode & 0o777 == 0o666 & ~mask
        output = tmp_path / "other.svg"
        assert record("-d", 0.1, "-f", "folded", "-o", output, scene.pid).returncode == 0
        assert output.read_bytes().startswith(b"situations;")
        assert record("-d", 0.1, "-o", "/dev/null", scene.pid).returncode == 0
        assert os.path.exists("/dev/null") and not os.path.isfile("/dev/null")


# ---- how it ends

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_with_what_it_has(number, tmp_path):
    output = tmp_path / "out.folded"
    with Situation("threads", 2) as scene, Recording("-v", "-o", output, scene.pid) as going:
        going.until_it_looks()
        time.sleep(0.3)  # some looks
        assert not output.exists()
        result = going.end(number)
        assert result.returncode == 0, result.stderr
        assert sum(folded(output.read_text()).values()) == looks_and_samples(result)[1] > 0
        assert [path.name for path in tmp_path.iterdir()] == ["out.folded"]
        assert all(state_of(scene.pid, tid) == "S" for tid in threads_of(scene.pid))


def test_killed_in_the_middle(tmp_path):
    """The file is as it was, and whoever was looked at goes on."""
    output = tmp_path / "out.svg"
    output.write_text("the old one")
    with Situation("workers", 9) as scene:
        for _ in range(20):
            with Recording("-F", 1000, "-o", output, scene.pid) as going:
                going.until_it_looks()
                assert scene.ask()["woken"] == 9
                going.process.kill()
                going.process.wait()
            assert output.read_text() == "the old one"
        for tid in threads_of(scene.pid):
            until(lambda tid=tid: state_of(scene.pid, tid) in "SRD" and
                  not tracer_of(scene.pid, tid), f"thread {tid} to be let go")
        assert scene.ask()["woken"] == 9


def test_no_call_of_the_target_is_interrupted():
    with Situation("workers", 9) as scene:
        before = scene.ask()
        result = record("-d", 2, "-F", 200, scene.pid)
        assert result.returncode == 0, result.stderr
        after = scene.ask()
        assert after["woken"] == 9
        assert after["interruptions"] == before["interruptions"] == 0


def test_it_ends_when_no_target_is_left(spawn):
    target = spawn(["sleep", "1000"])
    with Recording("-v", "-d", 60, target.pid) as going:
        going.until_it_looks()
        target.kill()
        out, err = going.process.communicate(timeout=20)
        assert going.process.returncode == 0, err
        assert all(stack[0] == "sleep" for stack in folded(out.decode()))


def test_memory_that_gives_no_answer(without_leak_check):
    """The first look hangs in it; the recording goes on all the same, of others too."""
    with Situation("userfault") as scene, Situation("threads", 3) as other:
        result = record("-v", "-d", 1, "-F", 20, scene.pid, other.pid)
        assert result.returncode == 1
        assert b"its memory gave no answer within 2 s" in result.stderr
        looks, samples = looks_and_samples(result)
        assert samples == looks * (len(threads_of(scene.pid)) + 4)
        assert any("rest_thread" in stack for stack in folded(result.stdout.decode()))


def test_missed_looks_are_told():
    """A thousand looks a second at what moves all the time are too many."""
    with Situation("thread-storm") as scene:
        result = record("-v", "-d", 1, "-F", 1000, scene.pid)
        assert re.search(rb"whystuck: \d+ looks were missed", result.stderr), result.stderr
        assert sum(folded(result.stdout.decode()).values()) == looks_and_samples(result)[1]


# ---- command line

@pytest.mark.parametrize("arguments", [
    [], ["-d", "0", "1"], ["-d", "x", "1"], ["-F", "0", "1"], ["-F", "1001", "1"],
    ["-F", "1e2", "1"], ["-f", "text", "1"], ["-p", "1"], ["-o", "/nosuch/x", "1"],
    ["-o", "/", "1"], ["no-process-has-this-name"], ["--duration"], ["-a", "1"]])
def test_wrong_usage(arguments):
    result = record(*arguments)
    assert result.returncode == 2
    assert result.stdout == b""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(b"whystuck: ")


def test_help():
    result = record("--help")
    assert result.returncode == 0
    assert result.stdout.startswith(b"Usage: whystuck record")
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    for word in (b"folded", b"pprof", b"svg"):
        assert word in result.stdout


def test_show_reaches_processes_named_like_commands(look, tmp_path):
    program = shutil.copy(SITUATIONS, tmp_path / "record")
    with Situation("pause", program=program) as scene:
        seen = subprocess.run([WHYSTUCK, "show", "record"], capture_output=True, text=True,
                              check=False)
        assert f"pid {scene.pid}" in seen.stdout


def on_terminal(*arguments):
    """Status, and all that it wrote to a terminal as its standard output and error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([WHYSTUCK, "record", *map(str, arguments)], stdin=theirs,
                               stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = bytearray()

    def read():
        try:
            while chunk := os.read(ours, 65536):
                written.extend(chunk)
        except OSError:
            pass  # the other end is closed

    reader = threading.Thread(target=read)
    reader.start()
    status = process.wait(timeout=30)
    reader.join()
    os.close(ours)
    return status, written.decode()


def test_progress_on_a_terminal(tmp_path):
    with Situation("pause") as scene:
        status, text = on_terminal("-d", 1, "-o", tmp_path / "x.folded", scene.pid)
    assert status == 0
    assert re.search(r"\rrecording \d\.\d s of 1 s \[=* *\] \d+ looks, 1 thread\x1b\[K", text), text
    assert re.search(r"\r\x1b\[Kwhystuck: \d+ looks ", text), text


def test_pprof_is_not_written_to_a_terminal():
    with Situation("pause") as scene:
        status, text = on_terminal("-d", 1, "-f", "pprof", scene.pid)
    assert status == 2
    assert "not for a terminal" in text
