/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the arguments of the allocation tracepoints are found by their types in the layouts that kernels 5.15 to 6.18 have,
 * built here from the kernel's sources; what is no such tracepoint is refused; and in the running kernel they are those that the
 * compiler's own names (__bpf_trace_NAME, which is not looked at otherwise) say.
 */
#include "kernel_arguments.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../test.h"

#define PAGE 4096
#define CPUS 6

/* Types of a kernel, by a letter each. */
struct kernel {
	struct btf *btf;
	int ids[128];
};

static struct kernel kernel_create(void)
{
	struct kernel k = {.btf = btf__new_empty()};
	struct btf *b = k.btf;
	int u64 = btf__add_int(b, "unsigned long", 8, 0), u32, constant;

	k.ids['l'] = u64;
	k.ids['i'] = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	u32 = k.ids['u'] = btf__add_int(b, "unsigned int", 4, 0);
	k.ids['b'] = btf__add_int(b, "_Bool", 1, BTF_INT_BOOL);
	k.ids['p'] = btf__add_ptr(b, 0);
	constant = btf__add_const(b, 0);
	k.ids['P'] = btf__add_ptr(b, constant);
	k.ids['t'] = btf__add_ptr(b, btf__add_type_tag(b, "percpu", 0)); /* void __percpu * */
	k.ids['z'] = btf__add_typedef(b, "size_t", btf__add_typedef(b, "__kernel_size_t", u64));
	k.ids['f'] = btf__add_typedef(b, "gfp_t", u32);
	k.ids['n'] = btf__add_ptr(b, btf__add_const(b, k.ids['b'])); /* const char * or so */
	k.ids['c'] = btf__add_ptr(b, btf__add_struct(b, "kmem_cache", 8));
	k.ids['C'] = btf__add_ptr(b, btf__add_const(b, btf__type_by_id(b, k.ids['c'])->type));
	k.ids['g'] = btf__add_ptr(b, btf__add_struct(b, "page", 64));
	return k;
}

/* A function of these parameters behind the first; its id. */
static int add_function(struct kernel *k, const char *parameters)
{
	int id = btf__add_func_proto(k->btf, 0);

	btf__add_func_param(k->btf, NULL, k->ids['p']);
	for (; *parameters; parameters++)
		btf__add_func_param(k->btf, NULL, k->ids[(unsigned char)*parameters]);
	return id;
}

static void add_tracepoint(struct kernel *k, const char *name, const char *parameters)
{
	int pointer = btf__add_ptr(k->btf, add_function(k, parameters));

	btf__add_typedef(k->btf, name, pointer);
}

static bool finds(struct kernel *k, unsigned int tracepoint, struct memleak_arguments expected)
{
	struct memleak_arguments found = {77, 77, 77, 77};
	int err = kernel_arguments_find(k->btf, tracepoint, PAGE, CPUS, &found);

	if (!err && found.address == expected.address && found.size == expected.size &&
	    found.kind == expected.kind && found.unit == expected.unit)
		return true;
	fprintf(stderr, "%s: %d: %u %u %u %u\n", kernel_tracepoint_name(tracepoint), err,
		found.address, found.size, found.kind, found.unit);
	return false;
}

static bool refuses(struct kernel *k, unsigned int tracepoint, int expected)
{
	struct memleak_arguments found = {77, 77, 77, 77};
	int err = kernel_arguments_find(k->btf, tracepoint, PAGE, CPUS, &found);

	return err == expected && found.address == 77 && found.unit == 77;
}

