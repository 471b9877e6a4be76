/* SPDX-License-Identifier: BSD-2-Clause */
#include "gates.h"

#include <errno.h>
#include <stdlib.h>

#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "placement_arch.h"
#include "process/process.h"

#define MAX_STEPS 64 /* instructions from a gate to the return */
#define NONE SIZE_MAX

struct node {
	struct followed at;
	size_t next, target; /* numbers of nodes; NONE: it does not go on there */
	bool quiet;	     /* every way leads to a return, as `result` says */
	struct placement_result result;
	unsigned int steps; /* at most, to it */
	size_t region;	    /* not quiet, and a gate: where its condition leads; else NONE */
	unsigned int condition;
	bool is_open;  /* quiet, and a way leads here without a gate */
	bool is_ended; /* quiet, and a way leads to a return that needs no probe */
};

struct search {
	const struct placement_arch *arch;
	struct module *module;
	const struct cfi *cfi;
	csh handle;
	cs_insn *insn;
	struct node *nodes; /* by vaddr */
	size_t n;
	size_t *quiet; /* numbers, each later than those it leads to */
	size_t n_quiet;
	size_t *pending; /* open ones whose followers are not noted yet */
	size_t n_pending;
	const uint64_t *taken;
	size_t n_taken;
};

static int compare_nodes(const void *left, const void *right)
{
	const struct node *a = left, *b = right;

	return a->at.vaddr < b->at.vaddr ? -1 : a->at.vaddr > b->at.vaddr;
}

static size_t find_node(const struct search *s, uint64_t vaddr)
{
	const struct node key = {.at.vaddr = vaddr};
	const struct node *node = bsearch(&key, s->nodes, s->n, sizeof(key), compare_nodes);

	return node ? (size_t)(node - s->nodes) : NONE;
}

static bool goes_on_behind(enum placement_flow flow)
{
	return flow == PLACEMENT_NEXT || flow == PLACEMENT_CALL || flow == PLACEMENT_EITHER;
}

/* False: some way leads to code that could not be followed, and that may lead back from there. */
static bool connect(struct search *s)
{
	bool good = true;

	for (size_t i = 0; i < s->n; i++) {
		struct node *node = &s->nodes[i];
		const struct followed *at = &node->at;

		node->next = node->target = NONE;
		if (goes_on_behind(at->flow)) {
			node->next = find_node(s, at->vaddr + at->size);
			/* what is behind a call that does not return need not be code */
			good &= node->next != NONE || at->flow == PLACEMENT_CALL;
		}
		if (at->target && at->flow != PLACEMENT_CALL) {
			node->target = find_node(s, at->target);
			good &= node->target != NONE;
		}
	}
	return good;
}

static bool decode(const struct search *s, uint64_t vaddr)
{
	const uint8_t *code;
	size_t size;

	return elf_file_bytes_at(s->module->elf, vaddr, &code, &size) == 0 &&
	       cs_disasm_iter(s->handle, &code, &size, &vaddr, s->insn);
}

static bool is_quiet(const struct search *s, size_t node)
{
	return node != NONE && s->nodes[node].quiet;
}

/* What is behind the node, where that is quiet on all its ways, and the same on all. */
static bool behind(const struct search *s, const struct node *node, struct placement_result *ret,
		   unsigned int *steps)
{
	enum placement_flow flow = node->at.flow;
	size_t first = flow == PLACEMENT_JUMP ? node->target : node->next;
	const struct node *a, *b;

	*steps = 0;
	*ret = (struct placement_result){0};
	if (flow == PLACEMENT_RETURN)
		return true;
	if ((flow != PLACEMENT_NEXT && flow != PLACEMENT_JUMP && flow != PLACEMENT_EITHER) ||
	    !is_quiet(s, first))
		return false;
	a = b = &s->nodes[first];
	if (flow == PLACEMENT_EITHER) {
		if (!is_quiet(s, node->target))
			return false;
		b = &s->nodes[node->target];
	}
	*ret = (struct placement_result){a->result.holders & b->result.holders, a->result.below};
	*steps = 1 + (a->steps > b->steps ? a->steps : b->steps);
	return ret->holders && a->result.below == b->result.below && *steps <= MAX_STEPS;
}

/* From the returns backwards, until nothing is added: a loop is never quiet, for it would have to be so first. */
static void find_quiet(struct search *s)
{
	size_t before;

	do {
		before = s->n_quiet;
		for (size_t i = s->n; i-- > 0;) {
			struct node *node = &s->nodes[i];
			struct placement_result result;
			unsigned int steps;

			if (node->quiet || !behind(s, node, &result, &steps) ||
			    !decode(s, node->at.vaddr) || !s->arch->undo(s->insn, &result))
				continue;
			node->quiet = true;
			node->result = result;
			node->steps = steps;
			s->quiet[s->n_quiet++] = i;
		}
	} while (s->n_quiet > before);
}

static bool is_taken(const struct search *s, uint64_t vaddr)
{
	for (size_t i = 0; i < s->n_taken; i++)
		if (s->taken[i] == vaddr)
			return true;
	return false;
}

/* A jump into the middle of another instruction, such as one behind its lock prefix. */
static bool overlaps(const struct search *s, size_t i)
{
	const struct followed *at = &s->nodes[i].at;

	for (size_t j = i; j-- > 0 && at->vaddr - s->nodes[j].at.vaddr < 16;)
		if (s->nodes[j].at.vaddr + s->nodes[j].at.size > at->vaddr)
			return true;
	return i + 1 < s->n && s->nodes[i + 1].at.vaddr < at->vaddr + at->size;
}

