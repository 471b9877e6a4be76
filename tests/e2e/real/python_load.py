# SPDX-License-Identifier: BSD-2-Clause
"""Allocates through CPython: containers, text, JSON, regular expressions. Until it is ended."""
import collections
import json
import re

kept = collections.deque(maxlen=500)
while True:
    data = {str(i): [i, {"text": "y" * (i % 50)}] for i in range(300)}
    text = json.dumps(data)
    kept.append((json.loads(text), bytearray(2000)))
    re.sub(r"(\d+)", lambda match: match.group(1) * 2, text)
    sorted(data.items(), key=lambda item: item[1][0])
