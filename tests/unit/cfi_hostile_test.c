/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves that no bytes make the CFI and table code crash, hang, read outside (run under the
 * sanitizers), or contradict itself: a real .eh_frame and its .eh_frame_hdr, changed and cut
 * thousands of times, the same way each time. Whatever is left of it, each row that was given out
 * must be found again by address, and the table must pass its check and say the same.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "cfi/expression.h"
#include "elf/elf_file.h"
#include "table/table.h"
#include "elf_image.h"
#include "../test.h"

#define N_ROUNDS 4000
#define N_LOOKUPS 100
#define MAX_SECTION 6000 /* bytes of the real section that are kept */
#define SPAN 0x40000
#define EH_VADDR 0x38000
#define HDR_VADDR 0x3c000

static uint64_t random_state = 0x2545f4914f6cdd1d;
static size_t contradictions, n_rows, n_tables;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* The real section's start, moved to where its pc-relative pointers still lead into [0, SPAN). */
static bool load_section(const char *path, struct bytes *eh)
{
	struct elf_section section;
	struct elf_file *file;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && !elf_file_open(fd, &file);

	close(fd);
	if (!ok)
		return false;
	ok = !elf_file_section(file, ".eh_frame", &section);
	if (ok)
		put(eh, section.data, section.size < MAX_SECTION ? section.size : MAX_SECTION);
	elf_file_close(file);
	return ok;
}

/* A search table with plausible entries, sorted or nearly so. */
static void make_hdr(struct bytes *hdr, size_t eh_size)
{
	size_t n = next_random() % 40;

	hdr->size = 0;
	put(hdr, (uint8_t[]){1, 0x1b, 0x03, 0x3b}, 4);
	put_uint(hdr, EH_VADDR - (HDR_VADDR + 4), 4);
	put_uint(hdr, n, 4);
	for (size_t i = 0; i < n; i++) {
		put_uint(hdr, i * SPAN / 40 - HDR_VADDR, 4);
		put_uint(hdr, EH_VADDR + next_random() % eh_size / 4 * 4 - HDR_VADDR, 4);
	}
}

static void change(struct bytes *b)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0b, 0x0f, 0x16, 0x2d};

	if (b->size && next_random() % 8 == 0)
		b->size = next_random() % b->size;
	for (size_t i = next_random() % 12; b->size && i > 0; i--) {
		uint8_t *byte = &b->data[next_random() % b->size];

		switch (next_random() % 3) {
		case 0:
			*byte ^= 1 << next_random() % 8;
			break;
		case 1:
			*byte = values[next_random() % sizeof(values)];
			break;
		default:
			*byte = next_random();
		}
	}
}

static int get_reg(void *arg, uint64_t reg, uint64_t *ret)
{
	(void)arg;
	*ret = reg * 0x100;
	return 0;
}

static int read_memory(void *arg, uint64_t addr, unsigned int size, uint64_t *ret)
{
	(void)arg;
	*ret = addr * size;
	return 0;
}

static void evaluate(const struct cfi_rule *rule)
{
	static const struct expression_context context = {
		.address_size = 8, .little_endian = true, .get_reg = get_reg, .read = read_memory};
	uint64_t result;

	if (rule->expr)
		(void)expression_evaluate(rule->expr, rule->expr_size, &context, true, 0x1000,
					  &result);
}

static int on_row(const struct cfi_row *row, void *arg)
{
	uint64_t *end = arg;

	/* rows are not empty, and those of a FDE follow one another */
	if (row->start >= row->end || (*end && row->start != *end) || row->n_regs > CFI_MAX_REGS)
		contradictions++;
	*end = row->end;
	n_rows++;
	evaluate(&row->cfa);
	for (unsigned int reg = 0; reg < CFI_MAX_REGS; reg++) {
		if (reg < row->n_regs)
			evaluate(&row->regs[reg]);
		else if (row->regs[reg].kind != CFI_UNSPECIFIED)
			contradictions++;
	}
	return 0;
}

static int on_fde(bool is_good, void *arg)
{
	uint64_t *end = arg;

	contradictions += is_good && *end == 0; /* no row at all */
	*end = 0;
	return 0;
}

/* `own_index`: there is no search table, so lookups see what the table compiler sees. */
static void look_up(const struct cfi *cfi, const struct table *table, bool own_index)
{
	for (int i = 0; i < N_LOOKUPS; i++) {
		uint64_t vaddr = i ? next_random() % SPAN : ~0ULL;
		struct dwunw_rule expected;
		struct cfi_row row = {.n_regs = 12345};
		int err = cfi_find_row(cfi, vaddr, &row);

		if (err) {
			contradictions += row.n_regs != 12345; /* untouched on failure */
			continue;
		}
		contradictions += vaddr < row.start || vaddr >= row.end;
		rule_from_row(cfi_arch(cfi), &row, &expected);
		if (table && own_index &&
		    memcmp(&expected, table_find_rule(table, vaddr), sizeof(expected)))
			contradictions++;
	}
}

static void try_image(const struct bytes *eh, const struct bytes *hdr, bool own_index)
{
	struct image_section sections[] = {
		{".eh_frame", EH_VADDR, eh->data, eh->size},
		{".eh_frame_hdr", HDR_VADDR, hdr->data, hdr->size},
	};
	struct bytes image = make_elf(sections, own_index ? 1 : 2, SPAN);
	struct table *table = NULL;
	struct elf_file *file;
	uint64_t end = 0;
	struct cfi *cfi;

	if (!elf_file_open_memory(image.data, image.size, &file)) {
		if (!cfi_open(file, NULL, &cfi)) {
			cfi_for_each_row(cfi, on_row, on_fde, &end, NULL);
			contradictions += end != 0;
			if (!table_build(cfi, &table)) {
				n_tables++;
				contradictions +=
					table_check(table->header, table->header->size) != 0;
			}
			look_up(cfi, table, own_index);
			table_destroy(table);
			cfi_close(cfi);
		}
		elf_file_close(file);
	}
	free(image.data);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/lib64/ld-linux-x86-64.so.2";
	struct bytes original = {0}, eh = {0}, hdr = {0};

	CHECK(load_section(path, &original));
	for (int i = 0; original.size && i < N_ROUNDS; i++) {
		eh.size = 0;
		put(&eh, original.data, original.size);
		if (i)
			change(&eh);
		if (eh.size == 0)
			continue;
		make_hdr(&hdr, eh.size);
		if (i % 8 == 0)
			change(&hdr);
		try_image(&eh, &hdr, i % 2);
		if (contradictions) {
			fprintf(stderr, "round %d\n", i);
			break;
		}
	}
	CHECK(contradictions == 0);
	CHECK(n_rows > 100000 && n_tables > N_ROUNDS / 2);
	printf("%d rounds, %zu rows, %zu tables\n", N_ROUNDS, n_rows, n_tables);
	free(original.data);
	free(eh.data);
	free(hdr.data);
	return test_end();
}
