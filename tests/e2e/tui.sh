#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# Proves of --tui, driven in a terminal (tmux): it shows the target's stacks, largest first, and what keys, a new size and a paused picture do; in 80x24 and
# 200x60, with UTF-8 and without, without colours; names cannot command the terminal. Whichever way it ends the terminal is as before. Without a
# terminal it says so before anything is traced. And that what takes long is told on a terminal, and in no pipe.

. "$(dirname "$0")/lib.sh"

if ! command -v tmux >/dev/null; then
	echo "tmux is missing: scripts/install-deps test"
	echo "0 passed, 1 failed"
	exit 1
fi

# A server a run: one that is ending takes no new session.
n_servers=0
mux() {
	tmux -L "dwunw-$$-$n_servers" -f /dev/null "$@"
}
trap 'mux kill-server 2>/dev/null; finish' EXIT

screen() {
	mux capture-pane -p
}

# shows PATTERN...: the screen has them all, in some seconds; it is printed if not.
on_screen() {
	local pattern
	screen >"$WORK/screen"
	for pattern; do
		grep -qE -- "$pattern" "$WORK/screen" || return 1
	done
}
shows() {
	wait_for 15 on_screen "$@" || { cat "$WORK/screen"; return 1; }
}

key() {
	mux send-keys "$@"
}

ended() {
	[ -s "$WORK/status" ]
}

# begin COLUMNS ROWS ARGUMENTS...: the tool in a terminal of that size, and in $tool; $settings: of the environment.
settings=()
begin() {
	local size=(-x "$1" -y "$2")
	shift 2
	rm -f "$WORK/status" "$WORK/pid"
	mux kill-server 2>/dev/null
	n_servers=$((n_servers + 1))
	printf '%q ' cd "$WORK" >"$WORK/drive"
	{
		echo
		# shellcheck disable=SC2016 # for that shell
		echo 'stty -a >before; echo $$ >pid'
		printf '%q ' env LC_ALL=C.UTF-8 "${settings[@]}" "$TOOL" "$@"
		echo
		# shellcheck disable=SC2016 # for that shell
		echo 'status=$?; stty -a >after; echo $status >status; read -r'
	} >>"$WORK/drive"
	mux new-session -d "${size[@]}" bash "$WORK/drive"
	wait_for 10 test -s "$WORK/pid" && wait_for 10 find_tool
}

# The one that runs in that terminal.
find_tool() {
	tool=$(pgrep -P "$(cat "$WORK/pid")" memleak_dwunw) && started+=("$tool")
}

# over STATUS: it has ended so, and the terminal is as it was before.
over() {
	wait_for 20 ended || { screen; return 1; }
	echo "exit status $(cat "$WORK/status"), not $1"
	[ "$(cat "$WORK/status")" = "$1" ] && cmp "$WORK/before" "$WORK/after" &&
		[ "$(mux display-message -p '#{alternate_on}#{cursor_flag}')" = 01 ]
}

# With lines; it runs for a minute.
leaky=$WORK/leaky
gcc -g -O2 -fomit-frame-pointer -Itests/programs -o "$leaky" tests/programs/leaky.c
target_leaky() {
	"${1:-$leaky}" &
	target=$!
	started+=("$target")
}

# The first stack of the list.
first_is() {
	screen | sed -n 5p | grep -q "$1"
}

bytes_line() {
	screen | sed -n 2p
}

