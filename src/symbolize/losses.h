/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What names, files and lines lose to a bound: each is counted, and has a line that the user sees (naming_tell_losses()). X(enumerator, the
 * line behind the count). The first ones are the worker's, and come with its answers.
 */
#ifndef SYMBOLIZE_LOSSES_H
#define SYMBOLIZE_LOSSES_H

#define LOSSES(X)                                                                                  \
	X(DEPTH, "inlined calls past 256 levels: shown as part of their callers")                  \
	X(RANGES, "parts of debug information past 1048576 of a kind: left out")                   \
	X(NESTING, "entries of debug information past 64 levels: left out")                        \
	X(TEXT, "names or paths of 8 KiB and more in debug information: left out")                 \
	X(SPLIT, "units whose .dwo file is missing, or may be written by others: lines only")      \
	X(PACKAGE, "units in a .dwp file that this libdw cannot read, 0.191 can: lines only")      \
	X(ROOM, "frames whose inlined functions have no room: 256 MiB of a file's answers")        \
	X(KEPT, "addresses past 1048576 of a file: slower, not lost")                              \
	X(STRINGS, "names past 256 MiB of all names: left out")                                    \
	X(JIT, "maps of a JIT compiler past 64 MiB or 1048576 functions: their rest is left out")  \
	X(JIT_NAME, "names of 1 KiB and more in maps of a JIT compiler: cut")

enum loss {
#define LOSS(name, text) LOSS_##name,
	LOSSES(LOSS)
#undef LOSS
		N_LOSSES,
	N_WORKER_LOSSES = LOSS_ROOM
};

#endif
