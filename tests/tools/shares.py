"""shares.py FOLDER: the requests of four generators, of which one is slow.

Writes FOLDER/1.ndjson to 4.ndjson, and prints what a threshold must find over
all of them together, as JSON: {"p(95)": ms, ...}. The numbers are random, with
the seed in the environment's SEED (printed on stderr).
"""
import json
import os
import random
import sys

SHARES = [4000, 4000, 4000, 600]
MEDIAN = [80, 90, 100, 900]

seed = int(os.environ.get("SEED", "1"))
print("seed", seed, file=sys.stderr)
rng = random.Random(seed)
pooled, failed = [], 0


def point(metric, at, value, tags):
    return json.dumps({"metric": metric, "type": "Point", "data": {
        "time": "2026-01-01T00:%02d:%06.3fZ" % (at // 60, at % 60),
        "value": value, "tags": tags}})


for i, (n, median) in enumerate(zip(SHARES, MEDIAN), 1):
    with open(f"{sys.argv[1]}/{i}.ndjson", "w", encoding="utf-8") as f:
        for k in range(n):
            at = 100 * k / n
            ms = round(rng.lognormvariate(0, 0.3) * median, 6)
            is_failed = int(rng.random() < 0.02)
            name = rng.choice(("/a", "/b"))
            tags = {"name": name, "method": "GET",
                    "status": "500" if is_failed else "200"}
            f.write(point("http_reqs", at, 1, tags) + "\n")
            f.write(point("http_req_duration", at, ms, tags) + "\n")
            f.write(point("http_req_failed", at, is_failed, tags) + "\n")
            pooled.append((ms, name))
            failed += is_failed


def quantile(values, q):
    values = sorted(values)
    at = (len(values) - 1) * q
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


every = [ms for ms, _ in pooled]
ours = [ms for ms, name in pooled if name == "/a"]
print(json.dumps({
    "http_req_duration: p(90)<400": quantile(every, .90),
    "http_req_duration: p(99)<400": quantile(every, .99),
    "http_req_duration: avg<1": sum(every) / len(every),
    "http_req_duration: max<1e9": max(every),
    "http_req_duration{name:/a}: p(95)<400": quantile(ours, .95),
    "http_reqs: count<9000": len(every),
    "http_reqs{name:/a}: count>0": len(ours),
    "http_req_failed: rate<0.5": failed / len(every),
}))
