/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: over functions assembled by hand, that a probe is moved only along what surely runs once
 * with the arguments (and, for a return probe, the stack pointer) untouched, and never to where a
 * branch may lead; over the functions of the libc and libjemalloc of this machine, that a place is
 * an instruction boundary that the kernel emulates, which objdump's reading confirms, with no
 * branch of objdump's reading into what was moved over.
 */
#include "placement.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "placement_arch.h"

#define ALL_ARGUMENTS 6
#define VADDR 0x401000

struct assembled {
	const char *what;
	const char *code;
	size_t size;
	bool has_return_probe;
	uint64_t offset;
	bool emulated;
};

#define CODE(bytes) bytes, sizeof(bytes) - 1

static const struct assembled functions[] = {
	/* at the entry */
	{"push %rbp; ret", CODE("\x55\xc3"), true, 0, true},
	{"push %r12; ret", CODE("\x41\x54\xc3"), true, 0, true},
	{"nop; ret", CODE("\x90\xc3"), true, 0, true},
	{"jmp rel8", CODE("\xeb\x10"), true, 0, true},
	{"jmp rel32", CODE("\xe9\x00\x10\x00\x00"), true, 0, true},
	{"call rel32; ret", CODE("\xe8\x00\x10\x00\x00\xc3"), true, 0, true},
	{"je rel8; ret", CODE("\x74\x01\xc3"), true, 0, true},
	{"jg rel32; ret", CODE("\x0f\x8f\x00\x10\x00\x00\xc3"), true, 0, true},
	{"ret", CODE("\xc3"), true, 0, false},
	{"syscall; je; ret", CODE("\x0f\x05\x74\x00\xc3"), true, 0, false},
	/* what looks like them and is not emulated */
	{"data16 nop; ret", CODE("\x66\x90\xc3"), true, 0, false},
	{"nopl; ret", CODE("\x0f\x1f\x40\x00\xc3"), true, 0, false},
	{"push $1; ret", CODE("\x6a\x01\xc3"), true, 0, false},
	{"push (%rax); ret", CODE("\xff\x30\xc3"), true, 0, false},
	{"rex.W push %rbp", CODE("\x48\x55\xc3"), true, 0, false},
	{"xchg %r8,%rax; push", CODE("\x49\x90\x55\xc3"), true, 0, false},
	{"call *%rax; push", CODE("\xff\xd0\x55\xc3"), true, 0, false},
	{"pause; push", CODE("\xf3\x90\x55\xc3"), true, 0, false},
	/* moved */
	{"endbr64; push", CODE("\xf3\x0f\x1e\xfa\x55\xc3"), true, 4, true},
	{"test %rdi,%rdi; je", CODE("\x48\x85\xff\x74\x00\xc3"), true, 3, true},
	{"cmp (%rdi),%rsi; jne", CODE("\x48\x3b\x37\x75\x00\xc3"), true, 3, true},
	{"mov %rdi,%rax; lea; push", CODE("\x48\x89\xf8\x48\x8d\x47\x01\x53\xc3"), true, 7, true},
	{"xor %eax,%eax; jmp out", CODE("\x31\xc0\xe9\x00\x10\x00\x00"), true, 2, true},
	{"nopl; nop", CODE("\x0f\x1f\x40\x00\x90\xc3"), true, 4, true},
	{"mov %rax,(%rdi); push", CODE("\x48\x89\x07\x53\xc3"), true, 3, true},
	/* arguments */
	{"mov %rax,%rdi; push", CODE("\x48\x89\xc7\x53\xc3"), false, 0, false},
	{"xor %esi,%esi; push", CODE("\x31\xf6\x53\xc3"), false, 0, false},
	{"mov $1,%dl; push", CODE("\xb2\x01\x53\xc3"), false, 0, false},
	{"mov $1,%dh; push", CODE("\xb6\x01\x53\xc3"), false, 0, false},
	{"add $1,%rcx; push", CODE("\x48\x83\xc1\x01\x53\xc3"), false, 0, false},
	{"movzbl %al,%r8d; push", CODE("\x44\x0f\xb6\xc0\x53\xc3"), false, 0, false},
	{"lea (%rax),%r9; push", CODE("\x4c\x8d\x08\x53\xc3"), false, 0, false},
	{"mul %rsi; push", CODE("\x48\xf7\xe6\x53\xc3"), false, 0, false},
	{"xchg %rdi,%rax; push", CODE("\x48\x97\x53\xc3"), false, 0, false},
	{"rep stosb; push", CODE("\xf3\xaa\x53\xc3"), false, 0, false},
	{"cpuid; push", CODE("\x0f\xa2\x53\xc3"), false, 0, false},
	{"mov %rax,%r10; push", CODE("\x49\x89\xc2\x53\xc3"), false, 3, true},
	/* stack pointer */
	{"sub $8,%rsp; nop; return", CODE("\x48\x83\xec\x08\x90\xc3"), true, 0, false},
	{"sub $8,%rsp; nop; entry", CODE("\x48\x83\xec\x08\x90\xc3"), false, 4, true},
	{"mov %rax,%rsp; nop", CODE("\x48\x89\xc4\x90\xc3"), true, 0, false},
	{"pop %rax; push %rax", CODE("\x58\x50\xc3"), true, 0, false},
	{"leave; nop", CODE("\xc9\x90\xc3"), true, 0, false},
	/*
	 * test; je: 0 test, 3 je, 5 ...: branches to the probe, before it, into the middle, to the
	 * entry, behind it
	 */
	{"je 3", CODE("\x48\x85\xff\x74\x00\x74\xfc\xc3"), true, 0, false},
	{"jmp 3, near", CODE("\x48\x85\xff\x74\x00\xe9\xf9\xff\xff\xff"), true, 0, false},
	{"jmp 1", CODE("\x48\x85\xff\x74\x00\xeb\xfa\xc3"), true, 0, false},
	{"jmp 0", CODE("\x48\x85\xff\x74\x00\xeb\xf9\xc3"), true, 3, true},
	{"jmp 5", CODE("\x48\x85\xff\x74\x00\xeb\xfe\xc3"), true, 3, true},
	{"probe branches to itself", CODE("\x48\x85\xff\x74\xfe\xc3"), true, 0, false},
	{"call 3", CODE("\x48\x85\xff\x74\x00\xe8\xf9\xff\xff\xff\xc3"), true, 0, false},
	{"loop 3", CODE("\x48\x85\xff\x74\x00\xe2\xfc\xc3"), true, 0, false},
	{"jrcxz 3", CODE("\x48\x85\xff\x74\x00\xe3\xfc\xc3"), true, 0, false},
	{"xbegin 3", CODE("\x48\x85\xff\x74\x00\xc7\xf8\xf8\xff\xff\xff\xc3"), true, 0, false},
	{"test; nop; jmp 4", CODE("\x48\x85\xff\x90\xeb\xfe"), true, 3, true},
	/* computed jumps: a table may lead anywhere; one word of memory is a function pointer */
	{"jmp *%rax", CODE("\x48\x85\xff\x74\x00\xff\xe0"), true, 0, false},
	{"notrack jmp *%rax", CODE("\x48\x85\xff\x74\x00\x3e\xff\xe0"), true, 0, false},
	{"jmp *(%rax)", CODE("\x48\x85\xff\x74\x00\xff\x20"), true, 0, false},
	{"jmp *(,%rax,8)", CODE("\x48\x85\xff\x74\x00\xff\x24\xc5\0\0\0\0"), true, 0, false},
	{"jmp *x(%rip)", CODE("\x48\x85\xff\x74\x00\xff\x25\x00\x10\0\0"), true, 3, true},
	{"call *%rax; ret", CODE("\x48\x85\xff\x74\x00\xff\xd0\xc3"), true, 3, true},
	/* an entry that is good needs no scan */
	{"push; jmp *%rax", CODE("\x55\xff\xe0"), true, 0, true},
	/* bytes that are no code, cut off, none */
	{"garbage behind", CODE("\x48\x85\xff\x74\x00\x06\x06"), true, 0, false},
	{"garbage first", CODE("\x06\x55\xc3"), true, 0, false},
	{"cut off", CODE("\x48\x85"), true, 0, false},
	{"cut off behind", CODE("\x48\x85\xff\x74\x00\xe9\x00"), true, 0, false},
	{"empty", CODE(""), true, 0, false},
};

