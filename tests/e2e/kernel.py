#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The last report of kernel mode against what the program kernel_objects holds.

    kernel.py held|sampled|least|closed|closed-but-bulk FILE CPUS

held: exactly that; sampled (-s 2): that within five standard deviations; least: that or more; closed: none of it; closed-but-bulk: likewise, but for what is freed in bulk.
"""
import re
import sys

import report

PIPES, EVENTFDS, MEMBERS, PERCPU_BLOCKS, PERCPU_SIZE = 500, 400, 100, 64, 64
# what the slab allocator takes for itself while one of its callers waits
SLAB = re.compile(r"(allocate_slab|new_slab|alloc_slab_page|___slab_alloc)(\.|$)")
ALLOCATOR = re.compile(r"(__)?(kmalloc|kmem_cache_alloc|kvmalloc|kzalloc|kcalloc)|(__)?alloc_(frozen_)?pages|pcpu_alloc|slab_")


def named(stack, *names):
    return any(re.sub(r"(_noprof)?(\..*)?$", "", name or "") in names for name in stack.names)


def caller(stack, *names):
    """The innermost function is an allocator's, and the first that is not is one of these."""
    if not ALLOCATOR.match(stack.names[0] or ""):
        return False
    for name in stack.names:
        if name and not ALLOCATOR.match(name):
            return re.sub(r"\..*$", "", name) in names
    return False


def slab(stack):
    return any(SLAB.match(name or "") for name in stack.names)


def held(stacks):
    """(blocks, bytes) of each kind of object."""
    def total(wanted):
        chosen = [stack for stack in stacks if wanted(stack)]
        return sum(stack.blocks for stack in chosen), sum(stack.bytes for stack in chosen)

    return {
        # the pipe, and the array of its buffers
        "pipes": total(lambda s: not slab(s) and caller(s, "alloc_pipe_info")),
        "pipe pages": total(lambda s: not slab(s) and named(s, "pipe_write", "anon_pipe_write") and s.bytes == 4096 * s.blocks),
        "eventfds": total(lambda s: not slab(s) and caller(s, "do_eventfd")),
        "files": total(lambda s: not slab(s) and caller(s, "alloc_empty_file", "__alloc_file") and
                       named(s, "do_pipe2", "__x64_sys_pipe", "do_eventfd")),
        "memberships": total(lambda s: not slab(s) and caller(s, "sock_kmalloc") and
                             named(s, "__ip_mc_join_group", "ip_mc_join_group")),
        "percpu": total(lambda s: named(s, "bpf_array_alloc_percpu", "array_map_alloc") and named(s, "pcpu_alloc")),
    }


def main():
    what, path, cpus = sys.argv[1], sys.argv[2], int(sys.argv[3])
    reports = report.parse(path)
    found = held(reports[-1])
    expected = {"pipes": 2 * PIPES, "pipe pages": PIPES, "eventfds": EVENTFDS, "files": 2 * PIPES + EVENTFDS,
                "memberships": MEMBERS, "percpu": PERCPU_BLOCKS}
    bad = 0
    for kind, blocks in expected.items():
        if what.startswith("closed"):
            blocks = 0
        if what == "closed-but-bulk" and kind == "memberships":
            continue
        got, size = found[kind]
        ok = got >= blocks if what == "least" else (got - blocks) ** 2 <= 25 * blocks if what == "sampled" else got == blocks
        if kind == "pipe pages":
            ok = ok and size == 4096 * got
        if kind == "percpu" and got: # with what the kernel adds for accounting
            ok = ok and PERCPU_SIZE * cpus * got <= size < 4 * PERCPU_SIZE * cpus * got
        if not ok:
            bad += 1
            print(f"{kind}: {got} blocks, {size} bytes; expected {blocks} blocks")
    if bad:
        for stack in reports[-1][:40]:
            print(stack)
    return bad != 0


sys.exit(main())
