#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proves that our CFI rows are those of binutils' readelf, row by row, for files of this system.
#   tests/parity/run.sh [FILE...]
# BUILD: where libdwunw.a is, default build/$(uname -m). Plain line at the end: N passed, N failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
machine=$(uname -m)
BUILD=${BUILD:-$top/build/$machine}
if [ $# -eq 0 ]; then
	lib=/usr/lib/$machine-linux-gnu
	set -- "$lib/libc.so.6" "$lib/libstdc++.so.6" "$lib/libcrypto.so.3" "$lib"/ld-linux*.so.* \
		"$lib"/libpython3*.so.1.0 /usr/bin/python3 "$(command -v node || :)"
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck disable=SC2086 # flags are several words
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O2 ${CFLAGS:-} -I"$top/src" -I"$top/include" \
	-I"$top/src/arch/$machine" "$here/dump_rows.c" "$BUILD/libdwunw.a" -ldw -lelf -lz \
	-o "$tmp/dump_rows" || exit 1
passed=0
failed=0
for file; do
	[ -f "$file" ] || continue
	"$tmp/dump_rows" "$file" >"$tmp/ours" || echo "dump_rows failed" >>"$tmp/ours"
	readelf -wF "$file" 2>/dev/null | awk -f "$here/readelf_rows.awk" >"$tmp/theirs"
	rows=$(grep -vc '^FDE' "$tmp/theirs")
	if [ "$rows" -gt 0 ] && cmp -s "$tmp/ours" "$tmp/theirs"; then
		passed=$((passed + 1))
		echo "same: $file ($rows rows)"
	else
		failed=$((failed + 1))
		echo "differs: $file ($rows rows)"
		diff "$tmp/theirs" "$tmp/ours" | head -n 10
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
