/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYMBOLIZE_DEBUG_FILE_H
#define SYMBOLIZE_DEBUG_FILE_H

#include <elfutils/libdwfl.h>

/*
 * A libdwfl find_debuginfo callback: by build ID, then by debuglink, on this machine only. libdwfl's standard callback would go
 * on to ask a debuginfod server.
 */
int debug_file_find(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    const char *file_name, const char *debuglink, GElf_Word crc, char **ret_name);

#endif
