/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What readelf does differently:
 * - a FDE without instructions is printed without a row: it has its CIE's;
 * - a row has no end: it is the next row's start, or the FDE's end;
 * - an advance by 0, and one past the FDE's end, gives a row that is in force nowhere;
 * - rules that are unspecified appear as "u" where another row of the FDE has the column;
 * - a register that holds another one's value is printed as "r5 (rdi)";
 * - FDEs that cover nothing, or of code that the linker dropped (start 0), are printed.
 */
#include "readelf.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMNS 160

struct cie {
	uint64_t off;
	char *rules; /* of its last row */
};

struct readelf {
	FILE *output;
	char *line; /* the current one, cut into words */
	size_t capacity;
	char *words[MAX_COLUMNS * 2 + 4];
	int n_words;
	struct cie *cies; /* of the current section, by offset */
	size_t n_cies;
	char *names; /* the current entry's columns: a copy of a line, and its words */
	char *columns[MAX_COLUMNS];
	int n_columns;
	bool in_cie, in_fde, has_rows;
	bool again;   /* the current line has not been dealt with */
	uint64_t cie; /* offset of the current entry's */
	uint64_t start, end;
	bool pending; /* a row that is not printed yet: it may go on */
	uint64_t loc;
	char rules[READELF_MAX_ROW - 40];
};

struct readelf *readelf_create(FILE *output)
{
	struct readelf *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->output = output;
	return r;
}

static void forget_cies(struct readelf *r)
{
	for (size_t i = 0; i < r->n_cies; i++)
		free(r->cies[i].rules);
	r->n_cies = 0;
}

void readelf_destroy(struct readelf *r)
{
	forget_cies(r);
	free(r->cies);
	free(r->names);
	free(r->line);
	free(r);
}

static void keep_cie(struct readelf *r)
{
	if ((r->n_cies & (r->n_cies - 1)) == 0) {
		r->cies = reallocarray(r->cies, r->n_cies ? 2 * r->n_cies : 1, sizeof(*r->cies));
		if (!r->cies)
			abort();
	}
	r->cies[r->n_cies++] = (struct cie){r->cie, strdup(r->pending ? r->rules : "cfa=?")};
}

static int compare_cies(const void *key, const void *member)
{
	const uint64_t *off = key;
	const struct cie *cie = member;

	return (*off > cie->off) - (*off < cie->off);
}

static const char *cie_rules(const struct readelf *r)
{
	const struct cie *cie =
		r->n_cies ? bsearch(&r->cie, r->cies, r->n_cies, sizeof(*r->cies), compare_cies)
			  : NULL;

	return cie ? cie->rules : "cfa=?";
}

static bool split_line(struct readelf *r)
{
	char *save, *word;

	r->n_words = 0;
	if (getline(&r->line, &r->capacity, r->output) <= 0)
		return false;
	for (word = strtok_r(r->line, " \n", &save);
	     word && r->n_words < (int)(sizeof(r->words) / sizeof(r->words[0]));
	     word = strtok_r(NULL, " \n", &save))
		r->words[r->n_words++] = word;
	return true;
}

static bool is_hex(const char *word)
{
	size_t n = strspn(word, "0123456789abcdef");

	return (n == 8 || n == 16) && word[n] == '\0';
}

/* The columns' names of an entry, from the line that begins with LOC. */
static void take_columns(struct readelf *r)
{
	char *p;

	free(r->names);
	p = r->names = malloc(r->capacity);
	if (!p)
		abort();
	r->n_columns = 0;
	for (int i = 2; i < r->n_words && r->n_columns < MAX_COLUMNS; i++) {
		r->columns[r->n_columns++] = strcpy(p, r->words[i]);
		p += strlen(p) + 1;
	}
}

