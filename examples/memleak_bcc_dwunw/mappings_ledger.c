/* SPDX-License-Identifier: BSD-2-Clause */
/* A treap (Seidel, Aragon: Randomized Search Trees, 1996): a million neighbours cost no more than their logarithm each. */
#include "mappings_ledger.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define MAX_TAKEN 1024

struct node {
	struct mappings_block block;
	uint32_t priority; /* not less than those below */
	struct node *left, *right;
};

struct taken {
	uint32_t tid;
	struct node *blocks;
};

struct mappings_ledger {
	uint64_t page;
	uint32_t random;
	struct node *root;
	struct taken taken[MAX_TAKEN]; /* oldest first */
	size_t n_taken;
};

static uint32_t next_random(struct mappings_ledger *ledger)
{
	uint32_t x = ledger->random; /* xorshift: Marsaglia, 2003 */

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return ledger->random = x;
}

/* Parts what begins before `addr` from the rest. */
static void split(struct node *node, uint64_t addr, struct node **before, struct node **rest)
{
	while (node) {
		if (node->block.start < addr) {
			*before = node;
			before = &node->right;
			node = node->right;
		} else {
			*rest = node;
			rest = &node->left;
			node = node->left;
		}
	}
	*before = NULL;
	*rest = NULL;
}

/* All of `left` is before all of `right`. */
static struct node *join(struct node *left, struct node *right)
{
	struct node *root = NULL, **to = &root;

	while (left && right) {
		if (left->priority >= right->priority) {
			*to = left;
			to = &left->right;
			left = left->right;
		} else {
			*to = right;
			to = &right->left;
			right = right->left;
		}
	}
	*to = left ? left : right;
	return root;
}

static struct node *last(struct node *node)
{
	while (node && node->right)
		node = node->right;
	return node;
}

static struct node *first(struct node *node)
{
	while (node && node->left)
		node = node->left;
	return node;
}

/* The tree is as deep as a logarithm of its size, but for bad luck beyond measure. */
static void free_tree(struct node *node)
{
	while (node) {
		struct node *right = node->right;

		free_tree(node->left);
		free(node);
		node = right;
	}
}

static struct node *new_node(struct mappings_ledger *ledger, const struct mappings_block *block)
{
	struct node *node = malloc(sizeof(*node));

	if (node)
		*node = (struct node){.block = *block, .priority = next_random(ledger)};
	return node;
}

/* Cuts the block that lies across `addr`, if there is one, in two. */
static int cut(struct mappings_ledger *ledger, uint64_t addr)
{
	struct node *before, *rest, *node;
	int err = 0;

	split(ledger->root, addr, &before, &rest);
	node = last(before);
	if (node && node->block.end > addr) {
		struct mappings_block tail = node->block;
		struct node *new;

		tail.start = addr;
		new = new_node(ledger, &tail);
		if (new) {
			node->block.end = addr;
			rest = join(new, rest);
		} else {
			err = -ENOMEM;
		}
	}
	ledger->root = join(before, rest);
	return err;
}

/* Takes all of [start, end) out. */
static int take_out(struct mappings_ledger *ledger, uint64_t start, uint64_t end, struct node **ret)
{
	struct node *before, *rest, *behind;
	int err = cut(ledger, start);

	if (!err)
		err = cut(ledger, end);
	if (err)
		return err;
	split(ledger->root, start, &before, &rest);
	split(rest, end, ret, &behind);
	ledger->root = join(before, behind);
	return 0;
}

/* The pages of a range; false: it wraps round. */
static bool widen(const struct mappings_ledger *ledger, uint64_t start, uint64_t size,
		  uint64_t *first_byte, uint64_t *end)
{
	uint64_t last_byte;

	*first_byte = start & ~(ledger->page - 1);
	if (__builtin_add_overflow(start, size, &last_byte) ||
	    __builtin_add_overflow(last_byte, ledger->page - 1, end))
		return false;
	*end &= ~(ledger->page - 1);
	return true;
}

int mappings_ledger_create(uint64_t page, struct mappings_ledger **ret)
{
	struct mappings_ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	ledger->page = page;
	ledger->random = 2463534242;
	*ret = ledger;
	return 0;
}

void mappings_ledger_clear(struct mappings_ledger *ledger)
{
	free_tree(ledger->root);
	ledger->root = NULL;
	for (size_t i = 0; i < ledger->n_taken; i++)
		free_tree(ledger->taken[i].blocks);
	ledger->n_taken = 0;
}

void mappings_ledger_destroy(struct mappings_ledger *ledger)
{
	if (ledger)
		mappings_ledger_clear(ledger);
	free(ledger);
}

