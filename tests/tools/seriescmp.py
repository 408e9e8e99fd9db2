#!/usr/bin/env python3
"""seriescmp.py GOLDEN OURS: are two MetricSets of protocol 2 the same?

Each is a JSON object, as protoc or protojson print it, or series, one a line,
as k6push --dry-run prints them; .gz is unpacked, - is stdin. Series and values
may stand in any order; numbers are equal to 1e-9. The golden ones are of k6
0.48, whose gauges have min and max swapped, and 0 in place of a greatest value
below it, which is not known then. The exit status is 1 if they differ.
"""
import collections
import gzip
import json
import sys


def read(path):
    if path == "-":
        return sys.stdin.read()
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as f:
        return f.read()


def metrics_of(text):
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > 1 and lines[0].strip() == "{":
        return json.loads(text).get("metrics", [])
    return [json.loads(line) for line in lines]


def put_right(value):
    low, high = value.get("max", 0), value.get("min", 0)
    if high == 0 and value.get("last", 0) < 0:
        high = "unknown"
    value["min"], value["max"] = low, high


def plain(kind, value, is_golden):
    value = dict(value)
    if kind == "gauge_samples" and is_golden:
        put_right(value)
    if "spans" in value:
        value["spans"] = [(s.get("offset", 0), s["length"])
                          for s in value["spans"]]
    return {k: v for k, v in value.items() if v not in (0, [])}


def series_of(text, is_golden):
    series = collections.defaultdict(list)
    for metric in metrics_of(text):
        for one in metric["time_series"]:
            kind = next(k for k in one if k.endswith("_samples"))
            labels = tuple((x.get("name", ""), x.get("value", ""))
                           for x in one.get("labels", []))
            series[metric["name"], metric["type"], labels].extend(
                plain(kind, v, is_golden) for v in one[kind]["values"])
    for values in series.values():
        values.sort(key=lambda v: json.dumps(v, sort_keys=True))
    return series


def is_same(a, b):
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    return a == b or a == "unknown"


def main():
    golden = series_of(read(sys.argv[1]), True)
    ours = series_of(read(sys.argv[2]), False)
    differ = 0
    for key in sorted(golden.keys() | ours.keys()):
        a, b = golden.get(key, []), ours.get(key, [])
        if len(a) == len(b) and all(
                is_same(x.get(k, 0), y.get(k, 0))
                for x, y in zip(a, b) for k in x.keys() | y.keys()):
            continue
        differ += 1
        if differ <= 5:
            print("differs:", key, "\n  golden", a, "\n  ours  ", b)
    print(len(golden), "series,", differ, "differ")
    return 1 if differ or not golden else 0


if __name__ == "__main__":
    sys.exit(main())
