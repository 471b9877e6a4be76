#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves that this kernel emulates the instructions that probes are put on (tests/unit/placement_kernel_test.c has the places themselves, on
# the kernel of the machine alone), that -v says where they are, and that nothing is said of it otherwise where nothing is to be said.

. "$(dirname "$0")/lib.sh"

told() {
	target_start told "$PROGRAMS/chain" && tool_start told -p "$target" -v -o 0 1000 && target_run told && tool_stop &&
		target_end || return 1
	grep placement "$WORK/told.stderr"
	has_line "$WORK/told.stderr" 'placement: tried, emulated; an empty probe takes [0-9]* ns there, [0-9]* ns' &&
		has_line "$WORK/told.stderr" 'placement in [^ ]*/libc.so.6: malloc +[0-9]*, calloc +.* free +.*, emulated'
}
check "-v tells where probes are, and that they are emulated" told

untold() {
	target_start untold "$PROGRAMS/chain" && tool_start untold -p "$target" -o 0 1000 && target_run untold && tool_stop &&
		target_end || return 1
	cat "$WORK/untold.stderr"
	[ ! -s "$WORK/untold.stderr" ]
}
check "without -v nothing is said of glibc" untold

summary
