#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# What a k6serve withstands: crashes, power cuts, full and failing disks, and
# clients that mean it ill.

# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
  if [ -n "${mounted:-}" ]; then
    umount "$mounted" || true
  fi
}

# ask SQL [FILE]: the answer of the database, by itself.
ask() {
  python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[2]).execute(sys.argv[1]): print(*row)' \
    "$1" "${2:-$BATS_TEST_TMPDIR/k6serve.db}"
}

# send RUN FROM TO ACKED: batches with these numbers as keys, as they go in; the
# numbers that were acknowledged are appended to the file ACKED.
send() {
  local i
  for ((i = $2; i < $3; i++)); do
    curl -sS --max-time 10 -o /dev/null -w '%{http_code}\n' \
      -H "K6-Idempotency-Key: k$i" -H 'Content-Type: application/json' \
      --data "[$(trail "$((i % 50 + 1))" $((1700000000 + i % 600)))]" \
      "$url/v1/metrics/$1" 2>/dev/null | grep -q 200 || return 0
    echo "$i" >>"$4"
  done
}

# check_acked RUN ACKED: all acknowledged are there, once.
check_acked() {
  local n missing
  n=$(api "runs/$1" .totals.http_reqs)
  ask "SELECT substr(key, 2) FROM batch WHERE run = $1" \
    "${db:-$BATS_TEST_TMPDIR/k6serve.db}" | sort >"$BATS_TEST_TMPDIR/stored"
  missing=$(sort "$2" | comm -23 - "$BATS_TEST_TMPDIR/stored" | wc -l)
  echo "acknowledged $(wc -l <"$2"), stored $n, missing $missing"
  [ "$missing" = 0 ]
  [ "$n" = "$(wc -l <"$BATS_TEST_TMPDIR/stored")" ]
}

# More was acknowledged than when the round began.
more_lines() {
  [ "$(wc -l <"$acked")" -gt "$had" ]
}

# bats test_tags=slow
@test "kill -9 under four senders, over and over: no acknowledged one is lost" {
  acked=$BATS_TEST_TMPDIR/acked
  : >"$acked"
  for round in $(seq "${ROUNDS:-8}"); do
    start_server
    [ "$round" != 1 ] || create
    senders=()
    had=$(wc -l <"$acked")
    for s in 0 1 2 3; do
      send 1 $((round * 1000 + s * 250)) $((round * 1000 + s * 250 + 250)) \
        "$acked" 3>&- &
      senders+=($!)
    done
    retry 60 more_lines
    moment 0 400
    kill_now "$server"
    wait "$server" 2>/dev/null || true
    wait "${senders[@]}"
  done
  [ "$(wc -l <"$acked")" -ge "$round" ]
  start_server
  check_acked 1 "$acked"
  [ "$(ask 'PRAGMA integrity_check')" = ok ]
}

# power_cut FOLDER: what was not synced is lost, as if the power went.
power_cut() {
  python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D,
  struct.pack("I", 2))' "$1"
}

# bats test_tags=slow,long
@test "power goes, over and over: no acknowledged one lost, the file is whole" {
  [ "$(id -u)" = 0 ] || skip "needs root, to mount"
  img=$BATS_TEST_TMPDIR/img
  disk=$BATS_TEST_TMPDIR/disk
  promised=$BATS_TEST_TMPDIR/promised
  mkdir "$disk"
  : >"$promised"
  truncate -s 64M "$img"
  mkfs.ext4 -qF "$img"
  mount -o loop "$img" "$disk" 2>/dev/null || skip "cannot mount"
  mounted=$disk
  db=$disk/k6serve.db
  for round in $(seq "${ROUNDS:-4}"); do
    start_server --db "$db"
    [ "$round" != 1 ] || create
    acked=$BATS_TEST_TMPDIR/acked.$round
    : >"$acked"
    send 1 $((round * 1000)) $((round * 1000 + 400)) "$acked" 3>&- &
    one=$!
    send 1 $((round * 1000 + 500)) $((round * 1000 + 900)) "$acked" 3>&- &
    two=$!
    retry 60 test -s "$acked"
    moment 50 600
    # with the power gone nobody is answered: a sync that ext4 lets through
    # while it shuts down is no promise
    cat "$acked" >>"$promised"
    power_cut "$disk"
    kill_now "$server"
    wait "$server" 2>/dev/null || true
    wait "$one" "$two"
    retry 5 umount "$disk"
    retry 600 mount_again "$img" "$disk"
  done
  [ "$(wc -l <"$promised")" -ge "$round" ]
  start_server --db "$db"
  check_acked 1 "$promised"
  [ "$(ask 'PRAGMA integrity_check' "$db")" = ok ]
  stop_server
}

