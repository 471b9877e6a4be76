/* SPDX-License-Identifier: BSD-2-Clause */
/* Proves that a process with a user shadow stack is told apart, and which kernels can have return probes there. */
#include "../test.h"
#include "shadow_stack.h"

int main(void)
{
	CHECK(shadow_stack_in_use("Name:\tx\nx86_Thread_features:\tshstk wrss \nSeccomp:\t0\n"));
	CHECK(shadow_stack_in_use("Name:\tx\nx86_Thread_features:\tshstk"));
	CHECK(!shadow_stack_in_use("Name:\tx\nx86_Thread_features:\t\nSeccomp:\t0\n"));
	/* supported by the kernel, locked, but not in use; a name that looks like it */
	CHECK(!shadow_stack_in_use("Name:\tshstk\nx86_Thread_features:\t\n"
				   "x86_Thread_features_locked:\tshstk\n"));
	CHECK(!shadow_stack_in_use("Name:\tshstk\n"));
	CHECK(!shadow_stack_is_supported("6.10.9-generic"));
	CHECK(!shadow_stack_is_supported("5.19.0"));
	CHECK(shadow_stack_is_supported("6.11.0-rc1"));
	CHECK(shadow_stack_is_supported("7.0"));
	CHECK(shadow_stack_is_supported("custom"));
	return test_end();
}
