#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The kernel's walker, compiled for user space under sanitizers, over snapshots of processes that it starts: tests/walker.
build=${BUILD:-build/$(uname -m)}
exec "$build/tests/walker/walker_test" "$build/tests/programs"
