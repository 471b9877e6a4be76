#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Judges what -t prints before the one report of a file, made with -a -o 0: taken one after the other, the events leave exactly the
blocks of the report, each of the stack that its allocation printed; no block is freed that is not there; times do not go
back.
With `complete` every stack ends in a root. One complaint a line; exit status 1 if there is one.

  trace.py [complete] REPORT
"""
import re
import sys

import judge
import report

EVENT = re.compile(
    r"\[\d+:\d+:\d+\.\d{6}\] pid=(\d+) tid=(\d+) "
    r"(?:alloc exited, size = (\d+), result = ([0-9a-f]+)|free entered, address = ([0-9a-f]+), size = (\d+))$"
)


def read_events(lines):
    """(is_allocation, address, size, names of the frames) of each event."""
    events = []
    for line in lines:
        if match := EVENT.match(line):
            allocated = match[3] is not None
            events.append((allocated, int(match[4] or match[5], 16), int(match[3] or match[6]), []))
        elif match := report.FRAME.match(line):
            events[-1][3].append(match[3])
        elif line and not any(form.match(line) for form in (report.INLINED, report.WALKED, report.OTHER)):
            raise ValueError(f"a line of an unknown form: {line}")
    return events


def complaints(events, stacks, complete):
    held = {}
    for allocated, addr, size, names in events:
        if complete and (not names or names[-1] not in judge.ROOTS):
            yield f"{addr:x}: the stack does not end in a root: {names}"
        if allocated:
            if addr in held:
                yield f"{addr:x} is allocated twice"
            held[addr] = (size, names)
        elif held.pop(addr, (None,))[0] != size:
            yield f"{addr:x} of {size} bytes is freed, and was not there"
    shown = {addr: (size, stack.names) for stack in stacks for addr, size in stack.addrs}
    if not shown:
        yield "the report is empty"
    for addr in held.keys() | shown.keys():
        if held.get(addr) != shown.get(addr):
            yield f"{addr:x}: the events leave {held.get(addr)}, the report has {shown.get(addr)}"


def main():
    path = sys.argv[-1]
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    heads = [i for i, line in enumerate(lines) if report.HEAD.match(line)]
    if len(heads) != 1:
        sys.exit(f"{len(heads)} reports")
    (stacks,) = report.parse_lines(lines[heads[0] :])
    found = list(complaints(read_events(lines[: heads[0]]), stacks, "complete" in sys.argv[1:-1]))
    print("\n".join(found[:20]))
    sys.exit(bool(found))


main()
