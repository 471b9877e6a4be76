#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
  event_stacks.py subset|equal STACKS EVENTS MAPS

Compares, pc for pc, the stacks that memleak_user printed to the file EVENTS, from the caller of the probed function on, with those that
gdb_stacks.py has written to STACKS, as same_stacks.py does for memleak. Each frame's file and address must be those that the
mappings MAPS and the file's program headers give for its pc.
"""
import re
import subprocess
import sys

from maps import Maps


def segments(path):
    """(file offset, vaddr, size) of each loaded segment"""
    lines = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True, check=True).stdout.splitlines()
    fields = [line.split() for line in lines if line.split()[:1] == ["LOAD"]]
    return [(int(f[1], 16), int(f[2], 16), int(f[4], 16)) for f in fields]


def vaddr_of(one, pc):
    file_off = pc - one.start + one.file_off
    return next(vaddr + file_off - off for off, vaddr, size in segments(one.path) if off <= file_off < off + size)


def main():
    how, stacks_path, events_path, maps_path = sys.argv[1:]
    maps, known, complaints, events, frames = Maps(maps_path), set(), [], [], set()
    with open(stacks_path, encoding="utf-8") as file:
        known = {tuple(line.split()) for line in file}
    with open(events_path, encoding="utf-8") as file:
        for line in file:
            frame = re.fullmatch(r"  #\d+ 0x([0-9a-f]{16}) (.+)\+0x([0-9a-f]+)\n", line)
            if line.startswith("[event]"):
                events.append([])
            elif frame:
                events[-1].append(int(frame[1], 16))
                frames.add((int(frame[1], 16), frame[2], int(frame[3], 16)))
            elif "complete stacks" not in line:
                complaints.append(f"unexpected: {line}")
    stacks = {tuple(str(maps.place(pc)) for pc in pcs[1:]) for pcs in events}
    complaints += [f"not one of gdb's: {places}" for places in stacks - known]
    if how == "equal":
        complaints += [f"only gdb has: {places}" for places in known - stacks]
    for pc, path, vaddr in frames:
        one = next((r for r in maps.ranges if r.start <= pc < r.end), None)
        # in no file: 0, called through a null pointer
        if (path, vaddr) != ((one.path, vaddr_of(one, pc)) if one else ("[unknown]", 0)):
            complaints.append(f"{pc:#x} is not {path}+{vaddr:#x}")
    if not stacks:
        complaints.append("no stack")
    print("\n".join(complaints))
    return len(complaints) > 0


sys.exit(main())
