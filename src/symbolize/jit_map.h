/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of code that a JIT compiler made: /tmp/perf-PID.map, as the process itself sees it, in its mount namespace and with its pid
 * there. A line is the start and the size of a function in hexadecimal, and its name; what comes later replaces what came before
 * (tools/perf/Documentation/jit-interface.txt in Linux). It is opened while the process lives, and read again when it has changed.
 */
#ifndef SYMBOLIZE_JIT_MAP_H
#define SYMBOLIZE_JIT_MAP_H

#include <stdint.h>
#include <sys/types.h>

struct jit_map;
struct naming;

/* `naming` must live as long. NULL: no memory. */
struct jit_map *jit_map_create(pid_t pid, struct naming *naming);
void jit_map_destroy(struct jit_map *map);

/* Name of the function at `addr`, valid as long as `naming`, and its start; NULL: none is known. */
const char *jit_map_find(struct jit_map *map, uint64_t addr, uint64_t *start);

#endif
