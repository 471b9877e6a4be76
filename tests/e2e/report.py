# SPDX-License-Identifier: BSD-2-Clause
"""Reads what memleak_dwunw_user prints."""
import re

HEAD = re.compile(r"\[\d+:\d+:\d+\] Top (\d+) stacks with outstanding allocations:$")
PEAK = re.compile(r"\[\d+:\d+:\d+\] Peak: (\d+) bytes in (\d+) allocations, top (\d+) stacks:$")
SHOWN = re.compile(r"\t\[memleak\] (?:oldest=(\d+\.\d+)s median=(\d+\.\d+)s )?growth=([+-]\d+) bytes in ([+-]\d+) allocations$")
STACK = re.compile(r"(\d+) bytes in (\d+) allocations from stack$")
WALKED = re.compile(r"\t\[dwunw\] pid=(\d+) comm=(.*) frames=(\d+)(?:, (\d+) by frame pointer)?(?:, incomplete: (.*))?$")
SUM = re.compile(r"\[dwunw\] (\d+) bytes in (\d+) allocations, stack (?:complete|cut short: (.*))$")
BLOCK = re.compile(r"\taddr = 0x([0-9a-f]+) size = (\d+)$")
FRAME = re.compile(r"\t(\d+) \[<([0-9a-f]{16})>\] (?:<null sym>|(.*)\+0x([0-9a-f]+))(?: [^ ].*:\d+)?(?: \[(.*)\])?$")
INLINED = re.compile(r"\t  .+ \(inlined\)$")
DETAIL = re.compile(r"  \[dwunw\] #(\d+) pc=0x([0-9a-f]+) sp=0x([0-9a-f]+) ra=(?:0x)?([0-9a-f]+) flags=(?:0x)?([0-9a-f]+) module=(.*)$")
ESTIMATE = re.compile(r"\t\[memleak\] estimated from (\d+) sampled blocks, bytes \+-([\d.]+)%$")
TOTAL = re.compile(r"\[memleak\] (\d+) bytes in (\d+) allocations in all, estimated from (\d+) sampled blocks, bytes \+-([\d.]+)%$")
SINCE = re.compile(r"\t?\[memleak\] since .*: [+-]\d+ bytes in [+-]\d+ allocations(?: in all(?:; .*)?)?$")
OTHER = re.compile(r"\[memleak\] frees are not seen since \d+:\d+:\d+: blocks above may be freed$|\[memleak\] \d+ bytes in \d+ allocations not verified since \d+:\d+:\d+, and not shown$|Attaching to (?:pid \d+|kernel allocators), Ctrl\+C to quit\.$|child created with pid: \d+$|reaped child process$")


class Stack:
    def __init__(self, size, blocks):
        self.bytes, self.blocks = size, blocks
        self.walked = False  # by libdwunw
        self.frame_count = None
        self.incomplete = None  # the reason
        self.by_frame_pointer = 0  # frames
        self.names, self.pcs, self.modules = [], [], []
        self.addrs = []
        self.details = []  # (pc, sp, ra, flags)
        self.sampled, self.error_percent = None, None
        self.growth = None  # (bytes, blocks)

    def __str__(self):
        why = f" ({self.incomplete})" if self.incomplete else ""
        return f"{self.bytes} bytes in {self.blocks}{why}: " + " < ".join(str(name) for name in self.names)


class Report(list):
    """
    Its stacks; with -W force also (bytes, blocks) by the reason why stacks are not shown, None for those that are; with
    sampling also (bytes, blocks, sampled blocks, error in percent) in all.
    """

    def __init__(self):
        super().__init__()
        self.sums = {}
        self.total = None
        self.peak = None  # (bytes, blocks), if it is that of the peak


def parse(path):
    """All reports of the file. A line of an unknown form is an error."""
    with open(path, encoding="utf-8") as file:
        return parse_lines(file.read().splitlines(), path)


def parse_lines(lines, path="report"):
    reports = []
    for line in lines:
        if HEAD.match(line):
            reports.append(Report())
        elif match := PEAK.match(line):
            reports.append(Report())
            reports[-1].peak = (int(match[1]), int(match[2]))
        elif match := SHOWN.match(line):
            reports[-1][-1].growth = (int(match[3]), int(match[4]))
        elif match := STACK.match(line):
            reports[-1].append(Stack(int(match[1]), int(match[2])))
        elif match := WALKED.match(line):
            stack = reports[-1][-1]
            stack.walked, stack.frame_count, stack.incomplete = True, int(match[3]), match[5]
            stack.by_frame_pointer = int(match[4] or 0)
        elif match := ESTIMATE.match(line):
            reports[-1][-1].sampled, reports[-1][-1].error_percent = int(match[1]), float(match[2])
        elif match := TOTAL.match(line):
            reports[-1].total = (int(match[1]), int(match[2]), int(match[3]), float(match[4]))
        elif match := SUM.match(line):
            reports[-1].sums[match[3]] = (int(match[1]), int(match[2]))
        elif match := BLOCK.match(line):
            reports[-1][-1].addrs.append((int(match[1], 16), int(match[2])))
        elif match := FRAME.match(line):
            stack = reports[-1][-1]
            stack.names.append(match[3])
            stack.pcs.append(int(match[2], 16))
            stack.modules.append(match[5])
        elif match := DETAIL.match(line):
            reports[-1][-1].details.append(tuple(int(match[i], 16) for i in (2, 3, 4, 5)))
        elif not SINCE.match(line) and not OTHER.match(line) and not INLINED.match(line):
            raise ValueError(f"{path}: unknown line: {line}")
    return reports


def last(path):
    reports = parse(path)
    if not reports:
        raise ValueError(f"{path}: no report")
    return reports[-1]
