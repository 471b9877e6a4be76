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

bench-build: $(BENCH_DIR)/floor_user
