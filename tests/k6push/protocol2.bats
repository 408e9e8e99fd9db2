#!/usr/bin/env bats
# Metrics protocol 2, from the stream to the wire and back: k6's own results
# on the same samples are the measure.

# bats file_tags=threads
load ../helpers

setup() { export K6_CLOUD_API_VERSION=2; }
teardown() { stop_server || true; stop_nginx; }

# same GOLDEN OURS: equal MetricSets.
same() { python3 "$root/tests/tools/seriescmp.py" "$@"; }

# as_k6 GOLDEN FILE PERIOD: the series are k6's own on the same samples.
as_k6() {
  K6_CLOUD_AGGREGATION_PERIOD=$3 k6push --dry-run "$2" \
    >"$BATS_TEST_TMPDIR/ours"
  same "$1" "$BATS_TEST_TMPDIR/ours"
}

recorded() {
  as_k6 "$fixtures/golden/v2/$1.$2.lines.json" "$fixtures/corpus/$1.ndjson" "$2"
}

edge() {
  local period
  for period in 1s 3s; do
    as_k6 "$fixtures/golden/v2/edge/$1.$period.json" \
      "$fixtures/edge/$1.ndjson" "$period"
  done
}

@test "k6: small, 1 s" { recorded small 1s; }
@test "k6: small, 3 s" { recorded small 3s; }
@test "k6: rich, 1 s" { recorded rich 1s; }
@test "k6: rich, 3 s" { recorded rich 3s; }
@test "k6: edge case before1970" { edge before1970; }
@test "k6: edge case boundary" { edge boundary; }
@test "k6: edge case broken" { edge broken; }
@test "k6: edge case equal" { edge equal; }
@test "k6: edge case late" { edge late; }
@test "k6: edge case minsamples" { edge minsamples; }
@test "k6: edge case minzero" { edge minzero; }
@test "k6: edge case negfence" { edge negfence; }
@test "k6: edge case nettrail" { edge nettrail; }
@test "k6: edge case numbers" { edge numbers; }
@test "k6: edge case reserved" { edge reserved; }
@test "k6: edge case tagorder" { edge tagorder; }
@test "k6: edge case times" { edge times; }
@test "k6: edge case tiny" { edge tiny; }
@test "k6: edge case types" { edge types; }

# Which bad lines are taken is our own rule (k6stream(5)).
by_our_rule="badlines numbers_bad times_odd strings"

