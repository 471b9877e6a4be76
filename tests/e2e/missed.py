#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Judges a run in which the map of blocks was full: the report has about as many blocks as there is room (the kernel counts by processor),
and together with what standard error says was not stored it is the program's truth. One complaint a line.

  missed.py ROOM TRUTH REPORT STDERR
"""
import re
import sys

import judge
import report


def said(text, what):
    numbers = re.findall(rf": (\d+) {re.escape(what)}", text)
    return int(numbers[-1]) if numbers else 0


def main():
    room, (truth, _), stacks = int(sys.argv[1]), judge.read_truth(sys.argv[2]), report.last(sys.argv[3])
    with open(sys.argv[4], encoding="utf-8") as file:
        text = file.read()
    missed = (said(text, "bytes were in blocks that were not stored for that"),
              said(text, "blocks not stored: --max-blocks are outstanding already"))
    complaints = []
    for i, what in enumerate(("bytes", "blocks")):
        true, shown = sum(numbers[i] for numbers in truth.values()), judge.total(stacks)[i]
        if shown + missed[i] != true:
            complaints.append(f"{true} {what}, reported are {shown}, said to be missing are {missed[i]}")
    if not room <= judge.total(stacks)[1] <= room * 1.1 + 64:
        complaints.append(f"room for {room} blocks, reported are {judge.total(stacks)[1]}")
    print("\n".join(complaints))
    return len(complaints) > 0


if __name__ == "__main__":
    sys.exit(main())
