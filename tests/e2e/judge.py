#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Judges the last report of a file by the truth lines of a program (tests/programs/truth.h). One complaint a line; exit
status 1 if there is one.

  judge.py truth TRUTH REPORT      bytes and blocks of each function equal, and nothing besides is outstanding
  judge.py complete TRUTH REPORT   every stack was walked to its root, which is one that a thread can begin in
  judge.py total TRUTH REPORT [WITH_OTHERS]
                                   the sums over all stacks are the truth's; where the program has `other` lines,
                                   those of the report WITH_OTHERS
  judge.py apart TRUTH REPORT      of the program unload, with -a: a block's size says which plugin it belongs to, and
                                   no stack has blocks, or names, of both
"""
import collections
import sys

import report

ROOTS = {"_start", "clone3", "__clone3", "clone", "__clone", "__start_context", "runtime.goexit.abi0"}


def read_truth(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file]
    if not lines or lines[-1] != ["done"]:
        raise ValueError(f"{path}: the program did not come to its end: {lines[-1:]}")
    truth = {line[3]: (int(line[1]), int(line[2])) for line in lines if line[0] == "truth"}
    if not truth:
        raise ValueError(f"{path}: no truth line")
    return truth, {line[1] for line in lines if line[0] == "other"}


def judge_truth(truth, others, stacks):
    seen = collections.defaultdict(lambda: (0, 0))
    for stack in stacks:
        owners = truth.keys() & set(stack.names)
        if len(owners) == 1:
            owner = owners.pop()
            seen[owner] = (seen[owner][0] + stack.bytes, seen[owner][1] + stack.blocks)
        elif owners or not others & set(stack.names):
            yield f"belongs to {sorted(owners) or 'no truth line'}: {stack}"
    for name, numbers in truth.items():
        if seen[name] != numbers:
            yield f"{name}: (bytes, blocks) is {numbers}, reported are {seen[name]}"


def judge_complete(_truth, _others, stacks):
    if not stacks:
        yield "no stack at all"
    for reason, (size, _) in stacks.sums.items():
        if reason:
            yield f"cut short: {size} bytes: {reason}"
    for stack in stacks:
        if not stack.walked:
            yield f"not walked by libdwunw: {stack}"
        elif stack.incomplete:
            yield f"incomplete: {stack}"
        elif not stack.names or stack.names[-1] not in ROOTS:
            yield f"does not end in a root: {stack}"
        elif stack.frame_count != len(stack.names):
            yield f"frames={stack.frame_count}, printed {len(stack.names)}: {stack}"


def total(stacks):
    """Of all that is shown, or that the sums behind it say."""
    if stacks.sums:
        return tuple(sum(numbers[i] for numbers in stacks.sums.values()) for i in (0, 1))
    return sum(stack.bytes for stack in stacks), sum(stack.blocks for stack in stacks)


def judge_total(truth, others, stacks, with_others=None):
    wanted = tuple(sum(numbers[i] for numbers in truth.values()) for i in (0, 1))
    if others:
        wanted = total(with_others)
    shown = tuple(sum(numbers) for numbers in zip(*((stack.bytes, stack.blocks) for stack in stacks)))
    if stacks.sums and stacks.sums[None] != (shown or (0, 0)):
        yield f"(bytes, blocks) of complete stacks is {stacks.sums[None]}, shown are {shown}"
    if total(stacks) != wanted:
        yield f"(bytes, blocks) of all stacks is {wanted}, reported are {total(stacks)}"


def judge_apart(_truth, _others, stacks):
    plugin_of_size = {111: "first", 1111: "first", 222: "second", 2222: "second"}
    for stack in stacks:
        plugins = {plugin_of_size.get(size, "linker") for _, size in stack.addrs}
        plugins |= {name.split("_")[0] for name in stack.names if name and name.startswith(("first_", "second_"))}
        if len(plugins) != 1:
            yield f"blocks or names of {sorted(plugins)}: {stack}"


def main():
    how, truth_path, *paths = sys.argv[1:]
    judges = {"truth": judge_truth, "complete": judge_complete, "total": judge_total, "apart": judge_apart}
    complaints = list(judges[how](*read_truth(truth_path), *(report.last(path) for path in paths)))
    print("\n".join(complaints))
    return len(complaints) > 0


if __name__ == "__main__":
    sys.exit(main())
