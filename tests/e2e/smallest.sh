#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# Proves of examples/bpf_memleak, the smallest program over the public headers: every call of malloc is printed once, with
# its complete stack, of as many frames as it has.

. "$(dirname "$0")/lib.sh"
SMALLEST=$BUILD/examples/bpf_memleak/memleak_user

probed() {
	[ "$("$E2E/probes.py" "$1" libc.so.6)" -gt 0 ] || gone "$2"
}

whole_run() {
	target_start chain "$PROGRAMS/chain" || return 1
	"$SMALLEST" -p "$target" >"$WORK/hits" 2>"$WORK/errors" &
	smallest=$!
	started+=("$smallest")
	wait_for 20 probed "$target" "$smallest" && target_run chain && wait_for 10 all_printed
	cat "$WORK/errors"
	kill -INT "$smallest" && wait "$smallest" && target_end && [ ! -s "$WORK/errors" ]
}

all_printed() {
	[ "$(grep -c '^\[event\]' "$WORK/hits")" -ge 107 ]
}

# "BLOCKS FRAMES" for each depth
depths() {
	awk '/^\[event\]/ { if (n) print n; n = 0 } /^  #/ { n++ } END { if (n) print n }' "$WORK/hits" | sort -n | uniq -c |
		awk '{ print $1, $2 }'
}

check "the run" whole_run
# malloc, 3 or 10 functions of the program, two of libc, _start
check "100 stacks the long way, 7 the short way" test "$(depths)" = "7 7
100 14"
check "no stack is incomplete" test "$(grep -c incomplete "$WORK/hits")" = 0
summary
