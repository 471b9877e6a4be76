/* SPDX-License-Identifier: BSD-2-Clause */
#include "privileges.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/capability.h>

#include <bpf/libbpf.h>

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

void privileges_missing_for_process(char *ret, size_t size)
{
	ret[0] = '\0';
	add(effective(), CAP_SYS_PTRACE, "CAP_SYS_PTRACE", ret, size);
}

const char *privileges_missing_feature(void)
{
	static const struct {
		enum bpf_func_id helper;
		const char *text;
	} needed[] = {
		{BPF_FUNC_task_storage_get, "task storage for tracing programs (Linux 5.11)"},
		{BPF_FUNC_get_attach_cookie, "probe cookies (Linux 5.15)"},
		{BPF_FUNC_loop, "bpf_loop() (Linux 5.17)"},
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, needed[i].helper, NULL) == 0)
			return needed[i].text;
	}
	return NULL;
}
