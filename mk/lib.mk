# SPDX-License-Identifier: BSD-2-Clause
# src/*/*.c -> libdwunw.a and libdwunw.so. The shared one has the public functions only (src/libdwunw.map), which
# need no symbols: src/symbolize stays out.

LIB := $(B)/libdwunw.a
LIB_SRC := $(filter-out %.bpf.c,$(wildcard src/*/*.c src/arch/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)

VERSION := 0.1
SO_MAJOR := 0
SO := $(B)/libdwunw.so.$(VERSION)
SO_OBJ := $(filter-out $(B)/src/symbolize/%,$(LIB_OBJ))

lib: $(LIB) $(SO)

$(B)/src/%.o: src/%.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fvisibility=hidden -c -o $@ $<

# The list of objects, so that a source that is gone leaves the archive too.
$(eval $(call stamp,$(LIB).list,$(LIB_OBJ)))

$(LIB): $(LIB_OBJ) $(LIB).list
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(SO): $(SO_OBJ) src/libdwunw.map $(LIB).list
	$(call say,LINK)
	$(Q)$(CC) -shared $(ALL_LDFLAGS) -Wl,-soname,libdwunw.so.$(SO_MAJOR) \
		-Wl,--version-script=src/libdwunw.map $(if $(SAN),,-Wl$(,)-z$(,)defs) -o $@ $(SO_OBJ) \
		$(LIBBPF_LDLIBS) -lelf -lz
