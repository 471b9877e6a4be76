/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of output/page/, as they are in the program. Private to html*.c. */
#ifndef OUTPUT_HTML_PARTS_H
#define OUTPUT_HTML_PARTS_H

/* In the order in which they make up the page; the view's data goes before the scripts. */
extern const char html_head[], html_style[], html_body[];
extern const char html_script_data[], html_script_tree[], html_script_graph[], html_script_table[],
	html_script_page[];

#endif
