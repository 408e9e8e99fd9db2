#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; url
# k6serve diff: a run with one other or with a baseline, in the forms of CI.

# bats file_tags=threads
load ../helpers
load serve

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
}

teardown() {
  stop_server || true
}

# fed NAME NUMBER SLOWER [RESULT]: a finished run of 60 s, with noise; $run.
fed() {
  [ -x noise ] ||
    cc -O2 -D_GNU_SOURCE -o noise "$root/tests/bench/noise.c" -lm
  post /v1/tests --data "$(jq -nc --arg name "$1" '{$name}')"
  run=$(jq -r .reference_id <<<"$body")
  ./noise 1 "$2" "$3" 60 30 | k6agg -q -p 3s |
    K6_CLOUD_PUSH_REF_ID=$run k6push -q
  post "/v1/tests/$run" --data \
    "{\"run_status\":3,\"result_status\":${4:-0},\"thresholds\":{}}"
}

compare() {
  capture k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" "$@"
}

@test "a run is compared with the last runs of its name that passed" {
  start_server
  fed shop 1 1
  fed other 2 1
  fed shop 3 1 1
  fed shop 4 1
  fed shop 5 1
  fed shop 6 1.5
  compare --baseline 10 diff last
  [ "$status" = 1 ]
  grep -qx 'run 6 with 3 runs: 5, 4, 1' <<<"$out"
  grep -A 1 -E '^p95 .* worse$' <<<"$out" | grep -E '^ +\(\+'
  compare --baseline 2 diff 6
  grep -qx 'run 6 with 2 runs: 5, 4' <<<"$out"
  compare --baseline 2 diff 5
  [ "$status" = 0 ]
  grep -qx 'run 5 with 2 runs: 4, 1' <<<"$out"
  get "/api/v1/runs/6/diff?baseline=2"
  [ "$(jq -c '[.baseline, .base.id, .run.id]' <<<"$body")" = '[[5,4],5,6]' ]
  get "/api/v1/runs/6/diff?baseline=2&base=1"
  [ "$code" = 400 ]
  [[ $body == *"base and baseline exclude each other"* ]]
  # the first of a name has nothing to be compared with
  compare --baseline 10 diff 2
  [ "$status" = 0 ]
  [ -z "$out" ]
  [[ $err == *"run 2: no earlier run of its name has passed"* ]]
  get "/api/v1/runs/2/diff?baseline=10"
  [ "$code" = 200 ]
  [ "$(jq -c '[.schema, .baseline, .worse, .figures]' <<<"$body")" = \
    '["k6serve-diff/2",[],null,[]]' ]
  get "/api/v1/runs/99/diff?baseline=10"
  [ "$code" = 404 ]
  for bad in "--baseline 3 diff 5 6" "--baseline 3 report 6" \
    "--min-effect 5% report 6" "--baseline 101 diff 6" \
    "--format html diff 5 6"; do
    # shellcheck disable=SC2086 # words
    compare $bad
    [ "$status" = 2 ]
  done
}

@test "a run that was chosen is the baseline of its name and owner" {
  start_server
  for name in shop other shop shop; do
    echo "{\"name\":\"$name\"}" | upload /v1/tests
    n=$((n + 1))
    echo "[$(trail 10)]" | upload "/v1/metrics/$n"
    echo "$finish" | upload "/v1/tests/$n"
  done
  base_of() {
    api "runs/$1/diff" .baseline[0]
  }
  [ "$(base_of 4) $(base_of 3)" = "3 1" ]	# the last that passed
  change() {
    curl -sS --fail-with-body -X PATCH -H 'Content-Type: application/json' \
      -d "$2" "$url/api/v1/runs/$1"
  }
  change 1 '{"baseline":true,"note":"this one"}'
  change 2 '{"baseline":true}'
  [ "$(api runs 'map("\(.id) \(.baseline)") | join("; ")')" = \
    "4 false; 3 false; 2 true; 1 true" ]
  [ "$(api runs/1 .note) $(base_of 4) $(base_of 1)" = "this one 1 null" ]
  compare diff 4
  [ "$status" = 0 ]
  grep -q '^run 4 with run 1' <<<"$out"
  # there is one of a name, and it can be none again
  change 3 '{"baseline":true}'
  [ "$(base_of 4) $(base_of 1) $(api runs/1 .baseline)" = "3 3 false" ]
  change 3 '{"baseline":false}'
  change 1 '{"baseline":false}'	# which it is not
  [ "$(base_of 3) $(api runs 'map(select(.baseline).id) | join(" ")')" = "1 2" ]
  for bad in '{"baseline":1}' '{}' '{"baseline":"true"}'; do
    run ! change 1 "$bad"
  done
}

