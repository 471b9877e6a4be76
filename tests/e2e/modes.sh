#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# Proves what the modes of --dwunw-mode say, and which capability is for what.
#
# off: frames are those of the frame pointers, and no program or map of libdwunw is loaded. fallback: a stack that needed frame pointers is
# marked. force: it is summed up apart, as are those cut short, and the sums are everything. Then, as a user of no account with the file
# capabilities of `make setcap` but for one: what works still, what is said, that it is said once, and that force ends with an
# error which names the capability. Yama's ptrace_scope changes nothing; it is set back afterwards.

. "$(dirname "$0")/lib.sh"

chmod 755 "$WORK"
mkdir -m 755 "$WORK/bin" "$WORK/mnt"
skipped=0
skip() {
	echo "skip $*"
	skipped=$((skipped + 1))
}

# --- Programs, where any user reaches them ---------------------------------------------------------------------------------

install -m 755 "$PROGRAMS/chain" "$PROGRAMS/hide_lib.so" "$WORK/bin"
install -m 711 "$PROGRAMS/chain" "$WORK/bin/closed" # runs for all, is read by its owner alone

# --- What the modes are, as root -------------------------------------------------------------------------------------------

# one_run NAME PROGRAM OPTIONS...: reports of the whole run.
one_run() {
	local name=$1 program=$2
	shift 2
	target_start "$name" "$program" || return 1
	tool_start "$name" -p "$target" -o 0 -T 1000 "$@" 1000 || { cat "$WORK/$name.stderr"; return 1; }
	target_run "$name" && tool_stop && target_end
}

