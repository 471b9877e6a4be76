/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "process/module.h"
#include "table/table.h"

#define N_BUCKETS 1024 /* power of two; a busy machine has some 2,000 different files mapped */

/* What tells whether a file is one that was read before, without reading it. */
struct file_identity {
	dev_t dev;
	ino_t inode;
	struct timespec ctime;
	off_t size;
};

struct cached_module {
	struct module module; /* first: the two pointers are the same */
	bool has_identity;    /* false: from memory */
	struct file_identity identity;
	struct cached_module *next_by_identity, *next_by_build_id;
};

struct module_cache {
	uint32_t last_id;
	struct cached_module *by_identity[N_BUCKETS];
	struct cached_module *by_build_id[N_BUCKETS]; /* only those that have one */
};

int module_cache_create(struct module_cache **ret)
{
	struct module_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	*ret = cache;
	return 0;
}

static struct cached_module **identity_bucket(struct module_cache *cache,
					      const struct file_identity *identity)
{
	uint64_t hash = (identity->inode ^ (uint64_t)identity->dev << 40) * 0x9e3779b97f4a7c15ULL;

	return &cache->by_identity[hash >> 32 & (N_BUCKETS - 1)];
}

static struct cached_module **build_id_bucket(struct module_cache *cache,
					      const struct elf_file *elf)
{
	uint32_t hash = 0;
	size_t size;
	const uint8_t *id = elf_file_build_id(elf, &size);

	for (size_t i = 0; i < size; i++)
		hash = hash * 31 + id[i];
	return &cache->by_build_id[hash & (N_BUCKETS - 1)];
}

static bool has_build_id(const struct elf_file *elf)
{
	size_t size;

	elf_file_build_id(elf, &size);
	return size > 0;
}

/*
 * Equal build IDs, and loaded alike: tools that rewrite a file's program headers (patchelf, prelink) leave the build ID as it
 * was. The ID is the file's own claim; somebody who forges it and the layout damages stacks, nothing else.
 */
