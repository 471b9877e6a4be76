/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds kernel objects: 500 pipes with a page in each, 400 eventfds, 64 percpu blocks of 64 bytes and 100 memberships of a multicast group, which the kernel frees by
 * kfree_rcu(). Not of the protocol of truth.h,
 * but as much of it as tests/e2e/lib.sh needs: `ready`, a line, `done` (they are held), a line, `closed`, a line.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "truth.h"

enum { PIPES = 500, EVENTFDS = 400, PERCPU_BLOCKS = 64, MEMBERS = 100 };

static int percpu_array(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_PERCPU_ARRAY;
	attr.key_size = 4;
	attr.value_size = 64;
	attr.max_entries = PERCPU_BLOCKS;
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* On the loopback interface, which need not be up. */
static int member(void)
{
	struct ip_mreqn group = {.imr_multiaddr = {htonl(0xef010101)}, .imr_ifindex = 1};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	truth_require(fd >= 0, "socket");
	truth_require(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0,
		      "membership");
	return fd;
}

int main(void)
{
	static int members[MEMBERS], pipes[PIPES][2], events[EVENTFDS], array;
	static const char page[4096];
	struct rlimit files = {4096, 4096};

	truth_require(setrlimit(RLIMIT_NOFILE, &files) == 0, "open files");
	truth_ready();
	for (int i = 0; i < PIPES; i++) {
		truth_require(pipe(pipes[i]) == 0, "pipe");
		truth_require(write(pipes[i][1], page, sizeof(page)) == sizeof(page), "write");
	}
	for (int i = 0; i < EVENTFDS; i++) {
		events[i] = eventfd(0, 0);
		truth_require(events[i] >= 0, "eventfd");
	}
	for (int i = 0; i < MEMBERS; i++)
		members[i] = member();
	array = percpu_array();
	truth_require(array >= 0, "percpu array");
	truth_done();
	for (int i = 0; i < PIPES; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	for (int i = 0; i < EVENTFDS; i++)
		close(events[i]);
	for (int i = 0; i < MEMBERS; i++)
		close(members[i]);
	close(array);
	truth_write("closed\n");
	truth_wait();
	return 0;
}
