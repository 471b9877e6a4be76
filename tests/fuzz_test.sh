#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Proves: no input of fuzz/corpus, among them every one that ever crashed or hung a fuzz target (make fuzz), crashes, hangs or contradicts
# the ordinary build. Proves also that the driver sees each of these.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build/$(uname -m)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

count() { # GOOD WHAT
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $2"
	fi
}

# A target that does what its input says.
cat >"$dir/target.c" <<'END'
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	uint64_t what = input_uint(&input, 1);

	HOLDS(what != 'h');
	if (what == 'c')
		*(volatile int *)(uintptr_t)input_uint(&input, 1) = 0;
	if (what == 'e')
		exit(3);
	while (what == 'w')
		;
	while (what == 'm') {
		volatile char *memory = malloc(1 << 30);

		HOLDS(memory);
		*memory = 1;
	}
	return 0;
}
END
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -Ifuzz -Isrc -Iinclude -o "$dir/target" "$dir/target.c" fuzz/driver.c
count $? "the driver is built"
for bad in holds crash exit wait memory; do
	printf %s "$bad" >"$dir/$bad"
	[ "$("$dir/target" "$dir/$bad" 2>/dev/null)" = "0 passed, 1 failed" ]
	count $? "the driver sees: $bad"
done
mkdir "$dir/empty" "$dir/good"
printf x >"$dir/good/x"
printf y >"$dir/good/y"
[ "$("$dir/target" "$dir/good")" = "2 passed, 0 failed" ]
count $? "the driver reads a folder"
! "$dir/target" "$dir/empty" >/dev/null 2>&1
count $? "the driver sees that there is no input"

for source in fuzz/*_fuzz.c; do
	name=$(basename "$source" _fuzz.c)
	read -r good _ bad _ < <("$build/fuzz/$name" "fuzz/corpus/$name" | tail -n 1)
	echo "$name: ${good:-0} inputs passed, ${bad:-1} failed"
	passed=$((passed + ${good:-0})) failed=$((failed + ${bad:-1}))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
