/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves which FDE a lookup finds: where several cover an address, where .eh_frame_hdr's search table is sound, partial, of an unusual
 * form or plainly wrong, and where there is none.
 */
#include "cfi_image.h"

static void test_overlap(void)
{
	size_t cie = put_simple_cie(&eh);

	/*
	 * out of order, the middle one over parts of both others; the first of the section decides
	 */
	put_fde(&eh, cie, PC + 0x180, 0x100, (uint8_t[]){DW_CFA_def_cfa_offset, 16}, 2);
	put_fde(&eh, cie, PC + 0x80, 0x180, (uint8_t[]){DW_CFA_def_cfa_offset, 24}, 2);
	put_fde(&eh, cie, PC, 0x300, (uint8_t[]){DW_CFA_def_cfa_offset, 32}, 2);
	CHECK(open_cfi() == 0 && stats.fdes == 3);
	CHECK(covers(PC + 0x180, PC + 0x180, PC + 0x280) &&
	      covers(PC + 0x27f, PC + 0x180, PC + 0x280));
	CHECK(covers(PC + 0x80, PC + 0x80, PC + 0x200) &&
	      covers(PC + 0x17f, PC + 0x80, PC + 0x200));
	CHECK(covers(PC, PC, PC + 0x300) && covers(PC + 0x7f, PC, PC + 0x300));
	CHECK(covers(PC + 0x280, PC, PC + 0x300) && covers(PC + 0x2ff, PC, PC + 0x300));
	close_cfi();
}

static void put_hdr(const size_t *fdes, const uint64_t *starts, size_t n)
{
	put(&hdr, (uint8_t[]){1, 0x1b, 0x03, 0x3b}, 4);
	put_uint(&hdr, EH_VADDR - (HDR_VADDR + 4), 4);
	put_uint(&hdr, n, 4);
	for (size_t i = 0; i < n; i++) {
		put_uint(&hdr, starts[i] - HDR_VADDR, 4);
		put_uint(&hdr, EH_VADDR + fdes[i] - HDR_VADDR, 4);
	}
}

/*
 * The search table is used where it is sound and lists all there is; a start that is moved gives that away. One that is not must
 * hide no function.
 */
static void test_hdr(void)
{
	static const uint64_t starts[] = {PC, PC + FUNCTION_SIZE, PC + 2 * FUNCTION_SIZE};
	struct cfi_row row;
	size_t fdes[3];

	for (int variant = 0; variant < 9; variant++) {
		size_t cie = put_simple_cie(&eh);
		bool used = variant == 0;

		for (int i = 0; i < 3; i++)
			fdes[i] = put_fde(&eh, cie, starts[i], FUNCTION_SIZE, NULL, 0);
		put_hdr(fdes, starts, variant == 1 ? 2 : 3); /* 1: a partial one */
		switch (variant) {
		case 0: /* the last one begins 16 bytes later */
			patch_uint(&hdr, 28, starts[2] + 16 - HDR_VADDR, 4);
			break;
		case 2: /* another version */
			hdr.data[0] = 2;
			break;
		case 3: /* not in order */
			patch_uint(&hdr, 12, PC + FUNCTION_SIZE + 1 - HDR_VADDR, 4);
			break;
		case 4: /* more entries than there are bytes */
			patch_uint(&hdr, 8, 4, 4);
			break;
		case 5: /* a FDE outside of the section */
			patch_uint(&hdr, 16, EH_VADDR + eh.size - HDR_VADDR, 4);
			break;
		case 6: /* no table */
			hdr.data[3] = DW_EH_PE_omit;
			break;
		case 7: /* another form of its entries */
			hdr.data[3] = DW_EH_PE_datarel | DW_EH_PE_sdata8;
			break;
		case 8: /* of another section */
			patch_uint(&hdr, 4, EH_VADDR + 4 - (HDR_VADDR + 4), 4);
			break;
		}
		CHECK(open_cfi() == 0 && stats.fdes == 3);
		CHECK(covers(PC, PC, PC + FUNCTION_SIZE));
		CHECK(covers(starts[1] + 5, starts[1], starts[2]));
		CHECK(covers(starts[2], starts[2], starts[2] + FUNCTION_SIZE) == !used);
		CHECK(covers(starts[2] + 16, starts[2], starts[2] + FUNCTION_SIZE));
		CHECK(cfi_find_row(cfi, PC - 1, &row) == -ENOENT);
		CHECK(cfi_find_row(cfi, starts[2] + FUNCTION_SIZE, &row) == -ENOENT);
		close_cfi();
	}
}

