/* SPDX-License-Identifier: BSD-2-Clause */
#include "shadow_stack.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

bool shadow_stack_in_use(const char *status)
{
	const char *line = strstr(status, "\nx86_Thread_features:");
	const char *end = line ? strchr(line + 1, '\n') : NULL;
	const char *feature = line ? strstr(line, "shstk") : NULL;

	return feature && (!end || feature < end);
}

bool shadow_stack_is_supported(const char *release)
{
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return true;
	return major > 6 || (major == 6 && minor >= 11);
}

bool shadow_stack_forbids_return_probes(pid_t pid)
{
	char path[64], status[8192];
	struct utsname name;
	FILE *file;
	size_t n;

	if (uname(&name) || shadow_stack_is_supported(name.release))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(status, 1, sizeof(status) - 1, file);
	fclose(file);
	status[n] = '\0';
	return shadow_stack_in_use(status);
}
