/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_CORE_READ() of one to three steps. A null pointer on the way gives 0, as the kernel's failing read does. */
#ifndef WALKER_BPF_CORE_READ_H
#define WALKER_BPF_CORE_READ_H

#define WALKER_STEP(from, member)                                                                  \
	({                                                                                         \
		__auto_type from_ = (from);                                                        \
		from_ ? from_->member : (typeof(from_->member))0;                                  \
	})
#define WALKER_READ_1(from, a) WALKER_STEP(from, a)
#define WALKER_READ_2(from, a, b) WALKER_STEP(WALKER_READ_1(from, a), b)
#define WALKER_READ_3(from, a, b, c) WALKER_STEP(WALKER_READ_2(from, a, b), c)
#define WALKER_PICK(a, b, c, name, ...) name
#define BPF_CORE_READ(from, ...)                                                                   \
	WALKER_PICK(__VA_ARGS__, WALKER_READ_3, WALKER_READ_2, WALKER_READ_1, )(from, __VA_ARGS__)

#endif
