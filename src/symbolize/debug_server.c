/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's side. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "symbolize/debug_info.h"
#include "symbolize/debug_protocol.h"

/* Answers are sent when they are so much together, or no other request is there. */
#define SEND_AT (64u << 10)

/* Of what has been decoded of all files; past it everything is forgotten and decoded again as needed. */
#define MAX_DECODED (512u << 20)

struct server {
	int socket;
	struct served_file {
		struct debug_info *info; /* NULL: not open */
		int fds[2];
		size_t n_fds;
	} files[DEBUG_MAX_FILES];
	size_t decoded; /* bytes */
	uint32_t losses[N_WORKER_LOSSES];
	struct debug_frames frames;
	size_t used; /* of `answers`: not sent yet */
	char answers[DEBUG_MAX_ANSWER + SEND_AT];
};

/* As many as there are; the descriptors that came with the one that opens a file. The number of requests; 0: nobody asks any more. */
static size_t receive(int socket, struct debug_request *requests, int *fds, size_t *n_fds)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec data = {requests, DEBUG_MAX_REQUESTS * sizeof(*requests)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	*n_fds = 0;
	if (header && header->cmsg_type == SCM_RIGHTS) {
		*n_fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(header), *n_fds * sizeof(int));
	}
	return got > 0 && got % sizeof(*requests) == 0 ? (size_t)got / sizeof(*requests) : 0;
}

static bool send_answers(struct server *server)
{
	size_t done = 0;

	while (done < server->used) {
		ssize_t sent = send(server->socket, server->answers + done, server->used - done,
				    MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		done += (size_t)sent;
	}
	server->used = 0;
	return true;
}

/* Its size, and the bytes at *pos; one that is too long, or does not fit, is left out. */
static uint32_t put_text(struct server *server, size_t *pos, const char *text)
{
	size_t size = text ? strnlen(text, DEBUG_MAX_TEXT) : 0;

	if (size == DEBUG_MAX_TEXT || size > sizeof(server->answers) - *pos) {
		server->losses[LOSS_TEXT]++;
		return 0;
	}
	memcpy(server->answers + *pos, text ? text : "", size);
	*pos += size;
	return (uint32_t)size;
}

static void answer(struct server *server, int err)
{
	struct debug_answer head = {.err = err};
	size_t begin = server->used, pos = begin + sizeof(head);

	if (!err) {
		head.n = (uint32_t)server->frames.n;
		head.start = server->frames.start;
	}
	for (size_t i = 0; i < head.n; i++) {
		const struct debug_frame *from = &server->frames.frames[i];
		struct debug_answer_frame frame = {.line = from->line, .column = from->column};
		size_t at = pos;

		if (sizeof(server->answers) - pos < sizeof(frame)) {
			head.n = (uint32_t)i;
			server->losses[LOSS_DEPTH]++;
			break;
		}
		pos += sizeof(frame);
		frame.name_size = put_text(server, &pos, from->name);
		frame.file_size = put_text(server, &pos, from->file);
		frame.folder_size = put_text(server, &pos, i == 0 ? from->folder : NULL);
		memcpy(server->answers + at, &frame, sizeof(frame));
	}
	head.size = (uint32_t)(pos - begin - sizeof(head));
	memcpy(head.losses, server->losses, sizeof(head.losses));
	memset(server->losses, 0, sizeof(server->losses));
	memcpy(server->answers + begin, &head, sizeof(head));
	server->used = pos;
}

static void close_file(struct server *server, struct served_file *file)
{
	if (file->info)
		server->decoded -= debug_info_bytes(file->info);
	debug_info_close(file->info);
	for (size_t i = 0; i < file->n_fds; i++)
		close(file->fds[i]);
	*file = (struct served_file){0};
}

static int open_file(struct server *server, struct served_file *file, const int *fds, size_t n_fds)
{
	int err;

	server->frames.n = 0;
	close_file(server, file);
	if (n_fds == 0)
		return -EINVAL;
	memcpy(file->fds, fds, n_fds * sizeof(*fds));
	file->n_fds = n_fds;
	err = debug_info_open(fds[0], n_fds > 1 ? fds[1] : -1, server->losses, &file->info);
	if (err)
		close_file(server, file);
	else
		server->decoded += debug_info_bytes(file->info);
	return err;
}

static int find(struct server *server, struct debug_info *info, uint64_t vaddr)
{
	size_t before = debug_info_bytes(info);
	int err = debug_info_find(info, vaddr, &server->frames);

	server->decoded += debug_info_bytes(info) - before;
	return err;
}

/* The names of the last answer are in it. */
static void forget(struct server *server)
{
	for (size_t i = 0; i < DEBUG_MAX_FILES; i++)
		if (server->files[i].info)
			debug_info_forget(server->files[i].info);
	server->decoded = 0;
}

static void serve_one(struct server *server, const struct debug_request *request, const int *fds,
		      size_t n_fds)
{
	struct served_file *file = &server->files[request->file % DEBUG_MAX_FILES];
	int err = -EINVAL;

	if (request->what == DEBUG_CLOSE) {
		close_file(server, file);
		return;
	}
	if (request->what == DEBUG_OPEN)
		err = open_file(server, file, fds, n_fds);
	else if (file->info)
		err = find(server, file->info, request->vaddr);
	/* The other side asks again where this file has the memory for itself. */
	if (err == -ENOMEM)
		_exit(1);
	answer(server, err);
	if (server->decoded > MAX_DECODED)
		forget(server);
}

void debug_serve(int socket)
{
	struct server *server = calloc(1, sizeof(*server));
	struct debug_request requests[DEBUG_MAX_REQUESTS];
	size_t n, n_fds;
	int fds[2];

	if (!server)
		return;
	server->socket = socket;
	while ((n = receive(socket, requests, fds, &n_fds)) > 0) {
		for (size_t i = 0; i < n; i++) {
			serve_one(server, &requests[i], fds, n_fds);
			if (server->used > SEND_AT && !send_answers(server))
				return;
		}
		if (!send_answers(server))
			return;
	}
}
