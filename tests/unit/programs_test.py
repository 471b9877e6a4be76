#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Proves that the truth lines of tests/programs are true, without the tool: each program runs once under oracle_lib.so,
which lists every block outstanding at `done` with glibc's own backtrace; nm names the frames. Per truth line: bytes
and blocks are equal. Per block: exactly one truth line's function is on its stack, or one of an `other` line.

Left out are longjmp, nested and inside, whose allocator is not libc's, unload and storm, whose libraries are gone when their frames would be named.
And exec_self, exec_main and exec_thread, whose second image the oracle does not see begin; sampled, which has more blocks than it can list; mmap_family, whose
mappings it does not see.
"""
import bisect
import collections
import glob
import os
import platform
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build/" + platform.machine())
PROGRAMS = BUILD + "/tests/programs"
SOURCES = glob.glob("tests/programs/*.c") + glob.glob("tests/programs/*.cc")
LEFT_OUT = {"longjmp", "nested", "inside", "unload", "storm", "exec_self", "exec_main", "exec_thread", "sampled",
            "mmap_family",
            "leaky", "forks", "steps", "children", "images", "replace", "kernel_objects", "memo_mix"}  # these (as hard_*) have no truth lines


class Symbols:
    """Functions of the files that we built, by file and offset."""

    def __init__(self):
        self.files = {}

    def load(self, path):
        functions = []
        for line in subprocess.run(["nm", "-S", path], capture_output=True, text=True, check=True).stdout.splitlines():
            fields = line.split()
            if len(fields) == 4 and fields[2] in "tTwW":
                functions.append((int(fields[0], 16), int(fields[1], 16), fields[3]))
        return sorted(functions)

    def name(self, frame):
        path, offset = frame.rsplit("+", 1)
        if PROGRAMS not in path or path.endswith("oracle_lib.so"):
            return None
        if path not in self.files:
            self.files[path] = self.load(path)
        functions = self.files[path]
        pc = int(offset, 16) - 1  # a return address
        i = bisect.bisect_right(functions, (pc, 1 << 62, "")) - 1
        if i >= 0 and pc < functions[i][0] + functions[i][1]:
            return functions[i][2]
        return None


def judge(program, symbols):
    """Complaints about one program."""
    run = subprocess.run(
        [f"{PROGRAMS}/{program}"], input="", capture_output=True, text=True, timeout=50, check=False,
        env=dict(os.environ, LD_PRELOAD=os.path.abspath(PROGRAMS + "/oracle_lib.so")))
    lines = [line.split() for line in run.stdout.splitlines()]
    if run.returncode or lines[0] != ["ready"] or lines[-1] != ["done"]:
        return [f"exit status {run.returncode}: {run.stdout}{run.stderr[-300:]}"]
    truth = {line[3]: (int(line[1]), int(line[2])) for line in lines if line[0] == "truth"}
    other = {line[1] for line in lines if line[0] == "other"}
    seen, complaints = collections.defaultdict(lambda: (0, 0)), []
    for line in run.stderr.splitlines():
        word, size, *frames = line.split()
        if word != "block":
            continue
        names = {symbols.name(frame) for frame in frames}
        owners = names & truth.keys()
        if len(owners) == 1:
            owner = owners.pop()
            seen[owner] = (seen[owner][0] + int(size), seen[owner][1] + 1)
        elif owners or not names & other:
            complaints.append(f"a block of {size} bytes belongs to {owners or 'nobody'}: {frames}")
    for name, numbers in truth.items():
        if seen[name] != numbers:
            complaints.append(f"{name}: says {numbers}, has {seen[name]}")
    if not truth:
        complaints.append("no truth line")
    return complaints


def main():
    passed = failed = 0
    symbols = Symbols()
    for program in sorted(os.path.splitext(os.path.basename(path))[0] for path in SOURCES):
        if program in LEFT_OUT or program.endswith("_lib") or program.startswith("hard_"):
            continue
        complaints = judge(program, symbols)
        for complaint in complaints[:5]:
            print(f"{program}: {complaint}")
        passed += not complaints
        failed += bool(complaints)
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
