/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: mappings and load biases are those of the dynamic linker (dl_iterate_phdr, dlsym) and nm, also for files whose
 * segments have different biases, for mappings that mprotect() and munmap() cut up, and for static, static-PIE, fixed and prelinked children; files that are deleted, in a memfd,
 * or in another mount namespace are the right files; unchanged mappings keep their modules; the vDSO is read;
 * hostile text of /proc/PID/maps is survived.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "../test.h"
#include "../workdir.h"
#include "elf/elf_file.h"
#include "process/maps.h"
#include "process/process.h"

static struct module_cache *cache;

static const struct mapping *find_path(const struct process *process, const char *name)
{
	for (size_t i = 0; i < process->n_mappings; i++)
		if (process->mappings[i].executable && strstr(process->mappings[i].path, name))
			return &process->mappings[i];
	return NULL;
}

static struct process *open_process(pid_t pid)
{
	struct process *process = NULL;

	CHECK(process_open(cache, pid, &process) == 0);
	if (!process)
		exit(test_end());
	return process;
}

/* vaddr of an address by the library under test; 0: not mapped. */
static uint64_t vaddr_of(const struct process *process, const void *p)
{
	const struct mapping *mapping = process_find_mapping(process, (uintptr_t)p);

	return mapping && mapping->module ? (uintptr_t)p - mapping->load_bias : 0;
}

static void test_parse(void)
{
	static const char *const bad[] = {"x\n", "1000-2000\n", "2000-1000 r-xp 0 0:0 0 /a\n",
					  "1000-2000 r-xp 0 0:0\n", "1000-2000 rx 0 0:0 0 \n"};
	char text[] = "1000-2000 r-xp 00000010 fe:1a 77                    /a b\\012c (deleted)\n"
		      "3000-4000 rw-p 00000000 00:00 0 \n"
		      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]\n";
	struct mapping *m;
	size_t n;

	CHECK(maps_parse(text, &m, &n) == 0 && n == 3);
	CHECK(m[0].start == 0x1000 && m[0].end == 0x2000 && m[0].file_off == 0x10);
	CHECK(m[0].dev_major == 0xfe && m[0].dev_minor == 0x1a && m[0].inode == 77);
	CHECK(m[0].executable && m[0].deleted && strcmp(m[0].path, "/a b\nc") == 0);
	CHECK(!m[1].executable && !m[1].deleted && m[1].path[0] == '\0');
	CHECK(m[2].end == 0xffffffffff601000 && strcmp(m[2].path, "[vsyscall]") == 0);
	maps_free(m, n);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char copy[64];

		snprintf(copy, sizeof(copy), "%s", bad[i]);
		if (i ==
		    4) /* a line without a path and without the space before it: as good as one */
			continue;
		CHECK(maps_parse(copy, &m, &n) == -EBADMSG);
	}
}

static int check_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct process *process = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		const struct mapping *mapping;

		if (phdr->p_type != PT_LOAD || !(phdr->p_flags & PF_X))
			continue;
		mapping = process_find_mapping(process, info->dlpi_addr + phdr->p_vaddr);
		CHECK(mapping && mapping->module && mapping->error == 0);
		if (mapping && mapping->module)
			CHECK(mapping->load_bias == info->dlpi_addr);
	}
	return 0;
}

static void test_self(void)
{
	struct process *process = open_process(getpid());
	const struct mapping *vdso = find_path(process, "[vdso]");
	const struct cfi *cfi;
	uint64_t vaddr, size;
	size_t id_size;

	dl_iterate_phdr(check_object, process);
	CHECK(vdso && vdso->module);
	if (vdso && vdso->module) {
		CHECK(elf_file_find_function(vdso->module->elf, "__vdso_clock_gettime", &vaddr,
					     &size) == 0);
		elf_file_build_id(vdso->module->elf, &id_size);
		CHECK(id_size > 0);
		CHECK(module_cfi(vdso->module, &cfi) == 0);
	}
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *m = &process->mappings[i];

		CHECK(process_find_mapping(process, m->start) == m);
		CHECK(process_find_mapping(process, m->end - 1) == m);
	}
	CHECK(process_find_mapping(process, 0) == NULL);
	CHECK(process_find_mapping(process, UINT64_MAX) == NULL);
	process_close(cache, process);
}

