#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Proves: the user-space headers can be included, alone and twice, from C and from C++, as old as C99 and C++11, without a warning of a
# pedantic compiler; and a C++ program links with the library.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build/$(uname -m)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
sanitize=(${SAN:+"-fsanitize=$SAN"}) # programs that link with a library that is

check() {
	local what=$1
	shift
	if "$@" >"$dir/output" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $what"
		head -n 20 "$dir/output"
	fi
}

# event_format.h is for user space and for BPF programs alike.
for header in dwunw.h event_format.h; do
	printf '#include <dwunw/%s>\n#include <dwunw/%s>\nint unused;\n' "$header" "$header" >"$dir/x.c"
	for std in c99 gnu11 c17; do
		check "$header in $std" "${CC:-cc}" -std=$std -Wall -Wextra -pedantic -Werror -Iinclude \
			-fsyntax-only "$dir/x.c"
	done
	for std in c++11 c++17; do
		check "$header in $std" "${CXX:-c++}" -x c++ -std=$std -Wall -Wextra -pedantic -Werror -Iinclude \
			-fsyntax-only "$dir/x.c"
	done
done

cat >"$dir/main.cc" <<'END'
#include <dwunw/dwunw.h>
#include <vector>

int main()
{
	dwunw_context *context = nullptr;
	dwunw_unwind_result result{};
	dwunw_unwind_request request{};
	std::vector<dwunw_frame> frames(64);

	if (dwunw_context_create(nullptr, &context))
		return 1;
	request.size = sizeof(request);
	request.pid = 0x7fffffff;
	request.frames = frames.data();
	request.max_frames = frames.size();
	int err = dwunw_capture(context, &request, &result);
	dwunw_context_destroy(context);
	return err < 0 && *dwunw_stop_reason_text(result.stop) ? 0 : 1;
}
END
check "a C++ program is built" "${CXX:-c++}" -std=c++11 -Wall -Wextra -Werror "${sanitize[@]}" -Iinclude \
	-o "$dir/main" "$dir/main.cc" "$build/libdwunw.a" -ldw -lelf -lz -lbpf -liberty -pthread
check "a C++ program runs" "$dir/main"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
