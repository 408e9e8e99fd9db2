# helpers: what the tests share. A test loads it with `load helpers`.
bats_require_minimum_version 1.8.0

root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
bin=${K6PIPE_BIN:-$root/bin}
fixtures=$root/build/fixtures
tools=$root/tests/tools
# Debian's programs, which need.sh installs, come before others of the same
# name: a wrapper of python3 may take a second to start, of many a time.
export PATH="$bin:/usr/bin:/bin:$PATH"
# Nothing of the person who runs the tests may leak in, nor be written to.
unset "${!K6_@}" "${!k6_@}" http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
unset ALL_PROXY all_proxy XDG_CONFIG_HOME XDG_STATE_HOME
export HOME=${BATS_TEST_TMPDIR:-/nonexistent} LC_ALL=C.UTF-8 NO_COLOR=1

# capture CMD...: run it; $status, and what it wrote in $out and $err, which
# bats shows when the test fails.
capture() {
  status=0
  "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
  out=$(tr -d '\0' <"$BATS_TEST_TMPDIR/out")
  err=$(tr -d '\0' <"$BATS_TEST_TMPDIR/err")
  printf '$ %s\nstatus %s\n-- out\n%.2000s\n-- err\n%.2000s\n' \
    "$*" "$status" "$out" "$err"
}

# retry SECONDS CMD...: until it succeeds, which should take at most so long,
# and may take a minute more on a machine that is busy with other things.
retry() {
  local deadline=$((SECONDS + $1 + 60))
  shift
  until "$@"; do
    if ((SECONDS >= deadline)); then
      echo "gave up waiting for: $*" >&2
      return 1
    fi
    sleep 0.05
  done
}

# kill_now PID: end it by SIGKILL; when this returns, its files are closed.
kill_now() {
  local state
  kill -9 "$1"
  while state=$(ps -o state= -p "$1") && [[ $state != Z* ]]; do
    sleep 0.02
  done
}

# What is packed in tests/data is in $fixtures: unpacked once, and again when
# a pack is newer.
unpack_fixtures() {
  local pack name
  for pack in "$root"/tests/data/*.tar.zst; do
    name=${pack##*/}
    [ "$fixtures/${name%.tar.zst}.done" -nt "$pack" ] && continue
    "$tools/unpack.sh" "$fixtures"
    return
  done
}
unpack_fixtures

# corpus NAME: its lines on stdout: small and rich are real k6's output of a
# run, medium is small again and again.
corpus() { cat "$fixtures/corpus/$1.ndjson"; }

# stream COUNT RATE: a run of numbered requests, so many a second; 0: at once.
stream() { python3 "$tools/stream.py" "$@"; }

# start_server [OPTION...]: a k6serve of this test; $url is its base, $server
# its process. stop_server ends it and gives its exit status.
start_server() {
  rm -f "$BATS_TEST_TMPDIR/serve.out"
  k6serve --listen 127.0.0.1:0 --db "$BATS_TEST_TMPDIR/k6serve.db" "$@" \
    >"$BATS_TEST_TMPDIR/serve.out" 2>"$BATS_TEST_TMPDIR/serve.err" 3>&- &
  server=$!
  retry 20 grep -qs ^http "$BATS_TEST_TMPDIR/serve.out" ||
    { cat "$BATS_TEST_TMPDIR/serve.err"; return 1; }
  url=$(head -n 1 "$BATS_TEST_TMPDIR/serve.out")
  export K6_CLOUD_HOST=$url
}

stop_server() {
  [ -n "${server:-}" ] || return 0
  kill "$server" 2>/dev/null || true
  local code=0
  wait "$server" || code=$?
  server=
  return "$code"
}

# api PATH [JQ]: k6serve's JSON API, through jq.
api() {
  curl -sS --max-time 90 "$url/api/v1/$1" | jq -r "${2:-.}"
}