static void take_rules(struct readelf *r)
{
	size_t n = snprintf(r->rules, sizeof(r->rules), "cfa=%s", r->words[1]);
	int column = 0;

	for (int i = 2; i < r->n_words && column < r->n_columns; i++, column++) {
		char *word = r->words[i];

		/* r5 (rdi) */
		if (i + 1 < r->n_words && r->words[i + 1][0] == '(') {
			word = r->words[++i] + 1;
			word[strcspn(word, ")")] = '\0';
		}
		if (strcmp(word, "u") != 0 && n < sizeof(r->rules))
			n += snprintf(r->rules + n, sizeof(r->rules) - n, " %s=%s",
				      r->columns[column], word);
	}
}

static bool emit(const struct readelf *r, uint64_t end, const char *rules, char *row)
{
	if (end > r->end)
		end = r->end;
	snprintf(row, READELF_MAX_ROW, "%016" PRIx64 " %016" PRIx64 " %s", r->loc, end, rules);
	return true;
}

/* The row that waits, now that the next one's start is known. */
static bool flush(struct readelf *r, uint64_t next, char *row)
{
	if (!r->pending || next == r->loc)
		return false;
	r->pending = false;
	if (!r->in_fde || r->loc >= r->end)
		return false;
	r->has_rows = true;
	return emit(r, next, r->rules, row);
}

/* The end of an entry; true: with a row. */
static bool finish(struct readelf *r, char *row)
{
	bool had_rows = r->has_rows, in_fde = r->in_fde, flushed;

	if (r->in_cie)
		keep_cie(r);
	flushed = in_fde && flush(r, r->end, row);
	r->pending = r->in_cie = r->in_fde = r->has_rows = false;
	if (flushed || !in_fde || had_rows)
		return flushed;
	r->loc = r->start;
	return emit(r, r->end, cie_rules(r), row);
}

static void begin_entry(struct readelf *r)
{
	if (strcmp(r->words[3], "CIE") == 0) {
		r->cie = strtoull(r->words[0], NULL, 16);
		r->in_cie = true;
		return;
	}
	if (r->n_words < 6 || sscanf(r->words[4], "cie=%" SCNx64, &r->cie) != 1 ||
	    sscanf(r->words[5], "pc=%" SCNx64 "..%" SCNx64, &r->start, &r->end) != 2)
		return;
	r->in_fde = r->start != 0 && r->start < r->end;
}

/* A header that no entry follows. */
static bool is_terminator(const struct readelf *r)
{
	return r->n_words == 3 && strcmp(r->words[1], "ZERO") == 0;
}

static bool is_entry(const struct readelf *r)
{
	return r->n_words >= 4 && is_hex(r->words[0]) && is_hex(r->words[1]) &&
	       (strcmp(r->words[3], "CIE") == 0 || strcmp(r->words[3], "FDE") == 0);
}

/* One line; true: `row` is complete. `again` is set where the line is still to be dealt with. */
static bool take_line(struct readelf *r, char *row)
{
	bool is_section = r->n_words > 2 && strcmp(r->words[0], "Contents") == 0;
	bool is_end = is_terminator(r);

	if (is_entry(r) || is_section || is_end) {
		r->again = r->in_cie || r->in_fde;
		if (r->again)
			return finish(r, row);
		if (is_section)
			forget_cies(r);
		else if (!is_end)
			begin_entry(r);
	} else if (r->n_words > 2 && strcmp(r->words[0], "LOC") == 0) {
		take_columns(r);
	} else if (r->n_words > 1 && is_hex(r->words[0]) && (r->in_cie || r->in_fde)) {
		uint64_t loc = strtoull(r->words[0], NULL, 16);

		if (flush(r, loc, row)) {
			r->again = true;
			return true;
		}
		r->again = false;
		r->loc = loc;
		take_rules(r);
		r->pending = true;
	}
	return false;
}

bool readelf_next_row(struct readelf *r, char row[READELF_MAX_ROW])
{
	while (r->again || split_line(r)) {
		r->again = false;
		if (take_line(r, row))
			return true;
	}
	row[0] = '\0';
	return finish(r, row);
}
