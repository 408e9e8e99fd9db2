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
unset CURL_CA_BUNDLE SSL_CERT_DIR SSL_CERT_FILE
export HOME=${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:-/nonexistent}} \
  LC_ALL=C.UTF-8 NO_COLOR=1

# capture CMD...: run it; $status, and what it wrote in $out and $err, which
# bats shows when the test fails.
capture() {
  status=0
  "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
  # Of what is empty no process reads; bash leaves out what is NUL, and warns.
  out='' err=''
  {
    [ ! -s "$BATS_TEST_TMPDIR/out" ] || out=$(<"$BATS_TEST_TMPDIR/out")
    [ ! -s "$BATS_TEST_TMPDIR/err" ] || err=$(<"$BATS_TEST_TMPDIR/err")
  } 2>/dev/null
  printf '$ %s\nstatus %s\n-- out\n%.2000s\n-- err\n%.2000s\n' \
    "$*" "$status" "$out" "$err"
}

# until_found PATTERN FILE CMD...: capture it with $small as its input, which
# ends when the file has a line of that kind.
until_found() {
  local pattern=$1 file=$2
  shift 2
  rm -f "$BATS_TEST_TMPDIR/err"
  # shellcheck disable=SC2154 # small is the test's
  capture "$@" < <(cat "$small"; retry 20 grep -qsiE "$pattern" "$file")
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

# is_program PID: the process is one by now, and no longer our shell, which is
# to become it.
is_program() { [ "$(cat "/proc/$1/comm" 2>/dev/null || echo bash)" != bash ]; }

# kill_now PID: end it by SIGKILL; when this returns, its files are closed.
kill_now() {
  local state
  kill -9 "$1"
  while state=$(ps -o state= -p "$1") && [[ $state != Z* ]]; do
    sleep 0.02
  done
}

# mount_again IMAGE FOLDER: a disk as it is after its power was cut. While a
# mount namespace that another test made holds the old mount, a new one is of
# the same dead file system.
mount_again() {
  mount -o loop "$1" "$2" || return 1
  touch "$2/alive" 2>/dev/null && return 0
  umount "$2"
  return 1
}

# handles PID SIGNAL: by its number; the process has a handler of its own for
# it.
handles() {
  local mask
  is_program "$1" &&
    mask=$(awk '/^SigCgt/ { print $2 }' "/proc/$1/status") &&
    (((16#$mask >> ($2 - 1)) & 1))
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

# has_line FILE: its first line is there, whole.
has_line() {
  { read -r _ <"$1"; } 2>/dev/null
}

# start_server [OPTION...]: a k6serve of this test; $url is its base, $server
# its process. stop_server ends it and gives its exit status. A port that was
# ours before another may have for a while: it is asked for again.
start_server() {
  retry 60 serve_or_fail "$@"
  [ -n "$server" ] || { cat "$BATS_TEST_TMPDIR/serve.err"; return 1; }
  read -r url <"$BATS_TEST_TMPDIR/serve.out"
  export K6_CLOUD_HOST=$url
}

# serve_or_fail [OPTION...]: it serves, or will not do so ($server is empty).
serve_or_fail() {
  rm -f "$BATS_TEST_TMPDIR/serve.out"
  k6serve --listen 127.0.0.1:0 --db "$BATS_TEST_TMPDIR/k6serve.db" "$@" \
    >"$BATS_TEST_TMPDIR/serve.out" 2>"$BATS_TEST_TMPDIR/serve.err" 3>&- &
  server=$!
  retry 20 has_line_or_ended "$BATS_TEST_TMPDIR/serve.out" "$server" || true
  ! has_line "$BATS_TEST_TMPDIR/serve.out" || return 0
  stop_server || true
  ! grep -q 'Address already in use' "$BATS_TEST_TMPDIR/serve.err"
}

has_line_or_ended() { has_line "$1" || ! kill -0 "$2" 2>/dev/null; }

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
  curl -sS --max-time 600 "$url/api/v1/$1" | jq -r "${2:-.}"
}

# start_nginx: serve what stdin says, the inside of a `server { }` block, on a
# free port of 127.0.0.1; $target is its base URL, $nginx_log its access log
# in the form of $nginx_format. More directives of `http { }`: $nginx_http. In
# these, @next@ is a second port. The kernel gives none of these to anybody.
start_nginx() {
  local dir=$BATS_TEST_TMPDIR/nginx port next server_block http=${nginx_http:-}
  local run
  run=$(command -v nginx || echo "$root/build/tools/usr/sbin/nginx")
  [ -x "$run" ] || skip "no nginx (make check installs it)"
  server_block=$(cat)
  mkdir -p "$dir"
  nginx_log=$dir/access.log
  for _ in $(seq 30); do
    port=$((20000 + RANDOM % 12000)) next=$((port + 1))
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
  ${http//@next@/$next}
  server {
    listen 127.0.0.1:$port ${nginx_listen:-};
    ${server_block//@next@/$next}
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

# stop_nginx: when it returns, the file of its process is gone: one that ends
# later would remove that of the next. One that has only just begun may overlook
# a signal, so it gets another.
stop_nginx() {
  local file=$BATS_TEST_TMPDIR/nginx/pid pid
  [ -s "$file" ] || return 0
  pid=$(<"$file")
  while [ -e "$file" ] && kill "$pid" 2>/dev/null; do sleep 0.02; done
}

# reload_nginx: it reads its configuration again; when this returns, no process
# with the former one takes a connection any more.
reload_nginx() {
  local master worker
  master=$(<"$BATS_TEST_TMPDIR/nginx/pid")
  retry 20 nginx_works "$master"
  worker=$(pgrep -P "$master")
  kill -HUP "$master"
  # shellcheck disable=SC2086 # one or more
  retry 20 nginx_is_left "$master" $worker
}

nginx_works() { pgrep -P "$1" >/dev/null; }

# logged: the log of nginx has all requests that were answered. It writes a line
# after the answer, and then waits for the next request, or ends.
logged() { retry 20 nginx_waits; }

nginx_waits() {
  local file=$BATS_TEST_TMPDIR/nginx/pid states
  [ -e "$file" ] || return 0
  states=$(ps -o state= --ppid "$(<"$file")") && [[ $states != *[!S$'\n']* ]]
}

# nginx_is_left MASTER WORKER...: all of these have ended. A signal that came
# too early is overlooked until the next one, such as this, which says nothing.
nginx_is_left() {
  local master=$1
  shift
  ! kill -0 "$@" 2>/dev/null || { kill -IO "$master" && false; }
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
  read -r r f a p < <(sed \
    -nE 's/^k6agg: ([0-9]+) requests in = ([0-9]+) folded'\
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
request() { requests_at "$1" 1 "$2" "${3:-a}"; }

# requests_at SECONDS N MS NAME: N of them, a millisecond apart.
requests_at() {
  awk -v t="$1" -v n="$2" -v ms="$3" -v name="$4" '
    function put(m, v) {
      printf "{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":" \
        "\"2026-01-01T00:%02d:%09.6fZ\",\"value\":%s,\"tags\":" \
        "{\"name\":\"%s\"}}}\n", m, int(t / 60), t % 60, v, name }
    BEGIN { for (; n > 0; n--) {
      put("http_reqs", 1); put("http_req_duration", ms)
      put("http_req_blocked", 0); put("http_req_connecting", 0)
      put("http_req_tls_handshaking", 0); put("http_req_sending", 0)
      put("http_req_waiting", ms); put("http_req_receiving", 0)
      put("http_req_failed", 0); t += 0.001 } }'
}

# point METRIC VALUE [TAGS]: one Point line, at $time or the first moment of
# 2026.
point() {
  printf '{"metric":"%s","type":"Point","data":{"time":"%s","value":%s,' \
    "$1" "${time:-2026-01-01T00:00:00Z}" "$2"
  printf '"tags":{%s}}}\n' "${3:-}"
}

# requests N [FROM]: that many ordinary ones, a millisecond apart. They come in
# one write, so that no busy machine puts a silence between them.
requests() {
  local all
  all=$(requests_at "${2:-0}" "$1" 10 a)
  cat <<<"$all"
}

# under_strace: leaks are not looked for from here on, as that needs ptrace, too.
under_strace() {
  export ASAN_OPTIONS="${ASAN_OPTIONS:-}${ASAN_OPTIONS:+:}detect_leaks=0"
}

# sanitized: the tools are built with sanitizers, which take time and memory of
# their own. within_kb KB CMD...: in so much address space, unless they are.
sanitized() { grep -qE "__[at]san_init" "$bin/k6agg"; }
within_kb() (
  sanitized || ulimit -v "$1"
  shift
  "$@"
)
