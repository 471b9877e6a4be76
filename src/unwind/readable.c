/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/readable.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of what can be mapped on its own: the smallest page that Linux has. Where pages are larger, some are asked about twice. */
#define PAGE 4096

#define NO_SUCH_HOW (-1)
#define KERNEL_SIGSET_SIZE (_NSIG / 8)

/*
 * The kernel reads a signal set, and only then finds that it does not know what to do with it: EFAULT or EINVAL (kernel/signal.c,
 * sigprocmask()). Of all ways to ask, this one needs no descriptor, no privilege and no signal handler.
 */
static bool can_be_read(uint64_t addr)
{
	int before = errno;
	bool yes;

	syscall(SYS_rt_sigprocmask, NO_SUCH_HOW, (void *)(uintptr_t)addr, NULL,
		(size_t)KERNEL_SIGSET_SIZE);
	yes = errno == EINVAL;
	errno = before;
	return yes;
}

static _Atomic uintptr_t *place_of(struct readable_pages *pages, uint64_t page)
{
	return &pages->starts[(page / PAGE) & (READABLE_PAGES - 1)];
}

static bool is_known(struct readable_pages *pages, uint64_t page)
{
	return page && atomic_load_explicit(place_of(pages, page), memory_order_relaxed) == page;
}

/* A word at its end tells for all of the page. */
static bool learn(struct readable_pages *pages, uint64_t page)
{
	if (page == 0 || !can_be_read(page + PAGE - KERNEL_SIGSET_SIZE))
		return false;
	atomic_store_explicit(place_of(pages, page), page, memory_order_relaxed);
	return true;
}

/* AddressSanitizer objects to plain reads between a function's variables: all go through readable_read() then. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define PLAIN_READS false
#else
#define PLAIN_READS true
#endif

size_t readable_from(struct readable_pages *pages, uint64_t addr, unsigned int max_pages)
{
	uint64_t page = addr & -(uint64_t)PAGE;
	unsigned int n = 1;

	if (!PLAIN_READS)
		return 0;
	if (!is_known(pages, page) && !learn(pages, page))
		return 0;
	while (n < max_pages && is_known(pages, page + (uint64_t)n * PAGE))
		n++;
	return page + (uint64_t)n * PAGE - addr;
}

static bool ask_once(struct readable_reader *reader, uint64_t page)
{
	if (page && page == reader->page)
		return true;
	if (!learn(reader->pages, page))
		return false;
	reader->page = page;
	return true;
}

__attribute__((no_sanitize("address"))) int readable_read(void *arg, uint64_t addr, void *buf,
							  size_t size)
{
	struct readable_reader *reader = arg;
	uint64_t first = addr & -(uint64_t)PAGE, last = (addr + size - 1) & -(uint64_t)PAGE;
	const volatile unsigned char *from = (const unsigned char *)(uintptr_t)addr;
	unsigned char *to = buf;

	if (last < first || !ask_once(reader, first) || !ask_once(reader, last))
		return -EFAULT;
	for (size_t i = 0; i < size; i++)
		to[i] = from[i];
	return 0;
}
