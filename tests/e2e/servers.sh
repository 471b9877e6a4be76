#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# Proves, on servers as the distribution ships them and under load on loopback (memcached, nginx, a Python and a Node program, redis
# with jemalloc, a PostgreSQL backend): a leak that is planted in them, by configuration or by a preloaded library, is reported to
# the byte with complete stacks; the total is what their own accounting says: mallinfo2(), INFO memory,
# pg_backend_memory_contexts, process.memoryUsage().

. "$(dirname "$0")/lib.sh"
"$E2E/servers.py" "$TOOL" "$PROGRAMS/planted_lib.so" "$WORK"
