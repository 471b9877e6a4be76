#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# Proves that what a thread's memo knows of a stack is what a walk finds, in the same event: no difference over MEMO_CALLS events (400,000; `make
# memo-soak`: 10 million) of a program of two threads whose stacks are alike but not the same (tests/programs/memo_mix.cc: recursion, alloca,
# realigned frames, coroutines, signals on both kinds of stack, longjmp, exceptions, plugins at the same addresses, exec), of one with
# sixteen, and of python3. And that the checks are needed: without comparing return addresses, or frame
# pointers, there are differences.

. "$(dirname "$0")/lib.sh"
MEMO=$BUILD/tests/memo/memo
calls=${MEMO_CALLS:-$((400000 / ${DWUNW_PATIENCE:-1}))}
CHECK=1 NO_RA=2 NO_FP=4

# mix NAME SWITCHES CALLS THREADS EXECS: the figures go to $WORK/NAME.
mix() {
	local name=$1 pid
	mkfifo "$WORK/$name.in"
	"$PROGRAMS/memo_mix" "$3" "$4" "$5" <"$WORK/$name.in" >"$WORK/$name.out" &
	pid=$!
	started+=("$pid")
	exec {go}>"$WORK/$name.in"
	wait_for 30 has_line "$WORK/$name.out" ready || return
	"$MEMO" -t "$2" "$pid" >"$WORK/$name" &
	memo=$!
	started+=("$memo")
	wait_for 30 has_line "$WORK/$name" ready || return
	echo >&"$go"
	wait "$pid" || return
	exec {go}>&-
	wait "$memo" && has_line "$WORK/$name.out" 'done' && cat "$WORK/$name"
}

# figure NAME WHAT
figure() {
	sed -nE "s/^events.* ?$2 ([0-9]+).*/\1/p" "$WORK/$1"
}

# at_least NAME WHAT NUMBER
at_least() {
	cat "$WORK/$1"
	[ "$(figure "$1" "$2")" -ge "$3" ]
}

# at_most NAME WHAT NUMBER
at_most() {
	cat "$WORK/$1"
	[ "$(figure "$1" "$2")" -le "$3" ]
}

# What is incomplete, because user space has not yet read the mappings of a new image, is not known.
judge() {
	check "$1: no stack is another than the walk's" at_most "$1" wrong 0
	# a thread that preempts another one which the kernel gives task storage to is not given any, that time
	check "$1: hardly a stack went without a memo" at_most "$1" no_memo $(($2 / 1000))
	check "$1: known stacks were walked" at_least "$1" checked $(($2 / 10))
	check "$1: some were known from the innermost frame on" at_least "$1" whole $(($2 / 100))
	check "$1: some from a later one" at_least "$1" rest $(($2 / 50))
}

each=$((calls / 2 / 4))
check "two threads run, and call exec three times" mix mix $CHECK $each 2 3
judge mix $((each * 2 * 4))
check "sixteen threads run" mix many $CHECK $((calls / 16 / 4)) 16 0
judge many $((calls / 4))

small=20000
check "without comparing return addresses: a run" mix no_ra $((CHECK | NO_RA)) $small 2 0
check "without comparing return addresses stacks are wrong" at_least no_ra wrong $((small / 10))
check "without comparing frame pointers: a run" mix no_fp $((CHECK | NO_FP)) $small 2 0
check "without comparing frame pointers stacks are wrong" at_least no_fp wrong $((small / 100))

work='
import json, re
print("ready", flush=True)
while True:
    sorted(range(30), key=lambda x: json.dumps([x, {"a": [2.5]}], indent=1))
    re.sub("(a|b)*c", repr, "abac" * 9)'
python() {
	PYTHONMALLOC=malloc python3 -c "$work" >"$WORK/python.out" &
	started+=("$!")
	wait_for 60 has_line "$WORK/python.out" ready &&
		"$MEMO" -t "$CHECK" -n $((calls / 4)) "$!" >"$WORK/python" && kill -KILL "$!" && cat "$WORK/python"
}
check "python3 runs" python
judge python $((calls / 4))
summary
