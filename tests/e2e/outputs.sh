#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# Proves of --output and --diff, on real leaks: the files of one report, read by Python's json and by Google's protobuf, have the stacks, sums and names
# of the report on stdout; also of several processes, with sampling, sums alone (-C), frame pointers alone and of the kernel. .json files have a line a report,
# %t a file a report. With --diff all of them tell the same two numbers for each stack, as does stdout, and those that were there before. A full disk
# costs the files alone, and what they held stays; what cannot be written or read is said before anything is traced.

. "$(dirname "$0")/lib.sh"

protoc --python_out="$WORK" -Iexamples/memleak_bcc_dwunw/output profile.proto || { echo "0 passed, 1 failed"; exit 1; }
export PYTHONPATH=$WORK

# all NAME: the options for a file of every kind
all() {
	local kind
	for kind in txt json html folded pb.gz; do
		echo "--output=$WORK/$1.$kind"
	done
}

# judge NAME: the files against the last report on stdout
judge() {
	check "$1: the files are the report" "$E2E/outputs.py" same "$WORK/$1" "$WORK/$1.report"
}

# one_run NAME PROGRAM OPTIONS...: the program at work, then stopped with a last report
one_run() {
	local name=$1 program=$2
	shift 2
	# shellcheck disable=SC2046 # one word an option
	target_start "$name" "$PROGRAMS/$program" &&
		tool_start "$name" -p "$target" -o 0 -T 100000 $(all "$name") "$@" 1000 &&
		target_run "$name" && tool_stop && target_end && return 0
	cat "$WORK/$name.stderr"
	return 1
}

for program in chain cxx threads; do
	check "$program: runs" one_run "$program" "$program"
	judge "$program"
done
check "-C: runs" one_run sums chain -C
judge sums
check "off: runs" one_run off chain -W off
judge off
check "sampled: runs" one_run sampled sampled -s 50
judge sampled
check "sampled bytes: runs" one_run bytes sampled --sample-bytes 16K
judge bytes

# What is told of a report is in its file.
"$TOOL" -v -o 0 -c "$PROGRAMS/calloc" --output "$WORK/notes.json" 1000 </dev/null >"$WORK/notes.report" 2>"$WORK/notes.stderr"
check "what is said on stderr is in the file" has_line "$WORK/notes.json" '"notes":\[.*walks: [0-9]* complete'

# Several, with the same code.
several() {
	local one one_in
	target_start first "$PROGRAMS/chain" && one=$target one_in=$target_in && target_start second "$PROGRAMS/chain" || return 1
	# shellcheck disable=SC2046 # one word an option
	tool_start several -p "$one,$target" -o 0 -T 100000 $(all several) 1000 && target_run second &&
		target=$one target_in=$one_in && target_run first && tool_stop && return 0
	cat "$WORK/several.stderr"
	return 1
}
check "two processes: run" several
judge several
check "two processes: are told apart" test "$(cut -d ';' -f 1 "$WORK/several.folded" | sort -u | wc -l)" = 2

# The kernel's own. What other processes do meanwhile does not matter to the comparison.
kernel() {
	# shellcheck disable=SC2046 # one word an option
	target_start kernel "$PROGRAMS/kernel_objects" && tool_start kernel -o 0 -T 100000 -s 20 $(all kernel) 1000 &&
		target_run kernel && tool_stop && kill -KILL "$target"
}
check "kernel: runs" kernel
judge kernel

# --- several reports -----------------------------------------------------------------------------------------------------------

usr1() {
	kill -USR1 "$tool" && wait_for 20 reports "$1"
}
reports() {
	[ "$(grep -c ' Top ' "$WORK/times.report")" -ge "$1" ]
}
times() {
	target_start times "$PROGRAMS/chain" &&
		tool_start times -p "$target" -o 0 --output "$WORK/times.json" --output "$WORK/at-%t.json" --output "$WORK/times.txt" 1000 &&
		target_run times && usr1 1 && usr1 2 && usr1 3 && tool_stop && target_end
}
check "four reports" times
check "are four lines" test "$(wc -l <"$WORK/times.json")" = 4
# shellcheck disable=SC2012 # names are ours
check "and four files" test "$(ls "$WORK"/at-*.json | wc -l)" = 4
check "which are the lines" cmp <(cat "$(printf '%s\n' "$WORK"/at-*.json | sort -V | tail -n 1)") <(tail -n 1 "$WORK/times.json")
check "nothing is left behind" test -z "$(find "$WORK" -name '.memleak*')"

# --- --diff ---------------------------------------------------------------------------------------------------------------------

