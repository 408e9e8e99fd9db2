#!/usr/bin/python3
"""shop.py [SECONDS [SLOW_FROM SLOW_TO [BAD_FROM BAD_TO]]]: k6's JSON output of
a run against a shop, from 2026-11-29T00:00:00Z, ten requests a second. In the
slow part all URLs but app.js take four times as long; in the bad part two of
five requests get 503."""
import json
import random
import sys

URLS = [("https://shop.test/", "GET"), ("https://shop.test/cart", "POST"),
        ("https://shop.test/app.js", "GET"),
        ("https://shop.test/api/items", "GET"),
        ("https://shop.test/api/login", "POST")]


def put(metric, value, at, tags):
    s, ms = divmod(round(at * 1000), 1000)
    print(json.dumps({"metric": metric, "type": "Point", "data": {
        "time": f"2026-11-29T00:{s // 60:02}:{s % 60:02}.{ms:03}Z",
        "value": round(value, 3), "tags": tags}}))


def request(at, is_slow, is_bad):
    name, method = random.choice(URLS)
    took = random.lognormvariate(3.3, .4) * (
        4 if is_slow and not name.endswith("app.js") else 1)
    is_bad = is_bad and random.random() < .4
    tags = {"name": name, "method": method, "status":
            "503" if is_bad else "201" if method == "POST" else "200",
            "expected_response": "false" if is_bad else "true",
            "scenario": "buy" if method == "POST" else "browse"}
    if is_bad:
        tags["error_code"] = "1503"
    for metric, value in (
            ("http_reqs", 1), ("http_req_duration", took),
            ("http_req_blocked", .1), ("http_req_connecting", 0),
            ("http_req_tls_handshaking", 0), ("http_req_sending", .1),
            ("http_req_waiting", took - .2), ("http_req_receiving", .1),
            ("http_req_failed", int(is_bad))):
        put(metric, value, at, tags)


def main():
    n, slow, slow_to, bad, bad_to = [int(a) for a in sys.argv[1:]] + [
        90, -1, -1, -1, -1][len(sys.argv) - 1:]
    random.seed(n + slow)
    for second in range(n):
        put("vus", min(52, second + 1), second, {})
        for k in range(10):
            request(second + k / 10 + .05, slow <= second < slow_to,
                    bad <= second < bad_to)


main()
