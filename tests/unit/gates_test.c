/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, over functions assembled by hand, which returns get gates, and what these say; and that none is found where a way round them
 * may be: by a call, a computed jump, an instruction that is not understood, an entry into the middle, a place that is taken, call frame
 * information that says otherwise. Noise for code does no harm. The conditions are those that the processor uses, by setcc. Lists the gates of the operators
 * new of this machine's allocators: their fast ways have them.
 */
#include "gates.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "../workdir.h"
#include "arch/x86_64/dwunw_condition.h"
#include "elf/elf_file.h"
#include "process/process.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

enum { RAX, RDX, RCX, RBX, RSI, RDI, R8 = 8, R9, R11 = 11 };
enum { BELOW = 3, EQUAL = 5, NOT_EQUAL };

/* Each in a file with `helper`, a function, and `pointer`, a word. The first gate is at the label `gate`. */
static const struct example {
	const char *what, *code;
	size_t n_gates, n_returns;
	unsigned int condition, holder, below;
} examples[] = {
	{"not taken", "gate: je 1f; mov %rdi, %rax; ret; 1: call helper; ret", 1, 1, NOT_EQUAL, RDI,
	 0},
	{"taken", "gate: jne 1f; call helper; ret; 1: mov %rdi, %rax; ret", 1, 1, NOT_EQUAL, RDI,
	 0},
	{"near", "gate: jb 1f; call helper; ret; .skip 200, 0x90; 1: mov %rdi, %rax; ret", 1, 1,
	 BELOW, RDI, 0},
	{"two ways to the return",
	 "gate: je 3f; cmp %rsi, %rdi; jb 2f; 1: mov %r9, %rax; ret; 2: mov %rsi, (%rdi); jmp 1b; "
	 "3: call helper; ret",
	 1, 1, NOT_EQUAL, R9, 0},
	{"two gates",
	 "je 3f; mov %r11, %rax; gate: cmp %rsi, %rdi; jb 2f; 1: mov %r11, %rax; ret; 2: test "
	 "%rcx, %rcx; je 3f; jmp 1b; 3: call helper; ret",
	 2, 1, 0, 0, 0},
	{"copied twice",
	 "gate: je 1f; mov %rcx, %rdx; xor %ecx, %ecx; mov %rdx, %rax; ret; 1: call helper; ret", 1,
	 1, NOT_EQUAL, RCX, 0},
	{"stack",
	 "push %rbx; .cfi_adjust_cfa_offset 8; push %r12; .cfi_adjust_cfa_offset 8; sub $40, %rsp; "
	 ".cfi_adjust_cfa_offset 40; gate: je 1f; mov %rdi, %rax; add $40, %rsp; pop %r12; pop "
	 "%rbx; ret; 1: call helper; add $40, %rsp; pop %r12; pop %rbx; ret",
	 1, 1, NOT_EQUAL, RDI, 56},
	{"stack, by lea, and a push between",
	 "sub $24, %rsp; .cfi_adjust_cfa_offset 24; gate: jne 1f; push %rdi; pop %rsi; lea "
	 "24(%rsp), %rsp; ret; 1: call helper; add $24, %rsp; ret",
	 1, 1, EQUAL, RAX, 24},
	{"a call on one way",
	 "je 1f; gate: test %rsi, %rsi; jne 1f; mov %rdi, %rax; ret; "
	 "1: call helper; ret",
	 1, 1, EQUAL, RDI, 0},
	{"a loop before it", "1: dec %rsi; gate: jne 1b; mov %rdi, %rax; ret", 1, 1, EQUAL, RDI, 0},
	{"two functions", "gate: je 1f; mov %rdi, %rax; ret; 1: jmp worker", 1, 1, NOT_EQUAL, RDI,
	 0},
	{"a jump to another file", "gate: je 1f; mov %rdi, %rax; ret; 1: jmp *pointer(%rip)", 1, 1,
	 NOT_EQUAL, RDI, 0},
	/* none */
	{"two functions, quiet both", "gate: je 1f; mov %rdi, %rax; ret; 1: jmp helper", 0, 0, 0, 0,
	 0},
	{"no jump", "mov %rdi, %rax; ret", 0, 0, 0, 0, 0},
	{"behind a call", "call helper; add $1, %rdi; ret", 0, 0, 0, 0, 0},
	{"a way round it, behind a call",
	 "gate: je 1f; 2: mov %rdi, %rax; ret; 1: call helper; jmp 2b", 0, 0, 0, 0, 0},
	{"a way into the middle",
	 "gate: je 1f; mov %rdi, %rcx; 2: mov %rcx, %rax; ret; 1: call "
	 "helper; mov %rax, %rcx; jmp 2b",
	 0, 0, 0, 0, 0},
	{"the result comes later", "gate: je 1f; mov (%rdi), %rax; ret; 1: call helper; ret", 0, 0,
	 0, 0, 0},
	{"popped",
	 "push %rdi; .cfi_adjust_cfa_offset 8; gate: je 1f; pop %rax; ret; 1: call "
	 "helper; pop %rax; ret",
	 0, 0, 0, 0, 0},
	{"a half of it", "gate: je 1f; mov %edi, %eax; ret; 1: call helper; ret", 0, 0, 0, 0, 0},
	{"a part is written", "gate: je 1f; mov %rdi, %rax; mov $1, %ah; ret; 1: call helper; ret",
	 0, 0, 0, 0, 0},
	{"another register on each way",
	 "gate: je 3f; cmp %rsi, %rdi; jb 2f; mov %r9, %rax; ret; 2: mov %r8, %rax; ret; 3: call "
	 "helper; ret",
	 0, 0, 0, 0, 0},
	{"another stack on each way",
	 "gate: je 3f; cmp %rsi, %rdi; jb 2f; mov %rdi, %rax; ret; 2: pop %rcx; mov %rdi, %rax; "
	 "ret; 3: call helper; ret",
	 0, 0, 0, 0, 0},
	{"not understood", "gate: je 1f; xchg %rdi, %rax; ret; 1: call helper; ret", 0, 0, 0, 0, 0},
	{"a system call", "gate: je 1f; syscall; ret; 1: call helper; ret", 0, 0, 0, 0, 0},
	{"ret with a number", "gate: je 1f; mov %rdi, %rax; ret $8; 1: call helper; ret", 0, 0, 0,
	 0, 0},
	{"leave",
	 "push %rbp; mov %rsp, %rbp; .cfi_def_cfa %rbp, 16; gate: je 1f; leave; ret; 1: "
	 "call helper; leave; ret",
	 0, 0, 0, 0, 0},
	{"call frame information says otherwise",
	 ".cfi_adjust_cfa_offset 8; gate: je 1f; mov %rdi, %rax; ret; 1: call helper; ret", 0, 0, 0,
	 0, 0},
	{"a computed jump somewhere",
	 "gate: je 1f; mov %rdi, %rax; ret; 1: call helper; test %rax, %rax; je 2f; jmp *%rax; 2: "
	 "ret",
	 0, 0, 0, 0, 0},
	{"a table of jumps",
	 "cmp $1, %rsi; jne 1f; notrack jmp *(%rdi, %rsi, 8); gate: 1: jne 2f; "
	 "mov %rdi, %rax; ret; 2: call helper; ret",
	 0, 0, 0, 0, 0},
	{"no code on one way", "gate: je 1f; mov %rdi, %rax; ret; 1: jmp no_frame", 0, 0, 0, 0, 0},
	{"jrcxz", "gate: jrcxz 1f; mov %rdi, %rax; ret; 1: call helper; ret", 0, 0, 0, 0, 0},
	{"loop into it",
	 "test %rcx, %rcx; je 1f; mov %rdi, %rax; 2: ret; 1: call helper; loop 2b; "
	 "ud2; gate:",
	 0, 0, 0, 0, 0},
	{"an instruction within another",
	 "test %rdi, %rdi; js 3f; jmp gate + 1; 3: gate: .byte 0x0f, 0x84, 0xd8, 0, 0, 0; 2: .fill "
	 "7, 1, 0x90; call helper; ret; .fill 2b + 0xd8 - ., 1, 0x90; mov %rdi, %rax; ret",
	 0, 0, 0, 0, 0},
	{"too far from the return", "gate: je 1f; .rept 70; nop; .endr; ret; 1: call helper; ret",
	 0, 0, 0, 0, 0},
};

