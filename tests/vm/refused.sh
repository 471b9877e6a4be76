#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves on a kernel that is too old: both programs say in one line what it lacks, and exit with status 1; the target is
# unharmed.

. tests/e2e/lib.sh

# refused COMMAND...
refused() {
	local status
	timeout 100 "$@" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null
	status=$?
	cat "$WORK/stdout" "$WORK/stderr"
	[ "$status" = 1 ] && [ ! -s "$WORK/stdout" ] && [ "$(wc -l <"$WORK/stderr")" = 1 ] &&
		grep -qE '_user: this kernel lacks .* \(Linux 5\.1[15]\)' "$WORK/stderr"
}

target_start chain "$PROGRAMS/chain"
for mode in off fallback force; do
	check "memleak_dwunw_user, $mode" refused "$TOOL" -p "$target" -W "$mode"
done
check "memleak_user" refused "$BUILD/examples/bpf_memleak/memleak_user" -p "$target"
check "the target answers" target_run chain
check "the target ends well" target_end
summary
