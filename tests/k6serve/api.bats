#!/usr/bin/env bats
# The API for scripts: lists are filtered and paged, mistakes are told.

load ../helpers

setup() {
  start_server
}

teardown() {
  stop_server
}

# feed NAME...: a run of each name, which ends
feed() {
  local name
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  for name; do
    K6_CLOUD_NAME=$name k6push -q --insecure-http "$BATS_TEST_TMPDIR/in" \
      2>>"$BATS_TEST_TMPDIR/push.err"
  done
}

# get METHOD PATH: $code, $reply and $head of the answer
get() {
  code=$(curl -sS -X "$1" -D "$BATS_TEST_TMPDIR/head" -w '%{http_code}' \
    -o "$BATS_TEST_TMPDIR/reply" "$url/api/v1/$2")
  reply=$(<"$BATS_TEST_TMPDIR/reply")
  head=$(tr -d '\r' <"$BATS_TEST_TMPDIR/head")
  echo "$1 $2: $code $reply"
}

ids() { api "runs?$1" '[.[].id | tostring] | join(" ")'; }

@test "a parameter that there is not is refused, and nothing is done" {
  feed a
  for path in 'runs?befor=10' 'runs/1?step=1' 'runs/1/urls?step=10&x=' \
    'runs/1/export.json?format=csv' 'runs/1/diff?base=1&name=a' \
    'runs/1/events?since=1'; do
    get GET "$path"
    [ "$code" = 400 ]
    [ "$(jq -r .error.code <<<"$reply")" = 400 ]
    [[ $reply = *'unknown parameter'* ]]
  done
  get GET 'runs?befor=10'
  [[ $reply = *'unknown parameter \"befor\"; there are: before format '* ]]
  get DELETE 'runs/1?before=10'
  [ "$code" = 400 ]
  [ "$(ids '')" = 1 ]
}

@test "the list is filtered by name, state, verdict and time" {
  feed a 'b c' a
  k6push --create --threshold 'http_req_failed=rate<1' >"$BATS_TEST_TMPDIR/ref"
  [ "$(ids '')" = '4 3 2 1' ]
  [ "$(ids name=a)" = '3 1' ]
  [ "$(ids 'name=b%20c')" = 2 ]
  [ "$(ids name=A)" = '' ]
  [ "$(ids state=finished)" = '3 2 1' ]
  [ "$(ids state=running)" = 4 ]
  [ "$(ids state=aborted)" = '' ]
  [ "$(ids verdict=none)" = '3 2 1' ]
  [ "$(ids verdict=pending)" = 4 ]
  [ "$(ids 'name=a&state=finished&search=A&before=3')" = 1 ]
  start=$(api runs/2 .start)
  [ "$(ids "name=b%20c&since=$start")" = 2 ]
  [ "$(ids "name=b%20c&until=$start")" = '' ]
  [ "$(ids since=2099-01-01)" = '' ]
  for bad in state=done verdict=good since=yesterday until=2026-13-01 \
    before=x limit=0; do
    get GET "runs?$bad"
    [ "$code" = 400 ]
    [[ $reply = *"\"${bad%%=*} must be"* ]]
  done
}

@test "a long list comes in pages, each of which names the next" {
  feed a b a b a 'x&y'
  next="runs?limit=2&name=a"
  : >"$BATS_TEST_TMPDIR/all"
  while [ -n "$next" ]; do
    get GET "$next"
    [ "$code" = 200 ]
    jq -r '.[].id' <<<"$reply" >>"$BATS_TEST_TMPDIR/all"
    next=$(sed -n 's|^Link: </api/v1/\(.*\)>; rel="next"$|\1|p' <<<"$head")
  done
  [ "$(xargs <"$BATS_TEST_TMPDIR/all")" = '5 3 1' ]
  # What is in the query is in the link, as it must stand in a URL.
  feed 'x&y'
  get GET 'runs?limit=1&name=x%26y'
  [[ $head = *'Link: </api/v1/runs?limit=1&name=x%26y&before=7>; rel="next"'* ]]
}

@test "the last run has a name, and so has the last of a name" {
  get GET runs/last
  [ "$code" = 404 ]
  feed a 'b c' a b
  [ "$(api runs/last .id)" = 4 ]
  [ "$(api runs/last:a .id)" = 3 ]
  [ "$(api 'runs/last:b%20c/urls' '.[0].count')" = 20 ]
  get GET runs/last:none
  [ "$code" = 404 ]
  get DELETE runs/last:a
  [ "$code" = 200 ]
  [ "$(ids '')" = '4 2 1' ]
  [ "$(k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" --format json \
    report last:a | jq -r .run.id)" = 1 ]
  # k6's own paths have numbers only.
  run curl -sS -o /dev/null -w '%{http_code}' -d '{}' \
    -H 'Content-Type: application/json' "$url/v1/tests/last"
  [ "$output" = 404 ]
}
