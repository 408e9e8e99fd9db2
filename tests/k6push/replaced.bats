#!/usr/bin/env bats
# replaced: the server comes back with another database, where the run's number
# is that of somebody else's run.
# shellcheck disable=SC2154 # url, journals: of helpers and push

load ../helpers
load push

# replace_database: the server ends, and begins again at its address with a
# fresh database, in which run 1 is a stranger's.
replace_database() {
  stop_server
  mkdir "$BATS_TEST_TMPDIR/old"
  mv "$BATS_TEST_TMPDIR"/k6serve.db* "$BATS_TEST_TMPDIR/old"
  start_server --listen "127.0.0.1:${url##*:}" 4>&-
  [ "$(k6push --create -n stranger | cut -f 1)" = 1 ]
}

# restore_database: the one of before is there again.
restore_database() {
  stop_server
  rm "$BATS_TEST_TMPDIR"/k6serve.db*
  mv "$BATS_TEST_TMPDIR"/old/* "$BATS_TEST_TMPDIR"
  start_server --listen "127.0.0.1:${url##*:}" 4>&-
}

# The stranger's run has got nothing, not even its end.
stranger_is_alone() {
  api runs/1 '[.name, .state, .totals.http_reqs] | @csv' |
    grep -Ex '"stranger","Running",(0)?'
}

has_some() {
  [ "$(api runs/1 .totals.http_reqs)" -gt 0 ]
}

# push_half: a push in the background of 200 requests on descriptor 4, of which
# the first half is there, and some of it stored.
push_half() {
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  k6push "$@" --journal "$journals" --push-interval 50ms --drain 1s \
    <"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  head -n 901 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 has_some
}

# push_rest: the other half, when there is another database.
push_rest() {
  tail -n +902 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 grep -F 'this run is one of another database' \
    "$BATS_TEST_TMPDIR/err"
  exec 4>&-
  status=0
  wait "$push" || status=$?
  cat "$BATS_TEST_TMPDIR/err"
}

@test "another database under a push: no stranger's run is fed, exit 75" {
  start_server
  push_half
  replace_database
  push_rest
  [ "$status" -eq 75 ]
  [ "$(grep -c 'another database' "$BATS_TEST_TMPDIR/err")" -eq 1 ]
  grep -F 'to deliver them: k6push --resume' "$BATS_TEST_TMPDIR/err"
  stranger_is_alone
  restore_database
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  stored_is 200
}

@test "another database under one that feeds a run: no stranger's is fed" {
  start_server
  id=$(k6push --create | cut -f 1)
  K6_CLOUD_PUSH_REF_ID=$id push_half --instance a
  retry 20 grep -qs '"database":"[0-9a-f]' "$journals"/*/run
  replace_database
  push_rest
  [ "$status" -eq 75 ]
  stranger_is_alone
  restore_database
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  stored_is 200
}

@test "an old journal and a fresh database: no stranger's run is fed" {
  start_server
  push_half
  kill_now "$push"
  exec 4>&-
  replace_database
  capture k6push --resume --drain 1s "$journals"
  echo "$err" | grep -F 'this run is one of another database'
  [ "$status" -ne 0 ]
  stranger_is_alone
  restore_database
  capture k6push --resume "$journals"
  stored_is 100
}
