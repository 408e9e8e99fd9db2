#!/usr/bin/env python3
"""readers.py URL FILE: read all runs of a k6serve, again and again, until
SIGTERM. Writes to FILE how many answers came, how many reads were refused or
failed, and how many answers were not of one state: figures that stand for the
same requests and differ, or a run that had more before.
"""
import http.client
import json
import signal
import sys
import time
import urllib.parse

address = urllib.parse.urlsplit(sys.argv[1]).netloc
count = {"good": 0, "refused": 0, "torn": 0}
most = {}


def get(path):
    """Each by a connection of its own, so that the balancer chooses anew."""
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read()
        return json.loads(body) if reply.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def check(report):
    """All that tells how many requests there are tells the same."""
    run = report["run"]
    totals = run["totals"]
    if totals is None:
        return True
    n = totals["http_reqs"] or 0
    figures = {
        "points": run["points"] / 9,
        "durations": totals["http_req_duration"]["count"],
        "series": sum(s["http_reqs"] or 0 for s in report["series"]),
        "urls": sum(u["count"] for u in report["urls"]),
        "requests": sum(r["count"] for r in report["requests"]),
    }
    good = all(value == n for value in figures.values())
    if n < most.get(run["id"], 0):
        good = False
    if not good:
        print("run", run["id"], n, most.get(run["id"]), figures,
              file=sys.stderr, flush=True)
    most[run["id"]] = max(n, most.get(run["id"], 0))
    return good


def read(path):
    answer = get(path)
    count["good" if answer is not None else "refused"] += 1
    return answer


def stop(*_):
    with open(sys.argv[2], "w") as out:
        print(count["good"], count["refused"], count["torn"], file=out)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
while True:
    time.sleep(0.05)
    for run in read("/api/v1/runs?limit=100") or []:
        report = read("/api/v1/runs/%d/report" % run["id"])
        if report is not None and not check(report):
            count["torn"] += 1
        time.sleep(0.02)
