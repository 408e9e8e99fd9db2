#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # each test is a subshell; out, err
# Old seconds get longer steps, by --tens-after and --minutes-after.

# bats file_tags=threads
load ../helpers
load serve
load postgres

setup_file() { postgres_setup_file; }
teardown_file() { postgres_teardown_file; }
teardown() { postgres_teardown; }

# Of the points of run 1: the most of a series, and how many series there are
# whose counts, sums, least and greatest values are not those of its points.
check() {
  echo "SELECT max(n), sum(bad) FROM (SELECT count(*) AS n,
    CASE WHEN sum(p.count) = max(s.count) AND
      abs(sum(p.sum) - max(s.sum)) < 0.00001 AND min(p.min) = max(s.min) AND
      max(p.max) = max(s.max) THEN 0 ELSE 1 END AS bad
    FROM point p JOIN series s ON s.id = p.series WHERE s.run = 1
    GROUP BY s.id) t"
}

# figures: what must be the same before and after, but the steps.
figures() {
  local page
  for page in 'distribution?metric=http_req_duration' urls slow metrics \
    'distribution?metric=http_req_duration&from=1699999980&to=1700000340' \
    'series?step=60' 'series?step=60&name=/a' \
    'series?step=60&metric=http_req_waiting'; do
    api "runs/1/$page" .
  done
  api runs/1 '[.totals, .start, .end, .duration]|tojson'
}

# vus SECOND COUNT: a sample of how many there are.
vus() {
  printf ',{"type":"Point","metric":"vus","data":{"time":"%d000000",
    "type":"gauge","tags":{},"value":%d}}' "$1" "$2"
}

# fill: 301 s of the run, from 1700000000 on, which is 20 s into a minute.
fill() {
  local i
  {
    printf '[%s' "$(trail 7 1700000000)"
    for i in $(seq 1 300); do
      printf ',%s' "$(trail $((i % 50)) $((1700000000 + i)))"
      # Users come for half of each minute.
      vus $((1700000000 + i)) $(((1700000000 + i) % 60 < 30 ? 100 : 1))
    done
    echo ']'
  } | upload /v1/metrics/1
}

# rolls_up: a run that is over becomes one of tens of seconds, then of minutes.
rolls_up() {
  begin
  create
  fill
  post /v1/tests/1 --data "$finish"
  figures >"$BATS_TEST_TMPDIR/before"
  [ "$(api runs/1 .step)" = 1 ]
  stop_server
  begin --tens-after 1s
  retry 60 query_is "$(check)" '31|0'
  [ "$(api runs/1 .step)" = 10 ]
  stop_server
  begin --tens-after 1s --minutes-after 2s
  retry 60 query_is "$(check)" '6|0'
  [ "$(api runs/1 .step)" = 60 ]
  figures >"$BATS_TEST_TMPDIR/after"
  diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  [ "$(api 'runs/1/series?step=60' '[.[].vus] | unique | tojson')" = '[100]' ]
  # A part of the run is one of whole steps, and says which.
  [ "$(api 'runs/1/report?from=1700000095&to=1700000101' \
    '.range | [.from, .to, .totals.http_reqs] | tojson')" = \
    '[1700000040,1700000160,120]' ]
}

@test "an old run is rolled up, and its figures stay the same" {
  rolls_up
}

@test "the same in PostgreSQL" {
  postgres_setup
  rolls_up
}

# late KEY: samples of seconds that are rolled up, of a minute before them, and
# of the last ones; 5 requests.
late() {
  post /v1/metrics/1 -H "K6-Idempotency-Key: $1" --data "[
    $(trail 3 1700000007),$(trail 4 1700000008),$(trail 90 1700000123),
    $(trail 91 1699999955),$(trail 8 1700000299)]"
  [ "$code" = 200 ]
}

