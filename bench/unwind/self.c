/* SPDX-License-Identifier: BSD-2-Clause */
#include "self.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dwunw/dwunw.h>

#ifdef HAVE_LIBUNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#endif

static void *frames[MAX_FRAMES];

/* The first stack includes the tables of all that is mapped. */
static size_t by_dwunw(void)
{
	static struct dwunw_frame found[MAX_FRAMES];
	static struct dwunw_self *self;
	struct dwunw_registers registers;
	struct dwunw_unwind_result result;

	if (!self && dwunw_self_create(&self))
		exit(1);
	dwunw_get_registers(&registers);
	if (dwunw_self_capture(self, &registers, found, MAX_FRAMES, &result) ||
	    result.stop != DWUNW_STOP_ROOT)
		exit(1);
	return result.n_frames;
}

static size_t by_glibc(void)
{
	static int (*backtrace)(void **, int);

	/* libunwind has a function of this name as well. */
	if (!backtrace)
		backtrace = dlsym(dlopen("libc.so.6", RTLD_LAZY), "backtrace");
	return (size_t)backtrace(frames, MAX_FRAMES);
}

#ifdef HAVE_LIBUNWIND
static size_t by_unw_backtrace(void)
{
	return (size_t)unw_backtrace(frames, MAX_FRAMES);
}

static size_t by_unw_step(void)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t pc;
	size_t n = 0;

	unw_getcontext(&context);
	unw_init_local(&cursor, &context);
	do {
		unw_get_reg(&cursor, UNW_REG_IP, &pc);
		frames[n++] = (void *)pc;
	} while (n < MAX_FRAMES && unw_step(&cursor) > 0);
	return n;
}
#endif

const struct self_method *self_method(const char *name)
{
	static const struct self_method methods[] = {
		{"dwunw_self", by_dwunw},
		{"glibc-backtrace", by_glibc},
#ifdef HAVE_LIBUNWIND
		{"unw_backtrace", by_unw_backtrace},
		{"unw_step", by_unw_step},
#endif
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}
