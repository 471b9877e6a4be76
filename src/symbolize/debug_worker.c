/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debug_worker.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "symbolize/debug_protocol.h"

#define MAX_SILENCE_S 10
#define FIRST_ROOM (64u << 10)
#define MAX_MEMORY (2ULL << 30)
/* Files that end it are not asked again; more than these ends the attempts. */
#define MAX_LIVES 64

/* A sanitizer's own memory would count. */
#if defined(__has_feature)
#define HAS_SHADOW __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW 1
#else
#define HAS_SHADOW 0
#endif

struct debug_worker {
	pid_t pid; /* 0: none runs */
	int socket;
	uint32_t life; /* how often one was started */
	uint32_t n_files;
	char *answer; /* the last one, then its strings */
	size_t room, have;
	size_t used; /* of what we have: by the last answer */
};

struct debug_worker *debug_worker_create(void)
{
	struct debug_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->socket = -1;
	worker->answer = malloc(FIRST_ROOM);
	worker->room = FIRST_ROOM;
	if (worker->answer)
		return worker;
	free(worker);
	return NULL;
}

static void end(struct debug_worker *worker)
{
	if (!worker->pid)
		return;
	close(worker->socket);
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, __WALL);
	worker->pid = 0;
	worker->socket = -1;
	worker->have = worker->used = 0;
}

void debug_worker_destroy(struct debug_worker *worker)
{
	if (!worker)
		return;
	end(worker);
	free(worker->answer);
	free(worker);
}

/* In the new process. */
static void confine(int socket, pid_t parent)
{
	const struct rlimit memory = {MAX_MEMORY, MAX_MEMORY}, none = {0, 0};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct nothing[2] = {};
	struct sigaction usual = {.sa_handler = SIG_DFL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	prctl(PR_SET_NAME, "dwunw-names");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_capset, &header, nothing);
	if (!HAS_SHADOW)
		setrlimit(RLIMIT_DATA, &memory);
	setrlimit(RLIMIT_CORE, &none);
	for (int signal = 1; signal < SIGRTMIN; signal++)
		sigaction(signal, &usual, NULL);
	if (dup2(socket, 3) < 0)
		_exit(1);
	syscall(SYS_close_range, 4, ~0U, 0);
}

/* By clone() without a signal: to the program that uses this library, the worker is no child that has ended. */
static int start(struct debug_worker *worker)
{
	const struct timeval limit = {.tv_sec = MAX_SILENCE_S};
	pid_t parent = getpid();
	int sockets[2];
	long pid;

	if (worker->life >= MAX_LIVES)
		return -EAGAIN;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	pid = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	if (pid == 0) {
		confine(sockets[1], parent);
		debug_serve(3);
		_exit(0);
	}
	close(sockets[1]);
	if (pid < 0) {
		close(sockets[0]);
		return -EAGAIN;
	}
	setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	worker->pid = (pid_t)pid;
	worker->socket = sockets[0];
	worker->life++;
	worker->n_files = 0;
	return 0;
}

/* Its head, and how many bytes it has with that; -EAGAIN: they are not all there. */
static int complete(struct debug_worker *worker, struct debug_answer *head, size_t *size)
{
	*size = sizeof(*head);
	if (worker->have >= *size) {
		memcpy(head, worker->answer, sizeof(*head));
		if (head->err > 0 || head->size > DEBUG_MAX_ANSWER)
			return -EBADMSG;
		*size += head->size;
	}
	return worker->have >= *size ? 0 : -EAGAIN;
}

/*
 * One answer to the front of worker->answer; there may be more behind it, for the next call. One that does not come in time ends in an
 * error of recv(), by SO_RCVTIMEO.
 */
static bool receive(struct debug_worker *worker, struct debug_answer *head)
{
	size_t size;
	ssize_t got;
	int err;

	worker->have -= worker->used;
	memmove(worker->answer, worker->answer + worker->used, worker->have);
	worker->used = 0;
	while ((err = complete(worker, head, &size)) == -EAGAIN) {
		if (size > worker->room) {
			char *moved = realloc(worker->answer, size);

			if (!moved)
				return false;
			worker->answer = moved;
			worker->room = size;
		}
		got = recv(worker->socket, worker->answer + worker->have,
			   worker->room - worker->have, 0);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			return false;
		worker->have += got > 0 ? (size_t)got : 0;
	}
	worker->used = err ? 0 : size;
	return !err;
}

/* With descriptors. A socket that nothing waits in has room for it. */
static bool send_files(int socket, const struct debug_request *request, const int *fds)
{
	size_t size = request->descriptors * sizeof(int);
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec data = {(void *)request, sizeof(*request)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	struct cmsghdr *header;

	message.msg_control = control.bytes;
	message.msg_controllen = CMSG_SPACE(size);
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), fds, size);
	return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*request);
}

