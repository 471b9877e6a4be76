#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# Proves that stacks of C called from Go are complete through the change of stacks, to the goroutine's beginning: of a program that is like
# one of Go's linker (call frame information without frame pointers and changes of stacks); and, where there is a Go compiler, of one of its own.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# one_run NAME COMMAND OPTIONS...
one_run() {
	local name=$1 command=$2
	shift 2
	target_start "$name" "$command" || return 1
	tool_start "$name" -p "$target" -o 0 -T 1000 "$@" 1000 || { cat "$WORK/$name.stderr"; return 1; }
	target_run "$name" && tool_stop && target_end
}

# is_through NAME FUNCTION NAMES...: every stack with the function is complete, without steps by frame pointer, and is these; there is one
is_through() {
	python3 - "$WORK/$1.report" "${@:2}" <<-'END'
		import sys
		sys.path.insert(0, "tests/e2e")
		import report
		stacks = [stack for stack in report.last(sys.argv[1]) if sys.argv[2] in stack.names]
		wrong = [stack for stack in stacks if stack.incomplete or stack.by_frame_pointer or stack.names != sys.argv[2:]]
		print(len(stacks), *wrong, sep="\n")
		sys.exit(len(wrong) > 0 or not stacks)
	END
}

goroutine=(runtime.asmcgocall.abi0 main.worker runtime.goexit.abi0)
thread_stack=(runtime.asmcgocall.abi0 main.on_thread_stack runtime.systemstack.abi0 main.worker runtime.goexit.abi0)
for how in fallback force; do
	check "like Go, $how: the run" one_run like "$PROGRAMS/go_like" -W $how
	check "like Go, $how: the totals are true" "$E2E/judge.py" total "$WORK/like.out" "$WORK/like.report"
	check "like Go, $how: a goroutine's" is_through like leak_for_goroutine "${goroutine[@]}"
	check "like Go, $how: on the thread's stack" is_through like leak_on_thread_stack "${thread_stack[@]}"
done

cat >"$WORK/main.go" <<-'END'
	package main

	/*
	#include <stdlib.h>
	extern void fromC(void);
	static void *volatile kept;
	static inline void leak_in_c(void) { kept = malloc(1000); }
	static inline void call_back(void) { fromC(); }
	*/
	import "C"
	import "fmt"

	//export fromC
	func fromC() { C.leak_in_c() }

	//go:noinline
	func handle() {
		C.leak_in_c()
		C.call_back()
	}

	func main() {
		fmt.Println("ready")
		fmt.Scanln()
		end := make(chan bool)
		for i := 0; i < 4; i++ {
			go func() {
				for j := 0; j < 100; j++ {
					handle()
				}
				end <- true
			}()
		}
		for i := 0; i < 4; i++ {
			<-end
		}
		fmt.Println("done")
		fmt.Scanln()
	}
END
# of_go: all blocks of handle() are there, those of a callback from C too, and their stacks are complete
of_go() {
	python3 - "$WORK/go.report" <<-'END'
		import sys
		sys.path.insert(0, "tests/e2e")
		import report
		stacks = [stack for stack in report.last(sys.argv[1]) if "main.handle" in stack.names]
		print(*stacks, sep="\n")
		sys.exit(sum(stack.blocks for stack in stacks) != 800 or
		         any(stack.incomplete or not stack.names[-1].startswith("runtime.goexit") for stack in stacks))
	END
}
if GO111MODULE=off HOME=$WORK GOCACHE=$WORK/cache CGO_ENABLED=1 go build -o "$WORK/go" "$WORK/main.go" 2>/dev/null; then
	check "Go: the run" one_run go "$WORK/go" -W force
	check "Go: all blocks, by complete stacks" of_go
fi
summary
