#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# Proves kernel mode: a program that holds known numbers of pipes, their pages, eventfds, files and percpu blocks in a control group of its
# own, beside one elsewhere that holds the same, is reported with exactly these numbers, under the kernel functions that
# allocate them, and with none once it has closed them; also as sums (-C) and by single blocks (-a), not what the
# tool itself allocates; sizes and samples. What is wrong is said in one line.

. "$(dirname "$0")/lib.sh"

# --- A control group, version 2 ------------------------------------------------------------------------------------------------

root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
mounted=
if [ -z "$root" ]; then
	mkdir "$WORK/cgroup" && mount -t cgroup2 none "$WORK/cgroup" && root=$WORK/cgroup mounted=1
fi
group=$root/dwunw-$$
clean_up() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid"
	done
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmdir "$group/below" "$group" && break
		nap 0.1
	done
	[ -z "$mounted" ] || umount "$root"
	finish
} 2>/dev/null
trap clean_up EXIT
mkdir -p "$group/below" || { echo "0 passed, 1 failed"; exit 1; }

# in_group COMMAND...: as a member of the group below
cat >"$WORK/in_group" <<'END'
#!/bin/sh
echo $$ >"$0.procs" && exec "$@"
END
chmod 755 "$WORK/in_group"
ln -s "$group/below/cgroup.procs" "$WORK/in_group.procs"

cpus=$(awk -F '[-,]' '{ print $NF + 1 }' /sys/devices/system/cpu/possible)
mostly_quiet='allocations not seen: in interrupts|whose end was not seen|not traced: this kernel has no'

# What kfree_rcu() frees is seen where the kernel has kprobes, and, newer ones, sends it through kmem_cache_free_bulk().
closed="closed-but-bulk"
[ -e /sys/bus/event_source/devices/kprobe ] && [ "$(printf '6.18\n%s\n' "$(uname -r)" | sort -V | head -n 1)" != 6.18 ] &&
	closed="closed"

# judge NAME WHAT: kernel.py's judgement of the last report
judge() {
	"$E2E/kernel.py" "$2" "$WORK/$1.report" "$cpus"
}
has_report() {
	[ "$(grep -c ' Top [0-9]* stacks with ' "$WORK/$1.report")" -ge "$2" ]
}
# A report that was begun after now and is whole: the next one but one has begun.
fresh() {
	local n
	n=$(grep -c ' Top [0-9]* stacks with ' "$WORK/$1.report")
	wait_for 20 has_report "$1" $((n + 2))
}
closed() {
	fresh "$1" && judge "$1" "$closed"
}

# run NAME OPTIONS...: the program in the group, another one outside, the tool with these options; what is held, then what is not
run() {
	local name=$1 inside inside_in others
	shift
	target_start "$name.in" "$WORK/in_group" "$PROGRAMS/kernel_objects" && inside=$target inside_in=$target_in &&
		target_start "$name.others" "$PROGRAMS/kernel_objects" || return 1
	others=$target
	tool_start "$name" --cgroup "$group" -P -o 0 -T 100000 "$@" 1 || { cat "$WORK/$name.stderr"; return 1; }
	target_run "$name.others" || return 1
	target=$inside target_in=$inside_in
	target_run "$name.in" && fresh "$name" || return 1
	cp "$WORK/$name.report" "$WORK/$name.held.report"
	judge "$name.held" "${held:-held}" || return 1
	target_tell
	wait_for 10 has_line "$WORK/$name.in.out" '^closed$' && wait_for 8 closed "$name" || return 1
	tool_stop && target_end && kill -KILL "$others"
}
quiet() {
	cat "$WORK/$1.stderr"
	! grep -vE "$mostly_quiet" "$WORK/$1.stderr"
}

check "what is held, and nothing of others; nothing once it is closed" run blocks
check "nothing else on stderr" quiet blocks
check "as sums (-C)" run sums -C
check "as sums, with -F" run missing -C -F
check "with -F" run single -F
held=sampled check "sampled (-s 2): about that" run sampled -s 2

# --- Single blocks -----------------------------------------------------------------------------------------------------------

listed() {
	target_start listed "$WORK/in_group" "$PROGRAMS/kernel_objects" &&
		tool_start listed --cgroup "$group/below" -a -o 0 -T 100000 -z 4096 -Z 4096 1000 &&
		target_run listed && tool_stop || return 1
	kill -KILL "$target"
	awk '/ bytes in / { pages = 0 } /addr = / { n[$3]++; if ($6 != 4096) bad++ } { last = $0 }
		END { for (address in n) { blocks++; if (n[address] > 1) bad++ }
		print blocks, "blocks,", bad + 0, "bad"; exit bad || blocks < 500 }' "$WORK/listed.report"
}
check "blocks by address, each once, of one size (-a, -z, -Z)" listed

# --- The tool itself -----------------------------------------------------------------------------------------------------------

