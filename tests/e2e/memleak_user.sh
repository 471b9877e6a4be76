#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# Proves what examples/bpf_memleak/memleak_user does: its stacks are those that gdb sees, pc for pc, each with the right file and address in it; each
# option; one line and the documented exit status where something is wrong; and that it stays small.

. "$(dirname "$0")/lib.sh"
export E2E
USER_TOOL=$BUILD/examples/bpf_memleak/memleak_user

check "it has less than 200 lines" test "$(wc -l <examples/bpf_memleak/memleak_user.c)" -lt 200

# on NAME OBJECT ARGUMENTS...: memleak_user on the target, up to where the target's OBJECT has a probe.
on() {
	local name=$1 object=$2
	shift 2
	"$USER_TOOL" -p "$target" "$@" >"$WORK/$name.events" 2>"$WORK/$name.stderr" &
	tool=$!
	started+=("$tool")
	wait_for 20 probed "$object" || { cat "$WORK/$name.stderr"; return 1; }
}

probed() {
	[ "$("$E2E/probes.py" "$target" "$1" 2>/dev/null)" -gt 0 ]
}

# --- Stacks ----------------------------------------------------------------------------------------------------------------

same_as_gdb() {
	local how=$1 name=$2
	target_start "$name" "$PROGRAMS/$name" && on "$name" libc.so.6 && target_run "$name" || return 1
	cp "/proc/$target/maps" "$WORK/$name.maps"
	tool_stop && target_end || return 1
	STACKS=$WORK/$name.stacks timeout 60 gdb -nx -batch -x "$E2E/gdb_stacks.py" --args "$PROGRAMS/$name" \
		>"$WORK/gdb" 2>&1 || { cat "$WORK/gdb"; return 1; }
	"$E2E/event_stacks.py" "$how" "$WORK/$name.stacks" "$WORK/$name.events" "$WORK/$name.maps"
}
check "chain: the stacks are gdb's, and all of them" same_as_gdb equal chain
check "chain: each call is an event" has_line "$WORK/chain.events" '^107 events, 107 complete stacks, 0 events lost$'
for name in signal drap; do
	check "$name: the stacks are gdb's, and all of them" same_as_gdb equal "$name"
done
for name in threads cxx; do
	check "$name: the stacks are among gdb's" same_as_gdb subset "$name"
done

# 127 frames and no more: each says so, and the closing line counts them.
too_deep() {
	target_start recursion "$PROGRAMS/recursion" && on recursion libc.so.6 && target_run recursion || return 1
	tool_stop && target_end || return 1
	tail -n 3 "$WORK/recursion.events"
	deep=$(grep -c '^  incomplete: deeper than' "$WORK/recursion.events")
	[ "$deep" -gt 0 ] && [ "$(grep -c '^  #126 ' "$WORK/recursion.events")" -ge "$deep" ] &&
		! grep -q '^  #127 ' "$WORK/recursion.events" &&
		tail -n 1 "$WORK/recursion.events" | grep -q ", $deep deeper than .*, 0 events lost$"
}
check "stacks that are cut short say why, and are counted" too_deep

