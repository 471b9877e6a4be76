/* SPDX-License-Identifier: BSD-2-Clause */
#include "allocator_functions.h"

const struct allocator_function allocator_functions[] = {
	{"malloc", MEMLEAK_MALLOC, 1, 0},
	{"calloc", MEMLEAK_CALLOC, 2, 0},
	{"realloc", MEMLEAK_REALLOC, 2, 0},
	{"reallocarray", MEMLEAK_REALLOCARRAY, 3, 0},
	{"posix_memalign", MEMLEAK_POSIX_MEMALIGN, 3, 0},
	{"memalign", MEMLEAK_MEMALIGN, 2, 0},
	{"aligned_alloc", MEMLEAK_MEMALIGN, 2, 0},
	{"valloc", MEMLEAK_MALLOC, 1, 0},
	{"pvalloc", MEMLEAK_MALLOC, 1, 0},
	{"free", MEMLEAK_FREE, 1, 0},
	{"strdup", MEMLEAK_STRDUP, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_NOT_LIBC},
	{"strndup", MEMLEAK_STRNDUP, 2, ALLOCATOR_OPTIONAL | ALLOCATOR_NOT_LIBC},
	/* C23, 7.24.3 */
	{"free_sized", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL},
	{"free_aligned_sized", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL},
	/* jemalloc(3): the last arguments are flags */
	{"mallocx", MEMLEAK_MALLOC, 1, ALLOCATOR_OPTIONAL},
	{"rallocx", MEMLEAK_REALLOC, 2, ALLOCATOR_OPTIONAL},
	{"dallocx", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL},
	{"sdallocx", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL},
	/* of mimalloc's own interface what allocators of Rust programs use */
	{"mi_zalloc", MEMLEAK_MALLOC, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"mi_malloc_aligned", MEMLEAK_MALLOC, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"mi_zalloc_aligned", MEMLEAK_MALLOC, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"mi_realloc_aligned", MEMLEAK_REALLOC, 2, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	/* of a C library: mmap(2), mremap(2), munmap(2) */
	{"mmap", MEMLEAK_MMAP, 4, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"mmap64", MEMLEAK_MMAP, 4, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"mremap", MEMLEAK_MREMAP, 4, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"munmap", MEMLEAK_MUNMAP, 2, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	/* operator new and delete, of allocators that have their own; names: Itanium C++ ABI, 5.1, size_t being unsigned long */
	{"_Znwm", MEMLEAK_NEW, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_Znam", MEMLEAK_NEW, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZnwmRKSt9nothrow_t", MEMLEAK_NEW, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZnamRKSt9nothrow_t", MEMLEAK_NEW, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZnwmSt11align_val_t", MEMLEAK_NEW, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZnamSt11align_val_t", MEMLEAK_NEW, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZnwmSt11align_val_tRKSt9nothrow_t", MEMLEAK_NEW, 1,
	 ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZnamSt11align_val_tRKSt9nothrow_t", MEMLEAK_NEW, 1,
	 ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdlPv", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdaPv", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdlPvm", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdaPvm", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdlPvRKSt9nothrow_t", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdaPvRKSt9nothrow_t", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdlPvSt11align_val_t", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdaPvSt11align_val_t", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdlPvSt11align_val_tRKSt9nothrow_t", MEMLEAK_FREE, 1,
	 ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdaPvSt11align_val_tRKSt9nothrow_t", MEMLEAK_FREE, 1,
	 ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdlPvmSt11align_val_t", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	{"_ZdaPvmSt11align_val_t", MEMLEAK_FREE, 1, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
	/* Itanium C++ ABI: Exception Handling, 1.3 */
	{"_Unwind_RaiseException", MEMLEAK_THROW, 0, ALLOCATOR_OPTIONAL | ALLOCATOR_PLAIN},
};

const size_t allocator_n_functions = sizeof(allocator_functions) / sizeof(allocator_functions[0]);

const char *const allocator_prefixes[] = {"", "je_", "_rjem_", "tc_", "mi_", NULL};
