/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: names and offsets of a C and a C++ child are those of addr2line and nm at every instruction boundary that addr2line
 * knows; names survive the process and its files; a separate debug file is found by debuglink; return
 * addresses behind a last call belong to the caller; padding has no name; the vDSO has names; C++ and Rust names are
 * demangled, and names made to explode are bounded; damaged files are survived.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "../test.h"
#include "../workdir.h"
#include "elf/elf_file.h"
#include "process/process.h"
#include "symbolize/demangle.h"
#include "symbolize/naming.h"
#include "symbolize/symbol_file.h"
#include "symbolize/symbolize.h"

static struct module_cache *cache;
static struct naming *naming;

static const char c_source[] =
	"#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
	"int value;\n"
	"__attribute__((noinline)) static int inner(int x) { value += x; return value * 3; }\n"
	"__attribute__((noinline)) int outer(int x) { return inner(x) + inner(x + 1); }\n"
	"__attribute__((noinline)) void give_up(void) { value++; abort(); }\n"
	"__attribute__((noinline)) int after(int x) { return x - value; }\n"
	"__asm__(\".text\\n.globl unsized\\nunsized: nop\\nnop\\nret\\n\");\n"
	"int main(int argc, char **argv) { (void)argv; if (argc > 5) give_up();\n"
	"printf(\"%lx\\n\", (long)main); fflush(stdout); pause(); return outer(argc) + after(1); "
	"}\n";

static const char cc_source[] =
	"#include <cstdio>\n#include <unistd.h>\n#include <string>\n"
	"namespace ns { template <class T> struct Class { __attribute__((noinline)) int method(T "
	"x) {\n"
	"n += x; return n; } int n = 0; explicit Class(int k); struct Inner { ~Inner(); }; };\n"
	"template <class T> __attribute__((noinline)) Class<T>::Class(int k) : n(k) {}\n"
	"template <class T> __attribute__((noinline)) Class<T>::Inner::~Inner() { puts(\"\"); }\n"
	"int operator+(const Class<int> &a, int b) { return a.n * b; } }\n"
	"static auto lambda = [](std::string s) { return (int)s.size() * 3; };\n"
	"int main(int argc, char **) { std::printf(\"%lx\\n\", (long)&main); std::fflush(stdout); "
	"pause();\n"
	"ns::Class<int> c(argc); ns::Class<int>::Inner i; ns::Class<long> d(argc);\n"
	"return c.method(argc) + d.method(3) + (c + 3) + lambda(std::string(argc, 'x')); }\n";

/* A child that runs `program`, prints the address of its main() and waits. */
static pid_t start(const char *program, uint64_t *main_addr)
{
	char line[64] = "", path[64];
	int fds[2];
	FILE *out;
	pid_t pid;

	snprintf(path, sizeof(path), "./%s", program);
	if (pipe(fds))
		exit(1);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execl(path, program, NULL);
		_exit(1);
	}
	close(fds[1]);
	out = fdopen(fds[0], "r");
	CHECK(fgets(line, sizeof(line), out) != NULL);
	*main_addr = strtoull(line, NULL, 16);
	fclose(out);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct symbolizer *symbolizer_of(pid_t pid)
{
	struct symbolizer *symbolizer = NULL;
	struct process *process;

	CHECK(process_open(cache, pid, &process) == 0);
	CHECK(symbolizer_create(process, naming, &symbolizer) == 0);
	process_close(cache, process);
	return symbolizer;
}

static int is(struct symbolizer *s, uint64_t addr, int is_return, const char *name, uint64_t offset)
{
	struct symbol symbol;

	symbolizer_find(s, addr, is_return, &symbol);
	if (symbol.name && strcmp(symbol.name, name) == 0 && symbol.offset == offset)
		return 1;
	fprintf(stderr, "%s+%#lx, expected %s+%#lx\n", symbol.name ? symbol.name : "?",
		(unsigned long)symbol.offset, name, (unsigned long)offset);
	return 0;
}