@test "crossed thresholds are counted, and have names" {
  local n=0 limits
  start_server
  for limits in '"p(95)<50"' '"p(95)<50","max<9","avg<90"' '"p(95)<90"'; do
    n=$((n + 1))
    post /v1/tests --data "{\"name\":\"shop\",\"thresholds\":
      {\"http_req_duration\":[$limits]}}"
    echo "[$(trail $((n == 2 ? 60 : 10)))]" | upload "/v1/metrics/$n"
    echo "$finish" | upload "/v1/tests/$n"
    retry 30 is_judged "$n"
  done
  compare diff 1 2
  [ "$status" = 1 ]
  grep -A 2 -E '^crossed thresholds +0 +2 +worse$' <<<"$out" | sed 1d |
    diff - <(printf '  B: http_req_duration %s\n' 'p(95)<50' 'max<9')
  get /api/v1/runs/3/diff?base=2
  [ "$(jq -c '[.crossed, (.figures[] | select(.figure == "crossed thresholds") |
    .base, .run, .verdict)]' <<<"$body")" = '[{"base":["http_req_duration'\
' p(95)<50","http_req_duration max<9"],"run":[]},2,0,"better"]' ]
  # k6 said that one is, and not which
  post /v1/tests --data '{"name":"shop"}'
  echo "[$(trail 10)]" | upload /v1/metrics/4
  echo "${finish/\"result_status\":0/\"result_status\":1}" | upload /v1/tests/4
  compare diff 1 4
  [ "$status" = 1 ]
  grep -E '^crossed thresholds +0 +1 +worse$' <<<"$out"
  run ! grep -E '^  [AB]: ' <<<"$out"
}

# is_judged RUN: all of its thresholds.
is_judged() {
  [ "$(api "runs/$1" '.thresholds | all(.judged != null)')" = true ]
}

@test "diff is JSON, JUnit XML, Markdown and annotations as well" {
  start_server
  fed 'a <shop> | "b"' 1 1
  fed 'a <shop> | "b"' 2 1.5
  compare --format json diff 1 2
  [ "$status" = 1 ]
  jq -e '.schema == "k6serve-diff/2" and .baseline == [1] and
    (.figures[] | select(.figure == "p95") | .verdict == "worse" and
      .p < 0.01 and .low > 0 and .high > .low)' <<<"$out"
  get "/api/v1/runs/2/diff?base=1"
  [ "$body" = "$out" ]
  compare --format junit diff 1 2
  [ "$status" = 1 ]
  python3 - "$BATS_TEST_TMPDIR/out" <<'P' | tee cases
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()[0]
kinds = [c[0].tag if len(c) else "passed" for c in suite]
assert suite.get("tests") == str(len(suite))
assert suite.get("name") == 'a <shop> | "b"'
assert suite.get("failures") == str(kinds.count("failure")) != "0"
assert suite.get("skipped") == str(kinds.count("skipped"))
print(next(c[0].get("message") for c in suite if c.get("name") == "p95"))
P
  grep -E '^[0-9.]+ to [0-9.]+ ms, \+[0-9.]+ % \(\+[0-9.]+ to .*, p ' cases
  compare --format markdown diff 1 2
  grep -qxF '### Worse: a \<shop\> \| "b"' <<<"$out"
  grep -E '^\| worse \| p95 \| ' <<<"$out"
  compare --format github diff 1 2
  grep -E '^::error title=load test::p95 is worse: ' <<<"$out"
  grep -E '^::error title=load test::run 2 with run 1: worse by at least' \
    <<<"$out"
}

@test "of a run without data nothing is known to be as good: status 1" {
  start_server
  fed shop 1 1
  post /v1/tests --data '{"name":"shop"}'
  post /v1/tests/2 --data '{"run_status":3,"result_status":0,"thresholds":{}}'
  compare diff 1 2
  [ "$status" = 1 ]
  grep -Fx 'k6serve: run 2 has no data: there is nothing to compare' <<<"$err"
  [[ $out == *"not known"* ]]
  compare diff 2 1
  [ "$status" = 1 ]
  compare diff 1 1
  [ "$status" = 0 ]
}
