#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves, for --follow-forks: more children than can be traced are counted and said to be so, and those that are traced are reported whole;
# children in a PID namespace of their own are traced under their numbers in the tool's, also where the tool has a namespace of its own.

. "$(dirname "$0")/lib.sh"

# start NAME OPTIONS...: the tool attached to $target, which has forked
start() {
	local name=$1
	shift
	tool_start "$name" --follow-forks -o 0 -T 1000 "$@" 1 && target_tell && wait_for 10 has_line "$WORK/$name.out" '^forked$'
}

# work NAME: the children's
work() {
	target_tell && wait_for 10 has_line "$WORK/$1.out" '^done$' && wait_for 20 has_line "$WORK/$1.report" ' leak_in_child+'
	nap 2.2 # whole
}

# of_children REPORT N: that many processes have leaked three blocks of 1500 bytes in leak_in_child(), on complete stacks
of_children() {
	python3 - "$@" <<-'END'
		import re, sys
		text = open(sys.argv[1], encoding="utf-8").read().split("stacks with outstanding allocations:\n")[-1]
		stacks = [s for s in re.split(r"(?m)^(?=\d+ bytes in )", text) if "] leak_in_child+" in s]
		pids = {re.search(r"\[dwunw\] pid=(\d+) ", s)[1] for s in stacks}
		wrong = [s for s in stacks if not s.startswith("4500 bytes in 3 allocations") or "incomplete" in s or "] _start+" not in s]
		print(sorted(pids), *wrong)
		sys.exit(wrong != [] or len(pids) != int(sys.argv[2]) or len(stacks) != len(pids))
	END
}

# --- More than 64 ----------------------------------------------------------------------------------------------------------

check "70 children: the program starts" target_start many "$PROGRAMS/children" 70
check "70 children: they are forked under trace" start many -p "$target"
said() {
	has_line "$WORK/many.stderr" '7 children not followed: 64 processes are traced already'
}
check "70 children: what is too many is said" wait_for 30 said
check "70 children: they work" work many
check "SIGINT ends the tool" tool_stop
check "the program ends well" target_end
check "63 children are reported" of_children "$WORK/many.report" 63
followed() {
	awk '/ children followed; / { n = $2 } END { exit n != 63 }' "$WORK/many.stderr"
}
check "and said to be followed" followed

# --- PID namespaces --------------------------------------------------------------------------------------------------------

check "a PID namespace: the program starts" target_start ns "$PROGRAMS/children" 2 namespace
check "a PID namespace: its children are forked under trace" start ns -p "$target"
check "a PID namespace: they are followed" wait_for 10 has_line "$WORK/ns.stderr" ' 2 children followed; '
children=$(pgrep -P "$target" | sort | tr '\n' ' ')
check "a PID namespace: they work" work ns
check "SIGINT ends the tool" tool_stop
check "the program ends well" target_end
check "a PID namespace: they are reported" of_children "$WORK/ns.report" 2
numbers() {
	local pid
	echo "$children"
	for pid in $children; do
		has_line "$WORK/ns.report" "pid=$pid " || return 1
	done
	[ -n "$children" ]
}
check "a PID namespace: under their numbers here" numbers

# The tool and the program in a namespace of their own, the children in one below it.
cat >"$WORK/inside" <<'END'
#!/bin/bash
# inside TOOL PROGRAM: both, with what each has to be told on descriptors 3 and 4; the numbers of the children in /dev/fd/5
"$2" 2 namespace <&3 >"$WORK/in.out" &
target=$!
until grep -q ready "$WORK/in.out"; do :; done
"$1" --follow-forks -o 0 -T 1000 -p $target 1 >"$WORK/in.report" 2>"$WORK/in.stderr" &
echo $! >"$WORK/in.tool"
read -r _ <&4
pgrep -P $target >"$WORK/in.children"
kill -INT "$(<"$WORK/in.tool")"
wait
END
chmod +x "$WORK/inside"
inside() {
	export WORK
	: >"$WORK/in.out"
	mkfifo "$WORK/in.3" "$WORK/in.4"
	unshare -p --fork --mount-proc --kill-child "$WORK/inside" "$TOOL" "$PROGRAMS/children" 3<>"$WORK/in.3" 4<>"$WORK/in.4" &
	started+=($!)
	exec {target_in}>"$WORK/in.3"
	wait_for 20 has_line "$WORK/in.report" '^Attaching' && target_tell && wait_for 10 has_line "$WORK/in.out" '^forked$' &&
		wait_for 10 has_line "$WORK/in.stderr" ' 2 children followed; ' && work in && echo >"$WORK/in.4" && wait_for 10 test -s "$WORK/in.children" && target_tell &&
		wait "${started[-1]}"
}
check "a namespace in the tool's own: the run" inside
check "a namespace in the tool's own: the children are reported" of_children "$WORK/in.report" 2
numbers_inside() {
	children=$(<"$WORK/in.children")
	cp "$WORK/in.report" "$WORK/ns.report" && numbers
}
check "a namespace in the tool's own: under their numbers in that" numbers_inside

summary
