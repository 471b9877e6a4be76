#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves, of --max-overhead: under the limit nothing is given up, totals are exact and nothing is said. Over it, the tool says what it
# does; the probes of allocations go and come back, those of frees stay unless they alone are too much; where they go as well, blocks
# from before are told apart. The target runs on through all that, and every probe is gone at the end.

. "$(dirname "$0")/lib.sh"

silent() {
	cat "$1"
	[ ! -s "$1" ]
}

has_no_line() {
	! grep -- "$2" "$1"
}

# What the tool holds that probes are attached by.
links() {
	find "/proc/$tool/fd" -lname 'anon_inode:bpf*link*' -o -lname 'anon_inode:\[perf_event\]' 2>/dev/null | wc -l
}

# The links that stay, and those that are there at most, while the target works.
watch_links() {
	local n
	fewest=1000 most=0
	until done_or_gone "$WORK/$1.out" "$target"; do
		n=$(links)
		[ "$n" -lt "$fewest" ] && fewest=$n
		[ "$n" -gt "$most" ] && most=$n
		nap 0.1
	done
	echo "$1: $fewest to $most links"
}

# one_run RUN LIMIT PROGRAM ARGUMENTS...
one_run() {
	local run=$1 limit=$2 program=$3
	shift 3
	check "$run: the program starts" target_start "$run" "$PROGRAMS/$program" "$@"
	check "$run: the tool attaches" \
		tool_start "$run" -p "$target" -o 0 -T 100000 --max-overhead "$limit" 1
	target_tell
	watch_links "$run"
	check "$run: the program does its work" has_line "$WORK/$run.out" '^done$'
	check "$run: SIGINT ends the tool well" tool_stop
	check "$run: the program runs on and ends well" target_end
}

one_run under 90 steady 3 5000
check "under the limit: the report equals the truth" "$E2E/judge.py" truth "$WORK/under.out" "$WORK/under.report"
check "under the limit: no estimates" has_no_line "$WORK/under.report" '\[memleak\]'
check "under the limit: nothing is said" silent "$WORK/under.stderr"
check "under the limit: the probes stay" [ "$fewest" = "$most" ]

one_run calls 2 steady 6 100000
check "allocations: said" has_line "$WORK/calls.stderr" \
	'--max-overhead: .* is recorded in [0-9.]*% of the time, frees are always seen, .*totals are estimates'
check "allocations: the report says that it estimates" has_line "$WORK/calls.report" 'in all, estimated from'
check "allocations: nothing is doubtful" has_no_line "$WORK/calls.report" 'not verified\|not seen'
check "allocations: two links go, others stay" [ "$most" -ge $((fewest + 2)) ] && [ "$fewest" -ge 3 ]

one_run frees 2 exchange 8 0
check "frees: said" has_line "$WORK/frees.stderr" 'frees are seen only then'
check "frees: the report says since when" has_line "$WORK/frees.report" '^\[memleak\] frees are not seen since'
check "frees: all but the first links go" [ "$most" -ge $((fewest + 5)) ]
summary
