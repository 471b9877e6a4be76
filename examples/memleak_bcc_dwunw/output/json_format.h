/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OUTPUT_JSON_FORMAT_H
#define OUTPUT_JSON_FORMAT_H

/* docs/report-json.md. A reader takes any version that is not larger than its own. */
#define JSON_FORMAT "memleak_dwunw report"
#define JSON_VERSION 1

#endif
