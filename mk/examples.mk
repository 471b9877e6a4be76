# SPDX-License-Identifier: BSD-2-Clause
# examples/NAME/*.bpf.c -> skeletons; examples/NAME/*_user.c -> programs; tools/dwunw/*.c -> the dwunw command.

EX := $(B)/examples
MEMLEAK := $(EX)/memleak_bcc_dwunw
EXAMPLE_SRC := $(filter-out %.bpf.c,$(wildcard examples/*/*.c examples/*/*/*.c))
EXAMPLE_PROGRAMS := $(patsubst %.c,$(B)/%,$(filter %_user.c,$(EXAMPLE_SRC)))
SKELETONS := $(patsubst %.bpf.c,$(B)/%.skel.h,$(wildcard examples/*/*.bpf.c))

# examples/NAME, of a file there or in a folder below it.
example_dir = examples/$(word 2,$(subst /, ,$1))

examples: lib $(EXAMPLE_PROGRAMS) $(SKELETONS)

$(B)/examples/%.o: examples/%.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -I$(call example_dir,$<) -I$(B)/$(call example_dir,$<) -c -o $@ $<

# Skeletons are made before the sources that include them are compiled for the first time; from then on
# the .d files know.
$(foreach s,$(shell grep -ls 'skel\.h"' $(EXAMPLE_SRC)),$(eval \
	$(B)/$(s:.c=.o): | $(filter $(B)/$(dir $(s))%,$(SKELETONS))))

# examples/*/*/NAME.proto -> NAME.pb-c.c and .h, through protobuf-c's compiler.
PROTOC_C ?= protoc-c
PROTOCOLS := $(wildcard examples/*/*/*.proto)
PROTOCOL_OBJ := $(PROTOCOLS:%.proto=$(B)/%.pb-c.o)
$(B)/examples/%.pb-c.c $(B)/examples/%.pb-c.h &: examples/%.proto
	$(call say,PROTO)
	@mkdir -p $(@D)
	$(Q)$(PROTOC_C) -I$(<D) --c_out=$(B)/$(<D) $<
$(PROTOCOL_OBJ): %.o: %.c $(FLAGS_STAMP)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -I$(@D) -c -o $@ $<
# Made before the sources beside them are compiled for the first time.
$(foreach p,$(PROTOCOLS),$(eval \
	$(patsubst %.c,$(B)/%.o,$(wildcard $(dir $(p))*.c)): | $(p:%.proto=$(B)/%.pb-c.h)))

# .incbin is nothing that a compiler writes into a .d file.
$(MEMLEAK)/output/html_parts.o: $(wildcard examples/memleak_bcc_dwunw/output/page/*)

# All of memleak but main(): what unit tests link.
LIBMEMLEAK := $(MEMLEAK)/libmemleak.a
MEMLEAK_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out %_user.c,$(filter examples/memleak_bcc_dwunw/%,$(EXAMPLE_SRC)))) \
	$(filter $(MEMLEAK)/%,$(PROTOCOL_OBJ))
MEMLEAK_LDLIBS := -ljansson -lprotobuf-c
$(eval $(call stamp,$(LIBMEMLEAK).list,$(MEMLEAK_OBJ)))
$(LIBMEMLEAK): $(MEMLEAK_OBJ) $(LIBMEMLEAK).list
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $(MEMLEAK_OBJ)

$(MEMLEAK)/memleak_dwunw_user: private LDLIBS_ALL += $(MEMLEAK_LDLIBS)
$(MEMLEAK)/memleak_dwunw_user: $(LIBMEMLEAK)
$(EX)/%_user: $(EX)/%_user.o $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(filter %/libmemleak.a,$^) $(LIB) $(LDLIBS_ALL)

TOOL_SRC := $(wildcard tools/dwunw/*.c)
TOOL_OBJ := $(TOOL_SRC:%.c=$(B)/%.o)
TOOL := $(if $(TOOL_SRC),$(B)/tools/dwunw/dwunw)
tools: $(TOOL)
$(B)/tools/%.o: tools/%.c $(FLAGS_STAMP) | $(LIBBPF_OK)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(B)/tools/dwunw/dwunw: $(TOOL_OBJ) $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(TOOL_OBJ) $(LIB) $(LDLIBS_ALL)