# --- keys
target_leaky
check "80x24: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "80x24: who it is" shows "^memleak_dwunw_user $target leaky .*RSS .*iB  traced [0-9]+s$"
check "80x24: how much" shows "^[0-9.]+ KiB in [0-9,]+ blocks, [0-9]+ stacks  [0-9,]+/s recorded  overhead n/a" "all stacks are complete"
check "80x24: what it is sorted by" shows "SIZE +COUNT +AGE GROWTH/MIN  STACK"
check "80x24: the largest first" wait_for 10 first_is open_session
check "80x24: a bar, and growth" shows '█.* \+[0-9.]+ [KM]iB .*open_session < handle_request'
check "80x24: the selected stack, with its lines" shows "^ 1/[0-9]+: .* in .* blocks, oldest" "   [01] open_session  .*leaky.c:[0-9]+  \[leaky\]"
check "80x24: the keys" shows "s Sort  / Search  Enter Unfold  p Pause  w Write  m Messages  \? Help  q Quit"
key s
check "s: by count" wait_for 10 first_is copy_header
key s s s
check "s again: by size" wait_for 10 first_is open_session
key Down
check "down: the next stack" shows "^ 2/[0-9]+: " "   [0-9] copy_header  "
key Enter
check "Enter: that one alone" shows "   [0-9] copy_header\+0x[0-9a-f]+  .*leaky.c:[0-9]+  \[$leaky\]" "^Esc Back"
key Escape
check "Esc: back" shows "^s Sort"
key /
key "OPEN_se"
check "/: what is typed" shows "^/OPEN_se   1 of [0-9]+ stacks"
key x
check "/: nothing has that" shows "no stack has that in it"
key BSpace
key Enter
check "Enter: it stays" shows "^/OPEN_se  1 of [0-9]+ stacks, .*Esc: all" "^ 1/1: "
key Escape
check "Esc: all again" shows "^ [0-9]+/[2-9]: "
key '?'
check "?: help" shows "^Keys, columns|^ Keys, columns" "Ctrl-L"
key '?'
key p
check "p: it says so" shows "^PAUSED"
paused() {
	local before
	before=$(bytes_line)
	nap 2.5
	bytes_line
	[ "$before" = "$(bytes_line)" ]
}
check "p: nothing changes" paused
before=$(bytes_line)
key p
moves() {
	[ "$(bytes_line)" != "$before" ]
}
check "p again: it goes on" wait_for 10 moves
key w
check "w: it says what" shows "^written: memleak-$target-[0-9]+-[0-9]+.json"
check "w: the file" eval "grep -q open_session $WORK/memleak-$target-*.json"
before=$(bytes_line)
key r
check "r: new data" wait_for 10 moves
mux resize-window -x 200 -y 60
check "200x60: more columns" shows "SHARE" "%  ?█"
check "200x60: the last row" eval "[ \$(mux capture-pane -p | grep -n '^s Sort' | cut -d : -f 1) = 60 ]"
mux resize-window -x 30 -y 8
check "30x8: a word" shows "too small" "needs 40x12"
mux resize-window -x 80 -y 24
check "80x24 again" shows "^s Sort" "^memleak_dwunw_user"
key -l $'\f'
check "Ctrl-L" shows "^s Sort"
key q
check "q: the terminal is as before" over 0

# --- other ways to end
target_leaky
check "SIGTERM: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "SIGTERM: it shows" shows open_session
kill -TERM "$tool"
check "SIGTERM: the terminal is as before" over 0
check "Ctrl-C: it begins" begin 80 24 --tui -p "$target" -o 0 --output "$WORK/last.txt" 1
check "Ctrl-C: it shows" shows open_session
key C-c
check "Ctrl-C: the terminal is as before" over 0
check "Ctrl-C: the files of --output" grep -q "bytes in .* allocations from stack" "$WORK/last.txt"
check "Ctrl-\\: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "Ctrl-\\: it shows" shows open_session
key C-\\
check "Ctrl-\\: the terminal is as before" over 0
check "--duration: it begins" begin 120 60 --tui -p "$target" -o 0 --duration 3
check "--duration: the terminal is as before" over 0
check "--duration: the last report" shows "Top [0-9]+ stacks with outstanding" "_start\+0x"
check "--stop-when-leaked, --fail-above: it begins" \
	begin 120 60 --tui -p "$target" -o 0 --stop-when-leaked 20K --fail-above 10K
check "--stop-when-leaked, --fail-above: the terminal is as before" over 23
check "--stop-when-leaked: why" shows "stop-when-leaked ends the run" "more than the 10240 of --fail-above"
check "the terminal goes: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "the terminal goes: it shows" shows open_session
mux kill-server
check "the terminal goes: it ends" wait_for 10 gone "$tool"

target_leaky
check "the target ends: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "the target ends: it shows" shows open_session
kill -KILL "$target"
wait "$target" 2>/dev/null
check "the target ends: it says so, and shows what was there" shows "^ENDED at [0-9:]+, " "open_session < handle_request"
key Enter
check "the target ends: keys work" shows "^Esc Back" "open_session\+0x"
key q
check "the target ends: the terminal is as before" over 1
check "the target ends: the messages come then" shows "process $target has ended"