static bool same_content(const struct elf_file *a, const struct elf_file *b)
{
	size_t a_size, b_size;
	const uint8_t *a_id = elf_file_build_id(a, &a_size);
	const uint8_t *b_id = elf_file_build_id(b, &b_size);
	size_t n = elf_file_n_segments(a);

	if (a_size != b_size || memcmp(a_id, b_id, a_size) != 0 || n != elf_file_n_segments(b) ||
	    elf_file_arch(a) != elf_file_arch(b) || elf_file_type(a) != elf_file_type(b) ||
	    elf_file_entry(a) != elf_file_entry(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct elf_segment *s = &elf_file_segments(a)[i];
		const struct elf_segment *t = &elf_file_segments(b)[i];

		if (s->vaddr != t->vaddr || s->mem_size != t->mem_size ||
		    s->file_off != t->file_off || s->file_size != t->file_size ||
		    s->executable != t->executable)
			return false;
	}
	return true;
}

static struct cached_module *find_identity(struct module_cache *cache,
					   const struct file_identity *identity)
{
	struct cached_module *m = *identity_bucket(cache, identity);

	for (; m; m = m->next_by_identity) {
		if (m->identity.dev == identity->dev && m->identity.inode == identity->inode &&
		    m->identity.ctime.tv_sec == identity->ctime.tv_sec &&
		    m->identity.ctime.tv_nsec == identity->ctime.tv_nsec &&
		    m->identity.size == identity->size)
			return m;
	}
	return NULL;
}

static struct cached_module *find_content(struct module_cache *cache, const struct elf_file *elf)
{
	struct cached_module *m;

	if (!has_build_id(elf))
		return NULL;
	for (m = *build_id_bucket(cache, elf); m; m = m->next_by_build_id)
		if (same_content(m->module.elf, elf))
			return m;
	return NULL;
}

static void cached_module_free(struct cached_module *m)
{
	table_destroy(m->module.table);
	if (m->module.cfi)
		cfi_close(m->module.cfi);
	elf_file_close(m->module.elf);
	free(m->module.path);
	free(m);
}

static void insert(struct module_cache *cache, struct cached_module *m)
{
	struct cached_module **bucket;

	if (m->has_identity) {
		bucket = identity_bucket(cache, &m->identity);
		m->next_by_identity = *bucket;
		*bucket = m;
	}
	if (has_build_id(m->module.elf)) {
		bucket = build_id_bucket(cache, m->module.elf);
		m->next_by_build_id = *bucket;
		*bucket = m;
	}
}

/* Takes over `elf`, also on failure. */
static int get_opened(struct module_cache *cache, struct elf_file *elf,
		      const struct file_identity *identity, const char *path, struct module **ret)
{
	struct cached_module *m = find_content(cache, elf);

	if (m) {
		elf_file_close(elf);
		m->module.refs++;
		*ret = &m->module;
		return 0;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		elf_file_close(elf);
		return -ENOMEM;
	}
	m->module.elf = elf;
	m->module.path = strdup(path);
	if (!m->module.path) {
		cached_module_free(m);
		return -ENOMEM;
	}
	if (identity) {
		m->identity = *identity;
		m->has_identity = true;
	}
	m->module.id = ++cache->last_id;
	m->module.refs = 1;
	insert(cache, m);
	*ret = &m->module;
	return 0;
}

int module_cache_get(struct module_cache *cache, int fd, const char *path, struct module **ret)
{
	struct file_identity identity;
	struct cached_module *m;
	struct elf_file *elf;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	identity = (struct file_identity){
		.dev = st.st_dev,
		.inode = st.st_ino,
		.ctime = st.st_ctim,
		.size = st.st_size,
	};
	m = find_identity(cache, &identity);
	if (m) {
		m->module.refs++;
		*ret = &m->module;
		return 0;
	}
	err = elf_file_open(fd, &elf);
	return err ? err : get_opened(cache, elf, &identity, path, ret);
}

int module_cache_get_memory(struct module_cache *cache, const void *image, size_t size,
			    const char *path, struct module **ret)
{
	struct elf_file *elf;
	int err = elf_file_open_memory(image, size, &elf);

	return err ? err : get_opened(cache, elf, NULL, path, ret);
}

static void remove_module(struct module_cache *cache, struct cached_module *m)
{
	struct cached_module **p;

	if (m->has_identity) {
		p = identity_bucket(cache, &m->identity);
		while (*p != m)
			p = &(*p)->next_by_identity;
		*p = m->next_by_identity;
	}
	if (has_build_id(m->module.elf)) {
		p = build_id_bucket(cache, m->module.elf);
		while (*p != m)
			p = &(*p)->next_by_build_id;
		*p = m->next_by_build_id;
	}
}

void module_put(struct module_cache *cache, struct module *module)
{
	struct cached_module *m = (struct cached_module *)module;

	if (!module || --module->refs > 0)
		return;
	remove_module(cache, m);
	cached_module_free(m);
}

void module_cache_destroy(struct module_cache *cache)
{
	free(cache);
}

int module_cfi(struct module *module, const struct cfi **ret)
{
	if (!module->cfi_is_known) {
		/* Unusable CFI is like none: the file's mappings and symbols are still good. */
		if (cfi_open(module->elf, NULL, &module->cfi) == -ENOMEM)
			return -ENOMEM;
		module->cfi_is_known = true;
	}
	if (!module->cfi)
		return -ENOENT;
	*ret = module->cfi;
	return 0;
}

int module_table(struct module *module, const struct table **ret)
{
	const struct cfi *cfi;
	int err = module_cfi(module, &cfi);

	if (!err && !module->table)
		err = table_build(cfi, &module->table);
	if (err)
		return err;
	*ret = module->table;
	return 0;
}
