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

struct server {
	int socket;
	struct debug_info *files[DEBUG_MAX_FILES];
	struct debug_frames frames;
	size_t used; /* of `answers`: not sent yet */
	char answers[DEBUG_MAX_ANSWER + SEND_AT];
};

/* As many as there are; the descriptors that came with the first. The number of requests; 0: nobody asks any more. */
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

	if (size == DEBUG_MAX_TEXT || size > sizeof(server->answers) - *pos)
		return 0;
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
			break;
		}
		pos += sizeof(frame);
		frame.name_size = put_text(server, &pos, from->name);
		frame.file_size = put_text(server, &pos, from->file);
		frame.folder_size = put_text(server, &pos, i == 0 ? from->folder : NULL);
		memcpy(server->answers + at, &frame, sizeof(frame));
	}
	head.size = (uint32_t)(pos - begin - sizeof(head));
	memcpy(server->answers + begin, &head, sizeof(head));
	server->used = pos;
}

static int serve_one(struct server *server, const struct debug_request *request, const int *fds,
		     size_t n_fds)
{
	if (request->file >= DEBUG_MAX_FILES)
		return -EINVAL;
	if (n_fds) {
		server->frames.n = 0;
		/* A file's descriptors stay open as long as the process. */
		return debug_info_open(fds[0], n_fds > 1 ? fds[1] : -1,
				       &server->files[request->file]);
	}
	if (!server->files[request->file])
		return -EINVAL;
	return debug_info_find(server->files[request->file], request->vaddr, &server->frames);
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
			answer(server, serve_one(server, &requests[i], fds, i ? 0 : n_fds));
			if (server->used > SEND_AT && !send_answers(server))
				return;
		}
		if (!send_answers(server))
			return;
	}
}