# A function of the program: the first frame is its first instruction, the frames outwards are in the functions that call it.
own_function() {
	local vaddr
	target_start own "$PROGRAMS/chain" && on own chain --exec "$PROGRAMS/chain" --symbol chain_7 && target_run own || return 1
	tool_stop && target_end || return 1
	tail -n 12 "$WORK/own.events"
	vaddr=$(nm "$PROGRAMS/chain" | awk '$3 == "chain_7" { sub(/^0+/, "", $1); print $1 }')
	[ "$(grep -c "^  #0 0x[0-9a-f]* $PROGRAMS/chain+0x$vaddr$" "$WORK/own.events")" = 100 ] &&
		has_line "$WORK/own.events" '^100 events, 100 complete stacks, 0 events lost$' &&
		[ "$(sed -n 's/^  #[1-7] .*+0x//p' "$WORK/own.events" | sort -u | functions)" = \
			"$(printf '%s\n' chain_1 chain_2 chain_3 chain_4 chain_5 chain_6 main)" ]
}

# The functions that the vaddrs on stdin are in.
functions() {
	nm "$PROGRAMS/chain" --defined-only | sort >"$WORK/nm"
	while read -r vaddr; do
		printf '%016x t ?\n' $((16#$vaddr - 1)) | sort -m - "$WORK/nm" | awk '$3 == "?" { print last; exit } { last = $3 }'
	done | sort -u
}
check "--exec and --symbol: a function of the program" own_function

# --- Ends ------------------------------------------------------------------------------------------------------------------

# More calls than can be printed, without end.
cat >"$WORK/busy.c" <<'END_C'
#include <stdlib.h>
int main(void)
{
	for (;;)
		free(malloc(10));
}
END_C
cc -O0 -o "$WORK/busy" "$WORK/busy.c"
"$WORK/busy" &
target=$!
started+=("$target")

lasts() {
	local start=$SECONDS
	timeout -k 1 30 "$USER_TOOL" -p "$target" --duration 2 "$@" >"$WORK/busy.events" || return 1
	echo "it took $((SECONDS - start)) s"
	tail -n 1 "$WORK/busy.events"
	[ $((SECONDS - start)) -ge 2 ] && [ $((SECONDS - start)) -le 10 ] &&
		tail -n 1 "$WORK/busy.events" | grep -qE '^[1-9][0-9]* events, [1-9][0-9]* complete stacks'
}
check "--duration ends it in time, on a busy process too" lasts
check "events were printed" has_line "$WORK/busy.events" "^\[event\] pid=$target comm=busy pc=0x[0-9a-f]\{16\}$"
check "--quiet ends in time" lasts --quiet
check "--quiet: the closing line alone" test "$(wc -l <"$WORK/busy.events")" = 1

dies() {
	on dies libc.so.6 --quiet || return 1
	kill -KILL "$target"
	wait "$target" 2>/dev/null
	wait_for 5 gone "$tool" || return 1
	wait "$tool" && cat "$WORK/dies.events" && [ "$(wc -l <"$WORK/dies.events")" = 1 ]
}
check "it ends with the process" dies

# --- Refused ---------------------------------------------------------------------------------------------------------------

# refused STATUS PATTERN COMMAND...: one line of the tool's on stderr, which has PATTERN, nothing on stdout.
refused() {
	local wanted=$1 pattern=$2 status
	shift 2
	timeout -k 1 20 "$@" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null
	status=$?
	cat "$WORK/stdout" "$WORK/stderr"
	echo "exit status $status, wanted $wanted: $pattern"
	[ "$status" = "$wanted" ] && [ ! -s "$WORK/stdout" ] && [ "$(wc -l <"$WORK/stderr")" -le 2 ] &&
		[ "$(grep -c '^memleak_user: ' "$WORK/stderr")" = 1 ] && grep -qE -- "^memleak_user: $pattern" "$WORK/stderr"
}

target_start plain "$PROGRAMS/chain"
check "no process given" refused 64 'which process' "$USER_TOOL"
check "a pid that is no number" refused 64 'not a positive number: 1x' "$USER_TOOL" -p 1x
check "an argument too many" refused 64 'Too many arguments' "$USER_TOOL" -p "$target" malloc
check "no such process" refused 1 "process $tool: No such process$" "$USER_TOOL" -p "$tool"
check "no such function" refused 1 'no function nosuch in libc\.so\.6$' "$USER_TOOL" -p "$target" -s nosuch
check "no such file" refused 1 'no function malloc in /nosuch$' "$USER_TOOL" -p "$target" -e /nosuch
check "no such BPF object" refused 1 'cannot open /nosuch: No such file' "$USER_TOOL" -p "$target" -b /nosuch
cat >"$WORK/without.bpf.c" <<'END_C'
__attribute__((section("uprobe"), used)) int program(void *ctx) { return !ctx; }
char LICENSE[] __attribute__((section("license"))) = "GPL";
END_C
clang -target bpf -O2 -g -c -o "$WORK/without.bpf.o" "$WORK/without.bpf.c"
check "a BPF object without libdwunw" refused 1 'no dwunw\.bpf\.h in .*/without\.bpf\.o' "$USER_TOOL" -p "$target" \
	-b "$WORK/without.bpf.o"

chmod 755 "$WORK"
install -m 755 "$USER_TOOL" "$WORK/memleak_user"
nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="-all$1" --ambient-caps="-all$1" -- \
		"$WORK/memleak_user" -p "$target" -d 1
}
export -f nobody
export WORK target
check "no capability" refused 1 '.*not permitted, needs CAP_BPF and CAP_PERFMON$' bash -c 'nobody ""'
check "not allowed to attach" refused 1 '.*denied, needs CAP_SYS_ADMIN$' bash -c 'nobody ,+bpf,+perfmon,+sys_ptrace'
check "allowed" nobody ,+bpf,+perfmon,+sys_ptrace,+sys_admin
check "the target has not noticed" target_run plain
check "and ends well" target_end
summary
