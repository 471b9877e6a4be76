#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Proves: rows of CFI are those of readelf, for the files of tests/parity/files. For every file: make test-parity. Proves also that the
# comparison sees a single wrong, missing or additional row.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build/$(uname -m)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
libc=$(echo /usr/lib/*-linux-gnu/libc.so.6)
blind=0 seen=0

# Each is a change of what `dwunw cfi` prints.
for change in '$ s/ra=c-/ra=c-1/' '100 s/cfa=r/cfa=x/' '1000 s/ .*\(................\) cfa/ 0000000000000000 cfa/' '$ d' '7 d' '$ p'; do
	printf '#!/bin/sh\n"%s" "$@" | sed "%s"\n' "$build/tools/dwunw/dwunw" "$change" >"$dir/dwunw"
	chmod +x "$dir/dwunw"
	if "$build/tests/parity/compare" "$dir/dwunw" "$libc" | grep -q '^differs'; then
		seen=$((seen + 1))
	else
		blind=$((blind + 1))
		echo "not seen: $change"
	fi
done

tests/parity/run.sh --fixed >"$dir/output"
status=$?
cat "$dir/output"
read -r passed _ failed _ < <(tail -n 1 "$dir/output")
echo "$((passed + seen)) passed, $((failed + blind)) failed"
[ "$status" = 0 ] && [ "$blind" = 0 ]
