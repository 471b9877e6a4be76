# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks share: the machine's name, programs that are told what to do by lines, tracers that come and go."""

import os
import platform
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build/" + platform.machine()))
MEMLEAK = os.path.join(BUILD, "examples/memleak_bcc_dwunw/memleak_dwunw_user")
FLOOR = os.path.join(BUILD, "bench/floor_user")
READY_S = 60
# Where the tool has it: accounting without any stack, for measurements.
NO_STACKS = "MEMLEAK_NO_STACKS"


def fail(why):
    sys.exit(f"{os.path.relpath(sys.argv[0])}: {why}")


def machine():
    """The machine, how busy it is, and what is measured: for the head of a table."""
    model = platform.machine()
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()
    load = os.getloadavg()[0]
    return (f"{model}, {os.cpu_count()} cores, Linux {platform.release()}; load before: {load:.1f}; "
            f"commit {commit or 'unknown'}")


def spread(values, digits=0):
    return f"{min(values):,.{digits}f} .. {max(values):,.{digits}f}"


def median_ratio(values, others):
    """Of figures of the same round; empty where there is nothing to compare with."""
    if not values or not others:
        return ""
    return f"{statistics.median(v / o for v, o in zip(values, others)):.2f}"


def mapped(pid, name):
    """The path of the file that the process maps whose name begins so."""
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            path = line.split(maxsplit=5)[-1].strip()
            if os.path.basename(path).startswith(name):
                return path
    fail(f"process {pid} maps no {name}")


class Program:
    """A program that answers each line with a line."""

    def __init__(self, command, env=None):
        self.name = os.path.basename(command[0])
        self.process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=env)
        self.text = b""

    def line(self, seconds=READY_S):
        end = time.monotonic() + seconds
        while b"\n" not in self.text:
            ready = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                self.process.kill()
                fail(f"no answer from {self.name}")
            self.text += data
        line, self.text = self.text.split(b"\n", 1)
        return line.decode()

    def until(self, word):
        while True:
            line = self.line()
            if word in line:
                return line

    def ask(self, command, seconds=READY_S):
        self.process.stdin.write(command.encode() + b"\n")
        return self.line(seconds).split()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Tracer:
    """A program that traces others from when this is made until stop(). `says`: it prints that once it is attached,
    else `settle_s` seconds are waited."""

    def __init__(self, command, says="Attaching to pid", settle_s=0, env=None):
        self.name = os.path.basename(command[0])
        self.errors = tempfile.TemporaryFile()
        start = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self.errors,
                                        stdout=subprocess.PIPE if says else subprocess.DEVNULL,
                                        env={**os.environ, **(env or {})})
        if says:
            while says.encode() not in (line := self.process.stdout.readline()):
                if not line:
                    self.fail("did not attach")
        self.attach_s = time.monotonic() - start
        time.sleep(settle_s)
        self.check()

    def check(self):
        if self.process.poll() is not None:
            self.fail(f"ended with status {self.process.returncode}")

    def fail(self, why):
        self.errors.seek(0)
        fail(f"{self.name} {why}: {self.errors.read().decode(errors='replace').strip()[-500:]}")

    @property
    def pid(self):
        return self.process.pid

    def stop(self, may_have_ended=False):
        """Seconds until it was gone. It may have ended with its process, where that is said."""
        if not may_have_ended:
            self.check()
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=READY_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        return time.monotonic() - start


def memleak(pids, mode, *more):
    """The tool, attached to these processes; its first report is far away."""
    return [MEMLEAK, "-p", ",".join(str(pid) for pid in pids), "-W", mode, *more, "100000"]


def cpu_s(pid):
    """CPU time of a process so far, of all its threads that are there: seconds."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as schedstat:
            total += int(schedstat.read().split()[0])
    return total / 1e9


def copies(folder, count):
    """A small library under as many names in `folder`, 0.so and so on, each with a build ID of its own."""
    with open(os.path.join(BUILD, "bench/hop_lib.so"), "rb") as library:
        data = library.read()
    note = b"\x14\0\0\0\x03\0\0\0GNU\0"  # descriptor's size, NT_GNU_BUILD_ID, name
    at = data.index(note) + len(note)
    for n in range(count):
        with open(os.path.join(folder, f"{n}.so"), "wb") as copy:
            copy.write(data[:at] + n.to_bytes(20, "little") + data[at + 20:])


def has_no_stacks():
    with open(MEMLEAK, "rb") as program:
        return NO_STACKS.encode() in program.read()
