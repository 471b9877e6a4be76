/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make_page STACKS [compared|hostile]: the page of a synthetic view on stdout, and on descriptor 3 the truth for tests/page/page.py: a JSON
 * list a stack: bytes, blocks, bytes before, names from the root to the innermost.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/writers.h"
#include "output/script_text.h"
#include "synthetic_view.h"

static void print_truth(FILE *out, const struct view *view)
{
	for (size_t i = 0; i < view->n_stacks; i++) {
		const struct view_stack *stack = &view->stacks[i];

		fprintf(out, "[%" PRIu64 ",%" PRIu64 ",%" PRIu64, stack->bytes, stack->blocks,
			stack->before_bytes);
		for (size_t frame = stack->n_frames; frame-- > 0;) {
			putc(',', out);
			script_text(out, stack->frames[frame].function);
		}
		fputs("]\n", out);
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "";
	FILE *truth = fdopen(3, "w");
	struct synthetic *s;
	int err;

	if (argc < 2)
		return 2;
	s = synthetic_create(strtoul(argv[1], NULL, 10), strcmp(how, "compared") == 0);
	if (strcmp(how, "hostile") == 0)
		synthetic_make_hostile(s);
	err = output_write_html(stdout, &s->view, NULL);
	if (truth) {
		print_truth(truth, &s->view);
		fclose(truth);
	}
	synthetic_free(s);
	return err || fflush(stdout) ? 1 : 0;
}
