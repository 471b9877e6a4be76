/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, of src/bpf/history.c with the kernel's records: every executable mapping of this process is there, once, with its place, and in order, although
 * the process goes from one CPU to another; and of a child that calls exec this stands before what it maps then. Left out where perf events
 * cannot be used.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "bpf/history.h"

#define MAPPINGS 300

static uint64_t starts[MAPPINGS];
static size_t n_seen, n_wrong, n_execs, n_after_exec;
static uint64_t last_ns;
static pid_t child;

static void take(void *arg, const struct history_record *record)
{
	(void)arg;
	n_wrong += record->time_ns < last_ns;
	last_ns = record->time_ns;
	if (record->pid == child) {
		n_execs += record->is_exec;
		n_after_exec += n_execs && !record->is_exec;
	}
	if (record->pid != getpid() || record->is_exec)
		return;
	n_wrong += n_seen >= MAPPINGS || record->start != starts[n_seen];
	n_seen++;
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void map_all(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	for (int i = 0; i < MAPPINGS; i++) {
		go_to(i / 3 % n_cpus);
		starts[i] = (uintptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	}
	close(fd);
}

static void run_child(void)
{
	child = fork();
	if (child == 0) {
		execlp("true", "true", (char *)NULL);
		_exit(1);
	}
	CHECK(child > 0 && waitpid(child, NULL, 0) == child);
}

int main(void)
{
	struct history *history;
	int err = history_open(&history);

	if (err) {
		printf("perf events cannot be used here\n");
		return test_end();
	}
	map_all();
	run_child();
	CHECK(history_read(history, take, NULL) == 0);
	CHECK(n_seen == MAPPINGS && n_wrong == 0);
	CHECK(n_execs == 1 && n_after_exec > 0);
	history_close(history);
	return test_end();
}
