#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves what happens when things go wrong. Bad input: one line on stderr that says what is wrong, a non-zero exit, and the
# target is unharmed. Ends: SIGINT, SIGTERM, the target's death and the tool's own leave the target as it was and
# (but for the last) give a last report.

. "$(dirname "$0")/lib.sh"

# --- Refused before anything is attached ---------------------------------------------------------------------------------

target_start plain "$PROGRAMS/chain"
plain=$target plain_in=$target_in
true &
dead=$!
wait "$dead"

check "-z above -Z" refused 1 'min-size 200 .*max-size 100' "$TOOL" -p "$plain" -z 200 -Z 100
check "-p with -c" refused 1 'exclude each other' "$TOOL" -p "$plain" -c true
check "unknown mode" refused 64 "'sometimes'.*off, fallback, force" "$TOOL" -p "$plain" -W sometimes
check "no such pid" refused any "no process with pid $dead" "$TOOL" -p "$dead"
check "a kernel thread" refused any "process 2|pid 2" "$TOOL" -p 2
check "missing object" refused any "nosuch\.so" "$TOOL" -p "$plain" -O nosuch.so
check "missing object, a path" refused any "/nosuch/libc\.so\.6" "$TOOL" -p "$plain" -O /nosuch/libc.so.6

/usr/bin/python3 -c 'import threading, time
thread = threading.Thread(target=time.sleep, args=(60,), daemon=True)
thread.start()
print(thread.native_id, flush=True)
thread.join()' >"$WORK/thread" &
started+=($!)
wait_for 10 test -s "$WORK/thread"
check "a thread of a process" refused any "$(cat "$WORK/thread") is a thread" "$TOOL" -p "$(cat "$WORK/thread")"

# No C library at all; it needs none to wait.
echo 'void begin(void) { for (;;) ; }' >"$WORK/static.c"
gcc -O1 -nostdlib -static -Wl,-e,begin -o "$WORK/static" "$WORK/static.c"
"$WORK/static" &
static=$!
started+=("$static")
check "a static program" refused any 'no allocator.*looked for: glibc, musl, jemalloc, tcmalloc, mimalloc' "$TOOL" -p "$static"
check "a prefix that nothing has" refused any 'no allocator.*nosuch_malloc and nosuch_free' "$TOOL" -p "$plain" -S nosuch_
check "a static program runs on" kill -KILL "$static"
wait "$static" 2>/dev/null

target_start plugin "$PROGRAMS/plugin"
target_run plugin
check "an object without allocator" refused any 'plugin_lib\.so has none of malloc' \
	"$TOOL" -p "$target" -O plugin_lib.so
check "its target ends well" target_end

# At once: not when the command, which is stepped until then, has ended.
without_allocator() {
	! timeout 10 "$TOOL" -O libstdc++.so.6 -c "$PROGRAMS/cxx" </dev/null >/dev/null 2>"$WORK/stderr"
	grep 'libstdc++.so.6 has none of malloc' "$WORK/stderr"
}
check "-c: an object without allocator" without_allocator
without_prefix() {
	! timeout 10 "$TOOL" -S je_ -c true </dev/null >/dev/null 2>"$WORK/stderr"
	grep 'ended before it mapped an allocator whose functions begin with je_$' "$WORK/stderr"
}
check "-c: a prefix that nothing has" without_prefix

check "no such command" refused any "nosuchcommand" "$TOOL" -c "nosuchcommand -x"

# --- Not permitted ---------------------------------------------------------------------------------------------------------

# Where any user can reach them: the tool, and `nobody CAPABILITIES COMMAND...`, which runs it as a user of no account
# with these capabilities alone.
chmod 755 "$WORK"
mkdir -m 755 "$WORK/bin"
install -m 755 "$TOOL" "$WORK/bin"
reachable=$WORK/bin/memleak_dwunw_user
cat >"$WORK/bin/nobody" <<'END'
#!/bin/sh
capabilities=-all$1
shift
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$capabilities" \
	--ambient-caps="$capabilities" -- "$@"
END
chmod 755 "$WORK/bin/nobody"
nobody=$WORK/bin/nobody

check "no capability" refused any 'not permitted.*CAP_BPF, CAP_PERFMON' "$nobody" "" "$reachable" -p "$plain"
check "without CAP_BPF" refused any 'not permitted.*missing CAP_BPF$' \
	"$nobody" ,+perfmon,+sys_ptrace "$reachable" -p "$plain"
check "without CAP_PERFMON" refused any 'not permitted.*missing CAP_PERFMON$' \
	"$nobody" ,+bpf,+sys_ptrace "$reachable" -p "$plain"

# --- The target of all these has not noticed -----------------------------------------------------------------------------------

target=$plain target_in=$plain_in
check "no probe was left in the target" test "$("$E2E/probes.py" "$target" libc.so.6)" = 0
check "the target answers" target_run plain
check "the target ends well" target_end

# --- Enough is enough ------------------------------------------------------------------------------------------------------------

