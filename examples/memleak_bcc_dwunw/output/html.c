/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdbool.h>

#include "output/html_parts.h"
#include "output/html_stacks.h"
#include "output/script_text.h"
#include "output/view.h"
#include "output/writers.h"

static void print_texts(FILE *out, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ",\n" : "", out);
		script_text(out, texts[i]);
	}
}

static void print_facts(FILE *out, const struct view *view)
{
	static const char *const words[] = {"false", "true"};

	fprintf(out,
		"\"when\":%" PRId64 ",\"elapsed_ms\":%" PRIu64 ",\"min_age_ms\":%" PRIu64
		",\"no_ages\":%s,\"estimated\":%s,\n",
		(int64_t)view->when.tv_sec, view->elapsed_ns / 1000000, view->min_age_ns / 1000000,
		words[view->no_ages], words[view->estimated]);
	fprintf(out,
		"\"bytes\":%" PRIu64 ",\"blocks\":%" PRIu64 ",\"all_bytes\":%" PRIu64
		",\"all_blocks\":%" PRIu64 ",\n\"walk\":",
		view->bytes, view->blocks, view->all_bytes, view->all_blocks);
	script_text(out, view->walk);
	if (view->compared)
		fprintf(out,
			",\n\"before\":{\"when\":%" PRId64 ",\"bytes\":%" PRIu64
			",\"blocks\":%" PRIu64 "}",
			(int64_t)view->before_when.tv_sec, view->before_bytes, view->before_blocks);
}

static void print_lists(FILE *out, const struct view *view)
{
	fputs(",\n\"processes\":[", out);
	for (size_t i = 0; i < view->n_processes; i++) {
		fprintf(out, "%s[%" PRIu32 ",", i ? "," : "", view->processes[i].pid);
		script_text(out, view->processes[i].comm);
		fputs("]", out);
	}
	fputs("],\n\"sums\":[", out);
	for (size_t i = 0; i < view->n_sums; i++) {
		fputs(i ? ",\n[" : "[", out);
		script_text(out, view->sums[i].reason);
		fprintf(out, ",%" PRIu64 ",%" PRIu64 "]", view->sums[i].bytes,
			view->sums[i].blocks);
	}
	fputs("],\n\"notes\":[", out);
	print_texts(out, view->notes, view->n_notes);
	fputs("],\n\"modules\":[", out);
	for (size_t i = 0; i < view->n_modules; i++) {
		fputs(i ? ",\n[" : "[", out);
		script_text(out, view->modules[i].path);
		fputs(",", out);
		script_text(out, view->modules[i].build_id);
		fputs("]", out);
	}
	fputs("],\n\"reports\":[", out);
	for (size_t i = 0; i < view->n_reports; i++)
		fprintf(out, "%s[%" PRIu64 ",%" PRIu64 "]", i ? "," : "",
			view->reports[i].elapsed_ns / 1000000, view->reports[i].bytes);
	fputs("],\n", out);
}

/*
 * The page of output/page/, with the view in it as JSON (html_stacks.h): texts are in no other place, and the page's script shows them as
 * text only.
 */
int output_write_html(FILE *out, const struct view *view, const struct output_how *how)
{
	int err;

	(void)how;
	fputs(html_head, out);
	fputs("<style>\n", out);
	fputs(html_style, out);
	fputs("</style>\n</head>\n", out);
	fputs(html_body, out);
	fputs("<script type=\"application/json\" id=\"data\">\n{", out);
	print_facts(out, view);
	print_lists(out, view);
	err = html_stacks_print(out, view);
	fputs("}\n</script>\n<script>\n'use strict';\n", out);
	fputs(html_script_data, out);
	fputs(html_script_tree, out);
	fputs(html_script_graph, out);
	fputs(html_script_table, out);
	fputs(html_script_page, out);
	fputs("</script>\n</body>\n</html>\n", out);
	return err;
}
