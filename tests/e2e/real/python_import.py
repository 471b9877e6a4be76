# SPDX-License-Identifier: BSD-2-Clause
"""Opens extension modules, and libraries with them, after a line on stdin; then goes on using them until it is ended."""
import sys

MODULES = "ssl sqlite3 lzma bz2 decimal ctypes json readline xml.etree.ElementTree asyncio uuid unicodedata"

sys.stdin.readline()
for name in MODULES.split():
    try:
        __import__(name)
    except ImportError:
        pass

import bz2
import sqlite3
import ssl

database = sqlite3.connect(":memory:")
while True:
    ssl.create_default_context()
    bz2.compress(b"abc" * 1000)
    database.execute("select json_array(1, 2, 3), hex(randomblob(100))").fetchall()
