#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# Proves what happens when user space does not keep up: the tool is stopped while thousands of stacks wait to be finished. What the ring
# buffer has no room for is counted and told, keeps the frames that were known, and the totals stay true.
# Of stacks that are not large, it has room for all: records are as large as they.
# (-Z: without the page that the unknown code is in.)

. "$(dirname "$0")/lib.sh"

# late NAME PROGRAM...: the tool sleeps while the program works
late() {
	local name=$1
	shift
	target_start "$name" "$@" && tool_start "$name" -p "$target" -o 0 -Z 4000 -T 4000 --dwunw-share=100 1000 || return 1
	kill -STOP "$tool" && target_run "$name"
	kill -CONT "$tool" && tool_stop && target_end
}

check "large stacks: the run" late dropped "$PROGRAMS/unknown_code" afar
check "no block is lost" "$E2E/judge.py" total "$WORK/dropped.out" "$WORK/dropped.report"
check "nor is its function" "$E2E/judge.py" truth "$WORK/dropped.out" "$WORK/dropped.report"
check "stacks without room are shown as such, with their frames" \
	grep -q 'frames=[1-9][0-9]*, incomplete: ring buffer full$' "$WORK/dropped.report"
check "and summed up" has_line "$WORK/dropped.stderr" 'stacks: .* cut short: .*[0-9]* ring buffer full'
check "small stacks: the run" late small "$PROGRAMS/unknown_code"
check "nor there" "$E2E/judge.py" truth "$WORK/small.out" "$WORK/small.report"
check "there is room for all" test "$(grep -c 'ring buffer full' "$WORK/small.stderr")" = 0
summary
