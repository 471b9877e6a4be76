/* SPDX-License-Identifier: BSD-2-Clause */
/* MiniDebugInfo: .gnu_debugdata, an ELF file with a symbol table, compressed with xz. GDB manual, "Debugging information in a special section". */
#ifndef SYMBOLIZE_MINI_DEBUG_H
#define SYMBOLIZE_MINI_DEBUG_H

struct elf_file;

/* The file inside, to be closed. -ENOENT: there is none; -EFBIG: it is larger than 64 MiB or needs as much to be unpacked; -ENOEXEC; -ENOMEM */
int mini_debug_open(struct elf_file *file, struct elf_file **ret);

#endif
