#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# What k6serve tells of itself: /metrics, /ready.

# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
}

# metric NAME{LABELS}: its value, as the server tells it now.
metric() {
  curl -sS "${2:-$url}/metrics" | awk -v name="k6serve_$1" '
    $1 == name { print $2; n++ } END { exit n != 1 }'
}

metric_is() {
  [ "$(metric "$1")" = "$2" ]
}

# Is the text on stdin what Prometheus' text format allows, each metric with
# HELP and TYPE, its lines together, no series twice, histograms cumulative?
check_format() {
  python3 - <(cat) <<'PY'
import re, sys
text = open(sys.argv[1]).read()
assert text.endswith("\n")
name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
line = re.compile(rf"({name})(?:\{{({label}(?:,{label})*)\}})? (\S+)$")
helped, types, seen, current, buckets = set(), {}, set(), None, {}
for l in text.splitlines():
    if m := re.fullmatch(rf"# HELP ({name}) (.+)", l):
        assert m[1] not in helped, l
        helped.add(m[1])
    elif m := re.fullmatch(
            rf"# TYPE ({name}) (counter|gauge|histogram)", l):
        assert m[1] in helped and m[1] not in types, l
        current, types[m[1]] = m[1], m[2]
    else:
        m = line.fullmatch(l)
        assert m, l
        base = m[1]
        if types[current] == "histogram":
            base = re.sub("_(bucket|sum|count)$", "", base)
        assert base == current, l
        assert types[current] != "counter" or base.endswith("_total"), l
        assert (m[1], m[2]) not in seen, l
        seen.add((m[1], m[2]))
        value = float(m[3])
        assert value >= 0, l
        if m[1].endswith("_bucket"):
            at = float(re.search('le="([^"]*)"', m[2])[1])
            buckets.setdefault(base, []).append((at, value))
        if m[1].endswith("_count"):
            assert buckets[base][-1] == (float("inf"), value), l
for b in buckets.values():
    assert b == sorted(b) and all(x[1] <= y[1] for x, y in zip(b, b[1:]))
print(len(types), "metrics")
assert len(types) >= 12
PY
}

@test "the metrics are in Prometheus' text format" {
  start_server
  create
  post /v1/metrics/1 --data "[$(trail 10)]"
  [ "$code" = 200 ]
  curl -sSD "$BATS_TEST_TMPDIR/head" -o "$BATS_TEST_TMPDIR/text" "$url/metrics"
  grep -qi '^content-type: text/plain; version=0.0.4' "$BATS_TEST_TMPDIR/head"
  check_format <"$BATS_TEST_TMPDIR/text"
  run ! check_format <<<'k6serve_x 1'
  if command -v promtool; then
    promtool check metrics <"$BATS_TEST_TMPDIR/text"
  fi
}

@test "what the metrics count is what was sent and what is stored" {
  local i sent=0 one
  start_server
  create
  for i in 1 2 3; do
    one="[$(trail 10),$(trail 20 "17000000$i$i")]"
    sent=$((sent + ${#one}))
    post /v1/metrics/1 --data-raw "$one" -H "K6-Idempotency-Key: k$i"
    [ "$code" = 200 ]
  done
  post /v1/metrics/1 --data-raw "$one" -H "K6-Idempotency-Key: k3"
  [ "$(jq .duplicate <<<"$body")" = true ]
  sent=$((sent + ${#one}))
  post /v1/metrics/1 --data-raw '[' -H 'K6-Idempotency-Key: k4'
  [ "$code" = 400 ]
  sent=$((sent + 1))
  post /v1/metrics/7 --data-raw '[]'
  [ "$code" = 404 ]
  sent=$((sent + 2))
  get /nowhere
  metric_is batches_stored_total 3
  metric_is batches_repeated_total 1
  post /v1/tests/1 --data "$finish"
  [ "$(jq .stored.points <<<"$body")" = "$(metric samples_stored_total)" ]
  [ "$(jq .stored.http_reqs <<<"$body")" = 6 ]
  metric_is http_reqs_stored_total 6
  metric_is 'http_requests_total{route="push",status="200"}' 4
  metric_is 'http_requests_total{route="push",status="400"}' 1
  metric_is 'http_requests_total{route="push",status="404"}' 1
  metric_is 'http_requests_total{route="other",status="404"}' 1
  metric_is 'http_requests_total{route="write",status="200"}' 2
  metric_is 'http_body_bytes_total{route="push"}' "$sent"
  # a request that changes nothing is a transaction, too
  [ "$(metric commit_seconds_count)" -ge 6 ]
  metric_is commits_failed_total 0
  metric_is 'queue_length{queue="write"}' 0
}

@test "thirty pushers at a time are counted to the last batch" {
  local i
  start_server
  create
  for i in $(seq 30); do
    { for _ in 1 2 3 4; do
        curl -sSf -o /dev/null -H 'Content-Type: application/json' \
          --data "[$(trail 5)]" "$url/v1/metrics/1"
      done } 3>&- &
  done
  for i in $(jobs -p); do
    [ "$i" = "$server" ] || wait "$i"
  done
  metric_is batches_stored_total 120
  metric_is http_reqs_stored_total 120
  metric_is 'http_requests_total{route="push",status="200"}' 120
  [ "$(metric samples_stored_total)" = \
    "$(post /v1/tests/1 --data "$finish" | grep -o '"points":[0-9]*' |
      cut -d: -f2)" ]
}

@test "who follows a run's events is a stream until they leave" {
  start_server
  create
  metric_is event_streams 0
  curl -sSN "$url/api/v1/runs/1/events" >"$BATS_TEST_TMPDIR/events" 3>&- &
  retry 20 metric_is event_streams 1
  kill $!
  retry 60 metric_is event_streams 0
}

@test "the metrics need a token where reading does" {
  token=$(token_add prometheus)
  start_public
  get /metrics
  [ "$code" = 401 ]
  [[ $body != *k6serve_* ]]
  get /metrics -H "Authorization: Bearer $token"
  [ "$code" = 200 ]
  [[ $body == *'k6serve_http_requests_total{route="page",status="401"} 1'* ]]
  get /ready
  [ "$code $body" = '200 {"status":"ready"}' ]
}

@test "a server is ready while its database is in its place" {
  start_server
  get /ready
  [ "$code $body" = '200 {"status":"ready"}' ]
  mv "$BATS_TEST_TMPDIR/k6serve.db" "$BATS_TEST_TMPDIR/away"
  get /ready
  [ "$code" = 503 ]
  [[ $body != *"$BATS_TEST_TMPDIR"* ]]
  get /health
  [ "$code" = 200 ]
  mv "$BATS_TEST_TMPDIR/away" "$BATS_TEST_TMPDIR/k6serve.db"
  get /ready
  [ "$code" = 200 ]
}

@test "a server is not ready when another version changed the schema" {
  start_server
  python3 - "$BATS_TEST_TMPDIR/k6serve.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA user_version = 999")
PY
  get /ready
  [ "$code" = 503 ]
  create
}