/* Entries that are no FDE (a second CIE, end markers) are not missing in the table. */
static void test_hdr_counts(void)
{
	static const uint64_t starts[] = {PC, PC + FUNCTION_SIZE};
	size_t fdes[2], cie = put_simple_cie(&eh);

	fdes[0] = put_fde(&eh, cie, starts[0], FUNCTION_SIZE, NULL, 0);
	put_uint(&eh, 0, 4);
	cie = put_simple_cie(&eh);
	fdes[1] = put_fde(&eh, cie, starts[1], FUNCTION_SIZE, NULL, 0);
	put_uint(&eh, 0, 4);
	put_hdr(fdes, starts, 2);
	patch_uint(&hdr, 20, starts[1] + 16 - HDR_VADDR, 4);
	CHECK(open_cfi() == 0 && stats.cies == 2 && stats.fdes == 2);
	CHECK(!covers(starts[1], starts[1], starts[1] + FUNCTION_SIZE)); /* the table is used */
	CHECK(covers(starts[1] + 16, starts[1], starts[1] + FUNCTION_SIZE));
	close_cfi();
}

/* The same function twice, as linkers leave it that fold or repeat code: the first decides, also where the table lists both. */
static void test_duplicates(void)
{
	static const uint64_t starts[] = {PC, PC};
	struct cfi_row row;

	for (int with_hdr = 0; with_hdr < 2; with_hdr++) {
		size_t fdes[2], cie = put_simple_cie(&eh);

		fdes[0] = put_fde(&eh, cie, PC, FUNCTION_SIZE,
				  (uint8_t[]){DW_CFA_def_cfa_offset, 16}, 2);
		fdes[1] = put_fde(&eh, cie, PC, FUNCTION_SIZE,
				  (uint8_t[]){DW_CFA_def_cfa_offset, 24}, 2);
		if (with_hdr)
			put_hdr(fdes, starts, 2);
		CHECK(open_cfi() == 0 && stats.fdes == 2);
		CHECK(cfi_find_row(cfi, PC, &row) == 0 && row.cfa.off == 16);
		CHECK(cfi_find_row(cfi, PC + FUNCTION_SIZE - 1, &row) == 0 && row.cfa.off == 16);
		close_cfi();
	}
}

/*
 * Through the search table a malformed FDE is met by the lookup itself, also at a row before the
 * fault.
 */
static void test_hdr_to_malformed(void)
{
	static const uint64_t starts[] = {PC};
	size_t cie = put_simple_cie(&eh), fde;
	struct cfi_row row;

	fde = put_fde(&eh, cie, PC, FUNCTION_SIZE,
		      (uint8_t[]){DW_CFA_advance_loc | 8, DW_CFA_advance_loc | 1, 0x3f}, 3);
	put_hdr(&fde, starts, 1);
	CHECK(open_cfi() == 0 && stats.fdes == 0 && stats.skipped_fdes == 1);
	CHECK(cfi_find_row(cfi, PC, &row) == -EINVAL);
	CHECK(cfi_find_row(cfi, PC + FUNCTION_SIZE, &row) == -ENOENT);
	close_cfi();
}

int main(void)
{
	test_overlap();
	test_duplicates();
	test_hdr();
	test_hdr_counts();
	test_hdr_to_malformed();
	free(eh.data);
	free(debug_frame.data);
	free(hdr.data);
	return test_end();
}
