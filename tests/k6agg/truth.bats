#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg --summary: what is not known, not read or crossed is not shown as fine.

load ../helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# declare METRIC TYPE CONTAINS [THRESHOLDS [SUBMETRICS]]
declare_metric() {
  printf '{"type":"Metric","data":{"name":"%s","type":"%s","contains":"%s",' \
    "$1" "$2" "$3"
  printf '"thresholds":%s,"submetrics":%s},"metric":"%s"}\n' "${4:-[]}" \
    "${5:-null}" "$1"
}

@test "k6 before 0.31 did not say what failed: not known, not 0" {
  requests 3 | grep -v http_req_failed >in
  k6agg --json in | jq -e '.requests | .count == 3 and .failed == null and
    .failed_rate == null and has("failed_of") == false'
  k6agg --csv in | python3 -c 'import csv, sys
row = next(csv.DictReader(sys.stdin))
assert (row["count"], row["failed"], row["failed_rate"]) == ("3", "", ""), row'
  k6agg --summary in >out
  grep -q '^3 requests .* failures not known$' out
  grep -qE '^all +3 +- ' out
  # Known of some.
  { cat in; requests 2 5 | sed 's/\(req_failed.*"value":\)0/\11/'; } |
    k6agg --json | jq -e '.requests | .failed == 2 and .failed_of == 2'
  k6agg -q -p 3s --min-samples 1 in | k6agg --json |
    jq -e '.requests.failed == null'
}

@test "a single request has no rate" {
  requests 1 >in
  k6agg --json in | jq -e '.requests.rate == null and .requests.count == 1 and
    .duration == 0'
  k6agg --summary in | head -n 1 | grep -F '(no rate)'
}

@test "what successful requests took stands beside what all took" {
  { for i in 1 2 3 4; do
      point http_reqs 1 '"expected_response":"true","name":"a"'
      point http_req_duration "$((i * 100))" \
        '"expected_response":"true","name":"a"'
    done
    point http_reqs 1 '"expected_response":"false","name":"a"'
    point http_req_duration 1 '"expected_response":"false","name":"a"'
    point http_req_duration 7 '"name":"b"'; } >in
  k6agg --json in >out
  jq -e '(.requests | .min == 1 and .ok.min == 100 and .ok.count == 4 and
      .ok.max == 400 and (.ok.p50 | 248 < . and . < 252)) and
    ([.by[] | select(.name == "b")][0].ok == null)' out
  k6agg --summary in | grep -A 1 -E '^expected_response:true +4$' |
    grep -E '^ +100\.00 '
  # Folded, the aggregates have the tag.
  { requests 5; requests 5 1 |
    sed 's/"expected_response":"true"/"expected_response":"false"/'; } >in
  k6agg --json in | jq -S .requests.ok >raw
  k6agg -q -p 3s --min-samples 1 in | k6agg --json | jq -S .requests.ok >folded
  diff raw folded
}

@test "percentiles of shares, seconds and layout shifts are within 0.8 %" {
  { declare_metric share trend default
    awk 'BEGIN { for (i = 1; i <= 1000; i++) printf "{\"metric\":\"share\"," \
      "\"type\":\"Point\",\"data\":{\"time\":\"2026-01-01T00:00:%02dZ\"," \
      "\"value\":%.9f,\"tags\":{}}}\n", i % 60, i * i * 5e-10 }'; } >in
  k6agg --json in >out
  jq -se '[.[0].metrics.share | .p50, .p90, .p95, .p99] as $got |
    [0.5, 0.9, 0.95, 0.99] | to_entries | all(.value as $p | .key as $k |
      ($p * 999 + 1) as $i | ($i * $i * 5e-10) as $want |
      ($got[$k] / $want - 1) | fabs < 0.008)' out
  k6agg --summary in | grep -A 1 -E '^share +1000$' |
    grep -E ' 0\.000(12|41|45|49)[0-9]* '
}

