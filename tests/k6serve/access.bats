#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# Who may do what at a k6serve, and for how long it keeps runs.

# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
}

@test "who needs no token follows a run that has an owner" {
  a=$(token_add a)
  start_server
  ref=$(K6_CLOUD_TOKEN=$a k6push --create | cut -f1)
  curl -sSN --max-time 600 "$url/api/v1/runs/$ref/events" \
    >"$BATS_TEST_TMPDIR/ev" 3>&- &
  retry 20 grep -q Running "$BATS_TEST_TMPDIR/ev"
  post "/v1/tests/$ref" -H "Authorization: Token $a" --data '{"run_status":5}'
  wait "$!"
  grep -q 'Aborted by User' "$BATS_TEST_TMPDIR/ev"
}

# bats test_tags=slow
@test "a token sees and changes its owner's runs only, on every route" {
  a=$(token_add a)
  b=$(token_add b)
  friend=$(token_add anna a)
  start_public
  post /v1/tests -H "Authorization: Token $a" --data '{"name":"of a"}'
  [ "$code" = 200 ]
  as_b=(-H "Authorization: Token $b")
  run=/api/v1/runs/1
  # Events come for as long as somebody listens.
  is_shown() {
    get "$1" -H "Authorization: Token $a" --max-time 2 || true
    [ "$code" = 200 ]
  }
  for path in "$run" "$run"/{series,urls,distribution,slow,checks,errors} \
    "$run"/{metrics,report,export.{html,json,csv},events} \
    /v1/test-progress/1 /cloud/v6/test_runs/1 /runs/1; do
    get "$path" "${as_b[@]}"
    [ "$code" = 404 ]
    if [[ $path = */events ]]; then
      retry 10 is_shown "$path"
    else
      get "$path" -H "Authorization: Token $a"
      [ "$code" = 200 ]
    fi
  done
  for path in /v1/metrics/1 /v1/metrics/1/withdraw /v2/metrics/1/withdraw \
    /v1/tests/1 /v1/tests/1/stop; do
    post "$path" "${as_b[@]}" --data '[]' -H 'K6-Idempotency-Key: k'
    [ "$code" = 404 ]
  done
  # to b it looks like a run that is not there
  post /v1/metrics/1 "${as_b[@]}" --data "[$(trail 1)]"
  foreign=$body
  post /v1/metrics/999 "${as_b[@]}" --data "[$(trail 1)]"
  [ "$foreign" = "$body" ]
  get /api/v1/runs "${as_b[@]}"
  [ "$body" = '[]' ]
  post /v1/tests "${as_b[@]}" --data '{}'
  get "/api/v1/runs/2/diff?base=1" "${as_b[@]}"
  [ "$code" = 404 ]
  for method in PATCH DELETE; do
    get /api/v1/runs/1 "${as_b[@]}" -X "$method" --data '{"note":"x"}' \
      -H 'Content-Type: application/json'
    [ "$code" = 404 ]
  done
  get /api/v1/runs
  [ "$code $(jq -r .error.code <<<"$body")" = "401 token_needed" ]
  get /api/v1/runs -H "Authorization: Token x$a"
  [ "$code $(jq -r .error.code <<<"$body")" = "401 bad_token" ]
  get /api/v1/runs -H "Authorization: Token $friend"
  [ "$(jq -r '.[0].name' <<<"$body")" = "of a" ]
  post /v1/metrics/1 -H "Authorization: Bearer $friend" --data "[$(trail 1)]"
  [ "$code" = 200 ]
  get /api/v1/runs/1 -u "any:$a"
  [ "$(jq .totals.http_reqs <<<"$body")" = 1 ]
}

@test "two owners with the same key make two runs" {
  a=$(token_add a)
  b=$(token_add b)
  start_server
  for token in "$a" "$b" "$b"; do
    post /v1/tests -H 'K6-Idempotency-Key: k' -H "Authorization: Token $token" \
      --data '{}'
    [ "$code" = 200 ]
  done
  [ "$(api runs length)" = 2 ]
}

@test "a run from before the first token is everybody's" {
  start_server
  create
  a=$(token_add a)
  get /api/v1/runs/1 -H "Authorization: Token $a"
  [ "$code" = 200 ]
  post /v1/metrics/1 -H "Authorization: Token $a" --data "[$(trail 1)]"
  [ "$code" = 200 ]
}

