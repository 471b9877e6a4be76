#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves what becomes of stacks that call frame information does not lead to their root: in the mode fallback they are those of the frame
# pointers where these do, and say so; else they say why they end. Reasons: more of them than may be sent to user space; a stack longer
# than what is copied of it; wrong call frame information. The mode force has none by frame pointer, and so shows that the reason was there.

. "$(dirname "$0")/lib.sh"

# one_run HOW NAME OPTIONS...
one_run() {
	local how=$1 name=$2
	shift 2
	# the pages of fresh code, mapped by mmap(), are no matter of the truth: -Z
	target_start "$name" "$PROGRAMS/by_fp" "$how" || return 1
	tool_start "$name" -p "$target" -o 0 -Z 1000000 -T 100000 "$@" 1000 || { cat "$WORK/$name.stderr"; return 1; }
	target_run "$name" && tool_stop && target_end
}

# all_by_fp NAME: every stack is complete, through frames by frame pointer, and goes from leak to main and _start.
all_by_fp() {
	python3 - "$WORK/$1.report" <<-'END'
		import sys
		sys.path.insert(0, "tests/e2e")
		import report
		stacks = report.last(sys.argv[1])
		wrong = [stack for stack in stacks if stack.incomplete or not stack.by_frame_pointer or
		         stack.names[0] != "leak" or "main" not in stack.names or stack.names[-1] != "_start"]
		print(len(stacks), *wrong, sep="\n")
		sys.exit(len(wrong) > 0 or not stacks)
	END
}

# ends NAME REASON: in the mode fallback, some stack ends with it, and is not marked complete
ends() {
	cat "$WORK/$1.stderr"
	grep -q "incomplete: $2\$" "$WORK/$1.report"
}

# apart NAME REASON: in the mode force, blocks are summed up with it, and none was left by frame pointer on the way
apart() {
	tail -n 5 "$WORK/$1.report"
	grep -q "stack cut short: $2\$" "$WORK/$1.report"
}

rate='too many unfinished stacks a second'
for how in fresh blind; do
	for mode in fallback force; do
		check "$how, $mode: the run" one_run $how $how.$mode -W $mode --dwunw-share 1 --dwunw-slice 64
		check "$how, $mode: the totals are true" "$E2E/judge.py" total "$WORK/$how.$mode.out" "$WORK/$how.$mode.report"
	done
	check "$how, force: too many to be sent" apart $how.force "$rate"
done
check "fresh, fallback: all are complete, by frame pointer" all_by_fp fresh.fallback
check "fresh, fallback: belong to their function" "$E2E/judge.py" truth "$WORK/fresh.fallback.out" "$WORK/fresh.fallback.report"
check "blind, fallback: frame pointers lead nowhere, which is said" has_line "$WORK/blind.fallback.stderr" "cut short: .*[0-9]* $rate"

# The kernel side's walk by frame pointer goes beyond the copy.
for mode in fallback force; do
	check "deep, $mode: the run" one_run deep deep.$mode -W $mode --dwunw-slice 1
	check "deep, $mode: the totals are true" "$E2E/judge.py" total "$WORK/deep.$mode.out" "$WORK/deep.$mode.report"
done
check "deep, force: longer than the copy" apart deep.force 'deeper than the copied part of the stack'
check "deep, fallback: all are complete, by frame pointer" all_by_fp deep.fallback

for walk in kernel user; do
	check "wrong, $walk: the run" one_run wrong wrong.$walk --dwunw-walk=$walk
	check "wrong, $walk: all are complete, by frame pointer" all_by_fp wrong.$walk
done
check "wrong, force: the run" one_run wrong wrong.force -W force
check "wrong, force: the stack ends" apart wrong.force 'pc in no known executable mapping'

summary
