# SPDX-License-Identifier: BSD-2-Clause
"""
Runs inside gdb (gdb -batch -x gdb_stacks.py --args PROGRAM ARGUMENTS): stops at the first instruction of every allocator
function and writes each different call stack to the file $STACKS, one a line: FILE+0xOFFSET for each pc, from the caller of the
allocator to the end of what gdb knows.

Without separate debug information: gdb is quicker so, and what it then unwinds by is CFI alone.
"""
import itertools
import os
import subprocess
import sys

import gdb  # pylint: disable=import-error

sys.path.insert(0, os.environ["E2E"])
from maps import Maps  # noqa: E402 pylint: disable=wrong-import-position

FUNCTIONS = ["malloc", "calloc", "realloc", "reallocarray", "posix_memalign", "memalign", "aligned_alloc", "valloc", "pvalloc"]
SETTINGS = """
set pagination off
set confirm off
set debuginfod enabled off
set debug-file-directory /nonexistent
set backtrace past-main on
set backtrace past-entry on
unset environment LINES
unset environment COLUMNS
handle all nostop noprint pass
"""
stacks = set()


class Allocator(gdb.Breakpoint):
    maps = None

    def stop(self):
        frame, places = gdb.newest_frame().older(), []
        while frame:
            if frame.type() != gdb.INLINE_FRAME:
                places.append(Allocator.maps.place(frame.pc()) if frame.pc() else "None")  # a call through a null pointer
            frame = frame.older()
        # gdb does not know that nothing called __start_context, and takes the data behind it for a return address.
        stacks.add(tuple(itertools.takewhile(lambda place: place, places)))
        return False


def keep_maps(_event=None):
    Allocator.maps = Maps(f"/proc/{gdb.selected_inferior().pid}/maps")


def break_at_allocator():
    path, start, file_off = next((r.path, r.start, r.file_off) for r in Allocator.maps.ranges if "/libc.so" in r.path)
    symbols = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    segments = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True, check=True).stdout
    for line in segments.splitlines():
        fields = line.split()
        if fields[:1] == ["LOAD"] and int(fields[1], 16) == file_off:
            bias = start - int(fields[2], 16)
    for line in symbols.splitlines():
        address, _, name = line.split()
        if name.split("@")[0] in FUNCTIONS:
            Allocator(f"*{int(address, 16) + bias:#x}", internal=True)


for setting in SETTINGS.split("\n"):
    if setting:
        gdb.execute(setting)
gdb.execute("break main", to_string=True)
gdb.execute("run </dev/null >/dev/null", to_string=True)
keep_maps()
gdb.events.new_objfile.connect(keep_maps)
break_at_allocator()
gdb.execute("continue", to_string=True)
with open(os.environ["STACKS"], "w", encoding="utf-8") as out:
    for one in sorted(stacks):
        out.write(" ".join(one) + "\n")
