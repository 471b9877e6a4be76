/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/arch.h"

extern const struct arch arch_x86_64, arch_aarch64, arch_riscv64, arch_mips32, arch_mips32el;

static const struct arch *const archs[] = {
	&arch_x86_64, &arch_aarch64, &arch_riscv64, &arch_mips32, &arch_mips32el,
};

const struct arch *arch_find(uint16_t machine, uint8_t elf_class, uint8_t elf_data)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		const struct arch *arch = archs[i];

		if (arch->machine == machine && arch->elf_class == elf_class &&
		    arch->elf_data == elf_data)
			return arch;
	}
	return NULL;
}

const struct arch *arch_native(void)
{
#if defined(__x86_64__)
	return &arch_x86_64;
#elif defined(__aarch64__) && defined(__LP64__) && defined(__AARCH64EL__)
	return &arch_aarch64;
#elif defined(__riscv) && __riscv_xlen == 64
	return &arch_riscv64;
#elif defined(__mips__) && defined(_ABIO32) && defined(__MIPSEB__)
	return &arch_mips32;
#elif defined(__mips__) && defined(_ABIO32)
	return &arch_mips32el;
#else
#error "no src/arch/NAME for this machine: see arch.h"
#endif
}

int arch_dense(const struct arch *arch, uint64_t reg)
{
	return reg < arch->n_dense ? arch->dense[reg] : -1;
}
