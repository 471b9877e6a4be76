/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mappings of a process that is gone, as somebody gives them. First byte: a text as of /proc/PID/maps, in which a byte below 8 stands for
 * the device, inode and path of one of the files that this process runs, and one from 16 to 23 for the whole line; or an array, 16 bytes a
 * mapping (take_given()). Holds: what is taken is in order and can be found by address; written out it is understood as the same;
 * given as an array it leads to the same files; a stack in it ends with a reason, twice the same; what is refused leaves nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include <dwunw/dwunw.h>
#include <dwunw/step_types.h>

#include "elf/elf_file.h"
#include "process/maps.h"
#include "process/process.h"
#include "unwind/address_space.h"
#include "unwind/context.h"
#include "fuzz.h"

#define MAX_GIVEN 64
#define MAX_EXPANDED 64 /* bytes of a text that stand for more */
#define MAX_STACKS 4
#define MAX_FRAMES 32
#define UNTOUCHED ((struct dwunw_address_space *)16)

enum {
	NO_FILE,
	VDSO,
	MISSING,
	FOLDER,
	DEVICE,
	OWN
}; /* OWN and above: an executable file of this process */

static struct dwunw_context *context;
static struct process *self;
static const struct mapping *own[8];
static size_t n_own;

/* Once. */
static void open_self(void)
{
	if (self)
		return;
	HOLDS(dwunw_context_create(NULL, &context) == 0);
	HOLDS(process_open(context->modules, getpid(), &self) == 0);
	for (size_t i = 0; i < self->n_mappings && n_own < 8; i++)
		if (self->mappings[i].module && self->mappings[i].inode)
			own[n_own++] = &self->mappings[i];
	HOLDS(n_own);
}

/* --- texts --------------------------------------------------------------------------------------- */

static void write_line(FILE *out, const struct mapping *m)
{
	fprintf(out, "%" PRIx64 "-%" PRIx64 " r-%cp %" PRIx64 " %x:%x %" PRIu64 " ", m->start,
		m->end, m->executable ? 'x' : '-', m->file_off, m->dev_major, m->dev_minor,
		m->inode);
	for (const char *p = m->path; *p; p++)
		fprintf(out, *p == '\n' ? "\\012" : "%c", *p);
	fprintf(out, "%s\n", m->deleted ? MAPS_DELETED : "");
}

/* To be freed. */
static char *take_text(struct input *input)
{
	unsigned int n_expanded = 0;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	HOLDS(out);
	while (input->left) {
		unsigned int byte = (unsigned int)input_uint(input, 1);
		const struct mapping *m = own[byte % 8 % n_own];

		if (byte >= 24 || (byte >= 8 && byte < 16))
			fputc((int)byte, out);
		else if (n_expanded++ >= MAX_EXPANDED)
			break;
		else if (byte >= 16)
			write_line(out, m);
		else
			fprintf(out, "%x:%x %" PRIu64 " %s", m->dev_major, m->dev_minor, m->inode,
				m->path);
	}
	fclose(out);
	return text;
}

static bool same_mapping(const struct mapping *a, const struct mapping *b)
{
	return a->start == b->start && a->end == b->end && a->file_off == b->file_off &&
	       a->inode == b->inode && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor && a->executable == b->executable &&
	       a->deleted == b->deleted && a->error == b->error && a->module == b->module &&
	       a->load_bias == b->load_bias && strcmp(a->path, b->path) == 0;
}

static void check_written(const struct process *process)
{
	struct dwunw_address_space *again;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	HOLDS(out);
	for (size_t i = 0; i < process->n_mappings; i++)
		write_line(out, &process->mappings[i]);
	fclose(out);
	HOLDS(dwunw_address_space_parse(context, text, &again) == 0);
	free(text);
	HOLDS(again->process.n_mappings == process->n_mappings);
	for (size_t i = 0; i < process->n_mappings; i++)
		HOLDS(same_mapping(&again->process.mappings[i], &process->mappings[i]));
	dwunw_address_space_destroy(again);
}

/* --- arrays -------------------------------------------------------------------------------------- */

/*
 * Page of the start (4 bytes, signed), pages (2), page of the file (2), flags, what file (OWN ..), size of the build ID; 0x80 in
 * flags: another one than the file has; then 5 bytes that are added to the end.
 */
static void take_given(struct input *input, struct dwunw_file_mapping *given)
{
	static const char *const paths[OWN] = {NULL, "[vdso]", "/none", "/", "/dev/zero"};
	static const uint8_t other_id[ELF_BUILD_ID_MAX + 1] = {1};
	unsigned int flags, what;
	const struct mapping *m;
	size_t id_size;

	given->start = (uint64_t)(int64_t)(int32_t)input_uint(input, 4) << 12;
	given->end = given->start + (input_uint(input, 2) << 12);
	given->file_off = input_uint(input, 2) << 12;
	flags = (unsigned int)input_uint(input, 1);
	what = (unsigned int)input_uint(input, 1);
	given->flags = flags & 3;
	given->build_id_size = input_uint(input, 1) % (ELF_BUILD_ID_MAX + 2);
	given->end += input_uint(input, 5);
	if (what < OWN) {
		given->path = paths[what];
		given->build_id = given->build_id_size ? other_id : NULL;
		return;
	}
	m = own[(what - OWN) % n_own];
	given->path = m->path;
	given->build_id = elf_file_build_id(m->module->elf, &id_size);
	if (given->build_id_size && !(flags & 0x80))
		given->build_id_size = id_size;
	if (flags & 0x80)
		given->build_id = other_id;
	if (!given->build_id_size)
		given->build_id = NULL;
}

