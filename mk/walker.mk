# SPDX-License-Identifier: BSD-2-Clause
# tests/walker: the kernel's walker as a user program, with the parts of the library that it is compared with. Always under
# sanitizers, whatever SAN says.

W := $(B)/tests/walker
WALKER := $(W)/walker_test
WALKER_SRC := $(filter-out src/bpf/%,$(filter-out src/symbolize/%,$(LIB_SRC))) src/bpf/space.c src/bpf/past.c src/bpf/linker.c src/bpf/permanent.c src/bpf/shown.c src/bpf/traced.c \
	$(wildcard tests/walker/*.c)
WALKER_OBJ := $(WALKER_SRC:%.c=$(W)/%.o)
WALKER_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
WALKER_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O1 -g -fno-omit-frame-pointer $(WALKER_SANITIZE)

tests: $(WALKER)

# The BPF side sees stand-ins for libbpf's headers.
$(W)/tests/walker/walker.o: WALKER_FIRST := -Itests/walker/shim -Wno-unused-parameter -D__TARGET_ARCH_$(BPF_TARGET_ARCH)

$(W)/%.o: %.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,WALKER)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WALKER_CFLAGS) $(WALKER_FIRST) $(INCLUDES) $(LIBBPF_CFLAGS) -MMD -MP -c -o $@ $<

$(WALKER): $(WALKER_OBJ)
	$(call say,TEST)
	$(Q)$(CC) $(WALKER_SANITIZE) $(LDFLAGS) -pthread -Wl,--as-needed -o $@ $^ -lelf -lz
