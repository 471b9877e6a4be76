#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves: `dwunw stack PID` shows every thread of real programs with the pcs that gdb finds, frame for frame up to the root, in the
# documented form and with exit status 0; and the programs go on.

. "$(dirname "$0")/lib.sh"
DWUNW=$BUILD/tools/dwunw/dwunw

# The thread ids and pcs of `dwunw stack`.
pcs() {
	sed -nE 's/^(TID [0-9]+:)$/\1/p; s/^#[0-9]+ +(0x[0-9a-f]{16}) .*/\1/p'
}

# same_as_gdb PID THREADS: also where a thread moves now and then: once out of five times they have to agree.
same_as_gdb() {
	for _ in 1 2 3 4 5; do
		timeout 60 gdb -nx -batch -p "$1" -x tests/gdb_threads.py 2>/dev/null |
			grep -E '^(TID [0-9]+:|0x[0-9a-f]{16})$' >"$WORK/gdb"
		"$DWUNW" stack "$1" >"$WORK/stack" 2>"$WORK/err"
		status=$?
		pcs <"$WORK/stack" >"$WORK/ours"
		diff "$WORK/gdb" "$WORK/ours" >"$WORK/diff" && break
		nap 0.1
	done
	cat "$WORK/diff"
	[ ! -s "$WORK/diff" ] && [ "$(grep -c TID "$WORK/ours")" -ge "$2" ] && [ "$status" = 0 ] &&
		[ ! -s "$WORK/err" ]
}

well_formed() {
	! grep -vE '^TID [0-9]+:$|^#[0-9]+ +0x[0-9a-f]{16} ([^ ].*\+0x[0-9a-f]+|\?\?)( [^/]+)?$' "$1"
}

# Runs a command in the background up to where it has so many threads and is asleep: its pid is in $target.
background() {
	local threads=$1
	shift
	"$@" >"$WORK/out" 2>&1 </dev/null &
	target=$!
	started+=("$target")
	wait_for 10 has_threads "$threads"
	nap 0.3
}

has_threads() {
	[ "$(find "/proc/$target/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge "$1" ]
}

deep='
import threading, time
def deep(n):
    if n: sorted([0], key=lambda _: deep(n - 1))
    else: time.sleep(1000)
for n in range(12): threading.Thread(target=deep, args=(n,), daemon=True).start()
deep(20)'
check "python3 starts" background 13 python3 -c "$deep"
check "python3: 13 threads as gdb has them" same_as_gdb "$target" 13
check "python3: lines are well formed" well_formed "$WORK/stack"
check "python3: names" grep -qE '^#[0-9]+ +0x[0-9a-f]{16} start_thread\+0x[0-9a-f]+ libc\.so\.6$' "$WORK/stack"
check "python3: one thread, three frames" \
	[ "$("$DWUNW" stack -t "$target" -n 3 "$target" | grep -c '^#')" = 3 ]
check "python3: more frames than shown is exit status 1" \
	[ "$("$DWUNW" stack -n 3 -t "$target" "$target" >/dev/null; echo $?)" = 1 ]
check "python3 goes on" has_threads 13

for program in threads cxx signal; do
	check "$program starts" target_start "$program" "$PROGRAMS/$program"
	check "$program: as gdb has it" same_as_gdb "$target" 1
	check "$program runs" target_run "$program"
	check "$program: as gdb has it, afterwards" same_as_gdb "$target" 1
	check "$program ends well" target_end
done

if command -v redis-server >/dev/null; then
	check "redis starts" background 4 redis-server --port 0 --unixsocket "$WORK/redis" --save "" --dir "$WORK"
	check "redis: as gdb has it" same_as_gdb "$target" 4
	check "redis goes on" has_threads 4
fi

summary
