#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judges what the tool says of a real program.

real_judge.py share STDERR PERCENT WALKS   at least WALKS walks, of which at least PERCENT are complete
real_judge.py roots REPORT STACKS          at least STACKS stacks; each complete one ends where a thread begins
"""
import re
import sys

import report

WALKS = re.compile(r"walks: (\d+) complete, (\d+) by frame pointer, (\d+) finished in user space, (\d+) incomplete")
WHY = re.compile(r"\[dwunw\] (?!walks:).*")

# Where threads begin: the program's entry, glibc's clone(), and the dynamic linker's entry, from which constructors are called.
ROOTS = {"_start", "clone", "clone3", "__clone", "__clone3", "_dl_start_user"}


def share(stderr, percent, least):
    with open(stderr, encoding="utf-8") as file:
        text = file.read()
    said = WALKS.findall(text)
    if not said:
        sys.exit("no line with the number of walks:\n" + text)
    complete, by_fp, finished, incomplete = map(int, said[-1])
    total = complete + finished + incomplete
    reached = 100 * (complete + finished) / max(total, 1)
    print(f"{total} walks, {reached:.4f} % complete ({by_fp} by frame pointer, {finished} finished in user space)")
    for why in dict.fromkeys(WHY.findall(text)):
        print("  " + why)
    return total >= int(least) and reached >= float(percent)


def is_root(names):
    """A stripped program's entry has no name: it is what calls __libc_start_main()."""
    return names[-1] in ROOTS or (names[-1] is None and names[-2:-1] == ["__libc_start_main"])


def roots(path, least):
    stacks = [stack for stacks in report.parse(path) for stack in stacks]
    bad = [stack for stack in stacks if not stack.incomplete and not is_root(stack.names)]
    for stack in bad[:5]:
        print(f"does not end at a root: {stack}")
    if len(stacks) < int(least):
        print(f"{len(stacks)} stacks only")
    return not bad and len(stacks) >= int(least)


def main():
    judge = {"share": share, "roots": roots}[sys.argv[1]]
    sys.exit(not judge(*sys.argv[2:]))


if __name__ == "__main__":
    main()
