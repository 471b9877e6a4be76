#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""compare.py FILE VADDRS LLVM OURS: compares what llvm-symbolizer and names print for each address.

One line with the number of addresses by how they compare; an error unless every difference is one of those that are known:
  alias     the function has several names at the same address (nm), and each chose another
  part      the compiler split or cloned the function, and the symbol table says so: ours is llvm's and .part.0, .cold, ...
  folder    the same path; libdw leaves out a relative DW_AT_comp_dir
  scope     an inlined function that the linker has no name of: ours says in which namespace, type or function it is
  more      llvm-symbolizer knows nothing: it does not look into the symbol table of a separate debug file
"""
import collections
import os
import subprocess
import sys


def records(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return [record.split("\n") for record in file.read().rstrip("\n").split("\n\n")]


def symbols(path):
    """Names by address."""
    names = collections.defaultdict(set)
    for table in ([], ["-D"]):
        run = subprocess.run(["nm", *table, path], capture_output=True, text=True, check=False)
        for line in run.stdout.splitlines():
            fields = line.split()
            if len(fields) == 3:
                names[fields[2].split("@")[0]].add(fields[0])
    return names


def place(line):
    path, number, column = line.rsplit(":", 2)
    return os.path.normpath(path), number, column


def compare_places(left, right):
    (path, *numbers), (other, *others) = place(left), place(right)
    if numbers[0] == others[0] == "0":
        return "same"
    if numbers != others:
        return "line"
    if path == other:
        return "same"
    return "folder" if ("/" + path).endswith("/" + other.replace("../", "")) else "path"


def compare_names(left, right, names):
    if left == right:
        return "same"
    if names[left] & names[right]:
        return "alias"
    return "part" if right.startswith(left + ".") else "function"


def compare_inlined(left, right):
    if left == right:
        return "same"
    return "scope" if right.endswith("::" + left) else "inlined"


def compare(left, right, names):
    """The worst of all frames."""
    if left[0] == "??" and names[right[-2]]:
        return "more"
    if len(left) != len(right):
        return "depth"
    found = {compare_places(a, b) for a, b in zip(left[1::2], right[1::2])}
    found |= {compare_inlined(a, b) for a, b in zip(left[:-2:2], right[:-2:2])}
    found.add(compare_names(left[-2], right[-2], names))
    for kind in ("inlined", "function", "line", "path", "alias", "part", "folder", "scope"):
        if kind in found:
            return kind
    return "same"


def main():
    target, vaddrs, theirs, ours = sys.argv[1:]
    names = symbols(os.environ.get("NM_FILE", target))
    with open(vaddrs, encoding="ascii") as file:
        addresses = file.read().split()
    left, right = records(theirs), records(ours)
    kinds = collections.Counter()
    bad = 0
    for address, a, b in zip(addresses, left, right, strict=True):
        kind = compare(a, b, names)
        kinds[kind] += 1
        if kind not in ("same", "alias", "part", "folder", "scope", "more"):
            bad += 1
            if bad <= 5:
                print(f"{address}: {kind}: {a} {b}")
    print(f"{len(addresses)} addresses: " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()))
    return bad != 0


sys.exit(main())
