/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwarf.h>
#include <errno.h>
#include "cfi/cfa_program.h"
#include "cfi/fingerprint.h"

/* The first change of a slot after DW_CFA_remember_state is logged. */
static int log_change(struct cfa_machine *m, unsigned int slot)
{
	struct cfa_level *level = &m->levels[m->depth - 1];
	struct cfa_undo *undo;

	if (level->logged[slot / 64] >> slot % 64 & 1)
		return 0;
	if (m->n_undo == CFA_MAX_UNDO)
		return -EINVAL;
	level->logged[slot / 64] |= 1ULL << slot % 64;
	undo = &m->undo[m->n_undo++];
	undo->slot = slot;
	if (!m->checking)
		undo->rule = *slot_rule(&m->row, slot);
	return 0;
}

static inline int set_rule(struct cfa_machine *m, unsigned int slot, const struct cfi_rule *rule)
{
	if (m->depth && log_change(m, slot))
		return -EINVAL;
	/* No instruction depends on a rule: a run that only checks need not keep them. */
	if (!m->checking)
		change_rule(&m->row, slot, rule);
	return 0;
}

/* Rows do not hold registers from CFI_MAX_REGS on: nothing can ask for them. */
static inline int set_reg(struct cfa_machine *m, uint64_t reg, const struct cfi_rule *rule)
{
	return reg < CFI_MAX_REGS ? set_rule(m, reg, rule) : 0;
}

static int remember(struct cfa_machine *m)
{
	if (m->depth == CFA_MAX_DEPTH)
		return -EINVAL;
	m->levels[m->depth++] = (struct cfa_level){.first_undo = m->n_undo};
	return 0;
}

static int restore_remembered(struct cfa_machine *m)
{
	if (m->depth == 0)
		return -EINVAL;
	m->depth--;
	while (m->n_undo > m->levels[m->depth].first_undo) {
		const struct cfa_undo *undo = &m->undo[--m->n_undo];

		if (!m->checking)
			change_rule(&m->row, undo->slot, &undo->rule);
	}
	return 0;
}

static int restore_initial(struct cfa_machine *m, uint64_t reg)
{
	if (!m->cie)
		return -EINVAL;
	return reg < CFI_MAX_REGS ? set_rule(m, reg, &m->cie->initial.regs[reg]) : 0;
}

static int read_reg(struct cfa_machine *m, uint32_t *ret)
{
	uint64_t reg = cursor_uleb(&m->cursor);

	if (m->cursor.failed || reg > UINT32_MAX)
		return -EINVAL;
	*ret = reg;
	return 0;
}

/* factored * align, as the instructions with an unsigned and with a signed operand have it */
static inline int read_factored(struct cfa_machine *m, int64_t align, bool is_signed, int64_t *ret)
{
	uint64_t bits = is_signed ? (uint64_t)cursor_sleb(&m->cursor) : cursor_uleb(&m->cursor);

	if ((!is_signed && bits > INT64_MAX) || __builtin_mul_overflow((int64_t)bits, align, ret))
		return -EINVAL;
	return 0;
}

static int read_expression(struct cfa_machine *m, uint8_t kind, struct cfi_rule *ret)
{
	uint64_t size = cursor_uleb(&m->cursor);
	const uint8_t *expr = cursor_take(&m->cursor, size);

	if (m->cursor.failed)
		return -EINVAL;
	*ret = (struct cfi_rule){.kind = kind, .expr = expr, .expr_size = size};
	return 0;
}

static int64_t data_align(const struct cfa_machine *m)
{
	return m->entry->data_align;
}

/*
 * Gives out the row that ends at `loc` and begins the next one. Nonzero: what `fn` returned, or a
 * failure.
 */
static inline int advance_to(struct cfa_machine *m, uint64_t loc)
{
	/* A CIE's own instructions have no location: start and end are 0. */
	if (loc <= m->row.start || m->row.start >= m->end)
		return !m->cie || loc < m->row.start ? -EINVAL : 0;
	m->row.end = loc < m->end ? loc : m->end;
	if (!m->checking) {
		m->n_rows++;
		m->stopped = m->fn(&m->row, m->arg);
	}
	m->row.start = m->row.end;
	return m->stopped;
}

static int advance_by(struct cfa_machine *m, uint64_t factored)
{
	uint64_t delta, loc;

	if (__builtin_mul_overflow(factored, m->entry->code_align, &delta) ||
	    __builtin_add_overflow(m->row.start, delta, &loc))
		return -EINVAL;
	return advance_to(m, loc);
}

