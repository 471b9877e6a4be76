#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Proves: the dwunw command refuses what makes no sense with exit status 2, and what cannot be done with one line on stderr and 1; `dwunw
# table` counts what readelf and `dwunw cfi` count; each line of `dwunw cfi` has the documented form. (Its rows: parity_test.sh; stacks:
# e2e/stack.sh.)
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build/$(uname -m)}
dwunw=$build/tools/dwunw/dwunw
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export LC_ALL=C
passed=0 failed=0

check() {
	local what=$1
	shift
	if "$@" >"$dir/check" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $what"
		head -n 20 "$dir/check"
	fi
}

# refused STATUS MESSAGE ARGUMENTS...
refused() {
	local expected=$1 message=$2 status
	shift 2
	"$dwunw" "$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null
	status=$?
	cat "$dir/stdout" "$dir/stderr"
	[ "$status" = "$expected" ] && [ ! -s "$dir/stdout" ] && grep -qF -- "$message" "$dir/stderr" &&
		{ [ "$expected" = 2 ] || [ "$(wc -l <"$dir/stderr")" = 1 ]; }
}

check "no command" refused 2 "a command is missing"
check "wrong command" refused 2 "no such command: stak" stak 1
check "wrong option" refused 2 "unrecognized option" stack --nonsense 1
check "no PID" refused 2 "PID is missing" stack
check "two PIDs" refused 2 "one PID only" stack 1 2
check "PID that is none" refused 2 "must be a number" stack 12x
check "PID zero" refused 2 "must be a number" stack 0
check "PID too large" refused 2 "must be a number" stack 99999999999999999999
check "frames zero" refused 2 "must be a number" stack -n 0 1
check "no file" refused 2 "FILE is missing" cfi
check "two files" refused 2 "one FILE only" table /etc/passwd /etc/group
check "no process" refused 1 "dwunw stack: 4194305: no such process" stack 4194305
check "no thread" refused 1 "no such process" stack -t 1 "$$"
check "file that is not there" refused 1 "dwunw cfi: /nonexistent: No such file" cfi /nonexistent
check "file that is no ELF" refused 1 "/etc/passwd: not an ELF file" table /etc/passwd
check "directory" refused 1 "dwunw table: /etc: " table /etc
check "full disk" [ "$("$dwunw" cfi "$dwunw" 2>&1 >/dev/full | grep -c 'No space left')" = 1 ]
check "help" "$dwunw" --help
for command in stack cfi table; do
	check "$command --help" "$dwunw" "$command" --help
done

# no_sense: a file whose last FDE has an instruction that nobody defines (DW_CFA 0x3f): its rows are left out, and that is said
printf '.text\nf: .cfi_startproc\nnop\n.cfi_endproc\ng: .cfi_startproc\nnop\n.cfi_escape 0x3f\nnop\n.cfi_endproc\n' >"$dir/x.s"
"${CC:-cc}" -shared -nostdlib -Wl,--no-eh-frame-hdr -o "$dir/x.so" "$dir/x.s" 2>/dev/null
no_sense() {
	"$dwunw" cfi "$dir/x.so" >"$dir/rows" 2>"$dir/stderr"
	[ $? = 1 ] && [ "$(wc -l <"$dir/rows")" = 1 ] && grep -q 'FDEs that make no sense: 1$' "$dir/stderr"
}
check "an FDE that makes no sense" no_sense

# field FILE NAME: a number of `dwunw table`
field() {
	sed -nE "s/^ *$2 +([0-9]+).*/\1/p" "$1"
}

counts_agree() {
	local file=$1 fdes
	"$dwunw" table "$file" >"$dir/table" && "$dwunw" cfi "$file" >"$dir/rows" || return 1
	cat "$dir/table"
	fdes=$(readelf -wF "$file" 2>/dev/null | awk '$4 == "FDE" {
		split(substr($6, 4), pc, /\.\./)
		# as text: 00000000000e0200 is also a number
		n += pc[1] "" != pc[2] "" && pc[1] !~ /^0+$/
	} END { print n }')
	[ "$(field "$dir/table" FDEs)" = "$fdes" ] &&
		[ "$(field "$dir/table" "rows in the file")" = "$(wc -l <"$dir/rows")" ] &&
		[ "$(field "$dir/table" rows)" = "$(awk '/^rows by/ { kinds = 1 }
			/^  / && kinds { n += $NF } END { print n }' "$dir/table")" ]
}

well_formed() {
	local rule='c[+-][0-9]+|v[+-][0-9]+|s|u|exp|vexp|[a-z]+[0-9]*'
	! grep -vE "^[0-9a-f]{16} [0-9a-f]{16} cfa=([a-z0-9]+[+-][0-9]+|exp) ( [a-z0-9]+=($rule))*\$" "$dir/rows"
}

# Of those that the tests need anyway.
shopt -s nullglob
for file in /usr/lib/*-linux-gnu/libc.so.6 /usr/lib/*-linux-gnu/libstdc++.so.6 "$dwunw"; do
	check "$file: counts agree" counts_agree "$file"
	check "$file: lines are well formed" well_formed
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
