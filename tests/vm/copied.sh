#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves on a kernel without bpf_loop(): the tool says in one line that stacks are walked in user space, and what it reports is
# the truth, with complete stacks; likewise the totals with --dwunw-mode=off, about which there is nothing to say.

. tests/e2e/lib.sh

# one_run NAME MODE
one_run() {
	target_start "$1.$2" "$PROGRAMS/$1" && tool_start "$1.$2" -p "$target" -W "$2" -o 0 -T 100000 --dwunw-slice 64 1000 &&
		target_run "$1.$2" && tool_stop && target_end
}

one_line() {
	cat "$WORK/$1.stderr"
	[ "$(grep -c 'this kernel lacks bpf_loop' "$WORK/$1.stderr")" = 1 ]
}

for name in chain cxx drap realloc threads; do
	for mode in fallback force off; do
		run=$name.$mode
		check "$run: the run" one_run "$name" "$mode"
		if [ "$mode" = off ]; then
			check "$run: the totals equal the truth" \
				"$E2E/judge.py" total "$WORK/$run.out" "$WORK/$run.report"
			check "$run: nothing on stderr" test ! -s "$WORK/$run.stderr"
			continue
		fi
		check "$run: the report equals the truth" "$E2E/judge.py" truth "$WORK/$run.out" "$WORK/$run.report"
		check "$run: every stack is complete" "$E2E/judge.py" complete "$WORK/$run.out" "$WORK/$run.report"
		check "$run: one line says why it is slower" one_line "$run"
	done
done
summary
