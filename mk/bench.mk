# SPDX-License-Identifier: BSD-2-Clause
# bench/floor: empty programs at the places of memleak's probes. The target, bench/pairs, is built as tests' targets are.

BENCH_DIR := $(B)/bench

$(BENCH_DIR)/floor.bpf.o: bench/floor.bpf.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,BPF)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BENCH_DIR)/floor.skel.h: $(BENCH_DIR)/floor.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< > $@

$(BENCH_DIR)/floor_user: bench/floor_user.c $(BENCH_DIR)/floor.skel.h $(LIBMEMLEAK) $(LIB) $(FLAGS_STAMP)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CFLAGS) -Iexamples/memleak_bcc_dwunw -I$(BENCH_DIR) -MF $@.d $(ALL_LDFLAGS) -o $@ $< \
		$(LIBMEMLEAK) $(LIB) $(LDLIBS_ALL)

# What bench/many calls through.
$(BENCH_DIR)/%_lib.so: bench/%_lib.c $(FLAGS_STAMP)
	$(call say,TARGET)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(TARGET_FLAGS) -MF $@.d -fPIC -shared -Wl$(,)--build-id -o $@ $<

bench-build: $(BENCH_DIR)/floor_user $(BENCH_DIR)/hop_lib.so

# bench/unwind: against other unwinders. libunwind is compared where it is there (scripts/install-deps bench).
UNWIND_DIR := $(BENCH_DIR)/unwind
UNWIND_SRC := $(addprefix bench/unwind/,unwind.c snapshot.c by_dwunw.c by_libdwfl.c)
LIBUNWIND := $(shell pkg-config --exists libunwind libunwind-generic libunwind-ptrace 2>/dev/null && echo yes)
ifeq ($(LIBUNWIND),yes)
UNWIND_SRC += bench/unwind/by_libunwind.c
UNWIND_CFLAGS := -DHAVE_LIBUNWIND
UNWIND_LDLIBS := -lunwind-ptrace -lunwind-generic -lunwind
TARGET_LDLIBS := -lunwind
endif

$(UNWIND_DIR)/unwind: $(UNWIND_SRC) $(wildcard bench/unwind/*.h) $(LIB) $(FLAGS_STAMP) mk/bench.mk
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(UNWIND_CFLAGS) -Ibench/unwind $(ALL_LDFLAGS) -o $@ \
		$(UNWIND_SRC) $(LIB) $(LDLIBS_ALL) $(UNWIND_LDLIBS)

$(UNWIND_DIR)/target: bench/unwind/target.c bench/unwind/self.c $(wildcard bench/unwind/*.h) $(LIB) $(FLAGS_STAMP) mk/bench.mk
	$(call say,TARGET)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(filter-out -MMD -MP,$(TARGET_FLAGS)) $(UNWIND_CFLAGS) -o $@ \
		-Iinclude $(filter bench/unwind/%.c,$^) $(LIB) $(LDLIBS_ALL) -ldl $(TARGET_LDLIBS)

.PHONY: bench-unwind
bench-unwind: $(UNWIND_DIR)/unwind $(UNWIND_DIR)/target
	$(UNWIND_DIR)/unwind

# How long a report over a million blocks takes, and what the traced process feels of it.
.PHONY: bench-report bench-scale bench-programs
bench-report: examples $(BENCH_DIR)/outstanding
	BUILD=$(B) bench/report

# What an event costs among many stacks, blocks, mappings, threads and processes; some ten minutes.
bench-scale: examples bench-build
	BUILD=$(B) bench/scale

# Real programs with and without the tool.
bench-programs: examples bench-build
	BUILD=$(B) bench/programs
