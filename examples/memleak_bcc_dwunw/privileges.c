/* SPDX-License-Identifier: BSD-2-Clause */
#include "privileges.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

/* What was in effect at the start: the user's own, which for root is everything. */
static struct {
	bool known;
	uint32_t effective[_LINUX_CAPABILITY_U32S_3];
} own;

void privileges_raise(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return; /* what is missing will be said by whoever needs it */
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (!own.known)
			own.effective[i] = data[i].effective;
		data[i].effective = data[i].permitted;
	}
	own.known = true;
	syscall(SYS_capset, &header, data);
}

void privileges_lower(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (!own.known || syscall(SYS_capget, &header, data))
		return; /* nothing was raised */
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = own.effective[i];
	syscall(SYS_capset, &header, data);
}

/* CapEff of /proc/self/status; everything if it cannot be read, so that nothing wrong is said. */
static uint64_t effective(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	uint64_t set = UINT64_MAX;
	char line[256];

	if (!status)
		return set;
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "CapEff: %" SCNx64, &set) == 1)
			break;
	}
	fclose(status);
	return set;
}

static void add(uint64_t set, unsigned int capability, const char *name, char *ret, size_t size)
{
	size_t used = strlen(ret);

	if (!(set >> capability & 1))
		snprintf(ret + used, size - used, "%s%s", used ? ", " : "", name);
}

void privileges_missing_for_bpf(char *ret, size_t size)
{
	uint64_t set = effective();

	ret[0] = '\0';
	if (set >> CAP_SYS_ADMIN & 1)
		return;
	add(set, CAP_BPF, "CAP_BPF", ret, size);
	add(set, CAP_PERFMON, "CAP_PERFMON", ret, size);
}

void privileges_missing_to_attach(bool multi, char *ret, size_t size)
{
	ret[0] = '\0';
	if (multi)
		privileges_missing_for_bpf(ret, size);
	else
		add(effective(), CAP_SYS_ADMIN, "CAP_SYS_ADMIN", ret, size);
}

void privileges_missing_for_process(char *ret, size_t size)
{
	ret[0] = '\0';
	add(effective(), CAP_SYS_PTRACE, "CAP_SYS_PTRACE", ret, size);
}

void privileges_missing_for_kernel_symbols(char *ret, size_t size)
{
	ret[0] = '\0';
	add(effective(), CAP_SYSLOG, "CAP_SYSLOG", ret, size);
}

static bool is_denied(int result)
{
	return result < 0 && (errno == EACCES || errno == EPERM);
}

void privileges_missing_for_file(pid_t pid, bool deleted, char *ret, size_t size)
{
	uint64_t set = effective();
	char path[64], link[8];
	struct stat st;

	ret[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	if (is_denied(readlink(path, link, sizeof(link)))) {
		add(set, CAP_SYS_PTRACE, "CAP_SYS_PTRACE", ret, size);
		if (!deleted) /* whether more is missing will be seen then */
			return;
	}
	/* /proc/PID/map_files is its owner's; what is in it is opened as the file itself */
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (!deleted || stat(path, &st) || st.st_uid != geteuid())
		add(set, CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", ret, size);
	if (deleted && !(set >> CAP_SYS_ADMIN & 1))
		add(set, CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", ret, size);
}
