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
	[inside]="-O $PROGRAMS/allocator_lib.so"
)

# What stands before its name.
declare -A around=(
	[reuse]="env GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0"
)

# What is to be said on stderr, for a program where something is; every jump of longjmp leaves one call behind.
not_traced='not in .*allocator_lib\.so, so not traced: reallocarray, posix_memalign, memalign, aligned_alloc, valloc, pvalloc$'
finished='stacks: [0-9]* complete \([0-9]* finished in user space, 0 by frame pointer\), 0 cut short$'
declare -A said=(
	[longjmp]="$not_traced|: 200 allocator calls that did not return"
	[nested]="$not_traced"
	[inside]="$not_traced"
	[exec_self]="$finished"
	[exec_main]="$finished"
	[plugin]="$finished"
)

# Nothing else, that is; and that.
quiet() {
	local stderr=$WORK/$1.force.stderr
	cat "$stderr"
	! grep -qvE "${said[$1]:-^$}" "$stderr" || return 1
	# plugin: only if an allocation comes before the plugin's table
	[ -z "${said[$1]:-}" ] || [ "$1" = plugin ] || [ -s "$stderr" ]
}

# one_run NAME RUN OPTIONS...: RUN is a mode, or another name for a run in the default mode.
one_run() {
	local name=$1 mode=$2 run=$1.$2
	case $mode in
	off | force) set -- "$@" -W "$mode" ;;
	esac
	shift 2
	# shellcheck disable=SC2086 # several words
	check "$run: the program starts" target_start "$run" ${around[$name]:-} "$PROGRAMS/$name"
	# shellcheck disable=SC2086 # several words
	check "$run: the tool attaches" tool_start "$run" -p "$target" -o 0 -T 100000 \
		${extra[$name]:-} "$@" 1000
	check "$run: the program does its work" target_run "$run"
	check "$run: SIGINT ends the tool well" tool_stop
	check "$run: the program runs on and ends well" target_end
}

for source in tests/programs/*.c tests/programs/*.cc; do
	name=$(basename "${source%.*}")
	case $name in
	*_lib | leaky | steps | modes | unload | storm | dropped_page | forks | sampled | exchange | steady | unknown_code | by_fp | children | kernel_objects | exec_thread | images | replace | memo_* | hard_*) continue ;; # libraries, programs without truth lines, or with a test of their own
	esac
	one_run "$name" force
	one_run "$name" off
	truth=$WORK/$name.force.out report=$WORK/$name.force.report
	check "$name: the report equals the truth" "$E2E/judge.py" truth "$truth" "$report"
	check "$name: every stack is complete" "$E2E/judge.py" complete "$truth" "$report"
	check "$name: off: the totals equal the truth" \
		"$E2E/judge.py" total "$WORK/$name.off.out" "$WORK/$name.off.report" "$report"
	check "$name: nothing unexpected on stderr" quiet "$name"
done

# More frames than are walked: what is there is shown, the reason is said, and the numbers stay true.
one_run recursion cut --perf-max-stack-depth 100
check "a cut stack: the reason is in the report" \
	has_line "$WORK/recursion.cut.report" 'frames=100, incomplete: .*--perf-max-stack-depth'
check "a cut stack: the totals equal the truth" \
	"$E2E/judge.py" total "$WORK/recursion.cut.out" "$WORK/recursion.cut.report"
summary
