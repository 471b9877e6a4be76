#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves that stacks are those that gdb sees, pc for pc from the caller of the allocator to the root: each program runs once under
# the tool and once under gdb, which stops at every entry of an allocator function. Pcs are compared as file and offset,
# because addresses are random, and the kernel's page for probes moves what is mapped later. Proves also that the
# frame lines of -v fit together.

. "$(dirname "$0")/lib.sh"
export E2E

# equal: all that the program allocates stays outstanding, so each stack of gdb's must be reported; subset: of the others, some are
# freed again.
compare() {
	local how=$1 name=$2
	target_start "$name" "$PROGRAMS/$name" || return 1
	tool_start "$name" -p "$target" -v -o 0 -T 100000 --perf-max-stack-depth 512 1000 || return 1
	target_run "$name" || return 1
	cp "/proc/$target/maps" "$WORK/$name.maps"
	tool_stop && target_end || return 1
	STACKS=$WORK/$name.stacks timeout 60 gdb -nx -batch -x "$E2E/gdb_stacks.py" --args "$PROGRAMS/$name" \
		>"$WORK/gdb" 2>&1 || { cat "$WORK/gdb"; return 1; }
	"$E2E/same_stacks.py" "$how" "$WORK/$name.stacks" "$WORK/$name.report" "$WORK/$name.maps"
}

for name in chain alloca drap signal ucontext recursion; do
	check "$name: the stacks are gdb's, and all of them" compare equal "$name"
done
for name in qsort_cb threads cxx plugin realloc calloc strdup posix_memalign; do
	check "$name: the stacks are among gdb's" compare subset "$name"
done
summary
