#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves, of what breaks unwinders (docs/verification.md) and needs a kernel: stacks deeper than the tool can show, and with a page that is
# not in memory, say so, and their numbers are true; more pending return probes than the kernel keeps lose blocks, which is
# said, and harm nobody; processes of another PID namespace, another mount namespace and another root have complete stacks, from
# outside and from inside.

. "$(dirname "$0")/lib.sh"

# one_run NAME PROGRAM OPTIONS...: PROGRAM may be several words
one_run() {
	local name=$1 program=$2
	shift 2
	# shellcheck disable=SC2086 # several words
	target_start "$name" $program || return 1
	tool_start "$name" -p "$target" -o 0 -T 1000 "$@" 1000 && target_run "$name" && tool_stop && target_end
}

check "2,000 frames: the run" one_run deep "$PROGRAMS/recursion 2000" --perf-max-stack-depth 1023
check "2,000 frames: cut, and said" has_line "$WORK/deep.report" 'frames=1023, incomplete: .*--perf-max-stack-depth'
check "2,000 frames: the totals equal the truth" "$E2E/judge.py" total "$WORK/deep.out" "$WORK/deep.report"
check "1,019 frames: the run" one_run not_deep "$PROGRAMS/recursion 1013" --perf-max-stack-depth 1023
check "1,019 frames: the report equals the truth" "$E2E/judge.py" truth "$WORK/not_deep.out" "$WORK/not_deep.report"
check "1,019 frames: complete" "$E2E/judge.py" complete "$WORK/not_deep.out" "$WORK/not_deep.report"

check "a page not in memory: the run" one_run dropped "$PROGRAMS/dropped_page"
check "a page not in memory: the report equals the truth" \
	"$E2E/judge.py" truth "$WORK/dropped.out" "$WORK/dropped.report"
check "a page not in memory: said" \
	has_line "$WORK/dropped.report" 'frames=[12], incomplete: stack memory could not be read$'

# The library's calloc calls itself 80 times, with a return probe each time; the kernel keeps 64. Of 20 blocks all are lost; of the last
# nobody can say that it will not return.
many_pending() {
	local outer status
	target_start pending "$PROGRAMS/trampoline" 80 || return 1
	tool_start outer -p "$target" -O "$PROGRAMS/wrapper_lib.so" -o 0 1000 || return 1
	outer=$tool
	tool_start inner -p "$target" -o 0 1000 && target_run pending && tool_stop
	status=$?
	kill -INT "$outer" && wait "$outer" && target_end && [ "$status" = 0 ]
}
check "80 pending return probes: the run" many_pending
no_block() {
	cat "$WORK/inner.report" "$WORK/inner.stderr"
	! grep -q 'bytes in .* allocations from stack' "$WORK/inner.report" &&
		grep -q ': 19 allocator calls that did not return' "$WORK/inner.stderr"
}
check "80 pending return probes: what is lost is said" no_block

# The program in a root of its own, with copies of the libraries that nobody else maps; it is the first process of its namespace.
mkdir -p "$WORK/root/proc"
for file in $(ldd "$PROGRAMS/threads" | grep -o '/[^ ]*'); do
	install -D "$file" "$WORK/root/$file"
done
install "$PROGRAMS/threads" "$WORK/root/threads"
cat >"$WORK/in_root" <<'END'
#!/bin/sh
# shellcheck disable=SC2016 # for the inner shell
exec unshare -p -m -f sh -c 'mount --bind "$0" "$0" && cd "$0" && mkdir old && pivot_root . old && exec /threads' "$1"
END
chmod 755 "$WORK/in_root"

other_root() {
	local shell
	target_start root "$WORK/in_root" "$WORK/root" || return 1
	shell=$target
	tool_start root -p "$(tr -d ' ' <"/proc/$shell/task/$shell/children")" -o 0 1000 && target_run root &&
		tool_stop && target=$shell && target_end
}
check "another root: the run" other_root
check "another root: the report equals the truth" "$E2E/judge.py" truth "$WORK/root.out" "$WORK/root.report"
check "another root: every stack is complete" "$E2E/judge.py" complete "$WORK/root.out" "$WORK/root.report"
check "another root: its own files" has_line "$WORK/root.report" '\[/threads\]$'

# shellcheck disable=SC2016 # for the inner shell
check "tool and program in a PID namespace" unshare -p -m -f --mount-proc bash -c '
	. tests/e2e/lib.sh
	target_start inside "$PROGRAMS/threads" || exit 1
	[ "$target" -lt 1000 ] || exit 1
	tool_start inside -p "$target" -o 0 1000 && target_run inside && tool_stop && target_end || exit 1
	"$E2E/judge.py" truth "$WORK/inside.out" "$WORK/inside.report" &&
		"$E2E/judge.py" complete "$WORK/inside.out" "$WORK/inside.report"' "$E2E/hard.sh"
summary
