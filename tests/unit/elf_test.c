/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: segments, sections (plain, SHF_COMPRESSED, .zdebug), build ID, function symbols and vaddr/offset translation are those
 * that readelf, objcopy and nm report; .eh_frame is found without section headers; a file that is truncated while it is
 * open is an error and no SIGBUS; thousands of damaged images are survived.
 */
#include <elf.h>
#include <elfutils/version.h>
#include <errno.h>
#include "../test.h"
#include "../workdir.h"
#include "elf/elf_file.h"

static const char source[] =
	"#include <stdlib.h>\n"
	"__asm__(\".symver old_f, f@V1\\n.symver new_f, f@@V2\");\n"
	"int old_f(int x) { return abs(x) + 1; }\n"
	"int new_f(int x) { return x * 3; }\n"
	"__attribute__((noinline)) static int hidden(int x) { return x ^ 77; }\n"
	"static int (*pick(void))(int) { return hidden; }\n"
	"int chosen(int) __attribute__((ifunc(\"pick\")));\n"
	"int plain(int x) { return hidden(x) + atoi(\"5\"); }\n"
	"int data[100] = {1};\n";

static struct elf_file *open_path(const char *path)
{
	struct elf_file *file = NULL;
	int fd = open(path, O_RDONLY);

	CHECK(fd >= 0 && elf_file_open(fd, &file) == 0);
	close(fd);
	return file;
}

static void test_segments(struct elf_file *file)
{
	char *text = read_command("readelf -lW lib.so | grep ' LOAD '");
	size_t n = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), n++) {
		const struct elf_segment *s = &elf_file_segments(file)[n];
		uint64_t off, vaddr, paddr, file_size, mem_size;

		CHECK(sscanf(line, " LOAD %lx %lx %lx %lx %lx", &off, &vaddr, &paddr, &file_size,
			     &mem_size) == 5);
		CHECK(n < elf_file_n_segments(file) && s->file_off == off && s->vaddr == vaddr &&
		      s->file_size == file_size && s->mem_size == mem_size &&
		      s->executable == (strstr(line, " E ") != NULL));
	}
	CHECK(n > 1 && n == elf_file_n_segments(file));
	free(text);
}

