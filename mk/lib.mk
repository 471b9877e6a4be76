# SPDX-License-Identifier: BSD-2-Clause
# src/*/*.c -> libdwunw.a

LIB := $(B)/libdwunw.a
LIB_SRC := $(filter-out %.bpf.c,$(wildcard src/*/*.c src/arch/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)

lib: $(LIB)

$(B)/src/%.o: src/%.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fvisibility=hidden -c -o $@ $<

# The list of objects, so that a source that is gone leaves the archive too.
$(eval $(call stamp,$(LIB).list,$(LIB_OBJ)))

$(LIB): $(LIB_OBJ) $(LIB).list
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)