static int set_loc(struct cfa_machine *m)
{
	struct pointer_bases bases = section_bases(m->section, m->entry, m->fde_start);
	uint64_t loc;
	int err;

	err = pointer_read(&m->cursor, &bases, m->entry->fde_encoding, &loc);
	if (err)
		return -EINVAL;
	return advance_to(m, loc);
}

/*
 * Register and offset outlive an expression: libgcrypt's assembly has DW_CFA_def_cfa_register
 * after one and expects the offset from before it. DW_CFA_def_cfa_offset alone does not end it.
 */
static inline int define_cfa_offset(struct cfa_machine *m, bool is_signed)
{
	int64_t off;

	if (read_factored(m, is_signed ? data_align(m) : 1, is_signed, &off) ||
	    (m->depth && log_change(m, CFA_SLOT_CFA)))
		return -EINVAL;
	if (!m->checking)
		change_cfa_off(&m->row, off);
	return 0;
}

static int define_cfa(struct cfa_machine *m, uint8_t op)
{
	struct cfi_rule rule = {.kind = CFI_REGISTER, .off = m->row.cfa.off};
	bool is_signed = op == DW_CFA_def_cfa_sf;
	int err;

	err = read_reg(m, &rule.reg);
	if (!err && op != DW_CFA_def_cfa_register)
		err = read_factored(m, is_signed ? data_align(m) : 1, is_signed, &rule.off);
	return err ? err : set_rule(m, CFA_SLOT_CFA, &rule);
}

static int define_cfa_expression(struct cfa_machine *m)
{
	struct cfi_rule rule;

	if (read_expression(m, CFI_EXPRESSION, &rule))
		return -EINVAL;
	rule.reg = m->row.cfa.reg;
	rule.off = m->row.cfa.off;
	return set_rule(m, CFA_SLOT_CFA, &rule);
}

/* Instructions with a register and a factored offset. */
static int define_offset(struct cfa_machine *m, uint8_t op)
{
	bool is_val = op == DW_CFA_val_offset || op == DW_CFA_val_offset_sf;
	bool is_signed = op == DW_CFA_offset_extended_sf || op == DW_CFA_val_offset_sf;
	bool negative = op == DW_CFA_GNU_negative_offset_extended;
	struct cfi_rule rule = {.kind = is_val ? CFI_VAL_OFFSET : CFI_OFFSET};
	uint32_t reg;
	int err;

	err = read_reg(m, &reg);
	if (err)
		return err;
	err = read_factored(m, negative ? -data_align(m) : data_align(m), is_signed, &rule.off);
	return err ? err : set_reg(m, reg, &rule);
}

static int define_reg(struct cfa_machine *m, uint8_t op)
{
	struct cfi_rule rule = {.kind = CFI_UNDEFINED};
	uint32_t reg;
	int err;

	err = read_reg(m, &reg);
	if (err)
		return err;
	switch (op) {
	case DW_CFA_restore_extended:
		return restore_initial(m, reg);
	case DW_CFA_same_value:
		rule.kind = CFI_SAME;
		break;
	case DW_CFA_register:
		rule.kind = CFI_REGISTER;
		err = read_reg(m, &rule.reg);
		break;
	case DW_CFA_expression:
		err = read_expression(m, CFI_EXPRESSION, &rule);
		break;
	case DW_CFA_val_expression:
		err = read_expression(m, CFI_VAL_EXPRESSION, &rule);
		break;
	}
	return err ? err : set_reg(m, reg, &rule);
}

