/* SPDX-License-Identifier: BSD-2-Clause */
/* The demonstration's target: a little server that forgets some of what it allocates per request. Ends by itself. */
#include <stdio.h>
#include <time.h>
#include "truth.h"

enum { REQUESTS = 60 * 100 }; /* a minute */

FRAME char *copy_header(const char *text)
{
	char *copy = truth_keep(strdup(text));

	NO_TAIL_CALL();
	return copy;
}

FRAME void *open_session(size_t size)
{
	void *session = truth_keep(calloc(1, size));

	NO_TAIL_CALL();
	return session;
}

FRAME void answer(unsigned int request)
{
	char *body = truth_keep(malloc(4000));

	snprintf(body, 4000, "answer %u", request);
	free(body);
}

FRAME void handle_request(unsigned int request)
{
	char *header = copy_header("GET /index.html HTTP/1.1");

	if (request % 10 == 0)
		open_session(2048); /* never closed */
	answer(request);
	if (request % 2 == 0)
		free(header); /* forgotten every other time */
}

FRAME void serve(void)
{
	struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	unsigned int request;

	for (request = 1; request <= REQUESTS; request++) {
		handle_request(request);
		nanosleep(&pause, NULL);
	}
}

int main(void)
{
	serve();
	return 0;
}
