#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# Proves that code which was at an address and code which is there now are two things: a program opens and closes two plugins in turn at
# the same addresses. If each stays open for a while, every stack is complete and has the names of its own plugin, although
# both are closed when the report is made. If each is closed at once, stacks may be cut short, but nothing is attributed
# to the wrong plugin, and the totals are true. The same for plugins in namespaces of their own (dlmopen).

. "$(dirname "$0")/lib.sh"

# In milliseconds: enough for the tool to take notice of a library on a machine that is busy with other things; tests/vm is slower.
while_open=$((200 * ${DWUNW_PATIENCE:-1}))
# --dwunw-share=100: an emulator takes longer to send a stack than the share of time for that has; that is not tested here.

# one_run NAME "MILLISECONDS [namespace]" OPTIONS...
one_run() {
	local name=$1 how=$2
	shift 2
	# shellcheck disable=SC2086 # one word or two
	target_start "$name" "$PROGRAMS/unload" $how || return 1
	tool_start "$name" -p "$target" -o 0 -T 100000 "$@" 1000 || return 1
	target_run "$name" && tool_stop && target_end
}

for where in "" namespace; do
	check "slow${where:+, $where}: the run" one_run slow "$while_open $where" --dwunw-share=100
	check "slow: the report equals the truth" "$E2E/judge.py" truth "$WORK/slow.out" "$WORK/slow.report"
	check "slow: every stack is complete" "$E2E/judge.py" complete "$WORK/slow.out" "$WORK/slow.report"
	check "slow, off: the run" one_run off "$while_open $where" -W off
	check "slow, off: the totals equal the truth" \
		"$E2E/judge.py" total "$WORK/off.out" "$WORK/off.report" "$WORK/slow.report"

	check "fast${where:+, $where}: the run" one_run fast "0 $where" --dwunw-share=100 -a
	check "fast: the totals equal the truth" \
		"$E2E/judge.py" total "$WORK/fast.out" "$WORK/fast.report" "$WORK/off.report"
	check "fast: no stack holds blocks of both plugins" \
		"$E2E/judge.py" apart "$WORK/fast.out" "$WORK/fast.report"
done
summary
