/* SPDX-License-Identifier: BSD-2-Clause */
/* Constants of a BPF object, by name: `const volatile` globals. */
#ifndef BPF_RODATA_H
#define BPF_RODATA_H

#include <stddef.h>

struct bpf_object;

/* Sets one before the object is loaded; -ENOENT: there is none of that name; -EINVAL: it has another size. */
int rodata_set(struct bpf_object *object, const char *name, const void *value, size_t size);
int rodata_get(struct bpf_object *object, const char *name, void *ret, size_t size);

#endif
