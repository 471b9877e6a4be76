#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: function, inlined functions and lines of a program at every byte of its code are those of addr2line, whether its debug
# information is DWARF 4 or 5, compressed, split, shared between files (dwz), or in another file that is found by build ID or by debuglink;
# without it, names are those of .gnu_debugdata, .dynsym and, for PLT stubs, objdump; a debug file that is damaged, of another build or
# another CRC is not used, and the next source is; what is not used or left out is said; an xz bomb costs little memory; a debuginfod server's file is used, and one that is down,
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
named() {
	"$names" "$PWD/$1" raw | sed -E 's/^.*:0:[0-9]+$/??:0:0/'
}
# same FILE [TRUTH]
same() {
	places "${2:-$1}" >where && by_llvm "${2:-$1}" <where >expected && named "$1" <where >got
	diff expected got && grep -q twice got
}
as_addr2line() {
	places "$1" >where && by_addr2line "$1" <where >expected &&
		named "$1" <where | sed -E 's/^(.*:[0-9]+):[0-9]+$/\1/; s/:0$/:?/' >got
	diff expected got && grep -q twice got
}
# FILE NAME: names knows no line, and NAME at its start
only_name() {
	nm "${3:-plain}" | awk -v name="$2" '$3 == name { print $1 }' | "$names" "$1" raw >got
	[ "$(sed -n 1p got)" = "$2" ] && [ "$(sed -n 2p got)" = "??:0:0" ]
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
	places whole | "$names" "$PWD/variant" >got 2>err && grep -q 'program.c:15:' got && ! grep -q twice got
	cat err
	grep -q "$1" err
}
check "without its other file: lines, nothing inlined" lines_only "1 units whose .dwo file is missing"
mv away.dwo program.dwo
chmod o+w program.dwo
check "with one that others may write: the same" lines_only "1 units whose .dwo file is missing, or may be written by others"
# libdw 0.191 and newer can read packages of split files
packed() {
	llvm-dwp -e variant -o variant.dwp && rm program.dwo && { same variant whole || lines_only "1 units in a .dwp file"; }
}
check "a .dwp file: all, or said" packed
rm -f ./*.dwo

# What the linker has no name of, in C++: with the scopes that it is in
cat >scope.cc <<'END'
#include <stdio.h>
#include <stdlib.h>
#define INLINE __attribute__((always_inline)) inline
namespace app { namespace {
INLINE int hidden(int x) { return abs(x) + puts("a"); }
template <class T> struct box { INLINE int get(T f) { return f(3) + puts("b"); } };
} }
static INLINE int plain(int x) { return app::hidden(x) * x; }
int main(int argc, char **)
{
	auto f = [=](int x) { return plain(x) + argc + puts("c"); };
	app::box<decltype(f)> b;
	return b.get(f);
}
END
scopes() {
	local name
	g++ -O2 -g "$@" -o scope scope.cc
	places scope | "$names" "$PWD/scope" | sort -u >got
	for name in 'plain' 'app::(anonymous namespace)::hidden' 'main::{lambda}::operator()' \
		'app::(anonymous namespace)::box<main(int, char\*\*)::<lambda(int)> >::get'; do
		grep -qx "$name" got || { echo "no $name"; cat got; return 1; }
	done
}
check "names without linkage" scopes
check "names without linkage, DWARF 4" scopes -gdwarf-4
check "names without linkage, split" scopes -gsplit-dwarf

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

# What is not used is said, once for each file.
refused() { # WORDS FILE [TRUTH]
	only_name "$2" work "${3:-plain}" 2>err || return 1
	cat err
	[ "$(grep -c "$1" err)" = 1 ]
}
mkdir -p "root/.build-id/${id:0:2}"
objcopy --only-keep-debug plain "root/.build-id/${id:0:2}/${id:2}.debug"
chmod o+w root/.build-id/*/*.debug
strip -o bare plain
refused_debug() {
	only_name bare main 2>err || return 1
	cat err
	[ "$(grep -c 'bare: no use of its debug file by build ID, which another user may write' err)" = 1 ]
}
check "a debug file that others may write" refused_debug
rm -r root
gcc -O2 -g -gz -o large program.c
python3 -c '
import struct
with open("large", "r+b") as f:
    data = f.read()
    table, size, n, names = struct.unpack_from("<Q", data, 40) + struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(n)]
    for s in sections:
        if data[sections[names][4] + s[0]:].startswith(b".debug_info\0"):
            assert s[2] & 0x800
            f.seek(s[4] + 8)
            f.write(struct.pack("<Q", 3 << 30))
