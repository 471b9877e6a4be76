#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: the rows of `dwunw cfi` are those of `readelf --debug-dump=frames-interp` (binutils), one by one, address, CFA and every
# register. Only what is "undefined" cannot be compared: readelf shows it as it does what has no rule.
#
#   tests/parity/run.sh            every ELF file of /usr/bin, /usr/lib and the cross compilers' libraries
#   tests/parity/run.sh --fixed    those of tests/parity/files that are here
#   tests/parity/run.sh FILE...
#
#   BUILD   where the products are; default build/$(uname -m)
#   JOBS    comparisons at once; default: the number of processors
#
# Files that are named in tests/parity/readelf_wrong, with the reason, have to differ. The last line is `N passed, N failed`, a file each.

set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build/$(uname -m)}
results=$(mktemp)
trap 'rm -f "$results"' EXIT

list() {
	if [ "${1:-}" = --fixed ]; then
		local line file
		while read -r line; do
			# shellcheck disable=SC2086 # patterns
			for file in ${line%%#*}; do
				[ -f "$file" ] && printf '%s\0' "$file"
			done
		done <tests/parity/files
	elif [ $# != 0 ]; then
		printf '%s\0' "$@"
	else
		find -H /usr/bin /usr/lib /usr/*-linux-gnu* -type f -size +64c -print0 2>/dev/null
	fi
}

# Which of the files of readelf_wrong a path is: its reason.
known() {
	local pattern reason
	while read -r pattern reason; do
		# shellcheck disable=SC2254 # a pattern it is
		case $1 in
		$pattern) echo "$reason"; return ;;
		esac
	done < <(grep -v '^#' tests/parity/readelf_wrong)
	return 1
}

list "$@" | xargs -0 -r -n 16 -P "${JOBS:-$(nproc)}" \
	"$build/tests/parity/compare" "$build/tools/dwunw/dwunw" >"$results" || exit 1

unexpected=0 expected=0
while read -r word rows path rest; do
	[ "$word" = differs ] || continue
	if reason=$(known "${path%:}"); then
		expected=$((expected + 1))
		echo "readelf is wrong: ${path%:}: $reason"
	else
		unexpected=$((unexpected + 1))
		echo "differs after $rows rows: $path $rest"
	fi
done <"$results"

awk '$1 == "same" { files++; rows += $2 }
	$1 == "none" { none++ }
	$1 == "skip" { sub(/.*: /, ""); skipped[$0]++ }
	END {
		printf "%d rows in %d files are the same; %d files have none\n", rows, files, none
		for (why in skipped)
			printf "not compared: %d files: %s\n", skipped[why], why
	}' "$results"
same=$(grep -c '^same' "$results")
echo "$((same + expected)) passed, $unexpected failed"
[ "$unexpected" = 0 ] && [ "$same" != 0 ]
