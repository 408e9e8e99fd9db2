#!/usr/bin/env python3
"""wire2json.py BODY...: bodies of protocol 2 as one JSON MetricSet.

Independent of the tools under test: snappy's block format is undone here, the
message is protoc's, by tests/data/metrics.proto.
"""
import datetime
import json
import os
import re
import subprocess
import sys


def unsnap(block):
    n = shift = at = 0
    while True:
        n |= (block[at] & 0x7f) << shift
        at += 1
        if block[at - 1] < 0x80:
            break
        shift += 7
    out = bytearray()
    while at < len(block):
        tag = block[at]
        kind, length = tag & 3, tag >> 2
        at += 1
        if kind == 0:
            if length >= 60:
                k = length - 59
                length = int.from_bytes(block[at:at + k], "little")
                at += k
            out += block[at:at + length + 1]
            at += length + 1
            continue
        if kind == 1:
            offset = (tag >> 5) << 8 | block[at]
            length = (length & 7) + 3
        k = (1, 2, 4)[kind - 1]
        if kind != 1:
            offset = int.from_bytes(block[at:at + k], "little")
        at += k
        for _ in range(length + 1):
            out.append(out[-offset])
    assert len(out) == n, (len(out), n)
    return bytes(out)


def value_of(text):
    if text[0] == '"':
        raw = re.sub(r'\\([0-7]{3}|.)', lambda m: chr(int(m[1], 8))
                     if len(m[1]) == 3 else
                     {"n": "\n", "r": "\r", "t": "\t"}.get(m[1], m[1]),
                     text[1:-1])
        return raw.encode("latin-1").decode()
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def tree(lines):
    repeated = {"metrics", "time_series", "labels", "values", "spans",
                "counters"}
    node = {}
    for line in lines:
        line = line.strip()
        if line == "}":
            return node
        if line.endswith("{"):
            key, value = line[:-1].strip(), tree(lines)
        else:
            key, _, text = line.partition(": ")
            value = value_of(text)
        if key == "time":
            seconds = value.get("seconds", 0)
            assert value.get("nanos", 0) == 0
            value = (datetime.datetime(1970, 1, 1) + datetime.timedelta(
                seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if key in repeated:
            node.setdefault(key, []).append(value)
        else:
            node[key] = value
    return node


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    whole = {"metrics": []}
    for path in sys.argv[1:]:
        with open(path, "rb") as f:
            message = unsnap(f.read())
        text = subprocess.run(
            ["protoc", "--decode=MetricSet", "-I", here + "/../data",
             "metrics.proto"], input=message, check=True,
            stdout=subprocess.PIPE).stdout.decode("latin-1")
        one = tree(iter(text.split("\n")[:-1]))
        whole["metrics"] += one.pop("metrics", [])
        whole.update(one)
    for value in whole["metrics"]:
        for series in value["time_series"]:
            for samples in series.values():
                if isinstance(samples, dict):
                    samples.setdefault("values", [])
    json.dump(whole, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