# start_nginx: serve what stdin says, the inside of a `server { }` block, on a
# free port of 127.0.0.1; $target is its base URL, $nginx_log its access log
# in the form of $nginx_format. More directives of `http { }`: $nginx_http.
start_nginx() {
  local dir=$BATS_TEST_TMPDIR/nginx port server_block
  local run
  run=$(command -v nginx || echo "$root/build/tools/usr/sbin/nginx")
  [ -x "$run" ] || skip "no nginx (make check installs it)"
  server_block=$(cat)
  mkdir -p "$dir"
  nginx_log=$dir/access.log
  for _ in $(seq 30); do
    port=$((20000 + RANDOM % 20000))
    cat >"$dir/conf" <<CONF
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
pid $dir/pid;
error_log $dir/error.log;
worker_processes 1;
daemon on;
events { worker_connections 4096; }
http {
  log_format t '${nginx_format:-\$request}';
  access_log $nginx_log t;
  client_body_temp_path $dir/t1;
  proxy_temp_path $dir/t2;
  fastcgi_temp_path $dir/t3;
  uwsgi_temp_path $dir/t4;
  scgi_temp_path $dir/t5;
  client_max_body_size 100m;
  keepalive_requests 100000000;
  ${nginx_http:-}
  server {
    listen 127.0.0.1:$port ${nginx_listen:-};
    $server_block
  }
}
CONF
    if "$run" -p "$dir" -c "$dir/conf" 2>"$dir/start" 3>&-; then
      # shellcheck disable=SC2034 # for the test
      target=http${nginx_listen:+s}://127.0.0.1:$port
      return 0
    fi
  done
  cat "$dir/start"
  return 1
}

stop_nginx() {
  [ -s "$BATS_TEST_TMPDIR/nginx/pid" ] || return 0
  kill "$(cat "$BATS_TEST_TMPDIR/nginx/pid")" 2>/dev/null || true
}

# moment FROM TO: wait for a random time between these, in ms. $RANDOM has the
# seed $seed, which is printed, and can be given.
moment() {
  [ -n "${seed:-}" ] || seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
  [ -n "${seeded:-}" ] || { RANDOM=$seed seeded=1 && echo "SEED=$seed"; }
  sleep "$(printf '0.%03d' $(($1 + RANDOM % ($2 - $1))))"
}

# check_books OUT ERR MADE: the report's line adds up, and to what was made
# and what the output holds.
check_books() {
  local r f a p
  read -r r f a p < <(sed -nE 's/^k6agg: ([0-9]+) requests in = ([0-9]+) folded'\
' into ([0-9]+) aggregates \+ ([0-9]+) passed$/\1 \2 \3 \4/p' "$2")
  echo "made $3, in $r, folded $f, aggregates $a, passed $p"
  [ "$r" -eq "$3" ]
  [ "$r" -eq $((f + p)) ]
  [ "$f" -eq "$(grep -o '"aggregated_trend","count":[0-9]*' "$1" |
    awk -F: '{ n += $2 } END { print n + 0 }')" ]
  [ "$a" -eq "$(grep -c '^{"type":"AggregatedPoints"' "$1")" ]
  [ "$p" -eq "$(made "$1")" ]
  tail -n 1 "$1" | grep -q "\"requests\":$r,\"folded\":$f,\"passed\":$p,"
}

# made FILE: the sum of its http_reqs.
made() {
  awk '/"metric":"http_reqs","type":"Point"/ {
      sub(/.*"value":/, ""); n += $0 + 0 } END { print n + 0 }' "$1"
}

# request SECONDS MS [NAME]: the nine lines of one, so long after midnight.
request() {
  awk -v t="$1" -v ms="$2" -v name="${3:-a}" 'function put(m, v) {
      printf "{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":" \
        "\"2026-01-01T00:%02d:%09.6fZ\",\"value\":%s,\"tags\":" \
        "{\"name\":\"%s\"}}}\n", m, int(t / 60), t % 60, v, name }
    BEGIN { put("http_reqs", 1); put("http_req_duration", ms)
      put("http_req_blocked", 0); put("http_req_connecting", 0)
      put("http_req_tls_handshaking", 0); put("http_req_sending", 0)
      put("http_req_waiting", ms); put("http_req_receiving", 0)
      put("http_req_failed", 0) }'
}

# point METRIC VALUE [TAGS]: one Point line, at $time or the first moment of 2026.
point() {
  printf '{"metric":"%s","type":"Point","data":{"time":"%s","value":%s,' \
    "$1" "${time:-2026-01-01T00:00:00Z}" "$2"
  printf '"tags":{%s}}}\n' "${3:-}"
}

# requests N [FROM]: that many ordinary ones, a millisecond apart. They come in
# one write, so that no busy machine puts a silence between them.
requests() {
  local i at=$BATS_TEST_TMPDIR/requests.$BASHPID
  for ((i = 0; i < $1; i++)); do
    request "$(printf '%d.%03d' "${2:-0}" "$i")" 10
  done >"$at"
  cat "$at"
  rm -f "$at"
}

# sanitized: the tools are built with sanitizers, which take time and memory of
# their own. within_kb KB CMD...: in so much address space, unless they are.
sanitized() { grep -qE "__[at]san_init" "$bin/k6agg"; }
within_kb() (
  sanitized || ulimit -v "$1"
  shift
  "$@"
)