/* Every function that nm lists with a size: first, middle and last byte, while the program and its file are gone. */
static void check_against_nm(const char *program, int at_least)
{
	char *list = read_command("nm -SC --defined-only %s | grep -i ' [tw] '", program), *rest;
	uint64_t main_vaddr = read_hex("nm %s | grep ' T main$'", program), main_addr, bias;
	pid_t pid = start(program, &main_addr);
	struct symbolizer *s;
	int n = 0;

	run("mv %s moved", program);
	s = symbolizer_of(pid);
	stop(pid);
	run("rm moved");
	bias = main_addr - main_vaddr;
	for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		uint64_t vaddr, size;
		int skip = 0;
		char type;

		if (sscanf(line, "%lx %lx %c %n", &vaddr, &size, &type, &skip) != 3 || size == 0)
			continue;
		n++;
		CHECK(is(s, bias + vaddr, 0, line + skip, 0));
		CHECK(is(s, bias + vaddr + size / 2, 0, line + skip, size / 2));
		CHECK(is(s, bias + vaddr + size, 1, line + skip, size));
	}
	CHECK(n >= at_least);
	symbolizer_destroy(s);
	free(list);
}

/* addr2line -f for every fourth byte of .text, one batch. Where it knows nothing, or guesses beyond a symbol, we say nothing. */
static void check_against_addr2line(const char *program)
{
	uint64_t main_vaddr = read_hex("nm %s | grep ' T main$'", program), main_addr;
	uint64_t low = read_hex("nm %s | grep ' T _start$'", program);
	pid_t pid = start(program, &main_addr);
	struct symbolizer *s = symbolizer_of(pid);
	FILE *addresses = fopen("addresses", "w");
	int same = 0, other = 0, ours_only = 0;
	char name[1024], place[1024];
	uint64_t high = low + 0x200;

	stop(pid);
	for (uint64_t vaddr = low; vaddr < high; vaddr += 4)
		fprintf(addresses, "%lx\n", (unsigned long)vaddr);
	fclose(addresses);
	run("addr2line -f -C -e %s < addresses > names", program);
	addresses = fopen("names", "r");
	for (uint64_t vaddr = low; vaddr < high; vaddr += 4) {
		struct symbol symbol;

		if (!fgets(name, sizeof(name), addresses) ||
		    !fgets(place, sizeof(place), addresses))
			break;
		name[strcspn(name, "\n")] = '\0';
		symbolizer_find(s, main_addr - main_vaddr + vaddr, 0, &symbol);
		if (symbol.name && strcmp(symbol.name, name) == 0)
			same++;
		else if (symbol.name && strcmp(name, "??") == 0)
			ours_only++;
		else if (symbol.name)
			other++;
	}
	fclose(addresses);
	CHECK(same > 60);
	CHECK(other == 0);
	CHECK(ours_only == 0);
	symbolizer_destroy(s);
}

static void test_edges(void)
{
	uint64_t main_addr, bias, give_up, size, unsized;
	pid_t pid = start("c", &main_addr);
	struct symbolizer *s = symbolizer_of(pid);
	struct symbol symbol;

	bias = main_addr - read_hex("nm c | grep ' T main$'");
	give_up = read_hex("nm c | grep ' T give_up$'");
	unsized = read_hex("nm c | grep ' T unsized$'");
	size = read_hex("nm -S c | sed -n 's/^[0-9a-f]* \\(.*\\) T give_up$/\\1/p'");
	CHECK(is(s, bias + give_up + size, 1, "give_up", size));
	CHECK(is(s, bias + unsized + 2, 0, "unsized", 2));
	/* Padding between functions */
	symbolizer_find(s, bias + give_up + size, 0, &symbol);
	CHECK(symbol.name == NULL || strcmp(symbol.name, "give_up") != 0);
	CHECK(symbol.module && strstr(symbol.module, "/c"));
	symbolizer_find(s, 16, 0, &symbol);
	CHECK(!symbol.name && !symbol.module && symbol.offset == 0);
	symbolizer_find(s, 0, 1, &symbol);
	CHECK(!symbol.module);
	symbolizer_destroy(s);
	stop(pid);
}

