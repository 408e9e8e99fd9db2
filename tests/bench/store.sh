#!/bin/bash
# k6serve on SQLite and on PostgreSQL, of the same program and in one run: what
# of HOUR seconds with 300 series each takes in by CPU seconds of k6serve, the
# bytes for each series and second, how long a page takes, of 24 hours by steps
# of a minute too, and what two k6serve on one PostgreSQL take in by their own
# CPU. Medians of RUNS.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
runs=${RUNS:-5}
hour=${HOUR:-3600}
dir=$(mktemp -d /tmp/k6store.XXXXXX)
PATH=$root/bin:$PATH
unset "${!K6_@}"
# shellcheck source=tests/k6serve/postgres.bash
. tests/k6serve/postgres.bash
servers=()
end() {
  [ ${#servers[@]} = 0 ] || kill "${servers[@]}"
  wait
  postgres_teardown_file
  rm -rf "$dir"
}
trap end EXIT
postgres_setup_file
[ -n "${pg:-}" ] || { echo 'store.sh: no PostgreSQL' >&2; exit 1; }

# start DB: a k6serve more; $url and $server.
start() {
  : >"$dir/out"
  k6serve --listen 127.0.0.1:0 --db "$1" >>"$dir/out" 2>/dev/null &
  server=$!
  servers+=("$server")
  until grep -qs ^http "$dir/out"; do sleep 0.05; done
  url=$(cat "$dir/out")
}

# stop: all of them.
stop() {
  kill "${servers[@]}"
  wait "${servers[@]}" || true
  servers=()
}

# CPU of a process in hundredths of a second.
ticks() {
  awk '{ print $14 + $15 }' "/proc/$1/stat"
}

samples() {
  curl -sS "$1/metrics" | sed -n 's/^k6serve_samples_stored_total //p'
}

# rate URL PID: samples for each CPU second.
rate() {
  awk -v n="$(samples "$1")" -v t="$(ticks "$2")" 'BEGIN { print 100 * n / t }'
}

# page RUN: ms that its report takes; a note makes it anew.
page() {
  local i
  for i in $(seq "$runs"); do
    curl -sS -X PATCH -H 'Content-Type: application/json' \
      -d "{\"note\":\"$i\"}" "$url/api/v1/runs/$1" >/dev/null
    curl -sS --fail -o /dev/null -w '%{time_total}\n' \
      "$url/api/v1/runs/$1/report"
  done | sort -n | sed -n "$(((runs + 1) / 2))p" | awk '{ print $1 * 1000 }'
}

row() {
  awk -v name="$1" -v a="$2" -v b="$3" 'BEGIN {
    printf "%-36s %10.*f %10.*f %6.2f\n", name, a < 1000, a, b < 1000, b,
      b / a }'
}

declare -A got
# measure NAME DB BYTES: BYTES prints the size and the points of a database.
measure() {
  start "$2"
  python3 tests/tools/hour.py "$url" "$hour" >/dev/null
  got[$1.rate]=$(rate "$url" "$server")
  got[$1.hour]=$(page 1)
  got[$1.bytes]=$($3 | awk '{ print $1 / $2 }')
  python3 tests/tools/hour.py "$url" 86400 60 >/dev/null
  got[$1.day]=$(page 2)
  stop
}

sqlite_bytes() {
  python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA wal_checkpoint")
print(db.execute("PRAGMA page_count").fetchone()[0] *
      db.execute("PRAGMA page_size").fetchone()[0],
      db.execute("SELECT count(*) FROM point").fetchone()[0])' "$dir/db"
}

postgres_bytes() {
  sql "SELECT sum(pg_total_relation_size(c.oid)),
    (SELECT count(*) FROM k6serve.point) FROM pg_class c
    WHERE relnamespace = 'k6serve'::regnamespace AND relkind = 'r'" runs |
    tr '|' ' '
}

sql 'CREATE DATABASE runs' postgres
db="postgresql://k6@/runs?host=$pg"
measure sqlite "$dir/db" sqlite_bytes
measure postgres "$db" postgres_bytes

# two at a time, each with a run of its own
start "$db"
first=$server first_url=$url
start "$db"
python3 tests/tools/hour.py "$first_url" "$((hour / 6))" >/dev/null &
python3 tests/tools/hour.py "$url" "$((hour / 6))" >/dev/null
wait $!
two=$(awk -v a="$(rate "$first_url" "$first")" \
  -v b="$(rate "$url" "$server")" 'BEGIN { print a + b }')
stop

printf 'k6serve, %d s of 300 series\n' "$hour"
printf '%-36s %10s %10s %6s\n' '' SQLite PostgreSQL '/ '
row 'samples for a CPU second' "${got[sqlite.rate]}" "${got[postgres.rate]}"
row 'bytes for a series and second' "${got[sqlite.bytes]}" \
  "${got[postgres.bytes]}"
row 'page, 1 h, ms' "${got[sqlite.hour]}" "${got[postgres.hour]}"
row 'page, 24 h by minutes, ms' "${got[sqlite.day]}" "${got[postgres.day]}"
row 'one k6serve on PostgreSQL, and two' "${got[postgres.rate]}" "$two"