@test "a disk that fails to sync: no 2xx, and all goes on when it works again" {
  start_server
  create
  strace -f -qq -o /dev/null -e trace=fdatasync,fsync \
    -e inject=fdatasync,fsync:error=EIO -p "$server" 3>&- &
  tracer=$!
  fails() {
    post /v1/metrics/1 --data "[$(trail 1)]"
    [ "$code" = 507 ]
  }
  retry 10 fails
  get /api/v1/runs/1
  [ "$code" = 200 ]
  kill -INT "$tracer"
  wait "$tracer" || true
  before=$(api runs/1 .totals.http_reqs)
  post /v1/metrics/1 -H 'K6-Idempotency-Key: x' --data "[$(trail 1)]"
  [ "$code" = 200 ]
  [ "$(api runs/1 .totals.http_reqs)" = $((before + 1)) ]
  [ "$(ask 'PRAGMA integrity_check')" = ok ]
}

# bats test_tags=slow
@test "a full disk takes nothing, shows all, and heals by itself" {
  [ "$(id -u)" = 0 ] || skip "needs root, to mount"
  disk=$BATS_TEST_TMPDIR/disk
  mkdir "$disk"
  mount -t tmpfs -o size=1500k none "$disk" 2>/dev/null || skip "cannot mount"
  mounted=$disk
  start_server --db "$disk/k6serve.db"
  create
  for ((i = 0; i < 200; i++)); do
    post /v1/metrics/1 -H "K6-Idempotency-Key: k$i" \
      --data "$(named "@$((1700000000 + i))" "/$i/"{1..20})"
    [ "$code" = 200 ] || break
  done
  [ "$code" = 507 ]
  [ "$(api runs/1 .totals.http_reqs)" = $((i * 20)) ]
  curl -sS -D - -o /dev/null -H 'Content-Type: application/json' \
    --data "$(named /x/{1..99})" "$url/v1/metrics/1" |
    grep -i '^Retry-After: 10'
  mount -o remount,size=20M "$disk"
  post /v1/metrics/1 -H "K6-Idempotency-Key: k$i" \
    --data "$(named "@$((1700000000 + i))" "/$i/"{1..20})"
  [ "$code" = 200 ]
  [ "$(api runs/1 .totals.http_reqs)" = $((i * 20 + 20)) ]
  stop_server
}

@test "a database removed or replaced under the server takes nothing: 507" {
  start_server
  create
  db=$BATS_TEST_TMPDIR/k6serve.db
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k1' --data "$(named /a)"
  [ "$code" = 200 ]
  mkdir "$BATS_TEST_TMPDIR/away"
  for file in "$db" "$db-wal"; do
    mv "$file" "$BATS_TEST_TMPDIR/away"
    post /v1/metrics/1 -H 'K6-Idempotency-Key: k2' --data "$(named /b)"
    [ "$code" = 507 ]
    [[ $body == *'removed or replaced'* ]]
    # another file with that name is not it
    cp "$BATS_TEST_TMPDIR/away/$(basename "$file")" "$file"
    post /v1/metrics/1 -H 'K6-Idempotency-Key: k2' --data "$(named /b)"
    [ "$code" = 507 ]
    mv "$BATS_TEST_TMPDIR/away/$(basename "$file")" "$file"
  done
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k2' --data "$(named /b)"
  [ "$code" = 200 ]
  [ "$(api runs/1 .totals.http_reqs)" = 2 ]
  stop_server
  grep -F 'all that comes is answered 507' "$BATS_TEST_TMPDIR/serve.err"
  grep -F 'the database file is back' "$BATS_TEST_TMPDIR/serve.err"
}

# bats test_tags=slow
@test "another process holds the database: 503, Retry-After, then all is well" {
  start_server
  create
  python3 - "$BATS_TEST_TMPDIR/k6serve.db" "$BATS_TEST_TMPDIR/held" \
    <<'PYTHON' 3>&- &
import os, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin immediate")
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.05)
db.execute("rollback")
PYTHON
  retry 20 test -e "$BATS_TEST_TMPDIR/held"
  curl -sS -D "$BATS_TEST_TMPDIR/head" -o /dev/null \
    -H 'Content-Type: application/json' -H 'K6-Idempotency-Key: k' \
    --data "$(named /a)" "$url/v1/metrics/1"
  grep -q '^HTTP/1.1 503' "$BATS_TEST_TMPDIR/head"
  grep -qi '^Retry-After: 1' "$BATS_TEST_TMPDIR/head"
  grep -qx 'k6serve: the database: database is locked: writes get 503' \
    "$BATS_TEST_TMPDIR/serve.err"
  rm "$BATS_TEST_TMPDIR/held"
  wait %%
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k' --data "$(named /a)"
  [ "$code" = 200 ]
  [ "$(api runs/1 .totals.http_reqs)" = 1 ]
  stop_server
}

# bats test_tags=slow
@test "1000 slow heads, 1000 slow bodies, 40 bombs: good clients are served" {
  [ "$(ulimit -n)" -ge 5000 ] || ulimit -n 5000 || skip "too few descriptors"
  start_server
  create
  bombs=40
  ! sanitized || bombs=10 # to unpack one takes a sanitized server seconds
  read -r n good _ refused < <(python3 "$tools/attack.py" "$url" 12 1000 1000 \
    "$bombs")
  rss=$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")
  echo "$good of $n, $refused bombs refused, $rss KiB"
  ((n > 0 && good * 1000 >= n * 999))
  [ "$refused" = "$bombs" ]
  sanitized || ((rss <= 128 * 1024))
}

