#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves: the estimates of -s and --sample-bytes, and the errors printed with them, are within six standard errors of the truth, for
# blocks of 24 to 100,000 bytes, also where they were moved by realloc or kept by one that failed; what was freed is gone. Without
# sampling the report has no such line. A full --max-blocks is told, with all that it left out.

. "$(dirname "$0")/lib.sh"

# one_run RUN PROGRAM ARGUMENTS...
one_run() {
	local run=$1 program=$2
	shift 2
	check "$run: the program starts" target_start "$run" "$PROGRAMS/$program"
	check "$run: the tool attaches" tool_start "$run" -p "$target" -o 0 -T 100000 "$@" 1000
	check "$run: the program does its work" target_run "$run"
	check "$run: SIGINT ends the tool well" tool_stop
	check "$run: the program runs on and ends well" target_end
}

silent() {
	cat "$1"
	[ ! -s "$1" ]
}

# judge RUN HOW INTERVAL
judge() {
	check "$1: the estimates are within six standard errors" \
		"$E2E/sampled.py" "$2" "$3" "$WORK/$1.out" "$WORK/$1.report"
	check "$1: nothing on stderr" silent "$WORK/$1.stderr"
}

one_run calls sampled -s 50
judge calls calls 50
one_run bytes sampled --sample-bytes 16K
judge bytes bytes 16384
# Frame pointers: only the totals.
one_run off sampled -W off --sample-bytes 4K
check "off: the total is within six standard errors" \
	"$E2E/sampled.py" bytes 4096 "$WORK/off.out" "$WORK/off.report" total

# What is not stored for want of room: blocks and bytes, together with what is stored, are the truth.
one_run full threads --max-blocks 300
check "full: what is reported and what is missed are the truth" \
	"$E2E/missed.py" 300 "$WORK/full.out" "$WORK/full.report" "$WORK/full.stderr"
summary
