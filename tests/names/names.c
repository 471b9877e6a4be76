/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names FILE [raw|time] < vaddrs: what src/symbolize knows of each hexadecimal vaddr of an ELF file, as llvm-symbolizer prints
 * it: for each frame, the innermost first, a line with the function and one with file:line:column; then an empty line. `raw`:
 * names as the linker sees them; DEBUG_ROOT: where debug files are; SERVERS: of debuginfod; `time`: prints only how much CPU time the first took, and each other one, in ns.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "symbolize/naming.h"
#include "symbolize/symbol_file.h"

#define MAX_VADDRS (1 << 20)

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static void tell(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void print_place(const struct source_place *place)
{
	printf("%s:%u:%u\n", place->file ? place->file : "??", place->line, place->column);
}

static void print(const struct symbol *symbol)
{
	for (size_t i = 0; i < symbol->n_inlined; i++) {
		puts(symbol->inlined[i].name ? symbol->inlined[i].name : "??");
		print_place(&symbol->inlined[i].place);
	}
	puts(symbol->name ? symbol->name : "??");
	print_place(&symbol->place);
	putchar('\n');
}

int main(int argc, char **argv)
{
	/* absolute paths, as llvm-symbolizer's */
	static const char *const prefixes[] = {"/=/"};
	const char *how = argc > 2 ? argv[2] : "";
	const struct symbolizer_options options = {
		.no_demangle = strcmp(how, "raw") == 0,
		.source_prefixes = prefixes,
		.n_source_prefixes = 1,
		.debug_root = getenv("DEBUG_ROOT"),
		.debuginfod = getenv("SERVERS"),
		.tell = tell,
	};
	double begun, first = 0;
	struct symbol_file *file = NULL;
	struct naming *naming;
	static uint64_t vaddrs[MAX_VADDRS];
	size_t n = 0;
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || naming_create(&options, &naming))
		return 1;
	if (symbol_file_open(fd, argv[1], naming, &file))
		return 1;
	while (scanf("%lx", &vaddrs[n]) == 1 && n < MAX_VADDRS - 1)
		n++;
	begun = now_ns();
	for (size_t i = 0; i < n; i++) {
		struct symbol symbol;

		symbol_file_find(file, vaddrs[i], &symbol);
		if (i == 0) {
			first = now_ns() - begun;
			symbol_file_prepare(file, vaddrs, n);
		}
		if (strcmp(how, "time") != 0)
			print(&symbol);
	}
	if (strcmp(how, "time") == 0)
		printf("%.0f %.0f\n", first,
		       (now_ns() - begun - first) / (double)(n > 1 ? n - 1 : 1));
	naming_tell_losses(naming);
	symbol_file_close(file);
	naming_destroy(naming);
	return 0;
}
