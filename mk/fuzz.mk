# SPDX-License-Identifier: BSD-2-Clause
# fuzz/NAME_fuzz.c -> a program that replays fuzz/corpus/NAME (make tests), and one that invents inputs (make fuzz), which needs clang
# and its compiler-rt. TIME: seconds for each target.

TIME ?= 60
FUZZ_NAMES := $(patsubst fuzz/%_fuzz.c,%,$(wildcard fuzz/*_fuzz.c))
FUZZ_REPLAY := $(FUZZ_NAMES:%=$(B)/fuzz/%)

tests: $(FUZZ_REPLAY)

$(B)/fuzz/driver.o: fuzz/driver.c $(FLAGS_STAMP)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(FUZZ_REPLAY): $(B)/fuzz/%: fuzz/%_fuzz.c $(B)/fuzz/driver.o $(LIBMEMLEAK) $(LIB) $(FLAGS_STAMP)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -I$(FUZZ_MEMLEAK) -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(B)/fuzz/driver.o $(LIBMEMLEAK) $(LIB) \
		$(MEMLEAK_LDLIBS) $(LDLIBS_ALL)

# The library, and what memleak's files are read and written with.
F := build/$(ARCH)-fuzz
FUZZ_LIB := $(F)/libdwunw.a
FUZZ_MEMLEAK := examples/memleak_bcc_dwunw
FUZZ_MEMLEAK_SRC := $(wildcard $(FUZZ_MEMLEAK)/output/*.c) \
	$(patsubst %,$(FUZZ_MEMLEAK)/%.c,estimate growth message names report_groups sort)
FUZZ_PROTOCOLS := $(patsubst %.proto,%.pb-c,$(filter $(FUZZ_MEMLEAK)/%,$(PROTOCOLS)))
FUZZ_OBJ := $(LIB_SRC:%.c=$(F)/%.o) $(FUZZ_MEMLEAK_SRC:%.c=$(F)/%.o) $(FUZZ_PROTOCOLS:%=$(F)/%.o)
FUZZERS := $(FUZZ_NAMES:%=$(F)/%)
FUZZ_SANITIZE := address,undefined
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all $(INCLUDES) \
	$(LIBBPF_CFLAGS) -MMD -MP

$(F)/src/%.o: src/%.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,FUZZ)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -c -o $@ $<

$(F)/examples/%.o: examples/%.c $(FLAGS_STAMP) | $(FUZZ_PROTOCOLS:%=$(B)/%.h)
	$(call say,FUZZ)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -I$(FUZZ_MEMLEAK) -I$(B)/$(FUZZ_MEMLEAK) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -c -o $@ $<
$(FUZZ_PROTOCOLS:%=$(F)/%.o): $(F)/%.o: $(B)/%.c $(FLAGS_STAMP)
	$(call say,FUZZ)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -I$(<D) -c -o $@ $<

$(FUZZ_LIB): $(FUZZ_OBJ)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZERS): $(F)/%: fuzz/%_fuzz.c $(FUZZ_LIB) $(FLAGS_STAMP)
	$(call say,FUZZ)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -I$(FUZZ_MEMLEAK) -MF $@.d -fsanitize=fuzzer,$(FUZZ_SANITIZE) $(LDFLAGS) -pthread -Wl,--as-needed \
		-o $@ $< $(FUZZ_LIB) $(MEMLEAK_LDLIBS) $(LDLIBS_ALL)

fuzzers: $(FUZZERS)
fuzz: fuzzers
	BUILD=$(F) fuzz/run $(TIME)
.PHONY: fuzz fuzzers

-include $(shell find $(F) -name '*.d' 2>/dev/null)
