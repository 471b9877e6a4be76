#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 400
#
# Proves, row by row, what each flag does to the report of a small known leak (tests/programs/steps.c): the bytes of stdout but for
# addresses, times and pids, the lines on stderr, the exit status. And after every row that nothing is left of the tool: the BPF
# programs, maps and links that it held while it ran are unknown to the kernel, no byte of the target's libc is changed, a
# command that it started is gone, and the target ends well. Also after SIGKILL.

. "$(dirname "$0")/lib.sh"

# A name that no other process has: for --comm.
name=steps.$$
cp "$PROGRAMS/steps" "$WORK/$name"
for tool_of_bpf in ${BPFTOOL:+"$BPFTOOL"} /usr/lib/linux-tools/*/bpftool /usr/sbin/bpftool; do
	[ -x "$tool_of_bpf" ] && break
done

# --- What is expected --------------------------------------------------------------------------------------------------------------

# words WORD...: the report that the words stand for.
#   attach            the line that says so          top:N             a heading
#   peak:B:C:N        the heading of the peak        s:B:C             bytes, blocks, and the line of the process
#   d:+B:+C           the line of --details          g:+B:+C           the same without ages
#   a:SIZE[*N]        (N) lines of blocks            f:NAME            the two innermost frames
#   r:NAME            and those of -v                child, reaped     the lines of a command
#   NAME:B:C          s:B:C f:NAME
words() {
	local word one two three n
	for word in "$@"; do
		IFS=: read -r word one two three <<<"$word"
		case $word in
		attach) echo 'Attaching to pid PID, Ctrl+C to quit.' ;;
		child) echo 'child created with pid: PID' ;;
		reaped) echo 'reaped child process' ;;
		top) echo "[TIME] Top $one stacks with outstanding allocations:" ;;
		peak) echo "[TIME] Peak: $one bytes in $two allocations, top $three stacks:" ;;
		s) printf '%s bytes in %s allocations from stack\n\t[dwunw] pid=PID comm=steps frames=N\n' "$one" "$two" ;;
		d) printf '\t[memleak] oldest=T median=T growth=%s bytes in %s allocations\n' "$one" "$two" ;;
		g) printf '\t[memleak] growth=%s bytes in %s allocations\n' "$one" "$two" ;;
		a)
			[[ $one == *\** ]] && n=${one#*\*} || n=1
			for ((; n > 0; n--)); do printf '\taddr = ADDR size = %s\n' "${one%\**}"; done
			;;
		f) printf '\t0 [<ADDR>] %s+N [/steps]\n\t1 [<ADDR>] main+N [/steps]\n' "$one" ;;
		r)
			words "f:$one"
			printf '  [dwunw] #%s pc=ADDR sp=ADDR ra=ADDR flags=N module=/steps, name from .symtab\n' 0 1
			;;
		*) words "s:$one:$two" "f:$word" ;;
		esac
	done
}

# shape FILE: a report without what differs from run to run, and without frames past the second.
shape() {
	sed -E "s/$name/steps/g
		/^(ready|step [0-9]+)\$/d
		/^(\t| +\[dwunw\] #)([2-9]|[0-9]{2,}) /d
		s/(pid[ =:]+)[0-9]+/\1PID/; s/frames=[0-9]+/frames=N/
		s/^\[[0-9]+:[0-9]+:[0-9]+\]/[TIME]/; s/=[0-9]+\.[0-9]{3}s/=T/g
		s/<[0-9a-f]{16}>/<ADDR>/; s/addr = 0x[0-9a-f]+/addr = ADDR/
		s/\+0x[0-9a-f]+/+N/; s/(pc|sp|ra)=0x[0-9a-f]+/\1=ADDR/g; s/flags=[0-9a-fx]+/flags=N/
		s#(\[|module=)/[^]]*/#\1/#" "$1"
}

# --- What is left ------------------------------------------------------------------------------------------------------------------

# What the tool holds now, as `prog ID`, `map ID`, `link ID`; and its children.
note_held() {
	# a link's file has its program's id too
	cat "/proc/$tool/fdinfo/"* 2>/dev/null | sed -nE 's/^(prog|map|link)_id:\s*([0-9]+)$/\1 \2/p' | sort -u >"$WORK/held"
	children=$(cat "/proc/$tool/task/$tool/children")
}

