/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks that the C library allocates for its caller: the innermost frame is the library's, the next one ours. */
#include "truth.h"

FRAME void leak_strdup(void)
{
	int i;

	for (i = 0; i < 30; i++)
		truth_keep(strdup("twenty characters ..")); /* and the final zero */
	NO_TAIL_CALL();
}

FRAME void leak_strndup(void)
{
	truth_keep(strndup("only the first nine", 9));
	NO_TAIL_CALL();
}

FRAME void freed_strdup(void)
{
	free(truth_keep(strdup("short-lived")));
	NO_TAIL_CALL();
}

int main(void)
{
	truth_ready();
	leak_strdup();
	leak_strndup();
	freed_strdup();
	truth(30 * 21, 30, "leak_strdup");
	truth(10, 1, "leak_strndup");
	truth(0, 0, "freed_strdup");
	truth_done();
	return 0;
}
