#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 280
#
# Proves that allocators are found by themselves, and that with each of them the report equals what the program says it leaks, with
# complete stacks and the program unharmed: jemalloc, tcmalloc and mimalloc, preloaded, linked, linked statically, with prefixes of their own,
# opened late, two at once. C++ runs with bad_alloc thrown and caught (operator new of jemalloc and tcmalloc does not call
# malloc), and with every operator new, by threads, on fast and slow ways. One line says which were found; where there is none, one line says what was looked for. musl and static glibc: files.sh.

. "$(dirname "$0")/lib.sh"

libraries=$(dirname "$(ldd "$PROGRAMS/chain" | grep -o '/[^ ]*libc\.so\.6')")
[ -e "$libraries/libjemalloc.so.2" ] || libraries=$(dirname "$(ldconfig -p | sed -n 's/.*libjemalloc\.so\.2.*=> //p' | head -n 1)")
flags="-D_GNU_SOURCE -O2 -fomit-frame-pointer -pthread -Itests/programs"

# judged NAME: the last report against the truth, which is in the program's output, and every stack to its root.
judged() {
	cat "$WORK/$1.stderr"
	"$E2E/judge.py" truth "$WORK/$1.out" "$WORK/$1.report" &&
		"$E2E/judge.py" complete "$WORK/$1.out" "$WORK/$1.report"
}

# run NAME PROGRAM OPTIONS...: attached before the program does its work; PRELOAD: a library. The program must end well.
run() {
	local name=$1 program=$2
	shift 2
	target_start "$name" env ${PRELOAD:+LD_PRELOAD="$PRELOAD"} "$program" || return 1
	tool_start "$name" -p "$target" -o 0 -T 100000 "$@" 1000 || {
		cat "$WORK/$name.stderr"
		return 1
	}
	target_run "$name" && tool_stop && target_end && judged "$name"
}

# said NAME MAKER FILE: that it was probed, on one line, and, perhaps, what is single-stepped; nothing else.
said() {
	cat "$WORK/$1.stderr"
	[ "$(grep -vc 'single-stepped: about [0-9]* ns more a call$' "$WORK/$1.stderr")" = 1 ] && grep -q "probing .*\b$2 in [^ ]*$3" "$WORK/$1.stderr"
}

# --- Preloaded -------------------------------------------------------------------------------------------------------------------

