# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the end-to-end tests share: a target that is one of tests/programs, the tool attached to it, checks that are
# counted. Sourced by tests/e2e/*.sh, which run in the repository's root as root. Everything started here is ended at
# the end of the script, and nothing else is.

BUILD=$(realpath "${BUILD:-build/$(uname -m)}")
TOOL=$BUILD/examples/memleak_bcc_dwunw/memleak_dwunw_user
PROGRAMS=$BUILD/tests/programs
E2E=$(realpath tests/e2e)
WORK=$(mktemp -d)
export PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0
started=()

if [ ! -x "$TOOL" ]; then
	echo "$TOOL is not built"
	echo "0 passed, 1 failed"
	exit 1
fi

finish() {
	local pid
	exec 2>/dev/null # where bash says whom it has seen killed
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 1' INT TERM

# check WHAT COMMAND...: WHAT holds when COMMAND succeeds; its output is shown when it does not.
check() {
	local what=$1
	shift
	if "$@" >"$WORK/check" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $what"
		head -n 20 "$WORK/check" | sed 's/^/     /'
	fi
}

summary() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}

# A short pause without a process.
exec {never}<> <(:)
nap() {
	read -r -t "$1" -u "$never" || :
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; fails when it does not in that time, DWUNW_PATIENCE times longer on
# slow machines (tests/vm).
wait_for() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * ${DWUNW_PATIENCE:-1} * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		nap 0.02
	done
}

has_line() {
	grep -q -- "$2" "$1" 2>/dev/null
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# refused STATUS PATTERN COMMAND...: one line on stderr, which has PATTERN, nothing on stdout, this exit status ("any": not 0).
refused() {
	local wanted=$1 pattern=$2 status
	shift 2
	timeout -k 1 20 "$@" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null
	status=$?
	cat "$WORK/stdout" "$WORK/stderr"
	echo "exit status $status, not $wanted; wanted in the one line: $pattern"
	case $wanted in
	any) [ "$status" != 0 ] && [ "$status" -lt 124 ] || return 1 ;;
	*) [ "$status" = "$wanted" ] || return 1 ;;
	esac
	[ ! -s "$WORK/stdout" ] && [ "$(wc -l <"$WORK/stderr")" = 1 ] &&
		grep -q '^memleak_dwunw_user: ' "$WORK/stderr" && grep -qE -- "$pattern" "$WORK/stderr"
}

# target_start NAME COMMAND...: runs a program of the protocol of tests/programs/truth.h up to its line `ready`; then its pid is in
# $target, what it prints in $WORK/NAME.out, and $target_in is the descriptor that its lines are written to.
target_start() {
	local name=$1
	shift
	rm -f "$WORK/$name.in"
	mkfifo "$WORK/$name.in"
	: >"$WORK/$name.out"
	"$@" <"$WORK/$name.in" >"$WORK/$name.out" 2>"$WORK/$name.err" &
	target=$!
	started+=("$target")
	exec {target_in}>"$WORK/$name.in"
	wait_for 10 has_line "$WORK/$name.out" '^ready$'
}

# A line to the target. In a shell of its own, which may die of a target that is gone.
target_tell() {
	(echo >&"$target_in") 2>/dev/null
}

# Lets the target do its work, up to its line `done`.
target_run() {
	target_tell
	wait_for 60 done_or_gone "$WORK/$1.out" "$target"
	has_line "$WORK/$1.out" '^done$'
}

done_or_gone() {
	has_line "$1" '^done$' || gone "$2"
}

# Lets the target end: succeeds when it ends by itself and well.
target_end() {
	target_tell
	exec {target_in}>&-
	wait "$target"
}

# tool_start NAME ARGUMENTS...: the tool up to its line `Attaching to ...`; its pid is in $tool, its output in $WORK/NAME.report
# and $WORK/NAME.stderr.
tool_start() {
	local name=$1
	shift
	: >"$WORK/$name.report"
	"$TOOL" "$@" >"$WORK/$name.report" 2>"$WORK/$name.stderr" &
	tool=$!
	started+=("$tool")
	wait_for 20 attached_or_gone "$WORK/$name.report" "$tool"
	has_line "$WORK/$name.report" '^Attaching to \(pid [0-9]*\|kernel allocators\), Ctrl+C to quit\.$'
}

attached_or_gone() {
	has_line "$1" '^Attaching to ' || gone "$2"
}

# Ctrl-C: the last report. Its exit status is the result.
tool_stop() {
	kill -INT "$tool" && wait "$tool"
}