# --- other terminals, other names
hostile=$WORK/$(printf 'a\033]0;b\007\357\274\241')
cp "$leaky" "$hostile"
target_leaky "$hostile"
check "hostile: it begins" begin 200 60 --tui -p "$target" -o 0 1
check "hostile: names are escaped" shows "$target a\\\\x1b\]0;b\\\\x07Ａ" "  \[a\\\\x1b\]0;b\\\\x07Ａ\]"
own_title() {
	[ "$(mux display-message -p "#{pane_title}")" != b ]
}
check "hostile: the terminal has its own title" own_title
key q
check "hostile: the terminal is as before" over 0
has_colours() {
	mux capture-pane -p -e | grep -qE $'\033\\[([0-9]+;)*[34][0-7]m'
}
check "colours: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "colours: it shows" shows "█.*open_session"
check "colours: there are some" has_colours
key q
check "colours: the terminal is as before" over 0
settings=(NO_COLOR=1)
check "NO_COLOR: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "NO_COLOR: it shows" shows "█.*open_session"
check "NO_COLOR: there are none" eval '! has_colours'
key q
check "NO_COLOR: the terminal is as before" over 0
settings=(LC_ALL=C TERM=vt100)
check "C, vt100: it begins" begin 80 24 --tui -p "$target" -o 0 1
check "C, vt100: it shows" shows "###.*open_session" "x07.xef.xbc.xa1"
check "C, vt100: nothing but ASCII" eval '! mux capture-pane -p | LC_ALL=C grep -q "[^ -~]"'
check "C, vt100: no colours" eval '! has_colours'
key q
check "C, vt100: the terminal is as before" over 0
settings=()

# --- several, a command, the kernel
first=$target
target_leaky
check "two: it begins" begin 100 30 --tui -p "$first,$target" -o 0 1
check "two: whose it is" shows " PID " " $first  open_session" " $target  open_session"
key q
check "two: the terminal is as before" over 0
check "-c: it begins" begin 80 24 --tui -o 0 -c "bash -c 'echo noise; exec $leaky'" 1
check "-c: it shows" shows open_session "1 message: m"
check "-c: the screen is ours" eval '! screen | grep -q noise'
key q
check "-c: the terminal is as before" over 0
command_output=$(mux capture-pane -pJ | sed -n "s/.*what the command prints is in //p")
check "-c: what it printed is in a file" grep -q noise "$command_output"
rm -f "$command_output"
check "kernel mode: it begins" begin 80 24 --tui -o 0 1
check "kernel mode: it shows" shows "the kernel .*slab" "^stacks: kernel" "^ 1/[0-9]+: "
key q
check "kernel mode: the terminal is as before" over 0

# --- without a terminal
check "stdin is none" refused 1 "standard input is not a terminal" "$TOOL" --tui -p "$target"
no_output() {
	mux kill-server 2>/dev/null
	n_servers=$((n_servers + 1))
	rm -f "$WORK/status"
	mux new-session -d "$1 $TOOL --tui -p $target 2>$WORK/stderr $2; echo \$? >$WORK/status"
	wait_for 10 ended
	cat "$WORK/stderr" "$WORK/status"
	[ "$(wc -l <"$WORK/stderr")" = 1 ] && [ "$(cat "$WORK/status")" = 1 ] && grep -q "$3" "$WORK/stderr"
}
check "stdout is none" no_output "" ">/dev/null" "standard output is not a terminal"
check "a dumb one" no_output "TERM=dumb" "" "cannot be drawn on (TERM=dumb)"
check "an unknown one" no_output "TERM=nonesuch" "" "cannot be drawn on (TERM=nonesuch)"
check "no name of one" no_output "env -u TERM" "" "cannot be drawn on (TERM=)"

# --- what takes long: a server that takes two seconds for a debug file
cp "$leaky" "$WORK/stripped"
objcopy --only-keep-debug "$WORK/stripped" "$WORK/stripped.debug"
objcopy --strip-debug "$WORK/stripped"
cat >"$WORK/server.py" <<'END'
import http.server, sys, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        data = open(sys.argv[1], "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for i in range(20):
            self.wfile.write(data[len(data) * i // 20 : len(data) * (i + 1) // 20])
            time.sleep(0.1)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()
END
python3 "$WORK/server.py" "$WORK/stripped.debug" >"$WORK/port" 2>/dev/null &
started+=($!)
if ldconfig -p | grep -q libdebuginfod && wait_for 10 test -s "$WORK/port"; then
	target_leaky "$WORK/stripped"
	urls=http://127.0.0.1:$(cat "$WORK/port")
	settings=("DEBUGINFOD_CACHE_PATH=$WORK/cache1")
	check "progress: it begins" begin 80 24 -p "$target" --debuginfod "$urls" -o 0 1 1
	check "progress: it is told" shows "^debuginfod: [0-9]+ of [0-9]+ KiB of the debug file of .*stripped"
	check "progress: it ends well" over 0
	check "progress: the line is gone" eval '! screen | grep -q "of .* KiB of"'
	check "progress: names came" eval 'mux capture-pane -p -S - | grep -q "leaky.c:"'
	settings=("DEBUGINFOD_CACHE_PATH=$WORK/cache2")
	check "progress: --tui: it begins" begin 80 24 --tui -p "$target" --debuginfod "$urls" -o 0 1
	check "progress: --tui: it is told" shows "^debuginfod: [0-9]+ of [0-9]+ KiB" "^s Sort"
	check "progress: --tui: names came" shows "leaky.c:"
	key q
	check "progress: --tui: the terminal is as before" over 0
	DEBUGINFOD_CACHE_PATH=$WORK/cache3 timeout 30 "$TOOL" -p "$target" --debuginfod "$urls" -o 0 1 1 \
		>"$WORK/pipe.out" 2>"$WORK/pipe.err" </dev/null
	check "progress: in no pipe" test ! -s "$WORK/pipe.err"
	check "progress: nor among the report" eval "grep -q leaky.c: $WORK/pipe.out && ! grep -q KiB $WORK/pipe.out"
else
	echo "# progress of downloads not tested: no libdebuginfod, or no python3"
fi
summary
