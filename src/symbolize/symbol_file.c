/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/symbol_file.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "symbolize/debug_files.h"
#include "symbolize/debug_worker.h"
#include "symbolize/mini_debug.h"
#include "symbolize/naming.h"
#include "symbolize/symbol_cache.h"
#include "symbolize/symbol_table.h"

/* That are asked for at once. */
#define MAX_BATCH 256

/* Where symbols are from: a place of debug files, or one of these. */
enum { SOURCE_MINI = DEBUG_N_PLACES, SOURCE_DYNAMIC, SOURCE_STUBS };

struct symbol_file {
	struct symbol_file *next; /* of the naming's */
	unsigned int refs;
	struct stat stat;
	char *path;
	struct naming *naming;
	struct elf_file *elf, *mini;
	struct debug_files files;
	struct symbol_table table;
	/* Debug information: that of `debug_place`; DEBUG_N_PLACES: there is none. */
	enum debug_place debug_place;
	bool debug_known;
	struct debug_worker_file debug; /* its alternate file is ours; -1: none */
	bool symbols_known;
	struct symbol_cache cache;
	struct symbol last; /* also where the cache has no room */
};

static bool is_same(const struct symbol_file *file, const struct stat *st, const char *path)
{
	return file->stat.st_dev == st->st_dev && file->stat.st_ino == st->st_ino &&
	       file->stat.st_size == st->st_size &&
	       memcmp(&file->stat.st_mtim, &st->st_mtim, sizeof(st->st_mtim)) == 0 &&
	       memcmp(&file->stat.st_ctim, &st->st_ctim, sizeof(st->st_ctim)) == 0 &&
	       strcmp(file->path, path) == 0;
}

static int open_new(int fd, const struct stat *st, const char *path, struct naming *naming,
		    struct symbol_file **ret)
{
	struct symbol_file *file = calloc(1, sizeof(*file));
	int err;

	if (!file)
		return -ENOMEM;
	file->refs = 1;
	file->stat = *st;
	file->debug.alternate = -1;
	file->naming = naming;
	file->path = strdup(path);
	err = file->path ? elf_file_open(fd, &file->elf) : -ENOMEM;
	debug_files_init(&file->files, file->elf, file->path, naming);
	file->next = naming->files;
	naming->files = file;
	if (err)
		symbol_file_close(file);
	else
		*ret = file;
	return err;
}

int symbol_file_open(int fd, const char *path, struct naming *naming, struct symbol_file **ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	for (struct symbol_file *file = naming->files; file; file = file->next) {
		if (is_same(file, &st, path)) {
			file->refs++;
			*ret = file;
			return 0;
		}
	}
	return open_new(fd, &st, path, naming, ret);
}

void symbol_file_close(struct symbol_file *file)
{
	struct symbol_file **place;

	if (!file || --file->refs)
		return;
	for (place = &file->naming->files; *place != file;)
		place = &(*place)->next;
	*place = file->next;
	debug_worker_close(file->naming->worker, &file->debug);
	if (file->debug.alternate >= 0)
		close(file->debug.alternate);
	debug_files_free(&file->files);
	symbol_table_free(&file->table);
	symbol_cache_free(&file->cache);
	elf_file_close(file->mini);
	elf_file_close(file->elf);
	free(file->path);
	free(file);
}

static void read_mini_debug(struct symbol_file *file)
{
	int err = mini_debug_open(file->elf, &file->mini);

	if (!err)
		symbol_table_add(&file->table, file->mini, SHT_SYMTAB, SOURCE_MINI);
	else if (err != -ENOENT)
		naming_tell_once(file->naming, "%s: no use of its .gnu_debugdata: %s", file->path,
				 err == -EFBIG	  ? "more than 64 MiB"
				 : err == -ENOMEM ? strerror(ENOMEM)
						  : "it is damaged");
}

