#!/bin/bash
# What k6serve takes in, in samples a second of its own CPU
# time, beside programs that only read the same bodies; then how large an hour
# is, how long its pages take, and what a hundred viewers cost. Bodies are those
# of one second each, of INPUT, moved on in time REPEAT times.
set -euo pipefail
cd "$(dirname "$0")/../.."
repeat=${REPEAT:-4}
dir=$PWD/build/bench/serve
mkdir -p "$dir"
PATH=$PWD/bin:$PATH
unset "${!K6_@}"
tests/tools/unpack.sh build/fixtures
input=${INPUT:-build/fixtures/corpus/rich.ndjson}
seconds=9 # of INPUT, rounded up

# bodies FOLDER: the samples on stdin as bodies of one second each, packed.
bodies() {
  local r
  rm -rf "$1"
  mkdir "$1"
  cat >"$dir/samples"
  for r in $(seq 0 $((repeat - 1))); do
    awk -v shift_us="$((r * seconds * 1000000))" -v to="$1/$r." '
      { match($0, /"time":"[0-9]+"/)
        us = substr($0, RSTART + 8, RLENGTH - 9) + shift_us
        second = sprintf("%.0f", (us - us % 1000000) / 1000000)
        print sprintf("%s\t", second) substr($0, 1, RSTART + 7) \
          sprintf("%.0f", us) substr($0, RSTART + RLENGTH - 1) }' \
      "$dir/samples" | sort -s -k1,1 | awk -F '\t' -v to="$1/$r." '
      $1 != last { if (last) { printf "]" >file; close(file) }
        last = $1; file = to last; printf "[" >file; comma = "" }
      { printf "%s%s", comma, $2 >file; comma = "," }
      END { printf "]" >file }'
  done
  gzip -1 "$1"/*
}

ticks() {
  awk '{ print $14 + $15 }' "/proc/$server/stat"
}

server=
trap '[ -z "$server" ] || kill "$server"' EXIT
# start [COMMAND...]: a server, run by the command.
start() {
  rm -f "$dir"/db* "$dir/out"
  "$@" k6serve --listen 127.0.0.1:0 --db "$dir/db" >"$dir/out" 2>/dev/null &
  server=$!
  until grep -qs http "$dir/out"; do sleep 0.05; done
  url=$(cat "$dir/out")
}
stop() {
  kill "$server"
  wait "$server" || true
  server=
}
get() {
  curl -sS "$url/api/v1/$1"
}
create() {
  curl -sS -o /dev/null -H 'Content-Type: application/json' \
    -d '{"name":"bench"}' "$url/v1/tests"
}

# deliver FOLDER [RUN]: its bodies on one connection.
deliver() {
  local f
  for f in "$1"/*; do
    printf 'next\nurl=%s/v1/metrics/%s\ndata-binary=@%s\noutput=/dev/null\n' \
      "$url" "${2:-1}" "$f"
    printf 'header="Content-Type: application/json"\nfail\n'
    printf 'header="Content-Encoding: gzip"\n'
    printf 'header="K6-Idempotency-Key: %s"\n' "$(basename "$f")"
  done | sed 1d >"$dir/config"
  curl -sS -K "$dir/config"
}

row() { # NAME SECONDS POINTS ENTRIES
  awk -v name="$1" -v s="$2" -v n="$3" -v e="$4" 'BEGIN {
    if (s < 0.01) s = 0.01
    printf "%-26s %7.2f %12.0f %12.0f %9.0f\n", name, s, n / s, e / s,
      s * 1e9 / n }'
}

# ingest NAME FOLDER: what the server needed for it; $points is what it got.
ingest() {
  local before entries
  start
  create
  entries=$(zcat "$2"/* | grep -o '"metric":' | wc -l)
  before=$(ticks)
  deliver "$2"
  used=$(($(ticks) - before))
  points=$(get runs/1 | jq .points)
  row "$1" "$(awk "BEGIN { print $used / 100 }")" "$points" "$entries"
  stop
}

# peer NAME COMMAND: CPU time of another program for the same bodies.
peer() {
  local s
  # shellcheck disable=SC2016
  s=$(bash -c 'TIMEFORMAT="%U %S"; time { '"$2"'; } >/dev/null 2>&1' 2>&1 |
    awk '{ print $1 + $2 }')
  row "$1" "$s" "$points" "$entries_of"
}

unpack() {
  case $input in
  *.gz) zcat "$input" ;;
  *) cat "$input" ;;
  esac
}

unpack | k6push --dry-run 2>/dev/null | bodies "$dir/raw"
unpack | k6agg -q -p 3s | K6_CLOUD_SEND_HISTOGRAMS=true k6push --dry-run \
  2>/dev/null | bodies "$dir/folded"
printf '\n%s, %s times; CPU time\n' "$(basename "$input")" "$repeat"
printf '%-26s %7s %12s %12s %9s\n' 'takes in' s samples/s entries/s ns/sample
ingest 'k6serve, v1 folded' "$dir/folded"
ingest 'k6serve, v1 raw' "$dir/raw"
entries_of=$(zcat "$dir"/raw/* | grep -o '"metric":' | wc -l)
peer 'gzip -dc' "gzip -dc $dir/raw/*"
peer 'gzip -dc | jq length' "gzip -dc $dir/raw/* | jq length"
peer 'python3: json, a row each' \
  "rm -f $dir/py*; python3 tests/bench/store.py $dir/py $dir/raw/*"
start
before=$(ticks)
if unpack | K6_CLOUD_HOST=$url K6_CLOUD_API_VERSION=2 k6push -q \
  --no-journal 2>/dev/null; then
  used=$(($(ticks) - before))
  points=$(get runs/1 | jq .points)
  row 'k6serve, v2' "$(awk "BEGIN { print $used / 100 }")" "$points" 0
fi
stop

# An hour of 33 names with 9 metrics each, 99 requests a second.
printf '\n1 h, 297 series and 9 of all together, 356400 requests\n'
rm -rf "$dir/hour"
mkdir "$dir/hour"
# One request as protocol 1 has it, for awk: a comma, its time, its tags from
# the name on, its duration, and what it sent and waited.
trail='{"type":"Points","metric":"http_req_li_all","data":{"time":"%.0f",'\
'"type":"counter","tags":{"name":%s},"values":{"http_reqs":1,'\
'"http_req_duration":%.6f,"http_req_blocked":0.002,"http_req_connecting":0,'\
'"http_req_tls_handshaking":0,"http_req_sending":%.6f,'\
'"http_req_waiting":%.6f,"http_req_receiving":0.05,"http_req_failed":0}}}'
awk -v to="$dir/hour/" -v trail="$trail" 'BEGIN {
  srand(7)
  for (m = 0; m < 60; m++) {
    file = sprintf("%s%02d", to, m)
    printf "[" >file
    comma = ""
    for (s = 0; s < 60; s++) for (u = 0; u < 33; u++) for (r = 0; r < 3; r++) {
      wait = exp(3 + 0.5 * (rand() + rand() + rand() - 1.5) * 2) + u
      send = rand() / 10
      printf "%s" trail, comma,
        (1700000000 + m * 60 + s) * 1000000 + r * 300000,
        "\"/page/" u "\",\"method\":\"GET\",\"status\":\"200\"",
        wait + send + 0.05, send, wait >file
      comma = ","
    }
    printf "]" >file
    close(file)
  }
}'
gzip -1 "$dir"/hour/*
start
create
deliver "$dir/hour"
size=$(python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA wal_checkpoint")
pages = db.execute("PRAGMA page_count").fetchone()[0]
n = db.execute("SELECT count(*) FROM point").fetchone()[0]
print(pages * 4096, n)' "$dir/db")
read -r bytes buckets <<<"$size"
printf '%-26s %7.1f MB, %d buckets of %.1f bytes\n' database \
  "$(awk "BEGIN { print $bytes / 1e6 }")" "$buckets" \
  "$(awk "BEGIN { print $bytes / $buckets }")"
for path in runs runs/1 runs/1/series runs/1/urls runs/1/distribution \
  runs/1/slow runs/1/checks runs/1/errors runs/1/metrics; do
  first=$(curl -sS -o /dev/null -w '%{time_total}' "$url/api/v1/$path")
  again=$(for _ in 1 2 3 4 5; do
    curl -sS -o /dev/null -w '%{time_total}\n' "$url/api/v1/$path"
  done | sort -n | sed -n 3p)
  awk -v p="GET $path" -v a="$first" -v b="$again" 'BEGIN {
    printf "%-26s %7.1f ms, again %.1f ms\n", p, a * 1000, b * 1000 }'
done
before=$(ticks)
read -r answers median p99 < <(python3 tests/bench/viewers.py "$url" 100 10)
printf '%-26s %7.2f s of CPU time a second; '\
'%s answers, median %s, p99 %s ms\n' \
  '100 viewers, 10 s, live' \
  "$(awk "BEGIN { print ($(ticks) - $before) / 1000 }")" "$answers" "$median" \
  "$p99"
# A day with a request every three seconds, for answers of more than 10 MB.
rm -rf "$dir/day"
mkdir "$dir/day"
awk -v to="$dir/day/" -v trail="$trail" 'BEGIN {
  for (h = 0; h < 24; h++) {
    file = sprintf("%s%02d", to, h)
    for (s = 0; s < 3600; s += 3) {
      printf "%s" trail, s ? "," : "[", (1700000000 + h * 3600 + s) * 1000000,
        "\"/\"", 10 + s / 7 + 0.1, 0.05, 10 + s / 7 >file
    }
    printf "]" >file
    close(file)
  }
}'
gzip -1 "$dir"/day/*
create
deliver "$dir/day" 2
read -r answers mb pushes median p99 longest < <(python3 \
  tests/bench/reads.py "$url" 2 100 20)
printf '%-26s %s pushes: median %s, p99 %s, longest %s ms; '\
'%s answers of %s MB\n' \
  '100 readers, 20 s' "$pushes" "$median" "$p99" "$longest" "$answers" "$mb"
stop

# More connections than it has descriptors for, which send next to nothing.
start prlimit --nofile=192
create
before=$(ticks)
read -r asked good p99 _ < <(python3 tests/tools/attack.py "$url" 6 300 0 0)
printf '%-26s %7.2f s of CPU time a second; '\
'%s of %s good requests, p99 %s ms\n' \
  '300 slow heads, 6 s' \
  "$(awk "BEGIN { print ($(ticks) - $before) / 600 }")" "$good" "$asked" "$p99"
stop
