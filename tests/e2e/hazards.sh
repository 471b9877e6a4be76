#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves that a second tracer's return probes do not cut stacks: their trampoline stands where the return address was, and
# is seen through. Also through ones of this tool's own, traced twice. (exec and fork: the program exec_self of truth.sh.)

. "$(dirname "$0")/lib.sh"

# The library's calloc calls itself four times, then the C library's malloc. The first tool has return probes on calloc; the second's
# stacks go through five of them.
check "the program starts" target_start trampoline "$PROGRAMS/trampoline"
check "a tool attaches to the library" tool_start outer -p "$target" -O "$PROGRAMS/wrapper_lib.so" -o 0 -T 1000 1000
outer=$tool
check "another attaches to the C library" tool_start inner -p "$target" -v -o 0 -T 1000 1000
check "the program does its work" target_run trampoline
check "SIGINT ends the inner one" tool_stop
tool=$outer
check "SIGINT ends the outer one" tool_stop
check "the program ends well" target_end
check "the inner report equals the truth" "$E2E/judge.py" truth "$WORK/trampoline.out" "$WORK/inner.report"
check "every inner stack is complete" "$E2E/judge.py" complete "$WORK/trampoline.out" "$WORK/inner.report"
frames_hidden() {
	grep -c 'flags=0x4 ' "$WORK/inner.report"
	[ "$(grep -c 'flags=0x4 ' "$WORK/inner.report")" = 5 ]
}
check "and five of its frames were behind a trampoline" frames_hidden
summary
