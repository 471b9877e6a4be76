#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Proves: the fixed part of tests/oracle/run.sh, and that `dwunw check` sees wrong CFI, to the instruction, and counts what has none.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build/$(uname -m)}
dwunw=$build/tools/dwunw/dwunw
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

if [ "$(uname -m)" != x86_64 ]; then
	echo "dwunw check knows x86_64 only"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi

expect() { # NAME STATUS-WANTED STATUS [LINE-WANTED...], the report being in $dir/report
	local name=$1 wanted=$2 status=$3 line
	shift 3
	for line in "$@"; do
		grep -Eqx -- "$line" "$dir/report" || status="without the line $line"
	done
	if [ "$status" = "$wanted" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $name: $status"
		tail -n 20 "$dir/report"
	fi
}

"${CC:-cc}" -o "$dir/faults" tests/oracle/faults.c || exit 1
# 100 calls of each function: two instructions are after the push, four are in all.
"$dwunw" check --show 1 -o "$dir/report" -- "$dir/faults"
expect "wrong CFI is seen" 1 $? 'differences: 200 faults wrong_cfi' 'without CFI: 400 faults no_cfi' \
	'200 differences, [0-9]+ without CFI, 0 where CFI is wrong' 'the command exited with status 0'
grep -q 'right_cfi' "$dir/report"
expect "right CFI is not blamed" 1 $?
echo 'faults wrong_cfi on purpose' >"$dir/list"
"$dwunw" check --wrong-cfi "$dir/list" -o "$dir/report" -- "$dir/faults"
expect "a list counts it apart" 0 $? '0 differences, [0-9]+ without CFI, 200 where CFI is wrong'
"$dwunw" check -o "$dir/report" -- sh -c 'exit 3'
expect "the command's status is told" 0 $? 'the command exited with status 3'
# shellcheck disable=SC2016 # for the inner shell
"$dwunw" check -o "$dir/report" -- sh -c 'kill -9 $$'
expect "the command's signal is told" 0 $? 'the command was killed by signal 9'
"$dwunw" check --limit 5000 -o "$dir/report" -- sleep 100
expect "the limit ends it" 0 $? 'the command was ended by the limit' '5000 instructions, .*'
"$dwunw" check -- /nowhere 2>"$dir/report"
expect "no such command" 1 $? 'dwunw check: /nowhere: No such file or directory'
"$dwunw" check 2>"$dir/report"
expect "no command at all" 2 $?

tests/oracle/run.sh --fixed >"$dir/output"
cat "$dir/output"
read -r good _ bad _ < <(tail -n 1 "$dir/output")
echo "$((good + passed)) passed, $((bad + failed)) failed"
[ $((bad + failed)) = 0 ]
