#!/bin/bash
# What k6gen says of a server's latency, beside what that is, seen from the
# server: 250 requests a second of one worker that could do 500, and that rests
# 100 ms every 2 s while requests queue (queue.c). SECONDS_LONG=10. Then each
# phase of a request, beside what a server delays it (delays.py).
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
rate=250
count=$((rate * ${SECONDS_LONG:-10}))
[ "$dir/queue" -nt tests/bench/queue.c ] ||
  cc -O2 -D_GNU_SOURCE -o "$dir/queue" tests/bench/queue.c
last=$(($(nproc) - 1))

# quantiles < values: the three that queue.c prints
quantiles() {
  sort -g | awk '{ v[NR - 1] = $1 } END { printf "%.3f %.3f %.3f\n",
    v[int(NR / 2)], v[int(NR * 95 / 100)], v[int(NR * 99 / 100)] }'
}

rm -f "$dir"/latency.*
for i in $(seq "$runs"); do
  rm -f "$dir/known"
  taskset -c 0 "$dir/queue" $rate "$count" >"$dir/known" &
  until [ -s "$dir/known" ]; do sleep 0.05; done
  taskset -c "$last" k6gen -q -r $rate/s -d $((count / rate))s \
    "http://127.0.0.1:$(head -n 1 "$dir/known")/" >"$dir/latency.ndjson"
  wait
  tail -n 1 "$dir/known" >"$dir/latency.known.$i"
  sed -n 's/^{"metric":"iteration_duration","type":"Point".*'\
'"value":\([^,]*\),.*/\1/p' \
    "$dir/latency.ndjson" | quantiles >"$dir/latency.seen.$i"
done
printf '%d requests, %d a second, of a worker that is half busy and rests\n' \
  "$count" $rate
printf '%-34s %10s %10s %10s\n' 'ms' p50 p95 p99
row() {
  local figures=() k
  for k in 1 2 3; do
    figures+=("$(cut -d ' ' -f $k "$dir"/latency."$2".* | median)")
  done
  printf '%-34s %10.3f %10.3f %10.3f\n' "$1" "${figures[@]}"
}
row 'known, from due to answered' known
row 'k6gen, iteration_duration' seen
printf '%-34s %10s %10s %10.3f   (wanted: at most 0.2)\n' \
  'difference of p99, median of runs' '' '' "$(for i in $(seq "$runs"); do
  paste -d ' ' "$dir/latency.known.$i" "$dir/latency.seen.$i"
done | awk '{ d = $6 - $3; print d < 0 ? -d : d }' | median)"

# The least of 20 requests, less that of a server which does the same work and
# does not wait.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$dir/key" -out "$dir/cert" \
  2>/dev/null
head -c 8000000 /dev/zero >"$dir/body"
rm -f "$dir"/port.*
servers=()
trap 'kill "${servers[@]}"' EXIT
for kind in plain tls quick quick_tls; do
  python3 tests/tools/delays.py "$dir" $kind &
  servers+=($!)
  until [ -s "$dir/port.$kind" ]; do sleep 0.05; done
done
# least PHASE KIND [OPTION...]
least() {
  local phase=$1 kind=$2 scheme=http
  shift 2
  [[ $kind != *tls ]] || scheme=https
  k6gen -q -i 20 --ca "$dir/cert" "$@" \
    "$scheme://localhost:$(cat "$dir/port.$kind")/" |
    sed -n 's/^{"metric":"http_req_'"$phase"'","type":"Point".*'\
'"value":\([^,]*\),.*/\1/p' |
    sort -g | head -n 1
}
phase() { # PHASE MS KIND QUICK [OPTION...]
  local name=$1 ms=$2 kind=$3 quick=$4 slow own
  shift 4
  slow=$(least "$name" "$kind" "$@")
  own=$(least "$name" "$quick" "$@")
  awk -v name="$name" -v ms="$ms" -v slow="$slow" -v own="$own" 'BEGIN {
    printf "%-34s %10d %10.3f   (wanted: within 1)\n", name, ms, slow - own }'
}
printf '\n%-34s %10s %10s\n' 'phase, ms' delayed seen
phase tls_handshaking 40 tls quick_tls
phase sending 50 plain quick -b "@$dir/body"
phase waiting 30 plain quick

# What k6gen says that a server of 20 ms takes, beside what the server says,
# while k6gen is stopped ten times for 300 ms, and beside four endless loops.
# The server goes first, where that is allowed: its own delays count, too.
[ "$dir/slow" -nt tests/bench/slow.c ] ||
  cc -O2 -D_GNU_SOURCE -o "$dir/slow" tests/bench/slow.c -lssl -lcrypto
waited() { # NAME SCHEME LOOPS STOPS [CERTIFICATE KEY]
  local name=$1 scheme=$2 loops=() i pid server first=()
  chrt -f 10 true 2>/dev/null && first=(chrt -f 10)
  for i in $(seq "$3"); do
    while :; do :; done &
    loops+=($!)
  done
  : >"$dir/slow.out"
  "${first[@]}" "$dir/slow" 20 "${@:5}" >"$dir/slow.out" &
  server=$!
  until [ -s "$dir/slow.out" ]; do sleep 0.05; done
  k6gen -k -q -u 2 -d 8s "$scheme://localhost:$(head -n 1 "$dir/slow.out")/" \
    >"$dir/slow.ndjson" &
  pid=$!
  for i in $(seq "$4"); do
    sleep 0.2
    kill -STOP $pid
    sleep 0.3
    kill -CONT $pid
  done
  wait $pid
  kill "$server" "${loops[@]}"
  wait "$server" "${loops[@]}" 2>/dev/null || true
  sed -n 's/^{"metric":"http_req_waiting","type":"Point".*'\
'"value":\([^,]*\),.*/\1/p' \
    "$dir/slow.ndjson" | sort -g | awk -v name="$name" \
    -v known="$(tail -n 1 "$dir/slow.out")" '{ v[NR] = $1 }
      END { split(known, k, " ")
        printf "%-28s %8.3f %8.3f %8.3f %8.3f   (wanted: p99 at most 22)\n",
        name, k[1], k[2], v[int((NR + 1) / 2)], v[int((NR + 1) * 0.99)] }'
}
printf '\n%-28s %8s %8s %8s %8s\n' 'waiting for 20 ms' 'p50, by' p99 \
  'p50, by' p99
printf '%-28s %8s %8s %8s %8s\n' '' server server k6gen k6gen
waited 'plain, stopped ten times' http 0 10
waited 'TLS, stopped ten times' https 0 10 "$dir/cert" "$dir/key"
waited 'plain, beside four loops' http 4 0
waited 'TLS, beside four loops' https 4 0 "$dir/cert" "$dir/key"
