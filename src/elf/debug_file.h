/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Separate debug files on this machine, found as gdb does (GDB manual, "Separate Debug Files"): by build ID in
 * /usr/lib/debug/.build-id, by the name in .gnu_debuglink beside the file, in .debug/ there, and in /usr/lib/debug. Nothing is
 * asked over a network. Taken are only regular files that belong to root or to this user and that nobody else may write.
 */
#ifndef ELF_DEBUG_FILE_H
#define ELF_DEBUG_FILE_H

#include <stddef.h>
#include <stdint.h>

struct elf_file;

/*
 * By build ID, below `root` (NULL: /usr/lib/debug). A descriptor, the caller's, and its path, to be freed, in *ret_path; negative
 * errno, -ENOENT: there is none; -EPERM: there is one of another user, or that others may write.
 */
int debug_file_by_build_id(const char *root, const uint8_t *id, size_t size, char **ret_path);

/* By what .gnu_debuglink of `file`, which is at `path` (absolute), says: a name and the CRC-32 of the whole debug file. The same. */
int debug_file_follow_link(const char *root, struct elf_file *file, const char *path,
			   char **ret_path);

/*
 * What .gnu_debugaltlink of `file`, which is at `path`, says: the file with what dwz has found to be common to several, by build ID or by
 * name. A descriptor, the caller's; -ENOENT.
 */
int debug_file_alternate(const char *root, struct elf_file *file, const char *path);

/*
 * The debug file of `file`, which is at `path`, by the one or the other way. One with another build ID is not taken. -ENOENT: there is
 * none; -EPERM: only one that is not taken; -ENOEXEC, -ENOMEM as elf_file_open().
 */
int debug_file_open(struct elf_file *file, const char *path, struct elf_file **ret);

#endif