#define N_EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static struct module_cache *modules;

static struct module *open_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct module *module = NULL;

	CHECK(fd >= 0 && module_cache_get(modules, fd, path, &module) == 0);
	close(fd);
	return module;
}

static uint64_t find(const struct module *module, const char *name)
{
	uint64_t vaddr = 0, size;

	CHECK(elf_file_find_function(module->elf, name, &vaddr, &size) == 0);
	return vaddr;
}

static void assemble(const char *code)
{
	FILE *file = fopen("x.s", "w");

	CHECK(file != NULL);
	fprintf(file,
		".text\n.globl f, helper, gate, no_frame\n.type f, @function\n.type helper, "
		"@function\n"
		".type gate, @function\nhelper: .cfi_startproc; ret; .cfi_endproc\nworker: "
		".cfi_startproc; call helper; ret; .cfi_endproc\nno_frame: jmp helper\n"
		".size helper, 1\nf: .cfi_startproc; %s; .cfi_endproc\n.size f, . - f\n"
		".data\n.globl pointer\n.hidden pointer\npointer: .quad 0\n"
		".section .note.GNU-stack, \"\", @progbits\n",
		code);
	CHECK(fclose(file) == 0);
	run("gcc -shared -nostdlib -Wl,-Bsymbolic -o x.so x.s");
}