static void test_assembled(void)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const struct assembled *f = &functions[i];
		struct placement place = {.offset = 99};
		/* an exact copy, so that the address sanitizer sees a read past the end */
		uint8_t *code = malloc(f->size ? f->size : 1);

		memcpy(code, f->code, f->size);
		placement_find(code, f->size, VADDR, ALL_ARGUMENTS,
			       f->has_return_probe ? PLACEMENT_KEEP_SP : 0, &place);
		free(code);
		if (place.offset != f->offset || place.emulated != f->emulated)
			fprintf(stderr, "%s: %lu %d\n", f->what, (unsigned long)place.offset,
				place.emulated);
		CHECK(place.offset == f->offset && place.emulated == f->emulated);
	}
}

/* Fewer arguments, fewer registers that matter. */
static void test_n_args(void)
{
	/* mov %rax,%rdx; mov %rax,%rcx; je */
	static const uint8_t code[] = "\x48\x89\xc2\x48\x89\xc1\x74\x00\xc3";

	for (unsigned int n = 0; n <= 7; n++) {
		struct placement place;

		placement_find(code, sizeof(code) - 1, VADDR, n, PLACEMENT_KEEP_SP, &place);
		CHECK(place.emulated == (n <= 2) && place.offset == (n <= 2 ? 6 : 0));
	}
}

