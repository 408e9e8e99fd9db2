#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# Of several k6serve on one database, one at a time does the periodic work.

# bats file_tags=threads
load ../helpers
load serve
load postgres

setup_file() { postgres_setup_file; }
teardown_file() { postgres_teardown_file; }
setup() {
  receiver=
  postgres_setup
}
teardown() {
  postgres_teardown
  [ -z "$receiver" ] || kill "$receiver"
}

# lease held|fence|taken_total|too_late_total [URL]
lease() {
  curl -sS "${2:-$url}/metrics" | sed -n "s/^k6serve_lease_$1 //p"
}

lease_is() {
  [ "$(lease "$1" "${3:-$url}")" = "$2" ]
}

# one_of URL...: exactly one of them has it.
one_of() {
  local each n=0
  for each; do n=$((n + $(lease held "$each"))); done
  [ "$n" = 1 ]
}

has_state() {
  [ "$(api runs/1 .state)" = "$1" ]
}

# is_free FENCE: nobody has the lease, and it went up from there.
is_free() {
  [ "$(sql "SELECT fence > $1 AND until < now() FROM k6serve.lease
    WHERE name = 'chores'")" = t ]
}

# bats test_tags=slow
@test "another server takes over from one that is paused, killed or ended" {
  local urls=() pids=() holder other fence
  serve --timeout-after 1s
  urls+=("$url") pids+=("$server")
  retry 30 lease_is held 1
  serve --timeout-after 1s
  urls+=("$url") pids+=("$server")
  create
  retry 30 one_of "${urls[@]}"
  holder=$(lease held "${urls[1]}")
  other=$((1 - holder))
  fence=$(lease fence "${urls[holder]}")
  kill -STOP "${pids[holder]}"
  retry 30 lease_is held 1 "${urls[other]}"
  [ "$(lease fence "${urls[other]}")" -gt "$fence" ]
  kill -CONT "${pids[holder]}"
  retry 30 one_of "${urls[@]}"
  retry 30 has_state 'Timed out'
  kill_now "${pids[other]}"
  retry 30 lease_is held 1 "${urls[holder]}"
  serve
  kill "${pids[holder]}"
  wait "${pids[holder]}"
  retry 30 lease_is held 1
  kill "$server"
  wait "$server"
  retry 30 is_free "$fence"
}

# The lease of another, which it renews: did ours come too late?
other_is_obeyed() {
  sql "UPDATE k6serve.lease SET until = clock_timestamp() + interval '9 s'
    WHERE holder = 'other'"
  lease_is too_late_total 1
}

# Nothing but the time-out will change the run.
is_judged() {
  [ "$(sql 'SELECT judged_version = version FROM k6serve.run')" = t ]
}

# The holder waits for a run that we hold; then the lease is another's. The
# holder waits 5 s at most, which may be over before our COMMIT on a busy
# machine. Then the run is heard of and the lease free again, for the next try.
comes_too_late() {
  local start
  [ "$(sql 'SELECT run_status FROM k6serve.run')" = 2 ] || return 0
  sql "UPDATE k6serve.run SET seen_ns = seen_ns + 1;
    UPDATE k6serve.lease SET until = '-infinity' WHERE holder = 'other'"
  sql "BEGIN;
    SELECT 1 FROM k6serve.run FOR UPDATE;
    DO \$\$ BEGIN
      LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN EXISTS (SELECT 1 FROM pg_stat_activity WHERE
          datname = current_database() AND wait_event_type = 'Lock' AND
          query LIKE 'UPDATE run SET run_status = 4%');
        PERFORM pg_sleep(0.02);
      END LOOP;
    END \$\$;
    UPDATE k6serve.lease SET holder = 'other', fence = fence + 1,
      until = clock_timestamp() + interval '9 s' WHERE name = 'chores';
    COMMIT" >/dev/null
  start=$SECONDS
  until other_is_obeyed; do
    ((SECONDS - start < 10)) || return 1
    sleep 0.05
  done
}

# bats test_tags=slow
@test "what the holder does too late is undone" {
  # in which the run is held, also on a busy machine
  serve --timeout-after 10s
  create
  retry 30 is_judged
  retry 120 comes_too_late
  lease_is too_late_total 1
  [ "$(sql 'SELECT run_status FROM k6serve.run')" = 2 ]
  lease_is held 0
}

@test "the end of a run is told by one server of two" {
  cd "$BATS_TEST_TMPDIR"
  mkdir got
  python3 "$tools/receiver.py" got >hook.url 3>&- &
  receiver=$!
  retry 20 grep -qs ^http hook.url
  serve --on-finish "$(cat hook.url)"
  serve --on-finish "$(cat hook.url)"
  for _ in 1 2 3; do
    create
    post "/v1/tests/$run" --data "$finish"
  done
  nothing_is_due() { [ "$(sql 'SELECT count(*) FROM k6serve.hook')" = 0 ]; }
  retry 60 nothing_is_due
  [ "$(cat got/*.body | jq .run | sort | tr '\n' ' ')" = '1 2 3 ' ]
}
