#!/usr/bin/env bats
# shellcheck disable=SC2154 # of the helpers
# Thresholds on their way from the stream, or an option, to the run and to the
# exit status; and streams that were cut.

# bats file_tags=threads
load ../helpers
load push

# verdicts: each threshold of the newest run and what it came to.
verdicts() { api runs '[.[0].thresholds[] | [.metric, .source, .failed]]' |
  jq -c 'sort'; }

# What k6 2.2 wrote into its Metric lines, and how it judged (it ended with 99).
k6_says='[["checks","rate>0.99",true],["http_req_duration","avg<5000",false],'\
'["http_req_duration","p(95)<0.0001",true],["http_req_failed","rate<0.01",true]]'

@test "thresholds of k6's Metric lines are judged, raw and folded" {
  start_server
  file=$fixtures/corpus/k6_2.2_thresholds.ndjson
  for version in 1 2; do
    K6_CLOUD_API_VERSION=$version capture timeout 600 k6push -q "$file"
    [ "$status" -eq 99 ]
    grep -F 'a threshold was crossed: http_req_duration p(95)<0.0001' <<<"$err"
    [ "$(verdicts)" = "$k6_says" ]
    # k6 2.2 has one of them with a tag, too, which it does not write.
    grep -Fx 'k6push: thresholds of http_req_duration{name:slow} are not '`
      `'in the stream, as k6 does not write them: '`
      `'give them with --threshold' <<<"$err"
    k6agg -p 3s "$file" >"$BATS_TEST_TMPDIR/folded" 2>/dev/null
    K6_CLOUD_API_VERSION=$version capture timeout 600 k6push -q \
      "$BATS_TEST_TMPDIR/folded"
    [ "$status" -eq 99 ]
    [ "$(verdicts)" = "$k6_says" ]
    [ "$(api runs '"\(.[0].state) \(.[0].result_status)"')" = 'Finished 1' ]
  done
}

@test "a threshold of the command is judged; what k6 refuses is refused" {
  start_server
  capture k6push -q --threshold 'http_reqs=count<10' \
    --threshold 'http_req_duration{name:a}=max<99' < <(request 1 10)
  [ "$status" -eq 0 ]
  [ "$(verdicts)" = '[["http_req_duration{name:a}","max<99",false],'`
    `'["http_reqs","count<10",false]]' ]
  capture k6push -q --threshold 'http_req_duration=max<9' < <(request 1 10)
  [ "$status" -eq 99 ]
  [ "$(verdicts)" = '[["http_req_duration","max<9",true]]' ]
  for wrong in 'http_req_duration=p95<10' 'http_reqs=p(95)<10' 'checks' \
    'checks=rate' 'checks=rate<x' '=rate<1' 'm{a}=rate<1'; do
    capture k6push -q --threshold "$wrong" </dev/null
    [ "$status" -eq 2 ]
    [ "$(grep -c "^k6push: --threshold: " <<<"$err")" -eq 1 ]
    capture k6push --dry-run --threshold "$wrong" </dev/null
    [ "$status" -eq 2 ]
  done
  [ "$(api runs length)" = 2 ]
  # Nothing came for it: that is told, and 0 is what counts.
  capture k6push -q --threshold 'http_req_durations=p(95)<1' < <(request 1 10)
  [ "$status" -eq 0 ]
  grep -Fx 'k6push: threshold http_req_durations: p(95)<1: no samples, '`
    `'so it holds' <<<"$err"
  capture k6push -q --threshold 'http_reqs{name:none}=count>0' < <(request 1 10)
  [ "$status" -eq 99 ]
}

@test "without its End a stream is finished, or aborted if one is expected" {
  start_server
  capture k6push -q < <(request 1 10)
  [ "$status" -eq 0 ]
  [ "$(api runs '.[0].state')" = Finished ]
  capture k6push -q --expect-end < <(request 1 10)
  [ "$status" -eq 1 ]
  grep -F 'it has no End line' <<<"$err"
  [ "$(api runs '.[0].state')" = 'Aborted by System' ]
  # That of k6agg tells of k6agg only.
  capture k6push -q --expect-end < <(request 1 10 | k6agg -q -p 3s |
    k6agg -q -m)
  [ "$status" -eq 1 ]
  grep -F 'it has no End line' <<<"$err"
  capture k6push -q --expect-end < <(request 1 10
    echo '{"type":"End","data":{"streams":0}}')
  [ "$status" -eq 0 ]
  [ "$(api runs '.[0].state')" = Finished ]
}