# BPF programs and maps that the tool holds, by name.
loaded() {
	local kind id
	cat "/proc/$1"/fdinfo/* 2>/dev/null | sed -nE 's/^(prog|map)_id:\s*/\1 /p' | sort -u | while read -r kind id; do
		"$bpftool" "$kind" show id "$id" | grep -oE 'name [^ ]+'
	done
}
for bpftool in "${BPFTOOL:-}" /usr/lib/linux-tools/*/bpftool /usr/sbin/bpftool; do
	[ -x "$bpftool" ] && break
done
off_loads_nothing() {
	local mode
	target_start load "$PROGRAMS/chain" || return 1
	for mode in off fallback; do
		tool_start load -p "$target" -W "$mode" 1000 || return 1
		loaded "$tool" >"$WORK/load.$mode"
		tool_stop || return 1
	done
	target_run load && target_end
	cat "$WORK/load.off"
	grep -q memleak_enter "$WORK/load.off" && ! grep -q dwunw "$WORK/load.off" &&
		grep -q 'name dwunw_' "$WORK/load.fallback"
}
if [ -x "$bpftool" ]; then
	check "off loads nothing of libdwunw" off_loads_nothing
else
	skip "what is loaded: no bpftool"
fi

check "off: the run" one_run off "$PROGRAMS/modes" -W off
check "off: the totals are true" "$E2E/judge.py" total "$WORK/off.out" "$WORK/off.report"
check "off: each frame of the frame pointers, by name, the allocator's caller first" \
	"$E2E/modes.py" off "$WORK/off.report"
check "fallback: the run" one_run fallback "$PROGRAMS/modes" --perf-max-stack-depth 100
check "fallback: the totals are true" "$E2E/judge.py" total "$WORK/fallback.out" "$WORK/fallback.report"
check "fallback: what needed frame pointers is marked, what is cut short too" \
	"$E2E/modes.py" fallback "$WORK/fallback.report"
check "force: the run" one_run force "$PROGRAMS/modes" -W force --perf-max-stack-depth 100
check "force: the sums are true" "$E2E/judge.py" total "$WORK/force.out" "$WORK/force.report"
check "force: whole stacks alone are shown, the others summed up by reason" \
	"$E2E/modes.py" force "$WORK/force.report"

# --- As a user of no account -----------------------------------------------------------------------------------------------

all="bpf perfmon sys_ptrace dac_read_search checkpoint_restore"
install -m 755 "$TOOL" "$WORK/bin/memleak_dwunw_user"
setcap "cap_${all// /,cap_}=p" "$WORK/bin/memleak_dwunw_user" || {
	skip "file capabilities: this file system has none"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit
}
cat >"$WORK/bin/nobody" <<'END'
#!/bin/sh
# nobody "CAPABILITIES" COMMAND...: with these alone in the bounding set; as_user: another user's number
set=-all
for capability in $1; do
	set=$set,+$capability
done
shift
exec setpriv --reuid="${as_user:-65534}" --regid="${as_user:-65534}" --clear-groups --bounding-set "$set" -- "$@"
END
# The same where /proc shows a process to its owner alone.
cat >"$WORK/bin/hidden" <<'END'
#!/bin/sh
exec unshare -m sh -c 'mount -t proc -o hidepid=$0 proc /proc && exec "$@"' "$@"
END
chmod 755 "$WORK/bin/nobody" "$WORK/bin/hidden"
but() { # CAPABILITIES: all but these
	local capability rest=" $all "
	for capability in $1; do
		rest=${rest/ $capability / }
	done
	echo "$rest"
}

# as_nobody CAPABILITIES OPTIONS...: the tool, attached to $target; its output is in $WORK/as.*. $hidden: hidepid= of its /proc.
as_nobody() {
	local capabilities=$1 TOOL=$WORK/bin/nobody
	shift
	set -- "$capabilities" "$WORK/bin/memleak_dwunw_user" -p "$target" -o 0 -T 1000 "$@"
	if [ -n "$hidden" ]; then
		TOOL=$WORK/bin/hidden
		set -- "$hidden" "$WORK/bin/nobody" "$@"
	fi
	tool_start as "$@" || { cat "$WORK/as.stderr"; return 1; }
}
hidden=""

# start_target HOW: a program of root's, or (own) of the tool's user.
start_target() {
	local how=$1
	kill -KILL "$tool" 2>/dev/null && wait "$tool" # where the check before failed, it may still write
	case $how in
	deleted)
		install -m 755 "$PROGRAMS/chain" "$WORK/bin/deleted" && target_start as "$WORK/bin/deleted" &&
			rm "$WORK/bin/deleted"
		;;
	library) # its directory has a library that its owner alone may read
		mkdir -p "$WORK/library" && cp "$PROGRAMS/modes" "$WORK/library" &&
			install -m 711 "$PROGRAMS/modes_lib.so" "$WORK/library" && target_start as "$WORK/library/modes"
		;;
	own) target_start as setpriv --reuid=65534 --regid=65534 --clear-groups "$WORK/bin/chain" ;;
	own-deleted)
		install -m 755 "$PROGRAMS/chain" "$WORK/bin/deleted" &&
			target_start as setpriv --reuid=65534 --regid=65534 --clear-groups "$WORK/bin/deleted" &&
			rm "$WORK/bin/deleted"
		;;
	own-undumpable)
		target_start as setpriv --reuid=65534 --regid=65534 --clear-groups \
			env LD_PRELOAD="$WORK/bin/hide_lib.so" "$WORK/bin/chain"
		;;
	elsewhere) # a file that the tool's paths do not lead to
		# shellcheck disable=SC2016 # expanded over there
		target_start as unshare -m sh -c 'mount -t tmpfs none "$0" && cp "$1" "$0" && exec "$0/chain"' \
			"$WORK/mnt" "$PROGRAMS/chain"
		;;
	*) target_start as "$WORK/bin/$how" ;;
	esac
}

# complete TARGET CAPABILITIES OPTIONS...: all stacks are, and nothing is said.
complete() {
	start_target "$1" && as_nobody "${@:2}" 1000 && target_run as && tool_stop && target_end || return 1
	cat "$WORK/as.stderr"
	[ ! -s "$WORK/as.stderr" ] && "$E2E/judge.py" truth "$WORK/as.out" "$WORK/as.report" &&
		"$E2E/judge.py" complete "$WORK/as.out" "$WORK/as.report"
}

# says PATTERN...: each on one line of the tool's stderr, not more.
says() {
	local pattern
	cat "$WORK/as.stderr"
	for pattern; do
		echo "wanted once: $pattern"
		[ "$(grep -cE -- "$pattern" "$WORK/as.stderr")" = 1 ] || return 1
	done
}

# degraded TARGET CAPABILITIES PATTERN...: in fallback mode; the totals are true, and each PATTERN is said once, in $reports reports.
degraded() {
	start_target "$1" && as_nobody "$2" $((reports > 1 ? 1 : 1000)) && target_run as && wait_for 5 enough_reports &&
		tool_stop && target_end || return 1
	shift 2
	says "$@" && "$E2E/judge.py" total "$WORK/as.out" "$WORK/as.report"
}
enough_reports() {
	[ "$(grep -c ' Top [0-9]* stacks with ' "$WORK/as.report")" -ge $((reports - 1)) ]
}
reports=1

# refused TARGET CAPABILITIES MODE PATTERN...: non-zero exit before anything is attached, each PATTERN said once, the target is well.
refused() {
	local mode=$3 status
	start_target "$1" || return 1
	as_nobody "$2" -W "$mode" 1000 && kill -KILL "$tool" # it goes on
	wait "$tool"
	status=$?
	echo "exit status $status"
	shift 3
	[ "$status" != 0 ] && [ "$status" -lt 128 ] && [ ! -s "$WORK/as.report" ] && says "$@" &&
		target_run as && target_end
}

for mode in off fallback force; do
	check "without CAP_BPF, $mode" refused chain "$(but bpf)" "$mode" 'not permitted to load.*missing CAP_BPF$'
	check "without CAP_PERFMON, $mode" refused chain "$(but perfmon)" "$mode" 'not permitted to load.*missing CAP_PERFMON$'
done

# Before Linux 6.10 probes are perf events.
start_target chain && as_nobody "$all" 1000
if grep -q 'cannot attach' "$WORK/as.stderr"; then
	check "perf events take CAP_SYS_ADMIN" says 'cannot attach to process .*: missing CAP_SYS_ADMIN$'
	skip "single capabilities: probes take CAP_SYS_ADMIN on this kernel, which stands for most of them"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
fi
tool_stop && target_run as && target_end
check "with all of them: complete" complete chain "$all" -W force
check "a program that is readable and there needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE" complete chain "bpf perfmon sys_ptrace" -W force
check "one of the same user needs CAP_BPF and CAP_PERFMON" complete own "bpf perfmon" -W force

# The mappings of another user's process: CAP_SYS_PTRACE; newer kernels (6.18) let CAP_PERFMON read them too, and most files are found by
# their path then. Where /proc hides the process, nothing else helps.
without_ptrace() { # TARGET
	if setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,+perfmon --ambient-caps=-all,+perfmon \
		head -c 1 /proc/$$/maps >/dev/null 2>&1; then
		complete "$1" "$(but sys_ptrace)" -W force
	else
		refused "$1" "$(but sys_ptrace)" force 'multi-frame disabled .*missing CAP_SYS_PTRACE$'
	fi
}
check "without CAP_SYS_PTRACE: complete, or said" without_ptrace chain
check "without CAP_SYS_PTRACE, the same user's that is not dumpable: complete, or said" without_ptrace own-undumpable
check "another file system: complete" complete elsewhere "bpf perfmon sys_ptrace" -W force
check "another file system, without CAP_SYS_PTRACE, force" refused elsewhere "$(but sys_ptrace)" force \
	'default reader failed .*no retry without reader' 'multi-frame disabled .*missing CAP_SYS_PTRACE$'
for hidden in 1 2; do
	check "hidepid=$hidden, with CAP_SYS_PTRACE: complete" complete chain "bpf perfmon sys_ptrace" -W force
	check "hidepid=$hidden, without CAP_SYS_PTRACE, fallback" degraded chain "$(but sys_ptrace)" \
		'\[dwunw\] default reader failed \(.*\); retry without reader$' \
		'\[dwunw\] multi-frame disabled \(.*\): missing CAP_SYS_PTRACE$' \
		"traced is .*/libc\.so\.6, if process [0-9]* uses it; its frames have no names"
	check "hidepid=$hidden, without CAP_SYS_PTRACE, force" refused chain "$(but sys_ptrace)" force \
		'\[dwunw\] default reader failed .*no retry without reader' \
		'\[dwunw\] multi-frame disabled \(.*\): missing CAP_SYS_PTRACE$'