# before NAME: the report of a program, for later
before() {
	"$TOOL" -o 0 -T 100000 -c "$PROGRAMS/$1" --output "$WORK/$1-before.json" 1000 </dev/null >"$WORK/out" 2>&1
}
# compared NAME OLD: NAME's report against OLD's
compared() {
	# shellcheck disable=SC2046 # one word an option
	"$TOOL" -o 0 -T 100000 -c "$PROGRAMS/$1" --diff "$WORK/$2-before.json" $(all "$3") 1000 </dev/null \
		>"$WORK/$3.report" 2>"$WORK/$3.stderr"
}
check "diff: the first runs" before calloc && before strdup
check "diff: the same again" compared calloc calloc equal
check "diff: nothing has changed" "$E2E/outputs.py" unchanged "$WORK/equal" "$WORK/equal.report"
judge equal
check "diff: another program" compared strdup calloc other
check "diff: all is new, and what was is gone" "$E2E/outputs.py" changed "$WORK/other" "$WORK/other.report"
judge other
"$TOOL" -o 0 -c "$PROGRAMS/strdup" --diff "$WORK/strdup-before.json" 1000 </dev/null >"$WORK/alone.report" 2>"$WORK/alone.stderr"
check "diff: without files" has_line "$WORK/alone.report" '^\[memleak\] since .*: +0 bytes in +0 allocations in all$'
"$TOOL" -o 0 -c "$PROGRAMS/strdup" --peak --diff "$WORK/calloc-before.json" 1000 </dev/null >"$WORK/peak.report" 2>"$WORK/peak.stderr"
check "diff: a peak is not compared" test "$(sed -n '/ Peak: /,$p' "$WORK/peak.report" | grep -c since)" = 0

# --- what goes wrong ------------------------------------------------------------------------------------------------------------

check "a missing folder" refused 1 "cannot write $WORK/no/a.json: No such file" "$TOOL" -p $$ --output "$WORK/no/a.json"
check "a missing OLD" refused 1 "diff $WORK/no.json: No such file" "$TOOL" -p $$ --diff "$WORK/no.json"
echo '{"format":1}' >"$WORK/bad.json"
check "another OLD" refused 1 "bad.json: no report of memleak_dwunw_user" "$TOOL" -p $$ --diff "$WORK/bad.json"
head -c 3000000 /dev/urandom >"$WORK/noise.json"
check "noise" refused 1 "noise.json: not JSON" "$TOOL" -p $$ --diff "$WORK/noise.json"
printf '[%.0s' {1..5000} >"$WORK/deep.json"
check "depth" refused 1 "deep.json: not JSON" "$TOOL" -p $$ --diff "$WORK/deep.json"

# A file system of 64 KiB, which is full after the first reports. A small file may still find a page.
cat >"$WORK/full.sh" <<'END'
mount -t tmpfs -o size=64k none "$1/full" || exit 9
"$2" -o 0 -T 100000 -p "$3" --output "$1/full/a.json" --output "$1/full/a.txt" --output "$1/full/a.folded" 1000 >"$1/full.report" 2>"$1/full.stderr" &
tool=$!
has() { for _ in $(seq 200); do [ "$(grep -c ' Top ' "$1")" -ge "$2" ] && return 0; sleep 0.1; done; return 1; }
for _ in $(seq 200); do grep -q ^Attaching "$1/full.report" && break; sleep 0.1; done
kill -USR1 $tool; has "$1/full.report" 1; sleep 0.3
cp "$1"/full/a.* "$1/kept"
head -c 1000000 /dev/zero >"$1/full/rest" 2>/dev/null
kill -USR1 $tool; has "$1/full.report" 2; sleep 0.3
cmp "$1/full/a.folded" "$1/kept/a.folded" && cmp "$1/full/a.txt" "$1/kept/a.txt" && head -c "$(stat -c %s "$1/kept/a.json")" "$1/full/a.json" | cmp - "$1/kept/a.json" &&
	[ "$(tail -c 1 "$1/full/a.json" | od -An -tx1)" = " 0a" ] || exit 8
rm "$1/full/rest"
kill -INT $tool; wait $tool
[ $? = 1 ] || exit 7
[ "$(wc -l <"$1/full/a.json")" -ge 2 ] && tail -n 1 "$1/full/a.json" | python3 -m json.tool >/dev/null && ! ls -A "$1/full" | grep -q '^\.'
END
full() {
	mkdir "$WORK/full" "$WORK/kept"
	target_start full "$PROGRAMS/chain" && target_run full &&
		unshare -m bash "$WORK/full.sh" "$WORK" "$TOOL" "$target"
	local status=$?
	cat "$WORK/full.stderr"
	[ "$status" = 0 ] && has_line "$WORK/full.stderr" "cannot write $WORK/full/a.txt: No space left on device" &&
		[ "$(grep -c ' Top ' "$WORK/full.report")" = 3 ]
}
check "a full disk: reports go on, files are whole, the exit status tells" full
summary
