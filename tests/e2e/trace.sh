#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: -t prints every allocation and every free in order, each with its stack: what they leave is what the report shows, block
# for block and stack for stack, through every function, failed, moving and freeing reallocs, eight threads; a call that could not
# be printed is counted; a reader that has gone ends the tool, and never the target.

. "$(dirname "$0")/lib.sh"

# one_run NAME OPTIONS...
one_run() {
	local name=$1
	shift
	check "$name: the program starts" target_start "$name" "$PROGRAMS/$name"
	check "$name: the tool attaches" tool_start "$name" -p "$target" -t -a -o 0 -T 100000 "$@" 1000
	check "$name: the program does its work" target_run "$name"
	check "$name: SIGINT ends the tool well" tool_stop
	check "$name: the program runs on and ends well" target_end
}

for name in calloc realloc posix_memalign strdup threads qsort_cb; do
	one_run "$name" -W force
	check "$name: the events leave what the report shows" \
		"$E2E/trace.py" complete "$WORK/$name.report"
	check "$name: the report equals the truth" \
		"$E2E/judge.py" truth "$WORK/$name.out" <(sed -n '/Top [0-9]* stacks/,$p' "$WORK/$name.report")
	one_run "$name" -W off
	check "$name: off: the events leave what the report shows" "$E2E/trace.py" "$WORK/$name.report"
done

# 50,000 blocks of a size that nothing else has (33 bytes are Python's), each freed at once, and then the end.
"$TOOL" -t -z 4321 -Z 4321 -c "python3 -c 'for i in range(50000): bytes(4288)'" 1000 </dev/null >"$WORK/fast.report" \
	2>"$WORK/fast.stderr"
all_told() {
	awk '/alloc exited|free entered/ { n++ } / calls not printed: / { n += $2 } END { print n " calls"; exit n != 100000 }' \
		"$WORK/fast.report" "$WORK/fast.stderr"
}
check "a program that has ended: each call is printed or counted" all_told

# A target that allocates without a pause.
python3 -c 'while True: bytes(1000)' &
target=$!
started+=("$target")

# traced_to NAME: the tool, writing to a pipe that $reader is to read from.
traced_to() {
	mkfifo "$WORK/$1.pipe"
	"$TOOL" -p "$target" -t >"$WORK/$1.pipe" 2>"$WORK/$1.stderr" &
	tool=$!
	started+=("$tool")
	exec {reader}<"$WORK/$1.pipe"
	read -r -t 20 -u "$reader"
}

# The pipe is full, and so is then the ring buffer.
traced_to slow
nap 3
cat <&"$reader" >/dev/null &
started+=("$!")
exec {reader}<&-
check "a slow reader: SIGINT ends the tool well" tool_stop
check "a slow reader: what was not printed is counted" \
	has_line "$WORK/slow.stderr" '[0-9]* calls not printed: they came faster than they were printed'

traced_to gone
exec {reader}<&-
wait "$tool"
status=$?
check "a reader that has gone: exit status 1 ($status)" [ "$status" = 1 ]
check "a reader that has gone: why is said" \
	has_line "$WORK/gone.stderr" 'cannot write to stdout: Broken pipe'
check "the target runs on" kill -0 "$target"
summary
