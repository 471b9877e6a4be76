#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Proves: rows of CFI are those of readelf, for the files of tests/parity/files. For every file: make test-parity.
exec "$(dirname "$0")/parity/run.sh" --fixed
