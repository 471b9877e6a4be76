/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF file with debug information and symbols, asked for names at addresses all over it. All strings that come back are read. Holds: an
 * answer does not depend on what was asked before.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "symbolize/naming.h"
#include "symbolize/symbol_file.h"

static size_t use_text(const char *text)
{
	return text ? strlen(text) : 0;
}

static size_t use(const struct symbol *symbol)
{
	size_t sum = use_text(symbol->name) + use_text(symbol->place.file) +
		     use_text(symbol->source) + use_text(symbol->line_source);

	for (size_t i = 0; i < symbol->n_inlined; i++)
		sum += use_text(symbol->inlined[i].name) + use_text(symbol->inlined[i].place.file);
	return sum;
}

static size_t find(struct symbol_file *file, uint64_t vaddr)
{
	struct symbol symbol;

	symbol_file_find(file, vaddr, &symbol);
	return use(&symbol);
}

/* One for many inputs, as for many files: a process for each would take most of the time. */
static struct naming *shared_naming(void)
{
	static const struct symbolizer_options options = {.debug_root = "/nowhere"};
	static struct naming *naming;
	static unsigned int n;

	if (n++ % 64 == 0) {
		naming_destroy(naming);
		HOLDS(naming_create(&options, &naming) == 0);
	}
	return naming;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t extra[] = {0, 1, 2, ~0ULL, ~0ULL - 1, 1ULL << 63};
	int fd = memfd_create("names", MFD_CLOEXEC);
	struct naming *naming = shared_naming();
	struct symbol_file *file;

	HOLDS(fd >= 0);
	HOLDS(write(fd, data, size) == (ssize_t)size);
	if (symbol_file_open(fd, "/nowhere/file", naming, &file) == 0) {
		size_t first = 0, again = 0;

		for (uint64_t vaddr = 0x1000; vaddr < 0x1100; vaddr += 3)
			first += find(file, vaddr);
		for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++)
			(void)find(file, extra[i]);
		for (uint64_t vaddr = 0x1000; vaddr < 0x1100; vaddr += 3)
			again += find(file, vaddr);
		HOLDS(first == again);
		symbol_file_close(file);
	}
	HOLDS(!naming->files);
	close(fd);
	return 0;
}