/* .symtab has every function; without one, that of a debug file, and what the file itself still has. */
static void read_symbols(struct symbol_file *file)
{
	struct elf_file *elf;
	bool found = false;

	file->symbols_known = true;
	for (enum debug_place place = 0; place < DEBUG_N_PLACES && !found; place++)
		found = debug_files_get(&file->files, place, &elf) == 0 &&
			symbol_table_add(&file->table, elf, SHT_SYMTAB, (uint8_t)place) == 0;
	if (!found) {
		read_mini_debug(file);
		symbol_table_add(&file->table, file->elf, SHT_DYNSYM, SOURCE_DYNAMIC);
	}
	symbol_table_add_stubs(&file->table, file->elf, SOURCE_STUBS);
	if (symbol_table_finish(&file->table))
		symbol_table_free(&file->table);
}

/* It has debug information, which cannot be used. */
static void tell_refusal(const struct symbol_file *file, enum debug_place place, int err)
{
	const char *why = strerror(-err);

	switch (err) {
	case -ENOENT:
		return;
	case -EFBIG:
		why = "more than 1 GiB would have to be read into memory";
		break;
	case -EBADMSG:
		why = "libdw cannot read it";
		break;
	case -ESTALE:
		why = "what it shares with other files (dwz) is missing, or another user may write "
		      "it";
		break;
	case -EIO:
		why = "reading it ended in a crash, or takes more than 2 GiB";
		break;
	case -ETIMEDOUT:
		why = "reading it takes too long";
		break;
	case -EAGAIN:
		why = "too many other files could not be read";
		break;
	}
	naming_tell_once(file->naming, "%s: no use of its %s: %s", file->path,
			 debug_place_text(place), why);
}

/* The first place from `place` on that can be used. */
static void open_debug(struct symbol_file *file, enum debug_place place)
{
	struct elf_file *elf;
	int err;

	file->debug_known = true;
	for (; place < DEBUG_N_PLACES; place++) {
		if (file->debug.alternate >= 0)
			close(file->debug.alternate);
		file->debug = (struct debug_worker_file){.alternate = -1};
		if (debug_files_get(&file->files, place, &elf))
			continue;
		file->debug.fd = elf_file_fd(elf);
		file->debug.alternate = debug_files_alternate(&file->files, place);
		err = debug_worker_open(file->naming->worker, &file->debug);
		if (!err)
			break;
		tell_refusal(file, place, err);
	}
	file->debug_place = place;
}

static const char *source_text(unsigned int source)
{
	static const char *const texts[] = {
		[DEBUG_OWN] = ".symtab",
		[DEBUG_BY_ID] = ".symtab of the debug file by build ID",
		[DEBUG_BY_LINK] = ".symtab of the debug file by debuglink",
		[DEBUG_SERVER] = ".symtab from debuginfod",
		[SOURCE_MINI] = ".gnu_debugdata",
		[SOURCE_DYNAMIC] = ".dynsym",
		[SOURCE_STUBS] = "PLT",
	};

	return texts[source];
}

/* Inlined frames, and the place in the function itself; what is not wanted left out. */
static void set_places(struct symbol_file *file, const struct debug_frames *frames,
		       struct symbol *ret)
{
	const struct symbolizer_options *options = &file->naming->options;
	struct inlined_function *inlined = NULL;
	size_t n = options->no_inlines ? 0 : frames->n - 1;

	if (n)
		inlined = symbol_cache_allocate(&file->cache, n * sizeof(*inlined));
	if (n && !inlined)
		naming_lost(file->naming, LOSS_ROOM, 1, file->path);
	for (size_t i = inlined || !n ? 0 : frames->n - 1; i < frames->n; i++) {
		const struct debug_frame *from = &frames->frames[i];
		struct source_place place = {0};
		bool is_function = i == frames->n - 1;

		if (!is_function && !inlined)
			continue;
		if (!options->no_lines && from->file && from->line)
			place = (struct source_place){
				naming_path(file->naming, from->file, from->folder), from->line,
				from->column};
		if (is_function)
			ret->place = place;
		else
			inlined[i] = (struct inlined_function){
				from->name ? naming_function(file->naming, from->name, "") : NULL,
				place};
	}
	ret->inlined = inlined;
	ret->n_inlined = inlined ? n : 0;
}

