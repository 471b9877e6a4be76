/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "kallsyms.h"
#include "message.h"
#include "privileges.h"

#define REST_MS 500

/* Which modules there are, and where: each line of /proc/modules but for its counters. 0: none. */
static uint64_t list_of_modules(void)
{
	FILE *file = fopen("/proc/modules", "re");
	uint64_t hash = 0, addr;
	char line[512], name[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%127s %*u %*d %*s %*s %" SCNx64, name, &addr) != 2)
			continue;
		for (const char *c = name; *c; c++)
			hash = hash * 31 + (unsigned char)*c;
		hash = hash * 31 + addr;
	}
	if (file)
		fclose(file);
	return hash;
}

static void explain(int err)
{
	char missing[PRIVILEGES_TEXT];

	privileges_missing_for_kernel_symbols(missing, sizeof(missing));
	if (err == -EACCES)
		message_once("the kernel's functions have no names: kernel.kptr_restrict hides "
			     "their addresses: %s%s",
			     missing[0] ? "missing " : "it is 2", missing);
	else
		message_once("the kernel's functions have no names: /proc/kallsyms: %s",
			     strerror(-err));
}

const struct kallsyms *kernel_symbols_now(struct kernel_symbols *symbols)
{
	struct kallsyms *now;
	uint64_t modules;
	FILE *file;
	int err;

	if (symbols->read && monotonic_ms() < symbols->next_ms)
		return symbols->symbols;
	symbols->next_ms = monotonic_ms() + REST_MS;
	modules = list_of_modules();
	if (symbols->read && modules == symbols->modules)
		return symbols->symbols;
	file = fopen("/proc/kallsyms", "re");
	err = file ? kallsyms_read(file, &now) : -errno;
	if (file)
		fclose(file);
	symbols->read = true;
	symbols->modules = modules;
	if (err) {
		explain(err);
		return symbols->symbols;
	}
	kernel_symbols_free(symbols);
	symbols->symbols = now;
	return now;
}

void kernel_symbols_free(struct kernel_symbols *symbols)
{
	kallsyms_destroy(symbols->symbols);
	symbols->symbols = NULL;
}
