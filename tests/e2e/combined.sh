#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: with -C the sums that the kernel keeps for each stack are those that programs say they leak: through every allocation
# function, from several threads, over failed and moving reallocs, after exec, through plugins whose stacks are finished in user
# space; of more than a TiB; in force and off mode. -a and -o have nothing to show of single blocks.

. "$(dirname "$0")/lib.sh"

# one_run NAME MODE OPTIONS...
one_run() {
	local name=$1 run=$1.$2 mode=$2
	shift 2
	check "$run: the program starts" target_start "$run" "$PROGRAMS/$name"
	check "$run: the tool attaches" tool_start "$run" -p "$target" -C -T 100000 -W "$mode" "$@" 1000
	check "$run: the program does its work" target_run "$run"
	check "$run: SIGINT ends the tool well" tool_stop
	check "$run: the program runs on and ends well" target_end
}

not_a_block() {
	! grep -P '^\taddr = ' "$1"
}

for name in calloc realloc posix_memalign threads exec_main plugin strdup signal; do
	one_run "$name" force -a -o 3600000
	one_run "$name" off
	report=$WORK/$name.force.report
	check "$name: the sums equal the truth" "$E2E/judge.py" truth "$WORK/$name.force.out" "$report"
	check "$name: every stack is complete" "$E2E/judge.py" complete "$WORK/$name.force.out" "$report"
	check "$name: off: the total equals the truth" \
		"$E2E/judge.py" total "$WORK/$name.off.out" "$WORK/$name.off.report" "$report"
	check "$name: no single block is shown" not_a_block "$report"
done

# A sum of more than 40 bits: 1100 blocks of 1 GiB, which are not touched.
cat >"$WORK/large.py" <<-END
	import ctypes
	libc = ctypes.CDLL(None)
	libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
	assert all(libc.malloc(1 << 30) for _ in range(1100))
END
large() {
	timeout 60 "$TOOL" -C -z 1073741824 -c "python3 $WORK/large.py" 1000 </dev/null 2>"$WORK/stderr" |
		awk '{ print } / bytes in / { bytes += $1; n += $4 } END { exit bytes != 1181116006400 || n != 1100 }'
}
check "more than a TiB" large
summary
