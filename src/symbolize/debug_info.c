/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debug_info.h"

#include <dwarf.h>
#include <errno.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grow.h"
#include "symbolize/debug_unit.h"

/* What is read into memory, for want of a file that may be mapped or of sections that are plain. */
#define MAX_READ (1ULL << 30)
/* deflate cannot expand more than 1032 times (zlib technical notes). */
#define ZLIB_MAX_RATIO 1032
#define MAX_UNITS (1u << 20)

struct debug_info {
	Elf *elf, *alternate_elf;
	Dwarf *dwarf, *alternate;
	bool package; /* there is a FILE.dwp that may be opened */
	uint32_t *losses;
	struct debug_unit *units;
	size_t n_units, units_size;
	struct range_map unit_map; /* -> number of a unit */
	size_t decoded;
};

/* Nobody but root and this user can cut it short while it is mapped. */
static bool is_safe(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       !(st->st_mode & S_IWOTH);
}

static bool may_be_mapped(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && is_safe(&st);
}

/* 0; -ENOENT: it is not there; -EACCES. */
static int check_path(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -ENOENT;
	return is_safe(&st) ? 0 : -EACCES;
}

/*
 * Bytes of memory that libdw would take for one section, which it reads, or expands, when it opens a file. UINT64_MAX: it
 * lies about that.
 */
static uint64_t section_cost(Elf_Scn *scn, const GElf_Shdr *shdr, bool mapped)
{
	Elf_Data *data;
	GElf_Chdr chdr;
	uint64_t size = 0;

	if (shdr->sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(scn, &chdr) || chdr.ch_size / ZLIB_MAX_RATIO > shdr->sh_size)
			return UINT64_MAX;
		return chdr.ch_size;
	}
	if (!mapped && shdr->sh_size > MAX_READ)
		return UINT64_MAX;
	data = elf_rawdata(scn, NULL);
	if (data && data->d_buf && data->d_size >= 12 && memcmp(data->d_buf, "ZLIB", 4) == 0) {
		for (int i = 4; i < 12; i++)
			size = size << 8 | ((const uint8_t *)data->d_buf)[i];
		return size / ZLIB_MAX_RATIO > data->d_size ? UINT64_MAX : size;
	}
	return mapped ? 0 : shdr->sh_size;
}

/* The table of section names is short, and libelf makes sure that each ends. */
static int check_sections(Elf *elf, bool mapped)
{
	uint64_t cost = 0;
	bool have_info = false;
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return -ENOENT;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *name;
		uint64_t one;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (!name ||
		    (strncmp(name, ".debug_", 7) != 0 && strncmp(name, ".zdebug_", 8) != 0))
			continue;
		have_info |= strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0;
		one = section_cost(scn, &shdr, mapped);
		if (one > MAX_READ || cost + one > MAX_READ)
			return -EFBIG;
		cost += one;
	}
	return have_info ? 0 : -ENOENT;
}

static int open_elf(int fd, Elf **ret)
{
	bool mapped = may_be_mapped(fd);
	Elf *elf = elf_begin(fd, mapped ? ELF_C_READ_MMAP : ELF_C_READ, NULL);
	int err = -ENOENT;

	if (elf && elf_kind(elf) == ELF_K_ELF)
		err = check_sections(elf, mapped);
	if (err) {
		elf_end(elf);
		return err;
	}
	*ret = elf;
	return 0;
}

/* libdw would open what .gnu_debugaltlink says, whatever that is; the caller has looked for it. */
static int open_alternate(struct debug_info *info, int fd)
{
	const char *name;
	const void *id;
	int err;

	if (info->alternate || dwelf_dwarf_gnu_debugaltlink(info->dwarf, &name, &id) <= 0)
		return 0;
	if (fd < 0)
		return -ESTALE;
	err = open_elf(fd, &info->alternate_elf);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	info->alternate = dwarf_begin_elf(info->alternate_elf, DWARF_C_READ, NULL);
	return info->alternate ? 0 : -EBADMSG;
}

static int begin(struct debug_info *info, int alternate)
{
	int err;

	info->dwarf = dwarf_begin_elf(info->elf, DWARF_C_READ, NULL);
	if (!info->dwarf)
		return -EBADMSG;
	err = open_alternate(info, alternate);
	if (!err && info->alternate)
		dwarf_setalt(info->dwarf, info->alternate);
	return err;
}

/* FILE.dwp (DWARF 5, 7.3.5) beside FILE or FILE.debug, where libdw 0.191 and newer look for it. */
static bool find_package(int fd)
{
	static const char ending[] = ".debug";
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n < 0 || (size_t)n + sizeof(".dwp") > sizeof(path))
		return false;
	strcpy(path + n, ".dwp");
	if (check_path(path) == 0)
		return true;
	n -= (ssize_t)sizeof(ending) - 1;
	if (n <= 0 || strncmp(path + n, ending, sizeof(ending) - 1) != 0)
		return false;
	strcpy(path + n, ".dwp");
	return check_path(path) == 0;
}