@test "the table has no e-notation" {
  { declare_metric t trend time
    for v in 21037.06 104233.5 444120.7 4661000.2 0.003; do point t "$v"; done
    declare_metric g gauge default; point g 0.0012; } >in
  k6agg --summary in >out
  cat out
  [ "$(grep -cE '[0-9]e[+-]?[0-9]' out)" -eq 0 ]
  grep -A 1 -E '^t \(ms\) +5$' out | grep -E '^ +0\.0030 .* 4661000$'
  grep -E ' 0\.00120 ' out
}

@test "without a name tag the URL is the name" {
  { point http_reqs 1 '"url":"https://b.test/get","method":"GET"'
    point http_reqs 1 '"url":"https://b.test/post","method":"GET"'; } |
    k6agg --json | jq -e '[.by[].name] == ["https://b.test/get",
      "https://b.test/post"]'
}

@test "check and group are told apart" {
  { point checks 1 '"check":"b c","group":"::a"'
    point checks 1 '"check":"c","group":"::a b"'; } >in
  k6agg --summary in >out
  grep -F '::a › b c' out
  grep -F '::a b › c' out
}

@test "thresholds of the stream are judged, shown, and exit 99" {
  { declare_metric http_req_duration trend time '["p(95)<10","max<9000"]'
    requests 3; } >in
  capture k6agg --summary in
  [ "$status" -eq 99 ]
  grep -E '^http_req_duration: p\(95\)<10 +10  crossed$' "out"
  grep -E '^http_req_duration: max<9000 +10       ok$' "out"
  capture k6agg --json in
  [ "$status" -eq 99 ]
  [ "$(jq -c '[.thresholds[] | [.metric, .threshold, .failed]]' <<<"$out")" = \
    '[["http_req_duration","p(95)<10",true],["http_req_duration","max<9000",false]]' ]
  capture k6agg --json --no-thresholds in
  [ "$status" -eq 0 ]
  [ "$(jq -c .thresholds <<<"$out")" = '[]' ]
  # Folded in between.
  capture k6agg --json <(k6agg -q -p 3s --min-samples 1 in)
  [ "$status" -eq 99 ]
  # Lines are only passed on: whoever reads them all judges.
  capture k6agg -p 3s in
  [ "$status" -eq 0 ]
}

@test "k6 2.2's own thresholds are judged as k6 judged them" {
  gzip -dc "$root/tests/data/k6_2.2_thresholds.ndjson.gz" >in
  capture k6agg --json in
  [ "$status" -eq 99 ]
  [ "$(jq -c '[.thresholds[] | [.threshold, .failed]]' <<<"$out")" = \
    '[["p(95)<0.0001",true],["avg<5000",false],["rate<0.01",true],["rate>0.99",true]]' ]
  grep -F 'http_req_duration{name:slow} are not in the stream' <<<"$err"
  capture k6agg --json --threshold 'http_req_duration{name:slow}=p(95)<1' in
  [ -z "$err" ]
}

@test "--threshold judges by metric, tags and count" {
  { requests 3; request 9 500; declare_metric mine counter default
    point mine 4; } >in
  t() { capture k6agg --summary --threshold "$@" in; }
  t 'http_req_duration=max<400'
  [ "$status" -eq 99 ]
  t 'http_req_duration{name:a}=med<100' --threshold 'http_reqs=count==4' \
    --threshold 'mine=count<5' --threshold 'http_req_failed=rate<0.01'
  [ "$status" -eq 0 ]
  [ -z "$err" ]
  t 'mine=count>4'
  [ "$status" -eq 99 ]
  # No samples: as in k6 it holds, and that is told.
  t 'none=count<5'
  [ "$status" -eq 0 ]
  grep -F 'none: count<5: no samples, so it holds' <<<"$err"
  grep -E '^none: count<5 \(no samples\) +-       ok$' <<<"$out"
  # k6 refuses these too.
  t 'mine=p(95)<5'
  [ "$status" -eq 2 ]
  grep -F 'no such method' <<<"$err"
  for bad in 'http_req_duration=p95<10' 'http_reqs=p(95)<1' 'x' 'a=b<1'; do
    t "$bad"
    [ "$status" -eq 2 ]
    [[ $err == "k6agg: --threshold: "* ]]
  done
  capture k6agg --threshold 'http_reqs=count<1' in
  [ "$status" -eq 2 ]
}

