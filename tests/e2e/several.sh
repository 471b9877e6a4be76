#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves that several processes are traced side by side: each one's bytes, blocks and stacks are its own truth, also where two of them
# run the same code; one that ends is in one more report, with its names, and then gone; one that is not there is named, and
# nothing is traced.

. "$(dirname "$0")/lib.sh"

# of_process PID REPORT: the report with the stacks of that process alone.
of_process() {
	awk -v pid="pid=$1" '
		/^\[[0-9:]+\] Top/ || /^Attaching/ { print; wanted = 0; next }
		/allocations from stack$/ { head = $0; wanted = 0; next }
		/^\t\[dwunw\]/ && index($0, pid " ") { print head; wanted = 1 }
		wanted
	' "$2"
}

last_report() {
	awk '/^\[[0-9:]+\] Top/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$1"
}

declare -A pids inputs
start() {
	target_start "$@" && pids[$1]=$target inputs[$1]=$target_in
}
run() {
	target=${pids[$1]} target_in=${inputs[$1]}
	target_run "$1"
}

check "a program starts" start first "$PROGRAMS/chain"
check "and again" start second "$PROGRAMS/chain"
check "and another one" start third "$PROGRAMS/realloc"
all="${pids[first]},${pids[second]}"
check "the tool attaches to all" tool_start several -p "$all" --pid "${pids[third]}" -o 0 -T 1000 1
for name in first second third; do
	check "$name does its work" run "$name"
done
wait_for 10 has_line "$WORK/several.report" "pid=${pids[second]} "
wait_for 10 has_line "$WORK/several.report" "pid=${pids[third]} "
target=${pids[first]} target_in=${inputs[first]}
check "the first one ends well" target_end
check "which is said" wait_for 10 has_line "$WORK/several.stderr" "process ${pids[first]} has ended"
cp "$WORK/several.report" "$WORK/until_end"
nap 1.5
check "SIGINT ends the tool" tool_stop
check "the one that ended was in the last report before" grep -q "pid=${pids[first]} " <(last_report "$WORK/until_end")
without_first() {
	! last_report "$WORK/several.report" | grep -q "pid=${pids[first]} "
}
check "and is in the next no more" without_first
# that report, and what later ones say of the other two
of_first() {
	of_process "${pids[first]}" "$WORK/until_end" >"$WORK/first.report"
	"$E2E/judge.py" "$1" "$WORK/first.out" "$WORK/first.report"
}
judge_rest() {
	local name
	for name in second third; do
		of_process "${pids[$name]}" "$WORK/several.report" >"$WORK/$name.report"
		"$E2E/judge.py" "$1" "$WORK/$name.out" "$WORK/$name.report" || return
	done
}
check "the first one's report equals its truth" of_first truth
check "its stacks are complete" of_first complete
check "the others' reports equal their truth" judge_rest truth
check "their stacks are complete" judge_rest complete
for name in second third; do
	target=${pids[$name]} target_in=${inputs[$name]}
	check "$name ends well" target_end
done

check "a new pair" start first "$PROGRAMS/chain"
check "of programs" start second "$PROGRAMS/chain"
missing() {
	"$TOOL" -p "${pids[first]},4194304,${pids[second]}" 1 1 >"$WORK/missing.out" 2>"$WORK/missing.err"
	[ $? = 1 ] && [ ! -s "$WORK/missing.out" ] &&
		[ "$(cat "$WORK/missing.err")" = "memleak_dwunw_user: no process with pid 4194304" ]
}
check "one that is not there is named" missing
check "off: the tool attaches to both" tool_start several -W off -p "${pids[first]},${pids[second]}" -o 0 -T 1000 1000
for name in first second; do
	check "off: $name does its work" run "$name"
done
check "off: SIGINT ends the tool" tool_stop
sum_of_both() {
	python3 - "$WORK" <<-'END'
		import sys
		sys.path.insert(0, "tests/e2e")
		import judge, report
		work = sys.argv[1]
		truth = [judge.read_truth(f"{work}/{name}.out")[0] for name in ("first", "second")]
		wanted = tuple(sum(numbers[i] for one in truth for numbers in one.values()) for i in (0, 1))
		found = judge.total(report.last(f"{work}/several.report"))
		print(wanted, found)
		sys.exit(wanted != found)
	END
}
check "off: bytes and blocks are both truths" sum_of_both
summary