@test "every golden of protocol 2 is a case here" {
  n=0
  for golden in "$fixtures"/golden/v2/edge/*.3s.json; do
    name=$(basename "$golden" .3s.json)
    [[ " $by_our_rule " == *" $name "* ]] ||
      grep -q "{ edge $name; }" "$BATS_TEST_FILENAME"
    n=$((n + 1))
  done
  [ "$n" -eq 19 ]
}

@test "an excerpt of real k6 output gives counters, gauges, rates and trends" {
  k6push --dry-run "$root/tests/data/small.ndjson" >"$BATS_TEST_TMPDIR/ours"
  jq -r '[.name, .type, (.time_series[0] | keys[-1])] | join(" ")' \
    "$BATS_TEST_TMPDIR/ours" | sort -u >"$BATS_TEST_TMPDIR/kinds"
  grep -q '^http_reqs METRIC_TYPE_COUNTER' "$BATS_TEST_TMPDIR/kinds"
  want=$(jq -s 'map(select(.metric == "http_reqs" and .type == "Point")
    | .data.value) | add' "$root/tests/data/small.ndjson")
  got=$(jq -s 'map(select(.name == "http_reqs") | .time_series[0]
    .counter_samples.values[].value) | add' "$BATS_TEST_TMPDIR/ours")
  [ "$got" = "$want" ]
}

# bats test_tags=long
@test "folded and unfolded, http_req_* have the same histograms" {
  http='select(.name | startswith("http_req"))'
  for name in small rich medium; do
    corpus "$name" | k6push --dry-run | jq -c "$http" \
      >"$BATS_TEST_TMPDIR/raw"
    corpus "$name" | k6agg -q -p 3s --min-samples 5 | k6push --dry-run |
      jq -c "$http" >"$BATS_TEST_TMPDIR/folded"
    [ -s "$BATS_TEST_TMPDIR/raw" ]
    same "$BATS_TEST_TMPDIR/raw" "$BATS_TEST_TMPDIR/folded"
  done
}

@test "reserved tags are omitted with one warning each" {
  for i in 1 2 3; do
    printf '%s' '{"metric":"c","type":"Point","data":{"time":"2020-01-01T'
    printf '00:00:0%d%s\n' $i \
      'Z","value":1,"tags":{"__k":"v","a":"b","test_run_id":"9"}}}'
  done >"$BATS_TEST_TMPDIR/in"
  capture k6push --dry-run "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  [ "$(grep -c 'Tag __k has been discarded since it is reserved' <<<"$err")" \
    -eq 1 ]
  [ "$(grep -c 'Tag test_run_id has been discarded' <<<"$err")" -eq 1 ]
  [ "$(jq -c '.time_series[0].labels' <<<"$out")" = \
    '[{"name":"a","value":"b"}]' ]
}

@test "periods that protocol 2 does not have are refused at the start" {
  K6_CLOUD_AGGREGATION_PERIOD=1500ms capture k6push --dry-run </dev/null
  [ "$status" -eq 2 ]
  grep -q 'K6_CLOUD_AGGREGATION_PERIOD: protocol 2 needs whole seconds' \
    <<<"$err"
  K6_CLOUD_AGGREGATION_WAIT_PERIOD=0 capture k6push --dry-run </dev/null
  [ "$status" -eq 2 ]
  K6_CLOUD_API_VERSION=3 capture k6push --dry-run </dev/null
  [ "$status" -eq 2 ]
  grep -q 'K6_CLOUD_API_VERSION: must be 1 or 2' <<<"$err"
}

# keep_bodies: nginx in front of the server keeps the bodies of requests.
keep_bodies() {
  start_nginx <<CONF
location / {
  client_body_in_file_only on;
  proxy_pass $url;
  proxy_set_header Host \$proxy_host;
  proxy_http_version 1.1;
}
CONF
  export K6_CLOUD_HOST=$target
}

# bodies PATH: the kept bodies of requests to it, in order.
bodies() {
  logged
  awk -v path="$1" '$1 == "POST" && $2 ~ path { print $4 }' "$nginx_log"
}

# bats test_tags=long
@test "the bytes on the wire are k6's MetricSet, by protoc's reading" {
  # shellcheck disable=SC2016 # nginx expands it
  nginx_format='$request_method $uri $status $request_body_file'
  start_server
  keep_bodies
  for name in small rich; do
    : >"$nginx_log"
    corpus "$name" | k6push -q
    bodies /v2/metrics/ >"$BATS_TEST_TMPDIR/files"
    [ -s "$BATS_TEST_TMPDIR/files" ]
    xargs python3 "$root/tests/tools/wire2json.py" <"$BATS_TEST_TMPDIR/files" \
      >"$BATS_TEST_TMPDIR/wire"
    same "$fixtures/golden/v2/$name.3s.lines.json" "$BATS_TEST_TMPDIR/wire"
    [ "$(jq .aggregation_period "$BATS_TEST_TMPDIR/wire")" = 3 ]
    # at most 1000 series in each
    while read -r body; do
      python3 "$root/tests/tools/wire2json.py" "$body" | jq -e '[.metrics[] |
        .time_series[]] | length <= 1000' >/dev/null
    done <"$BATS_TEST_TMPDIR/files"
  done
}

# bats test_tags=long
@test "a run is the same raw, folded and by protocol 2" {
  start_server
  for name in small rich medium; do
    corpus "$name" >"$BATS_TEST_TMPDIR/in"
    ids=()
    for how in raw folded v2 v2folded; do
      version=1 period=0
      [[ $how != v2* ]] || version=2
      [[ $how != *folded ]] || period=3s
      k6agg -q -p "$period" --min-samples 5 "$BATS_TEST_TMPDIR/in" |
        K6_CLOUD_API_VERSION=$version k6push -n "$how" -q
      ids+=("$(api runs '.[0].id')")
    done
    for i in "${ids[@]}"; do
      api "runs/$i" .totals >"$BATS_TEST_TMPDIR/$i"
      curl -sS "$url/api/v1/runs/$i/urls" >"$BATS_TEST_TMPDIR/$i.urls"
    done
    raw=$BATS_TEST_TMPDIR/${ids[0]}
    for i in "${ids[@]:1}"; do
      jq -n --slurpfile a "$raw" --slurpfile b "$BATS_TEST_TMPDIR/$i" '
        def same($x; $y): $x == $y or
          ($x != 0 and ($y / $x - 1 | fabs) <= 0.008);
        def counts: [.http_reqs, .http_req_failed, .iterations, .data_sent,
          .data_received, .checks, .http_req_duration.count,
          .http_req_duration.min, .http_req_duration.max];
        if ($a[0] | counts) != ($b[0] | counts) then
          error("counts: \($a) \($b)") else . end |
        ["avg", "p50", "p90", "p95", "p99"] | map(. as $q |
          same($a[0].http_req_duration[$q]; $b[0].http_req_duration[$q])
          or error("\($q): \($a) \($b)"))'
    done
  done
}

@test "protocol 2 over an outage: tried again, stored once, books balance" {
  start_server
  { head -n 1000 "$root/tests/data/small.ndjson"; sleep 2
    tail -n +1001 "$root/tests/data/small.ndjson"; } |
    K6_CLOUD_AGGREGATION_WAIT_PERIOD=1s k6push -q \
      2>"$BATS_TEST_TMPDIR/push.err" 3>&- &
  push=$!
  retry 10 bash -c "curl -sS $url/api/v1/runs | jq -e 'length == 1'"
  stop_server
  sleep 1
  start_server --listen "${url#http://}"
  wait "$push"
  cat "$BATS_TEST_TMPDIR/push.err"
  n=$(jq -s 'map(select(.metric == "http_reqs" and .type == "Point")
    | .data.value) | add' "$root/tests/data/small.ndjson")
  grep -F "$n made = $n stored, 0 lost, 0 twice" "$BATS_TEST_TMPDIR/push.err"
  [ "$(api runs/1 .totals.http_reqs)" = "$n" ]
}

@test "a bad number of requests is reported by line; the books are right" {
  for value in 0 1 0.5 3 -1 2.0 1e300 0.5 9007199254740992; do
    point http_reqs "$value"
  done >"$BATS_TEST_TMPDIR/in"
  start_server
  for protocol in 1 2; do
    K6_CLOUD_API_VERSION=$protocol capture k6push "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 0 ]
    for n in 3 5 7 8 9; do
      grep -q "in:$n: value is not a whole number of requests" <<<"$err"
    done
    grep -q 'read=9 acknowledged=4 .* invalid=5 lost=0' <<<"$err"
    grep -q '6 made = 6 stored, 0 lost, 0 twice' <<<"$err"
  done
}

@test "one batch that is refused takes no other with it" {
  start_server
  # shellcheck disable=SC2016 # nginx expands it
  nginx_http='map $connection_requests $unlucky { default 0; "~[37]$" 1; }'
  start_nginx <<CONF
location /v2/ {
  if (\$unlucky) { return 422 '{}'; }
  proxy_pass $url;
  proxy_set_header Host \$proxy_host;
}
location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }
CONF
  K6_CLOUD_HOST=$target K6_CLOUD_MAX_TIME_SERIES_IN_BATCH=1 \
    capture k6push -q "$root/tests/data/small.ndjson"
  [ "$status" -eq 75 ]
  refused=$(find "$HOME/.local/state/k6push" -name '*.snappy' | wc -l)
  series=$(k6push --dry-run "$root/tests/data/small.ndjson" | wc -l)
  [ "$refused" -gt 1 ]
  logged
  [ "$(grep -c /v2/metrics/ "$nginx_log")" -ge "$series" ]
  # the books balance, and what was not refused is stored
  [[ $err =~ read=([0-9]+)\ acknowledged=([0-9]+)\ on_disk=0\ \
quarantined=([0-9]+) ]]
  [ "${BASH_REMATCH[2]}" -gt 0 ]
  [ "${BASH_REMATCH[1]}" = $((BASH_REMATCH[2] + BASH_REMATCH[3])) ]
}

# No thread of $push has work: all that it read is on the disk.
is_idle() {
  local i
  for i in 1 2 3 4; do
    sleep 0.1
    ! cut -d ' ' -f 3 "/proc/$push"/task/*/stat | grep -q '[RD]' || return 1
  done
}

