#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""joints.py URL DATABASE CASE...: send a server what real k6 sent in these
recorded cases, each to a run of its own, and print a table of what the server
shows beside what k6 itself said: its exit status and its summary. In DATABASE
the runs get the times at which they were made and finished when they were
recorded, as the server's clock would have told."""
import base64
import email.utils
import http.client
import json
import os
import re
import sqlite3
import sys
from urllib.parse import urlsplit

at = urlsplit(sys.argv[1])
server = http.client.HTTPConnection(at.hostname, at.port, timeout=120)
db = sqlite3.connect(sys.argv[2], timeout=60)
# Seconds that a run's calls may be away from its first and last samples.
SLACK = 0.5
# k6's exit status: the run status, the result status
ENDS = {0: ({3}, 0), 99: ({3, 8}, 1), 100: ({9}, 0), 105: ({5}, 0),
        107: ({7}, 0), 108: ({5}, 0)}


def call(method, path, body=b"", headers=None):
    server.request(method, path, body, headers or {})
    answer = server.getresponse()
    text = answer.read()
    if answer.status not in (200, 201, 204, 409):
        sys.exit(f"{method} {path}: {answer.status} {text.decode()}")
    return json.loads(text) if text[:1] == b"{" else {}


def clock(records):
    """The moment at which their own clock stood at 0, by the dates, in whole
    seconds, of their answers."""
    least, most = 0, float("inf")
    for r in records:
        dates = [v for n, v in r["response"].get("headers", ())
                 if n.lower() == "date"]
        for date in dates:
            second = email.utils.parsedate_to_datetime(date).timestamp()
            least = max(least, second - r["t"] - r["response"].get("took", 0))
            most = min(most, second + 1 - r["t"])
    return (least + most) / 2


def date(run, records):
    """Give the run the times of its first call and its last one."""
    made = [r["t"] for r in records if r["path"] == "/v1/tests" or
            r["path"].endswith("/start_local_execution")]
    ns = [int((clock(records) + t) * 1e9) for t in (made[0], records[-1]["t"])]
    with db:
        db.execute("UPDATE run SET created_ns = ?, ended_ns = ?, seen_ns = ?"
                   " WHERE id = ?", (*ns, ns[1], run))


def rate(run):
    """Requests per second, as the server shows them; None: not known."""
    figures = call("GET", f"/api/v1/runs/{run}/diff?base={run}")["figures"]
    return [f["run"] for f in figures if f["figure"] == "requests/s"][0]


def replay(case):
    """Send the case's requests; returns the number of its run."""
    run, load_test = None, None
    records = json.load(open(f"{case}/transcript.json"))
    for record in records:
        path = record["path"]
        if path == "/v1/tests" and run is not None:
            continue
        if load_test is not None:
            path = re.sub(r"/load_tests/\d+/", f"/load_tests/{load_test}/",
                          path)
        if run is not None:
            path = re.sub(r"/(metrics|tests|test_runs)/\d+", rf"/\1/{run}",
                          path)
        keep = ("content-type", "content-encoding", "k6-idempotency-key",
                "k6-metrics-protocol-version")
        headers = {n: v for n, v in record["headers"] if n.lower() in keep}
        answer = call(record["method"], path,
                      base64.b64decode(record["raw_base64"] or ""), headers)
        if path.endswith("/load_tests") and "id" in answer:
            load_test = answer["id"]
        elif "?" in path and answer.get("value"):
            load_test = answer["value"][0]["id"]
        run = answer.get("reference_id", answer.get("test_run_id", run))
    date(run, records)
    return run


def crossed_of_k6(summary):
    return {(name, source) for name, m in summary["metrics"].items()
            for source, failed in m.get("thresholds", {}).items() if failed}


def row(case):
    result = json.load(open(f"{case}/result.json"))
    summary = json.load(open(f"{case}/summary.json"))
    number = replay(case)
    run = call("GET", f"/api/v1/runs/{number}")
    states, failed = ENDS[result["exit_code"]]
    reqs = summary["metrics"].get("http_reqs", {}).get("count", 0)
    checks = summary["metrics"].get("checks", {})
    crossed = {(t["metric"], t["source"]) for t in run["thresholds"]
               if t["failed"]}
    shown = (run["totals"]["http_reqs"], run["totals"]["checks"]["fails"])
    speed, true = rate(number), summary["metrics"].get("http_reqs", {})
    # k6 divides one request by how long it took itself, which is no rate.
    true = true["rate"] if reqs > 1 else None
    is_near = true is None or (speed is not None and
                               abs(reqs / speed - reqs / true) <= SLACK)
    good = (is_near and run["run_status"] in states and run["result_status"] == failed and
            shown == (reqs, checks.get("fails", 0)) and
            crossed == crossed_of_k6(summary))
    print("|", " | ".join([
        os.path.basename(case), str(result["exit_code"]), run["state"],
        str(run["result_status"]), f"{len(crossed)} of "
        f"{len(crossed_of_k6(summary))}", f"{shown[0]:g} of {reqs}",
        f"{shown[1]} of {checks.get('fails', 0)}",
        *(("", "") if true is None else (f"{speed:.1f}", f"{true:.1f}")),
        "yes" if good else "NO"]),
        "|")


print("| case | k6's exit status | state | result | crossed thresholds | "
      "requests | failed checks | requests/s | of k6 | shown = true |")
print("|---|---|---|---|---|---|---|---|---|---|")
for name in sys.argv[3:]:
    row(name)
