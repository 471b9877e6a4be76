#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
  probes.py PID NAME

Prints how many bytes of the code of the file NAME (libc.so.6) differ in the process PID from the file: the breakpoints of its probes.
"""
import sys

from maps import Maps


def main():
    pid, name = sys.argv[1:]
    differing = 0
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for one in Maps(f"/proc/{pid}/maps").ranges:
            if one.path.rsplit("/", 1)[-1] != name:
                continue
            with open(one.path, "rb") as file:
                file.seek(one.file_off)
                wanted = file.read(one.end - one.start)
            memory.seek(one.start)
            differing += sum(a != b for a, b in zip(wanted, memory.read(len(wanted))))
    print(differing)


main()