/* Where arguments go; the digits: dense indices of the registers that have the first two. */
static void test_moved_arguments(void)
{
	static const struct {
		const char *what, *code;
		size_t size;
		unsigned int offset, first, second;
		bool emulated, moved;
	} moves[] = {
		{"mov %rdi,%rsi; xor %edi,%edi; push", CODE("\x48\x89\xfe\x31\xff\x53\xc3"), 5, 4,
		 0, false, false}, /* the second is lost */
		{"mov %rsi,%rdx; mov %rdi,%rsi; mov %rax,%rdi; jmp",
		 CODE("\x48\x89\xf2\x48\x89\xfe\x48\x89\xc7\xe9\0\x10\0\0"), 9, 4, 1, true, true},
		{"mov %rdi,%rax; push: still at home", CODE("\x48\x89\xf8\x53\xc3"), 3, 5, 4, true,
		 false},
		{"mov %rdi,%r15; mov %rax,%rdi; push", CODE("\x49\x89\xff\x48\x89\xc7\x53\xc3"), 6,
		 15, 4, true, true},
		{"mov %edi,%eax; mov %rcx,%rdi; push: a half", CODE("\x89\xf8\x48\x89\xcf\x53\xc3"),
		 0, 5, 4, false, false},
		{"mov %rdi,%rax; mov %rax,%rbx; xor %eax,%eax; xor %edi,%edi; push",
		 CODE("\x48\x89\xf8\x48\x89\xc3\x31\xc0\x31\xff\x53\xc3"), 10, 3, 4, true, true},
		{"mov %rdi,%rax; mov $1,%ah; mov %rcx,%rdi; push: its copy is overwritten",
		 CODE("\x48\x89\xf8\xb4\x01\x48\x89\xcf\x53\xc3"), 0, 5, 4, false, false},
		{"mov (%rdi),%rax; mov %rcx,%rdi; push", CODE("\x48\x8b\x07\x48\x89\xcf\x53\xc3"),
		 0, 5, 4, false, false},
		{"lea (%rdi),%rax; mov %rcx,%rdi; push", CODE("\x48\x8d\x07\x48\x89\xcf\x53\xc3"),
		 0, 5, 4, false, false},
		{"add %rdi,%rax; mov %rcx,%rdi; push", CODE("\x48\x01\xf8\x48\x89\xcf\x53\xc3"), 0,
		 5, 4, false, false},
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		const uint8_t *code = (const uint8_t *)moves[i].code;
		struct placement place;

		placement_find(code, moves[i].size, VADDR, 2, PLACEMENT_MOVED_ARGS, &place);
		if (place.emulated != moves[i].emulated)
			fprintf(stderr, "%s: %lu\n", moves[i].what, (unsigned long)place.offset);
		CHECK(place.emulated == moves[i].emulated && place.moved == moves[i].moved);
		CHECK(!place.emulated ||
		      (place.offset == moves[i].offset && place.registers[0] == moves[i].first &&
		       place.registers[1] == moves[i].second));
		/* a program that looks where they are at the entry */
		placement_find(code, moves[i].size, VADDR, 2, 0, &place);
		CHECK(place.emulated == (moves[i].emulated && !moves[i].moved) && !place.moved);
	}
}

