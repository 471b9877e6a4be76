/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/go.h"
#include <stdbool.h>
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
	const struct dwunw_step_arch *step = arch->step;
	bool by_fp = function->way == GO_BY_FP;
	uint32_t fp = dwarf_number(arch, step->fp);

	*ret = (struct cfi_row){
		.start = function->start,
		.end = function->end,
		.cfa = {.kind = CFI_REGISTER,
			.reg = by_fp ? fp : dwarf_number(arch, step->sp),
			.off = by_fp ? step->fp_frame.cfa_off : step->return_size},
		.n_regs = arch->ra_column + 1,
		.ra_column = arch->ra_column,
		/* those of rows are hashes; but for their chance it is none of them */
		.fingerprint = 0x676f6c616e6700 + function->way,
	};
	ret->regs[arch->ra_column] = at_cfa(step->fp_frame.ra_off);
	if (function->way == GO_ROOT)
		ret->regs[arch->ra_column].kind = CFI_UNDEFINED;
	if (by_fp)
		ret->regs[fp] = at_cfa(step->fp_frame.fp_off);
}