/* libdw opens the other file of a split unit by itself: only one that is of the kind that may be mapped. */
static int check_split(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = dwarf_formstring(dwarf_attr(die, DW_AT_dwo_name, &attr));
	const char *folder;
	char path[PATH_MAX];

	if (!name)
		name = dwarf_formstring(dwarf_attr(die, DW_AT_GNU_dwo_name, &attr));
	folder = dwarf_formstring(dwarf_attr(die, DW_AT_comp_dir, &attr));
	if (!name || (name[0] != '/' && (!folder || folder[0] != '/')))
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : folder,
		     name[0] == '/' ? "" : "/", name) >= (int)sizeof(path))
		return -ENOENT;
	return check_path(path);
}

/* Without it, lines are still known. */
static void find_split(struct debug_info *info, Dwarf_CU *cu, Dwarf_Die *die, Dwarf_Die *tree)
{
	int err = check_split(die);
	Dwarf_Die sub;

	if ((!err || (err == -ENOENT && info->package)) &&
	    dwarf_cu_info(cu, NULL, NULL, NULL, &sub, NULL, NULL, NULL) == 0 && sub.addr)
		*tree = sub;
	else
		info->losses[err == -ENOENT && info->package ? LOSS_PACKAGE : LOSS_SPLIT]++;
}

static int add_unit(struct debug_info *info, Dwarf_CU *cu, uint8_t type, Dwarf_Die *die)
{
	struct debug_unit unit = {.die = *die,
				  .tree = *die,
				  .losses = info->losses,
				  .scopes = {.losses = info->losses}};

	if (type != DW_UT_compile && type != DW_UT_skeleton)
		return 0;
	if (grow((void **)&info->units, &info->units_size, info->n_units, sizeof(unit)))
		return -ENOMEM;
	if (type == DW_UT_skeleton)
		find_split(info, cu, die, &unit.tree);
	info->units[info->n_units] = unit;
	return debug_add_ranges(die, 0, (uint32_t)info->n_units++, &info->unit_map, info->losses);
}

static int list_units(struct debug_info *info)
{
	Dwarf_CU *cu = NULL, *next;
	Dwarf_Die die;
	uint8_t type;
	int err = 0;

	while (!err && dwarf_get_units(info->dwarf, cu, &next, NULL, &type, &die, NULL) == 0) {
		if (info->n_units == MAX_UNITS) {
			info->losses[LOSS_RANGES]++;
			break;
		}
		cu = next;
		err = add_unit(info, cu, type, &die);
	}
	return err ? err : range_map_finish(&info->unit_map);
}

void debug_info_forget(struct debug_info *info)
{
	for (size_t i = 0; i < info->n_units; i++)
		debug_unit_free(&info->units[i]);
	free(info->units);
	range_map_free(&info->unit_map);
	if (info->dwarf)
		dwarf_end(info->dwarf);
	info->units = NULL;
	info->dwarf = NULL;
	info->n_units = info->units_size = info->decoded = 0;
}

int debug_info_open(int fd, int alternate, uint32_t *losses, struct debug_info **ret)
{
	struct debug_info *info = calloc(1, sizeof(*info));
	int err;

	if (!info)
		return -ENOMEM;
	elf_version(EV_CURRENT);
	info->losses = losses;
	info->package = find_package(fd);
	err = open_elf(fd, &info->elf);
	if (!err)
		err = begin(info, alternate);
	if (!err)
		err = list_units(info);
	/* of data alone */
	if (!err && info->unit_map.n_steps == 0)
		err = -ENOENT;
	if (err) {
		debug_info_close(info);
		return err;
	}
	*ret = info;
	return 0;
}

void debug_info_close(struct debug_info *info)
{
	if (!info)
		return;
	debug_info_forget(info);
	if (info->alternate)
		dwarf_end(info->alternate);
	elf_end(info->alternate_elf);
	elf_end(info->elf);
	free(info);
}

int debug_info_find(struct debug_info *info, uint64_t vaddr, struct debug_frames *ret)
{
	struct debug_unit *unit;
	size_t before;
	uint32_t number;
	int err = 0;

	if (!info->dwarf) {
		err = begin(info, -1);
		if (!err)
			err = list_units(info);
		if (err) {
			debug_info_forget(info);
			return err;
		}
	}
	if (!range_map_find(&info->unit_map, vaddr, &number))
		return -ENOENT;
	unit = &info->units[number];
	before = unit->bytes;
	err = debug_unit_find(unit, vaddr, ret);
	info->decoded += unit->bytes - before;
	return err;
}

size_t debug_info_bytes(const struct debug_info *info)
{
	return info->decoded + info->units_size * sizeof(*info->units) +
	       range_map_bytes(&info->unit_map);
}
