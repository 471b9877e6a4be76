/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This process as src/unwind is told of it: mappings and call frame information from memory, by the dynamic linker's list, in place of
 * src/process, which reads files.
 */
#ifndef LIVE_PROCESS_H
#define LIVE_PROCESS_H

#include <errno.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "process/process.h"
#include "../test.h"

#define MAX_MAPPINGS 32

static struct mapping mappings[MAX_MAPPINGS];
static struct module modules[MAX_MAPPINGS];
static struct process process = {.mappings = mappings};

const struct mapping *process_find_mapping(const struct process *p, uint64_t addr)
{
	for (size_t i = 0; i < p->n_mappings; i++) {
		if (addr >= p->mappings[i].start && addr < p->mappings[i].end)
			return &p->mappings[i];
	}
	return NULL;
}

int module_cfi(struct module *module, const struct cfi **ret)
{
	*ret = module->cfi;
	return module->cfi ? 0 : -ENOENT;
}

static const ElfW(Phdr) *
	find_segment(const struct dl_phdr_info *info, uint32_t type, ElfW(Addr) vaddr)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];

		if (phdr->p_type == type &&
		    (type != PT_LOAD || vaddr - phdr->p_vaddr < phdr->p_memsz))
			return phdr;
	}
	return NULL;
}

/* .eh_frame_hdr says where .eh_frame is, as a pcrel sdata4; its end is at most that of the segment. */
static struct cfi *open_cfi(const struct dl_phdr_info *info)
{
	const ElfW(Phdr) *hdr = find_segment(info, PT_GNU_EH_FRAME, 0), *load;
	struct cfi_sections sections = {0};
	struct cfi *cfi = NULL;
	const uint8_t *bytes;
	uint64_t vaddr;
	int32_t off;

	if (!hdr)
		return NULL;
	bytes = (const uint8_t *)(info->dlpi_addr + hdr->p_vaddr);
	CHECK(bytes[0] == 1 && bytes[1] == 0x1b);
	memcpy(&off, bytes + 4, sizeof(off));
	vaddr = hdr->p_vaddr + 4 + (int64_t)off;
	load = find_segment(info, PT_LOAD, vaddr);
	CHECK(load != NULL);
	sections.eh_frame_hdr =
		(struct elf_section){.data = bytes, .size = hdr->p_memsz, .vaddr = hdr->p_vaddr};
	sections.eh_frame =
		(struct elf_section){.data = (const uint8_t *)(uintptr_t)(info->dlpi_addr + vaddr),
				     .size = load->p_vaddr + load->p_memsz - vaddr,
				     .vaddr = vaddr};
	CHECK(cfi_open_sections(arch_native(), &sections, &cfi) == 0);
	return cfi;
}

static int add_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct module *module = &modules[process.n_mappings];

	(void)size;
	(void)arg;
	module->cfi = open_cfi(info);
	for (size_t i = 0; i < info->dlpi_phnum && process.n_mappings < MAX_MAPPINGS; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		struct mapping *mapping = &mappings[process.n_mappings];

		if (phdr->p_type != PT_LOAD || !(phdr->p_flags & PF_X))
			continue;
		*mapping = (struct mapping){
			.start = info->dlpi_addr + phdr->p_vaddr,
			.end = info->dlpi_addr + phdr->p_vaddr + phdr->p_memsz,
			.load_bias = info->dlpi_addr,
			.executable = true,
			.module = module,
		};
		process.n_mappings++;
	}
	return 0;
}

static int pipe_fds[2];

/* Whatever the address: the kernel says EFAULT where this process would end. */
static int read_self(void *arg, uint64_t addr, void *buf, size_t size)
{
	(void)arg;
	if (write(pipe_fds[1], (const void *)(uintptr_t)addr, size) != (ssize_t)size)
		return -EFAULT;
	return read(pipe_fds[0], buf, size) == (ssize_t)size ? 0 : -EFAULT;
}

static void live_process_open(void)
{
	CHECK(pipe(pipe_fds) == 0);
	dl_iterate_phdr(add_module, NULL);
}

#endif
