/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ELF file, read through libelf: segments, sections (decompressed), build ID. The bytes are not trusted:
 * whatever they say, every pointer handed out is backed by its full size.
 *
 * Functions return 0 or a negative errno; -ENOEXEC: not an ELF file that can be read. An elf_file may be
 * used by one thread at a time; after opening, reads change nothing.
 */
#ifndef ELF_FILE_H
#define ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_BUILD_ID_MAX 64

struct arch;
struct elf_file;

struct elf_segment { /* a PT_LOAD */
	uint64_t vaddr;
	uint64_t mem_size;
	uint64_t file_off;
	uint64_t file_size;
	bool executable;
};

struct elf_section {
	const uint8_t *data; /* owned by the elf_file; decompressed; in the file's byte order */
	size_t size;
	uint64_t vaddr; /* 0 where the section is not loaded */
	uint32_t type;	/* SHT_* */
};

/* Reads from `fd`, which stays the caller's and may be closed afterwards. */
int elf_file_open(int fd, struct elf_file **ret);
/* Over a memory image (vDSO) that is copied. */
int elf_file_open_memory(const void *image, size_t size, struct elf_file **ret);
void elf_file_close(struct elf_file *file);
/* Memory that it takes: headers, what was read of its sections, plain where they are compressed, and for an image that too. */
size_t elf_file_bytes(const struct elf_file *file);
/* The descriptor that it reads from (a memory file for an image), owned by the elf_file. */
int elf_file_fd(const struct elf_file *file);

const struct arch *elf_file_arch(const struct elf_file *file); /* NULL: one that we do not know */
uint16_t elf_file_type(const struct elf_file *file);	       /* ET_EXEC, ET_DYN, ... */
uint64_t elf_file_entry(const struct elf_file *file);	       /* vaddr */
bool elf_file_is_little_endian(const struct elf_file *file);
size_t elf_file_n_segments(const struct elf_file *file);
const struct elf_segment *elf_file_segments(const struct elf_file *file);

/* Raw bytes of the build ID note, from the section or from PT_NOTE; size 0: it has none. */
const uint8_t *elf_file_build_id(const struct elf_file *file, size_t *size);

/*
 * Section by name; -ENOENT where there is none or it has no bytes in this file (SHT_NOBITS). A SHF_COMPRESSED section is
 * decompressed; ".debug_frame" also finds ".zdebug_frame". Without section headers, ".eh_frame_hdr" is
 * found through PT_GNU_EH_FRAME and ".eh_frame" through that header, bounded by its segment.
 */
int elf_file_section(struct elf_file *file, const char *name, struct elf_section *ret);

/*
 * Bytes of the file that are loaded at `vaddr`: *data and how many of them there are: up to the end of the segment, or at
 * least 64 KiB. Valid until the file is closed. -ENOENT: not loaded from the file; -EIO: the file was cut.
 */
int elf_file_bytes_at(const struct elf_file *file, uint64_t vaddr, const uint8_t **data,
		      size_t *size);

/* vaddr at which file offset `file_off` is loaded by an executable segment; -ENOENT. */
int elf_file_off_to_vaddr(const struct elf_file *file, uint64_t file_off, uint64_t *vaddr);
int elf_file_vaddr_to_off(const struct elf_file *file, uint64_t vaddr, uint64_t *file_off);

/*
 * Value (vaddr) and size of a defined function symbol, from .dynsym, else .symtab; versions after '@' ignored, IFUNCs
 * (STT_GNU_IFUNC) count as absent. -ENOENT.
 */
int elf_file_find_function(struct elf_file *file, const char *name, uint64_t *vaddr,
			   uint64_t *size);

/* The same for a variable (STT_OBJECT). */
int elf_file_find_object(struct elf_file *file, const char *name, uint64_t *vaddr, uint64_t *size);

/*
 * The string of the dynamic section's entry number `index` among those of `tag` (DT_NEEDED, DT_SONAME). -ENOENT. Valid until the
 * file is closed.
 */
int elf_file_dynamic_string(struct elf_file *file, int64_t tag, size_t index, const char **ret);

#endif
