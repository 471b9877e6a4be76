#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# Proves that the tutorial, examples/bpf_memleak/README.md, can be followed: what it prints is taken out of it into an empty folder,
# built there by its own commands against what `make install` installs, and run; so are the example's files. The counts are those that
# the traced program knows.

. "$(dirname "$0")/lib.sh"
PAGE=examples/bpf_memleak/README.md
FOLDER=$WORK/folder
mkdir "$FOLDER" "$WORK/bin"

check "make install" make -s SAN= install DESTDIR="$WORK/root" PREFIX=/usr
export PKG_CONFIG_PATH=$WORK/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$WORK/root LD_LIBRARY_PATH=$WORK/root/usr/lib
# the program itself, see mk/config.mk
# shellcheck disable=SC2016 # for make
ln -s "$(printf 'include Makefile\nprint-it: ; @command -v $(BPFTOOL)\n' | make -s --no-print-directory -f - print-it)" \
	"$WORK/bin/bpftool"
PATH=$WORK/bin:$PATH

# Each block that is headed by a file's name.
awk -v folder="$FOLDER" '/^```[a-z]+ / { file = folder "/" $2; next }
	/^```/ { file = "" }
	file { print > file }' "$PAGE"
check "the page has its files" test -s "$FOLDER/hits.c" -a -s "$FOLDER/hits.bpf.c" -a -s "$FOLDER/build" -a \
	-s "$FOLDER/big.bpf.c" -a -s "$FOLDER/build-memleak"

in_folder() {
	(cd "$FOLDER" && bash -ex "$1")
}
check "it is built" in_folder build
cp examples/bpf_memleak/*.[ch] "$FOLDER"
check "memleak_user is built" in_folder build-memleak

# calls FILE: how often each of its stacks was seen, and its frames.
calls() {
	awk '/ calls from$/ { if (n) print n, frames; n = $1; frames = 0; next } /^  [^ ]*\+0x/ { frames++ } END { print n, frames }' "$1" | sort -n
}

probed() {
	[ "$("$E2E/probes.py" "$target" libc.so.6 2>/dev/null)" -gt 0 ]
}

hits() {
	target_start hits "$PROGRAMS/chain" || return 1
	"$FOLDER/hits" "$target" >"$WORK/hits.report" 2>&1 &
	tool=$!
	started+=("$tool")
	wait_for 20 probed && target_run hits && tool_stop && target_end || return 1
	cat "$WORK/hits.report"
	# malloc and leaf_malloc, eight links or short_way, main and three above it
	[ "$(calls "$WORK/hits.report")" = "$(printf '7 7\n100 14')" ] && ! grep -q 'cut short' "$WORK/hits.report"
}
check "hits counts both stacks of the program, complete" hits

big() {
	target_start big "$PROGRAMS/chain" || return 1
	"$FOLDER/memleak_user" -p "$target" --bpf "$FOLDER/big.bpf.o" >"$WORK/big.report" 2>"$WORK/big.stderr" &
	tool=$!
	started+=("$tool")
	wait_for 20 probed && target_run big && tool_stop && target_end || return 1
	tail -n 20 "$WORK/big.report"
	[ "$(tail -n 1 "$WORK/big.report")" = "107 events, 107 complete stacks, 0 events lost" ] &&
		[ "$(grep -c "^  #0 0x[0-9a-f]\{16\} $PROGRAMS/chain+" "$WORK/big.report")" = 107 ]
}
check "--bpf: a program of one's own, from the caller of the function on" big
summary
