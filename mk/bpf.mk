# SPDX-License-Identifier: BSD-2-Clause
# X.bpf.c -> X.bpf.o -> X.skel.h. The kernel's types come from src/bpf/vmlinux.h, so that no kernel BTF is needed to build.

# -g: BTF, which CO-RE needs. v3: 32-bit arithmetic and jumps, kernel 5.1 and newer. Parameters of programs and of
# callbacks are the kernel's choice, needed or not.
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 -g $(WARNINGS) -Wno-unused-parameter -D__TARGET_ARCH_$(BPF_TARGET_ARCH) -Iinclude \
	-Isrc/arch/$(ARCH) -Isrc/bpf $(LIBBPF_CFLAGS) -idirafter /usr/include/$(MULTIARCH) -MMD -MP

$(B)/examples/%.bpf.o: examples/%.bpf.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,BPF)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(B)/examples/%.skel.h: $(B)/examples/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< > $@
