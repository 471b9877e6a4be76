#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Servers as the distribution ships them, under load on loopback, with a leak planted in them: see servers.sh.

  servers.py TOOL PLANTED_LIBRARY WORK_DIRECTORY
"""
import concurrent.futures
import contextlib
import ctypes
import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import judge
import report

TOOL, LIBRARY, WORK = sys.argv[1:4]
CLIENTS, REQUESTS = 4, 300  # of each client
counts = {"passed": 0, "failed": 0, "skipped": 0}
PATIENCE = 20  # seconds
ROOTS = judge.ROOTS | {"_dl_start_user", None}  # before the program begins; a stripped program has no name for its first function


def check(what, holds, why=""):
    counts["passed" if holds else "failed"] += 1
    if not holds:
        print(f"FAIL {what}: {why}")


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Fields(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("wanted", "calls", "blocks", "bytes", "asked", "answered", "in_use")]


class Planted:
    """The file through which the preloaded library is talked to."""

    def __init__(self, name):
        self.path = f"{WORK}/{name}.planted"
        with open(self.path, "wb+") as file:
            file.truncate(ctypes.sizeof(Fields))
            self.map = mmap.mmap(file.fileno(), ctypes.sizeof(Fields))
        self.fields = Fields.from_buffer(self.map)

    def environment(self):
        """As the words of env; without the thread caches, whose free chunks the C library counts as in use."""
        return f"env LD_PRELOAD={LIBRARY} PLANTED={self.path} GLIBC_TUNABLES=glibc.malloc.tcache_count=0"

    def in_use(self, poke):
        self.fields.asked += 1
        poke()
        wait_for(lambda: self.fields.answered == self.fields.asked, "mallinfo2()")
        return self.fields.in_use


class Traced:
    """The tool; `with` ends it with SIGINT, then `stacks` is its last report."""

    def __init__(self, name, *arguments):
        self.name, self.path = name, f"{WORK}/{name}.report"
        self.command = [TOOL, "-a", "-o", "0", "-T", "10000000", *arguments, "100000"]

    def __enter__(self):
        with open(self.path, "w") as out, open(f"{WORK}/{self.name}.stderr", "w") as err:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        wait_for(lambda: self.process.poll() is not None or "Attaching to pid" in open(self.path).read(), "attached")
        return self

    def finish(self):
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(PATIENCE)
        check(f"{self.name}: the tool ends well", status == 0, f"status {status}, {self.stderr()}")
        self.stacks = report_of(self.path)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stderr(self):
        return open(f"{WORK}/{self.name}.stderr").read()

    def lost(self):
        """What the tool says that it lost."""
        return [line for line in self.stderr().splitlines() if re.search(r"not stored|not seen|lost|did not return", line)]


def report_of(path):
    """A server may write to the same standard output: only what follows the heading counts."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    heads = [i for i, line in enumerate(lines) if report.HEAD.match(line)]
    return report.parse_lines(lines[heads[-1] :], path)[-1]


def of_heap(stacks):
    """Without the stacks of threads, which pthread_create() maps."""
    return [stack for stack in stacks if "pthread_create" not in stack.names or any(addr % 4096 for addr, _ in stack.addrs)]


def glibc_chunks(stacks):
    """Bytes that the C library needs for these blocks (its malloc.c: 8 bytes each, multiples of 16, at least 32; mapped: pages)."""
    total = 0
    for stack in of_heap(stacks):
        for addr, size in stack.addrs:
            if addr % 4096 == 0 and size > 16384:
                continue  # a mapping of the C library's, such as a locale: malloc's blocks begin 16 bytes into a page
            mapped = size >= 128 << 10 and addr % 4096 == 16
            total += (size + 16 + 4095) & ~4095 if mapped else max(32, (size + 8 + 15) & ~15)
    return total


