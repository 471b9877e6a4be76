/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYMBOLIZE_DEMANGLE_H
#define SYMBOLIZE_DEMANGLE_H

/*
 * Readable form of a symbol-table name: C++ (Itanium ABI), Rust (legacy and v0) and D demangled, a version after '@' cut off,
 * anything else as it is, so a name whose readable form is longer than 8 KiB. Bounded in time and memory whatever the name. free() it;
 * NULL: no memory.
 */
char *demangle(const char *raw);

#endif
