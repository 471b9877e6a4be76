#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
modes.py MODE REPORT: whether the last report is that of the program modes in that mode. Its three stacks: `direct` needs nothing
special; `leaf` is called by `above`, which has frame pointers and no call frame information; and `leaf` at the end of 200 calls
of `deep`, which is more than the mode's runs follow. One complaint a line; exit status 1 if there is one.
"""
import sys

import report

FRAME_POINTER = "code without call frame information, left by frame pointer"
TOO_DEEP = "deeper than --perf-max-stack-depth"
STACKS = {"direct": (100100, 100), "above": (1000, 100), "deep": (10, 1)}


def kind(stack):
    for name in ("above", "deep", "direct"):
        if name in stack.names:
            return name
    return None


def frames_are_right(stack):
    names = stack.names
    if kind(stack) == "direct":
        return names[:2] == ["direct", "main"]
    if kind(stack) == "above":
        return names[:3] == ["leaf", "above", "main"]
    return names[0] == "leaf" and set(names[1:]) == {"deep"} and len(names) >= 100


def expect(stacks, kinds):
    found = sorted(str(kind(stack)) for stack in stacks)
    if found != sorted(kinds):
        yield f"stacks are those of {found}, not {sorted(kinds)}"
    for stack in stacks:
        if STACKS.get(kind(stack)) != (stack.bytes, stack.blocks) or not frames_are_right(stack):
            yield f"not as it should be: {stack}"


def judge_off(stacks):
    yield from expect(stacks, STACKS)
    for stack in stacks:
        if stack.walked:
            yield f"walked by libdwunw: {stack}"


def judge_fallback(stacks):
    yield from expect(stacks, STACKS)
    wanted = {"direct": (0, None), "above": (1, None), "deep": (0, TOO_DEEP)}
    for stack in stacks:
        if not stack.walked or (stack.by_frame_pointer, stack.incomplete) != wanted.get(kind(stack)):
            yield f"marked {stack.by_frame_pointer} by frame pointer, {stack.incomplete}: {stack}"
        if kind(stack) == "above" and stack.names[-1] != "_start":
            yield f"does not go on behind the step by frame pointer: {stack}"


def judge_guess(stacks):
    """The library of `above` could not be read: it has no names either."""
    for stack in stacks:
        if stack.names[:3] == ["leaf", None, "main"] and stack.names[-1] == "_start":
            if (stack.by_frame_pointer, stack.incomplete) == (1, None):
                return
    yield "no stack through the library that is marked and goes on to the root: " + "; ".join(map(str, stacks))


def judge_force(stacks):
    yield from expect(stacks, ["direct"])
    wanted = {None: STACKS["direct"], FRAME_POINTER: STACKS["above"], TOO_DEEP: STACKS["deep"]}
    if stacks.sums != wanted:
        yield f"sums are {stacks.sums}, not {wanted}"
    for stack in stacks:
        if not stack.walked or stack.by_frame_pointer or stack.incomplete or stack.names[-1] != "_start":
            yield f"not whole: {stack}"


def main():
    judges = {"off": judge_off, "fallback": judge_fallback, "force": judge_force, "guess": judge_guess}
    complaints = list(judges[sys.argv[1]](report.last(sys.argv[2])))
    print("\n".join(complaints))
    return len(complaints) > 0


if __name__ == "__main__":
    sys.exit(main())
