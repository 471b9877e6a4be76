/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps [N]: a leak that is told what to do next. After its line `ready` it makes one step for each line on stdin and says so:
 * `step NUMBER`; at the end of the input, or at a `q`, it ends. With N: that many steps at once, then the end.
 *
 *   1   old_one() holds 1 block of 50000 bytes, small() then 300 of 10
 *   2   grow() holds 4 blocks of 5000 bytes
 *   3   spike() holds one of 200000 bytes
 *   4   which is freed
 *   5.. grow() holds 4 more
 */
#include "truth.h"

static void *spiked;

FRAME void old_one(void)
{
	truth_keep(malloc(50000));
	NO_TAIL_CALL();
}

FRAME void small(void)
{
	truth_keep(malloc(10));
	NO_TAIL_CALL();
}

FRAME void grow(void)
{
	truth_keep(malloc(5000));
	NO_TAIL_CALL();
}

FRAME void spike(void)
{
	spiked = truth_keep(malloc(200000));
	NO_TAIL_CALL();
}

static void step(unsigned int number)
{
	char line[32];
	volatile int n = 0;

	if (number == 1) {
		old_one();
		for (n = 0; n < 300; n++)
			small();
	} else if (number == 3) {
		spike();
	} else if (number == 4) {
		free(spiked);
	} else {
		for (n = 0; n < 4; n++)
			grow();
	}
	snprintf(line, sizeof(line), "step %u\n", number);
	truth_write(line);
}

/* False at the end of the input, and of a line that begins with q. */
static int next_line(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != 'q')
		if (c == '\n')
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0, i;

	truth_write("ready\n");
	for (i = 1; n ? i <= n : next_line(); i++)
		step(i);
	return 0;
}