done
# One of several: the stacks of all are the kernel's, and it is said of which process that is; force is an error.
start_two() { # MODE: one of the tool's user and one of root's, which that may not see
	local TOOL=$WORK/bin/hidden
	kill -KILL "$tool" 2>/dev/null && wait "$tool"
	target_start own setpriv --reuid=65534 --regid=65534 --clear-groups "$WORK/bin/chain" || return 1
	own=$target own_in=$target_in
	target_start as "$WORK/bin/chain" || return 1
	tool_start as 1 "$WORK/bin/nobody" "$(but sys_ptrace)" "$WORK/bin/memleak_dwunw_user" -W "$1" -p "$own,$target" -o 0 -T 1000 1000
}
both_totals() {
	python3 - "$WORK" <<-'END'
		import sys
		sys.path.insert(0, "tests/e2e")
		import judge, report
		work, stacks = sys.argv[1], report.last(f"{sys.argv[1]}/as.report")
		truth = [judge.read_truth(f"{work}/{name}.out")[0] for name in ("as", "own")]
		wanted = tuple(sum(numbers[i] for one in truth for numbers in one.values()) for i in (0, 1))
		print(wanted, judge.total(stacks), *stacks, sep="\n")
		sys.exit(wanted != judge.total(stacks) or any(stack.walked for stack in stacks))
	END
}
one_of_two() {
	start_two fallback && target_run as && target_end || return 1
	local denied=$target
	target=$own target_in=$own_in
	target_run own && tool_stop && target_end && both_totals &&
		says "\[dwunw\] default reader failed \(.* process $denied: .*\); retry without reader\$" \
			'\[dwunw\] multi-frame disabled \(.*\): missing CAP_SYS_PTRACE$'
}
one_of_two_by_force() {
	start_two force && return 1
	wait "$tool"
	[ $? = 1 ] && [ ! -s "$WORK/as.report" ] && says "default reader failed \(.* process $target: .*\); no retry without reader" \
		'multi-frame disabled .*: missing CAP_SYS_PTRACE$'
}
check "one of two, without CAP_SYS_PTRACE, fallback" one_of_two
check "one of two, without CAP_SYS_PTRACE, force" one_of_two_by_force
hidden=""

