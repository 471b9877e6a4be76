/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of cfi.h that knows ELF files; all others know sections. */
#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include "arch/arch.h"
#include "cfi/cfa_program.h"
#include "cfi/cfi.h"
#include "elf/elf_file.h"

static uint64_t section_vaddr(struct elf_file *file, const char *name)
{
	struct elf_section section;

	return elf_file_section(file, name, &section) ? 0 : section.vaddr;
}

/*
 * textrel and datarel pointers are relative to .text and to the global offset table. Hardly any
 * file has them, and reading .text is not free, so the first CIE decides whether the bases are
 * needed.
 */
static void find_bases(struct elf_file *file, const struct arch *arch,
		       struct cfi_sections *sections)
{
	struct cfi_section section = {
		.data = sections->eh_frame.data,
		.size = sections->eh_frame.size,
		.vaddr = sections->eh_frame.vaddr,
		.is_eh = true,
		.little_endian = arch->elf_data == ELFDATA2LSB,
		.address_size = arch->elf_class == ELFCLASS64 ? 8 : 4,
	};
	struct cfa_machine machine;
	struct cie cie;
	uint8_t relative;

	if (cie_parse(&section, 0, &machine, &cie))
		return;
	relative = cie.fde_encoding & 0x70;
	if (relative == DW_EH_PE_textrel)
		sections->text_base = section_vaddr(file, ".text");
	if (relative == DW_EH_PE_datarel) {
		sections->data_base = section_vaddr(file, ".got.plt");
		if (!sections->data_base)
			sections->data_base = section_vaddr(file, ".got");
	}
}

int cfi_open(struct elf_file *file, struct elf_file *debug, struct cfi **ret)
{
	const struct arch *arch = elf_file_arch(file);
	struct cfi_sections sections = {0};
	int err, debug_err;

	if (!arch)
		return -ENOTSUP;
	if (debug && elf_file_arch(debug) != arch)
		debug = NULL;
	err = elf_file_section(file, ".eh_frame", &sections.eh_frame);
	debug_err = elf_file_section(file, ".debug_frame", &sections.debug_frame);
	if (debug_err == -ENOENT && debug)
		debug_err = elf_file_section(debug, ".debug_frame", &sections.debug_frame);
	if (err && debug_err)
		return err != -ENOENT ? err : debug_err;
	if (!err) {
		elf_file_section(file, ".eh_frame_hdr", &sections.eh_frame_hdr);
		find_bases(file, arch, &sections);
	}
	err = go_find_functions(file, &sections.go);
	return err ? err : cfi_open_sections(arch, &sections, ret);
}
