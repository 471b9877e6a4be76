/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect.h"

bool collect_find_target(const struct collect_target *targets, unsigned int n, uint64_t image,
			 uint64_t time_ns, unsigned int *ret)
{
	const struct collect_target *found = NULL;
	uint64_t found_image = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct collect_target *target = &targets[i];
		uint64_t its_image = *target->image;

		if (target->gone || image >> 32 != *target->tgid || time_ns < target->started_ns ||
		    (found && target->started_ns < found->started_ns))
			continue;
		found = target;
		found_image = its_image;
		*ret = i;
	}
	return found && (!found_image || found_image == image);
}