/* Where call frame information finds the return address by the stack pointer, it must be where the instructions say. */
static bool is_confirmed(const struct search *s, uint64_t vaddr, int32_t below)
{
	struct cfi_row row;

	if (cfi_find_row(s->cfi, vaddr, &row))
		return false;
	return row.cfa.kind != CFI_REGISTER || row.cfa.reg != s->arch->sp ||
	       row.cfa.off == below + s->arch->return_size;
}

/* Whether a probe on the node can tell what is known of `region`, which is quiet. Decodes the node. */
static bool can_be_gate(const struct search *s, size_t i, size_t region)
{
	int32_t below = s->nodes[region].result.below;
	uint64_t vaddr = s->nodes[i].at.vaddr;

	return below >= 0 && below <= GATES_MAX_BELOW && !is_taken(s, vaddr) && !overlaps(s, i) &&
	       is_confirmed(s, vaddr, below) && decode(s, vaddr) && s->arch->is_emulated(s->insn);
}

static void open(struct search *s, size_t i)
{
	if (!is_quiet(s, i) || s->nodes[i].is_open)
		return;
	s->nodes[i].is_open = true;
	s->pending[s->n_pending++] = i;
}

/* Of the ways from a node that is not quiet to those that are: the one on which it is a gate; else NONE, and they are open. */
static size_t find_gate(struct search *s, size_t i, unsigned int *condition)
{
	const struct node *node = &s->nodes[i];
	bool jumps = is_quiet(s, node->target), goes_on = is_quiet(s, node->next);
	size_t region = jumps ? node->target : node->next;

	if (node->at.flow == PLACEMENT_EITHER && jumps != goes_on && can_be_gate(s, i, region)) {
		*condition = s->arch->condition(s->insn);
		if (*condition && !jumps)
			*condition = s->arch->opposite(*condition);
		if (*condition)
			return region;
	}
	open(s, node->target);
	open(s, node->next);
	return NONE;
}

static void find_gates(struct search *s, const uint64_t *vaddrs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		open(s, find_node(s, vaddrs[i]));
	for (size_t i = 0; i < s->n; i++)
		if (!s->nodes[i].quiet)
			s->nodes[i].region = find_gate(s, i, &s->nodes[i].condition);
	while (s->n_pending) {
		const struct node *node = &s->nodes[s->pending[--s->n_pending]];

		open(s, node->next);
		open(s, node->target);
	}
}

static bool is_ended(const struct search *s, size_t node)
{
	return node != NONE && s->nodes[node].is_ended;
}

/* The returns that no open way leads to, and the gates before them. */
static int collect(struct search *s, struct gates *ret)
{
	for (size_t i = 0; i < s->n_quiet; i++) {
		struct node *node = &s->nodes[s->quiet[i]];

		node->is_ended = is_ended(s, node->next) || is_ended(s, node->target);
		if (node->at.flow != PLACEMENT_RETURN || node->is_open)
			continue;
		if (ret->n_returns == RETURNS_MAX)
			return -E2BIG;
		node->is_ended = true;
		ret->returns[ret->n_returns++] = node->at.vaddr;
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct node *node = &s->nodes[i];
		const struct placement_result *result;

		if (node->quiet || !is_ended(s, node->region))
			continue;
		if (ret->n == GATES_MAX)
			return -E2BIG;
		result = &s->nodes[node->region].result;
		ret->gates[ret->n++] = (struct gate){node->at.vaddr, node->condition,
						     (uint8_t)__builtin_ctz(result->holders),
						     (uint16_t)result->below};
	}
	return 0;
}

static int search(struct search *s, const struct followed_code *code, const uint64_t *vaddrs,
		  size_t n_vaddrs, struct gates *ret)
{
	s->nodes = calloc(code->n, sizeof(*s->nodes));
	s->quiet = calloc(code->n, sizeof(*s->quiet));
	s->pending = calloc(code->n, sizeof(*s->pending));
	if (!s->nodes || !s->quiet || !s->pending)
		return -ENOMEM;
	s->n = code->n;
	for (size_t i = 0; i < s->n; i++)
		s->nodes[i].at = code->instructions[i];
	qsort(s->nodes, s->n, sizeof(*s->nodes), compare_nodes);
	if (!connect(s))
		return 0;
	find_quiet(s);
	find_gates(s, vaddrs, n_vaddrs);
	return collect(s, ret);
}

static int start(struct search *s)
{
	int err = module_cfi(s->module, &s->cfi);

	if (err)
		return err;
	s->arch = placement_native_arch();
	if (!s->arch || cs_open(s->arch->arch, s->arch->mode, &s->handle) != CS_ERR_OK)
		return -ENOTSUP;
	if (cs_option(s->handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		s->insn = cs_malloc(s->handle);
	return s->insn ? 0 : -ENOMEM;
}

static void end(struct search *s)
{
	free(s->nodes);
	free(s->quiet);
	free(s->pending);
	if (s->insn)
		cs_free(s->insn, 1);
	if (s->handle)
		cs_close(&s->handle);
}

int gates_find(struct module *module, const uint64_t *vaddrs, size_t n_vaddrs,
	       const uint64_t *probed, size_t n_probed, const uint64_t *taken, size_t n_taken,
	       struct gates *ret)
{
	struct search s = {.module = module, .taken = taken, .n_taken = n_taken};
	struct followed_code code;
	struct gates gates = {};
	int err = returns_follow(module, vaddrs, n_vaddrs, probed, n_probed, &code);

	if (err)
		return err;
	if (!code.computed && code.n) {
		err = start(&s);
		if (!err)
			err = search(&s, &code, vaddrs, n_vaddrs, &gates);
		end(&s);
	}
	free(code.instructions);
	if (!err)
		*ret = gates;
	return err;
}
