/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_bpf.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <dwunw/bpf_format.h>

#include "bpf/probe.h"

#define GUARD_SIZE (1 << 16)

/* An inner map, seen from the BPF side. */
struct view {
	void *bytes;
	size_t size;
};

static struct view shards[DWUNW_MAX_SHARDS], mappings[DWUNW_MAX_PROCESSES];
static struct dwunw_process process; /* one at a time */
static bool has_process;

int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size, __u32 value_size,
		   __u32 max_entries, const struct bpf_map_create_opts *opts)
{
	int fd;

	(void)opts;
	if (type != BPF_MAP_TYPE_ARRAY || key_size != sizeof(__u32) || max_entries != 1)
		return -EINVAL;
	fd = memfd_create(name, MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, value_size)) {
		close(fd);
		return -ENOMEM;
	}
	return fd < 0 ? -errno : fd;
}

static void drop(struct view *view)
{
	if (view->bytes)
		munmap(view->bytes, view->size + GUARD_SIZE);
	view->bytes = NULL;
}

/* The file at the start of a range whose end cannot be read. */
static int map(struct view *view, int fd)
{
	struct stat st;
	uint8_t *range;

	drop(view);
	if (fstat(fd, &st))
		return -1;
	view->size = ((size_t)st.st_size + 4095) & ~4095UL;
	range = mmap(NULL, view->size + GUARD_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (range == MAP_FAILED)
		return -1;
	view->bytes = range;
	if (mmap(range, view->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return -1;
	return 0;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	__u32 index;
	struct stat st;

	memcpy(&index, key, sizeof(index));
	if (fd == FAKE_SHARDS_FD || fd == FAKE_MAPPINGS_FD) {
		__u32 limit = fd == FAKE_SHARDS_FD ? DWUNW_MAX_SHARDS : DWUNW_MAX_PROCESSES;
		int inner;

		memcpy(&inner, value, sizeof(inner));
		if (index >= limit)
			errno = E2BIG;
		return index >= limit
			       ? -1
			       : map(&(fd == FAKE_SHARDS_FD ? shards : mappings)[index], inner);
	}
	if (fd == FAKE_PROCESSES_FD) {
		if (flags == BPF_NOEXIST && has_process) {
			errno = EEXIST;
			return -1;
		}
		memcpy(&process, value, sizeof(process));
		has_process = true;
		return 0;
	}
	if (index || fstat(fd, &st) || pwrite(fd, value, (size_t)st.st_size, 0) != st.st_size)
		return -1;
	return 0;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	(void)key;
	errno = ENOENT;
	if (fd != FAKE_PROCESSES_FD || !has_process)
		return -1;
	memcpy(value, &process, sizeof(process));
	return 0;
}

int bpf_map_delete_elem(int fd, const void *key)
{
	__u32 place;

	memcpy(&place, key, sizeof(place));
	if (fd == FAKE_MAPPINGS_FD && place < DWUNW_MAX_PROCESSES)
		drop(&mappings[place]);
	has_process = false;
	return 0;
}

/* The dynamic linker's hook: nothing is traced here. */
int probe_attach(struct bpf_program *program, pid_t pid, const char *path,
		 const struct probe *probes, size_t n, bool is_return, struct probe_links *links)
{
	(void)program, (void)pid, (void)path, (void)probes, (void)n, (void)is_return, (void)links;
	return 0;
}

void probe_detach(struct probe_links *links)
{
	(void)links;
}

void *fake_shard(unsigned int index)
{
	return index < DWUNW_MAX_SHARDS && shards[index].bytes ? &shards[index] : NULL;
}

void *fake_shard_bytes(void *shard)
{
	return ((struct view *)shard)->bytes;
}

const struct dwunw_mappings *fake_mappings(unsigned long long key)
{
	return mappings[key % DWUNW_MAX_PROCESSES].bytes;
}

void fake_bpf_free(void)
{
	for (size_t i = 0; i < DWUNW_MAX_SHARDS; i++)
		drop(&shards[i]);
	for (size_t i = 0; i < DWUNW_MAX_PROCESSES; i++)
		drop(&mappings[i]);
	has_process = false;
}
