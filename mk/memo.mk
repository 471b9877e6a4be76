# SPDX-License-Identifier: BSD-2-Clause
# tests/memo: the stack memo against plain walks, in the kernel (tests/e2e/memo.sh).

MEMO := $(B)/tests/memo

tests: $(MEMO)/memo

$(MEMO)/memo.bpf.o: tests/memo/memo.bpf.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,BPF)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(MEMO)/memo.skel.h: $(MEMO)/memo.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< > $@

$(MEMO)/memo: tests/memo/memo.c $(MEMO)/memo.skel.h $(LIB) $(FLAGS_STAMP)
	$(call say,TEST)
	$(Q)$(CC) $(ALL_CFLAGS) -I$(MEMO) -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LDLIBS_ALL)

# The long form of tests/e2e/memo.sh: 10 million events and more. It takes about five minutes.
.PHONY: memo-soak
memo-soak: examples $(PROGRAMS) $(MEMO)/memo
	BUILD=$(B) MEMO_CALLS=8000000 bash tests/e2e/memo.sh
