/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include "elf/elf_file.h"
#include "process/module.h"
#include "process/module_parts.h"

#define N_BUCKETS 1024 /* power of two; a busy machine has some 2,000 different files mapped */

#define DEFAULT_MAX_BYTES ((size_t)256 << 20)

/*
 * A change of a file shows in its times unless it comes as soon after the last one as they are apart: a tick of the kernel, a second or two
 * on file systems that keep whole ones.
 */
#define TIMES_APART_NS 50000000LL
#define WHOLE_TIMES_APART_NS 2000000000LL

/* What tells whether a file is one that was read before, without reading it. */
struct file_identity {
	dev_t dev;
	ino_t inode;
	struct timespec ctime, mtime;
	off_t size;
};

struct cached_module {
	struct module module; /* first: the two pointers are the same */
	struct module_cache *cache;
	size_t bytes;	   /* that the cache has counted for it */
	bool has_identity; /* of a file; false: from memory */
	bool is_settled; /* when it was opened, its last change was so long ago that the next one shows */
	struct file_identity identity;
	struct cached_module *next_by_identity, *next_by_build_id;
	struct cached_module *older, *newer; /* while nothing refers to it */
};

struct module_cache {
	uint32_t last_id;
	size_t max_bytes, bytes;
	size_t max_modules; /* each has a file open */
	size_t n_modules, n_unused;
	uint64_t dropped;
	struct cached_module *oldest,
		*newest; /* of those that nothing refers to, by when that was */
	struct cached_module *by_identity[N_BUCKETS];
	struct cached_module *by_build_id[N_BUCKETS]; /* only those that have one */
};

/* Half of what this process may have open: the other half is the tool's. */
static size_t max_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > 1 << 20)
		return 1 << 19;
	return limit.rlim_cur / 2;
}

int module_cache_create(size_t max_bytes, struct module_cache **ret)
{
	struct module_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->max_bytes = max_bytes ? max_bytes : DEFAULT_MAX_BYTES;
	cache->max_modules = max_open_files();
	*ret = cache;
	return 0;
}

bool module_cache_is_over(const struct module_cache *cache)
{
	return cache->bytes > cache->max_bytes || cache->n_modules > cache->max_modules;
}

