#!/usr/bin/env python3
"""latencies.py COUNT SECONDS END SEED [VALUES]: a stream of so many requests
over so many seconds up to END (Unix time), whose durations have two peaks and a
long tail; the durations in seconds go to the file VALUES."""

import random
import sys
import time

count, seconds, end, seed = (int(a) for a in sys.argv[1:5])
rng = random.Random(seed)
values = []
TIMINGS = ("blocked", "connecting", "tls_handshaking", "sending", "waiting",
           "receiving")


def point(metric, at, value):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(at)))
    print('{"metric":"%s","type":"Point","data":{"time":"%s.%09dZ",'
          '"value":%.6f,"tags":{"method":"GET","name":"/%d","status":"%d",'
          '"url":"/%d"}}}' % (metric, stamp, round(at % 1 * 1e9) % 10 ** 9,
                              value, name, status, name))


for i in range(count):
    at = end - seconds * (count - 1 - i) / max(count - 1, 1)
    name = i % 3
    status = 500 if i % 50 == 49 else 200
    peak = 20 if rng.random() < 0.7 else 180
    ms = round(rng.lognormvariate(0, 0.35 + 0.2 * (seed % 3)) * peak, 6)
    values.append(ms / 1000)
    point("http_reqs", at, 1)
    point("http_req_duration", at, ms)
    for timing in TIMINGS:
        point("http_req_" + timing, at, ms if timing == "waiting" else 0)
    point("http_req_failed", at, status == 500)

if len(sys.argv) > 5:
    with open(sys.argv[5], "w") as out:
        out.writelines("%.9f\n" % v for v in values)
