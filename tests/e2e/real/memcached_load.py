# SPDX-License-Identifier: BSD-2-Clause
"""memcached_load.py PORT: four clients that set and get values of many sizes and connect anew. Until it is ended."""
import random
import socket
import sys
import threading


def client(port):
    while True:
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
            for _ in range(100):
                key, value = random.randrange(100000), "x" * random.randrange(1, 3000)
                request = f"set {key} 0 0 {len(value)}\r\n{value}\r\nget {key} 1 2 3\r\nstats\r\nstats slabs\r\n"
                connection.sendall(request.encode())
                for _ in range(3):
                    while answers.readline() != b"END\r\n":
                        pass


for _ in range(4):
    threading.Thread(target=client, args=(int(sys.argv[1]),), daemon=True).start()
threading.Event().wait()
