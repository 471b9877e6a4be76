/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debug_worker.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
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
/* Files that it died over. */
#define MAX_DEATHS 64

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
	uint32_t deaths;
	bool used[DEBUG_MAX_FILES]; /* numbers of files that are open */
	uint32_t n_files;
	uint64_t losses[N_WORKER_LOSSES];
	char *answer; /* the last one, then its strings */
	size_t room, have;
	size_t taken; /* of what we have: by the last answer */
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
	worker->have = worker->taken = 0;
}

void debug_worker_destroy(struct debug_worker *worker)
{
	if (!worker)
		return;
	end(worker);
	free(worker->answer);
	free(worker);
}

/* What counts for RLIMIT_DATA, bytes: the new process begins with it. proc(5), "statm" */
static rlim_t data_now(void)
{
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm && fscanf(statm, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		pages = 0;
	if (statm)
		fclose(statm);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* In the new process. */
static void confine(int socket, pid_t parent, rlim_t max_data)
{
	const struct rlimit memory = {max_data, max_data}, none = {0, 0};
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
	rlim_t max_data = data_now() + MAX_MEMORY;
	pid_t parent = getpid();
	int sockets[2];
	long pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	pid = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	if (pid == 0) {
		confine(sockets[1], parent, max_data);
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
	memset(worker->used, 0, sizeof(worker->used));
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
 * One answer to the front of worker->answer; there may be more behind it, for the next call. -ETIMEDOUT: it did not come in time, which
 * ends in an error of recv() by SO_RCVTIMEO; -EIO: it never will.
 */
static int receive(struct debug_worker *worker, struct debug_answer *head)
{
	size_t size;
	ssize_t got;
	int err;

	worker->have -= worker->taken;
	memmove(worker->answer, worker->answer + worker->taken, worker->have);
	worker->taken = 0;
	while ((err = complete(worker, head, &size)) == -EAGAIN) {
		if (size > worker->room) {
			char *moved = realloc(worker->answer, size);

			if (!moved)
				return -EIO;
			worker->answer = moved;
			worker->room = size;
		}
		got = recv(worker->socket, worker->answer + worker->have,
			   worker->room - worker->have, 0);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			return got < 0 && errno == EAGAIN ? -ETIMEDOUT : -EIO;
		worker->have += got > 0 ? (size_t)got : 0;
	}
	worker->taken = err ? 0 : size;
	return err ? -EIO : 0;
}

/* With descriptors. A socket that nothing waits in has room for it. */
static bool send_files(int socket, const struct debug_request *request, const int *fds,
		       size_t n_fds)
{
	size_t size = n_fds * sizeof(int);
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

/* The next answer, or what became of the worker: `fatal`, and it has been ended. */
static int take_answer(struct debug_worker *worker, struct debug_frames *ret, bool *fatal)
{
	struct debug_answer head;
	int err = receive(worker, &head);

	for (size_t i = 0; i < N_WORKER_LOSSES && !err; i++)
		worker->losses[i] += head.losses[i];
	if (!err && !head.err && ret && !unpack(worker, &head, ret))
		err = -EIO;
	*fatal = err != 0;
	if (err)
		end(worker);
	return err ? err : head.err;
}

/* A free number; one is there. */
static uint32_t take_number(struct debug_worker *worker)
{
	uint32_t number = 0;

	while (worker->used[number])
		number++;
	worker->used[number] = true;
	worker->n_files++;
	return number;
}

static int open_once(struct debug_worker *worker, struct debug_worker_file *file, bool *fatal)
{
	const int fds[] = {file->fd, file->alternate};
	struct debug_request request = {.what = DEBUG_OPEN};
	int err = worker->pid && worker->n_files < DEBUG_MAX_FILES ? 0 : -EAGAIN;

	*fatal = false;
	if (err) {
		end(worker);
		err = start(worker);
	}
	if (err)
		return err;
	request.file = take_number(worker);
	if (send_files(worker->socket, &request, fds, file->alternate >= 0 ? 2 : 1)) {
		err = take_answer(worker, NULL, fatal);
	} else {
		end(worker);
		*fatal = true;
		err = -EIO;
	}
	if (!err) {
		file->number = request.file;
		file->life = worker->life;
	} else if (!*fatal) {
		worker->used[request.file] = false;
		worker->n_files--;
	}
	return err;
}

/* So many at once that the two processes need not wait for each other each time. *done: how many have been answered. */
static int find_some(struct debug_worker *worker, uint32_t file, const uint64_t *vaddrs, size_t n,
		     debug_answer_fn *fn, void *arg, size_t *done)
{
	static struct debug_frames frames; /* large; one thread at a time */
	struct debug_request requests[DEBUG_MAX_REQUESTS];
	ssize_t size = (ssize_t)(n * sizeof(requests[0]));
	bool fatal = false;

	for (size_t i = 0; i < n; i++)
		requests[i] = (struct debug_request){
			.file = file, .what = DEBUG_FIND, .vaddr = vaddrs[i]};
	if (send(worker->socket, requests, (size_t)size, MSG_NOSIGNAL) != size) {
		end(worker); /* there may be answers that nobody waits for */
		return -EIO;
	}
	for (size_t i = 0; i < n; i++) {
		int err = take_answer(worker, &frames, &fatal);

		if (fatal)
			return err;
		fn(vaddrs[i], err ? NULL : &frames, arg);
		++*done;
	}
	return 0;
}

/* The rest of the addresses; opens the file first where it has to be. `n` 0: that alone. */
static int ask(struct debug_worker *worker, struct debug_worker_file *file, const uint64_t *vaddrs,
	       size_t n, debug_answer_fn *fn, void *arg, size_t *done, bool *fatal)
{
	int err = 0;

	*fatal = false;
	if (!worker->pid || file->life != worker->life)
		err = open_once(worker, file, fatal);
	while (*done < n && !err) {
		size_t some = n - *done < DEBUG_MAX_REQUESTS ? n - *done : DEBUG_MAX_REQUESTS;

		err = find_some(worker, file->number, vaddrs + *done, some, fn, arg, done);
		*fatal = err != 0;
	}
	return err;
}

int debug_worker_find(struct debug_worker *worker, struct debug_worker_file *file,
		      const uint64_t *vaddrs, size_t n, debug_answer_fn *fn, void *arg)
{
	bool alone = !worker->pid || worker->n_files == 0 ||
		     (worker->n_files == 1 && file->life == worker->life);
	bool fatal;
	size_t done = 0;
	int err;

	if (worker->deaths >= MAX_DEATHS && !file->life)
		return -EAGAIN;
	err = ask(worker, file, vaddrs, n, fn, arg, &done, &fatal);
	/* One that hung would hang again. */
	if (fatal && err != -ETIMEDOUT && !alone)
		err = ask(worker, file, vaddrs, n, fn, arg, &done, &fatal);
	worker->deaths += fatal;
	return err;
}

int debug_worker_open(struct debug_worker *worker, struct debug_worker_file *file)
{
	return debug_worker_find(worker, file, NULL, 0, NULL, NULL);
}

void debug_worker_close(struct debug_worker *worker, struct debug_worker_file *file)
{
	const struct debug_request request = {.file = file->number, .what = DEBUG_CLOSE};

	if (!worker->pid || file->life != worker->life || file->life == 0)
		return;
	worker->used[file->number] = false;
	worker->n_files--;
	file->life = 0;
	/* It waits for requests, unless it is of no use any more. */
	if (send(worker->socket, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)sizeof(request))
		end(worker);
}

void debug_worker_take_losses(struct debug_worker *worker, uint64_t *ret)
{
	memcpy(ret, worker->losses, sizeof(worker->losses));
	memset(worker->losses, 0, sizeof(worker->losses));
}