'
check "compressed debug information that says that it is 3 GiB" refused "large: no use of its debug information: more than 1 GiB" large large

# Functions inlined in 300 levels
{
	echo 'static inline __attribute__((always_inline)) int f0(int x) { return x * 3; }'
	for ((i = 1; i <= 300; i++)); do
		echo "static inline __attribute__((always_inline)) int f$i(int x) { return f$((i - 1))(x + $i) ^ $i; }"
	done
	echo 'int work(int x) { return f300(x); } int main(int n, char **v) { (void)v; return work(n); }'
} >deep.c
gcc -O2 -g -o deep deep.c
levels() {
	places deep | "$names" "$PWD/deep" >got 2>err
	cat err
	grep -q 'inlined calls past 256 levels: .*first in .*/deep)' err && grep -q '^f200$' got
}
check "functions inlined in 300 levels" levels

# dwz: what two files have in common is in a third.
if command -v dwz >/dev/null; then
	for n in 1 2; do
		sed "s/int shown/int other_$n(struct lconv *l) { return l->frac_digits; } int shown/; 1i #include <locale.h>" program.c >"dwz$n.c"
		gcc -O2 -g -rdynamic -Wl,--build-id -o "dwz$n" "dwz$n.c"
		cp "dwz$n" "plain$n"
	done
	dwz -m common.debug dwz1 dwz2
	check "dwz" test "$(readelf -SW dwz1 | grep -c gnu_debugaltlink)" = 1
	check "dwz: the same names" same dwz1 plain1
	mv common.debug elsewhere
	check "dwz, without the common file: names of the symbol table" only_name dwz1 work plain1
else
	skipped=$((skipped + 1))
fi

# MiniDebugInfo, made as GDB's manual says.
nm plain --format=posix --defined-only | awk '$2 ~ /[tT]/ { print $1 }' >keep
objcopy -S --keep-symbols=keep plain mini && xz -k mini
strip -o with_mini plain && cp with_mini with_bomb
objcopy --add-section .gnu_debugdata=mini.xz with_mini
check "MiniDebugInfo" only_name with_mini work
head -c 1073741824 /dev/zero | xz -1 >bomb.xz
objcopy --add-section .gnu_debugdata=bomb.xz with_bomb
bounded() (
	[ -n "${SAN:-}" ] || ulimit -v 300000
	only_name with_bomb main 2>err && grep 'with_bomb: no use of its .gnu_debugdata: more than 64 MiB' err
)
check "an xz bomb of 1 GiB" bounded

# A function of hand-written code with many sized labels inside
{
	printf '.text\n.globl large, main\n.type large, @function\nlarge:\n'
	for ((i = 0; i < 300; i++)); do printf '.type l%d, @function\nl%d: nop\n.size l%d, 1\n' $i $i $i; done
	printf '.skip 100, 0x90\nret\n.size large, .-large\n.type main, @function\nmain: ret\n.section .note.GNU-stack\n'
} >labels.s
gcc -o labels labels.s
labels() {
	nm labels | awk '$3 == "large" { print $1 }' | python3 -c '
start = int(input(), 16)
print(*map(hex, [start + 3, start + 299, start + 300, start + 390, start + 400]), sep="\n")' |
		"$names" "$PWD/labels" | awk 'NR % 3 == 1' >got
	printf '%s\n' l3 l299 large large large | diff - got
}
check "a function with 300 others inside" labels

# PLT stubs
stubs() {
	local file
	for file in plain /lib/x86_64-linux-gnu/libc.so.6 "$(command -v gdb)" "$(command -v clang)"; do
		[ -r "$file" ] || continue
		objdump -d -j .plt -j .plt.sec "$file" 2>/dev/null | sed -nE 's/^0*([0-9a-f]+) <([^*+-]*)@plt>:$/0x\1 \2@plt/p' >stubs
		[ -s stubs ] || continue
		cut -d' ' -f1 stubs | "$names" "$file" raw | awk 'NR % 3 == 1' >got
		cut -d' ' -f2 stubs | sed 's/@@*[A-Z][A-Za-z_.0-9]*@plt$/@plt/' | diff - got || return 1
		wc -l stubs
	done
}
check "PLT stubs, as objdump names them" stubs

