#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 150
#
# Proves that stacks copied by the kernel side and walked in user space (--dwunw-walk=user: what a kernel without bpf_loop gets)
# are those walked in the kernel: two tools are attached to one program at the same time, one of each kind; their reports
# are equal stack for stack, and equal to the truth, although each walks through the return probes of the other. Of a handler on an
# alternate stack (program signal) the interrupted stack is copied too.

. "$(dirname "$0")/lib.sh"

declare -A extra=(
	[chain]="--dwunw-slice 64" # a frame of 40 KB, most of it never touched
	[recursion]="--perf-max-stack-depth 512 --dwunw-slice 64"
	[qsort_cb]="--dwunw-slice 4" # six thousand of them at once
)

# two_walks NAME
two_walks() {
	local name=$1 kernel
	# shellcheck disable=SC2086 # several words
	target_start "$name" "$PROGRAMS/$name" &&
		tool_start "$name.kernel" -p "$target" -o 0 -T 100000 ${extra[$name]:-} 1000 || return
	kernel=$tool
	# shellcheck disable=SC2086 # several words
	tool_start "$name.user" -p "$target" -o 0 -T 100000 --dwunw-walk=user ${extra[$name]:-} 1000 &&
		target_run "$name" && tool_stop || return
	tool=$kernel
	tool_stop && target_end
}

same_reports() {
	python3 - "$WORK/$1.kernel.report" "$WORK/$1.user.report" <<-'END'
		import sys
		sys.path.insert(0, "tests/e2e")
		import report
		kernel, user = (sorted((stack.pcs, stack.names, stack.bytes, stack.blocks) for stack in report.last(path))
		                for path in sys.argv[1:])
		for stack in kernel:
		    if stack not in user:
		        print("in the kernel only:", stack)
		for stack in user:
		    if stack not in kernel:
		        print("in user space only:", stack)
		sys.exit(kernel != user or not kernel)
	END
}

for name in chain cxx drap threads ucontext qsort_cb recursion alloca realloc calloc signal; do
	check "$name: traced in both ways at once" two_walks "$name"
	check "$name: the reports are the same" same_reports "$name"
	check "$name: they are the truth" "$E2E/judge.py" truth "$WORK/$name.out" "$WORK/$name.user.report"
	check "$name: every stack is complete" "$E2E/judge.py" complete "$WORK/$name.out" "$WORK/$name.user.report"
done

# Too small a slice: said, and the totals stay.
check "a slice of 1 KiB: the program starts" target_start small "$PROGRAMS/recursion"
check "a slice of 1 KiB: the tool attaches" tool_start small -p "$target" -o 0 -T 100000 --dwunw-walk=user \
	--dwunw-slice 1 --perf-max-stack-depth 512 1000
check "a slice of 1 KiB: the program does its work" target_run small
check "a slice of 1 KiB: SIGINT ends the tool" tool_stop
check "a slice of 1 KiB: is said" has_line "$WORK/small.report" 'incomplete: deeper than the copied part of the stack'
check "a slice of 1 KiB: the totals are true" "$E2E/judge.py" total "$WORK/small.out" "$WORK/small.report"

summary
