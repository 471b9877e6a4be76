/* SPDX-License-Identifier: BSD-2-Clause */
#include "returns.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "placement_arch.h"
#include "process/process.h"

#define MAX_INSTRUCTIONS 8192 /* ten times what was seen */
#define MAX_PENDING 512

struct follower {
	const struct placement_arch *arch;
	struct module *module;
	const struct cfi *cfi;
	csh handle;
	cs_insn *insn;
	uint64_t visited[MAX_INSTRUCTIONS]; /* a hash table */
	size_t n_visited;
	uint64_t pending[MAX_PENDING];
	size_t n_pending;
	const uint64_t *probed;
	size_t n_probed;
	bool sealing; /* calls of the probed functions end the way: is there one round them? */
	bool open;    /* there may be */
	int err;
	struct returns returns;
	struct followed_code *code; /* NULL: not asked for */
};

static bool is_probed(const struct follower *f, uint64_t vaddr)
{
	for (size_t i = 0; i < f->n_probed; i++)
		if (f->probed[i] == vaddr)
			return true;
	return false;
}

/* False: it was visited before, or there is no room. */
static bool visit(struct follower *f, uint64_t vaddr)
{
	size_t at = (size_t)(vaddr * 0x9e3779b97f4a7c15ULL >> 51) % MAX_INSTRUCTIONS;

	if (f->n_visited == MAX_INSTRUCTIONS / 2) {
		f->err = -E2BIG;
		return false;
	}
	for (; f->visited[at]; at = (at + 1) % MAX_INSTRUCTIONS)
		if (f->visited[at] == vaddr)
			return false;
	f->visited[at] = vaddr;
	f->n_visited++;
	return true;
}

static void follow_later(struct follower *f, uint64_t vaddr)
{
	if (f->n_pending == MAX_PENDING)
		f->err = -E2BIG;
	else
		f->pending[f->n_pending++] = vaddr;
}

static void add_return(struct follower *f, uint64_t vaddr)
{
	f->open = true;
	for (size_t i = 0; i < f->returns.n; i++)
		if (f->returns.vaddrs[i] == vaddr)
			return;
	if (f->returns.n == RETURNS_MAX)
		f->err = -E2BIG;
	else
		f->returns.vaddrs[f->returns.n++] = vaddr;
}

/* The function of this file that the dynamic linker puts the address of into the word at `slot`; 0: not known. */
static uint64_t in_slot(const struct follower *f, const char *relocations, uint64_t slot)
{
	struct elf_section table, symbols;
	Elf64_Rela rela;
	Elf64_Sym symbol;

	if (elf_file_section(f->module->elf, relocations, &table) ||
	    elf_file_section(f->module->elf, ".dynsym", &symbols))
		return 0;
	for (size_t at = 0; at + sizeof(rela) <= table.size; at += sizeof(rela)) {
		size_t index;

		memcpy(&rela, table.data + at, sizeof(rela));
		index = ELF64_R_SYM(rela.r_info);
		if (rela.r_offset != slot || !index || index >= symbols.size / sizeof(symbol))
			continue;
		memcpy(&symbol, symbols.data + index * sizeof(symbol), sizeof(symbol));
		return symbol.st_shndx == SHN_UNDEF ? 0 : symbol.st_value;
	}
	return 0;
}

/* What a jump goes to that may lead out of the function; 0: it is not followed. */
static uint64_t jump(struct follower *f, uint64_t vaddr)
{
	if (is_probed(f, vaddr))
		return 0;
	follow_later(f, vaddr);
	return vaddr;
}

static uint64_t jump_through(struct follower *f, uint64_t slot)
{
	uint64_t vaddr = in_slot(f, ".rela.plt", slot);

	if (!vaddr)
		vaddr = in_slot(f, ".rela.dyn", slot);
	if (vaddr)
		return jump(f, vaddr);
	f->open = true;
	return 0;
}

/* A call of an entry of the linkage table is one of what it jumps to. */
static uint64_t called(const struct follower *f, uint64_t vaddr)
{
	const uint8_t *code;
	size_t size;
	uint64_t next = vaddr, slot, target = 0;
	cs_insn *insn = cs_malloc(f->handle);

	if (!insn)
		return vaddr;
	if (elf_file_bytes_at(f->module->elf, vaddr, &code, &size))
		size = 0;
	/* at most one instruction (endbr64) before the jump */
	for (int i = 0; i < 2 && size && cs_disasm_iter(f->handle, &code, &size, &next, insn);
	     i++) {
		enum placement_flow flow = f->arch->flow(insn, &slot);

		if (flow == PLACEMENT_SLOT) {
			target = in_slot(f, ".rela.plt", slot);
			target = target ? target : in_slot(f, ".rela.dyn", slot);
		}
		if (flow != PLACEMENT_NEXT)
			break;
	}
	cs_free(insn, 1);
	return target ? target : vaddr;
}

