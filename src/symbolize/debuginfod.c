/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIBRARY "libdebuginfod.so.1"
#define MAX_SILENCE_S 5
#define MAX_FILE_S 60
#define TELL_EVERY_S 5
#define MAX_FAILURES 2 /* of the servers; that they do not have a file is none */

/* libdebuginfod's own types, which are opaque: elfutils/debuginfod.h */
typedef struct debuginfod_client debuginfod_client;
typedef int progress_fn(debuginfod_client *client, long got, long all);

struct debuginfod {
	bool tried; /* to load the library */
	void *library;
	debuginfod_client *client;
	void (*end)(debuginfod_client *client);
	int (*find)(debuginfod_client *client, const unsigned char *id, int size, char **path);
	void (*tell)(const char *line);
	void (*progress)(const char *line); /* NULL: told, but seldom */
	unsigned int failures;
	/* of the file that is being fetched */
	const char *name;
	time_t begun_s, moved_s, told_s;
	long got;
	bool too_slow;
	char urls[];
};

/* The library's calls while it fetches have a client, of which there is one: it is asked by one thread at a time. */
static struct debuginfod *fetching;

__attribute__((format(printf, 2, 3))) static void tell(const struct debuginfod *server,
						       const char *format, ...)
{
	char line[512];
	va_list args;

	if (!server->tell)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	server->tell(line);
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void tell_progress(struct debuginfod *server, long got, long all)
{
	char line[512];

	if (server->too_slow || all <= 0)
		return;
	snprintf(line, sizeof(line), "debuginfod: %ld of %ld KiB of the debug file of %s",
		 got >> 10, all >> 10, server->name);
	if (server->progress)
		server->progress(line);
	else
		tell(server, "%s", line);
	server->told_s = now_s();
}

/* Called again and again while a file comes; another result than 0 ends that. */
static int on_progress(debuginfod_client *client, long got, long all)
{
	struct debuginfod *server = fetching;
	time_t now = now_s();

	(void)client;
	if (got != server->got)
		server->moved_s = now;
	server->got = got;
	server->too_slow |=
		now - server->moved_s >= MAX_SILENCE_S || now - server->begun_s >= MAX_FILE_S;
	if (server->progress || now - server->told_s >= TELL_EVERY_S)
		tell_progress(server, got, all);
	return server->too_slow;
}

int debuginfod_create(const char *urls, void (*tell_line)(const char *line),
		      void (*progress)(const char *line), struct debuginfod **ret)
{
	struct debuginfod *server = calloc(1, sizeof(*server) + strlen(urls) + 1);

	if (!server)
		return -ENOMEM;
	strcpy(server->urls, urls);
	server->tell = tell_line;
	server->progress = progress;
	*ret = server;
	return 0;
}

void debuginfod_destroy(struct debuginfod *server)
{
	if (!server)
		return;
	if (server->client)
		server->end(server->client);
	/* libcurl below it does not bear being unloaded: the library stays. */
	free(server);
}

/* The library takes its settings from the environment; a user's own are left as they are. */
static void set_environment(const struct debuginfod *server)
{
	char number[16];

	setenv("DEBUGINFOD_URLS", server->urls, 1);
	snprintf(number, sizeof(number), "%d", MAX_SILENCE_S);
	setenv("DEBUGINFOD_TIMEOUT", number, 0);
	snprintf(number, sizeof(number), "%d", MAX_FILE_S);
	setenv("DEBUGINFOD_MAXTIME", number, 0);
	setenv("DEBUGINFOD_RETRY_LIMIT", "1", 0);
}

static bool load(struct debuginfod *server)
{
	debuginfod_client *(*begin)(void);
	void (*set_progress)(debuginfod_client * client, progress_fn * fn);

	if (server->tried)
		return server->client;
	server->tried = true;
	set_environment(server);
	server->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!server->library) {
		tell(server, "debuginfod: " LIBRARY " is not installed");
		return false;
	}
	begin = (debuginfod_client * (*)(void)) dlsym(server->library, "debuginfod_begin");
	set_progress = (void (*)(debuginfod_client *, progress_fn *))dlsym(
		server->library, "debuginfod_set_progressfn");
	server->end = (void (*)(debuginfod_client *))dlsym(server->library, "debuginfod_end");
	server->find = (int (*)(debuginfod_client *, const unsigned char *, int, char **))dlsym(
		server->library, "debuginfod_find_debuginfo");
	if (begin && set_progress && server->end && server->find)
		server->client = begin();
	if (!server->client)
		return false;
	set_progress(server->client, on_progress);
	return true;
}

/* A server that does not have the file is no failure. */
static void tell_failure(struct debuginfod *server, int err)
{
	bool last;

	/* The library has a time-out too, and not always says so. Seconds are whole ones here. */
	if (server->too_slow || now_s() - server->begun_s >= MAX_SILENCE_S - 1)
		err = -ETIME;
	if (err == -ENOENT)
		return;
	last = ++server->failures >= MAX_FAILURES;
	tell(server, "debuginfod: no debug file of %s: %s%s", server->name,
	     err == -ETIME ? "the server is too slow" : strerror(-err),
	     last ? "; it is not asked again" : "");
}

int debuginfod_get(struct debuginfod *server, const uint8_t *id, size_t size, const char *name,
		   char **ret_path)
{
	char *path = NULL;
	int fd;

	if (server->failures >= MAX_FAILURES || !load(server))
		return -ENOENT;
	server->name = name;
	server->begun_s = server->moved_s = server->told_s = now_s();
	server->got = 0;
	server->too_slow = false;
	fetching = server;
	fd = server->find(server->client, id, (int)size, &path);
	fetching = NULL;
	if (fd < 0) {
		tell_failure(server, fd);
		free(path);
		return -ENOENT;
	}
	*ret_path = path;
	return fd;
}

void debuginfod_tell_garbage(struct debuginfod *server, const char *name)
{
	bool last = ++server->failures >= MAX_FAILURES;

	tell(server, "debuginfod: no debug file of %s: the server sent another file%s", name,
	     last ? "; it is not asked again" : "");
}
