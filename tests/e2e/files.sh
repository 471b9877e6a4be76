#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves, of programs whose files are not as usual: static and static-PIE ones, and ones of musl (whose code has no call frame information), have
# complete stacks; a program that was replaced on disk before the tool came, and plugins that
# are deleted before the report is made, keep their stacks and names.

. "$(dirname "$0")/lib.sh"

flags="-D_GNU_SOURCE -O2 -fomit-frame-pointer -pthread -Itests/programs"

# one_run NAME PROGRAM OPTIONS...
one_run() {
	local name=$1 program=$2
	shift 2
	target_start "$name" "$program" || return 1
	tool_start "$name" -p "$target" -v -o 0 -T 100000 "$@" 1000 && target_run "$name" && tool_stop && target_end
}

# own_allocator NAME COMPILER OPTIONS...
own_allocator() {
	local name=$1
	shift
	# shellcheck disable=SC2086 # several words
	check "$name: is built" "$@" $flags -o "$WORK/$name" tests/programs/threads.c
	check "$name: the run" one_run "$name" "$WORK/$name"
	check "$name: the report equals the truth" "$E2E/judge.py" truth "$WORK/$name.out" "$WORK/$name.report"
	check "$name: no stack is incomplete" test "$(grep -c 'incomplete' "$WORK/$name.report")" = 0
	# musl's pthread_create(), which calls mmap(), has no call frame information; those stacks are gone with their threads
	[[ $name == musl* ]] ||
		check "$name: every walk was complete" has_line "$WORK/$name.stderr" ' in user space, 0 incomplete,'
}

own_allocator static gcc -static
own_allocator static_pie gcc -static-pie
if command -v musl-gcc >/dev/null; then
	own_allocator musl musl-gcc
	own_allocator musl_static musl-gcc -static
else
	echo "# musl not tested: there is no musl-gcc (scripts/install-deps test)"
fi

# Another program of the same name, renamed over it: it is the old one that runs.
replaced() {
	cp "$PROGRAMS/threads" "$WORK/replaced"
	target_start replaced "$WORK/replaced" || return 1
	cp "$PROGRAMS/qsort_cb" "$WORK/new" && mv "$WORK/new" "$WORK/replaced" || return 1
	tool_start replaced -p "$target" -o 0 1000 && target_run replaced && tool_stop && target_end
}
check "replaced on disk: the run" replaced
check "replaced on disk: the report equals the truth" \
	"$E2E/judge.py" truth "$WORK/replaced.out" "$WORK/replaced.report"
check "replaced on disk: every stack is complete" \
	"$E2E/judge.py" complete "$WORK/replaced.out" "$WORK/replaced.report"

deleted() {
	mkdir "$WORK/storm"
	cp -r "$PROGRAMS/storm" "$PROGRAMS/storm_plugins" "$WORK/storm"
	target_start deleted "$WORK/storm/storm" 1 || return 1
	tool_start deleted -p "$target" -o 0 -T 100000 1000 && target_run deleted || return 1
	nap 0.5 # within milliseconds of its use a file must be there
	rm -r "$WORK/storm"
	tool_stop && target_end
}
check "deleted plugins: the run" deleted
check "deleted plugins: the report equals the truth" \
	"$E2E/judge.py" truth "$WORK/deleted.out" "$WORK/deleted.report"
check "deleted plugins: every stack is complete" \
	"$E2E/judge.py" complete "$WORK/deleted.out" "$WORK/deleted.report"
summary
