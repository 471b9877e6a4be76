/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, on the program go_like: the runtime functions of Go have our row, at each of their bytes, before what .debug_frame says; Go's
 * functions with a frame have the rule of the frame pointer that Go's linker leaves out, those without and C's have not; and a walk over all
 * rows gives for each address, first, the row that a look-up finds.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "cfi/cfi.h"
#include "elf/elf_file.h"

enum { RSP = 7, RBP = 6, RA = 16 }; /* System V psABI AMD64, figure 3.36 */

static struct elf_file *file;
static struct cfi *cfi;

static uint64_t address(const char *name, uint64_t *size)
{
	uint64_t vaddr = 0;

	CHECK(elf_file_find_function(file, name, &vaddr, size) == 0);
	return vaddr;
}

static bool is(const struct cfi_rule *rule, unsigned int kind, int64_t off)
{
	return rule->kind == kind && rule->off == off;
}

static void test_runtime(const char *name, bool is_root)
{
	uint64_t size = 0, start = address(name, &size);
	struct cfi_row row;

	CHECK(size > 0);
	for (uint64_t vaddr = start; vaddr < start + size; vaddr++) {
		CHECK(cfi_find_row(cfi, vaddr, &row) == 0);
		CHECK(row.start == start && row.end == start + size);
		CHECK(is_root ? row.regs[RA].kind == CFI_UNDEFINED
			      : row.cfa.reg == RBP && is(&row.cfa, CFI_REGISTER, 16) &&
					is(&row.regs[RA], CFI_OFFSET, -8) &&
					is(&row.regs[RBP], CFI_OFFSET, -16));
	}
}

/* The first byte is before the frame, the byte at `off` inside. */
static void test_function(const char *name, uint64_t off, bool has_frame)
{
	uint64_t size = 0, start = address(name, &size);
	struct cfi_row row;

	CHECK(cfi_find_row(cfi, start, &row) == 0 && row.cfa.reg == RSP && row.cfa.off == 8);
	CHECK(row.regs[RBP].kind == CFI_UNSPECIFIED);
	CHECK(cfi_find_row(cfi, start + off, &row) == 0 && row.cfa.reg == RSP);
	CHECK(has_frame ? is(&row.regs[RBP], CFI_OFFSET, -16)
			: row.regs[RBP].kind == CFI_UNSPECIFIED);
}

static int look_up_again(const struct cfi_row *row, void *arg)
{
	unsigned int *n = arg;
	struct cfi_row found;

	CHECK(cfi_find_row(cfi, row->start, &found) == 0);
	if (found.start != row->start || found.end != row->end) /* an earlier one covers it */
		return 0;
	CHECK(found.fingerprint == row->fingerprint || found.cfa.reg == RBP ||
	      found.regs[RA].kind == CFI_UNDEFINED);
	CHECK(found.fingerprint != row->fingerprint ||
	      memcmp(&found.regs[RBP], &row->regs[RBP], sizeof(found.regs[RBP])) == 0);
	++*n;
	return 0;
}

static int is_good(bool good, void *arg)
{
	(void)arg;
	CHECK(good);
	return 0;
}

int main(void)
{
	const char *build = getenv("BUILD");
	char path[PATH_MAX];
	unsigned int n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/tests/programs/go_like", build ? build : "build/x86_64");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && elf_file_open(fd, &file) == 0 && cfi_open(file, NULL, &cfi) == 0);
	if (!cfi)
		return test_end();
	test_runtime("runtime.asmcgocall.abi0", false);
	test_runtime("runtime.systemstack.abi0", false);
	test_runtime("runtime.goexit.abi0", true);
	test_function("main.worker", 9, true);
	test_function("runtime.goexit1", 1, false);
	test_function("leak_for_goroutine", 4, false);
	CHECK(cfi_for_each_row(cfi, look_up_again, is_good, &n, NULL) == 0 && n > 20);
	cfi_close(cfi);
	elf_file_close(file);
	close(fd);
	return test_end();
}