static int create(struct input *input, struct dwunw_address_space **ret)
{
	struct dwunw_file_mapping given[MAX_GIVEN] = {0};
	size_t n = 0;

	while (input->left && n < MAX_GIVEN)
		take_given(input, &given[n++]);
	return dwunw_address_space_create(context, given, n, ret);
}

/* What a text says leads to no other files than an array does, which says less. */
static void check_given(const struct process *process)
{
	struct dwunw_file_mapping *given = calloc(process->n_mappings, sizeof(*given));
	struct dwunw_address_space *again;

	HOLDS(given);
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *m = &process->mappings[i];

		given[process->n_mappings - 1 - i] = (struct dwunw_file_mapping){
			.start = m->start,
			.end = m->end,
			.file_off = m->file_off,
			.path = m->path,
			.flags = m->executable ? DWUNW_MAPPING_EXECUTABLE : 0,
		};
	}
	HOLDS(dwunw_address_space_create(context, given, process->n_mappings, &again) == 0);
	free(given);
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *m = &process->mappings[i], *a = &again->process.mappings[i];

		HOLDS(a->start == m->start && a->end == m->end);
		if (m->module && !m->deleted)
			HOLDS(a->module == m->module && a->load_bias == m->load_bias);
	}
	dwunw_address_space_destroy(again);
}

/* --- what was made ------------------------------------------------------------------------------- */

static void check_order(const struct process *process)
{
	uint64_t end = 0;

	HOLDS(process->n_mappings);
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *m = &process->mappings[i];

		HOLDS(m->start < m->end && m->start >= end);
		HOLDS(process_find_mapping(process, m->start) == m);
		HOLDS(process_find_mapping(process, m->end - 1) == m);
		if (i && m->start > end)
			HOLDS(!process_find_mapping(process, end));
		HOLDS(!m->module || (m->executable && !m->error));
		end = m->end;
	}
}

/* Return addresses into `m` and numbers, in turn. */
static void check_stack(struct dwunw_address_space *space, const struct mapping *m)
{
	const struct dwunw_step_arch *arch = arch_native()->step;
	uint64_t stack[64], size = m->end - m->start;
	struct dwunw_registers registers = {.pc = m->start + mix(m->start) % size,
					    .valid = 1u << arch->sp | 1u << arch->fp};
	struct dwunw_frame frames[2][MAX_FRAMES] = {0};
	struct dwunw_unwind_result results[2];

	registers.regs[arch->sp] = registers.regs[arch->fp] = 0x10000;
	for (size_t i = 0; i < 64; i++)
		stack[i] = i % 2 ? 0x10000 + 8 * (i + 1) : m->start + mix(i) % size;
	for (int i = 0; i < 2; i++) {
		struct dwunw_unwind_request request = {
			.size = sizeof(request),
			.registers = &registers,
			.stack = stack,
			.stack_start = 0x10000,
			.stack_size = sizeof(stack),
			.frames = frames[i],
			.max_frames = MAX_FRAMES,
			.address_space = space,
		};

		HOLDS(dwunw_capture(context, &request, &results[i]) == 0);
		HOLDS(results[i].n_frames && results[i].n_frames <= MAX_FRAMES);
		HOLDS(results[i].stop < DWUNW_N_STOP_REASONS && results[i].detail <= 0);
	}
	HOLDS(results[0].n_frames == results[1].n_frames && results[0].stop == results[1].stop);
	HOLDS(memcmp(frames[0], frames[1], sizeof(frames[0])) == 0);
	if (mapping_has_path(m) || m->module)
		HOLDS(frames[0]->module && strcmp(frames[0]->module, m->path) == 0);
}

static void check_stacks(struct dwunw_address_space *space)
{
	const struct process *process = &space->process;
	unsigned int n = 0;

	for (size_t i = 0; i < process->n_mappings && n < MAX_STACKS; i++) {
		if (process->mappings[i].executable) {
			check_stack(space, &process->mappings[i]);
			n++;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct dwunw_address_space *space = UNTOUCHED;
	bool is_text;
	int err;

	open_self();
	is_text = input_uint(&input, 1) & 1;
	if (is_text) {
		char *text = take_text(&input);

		err = dwunw_address_space_parse(context, text, &space);
		free(text);
	} else {
		err = create(&input, &space);
	}
	if (err) {
		HOLDS(err == -EINVAL || (is_text && err == -EBADMSG));
		HOLDS(space == UNTOUCHED);
		return 0;
	}
	check_order(&space->process);
	if (is_text)
		check_written(&space->process);
	check_given(&space->process);
	check_stacks(space);
	dwunw_address_space_destroy(space);
	return 0;
}
