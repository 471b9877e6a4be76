# SPDX-License-Identifier: BSD-2-Clause
# Where things go and which tools and flags make them.

ARCH ?= $(shell uname -m)
# Other spellings. mips machines of both byte orders call themselves mips.
ARCH_SPELLING_arm64 := aarch64
ARCH_SPELLING_amd64 := x86_64
ARCH_SPELLING_mips := mips32
ARCH_SPELLING_mipsel := mips32
override ARCH := $(or $(ARCH_SPELLING_$(ARCH)),$(ARCH))
SAN ?=
B := build/$(ARCH)$(if $(SAN),-san)

ifeq ($(wildcard src/arch/$(ARCH)/.),)
$(error there is no src/arch/$(ARCH): set ARCH to one of: $(patsubst src/arch/%/,%,$(wildcard src/arch/*/)))
endif
# What the build must know of the architecture: BPF_TARGET_ARCH and MULTIARCH.
include src/arch/$(ARCH)/arch.mk

ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin CXX),default)
CXX := $(CROSS_COMPILE)g++
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
CLANG ?= clang
# Ubuntu's /usr/sbin/bpftool is a wrapper that refuses to run unless the tools of the very kernel that
# runs are installed; the program itself, of any version, is in one of the first two places.
BPFTOOL ?= $(firstword $(wildcard /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool \
	/usr/sbin/bpftool) bpftool)

CFLAGS ?= -O2 -g
WERROR ?= -Werror
WARNINGS := -Wall -Wextra $(WERROR)
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)

# Harmless where build/libbpf does not exist: then the system's libbpf is found.
LIBBPF_CFLAGS ?= -I$(CURDIR)/build/libbpf/usr/include
LIBBPF_LDLIBS ?= -L$(CURDIR)/build/libbpf/usr/lib64 -lbpf -lelf -lz

# Debian has libiberty's headers in a folder of their own, Fedora has not: <demangle.h> is found in both.
INCLUDES := -Isrc -Iinclude -Isrc/arch/$(ARCH) -idirafter /usr/include/libiberty
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -fPIC $(CFLAGS) $(SANITIZE) $(INCLUDES) \
	$(LIBBPF_CFLAGS) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(SANITIZE) -pthread -Wl,--as-needed
LDLIBS_ALL = -ldw -llzma -liberty -lcapstone -lncursesw -ltinfo $(LIBBPF_LDLIBS) -lelf -lz -lm

, := ,
Q := $(if $(V),,@)
# $(call say,WORD) at the start of a recipe: one line per product, unless V=1 shows the commands.
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $@)

# A file whose time changes only when its content does: $(call stamp,FILE,CONTENT). Compared while make reads this, so
# that a make with nothing to do runs nothing.
.PHONY: FORCE
define stamp
ifneq ($$(strip $$(file <$(1))),$$(strip $(2)))
$(1): FORCE
endif
$(1):
	@: $$(shell mkdir -p $$(@D))$$(file >$(1),$(2))
endef

# Everything compiled depends on the compilers and flags it was made with, and on which libbpf.
FLAGS_STAMP := $(B)/.flags
FLAGS_NOW := $(strip $(CC) | $(CXX) | $(CLANG) | $(CFLAGS) | $(WARNINGS) | $(LIBBPF_CFLAGS) | $(LIBBPF_LDLIBS) | \
	$(LDFLAGS) | $(SAN) | $(wildcard build/libbpf/usr/lib64/libbpf.a))
$(eval $(call stamp,$(FLAGS_STAMP),$(FLAGS_NOW)))
