#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# Proves what integrating libdwunw takes in memleak: every line there that names something of the library's is marked
# `dwunw-added`, such lines are few, and none of them is needed for --dwunw-mode=off: a copy of the tool without them is built,
# and in that mode it reports what the complete one reports.
#
# Marks: a line with the comment `dwunw-added`, or all from a line with `dwunw-added begin` to one with `dwunw-added end`.

. "$(dirname "$0")/lib.sh"
SRC=examples/memleak_bcc_dwunw
shopt -s nullglob
sources=("$SRC"/*.[ch] "$SRC"/*/*.[ch])
MOST=520 # marked lines, comments included: less than a twentieth

# Prints a file without its marked lines.
unmarked() {
	sed '/dwunw-added begin/,/dwunw-added end/d; /dwunw-added/d' "$1"
}

all_marked() {
	local file left status=0
	for file in "${sources[@]}"; do
		# the accounting's facts about return probes and registers, needed in every mode
		case $file in "$SRC"/return_probe.bpf.h | "$SRC"/moved_arguments.bpf.h | "$SRC"/gate.bpf.h) continue ;; esac
		left=$(unmarked "$file" | sed 's@/\*.*@@; s@^ \*.*@@' | grep -nE '\b(dwunw|DWUNW)_|<dwunw/|bpf/dwunw')
		[ -z "$left" ] && continue
		echo "not marked in $file: $left"
		status=1
	done
	return "$status"
}

marks_in_pairs() {
	awk '/dwunw-added begin/ { if (open) bad = bad FILENAME ":" FNR " "; open = 1 }
		/dwunw-added end/ { if (!open) bad = bad FILENAME ":" FNR " "; open = 0 }
		ENDFILE { if (open) bad = bad FILENAME ":end "; open = 0 }
		END { print bad; exit bad != "" }' "${sources[@]}"
}

total=$(cat "${sources[@]}" | wc -l)
left=$(for file in "${sources[@]}"; do unmarked "$file"; done | wc -l)
marked=$((total - left))
bpf=$(($(wc -l <"$SRC/memleak_dwunw.bpf.c") - $(unmarked "$SRC/memleak_dwunw.bpf.c" | wc -l)))
echo "$marked of $total lines of memleak are there for libdwunw, $bpf of them in its BPF program"
check "marks come in pairs" marks_in_pairs
check "every line that names the library is marked" all_marked
check "no more than $MOST lines are marked, and some are" test "$marked" -gt 20 -a "$marked" -le $MOST
check "no more than 10 lines of the BPF program are marked" test "$bpf" -le 10

# variable NAME: its value in the Makefile.
variable() {
	printf 'include Makefile\nprint-it: ; @echo %s\n' "\$($1)" | make -s --no-print-directory -f - print-it
}

build_copy() {
	local copy=$WORK/copy file cc bpf_cc
	# shellcheck disable=SC2207 # words
	cc=($(variable CC) $(variable ALL_CFLAGS)) bpf_cc=($(variable CLANG) $(variable BPF_CFLAGS))
	for file in "${sources[@]}"; do
		mkdir -p "$(dirname "$copy/${file#"$SRC/"}")"
		unmarked "$file" >"$copy/${file#"$SRC/"}"
	done
	for file in "$copy"/*.bpf.c; do
		"${bpf_cc[@]}" -c -o "${file%.c}.o" "$file" &&
			"$(variable BPFTOOL)" gen skeleton "${file%.c}.o" >"${file%.bpf.c}.skel.h" || return 1
		rm "$file"
	done
	for file in "$copy"/*.c "$copy"/*/*.c; do
		# what is generated and has nothing of the library's is behind the copy
		"${cc[@]}" -I"$copy" -idirafter "$BUILD/$SRC" -c -o "${file%.c}.o" "$file" || return 1
	done
	# shellcheck disable=SC2046 # words
	"${cc[0]}" $(variable ALL_LDFLAGS) -o "$copy/memleak_dwunw_user" "$copy"/[!.]*[!f].o "$copy"/*/*.o $(variable PROTOCOL_OBJ) \
		"$BUILD/libdwunw.a" $(variable MEMLEAK_LDLIBS) $(variable LDLIBS_ALL)
}

# The report of a run, without what differs from one run to the next.
report_of() {
	local TOOL=$1 name=$2 object=libc.so.6
	[ "$name" = longjmp ] && object=$PROGRAMS/allocator_lib.so
	target_start "$name" "$PROGRAMS/$name" || return 1
	tool_start "$name" --dwunw-mode=off -p "$target" -O "$object" -a -o 0 -T 1000 1000 || return 1
	target_run "$name" && tool_stop && target_end || return 1
	sed -E 's/^\[[0-9:]+\]/[TIME]/; s/\[<[0-9a-f]+>\]/[<PC>]/; s/addr = 0x[0-9a-f]+/addr = ADDR/; s/pid [0-9]+/pid PID/' \
		"$WORK/$name.report" "$WORK/$name.stderr" | sort
}

same_report() {
	report_of "$TOOL" "$1" >"$WORK/whole" && report_of "$WORK/copy/memleak_dwunw_user" "$1" >"$WORK/without" || return 1
	diff "$WORK/whole" "$WORK/without" && grep -q 'bytes in [0-9]* allocations from stack' "$WORK/whole"
}

check "a copy without the marked lines is built, without a warning" build_copy
check "it has no walk in its BPF program" test "$(readelf -sW "$WORK/copy/memleak_dwunw.bpf.o" | grep -c dwunw_get_stackid)" = 0
nothing_of_dwunw() {
	! readelf -sW "$WORK/copy/memleak_dwunw.bpf.o" | grep -E 'OBJECT.* (dwunw_|DWUNW_)'
}
check "nor a map of the library's" nothing_of_dwunw
for name in chain calloc realloc longjmp; do
	check "off mode, $name: the same report" same_report "$name"
done
summary
