#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; helpers
# Views of large runs, and streams of events: they take no room from those who
# push.

# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
}

# fill SECONDS: run 1 has a request of each of so many seconds.
fill() {
  create
  python3 -c 'import json, sys
names = ["duration", "blocked", "connecting", "tls_handshaking", "sending",
  "waiting", "receiving", "failed"]
values = {"http_req_" + n: 1 for n in names}
values["http_reqs"] = 1
json.dump([{"type": "Points", "metric": "http_req_li_all", "data": {
  "time": str((1700000000 + i) * 1000000), "type": "counter",
  "tags": {"name": "/a", "method": "GET", "status": "200"},
  "values": values}} for i in range(int(sys.argv[1]))], sys.stdout)' "$1" |
    upload /v1/metrics/1
}

# bats test_tags=slow
@test "a push does not wait for the views that were asked for before it" {
  start_server
  fill 4000
  run python3 - "$url" <<'PY'
import http.client, sys, threading
from urllib.parse import urlsplit
at = urlsplit(sys.argv[1])
lock, done, bad = threading.Lock(), [], []
def read(i):
    c = http.client.HTTPConnection(at.hostname, at.port, timeout=300)
    # each is another answer, so that none comes from memory
    c.request("GET", "/api/v1/runs/1/series?_=%d" % i)
    r = c.getresponse()
    n = len(r.read())
    with lock:
        (done if r.status == 200 and n > 1000000 else bad).append(i)
threads = [threading.Thread(target=read, args=(i,)) for i in range(60)]
c = http.client.HTTPConnection(at.hostname, at.port, timeout=300)
c.connect()
for t in threads:
    t.start()
while not done and not bad:
    pass
pushed, waited = 0, []
while len(done) + len(bad) < 60:
    before = len(done)
    c.request("POST", "/v1/metrics/1", "[]",
              {"Content-Type": "application/json"})
    r = c.getresponse()
    r.read()
    pushed += r.status == 200
    waited.append(len(done) - before)
for t in threads:
    t.join()
print(len(bad), pushed, sorted(waited)[len(waited) // 2] if waited else 99)
PY
  echo "bad answers, pushes meanwhile, views while one waited (median): $output"
  read -r bad pushed views <<<"$output"
  [ "$bad" = 0 ]
  # If pushes stood behind views, the first would have waited for nearly all.
  ((pushed > 1 && views < 10))
}

# bats test_tags=slow
@test "those that compute views stand back, however nice the server is" {
  for nice in 0 7; do
    rm -f "$BATS_TEST_TMPDIR/serve.out"
    nice -n "$nice" k6serve --listen 127.0.0.1:0 \
      --db "$BATS_TEST_TMPDIR/$nice.db" >"$BATS_TEST_TMPDIR/serve.out" \
      2>/dev/null 3>&- &
    server=$!
    retry 20 grep -qs ^http "$BATS_TEST_TMPDIR/serve.out"
    own=$(sed 's/.*) //' "/proc/$server/stat" | cut -d ' ' -f 17)
    # Two threads at least, and only these; they say so when they begin.
    stand_back() {
      [ "$(cat "/proc/$server/task"/*/stat | sed 's/.*) //' |
        cut -d ' ' -f 17 | grep -cx $((own + 5)))" -ge 2 ]
    }
    retry 20 stand_back
    stop_server
  done
}

@test "views that nobody waits for any more are not computed" {
  start_server
  fill 4000
  ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }
  before=$(ticks)
  for i in {1..5}; do
    get "/api/v1/runs/1/series?_=$i" >/dev/null
    [ "$code" = 200 ]
  done
  five=$(($(ticks) - before))
  before=$(ticks)
  python3 - "$url" <<'PY'
import socket, sys
from urllib.parse import urlsplit
at = urlsplit(sys.argv[1])
all = []
for i in range(100):
    s = socket.create_connection((at.hostname, at.port))
    s.send(b"GET /api/v1/runs/1/series?_=%d HTTP/1.1\r\nHost: %s\r\n\r\n"
           % (100 + i, at.netloc.encode()))
    all.append(s)
PY
  get "/api/v1/runs/1/series?_=6" >/dev/null
  [ "$code" = 200 ]
  hundred=$(($(ticks) - before))
  echo "five took $five ticks, a hundred that were left $hundred"
  ((hundred < 10 * five))
}

# bats test_tags=slow
@test "answers that nobody takes are few, and others get theirs" {
  start_server
  fill 8000
  run python3 - "$url" <<'PY'
import http.client, socket, sys
from urllib.parse import urlsplit
at = urlsplit(sys.argv[1])
all = []
for i in range(60):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect((at.hostname, at.port))
    s.send(b"GET /api/v1/runs/1/series?_=%d HTTP/1.1\r\nHost: %s\r\n\r\n"
           % (i, at.netloc.encode()))
    all.append(s)
c = http.client.HTTPConnection(at.hostname, at.port, timeout=900)
c.request("GET", "/api/v1/runs/1/series?_=200")
print(c.getresponse().status)
PY
  [ "$output" = 200 ]
  rss=$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")
  echo "$rss KiB"
  sanitized || ((rss <= 300 * 1024))
}

@test "an answer that is too large is refused, and says what helps" {
  start_server
  create
  # thresholds stand in the list of runs
  big=$(printf 'x%.0s' {1..60000})
  post /v1/tests --data "{\"thresholds\":{\"$big\":[\"a\"]}}"
  python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
columns = ", ".join(c[1] for c in db.execute("PRAGMA table_info(run)")
    if c[1] not in ("id", "create_key"))
for i in range(1500):
    db.execute("INSERT INTO run(%s) SELECT %s FROM run WHERE id = 2"
        % (columns, columns))
db.commit()' "$BATS_TEST_TMPDIR/k6serve.db"
  get '/api/v1/runs?limit=10000'
  [ "$code" = 400 ]
  [[ $body == *'larger than 64 MiB'*'smaller limit'* ]]
  get '/api/v1/runs?limit=100' >/dev/null
  [ "$code" = 200 ]
}

# streams N: python that opens N event streams of run 1; then, while they are
# open, a push; prints its status, how many streams are still open, and whether
# the last one is.
streams() {
  python3 - "$url" "$1" <<'PY'
import http.client, select, socket, sys
from urllib.parse import urlsplit
at = urlsplit(sys.argv[1])
all = []
for i in range(int(sys.argv[2])):
    s = socket.create_connection((at.hostname, at.port), timeout=600)
    s.send(b"GET /api/v1/runs/1/events HTTP/1.1\r\nHost: %s\r\n\r\n"
           % at.netloc.encode())
    s.recv(1)
    all.append(s)
c = http.client.HTTPConnection(at.hostname, at.port, timeout=600)
c.request("POST", "/v1/metrics/1", "[]", {"Content-Type": "application/json"})
status = c.getresponse().status
def is_open(s):
    s.setblocking(False)
    try:
        while s.recv(65536):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
open_ = [is_open(s) for s in all]
print(status, sum(open_), open_[-1], open_[0])
PY
}

@test "event streams have their own room: the oldest go, a push is taken" {
  start_with_descriptors 192
  create
  # 128 connections: 32 streams, of one address 16
  run streams 300
  echo "$output"
  [ "$output" = "200 16 True False" ]
  run streams 10
  [ "$output" = "200 10 True True" ]
}