/* The samples that placement_check() runs are of the kinds that they are said to be. */
static void test_samples(void)
{
	const struct placement_arch *arch = placement_native_arch();
	struct placement place;

	for (size_t i = 0; i < arch->n_emulated; i++) {
		placement_find(arch->emulated[i].code, PLACEMENT_SAMPLE_SIZE, VADDR, 0,
			       PLACEMENT_KEEP_SP, &place);
		CHECK(place.offset == 0 && place.emulated);
	}
	placement_find(arch->stepped.code, PLACEMENT_SAMPLE_SIZE, VADDR, 0, PLACEMENT_KEEP_SP,
		       &place);
	CHECK(!place.emulated);
}

static void test_limits(void)
{
	size_t size = 1 << 20;
	uint8_t *code = malloc(size);
	struct placement place;
	unsigned int seed = 1;

	/* larger than any function that it looks at */
	memset(code, 0x90, size);
	memcpy(code, "\x48\x85\xff\x74\x00", 5);
	placement_find(code, size, VADDR, ALL_ARGUMENTS, PLACEMENT_KEEP_SP, &place);
	CHECK(place.offset == 0 && !place.emulated);
	placement_find(code, 4096, VADDR, ALL_ARGUMENTS, PLACEMENT_KEEP_SP, &place);
	CHECK(place.offset == 3 && place.emulated);
	/* noise: ends, and stays inside */
	for (int round = 0; round < 20000; round++) {
		size_t n = rand_r(&seed) % 64;

		for (size_t i = 0; i < n; i++)
			code[i] = rand_r(&seed);
		placement_find(code, n, 0xfffffffffffffff0, ALL_ARGUMENTS, PLACEMENT_KEEP_SP,
			       &place);
		if (place.offset != 0 && (!place.emulated || place.offset >= n)) {
			CHECK(false);
			break;
		}
	}
	free(code);
}

struct real {
	const char *name;
	unsigned int n_args; /* those that a probe reads */
	bool has_return_probe;
};

static const struct real reals[] = {
	{"malloc", 1, true},	   {"calloc", 2, true}, {"realloc", 2, true},
	{"reallocarray", 3, true}, {"free", 1, false},	{"posix_memalign", 3, true},
	{"memalign", 2, true},	   {"valloc", 1, true}, {"aligned_alloc", 2, true},
	{"pvalloc", 1, true},	   {"mmap", 6, true},	{"munmap", 2, true},
	{"mremap", 4, true},	   {"_Znwm", 1, false}, {"_ZdlPv", 1, false},
};

/*
 * objdump's reading of [vaddr, vaddr + size): whether an instruction that uprobes emulate stands at
 * `place`, and no branch leads to (vaddr, place].
 */