# rolls_up_running: the same of a run that goes on: the seconds before the last
# whole minute. What comes late goes to the minutes, once.
rolls_up_running() {
  begin --timeout-after 1h
  create
  fill
  figures >"$BATS_TEST_TMPDIR/before"
  stop_server
  begin --timeout-after 1h --tens-after 2s
  # 28 tens before 1700000280, then seconds
  retry 60 query_is "$(check)" '49|0'
  query_is 'SELECT roll_from, roll_to FROM run' '0|0'
  [ "$(api runs/1 '[.state, .step]|tojson')" = '["Running",10]' ]
  figures >"$BATS_TEST_TMPDIR/after"
  diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  # a page that is live asks for what is new, in the run's steps
  [ "$(api 'runs/1/report?series_from=1700000250' \
    '[.step, .series[].t, .series[].http_reqs]|tojson')" = \
    '[10,1700000250,1700000260,1700000270,1700000280,1700000290,1700000300,10,10,10,10,10,1]' ]
  stop_server
  begin --timeout-after 1h --tens-after 2s --minutes-after 3s
  retry 60 query_is "$(check)" '26|0'
  figures >"$BATS_TEST_TMPDIR/after"
  diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  late a
  late a
  late b
  query_is "$(check)" '27|0'	# a minute more
  [ "$(api runs/1 .totals.http_reqs)" = 311 ]
  [ "$(api runs/1/series '[.[] | .t, .http_reqs]|tojson')" = \
    '[1699999920,2,1699999980,44,1700000040,60,1700000100,62,1700000160,60,1700000220,60,1700000280,23]' ]
  post /v1/tests/1 --data "$finish"
  retry 60 query_is "$(check)" '7|0'
  [ "$(api runs/1 .totals.http_reqs)" = 311 ]
}

# bats test_tags=slow
@test "old seconds of a run that goes on are rolled up, late samples added" {
  rolls_up_running
}

# bats test_tags=slow
@test "old seconds of a run that goes on are rolled up in PostgreSQL" {
  postgres_setup
  rolls_up_running
}

# minute N: a request of each of 10 names in each second of the minute N of the
# run, and of one second of each minute before it; the first of which is new.
minute() {
  local i names=() from=$((1699999980 + 60 * $1))
  for i in $(seq 10); do names+=("/$i"); done
  {
    for i in $(seq 0 59); do named @$((from + i)) "${names[@]}"; done
    for i in $(seq "$1"); do named @$((from - 60 * i + 7)) "${names[@]}"; done
  } | jq -cs add >"$BATS_TEST_TMPDIR/body"
}

# put KEY: what minute made, until it is answered.
put() {
  until post /v1/metrics/1 -H "K6-Idempotency-Key: $1" \
    --data @"$BATS_TEST_TMPDIR/body" && [ "$code" = 200 ]; do
    sleep 0.1
  done
}

# rolls_to SECOND: it is rolled up to there, or it is being.
rolls_to() {
  query_is "SELECT count(*) FROM run WHERE tens_to >= $1" 1
}

# is_rolled SECOND: up to there, and nothing is under way.
is_rolled() {
  query_is 'SELECT roll_from, roll_to, tens_to FROM run' "0|0|$1"
}

# all_there N: no request of N minutes is lost, none is twice.
all_there() {
  [ "$(api runs/1 .totals.http_reqs)" = $((10 * (60 * $1 + $1 * ($1 - 1) / 2))) ]
  [[ $(query "$(check)") = *'|0' ]]
}

# survives_kills: what rolls up is killed each time that it has begun.
survives_kills() {
  local i
  begin --timeout-after 1h --tens-after 2s
  create
  for i in 0 1 2 3 4 5; do
    minute "$i"
    put "$i"
    [ "$i" = 0 ] || retry 60 rolls_to $((1699999980 + 60 * i))
    kill -9 "$server"
    wait "$server" || true
    begin --timeout-after 1h --tens-after 2s
    all_there $((i + 1))
  done
  retry 60 is_rolled 1700000280
  all_there 6
  post /v1/tests/1 --data "$finish"
  retry 60 is_rolled 1700000340
  all_there 6
  query_is "$(check)" '36|0'
}

# bats test_tags=slow
@test "a server is killed while it rolls up" {
  survives_kills
}

# bats test_tags=slow
@test "a server is killed while it rolls up PostgreSQL" {
  postgres_setup
  survives_kills
}

# has_lease: the server at $url.
has_lease() {
  [ "$(curl -sS "$url/metrics" | sed -n 's/^k6serve_lease_held //p')" = 1 ]
}

