# SPDX-License-Identifier: BSD-2-Clause
"""
redis_load.py PORT SECONDS: work for the redis-server of tests/page/picture. One client of it makes a well-known mistake: it puts its arguments into the
text of its scripts, and redis keeps every script that it has ever seen.
"""

import random
import socket
import sys
import time


def command(*words):
    encoded = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def script(visit):
    return (f"local n = redis.call('HINCRBY', 'user:{visit}', 'visits', 1) redis.call('EXPIRE', 'user:{visit}', 5) "
            f"if n > 100 then redis.call('SADD', 'busy', '{visit}') end return cjson.encode({{user = {visit}, visits = n}})")


def main():
    server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    end, visit = time.time() + float(sys.argv[2]), 0
    while time.time() < end:
        requests = b""
        for _ in range(20):
            visit += 1
            user = random.randrange(2000)
            requests += command("EVAL", script(visit), 0)
            requests += command("SET", f"session:{user}", "x" * random.randrange(50, 400), "EX", 20)
            requests += command("ZADD", "seen", int(time.time()), user)
            requests += command("LPUSH", "recent", f"page {visit}") + command("LTRIM", "recent", 0, 999)
        server.sendall(requests)
        time.sleep(0.05)
        while len(server.recv(1 << 16)) == 1 << 16:
            pass


main()
