#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves that a tool which is behind, for it is stopped while a process does its work, finds the stacks of that time by what was mapped
# then: also those of images that came by exec and have gone by exec or exit, each with another library at the same addresses. Code whose file was
# replaced has no names rather than those of what is there now. And that a tool which gets hardly any time makes a report that is true of all that had happened by then.

. "$(dirname "$0")/lib.sh"

# behind NAME ARGUMENTS...: the tool, which prints each call, is stopped before the target goes on, and goes on itself a second later.
behind() {
	local name=$1
	shift
	tool_start "$name" -p "$target" -t -o 0 -T 100000 "$@" 100000 && nap 0.2 && kill -STOP "$tool" && target_tell || return 1
	nap "${DWUNW_PATIENCE:-1}"
	kill -CONT "$tool"
	nap $((2 * ${DWUNW_PATIENCE:-1}))
	gone "$tool" || tool_stop
	target_end || :
}


images() {
	local name=$1
	shift
	target_start "$name" setarch -R "$PROGRAMS/images" ready "$@"
}

for mode in kernel user; do
	for end in again exit; do
		last=()
		[ $end = exit ] && last=(exit)
		name=$mode-$end
		check "$name: starts" images "$name" first second first second "${last[@]}"
		check "$name: runs" behind "$name" --dwunw-walk=$mode
		check "$name: every block has its own plugin's stack" "$E2E/behind.py" "$WORK/$name.report" 2 2
	done
done

# Blocks of 111 bytes are the first plugin's, which nobody can read any more.
not_of_others() {
	awk '/ bytes in / { first = $1 == 111 * $4 || $1 == 1111 * $4; n += first } first && /second_/ { bad++; print }
		END { print n + 0; exit bad || !n }' "$WORK/replace.report"
}
mkdir "$WORK/replace"
check "replace: starts" target_start replace "$PROGRAMS/replace" "$WORK/replace"
check "replace: runs" behind replace
check "replace: it works" has_line "$WORK/replace.out" '^done$'
check "replace: no names of the other plugin" not_of_others
check "replace: the second plugin's" has_line "$WORK/replace.report" '\] second_leak+'

# Frames that are known by address alone, of a program where there was another one before.
by_address() {
	images off "$PROGRAMS/calloc" && tool_start off -p "$target" -W off -t -o 0 1000 && target_tell || return 1
	wait_for 10 exec_done && target_run off && nap 0.5 && tool_stop && target_end
}
exec_done() {
	[ "$(grep -c '^ready$' "$WORK/off.out")" = 2 ]
}
own_names() {
	awk '/alloc exited/ { mine = /size = 1001,/; n += mine } mine && /^\t0 \[/ { right += / leak_calloc\+/ }
		END { print n + 0, right + 0; exit !n || right < n }' "$WORK/off.report"
}
check "off: a program after another one runs" by_address
check "off: names are its own" own_names

# A quarter of a second passes each time that the tool has run for a few milliseconds.
in_pulses() {
	tool_start pulses -p "$target" --dwunw-walk=user --dwunw-share=100 -o 0 -T 100000 1000 && nap 0.2 && kill -STOP "$tool" || return 1
	target_run pulses && kill -INT "$tool" || return 1
	for _ in {1..8}; do
		kill -CONT "$tool" && nap 0.004 && kill -STOP "$tool" && nap 0.25 || return 1
	done
	kill -CONT "$tool"
	wait "$tool" && target_end
}
check "pulses: starts" target_start pulses "$PROGRAMS/qsort_cb"
check "pulses: runs" in_pulses
check "pulses: the report equals the truth" "$E2E/judge.py" truth "$WORK/pulses.out" "$WORK/pulses.report"
check "pulses: every stack is complete" "$E2E/judge.py" complete "$WORK/pulses.out" "$WORK/pulses.report"
summary
