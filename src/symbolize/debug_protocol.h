/* SPDX-License-Identifier: BSD-2-Clause */
/* What debug_worker.c and debug_server.c say to each other, over a stream socket. Neither leaves its machine nor this build. */
#ifndef SYMBOLIZE_DEBUG_PROTOCOL_H
#define SYMBOLIZE_DEBUG_PROTOCOL_H

#include <stdint.h>

#include "symbolize/losses.h"

/* Open at the same time. */
#define DEBUG_MAX_FILES 1024
#define DEBUG_MAX_TEXT 8192
/* That are sent at once. */
#define DEBUG_MAX_REQUESTS 64
/* Of one answer: every frame with its names. */
#define DEBUG_MAX_ANSWER (4u << 20)

enum debug_what {
	DEBUG_OPEN, /* one or two descriptors come with it, and it alone: of the file, of the alternate one */
	DEBUG_FIND,
	DEBUG_CLOSE, /* has no answer */
};

struct debug_request {
	uint32_t file; /* number */
	uint32_t what;
	uint64_t vaddr; /* DEBUG_FIND */
};

/* Then n frames of an answer: each a debug_answer_frame and its strings, without NUL; a string that is not known has the size 0. */
struct debug_answer {
	int32_t err;
	uint32_t size; /* of what follows, bytes */
	uint32_t n;
	uint32_t losses[N_WORKER_LOSSES]; /* since the last answer */
	uint64_t start;
};

struct debug_answer_frame {
	uint32_t name_size, file_size;
	uint32_t folder_size; /* of all frames: with the first */
	uint32_t line, column;
};

/* The other process: answers what comes from `socket` until that is closed. */
void debug_serve(int socket);

#endif