static int run_extended(struct cfa_machine *m, uint8_t op)
{
	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_AARCH64_negate_ra_state: /* whether the address is signed; rules stay */
		return 0;
	case DW_CFA_set_loc:
		return set_loc(m);
	case DW_CFA_advance_loc1:
		return advance_by(m, cursor_u8(&m->cursor));
	case DW_CFA_advance_loc2:
		return advance_by(m, cursor_uint(&m->cursor, 2));
	case DW_CFA_advance_loc4:
		return advance_by(m, cursor_uint(&m->cursor, 4));
	case DW_CFA_MIPS_advance_loc8:
		return advance_by(m, cursor_uint(&m->cursor, 8));
	case DW_CFA_remember_state:
		return remember(m);
	case DW_CFA_restore_state:
		return restore_remembered(m);
	case DW_CFA_def_cfa_offset:
	case DW_CFA_def_cfa_offset_sf:
		return define_cfa_offset(m, op == DW_CFA_def_cfa_offset_sf);
	case DW_CFA_def_cfa:
	case DW_CFA_def_cfa_sf:
	case DW_CFA_def_cfa_register:
		return define_cfa(m, op);
	case DW_CFA_def_cfa_expression:
		return define_cfa_expression(m);
	case DW_CFA_offset_extended:
	case DW_CFA_offset_extended_sf:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
	case DW_CFA_GNU_negative_offset_extended:
		return define_offset(m, op);
	case DW_CFA_restore_extended:
	case DW_CFA_undefined:
	case DW_CFA_same_value:
	case DW_CFA_register:
	case DW_CFA_expression:
	case DW_CFA_val_expression:
		return define_reg(m, op);
	case DW_CFA_GNU_args_size: /* bytes of arguments pushed; only for landing pads */
		cursor_uleb(&m->cursor);
		return 0;
	default:
		return -EINVAL;
	}
}

static int run(struct cfa_machine *m, const uint8_t *program, size_t size)
{
	int64_t off;
	int err = 0;

	m->cursor = cursor_make(program, size, m->section->little_endian);
	m->depth = 0;
	m->n_undo = 0;
	while (!err && m->cursor.pos != m->cursor.end) {
		uint8_t op = *m->cursor.pos++;

		switch (op & 0xc0) {
		case DW_CFA_advance_loc:
			err = advance_by(m, op & 0x3f);
			break;
		case DW_CFA_offset:
			err = read_factored(m, data_align(m), false, &off);
			if (!err)
				err = set_reg(m, op & 0x3f,
					      &(struct cfi_rule){.kind = CFI_OFFSET, .off = off});
			break;
		case DW_CFA_restore:
			err = restore_initial(m, op & 0x3f);
			break;
		default:
			err = run_extended(m, op);
		}
	}
	if (err)
		return err;
	return m->cursor.failed ? -EINVAL : 0;
}

int cfa_run_cie(struct cfa_machine *machine, const struct cfi_section *section, struct cie *cie)
{
	int err;

	machine->section = section;
	machine->entry = cie;
	machine->cie = NULL;
	machine->end = 0;
	machine->checking = false;
	memset(&machine->row, 0, sizeof(machine->row));
	machine->row.ra_column = cie->ra_column;
	machine->row.signal_frame = cie->signal_frame;
	machine->row.fingerprint =
		(2 * (uint64_t)cie->ra_column + cie->signal_frame) * slot_factor(CFA_N_SLOTS);
	err = run(machine, cie->program, cie->program_size);
	if (!err)
		cie->initial = machine->row;
	return err;
}

static int run_fde(struct cfa_machine *m, const struct cfi_section *section, const struct cie *cie,
		   const struct fde *fde)
{
	const struct cfi_row *initial = &cie->initial;
	struct cfi_row *row = &m->row;
	/* Past its n_regs a row is all zero. */
	unsigned int n = row->n_regs > initial->n_regs ? row->n_regs : initial->n_regs;
	int err;

	m->section = section;
	m->entry = cie;
	m->cie = cie;
	m->fde_start = fde->start;
	m->end = fde->end;
	m->n_rows = 0;
	m->stopped = 0;
	row->start = fde->start;
	row->cfa = initial->cfa;
	memcpy(row->regs, initial->regs, n * sizeof(row->regs[0]));
	row->n_regs = initial->n_regs;
	row->ra_column = initial->ra_column;
	row->signal_frame = initial->signal_frame;
	row->fingerprint = initial->fingerprint;
	err = run(m, fde->program, fde->program_size);
	return err ? err : advance_to(m, fde->end);
}

int cfa_check_fde(struct cfa_machine *machine, const struct cfi_section *section,
		  const struct cie *cie, const struct fde *fde)
{
	machine->checking = true;
	return run_fde(machine, section, cie, fde);
}

int cfa_run_fde(struct cfa_machine *machine, const struct cfi_section *section,
		const struct cie *cie, const struct fde *fde, cfi_row_fn *fn, void *arg)
{
	machine->checking = false;
	machine->fn = fn;
	machine->arg = arg;
	return run_fde(machine, section, cie, fde);
}
