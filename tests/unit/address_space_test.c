/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: registers, stack and mappings that were taken of a process give its live stack when it is gone: of a test program and of
 * python3, with the text of its maps and with an array in any order with the build IDs that readelf says. A file that is another one, or
 * has gone, ends the stack there and says why. Bad, odd and very many mappings give the documented error or do no harm.
 */
#include <dlfcn.h>
#include <sys/stat.h>

#include "snapshot.h"
#include "elf/elf_file.h"
#include "process/maps.h"
#include "process/process.h"

static void test_same_as_live(pid_t pid)
{
	struct snapshot *s = take_snapshot(pid);
	struct dwunw_address_space *space = NULL;
	struct dwunw_unwind_request request;

	CHECK(s->stop == DWUNW_STOP_ROOT && s->n > 3 && s->stack_size > 256);
	CHECK(dwunw_address_space_parse(context, s->maps, &space) == 0);
	request = snapshot_request(s, space);
	request.pid = pid;
	request.stack = NULL;
	request.stack_size = 0;
	CHECK(finds_live_stack(s, &request)); /* memory of the process, which sleeps */
	end(pid);
	dwunw_forget_process(context, pid);
	request = snapshot_request(s, space);
	CHECK(finds_live_stack(s, &request));
	CHECK(finds_live_stack(s, &request)); /* with rules that are known */
	request.pid = pid;
	CHECK(finds_live_stack(s, &request));
	dwunw_address_space_destroy(space);
	free_snapshot(s);
}

static void test_python(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("python3", "python3", "-c",
		       "import time\ndef f(n):\n  f(n - 1) if n else time.sleep(1000)\nf(3)\n",
		       NULL);
		_exit(99);
	}
	pause_ms(100);
	for (int i = 0; i < 300 && state_of(pid) != 'S'; i++)
		pause_ms(10);
	pause_ms(300); /* in its sleep, not in one while it starts */
	test_same_as_live(pid);
}

/* --- arrays -------------------------------------------------------------------------------------- */

#define MAX_GIVEN 256

static struct dwunw_file_mapping given[MAX_GIVEN];
static uint8_t ids[MAX_GIVEN][ELF_BUILD_ID_MAX];
static struct mapping *parsed;
static size_t n_parsed;

/* By readelf; 0: it has none. */
static size_t find_build_id(const char *path, uint8_t *ret)
{
	char *hex = read_command("readelf -nW '%s' 2>/dev/null | sed -n 's/.*Build ID: //p'", path);
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char byte[3] = {hex[2 * i], hex[2 * i + 1]};

		ret[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	free(hex);
	return n;
}

/* The executable mappings of a text, the last one first. */
static size_t make_given(const char *maps)
{
	char *text = strdup(maps);
	size_t n = 0;

	CHECK(maps_parse(text, &parsed, &n_parsed) == 0);
	for (size_t i = n_parsed; i-- > 0 && n < MAX_GIVEN;) {
		const struct mapping *m = &parsed[i];

		if (!m->executable)
			continue;
		given[n] = (struct dwunw_file_mapping){.start = m->start,
						       .end = m->end,
						       .file_off = m->file_off,
						       .path = m->path,
						       .flags = DWUNW_MAPPING_EXECUTABLE};
		if (m->path[0] == '/') {
			given[n].build_id_size = find_build_id(m->path, ids[n]);
			given[n].build_id = given[n].build_id_size ? ids[n] : NULL;
		}
		n++;
	}
	free(text);
	return n;
}

/* The stack with `given`: how it ends, and the errno behind that. */
static int unwind_given(const struct snapshot *s, size_t n, int *detail)
{
	struct dwunw_address_space *space = NULL;
	struct dwunw_unwind_result result = {0};
	struct dwunw_unwind_request request;
	int stop;

	CHECK(dwunw_address_space_create(context, given, n, &space) == 0);
	request = snapshot_request(s, space);
	if (finds_live_stack(s, &request)) {
		*detail = 0;
		stop = (int)s->stop;
	} else {
		CHECK(dwunw_capture(context, &request, &result) == 0);
		*detail = result.detail;
		stop = (int)result.stop;
	}
	dwunw_address_space_destroy(space);
	return stop;
}

static struct dwunw_file_mapping *find_given(size_t n, const char *part)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(given[i].path, part))
			return &given[i];
	abort();
}

