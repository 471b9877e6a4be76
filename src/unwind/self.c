/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This process unwinds itself. What walks read is a view: mappings, tables and caches, replaced as a whole. Walks do not lock,
 * they are counted: a view that is no longer the current one is freed when no walk is under way.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <dwunw/dwunw.h>
#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "process/process.h"
#include "table/table.h"
#include "unwind/readable.h"
#include "unwind/table_view.h"
#include "unwind/unwind.h"

#define MAX_STACK_PAGES 64 /* that a walk reads without a look at each word's page */

struct view {
	struct view *next; /* older one that may be in use */
	struct process *process;
	struct frame_module *modules; /* by mapping */
	struct table_view tables;
	struct readable_pages pages;
};

struct dwunw_self {
	struct module_cache *modules;
	_Atomic(struct view *) view;
	_Atomic unsigned int n_walks;
	struct view *old;
	/* Every file that any view had: frames name them. */
	struct module **held;
	size_t n_held;
};

static void view_free(struct dwunw_self *self, struct view *view)
{
	process_close(self->modules, view->process);
	free(view->modules);
	free(view);
}

static int hold(struct dwunw_self *self, struct module *module)
{
	struct module **held;

	for (size_t i = 0; i < self->n_held; i++)
		if (self->held[i] == module)
			return 0;
	held = reallocarray(self->held, self->n_held + 1, sizeof(*held));
	if (!held)
		return -ENOMEM;
	self->held = held;
	held[self->n_held++] = module;
	module_hold(module);
	return 0;
}

static int add_mapping(struct dwunw_self *self, struct view *view, size_t i)
{
	struct module *module = view->process->mappings[i].module;
	const struct table *table;
	int err;

	if (!module)
		return 0;
	view->modules[i] = frame_module_of(&view->process->mappings[i], module->path);
	err = hold(self, module);
	if (!err)
		err = module_table(module, &table);
	/* What has no CFI, or none that can be used, has no table. */
	return err == -ENOMEM ? err : 0;
}

static int view_create(struct dwunw_self *self, struct view **ret)
{
	struct view *view = calloc(1, sizeof(*view));
	int err;

	if (!view)
		return -ENOMEM;
	err = process_open(self->modules, getpid(), &view->process);
	if (!err) {
		view->modules = calloc(view->process->n_mappings, sizeof(*view->modules));
		if (!view->modules)
			err = -ENOMEM;
		for (size_t i = 0; i < view->process->n_mappings && !err; i++)
			err = add_mapping(self, view, i);
	}
	if (err) {
		view_free(self, view);
		return err;
	}
	*ret = view;
	return 0;
}

/* A walk that begins from now on takes the current view. */
static void free_old(struct dwunw_self *self)
{
	if (atomic_load(&self->n_walks))
		return;
	while (self->old) {
		struct view *view = self->old;

		self->old = view->next;
		view_free(self, view);
	}
}

int dwunw_self_refresh(struct dwunw_self *self)
{
	struct view *view, *before;
	int err;

	if (!self)
		return -EINVAL;
	err = view_create(self, &view);
	if (err)
		return err;
	before = atomic_exchange(&self->view, view);
	if (before) {
		before->next = self->old;
		self->old = before;
	}
	free_old(self);
	return 0;
}

int dwunw_self_create(struct dwunw_self **ret)
{
	struct dwunw_self *self;
	int err;

	if (!ret)
		return -EINVAL;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;
	err = module_cache_create(0, &self->modules);
	if (!err)
		err = dwunw_self_refresh(self);
	if (err) {
		dwunw_self_destroy(self);
		return err;
	}
	*ret = self;
	return 0;
}

void dwunw_self_destroy(struct dwunw_self *self)
{
	if (!self)
		return;
	if (self->view)
		view_free(self, self->view);
	free_old(self);
	for (size_t i = 0; i < self->n_held; i++)
		module_put(self->modules, self->held[i]);
	free(self->held);
	if (self->modules)
		module_cache_destroy(self->modules);
	free(self);
}

static void walk(struct view *view, const struct dwunw_registers *registers,
		 struct dwunw_frame *frames, size_t max_frames, struct dwunw_unwind_result *ret)
{
	uint64_t sp = registers->regs[arch_native()->step->sp];
	struct readable_reader reader = {.pages = &view->pages};
	struct unwind_snapshot snapshot = {
		.process = view->process,
		.modules = view->modules,
		.tables = &view->tables,
		.registers = registers,
		.slice_start = sp,
		.slice = (const uint8_t *)(uintptr_t)sp,
		.slice_size = readable_from(&view->pages, sp, MAX_STACK_PAGES),
		.read = readable_read,
		.read_arg = &reader,
	};

	unwind_snapshot(&snapshot, 0, max_frames, frames, ret);
}

int dwunw_self_capture(struct dwunw_self *self, const struct dwunw_registers *registers,
		       struct dwunw_frame *frames, size_t max_frames,
		       struct dwunw_unwind_result *ret)
{
	if (!self || !registers || !frames || !max_frames || !ret ||
	    !registers_are_enough(registers))
		return -EINVAL;
	atomic_fetch_add(&self->n_walks, 1);
	walk(atomic_load(&self->view), registers, frames, max_frames, ret);
	atomic_fetch_sub(&self->n_walks, 1);
	return 0;
}
