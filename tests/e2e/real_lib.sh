# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Beyond lib.sh: real programs under a load, traced for some seconds, and what is asked of every such run.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skipped=0

# What a run must reach, and how long it lasts.
SHARE=99.9 WALKS=2000 STACKS=1 SECONDS_TRACED=5

# have PROGRAM...: all are installed; else the run is counted as skipped.
have() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null && continue
		echo "skip: $program is not installed"
		skipped=$((skipped + 1))
		return 1
	done
}

# start COMMAND...: in the background, to be ended at the end; its pid is in $started_pid.
start() {
	"$@" <&0 & # or bash gives it /dev/null
	started_pid=$!
	started+=("$started_pid")
}

# stop PID...: processes of start().
stop() {
	local pid
	for pid in "$@"; do
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null
	done
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

listens() {
	(: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# judge NAME: what was said in the run NAME.
judge() {
	local name=$1
	printf '%-28s ' "$name"
	"$E2E/real_judge.py" share "$WORK/$name.stderr" "$SHARE" "$WALKS" | tee "$WORK/said"
	check "$name: at least $WALKS walks, $SHARE % of them complete" \
		"$E2E/real_judge.py" share "$WORK/$name.stderr" "$SHARE" "$WALKS"
	check "$name: complete stacks end where a thread begins" \
		"$E2E/real_judge.py" roots "$WORK/$name.report" "$STACKS"
}

# trace NAME PID OBJECT [OPTIONS...]
trace() {
	local name=$1 pid=$2 object=$3
	shift 3
	check "$name: is traced" tool_to_end "$name" -p "$pid" -O "$object" "$@" "$SECONDS_TRACED" 1
	judge "$name"
	check "$name: runs on" kill -0 "$pid"
}

# trace_command NAME COMMAND [OPTIONS...]: at most SECONDS_TRACED seconds of it.
trace_command() {
	local name=$1 command=$2
	shift 2
	check "$name: is traced" tool_to_end "$name" -c "$command" "$@" "$SECONDS_TRACED" 1
	judge "$name"
}

tool_to_end() {
	local name=$1
	shift
	"$TOOL" -v -o 0 -T 1000 "$@" >"$WORK/$name.report" 2>"$WORK/$name.stderr"
}

real_summary() {
	local line="$passed passed, $failed failed"
	[ "$skipped" = 0 ] || line+=", $skipped skipped"
	echo "$line"
	[ "$failed" = 0 ]
	exit
}
