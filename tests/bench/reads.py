#!/usr/bin/env python3
"""reads.py URL RUN N SECONDS: N clients read the series of a run of a k6serve, again
and again, each a new answer, while one pushes ten batches a second to another
run. It is a process of its own, so that it does not wait for the others' turns
in the interpreter. Prints answers, their size in MB, pushes, and the pushes'
median and 99th percentile and the longest in ms."""
import http.client, itertools, json, multiprocessing, sys, threading, time
from urllib.parse import urlsplit

at = urlsplit(sys.argv[1])
big, readers, seconds = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
number = itertools.count()
answers, took = [], []


def connect():
    return http.client.HTTPConnection(at.hostname, at.port, timeout=600)


def read():
    c = connect()
    while time.monotonic() < end:
        c.request("GET", "/api/v1/runs/%s/series?_=%d" %
                  (big, next(number) % 1000))
        answers.append(len(c.getresponse().read()))


def read_all(out):
    threads = [threading.Thread(target=read, daemon=True)
               for _ in range(readers)]
    for t in threads:
        t.start()
    time.sleep(max(0, end - time.monotonic()))
    out.send((len(answers), max(answers, default=0)))


c = connect()
c.request("POST", "/v1/tests", '{"name":"pushed"}',
          {"Content-Type": "application/json"})
run = json.load(c.getresponse())["reference_id"]
end = time.monotonic() + seconds
result, out = multiprocessing.Pipe(False)
child = multiprocessing.Process(target=read_all, args=(out,), daemon=True)
child.start()
time.sleep(1)
while time.monotonic() < end:
    body = json.dumps([{"type": "Point", "metric": "vus", "data": {
        "time": str(int(time.time() * 1e6)), "type": "gauge", "tags": {},
        "value": 9}}])
    start = time.monotonic()
    c.request("POST", "/v1/metrics/" + run, body,
              {"Content-Type": "application/json"})
    c.getresponse().read()
    took.append((time.monotonic() - start) * 1000)
    time.sleep(0.1)
count, largest = result.recv()
took.sort()
print(count, "%.1f" % (largest / 1e6), len(took),
      "%.1f %.1f %.1f" % (took[len(took) // 2], took[int(len(took) * 0.99)],
                          took[-1]))
