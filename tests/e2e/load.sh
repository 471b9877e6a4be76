#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# Proves: while sixteen threads allocate, free and realloc each other's blocks as fast as they can, and every address is in many
# hands, nothing is miscounted: at the end, the bytes and blocks of each allocation function are the program's own, every stack is complete,
# and nothing was lost (standard error is empty). With an arena for each thread, with one heap for all, and with more blocks than
# the kernel side keeps in the array of the most recent ones (recent_format.h), so that all the time some are moved from there.
#
#   SECONDS_EACH    how long each of the loads runs; default 5

. "$(dirname "$0")/lib.sh"

silent() {
	cat "$1"
	[ ! -s "$1" ]
}

seconds=${SECONDS_EACH:-5}
for heap in many one full; do
	tunables=glibc.malloc.arena_max=32 leaks=200
	[ $heap = full ] && leaks=2
	[ $heap = one ] && tunables=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0
	check "$heap: the program starts" \
		target_start $heap env GLIBC_TUNABLES=$tunables "$PROGRAMS/exchange" "$seconds" $leaks
	check "$heap: the tool attaches" tool_start $heap -p "$target" -o 0 -T 100000 2
	target_tell
	wait_for $((seconds + 60)) done_or_gone "$WORK/$heap.out" "$target"
	check "$heap: the program does its work" has_line "$WORK/$heap.out" '^done$'
	check "$heap: SIGINT ends the tool well" tool_stop
	check "$heap: the program runs on and ends well" target_end
	check "$heap: the report equals the truth" "$E2E/judge.py" truth "$WORK/$heap.out" "$WORK/$heap.report"
	check "$heap: every stack is complete" "$E2E/judge.py" complete "$WORK/$heap.out" "$WORK/$heap.report"
	check "$heap: nothing is said to be lost" silent "$WORK/$heap.stderr"
	grep '^rounds' "$WORK/$heap.out"
done
summary
