/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves that the kernel's walker (include/dwunw/walk.bpf.h, over tables and mappings that src/bpf laid out) and unwind_snapshot()
 * give the same stacks: frames, stack pointers, flags and stop reason, over snapshots of live processes, with return probes put
 * in, through permanent mappings only, by frame pointer, and with bytes of the stack and registers replaced; and that whatever bytes a stack or a table has, a walk ends and touches
 * nothing but what is its own. Always built with sanitizers.
 *
 * walker_test FOLDER   with tests/programs in FOLDER
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "bpf/permanent.h"
#include "bpf/space.h"
#include "bpf/traced.h"
#include "fake_bpf.h"
#include "hostile.h"
#include "process/process.h"
#include "snapshot.h"
#include "target.h"
#include "unwind/stop_thread.h"

#define MAX_THREADS 16

struct run {
	struct traced_env env;
	struct snapshot *snapshot, *changed;
	unsigned long n_snapshots;
	struct comparison plain, memo, hostile_memo, probed, stale, hostile, by_fp, by_fp_hostile;
};

static void pause_us(long us)
{
	nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

/* Of run->changed, through permanent mappings only: all that are, and then without those of one file, any. */
static void try_stale(struct run *run, const struct traced *traced)
{
	static struct dwunw_mappings fewer;
	struct snapshot *snapshot = run->changed;
	struct mapping *mappings = traced->process->mappings;
	uint32_t id;

	snapshot->stale = true;
	snapshot_compare(snapshot, true, &run->stale);
	fewer = *snapshot->mappings;
	if (!fewer.n)
		return;
	id = fewer.mappings[(unsigned int)rand() % fewer.n].table_id;
	for (uint32_t i = 0; i < fewer.n; i++) {
		if (fewer.mappings[i].table_id == id)
			fewer.mappings[i].flags = 0;
	}
	for (size_t i = 0; i < traced->process->n_mappings; i++) {
		if (mappings[i].module && mappings[i].module->id == id)
			mappings[i].permanent = false;
	}
	snapshot->mappings = &fewer;
	snapshot_compare(snapshot, true, &run->stale);
	permanent_mark(run->env.modules, traced->process);
}

/* All that is done with one snapshot. */
static void try_snapshot(struct run *run, const struct traced *traced, const char *name)
{
	struct snapshot *snapshot = run->snapshot, *changed = run->changed;

	snapshot->target = name;
	snapshot->process = traced->process;
	snapshot->mappings = fake_mappings(traced->key);
	run->n_snapshots++;
	snapshot_compare(snapshot, true, &run->plain);
	*changed = *snapshot;
	snapshot_compare_memo(changed, true, &run->memo);
	snapshot_compare_by_fp(changed, true, &run->by_fp);
	snapshot_add_returns(changed);
	changed->skip = (unsigned int)rand() % 4;
	snapshot_compare(changed, true, &run->probed);
	snapshot_compare_memo(changed, true, &run->memo);
	*changed = *snapshot;
	try_stale(run, traced);
	for (int i = 0; i < 8; i++) {
		*changed = *snapshot;
		if (i & 1)
			hostile_stack(changed);
		if (i & 2)
			hostile_registers(changed);
		if (i == 0)
			hostile_stack_pointer(changed);
		if (i >= 4)
			hostile_place(changed);
		snapshot_compare(changed, run->hostile.different < 20, &run->hostile);
		snapshot_compare_memo(changed, true, &run->hostile_memo);
		snapshot_compare_by_fp(changed, run->by_fp_hostile.different < 20,
				       &run->by_fp_hostile);
	}
}

/* Between snapshots a single-threaded target is stepped, so that it is met inside prologues and epilogues too. */
static void follow_steps(struct run *run, struct target *target, struct traced *traced,
			 const char *name, unsigned int n)
{
	struct stopped_thread thread;

	CHECK(thread_stop(target->pid, target->pid, &thread) == 0);
	CHECK(write(target->input, "\n\n", 2) == 2);
	for (unsigned int i = 0; i < n; i++) {
		if (!target_step(target->pid, 1 + (unsigned int)rand() % 30) ||
		    traced_publish(&run->env, traced) || snapshot_take(target->pid, run->snapshot))
			return;
		try_snapshot(run, traced, name);
	}
}

/* All threads in turn, at any moment. */
static void follow_threads(struct run *run, struct target *target, struct traced *traced,
			   const char *name, unsigned int n)
{
	pid_t tids[MAX_THREADS];

	for (unsigned int i = 0; i < n;) {
		size_t n_threads = target_threads(target, tids, MAX_THREADS);

		if (!n_threads)
			return;
		for (size_t t = 0; t < n_threads; t++, i++) {
			struct stopped_thread thread;
			int err;

			if (thread_stop(target->pid, tids[t], &thread))
				continue;
			err = snapshot_take(tids[t], run->snapshot);
			if (!err) /* it may have mapped something, or be another program by now */
				err = traced_publish(&run->env, traced);
			thread_resume(&thread);
			if (!err)
				try_snapshot(run, traced, name);
		}
		pause_us(rand() % 2000);
	}
}

static void run_target(struct run *run, char *const argv[], unsigned int n, bool step)
{
	unsigned long before = run->n_snapshots;
	struct traced *traced;
	struct target target;

	if (target_start(argv, &target)) {
		CHECK(false);
		return;
	}
	pause_us(step ? 100000 : 300000); /* to where it waits, or works */
	if (traced_create(&run->env, target.pid, 0, &traced) == 0) {
		if (traced_publish(&run->env, traced) == 0)
			(step ? follow_steps : follow_threads)(run, &target, traced, argv[0], n);
		if (!step)
			hostile_tables(&run->env, traced, run->snapshot);
		traced_destroy(&run->env, traced);
	}
	target_end(&target);
	if (run->n_snapshots < before + n / 2)
		fprintf(stderr, "%s: %lu snapshots of %u\n", argv[0], run->n_snapshots - before, n);
	CHECK(run->n_snapshots >= before + n / 2);
}

static void run_targets(struct run *run, const char *folder)
{
	static const char *const programs[] = {"drap",	   "alloca",	"cxx",	   "signal",
					       "qsort_cb", "recursion", "longjmp", "ucontext"};
	static const char python[] = "import threading, json, re\n"
				     "def f(n): return n if n < 2 else f(n - 1) + f(n - 2)\n"
				     "def g():\n"
				     "  while True: sorted(range(300), key=lambda x: f(3) - x);"
				     " json.dumps([[1, {'a': [2.5]}]] * 9, indent=1); "
				     "re.sub('(a|b)*c', repr, 'abac' * 9)\n"
				     "[threading.Thread(target=g).start() for i in range(3)]\n";
	static const char sql[] = "with recursive c(x) as (select 1 union all select x + 1 from c)"
				  "select sum(x) from c where printf('%d', x) like '%7';";
	char path[4096];

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, programs[i]);
		run_target(run, (char *[]){path, NULL}, 16, true);
	}
	snprintf(path, sizeof(path), "%s/threads", folder);
	run_target(run, (char *[]){path, NULL}, 10, false);
	run_target(run, (char *[]){"python3", "-c", (char *)python, NULL}, 60, false);
	run_target(run, (char *[]){"sqlite3", ":memory:", (char *)sql, NULL}, 30, false);
}

