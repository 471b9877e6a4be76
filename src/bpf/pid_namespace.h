/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BPF_PID_NAMESPACE_H
#define BPF_PID_NAMESPACE_H

#include <stdint.h>
#include <sys/stat.h>

/* The PID namespace of this process; 0 and 0: the initial one, whose inode is fixed (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
static inline void own_pid_namespace(uint64_t *dev, uint64_t *ino)
{
	const ino_t initial = 0xEFFFFFFC;
	struct stat st;

	*dev = *ino = 0;
	if (stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != initial) {
		*dev = st.st_dev;
		*ino = st.st_ino;
	}
}

#endif
