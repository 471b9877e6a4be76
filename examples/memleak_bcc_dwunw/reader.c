/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <dwunw/dwunw.h> /* dwunw-added */

#include "message.h"
#include "privileges.h"
#include "process/process.h"

static bool is_denied(int err)
{
	return err == -EPERM || err == -EACCES;
}

/* The two lines that scripts look for. `what`: could not be had; `missing`: the capabilities for it, if that is known. */
static void tell(enum options_mode mode, const char *what, const char *missing, int err)
{
	message_once("[dwunw] default reader failed (%s: %s); %s", what, strerror(-err),
		     mode == OPTIONS_MODE_FORCE ? "no retry without reader in --dwunw-mode=force"
						: "retry without reader");
	if (is_denied(err))
		message_once("[dwunw] multi-frame disabled (%s): %s%s", what,
			     missing[0] ? "missing "
					: "forbidden, but not for want of a capability",
			     missing);
}

/* Without stacks of libdwunw the names alone are missed. */
static void tell_plainly(pid_t pid, const char *missing, int err)
{
	message_once("not permitted to read process %d: %s%s", (int)pid,
		     missing[0] ? "missing " : strerror(-err), missing);
}

void reader_tell_failure(pid_t pid, enum options_mode mode, int err)
{
	char what[64], missing[PRIVILEGES_TEXT];

	snprintf(what, sizeof(what), "mappings of process %d", (int)pid);
	privileges_missing_for_process(missing, sizeof(missing));
	if (mode == OPTIONS_MODE_OFF)
		tell_plainly(pid, missing, err);
	else
		tell(mode, what, missing, err);
}

int reader_check_mappings(pid_t pid)
{
	char path[64];
	int fd, err;

	/* the kernel decides when it is opened, not when it is read */
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	err = -errno;
	if (err == -ENOENT && (kill(pid, 0) == 0 || errno == EPERM))
		err = -EACCES; /* it is there, and hidden: proc(5), hidepid=2 */
	return is_denied(err) ? err : 0;
}

int reader_check_files(const struct process *process, enum options_mode mode)
{
	char what[256], missing[PRIVILEGES_TEXT];
	int first = 0;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];

		/* code of no ELF file has nothing that could be read */
		if (!mapping->executable || !mapping->error || mapping->error == -ENOEXEC)
			continue;
		snprintf(what, sizeof(what), "%s%s of process %d", mapping->path,
			 mapping->deleted ? " (deleted)" : "", (int)process->pid);
		privileges_missing_for_file(process->pid, mapping->deleted, missing,
					    sizeof(missing));
		tell(mode, what, missing, mapping->error);
		if (!first)
			first = mapping->error;
	}
	return first;
}

/* dwunw-added begin: the file of the stack's one frame, as far as it is known */
static const char *first_module(const struct process *process, const char *allocator,
				const struct dwunw_stack *stack)
{
	const struct mapping *mapping;

	if (!stack->n_frames) /* the allocator's caller was not reached */
		return allocator;
	if (stack->frames[0].module)
		return stack->frames[0].module;
	mapping = process ? process_find_mapping(process, stack->frames[0].pc - 1) : NULL;
	return mapping && mapping->path[0] ? mapping->path : "memory of no file";
}

void reader_tell_first_frame(const struct process *process, const char *allocator,
			     const struct dwunw_stack *stack)
{
	if (stack->n_frames > 1 || stack->stop == DWUNW_STOP_ROOT ||
	    stack->stop == DWUNW_STOP_DEPTH) /* as asked for */
		return;
	if (stack->stop == DWUNW_STOP_DROPPED || stack->stop == DWUNW_STOP_RATE)
		return; /* no module is to blame; the summary says so */
	message_once("[dwunw] multi-frame capture failed in %s: %s",
		     first_module(process, allocator, stack), dwunw_stop_reason_text(stack->stop));
}
/* dwunw-added end */
