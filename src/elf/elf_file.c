/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "arch/arch.h"
#include "elf/elf_internal.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3, include/uapi/linux/memfd.h */
#endif

/* The kernel loads files with at most 64 KiB of program headers (fs/binfmt_elf.c, load_elf_phdrs); this is twice that. */
#define MAX_PROGRAM_HEADERS 2340

#define MAX_SECTIONS 65536

#define BYTES_AT_CHUNK (64 << 10)

uint64_t elf_get_uint(const struct elf_file *file, const uint8_t *p, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)p[i] << 8 * (file->little_endian ? i : size - 1 - i);
	return value;
}

static int read_all(int fd, uint64_t file_off, uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = pread(fd, data, size, (off_t)file_off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		file_off += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int elf_read_range(const struct elf_file *file, uint64_t file_off, size_t size,
		   const uint8_t **data)
{
	struct elf_range *range;
	int err;

	for (range = *file->ranges; range; range = range->next) {
		if (range->file_off == file_off && range->size == size) {
			*data = range->data;
			return 0;
		}
	}
	if (file_off > file->size || size > file->size - file_off)
		return -EIO;
	if (size > ELF_SECTION_MAX)
		return -EFBIG;
	range = malloc(sizeof(*range) + size);
	if (!range)
		return -ENOMEM;
	err = read_all(file->fd, file_off, range->data, size);
	if (err) {
		free(range);
		return err;
	}
	range->file_off = file_off;
	range->size = size;
	range->next = *file->ranges;
	*file->ranges = range;
	*data = range->data;
	return 0;
}

/* False: a segment that no loader would map. What lies past the end of the file is cut off. */
static bool segment_from_phdr(const struct elf_file *file, const GElf_Phdr *phdr,
			      struct elf_segment *segment)
{
	uint64_t file_size = phdr->p_filesz;

	if (phdr->p_vaddr + phdr->p_memsz < phdr->p_vaddr || file_size > phdr->p_memsz)
		return false;
	if (phdr->p_offset > file->size)
		file_size = 0;
	else if (file_size > file->size - phdr->p_offset)
		file_size = file->size - phdr->p_offset;
	*segment = (struct elf_segment){
		.vaddr = phdr->p_vaddr,
		.mem_size = phdr->p_memsz,
		.file_off = phdr->p_offset,
		.file_size = file_size,
		.executable = phdr->p_flags & PF_X,
	};
	return true;
}

static int read_segments(struct elf_file *file)
{
	size_t n;

	if (elf_getphdrnum(file->elf, &n) || n > MAX_PROGRAM_HEADERS)
		return -ENOEXEC;
	file->segments = calloc(n ? n : 1, sizeof(*file->segments));
	if (!file->segments)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct elf_segment segment;
		GElf_Phdr phdr;

		if (!gelf_getphdr(file->elf, (int)i, &phdr))
			return -ENOEXEC;
		if (phdr.p_type != PT_LOAD && phdr.p_type != PT_GNU_EH_FRAME)
			continue;
		if (!segment_from_phdr(file, &phdr, &segment))
			continue;
		if (phdr.p_type == PT_LOAD) {
			file->segments[file->n_segments++] = segment;
		} else {
			file->eh_frame_hdr = segment;
			file->has_eh_frame_hdr = true;
		}
	}
	return 0;
}

/*
 * With e_shnum 0 the number of sections is sh_size of the first section header (ELF gABI, chapter 4). libelf believes
 * it as far as the file is long, and a sparse file can be long; only relocatable files have a use for so many.
 */
static int check_section_count(struct elf_file *file)
{
	uint8_t header[sizeof(Elf64_Ehdr)], field[8];
	uint64_t off, n_sections;
	unsigned int word;
	int err;

	if (file->size < sizeof(Elf32_Ehdr))
		return -ENOEXEC;
	err = read_all(file->fd, 0, header,
		       file->size < sizeof(header) ? sizeof(Elf32_Ehdr) : sizeof(header));
	if (err)
		return err;
	file->little_endian = header[EI_DATA] == ELFDATA2LSB;
	file->is_64 = header[EI_CLASS] == ELFCLASS64;
	if (file->is_64 && file->size < sizeof(header))
		return -ENOEXEC;
	word = file->is_64 ? 8 : 4;
	off = elf_get_uint(file,
			   header + (file->is_64 ? offsetof(Elf64_Ehdr, e_shoff)
						 : offsetof(Elf32_Ehdr, e_shoff)),
			   word);
	n_sections = elf_get_uint(file,
				  header + (file->is_64 ? offsetof(Elf64_Ehdr, e_shnum)
							: offsetof(Elf32_Ehdr, e_shnum)),
				  2);
	if (n_sections != 0 || off == 0)
		return 0;
	off += file->is_64 ? offsetof(Elf64_Shdr, sh_size) : offsetof(Elf32_Shdr, sh_size);
	if (off > file->size || file->size - off < word)
		return 0;
	err = read_all(file->fd, off, field, word);
	if (err)
		return err;
	return elf_get_uint(file, field, word) > MAX_SECTIONS ? -ENOEXEC : 0;
}

static int read_headers(struct elf_file *file)
{
	struct stat st;
	GElf_Ehdr ehdr;
	int err;

	if (fstat(file->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	file->size = (uint64_t)st.st_size;
	err = check_section_count(file);
	if (err)
		return err;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	file->elf = elf_begin(file->fd, ELF_C_READ, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &ehdr))
		return -ENOEXEC;
	file->arch = arch_find(ehdr.e_machine, ehdr.e_ident[EI_CLASS], ehdr.e_ident[EI_DATA]);
	file->type = ehdr.e_type;
	file->entry = ehdr.e_entry;
	err = read_segments(file);
	if (!err)
		err = elf_count_begin(file);
	if (err)
		return err;
	elf_read_build_id(file);
	return 0;
}

/* Takes over `fd`, also on failure. */
static int open_own_fd(int fd, struct elf_file **ret)
{
	struct elf_file *file = calloc(1, sizeof(*file));
	int err = -ENOMEM;

	if (!file) {
		close(fd);
		return err;
	}
	file->fd = fd;
	file->ranges = calloc(1, sizeof(*file->ranges));
	if (file->ranges)
		err = read_headers(file);
	if (err) {
		elf_file_close(file);
		return err;
	}
	*ret = file;
	return 0;
}

int elf_file_open(int fd, struct elf_file **ret)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return own < 0 ? -errno : open_own_fd(own, ret);
}

int elf_file_open_memory(const void *image, size_t size, struct elf_file **ret)
{
	/* In a memory file, so that there is one way of reading. Kernels before 6.3 do not know the flag; others may insist on it. */
	int fd = memfd_create("elf", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	size_t done = 0;
	int err;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("elf", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (done < size) {
		ssize_t n = write(fd, (const char *)image + done, size - done);

		if (n < 0) {
			err = -errno;
			close(fd);
			return err;
		}
		done += (size_t)n;
	}
	err = open_own_fd(fd, ret);
	if (!err)
		(*ret)->bytes += size;
	return err;
}

void elf_file_close(struct elf_file *file)
{
	struct elf_range *range, *next;

	if (!file)
		return;
	for (range = file->ranges ? *file->ranges : NULL; range; range = next) {
		next = range->next;
		free(range);
	}
	elf_end(file->elf);
	close(file->fd);
	free(file->ranges);
	free(file->is_counted);
	free(file->segments);
	free(file);
}

int elf_file_fd(const struct elf_file *file)
{
	return file->fd;
}

const struct arch *elf_file_arch(const struct elf_file *file)
{
	return file->arch;
}

uint16_t elf_file_type(const struct elf_file *file)
{
	return file->type;
}

uint64_t elf_file_entry(const struct elf_file *file)
{
	return file->entry;
}

bool elf_file_is_little_endian(const struct elf_file *file)
{
	return file->little_endian;
}

size_t elf_file_n_segments(const struct elf_file *file)
{
	return file->n_segments;
}

const struct elf_segment *elf_file_segments(const struct elf_file *file)
{
	return file->segments;
}

const uint8_t *elf_file_build_id(const struct elf_file *file, size_t *size)
{
	*size = file->build_id_size;
	return file->build_id;
}

int elf_file_bytes_at(const struct elf_file *file, uint64_t vaddr, const uint8_t **data,
		      size_t *size)
{
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];
		uint64_t file_off, chunk_off, chunk_size, left;
		const uint8_t *chunk;
		int err;

		if (vaddr < segment->vaddr || vaddr - segment->vaddr >= segment->file_size)
			continue;
		file_off = segment->file_off + (vaddr - segment->vaddr);
		left = segment->file_size - (vaddr - segment->vaddr);
		/* Chunks overlap by half, so that whatever `vaddr` is, 64 KiB follow it. */
		chunk_off = file_off / BYTES_AT_CHUNK * BYTES_AT_CHUNK;
		chunk_size = file->size - chunk_off;
		if (chunk_size > 2 * BYTES_AT_CHUNK)
			chunk_size = 2 * BYTES_AT_CHUNK;
		err = elf_read_range(file, chunk_off, chunk_size, &chunk);
		if (err)
			return err;
		chunk_size -= file_off - chunk_off;
		*data = chunk + (file_off - chunk_off);
		*size = left < chunk_size ? left : chunk_size;
		return 0;
	}
	return -ENOENT;
}

int elf_file_off_to_vaddr(const struct elf_file *file, uint64_t file_off, uint64_t *vaddr)
{
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];

		if (!segment->executable || file_off < segment->file_off ||
		    file_off - segment->file_off >= segment->file_size)
			continue;
		*vaddr = segment->vaddr + (file_off - segment->file_off);
		return 0;
	}
	return -ENOENT;
}

int elf_file_vaddr_to_off(const struct elf_file *file, uint64_t vaddr, uint64_t *file_off)
{
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];

		if (vaddr < segment->vaddr || vaddr - segment->vaddr >= segment->file_size)
			continue;
		*file_off = segment->file_off + (vaddr - segment->vaddr);
		return 0;
	}
	return -ENOENT;
}
