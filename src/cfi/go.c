/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/go.h"
#include <dwunw/step_types.h>
#include "arch/arch.h"
#include "cfi/cfi.h"

static uint32_t dwarf_number(const struct arch *arch, int dense)
{
	uint32_t reg = 0;

	while (reg < arch->n_dense && arch->dense[reg] != dense)
		reg++;
	return reg;
}

static struct cfi_rule at_cfa(int64_t off)
{
	return (struct cfi_rule){.kind = CFI_OFFSET, .off = off};
}

void go_complete_row(const struct arch *arch, const struct go_functions *functions,
		     const struct cfi_row *row, struct cfi_row *ret)
{
	const struct dwunw_frame_rule *rule = &arch->step->fp_frame;
	uint32_t fp = dwarf_number(arch, arch->step->fp);

	*ret = *row;
	if (row->start < functions->text_start || row->end > functions->text_end)
		return;
	if (row->cfa.kind != CFI_REGISTER || row->cfa.off < -rule->fp_off || fp >= row->n_regs ||
	    row->regs[fp].kind != CFI_UNSPECIFIED)
		return;
	ret->regs[fp] = at_cfa(rule->fp_off);
	ret->fingerprint = ~row->fingerprint; /* other rows like this one are left as they are */
}

void go_row(const struct arch *arch, const struct go_function *function, struct cfi_row *ret)
{
	const struct dwunw_frame_rule *rule = &arch->step->fp_frame;
	uint32_t fp = dwarf_number(arch, arch->step->fp);

	*ret = (struct cfi_row){
		.start = function->start,
		.end = function->end,
		.cfa = {.kind = CFI_REGISTER, .reg = fp, .off = rule->cfa_off},
		.n_regs = arch->ra_column + 1,
		.ra_column = arch->ra_column,
		/* those of rows are hashes; but for their chance it is none of them */
		.fingerprint = function->is_root ? 0x676f2e726f6f74 : 0x676f2e6670,
	};
	ret->regs[arch->ra_column].kind = CFI_UNDEFINED;
	if (function->is_root)
		return;
	ret->regs[arch->ra_column] = at_cfa(rule->ra_off);
	ret->regs[fp] = at_cfa(rule->fp_off);
}