# bats test_tags=slow
@test "with few descriptors a server full of idle connections takes new ones" {
  start_with_descriptors 192
  create
  # What it takes of the processor meanwhile is a row of make bench B=serve.
  read -r n good _ < <(python3 "$tools/attack.py" "$url" 6 300 0 0)
  echo "$good of $n"
  ((n > 0 && good * 1000 >= n * 990))
}

# bats test_tags=slow
@test "bodies that drip are cut off, those that come steadily are not" {
  start_server
  create
  run python3 - "$url" <<'PY'
import socket, sys, time
from urllib.parse import urlsplit
at = urlsplit(sys.argv[1])
def begin(n):
    s = socket.create_connection((at.hostname, at.port))
    s.send(b"POST /v1/metrics/1 HTTP/1.1\r\nHost: %s\r\n"
           b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
           % (at.netloc.encode(), n))
    return s
steady = begin(8 * 2000)
drip = begin(100000)
silent = begin(10)
start = time.time()
over = {}
drip.setblocking(False)
silent.setblocking(False)
for i in range(60):
    if i >= 8 and len(over) == 2:
        break
    if i < 8:
        steady.send(b" " * (2000 - (2 if i == 7 else 0)) +
                    (b"[]" if i == 7 else b""))
    for name, s in ("drip", drip), ("silent", silent):
        if name in over:
            continue
        try:
            if name == "drip":
                s.send(b" ")
            if s.recv(10) == b"":
                over[name] = time.time() - start
        except BlockingIOError:
            pass
        except OSError:
            over[name] = time.time() - start
    time.sleep(0.6)
print(steady.recv(15).decode(), *(n for n in sorted(over)))
PY
  echo "$output"
  [ "$output" = "HTTP/1.1 200 OK drip silent" ]
}

@test "gzip in gzip, ten thousand members, and what claims to be more" {
  start_server
  create
  echo "[$(trail 1)]" | gzip | gzip | post /v1/metrics/1 \
    -H 'Content-Encoding: gzip' --data-binary @- | grep '> 400'
  post /v1/metrics/1 -H 'Content-Encoding: gzip, gzip' --data-binary x
  [ "$code" = 415 ]
  python3 -c 'import gzip, sys
sys.stdout.buffer.write(gzip.compress(b" " * 60000) * 10000)' |
    post /v1/metrics/1 -H 'Content-Encoding: gzip' --data-binary @- |
    grep '> 413'
  # a snappy body of six bytes that claims 4 GiB
  printf '\xff\xff\xff\xff\x0f\x00' | post /v2/metrics/1 \
    -H 'Content-Type: application/x-protobuf' -H 'Content-Encoding: snappy' \
    --data-binary @- | grep '> 413'
  sanitized ||
    [ "$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")" -lt 65536 ]
}

@test "the server opens no connection of its own" {
  start_server
  create 'http://127.0.0.1:1/'
  strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=connect -p "$server" \
    3>&- &
  tracer=$!
  retry 5 grep -q TracerPid:.[1-9] "/proc/$server/status"
  post /v1/metrics/1 --data "$(named http://127.0.0.1:1/ file:///etc/passwd)"
  post /v1/tests/1 --data "$finish"
  get /api/v1/runs/1/urls
  kill -INT "$tracer"
  wait "$tracer" || true
  [ ! -s "$BATS_TEST_TMPDIR/trace" ]
}

# bats test_tags=slow
@test "names that are SQL, HTML or control characters come back as they were" {
  start_server
  for name in "'); DROP TABLE run;--" '<script>window.__pwn=1</script>' \
    '"><img src=x onerror=alert(1)>' $'\e]0;x\a' $'\u202e' 'a\b' '%s%n' \
    "$(printf 'x%.0s' {1..4000})"; do
    post /v1/tests --data "$(jq -nc --arg n "$name" '{name: $n}')"
    id=$(jq -r .reference_id <<<"$body")
    post "/v1/metrics/$id" --data "$(jq -nc --arg n "$name" '[{type: "Point",
      metric: "m", data: {time: "1700000000000000", type: "counter",
      tags: {name: $n}, value: 1}}]')"
    [ "$code" = 200 ]
    headers=$(curl -sS -D - -o "$BATS_TEST_TMPDIR/run" "$url/api/v1/runs/$id")
    [[ $headers == *"Content-Type: application/json"* ]]
    [[ $headers == *"nosniff"* ]]
    [ "${#name}" -gt 250 ] ||
      [ "$(jq -r .name "$BATS_TEST_TMPDIR/run")" = "$name" ]
  done
  [ "$(api runs length)" = 8 ]
  [ "$(ask 'SELECT count(DISTINCT json) FROM tagset')" = 8 ]
}
