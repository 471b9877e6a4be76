#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# Proves, for --follow-forks: children by fork and by vfork and exec are traced, with numbers of their own; what a child began with is
# told apart; the gap is said, and so are children that were too short to be followed; fork works in the target, and
# without the option its children are left alone. The same with --dwunw-mode=off.

. "$(dirname "$0")/lib.sh"

# holds REPORT FUNCTION BYTES BLOCKS: in its last report, in a stack of another process than $target if FUNCTION is not the parent's.
holds() {
	python3 - "$@" "$target" <<-'END'
		import re, sys
		path, function, size, blocks, parent = sys.argv[1:]
		text = open(path, encoding="utf-8").read().split("stacks with outstanding allocations:\n")[-1]
		stacks = [s for s in re.split(r"(?m)^(?=\d+ bytes in )", text) if f"] {function}+" in s]
		print("\n".join(stacks))
		sums = [sum(int(re.match(r"(\d+) bytes in (\d+)", s)[i]) for s in stacks) for i in (1, 2)]
		of_parent = [f"pid={parent} " in s for s in stacks if "pid=" in s]
		sys.exit(sums != [int(size), int(blocks)] or any(it != (function == "leak_in_parent") for it in of_parent))
	END
}

# one_run NAME OPTIONS...
one_run() {
	local name=$1
	shift
	target_start "$name" "$PROGRAMS/forks" &&
		tool_start "$name" -p "$target" -o 0 -T 1000 "$@" 1 && target_run "$name"
}

check "the program is traced" one_run forks --follow-forks
check "a child's stacks are reported" wait_for 15 has_line "$WORK/forks.report" ' leak_in_child+'
check "those of a program it has started as well" wait_for 15 has_line "$WORK/forks.report" ' leak_after_exec+'
nap 1.2
check "SIGINT ends the tool" tool_stop
check "the program and its children end" target_end
check "the parent's blocks" holds "$WORK/forks.report" leak_in_parent 5000 5
check "the child's blocks" holds "$WORK/forks.report" leak_in_child 14000 7
check "the started program's blocks" holds "$WORK/forks.report" leak_after_exec 27000 9
check "what the child began with" has_line "$WORK/forks.stderr" \
	"began with 5000 bytes in 5 allocations of process $target, which still holds them"
once() {
	[ "$(grep -c "began with" "$WORK/forks.stderr")" = 1 ]
}
check "and that alone" once
check "how many were followed, and the gap" has_line "$WORK/forks.stderr" \
	'[2-7] children followed; what they allocated in their first [0-9]* ms at most was not seen'

check "-C: the program is traced" one_run combined --follow-forks -C
check "-C: a child's stacks are reported" wait_for 15 has_line "$WORK/combined.report" ' leak_in_child+'
nap 1.2
check "SIGINT ends the tool" tool_stop
check "the program and its children end" target_end
check "-C: the child's blocks" holds "$WORK/combined.report" leak_in_child 14000 7
check "-C: what the child began with" has_line "$WORK/combined.stderr" \
	"began with 5000 bytes in 5 allocations of process $target, which still holds them"

check "without --follow-forks" one_run alone
nap 3.5
check "SIGINT ends the tool" tool_stop
check "the program and its children end" target_end
check "the parent's blocks alone" holds "$WORK/alone.report" leak_in_parent 5000 5
check "no child's" holds "$WORK/alone.report" leak_in_child 0 0
silent() {
	! grep -q child "$WORK/alone.stderr"
}
check "not a word about children" silent

check "off" one_run off --follow-forks -W off
check "off: a child's blocks" wait_for 15 has_line "$WORK/off.report" '^14000 bytes in 7 allocations'
check "off: the started program's" wait_for 15 has_line "$WORK/off.report" '^27000 bytes in 9 allocations'
check "SIGINT ends the tool" tool_stop
check "the program and its children end" target_end
summary
