/* SPDX-License-Identifier: BSD-2-Clause */
/* .txt: what stdout shows. */
#include "output/writers.h"

int output_write_text(FILE *out, const struct view *view, const struct output_how *how)
{
	(void)view; /* the report may list blocks, which are not in it */
	fputs(how->report, out);
	return 0;
}
