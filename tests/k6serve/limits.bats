#!/usr/bin/env bats
# shellcheck disable=SC2154 # url, body, code and output are of helpers
# What a client sends has a limit that holds for the sum of it.

load ../helpers
load serve

teardown() {
  stop_server || true
}

@test "thresholds and results of any size do not make the list of runs large" {
  start_server
  create
  letters() { printf "%${1}s" | tr ' ' x; }
  for thresholds in "{\"$(letters 200000)\":[\"a\"]}" \
    "{\"m\":[\"$(letters 200000)\"]}" \
    "{\"$(letters 30000)\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}" \
    "{\"$(letters 30000)\":[$(printf ',{"threshold":"%s"}' a b c d e |
      cut -c 2-)]}"; do
    post /v1/tests --data @- <<<"{\"thresholds\":$thresholds}"
    [ "$code" = 400 ]
    [[ $body == *'thresholds'*'more than 131072 bytes'* ]]
    post /v1/tests/1 --data @- <<<"{\"run_status\":3,\"thresholds\":{\"$(
      letters 200000)\":{\"a\":true}}}"
    [ "$code" = 400 ]
    post /v1/tests/1/instances --data @- <<<"{\"name\":\"a\",
      \"run_status\":3,\"thresholds\":{\"$(letters 200000)\":{}}}"
    [ "$code" = 400 ]
  done
  [ "$(api runs 'map(.id)|tojson')" = '[1]' ]
  post /v1/tests --data @- <<<"{\"thresholds\":{\"$(letters 100000)\":[\"a\"]}}"
  [ "$code" = 200 ]
  post /v1/tests/1 --data "$finish"
  [ "$code" = 200 ]
}

@test "an instance's name of two lines is not taken for a name and an id" {
  start_server
  create
  tell() { post /v1/tests/1/instances --data "{\"name\":\"$1\"$2,\"run_status\":2}"; }
  tell 'a\nb' ''
  [ "$code" = 400 ]
  [[ $body == *'one line'* ]]
  tell a ',"id":"b1"'
  [ "$(jq .namesakes <<<"$body")" = 0 ]
  tell 'a\nb1' ''
  [ "$code" = 400 ]
  tell a ',"id":"b2"'
  [ "$code $(jq .namesakes <<<"$body")" = '200 1' ]
}

@test "a key of an endless length is refused" {
  start_server
  create
  key="K6-Idempotency-Key: $(printf 'k%.0s' {1..600})"
  post /v1/tests -H "$key" --data '{}'
  [ "$code" = 400 ]
  post /v1/metrics/1 -H "$key" --data "[$(trail 1)]"
  [ "$code" = 400 ]
  [[ $body == *'key: more than 512 bytes'* ]]
  [ "$(api runs/1 .points)" = 0 ]
}

# metrics FROM TO: a body with a counter of each number.
metrics() {
  seq "$1" "$2" |
    awk '{ printf "%s{\"type\":\"Point\",\"metric\":\"m%d\",\"data\":{\"time\":\"1700000000000000\",\"type\":\"counter\",\"tags\":{},\"value\":1}}", NR == 1 ? "[" : ",", $1 }
    END { print "]" }'
}

@test "a run has at most 10000 metrics; what has more is refused whole" {
  start_server
  create
  metrics 1 9990 | post /v1/metrics/1 --data-binary @- | grep '> 200'
  metrics 9985 10010 | post /v1/metrics/1 --data-binary @- |
    grep '> 400.*metrics'
  metrics 9985 10000 | post /v1/metrics/1 --data-binary @- | grep '> 200'
  metrics 1 10000 | post /v1/metrics/1 --data-binary @- | grep '> 200'
  [ "$(api runs/1 .points)" = $((9990 + 16 + 10000)) ]
}

# bats test_tags=slow
@test "tag sets that are large, alone or together, are put together" {
  start_server
  create
  run python3 - "$url" <<'PY'
import json, sys, urllib.request
def send(names):
    body = json.dumps([{"type": "Point", "metric": "m", "data": {
        "time": "1700000000000000", "type": "counter", "tags": {"name": n},
        "value": 1}} for n in names]).encode()
    urllib.request.urlopen(urllib.request.Request(
        sys.argv[1] + "/v1/metrics/1", body,
        {"Content-Type": "application/json"}))
    run = json.load(urllib.request.urlopen(sys.argv[1] + "/api/v1/runs/1"))
    print(run["points"], run["overflow"])
send(["x" * 70000, "a"])
for i in range(3):
    send(["%d %s" % (i * 400 + k, "x" * 60000) for k in range(400)])
PY
  echo "$output"
  # 64 MiB are 1118 names of 60 KB
  [ "$output" = $'2 1\n402 1\n802 1\n1202 83' ]
}

@test "a sum past all numbers is the largest one, and costs no other sample" {
  start_server
  for version in 1 2; do
    { for pair in 1:1e308 1:1e308 2:-1e308 2:-1e308 3:1e308 3:1e308; do
        time=2026-01-01T00:00:0${pair%:*}.5Z point tr "${pair#*:}"
      done
      stream 30 0; } >"$BATS_TEST_TMPDIR/in"
    capture k6push --api-version "$version" "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 0 ]
    grep -F '30 made = 30 stored, 0 lost, 0 twice' <<<"$err"
    api "runs/$version/metrics" \
      '.[] | select(.metric == "tr") | [.count, .min, .max] | tojson' |
      grep -Fx '[6,-1e+308,1e+308]'
  done
}
