/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots and tables that no program makes. */
#ifndef HOSTILE_H
#define HOSTILE_H

struct snapshot;
struct traced;
struct traced_env;

void hostile_registers(struct snapshot *snapshot);
void hostile_stack(struct snapshot *snapshot);
/* The stack pointer alone, moved by a few bytes. */
void hostile_stack_pointer(struct snapshot *snapshot);
/* The whole stack moved by any number of bytes. */
void hostile_place(struct snapshot *snapshot);

/*
 * Walks the snapshot over damaged copies of the tables of the process: those that table_check() lets pass, and table space with any
 * bytes at all. Table space is as before afterwards.
 */
void hostile_tables(struct traced_env *env, const struct traced *traced,
		    const struct snapshot *snapshot);

void hostile_print(void);

#endif
