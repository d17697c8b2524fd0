# SPDX-License-Identifier: Apache-2.0
"""Goroutines as two tell of them: the Go runtime's own dump, and whystuck's JSON."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Frame:
    function: str
    file: str
    line: int

    def __str__(self):
        return f"{self.function} {self.file}:{self.line}"


@dataclasses.dataclass
class Goroutine:
    """`frames` is None where the stack is not told; `elided` frames are left out before the last
    `outer` ones (-1: an unknown number, after all that are there)."""

    id: int
    status: str
    minutes: int = 0
    wait_ns: int | None = None
    locked: bool = False
    frames: list | None = None
    elided: int = 0
    outer: int = 0
    creator: Frame | None = None
    creator_id: int | None = None
    tid: int | None = None
    stack_end: str | None = None
    gaps: list = dataclasses.field(default_factory=list)
    calls: int = 0  # frames that are not inlined

    @property
    def functions(self):
        return [frame.function for frame in self.frames or []]

    def is_in(self, function):
        return function in self.functions


# goroutine 7 gp=0xc000 m=nil [chan receive, 3 minutes, locked to thread] {k: v}:
HEADER = re.compile(r"goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[(.*?)\](?: \{.*\})?:$")
CALL = re.compile(r"(.+)\([^()]*\)$")
CREATED = re.compile(r"created by (.+?)(?: in goroutine (\d+))?$")
PLACE = re.compile(r"\t(.+):(\d+)(?: \+0x[0-9a-f]+)?(?: fp=.*)?$")
ELIDED = re.compile(r"\.\.\.(?:(\d+)|additional) frames elided\.\.\.$")
UNAVAILABLE = "\tgoroutine running on other thread; stack unavailable"


class DumpError(Exception):
    """The dump has a line that is not understood: nothing is compared then."""


def _header(found):
    goroutine = Goroutine(int(found[1]), "", frames=[])
    for number, word in enumerate(found[2].split(", ")):
        minutes = re.fullmatch(r"(\d+) minutes", word)
        if number == 0:
            goroutine.status = word.replace(" (scan)", "").replace(" (durable)", "")
        elif minutes:
            goroutine.minutes = int(minutes[1])
        elif word == "locked to thread":
            goroutine.locked = True
        elif not word.startswith("synctest "):
            raise DumpError(f"what is {word!r} in a header?")
    return goroutine


def _body(goroutine, lines):
    lines = iter(lines)
    for line in lines:
        elided = ELIDED.match(line)
        created = CREATED.match(line)
        call = CALL.match(line)
        if line == UNAVAILABLE:
            goroutine.frames = None
        elif elided:
            goroutine.elided = int(elided[1] or -1)
            goroutine.outer = -len(goroutine.frames)
        elif created or call:
            place = PLACE.match(next(lines, ""))
            if not place:
                raise DumpError(f"no place after {line!r}")
            frame = Frame((created or call)[1], place[1], int(place[2]))
            if created:
                goroutine.creator = frame
                goroutine.creator_id = int(created[2]) if created[2] else None
            else:
                goroutine.frames.append(frame)
        else:
            raise DumpError(f"what is {line!r}?")
    if goroutine.elided > 0:
        goroutine.outer += len(goroutine.frames)


def parse(text):
    """The goroutines of a dump, by id. What is no goroutine (a title, registers) is passed over;
    goroutine 0 is a thread's scheduler stack."""
    goroutines = {}
    for part in text.split("\n\n"):
        lines = part.strip("\n").split("\n")
        while lines and not lines[0].startswith("goroutine "):
            lines.pop(0)
        found = HEADER.match(lines[0]) if lines else None
        if not found or found[1] == "0":
            continue
        goroutine = _header(found)
        _body(goroutine, lines[1:])
        goroutines[goroutine.id] = goroutine
    return goroutines


def _frame(frame):
    # The runtime's traceback calls gopanic what the source calls it.
    name = "panic" if frame["symbol"] == "runtime.gopanic" else frame["symbol"]
    return Frame(name, frame["file"], frame["line"])