@test "progress of k6 among the lines is told as what it is" {
  start_server
  capture k6push -q < <(echo '     execution: local'; request 1 10
    echo 'running (0m05.0s), 10/10 VUs, 50 complete and 0 interrupted'
    echo '{"metric":"http_reqs","type":"Porunning (0m06.0s), 10/10 VUs, 5'
    request 2 10)
  [ "$(grep -c 'use k6 run -q' <<<"$err")" -eq 1 ]
  [ "$(api runs '.[0].totals.http_reqs')" = 2 ]
}

@test "thresholds of --create are judged over all that feed the run" {
  start_server
  run=$(k6push --create --threshold 'http_reqs=count<3' \
    --threshold 'http_req_duration=max<99' | cut -f 1)
  for i in 1 2; do
    K6_CLOUD_PUSH_REF_ID=$run k6push -q < <(request "$i" 10; request "$i.5" 10)
  done
  capture k6push --finish "$run"
  [ "$status" -eq 99 ]
  [ "$(verdicts)" = '[["http_req_duration","max<99",false],'`
    `'["http_reqs","count<3",true]]' ]
  run=$(k6push --create --threshold 'http_reqs=count<3' | cut -f 1)
  K6_CLOUD_PUSH_REF_ID=$run k6push -q < <(request 1 10; request 2 10)
  capture k6push --finish "$run"
  [ "$status" -eq 0 ]
}

# now_and_then [N]: a request now and then until nobody reads; or so many.
now_and_then() {
  local i=0
  while ((i < ${1:-99999})) && request "$i" 50 2>/dev/null; do
    i=$((i + 1))
    sleep 0.1
  done
  echo "$i" >"$BATS_TEST_TMPDIR/fed"
}

# bats test_tags=slow
@test "a crossed threshold with abortOnFail aborts the run and its generator" {
  start_server
  for version in 1 2; do
    rm -f "$BATS_TEST_TMPDIR/fed"
    K6_CLOUD_API_VERSION=$version capture timeout 600 k6push -q --expect-end \
      --threshold 'http_req_duration=max<9,abortOnFail' \
      --threshold 'http_reqs=count>0' < <(now_and_then)
    [ "$status" -eq 99 ]
    [ "$(grep -c threshold <<<"$err")" -eq 1 ]
    grep -F 'threshold http_req_duration: max<9 was crossed: '`
      `'the run is aborted' <<<"$err"
    [ "$(api runs '"\(.[0].state) \(.[0].result_status)"')" = \
      'Aborted by Threshold 1' ]
    grep -F ' 0 lost, 0 twice' <<<"$err"
    retry 10 test -s "$BATS_TEST_TMPDIR/fed"
  done
  # k6gen does not know of the threshold, and ends because nobody reads
  run -99 timeout 600 bash -c "k6gen -q -d 1h -r 9/s $url/ 2>/dev/null |
    k6agg -q -p 3s 2>/dev/null | k6push -q --threshold \
    'http_reqs=count<5,abortOnFail,delayAbortEval=1s'"
  [ "$(api runs '.[0].state')" = 'Aborted by Threshold' ]
}

@test "k6 aborts by its own thresholds, which k6push then tells" {
  start_server
  file=$root/tests/data/k6_2.2_threshold_abort.ndjson.gz
  for period in 0s 3s; do
    k6agg -q -p "$period" "$file" >"$BATS_TEST_TMPDIR/in"
    capture k6push -q "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 99 ]
    [ "$(api runs '"\(.[0].state) \(.[0].result_status)"')" = \
      'Aborted by Threshold 1' ]
    [ "$(verdicts)" = '[["http_req_failed","rate<0.1",true]]' ]
  done
  # while k6 goes on, so do we
  capture timeout 600 k6push -q < <(
    printf '{"type":"Metric","data":{"name":"http_req_duration",%s%s\n' \
      '"type":"trend","contains":"time","thresholds":[{"threshold":"max<9",' \
      '"abortOnFail":true}],"submetrics":null},"metric":"http_req_duration"}'
    now_and_then 35)
  [ "$status" -eq 99 ]
  [ "$(api runs '.[0].totals.http_reqs')" = 35 ]
  [ "$(api runs '.[0].state')" = 'Aborted by Threshold' ]
}

@test "abortOnFail of --create is the server's: it aborts what all feed" {
  start_server
  run=$(k6push --create --threshold 'http_reqs=count<3,abortOnFail' | cut -f 1)
  K6_CLOUD_PUSH_REF_ID=$run k6push -q < <(now_and_then) 3>&- &
  pusher=$!
  is_aborted() { [ "$(api "runs/$run" .state)" = 'Aborted by Threshold' ]; }
  retry 30 is_aborted
  kill -TERM "$pusher"
  wait "$pusher" || true
  capture k6push --finish "$run"
  [ "$status" -eq 99 ]
}
