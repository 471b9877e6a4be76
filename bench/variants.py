# SPDX-License-Identifier: BSD-2-Clause
"""What is compared: each variant traces a process, or starts one of its own, in a way that its users would."""

import os
import subprocess

import harness


class Variant:
    """One that attaches: tracer() is a harness.Tracer, or None. command(pid, path): `path` is the allocator's file."""

    wrapper = None  # a command to start the target with, instead of attaching
    least_ns = 800  # a pair that is faster was not traced

    def __init__(self, name, text, command=None, says="Attaching to pid", settle_s=0, env=None):
        self.name, self.text, self.command = name, text, command
        self.says, self.settle_s, self.env = says, settle_s, env

    def tracer(self, pid, allocator="libc.so"):
        if not self.command:
            return None
        return harness.Tracer(self.command(pid, harness.mapped(pid, allocator)), self.says, self.settle_s, self.env)

    def clean_up(self):
        pass


class Wrapped(Variant):
    """One that has to be there when the process starts."""

    least_ns = 50

    def __init__(self, name, text, wrapper):
        super().__init__(name, text)
        self.wrapper = wrapper


class Perf(Variant):
    """perf record, which records malloc's calls with 8 KiB of stack each, and drops what it cannot write in time. Its event
    is a uprobe of tracefs, which is mounted where nobody else sees it, and is taken away at the end."""

    TRACEFS = "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; exec \"$@\""

    def __init__(self, perf):
        self.perf, self.group = perf, f"dwunw_bench_{os.getpid()}"
        self.is_there = False
        super().__init__("perf", "perf record dwarf", self.record, None, 2)

    def private(self, *command):
        return ["unshare", "-m", "sh", "-c", self.TRACEFS, "sh", *command]

    def record(self, pid, path):
        if not self.is_there:
            subprocess.run(self.private(self.perf, "probe", "-q", "-x", path, "-a",
                                        f"{self.group}:malloc=malloc"), check=True)
            self.is_there = True
        return self.private(self.perf, "record", "-q", "-e", f"{self.group}:malloc", "--call-graph", "dwarf",
                            "-p", str(pid), "-o", "/dev/null")

    def clean_up(self):
        if self.is_there:
            subprocess.run(self.private(self.perf, "probe", "-q", "-d", f"{self.group}:*"), check=True)
            self.is_there = False


def all_variants(scratch):
    """Those that this machine has; `scratch`: a folder for what they write."""
    def memleak(mode):
        return lambda pid, path: harness.memleak([pid], mode)

    def short(path):
        """Upstream's memleak keeps 31 characters of a path."""
        link = os.path.join(scratch, "allocator")
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(path, link)
        return link

    ret = [Variant("none", "no probe"), Variant("floor", "empty programs", lambda pid, path: [harness.FLOOR, str(pid), path])]
    if harness.has_no_stacks():
        ret.append(Variant("book", "bookkeeping only", memleak("off"), env={harness.NO_STACKS: "1"}))
    ret += [Variant("off", "--dwunw-mode=off", memleak("off")),
            Variant("force", "--dwunw-mode=force", memleak("force"))]
    bcc, bpftrace, perf, heaptrack = (os.environ.get(name) for name in ("BCC_MEMLEAK", "BPFTRACE", "PERF", "HEAPTRACK"))
    if bcc:
        ret.append(Variant("bcc", "bcc memleak", lambda pid, path: [bcc, "-p", str(pid), "-O", short(path), "100000"], None, 3))
    if bpftrace:
        ret.append(Variant("bpftrace", "bpftrace ustack", lambda pid, path: [
            bpftrace, "-p", str(pid), "-e", BPFTRACE.format(path=path)], "Attaching", 4))
    if perf:
        ret.append(Perf(perf))
    if heaptrack:
        ret.append(Wrapped("heaptrack", "heaptrack", [heaptrack, "-o", os.path.join(scratch, "heaptrack.%p")]))
    return ret


def chosen(names, scratch):
    """By their names, comma-separated; all where there are none."""
    variants = all_variants(scratch)
    if not names:
        return variants
    known = {variant.name: variant for variant in variants}
    for name in names.split(","):
        if name not in known:
            harness.fail(f"no variant {name} here; there are: {', '.join(known)}")
    return [known[name] for name in names.split(",")]


# The places are the function entries, as for every user of uprobes by name.
BPFTRACE = """
uprobe:{path}:malloc {{ @size[tid] = arg0; }}
uretprobe:{path}:malloc /@size[tid]/ {{ @block[retval] = (@size[tid], ustack(127)); delete(@size[tid]); }}
uprobe:{path}:free {{ delete(@block[arg0]); }}
"""
