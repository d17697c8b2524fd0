# SPDX-License-Identifier: Apache-2.0
"""Run inside gdb: every thread's frames as JSON, one line a thread, each after the word FRAMES."""

import json

import gdb  # pylint: disable=import-error

LIMIT = 256  # frames that are not inlined, as whystuck and eu-stack have it


def frames_of_thread():
    found, physical = [], 0
    frame = gdb.newest_frame()
    while frame is not None and physical < LIMIT:
        # A tail call's frame is one that gdb concludes from call sites: it is not on the stack.
        if frame.type() != gdb.TAILCALL_FRAME:
            inlined = frame.type() == gdb.INLINE_FRAME
            physical += not inlined
            found.append([frame.pc(), frame.name(), inlined])
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


gdb.execute("set backtrace past-main on")
gdb.execute("set backtrace past-entry on")
for thread in gdb.selected_inferior().threads():
    thread.switch()
    print("FRAMES", json.dumps([thread.ptid[1], frames_of_thread()]))
