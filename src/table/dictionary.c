/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cfi/cfi.h"
#include "table/dictionary.h"
#include "table/table.h"

#define RECENT_SHIFT 12
#define N_RECENT (1u << RECENT_SHIFT)
#define N_BUCKETS (2 * DWUNW_MAX_RULES) /* a power of two, at most half full */

/* A row seen before; rows of equal fingerprint have the same rule. */
struct recent_row {
	uint64_t fingerprint;
	uint32_t generation; /* of the dictionary when it was seen */
	__u16 rule;
};

struct dictionary {
	const struct arch *arch;
	struct dwunw_rule *rules;
	size_t n, capacity;
	__u16 overflow;
	uint32_t generation;		    /* from 1; a new one begins when rules are forgotten */
	struct recent_row recent[N_RECENT]; /* by fingerprint; a newer one takes the place */
	__u16 buckets[N_BUCKETS];	    /* by content: rule index + 1; 0: free */
};

static int append_rule(struct dictionary *d, const struct dwunw_rule *rule)
{
	if (d->n == d->capacity) {
		size_t capacity = d->capacity ? 2 * d->capacity : 64;
		void *rules = reallocarray(d->rules, capacity, sizeof(d->rules[0]));

		if (!rules)
			return -ENOMEM;
		d->rules = rules;
		d->capacity = capacity;
	}
	d->rules[d->n++] = *rule;
	return 0;
}

static uint32_t hash_rule(const struct dwunw_rule *rule)
{
	uint64_t words[sizeof(*rule) / sizeof(uint64_t)];
	uint64_t hash = 0;

	memcpy(words, rule, sizeof(*rule));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash;
}

static int intern_rule(struct dictionary *d, const struct dwunw_rule *rule, __u16 *ret)
{
	static const struct dwunw_rule overflow = {.frame.cfa_kind = DWUNW_RULE_EXPRESSION};
	uint32_t i = hash_rule(rule) % N_BUCKETS;

	for (; d->buckets[i]; i = (i + 1) % N_BUCKETS) {
		if (!memcmp(&d->rules[d->buckets[i] - 1], rule, sizeof(*rule))) {
			*ret = d->buckets[i] - 1;
			return 0;
		}
	}
	if (d->n < DWUNW_MAX_RULES - 1) {
		if (append_rule(d, rule))
			return -ENOMEM;
		d->buckets[i] = d->n;
		*ret = d->n - 1;
		return 0;
	}
	if (!d->overflow) {
		if (append_rule(d, &overflow))
			return -ENOMEM;
		d->overflow = d->n - 1;
	}
	*ret = d->overflow;
	return 0;
}

int dictionary_create(const struct arch *arch, struct dictionary **ret)
{
	static const struct dwunw_rule no_rule = {.frame.cfa_kind = DWUNW_NO_RULE};
	struct dictionary *d = calloc(1, sizeof(*d));
	__u16 index;

	if (!d)
		return -ENOMEM;
	d->arch = arch;
	d->generation = 1;
	if (intern_rule(d, &no_rule, &index)) {
		dictionary_destroy(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

void dictionary_destroy(struct dictionary *d)
{
	if (d)
		free(d->rules);
	free(d);
}

/* Not inlined: most rows were seen before and need none of its stack. */
static __attribute__((noinline)) int intern_new_row(struct dictionary *d, const struct cfi_row *row,
						    struct recent_row *recent, __u16 *ret)
{
	struct dwunw_rule rule;
	int err;

	rule_from_row(d->arch, row, &rule);
	err = intern_rule(d, &rule, &recent->rule);
	if (err)
		return err;
	recent->fingerprint = row->fingerprint;
	recent->generation = d->generation;
	*ret = recent->rule;
	return 0;
}

int dictionary_intern(struct dictionary *d, const struct cfi_row *row, __u16 *ret)
{
	struct recent_row *recent = &d->recent[row->fingerprint >> (64 - RECENT_SHIFT)];

	if (recent->generation != d->generation || recent->fingerprint != row->fingerprint)
		return intern_new_row(d, row, recent, ret);
	*ret = recent->rule;
	return 0;
}

void dictionary_truncate(struct dictionary *d, size_t n)
{
	if (d->n == n)
		return;
	/* Last in, first out: what is taken out of a chain of buckets was its end. */
	for (; d->n > n; d->n--) {
		uint32_t i = hash_rule(&d->rules[d->n - 1]) % N_BUCKETS;

		if (d->overflow == d->n - 1) {
			d->overflow = 0;
			continue;
		}
		while (d->buckets[i] != d->n)
			i = (i + 1) % N_BUCKETS;
		d->buckets[i] = 0;
	}
	d->generation++;
}

const struct dwunw_rule *dictionary_rules(const struct dictionary *d, size_t *n)
{
	*n = d->n;
	return d->rules;
}

__u16 dictionary_overflow(const struct dictionary *d)
{
	return d->overflow;
}
