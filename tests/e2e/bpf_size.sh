#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Proves that no BPF program has grown far beyond what tests/bpf_size/baseline says the verifier looks at.
exec tests/bpf_size/measure