/* dlopen, mprotect of a page in the middle of the text, and dlclose, as process_refresh() sees them. */
static void test_refresh(void)
{
	struct process *process = open_process(getpid());
	const struct mapping *libc = find_path(process, "libc.so"), *far;
	const struct module *libc_module = libc ? libc->module : NULL;
	unsigned int libc_refs = libc_module ? libc_module->refs : 0;
	uint8_t *page;
	bool changed = true;
	void *lib, *anonymous;

	CHECK(process_refresh(cache, process, &changed) == 0 && !changed);
	lib = dlopen("./far.so", RTLD_NOW);
	CHECK(lib != NULL);
	CHECK(process_refresh(cache, process, &changed) == 0 && changed);
	libc = find_path(process, "libc.so");
	CHECK(libc && libc->module == libc_module && libc_module->refs == libc_refs);
	CHECK(vaddr_of(process, dlsym(lib, "near")) == read_hex("nm far.so | grep ' T near$'"));
	CHECK(vaddr_of(process, dlsym(lib, "far")) == read_hex("nm far.so | grep ' T far$'"));
	/* The segments really have different biases. */
	far = process_find_mapping(process, (uintptr_t)dlsym(lib, "far"));
	CHECK(far->start - far->file_off !=
	      process_find_mapping(process, (uintptr_t)dlsym(lib, "near"))->start -
		      process_find_mapping(process, (uintptr_t)dlsym(lib, "near"))->file_off);

	anonymous = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page = (uint8_t *)((uintptr_t)dlsym(lib, "middle") & ~4095UL);
	CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	CHECK(process_refresh(cache, process, &changed) == 0 && changed);
	CHECK(process_find_mapping(process, (uintptr_t)page)->end == (uintptr_t)page + 4096);
	CHECK(vaddr_of(process, dlsym(lib, "middle")) == read_hex("nm far.so | grep ' T middle$'"));
	CHECK(vaddr_of(process, dlsym(lib, "last")) == read_hex("nm far.so | grep ' T last$'"));

	/* a hole in it */
	CHECK(munmap(page, 4096) == 0);
	CHECK(process_refresh(cache, process, &changed) == 0 && changed);
	CHECK(process_find_mapping(process, (uintptr_t)page) == NULL);
	CHECK(vaddr_of(process, dlsym(lib, "last")) == read_hex("nm far.so | grep ' T last$'"));

	dlclose(lib);
	CHECK(process_refresh(cache, process, &changed) == 0 && changed);
	CHECK(find_path(process, "far.so") == NULL);
	CHECK(process_find_mapping(process, (uintptr_t)anonymous)->module == NULL);
	CHECK(process_find_mapping(process, (uintptr_t)anonymous)->error == 0);
	munmap(anonymous, 4096);
	process_close(cache, process);
}

/* The page of the file in which one segment ends and the next one begins belongs to both. */
static void test_shared_page(void)
{
	void *lib = dlopen("./shared-page.so", RTLD_NOW);
	struct process *process = open_process(getpid());
	const struct elf_segment *before;
	const struct mapping *far;

	CHECK(lib && vaddr_of(process, dlsym(lib, "near")) ==
			     read_hex("nm shared-page.so | grep ' T near$'"));
	CHECK(vaddr_of(process, dlsym(lib, "far")) ==
	      read_hex("nm shared-page.so | grep ' T far$'"));
	far = process_find_mapping(process, (uintptr_t)dlsym(lib, "far"));
	before = far && far->module ? &elf_file_segments(far->module->elf)[1] : NULL;
	CHECK(before && before->file_off + before->file_size > far->file_off);
	process_close(cache, process);
	dlclose(lib);
}

