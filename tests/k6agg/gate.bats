#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg for people who gate in CI without a server: CSV, --diff, the recipes.

load ../helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
  stop_server || true
}

# stream MS FAILED FILE: 300 requests, the first of which fail fast.
stream() {
  python3 - "$1" "$2" >"$3" <<'END'
import json, sys
ms, failed = int(sys.argv[1]), int(sys.argv[2])
for i in range(300):
    is_bad = i < failed
    tags = {"name": "a", "method": "GET", "status": "500" if is_bad else "200",
        "expected_response": "false" if is_bad else "true"}
    for metric, value in (("http_reqs", 1), ("http_req_failed", int(is_bad)),
            ("http_req_duration", 1 if is_bad else ms + i % 10)):
        print(json.dumps({"metric": metric, "type": "Point", "data": {
            "time": "2026-01-01T00:00:%02d.%d00Z" % (i // 10, i % 10),
            "value": value, "tags": tags}}, separators=(",", ":")))
END
}

@test "--diff tells what is worse and exits 1, as k6serve diff does" {
  stream 100 0 a
  stream 150 0 b
  capture k6agg --diff a b
  [ "$status" -eq 1 ]
  grep -A 1 -E '^p95 +108\.[0-9]+ ms +159\.[0-9]+ ms +\+46\.[0-9] %  worse$' \
    <<<"$out" | grep -E '^ +\(\+[0-9.]+ to \+[0-9.]+ %, p '
  [ "$(awk 'length($0) > 80' <<<"$out" | wc -l)" = 0 ]
  grep -F 'worse by at least 5 %: 6; too little data to tell: 1' <<<"$out"
  grep -qx 'GET a' <<<"$out"
  capture k6agg --diff --min-effect 80% a b
  [ "$status" -eq 0 ]
  capture k6agg --diff b a
  [ "$status" -eq 0 ]
  grep -F ' better' <<<"$out"
  start_server
  k6push -q --result - a >/dev/null
  k6push -q --result - b >/dev/null
  run k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" diff 1 2
  # The same lines; our percentiles are of the same histograms.
  k6agg --diff a b >ours || true
  diff <(grep -vE '^(requests/s|iterations/s)' ours) \
    <(grep -vE '^(requests/s|iterations/s)' <<<"$(sed 1d <<<"$output")")
}

@test "requests that fail fast make no run better" {
  stream 100 0 a
  stream 100 200 b
  capture k6agg --diff a b
  [ "$status" -eq 1 ]
  grep -A 1 -E '^failed +0\.00 % +66\.67 % +worse$' <<<"$out" |
    grep -E '^ +\(.* points, p'
  [ "$(grep -c ' better' <<<"$out")" -eq 0 ]
  grep -E '^med, expected .* [-+]0\.[0-9] %$' <<<"$out"
}

# As k6 has it since 0.39: metrics/thresholds.go, and the last look of
# metrics/engine.
@test "a metric without samples counts as 0, a share of nothing as kept" {
  stream 100 0 in
  expect() {
    capture k6agg --summary --threshold "$2" in
    [ "$status" -eq "$1" ]
  }
  expect 99 'http_reqs{name:none}=count>0'
  expect 0 'http_reqs{name:none}=count<5'
  expect 99 'iterations=rate>1'
  expect 99 'errors=count>0'
  expect 0 'errors=count<1'
  expect 0 'checks=rate>0.9'
  expect 0 'http_req_duration{name:none}=p(95)<500'
  expect 99 'http_req_duration{name:none}=p(95)>1'
  expect 99 'vus=value>0'
}

@test "a threshold does not pass on a stream that is not whole" {
  python3 "$tools/stream.py" 100 0 >in
  gate() { capture k6agg --summary --threshold 'http_req_failed=rate<1' "$1"; }
  gate in
  [ "$status" -eq 0 ]
  [ -z "$err" ]
  grep -v '"http_reqs"' in >short
  gate short
  [ "$status" -eq 1 ]
  [ "$err" = \
    'k6agg: short: 100 of 100 requests that the End line counts are missing' ]
  head -n -1 in >short
  gate short
  [ "$status" -eq 1 ]
  [[ $err = *'the stream was cut: '* ]]
  # What was left out on purpose is not missing.
  k6agg --keep http_req_duration in >kept
  gate kept
  [ "$status" -eq 0 ]
  k6agg -q -p 3s in >folded
  gate folded
  [ "$status" -eq 0 ]
}

@test "what --keep and --drop leave out of a summary is not missing" {
  # Every second request has another status.
  python3 "$tools/stream.py" 100 0 | awk '/"http_reqs","type":"P/ { n++ }
    n % 2 { sub(/"200"/, "\"418\"") } { print }' >in
  k6agg -q -p 3s in >folded
  gate=(k6agg --summary --threshold 'http_req_failed=rate<1')
  for file in in folded; do
    for rule in status=418 status!=418 http_req_failed 'iter*'; do
      for how in --keep --drop; do
        capture "${gate[@]}" "$how" "$rule" "$file"
        [ "$status" -eq 0 ]
        [[ $err != *missing* ]]
      done
    done
  done
  sed '/"http_reqs"/d' in >gap
  capture "${gate[@]}" --keep status=200 gap
  [ "$status" -eq 1 ]
  [[ $err = *'100 of 100 requests that the End line counts are missing'* ]]
}

@test "--diff: a threshold does not pass on a second stream that is not whole" {
  python3 "$tools/stream.py" 100 0 >in
  grep -v '"http_reqs"' in >gap
  head -n -1 in >short
  gate=(k6agg --diff --threshold 'http_req_failed=rate<1')
  for part in gap short; do
    capture "${gate[@]}" in $part
    [ "$status" -eq 1 ]
    [[ $err = *"k6agg: $part: "* ]]
    grep '^requests ' <<<"$out"
    # The first one is not judged, but what it lacks is told.
    capture "${gate[@]}" $part in
    [ "$status" -eq 0 ]
    [[ $err = *"k6agg: $part: "* ]]
  done
  capture k6agg --diff in short
  [ "$status" -eq 0 ]
  capture "${gate[@]}" --keep 'http_req*' in in
  [ "$status" -eq 0 ]
  [ -z "$err" ]
}

@test "--diff: what is gone is not the same" {
  stream 100 0 a
  sed 's/"metric":"http_/"metric":"other_/' a >nothing
  capture k6agg --diff a nothing
  [ "$status" -eq 1 ]
  grep -E '^requests/s .* 0\.00/s +-100\.0 % +worse$' <<<"$out"
  grep -E '^p95 .* - +not known$' <<<"$out"
  capture k6agg --diff --json a nothing
  [ "$(jq -r '.figures[] | select(.figure == "p95") | .verdict' \
    <<<"$out")" = unknown ]
  grep -v http_req_duration a >untimed
  capture k6agg --diff a untimed
  [ "$status" -eq 0 ]
  grep -E '^nothing is known to be worse .*; not known any more: [0-9]+$' \
    <<<"$out"
}

@test "--diff: a crossed threshold is worse, a file that is none a failure" {
  stream 100 0 a
  capture k6agg --diff --threshold 'http_req_duration=max<109' a a
  [ "$status" -eq 99 ]
  grep -E '^crossed thresholds +1 +1 ' <<<"$out"
  [ "$err" = 'k6agg: a threshold was crossed: http_req_duration max<109' ]
  { echo '{"type":"Metric","data":{"name":"http_req_duration","type":"trend","contains":"time","thresholds":["max<9"],"submetrics":null},"metric":"http_req_duration"}'
    cat a; } >b
  capture k6agg --diff a b
  [ "$status" -eq 1 ]
  grep -E '^crossed thresholds +0 +1 +worse$' <<<"$out"
  capture k6agg --diff --threshold 'http_req_duration=max<9' \
    --threshold 'http_reqs=count>9' --threshold 'http_reqs=count>999' a a
  [ "$status" -eq 99 ]
  grep -E -A 4 '^crossed thresholds +2 +2 ' <<<"$out" | sed 1d |
    diff - <(printf '  %s: %s\n' A 'http_req_duration max<9' \
      A 'http_reqs count>999' B 'http_req_duration max<9' \
      B 'http_reqs count>999')
  echo '[' >none
  capture k6agg --diff a none
  [ "$status" -eq 1 ]
  [ -z "$out" ]
  grep -F 'none: no line of the input belongs to the stream' <<<"$err"
  for bad in 'a' 'a a a' '--csv a a' '--min-effect x a a'; do
    # shellcheck disable=SC2086 # several words
    capture k6agg --diff $bad
    [ "$status" -eq 2 ]
  done
}

@test "--csv has the figures of --json" {
  stream 100 50 in
  { point checks 1 '"check":"a, \"b\"","group":"::g"'; point vus 3; } >>in
  k6agg --json --threshold 'http_reqs=count<5' in >json || true
  capture k6agg --csv --threshold 'http_reqs=count<5' in
  [ "$status" -eq 99 ]
  python3 - "$BATS_TEST_TMPDIR" <<'END'
import csv, json, os, sys
os.chdir(sys.argv[1])
rows = list(csv.DictReader(open("out")))
want = json.load(open("json"))
by = {}
for r in rows:
    by.setdefault(r["row"], []).append(r)
def same(row, figures):
    for key in ("count", "failed", "failed_rate", "rate", "min", "avg", "p50",
            "p95", "p99_9", "max"):
        assert float(row[key]) == figures[key], (key, row, figures)
same(by["all"][0], want["requests"])
assert float(by["ok"][0]["p95"]) == want["requests"]["ok"]["p95"]
for r, w in zip(by["request"], want["by"]):
    assert all(r[k] == w[k] for k in ("name", "method", "status"))
    same(r, w)
assert by["check"][0]["name"] == 'a, "b"' and by["check"][0]["group"] == "::g"
assert float(by["gauge"][0]["value"]) == 3
t = by["threshold"][0]
assert (t["name"], t["threshold"], t["failed"], t["value"]) == (
    "http_reqs", "count<5", "1", "300"), t
END
}

# recipes: the command lines of the manual's examples, without those that need
# a generator, a server or a network.
recipes() {
  sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE ALSO/s/^\.Dl //p' "$root/man/k6agg.1" |
    sed 's/\\(dq/"/g; s/\\e/\\/g'
}

@test "the manual's recipes run as they stand" {
  stream 100 50 results.json
  # A refused connection has status 0, and is among what failed.
  { point http_reqs 1 '"status":"0","name":"down","expected_response":"false"'
    point http_req_failed 1 \
      '"status":"0","name":"down","expected_response":"false"'
    echo '{"type":"Start","data":{"time":"2026-01-01T00:00:00Z","tool":"t","host":"h","name":"n","vus":1}}'
    echo '{"type":"End","data":{"time":"2026-01-01T00:00:40Z","run_status":3,"result_status":0,"exit_code":0,"streams":1,"points":902,"requests":301,"thresholds":{}}}'
  } >>results.json
  gzip -k results.json
  for f in a b c; do cp results.json $f.json; done
  cp results.json before.json
  cp results.json after.json
  recipes | grep -v 'k6gen\|k6 run\|tail ' >list
  [ "$(grep -c . list)" -ge 8 ]
  while read -r line; do
    echo "$line"
    run bash -o pipefail -c "PATH=$bin:$PATH; $line"
    [ "$status" -eq 0 ]
    [ -n "$output" ] || [ -s folded.json ]
  done <list
  bash -c "PATH=$bin:$PATH; $(grep -F sort_by list)" | jq -e 'length == 3'
  failed=$(grep -F expected_response=false list)
  bash -c "PATH=$bin:$PATH; $failed" | grep -E '^0 down +1 '
  # Those that follow k6 need one: a writer of the same file stands for it.
  follow=$(recipes | grep '^tail ')
  [ -n "$follow" ]
  sleep 1 &
  bash -o pipefail -c "PATH=$bin:$PATH; ${follow/\$!/$!}" >out 2>/dev/null
  grep -q '^301 requests ' out
}