@test "a threshold of ours that aborts ends the reading" {
  for i in 0 1 2 3 4 5; do requests 2 $((i * 2)); done >in
  capture k6agg --json --threshold 'http_reqs=count<3,abortOnFail' in
  [ "$status" -eq 99 ]
  [ "$(jq '.requests.count' <<<"$out")" -lt 12 ]
  grep -F 'http_reqs: count<3 was crossed: the rest is not read' <<<"$err"
  capture k6agg --json --threshold \
    'http_reqs=count<3,abortOnFail,delayAbortEval=1h' in
  [ "$status" -eq 99 ]
  [ "$(jq '.requests.count' <<<"$out")" -eq 12 ]
}

@test "a cut stream is told in every mode, with its state" {
  local start='{"type":"Start","data":{"time":"2026-01-01T00:00:00Z","tool":"t","host":"h","name":"n","vus":1}}'
  local end='{"type":"End","data":{"time":"2026-01-01T00:00:09Z","run_status":5,"result_status":0,"exit_code":0,"streams":1,"points":9,"requests":1,"thresholds":{}}}'
  { echo "$start"; requests 1; } >in
  for mode in '' '-p 3s' --summary --json; do
    # shellcheck disable=SC2086 # several words
    capture k6agg $mode in
    [ "$status" -eq 0 ]
    grep -F 'in: the stream was cut: a Start line has no End line' <<<"$err"
  done
  [ "$(jq -r .state <<<"$out")" = cut ]
  { requests 1; echo "$end"; } >in
  for mode in '' '-p 3s' --summary --json; do
    # shellcheck disable=SC2086 # several words
    capture k6agg $mode in
    grep -F 'in: the stream was cut: an End line has no Start line' <<<"$err"
  done
  { echo "$start"; requests 1; echo "$end"; } >in
  capture k6agg --summary in
  [ -z "$err" ]
  grep -Fx 'the stream: Aborted by User' <<<"$out"
  requests 1 | k6agg --json | jq -e '.state == null'
  requests 1 | k6agg -q -p 3s | k6agg --json | jq -e '.state == null'
}

@test "points before their Metric line are told, and counted as it says" {
  { point mine 3; point mine 4; declare_metric mine counter default
    point mine 5; } >in
  capture k6agg --json in
  [ "$status" -eq 0 ]
  [ "$err" = "k6agg: 1 metric has points without a Metric line before them, \
which were taken as a trend: mine" ]
  jq -e '.metrics.mine | .type == "counter" and .count == 12' <<<"$out"
}

@test "VUs of several generators are summed by instance, or by file with -m" {
  for t in 00 01 02; do
    for i in 1 2 3; do
      time=2026-01-01T00:00:$t.0${i}0Z point vus "${i}0" \
        "\"instance_id\":\"$i\""
    done
  done >in
  k6agg --json in | jq -e '.metrics.vus == {type: "gauge",
    contains: "default", value: 60, min: 60, max: 60}'
  # One generator is as it was.
  grep '"instance_id":"2"' in | k6agg --json |
    jq -e '.metrics.vus | .value == 20 and .max == 20'
  for i in 1 2 3; do
    grep "\"instance_id\":\"$i\"" in | sed 's/"instance_id":"."//' >f$i
  done
  k6agg -m --json f1 f2 f3 | jq -e '.metrics.vus | .max == 60 and .min == 60'
  k6agg --json f1 f2 f3 | jq -e '.metrics.vus.max == 30'
  # The filter keeps them apart for whoever reads what it writes.
  k6agg -m f1 f2 f3 >merged
  [ "$(jq -r 'select(.metric == "vus").data.tags.instance' merged | sort |
    uniq -c | xargs)" = '3 1 3 2 3 3' ]
  k6agg --json merged | jq -e '.metrics.vus | .max == 60 and .min == 60'
  k6agg -m --drop metric=none f1 f2 f3 2>/dev/null | k6agg --json |
    jq -e '.metrics.vus.max == 60'
  # Those that a tag tells apart already are as they were.
  for i in 1 2 3; do grep "\"instance_id\":\"$i\"" in >i$i; done
  k6agg -m i1 i2 i3 | grep '"metric":"vus"' | sort | diff <(sort in) -
}

