/* SPDX-License-Identifier: BSD-2-Clause */
/* What --help says. */
#include "option_values.h"

const char options_doc[] =
	"Shows which stacks hold memory that a process has allocated and not freed.\n"
	"\n"
	"Every INTERVAL seconds (default: 5), INTERVALS times (default: until Ctrl-C or the end of "
	"the "
	"process), the stacks with the most outstanding bytes are printed. They reach the root of "
	"their thread also where the program was built without frame pointers. Without -p, -c and "
	"--comm, the kernel's own allocations are traced."
	"\v"
	"Examples:\n"
	"  memleak_dwunw_user -p 1234           a report every 5 seconds\n"
	"  memleak_dwunw_user -p 1234 -a 10 3   three reports that list each block\n"
	"  memleak_dwunw_user -p 1234 -o 60000  only blocks that are a minute old\n"
	"  memleak_dwunw_user -c 'ls -l /tmp'   a command, traced from its start\n"
	"  memleak_dwunw_user -p 1234 --tui     live in the terminal\n"
	"  memleak_dwunw_user -p 1234 --output leak.html 60 1   a page for a browser\n"
	"\n"
	"SIGUSR1 gives a report at once.\n"
	"\n"
	"Exit status: 0; 1 for options that contradict each other, and when the process ends; 23: "
	"see "
	"--fail-above; 64 for a wrong command line; another value, and why on stderr, for "
	"everything "
	"else.";

