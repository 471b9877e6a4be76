/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/rodata.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* The bytes of the variable in the initial image of .rodata, found through the object's BTF. */
static int find(struct bpf_object *object, const char *name, size_t size, void **ret)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_var_secinfo *var;
	const struct btf_type *section;
	struct bpf_map *map;
	size_t image_size = 0;
	char *image = NULL;
	int id;

	bpf_object__for_each_map(map, object)
	{
		const char *map_name = bpf_map__name(map);
		size_t n = strlen(map_name);

		if (n >= 7 && strcmp(map_name + n - 7, ".rodata") == 0)
			image = bpf_map__initial_value(map, &image_size);
	}
	id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -ENOENT;
	if (!image || id < 0)
		return -ENOENT;
	section = btf__type_by_id(btf, (__u32)id);
	var = btf_var_secinfos(section);
	for (__u32 i = 0; i < (__u32)btf_vlen(section); i++, var++) {
		const struct btf_type *type = btf__type_by_id(btf, var->type);

		if (strcmp(btf__name_by_offset(btf, type->name_off), name) != 0)
			continue;
		if (var->size != size || var->offset + size > image_size)
			return -EINVAL;
		*ret = image + var->offset;
		return 0;
	}
	return -ENOENT;
}

int rodata_set(struct bpf_object *object, const char *name, const void *value, size_t size)
{
	void *at;
	int err = find(object, name, size, &at);

	if (!err)
		memcpy(at, value, size);
	return err;
}

int rodata_get(struct bpf_object *object, const char *name, void *ret, size_t size)
{
	void *at;
	int err = find(object, name, size, &at);

	if (!err)
		memcpy(ret, at, size);
	return err;
}
