# SPDX-License-Identifier: BSD-2-Clause
# Library, headers, programs and manual pages under $(DESTDIR)$(PREFIX).

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INSTALL ?= install
INSTALLED_HEADERS := $(wildcard include/dwunw/*.h src/arch/$(ARCH)/dwunw_arch*.h)
MAN_PAGES := $(wildcard man/*.[1-8])

# What memleak_dwunw_user needs where it is not run as root; the README says what each is for. Not effective (=p): the program raises what it
# got, and can say what it did not get.
CAPABILITIES := cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,cap_checkpoint_restore
.PHONY: setcap
setcap: examples
	setcap $(CAPABILITIES)=p $(MEMLEAK)/memleak_dwunw_user

install: lib examples tools
	$(INSTALL) -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PREFIX)/include/dwunw $(DESTDIR)$(PREFIX)/bin
	$(INSTALL) -m 644 $(LIB) $(DESTDIR)$(LIBDIR)
	$(INSTALL) -m 755 $(SO) $(DESTDIR)$(LIBDIR)
	ln -sf $(notdir $(SO)) $(DESTDIR)$(LIBDIR)/libdwunw.so.$(SO_MAJOR)
	ln -sf libdwunw.so.$(SO_MAJOR) $(DESTDIR)$(LIBDIR)/libdwunw.so
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' src/libdwunw.pc.in \
		> $(DESTDIR)$(LIBDIR)/pkgconfig/libdwunw.pc
	$(INSTALL) -m 644 $(INSTALLED_HEADERS) $(DESTDIR)$(PREFIX)/include/dwunw
	$(INSTALL) -m 755 $(MEMLEAK)/memleak_dwunw_user $(TOOL) $(DESTDIR)$(PREFIX)/bin
	for page in $(MAN_PAGES); do \
		$(INSTALL) -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit; done
