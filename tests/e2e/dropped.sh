#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# Proves what happens when user space does not keep up: the tool is stopped while thousands of stacks wait to be finished. What the ring
# buffer has no room for is counted and told, keeps the frames that were known, and the totals stay true.
# (-Z: without the page that the unknown code is in.)

. "$(dirname "$0")/lib.sh"

check "the program starts" target_start dropped "$PROGRAMS/unknown_code"
check "the tool attaches" tool_start dropped -p "$target" -o 0 -Z 4000 -T 1000 --dwunw-share=100 1000
kill -STOP "$tool"
check "the program does its work" target_run dropped
kill -CONT "$tool"
check "SIGINT ends the tool" tool_stop
check "the program ends well" target_end
check "no block is lost" "$E2E/judge.py" total "$WORK/dropped.out" "$WORK/dropped.report"
check "nor is its function" "$E2E/judge.py" truth "$WORK/dropped.out" "$WORK/dropped.report"
check "stacks without room are shown as such, with their frames" \
	grep -q 'frames=[1-9][0-9]*, incomplete: ring buffer full$' "$WORK/dropped.report"
check "and summed up" has_line "$WORK/dropped.stderr" 'stacks: .* cut short: .*[0-9]* ring buffer full'
summary