/* And where the place of its first gate is taken there is none. */
static void check_example(const struct example *e)
{
	struct gates gates;
	struct module *module;
	uint64_t vaddr;
	bool good;

	assemble(e->code);
	module = open_module("./x.so");
	vaddr = find(module, "f");
	CHECK(gates_find(module, &vaddr, 1, NULL, 0, NULL, 0, &gates) == 0);
	good = gates.n == e->n_gates && gates.n_returns == e->n_returns;
	if (good && gates.n == 1)
		good = gates.gates[0].condition == e->condition &&
		       gates.gates[0].holder == e->holder && gates.gates[0].below == e->below &&
		       gates.gates[0].vaddr >= find(module, "gate");
	CHECK(good);
	if (!good)
		fprintf(stderr, "%s: %zu gates, %zu returns; condition %u, holder %u, below %u\n",
			e->what, gates.n, gates.n_returns, gates.gates[0].condition,
			gates.gates[0].holder, gates.gates[0].below);
	if (gates.n) {
		uint64_t taken = gates.gates[0].vaddr;

		CHECK(gates_find(module, &vaddr, 1, NULL, 0, &taken, 1, &gates) == 0);
		CHECK(gates.n == 0 && gates.n_returns == 0);
	}
	module_put(modules, module);
}

/* One function has gates; another one jumps behind them, or to the first one's entry. */
static void test_two_functions(void)
{
	struct module *module;
	struct gates gates;
	uint64_t both[2], entry[2];

	assemble("test %rdi, %rdi; je 1f; gate: mov %rdi, %rax; ret; 1: call helper; ret; "
		 ".cfi_endproc; .globl g, h; .type g, @function; .type h, @function; g: "
		 ".cfi_startproc; call helper; jmp gate; h: jmp f");
	module = open_module("./x.so");
	both[0] = entry[0] = find(module, "f");
	both[1] = find(module, "g");
	entry[1] = find(module, "h");
	CHECK(gates_find(module, both, 1, NULL, 0, NULL, 0, &gates) == 0 && gates.n == 1);
	CHECK(gates_find(module, both, 2, NULL, 0, NULL, 0, &gates) == 0 && gates.n == 0);
	CHECK(gates_find(module, entry, 2, NULL, 0, NULL, 0, &gates) == 0 && gates.n == 1);
	/* a function that is probed by itself, and jumped to */
	CHECK(gates_find(module, entry + 1, 1, entry, 1, NULL, 0, &gates) == 0 && gates.n == 0);
	module_put(modules, module);
	assemble("gate: je g; mov %rdi, %rax; ret; .cfi_endproc; .globl g; .type g, "
		 "@function; g: .cfi_startproc; mov %rdi, %rax; ret");
	module = open_module("./x.so");
	both[0] = find(module, "f");
	both[1] = find(module, "g");
	CHECK(gates_find(module, both, 1, both + 1, 1, NULL, 0, &gates) == 0 && gates.n == 1);
	CHECK(gates.gates[0].condition == NOT_EQUAL && gates.n_returns == 1);
	CHECK(gates_find(module, both, 1, NULL, 0, NULL, 0, &gates) == 0 && gates.n == 0);
	module_put(modules, module);
}

