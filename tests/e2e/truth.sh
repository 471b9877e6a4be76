#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# Proves, for every program of tests/programs: the bytes and blocks that the tool reports for each function are those that
# the program says it leaks, and no others; every stack is complete and begins where a thread can begin; nothing is
# written on stderr, and the program runs on unharmed. Likewise the totals with --dwunw-mode=off.

. "$(dirname "$0")/lib.sh"

# What the tool is told besides, for one program.
declare -A extra=(
	[recursion]="--perf-max-stack-depth 512"
	[longjmp]="-O $PROGRAMS/allocator_lib.so"
	[nested]="-O $PROGRAMS/allocator_lib.so"
)

# What stands before its name.
declare -A around=(
	[reuse]="env GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0"
)

# one_run NAME MODE OPTIONS...
one_run() {
	local name=$1 mode=$2 run=$1.$2
	shift 2
	# shellcheck disable=SC2086 # several words
	check "$run: the program starts" target_start "$run" ${around[$name]:-} "$PROGRAMS/$name"
	# shellcheck disable=SC2086 # several words
	check "$run: the tool attaches" tool_start "$run" -p "$target" -o 0 -T 100000 -W "$mode" \
		${extra[$name]:-} "$@" 1000
	check "$run: the program does its work" target_run "$run"
	check "$run: SIGINT ends the tool well" tool_stop
	check "$run: the program runs on and ends well" target_end
}

for source in tests/programs/*.c tests/programs/*.cc; do
	name=$(basename "${source%.*}")
	case $name in
	*_lib | leaky | unload) continue ;; # libraries, a program without truth lines, one with a test of its own
	esac
	one_run "$name" force
	one_run "$name" off
	truth=$WORK/$name.force.out report=$WORK/$name.force.report
	check "$name: the report equals the truth" "$E2E/judge.py" truth "$truth" "$report"
	check "$name: every stack is complete" "$E2E/judge.py" complete "$truth" "$report"
	check "$name: off: the totals equal the truth" \
		"$E2E/judge.py" total "$WORK/$name.off.out" "$WORK/$name.off.report" "$report"
	check "$name: nothing on stderr" cat "$WORK/$name".*.stderr
done
summary
