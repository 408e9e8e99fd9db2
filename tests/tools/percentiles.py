#!/usr/bin/env python3
"""percentiles.py: how far percentiles are off after folding.

For each distribution, requests go through `k6agg -p 3s` and then through
`k6agg --json`; its percentiles are compared with k6's own formula on the exact
durations. Prints the table of k6agg(1) and fails past 0.8 %.
"""
import json
import math
import random
import subprocess
import sys

REQUESTS = 30000
TIMINGS = ['duration', 'blocked', 'connecting', 'tls_handshaking', 'sending',
           'waiting', 'receiving']
QUANTILES = [('p50', 0.5), ('p90', 0.9), ('p95', 0.95), ('p99', 0.99),
             ('p99_9', 0.999)]
DISTRIBUTIONS = [
    ('lognormal', lambda r: r.lognormvariate(3, 0.8)),
    ('bimodal', lambda r: abs(r.gauss(5, 1) if r.random() < 0.7
                              else r.gauss(250, 20))),
    ('uniform', lambda r: r.uniform(1, 1000)),
    ('heavy-tailed', lambda r: 2 * r.paretovariate(1.1)),
]


def stream(durations):
    """A k6 stream: so many requests over a minute."""
    for i, ms in enumerate(durations):
        ns = i * 60 * 10**9 // len(durations)
        time = '2026-01-01T00:00:%02d.%09dZ' % divmod(ns, 10**9)
        rest = ',"tags":{"name":"x","method":"GET","status":"200"}}}'
        for metric, value in ([('http_reqs', 1)] +
                              [('http_req_' + t, ms if t == 'duration' else 0)
                               for t in TIMINGS] + [('http_req_failed', 0)]):
            yield ('{"metric":"%s","type":"Point","data":{"time":"%s",'
                   '"value":%.6f%s\n' % (metric, time, value, rest))


def exact(values, p):
    """Position p * (n - 1), linear between neighbours, as k6 does."""
    place = p * (len(values) - 1)
    lower, upper = values[math.floor(place)], values[math.ceil(place)]
    return lower + (upper - lower) * (place - math.floor(place))


def main():
    worst = 0
    print('%-14s %7s' % ('', 'folded') +
          ''.join('%9s' % name.replace('_', '.') for name, _ in QUANTILES))
    for name, draw in DISTRIBUTIONS:
        source = random.Random(6570)
        durations = [round(draw(source), 6) for _ in range(REQUESTS)]
        folded = subprocess.run(['k6agg', '-p', '3s'], check=True,
                                input=''.join(stream(durations)).encode(),
                                capture_output=True).stdout
        end = json.loads(folded.splitlines()[-1])['data']
        told = json.loads(subprocess.run(
            ['k6agg', '--json'], input=folded, check=True,
            capture_output=True).stdout)['requests']
        assert told['count'] == REQUESTS and end['folded'] > REQUESTS / 2
        durations.sort()
        errors = [abs(told[q] / exact(durations, p) - 1) * 100
                  for q, p in QUANTILES]
        worst = max(worst, *errors)
        print('%-14s %5.1f %%' % (name, end['folded'] / REQUESTS * 100) +
              ''.join('%7.2f %%' % e for e in errors))
    sys.exit(worst >= 0.8)


main()
