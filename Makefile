# SPDX-License-Identifier: BSD-2-Clause
#
# make            library, examples and tools, into build/$(ARCH)/
# make test       installs what is missing (as root), builds, runs every test
# make test-arch  the parts that know an architecture, for aarch64, riscv64 and mips, in an emulator
# make test-parity  the CFI rows of every ELF file of this system against readelf's
# make test-names  names, inlined functions and lines against llvm-symbolizer's, and the time that both take
# make test-oracle  stacks of stepped programs, compared with the true ones at every instruction
# make test-formats  what `go tool pprof` and speedscope read of the files of --output
# make test-vm    end-to-end tests under kernels from 5.10 to 6.12, in an emulator; KERNELS="6.1 6.12": only those
# make test-page  the pages of --output FILE.html in headless Chromium
# make test-newer  reports, and where probes go, with the C library and the allocators of Debian 13
# make memo-soak   stacks that a memo knows against plain walks, over 10 million events
# make soak MINUTES=20  exact totals and flat memory, under the load of sixteen threads
# make demo       installs what is missing (as root), builds, shows the leak report of a small program
# make check      what needs no running: formatting, scripts, licence lines, README pair
# make fuzz TIME=60   every fuzz target for that many seconds; their inputs so far are part of make test
# make bench      ns per malloc/free pair, with and without the tool
# make bench-unwind  ns per frame and the first stack, against libdwfl and, where it is there, libunwind
# make bench-scale  the same among many stacks, blocks, mappings, threads and processes, and memory per each
# make bench-programs  redis, Python and a compiler with and without the tool
# make bpf-size   what the verifier looks at, of each BPF program, against tests/bpf_size/baseline; UPDATE=1 rewrites that
# make setcap     gives memleak_dwunw_user the capabilities to be run by other users than root
# make install    library, headers, tools, man pages under $(DESTDIR)$(PREFIX)
# make libbpf LIBBPF_SRC=DIR   a libbpf source tree, into build/libbpf, to be used instead of the system's
#
# Variables: ARCH CC CROSS_COMPILE CLANG BPFTOOL PROTOC_C CFLAGS LDFLAGS LIBBPF_CFLAGS LIBBPF_LDLIBS PREFIX DESTDIR
#            V=1 (show commands)  SAN=address,undefined (own build folder)  WERROR= (warnings are not errors)

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

.PHONY: all lib examples tools tests test check bench install demo demo-build libbpf clean
all: lib examples tools

include mk/config.mk
include mk/libbpf.mk
include mk/lib.mk
include mk/bpf.mk
include mk/examples.mk
include mk/tests.mk
include mk/walker.mk
include mk/memo.mk
include mk/fuzz.mk
include mk/bench.mk
include mk/install.mk

# A sub-make, because packages that were just installed change what mk/config.mk finds.
test:
	scripts/install-deps test
	$(MAKE) all tests bench-build
	BUILD=$(B) tests/run

demo:
	scripts/install-deps
	$(MAKE) demo-build
	BUILD=$(B) scripts/demo

check:
	scripts/check

clean:
	rm -rf build

# What each object was made from, as the compilers wrote it.
-include $(shell find $(B) -name '*.d' 2>/dev/null)
