#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves: over a long time, under the load of tests/e2e/load.sh and with a report every second, the tool's memory and its open files stay
# what they were after the first quarter, the target lives, nothing is lost (standard error is empty), and at the end the report equals the truth.
#
#   SOAK_SECONDS    how long; default 16 (`make soak MINUTES=20`: the long form)

. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=quarantine_size_mb=4 # a build with AddressSanitizer keeps what was freed
seconds=${SOAK_SECONDS:-16}
samples=40

silent() {
	cat "$1"
	[ ! -s "$1" ]
}

# The memory of the tool in KiB, and how many files it has open.
measure() {
	local files=(/proc/"$tool"/fd/*)
	echo "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$tool/status") ${#files[@]}"
}

# Compares the largest of the last three quarters with that of the first; 5 % and 1 MiB are for the sizes that reports happen to have.
flat() {
	cat "$1"
	awk -v n="$samples" '
		NR <= n / 4 { if ($1 > rss) rss = $1; if ($2 > files) files = $2; next }
		$1 > rss * 1.05 + 1024 || $2 > files { print "line " NR ": more than " rss " KiB, " files " files"; bad = 1 }
		END { exit bad || NR != n }' "$1"
}

check "the program starts" target_start soak "$PROGRAMS/exchange" "$seconds"
check "the tool attaches" tool_start soak -p "$target" -o 0 -T 100000 1
target_tell
for ((i = 0; i < samples; i++)); do
	nap "$(awk "BEGIN { print $seconds / $samples }")"
	measure >>"$WORK/memory"
done
wait_for $((seconds + 60)) done_or_gone "$WORK/soak.out" "$target"
check "the target lives, and does its work" has_line "$WORK/soak.out" '^done$'
check "the tool's memory and files stay as they were" flat "$WORK/memory"
check "SIGINT ends the tool well" tool_stop
check "the program runs on and ends well" target_end
check "the last report equals the truth" "$E2E/judge.py" truth "$WORK/soak.out" "$WORK/soak.report"
check "every stack is complete" "$E2E/judge.py" complete "$WORK/soak.out" "$WORK/soak.report"
check "nothing is said to be lost" silent "$WORK/soak.stderr"
grep '^rounds' "$WORK/soak.out"
tail -n 1 "$WORK/memory" | sed 's/^/at the end, KiB and files: /'
summary
