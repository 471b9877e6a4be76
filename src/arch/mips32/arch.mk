# SPDX-License-Identifier: BSD-2-Clause
# libbpf's word for the architecture, and the folder in /usr/include where Debian keeps its asm/*.h: the compiler
# knows which byte order it writes.
BPF_TARGET_ARCH := mips
MULTIARCH = $(shell $(CC) -print-multiarch)
