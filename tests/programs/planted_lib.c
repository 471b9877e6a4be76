/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a server, plants a leak whose size is known: while the test says so, every tenth read() and recv() forgets a
 * block. Says also what the C library's own accounting says. They talk through a file that both have mapped, named by PLANTED.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* In the mapped file; the test writes `wanted` and `asked`. */
struct planted {
	uint64_t wanted; /* 1: leak */
	uint64_t calls, blocks, bytes;
	uint64_t asked, answered; /* mallinfo2() is called where they differ */
	uint64_t in_use;	  /* bytes, in chunks and in mappings of their own */
};

static struct planted *planted;
static ssize_t (*next_read)(int fd, void *buffer, size_t size);
static ssize_t (*next_recv)(int fd, void *buffer, size_t size, int flags);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("PLANTED");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	next_read = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	next_recv = (ssize_t(*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
	if (fd < 0)
		return;
	planted = mmap(NULL, sizeof(*planted), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (planted == MAP_FAILED)
		planted = NULL;
	close(fd);
}

__attribute__((noinline)) static void planted_leak(size_t size)
{
	void *volatile forgotten = malloc(size);

	if (!forgotten)
		return;
	__atomic_add_fetch(&planted->blocks, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&planted->bytes, size, __ATOMIC_RELAXED);
}

static void called(void)
{
	uint64_t asked;

	if (!planted)
		return;
	asked = __atomic_load_n(&planted->asked, __ATOMIC_ACQUIRE);
	if (asked != planted->answered) {
		struct mallinfo2 info = mallinfo2();

		planted->in_use = info.uordblks + info.hblkhd;
		__atomic_store_n(&planted->answered, asked, __ATOMIC_RELEASE);
	}
	if (__atomic_load_n(&planted->wanted, __ATOMIC_ACQUIRE)) {
		uint64_t n = __atomic_add_fetch(&planted->calls, 1, __ATOMIC_RELAXED);

		if (n % 10 == 0)
			planted_leak(100 + n % 500);
	}
}

ssize_t read(int fd, void *buffer, size_t size)
{
	if (!next_read) /* before begin() */
		next_read = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	called();
	return next_read(fd, buffer, size);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	if (!next_recv)
		next_recv = (ssize_t(*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
	called();
	return next_recv(fd, buffer, size, flags);
}
