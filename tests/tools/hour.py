#!/usr/bin/env python3
"""hour.py URL [SECONDS [STEP]]: make a run of one hour with 33 URLs and 300 series
on a k6serve, three requests to each URL in a second, and print its number. With
SECONDS, one of that length that still goes on; with STEP, one second in so many
has requests."""
import json
import random
import sys
import urllib.request

URLS, EACH, BATCH = 33, 3, 60
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3600
STEP = int(sys.argv[3]) if len(sys.argv) > 3 else 1
PARTS = ("blocked", "connecting", "tls_handshaking", "sending", "waiting",
         "receiving")


def post(path, body):
    request = urllib.request.Request(
        sys.argv[1] + path, json.dumps(body).encode(),
        {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def trail(us, url):
    waiting = random.lognormvariate(3, 0.7)
    failed = random.random() < 0.01
    return {"type": "Points", "metric": "http_req_li_all", "data": {
        "time": str(us), "type": "counter",
        "tags": {"name": f"/url/{url}", "method": "GET",
                 "status": "500" if failed and url == 0 else "200"},
        "values": {"http_reqs": 1, "http_req_duration": waiting + 0.3,
                   "http_req_waiting": waiting, "http_req_sending": 0.1,
                   "http_req_receiving": 0.2, "http_req_blocked": 0.001,
                   "http_req_connecting": 0, "http_req_tls_handshaking": 0,
                   "http_req_failed": int(failed and url == 0)}}}


def main():
    random.seed(1)
    run = post("/v1/tests", {"name": "one hour"})["reference_id"]
    first = 1_700_000_000
    for start in range(first, first + SECONDS, BATCH * STEP):
        body = []
        for t in range(start, min(start + BATCH * STEP, first + SECONDS),
                       STEP):
            body.append({"type": "Point", "metric": "vus", "data": {
                "time": str(t * 1_000_000), "type": "gauge", "tags": {},
                "value": 50}})
            body.extend(trail(t * 1_000_000 + i * 300_000 + u * 1000, u)
                        for u in range(URLS) for i in range(EACH))
        post("/v1/metrics/" + run, body)
    if len(sys.argv) == 2:
        post("/v1/tests/" + run, {"run_status": 3})
    print(run)


main()
