#!/usr/bin/env bats
# shellcheck disable=SC2154 # url comes from the helpers
# What a run does not tell is shown as not known, and never as fine.

load ../helpers
load serve

teardown() { stop_server || true; }

# answers STATUS MS [FROM [EXPECTED]]: 20 requests that ended so, in lines.
answers() {
  local i tags='"name":"a","status":"'$1'"'
  [ -z "${4:-}" ] || tags+=',"expected_response":"'$4'"'
  for ((i = 0; i < 20; i++)); do
    request "$((${3:-1} + i))" "$2" | sed "s/\"name\":\"a\"/$tags/"
  done
}

push() { timeout 60 k6push -q 2>/dev/null "$@"; }

@test "a run without http_req_failed shows failures by status, or as unknown" {
  start_server
  { answers 200 10; answers 500 10 30; } | grep -v http_req_failed | push
  [ "$(api runs/1 '.totals | [.http_req_failed, .http_req_failed_by] | tojson')" \
    = '[20,"status"]' ]
  [ "$(api runs '.[0].totals.http_req_failed')" = 20 ]
  [ "$(api runs/1/urls '[.[] | [.status, .failed]] | sort | tojson')" = \
    '[["200",0],["500",20]]' ]
  request 1 10 | grep -v http_req_failed | push
  [ "$(api runs/2 '.totals | [.http_req_failed, .http_req_failed_by] | tojson')" \
    = '[null,null]' ]
  [ "$(api runs/2/urls '.[0].failed')" = null ]
  [ "$(api 'runs/1/diff?base=2' \
    '.figures[] | select(.figure == "failed") | [.base, .run] | tojson')" = \
    '[null,0.5]' ]
  answers 200 10 | push
  [ "$(api runs/3 '.totals | [.http_req_failed, .http_req_failed_by] | tojson')" \
    = '[0,"http_req_failed"]' ]
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
  [ "$(api runs/2 '.totals | [.http_req_duration.med < 2,
    .http_req_duration_expected.med > 99, .http_req_duration_expected.count] |
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