@test "killed in the middle of a bucket: --resume delivers all of it, once" {
  start_server
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  # Its bucket stays open, however long that takes.
  K6_CLOUD_AGGREGATION_WAIT_PERIOD=1h k6push -q --sync always \
    "$BATS_TEST_TMPDIR/fifo" \
    >"$BATS_TEST_TMPDIR/push.out" 2>&1 3>&- &
  push=$!
  exec 9<>"$BATS_TEST_TMPDIR/fifo"
  # a custom counter, that only its Metric line tells from a trend
  {
    printf '{"type":"Metric","data":{"name":"my","type":"counter",'
    printf '"contains":"default","thresholds":[],"submetrics":null},'
    printf '"metric":"my"}\n{"metric":"my","type":"Point","data":{"time":'
    printf '"2026-11-22T10:44:21Z","value":5,"tags":{}}}\n'
    cat "$root/tests/data/small.ndjson"
  } >&9
  n=$(jq -s 'map(select(.metric == "http_reqs" and .type == "Point")
    | .data.value) | add' "$root/tests/data/small.ndjson")
  retry 10 bash -c "grep -rqs '\"my\"' '$HOME/.local/state/k6push'"
  retry 10 is_idle
  kill_now "$push"
  wait "$push" || true
  exec 9>&-
  [ "$(api runs/1 .totals.http_reqs)" -lt "$n" ]
  capture k6push --resume
  # the stream was cut, but nothing that was read is lost
  retry 5 bash -c "[ \"\$(curl -sS $url/api/v1/runs/1 |
    jq .totals.http_reqs)\" = $n ]"
  capture k6push --resume
  [ "$(api runs/1 .totals.http_reqs)" = "$n" ]
}