void module_cache_get_stats(const struct module_cache *cache, struct module_cache_stats *ret)
{
	*ret = (struct module_cache_stats){
		.modules = cache->n_modules,
		.unused = cache->n_unused,
		.bytes = cache->bytes,
		.dropped = cache->dropped,
	};
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

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static int get_identity(int fd, struct file_identity *ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*ret = (struct file_identity){
		.dev = st.st_dev,
		.inode = st.st_ino,
		.ctime = st.st_ctim,
		.mtime = st.st_mtim,
		.size = st.st_size,
	};
	return 0;
}

/* To be asked before the file is read. */
static bool is_settled(const struct file_identity *identity)
{
	struct timespec now;
	int64_t age;

	clock_gettime(CLOCK_REALTIME, &now);
	age = (now.tv_sec - identity->ctime.tv_sec) * 1000000000LL + now.tv_nsec -
	      identity->ctime.tv_nsec;
	return age > (identity->ctime.tv_nsec ? TIMES_APART_NS : WHOLE_TIMES_APART_NS);
}

static struct cached_module *find_identity(struct module_cache *cache,
					   const struct file_identity *identity)
{
	struct cached_module *m = *identity_bucket(cache, identity);

	for (; m; m = m->next_by_identity) {
		if (m->is_settled && m->identity.dev == identity->dev &&
		    m->identity.inode == identity->inode &&
		    same_time(&m->identity.ctime, &identity->ctime) &&
		    m->identity.size == identity->size)
			return m;
	}
	return NULL;
}

/* Parts of the file are read when they are needed: they must still be those of the headers. Renaming it or the like is no matter. */
static bool is_unchanged(const struct cached_module *m)
{
	struct file_identity now;

	return !m->has_identity ||
	       (get_identity(elf_file_fd(m->module.elf), &now) == 0 &&
		same_time(&now.mtime, &m->identity.mtime) && now.size == m->identity.size);
}

static struct cached_module *find_content(struct module_cache *cache, const struct elf_file *elf)
{
	struct cached_module *m;

	if (!has_build_id(elf))
		return NULL;
	for (m = *build_id_bucket(cache, elf); m; m = m->next_by_build_id)
		if (same_content(m->module.elf, elf) && is_unchanged(m))
			return m;
	return NULL;
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

static void unlist(struct module_cache *cache, struct cached_module *m)
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

static void add_unused(struct module_cache *cache, struct cached_module *m)
{
	m->newer = NULL;
	m->older = cache->newest;
	*(m->older ? &m->older->newer : &cache->oldest) = m;
	cache->newest = m;
	cache->n_unused++;
}

static void take_unused(struct module_cache *cache, struct cached_module *m)
{
	*(m->older ? &m->older->newer : &cache->oldest) = m->newer;
	*(m->newer ? &m->newer->older : &cache->newest) = m->older;
	cache->n_unused--;
}

static void drop_oldest(struct module_cache *cache)
{
	struct cached_module *m = cache->oldest;

	take_unused(cache, m);
	unlist(cache, m);
	cache->bytes -= m->bytes;
	cache->n_modules--;
	module_free_parts(&m->module);
	free(m);
}

static void trim(struct module_cache *cache)
{
	while (cache->oldest && module_cache_is_over(cache)) {
		drop_oldest(cache);
		cache->dropped++;
	}
}

static void count(struct cached_module *m)
{
	struct module_cache *cache = m->cache;

	cache->bytes -= m->bytes;
	m->bytes = sizeof(*m) + module_part_bytes(&m->module);
	cache->bytes += m->bytes;
}

void module_has_grown(struct module *module)
{
	struct cached_module *m = (struct cached_module *)module;

	count(m);
	trim(m->cache);
}

static void refer(struct cached_module *m, struct module **ret)
{
	if (m->module.refs++ == 0)
		take_unused(m->cache, m);
	*ret = &m->module;
}

/* Takes over `elf`, also on failure. */
static int add(struct module_cache *cache, struct elf_file *elf,
	       const struct file_identity *identity, bool settled, const char *path,
	       struct module **ret)
{
	struct cached_module *m = calloc(1, sizeof(*m));

	if (!m) {
		elf_file_close(elf);
		return -ENOMEM;
	}
	m->module.elf = elf;
	m->module.path = strdup(path);
	if (!m->module.path) {
		module_free_parts(&m->module);
		free(m);
		return -ENOMEM;
	}
	if (identity) {
		m->identity = *identity;
		m->has_identity = true;
		m->is_settled = settled;
	}
	m->cache = cache;
	m->module.id = ++cache->last_id;
	m->module.refs = 1;
	cache->n_modules++;
	insert(cache, m);
	module_has_grown(&m->module);
	*ret = &m->module;
	return 0;
}

/* Takes over `elf`, also on failure. */
static int get_opened(struct module_cache *cache, struct elf_file *elf,
		      const struct file_identity *identity, bool settled, const char *path,
		      struct module **ret)
{
	struct cached_module *m = find_content(cache, elf);

	if (!m)
		return add(cache, elf, identity, settled, path, ret);
	elf_file_close(elf);
	refer(m, ret);
	return 0;
}

int module_cache_get(struct module_cache *cache, int fd, const char *path, struct module **ret)
{
	struct file_identity identity;
	struct cached_module *m;
	struct elf_file *elf;
	bool settled;
	int err = get_identity(fd, &identity);

	if (err)
		return err;
	m = find_identity(cache, &identity);
	if (m) {
		refer(m, ret);
		return 0;
	}
	settled = is_settled(&identity);
	err = elf_file_open(fd, &elf);
	return err ? err : get_opened(cache, elf, &identity, settled, path, ret);
}

int module_cache_get_memory(struct module_cache *cache, const void *image, size_t size,
			    const char *path, struct module **ret)
{
	struct elf_file *elf;
	int err = elf_file_open_memory(image, size, &elf);

	return err ? err : get_opened(cache, elf, NULL, false, path, ret);
}

void module_put(struct module_cache *cache, struct module *module)
{
	struct cached_module *m = (struct cached_module *)module;

	if (!module || --module->refs > 0)
		return;
	add_unused(cache, m);
	module_has_grown(module);
}

void module_cache_destroy(struct module_cache *cache)
{
	if (!cache)
		return;
	while (cache->oldest)
		drop_oldest(cache);
	free(cache);
}
