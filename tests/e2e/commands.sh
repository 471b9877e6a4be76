#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: a command of -c that calls exec, by env or by a shell, once or several times, also by another thread than its first, and inside a PID
# namespace, is traced from the first allocation of the last image, with the allocators that this one has: the report is what the program says it
# leaks, every stack complete, and none finished in user space. With -t, the calls of the images before it are printed as well.

. "$(dirname "$0")/lib.sh"

# one_run NAME PROGRAM COMMAND [TOOL...]: PROGRAM's output goes to $WORK/NAME.out
one_run() {
	local name=$1 program=$2 command=$3
	shift 3
	"${@:-$TOOL}" -W force -o 0 -T 100000 -v -c "$command" 100000 </dev/null >"$WORK/$name.report" \
		2>"$WORK/$name.stderr"
	check "$name: the report equals the truth" "$E2E/judge.py" truth "$WORK/$name.out" "$WORK/$name.report"
	check "$name: every stack is complete" "$E2E/judge.py" complete "$WORK/$name.out" "$WORK/$name.report"
	check "$name: none was finished in user space" \
		has_line "$WORK/$name.stderr" 'walks: [0-9]* complete, 0 by frame pointer, 0 finished in user space, 0 incomplete'
	check "$name: the program is $program" has_line "$WORK/$name.report" "comm=$program "
}

not_cut_short() {
	! grep incomplete "$1"
}

for program in calloc realloc strdup posix_memalign; do
	one_run "env-$program" $program "env A=b sh -c 'exec $PROGRAMS/$program >$WORK/env-$program.out'"
done
one_run thread exec_thread "sh -c 'exec $PROGRAMS/exec_thread >$WORK/thread.out'"
one_run many calloc "env A=b env B=c env C=d sh -c 'exec env D=e $PROGRAMS/calloc >$WORK/many.out'"
one_run namespace realloc "env A=b sh -c 'exec $PROGRAMS/realloc >$WORK/namespace.out'" \
	unshare --pid --fork --mount-proc "$TOOL"

# With -t the tool is behind when the first image, which allocates without a pause, is exchanged.
cat >"$WORK/busy.py" <<-END
	import os, sys
	for i in range(20000):
	    bytes(4288)
	os.execv(sys.argv[1], sys.argv[1:])
END
"$TOOL" -t -o 0 -T 100000 -c "python3 $WORK/busy.py $PROGRAMS/calloc" 100000 </dev/null >"$WORK/busy.report" 2>"$WORK/busy.stderr"
all_walked() {
	! grep -E 'incomplete: (ring buffer full|pc in no known)' "$1"
}
check "busy: every stack is walked" all_walked "$WORK/busy.report"
of_both() {
	awk '/alloc exited, size = 4321,/ { n++ } / calls not printed: / { lost = 1 } END { print n; exit n < 20000 && !lost }' \
		"$WORK/busy.report" "$WORK/busy.stderr"
}
check "busy: the calls of the first image are printed or counted" of_both
check "busy: the blocks of the second are found" has_line "$WORK/busy.report" '\] leak_calloc+'

# The tool is stopped from before libraries are loaded until after the image that used them has gone, by exec or by exit.
for end in 'os.execv(sys.argv[1], sys.argv[1:])' 'os._exit(0)'; do
	name=behind-${end:3:4}
	cat >"$WORK/behind.py" <<-END
		import os, signal, subprocess, sys
		tool = os.getppid()
		subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {tool}"])
		os.kill(tool, signal.SIGSTOP)
		import bz2, decimal, lzma, zlib
		for i in range(100):
		    zlib.compress(b"x" * 5000)
		$end
	END
	"$TOOL" -t -o 0 -T 100000 -c "python3 $WORK/behind.py $PROGRAMS/calloc" 100000 </dev/null \
		>"$WORK/$name.report" 2>"$WORK/$name.stderr"
	check "$name: every stack is walked" all_walked "$WORK/$name.report"
	check "$name: through the libraries that are gone" has_line "$WORK/$name.report" 'deflateInit2_'
done

# Of a process that is never stopped: what is not seen is said, and what comes then is true.
by_thread() {
	target_start by_thread "$PROGRAMS/exec_thread" && tool_start by_thread -p "$target" -o 0 -T 1000 1000 && target_tell || return 1
	wait_for 20 has_line "$WORK/by_thread.stderr" 'a thread of process [0-9]* called exec; .* was not seen' || return 1
	target_run by_thread && tool_stop && target_end
}
check "exec by a thread of -p: runs, and is said" by_thread
check "exec by a thread of -p: the report equals the truth" "$E2E/judge.py" truth "$WORK/by_thread.out" "$WORK/by_thread.report"
check "exec by a thread of -p: every stack is complete" "$E2E/judge.py" complete "$WORK/by_thread.out" "$WORK/by_thread.report"

# An allocator that the first image does not have
jemalloc=$(ldconfig -p | sed -n 's/.*libjemalloc\.so\.2 .*=> //p' | head -n 1)
"$TOOL" -o 0 -T 100000 -c "env LD_PRELOAD=$jemalloc $PROGRAMS/calloc" 100000 </dev/null \
	>"$WORK/jemalloc.report" 2>"$WORK/jemalloc.stderr"
check "jemalloc: is probed" has_line "$WORK/jemalloc.stderr" "probing.* jemalloc in"
check "jemalloc: its blocks are found" has_line "$WORK/jemalloc.report" "\] leak_calloc+"
check "jemalloc: nothing is cut short" not_cut_short "$WORK/jemalloc.report"
summary