static void test_array(const struct snapshot *s)
{
	size_t n = make_given(s->maps);
	struct dwunw_file_mapping *libc = find_given(n, "/libc.so"), good = *libc;
	uint8_t wrong[ELF_BUILD_ID_MAX];
	int detail;

	CHECK(n >= 4 && good.build_id_size >= 8);
	CHECK(unwind_given(s, n, &detail) == DWUNW_STOP_ROOT);
	libc->build_id = NULL;
	libc->build_id_size = 0;
	CHECK(unwind_given(s, n, &detail) == DWUNW_STOP_ROOT);
	*libc = good;
	memcpy(wrong, good.build_id, sizeof(wrong));
	wrong[3] ^= 1;
	libc->build_id = wrong;
	CHECK(unwind_given(s, n, &detail) == DWUNW_STOP_NO_TABLE && detail == -ESTALE);
	*libc = good;
	libc->build_id_size--;
	CHECK(unwind_given(s, n, &detail) == DWUNW_STOP_NO_TABLE && detail == -ESTALE);
	*libc = good;
	libc->path = "/nowhere/libc.so.6";
	CHECK(unwind_given(s, n, &detail) == DWUNW_STOP_NO_TABLE && detail == -ENOENT);
	libc->path = ""; /* a guess by frame pointer, or none */
	CHECK(unwind_given(s, n, &detail) != DWUNW_STOP_NO_TABLE);
	libc->path = NULL;
	CHECK(unwind_given(s, n, &detail) != DWUNW_STOP_NO_TABLE);
	*libc = good;
	libc->flags = 0;
	CHECK(unwind_given(s, n, &detail) == DWUNW_STOP_NO_MAPPING);
	*libc = good;
	/* Beside the file's code, wherever that leads. */
	libc->file_off = UINT64_MAX - 4096;
	CHECK(unwind_given(s, n, &detail) != DWUNW_STOP_ROOT);
	*libc = given[n - 1];
	CHECK(dwunw_address_space_create(context, given, n, NULL) == -EINVAL);
	maps_free(parsed, n_parsed);
}

/* --- files that are not the same any more -------------------------------------------------------- */

static void test_replaced(void)
{
	struct snapshot *s;
	struct dwunw_address_space *space = NULL;
	struct dwunw_unwind_request request;
	struct dwunw_unwind_result result;
	pid_t pid;

	write_text("program.c", "#include <unistd.h>\n"
				"int main(void) { pause(); return 0; }\n");
	run("cc -O1 -o program program.c && cp program copy");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("./program", "./program", NULL);
		_exit(99);
	}
	pause_ms(20);
	CHECK(reaches_state(pid, 'S'));
	pause_ms(20);
	s = take_snapshot(pid);
	end(pid);
	CHECK(s->stop == DWUNW_STOP_ROOT);
	run("mv copy program"); /* the same bytes, but another file: nothing says that they are */
	CHECK(dwunw_address_space_parse(context, s->maps, &space) == 0);
	request = snapshot_request(s, space);
	CHECK(dwunw_capture(context, &request, &result) == 0);
	CHECK(result.stop == DWUNW_STOP_NO_TABLE && result.detail == -ESTALE);
	CHECK(strstr(frames[result.n_frames - 1].module, "/program"));
	dwunw_address_space_destroy(space);
	run("rm program");
	CHECK(dwunw_address_space_parse(context, s->maps, &space) == 0);
	request = snapshot_request(s, space);
	CHECK(dwunw_capture(context, &request, &result) == 0);
	CHECK(result.stop == DWUNW_STOP_NO_TABLE && result.detail == -ENOENT);
	dwunw_address_space_destroy(space);
	/* A FIFO must not be waited for. */
	run("mkfifo program");
	CHECK(dwunw_address_space_parse(context, s->maps, &space) == 0);
	dwunw_address_space_destroy(space);
	free_snapshot(s);
}

/* --- vDSO ---------------------------------------------------------------------------------------- */

/* At the first instruction of a function of the vDSO, whose caller is at the end of the stack. */
static int unwind_vdso(struct dwunw_file_mapping vdso, const void *function, int *detail)
{
	const struct dwunw_step_arch *step = arch_native()->step;
	static const uint64_t stack[4] = {0x10};
	struct dwunw_registers registers = {.pc = (uintptr_t)function,
					    .valid = step->callee_saved | 1u << step->sp};
	struct dwunw_address_space *space = NULL;
	struct dwunw_unwind_result result = {0};
	struct dwunw_unwind_request request = {
		.size = sizeof(request),
		.registers = &registers,
		.stack = stack,
		.stack_start = 0x7000,
		.stack_size = sizeof(stack),
		.frames = frames,
		.max_frames = MAX_FRAMES,
	};

	registers.regs[step->sp] = 0x7000;
	CHECK(dwunw_address_space_create(context, &vdso, 1, &space) == 0);
	request.address_space = space;
	CHECK(dwunw_capture(context, &request, &result) == 0);
	if (result.stop != DWUNW_STOP_NO_TABLE)
		CHECK(frames[0].module && strcmp(frames[0].module, "[vdso]") == 0);
	dwunw_address_space_destroy(space);
	*detail = result.detail;
	return (int)result.stop;
}

