/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/dwunw_bpf.h"
#include "check.h"
#include "process/process.h"
#include "symbolize/naming.h"
#include "symbolize/symbolize.h"

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = strcmp(x->module, y->module);

	return order ? order : strcmp(x->symbol, y->symbol);
}

/* The files of the process as it is now, opened when a name is wanted. */
static int refresh(struct check *check)
{
	static const struct symbolizer_options names_only = {.no_inlines = true, .no_lines = true};
	int err = 0;

	if (check->symbolizer && check->symbolizer_epoch == check->epoch)
		return 0;
	if (!check->naming)
		err = naming_create(&names_only, &check->naming);
	if (!err)
		err = check->symbolizer ? symbolizer_refresh(check->symbolizer, check->process)
					: symbolizer_create(check->process, check->naming,
							    &check->symbolizer);
	if (!err)
		check->symbolizer_epoch = check->epoch;
	return err;
}

static void find_symbol(struct check *check, uint64_t pc, bool is_return_address,
			struct symbol *ret)
{
	const char *slash;

	*ret = (struct symbol){0};
	if (!refresh(check))
		symbolizer_find(check->symbolizer, pc, is_return_address, ret);
	if (!ret->module)
		ret->module = "(no file)";
	slash = strrchr(ret->module, '/');
	if (slash)
		ret->module = slash + 1;
}

static void place_free(void *place)
{
	free(((struct place *)place)->module);
	free(((struct place *)place)->symbol);
	free(place);
}

static bool is_listed(const char *list, const struct place *place)
{
	size_t module = strlen(place->module), symbol = strlen(place->symbol);

	for (const char *line = list; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, place->module, module) == 0 && line[module] == ' ' &&
		    strncmp(line + module + 1, place->symbol, symbol) == 0 &&
		    line[module + 1 + symbol] == ' ')
			return true;
	}
	return false;
}

static struct place *find_place(struct check *check, uint64_t pc, bool is_return_address)
{
	struct place *place = calloc(1, sizeof(*place));
	struct place **found;
	struct symbol symbol;

	if (!place)
		return NULL;
	find_symbol(check, pc, is_return_address, &symbol);
	place->module = strdup(symbol.module);
	place->symbol = strdup(symbol.name ? symbol.name : "??");
	if (place->module && place->symbol)
		place->wrong_cfi = is_listed(check->options.wrong_cfi, place);
	found = place->module && place->symbol ? tsearch(place, &check->places, by_name) : NULL;
	if (!found || *found != place)
		place_free(place);
	return found ? *found : NULL;
}

struct place *check_place(struct check *check, uint64_t pc, bool is_return_address)
{
	uint64_t hash = (pc * 2 + is_return_address) * 0x9e3779b97f4a7c15ULL;
	size_t i = hash >> (64 - PLACE_CACHE_BITS);

	if (check->place_cache[i].epoch != check->epoch || check->place_cache[i].pc != pc) {
		struct place *place = find_place(check, pc, is_return_address);

		if (!place)
			return NULL;
		check->place_cache[i].epoch = check->epoch;
		check->place_cache[i].pc = pc;
		check->place_cache[i].place = place;
	}
	return check->place_cache[i].place;
}

void check_print_address(struct check *check, uint64_t pc, bool is_return_address)
{
	struct symbol symbol;

	find_symbol(check, pc, is_return_address, &symbol);
	if (symbol.name)
		fprintf(check->out, "%s+0x%" PRIx64, symbol.name, symbol.offset);
	else
		fputs("??", check->out);
	fprintf(check->out, " %s", symbol.module);
}

static void print_place(const void *node, VISIT visit, void *arg)
{
	const struct place *place = *(struct place *const *)node;
	FILE *out = arg;

	if (visit != postorder && visit != leaf)
		return;
	if (place->no_cfi)
		fprintf(out, "without CFI: %" PRIu64 " %s %s\n", place->no_cfi, place->module,
			place->symbol);
	if (place->overwritten)
		fprintf(out, "overwritten: %" PRIu64 " %s %s\n", place->overwritten, place->module,
			place->symbol);
	if (place->differences)
		fprintf(out, "%s: %" PRIu64 " %s %s\n",
			place->wrong_cfi ? "wrong CFI" : "differences", place->differences,
			place->module, place->symbol);
}

void check_print_places(struct check *check)
{
	twalk_r(check->places, print_place, check->out);
}

void check_free_places(struct check *check)
{
	tdestroy(check->places, place_free);
	symbolizer_destroy(check->symbolizer);
	naming_destroy(check->naming);
}
