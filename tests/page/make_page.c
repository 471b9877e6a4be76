/* SPDX-License-Identifier: BSD-2-Clause */
/* make_page STACKS [compared] > FILE.html: the page of a synthetic view, for tests/page/run and for eyes. */
#include <stdlib.h>
#include <string.h>

#include "output/writers.h"
#include "synthetic_view.h"

int main(int argc, char **argv)
{
	struct synthetic *s;
	int err;

	if (argc < 2)
		return 2;
	s = synthetic_create(strtoul(argv[1], NULL, 10), argc > 2 && !strcmp(argv[2], "compared"));
	err = output_write_html(stdout, &s->view, NULL);
	synthetic_free(s);
	return err || fflush(stdout) ? 1 : 0;
}
