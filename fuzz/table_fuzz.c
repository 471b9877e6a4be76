/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table image. As the kernel reads it, unchecked: a masked search stays in its memory. What table_check() accepts: the
 * rule at every address lies in the image and is that of a search from row to row, and a step by it ends.
 */
#include <dwunw/step.h>

#include "table/table.h"
#include "fuzz.h"

#define MAX_PAGES 64
#define MAX_ROWS 32
#define MAX_RULES 64

struct dwunw_reader {
	unsigned int n;
};

static inline int dwunw_read_word(struct dwunw_reader *reader, __u64 addr, __u64 *ret)
{
	HOLDS(++reader->n < 100);
	*ret = mix(addr);
	return addr % 16 == 0 ? -1 : 0;
}

/* The image in memory of a power of two of bytes; a mask keeps whatever offset it has inside. */
static void look_up_unchecked(const uint8_t *image, size_t size)
{
	struct dwunw_table_header header;
	struct dwunw_table_page page;
	uint32_t capacity = sizeof(header);
	uint8_t *memory;

	while (capacity < size)
		capacity *= 2;
	memory = calloc(1, capacity);
	HOLDS(memory);
	memcpy(memory, image, size);
	memcpy(&header, memory, sizeof(header));
	for (uint32_t i = 0; i < MAX_PAGES && i < header.n_pages; i++) {
		uint32_t at = (header.pages + i * (uint32_t)sizeof(page)) & (capacity - 1) & ~7u;

		memcpy(&page, memory + at, sizeof(page));
		if (page.n_rows == 0)
			continue;
		for (uint32_t pc = 0; pc <= 0xffff; pc += 0x1111) {
			uint32_t row =
				dwunw_find_row(memory, capacity - 1, page.rows, page.n_rows, pc);

			HOLDS(row < page.n_rows);
		}
	}
	free(memory);
}

static uint32_t search_rows(const uint32_t *rows, uint32_t n, uint32_t pc16)
{
	uint32_t i = 0;

	while (i + 1 < n && rows[i + 1] >> 16 <= pc16)
		i++;
	return rows[i] & 0xffff;
}

static void look_up_page(const struct table *table, uint32_t index)
{
	const struct dwunw_table_header *header = table->header;
	const uint8_t *image = (const uint8_t *)header;
	const struct dwunw_table_page *page =
		(const struct dwunw_table_page *)(image + header->pages) + index;
	const struct dwunw_rule *rules = (const void *)(image + header->rules);
	const uint32_t *rows = (const void *)(image + page->rows);
	uint64_t vaddr = (header->first_page + index) << DWUNW_PAGE_SHIFT;

	for (uint32_t i = 0; i < MAX_ROWS + 2; i++) {
		uint32_t pc16 = i == MAX_ROWS ? 0xffff : i == MAX_ROWS + 1 ? 0x8000 : 0;
		uint32_t rule = 0;

		if (i < MAX_ROWS && i < page->n_rows)
			pc16 = rows[i] >> 16;
		if (page->n_rows)
			rule = search_rows(rows, page->n_rows, pc16);
		HOLDS(table_find_rule(table, vaddr + pc16) == &rules[rule]);
	}
}

static void step(const struct dwunw_rule *rule, const struct dwunw_step_arch *arch, uint32_t seed,
		 const struct dwunw_rule *saved)
{
	struct dwunw_step_state state = {
		.pc = mix(seed),
		.sp = mix(seed + 1),
		.fp = mix(seed + 2),
		.valid = (uint32_t)mix(seed + 3),
		.pc_exact = seed & 1,
		.ra_mask = arch->ra_mask,
	};
	struct dwunw_reader reader = {0};
	uint64_t cfa = 0;
	int stop;

	for (int i = 0; i < DWUNW_MAX_REGS; i++)
		state.regs[i] = mix(seed + i);
	stop = dwunw_step(&state, arch, &reader, &rule->frame, saved, (__u64 *)&cfa);
	HOLDS(stop == DWUNW_CONTINUE || (stop >= 0 && stop < DWUNW_N_STOP_REASONS));
}

static void step_by_rules(const struct dwunw_table_header *header)
{
	const struct dwunw_rule *rules = (const void *)((const uint8_t *)header + header->rules);

	for (uint32_t i = 0; i < header->n_rules && i < MAX_RULES; i++) {
		for (uint8_t kind = 0; kind < 5; kind++) {
			struct input input = {&kind, 1};
			const struct dwunw_step_arch *arch = input_arch(&input)->step;

			step(&rules[i], arch, i, NULL);
			step(&rules[i], arch, i, &rules[i]);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct table table;
	uint8_t *image = input_bytes(&input, size, &size);

	look_up_unchecked(image, size);
	if (table_check(image, size) == 0) {
		table = (struct table){.header = (const void *)image};
		for (uint32_t i = 0; i < table.header->n_pages && i < MAX_PAGES; i++)
			look_up_page(&table, i);
		for (uint64_t vaddr = 1; vaddr; vaddr <<= 1)
			(void)table_find_rule(&table, vaddr - 1)->frame.flags;
		(void)table_find_rule(&table, ~0ULL)->frame.flags;
		step_by_rules(table.header);
	}
	free(image);
	return 0;
}