static void test_prelinked(void)
{
	void *one = dlopen("./based1.so", RTLD_NOW), *two = dlopen("./based2.so", RTLD_NOW);
	struct process *process = open_process(getpid());

	CHECK(one && vaddr_of(process, dlsym(one, "which")) ==
			     read_hex("nm based1.so | grep ' T which$'"));
	CHECK(two && vaddr_of(process, dlsym(two, "only_two")) ==
			     read_hex("nm based2.so | grep ' T only_two$'"));
	CHECK(vaddr_of(process, dlsym(two, "only_two")) != (uintptr_t)dlsym(two, "only_two"));
	process_close(cache, process);
	dlclose(one);
	dlclose(two);
}

static void test_not_elf(void)
{
	struct process *process;
	const struct mapping *mapping;
	void *text;
	int fd;

	write_text("text", "no ELF file");
	fd = open("text", O_RDONLY);
	text = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	process = open_process(getpid());
	mapping = process_find_mapping(process, (uintptr_t)text);
	CHECK(mapping && mapping->executable && !mapping->module && mapping->error == -ENOEXEC);
	process_close(cache, process);
	munmap(text, 4096);
}

/* Whether /proc/PID/map_files may be used; it takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN. */
static bool map_files_permitted(const struct mapping *mapping)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)mapping->start,
		 (unsigned long)mapping->end);
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Maps `path` with dlopen, does `after` to the file, and expects the function "which" at the right place nevertheless. */
static void check_lost_file(const char *path, const char *command, const char *name)
{
	uint64_t expected = read_hex("nm one.so | grep ' T which$'"), vaddr, size;
	struct process *process;
	const struct mapping *mapping;
	void *lib = dlopen(path, RTLD_NOW), *which = lib ? dlsym(lib, "which") : NULL;

	CHECK(which != NULL);
	if (command)
		run("%s", command);
	process = open_process(getpid());
	mapping = process_find_mapping(process, (uintptr_t)which);
	CHECK(mapping && strstr(mapping->path, name) && mapping->deleted);
	if (mapping && map_files_permitted(mapping)) {
		CHECK(mapping->module && mapping->error == 0);
		CHECK(vaddr_of(process, which) == expected);
		CHECK(mapping->module &&
		      elf_file_find_function(mapping->module->elf, "which", &vaddr, &size) == 0 &&
		      vaddr == expected);
	} else if (mapping) {
		printf("# map_files not permitted: the file is out of reach\n");
		CHECK(!mapping->module && mapping->error == -EPERM);
	}
	process_close(cache, process);
	dlclose(lib);
}

static void test_lost_files(void)
{
	size_t size;
	uint8_t *bytes = read_file("one.so", &size);
	char path[64];
	int fd = memfd_create("in memory", 0);

	run("cp one.so 'with space.so'; cp one.so 'new\nline.so'");
	check_lost_file("./with space.so", "rm 'with space.so'", "with space.so");
	/* Another file in its place must not be taken. */
	check_lost_file("./new\nline.so", "mv two.so 'new\nline.so'; cp 'new\nline.so' two.so",
			"new\nline.so");
	CHECK(write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check_lost_file(path, NULL, "/memfd:in memory");
	close(fd);
	free(bytes);
}

/* Without map_files (no such range here), only the very file of the mapping may be opened by its path. */
static void test_open_by_path(void)
{
	struct process *process = open_process(getpid());
	struct mapping mapping = *find_path(process, "libc.so");
	int fd;

	mapping.start = 0x1000;
	mapping.end = 0x2000;
	fd = process_open_mapping(getpid(), &mapping);
	CHECK(fd >= 0);
	close(fd);
	mapping.inode++;
	CHECK(process_open_mapping(getpid(), &mapping) == -ESTALE);
	mapping.inode--;
	mapping.dev_minor++;
	CHECK(process_open_mapping(getpid(), &mapping) == -ESTALE);
	mapping.dev_minor--;
	mapping.deleted = true;
	CHECK(process_open_mapping(getpid(), &mapping) == -ENOENT);
	process_close(cache, process);
}

/* Another file lies now where the mapping was: it is not taken for that of the mapping. */
static void test_open_replaced(void)
{
	struct process *process = open_process(getpid());
	struct mapping mapping = *find_path(process, "libc.so");
	const struct mapping *other = find_path(process, "libelf");
	struct stat st;
	int fd;

	mapping.start = other->start;
	mapping.end = other->end;
	fd = process_open_mapping(getpid(), &mapping);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == mapping.inode);
	close(fd);
	mapping.path = "/gone";
	CHECK(process_open_mapping(getpid(), &mapping) == -ENOENT);
	process_close(cache, process);
}

