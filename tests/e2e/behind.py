#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Judges what -t has printed of the program images: each allocation of a plugin's size has that plugin's function and the program's beginning on its
stack; and of each plugin there are as many as it makes.

  behind.py REPORT FIRST SECOND    how often the first and the second plugin were opened
"""
import re
import sys

SIZES = {111: "first_leak", 1111: "first_constructor_leak", 222: "second_leak", 2222: "second_constructor_leak"}
CALLS = {111: 20, 1111: 2, 222: 20, 2222: 2}


def events(path):
    """(size, lines) of each allocation."""
    size, lines = None, []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.startswith("\t"):
                if size is not None:
                    yield size, lines
                match = re.match(r"\[\d+:\d+:\d+\.\d+\] .*alloc exited, size = (\d+),", line)
                size, lines = (int(match[1]) if match else None), []
            lines.append(line)


def main():
    path, first, second = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    wanted = {size: n * (first if SIZES[size].startswith("first") else second) for size, n in CALLS.items()}
    seen = dict.fromkeys(CALLS, 0)
    bad = 0
    for size, lines in events(path):
        if size not in SIZES:
            continue
        seen[size] += 1
        text = "".join(lines)
        functions = set(re.findall(r"\] (\w+)\+0x", text))
        others = functions & set(SIZES.values()) - {SIZES[size]}
        if SIZES[size] not in functions or "_start" not in functions or others or "incomplete" in text:
            bad += 1
            print(text)
    if seen != wanted:
        print(f"of sizes {wanted} are wanted, there are {seen}")
    sys.exit(bad > 0 or seen != wanted)


main()
