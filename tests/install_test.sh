#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves that what `make install` installs can be used without this repository: by a C and a C++ program through pkg-config, against the
# shared and the static library, and by a BPF program; and that the shared library exports what dwunw.h declares, no
# more and no less.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
sanitize=(${SAN:+"-fsanitize=$SAN"}) # programs that link with a library that is
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

check() {
	local what=$1
	shift
	if "$@" >"$root/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $what"
		tail -n 10 "$root/log" | sed 's/^/     /'
	fi
}

check "make install" make -s install DESTDIR="$root" PREFIX=/usr
cat >"$root/program.c" <<'END'
#include <dwunw/dwunw.h>
#include <unistd.h>
#include <stdio.h>
int main(void)
{
	struct dwunw_context *context;
	struct dwunw_bpf *bpf;
	if (dwunw_context_create(NULL, &context))
		return 1;
	dwunw_context_destroy(context);
	puts(dwunw_stop_reason_text(DWUNW_STOP_ROOT));
	return dwunw_bpf_create(NULL, NULL, &bpf) ? 0 : 2;
}
END
cp "$root/program.c" "$root/program.cc"
export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=$root/usr/lib
# shellcheck disable=SC2046 # several words
check "a C program, shared" cc -Wall -Wextra -Werror "${sanitize[@]}" -o "$root/c" "$root/program.c" \
	$(pkg-config --cflags --libs libdwunw)
check "runs" "$root/c"
# shellcheck disable=SC2046
check "a C++ program" c++ -Wall -Wextra -Werror "${sanitize[@]}" -o "$root/cc" "$root/program.cc" \
	$(pkg-config --cflags --libs libdwunw)
check "runs" "$root/cc"
# shellcheck disable=SC2046
check "a C program, static" cc "${sanitize[@]}" -o "$root/static" "$root/program.c" $(pkg-config --cflags libdwunw) \
	"$root/usr/lib/libdwunw.a" $(pkg-config --static --libs-only-l libdwunw | sed 's/-ldwunw//')
check "runs" "$root/static"

cat >"$root/program.bpf.c" <<'END'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <dwunw/dwunw.bpf.h>
char LICENSE[] SEC("license") = "GPL";
__s64 id;
SEC("uprobe") int program(struct pt_regs *ctx) { id = dwunw_get_stackid(ctx, 0); return 0; }
END
target=$(make -s -f - print <<'END'
include src/arch/$(shell uname -m)/arch.mk
print: ; @echo $(BPF_TARGET_ARCH) $(MULTIARCH)
END
)
check "a BPF program" clang -target bpf -mcpu=v3 -O2 -g -D__TARGET_ARCH_"${target% *}" -Isrc/bpf -I"$root/usr/include" \
	-idirafter "/usr/include/${target#* }" -c -o "$root/program.bpf.o" "$root/program.bpf.c"

declared() {
	sed -n 's/.*DWUNW_API .*[ *]\(dwunw_[a-z_]*\)(.*/\1/p' include/dwunw/dwunw.h | sort
}
exported() {
	nm -D --defined-only "$root/usr/lib/libdwunw.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort
}
same_functions() {
	diff <(declared) <(exported)
}
check "exports are declarations" same_functions
soname() {
	readelf -d "$root/usr/lib/libdwunw.so" | grep -q 'SONAME.*\[libdwunw\.so\.0\]'
}
check "SONAME" soname

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