# A file that its owner alone may read: CAP_DAC_READ_SEARCH.
check "an unreadable file: complete" complete closed "bpf perfmon sys_ptrace dac_read_search" -W force
reports=3
check "an unreadable file, without CAP_DAC_READ_SEARCH, fallback" degraded closed "$(but dac_read_search)" \
	'\[dwunw\] default reader failed \(.*/bin/closed of process .*: Permission denied\); retry without reader$' \
	'\[dwunw\] multi-frame disabled \(.*/bin/closed of process .*\): missing CAP_DAC_READ_SEARCH$' \
	'\[dwunw\] multi-frame capture failed in .*/bin/closed: mapping without unwind table$'
reports=1
check "an unreadable file, without CAP_DAC_READ_SEARCH, force" refused closed "$(but dac_read_search)" force \
	'default reader failed .*no retry without reader' 'multi-frame disabled .*missing CAP_DAC_READ_SEARCH$'

guessed() {
	degraded library "$(but dac_read_search)" 'multi-frame disabled .*/modes_lib.so .*missing CAP_DAC_READ_SEARCH$' || return 1
	"$E2E/modes.py" guess "$WORK/as.report"
}
check "an unreadable library with frame pointers, fallback: marked" guessed

# A file without a name: CAP_CHECKPOINT_RESTORE; another user's, that and the two others.
check "a deleted file: complete" complete deleted "$all" -W force
check "a deleted file of the same user's: complete" complete own-deleted "bpf perfmon checkpoint_restore" -W force
for capability in dac_read_search checkpoint_restore; do
	check "a deleted file, without $capability, fallback" degraded deleted "$(but "$capability")" \
		'default reader failed \(.*/bin/deleted \(deleted\) of process .*\); retry without reader$' \
		"multi-frame disabled \(.*/bin/deleted .*: missing CAP_${capability^^}\$" \
		'multi-frame capture failed in .*/bin/deleted: mapping without unwind table$'
	check "a deleted file, without $capability, force" refused deleted "$(but "$capability")" force \
		'default reader failed .*no retry without reader' "multi-frame disabled .*missing CAP_${capability^^}\$"
done
# --- Other limits of a user of no account ----------------------------------------------------------------------------------

# Memory is accounted to the control group: a limit of locked memory is none of the tool's.
locked() {
	local TOOL=$WORK/bin/nobody
	start_target own || return 1
	tool_start as "bpf perfmon" prlimit --memlock=0:0 "$WORK/bin/memleak_dwunw_user" -p "$target" -o 0 1000 &&
		target_run as && tool_stop && target_end &&
		"$E2E/judge.py" complete "$WORK/as.out" "$WORK/as.report"
}
check "a memory-lock limit of 0: complete" locked

