/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF file with debug information, read in this process as the worker reads it in its own (names is the whole, worker included). What is
 * looked for is in src/symbolize/debug_*.c: libdw 0.188 itself reads strings past the end of sections that have no last NUL.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "symbolize/debug_info.h"
#include "symbolize/losses.h"

const char *__asan_default_suppressions(void);
const char *__asan_default_suppressions(void)
{
	return "interceptor_via_lib:libdw";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t extra[] = {0, 1, 2, ~0ULL, ~0ULL - 1, 1ULL << 63};
	static struct debug_frames frames;
	static uint32_t losses[N_WORKER_LOSSES];
	struct debug_info *info;
	int fd = memfd_create("debug", MFD_CLOEXEC);

	HOLDS(fd >= 0);
	HOLDS(write(fd, data, size) == (ssize_t)size);
	if (debug_info_open(fd, -1, losses, &info) == 0) {
		for (uint64_t vaddr = 0x1000; vaddr < 0x1100; vaddr += 3)
			if (debug_info_find(info, vaddr, &frames) == 0)
				HOLDS(frames.n > 0 && frames.n <= DEBUG_MAX_DEPTH);
		for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++)
			(void)debug_info_find(info, extra[i], &frames);
		debug_info_close(info);
	}
	close(fd);
	return 0;
}
