# SPDX-License-Identifier: BSD-2-Clause
"""Reads the data of a page of --output FILE.html, as examples/memleak_bcc_dwunw/output/html_stacks.h has it; apart from the page's own script."""
import collections
import json

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def column(text, n):
    if isinstance(text, int):
        return [text] * n
    numbers, last, value, shift = [], 0, 0, 0
    for character in text:
        digit = DIGITS.index(character)
        value |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            last += ~(value >> 1) if value & 1 else value >> 1
            numbers.append(last)
            value = shift = 0
    assert len(numbers) == n and not shift
    return numbers


def read(path):
    """The data, and how often there are which (bytes, blocks, names without inlined functions, innermost first), in this report and before."""
    page = open(path, encoding="utf-8").read()
    data = json.loads(page.split('<script type="application/json" id="data">', 1)[1].split("</script>", 1)[0])
    n = len(data["history"])
    shared, own = column(data["shared"], n), column(data["own"], n)
    frames = column(data["frames"], sum(own))
    functions = column(data["frame_function"], len(data["frame_flags"]))
    size, blocks = (column(data["columns"][name], n) for name in ("bytes", "blocks"))
    before, blocks_before = (column(data["columns"]["before_" + name], n) for name in ("bytes", "blocks"))
    now, was, path_, at = collections.Counter(), collections.Counter(), [], 0
    for i in range(n):
        path_ = path_[:shared[i]] + frames[at:at + own[i]]
        at += own[i]
        named = [data["functions"][functions[frame]] for frame in reversed(path_) if not int(data["frame_flags"][frame]) & 1]
        names = tuple(name if isinstance(name, str) else None for name in named)
        if blocks[i]:
            now[(size[i], blocks[i], names)] += 1
        if blocks_before[i]:
            was[(before[i], blocks_before[i], names)] += 1
    return data, now, was