static bool objdump_agrees(const char *path, uint64_t vaddr, uint64_t size, uint64_t place)
{
	static const char *const emulated[] = {"push   %r", "nop\n", "jmp    ", "call   "};
	bool found = false, good = true;
	char *command, line[512];
	FILE *pipe;

	if (asprintf(&command,
		     "objdump -d --no-show-raw-insn --start-address=%#lx --stop-address=%#lx %s",
		     (unsigned long)vaddr, (unsigned long)(vaddr + size), path) < 0)
		return false;
	pipe = popen(command, "r");
	free(command);
	while (pipe && fgets(line, sizeof(line), pipe)) {
		char *end, *insn, *operand;
		uint64_t addr = strtoull(line, &end, 16), target;

		if (strncmp(end, ":\t", 2))
			continue;
		insn = end + 2;
		if (addr == place) {
			found = insn[0] == 'j' && strchr(insn, '*') == NULL;
			for (size_t i = 0; i < 4; i++)
				found |= !strncmp(insn, emulated[i], strlen(emulated[i])) &&
					 strchr(insn, '*') == NULL;
		}
		operand = strchr(insn, ' ');
		if (insn[0] != 'j' || !operand)
			continue;
		target = strtoull(operand, NULL, 16);
		if (target > vaddr && target <= place)
			good = false;
	}
	if (pipe)
		pclose(pipe);
	return found && good;
}

/* Whole name of a library that the dynamic linker knows; false where it is not installed. */
static bool library_path(const char *soname, char *ret, int size)
{
	char command[256];
	bool found;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "PATH=/usr/sbin:/sbin:$PATH ldconfig -p | sed -n 's/^\t%s .*=> //p'", soname);
	pipe = popen(command, "r");
	found = pipe && fgets(ret, size, pipe);
	if (pipe)
		pclose(pipe);
	ret[strcspn(ret, "\n")] = '\0';
	return found;
}

/* One function: prints where its probe goes; whether it is an emulated place. */
static bool survey_function(const char *path, Elf *elf, const GElf_Sym *sym,
			    const struct real *real)
{
	Elf_Scn *scn = elf_getscn(elf, sym->st_shndx);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	struct placement place;
	uint64_t at, end;
	GElf_Shdr shdr;

	if (!data || !gelf_getshdr(scn, &shdr))
		return false;
	at = sym->st_value - shdr.sh_addr;
	if (at + sym->st_size > data->d_size)
		return false;
	placement_find((uint8_t *)data->d_buf + at, sym->st_size, sym->st_value, real->n_args,
		       real->has_return_probe ? PLACEMENT_KEEP_SP : 0, &place);
	end = sym->st_value + place.offset;
	printf("# %-18s %-16s size %5lu  +%-3lu %s\n", strrchr(path, '/') + 1, real->name,
	       (unsigned long)sym->st_size, (unsigned long)place.offset,
	       place.emulated ? "emulated" : "single-stepped");
	if (place.emulated && !objdump_agrees(path, sym->st_value, sym->st_size, end)) {
		fprintf(stderr, "objdump does not agree: %s\n", real->name);
		CHECK(false);
	}
	return place.emulated;
}

static unsigned int survey_symbols(const char *path, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	unsigned int good = 0;
	GElf_Sym sym;

	for (int i = 0; gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(elf, shdr->sh_link, sym.st_name);

		for (size_t j = 0; name && sym.st_shndx && j < sizeof(reals) / sizeof(reals[0]);
		     j++) {
			if (!strcmp(name, reals[j].name))
				good += survey_function(path, elf, &sym, &reals[j]);
		}
	}
	return good;
}

/* Prints a line for each function of `soname`; returns how many have an emulated place. */
static unsigned int survey(const char *soname)
{
	unsigned int good = 0;
	Elf_Scn *scn = NULL;
	char path[512];
	GElf_Shdr shdr;
	Elf *elf;
	int fd;

	if (!library_path(soname, path, sizeof(path))) {
		printf("# %s is not installed\n", soname);
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while ((scn = elf_nextscn(elf, scn)) && gelf_getshdr(scn, &shdr)) {
		if (shdr.sh_type == SHT_DYNSYM)
			good += survey_symbols(path, elf, scn, &shdr);
	}
	elf_end(elf);
	close(fd);
	return good;
}

int main(void)
{
	elf_version(EV_CURRENT);
	test_assembled();
	test_n_args();
	test_moved_arguments();
	test_samples();
	test_limits();
	/* all but reallocarray, munmap and mremap, which give no room */
	CHECK(survey("libc.so.6") >= 10);
	survey("libjemalloc.so.2"); /* where it is installed */
	survey("libtcmalloc.so.4");
	survey("libstdc++.so.6");
	return test_end();
}