/* The next string of an answer, with a NUL of its own: where the number before the one behind it was. False: it lies. */
static bool take_text(char **pos, size_t *left, char **to, uint32_t size, const char **ret)
{
	*ret = NULL;
	if (size > *left || size > DEBUG_MAX_TEXT)
		return false;
	if (size) {
		memmove(*to, *pos, size);
		(*to)[size] = '\0';
		*ret = *to;
		*to += size + 1;
	}
	*pos += size;
	*left -= size;
	return true;
}

/* The strings move to the front: what a frame's numbers took has room for their three NULs. */
static bool unpack(const struct debug_worker *worker, const struct debug_answer *head,
		   struct debug_frames *ret)
{
	char *pos = worker->answer + sizeof(*head), *to = worker->answer;
	size_t left = head->size;

	if (head->n == 0 || head->n > DEBUG_MAX_DEPTH)
		return false;
	for (uint32_t i = 0; i < head->n; i++) {
		struct debug_frame *frame = &ret->frames[i];
		struct debug_answer_frame from;

		if (left < sizeof(from))
			return false;
		memcpy(&from, pos, sizeof(from));
		pos += sizeof(from);
		left -= sizeof(from);
		if (!take_text(&pos, &left, &to, from.name_size, &frame->name) ||
		    !take_text(&pos, &left, &to, from.file_size, &frame->file) ||
		    !take_text(&pos, &left, &to, from.folder_size, &frame->folder))
			return false;
		if (i)
			frame->folder = ret->frames[0].folder;
		frame->line = from.line;
		frame->column = from.column;
	}
	ret->n = head->n;
	ret->start = head->start;
	return true;
}

/* The next answer; -EBADMSG: it has been ended. */
static int take_answer(struct debug_worker *worker, struct debug_frames *ret)
{
	struct debug_answer head;

	if (receive(worker, &head) && (head.err || !ret || unpack(worker, &head, ret)))
		return head.err;
	end(worker);
	return -EBADMSG;
}

int debug_worker_open(struct debug_worker *worker, int fd, int alternate,
		      struct debug_worker_file *ret)
{
	const int fds[] = {fd, alternate};
	struct debug_request request = {.descriptors = alternate >= 0 ? 2 : 1};
	int err = worker->pid && worker->n_files < DEBUG_MAX_FILES ? 0 : -EAGAIN;

	if (err) {
		end(worker);
		err = start(worker);
	}
	if (err)
		return err;
	request.file = worker->n_files++;
	err = send_files(worker->socket, &request, fds) ? take_answer(worker, NULL) : -EBADMSG;
	if (!err)
		*ret = (struct debug_worker_file){request.file, worker->life};
	return err;
}

/* So many at once that the two processes need not wait for each other each time. */
static int find_some(struct debug_worker *worker, uint32_t file, const uint64_t *vaddrs, size_t n,
		     debug_answer_fn *fn, void *arg)
{
	static struct debug_frames frames; /* large; one thread at a time */
	struct debug_request requests[DEBUG_MAX_REQUESTS];
	ssize_t size = (ssize_t)(n * sizeof(requests[0]));
	int err = 0;

	for (size_t i = 0; i < n; i++)
		requests[i] = (struct debug_request){.file = file, .vaddr = vaddrs[i]};
	if (send(worker->socket, requests, (size_t)size, MSG_NOSIGNAL) != size)
		err = -EBADMSG;
	for (size_t i = 0; i < n && err != -EBADMSG; i++) {
		err = take_answer(worker, &frames);
		if (err != -EBADMSG)
			fn(vaddrs[i], err ? NULL : &frames, arg);
	}
	if (err != -EBADMSG)
		return 0;
	end(worker); /* there may be answers that nobody waits for */
	return err;
}

int debug_worker_find(struct debug_worker *worker, int fd, int alternate,
		      struct debug_worker_file *file, const uint64_t *vaddrs, size_t n,
		      debug_answer_fn *fn, void *arg)
{
	int err = 0;

	if (!worker->pid || file->life != worker->life)
		err = debug_worker_open(worker, fd, alternate, file);
	for (size_t i = 0; i < n && !err; i += DEBUG_MAX_REQUESTS) {
		size_t some = n - i < DEBUG_MAX_REQUESTS ? n - i : DEBUG_MAX_REQUESTS;

		err = find_some(worker, file->number, vaddrs + i, some, fn, arg);
	}
	return err;
}
