#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Judges the last report of the program `sampled` under sampling: the estimates of each function, and of all, are within six
standard errors of the truth, and so is the printed error of its own truth. All blocks of a function have one size. One complaint a line.

  sampled.py calls INTERVAL TRUTH REPORT     every block with the probability 1 / INTERVAL
  sampled.py bytes INTERVAL TRUTH REPORT     a block of n bytes with 1 - exp(-n / INTERVAL)
  ... total                                  only the total: stacks may be anything
"""
import math
import sys

import judge
import report

SIGMAS = 6


def probability(how, interval, size):
    return 1 / interval if how == "calls" else -math.expm1(-size / interval)


def judge_function(name, stacks, p, size, blocks):
    variance = blocks * (1 - p) / p  # of the estimated number of blocks
    seen_blocks, seen_bytes = sum(s.blocks for s in stacks), sum(s.bytes for s in stacks)
    sampled = sum(s.sampled for s in stacks)
    complaints = []
    for what, seen, true, unit in (("blocks", seen_blocks, blocks, 1), ("bytes", seen_bytes, blocks * size, size)):
        # the numbers of each stack are rounded
        if abs(seen - true) > SIGMAS * unit * math.sqrt(variance) + len(stacks):
            complaints.append(f"{name}: {true} {what}, reported are {seen}, standard error {unit * math.sqrt(variance):.0f}")
    if abs(sampled - blocks * p) > SIGMAS * math.sqrt(blocks * p * (1 - p)):
        complaints.append(f"{name}: {blocks * p:.0f} blocks are to be sampled, reported are {sampled}")
    # What the printed error stands for: (1 - p) / p^2 * size^2 for each sampled block.
    printed = math.hypot(*(s.error_percent / 100 * s.bytes for s in stacks))
    wanted = size * math.sqrt(sampled * (1 - p)) / p
    if abs(printed - wanted) > 0.001 * seen_bytes + 1:
        complaints.append(f"{name}: the standard error of {sampled} blocks is {wanted:.0f} bytes, reported is {printed:.0f}")
    return complaints


def main():
    how, interval, truth_path, report_path = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    only_total = sys.argv[5:] == ["total"]
    truth, _ = judge.read_truth(truth_path)
    stacks = report.last(report_path)
    complaints, variance = [], 0
    for name, (size, blocks) in truth.items():
        own = [stack for stack in stacks if name in stack.names]
        if blocks:
            p = probability(how, interval, size // blocks)
            variance += blocks * (1 - p) / p * (size // blocks) ** 2
        if only_total:
            continue
        if not blocks:
            complaints += [f"{name}: nothing is outstanding: {stack}" for stack in own]
        else:
            complaints += judge_function(name, own, p, size // blocks, blocks)
    true = sum(size for size, _ in truth.values())
    if abs(stacks.total[0] - true) > SIGMAS * math.sqrt(variance) + len(stacks):
        complaints.append(f"in all: {true} bytes, reported are {stacks.total[0]}, standard error {math.sqrt(variance):.0f}")
    if stacks.total[2] != sum(stack.sampled for stack in stacks):
        complaints.append("in all: not the sum of the stacks' sampled blocks")
    print("\n".join(complaints))
    return len(complaints) > 0


if __name__ == "__main__":
    sys.exit(main())
