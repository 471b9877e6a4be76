#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
outputs.py same|unchanged|changed FILES REPORT: the last report of FILES.json, .html, .folded, .pb.gz and .txt against the last one in REPORT,
as stdout had it.

same       each has the same stacks, by bytes, blocks and, where the file has it, names, and the same sums
unchanged  and compared with an earlier report, nothing is different
changed    and all that is there is new, and all that was there is gone
"""
import collections
import gzip
import json
import re
import sys

import html_page
import profile_pb2
import report

SINCE = re.compile(r"\[memleak\] since [-0-9]{10} [:0-9]{8}: ([+-]\d+) bytes in ([+-]\d+) allocations( in all)?(?:; (\d+) stacks .*)?$")


def last_lines(path):
    lines = open(path, encoding="utf-8").read().splitlines()
    first = max(i for i, line in enumerate(lines) if " Top " in line)
    return [line for line in lines[first:] if not report.SINCE.match(line)], lines[first:]


def of_text(path):
    stacks = report.parse_lines(last_lines(path)[0], path)[-1]
    return collections.Counter((s.bytes, s.blocks, tuple(s.names)) for s in stacks)


def of_json(path):
    lines = open(path, encoding="utf-8").read().split("\n")
    assert lines[-1] == ""
    whole = json.loads(lines[-2])
    frames = whole["frames"]
    stacks = collections.Counter()
    for stack in whole["stacks"]:
        if stack["blocks"]:
            names = tuple(frames[i].get("function") for i in stack["frames"] if not frames[i].get("inlined"))
            stacks[(stack["bytes"], stack["blocks"], names)] += 1
    assert whole["bytes"] == sum(s["bytes"] for s in whole["stacks"])
    assert whole["blocks"] == sum(s["blocks"] for s in whole["stacks"])
    return whole, stacks


def of_profile(path):
    profile = profile_pb2.Profile()
    profile.ParseFromString(gzip.open(path).read())
    text = profile.string_table
    locations = {location.id: location for location in profile.location}
    functions = {function.id: text[function.name] for function in profile.function}
    mappings = {mapping.id for mapping in profile.mapping}
    kinds = [text[kind.type] + "/" + text[kind.unit] for kind in profile.sample_type]
    assert kinds == ["inuse_objects/count", "inuse_space/bytes"] and text[profile.default_sample_type] == "inuse_space"
    assert all(location.mapping_id in mappings | {0} for location in profile.location)
    now, base = collections.Counter(), collections.Counter()
    for sample in profile.sample:
        labels = {text[label.key]: text[label.str] or label.num for label in sample.label}
        found = [locations[i].line for i in sample.location_id]
        names = tuple(functions[line[-1].function_id] if line else None for line in found)
        if labels.get("pprof::base") == "true":
            base[(-sample.value[1], -sample.value[0], names)] += 1
        else:
            now[(sample.value[1], sample.value[0], names)] += 1
    return now, base


def of_folded(path):
    """The values of each line, of which there may be two."""
    lines = open(path, encoding="utf-8").read().splitlines()
    return [re.search(r"[^;] (\d+)(?: (\d+))?$", line).groups() for line in lines]


def summed(stacks):
    return tuple(sum(key[i] * n for key, n in stacks.items()) for i in (0, 1))


def equal(what, a, b):
    if a != b:
        difference = {"only here": a - b, "only there": b - a} if isinstance(a, collections.Counter) else {}
        sys.exit(f"{what}: {a if not difference else ''} {b if not difference else ''} {difference}")


def unescaped(stacks):
    """Text has names as they are but for control characters: only these differ."""
    return collections.Counter({(size, n, tuple(name and name.replace("\\\\", "\\") for name in names)): count
                                for (size, n, names), count in stacks.items()})


def main():
    how, files, printed = sys.argv[1:]
    expected = of_text(printed)
    whole, in_json = of_json(files + ".json")
    now, base = of_profile(files + ".pb.gz")
    compared = "before_bytes" in whole
    if not sum(expected.values()):
        sys.exit("there are no stacks in the report")
    equal(".txt", of_text(files + ".txt"), expected)
    equal(".json", unescaped(in_json), expected)
    equal(".pb.gz", unescaped(now), expected)
    data, in_page, page_before = html_page.read(files + ".html")
    equal(".html", in_page, expected)
    equal(".html, sums", (data["bytes"], data["blocks"]), summed(expected))
    equal(".html, before", page_before, unescaped(base))
    folded = of_folded(files + ".folded")
    values = [int(pair[1] if compared else pair[0]) for pair in folded]
    equal(".folded", collections.Counter(v for v in values if v),
          collections.Counter({size: n for size, n in
                               collections.Counter(size for (size, _, _) in expected.elements()).items() if size}))
    equal("sums", summed(expected), (whole["bytes"], whole["blocks"]))
    check_comparison(how, whole, base, folded, last_lines(printed)[1])
    print(f"{sum(expected.values())} stacks, {whole['bytes']} bytes")


def check_comparison(how, whole, base, folded, lines):
    since = [match.groups() for match in (SINCE.search(line) for line in lines) if match]
    if "before_bytes" not in whole:
        assert not base and not since and how == "same"
        return
    before = sum(stack["before_bytes"] for stack in whole["stacks"])
    equal("what there was", (before, whole["before_bytes"]), (whole["before_bytes"], summed(base)[0]))
    equal(".folded", sum(int(pair[0]) for pair in folded), before)
    equal("the report's sum", (int(since[-1][0]), since[-1][2]), (whole["bytes"] - before, " in all"))
    shown = [stack for stack in whole["stacks"] if stack["blocks"]]
    equal("the report's lines", [int(line[0]) for line in since[:-1]], [s["bytes"] - s["before_bytes"] for s in shown])
    gone = len(whole["stacks"]) - len(shown)
    equal("stacks that are gone", int(since[-1][3] or 0), gone)
    if how == "unchanged":
        assert gone == 0 and all(s["bytes"] == s["before_bytes"] for s in shown)
    if how == "changed":
        assert gone and all(s["before_bytes"] == 0 for s in shown)


main()
