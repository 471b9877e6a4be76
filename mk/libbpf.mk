# SPDX-License-Identifier: BSD-2-Clause
# Which libbpf: the system's, or a source tree that `make libbpf` has put into build/libbpf.

# Only the static library: the programs then run without build/libbpf.
libbpf:
	@test -f "$(LIBBPF_SRC)/src/libbpf.c" || { \
		echo "make libbpf: LIBBPF_SRC must name a libbpf source tree (with src/libbpf.c)" >&2; exit 2; }
	$(MAKE) -C $(LIBBPF_SRC)/src BUILD_STATIC_ONLY=1 CC=$(CC) AR=$(AR) OBJDIR=$(CURDIR)/build/libbpf/obj \
		DESTDIR=$(CURDIR)/build/libbpf PREFIX=/usr LIBSUBDIR=lib64 install

# The one place that asks for libbpf's version. uprobe_multi came with 1.3.
LIBBPF_OK := $(B)/.libbpf-version
define libbpf_test
#include <bpf/libbpf_version.h>
#if LIBBPF_MAJOR_VERSION < 1 || (LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION < 3)
#error libbpf 1.3 or newer is needed: run scripts/install-deps as root, or make libbpf LIBBPF_SRC=DIR
#endif
endef
export libbpf_test
$(LIBBPF_OK): $(FLAGS_STAMP)
	$(Q)printf '%s\n' "$$libbpf_test" | $(CC) $(LIBBPF_CFLAGS) -fsyntax-only -xc - || { \
		echo "libbpf's headers, 1.3 or newer, are needed: run scripts/install-deps as root" >&2; exit 1; }
	$(Q)touch $@
