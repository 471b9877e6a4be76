/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MAX_DAYS 9999

/* Three digits at least, of `value` in the largest unit of which there is one. */
static void scale(double value, char *ret, const char *sign)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(ret, FORMAT_SIZE, "%s%.*f %s", sign, unit && value < 99.95 ? 1 : 0, value,
		 units[unit]);
}

const char *format_bytes(uint64_t bytes, char ret[FORMAT_SIZE])
{
	scale((double)bytes, ret, "");
	return ret;
}

const char *format_growth(double bytes, char ret[FORMAT_SIZE])
{
	double limited = fmin(fabs(bytes), 0x1p64);

	scale(limited, ret, bytes >= 0.5 ? "+" : bytes <= -0.5 ? "-" : "");
	return ret;
}

const char *format_count(uint64_t n, char ret[FORMAT_SIZE])
{
	static const char units[] = "kMGTPE";
	double value = (double)n;
	int unit = -1;

	if (n < 100000) {
		snprintf(ret, FORMAT_SIZE, "%" PRIu64, n);
		return ret;
	}
	while (value >= 999.5) {
		value /= 1000;
		unit++;
	}
	snprintf(ret, FORMAT_SIZE, "%.*f%c",
		 value < 9.995	 ? 2
		 : value < 99.95 ? 1
				 : 0,
		 value, units[unit]);
	return ret;
}

const char *format_exact(uint64_t n, char ret[FORMAT_SIZE])
{
	char digits[FORMAT_SIZE];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, n), used = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			ret[used++] = ',';
		ret[used++] = digits[i];
	}
	ret[used] = '\0';
	return ret;
}

const char *format_age(uint64_t ns, char ret[FORMAT_SIZE])
{
	uint64_t s = ns / 1000000000;
	unsigned int days = s / 86400 < MAX_DAYS ? (unsigned int)(s / 86400) : MAX_DAYS;

	if (s < 60)
		snprintf(ret, FORMAT_SIZE, "%us", (unsigned int)s);
	else if (s < 3600)
		snprintf(ret, FORMAT_SIZE, "%um%02us", (unsigned int)(s / 60),
			 (unsigned int)(s % 60));
	else if (days == 0)
		snprintf(ret, FORMAT_SIZE, "%uh%02um", (unsigned int)(s / 3600),
			 (unsigned int)(s / 60 % 60));
	else if (days < 100)
		snprintf(ret, FORMAT_SIZE, "%ud%02uh", days, (unsigned int)(s / 3600 % 24));
	else
		snprintf(ret, FORMAT_SIZE, "%ud", days);
	return ret;
}