static void test_5_15(void)
{
	struct kernel k = kernel_create();

	add_tracepoint(&k, "btf_trace_kmalloc", "lPzzf");
	add_tracepoint(&k, "btf_trace_kmalloc_node", "lPzzfi");
	add_tracepoint(&k, "btf_trace_kmem_cache_alloc", "lPzzf");
	add_tracepoint(&k, "btf_trace_kmem_cache_alloc_node", "lPzzfi");
	add_tracepoint(&k, "btf_trace_kfree", "lP");
	add_tracepoint(&k, "btf_trace_kmem_cache_free", "lPn");
	add_tracepoint(&k, "btf_trace_mm_page_alloc", "gufi");
	add_tracepoint(&k, "btf_trace_mm_page_free", "gu");
	add_tracepoint(&k, "btf_trace_percpu_alloc_percpu", "bbzzpip");
	add_tracepoint(&k, "btf_trace_percpu_free_percpu", "pip");
	for (unsigned int i = MEMLEAK_TP_kmalloc; i <= MEMLEAK_TP_kmem_cache_alloc_node; i++)
		CHECK(finds(&k, i, (struct memleak_arguments){1, 3, MEMLEAK_SIZE_BYTES, 1}));
	CHECK(finds(&k, MEMLEAK_TP_kfree, (struct memleak_arguments){1, 0, 0, 0}));
	CHECK(finds(&k, MEMLEAK_TP_kmem_cache_free, (struct memleak_arguments){1, 0, 0, 0}));
	CHECK(finds(&k, MEMLEAK_TP_mm_page_alloc,
		    (struct memleak_arguments){0, 1, MEMLEAK_SIZE_ORDER, PAGE}));
	CHECK(finds(&k, MEMLEAK_TP_mm_page_free,
		    (struct memleak_arguments){0, 0, MEMLEAK_SIZE_ORDER, PAGE}));
	CHECK(finds(&k, MEMLEAK_TP_percpu_alloc_percpu,
		    (struct memleak_arguments){6, 2, MEMLEAK_SIZE_BYTES, CPUS}));
	CHECK(finds(&k, MEMLEAK_TP_percpu_free_percpu, (struct memleak_arguments){2, 0, 0, 0}));
	btf__free(k.btf);
}

static void test_6_0(void)
{
	struct kernel k = kernel_create();

	add_tracepoint(&k, "btf_trace_kmalloc", "lPczzf");
	add_tracepoint(&k, "btf_trace_kmem_cache_alloc_node", "lPczzfi");
	for (unsigned int i = MEMLEAK_TP_kmalloc; i <= MEMLEAK_TP_kmem_cache_alloc_node; i += 3)
		CHECK(finds(&k, i, (struct memleak_arguments){1, 4, MEMLEAK_SIZE_BYTES, 1}));
	CHECK(refuses(&k, MEMLEAK_TP_kfree, -ENOENT));
	btf__free(k.btf);
}

static void test_6_1(void)
{
	struct kernel k = kernel_create();

	add_tracepoint(&k, "btf_trace_kmalloc", "lPzzfi");
	add_tracepoint(&k, "btf_trace_kmem_cache_alloc", "lPcfi");
	add_tracepoint(&k, "btf_trace_kmem_cache_free", "lPC");
	add_tracepoint(&k, "btf_trace_percpu_alloc_percpu", "lbbzzpitzf");
	add_tracepoint(&k, "btf_trace_percpu_free_percpu", "pit");
	CHECK(finds(&k, MEMLEAK_TP_kmalloc,
		    (struct memleak_arguments){1, 3, MEMLEAK_SIZE_BYTES, 1}));
	CHECK(refuses(&k, MEMLEAK_TP_kmalloc_node, -ENOENT));
	CHECK(finds(&k, MEMLEAK_TP_kmem_cache_alloc,
		    (struct memleak_arguments){1, 2, MEMLEAK_SIZE_CACHE, 1}));
	CHECK(finds(&k, MEMLEAK_TP_kmem_cache_free, (struct memleak_arguments){1, 0, 0, 0}));
	CHECK(finds(&k, MEMLEAK_TP_percpu_alloc_percpu,
		    (struct memleak_arguments){7, 8, MEMLEAK_SIZE_BYTES, 1}));
	CHECK(finds(&k, MEMLEAK_TP_percpu_free_percpu, (struct memleak_arguments){2, 0, 0, 0}));
	btf__free(k.btf);
}

