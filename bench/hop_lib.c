/* SPDX-License-Identifier: BSD-2-Clause */
/* For bench/many: a function to be called through, in a file of its own. It is copied under a thousand names. */
#include "hop.h"

void hop(struct hops *hops)
{
	volatile char locals[40];

	locals[0] = 1;
	hops->next++;
	hops->calls[hops->next % hops->n](hops);
	locals[sizeof(locals) - 1] = 1;
}
