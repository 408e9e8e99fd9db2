# rw: real receivers of remote write, one of each for all tests of a file, and
# what they store. Loaded after helpers.
# shellcheck shell=bash disable=SC2034,SC2154 # for the tests; of helpers

# port_of PID: the TCP port that it listens on.
port_of() {
  ss -Hltnp | sed -nE "s/.*127\.0\.0\.1:([0-9]+) .*pid=$1,.*/\1/p" | head -n 1
}

has_port() { [ -n "$(port_of "$1")" ]; }

# start_prometheus NAME [OPTION...]: $pid and $base. ${config:-} is more of its
# configuration, ${own[@]} what it runs in, ${port:-} its port, which another may
# have for a while: it is asked for again.
start_prometheus() {
  local dir=$BATS_FILE_TMPDIR/$1
  command -v prometheus >/dev/null || skip 'no prometheus'
  mkdir -p "$dir"
  printf 'global: {scrape_interval: 1h}\n%s\n' "${config:-}" >"$dir/conf.yml"
  retry 60 prometheus_or_fail "$@"
  [ -n "$pid" ] || { cat "$dir/log"; return 1; }
  base=http://127.0.0.1:$(port_of "$pid")
  retry 30 curl -fsS "$base/-/ready" >"$dir/ready" 2>&1
}

# prometheus_or_fail NAME [OPTION...]: it listens, or will not ($pid is empty).
prometheus_or_fail() {
  local dir=$BATS_FILE_TMPDIR/$1
  shift
  ${own[@]+"${own[@]}"} prometheus --config.file="$dir/conf.yml" --storage.tsdb.path="$dir/data" \
    --web.listen-address="127.0.0.1:${port:-0}" --log.level=error \
    --storage.tsdb.retention.time=100y "$@" >"$dir/log" 2>&1 3>&- &
  pid=$!
  retry 30 has_port_or_ended "$pid" || true
  ! has_port "$pid" || return 0
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" || true
  pid=
  ! grep -q 'address already in use' "$dir/log"
}

has_port_or_ended() { has_port "$1" || ! kill -0 "$1" 2>/dev/null; }

# start_small SIZE START NAME [OPTION...]: START it with SIZE of disk, which is a
# mount of its own; $disk is the way to it.
start_small() {
  unshare -rm true 2>/dev/null || skip 'no mount of its own'
  # shellcheck disable=SC2016 # the inner shell expands it
  local own=(unshare -rm sh -c 'mount -t tmpfs -o size="$1" tmpfs "$2" &&
    shift 2 && exec "$@"' - "$1" "$BATS_FILE_TMPDIR/$3/data")
  mkdir -p "$BATS_FILE_TMPDIR/$3/data"
  "${@:2}"
  disk=/proc/$pid/root$BATS_FILE_TMPDIR/$3/data
}

# start_victoria NAME: $pid and $base; ${own[@]} as above.
start_victoria() {
  local dir=$BATS_FILE_TMPDIR/$1
  command -v victoria-metrics >/dev/null || skip 'no victoria-metrics'
  mkdir -p "$dir"
  ${own[@]+"${own[@]}"} victoria-metrics -storageDataPath="$dir/data" -retentionPeriod=100y \
    -httpListenAddr=127.0.0.1:0 -search.latencyOffset=0s \
    -search.disableCache -loggerLevel=WARN >"$dir/log" 2>&1 3>&- &
  pid=$!
  retry 30 has_port "$pid" || { cat "$dir/log"; return 1; }
  base=http://127.0.0.1:$(port_of "$pid")
  retry 30 curl -fsS "$base/health" >"$dir/ready" 2>&1
}

receiver='--web.enable-remote-write-receiver'
histograms='--enable-feature=native-histograms'

# Both, at $prom and $victoria.
setup_file() {
  local pid base
  # shellcheck disable=SC2086 # two options
  start_prometheus prom $receiver $histograms
  export prom=$base prom_pid=$pid
  start_victoria victoria
  export victoria=$base victoria_pid=$pid
}

teardown_file() {
  kill -9 "${prom_pid:-}" "${victoria_pid:-}" 2>/dev/null || true
}

setup() {
  # A minute ago, for what is old is refused.
  small=$BATS_TEST_TMPDIR/small.ndjson
  sed "s/\"time\":\"[-0-9]*T[0-9]*:[0-9]*:\([0-9.]*\)[^\"]*/\"time\":\"$(date -u \
    -d '-1 minute' +%Y-%m-%dT%H:%M):\1Z/" "$root/tests/data/small.ndjson" \
    >"$small"
  points=$(grep -c '"type":"Point"' "$small")
  reqs=$(grep -c '"metric":"http_reqs","type":"Point"' "$small")
  export K6_PROMETHEUS_RW_SERVER_URL=$prom/api/v1/write
  journals=$BATS_TEST_TMPDIR/journals
  # A label of its own for each test.
  id=t$BATS_TEST_NUMBER
  to_store=(--out prometheus-rw --journal "$journals")
}

# rw ARG...: k6push to the store.
rw() {
  k6push "${to_store[@]}" --testid "$id" "$@"
}

# ask BASE QUERY [JQ]: values of an instant query.
ask() {
  curl -sS --max-time 60 "$1/api/v1/query" --data-urlencode "query=$2" |
    jq -r "${3:-.data.result[].value[1]}"
}

# stored BASE METRIC: the sum of its last values in the run of this test.
stored() {
  ask "$1" "sum(last_over_time($2{testid=\"$id\"}[1h]))"
}

stored_is() {
  local got
  got=$(stored "$1" "$2")
  echo "$2 at $1: ${got:-none}, want $3"
  [ "$got" = "$3" ]
}

# counts N [STEP [NAME]]: counters of N series, a second apart, from now - N s.
counts() {
  awk -v n="$1" -v name="${3:-c}" -v t="${time:-$(($(date +%s) - 60))}" \
    -v step="${2:-1}" 'BEGIN {
      print "{\"type\":\"Metric\",\"data\":{\"name\":\"" name "\",\"type\":" \
        "\"counter\",\"contains\":\"default\",\"thresholds\":[]," \
        "\"submetrics\":null},\"metric\":\"" name "\"}"
      for (i = 0; i < n; i++)
        printf "{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":" \
          "\"%s\",\"value\":%s,\"tags\":{\"i\":\"%d\"}}}\n", name,
          strftime("%Y-%m-%dT%H:%M:%SZ", t, 1), step, i }'
}
