/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, for the cache of modules: what nothing refers to stays and is found again, until the bytes or the open files exceed their
 * bound; then the longest unused go, and never one that is referred to. A file that was written over is not found, however
 * soon. The bytes are what malloc() has given for them (mallinfo2).
 */
#include <errno.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include "../test.h"
#include "../workdir.h"
#include "elf_image.h"
#include "elf/elf_file.h"
#include "process/module.h"

/* One FDE for 0x100 .. 0x200; no build ID for number 0. */
static void make_file(const char *path, uint32_t number)
{
	static const char cie[] = "\x14\0\0\0\0\0\0\0\1\0\1\x78\x10\x0c\7\x08\x90\1\0\0\0\0\0\0";
	struct bytes eh = {0}, note = {0}, image;
	struct image_section sections[2] = {{".eh_frame", 0x1000, NULL, 0},
					    {".note.gnu.build-id", 0, NULL, 0}};

	put(&eh, cie, 24);
	put_uint(&eh, 20, 4);
	put_uint(&eh, 28, 4);
	put_uint(&eh, 0x100, 8);
	put_uint(&eh, 0x100, 8);
	put_uint(&eh, 0, 4);
	put_uint(&note, 4, 4);
	put_uint(&note, 4, 4);
	put_uint(&note, NT_GNU_BUILD_ID, 4);
	put(&note, "GNU", 4);
	put_uint(&note, number, 4);
	sections[0].data = eh.data;
	sections[0].size = eh.size;
	sections[1].data = note.data;
	sections[1].size = note.size;
	image = make_elf(sections, number ? 2 : 1, 0x2000);
	write_file(path, image.data, image.size);
	free(image.data);
	free(eh.data);
	free(note.data);
}

static struct module_cache *new_cache(size_t max_bytes)
{
	struct module_cache *cache = NULL;

	if (module_cache_create(max_bytes, &cache))
		abort();
	return cache;
}

/* NULL: it cannot be opened. */
static struct module *get(struct module_cache *cache, const char *path)
{
	struct module *module = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	module_cache_get(cache, fd, path, &module);
	close(fd);
	return module;
}

static struct module *get_made(struct module_cache *cache, uint32_t number)
{
	char path[32];

	snprintf(path, sizeof(path), "file-%u", number);
	if (access(path, F_OK))
		make_file(path, number);
	return get(cache, path);
}

static struct module_cache_stats stats_of(const struct module_cache *cache)
{
	struct module_cache_stats stats;

	module_cache_get_stats(cache, &stats);
	return stats;
}

static void wait_until_settled(void)
{
	nanosleep(&(struct timespec){0, 70000000}, NULL);
}

static void test_found_again(void)
{
	struct module_cache *cache = new_cache(0);
	struct module *module = get_made(cache, 1), *again;
	const struct table *table;
	const struct cfi *cfi;
	uint32_t id = module->id;
	size_t bytes = stats_of(cache).bytes;

	CHECK(module_cfi(module, &cfi) == 0 && stats_of(cache).bytes > bytes);
	bytes = stats_of(cache).bytes;
	CHECK(module_table(module, &table) == 0 && stats_of(cache).bytes > bytes + 100);
	CHECK(stats_of(cache).modules == 1 && stats_of(cache).unused == 0);
	module_put(cache, module);
	CHECK(stats_of(cache).modules == 1 && stats_of(cache).unused == 1);
	again = get_made(cache, 1);
	CHECK(again == module && again->id == id && again->cfi && again->table == table);
	CHECK(stats_of(cache).unused == 0);
	module_put(cache, again);
	run("cp file-1 copy");
	again = get(cache, "copy");
	CHECK(again == module && again->refs == 1);
	module_put(cache, again);
	CHECK(stats_of(cache).dropped == 0);
	module_cache_destroy(cache);
	module_cache_destroy(NULL);
}

#define MANY 300

static void test_bound(void)
{
	struct module_cache *cache = new_cache(0);
	struct module *module = get_made(cache, 1), *first;
	const struct cfi *cfi;
	size_t one, max;

	module_cfi(module, &cfi);
	one = stats_of(cache).bytes;
	module_put(cache, module);
	module_cache_destroy(cache);
	max = 10 * one + one / 2;
	cache = new_cache(max);
	first = get_made(cache, 1);
	module_put(cache, first);
	for (uint32_t i = 2; i <= MANY; i++) {
		module = get_made(cache, i);
		module_cfi(module, &cfi);
		CHECK(stats_of(cache).bytes <= max);
		module_put(cache, module);
		/* the one that is used again and again stays */
		CHECK(get_made(cache, 1) == first && first->id == 1);
		module_put(cache, first);
	}
	CHECK(stats_of(cache).modules == 10 && stats_of(cache).unused == 10);
	CHECK(stats_of(cache).dropped == MANY - 10);
	for (uint32_t i = MANY; i > MANY - 9; i--) {
		module = get_made(cache, i);
		CHECK(module->id == i);
		module_put(cache, module);
	}
	module_cache_destroy(cache);
}

static void test_referred_to(void)
{
	struct module_cache *cache = new_cache(1);
	struct module *modules[50];
	const struct cfi *cfi;

	for (uint32_t i = 0; i < 50; i++) {
		modules[i] = get_made(cache, i + 1);
		CHECK(modules[i] && module_cfi(modules[i], &cfi) == 0);
	}
	CHECK(stats_of(cache).modules == 50 && module_cache_is_over(cache));
	CHECK(stats_of(cache).dropped == 0);
	for (uint32_t i = 0; i < 50; i++) {
		CHECK(modules[i]->id == i + 1);
		module_put(cache, modules[i]);
	}
	CHECK(stats_of(cache).modules == 0 && stats_of(cache).bytes == 0);
	CHECK(stats_of(cache).dropped == 50 && !module_cache_is_over(cache));
	module_cache_destroy(cache);
}

