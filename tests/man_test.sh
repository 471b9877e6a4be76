#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: man/memleak_dwunw.8 lists exactly the options of `memleak_dwunw_user --help`, with the same
# short and long names, the same argument and the same default, and groff accepts it without a warning.
#
#   BUILD   where the products are; default build/$(uname -m)

set -u
cd "$(dirname "$0")/.." || exit 1
program=${BUILD:-build/$(uname -m)}/examples/memleak_bcc_dwunw/memleak_dwunw_user
page=man/memleak_dwunw.8
passed=0 failed=0
export LC_ALL=C
unset ARGP_HELP_FMT

check() {
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $1" >&2
	fi
}

# One line `NAMES [default: VALUE]` for each option. An option begins in the first columns of --help, its
# text is further right.
help_options() {
	"$program" --help | awk '
		function flush() {
			if (names == "") return
			value = match(text, /\(default: [^)]*\)/) ? " " substr(text, RSTART, RLENGTH) : ""
			print names value
			names = text = ""
		}
		/^  (    )?-/ {
			flush()
			sub(/^ */, "")
			at = match($0, /[^,] /)
			names = at ? substr($0, 1, at) : $0
			text = at ? substr($0, at + RLENGTH) : ""
			gsub(/,/, "", names)
			next
		}
		names != "" && /^          / { sub(/^ */, ""); text = text " " $0; next }
		{ flush() }
		END { flush() }' | sort
}

# The same from the section OPTIONS of the page: an option is the line after a .TP.
man_options() {
	sed -e 's/\\f[BIR]//g' -e 's/\\-/-/g' "$page" | awk '
		function flush() {
			if (names == "") return
			value = match(text, /\(default: [^)]*\)/) ? " " substr(text, RSTART, RLENGTH) : ""
			print names value
			names = text = ""
		}
		/^\.SH/ { flush(); inside = $2 == "OPTIONS"; next }
		!inside { next }
		/^\.SS/ { flush(); next }
		/^\.TP/ { getline; if (/^-/) { flush(); names = $0; gsub(/,/, "", names) } next }
		{ text = text " " $0 }
		END { flush() }' | sort
}

[ -x "$program" ]
check "$program can be run" $?

options=$(help_options)
[ "$(grep -c -- -- <<<"$options")" -ge 10 ]
check "--help lists options" $?

diff <(echo "$options") <(man_options) >&2
check "--help (<) and $page (>) list the same options" $?

warnings=$(groff -man -Tascii -ww -z "$page" 2>&1) && [ -z "$warnings" ]
check "groff accepts $page $warnings" $?

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
