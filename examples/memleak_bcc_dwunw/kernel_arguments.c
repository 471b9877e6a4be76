/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tracepoint NAME has a type btf_trace_NAME, a function of what the kernel passes to raw tracepoints
 * (include/trace/bpf_probe.h); its parameters have no names there. include/trace/events/kmem.h, as it was:
 *
 *   kmalloc           call site, pointer, size asked for, size, flags                 up to 5.19
 *                     call site, pointer, cache, size asked for, size, flags          6.0
 *                     call site, pointer, size asked for, size, flags, node           from 6.1
 *   kmem_cache_alloc  as kmalloc up to 6.0, then call site, pointer, cache, flags, node
 *   ..._node          up to 6.0: those, and a node
 *   kfree, kmem_cache_free  call site, pointer, (5.12) name or cache
 *   mm_page_alloc, mm_page_free  page, order, ...
 *
 * and include/trace/events/percpu.h:
 *
 *   percpu_alloc_percpu  (5.19: call site,) reserved, atomic, size, alignment, base, offset, pointer, (5.19: size of all, flags)
 *   percpu_free_percpu   base, offset, pointer
 */
#include "kernel_arguments.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#define MAX_DEPTH 32 /* of types that name other types: more than C has ways */

static const struct {
	const char *name;
	enum memleak_memory memory;
	bool frees;
} tracepoints[] = {
#define TRACEPOINT(name, memory, frees) {#name, memory, frees},
	MEMLEAK_TRACEPOINTS(TRACEPOINT)
#undef TRACEPOINT
};

const char *kernel_tracepoint_name(unsigned int tracepoint)
{
	return tracepoints[tracepoint].name;
}

/* The type below const, volatile, restrict and tags; NULL: void. */
static const struct btf_type *bare_type(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	for (unsigned int i = 0; i < MAX_DEPTH && type && btf_is_mod(type); i++)
		type = btf__type_by_id(btf, type->type);
	return type && !btf_is_void(type) ? type : NULL;
}

static bool is_pointer_to(const struct btf *btf, const struct btf_type *type, const char *name)
{
	const struct btf_type *target;

	if (!type || !btf_is_ptr(type))
		return false;
	target = bare_type(btf, type->type);
	if (!name)
		return !target;
	return target && (btf_is_struct(target) || btf_is_fwd(target)) &&
	       strcmp(btf__name_by_offset(btf, target->name_off), name) == 0;
}

static bool is_void_pointer(const struct btf *btf, const struct btf_type *type)
{
	return is_pointer_to(btf, type, NULL);
}

static bool is_page(const struct btf *btf, const struct btf_type *type)
{
	return is_pointer_to(btf, type, "page");
}

static bool is_cache(const struct btf *btf, const struct btf_type *type)
{
	return is_pointer_to(btf, type, "kmem_cache");
}

static bool is_size(const struct btf *btf, const struct btf_type *type)
{
	return type && btf_is_typedef(type) &&
	       strcmp(btf__name_by_offset(btf, type->name_off), "size_t") == 0;
}

static bool is_unsigned(const struct btf *btf, const struct btf_type *type)
{
	(void)btf;
	return type && btf_is_int(type) && type->size == 4 &&
	       !(btf_int_encoding(type) & BTF_INT_SIGNED);
}

/*
 * The number of the `nth` argument of that kind from number `from` on; false: there are not so many. The first parameter is not
 * an argument.
 */
static bool find(const struct btf *btf, const struct btf_type *function, unsigned int from,
		 unsigned int nth, bool (*is)(const struct btf *btf, const struct btf_type *type),
		 __u32 *ret)
{
	const struct btf_param *params = btf_params(function);

	for (unsigned int i = from + 1; i < btf_vlen(function); i++) {
		if (!is(btf, bare_type(btf, params[i].type)) || nth-- > 0)
			continue;
		*ret = i - 1;
		return true;
	}
	return false;
}

static const struct btf_type *find_function(const struct btf *btf, const char *name)
{
	const struct btf_type *type;
	char full[64];
	int id;

	snprintf(full, sizeof(full), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, full, BTF_KIND_TYPEDEF);
	type = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	if (!type || !btf_is_ptr(type))
		return NULL;
	type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) ? type : NULL;
}

static bool find_slab_size(const struct btf *btf, const struct btf_type *function,
			   struct memleak_arguments *ret)
{
	ret->kind = MEMLEAK_SIZE_BYTES;
	ret->unit = 1;
	if (find(btf, function, 0, 1, is_size, &ret->size))
		return true;
	ret->kind = MEMLEAK_SIZE_CACHE;
	return find(btf, function, 0, 0, is_cache, &ret->size);
}

static bool find_percpu_size(const struct btf *btf, const struct btf_type *function,
			     unsigned int n_cpus, struct memleak_arguments *ret)
{
	ret->kind = MEMLEAK_SIZE_BYTES;
	ret->unit = 1;
	if (find(btf, function, ret->address, 0, is_size, &ret->size))
		return true;
	ret->unit = n_cpus; /* only what one copy takes is told */
	return find(btf, function, 0, 0, is_size, &ret->size);
}

int kernel_arguments_find(const struct btf *btf, unsigned int tracepoint, unsigned int page_size,
			  unsigned int n_cpus, struct memleak_arguments *ret)
{
	const struct btf_type *function = find_function(btf, tracepoints[tracepoint].name);
	bool frees = tracepoints[tracepoint].frees;
	struct memleak_arguments found = {};
	bool known = false;

	if (!function)
		return -ENOENT;
	switch (tracepoints[tracepoint].memory) {
	case MEMLEAK_SLAB:
		known = find(btf, function, 0, 0, is_void_pointer, &found.address) &&
			(frees || find_slab_size(btf, function, &found));
		break;
	case MEMLEAK_PAGES:
		found.kind = MEMLEAK_SIZE_ORDER;
		found.unit = page_size;
		known = find(btf, function, 0, 0, is_page, &found.address) &&
			(frees || find(btf, function, 0, 0, is_unsigned, &found.size));
		break;
	case MEMLEAK_PERCPU: /* behind the base of its chunk */
		known = find(btf, function, 0, 1, is_void_pointer, &found.address) &&
			(frees || find_percpu_size(btf, function, n_cpus, &found));
		break;
	}
	if (!known)
		return -EINVAL;
	*ret = found;
	return 0;
}