int mappings_ledger_unmap(struct mappings_ledger *ledger, uint64_t start, uint64_t size)
{
	struct node *taken;
	uint64_t end;
	int err;

	if (!widen(ledger, start, size, &start, &end))
		return -EINVAL;
	if (start == end)
		return 0;
	err = take_out(ledger, start, end, &taken);
	if (!err)
		free_tree(taken);
	return err;
}

/* Into a place that is free. */
static int insert(struct mappings_ledger *ledger, const struct mappings_block *block)
{
	struct node *before, *rest, *node = new_node(ledger, block);

	if (!node)
		return -ENOMEM;
	split(ledger->root, block->start, &before, &rest);
	ledger->root = join(join(before, node), rest);
	return 0;
}

int mappings_ledger_map(struct mappings_ledger *ledger, const struct mappings_block *block)
{
	int err;

	if (block->end <= block->start)
		return -EINVAL;
	err = mappings_ledger_unmap(ledger, block->start, block->end - block->start);
	return err ? err : insert(ledger, block);
}

/* What the thread took before is gone for good. */
static struct node *forget_taken(struct mappings_ledger *ledger, uint32_t tid)
{
	for (size_t i = 0; i < ledger->n_taken; i++) {
		struct node *blocks = ledger->taken[i].blocks;

		if (ledger->taken[i].tid != tid)
			continue;
		ledger->n_taken--;
		for (; i < ledger->n_taken; i++)
			ledger->taken[i] = ledger->taken[i + 1];
		return blocks;
	}
	return NULL;
}

int mappings_ledger_take(struct mappings_ledger *ledger, uint32_t tid, uint64_t start,
			 uint64_t size)
{
	struct node *blocks = NULL;
	uint64_t end;
	int err;

	free_tree(forget_taken(ledger, tid));
	if (!widen(ledger, start, size, &start, &end))
		return -EINVAL;
	if (start == end)
		return 0;
	err = take_out(ledger, start, end, &blocks);
	if (err || !blocks)
		return err;
	if (ledger->n_taken == MAX_TAKEN)
		free_tree(forget_taken(ledger, ledger->taken[0].tid));
	ledger->taken[ledger->n_taken++] = (struct taken){tid, blocks};
	return 0;
}

static bool are_parts_of_one(const struct node *a, const struct node *b)
{
	return a && b && a->block.end == b->block.start && a->block.time_ns == b->block.time_ns &&
	       a->block.stack_id == b->block.stack_id;
}

/* Two blocks that meet at `addr` and were one are one again. */
static void heal(struct mappings_ledger *ledger, uint64_t addr)
{
	struct node *before, *rest, *a, *b, *after;

	split(ledger->root, addr, &before, &rest);
	a = last(before);
	b = first(rest);
	if (are_parts_of_one(a, b)) {
		split(rest, b->block.start + 1, &b, &after);
		a->block.end = b->block.end;
		free(b);
		rest = after;
	}
	ledger->root = join(before, rest);
}

/* Puts back what of `block` is still free. */
static int put_back(struct mappings_ledger *ledger, const struct mappings_block *block)
{
	struct mappings_block part = *block;
	struct node *newer, *before, *rest;
	int err = 0;

	while (!err && part.start < block->end) {
		/* the first newer block that ends behind the part's start */
		split(ledger->root, part.start, &before, &rest);
		newer = last(before);
		if (!newer || newer->block.end <= part.start)
			newer = first(rest);
		ledger->root = join(before, rest);
		part.end = block->end;
		if (newer && newer->block.start < part.end)
			part.end =
				newer->block.start > part.start ? newer->block.start : part.start;
		if (part.end > part.start)
			err = insert(ledger, &part);
		heal(ledger, part.start);
		heal(ledger, part.end);
		part.start = block->end;
		if (newer && part.end < block->end)
			part.start = (newer->block.end + ledger->page - 1) & ~(ledger->page - 1);
	}
	return err;
}

static int put_back_tree(struct mappings_ledger *ledger, const struct node *node)
{
	int err = 0;

	for (; node && !err; node = node->right) {
		err = put_back_tree(ledger, node->left);
		if (!err)
			err = put_back(ledger, &node->block);
	}
	return err;
}

int mappings_ledger_restore(struct mappings_ledger *ledger, uint32_t tid)
{
	struct node *blocks = forget_taken(ledger, tid);
	int err = put_back_tree(ledger, blocks);

	free_tree(blocks);
	return err;
}

static int for_each(const struct node *node, int (*fn)(const struct mappings_block *, void *),
		    void *arg)
{
	int err = 0;

	for (; node && !err; node = node->right) {
		err = for_each(node->left, fn, arg);
		if (!err)
			err = fn(&node->block, arg);
	}
	return err;
}

int mappings_ledger_for_each(const struct mappings_ledger *ledger,
			     int (*fn)(const struct mappings_block *block, void *arg), void *arg)
{
	return for_each(ledger->root, fn, arg);
}
