/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF image. Everything that libdwunw asks a file for; all bytes of each section and range that it hands out are read. Holds:
 * translations between addresses and file offsets agree with each other.
 */
#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "fuzz.h"

static volatile uint8_t sink;

static void read_all(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += data[i];
	sink = sum;
}

static void use_sections(struct elf_file *file)
{
	static const char *const names[] = {".eh_frame_hdr", ".eh_frame", ".debug_frame",
					    ".text",	     ".got.plt",  ".gnu.version",
					    ".symtab",	     ".none",	  ".debug_frame"};
	struct elf_section section;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (elf_file_section(file, names[i], &section) == 0) {
			HOLDS(section.data && section.size);
			read_all(section.data, section.size);
		}
	}
}

static void use_address(const struct elf_file *file, uint64_t vaddr)
{
	uint64_t off, back;
	const uint8_t *data;
	size_t size;

	if (elf_file_bytes_at(file, vaddr, &data, &size) == 0) {
		HOLDS(size);
		read_all(data, size);
		HOLDS(elf_file_vaddr_to_off(file, vaddr, &off) == 0);
	}
	if (elf_file_vaddr_to_off(file, vaddr, &off) == 0)
		(void)elf_file_off_to_vaddr(file, off, &back);
	if (elf_file_off_to_vaddr(file, vaddr, &back) == 0)
		HOLDS(elf_file_vaddr_to_off(file, back, &off) == 0);
}

static void use_segments(const struct elf_file *file)
{
	const struct elf_segment *segments = elf_file_segments(file);
	size_t n = elf_file_n_segments(file);

	use_address(file, elf_file_entry(file));
	use_address(file, 0);
	use_address(file, ~0ULL);
	for (size_t i = 0; i < n && i < 16; i++) {
		HOLDS(segments[i].vaddr + segments[i].mem_size >= segments[i].vaddr);
		use_address(file, segments[i].vaddr);
		use_address(file, segments[i].vaddr + segments[i].file_size - 1);
		use_address(file, segments[i].vaddr + segments[i].file_size);
		use_address(file, segments[i].file_off);
	}
}

static void use_symbols(struct elf_file *file)
{
	static const char *const names[] = {"malloc", "_dl_debug_state", "f", ""};
	uint64_t vaddr, size;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)elf_file_find_function(file, names[i], &vaddr, &size);
		(void)elf_file_find_object(file, names[i], &vaddr, &size);
	}
}

static int on_row(const struct cfi_row *row, void *arg)
{
	(void)arg;
	HOLDS(row->start < row->end);
	return 0;
}

static int on_fde(bool is_good, void *arg)
{
	(void)is_good;
	(void)arg;
	return 0;
}

static void use_cfi(struct elf_file *file)
{
	struct cfi_row row;
	struct cfi *cfi;

	if (cfi_open(file, file, &cfi))
		return;
	HOLDS(cfi_for_each_row(cfi, on_row, on_fde, NULL, NULL) == 0);
	(void)cfi_find_row(cfi, elf_file_entry(file), &row);
	cfi_close(cfi);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_file *file;
	const uint8_t *id;
	size_t n;

	if (elf_file_open_memory(data, size, &file))
		return 0;
	id = elf_file_build_id(file, &n);
	HOLDS(n <= ELF_BUILD_ID_MAX);
	read_all(id, n);
	use_sections(file);
	use_segments(file);
	use_symbols(file);
	use_cfi(file);
	elf_file_close(file);
	return 0;
}
