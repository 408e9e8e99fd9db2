#!/usr/bin/env bats
# shellcheck disable=SC2154 # url comes from the helpers
# When a run began, how long it took and what its rates are does not depend on
# the way on which it came.

load ../helpers
load serve

teardown() { stop_server || true; }

# push NAME [SETTING=VALUE...]: stdin becomes a run; $run is its number.
push() {
  env K6_CLOUD_NAME="$1" "${@:2}" timeout 600 k6push -q \
    2>"$BATS_TEST_TMPDIR/push.err" || [ "$?" -eq 99 ] # a threshold
  run=$(api runs '.[0].id')
  [ "$(api "runs/$run" .name)" = "$1" ]
}

# rates: start, end, duration and the rates of the newest run, as JSON.
rates() {
  local diff
  diff=$(api "runs/$run/diff?base=$run" '[.figures[] |
    select(.unit == "1/s") | .run] | tojson')
  api "runs/$run" "[.start, .end, .duration, $diff] | tojson"
}

# same_times CORPUS: raw and folded, by both protocols, it is one run. Truth is
# what the lines say: from the first sample to the last.
same_times() {
  local file=$fixtures/corpus/$1.ndjson truth way
  start_server
  truth=$(jq -c <"$file" 'select(.type == "Point") | .data.time' |
    python3 -c 'import datetime, json, sys
t = [datetime.datetime.fromisoformat(json.loads(l)[:26].rstrip("Z+") + "+00:00")
     if json.loads(l).endswith("Z") else
     datetime.datetime.fromisoformat(json.loads(l)[:26] + json.loads(l)[-6:])
     for l in sys.stdin]
print((max(t) - min(t)).total_seconds())')
  for way in raw1 raw2 folded1 folded2; do
    if [[ $way == raw* ]]; then
      push "$way" "K6_CLOUD_API_VERSION=${way: -1}" <"$file"
    else
      push "$way" "K6_CLOUD_API_VERSION=${way: -1}" \
        < <(k6agg -p 3s "$file" 2>/dev/null)
    fi
    rates >>"$BATS_TEST_TMPDIR/rates"
  done
  cat "$BATS_TEST_TMPDIR/rates"
  jq -es --argjson truth "$truth" '
    def near($a; $b): ($a - $b) | fabs <= 0.01 * ($b | fabs);
    length == 4 and (.[0] as $first | all(.[];
      near(.[2]; $truth) and
      ([.[3], $first[3]] | transpose | all(near(.[0]; .[1]))) and
      .[3][0] > 0 and .[0] == $first[0] and .[1] == $first[1]))' \
    "$BATS_TEST_TMPDIR/rates"
}

@test "small is one run: raw and folded, by protocol 1 and 2" {
  same_times small
}
@test "rich is one run: raw and folded, by protocol 1 and 2" {
  same_times rich
}
@test "k6 2.2's rich is one run: raw and folded, by protocol 1 and 2" {
  same_times k6_2.2_rich
}
@test "k6 2.2's pantheon is one run: raw and folded, by protocol 1 and 2" {
  same_times k6_2.2_pantheon
}
@test "k6 2.2's thresholds is one run: raw and folded, by protocol 1 and 2" {
  same_times k6_2.2_thresholds
}

@test "a run that is made for it has the same rates, live and by its Start" {
  start_server
  {
    printf '{"type":"Start","data":{"time":"2026-01-01T00:00:00Z","vus":1}}\n'
    for ((i = 1; i < 10; i++)); do
      request "$i" 10
    done
    printf '{"type":"End","data":{"time":"2026-01-01T00:00:10Z"}}\n'
  } >"$BATS_TEST_TMPDIR/run"
  for version in 1 2; do
    push run$version K6_CLOUD_API_VERSION=$version <"$BATS_TEST_TMPDIR/run"
    [ "$(api "runs/$run" .duration)" = 10 ]
    [ "$(api "runs/$run/diff?base=$run" \
      '.figures[] | select(.figure == "requests/s") | .run')" = 0.9 ]
  done
}

@test "one request has no rate, and no duration" {
  start_server
  push one < <(request 1 10)
  [ "$(api "runs/$run" .duration)" = null ]
  [ "$(api "runs/$run/urls" '.[0].rate')" = null ]
  [ "$(api "runs/$run/diff?base=$run" \
    '[.figures[] | select(.unit == "1/s") | .run] | tojson')" = '[null,null]' ]
}

# bats test_tags=slow
@test "equal runs by two protocols are not worse than each other" {
  start_server
  for version in 1 2; do
    push run$version K6_CLOUD_API_VERSION=$version < <(stream 400 40)
  done
  stop_server
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" diff 1 2
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" diff 2 1
}
