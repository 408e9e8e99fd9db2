#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; url
# The end of a run is told to a URL.

# bats file_tags=threads
load ../helpers
load serve

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  receiver=''
}

teardown() {
  stop_server || true
  [ -z "$receiver" ] || kill "$receiver"
}

# receive STATUS...: start the receiver; $hook is its URL.
receive() {
  mkdir -p got
  retry 60 receives "$@"
  hook=$(cat hook.url)
}

# receives STATUS...: try it once; another may have the port for a while.
receives() {
  rm -f hook.url
  python3 "$tools/receiver.py" got "$@" >hook.url 3>&- &
  receiver=$!
  retry 20 receives_or_ended
  grep -qs ^http hook.url
}

receives_or_ended() {
  grep -qs ^http hook.url || ! kill -0 "$receiver" 2>/dev/null
}

# ended NAME THRESHOLD: a run that the server judges; $run.
ended() {
  post /v1/tests --data "{\"name\":\"$1\",\"process_thresholds\":true,
    \"thresholds\":{\"http_reqs\":[\"$2\"]}}"
  run=$(jq -r .reference_id <<<"$body")
  request 1 10 | K6_CLOUD_PUSH_REF_ID=$run k6push -q
  post "/v1/tests/$run" --data "$finish"
}

@test "the end of a run is told, signed, and tried again until it is taken" {
  receive 500 503
  printf 'a key with spaces\n' >secret
  start_server --on-finish "$hook" --hook-secret secret
  ended shop 'count<1'
  retry 60 [ -s got/3.head ]
  sed -n 1p got/3.head | grep -qxF '/hook?x=1'
  # three tries of one delivery
  cmp got/1.body got/3.body
  delivery=$(sed -n 's/^K6serve-Delivery: //p' got/1.head)
  [ "${#delivery}" -eq 32 ]
  grep -qxF "K6serve-Delivery: $delivery" got/3.head
  signature=$(openssl dgst -sha256 -hmac 'a key with spaces' -r got/3.body |
    cut -d ' ' -f 1)
  grep -qxF "K6serve-Signature: sha256=$signature" got/3.head
  grep -qix 'content-type: application/json' got/3.head
  jq -e --arg url "$url" --arg id "$delivery" '.schema == "k6serve-hook/1" and
    .delivery == $id and .run == 1 and .name == "shop" and
    .state == "Finished" and .verdict == "failed" and .http_reqs == 1 and
    .link == $url + "/runs/1" and (.thresholds | length == 1 and
    .[0].metric == "http_reqs" and .[0].failed and .[0].value == 1)' got/3.body
  grep -q 'run 1: the webhook is not delivered yet: HTTP 500: trying again in' serve.err
  retry 20 is_delivered
  # once is enough: the next to come is the next run
  ended other 'count<9'
  retry 60 [ -s got/4.head ]
  [ "$(jq -r '"\(.run) \(.verdict)"' got/4.body)" = "2 passed" ]
  retry 20 nothing_is_due
}

is_delivered() {
  grep -q "run 1: the webhook was delivered (delivery $delivery)" serve.err
}

nothing_is_due() {
  python3 -c \
    'import sqlite3, sys; sys.exit(sqlite3.connect("k6serve.db").execute(
    "SELECT count(*) FROM hook").fetchone()[0])'
}

@test "what could not be told is told by the next server" {
  receive
  kill "$receiver"
  wait "$receiver" || true
  port=${hook#*1:}
  start_server --on-finish "$hook"
  ended shop 'count<9'
  failed() { grep -q 'run 1: the webhook is not delivered yet: ' serve.err; }
  retry 60 failed
  stop_server
  PORT=${port%%/*} receive
  start_server --on-finish "$hook"
  retry 60 [ -s got/1.head ]
  [ "$(jq -r .run got/1.body)" = 1 ]
  [ "$(grep -c Signature got/1.head)" -eq 0 ]
}

@test "a refusal is not tried again, and keeps no other run from being told" {
  receive 410
  start_server
  ended before 'count<9'
  stop_server
  start_server --on-finish "$hook"
  ended refused 'count<9'
  retry 60 [ -s got/1.head ]
  refused() { grep -q 'run 2: the webhook was not delivered: HTTP 410' serve.err; }
  retry 20 refused
  ended taken 'count<9'
  retry 60 [ -s got/2.head ]
  [ "$(jq -s -c 'map(.run)' got/*.body)" = '[2,3]' ]
}

@test "a run whose end is never taken keeps no other from being told" {
  REFUSED=1 receive
  start_server --on-finish "$hook"
  ended bad 'count<9'
  tried_again() { grep -q 'run 1: the webhook .* again in 1 s' serve.err; }
  retry 60 tried_again
  tries=$(grep -c 'run 1: the webhook is not delivered yet' serve.err)
  ended good 'count<9'
  told() { grep -q 'run 2: the webhook was delivered' serve.err; }
  retry 60 told
  more() {
    [ "$(grep -c 'run 1: the webhook is not delivered yet' serve.err)" -gt "$tries" ]
  }
  retry 60 more
  # its pauses are its own, and go on
  [ "$(grep -c 'run 1: the webhook is not delivered yet: .* again in 0.5 s' \
    serve.err)" = 1 ]
}

@test "a webhook that is none is told at the start" {
  for bad in ftp://x http://a:b@c/ foo ''; do
    capture timeout 600 k6serve -l 127.0.0.1:0 -d x.db --on-finish "$bad"
    [ "$status" -eq 2 ]
    [ "$(grep -c '^k6serve: --on-finish: ' <<<"$err")" -eq 1 ]
  done
  capture timeout 600 k6serve -l 127.0.0.1:0 -d x.db --on-finish http://x \
    --hook-secret none
  [ "$status" -eq 1 ]
  [ "$(grep -c '^k6serve: ' <<<"$err")" -eq 1 ]
  capture k6serve -d x.db --hook-secret x
  [ "$status" -eq 2 ]
}
