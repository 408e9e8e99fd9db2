#!/usr/bin/env python3
"""viewers.py URL N SECONDS: N people look at run 1 of a k6serve: each listens
for changes and asks for run and series at each, while a batch comes in every
second. Prints answers, and their median and 99th percentile in ms."""
import http.client, json, sys, threading, time
from urllib.parse import urlsplit

at = urlsplit(sys.argv[1])
viewers, seconds = int(sys.argv[2]), int(sys.argv[3])
end = time.monotonic() + seconds
took = []


def view():
    events = http.client.HTTPConnection(at.hostname, at.port)
    events.request("GET", "/api/v1/runs/1/events")
    lines = events.getresponse()
    c = http.client.HTTPConnection(at.hostname, at.port)
    while time.monotonic() < end:
        if not lines.readline().startswith(b"data:"):
            continue
        for path in "/api/v1/runs/1", "/api/v1/runs/1/series":
            start = time.monotonic()
            c.request("GET", path, headers={"Accept-Encoding": "gzip"})
            c.getresponse().read()
            took.append((time.monotonic() - start) * 1000)


threads = [threading.Thread(target=view, daemon=True) for _ in range(viewers)]
for t in threads:
    t.start()
c = http.client.HTTPConnection(at.hostname, at.port)
while time.monotonic() < end:
    now = str(int(time.time() * 1e6))
    c.request("POST", "/v1/metrics/1", json.dumps([
        {"type": "Point", "metric": "vus", "data": {"time": now,
         "type": "gauge", "tags": {}, "value": 9}}]),
        {"Content-Type": "application/json"})
    c.getresponse().read()
    time.sleep(1)
took.sort()
print(len(took), "%.1f" % took[len(took) // 2],
      "%.1f" % took[int(len(took) * 0.99)])