# Programs that mean no single allocator. mimalloc ends a program for want of memory, where cxx wants an exception, and its realloc of size 0
# gives a block.
for one in jemalloc:libjemalloc.so.2 tcmalloc:libtcmalloc_minimal.so.4 mimalloc:libmimalloc.so.2; do
	maker=${one%:*}
	PRELOAD=$libraries/${one#*:}
	if [ ! -e "$PRELOAD" ]; then
		echo "# $maker not tested: there is no $PRELOAD (scripts/install-deps test)"
		continue
	fi
	for name in chain calloc realloc strdup threads mmap_family cxx operators; do
		[ "$maker:$name" = mimalloc:cxx ] || [ "$maker:$name" = mimalloc:realloc ] && continue
		check "$maker preloaded, $name" run "$maker-$name" "$PROGRAMS/$name"
	done
	check "$maker preloaded: is told of" said "$maker-chain" "$maker" "$(basename "$PRELOAD")"
	check "$maker by -O and its soname" run "$maker-O" "$PROGRAMS/chain" -O "${one#*:}"
done
PRELOAD=

off() {
	target_start off env LD_PRELOAD="$libraries/libjemalloc.so.2" "$PROGRAMS/cxx" &&
		tool_start off -p "$target" -W off -o 0 -T 100000 1000 && target_run off && tool_stop && target_end &&
		"$E2E/judge.py" total "$WORK/off.out" "$WORK/off.report" "$WORK/jemalloc-cxx.report"
}
check "jemalloc preloaded, cxx, off mode: the totals" off

# --- Linked ---------------------------------------------------------------------------------------------------------------------

# linked NAME MAKER LIBRARIES...
linked() {
	local name=$1 maker=$2
	shift 2
	# shellcheck disable=SC2086 # several words
	if ! gcc $flags -o "$WORK/$name" tests/programs/threads.c "$@" 2>/dev/null; then
		echo "# $name not tested: no library to link with"
		return
	fi
	check "$name: the run" run "$name" "$WORK/$name"
	check "$name: is told of" said "$name" "$maker" ''
}
linked je-shared jemalloc -Wl,--no-as-needed -ljemalloc
linked je-static jemalloc -Wl,-Bstatic -ljemalloc -Wl,-Bdynamic -lstdc++ -lm -ldl
linked tc-static tcmalloc -Wl,-Bstatic,--whole-archive -ltcmalloc_minimal -Wl,--no-whole-archive,-Bdynamic -lstdc++ -lm

# All its operator new gets comes from malloc: that is where it is probed. The unwinder keeps a sorted table for itself.
static_cxx() {
	# shellcheck disable=SC2086 # several words
	g++ -std=gnu++17 $flags -static -o "$WORK/static-cxx" tests/programs/cxx.cc || return 1
	target_start static-cxx "$WORK/static-cxx" && tool_start static-cxx -p "$target" -o 0 -T 100000 1000 || return 1
	target_run static-cxx && tool_stop && target_end || return 1
	sed -i 's/^done$/other _Unwind_Find_FDE\n&/' "$WORK/static-cxx.out"
	judged static-cxx && [ ! -s "$WORK/static-cxx.stderr" ] &&
		has_line "$WORK/static-cxx.report" '^	0 .* operator new(unsigned long)+0x'
}
check "glibc and libstdc++ linked statically" static_cxx

# --- Prefixes -------------------------------------------------------------------------------------------------------------------

# A program with allocator_lib.c in it, its functions' names beginning with the prefix $1.
prefixed() {
	local prefix=$1 define="" function
	for function in malloc calloc realloc free; do
		define+=" -D$function=$prefix$function"
	done
	cat >"$WORK/prefixed.c" <<-'END'
		#include "truth.h"
		#define JOIN(a, b) a##b
		#define NAME(a, b) JOIN(a, b)
		void *NAME(PREFIX, malloc)(size_t);
		void *NAME(PREFIX, realloc)(void *, size_t);
		void NAME(PREFIX, free)(void *);
		FRAME void leak_prefixed(void)
		{
			for (int i = 0; i < 100; i++)
				truth_keep(NAME(PREFIX, malloc)(123));
			NO_TAIL_CALL();
		}
		FRAME void leak_moved(void)
		{
			truth_keep(NAME(PREFIX, realloc)(NAME(PREFIX, malloc)(10), 4000));
			NAME(PREFIX, free)(truth_keep(NAME(PREFIX, malloc)(20)));
			NO_TAIL_CALL();
		}
		FRAME void leak_plain(void)
		{
			truth_keep(malloc(77));
			NO_TAIL_CALL();
		}
		int main(void)
		{
			truth_ready();
			leak_prefixed();
			leak_moved();
			leak_plain();
			truth(12300, 100, "leak_prefixed");
			truth(4000, 1, "leak_moved");
			truth(PLAIN * 77, PLAIN, "leak_plain");
			truth_done();
			return 0;
		}
	END
	# shellcheck disable=SC2086 # several words
	gcc $flags -fno-builtin $define -c -o "$WORK/$prefix.o" tests/programs/allocator_lib.c &&
		gcc $flags -DPREFIX="$prefix" -DPLAIN="$2" -o "$WORK/$prefix" "$WORK/prefixed.c" "$WORK/$prefix.o"
}
check "a prefix that is known: is built" prefixed je_ 1
check "a prefix that is known is found by itself, beside glibc" run je_ "$WORK/je_"
check "a prefix of its own: is built" prefixed some_allocators_own_prefix_ 0
check "a prefix of its own, by -S" run some_allocators_own_prefix_ "$WORK/some_allocators_own_prefix_" \
	-S some_allocators_own_prefix_

check "the prefix of Rust's jemalloc: is built" prefixed _rjem_ 1
check "the prefix of Rust's jemalloc is found by itself" run _rjem_ "$WORK/_rjem_"

# free() has its argument in another register where it can be probed without a single step; at its entry it would be stepped.
moved() {
	cat >"$WORK/moved.s" <<-'END'
		.globl moved_free
		.type moved_free, @function
		moved_free:
			mov %rdi, %rsi
			mov $1, %edi
			test %rsi, %rsi
			jne 1f
			ret
		1:
			mov %rsi, %rdi
			jmp moved_give_back
		.size moved_free, . - moved_free
		.section .note.GNU-stack, "", @progbits
	END
	# shellcheck disable=SC2086 # several words
	gcc $flags -fno-builtin -Dmalloc=moved_malloc -Dcalloc=moved_calloc -Drealloc=moved_realloc -Dfree=moved_give_back \
		-c -o "$WORK/moved.o" tests/programs/allocator_lib.c &&
		gcc $flags -DPREFIX=moved_ -DPLAIN=0 -o "$WORK/moved" "$WORK/prefixed.c" "$WORK/moved.o" "$WORK/moved.s" &&
		run moved "$WORK/moved" -S moved_ -v && grep -qE 'placement in [^ ]*moved: .*\bfree \+11.*, emulated' "$WORK/moved.stderr"
}
check "free(), its argument moved" moved

# mimalloc has its own strdup(), and Rust's allocators have names of its own.
mimalloc_names() {
	cat >"$WORK/mi.c" <<-'END'
		#include "truth.h"
		void *mi_zalloc(size_t), *mi_malloc_aligned(size_t, size_t), *mi_zalloc_aligned(size_t, size_t);
		void *mi_realloc_aligned(void *, size_t, size_t);
		char *mi_strdup(const char *), *mi_strndup(const char *, size_t);
		void mi_free(void *);
		static char text[300001];
		FRAME void leak_blocks(void)
		{
			truth_keep(mi_zalloc(100));
			truth_keep(mi_malloc_aligned(200, 64));
			truth_keep(mi_zalloc_aligned(400, 64));
			mi_free(truth_keep(mi_malloc_aligned(50, 16)));
			NO_TAIL_CALL();
		}
		FRAME void leak_moved(void)
		{
			truth_keep(mi_realloc_aligned(mi_malloc_aligned(10, 16), 5000, 64));
			NO_TAIL_CALL();
		}
		FRAME void leak_strings(void)
		{
			truth_keep(mi_strdup("four"));
			truth_keep(mi_strndup("sixteen and more", 7));
			truth_keep(mi_strndup("five", 100));
			mi_free(truth_keep(mi_strdup("freed")));
			NO_TAIL_CALL();
		}
		FRAME void leak_long_string(size_t length)
		{
			memset(text, 'x', length);
			text[length] = '\0';
			truth_keep(mi_strdup(text));
			NO_TAIL_CALL();
		}
		FRAME void leak_too_long_string(void)
		{
			memset(text, 'x', 300000);
			truth_keep(mi_strdup(text));
			NO_TAIL_CALL();
		}
		int main(void)
		{
			truth_ready();
			leak_blocks();
			leak_moved();
			leak_strings();
			for (size_t length = 4094; length < 4098; length++)
				leak_long_string(length);
			leak_long_string(8190);
			leak_too_long_string();
			truth(700, 3, "leak_blocks");
			truth(5000, 1, "leak_moved");
			truth(5 + 8 + 5, 3, "leak_strings");
			truth(4095 + 4096 + 4097 + 4098 + 8191, 5, "leak_long_string");
			truth(64 * 4095 + 1, 1, "leak_too_long_string"); /* string_size.bpf.h */
			truth_done();
			return 0;
		}
	END
	# shellcheck disable=SC2086 # several words
	gcc $flags -o "$WORK/mi" "$WORK/mi.c" "$libraries/libmimalloc.so.2" && run mi "$WORK/mi" &&
		has_line "$WORK/mi.stderr" ': 1 copies of strings counted as 256 KiB: they are longer$'
}
[ ! -e "$libraries/libmimalloc.so.2" ] || check "mimalloc's own names" mimalloc_names

# --- Opened late -----------------------------------------------------------------------------------------------------------------

cat >"$WORK/opens.c" <<'END'
#include <dlfcn.h>
#include "truth.h"
static void *(*opened_malloc)(size_t);
FRAME void leak_opened(void)
{
	for (int i = 0; i < 50; i++)
		truth_keep(opened_malloc(1000));
	NO_TAIL_CALL();
}
FRAME void leak_own(void)
{
	truth_keep(malloc(4321));
	NO_TAIL_CALL();
}
int main(int argc, char **argv)
{
	void *library;
	(void)argc;
	truth_ready();
	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	truth_require(library != NULL, "dlopen");
	opened_malloc = (void *(*)(size_t))dlsym(library, "malloc");
	truth_write("opened\n");
	truth_wait();
	leak_opened();
	leak_own();
	truth(50000, 50, "leak_opened");
	truth(4321, 1, "leak_own");
	truth_other("dlopen");
	truth_other("main"); /* the library's constructors */
	truth_done();
	return 0;
}
END
opened() {
	# shellcheck disable=SC2086 # several words
	gcc $flags -o "$WORK/opens" "$WORK/opens.c" -ldl || return 1
	target_start opened "$WORK/opens" "$libraries/libmimalloc.so.2" || return 1
	tool_start opened -p "$target" -o 0 -T 100000 1000 || return 1
	target_tell
	wait_for 20 has_line "$WORK/opened.stderr" 'probing mimalloc in .*libmimalloc' || return 1
	nap 0.5
	target_run opened && tool_stop && target_end || return 1
	cat "$WORK/opened.stderr"
	"$E2E/judge.py" truth "$WORK/opened.out" "$WORK/opened.report" &&
		has_line "$WORK/opened.stderr" 'mapped while it was traced'
}
[ ! -e "$libraries/libmimalloc.so.2" ] || check "opened late, with glibc's beside it" opened

# --- mmap ------------------------------------------------------------------------------------------------------------------------

# Totals without stacks; more calls than there is room for while the tool sleeps are counted; an exec unmaps everything.
mmap_off() {
	run mmap "$PROGRAMS/mmap_family" || return 1
	target_start mmap-off "$PROGRAMS/mmap_family" && tool_start mmap-off -p "$target" -W off -o 0 -T 100000 1000 &&
		target_run mmap-off && tool_stop && target_end &&
		"$E2E/judge.py" total "$WORK/mmap-off.out" "$WORK/mmap-off.report"
}
check "mmap family, off mode: the totals" mmap_off

mmap_sizes() {
	target_start sizes "$PROGRAMS/mmap_family" && tool_start sizes -p "$target" -o 0 -T 1000 -z 20000 -Z 30000 1000 &&
		target_run sizes && tool_stop && target_end || return 1
	grep -E 'bytes in' "$WORK/sizes.report"
	# summed up: a compiler that unrolls the loop makes several stacks of the 20
	[ "$(awk '/ bytes in / { n[$1 / $4] += $4 } END { print n[20580], n[28672], length(n) }' \
		"$WORK/sizes.report")" = "20 1 2" ]
}
check "mmap family, -z and -Z" mmap_sizes

mmap_lost() {
	target_start lost "$PROGRAMS/mmap_family" && tool_start lost -p "$target" -o 0 1000 || return 1
	kill -STOP "$tool" && target_run lost
	kill -CONT "$tool" && tool_stop && target_end || return 1
	cat "$WORK/lost.stderr"
	grep -qE ': [0-9]+ calls of mmap, mremap, munmap lost: ring buffer full$' "$WORK/lost.stderr"
}
check "mmap family: calls that are lost are counted" mmap_lost

cat >"$WORK/execs.c" <<'END'
#include <sys/mman.h>
#include "truth.h"
FRAME void leak_mapping(size_t size)
{
	truth_keep(mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	NO_TAIL_CALL();
}
int main(int argc, char **argv)
{
	char *arguments[] = {argv[0], "again", NULL};
	if (argc == 1) {
		truth_ready();
		leak_mapping(70000);
		execv(argv[0], arguments);
	}
	leak_mapping(3000);
	truth(3000, 1, "leak_mapping");
	truth_done();
	return 0;
}
END
mmap_exec() {
	# shellcheck disable=SC2086 # several words
	gcc $flags -o "$WORK/execs" "$WORK/execs.c" || return 1
	target_start execs "$WORK/execs" && tool_start execs -p "$target" -o 0 1000 && target_run execs && tool_stop && target_end &&
		"$E2E/judge.py" truth "$WORK/execs.out" "$WORK/execs.report"
}
check "mmap family: exec leaves nothing mapped" mmap_exec

# --- With -c ---------------------------------------------------------------------------------------------------------------------

# From the first allocation on.
command_preloaded() {
	LD_PRELOAD=$libraries/libjemalloc.so.2 "$PROGRAMS/chain" </dev/null >/dev/null || return 1
	timeout 30 "$TOOL" -o 0 -c "$WORK/je-shared" 1000 </dev/null >"$WORK/command.all" 2>"$WORK/command.stderr"
	cat "$WORK/command.stderr"
	grep -E '^(ready|truth .*|done)$' "$WORK/command.all" | tail -n 1 | grep -q '^done$' &&
		grep -q 'probing .*jemalloc' "$WORK/command.stderr" &&
		! grep -q 'mapped while' "$WORK/command.stderr"
}
[ ! -e "$WORK/je-shared" ] || check "-c: all libraries are mapped when the allocators are looked for" command_preloaded

# --- None -------------------------------------------------------------------------------------------------------------------------

nothing() {
	# shellcheck disable=SC2086 # several words
	gcc $flags -static -s -o "$WORK/stripped" tests/programs/threads.c || return 1
	target_start stripped "$WORK/stripped" || return 1
	"$TOOL" -p "$target" >"$WORK/stripped.stdout" 2>"$WORK/stripped.stderr" && return 1
	cat "$WORK/stripped.stdout" "$WORK/stripped.stderr"
	[ ! -s "$WORK/stripped.stdout" ] && [ "$(wc -l <"$WORK/stripped.stderr")" = 1 ] &&
		grep -q 'no allocator found.*glibc, musl, jemalloc, tcmalloc, mimalloc.*needs its symbols' "$WORK/stripped.stderr" &&
		target_run stripped && target_end
}
check "a static program without symbols: an error that says what was looked for" nothing
summary