def jemalloc_regions(stacks):
    """The same for jemalloc: four size classes for each power of two."""
    total = 0
    for stack in of_heap(stacks):
        for _, size in stack.addrs:
            step = 16 if size > 8 else 8
            if size > 128:
                step = 1 << ((size - 1).bit_length() - 3)
            total += max(8, (size + step - 1) // step * step)
    return total


def near(a, b, part):
    return abs(a - b) <= part * b


def run_clients(one_client):
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for future in [pool.submit(one_client, i) for i in range(CLIENTS)]:
            future.result(60)


def judge_planted(name, planted, traced, own_function=None):
    leaked = [stack for stack in traced.stacks if stack.names[:1] == ["planted_leak"]]
    seen = (sum(stack.bytes for stack in leaked), sum(stack.blocks for stack in leaked))
    truth = (planted.fields.bytes, planted.fields.blocks)
    check(f"{name}: the planted leak is found, to the byte", seen == truth and truth[1] >= 30, f"{seen}, planted {truth}")
    broken = [str(stack) for stack in leaked if stack.incomplete or stack.names[-1] not in ROOTS]
    check(f"{name}: its stacks are complete", not broken, broken)
    check(f"{name}: nothing is lost", not traced.lost(), traced.lost())
    blocks = sum(stack.blocks for stack in traced.stacks)
    whole = sum(stack.blocks for stack in traced.stacks if stack.names and not stack.incomplete and stack.names[-1] in ROOTS)
    print(f"{name:12} planted {truth[0]} bytes in {truth[1]}, reported {seen[0]} in {seen[1]}; complete stacks: {whole} of {blocks} blocks")
    check(f"{name}: 99 % of all blocks have a complete stack", whole >= 0.99 * blocks, f"{whole} of {blocks}")


def judge_total(name, blocks, own, part, what):
    print(f"{name:12} outstanding, as the allocator rounds: {blocks}; {what}: {own} ({100 * (blocks - own) / own:+.2f} %)")
    check(f"{name}: the total is what {what} says, within {100 * part:.1f} %", near(blocks, own, part), f"{blocks}, {own}")


def have(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        counts["skipped"] += 1
        print(f"skip: {missing[0]} is not installed")
    return not missing


def glibc_server(name, command, port, one_client, poke, part):
    """A server traced from its start. mallinfo2() speaks for all of it."""
    planted = Planted(name)
    with Traced(name, "-c", f"{planted.environment()} {command}") as traced:
        wait_for(lambda: listens(port), f"{name} listens: {traced.stderr()}")
        run_clients(one_client)
        planted.fields.wanted = 1
        run_clients(one_client)
        planted.fields.wanted = 0
        time.sleep(0.5)
        in_use = planted.in_use(poke)
        traced.finish()
    judge_planted(name, planted, traced)
    judge_total(name, glibc_chunks(traced.stacks), in_use, part, "mallinfo2()")


def memcached():
    if not have("memcached"):
        return
    port = free_port()

    def one_client(number):
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
            for i in range(REQUESTS):
                value = "x" * (i * 7 % 3000)
                connection.sendall(f"set {number}-{i} 0 0 {len(value)}\r\n{value}\r\nget {number}-{i}\r\n".encode())
                while answers.readline() != b"END\r\n":
                    pass

    # no slab ahead of need and no thread that moves things: the numbers stand still while they are read
    command = f"memcached -u nobody -l 127.0.0.1 -p {port} -U 0 -t 2 -o no_lru_crawler,no_lru_maintainer"
    glibc_server("memcached", command, port, one_client, lambda: listens(port) and one_client(0), 0.01)


def http_client(port, path):
    def one_client(_):
        for _ in range(REQUESTS // 3):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                while connection.recv(65536):
                    pass

    return one_client


def nginx():
    if not have("nginx"):
        return
    port, root = free_port(), f"{WORK}/nginx"
    os.makedirs(f"{root}/logs")
    with open(f"{root}/index.html", "w") as file:
        file.write("<p>" * 5000)
    with open(f"{root}/nginx.conf", "w") as file:
        file.write(
            f"daemon off; master_process off; error_log {root}/error.log; pid {root}/pid;\n"
            "events {}\n"
            f"http {{ access_log off; root {root}; gzip on;\n"
            + "".join(f"{what}_temp_path {root}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"server {{ listen 127.0.0.1:{port}; }} }}\n"
        )
    one_client = http_client(port, "/index.html")
    command = f"nginx -p {root} -c {root}/nginx.conf"
    glibc_server("nginx", command, port, one_client, lambda: one_client(0), 0.01)


PYTHON_SERVER = """
import http.server, sys
kept = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kept.append(self.headers)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 1000)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def python():
    port = free_port()
    with open(f"{WORK}/server.py", "w") as file:
        file.write(PYTHON_SERVER)
    one_client = http_client(port, "/")
    # every object by malloc()
    command = f"env PYTHONMALLOC=malloc /usr/bin/python3 {WORK}/server.py {port}"
    glibc_server("python3", command, port, one_client, lambda: one_client(0), 0.01)


def redis_command(port, *words):
    return subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, timeout=PATIENCE).stdout


def redis():
    if not have("redis-server", "redis-cli", "redis-benchmark"):
        return
    port = free_port()
    command = f"redis-server --port {port} --bind 127.0.0.1 --save '' --appendonly no --dir {WORK} --logfile /dev/null"
    with Traced("redis", "-c", command) as traced:
        wait_for(lambda: listens(port), f"redis listens: {traced.stderr()}")
        benchmark = ["redis-benchmark", "-p", str(port), "-n", "8000", "-c", "8", "-r", "100000", "-q", "-d"]
        for size, kinds in (("100", "set"), ("300", "lpush,hset"), ("40", "sadd,zadd")):
            subprocess.run([*benchmark, size, "-t", kinds], check=True, capture_output=True, timeout=60)
        for i in range(100):  # the leak: keys that nobody will ask for again
            redis_command(port, "set", f"forgotten-{i}", "x" * 12345)
        time.sleep(1)  # what the connections held is freed by the timer
        own = int(re.search(r"allocator_allocated:(\d+)", redis_command(port, "info", "memory"))[1])
        traced.finish()
    judge_total("redis", jemalloc_regions(traced.stacks), own, 0.02, "allocator_allocated of INFO memory")
    values = [stack for stack in traced.stacks if any(12345 < size < 12500 for _, size in stack.addrs)]
    check("redis: the 100 forgotten values", sum(12345 < s < 12500 for stack in values for _, s in stack.addrs) == 100, values)
    check("redis: their stacks come from the event loop", all("aeMain" in s.names and s.names[-1] == "_start" for s in values), values)
    check("redis: nothing is lost", not traced.lost(), traced.lost())


def initdb(data):
    (binaries,) = sorted(p for p in (f"/usr/lib/postgresql/{v}/bin" for v in os.listdir("/usr/lib/postgresql")) if os.path.exists(f"{p}/initdb"))[-1:]
    os.makedirs(data)
    shutil.chown(data, "postgres")
    os.chmod(WORK, 0o755)
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    subprocess.run([*as_postgres, f"{binaries}/initdb", "-D", data, "-A", "trust", "--no-sync"], check=True, capture_output=True, timeout=120)
    return as_postgres, binaries


def postgresql():
    if not os.path.isdir("/usr/lib/postgresql"):
        return have("postgres")
    port, data = free_port(), f"{WORK}/postgresql"
    as_postgres, binaries = initdb(data)
    options = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data, "-c", "fsync=off", "-c", "jit=off"]
    server = subprocess.Popen([*as_postgres, f"{binaries}/postgres", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port), "postgres listens")
        wait_for(lambda: subprocess.run(["pg_isready", "-h", "127.0.0.1", "-p", str(port)], capture_output=True).returncode == 0, "postgres is ready")
        one_backend(port)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(PATIENCE)


class Psql:
    def __init__(self, port):
        command = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-At", "-q"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, statement):
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def one_backend(port):
    """The leak: statements that are prepared and never deallocated. pg_backend_memory_contexts speaks for its contexts."""
    psql = Psql(port)
    total = "select sum(total_bytes) from pg_backend_memory_contexts;"
    pid = psql.ask("select pg_backend_pid();")
    for _ in range(3):  # plans and catalog entries that the question itself leaves behind
        before = int(psql.ask(total))
    with Traced("postgresql", "-p", pid) as traced:
        for i in range(1000):
            psql.process.stdin.write(f"prepare forgotten_{i} as select relname, {i} from pg_class where relpages > {i};\n")
        grown = int(psql.ask(total)) - before
        traced.finish()
    judge_total("postgresql", sum(stack.bytes for stack in traced.stacks), grown, 0.02, "growth in pg_backend_memory_contexts")
    check("postgresql: nothing is lost", not traced.lost(), traced.lost())
    broken = [str(stack) for stack in traced.stacks if stack.incomplete or stack.names[-1] not in ROOTS]
    check("postgresql: every stack is complete", not broken, broken)
    psql.process.stdin.close()
    psql.process.wait(PATIENCE)


NODE_SERVER = """
const http = require('http'), kept = [];
http.createServer((request, response) => {
    if (request.url === '/leak')
        kept.push(Buffer.allocUnsafeSlow(1000003));
    response.end(String(process.memoryUsage().arrayBuffers));
}).listen(Number(process.argv[2]), '127.0.0.1');
"""


def node():
    if not have("node"):
        return
    port = free_port()
    with open(f"{WORK}/server.js", "w") as file:
        file.write(NODE_SERVER)

    def get(path):
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answer:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return int(answer.read().split(b"\r\n\r\n")[1])

    with Traced("node", "-c", f"node {WORK}/server.js {port}") as traced:
        wait_for(lambda: listens(port), f"node listens: {traced.stderr()}")
        before = get("/")
        for _ in range(50):
            get("/leak")
        grown = get("/") - before
        traced.finish()
    sizes = [size for stack in traced.stacks for _, size in stack.addrs if size == 1000003]
    judge_total("node", sum(sizes), grown, 0.02, "growth of memoryUsage().arrayBuffers")
    check("node: nothing is lost", not traced.lost(), traced.lost())


for run in [globals()[n] for n in (sys.argv[4:] or "memcached nginx python redis postgresql node".split())]:
    try:
        run()
    except (TimeoutError, subprocess.SubprocessError, OSError, ValueError) as error:
        check(run.__name__, False, f"{type(error).__name__}: {error}")
print(f"{counts['passed']} passed, {counts['failed']} failed" + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
sys.exit(bool(counts["failed"]))