static void test_identity(struct elf_file *file)
{
	char *expected = read_command("readelf -n lib.so | sed -n 's/.*Build ID: //p'");
	char hex[2 * ELF_BUILD_ID_MAX + 1] = "";
	size_t size;
	const uint8_t *id = elf_file_build_id(file, &size);

	for (size_t i = 0; i < size; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	CHECK(size == 20 && strcmp(hex, expected) == 0);
	CHECK(elf_file_type(file) == ET_DYN);
	CHECK(elf_file_arch(file) != NULL);
	free(expected);
}

/* A section's bytes against those that objcopy takes out of `path`. */
static void check_section(struct elf_file *file, const char *name, const char *path)
{
	struct elf_section section;
	uint8_t *expected;
	size_t size;

	run("objcopy --dump-section %s=expected %s copy.so", name, path);
	expected = read_file("expected", &size);
	CHECK(size > 0);
	CHECK(elf_file_section(file, name, &section) == 0);
	CHECK(section.size == size && memcmp(section.data, expected, size) == 0);
	free(expected);
}

static void test_sections(struct elf_file *file)
{
	static const char *const kinds[] = {"zlib", "zlib-gnu", "zstd"};
	struct elf_section section, again;

	check_section(file, ".eh_frame", "lib.so");
	check_section(file, ".text", "lib.so");
	check_section(file, ".debug_info", "lib.so");
	CHECK(elf_file_section(file, ".eh_frame", &section) == 0);
	CHECK(section.vaddr ==
	      read_hex("readelf -SW lib.so | sed -n 's/.* .eh_frame  *[A-Z_0-9]* *//p'"));
	CHECK(elf_file_section(file, ".debug_info", &section) == 0 && section.vaddr == 0);
	CHECK(elf_file_section(file, ".bss", &section) == -ENOENT);
	CHECK(elf_file_section(file, ".nothing", &section) == -ENOENT);
	for (int i = 0; i < 3; i++) {
		struct elf_file *packed;

		/* some binutils have no zstd */
		if (i == 2 &&
		    system("objcopy --compress-debug-sections=zstd lib.so packed.so 2>err"))
			break;
		run("objcopy --compress-debug-sections=%s lib.so packed.so", kinds[i]);
		run("readelf -SW packed.so | grep -q '%s'",
		    i == 1 ? "zdebug_info" : "debug_info.* C ");
		packed = open_path("packed.so");
		if (i == 2 && !_ELFUTILS_PREREQ(0, 189)) { /* nor has libelf */
			CHECK(elf_file_section(packed, ".debug_info", &section) == -ENOEXEC);
			elf_file_close(packed);
			break;
		}
		check_section(packed, ".debug_info", "lib.so");
		CHECK(elf_file_section(packed, ".debug_info", &section) == 0 &&
		      elf_file_section(packed, ".debug_info", &again) == 0 &&
		      section.data == again.data && section.size == again.size);
		elf_file_close(packed);
	}
}

static void test_functions(struct elf_file *file)
{
	uint64_t vaddr = 0, size = 0;

	CHECK(elf_file_find_function(file, "plain", &vaddr, &size) == 0);
	CHECK(vaddr == read_hex("nm lib.so | grep ' T plain$'"));
	CHECK(size == read_hex("nm -S lib.so | sed -n 's/^[0-9a-f]* \\(.*\\) T plain$/\\1/p'"));
	/* static: in .symtab only */
	CHECK(elf_file_find_function(file, "hidden", &vaddr, &size) == 0);
	CHECK(vaddr == read_hex("nm lib.so | grep ' t hidden$'"));
	CHECK(elf_file_find_function(file, "f", &vaddr, &size) == 0);
	CHECK(vaddr == read_hex("nm -D lib.so | grep ' T f@@V2$'"));
	CHECK(elf_file_find_function(file, "chosen", &vaddr, &size) == -ENOENT);
	CHECK(elf_file_find_function(file, "abs", &vaddr, &size) == -ENOENT);
	CHECK(elf_file_find_function(file, "data", &vaddr, &size) == -ENOENT);
	CHECK(elf_file_find_function(file, "plai", &vaddr, &size) == -ENOENT);
}

static void test_addresses(struct elf_file *file)
{
	struct elf_section text;
	uint64_t vaddr, file_off;
	const uint8_t *data;
	uint8_t *bytes;
	size_t size;

	bytes = read_file("lib.so", &size);
	CHECK(elf_file_section(file, ".text", &text) == 0);
	CHECK(elf_file_vaddr_to_off(file, text.vaddr, &file_off) == 0);
	CHECK(memcmp(bytes + file_off, text.data, text.size) == 0);
	CHECK(elf_file_off_to_vaddr(file, file_off, &vaddr) == 0 && vaddr == text.vaddr);
	CHECK(elf_file_bytes_at(file, text.vaddr + 5, &data, &size) == 0);
	CHECK(size >= text.size - 5 && memcmp(data, text.data + 5, text.size - 5) == 0);
	CHECK(elf_file_bytes_at(file, 0x7fff00000000, &data, &size) == -ENOENT);
	CHECK(elf_file_off_to_vaddr(file, 1ULL << 40, &vaddr) == -ENOENT);
	free(bytes);
}

static void test_no_section_headers(struct elf_file *file)
{
	struct elf_section frame, hdr, text, expected;
	struct elf_file *bare = NULL;
	Elf64_Ehdr *ehdr;
	uint8_t *bytes;
	size_t size;

	bytes = read_file("lib.so", &size);
	ehdr = (Elf64_Ehdr *)bytes;
	ehdr->e_shoff = 0;
	ehdr->e_shnum = ehdr->e_shstrndx = 0;
	CHECK(elf_file_open_memory(bytes, size, &bare) == 0);
	CHECK(elf_file_section(bare, ".text", &text) == -ENOENT);
	CHECK(elf_file_section(bare, ".eh_frame_hdr", &hdr) == 0);
	CHECK(elf_file_section(file, ".eh_frame_hdr", &expected) == 0);
	CHECK(hdr.vaddr == expected.vaddr && hdr.size == expected.size &&
	      memcmp(hdr.data, expected.data, hdr.size) == 0);
	CHECK(elf_file_section(bare, ".eh_frame", &frame) == 0);
	CHECK(elf_file_section(file, ".eh_frame", &expected) == 0);
	CHECK(frame.vaddr == expected.vaddr && frame.size >= expected.size &&
	      memcmp(frame.data, expected.data, expected.size) == 0);
	elf_file_close(bare);
	free(bytes);
}

/* Opens lib.so with one section header, that of .eh_frame, replaced. */
static struct elf_file *open_with_header(uint64_t off, uint64_t section_size, uint64_t table_off)
{
	struct elf_file *file = NULL;
	Elf64_Ehdr ehdr;
	Elf64_Shdr shdr;
	uint8_t *bytes;
	size_t size, at;
	char *index;

	bytes = read_file("lib.so", &size);
	memcpy(&ehdr, bytes, sizeof(ehdr));
	index = read_command(
		"readelf -SW lib.so | sed -n 's/^ *\\[ *\\([0-9]*\\)\\] \\.eh_frame .*/\\1/p'");
	at = ehdr.e_shoff + sizeof(shdr) * strtoull(index, NULL, 10);
	free(index);
	memcpy(&shdr, bytes + at, sizeof(shdr));
	shdr.sh_offset = off;
	shdr.sh_size = section_size;
	memcpy(bytes + at, &shdr, sizeof(shdr));
	if (table_off)
		ehdr.e_shoff = table_off;
	memcpy(bytes, &ehdr, sizeof(ehdr));
	(void)elf_file_open_memory(bytes, size, &file);
	free(bytes);
	return file;
}

/* Section headers that lead out of the file, that overlap, and that are themselves outside. */
static void test_section_headers(struct elf_file *good)
{
	struct elf_section section, text;
	struct elf_file *file;
	uint64_t text_off = 0;

	CHECK(elf_file_section(good, ".text", &text) == 0 &&
	      elf_file_vaddr_to_off(good, text.vaddr, &text_off) == 0);
	file = open_with_header(1ULL << 40, 100, 0);
	CHECK(file && elf_file_section(file, ".eh_frame", &section) < 0);
	elf_file_close(file);
	file = open_with_header(text_off, 1ULL << 40, 0);
	CHECK(file && elf_file_section(file, ".eh_frame", &section) < 0);
	elf_file_close(file);
	file = open_with_header(~0ULL - 50, 100, 0);
	CHECK(file && elf_file_section(file, ".eh_frame", &section) < 0);
	elf_file_close(file);
	file = open_with_header(text_off, text.size, 0);
	CHECK(file && elf_file_section(file, ".eh_frame", &section) == 0 &&
	      section.size == text.size && memcmp(section.data, text.data, text.size) == 0);
	CHECK(file && elf_file_section(file, ".text", &section) == 0 &&
	      memcmp(section.data, text.data, text.size) == 0);
	elf_file_close(file);
	/* refused, or a file without sections */
	file = open_with_header(text_off, 100, 1ULL << 40);
	CHECK(!file || elf_file_section(file, ".text", &section) < 0);
	elf_file_close(file);
}

static void test_truncated_while_open(void)
{
	struct elf_section section;
	struct elf_file *file;
	const uint8_t *data;
	uint64_t vaddr;
	size_t size;

	run("cp lib.so cut.so");
	file = open_path("cut.so");
	vaddr = elf_file_segments(file)[1].vaddr;
	CHECK(truncate("cut.so", 4096) == 0);
	CHECK(elf_file_section(file, ".eh_frame", &section) < 0);
	CHECK(elf_file_bytes_at(file, vaddr, &data, &size) < 0);
	elf_file_close(file);
}

/* A long sparse file that claims a section header for each 64 bytes: refused before memory is asked for. */
static void test_section_count(void)
{
	struct elf_file *file;
	Elf64_Ehdr ehdr;
	Elf64_Shdr first = {.sh_size = 100 << 20};
	uint8_t *bytes;
	size_t size;
	int fd;

	bytes = read_file("lib.so", &size);
	memcpy(&ehdr, bytes, sizeof(ehdr));
	ehdr.e_shnum = 0;
	memcpy(bytes, &ehdr, sizeof(ehdr));
	memcpy(bytes + ehdr.e_shoff, &first, sizeof(first));
	write_file("many.so", bytes, size);
	CHECK(truncate("many.so", 8LL << 30) == 0);
	fd = open("many.so", O_RDONLY);
	CHECK(elf_file_open(fd, &file) == -ENOEXEC);
	close(fd);
	free(bytes);
}

/* Calls everything; touches every byte that is handed out, so that a sanitizer or the MMU notices a wrong one. */
static unsigned int use(struct elf_file *file)
{
	static const char *const names[] = {".eh_frame", ".eh_frame_hdr", ".text", ".debug_info",
					    ".debug_frame"};
	unsigned int sum = 0;
	struct elf_section section;
	uint64_t vaddr, value;
	const uint8_t *data;
	size_t size;

	data = elf_file_build_id(file, &size);
	for (size_t i = 0; i < size; i++)
		sum += data[i];
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		if (elf_file_section(file, names[n], &section))
			continue;
		for (size_t i = 0; i < section.size; i++)
			sum += section.data[i];
	}
	for (size_t n = 0; n < elf_file_n_segments(file); n++) {
		vaddr = elf_file_segments(file)[n].vaddr;
		if (elf_file_bytes_at(file, vaddr, &data, &size) == 0)
			sum += data[0] + data[size - 1];
		sum += elf_file_vaddr_to_off(file, vaddr + 1, &value) == 0;
	}
	sum += elf_file_find_function(file, "plain", &vaddr, &value) == 0;
	sum += elf_file_find_function(file, "hidden", &vaddr, &value) == 0;
	return sum;
}

