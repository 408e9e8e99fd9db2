#!/bin/bash
# How long the page's queries take on a run of one hour with 300
# series, and the bytes of the database; beside one read of all its points by
# python3's SQLite; what a live viewer asks for at each change; and when a
# browser shows the first numbers of that run, and of a list of 1000. Medians of
# RUNS.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${RUNS:-5}
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
bin/k6serve --listen 127.0.0.1:0 --db "$dir/db" >"$dir/out" 2>/dev/null &
server=$!
until grep -qs ^http "$dir/out"; do sleep 0.05; done
url=$(head -n 1 "$dir/out")
run=$(python3 tests/tools/hour.py "$url")
api=$url/api/v1/runs/$run

median() {
  sort -n | sed -n "$(((runs + 1) / 2))p"
}

scan=$(for _ in $(seq "$runs"); do
  python3 -c 'import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1])
t = time.monotonic()
db.execute("SELECT count(*), sum(sum), sum(length(hist)) FROM point").fetchall()
print((time.monotonic() - t) * 1000)' "$dir/db"
done | median)

# a note changes the run's version, so no answer comes from memory
row() {
  local ms
  ms=$(for i in $(seq "$runs"); do
    curl -sS -X PATCH -H 'Content-Type: application/json' \
      -d "{\"note\":\"$i\"}" "$api" >/dev/null
    curl -sS --fail -o "$dir/body" -w '%{time_total}\n' "$2"
  done | awk '{ print $1 * 1000 }' | median)
  awk -v name="$1" -v ms="$ms" -v n="$(stat -c %s "$dir/body")" \
    -v scan="$scan" 'BEGIN {
    printf "%-28s %8.1f %10d %8.2f\n", name, ms, n, ms / scan }'
}

printf 'page queries, 1 h, 300 series; wall time, median of %d\n' "$runs"
printf '%-28s %8s %10s %8s\n' query ms bytes '/ read'
printf '%-28s %8.1f\n' 'python3 sqlite3: read all' "$scan"
row series "$api/series?step=10"
for view in requests urls distribution slow checks errors metrics; do
  row "$view" "$api/$view"
done
row 'series of one URL' "$api/series?step=10&name=/url/1"
row 'series of one metric' "$api/series?step=10&metric=http_req_waiting"
row 'report (all of the page)' "$api/report"
last=$(curl -sS "$api/series" | jq '.[-1].t')
row 'report for a live page' "$api/report?series_from=$((last - 60))"
row 'run list' "$url/api/v1/runs"
# what a viewer of a running run costs, by the length of the run
cpu_ms() {
  awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' \
    "/proc/$server/stat"
}
for seconds in 120 3600; do
  live=$url/api/v1/runs/$(python3 tests/tools/hour.py "$url" "$seconds")
  last=$((1700000000 + seconds - 1))
  began=$(cpu_ms)
  for i in $(seq 50); do
    curl -sS -X PATCH -H 'Content-Type: application/json' \
      -d "{\"note\":\"$i\"}" "$live" >/dev/null
    curl -sS --fail -o /dev/null "$live/report?series_from=$((last - 60))"
  done
  awk -v name="live page, run of $seconds s" -v a="$began" -v b="$(cpu_ms)" \
    'BEGIN { printf "%-28s %8.1f CPU\n", name, (b - a) / 50 }'
done
ms=$(for _ in $(seq "$runs"); do
  curl -sS -o /dev/null -w '%{time_total}\n' "$api/report"
done | awk '{ print $1 * 1000 }' | median)
printf '%-28s %8.1f\n' 'report, unchanged run' "$ms"
for _ in $(seq 999); do
  printf 'next\nurl=%s/v1/tests\ndata={"name":"many"}\noutput=/dev/null\n' \
    "$url"
  printf 'header="Content-Type: application/json"\n'
done | sed 1d | curl -sS -K -

# first NAME PATH CONDITION: ms until it holds in the page, and its load.
first() {
  local ms
  ms=$(for _ in $(seq "$runs"); do
    tests/tools/browse.py "size 1280x900" "goto $url$2" "wait $3" \
      "eval performance.now()"
  done | median)
  printf '%-28s %8.1f\n' "$1" "$ms"
}
export BROWSE_IN=$dir/browser
tests/tools/browse.py --serve "$BROWSE_IN" &
trap 'kill "$server" $!; wait; rm -rf "$dir"' EXIT
first 'browser: page of the run' "/runs/$run" \
  "document.querySelector('#figures dd')"
first 'browser: list of 1000' / "document.querySelector('#rows tr')"
points=$(python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(
    "SELECT count(*) FROM point").fetchone()[0])' "$dir/db")
python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.execute("PRAGMA wal_checkpoint")' \
  "$dir/db"
awk -v n="$(stat -c %s "$dir/db")" -v points="$points" 'BEGIN {
  printf "database: %.1f MB, %d buckets, %.0f bytes each\n", n / 1e6, points,
    n / points }'
