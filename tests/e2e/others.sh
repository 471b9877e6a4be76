#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# Proves that another tracer in the same process disturbs nothing: return probes on functions that are on the stack replace their return
# addresses by the kernel's trampoline, through which the walk sees; two tools at once see the same.

. "$(dirname "$0")/lib.sh"

# The functions of a copy of the program `chain` that get a return probe: two neighbours, and the one that calls the allocator.
functions="chain_2 chain_7 chain_8 leaf_malloc"
cp "$PROGRAMS/chain" "$WORK/chain"

# In a mount namespace of its own, where tracefs is mounted: probes the functions until its standard input ends.
# shellcheck disable=SC2016 # for the inner shell
return_probes='
	mount -t tracefs none "$1" && cd "$1" || exit 1
	group=dwunw_e2e_$$
	shift
	for probe; do
		echo "r:$group/${probe%%@*} ${probe#*@}" >>uprobe_events || exit 1
	done
	echo 1 >events/$group/enable || exit 1
	echo probed
	read -r _
	echo 0 >events/$group/enable
	for probe; do
		echo "-:$group/${probe%%@*}" >>uprobe_events
	done
'

# FUNCTION@FILE:OFFSET for each of them. readelf: the program has one executable segment.
places() {
	local function vaddr segment
	segment=$(readelf -lW "$WORK/chain" | awk '$1 == "LOAD" && / R E / { print $3 " - " $2 }')
	for function in $functions; do
		vaddr=$(nm "$WORK/chain" | awk -v name="$function" '$3 == name { print "0x" $1 }')
		printf '%s@%s:%#x\n' "$function" "$WORK/chain" $((vaddr - (segment)))
	done
}

probed() {
	local probes status
	mkdir "$WORK/tracefs"
	mkfifo "$WORK/probes.in"
	# shellcheck disable=SC2046 # several words
	unshare -m sh -c "$return_probes" sh "$WORK/tracefs" $(places) <"$WORK/probes.in" >"$WORK/probes" &
	probes=$!
	exec {probes_in}>"$WORK/probes.in"
	wait_for 10 has_line "$WORK/probes" '^probed$' || { exec {probes_in}>&-; return 1; }
	target_start probed "$WORK/chain" && tool_start probed -p "$target" -v -o 0 1000 &&
		target_run probed && tool_stop && target_end
	status=$?
	exec {probes_in}>&-
	wait "$probes" && return "$status"
}

check "return probes on the stack: the run" probed
check "return probes on the stack: the report equals the truth" \
	"$E2E/judge.py" truth "$WORK/probed.out" "$WORK/probed.report"
check "return probes on the stack: every stack is complete" \
	"$E2E/judge.py" complete "$WORK/probed.out" "$WORK/probed.report"
# 10 functions of the program, two of libc, _start; seen through: flag 4 of include/dwunw/event_format.h, in the long way 4, in the short 1
check "return probes on the stack: no frame is missing" has_line "$WORK/probed.report" ' frames=13$'
check "return probes on the stack: they were seen through" \
	test "$(grep -c '^  \[dwunw\].* flags=0x4 ' "$WORK/probed.report")" = 5

twice() {
	local other name
	target_start twice "$PROGRAMS/threads" || return 1
	tool_start other -p "$target" -o 0 1000 || return 1
	other=$tool
	tool_start twice -p "$target" -o 0 1000 || return 1
	target_run twice && tool_stop || return 1
	kill -INT "$other" && wait "$other" && target_end || return 1
	for name in twice other; do
		"$E2E/judge.py" truth "$WORK/twice.out" "$WORK/$name.report" &&
			"$E2E/judge.py" complete "$WORK/twice.out" "$WORK/$name.report" || return 1
	done
}
check "two at once see the same" twice
summary