# Two feed a run, of whom one rolls it up, slowly, so that it is paused, and
# killed, in the middle.
# bats test_tags=slow
@test "what one server began to roll up, another ends, and both are fed" {
  local first second urls
  postgres_setup
  serve --timeout-after 1h --tens-after 2s
  first=$server urls=("$url")
  retry 30 has_lease
  sql 'CREATE FUNCTION k6serve.slow() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM pg_sleep(0.03); RETURN NULL; END$$;
    CREATE TRIGGER slow BEFORE DELETE ON k6serve.point
    FOR EACH STATEMENT EXECUTE FUNCTION k6serve.slow()'
  serve --timeout-after 1h --tens-after 2s
  second=$server urls+=("$url")
  create
  minute 0
  put 0
  minute 1
  put 1
  retry 60 rolls_to 1700000040
  kill -STOP "$first"
  stopped+=" $first"
  minute 2
  put 2
  all_there 3
  retry 60 has_lease
  kill -CONT "$first"
  url=${urls[0]}
  minute 3
  put 3
  put 3
  retry 60 rolls_to 1700000160
  kill -9 "$second"
  wait "$second" || true
  minute 4
  put 4
  retry 90 is_rolled 1700000220
  all_there 5
  sql 'SELECT bool_and(CASE WHEN second < 1700000220 THEN second % 10 = 0
    ELSE true END) FROM k6serve.point' | grep -qx t
}

# old_run: of a schema before the marks, one that is over and was rolled up to
# minutes, and one that goes on and was not.
old_runs="INSERT INTO run(name, project, vus, planned_s, thresholds, results,
    run_status, result_status, is_late, created_ns, seen_ns, ended_ns,
    first_ns, last_ns, step_s, requests, points, version, point_s)
    VALUES('a', 0, 1, 1, '{}', '{}', 4, 0, 0, 5, 5, 5, 1699999980000000000,
      1700000079000000000, 60, 2, 2, 2, 60),
    ('b', 0, 1, 1, '{}', '{}', 4, 0, 0, 5, 5, 5, 1700000000000000000,
      1700000010000000000, 1, 2, 2, 2, 1);
  INSERT INTO series(run, metric, type, tagset, count, nonzero, sum, min, max,
    last, last_ns) VALUES(1, 'c', 0, 0, 2, 2, 2, 1, 1, 1, 1),
    (2, 'c', 0, 0, 2, 2, 2, 1, 1, 1, 1);
  INSERT INTO point(series, second, count, nonzero, sum, min, max, last,
    last_ns) VALUES(1, 1699999980, 1, 1, 1, 1, 1, 1, 1),
    (1, 1700000040, 1, 1, 1, 1, 1, 1, 1), (2, 1700000000, 1, 1, 1, 1, 1, 1, 1),
    (2, 1700000010, 1, 1, 1, 1, 1, 1, 1);"

# marks_old: these runs have their marks, and late samples go where they say.
marks_old() {
  local run
  query_is 'SELECT tens_to, minutes_to, roll_from, roll_to FROM run
    ORDER BY id' $'1700000100|1700000100|0|0\n0|0|0|0'
  begin
  for run in 1 2; do
    post "/v1/metrics/$run" --data '[{"type":"Point","metric":"c","data":
      {"time":"1700000055000000","type":"counter","tags":{},"value":1}},
      {"type":"Point","metric":"c","data":
      {"time":"1700000300000000","type":"counter","tags":{},"value":1}}]'
    [ "$code" = 200 ]
  done
  query_is 'SELECT series, second, count FROM point WHERE series < 3
    ORDER BY 1, 2' "$(printf '%s\n' '1|1699999980|1' '1|1700000040|2' \
    '1|1700000300|1' '2|1700000000|1' '2|1700000010|1' '2|1700000055|1' \
    '2|1700000300|1')"
}

@test "a database of the version before keeps what was rolled up" {
  old_file 13 "$old_runs"
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" token list
  marks_old
}

@test "tables of the version before keep what was rolled up" {
  postgres_setup
  old_tables 7 "$old_runs"
  k6serve --db "$db" token list
  marks_old
}

@test "a copy goes on with what was being rolled up" {
  begin
  create
  fill
  stop_server
  query 'UPDATE run SET minutes_to = 1700000220, roll_from = 1699999980,
    roll_to = 1700000220, step_s = 60'
  postgres_setup
  run k6serve copy --open "$BATS_TEST_TMPDIR/k6serve.db" "$db"
  [ "$status" = 0 ]
  query_is "$(check)" '301|0'
  begin --timeout-after 1h --minutes-after 1000d
  retry 60 query_is "$(check)" '85|0'
  query_is 'SELECT minutes_to, roll_from, roll_to FROM run' '1700000220|0|0'
}