nothing_held() {
	local kind id
	while read -r kind id; do
		"$tool_of_bpf" "$kind" show id "$id" >/dev/null 2>&1 && return 1
	done <"$WORK/held"
	for id in $children; do
		gone "$id" || return 1
	done
}

# The kernel frees some time after the last use.
nothing_left() {
	[ -x "$tool_of_bpf" ] || { echo "no bpftool"; return 1; }
	[ "$(wc -l <"$WORK/held")" -ge 8 ] || { echo "few programs and maps were there:"; cat "$WORK/held"; return 1; }
	wait_for 10 nothing_held || { echo "left: $(cat "$WORK/held") $children"; return 1; }
}

# --- A row --------------------------------------------------------------------------------------------------------------------------

# step: the target makes its next.
step() {
	steps=$((steps + 1))
	target_tell
	wait_for 10 has_line "$WORK/flags.out" "^step $steps\$"
}

report_count() {
	[ "$(grep -cE '^\[[0-9:]+\] (Top|Peak)' "$WORK/flags.report")" -ge "$1" ]
}

act() {
	case $1 in
	step) step ;;
	usr1) # up to the end of that report: the tool is idle again when it has slept through a nap
		reports=$(grep -c 'stacks with outstanding' "$WORK/flags.report")
		kill -USR1 "$tool" && wait_for 10 report_count $((reports + 1)) && nap 0.3
		;;
	int) kill -INT "$tool" ;;
	kill) kill -KILL "$tool" ;;
	end) echo q >&"$target_in" ;; # the target ends
	nap:*) nap "${1#*:}" ;;
	esac
}