# The kernel's records of new mappings take locked memory, of which each user has some. With none besides, a second tool does without.
two_tools() {
	local TOOL=$WORK/bin/nobody as_user=$((60000 + $$ % 5000)) first
	local with=("bpf perfmon sys_ptrace" prlimit --memlock=0:0 "$WORK/bin/memleak_dwunw_user" -o 0)
	export as_user
	start_target chain && tool_start as "${with[@]}" -p "$target" 1000 || return 1
	first=$tool
	tool_start second "${with[@]}" -p "$target" 1000 && target_run as && tool_stop || return 1
	tool=$first
	tool_stop && target_end || return 1
	cat "$WORK/as.stderr" "$WORK/second.stderr"
	[ ! -s "$WORK/as.stderr" ] && [ "$(wc -l <"$WORK/second.stderr")" = 1 ] &&
		has_line "$WORK/second.stderr" 'no records of new mappings (.*: Operation not permitted): ' &&
		"$E2E/judge.py" complete "$WORK/as.out" "$WORK/second.report"
}
check "without records of new mappings: complete, and said" two_tools

# The command is the user's, with the user's privileges, and may be traced to its start.
command_as_user() {
	timeout 20 "$WORK/bin/nobody" "$all" "$WORK/bin/memleak_dwunw_user" -W force -o 0 \
		-c "$WORK/bin/chain" 1000 </dev/null >"$WORK/as.report" 2>"$WORK/as.stderr"
	cat "$WORK/as.report" "$WORK/as.stderr"
	[ ! -s "$WORK/as.stderr" ] && grep -q '^100100 bytes in 100 allocations from stack$' "$WORK/as.report" || return 1
	timeout 20 "$WORK/bin/nobody" "$all" "$WORK/bin/memleak_dwunw_user" -c "grep Cap /proc/self/status" 1000 \
		</dev/null >"$WORK/as.report" 2>&1
	cat "$WORK/as.report"
	grep -qE '^CapPrm:\s0+$' "$WORK/as.report" && grep -qE '^CapEff:\s0+$' "$WORK/as.report"
}
check "-c: complete, and the command has none of the capabilities" command_as_user

# Nor are files that the user names read, or found, with what the program may and the user may not.
files_as_user() {
	local secret=$WORK/secret
	rm -rf "$secret" && mkdir -m 700 "$secret" && (umask 077 && echo secret >"$secret.json") || return 1
	echo before >"$secret/open.txt" && chmod 666 "$secret/open.txt" || return 1
	timeout 20 "$WORK/bin/nobody" "$all" "$WORK/bin/memleak_dwunw_user" --diff "$secret.json" \
		-c "$WORK/bin/chain" 1000 </dev/null >"$WORK/as.stderr" 2>&1
	cat "$WORK/as.stderr"
	grep -q -- "--diff $secret.json: Permission denied$" "$WORK/as.stderr" || return 1
	timeout 20 "$WORK/bin/nobody" "$all" "$WORK/bin/memleak_dwunw_user" --output "$secret/open.txt" \
		-c "$WORK/bin/chain" 1000 </dev/null >"$WORK/as.stderr" 2>&1
	cat "$WORK/as.stderr"
	grep -q "cannot write $secret/open.txt: Permission denied$" "$WORK/as.stderr" && grep -qx before "$secret/open.txt"
}
check "files of --diff and --output: with the user's privileges" files_as_user

# root with fewer capabilities is no more than a user with them.
root_without() {
	local program=$TOOL TOOL=/usr/bin/setpriv
	start_target chain || return 1
	tool_start as --bounding-set "-all,+bpf,+sys_ptrace" "$program" -p "$target" 1000 && kill -KILL "$tool"
	wait "$tool"
	says 'not permitted to load.*missing CAP_PERFMON$' || return 1
	tool_start as --bounding-set "-all,+bpf,+perfmon,+sys_ptrace" "$program" -p "$target" -o 0 -W force 1000 &&
		target_run as && tool_stop && target_end && "$E2E/judge.py" complete "$WORK/as.out" "$WORK/as.report"
}
check "root without CAP_SYS_ADMIN and most others" root_without

# --- Yama ------------------------------------------------------------------------------------------------------------------

yama=/proc/sys/kernel/yama/ptrace_scope
if [ -w $yama ]; then
	before=$(<$yama)
	trap 'echo "$before" >$yama; finish' EXIT
	for scope in 0 1 2 3; do
		# 3 cannot be taken back
		[ "$scope" != 3 ] || [ "$before" = 3 ] || continue
		echo "$scope" >$yama 2>/dev/null || continue
		check "ptrace_scope $scope: a running process" complete chain "bpf perfmon sys_ptrace" -W force
		check "ptrace_scope $scope: one of the same user" complete own "bpf perfmon" -W force
		check "ptrace_scope $scope: a command" command_as_user
	done
	echo "$before" >$yama
else
	skip "ptrace_scope: this kernel has no Yama"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
