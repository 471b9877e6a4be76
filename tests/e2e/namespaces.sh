#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# Proves, of processes that see other files than the tool does: with another C library at the path where the tool has its own, in a chroot, by a
# bind mount, and in an overlay, each in a mount and a PID namespace, the stacks are complete, the report equals the truth, and the
# frames in that library are behind calls of that one (objdump); with the tool outside, and inside. And so with plugins that come and go in
# an overlay.

. "$(dirname "$0")/lib.sh"

libc=$(ldd "$PROGRAMS/qsort_cb" | grep -o '/[^ ]*libc\.so\.6')
other=$WORK/other$libc

# Another version of the distribution's package; where there is none to be had, a copy with another build ID.
get_other_libc() {
	local kept=$BUILD/tests/libc6 version
	mkdir -p "$kept" "$WORK/other"
	version=$(dpkg-query -W -f '${Version}' libc6 2>/dev/null)
	if ! ls "$kept"/*.deb >/dev/null 2>&1; then
		for version in $(apt-cache madison libc6 2>/dev/null |
			awk -v "have=$version" '$3 != have && index($3, substr(have, 1, 4)) == 1 { print $3 }'); do
			(cd "$kept" && timeout 30 apt-get download "libc6=$version" >/dev/null 2>&1) && break
		done
	fi
	dpkg-deb -x "$kept"/*.deb "$WORK/other" 2>/dev/null && [ -e "$other" ] && return
	echo "# no other version of libc6 can be had: a copy with another build ID"
	install -D "$libc" "$other"
	install "$(dirname "$libc")"/libm.so.6 "$(dirname "$other")"
	/usr/bin/python3 - "$other" <<-'PYTHON'
		import sys
		path = sys.argv[1]
		data = bytearray(open(path, "rb").read())
		at = data.index(b"GNU\0", data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0")) + 4
		data[at] ^= 0xff
		open(path, "wb").write(data)
	PYTHON
}

build_id() {
	readelf -n "$1" | sed -n 's/.*Build ID: //p'
}

# Frames in libc are return addresses of the library at $2, as far as they have a name from its .dynsym.
behind_calls() {
	local name offset value n=0
	while read -r name offset; do
		value=$(readelf -W --dyn-syms "$2" | awk -v "name=$name" '{ sub(/@.*/, "", $8) } $8 == name { print "0x" $2; exit }')
		[ -n "$value" ] || continue
		n=$((n + 1))
		objdump -d --start-address=$((value + offset - 16)) --stop-address=$((value + offset)) "$2" | grep -qE '[[:space:]]call' || {
			echo "$name+$offset: no call before it"
			return 1
		}
	done < <(sed -nE 's#^\t[0-9]+ \[<[0-9a-f]+>\] ([^ ]+)\+(0x[0-9a-f]+) (.*:[0-9]+ )?\[.*/libc\.so\.6\]$#\1 \2#p' "$1" | sort -u)
	echo "$n frames in $2"
	[ "$n" -gt 0 ]
}

# A root with a program, the plugins of the program storm, and what programs need.
make_root() {
	local file
	mkdir -p "$1/proc" "$1/old"
	for file in $({ ldd "$PROGRAMS/qsort_cb"; ldd "$PROGRAMS/storm"; } | grep -o '/[^ ]*' | sort -u); do
		install -D "$file" "$1$file"
	done
	install "$PROGRAMS/qsort_cb" "$PROGRAMS/storm" "$1"
	cp -r "$PROGRAMS/storm_plugins" "$1"
}

# Its own files over those of the root $1.
put_other_libc() {
	local file
	for file in $(cd "$1" && find . -type f -name '*.so*' ! -path './storm_plugins/*'); do
		[ -e "$WORK/other/$file" ] && install -D "$WORK/other/$file" "${2:-$1}/$file"
	done
	[ "$(build_id "$libc")" != "$(build_id "${2:-$1}$libc")" ]
}

