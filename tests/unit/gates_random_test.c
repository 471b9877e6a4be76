/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves on functions that are made up at random (branches of all conditions, loops, calls, copies between registers, pushes and pops, several
 * returns) what gates_run_test.c proves on allocators: on each call one gate or one return that has kept its probe is passed, the
 * result is in the register that is named, and the return address where it is said to be.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>

#include "../workdir.h"
#include "elf/elf_file.h"
#include "gates_run.h"
#include "process/process.h"

#define N_FUNCTIONS 600
#define N_ROUNDS 12
#define MAX_BLOCKS 9

static unsigned int seed = 1;

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand_r(&seed) / 7 % n;
}

/* r10 counts loops, rbx and r12 are saved. */
static const char *any_register(void)
{
	static const char *const registers[] = {"rax", "rax", "rcx", "rdx", "rsi",
						"rdi", "r8",  "r9",  "r11", "rbx"};

	return registers[below(sizeof(registers) / sizeof(registers[0]))];
}

static void write_operation(FILE *file)
{
	const char *to = any_register(), *from = any_register();
	int n = (int)below(40) - 20;

	switch (below(12)) {
	case 0:
	case 1:
	case 2:
		fprintf(file, "mov %%%s, %%%s\n", from, to);
		break;
	case 3:
		fprintf(file, "lea %d(%%%s), %%%s\n", n, from, to);
		break;
	case 4:
		fprintf(file, "add $%d, %%%s\n", n, to);
		break;
	case 5:
		fprintf(file, "mov %%esi, %%eax\n");
		break;
	case 6:
		fprintf(file, "push %%%s\nadd $3, %%%s\npop %%%s\n", from, to, from);
		break;
	case 7:
		fprintf(file, "sub $%u, %%rsp\n test %%%s, %%%s\nlea %u(%%rsp), %%rsp\n", 24, from,
			to, 24);
		break;
	case 8:
		fprintf(file, "push %%%s\npop %%%s\n", from, to);
		break;
	case 9:
		fprintf(file, "mov $%u, %%r10d\n7: xor %%%s, %%%s\nsub $1, %%r10d\njne 7b\n",
			1 + below(3), from, to);
		break;
	case 10:
		fprintf(file, "xchg %%%s, %%%s\n", from, to);
		break;
	default:
		fprintf(file, "cmp %%%s, %%%s\n", from, to);
		break;
	}
}

struct frame {
	bool saves_r12;
	unsigned int size;
};

static void write_return(FILE *file, const struct frame *frame)
{
	if (frame->size)
		fprintf(file, "add $%u, %%rsp\n", frame->size);
	fprintf(file, "%spop %%rbx\nret\n", frame->saves_r12 ? "pop %r12\n" : "");
}

/* How block `i` of function `number` ends; each way leads to a later one. */
static void write_end(FILE *file, unsigned int number, unsigned int i, unsigned int n,
		      const struct frame *frame)
{
	static const char *const conditions[] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
						 "s", "ns", "p", "np", "l", "ge", "le", "g"};
	unsigned int to = i + 1 + below(n - i);

	switch (below(8)) {
	case 0:
	case 1:
	case 2:
	case 3:
		fprintf(file, "cmp $%d, %%%s\nj%s .L%u_%u\n", (int)below(5) - 2, any_register(),
			conditions[below(16)], number, to);
		break;
	case 4:
		fprintf(file, "jmp .L%u_%u\n", number, to);
		break;
	case 5:
		fprintf(file, "call helper\n");
		break;
	case 6:
		write_return(file, frame);
		break;
	default:
		break;
	}
}

