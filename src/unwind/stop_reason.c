/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwunw/dwunw.h>

const char *dwunw_stop_reason_text(unsigned int stop)
{
	static const char *const texts[] = {
#define DWUNW_STOP_TEXT(name, text, finish) text,
		DWUNW_STOP_REASONS(DWUNW_STOP_TEXT)
#undef DWUNW_STOP_TEXT
	};

	return stop < DWUNW_N_STOP_REASONS ? texts[stop] : "unknown reason";
}