# two_buckets: an iteration in each of two open buckets, eight samples in all.
two_buckets() {
  local second metric
  for second in 21 25; do
    for metric in data_sent data_received iteration_duration iterations; do
      printf '{"metric":"%s","type":"Point","data":{"time":' "$metric"
      printf '"2026-11-22T10:44:%sZ","value":1,"tags":{}}}\n' "$second"
    done
  done
}

# feed_two_buckets: to a k6push in the background, $push; they are on disk.
feed_two_buckets() {
  start_server
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  K6_CLOUD_AGGREGATION_WAIT_PERIOD=1h k6push -q "$BATS_TEST_TMPDIR/fifo" \
    >"$BATS_TEST_TMPDIR/push.out" 2>&1 3>&- &
  push=$!
  exec 9<>"$BATS_TEST_TMPDIR/fifo"
  two_buckets >&9
  retry 10 waiting_is 8
}

# waiting_is SAMPLES: so many are on disk.
waiting_is() { k6push --list | grep -qF $'\t'"$1 samples"$'\t'; }

resumed_is_all() {
  waiting_is 8
  capture k6push --resume
  grep -F 'read=8 acknowledged=8 on_disk=0' <<<"$err"
}

@test "killed with two buckets open: --resume delivers both" {
  feed_two_buckets
  kill_now "$push"
  wait "$push" || true
  exec 9>&-
  resumed_is_all
}

@test "two signals with two buckets open: what is on disk is counted" {
  feed_two_buckets
  kill -INT "$push"
  sleep 0.02
  kill -INT "$push"
  code=0
  wait "$push" || code=$?
  exec 9>&-
  cat "$BATS_TEST_TMPDIR/push.out"
  # it may have been quick enough to deliver; else all is kept
  if [ "$code" -eq 75 ]; then
    grep -E 'read=8 acknowledged=0 on_disk=8 ' "$BATS_TEST_TMPDIR/push.out"
    resumed_is_all
  else
    grep -E 'read=8 acknowledged=8 on_disk=0 ' "$BATS_TEST_TMPDIR/push.out"
  fi
}

