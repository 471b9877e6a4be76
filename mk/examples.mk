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

# All of memleak but main(): what unit tests link.
LIBMEMLEAK := $(MEMLEAK)/libmemleak.a
MEMLEAK_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out %_user.c,$(filter examples/memleak_bcc_dwunw/%,$(EXAMPLE_SRC))))
$(eval $(call stamp,$(LIBMEMLEAK).list,$(MEMLEAK_OBJ)))
$(LIBMEMLEAK): $(MEMLEAK_OBJ) $(LIBMEMLEAK).list
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $(MEMLEAK_OBJ)

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
