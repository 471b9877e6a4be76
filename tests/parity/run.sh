#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proves that our CFI rows are those of binutils' readelf, row by row, for files of this system.
#   run.sh DUMP_ROWS [FILE...]
# Plain line at the end: N passed, N failed.
set -u
here=$(dirname "$0")
dump_rows=$1
shift
if [ $# -eq 0 ]; then
	lib=/usr/lib/$(uname -m)-linux-gnu
	set -- "$lib/libc.so.6" "$lib/libstdc++.so.6" "$lib/libcrypto.so.3" "$lib"/ld-linux*.so.* \
		"$lib"/libpython3*.so.1.0 /usr/bin/python3 "$(command -v node || :)"
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0
for file; do
	[ -f "$file" ] || continue
	"$dump_rows" "$file" >"$tmp/ours" || echo "dump_rows failed" >>"$tmp/ours"
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