/* Whether the code goes on behind the instruction. *flow: what it does, *target: where to, 0: that is not followed. */
static bool follow_instruction(struct follower *f, enum placement_flow *flow, uint64_t *target)
{
	*target = 0;
	*flow = f->arch->flow(f->insn, target);
	switch (*flow) {
	case PLACEMENT_NEXT:
		return true;
	case PLACEMENT_CALL:
		if (!f->sealing)
			return true;
		f->open |= !*target || !is_probed(f, called(f, *target));
		return false;
	case PLACEMENT_EITHER:
		*target = jump(f, *target);
		return true;
	case PLACEMENT_JUMP:
		*target = jump(f, *target);
		return false;
	case PLACEMENT_SLOT:
		*target = jump_through(f, *target);
		return false;
	case PLACEMENT_RETURN:
		add_return(f, f->insn->address);
		return false;
	case PLACEMENT_LOST:
		f->open = true;
		return false;
	}
	return false;
}

static void note(struct follower *f, enum placement_flow flow, uint64_t target)
{
	uint64_t ignored;

	if (!f->code)
		return;
	f->code->instructions[f->code->n++] =
		(struct followed){f->insn->address, target, (uint8_t)f->insn->size, flow};
	if (flow == PLACEMENT_LOST &&
	    f->arch->branch(f->insn, &ignored) == PLACEMENT_BRANCH_ANYWHERE)
		f->code->computed = true;
}

/* Up to a jump, or to code that was visited, or to what is no code: the last call did not return. */
static void follow_block(struct follower *f, uint64_t vaddr)
{
	const uint8_t *code;
	size_t size;
	uint64_t next = vaddr, target;

	if (elf_file_bytes_at(f->module->elf, vaddr, &code, &size)) {
		f->open = true;
		return;
	}
	while (!f->err && visit(f, next)) {
		enum placement_flow flow;
		struct cfi_row row;
		bool goes_on;

		if (cfi_find_row(f->cfi, next, &row) ||
		    !cs_disasm_iter(f->handle, &code, &size, &next, f->insn)) {
			f->open = true;
			return;
		}
		goes_on = follow_instruction(f, &flow, &target);
		note(f, flow, target);
		if (!goes_on)
			return;
	}
}

static void follow(struct follower *f, const uint64_t *vaddrs, size_t n, bool sealing)
{
	memset(f->visited, 0, sizeof(f->visited));
	f->n_visited = 0;
	f->sealing = sealing;
	f->open = false;
	f->err = 0;
	f->returns.n = 0;
	f->n_pending = 0;
	for (size_t i = 0; i < n; i++)
		follow_later(f, vaddrs[i]);
	while (f->n_pending && !f->err && !(sealing && f->open))
		follow_block(f, f->pending[--f->n_pending]);
}

static int find(struct follower *f, uint64_t vaddr)
{
	follow(f, &vaddr, 1, true);
	f->returns.sealed = !f->open && !f->err;
	if (f->returns.sealed)
		return 0;
	follow(f, &vaddr, 1, false);
	if (f->err)
		return f->err;
	return f->returns.n ? 0 : -ENOENT;
}

static void follower_destroy(struct follower *f)
{
	if (!f)
		return;
	if (f->insn)
		cs_free(f->insn, 1);
	if (f->handle)
		cs_close(&f->handle);
	free(f);
}

static int follower_create(struct module *module, const uint64_t *probed, size_t n_probed,
			   struct follower **ret)
{
	struct follower *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->arch = placement_native_arch();
	f->module = module;
	f->probed = probed;
	f->n_probed = n_probed;
	err = f->arch ? module_cfi(module, &f->cfi) : -ENOTSUP;
	if (!err && cs_open(f->arch->arch, f->arch->mode, &f->handle) == CS_ERR_OK &&
	    cs_option(f->handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		f->insn = cs_malloc(f->handle);
	if (f->insn) {
		*ret = f;
		return 0;
	}
	follower_destroy(f);
	return err && err != -ENOMEM ? -ENOTSUP : -ENOMEM;
}

int returns_find(struct module *module, uint64_t vaddr, const uint64_t *probed, size_t n_probed,
		 struct returns *ret)
{
	struct follower *f = NULL;
	int err = follower_create(module, probed, n_probed, &f);

	if (!err)
		err = find(f, vaddr);
	if (!err)
		*ret = f->returns;
	follower_destroy(f);
	return err;
}

int returns_follow(struct module *module, const uint64_t *vaddrs, size_t n, const uint64_t *probed,
		   size_t n_probed, struct followed_code *ret)
{
	struct followed_code code = {};
	struct follower *f = NULL;
	int err = follower_create(module, probed, n_probed, &f);

	code.instructions = calloc(MAX_INSTRUCTIONS, sizeof(*code.instructions));
	if (!err && !code.instructions)
		err = -ENOMEM;
	if (!err) {
		f->code = &code;
		follow(f, vaddrs, n, false);
		err = f->err;
	}
	follower_destroy(f);
	if (err)
		free(code.instructions);
	else
		*ret = code;
	return err;
}
