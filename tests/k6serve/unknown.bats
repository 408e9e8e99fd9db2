#!/usr/bin/env bats
# shellcheck disable=SC2154 # url comes from the helpers
# What a run does not tell is shown as not known, and never as fine.

load ../helpers
load serve

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
}

teardown() { stop_server || true; }

# answers STATUS MS [FROM [EXPECTED]]: 20 requests that ended so, in lines.
answers() {
  local i tags='"name":"a","status":"'$1'"'
  [ -z "${4:-}" ] || tags+=',"expected_response":"'$4'"'
  for ((i = 0; i < 20; i++)); do
    request "$((${3:-1} + i))" "$2" | sed "s/\"name\":\"a\"/$tags/"
  done
}

push() { timeout 600 k6push -q 2>/dev/null "$@"; }

@test "a run without http_req_failed shows failures by status, or as unknown" {
  start_server
  { answers 200 10; answers 500 10 30; } | grep -v http_req_failed | push
  [ "$(api runs/1 \
    '.totals | [.http_req_failed, .http_req_failed_by] | tojson')" \
    = '[20,"status"]' ]
  [ "$(api runs '.[0].totals.http_req_failed')" = 20 ]
  [ "$(api runs/1/urls '[.[] | [.status, .failed]] | sort | tojson')" = \
    '[["200",0],["500",20]]' ]
  request 1 10 | grep -v http_req_failed | push
  [ "$(api runs/2 \
    '.totals | [.http_req_failed, .http_req_failed_by] | tojson')" \
    = '[null,null]' ]
  [ "$(api runs/2/urls '.[0].failed')" = null ]
  [ "$(api 'runs/1/diff?base=2' \
    '.figures[] | select(.figure == "failed") | [.base, .run] | tojson')" = \
    '[null,0.5]' ]
  answers 200 10 | push
  [ "$(api runs/3 \
    '.totals | [.http_req_failed, .http_req_failed_by] | tojson')" \
    = '[0,"http_req_failed"]' ]
}

@test "a run without http_req_failed: its steps and reports tell the same" {
  start_server
  { answers 200 10; answers 500 10 30; } | grep -v http_req_failed | push
  request 1 10 | grep -v http_req_failed | push
  answers 200 10 | push
  [ "$(api runs/1/series '[.[].failed] | [length > 1, add] | tojson')" = \
    '[true,20]' ]
  for status in 200 500; do
    api "runs/1/series?status=$status" '[.[].failed] | add'
  done >by
  [ "$(tr '\n' ' ' <by)" = '0 20 ' ]
  [ "$(api runs/2/series '[.[].failed] | unique | tojson')" = '[null]' ]
  [ "$(api 'runs/2/series?name=a' '[.[].failed] | unique | tojson')" = \
    '[null]' ]
  [ "$(api runs/3/series '[.[].failed] | unique | tojson')" = '[0]' ]
  db=$BATS_TEST_TMPDIR/k6serve.db
  for format in text markdown; do
    k6serve --db "$db" --format "$format" report 1 |
      grep -F '40 requests, 50 % failed (by status), '
    k6serve --db "$db" --format "$format" report 2 |
      grep -F '1 request, failures not known, '
    k6serve --db "$db" --format "$format" report 3 |
      grep -F '20 requests, 0 % failed, '
  done
}

@test "what is not known of a run fails its cases in JUnit XML" {
  start_server
  db=$BATS_TEST_TMPDIR/k6serve.db
  answers 200 10 | push -n same
  {
    echo '{"type":"Metric","metric":"r","data":{"name":"r","type":"rate"}}'
    answers 200 10 | grep -v http_req_duration
    point r 1
  } | push -n same --threshold 'r=p(95)<1'
  k6serve --db "$db" --format junit report 2 | tee junit
  grep -A1 -F '<testcase classname="run" name="state">' junit |
    grep -F '<failure message="Finished: it is not known if the thresholds '
  k6serve --db "$db" --format junit report 1 |
    grep -F '<testcase classname="run" name="state"/>'
  k6serve --db "$db" --format junit diff 1 2 | tee junit || true
  grep -A1 -F '<testcase classname="figure" name="p95">' junit |
    grep -F '<failure message="is not known, the base has it"'
  k6serve --db "$db" --format junit diff 2 1 | tee junit || true
  run ! grep -F 'is not known' junit
}

@test "quick errors make no run better; expected answers stand beside all" {
  start_server
  answers 200 100 1 true | push
  { answers 200 100 1 true
    answers 500 1 30 false | sed '/http_req_failed/s/"value":0/"value":1/'
    answers 500 1 60 false | sed '/http_req_failed/s/"value":0/"value":1/'
  } | push
  run=$(api runs/2/diff?base=1 '[.figures[] | {key: .figure, value: .verdict}] |
    from_entries | [.failed, .med, .["med, expected"], .["p95, expected"]] |
    tojson')
  echo "$run"
  [ "$run" = '["worse","same","same","unknown"]' ]
  [ "$(api runs/2 '.totals | [.http_req_duration.p50 < 2,
    .http_req_duration_expected.p50 > 99, .http_req_duration_expected.count] |
    tojson')" = '[true,true,20]' ]
}

@test "the VUs of several generators add up" {
  start_server
  id=$(k6push --create 2>/dev/null | cut -f1)
  for name in a b; do
    { request 1 10
      time=2026-01-01T00:00:02Z point vus 5
      time=2026-01-01T00:00:03Z point vus 7
    } | K6_CLOUD_PUSH_REF_ID=$id push --instance "$name"
  done
  [ "$(api "runs/$id" '[.vus, .generators] | tojson')" = '[14,2]' ]
}
