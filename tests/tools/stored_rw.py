"""stored_rw.py BASE TESTID STREAM: what the run of stream.py came to in a
Prometheus, from its query API.

Prints "COUNT SUM" of the requests and their durations in ms. What the stream
had made at the end of each second must stand in a sample of the counter and in
one of the histogram, or SUM is -1, and stderr tells what is missing.
"""
import json
import sys
import urllib.parse
import urllib.request

BASE, TESTID, STREAM = sys.argv[1:]


def ask(metric):
    query = '%s{testid="%s"}[6h]' % (metric, TESTID)
    url = BASE + "/api/v1/query?" + urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(url, timeout=600) as answer:
        return json.load(answer)["data"]["result"]


def made_by_second():
    """How many requests there were at the end of each second of the stream."""
    totals = {}
    count = 0
    with open(STREAM, encoding="ascii") as stream:
        for line in stream:
            if line.startswith('{"metric":"http_reqs"'):
                count += 1
                totals[line.split('"time":"')[1][:19]] = count
    return totals.values()


counts = {float(value) for series in ask("k6_http_reqs_total")
          for _, value in series["values"]}
sums = {float(hist["count"]): float(hist["sum"])
        for series in ask("k6_http_req_duration_seconds")
        for _, hist in series["histograms"]}
total = round(sums[max(sums)] * 1000) if sums else 0
for name, stored in (("counter", counts), ("histogram", sums)):
    missing = [n for n in made_by_second() if n not in stored]
    if missing:
        print("the %s has no sample with %s" % (name, missing),
              file=sys.stderr)
        total = -1
print(round(max(counts, default=0)), total)