# row ARGUMENTS | ACTIONS | STATUS | STDERR | WORDS: the tool with the arguments, in which PID and NAME are the target's; once
# it is attached the actions; then it ends, with that status, on stderr a line for each extended regular expression (by `;`), on stdout the words.
row() {
	local arguments actions wanted stderr expected action status steps=0 reports
	IFS='|' read -r arguments actions wanted stderr expected <<<"$(sed -E 's/ *\| */|/g' <<<"$1")"
	target_start flags "$WORK/$name" || return 1
	arguments=${arguments//PID/$target}
	# shellcheck disable=SC2086 # words
	tool_start flags ${arguments//NAME/$name} || { cat "$WORK/flags.stderr"; return 1; }
	note_held
	nothing_held && { echo "the kernel does not list what the tool holds"; return 1; }
	for action in $actions; do
		act "$action" || { echo "no answer to '$action'"; cat "$WORK/flags.report" "$WORK/flags.stderr"; return 1; }
	done
	wait_for 20 gone "$tool" || { echo "it does not end"; return 1; }
	wait "$tool"
	status=$?
	nothing_left && judge_target "$actions" && judge_row
}

judge_target() {
	if [[ $1 != *end* ]]; then
		[ "$("$E2E/probes.py" "$target" libc.so.6)" = 0 ] || { echo "probes are left"; return 1; }
		step || { echo "the target does not go on"; return 1; }
	fi
	exec {target_in}>&-
	wait "$target" || { echo "the target ended badly"; return 1; }
}

judge_row() {
	local pattern patterns
	cat "$WORK/flags.stderr"
	echo "exit status $status, not $wanted"
	[ "$status" = "$wanted" ] || return 1
	IFS=';' read -ra patterns <<<"$stderr"
	if [ "${patterns[0]:-}" != - ]; then
		[ "$(wc -l <"$WORK/flags.stderr")" = ${#patterns[@]} ] || { echo "${#patterns[@]} lines were wanted"; return 1; }
		for pattern in "${patterns[@]}"; do
			grep -qE -- "$pattern" "$WORK/flags.stderr" || { echo "not there: $pattern"; return 1; }
		done
	fi
	# shellcheck disable=SC2086 # words
	[ "$expected" = - ] || diff <(words $expected) <(shape "$WORK/flags.report")
}

# Every line of stdin that is not empty and no comment is a row.
table() {
	local line
	while IFS= read -r line; do
		[[ $line =~ ^[[:space:]]*(#|$) ]] && continue
		check "$(cut -d'|' -f1,2 <<<"$line")" row "$line"
	done
}

old=old_one:50000:1 small=small:3000:300 grow=grow:20000:4

# arguments               | actions                | status | stderr | stdout
table <<END
-p PID -o 0 1000          | step int               | 0      |        | attach top:2 $old $small
-p PID -o 0 1 1           | step                   | 0      |        | -
-p PID -o 0 2 2           | step usr1              | 0      |        | attach top:2 $old $small top:2 $old $small top:2 $old $small
-p PID -o 0               | step usr1 step int     | 0      |        | attach top:2 $old $small top:3 $old $grow $small
-p PID 1000               | step nap:0.8 int       | 0      |        | attach top:2 $old $small
-p PID -o 4000 1000       | step nap:4.2 step int  | 0      |        | attach top:2 $old $small
-p PID -o 3600000 1000    | step int               | 0      |        | attach top:0
-p PID -o 0 -a 1000       | step step int          | 0      |        | attach top:3 s:50000:1 a:50000 f:old_one s:20000:4 a:5000*4 f:grow s:3000:300 a:10*300 f:small
-p PID -o 0 -T 1 1000     | step int               | 0      |        | attach top:1 $old
-p PID -o 0 -z 11 1000    | step step int          | 0      |        | attach top:2 $old $grow
-p PID -o 0 -Z 5000 1000  | step step int          | 0      |        | attach top:2 $grow $small
-p PID -o 0 -z 5000 -Z 5000 1000 | step step int   | 0      |        | attach top:1 $grow
-p PID -o 0 -v -T 1 1000  | step int               | 0      | -      | attach top:1 s:50000:1 r:old_one
-p PID -o 0 -O libc.so.6 1000 | step int           | 0      |        | attach top:2 $old $small
-p PID -o 0 -C 1000       | step int               | 0      |        | attach top:2 $old $small
-p PID -o 0 --stack-storage-size=1024 1000 | step int | 0   |        | attach top:2 $old $small
-p PID -o 0 --stack-storage-size=1 1000 | step int | 0      | 300 stacks past --stack-storage-size: slower | attach top:2 $old $small
-p PID -C --stack-storage-size=1 1000 | step int   | 0      | 300 stacks past;300 blocks not stored: -C has no room for more stacks | attach top:1 $old

-p PID -o 0 --sort=size 1000   | step step int     | 0      |        | attach top:3 $old $grow $small
-p PID -o 0 --sort=count 1000  | step step int     | 0      |        | attach top:3 $small $grow $old
-p PID -o 0 --sort=age 1000    | step step int     | 0      |        | attach top:3 $old $small $grow
-p PID -o 0 --sort=growth 1000 | step usr1 step int | 0     |        | attach top:2 $old $small top:3 $grow $old $small
-p PID -o 0 --details -T 2 1000 | step usr1 step usr1 int | 0 |      | attach top:2 s:50000:1 d:+50000:+1 f:old_one s:3000:300 d:+3000:+300 f:small top:2 s:50000:1 d:+0:+0 f:old_one s:20000:4 d:+20000:+4 f:grow top:2 s:50000:1 d:+0:+0 f:old_one s:20000:4 d:+0:+0 f:grow
-p PID -o 0 --details -a -T 1 1000 | step int      | 0      |        | attach top:1 s:50000:1 d:+50000:+1 a:50000 f:old_one
-p PID -C --details -T 1 1000  | step int          | 0      |        | attach top:1 s:50000:1 g:+50000:+1 f:old_one

-p PID -o 0 --peak -T 1 1000   | step step step nap:4 step int | 0 |  | attach top:1 $old peak:273000:306:1 spike:200000:1
-p PID -o 0 --peak -T 1 1000   | step step step usr1 step end | 1 | process .* has ended | attach top:1 spike:200000:1 top:1 $old peak:273000:306:1 spike:200000:1
-p PID -o 3600000 --peak 1000  | step int          | 0      |        | attach top:0 peak:53000:301:2 $old $small
-p PID --peak 1000             | int               | 0      |        | attach top:0 peak:0:0:0
-p PID --peak -C -T 1 1000     | step int          | 0      |        | attach top:1 $old peak:53000:301:1 $old

--comm NAME -o 0 1000          | step int          | 0      |        | attach top:2 $old $small
--comm NAME -p PID -o 0 1000   | step int          | 0      |        | attach top:2 $old $small

-p PID -o 0 --duration 2 1000  | step              | 0      |        | attach top:2 $old $small
-p PID -o 3600000 --duration 2 1 |                 | 0      |        | attach top:0 top:0
-p PID -o 3600000 --stop-when-leaked 70000 1000 | step nap:1 step | 0 | 73000 bytes are outstanding: --stop-when-leaked | attach top:0
-p PID -C --stop-when-leaked 70000 -T 1 1000 | step nap:1 step | 0 | 73000 bytes are outstanding: --stop-when-leaked | attach top:1 $old
-p PID -o 0 --stop-when-leaked 73001 -T 1 1000 | step step nap:1 int | 0 | | attach top:1 $old
-p PID -o 0 -T 1 --fail-above 73000 1000 | step step int | 0 |       | attach top:1 $old
-p PID -o 0 -T 1 --fail-above 72999 1000 | step step int | 23 | 73000 bytes are outstanding at the end: more than the 72999 | attach top:1 $old
-p PID -o 3600000 --fail-above 1K --stop-when-leaked 2K 1000 | step | 23 | --stop-when-leaked;--fail-above | attach top:0
-p PID -o 0 -T 1 --fail-above 0 1000 | step step int | 23 | 73000 bytes are outstanding at the end: more than the 0 | attach top:1 $old
-p PID -o 3600000 --fail-above 1K 1000 | step end  | 23     | has ended;--fail-above | attach top:0

-p PID -o 0 1000               | step kill         | 137    |        | attach
END

# --- A command -----------------------------------------------------------------------------------------------------------------------

command_row() {
	local wanted=$1 status
	shift
	timeout -k 1 20 "$TOOL" -c "$WORK/$name 2" -o 0 "$@" 1000 </dev/null >"$WORK/flags.report" 2>"$WORK/flags.stderr"
	status=$?
	cat "$WORK/flags.stderr"
	echo "exit status $status, not $wanted"
	[ "$status" = "$wanted" ]
}

command_plain() {
	command_row 0 && diff <(words child attach top:3 "$old" "$grow" "$small" reaped) <(shape "$WORK/flags.report")
}
check "-c" command_plain

command_peak() {
	command_row 23 -T 1 --peak --fail-above 71K &&
		diff <(words child attach top:1 "$old" peak:73000:305:1 "$old" reaped) <(shape "$WORK/flags.report")
}
check "-c --peak --fail-above" command_peak

# killed HOW: the command goes with the tool.
command_killed() {
	: >"$WORK/flags.report"
	"$TOOL" -c "sleep 50" 1000 >"$WORK/flags.report" 2>&1 &
	tool=$!
	started+=("$tool")
	wait_for 20 has_line "$WORK/flags.report" '^Attaching to pid' || return 1
	note_held
	[ -n "$children" ] && kill -"$1" "$tool" && wait_for 5 gone "$tool" && nothing_left
}
check "-c, SIGINT: nothing is left" command_killed INT
check "-c, SIGKILL: nothing is left" command_killed KILL

# --- Refused -------------------------------------------------------------------------------------------------------------------------

while IFS='|' read -r status pattern line; do
	eval "check \"\$line\" refused $status \"\$(sed 's/^ *//; s/ *$//' <<<\"\$pattern\")\" $TOOL $line"
done <<END
1  | exclude each other                    | -p 1 -c true
1  | --comm and --command exclude          | --comm x -c true
1  | min-size 2 is larger                  | -p 1 -z 2 -Z 1
1  | knows no ages                         | -p 1 -C --sort=age
1  | no process is named 'no-such-name'    | --comm no-such-name
64 | 'weight' is not one of size, count    | -p 1 --sort=weight
64 | 'x' is not a number                   | -p x
64 | 'x' is not a number                   | -p 1 -o x
64 | not in the range                      | -p 1 -T 0
64 | not in the range                      | -p 1 --duration 0
64 | not a number of bytes                 | -p 1 --stop-when-leaked 5X
64 | not in the range                      | -p 1 --stop-when-leaked 0
64 | --comm: must not be empty             | --comm ''
64 | not in the range                      | -p 1 0
64 | not in the range                      | -p 1 1 0
64 | unexpected argument '3'               | -p 1 1 2 3
END

# said STATUS OPTION PATTERN: on stdout, and nothing on stderr.
said() {
	"$TOOL" "$2" >"$WORK/stdout" 2>"$WORK/stderr"
	[ $? = "$1" ] && [ ! -s "$WORK/stderr" ] && grep -q -- "$3" "$WORK/stdout"
}
for option in -h '-?' --help; do
	check "$option" said 0 "$option" '--stop-when-leaked'
done
check --usage said 0 --usage '--stop-when-leaked'
check -V said 0 -V '^memleak_dwunw_user [0-9.]*$'
check --version said 0 --version '^memleak_dwunw_user [0-9.]*$'
summary
