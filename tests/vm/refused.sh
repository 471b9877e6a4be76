#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves on a kernel that is too old: both programs say in one line what it lacks, and exit with status 1; the target is
# unharmed. On 5.15, --dwunw-mode=off works.

. tests/e2e/lib.sh

# refused COMMAND...
refused() {
	local status
	timeout 100 "$@" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null
	status=$?
	cat "$WORK/stdout" "$WORK/stderr"
	[ "$status" = 1 ] && [ ! -s "$WORK/stdout" ] && [ "$(wc -l <"$WORK/stderr")" = 1 ] &&
		grep -qE '_user: this kernel lacks .* \(Linux 5\.1[157]\)' "$WORK/stderr"
}

# --dwunw-mode=off needs task storage and probe cookies, but not bpf_loop().
off_works() {
	target_start off "$PROGRAMS/chain" && tool_start off -p "$target" -o 0 -W off 1000 || return 1
	target_run off && tool_stop && target_end && "$E2E/judge.py" total "$WORK/off.out" "$WORK/off.report"
}

target_start chain "$PROGRAMS/chain"
check "memleak_dwunw_user, fallback" refused "$TOOL" -p "$target"
check "memleak_dwunw_user, force" refused "$TOOL" -p "$target" -W force
check "memleak_user" refused "$BUILD/examples/bpf_memleak/memleak_user" "$target"
case $(uname -r) in
5.10.*) check "memleak_dwunw_user, off" refused "$TOOL" -p "$target" -W off ;;
esac
check "the target answers" target_run chain
check "the target ends well" target_end
case $(uname -r) in
5.15.*) check "memleak_dwunw_user, off: the totals equal the truth" off_works ;;
esac
summary
