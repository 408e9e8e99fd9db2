#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second implementation of the aggregation, slow and plain.

usage: reference.py SEED DIR      make DIR/in, DIR/args, DIR/want
       reference.py --same A B    are the samples of two files the same?

It makes a random stream and random settings, and says what k6agg and k6push
--dry-run must make of them. Nothing is late: the wait is longer than the
stream.
"""
import json
import math
import random
import sys
from fractions import Fraction

TIMINGS = ["http_req_" + t for t in (
    "duration", "blocked", "connecting", "tls_handshaking", "sending",
    "waiting", "receiving")]


def rfc3339(ns):
    """2026-01-01 and ns later, with the digits that it needs."""
    seconds, fraction = divmod(ns, 10**9)
    text = f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}"
    return text + (f".{fraction:09}".rstrip("0") if fraction else "") + "Z"


def make_requests(rng, period):
    """Requests as (ns, tags, ns of each timing, failed or None)."""
    names = [f"n{i}" for i in range(rng.randint(1, 4))]
    base = 10 ** rng.randint(3, 8)
    for _ in range(rng.randint(1, 400)):
        at = rng.choice([rng.randrange(9 * 10**9),
                         period * rng.randint(0, 4)])
        spread = rng.choice([1, 1, 1, 2, 30])
        is_new = rng.random() < 0.1
        sending, waiting, receiving = (
            rng.randrange(base * spread) for _ in range(3))
        connecting = rng.randrange(base) if is_new else 0
        tls = rng.randrange(base) if is_new else 0
        yield (at, rng.choice(names),
               [sending + waiting + receiving, connecting + tls, connecting,
                tls, sending, waiting, receiving],
               rng.choice([0, 0, 1, None]))


def quantile(values, p, threshold):
    """p of the sorted values: a rank, or between two when they are few."""
    place = p * (len(values) - 1)
    if len(values) >= threshold:
        return values[math.floor(place + 0.5)]
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low + int((high - low) * (place - math.floor(place)))


def fence(values, rule):
    values = sorted(values)
    radius = min(0.5, rule["radius"])
    q1 = quantile(values, 0.5 - radius, rule["threshold"])
    q3 = quantile(values, 0.5 + radius, rule["threshold"])
    return (q1 - int(rule["lower"] * (q3 - q1)),
            q3 + int(rule["upper"] * (q3 - q1)))


def point(request):
    at, name, ns, failed = request
    values = {t: v / 1e6 for t, v in zip(TIMINGS, ns)}
    values["http_reqs"] = 1
    if failed is not None:
        values["http_req_failed"] = failed
    return {"type": "Points", "metric": "http_req_li_all", "data": {
        "time": str((EPOCH + at) // 1000), "type": "counter",
        "tags": {"name": name}, "values": values}}


def aggregate(bucket, name, requests, period):
    values = {}
    for i, timing in enumerate(TIMINGS):
        ns = [r[2][i] for r in requests]
        values[timing] = {"min": min(ns) / 1e6, "max": max(ns) / 1e6,
                          "avg": sum(ns) / 1e6 / len(ns)}
    known = [r[3] for r in requests if r[3] is not None]
    if known:
        values["http_req_failed"] = {"count": len(known),
                                     "nz_count": sum(known)}
    middle = bucket * period + period // 2
    return {"type": "AggregatedPoints", "metric": "http_req_li_all", "data": {
        "time": str(middle // 1000), "type": "aggregated_trend",
        "count": len(requests), "tags": {"name": name}, "values": values}}


def fold(requests, rule, period):
    groups = {}
    for r in requests:
        groups.setdefault(((EPOCH + r[0]) // period, r[1]), []).append(r)
    for (bucket, name), group in groups.items():
        inside = group
        if len(group) < rule["min"]:
            inside = []
        elif not rule["skip"]:
            connection = fence([r[2][2] + r[2][3] for r in group], rule)
            duration = fence([r[2][0] for r in group], rule)
            inside = [r for r in group
                      if connection[0] <= r[2][2] + r[2][3] <= connection[1]
                      and duration[0] <= r[2][0] <= duration[1]]
        yield from (point(r) for r in group if r not in inside)
        if inside:
            yield aggregate(bucket, name, inside, period)


def print_stream(requests, out):
    for at, name, ns, failed in requests:
        samples = [("http_reqs", 1)]
        samples += [(t, v / 1e6) for t, v in zip(TIMINGS, ns)]
        if failed is not None:
            samples.append(("http_req_failed", failed))
        for metric, value in samples:
            print(json.dumps({"metric": metric, "type": "Point", "data": {
                "time": rfc3339(at), "value": value,
                "tags": {"name": name}}}, separators=(",", ":")), file=out)


def make(seed, folder):
    rng = random.Random(seed)
    period = rng.choice([10**9, 3 * 10**9, 7 * 10**8, 10**10])
    rule = {"min": rng.choice([0, 1, 5, 25, 100]),
            "threshold": rng.choice([0, 20, 75, 1000]),
            "radius": rng.choice([0, 0.1, 0.25, 0.4, 0.5, 0.7]),
            "lower": rng.choice([0, 0.5, 1.5, 10]),
            "upper": rng.choice([0, 0.3, 1.3, 10]),
            "skip": rng.random() < 0.15}
    requests = list(make_requests(rng, period))
    with open(folder + "/in", "w") as out:
        print_stream(requests, out)
    with open(folder + "/args", "w") as out:
        print("-w 24h -p", f"{period}ns", "--min-samples", rule["min"],
              "--algo-threshold", rule["threshold"],
              "--iqr-radius", rule["radius"],
              "--iqr-coef-lower", rule["lower"],
              "--iqr-coef-upper", rule["upper"],
              *["--skip-outlier-detection"] * rule["skip"], file=out)
    with open(folder + "/want", "w") as out:
        for sample in fold(requests, rule, period):
            print(json.dumps(sample), file=out)


def canonical(value):
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    return str(Fraction(value)) if isinstance(value, (int, float)) else value


def load(path):
    with open(path) as lines:
        return sorted(json.dumps(canonical(json.loads(line)), sort_keys=True)
                      for line in lines)


def same(a, b):
    a, b = load(a), load(b)
    only_a, only_b = set(a) - set(b), set(b) - set(a)
    for line in list(only_a)[:3]:
        print("only in the first: ", line)
    for line in list(only_b)[:3]:
        print("only in the second:", line)
    print(len(a), "and", len(b), "samples")
    return 0 if a == b else 1


EPOCH = 1767225600 * 10**9

if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--same":
        sys.exit(same(*sys.argv[2:]))
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    make(int(sys.argv[1]), sys.argv[2])
