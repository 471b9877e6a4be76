/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libunwind's remote unwinding with its strongest settings: a global cache, and memory that is no stack (its search
 * table and FDEs are read through the accessors too) kept in pages.
 */
#include <libunwind-ptrace.h>
#include <string.h>
#include <sys/uio.h>

#include "snapshot.h"

#define PAGE 4096
#define N_PAGES 64

static const struct snapshot *current;
static unw_addr_space_t space;
static struct UPT_info *info;

static struct {
	uint64_t addr;
	uint8_t bytes[PAGE];
} pages[N_PAGES];

static int read_page(uint64_t addr, uint64_t *ret)
{
	uint64_t start = addr / PAGE * PAGE;
	size_t i = start / PAGE % N_PAGES;

	if (addr - start > PAGE - sizeof(*ret))
		return -1;
	if (pages[i].addr != start) {
		struct iovec to = {pages[i].bytes, PAGE}, from = {(void *)start, PAGE};

		pages[i].addr = 0;
		if (process_vm_readv(current->pid, &to, 1, &from, 1, 0) != PAGE)
			return -1;
		pages[i].addr = start;
	}
	memcpy(ret, pages[i].bytes + (addr - start), sizeof(*ret));
	return 0;
}

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *value, int write, void *arg)
{
	(void)as;
	(void)arg;
	if (write || (snapshot_word(current, addr, value) && read_page(addr, value)))
		return -UNW_EINVAL;
	return 0;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write,
		      void *arg)
{
	(void)as;
	(void)arg;
	if (!write && reg == UNW_REG_IP) {
		*value = current->registers.pc;
		return 0;
	}
	if (write || reg < 0 || snapshot_register(current, (unsigned int)reg, value))
		return -UNW_EBADREG;
	return 0;
}

static void open_libunwind(const struct snapshot *snapshot)
{
	static unw_accessors_t accessors = {
		.find_proc_info = _UPT_find_proc_info,
		.put_unwind_info = _UPT_put_unwind_info,
		.get_dyn_info_list_addr = _UPT_get_dyn_info_list_addr,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = _UPT_access_fpreg,
		.resume = _UPT_resume,
		.get_proc_name = _UPT_get_proc_name,
	};

	current = snapshot;
	memset(pages, 0, sizeof(pages));
	space = unw_create_addr_space(&accessors, 0);
	info = _UPT_create(snapshot->pid);
	if (!space || !info || unw_set_caching_policy(space, UNW_CACHE_GLOBAL))
		fail("libunwind");
}

static size_t unwind(void)
{
	unw_cursor_t cursor;
	unw_word_t pc;
	size_t n = 0;
	int more;

	if (unw_init_remote(&cursor, space, info))
		fail("unw_init_remote");
	do {
		unw_get_reg(&cursor, UNW_REG_IP, &pc);
		unwound[n++] = pc;
		more = unw_step(&cursor);
	} while (n < MAX_FRAMES && more > 0);
	return n;
}

static void close_libunwind(void)
{
	_UPT_destroy(info);
	unw_destroy_addr_space(space);
}

const struct unwinder unwinder_libunwind = {"libunwind remote", open_libunwind, unwind,
					    close_libunwind};
