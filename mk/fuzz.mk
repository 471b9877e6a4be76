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

$(FUZZ_REPLAY): $(B)/fuzz/%: fuzz/%_fuzz.c $(B)/fuzz/driver.o $(LIB) $(FLAGS_STAMP)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(B)/fuzz/driver.o $(LIB) $(LDLIBS_ALL)

F := build/$(ARCH)-fuzz
FUZZ_LIB := $(F)/libdwunw.a
FUZZ_OBJ := $(LIB_SRC:%.c=$(F)/%.o)
FUZZERS := $(FUZZ_NAMES:%=$(F)/%)
FUZZ_SANITIZE := address,undefined
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all $(INCLUDES) \
	$(LIBBPF_CFLAGS) -MMD -MP

$(F)/src/%.o: src/%.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,FUZZ)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -c -o $@ $<

$(FUZZ_LIB): $(FUZZ_OBJ)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZERS): $(F)/%: fuzz/%_fuzz.c $(FUZZ_LIB) $(FLAGS_STAMP)
	$(call say,FUZZ)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MF $@.d -fsanitize=fuzzer,$(FUZZ_SANITIZE) $(LDFLAGS) -pthread -Wl,--as-needed \
		-o $@ $< $(FUZZ_LIB) $(LDLIBS_ALL)

fuzzers: $(FUZZERS)
fuzz: fuzzers
	BUILD=$(F) fuzz/run $(TIME)
.PHONY: fuzz fuzzers

-include $(shell find $(F) -name '*.d' 2>/dev/null)
