/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/history.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#define RING_SIZE (512u << 10) /* of each CPU: about 3,000 records */

/* PERF_RECORD_MMAP2, PERF_RECORD_COMM and PERF_RECORD_LOST, linux/perf_event.h */
struct mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint32_t prot, flags;
	char path[];
};

struct comm {
	struct perf_event_header header;
	uint32_t pid, tid;
};

struct lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

/* What sample_id_all puts behind each of them, as PERF_SAMPLE_TIME asks for. */
struct trailer {
	uint64_t time;
};

struct ring {
	int fd;
	struct perf_event_mmap_page *control;
	uint64_t head, tail; /* while it is read */
	uint64_t next_ns;    /* of the record at `tail`; UINT64_MAX: there is none */
};

struct history {
	size_t page;
	size_t n_rings;
	struct ring *rings;
	uint64_t record[UINT16_MAX / sizeof(uint64_t) + 1]; /* the one at hand, plain */
};

static int open_ring(struct history *history, int cpu, struct ring *ret)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.exclude_kernel = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1, /* nobody waits for it: it is read when something else happens */
		.wakeup_watermark = RING_SIZE,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	void *data;

	if (fd < 0)
		return -errno;
	data = mmap(NULL, history->page + RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	*ret = (struct ring){.fd = fd, .control = data};
	return 0;
}

int history_open(struct history **ret)
{
	struct history *history;
	int n_cpus = libbpf_num_possible_cpus(), err = 0;

	if (n_cpus < 0)
		return n_cpus;
	history = calloc(1, sizeof(*history));
	if (history)
		history->rings = calloc((size_t)n_cpus, sizeof(*history->rings));
	if (!history || !history->rings) {
		free(history);
		return -ENOMEM;
	}
	history->page = (size_t)sysconf(_SC_PAGESIZE);
	for (int cpu = 0; cpu < n_cpus && !err; cpu++) {
		err = open_ring(history, cpu, &history->rings[history->n_rings]);
		if (!err)
			history->n_rings++;
		else if (err == -ENODEV) /* it is offline */
			err = 0;
	}
	if (!err && !history->n_rings)
		err = -ENODEV;
	if (err)
		history_close(history);
	else
		*ret = history;
	return err;
}

void history_close(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < history->n_rings; i++) {
		munmap(history->rings[i].control, history->page + RING_SIZE);
		close(history->rings[i].fd);
	}
	free(history->rings);
	free(history);
}

/* Bytes of the ring at position `at`, which may go round its end. */
static void copy_out(const uint8_t *data, uint64_t at, void *to, size_t size)
{
	size_t off = at % RING_SIZE, first = RING_SIZE - off;

	if (first > size)
		first = size;
	memcpy(to, data + off, first);
	memcpy((uint8_t *)to + first, data, size - first);
}

/* When it was made; false: it has no room for that behind `size` bytes. */
static bool read_time(const struct perf_event_header *header, size_t size, uint64_t *ret)
{
	struct trailer trailer;

	if (header->size < size + sizeof(trailer))
		return false;
	memcpy(&trailer, (const uint8_t *)header + header->size - sizeof(trailer), sizeof(trailer));
	*ret = trailer.time;
	return true;
}

static void hand_out_mapping(const struct perf_event_header *header, history_fn *fn, void *arg)
{
	const struct mmap2 *from = (const void *)header;
	struct history_record record;
	uint64_t time_ns;

	if (!read_time(header, sizeof(*from), &time_ns) ||
	    !memchr(from->path, '\0', header->size - sizeof(*from) - sizeof(struct trailer)))
		return;
	record = (struct history_record){
		.pid = (pid_t)from->pid,
		.time_ns = time_ns,
		.start = from->addr,
		.end = from->addr + from->len,
		.file_off = from->pgoff,
		.inode = from->ino,
		.dev_major = from->maj,
		.dev_minor = from->min,
		.path = from->path,
	};
	fn(arg, &record);
}

/* The name of a thread is told of when it gets another one, and by exec, before anything is mapped. */
static void hand_out_exec(const struct perf_event_header *header, history_fn *fn, void *arg)
{
	const struct comm *from = (const void *)header;
	struct history_record record = {.is_exec = true};

	if (!(header->misc & PERF_RECORD_MISC_COMM_EXEC) ||
	    !read_time(header, sizeof(*from), &record.time_ns))
		return;
	record.pid = (pid_t)from->pid;
	fn(arg, &record);
}

/* Looks at the record at `tail`. One that makes no sense is the last. */
static void look_ahead(const struct history *history, struct ring *ring)
{
	const uint8_t *data = (const uint8_t *)ring->control + history->page;
	struct perf_event_header header;

	ring->next_ns = UINT64_MAX;
	if (ring->tail >= ring->head)
		return;
	copy_out(data, ring->tail, &header, sizeof(header));
	if (header.size >= sizeof(header) + sizeof(struct trailer))
		copy_out(data, ring->tail + header.size - sizeof(struct trailer), &ring->next_ns,
			 sizeof(ring->next_ns));
}

static struct ring *ring_of_oldest(struct history *history)
{
	struct ring *found = NULL;

	for (size_t i = 0; i < history->n_rings; i++) {
		struct ring *ring = &history->rings[i];

		if (ring->next_ns < (found ? found->next_ns : UINT64_MAX))
			found = ring;
	}
	return found;
}

/* Hands out the record at `tail`; how many it says were lost. */
static uint64_t take_record(struct history *history, struct ring *ring, history_fn *fn, void *arg)
{
	const uint8_t *data = (const uint8_t *)ring->control + history->page;
	const struct perf_event_header *header = (const void *)history->record;

	copy_out(data, ring->tail, history->record, sizeof(*header));
	copy_out(data, ring->tail, history->record, header->size);
	ring->tail += header->size;
	if (header->type == PERF_RECORD_LOST)
		return ((const struct lost *)header)->lost;
	if (header->type == PERF_RECORD_MMAP2)
		hand_out_mapping(header, fn, arg);
	else if (header->type == PERF_RECORD_COMM)
		hand_out_exec(header, fn, arg);
	return 0;
}

uint64_t history_read(struct history *history, history_fn *fn, void *arg)
{
	struct ring *ring;
	uint64_t lost = 0;

	for (size_t i = 0; i < history->n_rings; i++) {
		ring = &history->rings[i];
		ring->head = __atomic_load_n(&ring->control->data_head, __ATOMIC_ACQUIRE);
		ring->tail = ring->control->data_tail;
		look_ahead(history, ring);
	}
	while ((ring = ring_of_oldest(history))) {
		lost += take_record(history, ring, fn, arg);
		look_ahead(history, ring);
	}
	for (size_t i = 0; i < history->n_rings; i++)
		__atomic_store_n(&history->rings[i].control->data_tail, history->rings[i].head,
				 __ATOMIC_RELEASE);
	return lost;
}
