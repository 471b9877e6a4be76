# SPDX-License-Identifier: BSD-2-Clause
"""Reads /proc/PID/maps (or a copy): what does not depend on where things happen to be mapped."""
import collections

Range = collections.namedtuple("Range", "start end file_off path")


class Maps:
    """The executable mappings."""

    def __init__(self, path):
        self.ranges = []
        with open(path, encoding="utf-8") as file:
            for line in file:
                addresses, mode, file_off, _, _, *name = line.split()
                if "x" in mode:
                    start, end = (int(address, 16) for address in addresses.split("-"))
                    self.ranges.append(Range(start, end, int(file_off, 16), name[0] if name else ""))

    def place(self, pc):
        """FILE+0xOFFSET; None where there is no code."""
        for one in self.ranges:
            if one.start <= pc < one.end:
                return f"{one.path}+{pc - one.start + one.file_off:#x}"
        return None