@test "when the run was is what Start and End say, raw, folded and merged" {
  local i name
  for name in a b; do
    echo '{"type":"Start","data":{"time":"2026-01-01T00:00:00Z","vus":1}}'
    for i in 1 2 3 4 5 6 7 8; do request "$i.5" 10 $name; done
    echo '{"type":"End","data":{"time":"2026-01-01T00:00:10Z","streams":1}}'
  done >both
  split -n l/2 both part. # as long as each other
  [ "$(cat part.aa part.ab | cmp - both && tail -n 1 part.aa | jq -r .type)" = \
    End ]
  k6agg -q -p 3s --min-samples 1 both >folded
  k6agg -q -m -p 3s --min-samples 1 part.aa part.ab >merged
  k6agg -q -m folded >again
  for i in both folded merged again; do
    k6agg --json $i | jq -ce '[.start, .end, .duration, .requests.rate] ==
      ["2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z", 10, 1.6]'
  done
  # Without them the samples say it, which the End line of k6agg keeps.
  grep -v '"Start"\|"End"' both >in
  k6agg -q -p 3s --min-samples 1 in >folded
  for i in in folded; do
    k6agg --json $i | jq -ce '[.start, .end, .duration] ==
      ["2026-01-01T00:00:01.5Z", "2026-01-01T00:00:08.5Z", 7]'
  done
}

@test "metrics without a Metric line are told by k6push in the same words" {
  { for i in d b a c; do point $i 3; done
    echo '{"type":"End","data":{"time":"2026-01-01T00:00:09Z","streams":2}}'
  } >in
  k6agg --json in 2>agg.err >/dev/null
  k6agg in 2>filter >/dev/null
  k6push --dry-run in 2>push.err >/dev/null
  grep -Fx "k6agg: 4 metrics have points without a Metric line before them, \
which were taken as a trend: a, b, c, ..." agg.err
  grep -Fx 'k6agg: in: the stream was cut: 2 End lines have no Start line' \
    agg.err
  [ "$(wc -l <agg.err)" -eq 2 ]
  diff agg.err filter
  diff <(sed 's/^k6agg/k6push/' agg.err) push.err
}

@test "rules that matched nothing are told; impossible ones are refused" {
  requests 2 >in
  capture k6agg --keep http_req_duration --keep nothing --drop status=404 \
    --drop-tag ip --drop-tag name --group 's/zzz/y/' in
  [ "$status" -eq 0 ]
  [ "$err" = 'k6agg: --keep "nothing" matched nothing
k6agg: --drop "status=404" matched nothing
k6agg: --drop-tag "ip" matched nothing
k6agg: --group "s/zzz/y/" matched nothing' ]
  k6agg -q -p 3s --min-samples 1 in >folded
  capture k6agg --drop status=404 --keep name=a folded
  [ "$err" = 'k6agg: --drop "status=404" matched nothing' ]
  for rule in status==500 '{status==500}' status=500,method=GET \
    http_reqs,vus 'vus"' 'a;b' 'a:b'; do
    capture k6agg --keep "$rule" in
    [ "$status" -eq 2 ]
    [[ $err == 'k6agg: --keep: '* ]]
  done
}

# bats test_tags=threads
@test "--live on a terminal shows no lines there, the summary it does" {
  requests 20 >in
  script -qefc "k6agg --live $PWD/in 3>&-" /dev/null </dev/null >seen
  [ "$(grep -c '"type"' seen)" -eq 0 ]
  grep -q '20 requests, ' seen
  script -qefc "k6agg --live --summary $PWD/in 3>&-" /dev/null </dev/null >seen
  grep -q '20 requests in ' seen
}
