#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# Proves that plugins which come and go cost no stack: 200 of them, opened and closed as fast as that goes, follow each other at the same
# addresses while eight threads allocate. Every walk is complete, in the kernel or in user space; every block is attributed to the plugin
# that allocated it; the totals are true.

. "$(dirname "$0")/lib.sh"

# one_run NAME ROUNDS OPTIONS...
one_run() {
	local name=$1 rounds=$2
	shift 2
	target_start "$name" "$PROGRAMS/storm" "$rounds" || return 1
	tool_start "$name" -p "$target" -v -o 0 -T 100000 "$@" 1000 || return 1
	target_run "$name" && tool_stop && target_end
}

# Of all walks, not only of those whose blocks leak.
all_walks() {
	grep '\[dwunw\]' "$WORK/$1.stderr"
	grep -q ' walks: [0-9]* complete, .* finished in user space, 0 incomplete,' "$WORK/$1.stderr" &&
		! grep -qE 'too many unfinished|ring buffer full|could not be read' "$WORK/$1.stderr"
}

check "the run" one_run storm 5
check "the report equals the truth" "$E2E/judge.py" truth "$WORK/storm.out" "$WORK/storm.report"
check "every stack is complete" "$E2E/judge.py" complete "$WORK/storm.out" "$WORK/storm.report"
check "every walk was complete" all_walks storm
check "some were finished in user space" has_line "$WORK/storm.stderr" ' complete ([1-9][0-9]* finished in user space'
check "off: the run" one_run off 5 -W off
check "off: the totals equal the truth" \
	"$E2E/judge.py" total "$WORK/off.out" "$WORK/off.report" "$WORK/storm.report"
summary