static void damage(uint8_t *bytes, size_t *size, uint64_t *state)
{
	unsigned int n = 1 + next_random(state) % 8;
	Elf64_Ehdr ehdr;

	memcpy(&ehdr, bytes, sizeof(ehdr));
	for (unsigned int i = 0; i < n; i++) {
		uint64_t where = next_random(state), span = *size;
		static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

		/* Half of them in the headers, where they do most. */
		if (where & 1)
			span = 64 + ehdr.e_phnum * 56;
		else if (where & 2)
			span = *size - ehdr.e_shoff;
		where = (where >> 8) % span + ((where & 3) == 2 ? ehdr.e_shoff : 0);
		bytes[where] = next_random(state) & 1 ? values[next_random(state) % 5]
						      : (uint8_t)next_random(state);
	}
	if (next_random(state) % 4 == 0)
		*size = next_random(state) % *size;
}

static void test_damaged(const char *path, int rounds)
{
	size_t size;
	uint8_t *bytes = read_file(path, &size);
	uint8_t *copy = malloc(size);
	uint64_t state = 0x2545f4914f6cdd1dULL;
	int opened = 0;

	for (int i = 0; i < rounds; i++) {
		struct elf_file *file;
		size_t damaged_size = size;

		memcpy(copy, bytes, size);
		damage(copy, &damaged_size, &state);
		if (elf_file_open_memory(copy, damaged_size, &file))
			continue;
		opened++;
		use(file);
		elf_file_close(file);
	}
	/* Neither all refused nor all accepted: the damage reaches the code behind the door. */
	CHECK(opened > rounds / 10 && opened < rounds);
	free(bytes);
	free(copy);
}

int main(void)
{
	struct elf_file *file;

	workdir_enter();
	write_text("lib.c", source);
	write_text("lib.map", "V1 { global: *; };\nV2 {} V1;\n");
	run("cc -g -O1 -shared -fPIC -Wl,--build-id -Wl,--version-script=lib.map -o lib.so lib.c");
	file = open_path("lib.so");
	test_segments(file);
	test_identity(file);
	test_sections(file);
	test_functions(file);
	test_addresses(file);
	test_no_section_headers(file);
	test_section_headers(file);
	elf_file_close(file);
	CHECK(elf_file_open_memory("not an ELF file", 15, &file) == -ENOEXEC);
	CHECK(elf_file_open_memory("", 0, &file) == -ENOEXEC);
	test_truncated_while_open();
	test_section_count();
	test_damaged("lib.so", 20000);
	run("objcopy --compress-debug-sections=zlib lib.so packed.so");
	test_damaged("packed.so", 10000);
	workdir_leave();
	return test_end();
}