static void test_vdso(void)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
	const void *function = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
	struct dwunw_file_mapping mapping;
	size_t size;
	char *text = (char *)read_file("/proc/self/maps", &size);
	int detail;

	text = realloc(text, size + 1);
	text[size] = '\0';
	mapping = *find_given(make_given(text), "[vdso]");
	if (function) {
		/* on to the caller, of which nothing is known */
		CHECK(unwind_vdso(mapping, function, &detail) == DWUNW_STOP_NO_MAPPING);
		mapping.build_id = "no vDSO's";
		mapping.build_id_size = 9;
		CHECK(unwind_vdso(mapping, function, &detail) == DWUNW_STOP_NO_TABLE);
		CHECK(detail == -ESTALE);
		mapping.build_id = NULL;
		mapping.build_id_size = 0;
		mapping.end += 4096;
		CHECK(unwind_vdso(mapping, function, &detail) == DWUNW_STOP_NO_TABLE);
		CHECK(detail == -ENOENT);
	} else {
		printf("# no such function in this vDSO\n");
	}
	maps_free(parsed, n_parsed);
	free(text);
}

/* --- bad and odd mappings ------------------------------------------------------------------------ */

static struct dwunw_address_space *const untouched = (void *)1;

/* Two mappings of no file that differ from good ones in what `change` says. */
#define CREATED(change, expected)                                                                  \
	do {                                                                                       \
		struct dwunw_file_mapping m[2] = {                                                 \
			{.start = 0x3000, .end = 0x4000, .flags = DWUNW_MAPPING_EXECUTABLE},       \
			{.start = 0x1000, .end = 0x3000, .flags = DWUNW_MAPPING_EXECUTABLE},       \
		};                                                                                 \
		struct dwunw_address_space *space = untouched;                                     \
		int err;                                                                           \
                                                                                                   \
		change;                                                                            \
		err = dwunw_address_space_create(context, m, 2, &space);                           \
		CHECK(err == (expected));                                                          \
		CHECK(err == 0 || space == untouched);                                             \
		if (!err)                                                                          \
			dwunw_address_space_destroy(space);                                        \
	} while (0)

static void test_bad_mappings(void)
{
	struct dwunw_file_mapping one = {.start = 1, .end = 2};
	struct dwunw_address_space *space = untouched;
	static const uint8_t id[ELF_BUILD_ID_MAX + 1];

	CREATED((void)m, 0);
	CREATED(m[0].end = UINT64_MAX, 0);
	CREATED(m[1].start = 0, 0);
	CREATED(m[0].start = 0x2fff, -EINVAL);
	CREATED(m[0].start = 0x1000, -EINVAL);
	CREATED(m[0].end = 0x3000, -EINVAL);
	CREATED(m[0].end = 0, -EINVAL);
	CREATED(m[1].flags = 2, -EINVAL);
	CREATED(m[1].build_id = id, -EINVAL);
	CREATED(m[1].build_id_size = 20, -EINVAL);
	CREATED((m[1].build_id = id, m[1].build_id_size = sizeof(id)), -EINVAL);
	CREATED((m[1].path = "[vdso]"), 0);
	CREATED((m[1].path = "[heap]"), 0);
	CREATED((m[1].path = "/"), 0);
	CREATED((m[1].path = "/dev/zero"), 0);
	CREATED((m[1].path = "program.c", m[1].file_off = UINT64_MAX), 0);
	CHECK(dwunw_address_space_create(NULL, &one, 1, &space) == -EINVAL);
	CHECK(dwunw_address_space_create(context, NULL, 1, &space) == -EINVAL);
	CHECK(dwunw_address_space_create(context, &one, 0, &space) == -EINVAL);
	CHECK(dwunw_address_space_create(context, &one, 1, NULL) == -EINVAL);
	CHECK(space == untouched);
	dwunw_address_space_destroy(NULL);
}

