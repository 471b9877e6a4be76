# SPDX-License-Identifier: BSD-2-Clause
# libbpf's word for the architecture, and the folder in /usr/include where Debian keeps its asm/*.h
BPF_TARGET_ARCH := riscv
MULTIARCH := riscv64-linux-gnu
