/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CFA program: architecture, code alignment, data alignment, pointer encoding, bytes of the CIE's instructions (2), then these, then
 * the FDE's. Holds: rows follow one another from the start of the FDE, and to its end where the program was found good; a row's
 * fingerprint tells whether its rules are those of the row before.
 */
#include <errno.h>
#include "cfi/cfa_program.h"
#include "fuzz.h"

#define START 0x10000
#define END 0x20000
#define STOP_AFTER 1000

struct check {
	struct cfi_row before;
	size_t n;
	uint64_t next;
	bool ended;
};

static bool same_rule(const struct cfi_rule *a, const struct cfi_rule *b)
{
	return a->kind == b->kind && a->reg == b->reg && a->off == b->off && a->expr == b->expr &&
	       a->expr_size == b->expr_size;
}

static bool same_rules(const struct cfi_row *a, const struct cfi_row *b)
{
	if (!same_rule(&a->cfa, &b->cfa) || a->ra_column != b->ra_column ||
	    a->signal_frame != b->signal_frame)
		return false;
	for (size_t i = 0; i < CFI_MAX_REGS; i++) {
		if (!same_rule(&a->regs[i], &b->regs[i]))
			return false;
	}
	return true;
}

static int on_row(const struct cfi_row *row, void *arg)
{
	struct check *check = arg;

	HOLDS(!check->ended && row->start == check->next && row->end > row->start);
	HOLDS(row->end <= END && row->n_regs <= CFI_MAX_REGS);
	for (size_t i = row->n_regs; i < CFI_MAX_REGS; i++)
		HOLDS(row->regs[i].kind == CFI_UNSPECIFIED);
	if (check->n)
		HOLDS(same_rules(row, &check->before) ==
		      (row->fingerprint == check->before.fingerprint));
	check->before = *row;
	check->next = row->end;
	check->ended = row->end == END;
	return ++check->n == STOP_AFTER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cfa_machine machine;
	struct input input = {data, size};
	const struct arch *arch = input_arch(&input);
	struct cfi_section section = {
		.little_endian = arch->elf_data == ELFDATA2LSB,
		.address_size = arch->elf_class == ELFCLASS64 ? 8 : 4,
		.is_eh = true,
	};
	struct cie cie = {.address_size = section.address_size, .ra_column = arch->ra_column};
	struct fde fde = {.start = START, .end = END};
	static struct check check;
	size_t cie_size;

	cie.code_align = input_uint(&input, 1);
	cie.data_align = (int8_t)input_uint(&input, 1);
	cie.fde_encoding = (uint8_t)input_uint(&input, 1);
	cie_size = input_uint(&input, 2);
	/* Both in one section, as ever: DW_CFA_set_loc counts from its start. */
	section.data = input_bytes(&input, input.left, &section.size);
	cie.program = section.data;
	cie.program_size = cie_size < section.size ? cie_size : section.size;
	fde.program = section.data + cie.program_size;
	fde.program_size = section.size - cie.program_size;
	memset(&check, 0, sizeof(check));
	check.next = START;
	if (cfa_run_cie(&machine, &section, &cie) == 0) {
		bool is_good = cfa_check_fde(&machine, &section, &cie, &fde) == 0;
		int err = cfa_run_fde(&machine, &section, &cie, &fde, on_row, &check);

		HOLDS(machine.stopped == (check.n == STOP_AFTER));
		HOLDS(machine.n_rows == check.n);
		if (machine.stopped)
			HOLDS(err == machine.stopped);
		else
			HOLDS(is_good ? err == 0 && check.ended : err == -EINVAL);
	}
	free((void *)section.data);
	return 0;
}
