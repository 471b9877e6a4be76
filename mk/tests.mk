# SPDX-License-Identifier: BSD-2-Clause
# tests/unit/*_test.c -> one program each; tests/programs/* and bench/* -> the targets that are traced.

UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c))
PROGRAMS := $(patsubst tests/programs/%,$(B)/tests/programs/%,\
	$(patsubst %_lib.c,%_lib.so,$(wildcard tests/programs/*_lib.c)) \
	$(basename $(filter-out %_lib.c,$(wildcard tests/programs/*.c tests/programs/*.cc))))
BENCH := $(patsubst %.c,$(B)/%,$(filter-out %.bpf.c %_user.c %_lib.c,$(wildcard bench/*.c)))

# the plugins of the program storm
STORM := $(patsubst %,$(B)/tests/programs/storm_plugins/%.so,$(shell seq 1000 1199))

PARITY := $(B)/tests/parity/compare
NAMES := $(B)/tests/names/names

tests: lib examples $(UNIT_TESTS) $(PROGRAMS) $(STORM) $(PARITY) $(NAMES)
bench-build: $(BENCH)
.PHONY: bench-build

$(B)/tests/unit/%: tests/unit/%.c $(LIBMEMLEAK) $(LIB) $(FLAGS_STAMP)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Iexamples/memleak_bcc_dwunw -I$(MEMLEAK) -MF $@.d $(ALL_LDFLAGS) -o $@ $< \
		$(LIBMEMLEAK) $(LIB) $(MEMLEAK_LDLIBS) $(LDLIBS_ALL)

$(B)/tests/unit/capture_mask_test: private ALL_LDFLAGS += \
	$(addprefix -Wl$(,)--wrap=,unwind_snapshot thread_stop thread_registers thread_ra_mask thread_resume)

$(PARITY): tests/parity/compare.c tests/parity/readelf.c tests/parity/readelf.h $(FLAGS_STAMP)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -o $@ $(filter %.c,$^)

$(NAMES): tests/names/names.c $(LIB) $(FLAGS_STAMP)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LDLIBS_ALL)

# Names, inlined functions and lines against llvm-symbolizer's, and the time that both take.
.PHONY: test-names
test-names: $(NAMES)
	BUILD=$(B) tests/names/run

# What tests/page/run opens.
MAKE_PAGE := $(B)/tests/page/make_page
$(MAKE_PAGE): tests/page/make_page.c $(LIBMEMLEAK) $(LIB) $(FLAGS_STAMP)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Iexamples/memleak_bcc_dwunw -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(LIBMEMLEAK) $(LIB) $(LDLIBS_ALL)

# The .html files of --output in headless Chromium.
.PHONY: test-page
test-page:
	scripts/install-deps page
	$(MAKE) examples $(MAKE_PAGE)
	BUILD=$(B) tests/page/run

# The whole; tests/run has a fixed part.
.PHONY: test-parity
test-parity: $(PARITY) tools
	BUILD=$(B) tests/parity/run.sh

# The whole; tests/run has a fixed part.
.PHONY: test-oracle
test-oracle: tools $(PROGRAMS)
	BUILD=$(B) tests/oracle/run.sh

# What other programs read of the files of --output.
.PHONY: test-formats
test-formats:
	scripts/install-deps formats
	$(MAKE) examples $(PROGRAMS)
	BUILD=$(B) bash tests/formats/run

# The C library and the allocators of a newer distribution.
.PHONY: test-newer
test-newer: examples $(PROGRAMS) $(B)/tests/unit/gates_run_test
	BUILD=$(B) tests/newer/run

# Instructions that the verifier looks at, of each BPF program, against tests/bpf_size/baseline; UPDATE=1 writes it anew.
.PHONY: bpf-size
bpf-size: examples
	BUILD=$(B) CLANG=$(CLANG) tests/bpf_size/measure $(if $(UPDATE),--update)

# Other kernels: `make test-vm KERNELS="6.1 6.12"`, by default all that tests/vm/kernel lists.
.PHONY: test-vm
test-vm:
	scripts/install-deps vm
	$(MAKE) examples $(PROGRAMS) $(MEMO)/memo
	BUILD=$(B) tests/vm/run $(KERNELS)

# The long form of tests/e2e/soak.sh, which tests/run runs for some seconds.
MINUTES ?= 20
.PHONY: soak
soak: examples $(PROGRAMS)
	BUILD=$(B) SOAK_SECONDS=$$(($(MINUTES) * 60)) bash tests/e2e/soak.sh

# The targets are what a distribution ships: optimized, no frame pointers, no debug information, no sanitizer.
TARGET_FLAGS := -D_GNU_SOURCE $(WARNINGS) -O2 -fomit-frame-pointer -MMD -MP
# tests/e2e/modes.sh, by_fp.sh: what frame pointers lead through.
$(B)/tests/programs/modes $(B)/tests/programs/modes_lib.so $(B)/tests/programs/by_fp: TARGET_FLAGS += -fno-omit-frame-pointer
$(B)/tests/programs/modes_lib.so: TARGET_FLAGS += -fno-asynchronous-unwind-tables -fno-unwind-tables
$(B)/tests/programs/go_like: tests/programs/go_like_text.S
$(B)/tests/programs/go_like: TARGET_FLAGS += tests/programs/go_like_text.S
$(B)/tests/programs/%_lib.so: tests/programs/%_lib.c $(FLAGS_STAMP)
	$(call say,TARGET)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(TARGET_FLAGS) -MF $@.d -fPIC -shared -o $@ $<
$(STORM): $(B)/tests/programs/storm_plugins/%.so: tests/programs/storm_plugin.h $(FLAGS_STAMP)
	$(call say,TARGET)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(TARGET_FLAGS) -MF $@.d -fPIC -shared -DNUMBER=$* -DLEAK=leak_$* \
		-DTEXT='"$*"' -x c -o $@ $<
$(B)/tests/programs/%: tests/programs/%.c $(FLAGS_STAMP)
	$(call say,TARGET)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(TARGET_FLAGS) -MF $@.d -pthread -o $@ $< -ldl
$(B)/tests/programs/%: tests/programs/%.cc $(FLAGS_STAMP)
	$(call say,TARGET)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=gnu++17 $(TARGET_FLAGS) -MF $@.d -pthread -o $@ $<
$(B)/bench/%: bench/%.c $(FLAGS_STAMP)
	$(call say,TARGET)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(TARGET_FLAGS) -MF $@.d -pthread -o $@ $< -ldl

demo-build: examples $(B)/tests/programs/leaky

bench: examples bench-build
	BUILD=$(B) bench/run

include mk/cross.mk