@test "a server that does not know the protocol: the message says what to set" {
  start_nginx <<'CONF'
location = /v1/tests { default_type application/json;
  return 200 '{"reference_id":"1"}'; }
location /v1/tests/ { default_type application/json; return 200 '{}'; }
location / { default_type application/json;
  return 400 '{"error":{"message":"v1 is not supported anymore"}}'; }
CONF
  export K6_CLOUD_HOST=$target
  K6_CLOUD_API_VERSION=1 capture k6push -q "$root/tests/data/small.ndjson"
  [ "$status" -ne 0 ]
  grep -F 'v1 is not supported anymore' <<<"$err"
  grep -F 'K6_CLOUD_API_VERSION=2 sends the other' <<<"$err"
  capture k6push -q "$root/tests/data/small.ndjson"
  [ "$status" -ne 0 ]
  grep -F 'K6_CLOUD_API_VERSION=1 sends the other' <<<"$err"
}

# seconds RUN: those in which something is stored of it.
seconds() {
  python3 - "$BATS_TEST_TMPDIR/k6serve.db" "$1" <<'END'
import sqlite3, sys
db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
for row in db.execute("SELECT DISTINCT second FROM point JOIN series"
                      " ON series.id = series WHERE run = ?", sys.argv[2:]):
    print(row[0])
END
}

@test "the period that the server asks for is that of the buckets" {
  start_server --override aggregationPeriod=5s
  for as in '' 'K6_CLOUD_AGGREGATION_PERIOD=2s'; do
    env ${as:+"$as"} k6push -q "$root/tests/data/small.ndjson"
    run=$(curl -fsS "$url/api/v1/runs" | jq '.[0].id | tonumber')
    seconds "$run" | sort -u >"$BATS_TEST_TMPDIR/seconds"
    cat "$BATS_TEST_TMPDIR/seconds"
    [ "$(grep -vc '[05]$' "$BATS_TEST_TMPDIR/seconds")" -eq 0 ]
    [ "$(wc -l <"$BATS_TEST_TMPDIR/seconds")" -le 2 ]
  done
  stop_server
  start_server --override aggregationPeriod=1500ms
  K6_CLOUD_AGGREGATION_PERIOD=2s capture k6push -q \
    "$root/tests/data/small.ndjson"
  [ "$status" -eq 0 ]
  grep -F "the server's config: K6_CLOUD_AGGREGATION_PERIOD: protocol 2 "`
    `'needs whole seconds' <<<"$err"
}

@test "started by a provisioner: to its URL, with the run's own bearer token" {
  start_server
  run=$(curl -sS -H 'Content-Type: application/json' -d '{"name":"p"}' \
    "$url/v1/tests" | jq -r .reference_id)
  # shellcheck disable=SC2016 # nginx expands it
  nginx_format='$uri $http_authorization'
  start_nginx <<CONF
location = /push/here { proxy_pass $url/v2/metrics/$run;
  proxy_set_header Host \$proxy_host; }
CONF
  export K6_CLOUD_HOST=http://127.0.0.1:1 K6_CLOUD_PUSH_REF_ID=$run
  unset K6_CLOUD_API_VERSION
  K6_CLOUD_METRICS_PUSH_URL=$target/push/here \
    K6_CLOUD_TEST_RUN_TOKEN=run-token K6_CLOUD_TOKEN=other \
    capture timeout 600 k6push -q "$root/tests/data/small.ndjson"
  [ "$status" -eq 0 ]
  logged
  [ "$(sort -u "$nginx_log")" = '/push/here Bearer run-token' ]
  n=$(jq -s 'map(select(.metric == "http_reqs" and .type == "Point")
    | .data.value) | add' "$root/tests/data/small.ndjson")
  [ "$(api "runs/$run" .totals.http_reqs)" = "$n" ]
  K6_CLOUD_METRICS_PUSH_URL=$target/push/here capture timeout 600 k6push \
    -q "$root/tests/data/small.ndjson"
  [ "$status" -eq 2 ]
  grep -F 'go together' <<<"$err"
}