static void test_cache(void)
{
	const struct table *table = NULL, *again;
	struct module_cache *cache;
	struct module *a, *b, *c;
	int one = open("one.so", O_RDONLY), two = open("two.so", O_RDONLY), copy, anonymous, other;
	uint32_t id;

	run("cp one.so copy.so; objcopy --remove-section .note.gnu.build-id one.so anonymous.so");
	CHECK(module_cache_create(0, &cache) == 0);
	usleep(70000); /* a file that was changed just now is not trusted to be the same */
	copy = open("copy.so", O_RDONLY);
	anonymous = open("anonymous.so", O_RDONLY);
	CHECK(module_cache_get(cache, one, "/one", &a) == 0 && a->refs == 1);
	CHECK(module_cache_get(cache, copy, "/copy", &b) == 0 && b == a && a->refs == 2);
	CHECK(strcmp(a->path, "/one") == 0);
	CHECK(a->table == NULL && module_table(a, &table) == 0 && table == a->table);
	CHECK(module_table(a, &again) == 0 && again == table);
	CHECK(module_cache_get(cache, two, "/two", &c) == 0 && c != a && c->id != a->id);
	id = c->id;
	module_put(cache, c);
	module_put(cache, b);
	CHECK(module_cache_get(cache, anonymous, "/anonymous", &b) == 0 && b != a && b->id > id);
	CHECK(module_cache_get(cache, anonymous, "/anonymous", &c) == 0 && c == b && b->refs == 2);
	module_put(cache, b);
	module_put(cache, c);
	/* Rewritten by a tool that left the build ID as it was (here the entry, byte 24 of the header). */
	run("cp one.so other.so; printf x | dd of=other.so bs=1 seek=24 conv=notrunc status=none");
	other = open("other.so", O_RDONLY);
	CHECK(module_cache_get(cache, other, "/other", &b) == 0 && b != a);
	module_put(cache, b);
	module_put(cache, a);
	module_cache_destroy(cache);
	close(other);
	close(one);
	close(two);
	close(copy);
	close(anonymous);
}

/* Waits for the line with an address that a child prints. */
static uint64_t child_address(FILE *out)
{
	char line[64] = "";

	return fgets(line, sizeof(line), out) ? strtoull(line, NULL, 16) : 0;
}

