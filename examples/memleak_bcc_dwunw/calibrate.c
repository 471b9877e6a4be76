/* SPDX-License-Identifier: BSD-2-Clause */
#include "calibrate.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/probe.h"
#include "clock.h"

#define BATCHES 9 /* the median counts: one that the scheduler disturbed does not */
#define CALLS 500

/* What stands for an allocator's functions. They begin with an instruction that kernels emulate, as those do at their probes' places. */
#define BEGINS_WITH_NOP __attribute__((noinline, patchable_function_entry(1)))

typedef uint64_t (*probed)(uint64_t value);

BEGINS_WITH_NOP static uint64_t like_malloc(uint64_t value)
{
	__asm__ volatile("" : "+r"(value));
	return value;
}

BEGINS_WITH_NOP static uint64_t like_free(uint64_t value)
{
	__asm__ volatile("" : "+r"(value));
	return value + 1;
}

/* One that begins with arithmetic, which is single-stepped where kernels have no emulation of it. */
__attribute__((noinline)) static uint64_t like_other(uint64_t value)
{
	return value * 3 + 7;
}

struct place {
	uintptr_t address;
	unsigned long offset;
};

static int find_offset(struct dl_phdr_info *info, size_t size, void *context)
{
	struct place *place = context;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && place->address >= start &&
		    place->address - start < segment->p_filesz) {
			place->offset = place->address - start + segment->p_offset;
			return 1;
		}
	}
	return 0;
}

static int attach(struct bpf_program *program, probed function, unsigned long long cookie,
		  bool is_return, struct probe_links *links)
{
	struct place place = {.address = (uintptr_t)function};
	struct probe probe = {.cookie = cookie};

	if (dl_iterate_phdr(find_offset, &place) != 1)
		return -ENOENT;
	probe.offset = place.offset;
	return probe_attach(program, getpid(), "/proc/self/exe", &probe, 1, is_return, links);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Nanoseconds of one call. */
static double time_calls(probed function)
{
	double ns[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		uint64_t start = monotonic_ns();

		for (int j = 0; j < CALLS; j++)
			function(1);
		ns[i] = (double)(monotonic_ns() - start) / CALLS;
	}
	qsort(ns, BATCHES, sizeof(ns[0]), compare);
	return ns[BATCHES / 2];
}

int calibrate(struct bpf_program *enter, struct bpf_program *leave, struct bpf_program *free_,
	      unsigned long long cookie, struct overhead_costs *ret)
{
	struct probe_links links = {};
	int err = attach(leave, like_malloc, cookie, true, &links);
	double stepped;

	if (!err)
		err = attach(enter, like_malloc, cookie, false, &links);
	if (!err)
		err = attach(free_, like_free, 0, false, &links);
	if (!err)
		err = attach(free_, like_other, 0, false, &links);
	if (!err) {
		ret->call = time_calls(like_malloc);
		ret->free = time_calls(like_free);
		stepped = time_calls(like_other) - ret->free;
		ret->stepped = stepped > 0 ? stepped : 0;
	}
	probe_detach(&links);
	return err;
}