def minor_of(process):
    """27 of a process of Go 1.27."""
    return int(re.match(r"go1\.(\d+)", process["runtime"])[1])


def of_json(process):
    """The goroutines of a process in whystuck's JSON, by id. Their stacks have C's functions too;
    the runtime's dump has Go's alone."""
    goroutines = {}
    for entry in process["goroutines"]:
        waiting = entry["status"] == "waiting" and entry["wait_reason"]
        created = entry["created_by"]
        goroutine = Goroutine(
            entry["id"], entry["wait_reason"] if waiting else entry["status"],
            wait_ns=entry["wait_ns"], locked=entry["locked"], tid=entry["tid"],
            frames=[_frame(frame) for frame in entry["stack"] if frame["kind"] == "go"],
            calls=sum(not frame["inlined"] for frame in entry["stack"] if frame["kind"] == "go"),
            stack_end=entry["stack_end"], gaps=[gap["reason"] for gap in entry["gaps"]],
            creator=_frame(created) if created else None,
            creator_id=created["goroutine"] if created else None)
        goroutine.status = goroutine.status.replace(" (durable)", "")
        if entry["id"] in goroutines:
            raise DumpError(f"goroutine {entry['id']} is listed twice")
        goroutines[goroutine.id] = goroutine
    return goroutines


# Up to Go 1.20 the runtime goes no further, and says so only where none of these is hidden
# (runtime/traceback.go, gentraceback and traceback1).
CALLS_MAX_1_20 = 100


def _frames_differ(ours, theirs, minor):
    if theirs.frames is None:
        return None
    mine, other = ours.frames or [], theirs.frames
    if theirs.elided > 0:
        inner = len(other) - theirs.outer
        if len(mine) != len(other) + theirs.elided:
            return f"{len(mine)} frames, not {len(other)} and {theirs.elided} elided"
        mine = mine[:inner] + mine[len(mine) - theirs.outer:]
    elif theirs.elided < 0 or (minor <= 20 and ours.calls > CALLS_MAX_1_20):
        mine = mine[:len(other)]
    for number, (one, two) in enumerate(zip(mine, other)):
        if one != two:
            return f"frame {number}: {one}, not {two}"
    if len(mine) != len(other):
        longer = mine if len(mine) > len(other) else other
        return (f"{len(mine)} frames, not {len(other)}: "
                f"{'more' if longer is mine else 'without'} {longer[min(len(mine), len(other))]}")
    if ours.stack_end != "complete":
        return f"the stack's end is {ours.stack_end!r}"
    return None


def _hides_creator(ours, theirs):
    """The runtime shows no creator that is inside of itself, where it hides its frames."""
    return not theirs.creator and ours.creator and \
        re.match(r"runtime\.[^A-Z]", ours.creator.function)


def difference(ours, theirs, seconds, minor):
    """What is not the same in whystuck's and the runtime's view of a goroutine, in words; None:
    nothing. `seconds` is the time between the begin of the one and the end of the other; `minor`
    the version of Go."""
    if ours.status != theirs.status:
        return f"[{ours.status}], not [{theirs.status}]"
    waited = ours.wait_ns or 0
    if not waited // 60_000_000_000 <= theirs.minutes <= (waited + seconds * 1e9) // 60e9:
        return f"has waited {waited} ns, not {theirs.minutes} minutes"
    if ours.locked != theirs.locked:
        return f"{'' if ours.locked else 'not '}locked to its thread"
    frames = _frames_differ(ours, theirs, minor)
    if frames:
        return frames
    if _hides_creator(ours, theirs):
        return None
    if ours.creator != theirs.creator:
        return f"created by {ours.creator}, not {theirs.creator}"
    if minor >= 21 and theirs.creator and ours.creator_id != theirs.creator_id:
        return f"created in goroutine {ours.creator_id}, not {theirs.creator_id}"
    return None