/* Its call frame information says where code is; by a frame pointer, so that it says nothing of the stack pointer. */
static void write_function(FILE *file, unsigned int number)
{
	const struct frame frame = {below(2), below(3) * 200};
	unsigned int n = 2 + below(MAX_BLOCKS - 2);

	fprintf(file,
		".globl f%u\n.type f%u, @function\nf%u:\n.cfi_startproc\n.cfi_def_cfa %%rbp, 16\n"
		"push %%rbx\n%s",
		number, number, number, frame.saves_r12 ? "push %r12\n" : "");
	if (frame.size)
		fprintf(file, "sub $%u, %%rsp\n", frame.size);
	fprintf(file, "mov %%rdi, %%rax\nmov %%rsi, %%r8\nmov %%rdx, %%r9\nmov %%rcx, %%r11\n"
		      "mov %%rdi, %%rbx\n");
	for (unsigned int i = 0; i < n; i++) {
		fprintf(file, ".L%u_%u:\n", number, i);
		for (unsigned int j = below(4); j > 0; j--)
			write_operation(file);
		write_end(file, number, i, n, &frame);
	}
	fprintf(file, ".L%u_%u:\n", number, n);
	write_return(file, &frame);
	fprintf(file, ".cfi_endproc\n.size f%u, . - f%u\n", number, number);
}

static void make_library(void)
{
	FILE *file = fopen("random.s", "w");

	CHECK(file != NULL);
	fprintf(file, ".text\nhelper:\n.cfi_startproc\nlea 1(%%rsi), %%rax\nmov %%rdx, %%rsi\n"
		      "xor %%r9d, %%r9d\nret\n.cfi_endproc\n");
	for (unsigned int i = 0; i < N_FUNCTIONS; i++)
		write_function(file, i);
	fprintf(file, ".section .note.GNU-stack, \"\", @progbits\n");
	CHECK(fclose(file) == 0);
	run("gcc -shared -nostdlib -o random.so random.s");
}

/* Those of the returns that keep their probes. */
static void take_returns(const struct returns *all, const struct gates *gates, uint64_t *ret,
			 size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < all->n; i++) {
		bool replaced = false;

		for (size_t j = 0; j < gates->n_returns; j++)
			replaced |= gates->returns[j] == all->vaddrs[i];
		if (!replaced)
			ret[(*n)++] = all->vaddrs[i];
	}
}

static void check_function(void *handle, struct module *module, unsigned int number)
{
	uint64_t vaddr, size, kept[RETURNS_MAX];
	struct watched watched = {.returns = kept};
	struct returns returns;
	struct gates gates;
	char name[16];
	void *ret;

	snprintf(name, sizeof(name), "f%u", number);
	CHECK(elf_file_find_function(module->elf, name, &vaddr, &size) == 0);
	CHECK(returns_find(module, vaddr, NULL, 0, &returns) == 0);
	CHECK(gates_find(module, &vaddr, 1, NULL, 0, NULL, 0, &gates) == 0);
	take_returns(&returns, &gates, kept, &watched.n_returns);
	watched.gates = &gates;
	call.function = &watched;
	for (int round = 0; round < N_ROUNDS; round++) {
		const long args[4] = {(long)below(5) - 2, (long)below(5) - 2, (long)below(5) - 2,
				      (long)below(5) - 2};

		check_call((any)dlsym(handle, name), name, args, &ret);
	}
}

int main(void)
{
	struct module_cache *modules = NULL;
	struct module *module;
	struct link_map *map;
	void *handle;
	int fd;

	start_looking();
	workdir_enter();
	make_library();
	handle = dlopen("./random.so", RTLD_NOW);
	fd = open("random.so", O_RDONLY | O_CLOEXEC);
	CHECK(handle && module_cache_create(0, &modules) == 0);
	CHECK(module_cache_get(modules, fd, "random.so", &module) == 0);
	CHECK(dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0);
	call.bias = map->l_addr;
	for (unsigned int i = 0; i < N_FUNCTIONS; i++)
		check_function(handle, module, i);
	printf("# %u calls: %u by gates, of which %u by a return too, %u by returns\n",
	       totals.calls, totals.by_gate, totals.by_both, totals.by_return);
	CHECK(totals.wrong == 0);
	CHECK(totals.by_gate > N_FUNCTIONS && totals.by_return > N_FUNCTIONS);
	module_put(modules, module);
	module_cache_destroy(modules);
	dlclose(handle);
	close(fd);
	workdir_leave();
	return test_end();
}
