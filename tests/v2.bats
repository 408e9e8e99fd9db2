#!/usr/bin/env bats
# Metrics protocol 2, from the stream to the wire and back: k6's own results
# on the same samples are the measure.

load helpers

setup() { export K6_CLOUD_API_VERSION=2; }
teardown() { stop_server || true; stop_nginx; }

# same GOLDEN OURS: equal MetricSets.
same() { python3 "$root/tests/seriescmp.py" "$@"; }

@test "protocol 2 of the recorded corpora is k6's own, series by series" {
  fixture golden/v2 >/dev/null
  for name in small rich medium; do
    for period in 1s 3s; do
      corpus "$name" | K6_CLOUD_AGGREGATION_PERIOD=$period \
        k6push --dry-run >"$BATS_TEST_TMPDIR/ours"
      same "$fixtures/golden/v2/$name.$period.lines.json.gz" \
        "$BATS_TEST_TMPDIR/ours"
    done
  done
}

@test "protocol 2 of the edge cases is k6's own" {
  fixture golden/v2/edge >/dev/null
  for golden in "$fixtures"/golden/v2/edge/*.?s.json.gz; do
    name=$(basename "$golden" .json.gz)
    case $name in
    # Which bad lines are taken is our own rule (k6stream(5)).
    badlines.* | numbers_bad.* | times_odd.* | strings.*) continue ;;
    esac
    echo "$name"
    K6_CLOUD_AGGREGATION_PERIOD=${name#*.} \
      k6push --dry-run "$fixtures/edge/${name%.?s}.ndjson" \
      >"$BATS_TEST_TMPDIR/ours"
    same "$golden" "$BATS_TEST_TMPDIR/ours"
  done
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

@test "folded and unfolded, http_req_* have the same histograms" {
  fixture golden/v2 >/dev/null
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

@test "reserved tags are left away with one warning each" {
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
  grep -q 'K6_CLOUD_API_VERSION: there are protocols 1 and 2' <<<"$err"
}
