#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; code, body
# What is stored of each of the pushes that feed a run.

load ../helpers
load serve
load postgres

setup_file() { postgres_setup_file; }
teardown_file() { postgres_teardown_file; }
teardown() { postgres_teardown; }

# send KEY PUSH [PATH]: a batch of one request; PUSH '': it names no push.
send() {
  local id=()
  [ -z "$2" ] || id=(-H "K6push-Id: $2")
  post "/v1/metrics/1${3:-}" -H "K6-Idempotency-Key: $1" "${id[@]}" \
    --data "[$(trail 10)]"
}

# stored_of ID: what its end is told: batches, requests, batches of nobody.
stored_of() {
  post /v1/tests/1/instances \
    --data "{\"name\":\"a\",\"id\":\"$1\",\"run_status\":3}"
  stored=$(jq -r '.stored_of_push | [.batches, .http_reqs, .unnamed] |
    join(" ")' <<<"$body")
  echo "stored: $stored"
}

counts() {
  begin
  create
  send k1 ab
  send k2 ab
  send k3 cd
  send k4 ''
  # again, after an answer that was lost, and with another body
  send k1 ab
  [ "$body" = '{"duplicate":true}' ]
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k2' -H 'K6push-Id: ab' \
    --data "[$(trail 20)]"
  [ "$code" = 409 ]
  # withdrawn before it came; and what is no id
  send k5 ab /withdraw
  send k5 ab
  [ "$code" = 413 ]
  send k6 "a b'"
  stored_of ab
  [ "$stored" = '2 2 2' ]
  stored_of cd
  [ "$stored" = '1 1 2' ]
  stored_of ef
  [ "$stored" = '0 0 2' ]
  # who begins, or has no id, is told nothing
  post /v1/tests/1/instances --data '{"name":"a","id":"ab","run_status":2}'
  [ "$(jq .stored_of_push <<<"$body")" = null ]
  post /v1/tests/1/instances --data '{"name":"a","run_status":3}'
  [ "$(jq .stored_of_push <<<"$body")" = null ]
}

@test "the end of a push is told what is stored of it, once for each key" {
  counts
}

@test "PostgreSQL: the end of a push is told what is stored of it, once" {
  postgres_setup
  counts
}

# A run of a version that did not note who sent a batch.
old_batches="INSERT INTO run(name, project, vus, planned_s, thresholds, results,
    run_status, result_status, is_late, created_ns, seen_ns, ended_ns,
    first_ns, last_ns, step_s, requests, points, version)
    VALUES('a', 0, 1, 1, '{}', '{}', 4, 0, 0, 5, 5, 5, 0, 0, 1, 3, 3, 1);"

# goes_on: of its batches nobody knows who sent them, of later ones it is known.
goes_on() {
  begin
  send k3 ab
  [ "$code" = 200 ]
  stored_of ab
  [ "$stored" = '1 1 2' ]
}

@test "batches of a database of the version before are nobody's" {
  old_file 14 "$old_batches INSERT INTO batch VALUES(1, 'k1', zeroblob(32)),
    (1, 'k2', zeroblob(32)), (1, 'k0', x'')"
  goes_on
}

@test "batches of tables of the version before are nobody's" {
  postgres_setup
  old_tables 8 "$old_batches INSERT INTO batch VALUES(1, 'k1', 'x'),
    (1, 'k2', 'x'), (1, 'k0', '')"
  goes_on
}

@test "a copy knows what each push has stored" {
  begin
  create
  send k1 ab
  send k2 cd
  stop_server
  postgres_setup
  run -0 k6serve copy --open "$BATS_TEST_TMPDIR/k6serve.db" "$db"
  begin
  send k3 ab
  stored_of ab
  [ "$stored" = '2 2 0' ]
}
