#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves: at every instruction of real programs and of programs of hard cases, the unwound stack is the true one, frame by frame, up to
# the root (dwunw check).
#
#   tests/oracle/run.sh            the whole: more than 20 million instructions, at most 8 million of each command
#   tests/oracle/run.sh --fixed    four programs of hard cases, and the first 100,000 instructions of others
#
#   BUILD     where the products are; default build/$(uname -m)
#   JOBS      commands at once; default: the number of processors
#   REPORTS   where the reports are left; default: nowhere
#
# Differences at the functions of tests/oracle/wrong_cfi are counted apart. The last line is `N passed, N failed`, a command each.

set -u
fixed=''
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build/$(uname -m)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
reports=${REPORTS:-$dir/reports}
jobs=${JOBS:-$(nproc)}
mkdir -p "$reports"
passed=0 failed=0 skipped=0 names=() limit=() wanted=0 python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3 # rather than a script that looks for one
case ${1:-} in
--fixed) fixed=1 ;;
"") wanted=20000000 limit=(--limit 8000000) ;;
*) echo "tests/oracle/run.sh: there is only --fixed" >&2; exit 2 ;;
esac

# check NAME COMMAND...: in the background
check() {
	local name=$1
	shift
	if ! command -v "$1" >/dev/null; then
		skipped=$((skipped + 1))
		echo "skip $name: $1 is not here"
		return
	fi
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	names+=("$name")
	{
		"$build/tools/dwunw/dwunw" check "${limit[@]}" --wrong-cfi tests/oracle/wrong_cfi \
			--output "$reports/$name" -- "$@" >"$dir/$name.output" 2>&1 </dev/null
		echo $? >"$dir/$name.status"
	} &
}

judge() { # NAME
	if [ "$(cat "$dir/$1.status")" = 0 ] &&
		grep -Eq '^the command (exited with status 0|was ended by the limit)$' "$reports/$1"; then
		passed=$((passed + 1))
		echo "ok   $1: $(grep -o '^[0-9]* instructions' "$reports/$1"), $(tail -n 1 "$reports/$1")"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		tail -n 30 "$dir/$1.output" "$reports/$1"
	fi
	cat "$reports/$1" >>"$dir/all"
}

program() {
	local name
	for name in "$@"; do
		check "$name" "$build/tests/programs/$name"
	done
}

seq 3000 | awk '{ print $1 * 7919 % 3001, "line", $1 }' >"$dir/lines"
program hard_stack signal drap ucontext
[ -z "$fixed" ] || limit=(--limit 100000)
check sort sort -n "$dir/lines"
check openssl openssl speed -seconds 1 -bytes 4096 sha1 sha256 rsa1024
if [ -n "$fixed" ]; then
	check ls ls -l /usr
	check python "$python" -c 'print(sum(range(100)))'
else
	program threads longjmp cxx exec_self nested recursion alloca qsort_cb plugin unload
	check ls ls -lR /etc
	check chacha openssl speed -seconds 1 -bytes 4096 -evp chacha20-poly1305
	check python "$python" -c 'import json, re
def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
try:
	f([])
except TypeError:
	print(f(12), sorted(json.dumps({str(i): i for i in range(300)}))[:3], re.sub("a+", "b", "caat" * 50))'
fi

wait
for name in "${names[@]}"; do
	judge "$name"
done

# Sums over the reports.
awk '/ instructions, / { instructions += $1 }
	/ stacks compared/ { compared += $1; whole += $4; frames += $11 }
	/ stacks were those of / { ahead += $1 }
	/ had an overwritten / { overwritten += $12 }
	/ differences, / { differences += $1; without += $3; wrong += $6 }
	END {
		printf "%d instructions, %d stacks compared, %d of them whole\n", instructions, compared, whole
		printf "%d differences, %d without CFI, %d where CFI is wrong, %d ahead of a jump, %d overwritten\n",
			differences, without, wrong, ahead, overwritten
	}' "$dir/all"
echo "code without CFI, and differences, by function:"
awk '/^(without CFI|wrong CFI|differences|overwritten): / {
		split($0, part, ": ")
		n = part[2] + 0
		sub(/: [0-9]+/, ":")
		sum[$0] += n
	}
	END { for (where in sum) print "  " sum[where], where }' "$dir/all" | sort -rn | head -n 60
instructions=$(awk '/ instructions, / { n += $1 } END { print n + 0 }' "$dir/all")
if [ "$instructions" -lt "$wanted" ]; then
	failed=$((failed + 1))
	echo "FAIL only $instructions instructions of $wanted"
fi
summary="$passed passed, $failed failed"
[ $skipped != 0 ] && summary+=", $skipped skipped"
echo "$summary"
[ $failed = 0 ]
