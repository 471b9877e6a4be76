/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: a file whose debug information ends the worker is given up, and others have their names before and after; a worker that dies because
 * it has several files open is tried again with the one that is asked for; after 64 files that ended it no new ones are opened, and those
 * that were of use still are; files that are closed make room for others; two processes of one program share what is known of it. libdw
 * itself is what dies: this program stands in for one of its functions.
 */
#include <dlfcn.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../test.h"
#include "../workdir.h"
#include "process/process.h"
#include "symbolize/debug_worker.h"
#include "symbolize/naming.h"
#include "symbolize/symbolize.h"

typedef int get_lines_fn(Dwarf_Die *unit, Dwarf_Lines **lines, size_t *n);

/* In the worker: dies over a unit of bad.c, and over one of heavy.c where that is not the first that it is asked for. */
int dwarf_getsrclines(Dwarf_Die *unit, Dwarf_Lines **lines, size_t *n)
{
	static int asked;
	get_lines_fn *real = (get_lines_fn *)dlsym(RTLD_NEXT, "dwarf_getsrclines");
	const char *name = dwarf_diename(unit);

	if (strcmp(name, "bad.c") == 0 || (strcmp(name, "heavy.c") == 0 && asked))
		_exit(1);
	asked++;
	return real(unit, lines, n);
}

static struct debug_worker *worker;

static struct debug_worker_file open_program(const char *program)
{
	return (struct debug_worker_file){
		.fd = open(program, O_RDONLY | O_CLOEXEC),
		.alternate = -1,
	};
}

static void on_answer(uint64_t vaddr, const struct debug_frames *frames, void *arg)
{
	int *n = arg;

	(void)vaddr;
	*n += frames && frames->n == 2 && strcmp(frames->frames[0].name, "inside") == 0 &&
	      strcmp(frames->frames[1].name, "main") == 0;
}

/* What debug_worker_find() says to addresses of main(), in one of which inside() is inlined. */
static int ask(struct debug_worker_file *file, const char *program)
{
	uint64_t begin = read_hex("nm %s | grep ' T main$'", program), vaddrs[100];
	int n = 0, err;

	for (size_t i = 0; i < 100; i++)
		vaddrs[i] = begin + i % 20;
	err = debug_worker_find(worker, file, vaddrs, 100, on_answer, &n);
	CHECK((n > 0) == (err == 0));
	return err;
}

static void test_bad_file(void)
{
	struct debug_worker_file good = open_program("good"), bad = open_program("bad");
	struct debug_worker_file heavy = open_program("heavy");

	CHECK(ask(&good, "good") == 0 && good.life == 1);
	CHECK(ask(&bad, "bad") == -EIO);
	CHECK(ask(&good, "good") == 0);
	CHECK(ask(&heavy, "heavy") == 0);
	CHECK(ask(&good, "good") == 0 && ask(&good, "good") == 0);
	close(bad.fd);
	close(heavy.fd);
	close(good.fd);
}

static void test_many_bad(void)
{
	struct debug_worker_file good = open_program("good"), heavy = open_program("heavy");
	int fd = open("bad", O_RDONLY | O_CLOEXEC);
	int n_refused = 0;

	CHECK(ask(&good, "good") == 0);
	for (int i = 0; i < 70; i++) {
		struct debug_worker_file bad = {.fd = fd, .alternate = -1};
		int err = ask(&bad, "bad");

		CHECK(err == (i < 63 ? -EIO : -EAGAIN));
		n_refused += err == -EAGAIN;
	}
	CHECK(n_refused == 7);
	CHECK(ask(&good, "good") == 0);
	CHECK(ask(&heavy, "heavy") == -EAGAIN);
	close(good.fd);
	close(heavy.fd);
	close(fd);
}

static void test_many_files(void)
{
	struct debug_worker *own = debug_worker_create();
	struct debug_worker_file kept = open_program("good");
	uint32_t life;

	CHECK(debug_worker_open(own, &kept) == 0);
	life = kept.life;
	for (int i = 0; i < 2000; i++) {
		struct debug_worker_file file = {.fd = kept.fd, .alternate = -1};

		CHECK(debug_worker_open(own, &file) == 0 && file.life == life);
		CHECK(file.number == 1);
		debug_worker_close(own, &file);
	}
	debug_worker_destroy(own);
	close(kept.fd);
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("good", "good", NULL);
		_exit(127);
	}
	usleep(200000);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Not of libdw's: what it says of one address to two symbolizers is the same memory, and is gone with the last. */
static void test_shared(void)
{
	pid_t pids[] = {start(), start()};
	uint64_t vaddr = read_hex("nm good | grep ' T main$'");
	struct symbol symbols[2] = {};
	struct symbolizer *symbolizers[2] = {};
	struct module_cache *cache;
	struct naming *naming;

	CHECK(module_cache_create(0, &cache) == 0 && naming_create(NULL, &naming) == 0);
	for (int i = 0; i < 2; i++) {
		struct process *process = NULL;

		CHECK(process_open(cache, pids[i], &process) == 0);
		CHECK(symbolizer_create(process, naming, &symbolizers[i]) == 0);
		for (size_t k = 0; k < process->n_mappings; k++) {
			const struct mapping *mapping = &process->mappings[k];

			for (uint64_t at = vaddr; at < vaddr + 20 && !symbols[i].n_inlined; at++)
				if (mapping->executable && strstr(mapping->path, "/good"))
					symbolizer_find(symbolizers[i], mapping->load_bias + at, 0,
							&symbols[i]);
		}
		process_close(cache, process);
	}
	CHECK(symbols[0].inlined && symbols[0].inlined == symbols[1].inlined);
	symbolizer_destroy(symbolizers[0]);
	CHECK(strcmp(symbols[1].inlined[0].name, "inside") == 0 && naming->files);
	symbolizer_destroy(symbolizers[1]);
	CHECK(!naming->files);
	naming_destroy(naming);
	module_cache_destroy(cache);
	stop(pids[0]);
	stop(pids[1]);
}

int main(void)
{
	static const char *const programs[] = {"good", "bad", "heavy"};

	workdir_enter();
	for (size_t i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%s.c", programs[i]);
		write_text(name, "#include <unistd.h>\n"
				 "static inline __attribute__((always_inline)) void inside(void) { "
				 "pause(); }\n"
				 "int main(void) { inside(); return 0; }\n");
		run("cc -g -O2 -o %s %s", programs[i], name);
	}
	worker = debug_worker_create();
	test_bad_file();
	test_many_bad();
	debug_worker_destroy(worker);
	test_many_files();
	test_shared();
	workdir_leave();
	return test_end();
}