static void test_separate_debug_file(void)
{
	uint64_t main_addr, bias = 0, inner = read_hex("nm c | grep ' t inner$'");
	uint64_t main_vaddr = read_hex("nm c | grep ' T main$'");
	struct symbolizer *s;
	struct symbol symbol;
	pid_t pid;

	run("objcopy --only-keep-debug c c.debug; cp c bare; strip bare");
	for (int linked = 0; linked < 2; linked++) {
		if (linked)
			run("objcopy --add-gnu-debuglink=c.debug bare");
		pid = start("bare", &main_addr);
		bias = main_addr - main_vaddr;
		s = symbolizer_of(pid);
		symbolizer_find(s, bias + inner, 0, &symbol);
		CHECK(linked ? symbol.name && strcmp(symbol.name, "inner") == 0 : !symbol.name);
		stop(pid);
		symbolizer_destroy(s);
	}
	/* A file of that name with other contents is not the one. */
	run("echo >> c.debug");
	pid = start("bare", &main_addr);
	s = symbolizer_of(pid);
	symbolizer_find(s, main_addr - main_vaddr + inner, 0, &symbol);
	CHECK(!symbol.name);
	stop(pid);
	symbolizer_destroy(s);
}

static void test_self(void)
{
	struct process *process = NULL;
	struct symbolizer *s = NULL;
	struct symbol symbol, kept;
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR), vaddr = 0, size;
	const struct mapping *mapping;
	void *anonymous, *lib, *again;

	anonymous = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(process_open(cache, getpid(), &process) == 0);
	CHECK(symbolizer_create(process, naming, &s) == 0);
	/* One of several names for it; the plainest. */
	CHECK(is(s, (uintptr_t)dlsym(RTLD_DEFAULT, "malloc") + 1, 1, "malloc", 1));
	mapping = process_find_mapping(process, vdso);
	CHECK(mapping && mapping->module &&
	      elf_file_find_function(mapping->module->elf, "__vdso_clock_gettime", &vaddr, &size) ==
		      0);
	CHECK(is(s, vdso + vaddr + 1, 0, "clock_gettime", 1));
	symbolizer_find(s, vdso + vaddr, 0, &symbol);
	CHECK(symbol.module && strcmp(symbol.module, "[vdso]") == 0);
	symbolizer_find(s, (uintptr_t)anonymous, 0, &symbol);
	CHECK(!symbol.name && !symbol.module);

	lib = dlopen("./lib.so", RTLD_NOW);
	CHECK(lib != NULL);
	symbolizer_find(s, (uintptr_t)dlsym(lib, "in_lib"), 0, &symbol);
	CHECK(!symbol.name);
	CHECK(process_refresh(cache, process, NULL) == 0 && symbolizer_refresh(s, process) == 0);
	CHECK(is(s, (uintptr_t)dlsym(lib, "in_lib"), 0, "in_lib", 0));
	/* A sized symbol inside another, as hand-written assembly has them */
	CHECK(is(s, (uintptr_t)dlsym(lib, "within"), 0, "within", 0));
	CHECK(is(s, (uintptr_t)dlsym(lib, "within") + 1, 0, "around", 2));
	symbolizer_find(s, (uintptr_t)dlsym(lib, "around") + 4, 0, &symbol);
	CHECK(!symbol.name || strcmp(symbol.name, "around") != 0);
	symbolizer_find(s, (uintptr_t)dlsym(lib, "in_lib"), 0, &kept);
	dlclose(lib);
	CHECK(process_refresh(cache, process, NULL) == 0 && symbolizer_refresh(s, process) == 0);
	CHECK(strcmp(kept.name, "in_lib") == 0 && strstr(kept.module, "/lib.so"));
	again = dlopen("./lib.so", RTLD_NOW);
	CHECK(process_refresh(cache, process, NULL) == 0 && symbolizer_refresh(s, process) == 0);
	CHECK(is(s, (uintptr_t)dlsym(again, "in_lib"), 0, "in_lib", 0));
	dlclose(again);
	munmap(anonymous, 4096);
	process_close(cache, process);
	symbolizer_destroy(s);
}

static int demangles(const char *raw, const char *expected)
{
	char *name = demangle(raw);
	int same = name && strcmp(name, expected) == 0;

	if (!same)
		fprintf(stderr, "%s: %s, expected %s\n", raw, name, expected);
	free(name);
	return same;
}