/* Bytes that are hardly code: it ends, and what it says stays inside. */
static void test_noise(void)
{
	static const uint8_t likely[] = {0x74, 0x75, 0xeb, 0xc3, 0x90, 0x50, 0x58, 0x0f};
	unsigned int seed = 1;

	for (int round = 0; round < 100; round++) {
		FILE *file = fopen("noise", "w");
		struct module *module;
		struct gates gates;
		uint64_t vaddr;

		for (int i = 0; file && i < 300; i++) {
			unsigned int byte = (unsigned int)rand_r(&seed) / 7;

			fputc(byte & 0x100 ? likely[byte % sizeof(likely)] : (int)(byte & 0x3f),
			      file);
		}
		CHECK(file && fclose(file) == 0);
		assemble(".incbin \"noise\"; gate:");
		module = open_module("./x.so");
		vaddr = find(module, "f");
		if (gates_find(module, &vaddr, 1, NULL, 0, NULL, 0, &gates) == 0)
			for (size_t i = 0; i < gates.n; i++)
				CHECK(gates.gates[i].vaddr - vaddr < 300);
		module_put(modules, module);
	}
}

/* setcc asks for the same conditions as jcc: 0x0f 0x90 + code. */
static void test_conditions(void)
{
#define SET(name)                                                                                  \
	{                                                                                          \
		unsigned char set;                                                                 \
		__asm__ volatile("lea -128(%%rsp), %%rsp; push %1; popfq; set" name                \
				 " %0; lea 128(%%rsp), %%rsp"                                      \
				 : "=q"(set)                                                       \
				 : "r"(flags)                                                      \
				 : "cc");                                                          \
		CHECK(dwunw_condition_holds(++condition, flags) == set);                           \
	}
	static const unsigned int bits[] = {0, 2, 6, 7, 11};

	for (unsigned int i = 0; i < 32; i++) {
		unsigned long long flags = 0x202;
		unsigned int condition = 0;

		for (unsigned int bit = 0; bit < 5; bit++)
			flags |= (unsigned long long)(i >> bit & 1) << bits[bit];
		SET("o") SET("no") SET("b") SET("ae") SET("e") SET("ne") SET("be") SET("a");
		SET("s") SET("ns") SET("p") SET("np") SET("l") SET("ge") SET("le") SET("g");
	}
}

/* Whether objdump shows a conditional jump at the address. */
static bool is_jump(const char *path, uint64_t vaddr)
{
	char *line = read_command(
		"objdump -d --no-show-raw-insn --start-address=%#lx "
		"--stop-address=%#lx %s | grep -E '^ +[0-9a-f]+:' | head -n 1 | cut -f 2",
		(unsigned long)vaddr, (unsigned long)vaddr + 6, path);
	bool found = line[0] == 'j' && line[1] != 'm';

	free(line);
	return found;
}

static void survey(const char *name)
{
	static const char *const operators[] = {"_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t",
						"_ZnamRKSt9nothrow_t"};
	struct module *module;
	char path[256];

	snprintf(path, sizeof(path), LIBRARIES "%s", name);
	if (access(path, R_OK)) {
		printf("# there is no %s\n", path);
		return;
	}
	module = open_module(path);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		uint64_t vaddr = find(module, operators[i]);
		struct returns returns;
		struct gates gates;

		CHECK(returns_find(module, vaddr, NULL, 0, &returns) == 0);
		CHECK(gates_find(module, &vaddr, 1, NULL, 0, NULL, 0, &gates) == 0);
		CHECK(gates.n > 0 && gates.n_returns > 0);
		printf("# %s %s: %zu of %zu returns, by gates at", name, operators[i],
		       gates.n_returns, returns.n);
		for (size_t j = 0; j < gates.n; j++) {
			printf(" %#lx (register %u, %u bytes)", (unsigned long)gates.gates[j].vaddr,
			       gates.gates[j].holder, gates.gates[j].below);
			CHECK(is_jump(path, gates.gates[j].vaddr));
		}
		printf("\n");
	}
	module_put(modules, module);
}

int main(void)
{
	CHECK(module_cache_create(0, &modules) == 0);
	workdir_enter();
	for (size_t i = 0; i < N_EXAMPLES; i++)
		check_example(&examples[i]);
	test_two_functions();
	test_noise();
	test_conditions();
	survey("libjemalloc.so.2");
	survey("libtcmalloc_minimal.so.4");
	survey("libmimalloc.so.2");
	module_cache_destroy(modules);
	workdir_leave();
	return test_end();
}