static void test_bad_text(const char *maps)
{
	static const char overlap[] = "1000-3000 r-xp 0 0:0 0 \n2000-4000 r-xp 0 0:0 0 \n";
	static const char unsorted[] = "3000-4000 r-xp 0 0:0 0 \n1000-3000 r-xp 0 0:0 0 /x\n";
	struct dwunw_address_space *space = untouched;
	uint64_t random = 88172645463325252ULL;
	size_t size = strlen(maps);
	char *text = malloc(size + 1);

	CHECK(dwunw_address_space_parse(NULL, maps, &space) == -EINVAL);
	CHECK(dwunw_address_space_parse(context, NULL, &space) == -EINVAL);
	CHECK(dwunw_address_space_parse(context, maps, NULL) == -EINVAL);
	CHECK(dwunw_address_space_parse(context, "", &space) == -EINVAL);
	CHECK(dwunw_address_space_parse(context, "\n\n", &space) == -EINVAL);
	CHECK(dwunw_address_space_parse(context, overlap, &space) == -EINVAL);
	CHECK(dwunw_address_space_parse(context, "no mappings\n", &space) == -EBADMSG);
	CHECK(space == untouched);
	CHECK(dwunw_address_space_parse(context, unsorted, &space) == 0);
	dwunw_address_space_destroy(space);
	for (int i = 0; i < 300; i++) {
		int err;

		strcpy(text, maps);
		for (int k = 0; k < 3; k++) {
			uint64_t r = next_random(&random);

			text[r % size] = "0123456789abcdef-:rx/[ \n"[(r >> 32) % 24];
		}
		err = dwunw_address_space_parse(context, text, &space);
		CHECK(err == 0 || err == -EINVAL || err == -EBADMSG);
		if (!err)
			dwunw_address_space_destroy(space);
	}
	free(text);
}

#define HUGE 200000

static void test_very_many(const struct snapshot *s)
{
	size_t n = make_given(s->maps);
	struct dwunw_file_mapping *many = calloc(HUGE + n, sizeof(*many));
	struct dwunw_address_space *space = NULL;
	struct dwunw_unwind_request request;

	for (size_t i = 0; i < HUGE; i++)
		many[i] = (struct dwunw_file_mapping){
			.start = 2 * i, .end = 2 * i + 1, .flags = i % 2};
	memcpy(many + HUGE, given, n * sizeof(*given));
	CHECK(dwunw_address_space_create(context, many, HUGE + n, &space) == 0);
	request = snapshot_request(s, space);
	CHECK(finds_live_stack(s, &request));
	dwunw_address_space_destroy(space);
	free(many);
	maps_free(parsed, n_parsed);
}

/* --- requests ------------------------------------------------------------------------------------ */

static void test_requests(const struct snapshot *s)
{
	struct dwunw_context *saved = context;
	struct dwunw_address_space *space = NULL;
	struct dwunw_unwind_request good, bad;
	struct dwunw_unwind_result result;

	CHECK(dwunw_address_space_parse(context, s->maps, &space) == 0);
	good = snapshot_request(s, space);
	CHECK(finds_live_stack(s, &good));
	good.ra_mask = 0x7f000000000000; /* no bits of an address; of no meaning but on aarch64 */
	CHECK(finds_live_stack(s, &good));
	bad = good;
	bad.registers = NULL;
	bad.stack = NULL;
	bad.stack_size = 0;
	CHECK(dwunw_capture(context, &bad, &result) == -EINVAL);
	bad.pid = getppid();
	CHECK(dwunw_capture(context, &bad, &result) == -EINVAL);
	bad.address_space = NULL; /* what is left is the mask */
	CHECK(dwunw_capture(context, &bad, &result) == -EINVAL);
	bad = good;
	bad.stack = NULL;
	bad.stack_size = 0;
	CHECK(dwunw_capture(context, &bad, &result) == -EINVAL); /* no memory */
	bad = good;
	bad.tid = 1;
	CHECK(dwunw_capture(context, &bad, &result) == -EINVAL);
	bad = good;
	bad.pid = -1;
	CHECK(dwunw_capture(context, &bad, &result) == -EINVAL);
	bad = good;
	bad.address_space = NULL;
	CHECK(dwunw_capture(context, &bad, &result) == -EINVAL);
	CHECK(dwunw_context_create(NULL, &context) == 0);
	CHECK(dwunw_capture(context, &good, &result) == -EINVAL); /* another context's */
	dwunw_context_destroy(context);
	context = saved;
	dwunw_address_space_destroy(space);
}

int main(void)
{
	struct snapshot *s;
	pid_t pid;

	setup();
	workdir_enter();
	test_same_as_live(start(sleep_deep, 1));
	test_python();
	pid = start(sleep_deep, 1);
	s = take_snapshot(pid);
	end(pid);
	dwunw_forget_process(context, pid);
	test_array(s);
	test_replaced();
	test_vdso();
	test_bad_mappings();
	test_bad_text(s->maps);
	test_very_many(s);
	test_requests(s);
	free_snapshot(s);
	workdir_leave();
	dwunw_context_destroy(context);
	return test_end();
}
