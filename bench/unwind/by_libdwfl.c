/* SPDX-License-Identifier: BSD-2-Clause */
#include <elfutils/libdwfl.h>

#include "snapshot.h"

static const struct snapshot *current;
static Dwfl *dwfl;
static size_t n_unwound;

/* .eh_frame will do: no looking for other files. */
static int no_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **debuginfo)
{
	(void)module;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)debuginfo;
	return -1;
}

static pid_t next_thread(Dwfl *of, void *arg, void **thread_arg)
{
	(void)of;
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return current->pid;
}

static bool get_thread(Dwfl *of, pid_t tid, void *arg, void **thread_arg)
{
	(void)of;
	*thread_arg = arg;
	return tid == current->pid;
}

static bool read_word(Dwfl *of, Dwarf_Addr addr, Dwarf_Word *ret, void *arg)
{
	(void)of;
	(void)arg;
	return snapshot_word(current, addr, ret) == 0;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	uint64_t value;

	(void)arg;
	for (unsigned int reg = 0; snapshot_register(current, reg, &value) == 0; reg++) {
		Dwarf_Word word = value;

		if (!dwfl_thread_state_registers(thread, (int)reg, 1, &word))
			return false;
	}
	dwfl_thread_state_register_pc(thread, current->registers.pc);
	return true;
}

static void open_libdwfl(const struct snapshot *snapshot)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = no_debuginfo,
	};
	static const Dwfl_Thread_Callbacks thread_callbacks = {
		.next_thread = next_thread,
		.get_thread = get_thread,
		.memory_read = read_word,
		.set_initial_registers = set_registers,
	};

	current = snapshot;
	dwfl = dwfl_begin(&callbacks);
	if (!dwfl || dwfl_linux_proc_report(dwfl, snapshot->pid) ||
	    dwfl_report_end(dwfl, NULL, NULL) ||
	    !dwfl_attach_state(dwfl, NULL, snapshot->pid, &thread_callbacks, (void *)snapshot))
		fail("libdwfl");
}

static int on_frame(Dwfl_Frame *frame, void *arg)
{
	Dwarf_Addr pc;

	(void)arg;
	if (n_unwound == MAX_FRAMES || !dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	unwound[n_unwound++] = pc;
	return DWARF_CB_OK;
}

static size_t unwind(void)
{
	n_unwound = 0;
	if (dwfl_getthread_frames(dwfl, current->pid, on_frame, NULL))
		fail("dwfl_getthread_frames");
	return n_unwound;
}

static void close_libdwfl(void)
{
	dwfl_end(dwfl);
}

const struct unwinder unwinder_libdwfl = {"libdwfl", open_libdwfl, unwind, close_libdwfl};