as_nobody() {
	local TOOL=$nobody
	target_start nobody "$PROGRAMS/chain" || return 1
	tool_start nobody ,+bpf,+perfmon,+sys_ptrace "$reachable" -p "$target" -o 0 1000 || { cat "$WORK/nobody.stderr"; return 1; }
	target_run nobody && tool_stop && target_end || return 1
	"$E2E/judge.py" truth "$WORK/nobody.out" "$WORK/nobody.report" &&
		"$E2E/judge.py" complete "$WORK/nobody.out" "$WORK/nobody.report"
}
check "CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE are enough" as_nobody

# --- Ends -------------------------------------------------------------------------------------------------------------------------

# ends HOW: the target does its work while the tool is attached, then the tool gets the signal HOW.
ends() {
	local how=$1 libc=0
	target_start "$how" "$PROGRAMS/chain" || return 1
	tool_start "$how" -p "$target" -o 0 1000 || return 1
	libc=$("$E2E/probes.py" "$target" libc.so.6)
	[ "$libc" -gt 0 ] || { echo "no probe is there"; return 1; }
	[ "$how" = KILL ] || target_run "$how" || return 1
	kill -"$how" "$tool"
	wait "$tool"
	status=$?
	libc=$("$E2E/probes.py" "$target" libc.so.6)
	[ "$libc" = 0 ] || { echo "$libc bytes of libc are still changed"; return 1; }
	[ "$how" != KILL ] || target_run "$how" || return 1
	target_end || { echo "the target ended badly"; return 1; }
	[ "$how" = KILL ] && return 0
	[ "$status" = 0 ] && "$E2E/judge.py" truth "$WORK/$how.out" "$WORK/$how.report"
}
check "SIGINT: a last report, and no probe is left" ends INT
check "SIGTERM: a last report, and no probe is left" ends TERM
check "SIGKILL: no probe is left, and the target works on" ends KILL

dies() {
	local status
	target_start dies "$PROGRAMS/chain" || return 1
	tool_start dies -p "$target" -o 0 1000 || return 1
	target_run dies && kill -KILL "$target" && wait_for 5 gone "$tool" || return 1
	wait "$tool"
	status=$?
	echo "exit status $status"
	cat "$WORK/dies.stderr"
	[ "$status" != 0 ] && [ "$(wc -l <"$WORK/dies.stderr")" = 1 ] &&
		grep -q "process $target has ended" "$WORK/dies.stderr" &&
		"$E2E/judge.py" truth "$WORK/dies.out" "$WORK/dies.report" &&
		"$E2E/judge.py" complete "$WORK/dies.out" "$WORK/dies.report"
}
check "the target is killed: a last report, and a line that says so" dies

# --- Output as it comes ---------------------------------------------------------------------------------------------------------

# The tool runs on: what is there has not waited for a buffer to fill, for which one report is too little.
piped() {
	target_start piped "$PROGRAMS/chain" || return 1
	"$TOOL" -p "$target" -o 0 2 > >(exec cat >"$WORK/piped.report") 2>"$WORK/piped.stderr" &
	tool=$!
	started+=("$tool")
	wait_for 20 has_line "$WORK/piped.report" '^Attaching to pid' && target_run piped || return 1
	wait_for 3 has_line "$WORK/piped.report" '^100100 bytes in 100 allocations from stack$' || return 1
	gone "$tool" && return 1
	tool_stop && target_end
}
check "a report is in the pipe while the tool runs on" piped

# --- A command -----------------------------------------------------------------------------------------------------------------

# The program is found in PATH, gets its arguments, and ends by itself at the end of its input. Its lines are in the report.
command_runs() {
	PATH=$PROGRAMS:$PATH timeout 20 "$TOOL" -o 0 -c "recursion  '40'" 1000 </dev/null \
		>"$WORK/command.all" 2>"$WORK/command.stderr" || return 1
	grep -E '^(ready|truth .*|done)$' "$WORK/command.all" >"$WORK/command.out"
	grep -vE '^(ready|truth .*|done)$' "$WORK/command.all" >"$WORK/command.report"
	cat "$WORK/command.stderr"
	[ ! -s "$WORK/command.stderr" ] && "$E2E/judge.py" truth "$WORK/command.out" "$WORK/command.report" &&
		"$E2E/judge.py" complete "$WORK/command.out" "$WORK/command.report" || return 1
	cat "$WORK/command.report"
	[ "$(grep -c 'recurse+0x' "$WORK/command.report")" = 40 ] &&
		head -n 1 "$WORK/command.report" | grep -q '^child created with pid: [0-9]*$' &&
		tail -n 1 "$WORK/command.report" | grep -q '^reaped child process$'
}
check "-c: PATH, arguments, last report, reaped" command_runs

command_stopped() {
	local child
	"$TOOL" -c "sleep 50" 1000 >"$WORK/sleep.report" 2>&1 &
	tool=$!
	started+=("$tool")
	wait_for 20 has_line "$WORK/sleep.report" '^Attaching to pid' || return 1
	child=$(sed -n 's/^child created with pid: //p' "$WORK/sleep.report")
	tool_stop && gone "$child"
}
check "-c: SIGINT ends the command too" command_stopped
summary