/*
 * From symbol tables, which for the function's own name come before debug information. Where both know one they agree, but for two cases in
 * which this one is the better: what the compiler made of a function (.cold, .part.0, .constprop.0) has names of its own in the symbol table
 * alone; and of several names for one address, debug information has the one in the source (__libc_malloc), not the one that is called
 * (malloc). A name also stays the same when a debug package is installed.
 */
static void find_name(struct symbol_file *file, uint64_t vaddr, struct symbol *ret)
{
	struct function *function;

	if (!file->symbols_known)
		read_symbols(file);
	function = symbol_table_find(&file->table, vaddr);
	if (function && !function->name)
		function->name = naming_function(file->naming, function->raw,
						 function->is_stub ? "@plt" : "");
	if (!function || !function->name)
		return;
	ret->name = function->name;
	ret->offset = vaddr - function->start;
	ret->source = source_text(function->source);
}

static void keep(struct symbol_file *file, uint64_t vaddr, const struct symbol *symbol)
{
	if (!symbol_cache_add(&file->cache, vaddr, symbol))
		naming_lost(file->naming, LOSS_KEPT, 1, file->path);
}

static void on_answer(uint64_t vaddr, const struct debug_frames *frames, void *arg)
{
	struct symbol_file *file = arg;
	struct symbol symbol = {0};
	const char *name;

	find_name(file, vaddr, &symbol);
	if (frames) {
		symbol.line_source = debug_place_text(file->debug_place);
		set_places(file, frames, &symbol);
		name = frames->frames[frames->n - 1].name;
		if (!symbol.name && name) {
			symbol.name = naming_function(file->naming, name, "");
			symbol.offset = vaddr - frames->start;
			symbol.source = symbol.line_source;
		}
	}
	keep(file, vaddr, &symbol);
	file->last = symbol;
}

/* Where a place's bytes turn out to be of no use, the next one is tried. */
static void ask_debug(struct symbol_file *file, const uint64_t *vaddrs, size_t n)
{
	struct debug_worker *worker = file->naming->worker;
	uint64_t losses[N_WORKER_LOSSES];
	int err;

	if (!file->debug_known)
		open_debug(file, DEBUG_OWN);
	while (file->debug_place < DEBUG_N_PLACES) {
		err = debug_worker_find(worker, &file->debug, vaddrs, n, on_answer, file);
		if (!err)
			break;
		tell_refusal(file, file->debug_place, err);
		open_debug(file, file->debug_place + 1);
	}
	debug_worker_take_losses(worker, losses);
	for (enum loss loss = 0; loss < N_WORKER_LOSSES; loss++)
		naming_lost(file->naming, loss, losses[loss], file->path);
}

void symbol_file_prepare(struct symbol_file *file, const uint64_t *vaddrs, size_t n)
{
	const struct symbolizer_options *options = &file->naming->options;
	uint64_t unknown[MAX_BATCH];
	struct symbol symbol;
	size_t n_unknown = 0;

	if (options->no_inlines && options->no_lines)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!symbol_cache_find(&file->cache, vaddrs[i], &symbol))
			unknown[n_unknown++] = vaddrs[i];
		if (n_unknown == MAX_BATCH || (n_unknown && i + 1 == n)) {
			ask_debug(file, unknown, n_unknown);
			n_unknown = 0;
		}
	}
}

void symbol_file_find(struct symbol_file *file, uint64_t vaddr, struct symbol *ret)
{
	const struct symbolizer_options *options = &file->naming->options;

	if (symbol_cache_find(&file->cache, vaddr, ret))
		return;
	file->last = (struct symbol){0};
	find_name(file, vaddr, &file->last);
	if (!options->no_inlines || !options->no_lines || !file->last.name)
		ask_debug(file, &vaddr, 1);
	*ret = file->last;
	keep(file, vaddr, ret);
}
