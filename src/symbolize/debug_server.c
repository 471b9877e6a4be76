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

struct server {
	int socket;
	struct debug_info *files[DEBUG_MAX_FILES];
	struct debug_frames frames;
	char answer[DEBUG_MAX_ANSWER];
};

/* With the descriptors that came with it; *n: how many there are. */
static bool receive(int socket, struct debug_request *request, int *fds, size_t *n)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec data = {request, sizeof(*request)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got = recvmsg(socket, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	*n = 0;
	if (header && header->cmsg_type == SCM_RIGHTS) {
		*n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(header), *n * sizeof(int));
	}
	return got == (ssize_t)sizeof(*request);
}

static bool send_all(int socket, const char *data, size_t size)
{
	while (size) {
		ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		data += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Its size, and the bytes at *pos; one that is too long, or does not fit, is left out. */
static uint32_t put_text(struct server *server, size_t *pos, const char *text)
{
	size_t size = text ? strnlen(text, DEBUG_MAX_TEXT) : 0;

	if (size == DEBUG_MAX_TEXT || size > sizeof(server->answer) - *pos)
		return 0;
	memcpy(server->answer + *pos, text ? text : "", size);
	*pos += size;
	return (uint32_t)size;
}

static bool answer(struct server *server, int err)
{
	struct debug_answer head = {.err = err};
	size_t pos = sizeof(head);

	if (!err) {
		head.n = (uint32_t)server->frames.n;
		head.start = server->frames.start;
	}
	for (size_t i = 0; i < head.n; i++) {
		const struct debug_frame *from = &server->frames.frames[i];
		struct debug_answer_frame frame = {.line = from->line, .column = from->column};
		size_t at = pos;

		if (sizeof(server->answer) - pos < sizeof(frame)) {
			head.n = (uint32_t)i;
			break;
		}
		pos += sizeof(frame);
		frame.name_size = put_text(server, &pos, from->name);
		frame.file_size = put_text(server, &pos, from->file);
		frame.folder_size = put_text(server, &pos, from->folder);
		memcpy(server->answer + at, &frame, sizeof(frame));
	}
	head.size = (uint32_t)(pos - sizeof(head));
	memcpy(server->answer, &head, sizeof(head));
	return send_all(server->socket, server->answer, pos);
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
	struct debug_request request;
	int fds[2];
	size_t n;

	if (!server)
		return;
	server->socket = socket;
	while (receive(socket, &request, fds, &n))
		if (!answer(server, serve_one(server, &request, fds, n)))
			break;
}
