#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""replay.py URL TRANSCRIPT...: send a server what real k6 sent, request by
request, to one run. Each must be answered with 200. Prints the run's number,
or - if there is none, and how many HTTP requests the transcripts hold, those
of an idempotency key once."""
import base64
import http.client
import json
import re
import sys
from urllib.parse import urlsplit

at = urlsplit(sys.argv[1])
server = http.client.HTTPConnection(at.hostname, at.port, timeout=120)


def post(path, body, headers, chunked=False):
    server.request("POST", path, iter([body]) if chunked else body, headers,
                   encode_chunked=chunked)
    answer = server.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        sys.exit(f"POST {path}: {answer.status} {text}")
    return json.loads(text)


run, sent = None, {}
records = [r for name in sys.argv[2:] for r in json.load(open(name))]
for record in records:
    if record["method"] != "POST":
        continue
    had = {name.lower(): value for name, value in reversed(record["headers"])}
    headers = {"Content-Type": had.get("content-type", "application/json"),
               "K6-Idempotency-Key": had.get("k6-idempotency-key", "-"),
               "Authorization": "Token x"}
    if "content-encoding" in had:
        headers["Content-Encoding"] = had["content-encoding"]
    path = record["path"]
    if not path.endswith("/tests"):
        if run is None:
            run = post("/v1/tests", b'{"name":"pushed by number"}', {
                "Content-Type": "application/json",
                "Authorization": "Token x"})["reference_id"]
        path = re.sub(r"/(metrics|tests)/.*", rf"/\1/{run}", path)
    chunked = "transfer-encoding" in had
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    answer = post(path, base64.b64decode(record["raw_base64"] or ""), headers,
                  chunked)
    if path.endswith("/tests"):
        run = answer["reference_id"]
    if record.get("http_reqs") is not None:
        sent.setdefault(had.get("k6-idempotency-key"), record["http_reqs"])
print(run or "-", sum(sent.values()))