# Damage: no crash, and an answer from what is left.
damaged() {
	local size place i
	size=$(stat -c %s plain.debug)
	for ((i = 0; i < 200; i++)); do
		cp plain broken
		for _ in 1 2 3; do
			place=$(((RANDOM << 15 | RANDOM) % size))
			printf '%b' "\\x$(printf %02x $((RANDOM % 256)))" | dd of=broken bs=1 seek=$place conv=notrunc 2>/dev/null
		done
		timeout 10 "$names" "$PWD/broken" raw <where >got 2>err
		(($? < 2)) || { cp broken /tmp/broken; return 1; }
	done
}
check "damaged bytes" damaged

# libdw, where it crashes or hangs in what it reads: names are those of the symbol table, and it costs 10 s at most.
for how in "abort()" "for (;;) pause()" "for (;;) malloc(1 << 20)"; do
	printf '#include <stdlib.h>\n#include <unistd.h>\nint dwarf_getsrclines(void);\nint dwarf_getsrclines(void) { %s; return 0; }\n' "$how" >bad.c
	gcc -w -shared -fPIC -o bad.so bad.c
	begun=$SECONDS
	LD_PRELOAD=${SAN:+$(gcc -print-file-name=libasan.so):}$PWD/bad.so check "libdw does $how" refused "no use of its debug information: reading it" "$PWD/plain"
	check "... and does not take long" test $((SECONDS - begun)) -le 15
done

# debuginfod
serve() { # NAME PYTHON: a server that does that with each connection `c`; its port in $port
	python3 -c "
import socket, threading, time
def drip(c):
    while True:
        time.sleep(0.5)
        c.sendall(b'x' * 100)
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
kept = []
while True:
    c = s.accept()[0]
    kept.append(c)
    $1
" >port 2>/dev/null &
	pids+=($!)
	disown
	until [ -s port ]; do sleep 0.05; done
	port=$(cat port)
	rm port
}
# asks MAX_SECONDS WORDS: names are those of .dynsym, in time, and stderr has the words
asks() {
	local begun=$SECONDS
	only_name bare main 2>err || return 1
	cat err
	((SECONDS - begun <= $1)) && grep -q "$2" err
}
export DEBUGINFOD_CACHE_PATH=$work/cache
objcopy --remove-section .gnu_debuglink bare
if command -v debuginfod >/dev/null && ldconfig -p | grep -q libdebuginfod; then
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >port
	port=$(cat port)
	rm port
	export SERVERS=http://127.0.0.1:$port
	check "a server that is down" asks 10 "debuginfod: no debug file of .*bare: "
	rm -rf cache
	mkdir served
	cp plain.debug served/
	strip --only-keep-debug -o served/plain.debug plain
	debuginfod -F -p "$port" -d :memory: served >server 2>&1 &
	pids+=($!)
	for _ in {1..100}; do grep -q 'Scanned\|serving\|groom' server 2>/dev/null && break; sleep 0.1; done
	served() {
		local i
		for ((i = 0; i < 50; i++)); do
			rm -rf cache
			same bare plain && return
			sleep 0.2
		done
		return 1
	}
	check "a server that has it" served
	serve 'c.recv(4096); c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage")'
	export SERVERS=http://127.0.0.1:$port
	rm -rf cache
	check "a server that sends garbage" asks 10 "sent another file"
	serve 'pass'
	export SERVERS=http://127.0.0.1:$port
	rm -rf cache
	check "a server that is silent" asks 20 "too slow"
	serve 'c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"); threading.Thread(target=drip, args=(c,), daemon=True).start()'
	export SERVERS=http://127.0.0.1:$port
	rm -rf cache
	check "a server that sends 200 bytes a second" asks 70 "debuginfod: no debug file of .*bare: "
	unset SERVERS
	strace_none() { ! DEBUGINFOD_URLS=http://127.0.0.1:$port "$names" bare <where 2>&1 | grep debuginfod; }
	check "none is asked unless told so" strace_none
else
	skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