const struct argp_option options_table[] = {
	{"pid", 'p', "PID[,PID...]", 0,
	 "trace this process, or these; may be repeated (default: none)", 1},
	{"command", 'c', "COMMAND", 0,
	 "run this command line, with arguments and PATH, and trace it (default: none)", 1},
	{"follow-forks", KEY_FOLLOW, NULL, 0,
	 "trace the children of these processes as well, from shortly after they begin (default: "
	 "off)",
	 1},
	{"comm", KEY_COMM, "NAME", 0,
	 "trace the processes that have this name now as well (default: none)", 1},
	{"cgroup", KEY_CGROUP, "PATH", 0,
	 "in kernel mode, only what tasks of this cgroup (version 2) and below allocate (default: "
	 "all)",
	 1},
	{"obj", 'O', "OBJECT", 0,
	 "the one object whose allocation functions are traced, a path or a soname (default: every "
	 "allocator that is found in the process)",
	 1},

	{"symbols-prefix", 'S', "PREFIX", 0,
	 "the allocation functions' names begin with this, as je_ or tc_ (default: none)", 1},
	{"percpu", 'P', NULL, 0, "in kernel mode, percpu allocations as well (default: off)", 1},
	{"wa-missing-free", 'F', NULL, 0,
	 "in kernel mode, an allocation at an address that is known counts as freed before "
	 "(default: "
	 "off)",
	 1},

	{"show-allocs", 'a', NULL, 0,
	 "list the address and size of each block under its stack (default: off)", 2},
	{"trace", 't', NULL, 0,
	 "print each allocation and each free, with its stack, as it happens (default: off)", 2},
	{"combined-only", 'C', NULL, 0,
	 "keep totals for each stack in the kernel, and no single blocks; they have no age "
	 "(default: off)",
	 2},
	{"sort", KEY_SORT, "KEY", 0,
	 "show these stacks first: size, count, age (of the oldest block), growth (in bytes since "
	 "the last report) (default: size)",
	 2},
	{"details", KEY_DETAILS, NULL, 0,
	 "a line under each stack with the ages of its blocks and its growth (default: off)", 2},
	{"peak", KEY_PEAK, NULL, 0,
	 "show at the end the report of the highest total seen (default: off)", 2},
	{"older", 'o', "AGE_MS", 0,
	 "only blocks at least this many milliseconds old (default: 500)", 2},
	{"top", 'T', "TOP_STACKS", 0, "show this many stacks, most bytes first (default: 10)", 2},
	{"min-size", 'z', "MIN_SIZE", 0,
	 "only allocations of at least this many bytes (default: 0)", 2},
	{"max-size", 'Z', "MAX_SIZE", 0,
	 "only allocations of at most this many bytes (default: no limit)", 2},

	{"sample-rate", 's', "SAMPLE_RATE", 0,
	 "one of every SAMPLE_RATE allocations of a thread; totals are estimates (default: 1)", 2},
	{"sample-bytes", KEY_SAMPLE_BYTES, "BYTES", 0,
	 "one allocation in so many bytes, at random, at most 1G; totals are estimates (default: "
	 "off)",
	 2},
	{"max-overhead", KEY_MAX_OVERHEAD, "PERCENT", 0,
	 "sample so that the probes cost the traced processes at most this share of the time of a "
	 "CPU, 1 "
	 "to 100 (default: off)",
	 2},
	{"max-blocks", KEY_MAX_BLOCKS, "BLOCKS", 0,
	 "room for this many outstanding blocks: about 100 bytes of kernel memory for each that "
	 "is in use, and 16 for each that there is room for (default: 4194304)",
	 2},
	{"duration", KEY_DURATION, "SECONDS", 0,
	 "end after this time, with a report (default: no limit)", 2},
	{"stop-when-leaked", KEY_STOP, "BYTES", 0,
	 "end, with a report, once so much is outstanding, of any age (default: no limit)", 2},
	{"fail-above", KEY_FAIL, "BYTES", 0,
	 "exit status 23 if more than this is outstanding at the end, of any age (default: no "
	 "limit)",
	 2},

	{"output", KEY_OUTPUT, "FILE", 0,
	 "write each report to this file as well; its name's end says how: .txt, .json, .html, "
	 ".folded, "
	 ".pb.gz; %t in the name is the time, for a file a report; may be repeated (default: none)",
	 3},
	{"folded-count", KEY_FOLDED_COUNT, NULL, 0,
	 "in .folded files, numbers of blocks instead of bytes (default: off)", 3},
	{"diff", KEY_DIFF, "FILE", 0,
	 "compare each report with the last one in this .json file (default: none)", 3},
	{"tui", KEY_TUI, NULL, 0,
	 "show the stacks live in the terminal, instead of reports, every INTERVAL seconds (then "
	 "2 by default); ? lists the keys (default: off)",
	 3},

	{"dwunw-mode", 'W', "MODE", 0,
	 "how stacks are walked: off: by frame pointers, as the kernel does; fallback: by call "
	 "frame information, by frame pointers where there is none; force: by call frame "
	 "information alone, others are summed up, and what may not be read is an error "
	 "(default: fallback)",
	 4},
	{"dwunw-walk", KEY_WALK, "WHERE", 0,
	 "walk stacks in the kernel, or copy them and walk them in user space, which costs more: "
	 "kernel, user "
	 "(default: kernel, where it has bpf_loop)",
	 4},
	{"dwunw-slice", KEY_SLICE, "KIB", 0,
	 "copy at most this much of a stack that is to be finished in user space, 1 to 64 "
	 "(default: 16)",
	 4},
	{"dwunw-share", KEY_SHARE, "PERCENT", 0,
	 "at most this share of a CPU's time for sending such stacks, 1 to 100 (default: 2)", 4},
	{"perf-max-stack-depth", KEY_STACK_DEPTH, "FRAMES", 0,
	 "at most this many frames for a stack, 1 to 1023 (default: 127)", 4},
	{"stack-storage-size", KEY_STORED_STACKS, "STACKS", 0,
	 "room for this many different stacks (default: 131072)", 4},

	{"no-inlines", KEY_NO_INLINES, NULL, 0,
	 "inlined functions are no frames of their own (default: off)", 5},
	{"no-lines", KEY_NO_LINES, NULL, 0, "no source files and lines (default: off)", 5},
	{"no-demangle", KEY_NO_DEMANGLE, NULL, 0,
	 "names of functions as the linker knows them (default: off)", 5},
	{"short-names", KEY_SHORT_NAMES, NULL, 0,
	 "names of more than 80 characters without template arguments and parameters, with a "
	 "number that stands for them (default: off)",
	 5},
	{"source-prefix", KEY_SOURCE_PREFIX, "OLD=NEW", 0,
	 "show source files below OLD as below NEW; may be repeated (default: none)", 5},
	{"debug-dir", KEY_DEBUG_DIR, "PATH", 0,
	 "where separate debug files are (default: /usr/lib/debug)", 5},
	{"debuginfod", KEY_DEBUGINFOD, "URLS", 0,
	 "ask these debuginfod servers for debug files (default: DEBUGINFOD_URLS, if it is set)",
	 5},

	{"verbose", 'v', NULL, 0,
	 "say more on stderr, and show the registers of each frame (default: off)", 6},
	{"help", '?', NULL, 0, "give this help list", -1},
	{NULL, 'h', NULL, OPTION_ALIAS, NULL, -1},
	{"usage", KEY_USAGE, NULL, 0, "give a short usage message", -1},
	{"version", 'V', NULL, 0, "print program version", -1},
	{0},
};