/* Names that are something else, and functions that lack something. */
static void test_others(void)
{
	struct kernel k = kernel_create();

	btf__add_typedef(k.btf, "btf_trace_kfree", k.ids['l']);
	btf__add_typedef(k.btf, "btf_trace_kmalloc", k.ids['p']);
	btf__add_typedef(k.btf, "btf_trace_kmalloc_node", 4000);
	btf__add_typedef(k.btf, "btf_trace_mm_page_free", btf__add_ptr(k.btf, 4000));
	add_tracepoint(&k, "btf_trace_kmem_cache_alloc", "lPf");
	add_tracepoint(&k, "btf_trace_kmem_cache_free", "l");
	add_tracepoint(&k, "btf_trace_mm_page_alloc", "gfi");
	add_tracepoint(&k, "btf_trace_percpu_alloc_percpu", "bbzzp");
	add_tracepoint(&k, "btf_trace_percpu_free_percpu", "");
	CHECK(refuses(&k, MEMLEAK_TP_kfree, -ENOENT));
	CHECK(refuses(&k, MEMLEAK_TP_kmalloc, -ENOENT));
	CHECK(refuses(&k, MEMLEAK_TP_kmalloc_node, -ENOENT));
	CHECK(refuses(&k, MEMLEAK_TP_mm_page_free, -ENOENT));
	CHECK(refuses(&k, MEMLEAK_TP_kmem_cache_alloc_node, -ENOENT));
	CHECK(refuses(&k, MEMLEAK_TP_kmem_cache_alloc, -EINVAL));
	CHECK(refuses(&k, MEMLEAK_TP_kmem_cache_free, -EINVAL));
	CHECK(refuses(&k, MEMLEAK_TP_percpu_alloc_percpu, -EINVAL));
	CHECK(refuses(&k, MEMLEAK_TP_percpu_free_percpu, -EINVAL));
	btf__free(k.btf);
}

/* The number of the argument of that name; -1: none. */
static int by_name(const struct btf *btf, const char *tracepoint, const char *name)
{
	const struct btf_type *function;
	char full[64];
	int id;

	snprintf(full, sizeof(full), "__bpf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, full, BTF_KIND_FUNC);
	if (id < 0)
		return -1;
	function = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	for (int i = 1; i < btf_vlen(function); i++) {
		if (strcmp(btf__name_by_offset(btf, btf_params(function)[i].name_off), name) == 0)
			return i - 1;
	}
	return -1;
}

static void test_running_kernel(void)
{
	static const struct {
		unsigned int tracepoint;
		const char *address, *size, *other_size;
	} expected[] = {
		{MEMLEAK_TP_kfree, "ptr", NULL, NULL},
		{MEMLEAK_TP_kmem_cache_free, "ptr", NULL, NULL},
		{MEMLEAK_TP_kmalloc, "ptr", "bytes_alloc", NULL},
		{MEMLEAK_TP_kmem_cache_alloc, "ptr", "bytes_alloc", "s"},
		{MEMLEAK_TP_mm_page_alloc, "page", "order", NULL},
		{MEMLEAK_TP_mm_page_free, "page", NULL, NULL},
		{MEMLEAK_TP_percpu_alloc_percpu, "ptr", "bytes_alloc", "size"},
		{MEMLEAK_TP_percpu_free_percpu, "ptr", NULL, NULL},
	};
	struct btf *btf = btf__load_vmlinux_btf();

	for (size_t i = 0; btf && i < sizeof(expected) / sizeof(expected[0]); i++) {
		const char *name = kernel_tracepoint_name(expected[i].tracepoint);
		struct memleak_arguments found;
		int size = -1;

		if (by_name(btf, name, expected[i].address) < 0) /* no such names there */
			continue;
		CHECK(kernel_arguments_find(btf, expected[i].tracepoint, PAGE, CPUS, &found) == 0);
		CHECK((int)found.address == by_name(btf, name, expected[i].address));
		if (expected[i].size)
			size = by_name(btf, name, expected[i].size);
		if (size < 0 && expected[i].other_size)
			size = by_name(btf, name, expected[i].other_size);
		CHECK(!expected[i].size || (int)found.size == size);
	}
	btf__free(btf);
}

int main(void)
{
	libbpf_set_print(NULL);
	test_5_15();
	test_6_0();
	test_6_1();
	test_others();
	test_running_kernel();
	return test_end();
}
