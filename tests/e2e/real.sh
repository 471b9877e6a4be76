#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# Proves, on programs as the distribution ships them and under load: of all walks, not only those of blocks that stay,
# at least 99.9 % reach the root of their thread (node: 99 %, frame-pointer steps through compiled JavaScript included);
# the stacks reported as complete end where a thread begins; the programs run on.

# shellcheck source=tests/e2e/real_lib.sh
. "$(dirname "$0")/real_lib.sh"
LOADS=$E2E/real

# python3, once with everything mapped and once with libraries opened under trace
python_runs() {
	local python=/usr/bin/python3 importer go
	have $python || return
	start $python "$LOADS/python_load.py"
	nap 0.5
	trace python3 "$started_pid" libc.so.6
	stop "$started_pid"

	mkfifo "$WORK/import"
	exec {go}<>"$WORK/import" # both ends, so that no opening waits
	start $python "$LOADS/python_import.py" <&"$go"
	importer=$started_pid
	nap 0.5
	{ nap 1.5; echo >&"$go"; } &
	trace python3-imports "$importer" libc.so.6
	stop "$importer"
	exec {go}>&-
}

sqlite_run() {
	local load sql
	have sqlite3 || return
	mkfifo "$WORK/sql"
	exec {sql}<>"$WORK/sql"
	start python3 "$LOADS/sqlite_load.py" >&"$sql"
	load=$started_pid
	start sqlite3 <&"$sql" >"$WORK/sqlite.out"
	nap 0.5
	trace sqlite3 "$started_pid" libc.so.6
	stop "$started_pid" "$load"
	exec {sql}>&-
}

# With threads, and allocations by jemalloc
redis_run() {
	local server load port
	have redis-server redis-benchmark || return
	port=$(free_port)
	start redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --io-threads 2 \
		--dir "$WORK" >"$WORK/redis.out"
	server=$started_pid
	check "redis: listens" wait_for 10 listens "$port"
	start redis-benchmark -h 127.0.0.1 -p "$port" -n 100000000 -c 20 -r 100000 -d 200 -q \
		-t set,get,lpush,hset,sadd,zadd >"$WORK/redis.load" 2>&1
	load=$started_pid
	nap 0.5
	trace redis-jemalloc "$server" libjemalloc.so.2
	stop "$load" "$server"
}

memcached_run() {
	local server load port
	have memcached || return
	port=$(free_port)
	start memcached -u nobody -l 127.0.0.1 -p "$port" -U 0 -t 2
	server=$started_pid
	check "memcached: listens" wait_for 10 listens "$port"
	start python3 "$LOADS/memcached_load.py" "$port"
	load=$started_pid
	nap 0.5
	trace memcached "$server" libc.so.6
	stop "$load" "$server"
}

# A TLS server: hand-written assembly, handshakes
openssl_run() {
	local server load port
	have openssl || return
	port=$(free_port)
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 1 \
		-subj /CN=localhost 2>"$WORK/openssl.log"
	start openssl s_server -accept "127.0.0.1:$port" -key "$WORK/key.pem" -cert "$WORK/cert.pem" \
		-quiet >"$WORK/openssl.log" 2>&1
	server=$started_pid
	check "openssl: listens" wait_for 10 listens "$port"
	start openssl s_time -connect "127.0.0.1:$port" -new -time 60 >"$WORK/openssl.load" 2>&1
	load=$started_pid
	nap 0.5
	trace openssl "$server" libc.so.6
	stop "$load" "$server"
}

# The compiler proper, on a source that has been through the preprocessor; a few hundred stacks are deeper than 127 frames
compiler_run() {
	local cc1plus
	have g++ || return
	cc1plus=$(g++ -print-prog-name=cc1plus)
	have "$cc1plus" || return
	g++ -E "$LOADS/compiled.cc" -o "$WORK/compiled.ii"
	SECONDS_TRACED=15 trace_command cc1plus \
		"$cc1plus -quiet -O2 -fpreprocessed $WORK/compiled.ii -o $WORK/compiled.s" \
		--perf-max-stack-depth 1000
}

# The same of clang: a library of 100 MB, stacks deeper than 127 frames
clang_run() {
	have clang || return
	clang -E "$LOADS/compiled.cc" -o "$WORK/clang.ii"
	SECONDS_TRACED=10 trace_command clang \
		"clang -O2 -c $WORK/clang.ii -o $WORK/clang.o" --perf-max-stack-depth 1000
}

# A command with many libraries, most of which are mapped after libc
gdb_run() {
	have gdb || return
	trace_command gdb "gdb -q -batch -nx"
}

node_run() {
	have node || return
	start node "$LOADS/node_load.js"
	nap 1
	SHARE=99 trace node "$started_pid" libc.so.6
	stop "$started_pid"
}

python_runs
sqlite_run
redis_run
memcached_run
openssl_run
compiler_run
clang_run
gdb_run
node_run
real_summary