# one_run NAME OPTIONS COMMAND...: the command is a shell that makes the namespace and becomes the program; its child is the target
one_run() {
	local name=$1 options=$2 shell
	shift 2
	target_start "$name" "$@" || return 1
	shell=$target
	# shellcheck disable=SC2086 # several words
	tool_start "$name" -p "$(tr -d ' ' <"/proc/$shell/task/$shell/children")" -v -o 0 -T 1000 $options 1000 &&
		target_run "$name" && tool_stop && target=$shell && target_end
}

judge() {
	check "$1: the report equals the truth" "$E2E/judge.py" truth "$WORK/$2.out" "$WORK/$2.report"
	check "$1: every stack is complete" "$E2E/judge.py" complete "$WORK/$2.out" "$WORK/$2.report"
}

all_complete() {
	! grep ', incomplete' "$WORK/$1.report" && has_line "$WORK/$1.stderr" ' in user space, 0 incomplete,'
}

get_other_libc
check "a root" make_root "$WORK/root"
cp -r "$WORK/root" "$WORK/plain"
check "a root with another C library" put_other_libc "$WORK/root"

# shellcheck disable=SC2016 # for the inner shells
in_chroot='mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
check "chroot: the run" one_run chroot "" unshare -m -p -f sh -c "$in_chroot" "$WORK/root" /qsort_cb
judge chroot chroot
check "chroot: frames of its library" behind_calls "$WORK/chroot.report" "$other"

# shellcheck disable=SC2016
in_bind='for file in $(cd "$0" && find . -type f -path "*/lib*" -name "*.so*" ! -path "./storm_plugins/*"); do
	[ -e "/$file" ] && { mount --bind "$0/$file" "$(realpath "/$file")" || exit 1; }
done
exec "$@"'
check "bind mount: the run" one_run bind "" unshare -m -p -f --mount-proc sh -c "$in_bind" "$WORK/root" "$PROGRAMS/qsort_cb"
judge "bind mount" bind
check "bind mount: frames of its library" behind_calls "$WORK/bind.report" "$other"
check "bind mount: the tool's own path of it" has_line "$WORK/bind.report" "\\[$(realpath "$libc")\\]$"

mkdir -p "$WORK/upper" "$WORK/work" "$WORK/merged" "$WORK/tmp"
put_other_libc "$WORK/plain" "$WORK/upper"
# The upper layer on a file system of its own, as containers have it: device and inode numbers are no files' own.
# shellcheck disable=SC2016
in_overlay='mount -t tmpfs none "$0/tmp" && mkdir "$0/tmp/upper" "$0/tmp/work" && cp -r "$0/upper/." "$0/tmp/upper" &&
	mount -t overlay none -o "lowerdir=$0/plain,upperdir=$0/tmp/upper,workdir=$0/tmp/work" "$0/merged" &&
	cd "$0/merged" && mount -t proc proc proc && pivot_root . old && exec "$@"'
check "overlay: the run" one_run overlay "" unshare -m -p -f sh -c "$in_overlay" "$WORK" /qsort_cb
judge overlay overlay
check "overlay: frames of its library" behind_calls "$WORK/overlay.report" "$other"

check "overlay, plugins: the run" one_run storm "-T 100000" unshare -m -p -f sh -c "$in_overlay" "$WORK" /storm
check "overlay, plugins: the report equals the truth" "$E2E/judge.py" truth "$WORK/storm.out" "$WORK/storm.report"
# roots have no names: there is no debug file for that library
check "overlay, plugins: every stack is complete" all_complete storm

# shellcheck disable=SC2016
both_inside='
	. tests/e2e/lib.sh
	target_start inside "$PROGRAMS/qsort_cb" || exit 1
	[ "$target" -lt 1000 ] || exit 1
	tool_start inside -p "$target" -o 0 -T 1000 1000 && target_run inside && tool_stop && target_end || exit 1
	"$E2E/judge.py" truth "$WORK/inside.out" "$WORK/inside.report" &&
		"$E2E/judge.py" complete "$WORK/inside.out" "$WORK/inside.report" && cp "$WORK/inside.report" "$1"'
check "both inside" unshare -m -p -f --mount-proc sh -c "$in_bind" "$WORK/root" \
	bash -c "$both_inside" "$E2E/namespaces.sh" "$WORK/inside.report"
check "both inside: frames of its library" behind_calls "$WORK/inside.report" "$other"
summary
