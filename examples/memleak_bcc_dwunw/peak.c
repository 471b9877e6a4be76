/* SPDX-License-Identifier: BSD-2-Clause */
#include "peak.h"

#include <errno.h>
#include <stdlib.h>

#include "report.h"

bool peak_is_new(const struct peak *peak, uint64_t bytes)
{
	return !peak->text || bytes > peak->bytes;
}

int peak_keep(struct peak *peak, const struct report_snapshot *snapshot,
	      const struct report_groups *groups, const struct report_options *options,
	      const struct tm *when)
{
	struct report_options shown = *options;
	struct peak kept = {.bytes = groups->bytes};
	FILE *out = open_memstream(&kept.text, &kept.length);
	bool failed;

	if (!out)
		return -ENOMEM;
	shown.peak = true;
	report_print(out, snapshot, groups, &shown, when);
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(kept.text);
		return -ENOMEM;
	}
	peak_free(peak);
	*peak = kept;
	return 0;
}

void peak_print(FILE *out, const struct peak *peak)
{
	fwrite(peak->text, 1, peak->length, out);
}

void peak_free(struct peak *peak)
{
	free(peak->text);
	*peak = (struct peak){};
}
