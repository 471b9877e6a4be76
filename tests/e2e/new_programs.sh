#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 90
#
# Proves, for --follow-forks: a program that is started by vfork and exec is told of before its dynamic linker has mapped an allocator, and
# is traced from when it has (here the linker waits for a file to preload, a FIFO); one that is slower than a second is told of, and traced
# all the same; of children that end at once, or before they have an allocator, nothing is said but how many they were. With -O and with
# --dwunw-mode=off as well.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

STARTER='
import os, subprocess, sys
print("ready", flush=True)
for line in sys.stdin:
    subprocess.Popen(sys.argv[2:], stdin=int(sys.argv[1]), env={"LD_PRELOAD": os.environ["SLOW"]}, close_fds=False)
    print("done", flush=True)
'

# slow_child NAME SECONDS OPTIONS...: whether the stacks of a program whose linker waited so long are reported
slow_child() {
	local name=$1 wait=$2 end
	shift 2
	rm -f "$WORK/slow" "$WORK/end"
	mkfifo "$WORK/slow" "$WORK/end"
	exec {end}<>"$WORK/end"
	SLOW=$WORK/slow target_start "$name" /usr/bin/python3 -c "$STARTER" "$end" "$PROGRAMS/forks" 0 || return 1
	tool_start "$name" -p "$target" --follow-forks -o 0 -T 1000 "$@" 1 && target_run "$name" || return 1
	nap "$wait"
	timeout 10 tee "$WORK/slow" </dev/null
	wait_for 20 has_line "$WORK/$name.report" '^27000 bytes in 9 allocations'
	echo >&"$end"
	tool_stop && target_end
	exec {end}>&-
	cat "$WORK/$name.stderr"
	has_line "$WORK/$name.report" '^27000 bytes in 9 allocations'
}

followed() {
	grep -v ': 1 children followed; ' "$WORK/$1.stderr"
	has_line "$WORK/$1.stderr" ': 1 children followed; '
}

# only NAME PATTERN: no line of stderr but these
only() {
	! grep -v -- "$2" "$WORK/$1.stderr"
}

told="children followed; \|\[dwunw\] stacks: "
check "the linker waits 0.3 s" slow_child short 0.3
check "it is counted" followed short
check "nothing else is said" only short "$told"
check "-O" slow_child object 0.3 -O libc.so.6
check "-O: nothing else is said" only object "$told"
check "off" slow_child off 0.3 -W off
check "off: nothing else is said" only off "$told"
check "2.5 s" slow_child long 2.5
check "2.5 s: it is counted" followed long
check "2.5 s: said" has_line "$WORK/long.stderr" "no allocator found in process [0-9]*: "

# children that end at once
target_start ends /bin/bash -c 'echo ready; read -r; for ((i = 0; i < 60; i++)); do /bin/true; (:); done; echo done; read -r'
check "the shell is traced" tool_start ends -p "$target" --follow-forks 1
check "it runs" target_run ends
nap 1.2
check "the tool ends" tool_stop
check "the shell ends" target_end
check "how many have ended is said" has_line "$WORK/ends.stderr" ' children ended before they could be followed$'
check "and no more" only ends "$told\|began with\| children ended before they could be followed\|children not followed"
summary
