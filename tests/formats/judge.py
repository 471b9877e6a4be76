#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
judge.py pprof|diff|speedscope NAME: what a tool showed of NAME.pb.gz against the last report in NAME.txt.

pprof       NAME.traces has its stacks, NAME.top its total
diff        the samples of NAME.traces sum up to what the report says has changed
speedscope  NAME.dom, its table, has for each function the bytes of all stacks that it is on
"""
import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
sys.dont_write_bytecode = True
import report  # noqa: E402

TRACE = re.compile(r" *(-?\d+)B   (\S.*)$")


def traces(path):
    """(bytes, names) of each sample, innermost first; inlined functions are left out, as in the report's numbered frames."""
    found, names = [], None
    for line in open(path, encoding="utf-8").read().splitlines():
        match = TRACE.match(line)
        if match:
            names = [match[2]]
            found.append((int(match[1]), names))
        elif line.startswith("-----"):
            names = None
        elif names is not None:
            names.append(line.strip())
    return [(size, tuple(name for name in names if not name.endswith(" (inline)"))) for size, names in found]


def pprof_names(stack):
    """What has no name is called by its file."""
    return tuple(name or f"[{os.path.basename(module)}]" for name, module in zip(stack.names, stack.modules))


def functions(stacks):
    sums = collections.Counter()
    for stack in stacks:
        for name in set(stack.names):
            sums[name] += stack.bytes
    return sums


def shown(path):
    """By function its total, as speedscope prints it."""
    text = re.sub(r"<[^>]*>", "|", open(path, encoding="utf-8").read())
    rows = re.findall(r"([\d.]+ [KMG]?B) \([^)]*\)\|+([\d.]+ [KMG]?B) \([^)]*\)\|+([^|]+)\|", text)
    return {name: total for total, _, name in rows}


def printed(size):
    return f"{size} B" if size < 1024 else f"{size / 1024:.2f} KB"


def main():
    how, name = sys.argv[1:]
    stacks = report.last(name + ".txt")
    total = sum(stack.bytes for stack in stacks)
    if how == "pprof":
        expected = collections.Counter((stack.bytes, pprof_names(stack)) for stack in stacks)
        found = collections.Counter(traces(name + ".traces"))
        top = re.search(r" of (\d+)B total", open(name + ".top", encoding="utf-8").read())
        ok = found == expected and top and int(top[1]) == total
        print(f"{len(stacks)} stacks, {total} bytes; pprof: {top and top[1]}; only in pprof {found - expected}, only in the report {expected - found}")
    elif how == "diff":
        since = re.findall(r"^\[memleak\] since .*: ([+-]\d+) bytes in .* in all", open(name + ".txt", encoding="utf-8").read(), re.M)
        found = sum(size for size, _ in traces(name + ".traces"))
        ok = since and found == int(since[-1]) and any(size < 0 for size, _ in traces(name + ".traces"))
        print(f"pprof: {found}, the report: {since}")
    else:
        expected = {function: printed(size) for function, size in functions(stacks).items()}
        found = shown(name + ".dom")
        ok = found == expected
        print(f"speedscope: {found}\nthe report: {expected}")
    sys.exit(not ok)


main()
