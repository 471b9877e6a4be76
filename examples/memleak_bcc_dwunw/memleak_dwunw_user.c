/* SPDX-License-Identifier: BSD-2-Clause */
/* memleak_dwunw_user: which stacks of a process hold memory that was not freed. */
#include <signal.h>
#include <stdio.h>

#include "options.h"
#include "privileges.h"
#include "session.h"

int main(int argc, char **argv)
{
	struct options options;
	struct session *session;
	int status = options_parse(argc, argv, &options);

	if (status)
		return status;
	privileges_raise();
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN); /* a reader that is gone: noticed when writing, ended in order */
	signal(SIGXFSZ, SIG_IGN); /* the limit of a file's size: the same */
	status = session_start(&options, &session);
	if (status)
		return status;
	status = session_run(session);
	session_destroy(session);
	return status;
}
