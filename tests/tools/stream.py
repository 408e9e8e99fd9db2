"""stream.py COUNT RATE [FILE]: a run of COUNT requests, RATE a second (0: at
once). The last one is not made before FILE is there, or its folder is gone.

Each request's duration is its number, so that from the sum and the count of
what a server stored it can be told if anything is missing or there twice.
"""
import os
import sys
import time

COUNT, RATE = int(sys.argv[1]), float(sys.argv[2])
AWAITED = sys.argv[3] if len(sys.argv) > 3 else None
TIMINGS = ("blocked", "connecting", "tls_handshaking", "sending", "waiting",
           "receiving")


def line(metric, stamp, value):
    return ('{"metric":"%s","type":"Point","data":{"time":"%s","value":%s,'
            '"tags":{"name":"x","status":"200"}}}\n' % (metric, stamp, value))


def request(number):
    now = time.time_ns()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
    stamp += ".%09dZ" % (now % 10**9)
    return (line("http_reqs", stamp, 1) +
            line("http_req_duration", stamp, number) +
            "".join(line("http_req_" + t, stamp, 0) for t in TIMINGS) +
            line("http_req_failed", stamp, 0))


def wait():
    out.flush()
    while not os.path.exists(AWAITED) and \
            os.path.exists(os.path.dirname(AWAITED)):
        time.sleep(0.05)


out = sys.stdout
out.write('{"type":"Start","data":{"name":"stream","vus":1,'
          '"duration":"1s","thresholds":{}}}\n')
begin = time.monotonic()
for n in range(1, COUNT + 1):
    if n == COUNT and AWAITED:
        wait()
    out.write(request(n))
    if RATE:
        out.flush()
        time.sleep(max(0, begin + n / RATE - time.monotonic()))
out.write('{"type":"End","data":{"run_status":3,"result_status":0,'
          '"exit_code":0,"points":%d,"requests":%d,"thresholds":{}}}\n'
          % (9 * COUNT, COUNT))
