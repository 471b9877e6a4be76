/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debug_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/debug_file.h"
#include "elf/elf_file.h"
#include "symbolize/debuginfod.h"
#include "symbolize/naming.h"

void debug_files_init(struct debug_files *files, struct elf_file *own, const char *path,
		      struct naming *naming)
{
	*files = (struct debug_files){.own = own, .path = path, .naming = naming};
	for (size_t i = 0; i < DEBUG_N_PLACES; i++)
		files->files[i].fd = -ENOENT;
}

void debug_files_free(struct debug_files *files)
{
	for (size_t i = 0; i < DEBUG_N_PLACES; i++) {
		struct debug_file *file = &files->files[i];

		elf_file_close(file->elf);
		if (file->fd >= 0)
			close(file->fd);
		free(file->path);
	}
}

static int find(struct debug_files *files, enum debug_place place, char **path)
{
	const char *root = files->naming->options.debug_root;
	struct debuginfod *server = files->naming->server;
	size_t size;
	const uint8_t *id = elf_file_build_id(files->own, &size);

	switch (place) {
	case DEBUG_BY_ID:
		return debug_file_by_build_id(root, id, size, path);
	case DEBUG_BY_LINK:
		return debug_file_follow_link(root, files->own, files->path, path);
	case DEBUG_SERVER:
		if (!server || size == 0)
			return -ENOENT;
		return debuginfod_get(server, id, size, files->path, path);
	default:
		return -ENOENT;
	}
}

static bool same_build(const struct elf_file *a, const struct elf_file *b)
{
	size_t a_size, b_size;
	const uint8_t *a_id = elf_file_build_id(a, &a_size), *b_id = elf_file_build_id(b, &b_size);

	return a_size == b_size && memcmp(a_id, b_id, a_size) == 0;
}

int debug_files_get(struct debug_files *files, enum debug_place place, struct elf_file **ret)
{
	struct debug_file *file = &files->files[place % DEBUG_N_PLACES];

	if (place == DEBUG_OWN) {
		*ret = files->own;
		return 0;
	}
	if (!file->known) {
		file->known = true;
		file->fd = find(files, place, &file->path);
		if (file->fd == -EPERM)
			naming_tell_once(files->naming,
					 "%s: no use of its %s, which another user may write",
					 files->path, debug_place_text(place));
		if (file->fd >= 0 && elf_file_open(file->fd, &file->elf) == 0 &&
		    !same_build(files->own, file->elf)) {
			elf_file_close(file->elf);
			file->elf = NULL;
		}
		if (place == DEBUG_SERVER && file->fd >= 0 && !file->elf)
			debuginfod_tell_garbage(files->naming->server, files->path);
	}
	if (!file->elf)
		return -ENOENT;
	*ret = file->elf;
	return 0;
}

int debug_files_alternate(struct debug_files *files, enum debug_place place)
{
	struct elf_file *elf;
	int fd;

	if (debug_files_get(files, place, &elf))
		return -1;
	fd = debug_file_alternate(files->naming->options.debug_root, elf,
				  place == DEBUG_OWN ? files->path : files->files[place].path);
	return fd < 0 ? -1 : fd;
}

const char *debug_place_text(enum debug_place place)
{
	static const char *const texts[] = {"debug information", "debug file by build ID",
					    "debug file by debuglink", "debuginfod"};

	return texts[place];
}