# bats test_tags=slow
@test "10000 wrong tokens: none is taken, good ones go on" {
  token=$(token_add a)
  start_server
  create_as() { post /v1/tests -H "Authorization: Token $1" --data '{}'; }
  for i in $(seq 10000); do
    printf 'next\nurl=%s/v1/tests\ndata={}\noutput=/dev/null\n' "$url"
    printf 'header="Content-Type: application/json"\n'
    printf 'header="Authorization: Token %032x"\n' "$i"
    printf 'write-out="%%{http_code}\\n"\n'
  done | sed 1d >"$BATS_TEST_TMPDIR/config"
  begin=$SECONDS
  curl -sS -K "$BATS_TEST_TMPDIR/config" >"$BATS_TEST_TMPDIR/codes" 3>&- &
  guesser=$!
  retry 10 grep -qs 429 "$BATS_TEST_TMPDIR/codes"
  create_as "$token"
  [ "$code" = 200 ]
  wait "$guesser"
  [ "$(grep -cE '^(401|429)$' "$BATS_TEST_TMPDIR/codes")" = 10000 ]
  # Ten in a second are looked at.
  [ "$(grep -c '^401$' "$BATS_TEST_TMPDIR/codes")" -le \
    $((10 * (SECONDS - begin + 2))) ]
  create_as "${token%?}"
  [[ $code =~ ^(401|429)$ ]]
  [ "$(api runs length)" = 1 ]
}

@test "tokens of a database from before owners belong to their names" {
  db=$BATS_TEST_TMPDIR/k6serve.db
  # version 1 as it was, and a token in it
  { sed '/^-- version 2/,$d' "$root/src/k6serve/store/schema.sql"
    echo "INSERT INTO token VALUES('old', zeroblob(32), 0);
      PRAGMA application_id = 1798730610; PRAGMA user_version = 1;"
  } | python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())' "$db"
  capture k6serve --db "$db" token list
  [ "$status" = 0 ]
  [ "$out" = $'old\t1970-01-01T00:00:00Z\told' ]
}

# bats test_tags=slow
@test "a restart does not time runs out that could not be heard" {
  start_server --timeout-after 6s
  create
  post /v1/metrics/1 --data "[$(trail 1)]"
  stop_server
  sleep 6.2
  local begin=${EPOCHREALTIME/./}
  start_server --timeout-after 6s
  is_timed_out() { [ "$(api runs/1 .state)" = "Timed out" ]; }
  retry 30 is_timed_out
  # Only after it was silent for so long to this server.
  ((${EPOCHREALTIME/./} - begin >= 6000000))
  [ "$(api runs/1 .late)" = false ]
  post /v1/tests/1 --data "$finish"
  [ "$(api runs/1 .state)" = Finished ]
}

@test "runs go when they are as old as --keep-for says, open ones stay" {
  start_server --keep-for 1s
  create old
  post /v1/metrics/1 --data "[$(trail 1)]"
  post /v1/tests/1 --data "$finish"
  create open
  is_gone() { [ "$(api runs 'map(.name)|tojson')" = '["open"]' ]; }
  retry 6 is_gone
  get /api/v1/runs/1
  [ "$code" = 404 ]
  has_no_points() {
    [ "$(python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM point").
  fetchone()[0])' "$BATS_TEST_TMPDIR/k6serve.db")" = 0 ]
  }
  retry 10 has_no_points
  grep -F 'run 1 was removed: it is older than --keep-for allows' \
    "$BATS_TEST_TMPDIR/serve.err"
}

# bats test_tags=slow
@test "past --keep-size the oldest runs go first" {
  start_server --keep-size 500k
  for run in 1 2 3 4; do
    create "r$run"
    for i in 1 2 3; do
      post "/v1/metrics/$run" --data "$(named @$((1700000000 + i * 60)) \
        "/$run/"{1..70})"
      [ "$code" = 200 ]
    done
    post "/v1/tests/$run" --data "$finish"
  done
  is_less() {
    local names
    names=$(api runs 'map(.name)|join(" ")')
    echo "kept: $names"
    [ "$names" != "r4 r3 r2 r1" ] && [[ "r4 r3 r2 r1" == "$names"* ]]
  }
  retry 10 is_less
  sleep 1.5
  is_less
  capture k6serve --keep-size 5X --db "$BATS_TEST_TMPDIR/x.db"
  [ "$status" = 2 ]
  grep -F '"5X" is not a size' <<<"$err"
}
