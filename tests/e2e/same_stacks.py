#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
  same_stacks.py subset|equal STACKS REPORT MAPS

Compares, pc for pc, the stacks of the last report of the file REPORT, whose process had the mappings MAPS, with those that
gdb_stacks.py has written to STACKS. `subset`: each reported stack is one of gdb's; `equal`: and each of gdb's is reported. In the
lines that -v adds, pcs are those of the frames above, each return address is the pc of the next frame, and stack pointers
rise (so they do here also where a signal handler or coroutine has a stack of its own: that is static, below the normal one).
"""
import sys

import report
from maps import Maps


def details_complaints(stack):
    pcs, sps, ras = ([detail[i] for detail in stack.details] for i in range(3))
    if pcs != stack.pcs:
        yield f"the pcs of -v differ: {stack}"
    if ras != stack.pcs[1:] + [0]:
        yield f"ra is not the pc of the next frame: {stack}: {[hex(ra) for ra in ras]}"
    if sps != sorted(sps):
        yield f"stack pointers fall: {stack}: {[hex(sp) for sp in sps]}"


def main():
    how, stacks_path, report_path, maps_path = sys.argv[1:]
    maps = Maps(maps_path)
    with open(stacks_path, encoding="utf-8") as file:
        known = {tuple(line.split()) for line in file}
    reported, complaints = set(), []
    for stack in report.last(report_path):
        places = tuple(str(maps.place(pc)) for pc in stack.pcs)
        reported.add(places)
        if places not in known:
            complaints.append(f"not one of gdb's: {stack}: {places}")
        complaints += details_complaints(stack)
    if how == "equal":
        complaints += [f"only gdb has: {places}" for places in known - reported]
    if not reported:
        complaints.append("no stack")
    print("\n".join(complaints))
    return len(complaints) > 0


sys.exit(main())
