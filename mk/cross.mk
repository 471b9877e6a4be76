# SPDX-License-Identifier: BSD-2-Clause
# make test-arch: for each architecture, arch, cfi, table, unwind and step compiled by Debian's cross compiler (all but what needs
# libelf), and their tests run by qemu-user; the BPF side compiled; parity of foreign C libraries. Needs scripts/install-deps arch.

CROSS_TARGETS := aarch64 riscv64 mips mipsel
CROSS_FOLDER_mips := mips32
CROSS_FOLDER_mipsel := mips32
# Return addresses are signed in one test only.
CROSS_LIVE_aarch64 := live_signed_test
CROSS_BPF := aarch64 riscv64

CROSS_SRC := $(wildcard src/arch/*.c src/arch/*/*.c src/table/*.c) $(filter-out %_open.c,$(wildcard src/cfi/*.c)) \
	$(addprefix src/unwind/,unwind.c frame_rule.c table_view.c resolve.c sigreturn.c stop_reason.c stop_thread.c)
CROSS_UNIT := arch_fixture_test arch_step_test expression_test ra_mask_test rule_test

# dwarf.h is the one header of the build machine that is needed; it is the same for all.
CROSS_INCLUDE := build/cross/include
$(CROSS_INCLUDE)/dwarf.h: /usr/include/dwarf.h
	@mkdir -p $(@D)
	$(Q)cp $< $@

# $(call cross_rules,TARGET)
define cross_rules
CROSS_$(1) := build/cross/$(1)
CROSS_CC_$(1) := $(1)-linux-gnu-gcc -std=gnu11 -D_GNU_SOURCE $$(WARNINGS) -O2 -g -fasynchronous-unwind-tables -Isrc -Iinclude \
	-Isrc/arch/$$(or $$(CROSS_FOLDER_$(1)),$(1)) -idirafter $$(CROSS_INCLUDE) -MMD -MP
CROSS_OBJ_$(1) := $$(CROSS_SRC:%.c=$$(CROSS_$(1))/%.o)
CROSS_LIB_$(1) := $$(CROSS_$(1))/libdwunw.a
CROSS_TESTS_$(1) := $$(addprefix $$(CROSS_$(1))/,$$(CROSS_UNIT) live_test $$(CROSS_LIVE_$(1)))

$$(CROSS_$(1))/src/%.o: src/%.c $$(CROSS_INCLUDE)/dwarf.h
	$$(call say,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CROSS_CC_$(1)) -c -o $$@ $$<

$$(CROSS_LIB_$(1)): $$(CROSS_OBJ_$(1))
	$$(call say,AR)
	$$(Q)rm -f $$@ && $(1)-linux-gnu-ar rcs $$@ $$^

$$(CROSS_$(1))/%_test: tests/unit/%_test.c $$(CROSS_LIB_$(1))
	$$(call say,TEST)
	$$(Q)$$(CROSS_CC_$(1)) -MF $$@.d -o $$@ $$< $$(CROSS_LIB_$(1))

$$(CROSS_$(1))/live_test: tests/arch/live_test.c $$(CROSS_LIB_$(1))
	$$(call say,TEST)
	$$(Q)$$(CROSS_CC_$(1)) -MF $$@.d -o $$@ $$< $$(CROSS_LIB_$(1))

$$(CROSS_$(1))/live_signed_test: tests/arch/live_test.c $$(CROSS_LIB_$(1))
	$$(call say,TEST)
	$$(Q)$$(CROSS_CC_$(1)) -mbranch-protection=pac-ret+leaf -MF $$@.d -o $$@ $$< $$(CROSS_LIB_$(1))

cross-$(1): $$(CROSS_TESTS_$(1))
.PHONY: cross-$(1)
endef
$(foreach target,$(CROSS_TARGETS),$(eval $(call cross_rules,$(target))))

# The BPF side has no hardware here: that it compiles is all that is tested.
CROSS_BPF_OBJ := $(foreach target,$(CROSS_BPF),$(patsubst %.bpf.c,build/cross/$(target)/%.bpf.o,$(wildcard examples/*/*.bpf.c)))
CROSS_BPF_ARCH_aarch64 := arm64
CROSS_BPF_ARCH_riscv64 := riscv
define cross_bpf_rules
build/cross/$(1)/examples/%.bpf.o: examples/%.bpf.c $$(FLAGS_STAMP) | $$(LIBBPF_OK)
	$$(call say,BPF)
	@mkdir -p $$(@D)
	$$(Q)$$(CLANG) -target bpf -mcpu=v3 -O2 -g $$(WARNINGS) -Wno-unused-parameter -D__TARGET_ARCH_$$(CROSS_BPF_ARCH_$(1)) \
		-Iinclude -Isrc/arch/$(1) -Isrc/bpf $$(LIBBPF_CFLAGS) -idirafter /usr/$(1)-linux-gnu/include -MMD -MP -c -o $$@ $$<
endef
$(foreach target,$(CROSS_BPF),$(eval $(call cross_bpf_rules,$(target))))

test-arch:
	scripts/install-deps arch
	$(MAKE) tools $(PARITY) $(addprefix cross-,$(CROSS_TARGETS)) $(CROSS_BPF_OBJ)
	BUILD=$(B) tests/arch/run $(CROSS_TARGETS)
.PHONY: test-arch

-include $(shell find build/cross -name '*.d' 2>/dev/null)