own() {
	local program=$TOOL TOOL=$WORK/in_group
	tool_start own "$program" --cgroup "$group" -o 0 -T 100000 1 && fresh own && tool_stop || return 1
	tail -n 20 "$WORK/own.report"
	! grep -q ' bytes in ' "$WORK/own.report"
}
check "nothing of the tool's own" own

# --- Calls as they happen ------------------------------------------------------------------------------------------------------

# 500 pages are given to pipes, and taken back: each call once, with its stack.
traced_all() {
	awk -v pid="$target" '
		$4 == "alloc" && $5 == "exited," { address = $NF; mine = $2 == "pid=" pid }
		$4 == "free" && $5 == "entered," {
			sub(",", "", $8)
			frees += ($8 in given) && $2 == "pid=" pid && /size = 4096$/
			delete given[$8]
			mine = 0
		}
		/\t[0-9]+ \[<.*(allocate_slab|new_slab)/ { mine = 0 } # the page of a slab
		/\t[0-9]+ \[<.*pipe_write\+/ && mine { given[address]; pages++; mine = 0 }
		END { print pages, "pages,", frees, "of them freed"; exit pages != 500 || frees != 500 }' "$WORK/traced.report"
}
traced() {
	target_start traced "$WORK/in_group" "$PROGRAMS/kernel_objects" &&
		tool_start traced --cgroup "$group" -t -z 4096 -Z 4096 1000 && target_run traced || return 1
	target_tell
	wait_for 10 has_line "$WORK/traced.out" '^closed$' && wait_for 20 traced_all >/dev/null
	traced_all && tool_stop && target_end
}
check "each call, with its stack (-t)" traced

# --- All of the system ---------------------------------------------------------------------------------------------------------

everything() {
	target_start everything "$PROGRAMS/kernel_objects" && tool_start everything -P -o 0 -T 100000 1000 &&
		target_run everything && tool_stop || return 1
	kill -KILL "$target"
	head -n 1 "$WORK/everything.report" | grep -qx 'Attaching to kernel allocators, Ctrl+C to quit\.' || return 1
	judge everything least
}
check "without --cgroup: at least that" everything
check "nothing else on stderr then" quiet everything

# --- What is said ------------------------------------------------------------------------------------------------------------

# refused PATTERN COMMAND...: one line on stderr, which has PATTERN, nothing on stdout, a non-zero exit
refused() {
	local pattern=$1 status
	shift
	timeout -k 1 60 "$@" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null
	status=$?
	cat "$WORK/stdout" "$WORK/stderr"
	[ "$status" != 0 ] && [ "$status" -lt 124 ] && [ ! -s "$WORK/stdout" ] &&
		[ "$(wc -l <"$WORK/stderr")" = 1 ] && grep -qE "^memleak_dwunw_user: $pattern\$" "$WORK/stderr"
}
check "no such control group" refused "--cgroup: cannot open $group/none: No such file or directory" \
	"$TOOL" --cgroup "$group/none"
check "no control group" refused "--cgroup: /proc is not a directory of control groups, version 2" "$TOOL" --cgroup /proc
check "more blocks than there is memory" refused 'no memory for the tables of blocks.*' "$TOOL" --max-blocks 1073741824

chmod 755 "$WORK"
install -m 755 "$TOOL" "$WORK/tool"
cat >"$WORK/nobody" <<'END'
#!/bin/sh
capabilities=-all$1
shift
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$capabilities" \
	--ambient-caps="$capabilities" -- "$@"
END
chmod 755 "$WORK/nobody"
check "without privileges" refused 'not permitted to load BPF programs: missing CAP_BPF, CAP_PERFMON' \
	"$WORK/nobody" "" "$WORK/tool"

# CAP_BPF and CAP_PERFMON are enough; names take CAP_SYSLOG where addresses are hidden.
names() {
	local TOOL=$WORK/nobody
	target_start names "$PROGRAMS/kernel_objects" && tool_start names "$1" "$WORK/tool" -o 0 1000 &&
		target_run names && tool_stop || return 1
	kill -KILL "$target"
	cat "$WORK/names.stderr" "$WORK/names.report"
	grep -qE '^	0 \[<[0-9a-f]{16}>\] '"$2" "$WORK/names.report" &&
		[ "$(grep -c "$3" "$WORK/names.stderr")" = "$4" ]
}
hidden="the kernel's functions have no names: kernel.kptr_restrict hides their addresses"
restrict=/proc/sys/kernel/kptr_restrict
before=$(<$restrict)
trap 'echo "$before" >$restrict; clean_up' EXIT
echo 1 >$restrict
check "hidden addresses, with CAP_SYSLOG: names" names ,+bpf,+perfmon,+syslog '[a-z_.]*\+0x' "$hidden" 0
check "hidden addresses, without: no names, and one line" names ,+bpf,+perfmon '<null sym>$' "$hidden: missing CAP_SYSLOG\$" 1
echo "$before" >$restrict
summary
