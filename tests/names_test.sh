#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: function, inlined functions and lines of a program at every byte of its code are those of addr2line, whether its debug
# information is DWARF 4 or 5, compressed, split, shared between files (dwz), or in another file that is found by build ID or by debuglink;
# without it, names are those of .gnu_debugdata, .dynsym and, for PLT stubs, objdump; a debug file that is damaged, of another build or
# another CRC is not used, and the next source is; an xz bomb costs little memory; a debuginfod server's file is used, and one that is down,
# silent or sends garbage costs a bounded time and says so.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0
names=$PWD/${BUILD:-build/$(uname -m)}/tests/names/names
work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by trap
finish() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1

check() {
	local what=$1
	shift
	if "$@" >log 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $what"
		tail -n 10 log | sed 's/^/     /'
	fi
}

cat >program.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static inline __attribute__((always_inline)) int twice(int x)
{
	return x * 2 + (int)strlen(getenv("A") ? getenv("A") : "");
}
static inline __attribute__((always_inline)) int thrice(int x)
{
	return twice(x) +
	       x;
}
static __attribute__((noinline)) int work(int x)
{
	return thrice(x) - puts("a") + abs(x);
}
__attribute__((noinline)) int shown(int x)
{
	return work(x) + work(x + 1);
}
int main(int argc, char **argv)
{
	(void)argv;
	return shown(argc);
}
END

# Every byte of work, shown and main, from a file with a symbol table.
places() {
	local start size name i
	nm -S "$1" | while read -r start size _ name; do
		[[ $name =~ ^(work|shown|main)$ ]] || continue
		for ((i = 0; i < 16#$size; i++)); do printf '0x%x\n' $((16#$start + i)); done
	done
}

# The same form from two others. Line 0 is none; addr2line has no columns.
by_addr2line() {
	addr2line -afi -e "$1" | awk '/^0x[0-9a-f]+$/ { if (n++) print ""; next }
		{ sub(/ \(discriminator [0-9]+\)$/, ""); print } END { print "" }' | sed 's/:0$/:?/'
}
by_llvm() {
	llvm-symbolizer --no-demangle --inlines -e "$1" | sed -E 's/^.*:0:[0-9]+$/??:0:0/'
}
ours() {
	"$names" "$PWD/$1" raw | sed -E 's/^.*:0:[0-9]+$/??:0:0/'
}
# same FILE [TRUTH]
same() {
	places "${2:-$1}" >places && by_llvm "${2:-$1}" <places >truth && ours "$1" <places >ours
	diff truth ours && grep -q twice ours
}
as_addr2line() {
	places "$1" >places && by_addr2line "$1" <places >truth &&
		ours "$1" <places | sed -E 's/^(.*:[0-9]+):[0-9]+$/\1/; s/:0$/:?/' >ours
	diff truth ours && grep -q twice ours
}
# FILE NAME: ours knows no line, and NAME at its start
only_name() {
	nm "${3:-plain}" | awk -v name="$2" '$3 == name { print $1 }' | "$names" "$1" raw >ours
	[ "$(sed -n 1p ours)" = "$2" ] && [ "$(sed -n 2p ours)" = "??:0:0" ]
}

gcc -O2 -g -rdynamic -Wl,--build-id -o plain program.c
check "as addr2line says" as_addr2line plain
if ! command -v llvm-symbolizer >/dev/null; then
	echo "skipped: llvm-symbolizer is not there (scripts/install-deps test)"
	echo "$passed passed, $failed failed, 1 skipped"
	exit
fi
for how in -gdwarf-4 -gz "-gsplit-dwarf -gdwarf-5" "-gsplit-dwarf -gdwarf-4" "-flto" "-O0" "-ffunction-sections -Wl,--gc-sections"; do
	# shellcheck disable=SC2086 # words
	gcc -O2 -g $how -o variant program.c
	check "gcc $how" same variant
	rm -f ./*.dwo
done
# without .debug_aranges
clang -O2 -g -o whole program.c
check "clang" same whole
# llvm-symbolizer 14 does not see all ranges of a split file: the truth is the same code, not split
clang -O2 -g -gsplit-dwarf -o variant program.c
check "clang -gsplit-dwarf" same variant whole
mv program.dwo away.dwo
lines_only() {
	places whole | "$names" "$PWD/variant" >ours && grep -q 'program.c:15:' ours && ! grep -q twice ours
}
check "without its other file: lines, nothing inlined" lines_only
rm -f ./*.dwo

# Separate files.
objcopy --only-keep-debug plain plain.debug
strip -o bare plain
id=$(readelf -n plain | sed -n 's/.*Build ID: //p')
check "stripped: .dynsym only" only_name bare main
no_name() {
	[ "$(nm plain | awk '$3 == "work" { print $1 }' | "$names" "$1" | sed -n 1p)" = "??" ]
}
check "stripped: no name of a static function" no_name bare
mkdir -p "root/.build-id/${id:0:2}"
cp plain.debug "root/.build-id/${id:0:2}/${id:2}.debug"
export DEBUG_ROOT=$work/root
check "by build ID" same bare plain
printf 'garbage!' | dd of="root/.build-id/${id:0:2}/${id:2}.debug" bs=1 seek=0 conv=notrunc 2>/dev/null
objcopy --add-gnu-debuglink=plain.debug bare
check "that damaged: by debuglink" same bare plain
echo >>plain.debug
check "that with another CRC: nothing" only_name bare shown
gcc -O2 -g -Wl,--build-id -DOTHER -o other program.c -Wl,--defsym=extra=1
objcopy --only-keep-debug other "root/.build-id/${id:0:2}/${id:2}.debug"
check "of another build: nothing" only_name bare shown
rm -r root
summary_of_sources=1
echo "$passed passed, $failed failed${skipped:+, $skipped skipped}"