static void test_mount_namespace(void)
{
	struct process *process;
	const struct mapping *mapping;
	uint64_t address, vaddr, size;
	int pipe_fds[2], fd;
	FILE *out;
	pid_t pid;

	CHECK(pipe(pipe_fds) == 0);
	pid = fork();
	if (pid == 0) {
		char path[PATH_MAX + 8];

		getcwd(path, PATH_MAX);
		strcat(path, "/one.so");
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("two.so", "one.so", NULL, MS_BIND, NULL))
			_exit(1);
		dprintf(pipe_fds[1], "%lx\n", (long)dlsym(dlopen(path, RTLD_NOW), "only_two"));
		pause();
		_exit(0);
	}
	close(pipe_fds[1]);
	out = fdopen(pipe_fds[0], "r");
	address = child_address(out);
	fclose(out);
	if (address == 0) {
		printf("# mount namespace not tested: not permitted\n");
	} else {
		process = open_process(pid);
		mapping = process_find_mapping(process, address);
		CHECK(mapping && strstr(mapping->path, "/one.so"));
		CHECK(mapping && mapping->module &&
		      elf_file_find_function(mapping->module->elf, "only_two", &vaddr, &size) ==
			      0 &&
		      vaddr == address - mapping->load_bias);
		/* And through /proc/PID/root, where there is no map_files. */
		if (mapping) {
			struct mapping elsewhere = *mapping;

			elsewhere.start = 0x1000;
			elsewhere.end = 0x2000;
			fd = process_open_mapping(pid, &elsewhere);
			CHECK(fd >= 0);
			close(fd);
		}
		process_close(cache, process);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A program that prints the address of its main(), loaded `moved` from the addresses that it was linked for, or not. */
static void test_program(const char *name, bool moved)
{
	struct process *process;
	const struct mapping *mapping;
	int pipe_fds[2];
	uint64_t address;
	FILE *out;
	pid_t pid;

	CHECK(pipe(pipe_fds) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(pipe_fds[1], 1);
		execl(name, name, NULL);
		_exit(1);
	}
	close(pipe_fds[1]);
	out = fdopen(pipe_fds[0], "r");
	address = child_address(out);
	fclose(out);
	process = open_process(pid);
	mapping = process_find_mapping(process, address);
	CHECK(mapping && mapping->module && strstr(mapping->path, name));
	CHECK(mapping && address - mapping->load_bias == read_hex("nm %s | grep ' T main$'", name));
	CHECK(mapping && (mapping->load_bias != 0) == moved);
	kill(pid, SIGKILL);
	/* Now a zombie: its mappings are gone, the snapshot stays. */
	waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	CHECK(process_refresh(cache, process, NULL) == -ESRCH);
	CHECK(process_find_mapping(process, address) == mapping);
	waitpid(pid, NULL, 0);
	CHECK(process_refresh(cache, process, NULL) == -ESRCH);
	process_close(cache, process);
	CHECK(process_open(cache, pid, &process) == -ESRCH);
}

int main(void)
{
	workdir_enter();
	write_text("far.c", "int near(void) { return 1; }\n"
			    "__attribute__((section(\".far\"))) int far(void) { return 2; }\n"
			    "__attribute__((aligned(8192))) int middle(void) { return 3; }\n"
			    "__attribute__((aligned(8192))) int last(void) { return 4; }\n");
	write_text("one.c", "int which(void) { return 1; }\n");
	write_text("two.c", "int only_two(void) { return 1; }\n");
	write_text("static.c", "#include <stdio.h>\n#include <unistd.h>\n"
			       "int main(void) { printf(\"%lx\\n\", (long)main);\n"
			       "fflush(stdout); pause(); }\n");
	run("cc -O1 -shared -fPIC -Wl,--section-start=.far=0x800000 -o far.so far.c");
	write_text("near.c", "int near(void) { return 1; }\n"
			     "__attribute__((section(\".far\"))) int far(void) { return 2; }\n");
	run("cc -O1 -shared -fPIC -Wl,-z,noseparate-code -Wl,--section-start=.far=0x800f00 -o "
	    "shared-page.so near.c");
	run("cc -O1 -shared -fPIC -Wl,--build-id -o one.so one.c");
	run("cc -O1 -shared -fPIC -Wl,--build-id -o two.so two.c");
	run("cc -static-pie -o static-pie static.c; cc -static -no-pie -o static-fixed static.c; "
	    "cc -no-pie -o fixed static.c");
	/* linked for addresses of their choice, which only one of them can have */
	run("cc -pie -Wl,-Ttext-segment=0x40000000 -o prelinked static.c");
	run("cc -O1 -shared -fPIC -Wl,-Ttext-segment=0x50000000 -o based1.so one.c");
	run("cc -O1 -shared -fPIC -Wl,-Ttext-segment=0x50000000 -o based2.so two.c");
	CHECK(module_cache_create(0, &cache) == 0);
	test_parse();
	test_self();
	test_refresh();
	test_not_elf();
	test_lost_files();
	test_open_by_path();
	test_open_replaced();
	test_cache();
	test_mount_namespace();
	test_program("static-pie", true);
	test_program("static-fixed", false);
	test_program("fixed", false);
	test_program("prelinked", false);
	test_prelinked();
	test_shared_page();
	module_cache_destroy(cache);
	workdir_leave();
	return test_end();
}
