#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # each test is a subshell
# Clocks that jump, a server that was away: no run is timed out or removed that
# could not be heard; and what --keep-for and --keep-size remove.

# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
}

# states: number, state and lateness of each run.
states() {
  api runs 'map("\(.id) \(.state) \(.late)")|join(", ")'
}

# jump SHIFT: the server's wall clock does, and it looks at its runs twice.
jump() {
  echo "$1" >"$BATS_TEST_TMPDIR/clock"
  sleep 1.2
  echo "$1: $(states)"
}

# bats test_tags=slow
@test "a clock that jumps by hours, to 1996 and to 2106 changes no run" {
  sanitized && skip 'the sanitizer and a faked clock exclude each other'
  lib=$(echo /usr/lib/*/faketime/libfaketime.so.1)
  [ -e "$lib" ] || skip 'no libfaketime'
  echo +0 >"$BATS_TEST_TMPDIR/clock"
  LD_PRELOAD=$lib FAKETIME_TIMESTAMP_FILE=$BATS_TEST_TMPDIR/clock \
    FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
    k6serve --listen 127.0.0.1:0 --db "$BATS_TEST_TMPDIR/k6serve.db" \
    --keep-for 1h >"$BATS_TEST_TMPDIR/serve.out" 2>/dev/null 3>&- &
  server=$!
  retry 20 grep -qs ^http "$BATS_TEST_TMPDIR/serve.out"
  url=$(cat "$BATS_TEST_TMPDIR/serve.out")
  create over
  post /v1/tests/1 --data "$finish"
  create running
  for shift in +3h -3h -30y +80y +0; do
    jump "$shift"
    [ "$(states)" = "2 Running false, 1 Finished false" ]
    post /v1/metrics/2 --data "[$(trail 1)]"
    [ "$code" = 200 ]
  done
  [ "$(api runs/2 .totals.http_reqs)" = 5 ]
}

# bats test_tags=slow
@test "a server that was stopped for longer than the time-out loses no run" {
  start_server --timeout-after 20s --keep-for 1s
  create over
  create running
  post /v1/metrics/2 --data "[$(trail 1)]"
  post /v1/tests/1 --data "$finish"
  kill -STOP "$server"
  sleep 21
  kill -CONT "$server"
  # the look at which the first one goes would time out the second one, too
  is_gone() { [[ $(states) != *"1 Finished"* ]]; }
  retry 20 is_gone
  [ "$(states)" = "2 Running false" ]
  post /v1/metrics/2 --data "[$(trail 1)]"
  [ "$code" = 200 ]
  [ "$(api runs/2 .totals.http_reqs)" = 2 ]
}

@test "a --keep-size that an empty database passes is refused" {
  for size in 1 200k 262143; do
    capture k6serve --keep-size "$size" --db "$BATS_TEST_TMPDIR/x.db"
    [ "$status" = 2 ]
    [[ $err == *"$size: must be at least 256K"* ]]
  done
  [ ! -e "$BATS_TEST_TMPDIR/x.db" ]
}