static void test_demangle(void)
{
	char bomb[512] = "_Z1fSt4pairI1aS0_E";
	struct timespec begin, end;
	char *name;

	CHECK(demangles("_ZN2ns5ClassIiE6methodEi", "ns::Class<int>::method(int)"));
	CHECK(demangles("_ZN3foo3bar17h05af221e174051e9E", "foo::bar"));
	CHECK(demangles("_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE",
			"core::fmt::Formatter::write_str"));
	CHECK(demangles("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$"
			"GT$3bar17h930b740aa94f1d3aE",
			"<Test + 'static as foo::Bar<Test>>::bar"));
	CHECK(demangles("_RNvC6_123foo3bar", "123foo::bar"));
	CHECK(demangles("_RNvNtNtCs1234_7mycrate3foo3bar3baz", "mycrate::foo::bar::baz"));
	CHECK(demangles("_RINvNtC3std3mem8align_ofjE", "std::mem::align_of::<usize>"));
	CHECK(demangles("_D8demangle4testFAyaZv", "demangle.test(immutable(char)[])"));
	/* Each parameter is twice the one before, in D's way. */
	CHECK(demangles(
		"_D1aFHiiHQdQeHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgZv",
		"_D1aFHiiHQdQeHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgHQfQgZv"));
	CHECK(demangles("malloc@@GLIBC_2.2.5", "malloc"));
	CHECK(demangles("memcpy@GLIBC_2.2.5", "memcpy"));
	CHECK(demangles("_Z", "_Z"));
	CHECK(demangles("main", "main"));
	CHECK(demangles("", ""));

	/* Each parameter is a pair of the one before: the name doubles with each, to some 60 GB. */
	for (int i = 0; i < 30; i++) {
		char digit = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i];
		size_t size = strlen(bomb);

		snprintf(bomb + size, sizeof(bomb) - size, "S_IS%c_S%c_E", digit, digit);
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	name = demangle(bomb);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK(name && strcmp(name, bomb) == 0);
	CHECK(end.tv_sec - begin.tv_sec < 2);
	free(name);
}

static void test_damaged(int rounds)
{
	size_t size;
	uint8_t *bytes = read_file("lib.so", &size), *copy = malloc(size);
	uint64_t state = 0x9e3779b97f4a7c15ULL;
	uint64_t headers = ((const Elf64_Ehdr *)bytes)->e_shoff;
	int opened = 0;

	for (int i = 0; i < rounds; i++) {
		struct symbol_file *file;
		struct symbol symbol;
		int fd = memfd_create("damaged", MFD_CLOEXEC);

		memcpy(copy, bytes, size);
		for (unsigned int n = next_random(&state) % 8; n > 0; n--) {
			uint64_t where = next_random(&state);

			if (where & 1)
				where = (where >> 8) % (64 + 13 * 56);
			else if (where & 2)
				where = headers + (where >> 8) % (size - headers);
			else
				where = (where >> 8) % size;
			copy[where] = (uint8_t)(next_random(&state) >> 16);
		}
		CHECK(write(fd, copy, size) == (ssize_t)size);
		if (next_random(&state) % 4 == 0 &&
		    ftruncate(fd, (off_t)(next_random(&state) % size)))
			exit(1);
		if (symbol_file_open(fd, "/damaged", naming, &file) == 0) {
			opened++;
			for (uint64_t vaddr = 0; vaddr < 0x4000; vaddr += 0x80)
				symbol_file_find(file, vaddr, &symbol);
			symbol_file_close(file);
		}
		close(fd);
	}
	CHECK(opened > rounds / 10 && opened < rounds);
	free(bytes);
	free(copy);
}

int main(void)
{
	workdir_enter();
	write_text("c.c", c_source);
	write_text("cc.cc", cc_source);
	write_text("lib.c", "int in_lib(void) { return 1; }\nint other(void) { return 2; }\n"
			    "__asm__(\".globl around, within\\n.type around, @function\\n\"\n"
			    "\".type within, @function\\naround: .byte 0\\nwithin: .byte 0\\n\"\n"
			    "\".byte 0, 0\\n.size around, 4\\n.size within, 1\\n\");\n");
	run("cc -g -O2 -Wl,--build-id -o c c.c");
	run("c++ -g -O1 -o cc cc.cc");
	run("cc -O1 -shared -fPIC -o lib.so lib.c");
	CHECK(module_cache_create(0, &cache) == 0);
	CHECK(naming_create(NULL, &naming) == 0);
	test_demangle();
	test_edges();
	test_self();
	test_separate_debug_file();
	check_against_addr2line("c");
	check_against_nm("c", 6);
	check_against_nm("cc", 8);
	test_damaged(4000);
	naming_destroy(naming);
	module_cache_destroy(cache);
	workdir_leave();
	return test_end();
}