static void print(const char *what, const struct comparison *sum)
{
#define NAME(name, text, finish) #name,
	static const char *const names[] = {DWUNW_STOP_REASONS(NAME)};
#undef NAME

	printf("%s: %lu walks, %lu equal, %lu handed over, %lu parted in padding, %lu different; "
	       "%lu frames, %lu full walks;",
	       what, sum->walks, sum->equal, sum->handed_over, sum->in_padding, sum->different,
	       sum->frames, sum->full_walks);
	for (size_t i = 0; i < DWUNW_N_STOP_REASONS; i++) {
		if (sum->stops[i])
			printf(" %s %lu", names[i], sum->stops[i]);
	}
	printf("\n");
}

/* Modules outlive the table space that they were in, and are found again: they must not say that they are in it. */
static void check_released(struct module_cache *modules)
{
	struct process *self;
	int n_found = 0;

	CHECK(process_open(modules, getpid(), &self) == 0);
	for (size_t i = 0; i < self->n_mappings; i++) {
		const struct module *module = self->mappings[i].module;

		if (!module || !module->table)
			continue;
		n_found++;
		CHECK(module->user == NULL);
	}
	CHECK(n_found > 0);
	process_close(modules, self);
}

int main(int argc, char **argv)
{
	static struct snapshot first, second;
	static struct run run = {.snapshot = &first, .changed = &second};
	struct traced_env *env = &run.env;
	const char *seed = getenv("DWUNW_WALKER_SEED");

	if (argc != 2)
		return 2;
	srand(seed ? (unsigned int)atoi(seed) : (unsigned int)getpid());
	env->processes_fd = FAKE_PROCESSES_FD;
	env->places.fd = FAKE_MAPPINGS_FD;
	env->places.next_epoch = env->next_key = 1;
	CHECK(module_cache_create(0, &env->modules) == 0);
	CHECK(space_create(FAKE_SHARDS_FD, &env->space) == 0);
	/* what was drawn by chance may have had no such stack */
	for (int i = 0; i < 3 && !run.by_fp_hostile.fp_roots; i++)
		run_targets(&run, argv[1]);
	printf("%lu snapshots\n", run.n_snapshots);
	print("as taken", &run.plain);
	print("with a memo", &run.memo);
	print("changed, with a memo", &run.hostile_memo);
	printf("%lu and %lu known from the first frame on, %lu and %lu from a later one\n",
	       run.memo.known_whole, run.hostile_memo.known_whole, run.memo.known_rest,
	       run.hostile_memo.known_rest);
	print("return probes", &run.probed);
	print("permanent mappings only", &run.stale);
	print("changed", &run.hostile);
	print("by frame pointer", &run.by_fp);
	print("changed, by frame pointer", &run.by_fp_hostile);
	printf("%lu have a root by frame pointer alone\n", run.by_fp_hostile.fp_roots);
	hostile_print();
	CHECK(run.n_snapshots >= 200);
	CHECK(run.plain.different == 0);
	CHECK(run.memo.different == 0);
	CHECK(run.hostile_memo.different == 0);
	CHECK(run.memo.known_whole * 20 > run.memo.walks);
	CHECK(run.memo.known_rest * 20 > run.memo.walks);
	CHECK(run.probed.different == 0);
	CHECK(run.stale.different == 0);
	CHECK(run.hostile.different == 0);
	CHECK(run.by_fp.different == 0);
	CHECK(run.by_fp_hostile.different == 0);
	CHECK(run.by_fp_hostile.fp_roots > 0);
	CHECK(run.plain.hashes_differ + run.probed.hashes_differ + run.hostile.hashes_differ == 0);
	CHECK(run.plain.in_padding == 0 && run.probed.in_padding == 0);
	CHECK(run.hostile.in_padding * 20 < run.hostile.walks);
	CHECK(run.plain.stops[DWUNW_STOP_ROOT] * 2 > run.plain.walks);
	CHECK(run.plain.full_walks > 0);
	CHECK(run.stale.stops[DWUNW_STOP_ROOT] > 0);
	CHECK(run.stale.stops[DWUNW_STOP_NO_MAPPING] > 0);
	traced_env_release(env);
	check_released(env->modules);
	space_destroy(env->space);
	module_cache_destroy(env->modules);
	fake_bpf_free();
	return test_end();
}
