/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/html_parts.h"

/* A file, relative to the repository's root, where compilers are run, and a NUL behind it. */
#define PART(name, file)                                                                           \
	__asm__(".pushsection .rodata\n"                                                           \
		".globl " #name "\n" #name ":\n"                                                   \
		".incbin \"examples/memleak_bcc_dwunw/output/page/" file "\"\n"                    \
		".byte 0\n"                                                                        \
		".popsection\n")

PART(html_head, "head.html");
PART(html_style, "page.css");
PART(html_body, "body.html");
PART(html_script_data, "data.js");
PART(html_script_tree, "tree.js");
PART(html_script_graph, "graph.js");
PART(html_script_table, "table.js");
PART(html_script_page, "page.js");
