#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""totals.py [PERIOD]: what a stream on stdin says in all, a line for each time
bucket and tag set: requests, how many failed, and for each timing the smallest
and largest value, the sum, and the histogram, whether a request is inside an
aggregate or stands for itself. Slow, and right by being simple."""
import json
import sys
from calendar import timegm
from decimal import Decimal, ROUND_CEILING
from functools import lru_cache
from time import strptime

PERIOD = int(sys.argv[1]) if len(sys.argv) > 1 else 3
TIMINGS = ["http_req_" + t for t in ("duration blocked connecting "
           "tls_handshaking sending waiting receiving").split()]


@lru_cache(None)
def second(time):
    return timegm(strptime(time, "%Y-%m-%dT%H:%M:%S"))


@lru_cache(None)
def sorted_tags(tags):
    return json.dumps(dict(tags), sort_keys=True)


@lru_cache(None)
def number(text):
    return Decimal(text)


@lru_cache(None)
def index(ms):
    u = int((ms / Decimal("0.001")).to_integral_value(ROUND_CEILING))
    if u < 256:
        return u
    n = u.bit_length() - 8
    return 128 * n + (u >> n)


def unpack(hist):
    at, left, out = 0, list(hist["counters"]), {}
    spans = hist["spans"]
    for gap, length in zip(spans[::2], spans[1::2]):
        at += int(gap)
        for _ in range(int(length)):
            out[at] = int(left.pop(0))
            at += 1
    return out


class Total:
    def __init__(self):
        self.count = self.failed = 0
        self.timings = {t: [None, None, Decimal(0), {}] for t in TIMINGS}

    def add(self, timing, low, high, total, hist):
        t = self.timings[timing]
        t[0] = low if t[0] is None else min(t[0], low)
        t[1] = high if t[1] is None else max(t[1], high)
        t[2] += total
        for i, n in hist.items():
            t[3][i] = t[3].get(i, 0) + n


totals = {}
for line in sys.stdin:
    if '"http_req' not in line:
        continue
    o = json.loads(line, parse_float=number, parse_int=number)
    if o["type"] not in ("Point", "AggregatedPoints"):
        continue
    data = o["data"]
    tags = sorted_tags(tuple(sorted((data.get("tags") or {}).items())))
    if o["type"] == "Point":
        key = (second(data["time"][:19]) // PERIOD, tags)
        v = data["value"]
        if o["metric"] == "http_reqs":
            totals.setdefault(key, Total()).count += int(v)
        elif o["metric"] == "http_req_failed":
            totals.setdefault(key, Total()).failed += v != 0
        elif o["metric"] in TIMINGS:
            totals.setdefault(key, Total()).add(o["metric"], v, v, v,
                                                {index(v): 1})
        continue
    total = totals.setdefault((int(data["time"]) // 1000000 // PERIOD, tags),
                              Total())
    total.count += int(data["count"])
    total.failed += int(data["values"].get("http_req_failed",
                                           {"nz_count": 0})["nz_count"])
    for t in TIMINGS:
        v = data["values"][t]
        total.add(t, v["min"], v["max"], v["hist"]["sum"], unpack(v["hist"]))

for (bucket, tags), total in sorted(totals.items()):
    print(bucket, tags, total.count, total.failed, *[
        f"{t[9:]} {low:f} {high:f} {float(s):.9g} " +
        " ".join(f"{i}:{n}" for i, n in sorted(hist.items()))
        for t, (low, high, s, hist) in total.timings.items()], sep="\t")