/* Whatever was there before, the module is of what is in the file now. */
static void test_written_over(uint32_t number)
{
	struct module_cache *cache = new_cache(0);
	struct timespec times[2];
	struct stat st;
	uint8_t *image;
	size_t size;
	int wrong = 0, fd;

	make_file("changes", number);
	image = read_file("changes", &size);
	fd = open("changes", O_RDWR | O_CLOEXEC);
	stat("changes", &st);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	for (uint64_t entry = 1; entry <= 400; entry++) {
		struct module *module;

		/* the entry, byte 24 of the header; the time of the last change as if there had been none */
		CHECK(pwrite(fd, &entry, 8, 24) == 8);
		if (entry % 2)
			futimens(fd, times);
		if (entry > 390)
			wait_until_settled();
		module = get(cache, "changes");
		wrong += !module || elf_file_entry(module->elf) != entry;
		if (module)
			module_put(cache, module);
	}
	CHECK(wrong == 0);
	close(fd);
	free(image);
	module_cache_destroy(cache);
}

/* A module that was opened from another file with the same build ID. */
static void test_copy_written_over(void)
{
	struct module_cache *cache = new_cache(0);
	struct module *first, *second;
	const struct cfi *cfi;

	make_file("original", 7);
	run("cp original kept");
	wait_until_settled();
	first = get(cache, "original");
	module_put(cache, first);
	CHECK(chmod("original", 0600) == 0);
	second = get(cache, "kept");
	CHECK(second == first); /* nothing in it has changed */
	module_put(cache, second);
	run("head -c $(stat -c %%s original) /dev/zero > zeros; cat zeros > original");
	second = get(cache, "kept");
	CHECK(second && second->id != 1 && module_cfi(second, &cfi) == 0);
	module_put(cache, second);
	CHECK(!get(cache, "original"));
	module_cache_destroy(cache);
}

/*
 * A file that was changed just now may change again within the same tick, which kernels before 6.13 and some file systems do not
 * show: it is read again.
 */
static void test_settled(void)
{
	struct module_cache *cache = new_cache(0);
	struct module *first, *second;
	int apart = 0;

	for (int i = 0; i < 20 && !apart; i++) { /* a busy machine may be late */
		make_file("settled", 0);
		first = get(cache, "settled");
		second = get(cache, "settled");
		apart = first != second;
		module_put(cache, first);
		module_put(cache, second);
	}
	CHECK(apart);
	wait_until_settled();
	first = get(cache, "settled");
	second = get(cache, "settled");
	CHECK(first == second);
	module_put(cache, first);
	module_put(cache, second);
	module_cache_destroy(cache);
}

static void test_open_files(void)
{
	struct rlimit before, few;
	struct module_cache *cache;
	int bad = 0;

	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	cache = new_cache(0);
	for (uint32_t i = 1; i <= MANY; i++) {
		struct module *module = get_made(cache, i);

		bad += !module;
		if (module)
			module_put(cache, module);
		bad += stats_of(cache).modules > 32;
	}
	CHECK(bad == 0 && stats_of(cache).modules == 32);
	CHECK(stats_of(cache).dropped == MANY - 32);
	module_cache_destroy(cache);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* 0 under sanitizers, which have an allocator of their own. */
static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* `part`: 0: the file is opened, 1: and its CFI, 2: and its table. */
static void check_bytes(const char *path, int part)
{
	struct module_cache *cache = new_cache(0);
	size_t before = allocated(), counted, real;
	struct module *module = get(cache, path);
	const struct table *table;
	const struct cfi *cfi;

	if (!module) {
		CHECK(!"opened");
		module_cache_destroy(cache);
		return;
	}
	if (part >= 1)
		CHECK(module_cfi(module, &cfi) == 0);
	if (part >= 2)
		CHECK(module_table(module, &table) == 0);
	real = allocated() - before;
	counted = stats_of(cache).bytes;
	printf("# %s, %d: %zu bytes counted, %zu allocated\n", path, part, counted, real);
	CHECK(counted > real * 8 / 10 && counted < real * 12 / 10);
	module_put(cache, module);
	module_cache_destroy(cache);
}

static void test_bytes(void)
{
	char *libc;

	if (allocated() == 0)
		return;
	libc = read_command("ldd /bin/sh | awk '/libc.so/ { print $3 }'");
	write_text("frames.c", "int f(int a) { return a; } int g(int a) { return f(a) + 1; }\n");
	run("for i in $(seq 2000); do echo \"int h$i(void) { return g($i); }\"; done >> frames.c");
	run("cc -g -gz=zlib -O1 -fno-asynchronous-unwind-tables -shared -fPIC -o frames.so "
	    "frames.c");
	for (int part = 0; part < 3; part++) {
		check_bytes("file-1", part);
		check_bytes(libc, part);
		check_bytes("frames.so", part);
	}
	free(libc);
}
int main(void)
{
	workdir_enter();
	test_found_again();
	test_bound();
	test_referred_to();
	test_written_over(0);
	test_written_over(7);
	test_copy_written_over();
	test_settled();
	test_open_files();
	test_bytes();
	workdir_leave();
	return test_end();
}
