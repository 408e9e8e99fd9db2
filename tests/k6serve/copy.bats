#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6serve copy: a file into a database of a real PostgreSQL, and back.

load ../helpers
load serve
load postgres

setup_file() { postgres_setup_file; }
teardown_file() { postgres_teardown_file; }

setup() {
  postgres_setup
  file=$BATS_TEST_TMPDIR/k6serve.db
}

teardown() {
  stop_server || true
}

# query FILE SQL: of SQLite, by a program other than k6serve.
query() {
  python3 - "$@" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60)
for row in db.executescript(sys.argv[2]) if ";" in sys.argv[2] \
    else db.execute(sys.argv[2]):
  print(*row, sep="|")
PY
}

# dump FILE: all that it has, as SQL.
dump() {
  python3 -c 'import sqlite3, sys
for line in sqlite3.connect(sys.argv[1]).iterdump(): print(line)' "$1" | sort
}

# fill RUNS: that many in $file, which are over, each table with rows.
fill() {
  local i
  start_server
  for i in $(seq "$1"); do
    create "run $i"
    post "/v1/metrics/$run" --data "$(named /a /ü "/$i" @170000000"$i")" \
      -H "K6-Idempotency-Key: k$i"
    [ "$code" = 200 ]
    post "/v1/metrics/$run" --data "[$(trail 0.1),$(trail 33 1700000009)]" \
      -H "K6-Idempotency-Key: l$i"
    post "/v1/metrics/$run/withdraw" -H "K6-Idempotency-Key: m$i"
    post "/v1/tests/$run" --data "$finish"
    [ "$code" = 200 ]
  done
  stop_server
  k6serve --db "$file" token add ann team >"$BATS_TEST_TMPDIR/ann"
  query "$file" "INSERT INTO load_test VALUES(7, 'team', 3, 'lt', 5);
    INSERT INTO started VALUES(1, 7, x'00ff');
    INSERT INTO instance VALUES(1, 'one', 3, 0, '{}', 9);
    INSERT INTO hook VALUES(1, 'abc', 0);
    UPDATE run SET note = 'n', is_baseline = 1, create_key = NULL WHERE id = 1;
    UPDATE sqlite_sequence SET seq = 40 WHERE name = 'run';"
  start_server
  answers "$BATS_TEST_TMPDIR/before" "$1"
  stop_server
}

# answers FILE RUNS: what $url says of the runs, byte for byte.
answers() {
  local i page
  for i in $(seq "$2"); do
    retry 30 is_judged "$i"
    for page in '' /series /urls /thresholds /metrics /checks /slow \
      '/series?metric=http_req_duration' /report; do
      curl -sSf -D "$1.head" "$url/api/v1/runs/$i$page"
      grep -i '^etag' "$1.head"
    done
    curl -sSf "$url/api/v1/runs/$i/export.html"
  done | sed "s,$url,URL,g" >"$1"
  [ "$(wc -c <"$1")" -gt 10000 ]
}

is_judged() {
  [ "$(api "runs/$1" .verdict)" != pending ]
}

@test "copy brings a file into PostgreSQL and back; all answers stay the same" {
  local digest
  fill 3
  digest=$(sha256sum "$file")
  capture k6serve copy "$file" "$db"
  [ "$status" = 0 ]
  [ "$err" = 'k6serve: copied 3 runs, 135 samples, 1 token; 0 differ' ]
  [ "$(sha256sum "$file")" = "$digest" ]
  # Its plans know how many rows there are.
  [ "$(sql "SELECT reltuples > 0 FROM pg_class
    WHERE oid = 'k6serve.point'::regclass")" = t ]
  start_server --db "$db"
  answers "$BATS_TEST_TMPDIR/after" 3
  cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  post /v1/tests --data '{"name":"x"}' \
    -H "Authorization: Token $(<"$BATS_TEST_TMPDIR/ann")"
  [ "$(jq -r .reference_id <<<"$body")" = 41 ]
  sql 'DELETE FROM k6serve.run WHERE id = 41'
  stop_server

  capture k6serve copy "$db" "$BATS_TEST_TMPDIR/back.db"
  [ "$status" = 0 ]
  [ "$err" = 'k6serve: copied 3 runs, 135 samples, 1 token; 0 differ' ]
  query "$BATS_TEST_TMPDIR/back.db" \
    "UPDATE sqlite_sequence SET seq = 40 WHERE name = 'run' AND seq = 41;"
  diff <(dump "$file") <(dump "$BATS_TEST_TMPDIR/back.db")
  [ "$(stat -c %a "$BATS_TEST_TMPDIR/back.db")" = 600 ]
  capture k6serve copy "$BATS_TEST_TMPDIR/back.db" "$db"
  [ "$status" = 0 ]
  [[ $err = *'copied 0 runs, 0 samples; 3 were there already; 0 differ' ]]
}

# series N: a run in $file that is over, with N series and their tag sets. The
# second one has points of 10001 seconds, the others one.
series() {
  query "$file" "INSERT INTO run(name, project, vus, planned_s, thresholds,
      results, run_status, result_status, is_late, created_ns, seen_ns,
      ended_ns, first_ns, last_ns, step_s, requests, points, version)
    VALUES('n', 1, 1, 1, '{}', '{}', 3, 0, 0, 1, 1, 1, 0, 0, 1, 0, $1, 1);
    WITH RECURSIVE i(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM i
      WHERE n < $1) INSERT INTO tagset(run, json)
      SELECT max(run.id), n || ' of ' || max(run.id) FROM i, run GROUP BY n;
    INSERT INTO series(run, metric, type, tagset, count, nonzero, sum, min,
        max, last, last_ns, hist)
      SELECT run, 'm', 2, id, 1, 1, id, 0.5, 2.5, 1, 5, x'00ff' FROM tagset
      WHERE run = (SELECT max(id) FROM run) ORDER BY id;
    INSERT INTO point SELECT id, 1700000000, 1, 1, sum, 0, 9, 1, 5, x'', NULL
      FROM series WHERE run = (SELECT max(id) FROM run);
    WITH RECURSIVE i(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM i
      WHERE n < 10000) INSERT INTO point
      SELECT s.id, 1700000000 + n, 1, 1, n, n, n, n, n, NULL, n FROM i,
        (SELECT min(id) + 1 AS id FROM series
        WHERE run = (SELECT max(id) FROM run)) s;"
}

@test "a copy takes a few statements, however many series a run has" {
  local n first
  k6serve --db "$file" token list
  k6serve --db "$db" token list
  log_statements
  series 4
  statements_of k6serve copy "$file" "$db"
  first=$n
  [ "$first" -gt 10 ]
  series 2500
  statements_of k6serve copy "$file" "$db"
  echo "$first, then $n"
  [ "$n" -le $((2 * first + 10)) ]
  statements_of k6serve copy "$db" "$BATS_TEST_TMPDIR/back.db"
  echo "back $n"
  [ "$n" -le $((2 * first + 10)) ]
  diff <(dump "$file") <(dump "$BATS_TEST_TMPDIR/back.db")
}

@test "copy knows each table and each column of the schema" {
  local column
  k6serve --db "$file" token list
  query "$file" "SELECT DISTINCT c.name FROM sqlite_schema t,
    pragma_table_info(t.name) c WHERE t.type = 'table'
    AND t.name NOT LIKE 'sqlite%'" >"$BATS_TEST_TMPDIR/columns"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/columns")" -gt 60 ]
  while read -r column; do
    grep -qw "$column" "$root"/src/k6serve/store/store_{rows,copy_all,sql}.c \
      "$root/src/k6serve/store/store_priv.h" || {
      echo "$column is not copied"
      return 1
    }
  done <"$BATS_TEST_TMPDIR/columns"
}

@test "a copy that was killed within a run is taken up" {
  local pid
  fill 4
  k6serve --db "$db" token list
  sql "CREATE FUNCTION k6serve.hang() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF (SELECT max(id) FROM k6serve.run) = 3 THEN
      PERFORM pg_sleep(600); END IF; RETURN NEW; END'"
  sql 'CREATE TRIGGER hang BEFORE INSERT ON k6serve.point
    FOR EACH ROW EXECUTE FUNCTION k6serve.hang()'
  k6serve copy "$file" "$db" 3>&- &
  pid=$!
  retry 30 hangs
  kill_now "$pid"
  wait "$pid" || true
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event = 'PgSleep'" >/dev/null
  sql 'DROP TRIGGER hang ON k6serve.point'
  [ "$(sql 'SELECT string_agg(id::text, $$ $$) FROM k6serve.run')" = '1 2' ]
  capture k6serve copy "$file" "$db"
  [ "$status" = 0 ]
  [ "$err" = \
    'k6serve: copied 2 runs, 90 samples; 2 were there already; 0 differ' ]
  start_server --db "$db"
  answers "$BATS_TEST_TMPDIR/after" 4
  cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

hangs() {
  [ "$(sql "SELECT count(*) FROM pg_stat_activity
    WHERE wait_event = 'PgSleep'")" = 1 ]
}

@test "copy --open: a push goes on in the copy, nothing lost, nothing twice" {
  local push
  start_server
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  k6push --journal "$BATS_TEST_TMPDIR/journals" --push-interval 50ms \
    <"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/push" 3>&- &
  push=$!
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  head -n 901 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 has_half
  stop_server
  capture k6serve copy "$file" "$db"
  [ "$status" = 75 ]
  capture k6serve copy --open "$file" "$db"
  [ "$status" = 0 ]
  [ "$err" = 'k6serve: copied 1 run, 900 samples; 0 differ' ]
  rm "$file"
  start_server --listen "127.0.0.1:${url##*:}" --db "$db" 4>&-
  tail -n +902 "$BATS_TEST_TMPDIR/in" >&4
  exec 4>&-
  wait "$push" || { cat "$BATS_TEST_TMPDIR/push"; return 1; }
  grep -q '200 made = 200 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/push"
  [ "$(sql "SELECT count, sum FROM k6serve.series WHERE run = 1
    AND tagset = 0 AND metric = 'http_req_duration'")" = '200|20100' ]
}

has_half() {
  [ "$(api runs/1 .totals.http_reqs)" = 100 ]
}

@test "what differs in the target is told and left, a bad arrival undone" {
  fill 4
  k6serve --db "$db" token add ann other
  sql "INSERT INTO k6serve.load_test VALUES(7, 'x', 1, 'other', 1)"
  sql "INSERT INTO k6serve.run(id, name, project, vus, planned_s, thresholds,
      results, run_status, result_status, is_late, created_ns, seen_ns,
      ended_ns, first_ns, last_ns, step_s, requests, points, version)
    VALUES(2, 'other', 1, 1, 1, '{}', '{}', 3, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0,
      1)"
  sql "CREATE FUNCTION k6serve.drop_one() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF (SELECT max(id) FROM k6serve.run) = 3 AND NEW.second =
      1700000009 THEN RETURN NULL; END IF; RETURN NEW; END'"
  sql 'CREATE TRIGGER drop_one BEFORE INSERT ON k6serve.point
    FOR EACH ROW EXECUTE FUNCTION k6serve.drop_one()'
  query "$file" 'UPDATE run SET run_status = 2 WHERE id = 4;'
  capture k6serve copy "$file" "$db"
  [ "$status" = 75 ]
  [[ $err = *'token ann: the target has another one'* ]]
  [[ $err = *'run 2: the target has another run of that number'* ]]
  [[ $err = *'run 3: the target has other points ('* ]]
  [[ $err = *'run 4: is not over: not copied'* ]]
  [[ $err = *'copied 1 run, 45 samples; 1 not over; 3 differ' ]]
  [ "$(sql 'SELECT string_agg(name, $$, $$ ORDER BY id) FROM k6serve.run')" = \
    'run 1, other' ]
  [ "$(sql 'SELECT owner FROM k6serve.token')" = other ]
  [ "$(sql 'SELECT id, name FROM k6serve.load_test JOIN k6serve.started
    ON id = load_test')" = '8|lt' ]
}

@test "a copy from or to what cannot be used is told, and nothing is made" {
  local digest
  capture k6serve copy "$file" "$db"
  [ "$status" = 1 ]
  [ "$err" = "k6serve: $file: No such file or directory" ]
  [ ! -e "$file" ]
  [ "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'k6serve'")" = 0 ]
  capture k6serve copy "$db" "$file"
  [ "$status" = 1 ]
  [[ $err = *'the source: the schema is 0, this k6serve knows '* ]]
  [ ! -e "$file" ]

  k6serve --db "$file" token list
  query "$file" 'PRAGMA user_version = 9;'
  digest=$(sha256sum "$file")
  capture k6serve copy "$file" "$db"
  [ "$status" = 1 ]
  [[ $err = *'the schema is 9, this k6serve knows '* ]]
  [ "$(sha256sum "$file")" = "$digest" ]

  rm "$file"
  k6serve --db "$file" token list
  capture k6serve copy "$file" 'postgresql://k6:secret@127.0.0.1:1/x'
  [ "$status" = 75 ]
  [[ $err = 'k6serve: the database: '*refused* && $err != *secret* ]]
  capture k6serve copy "$file" "$file"
  [ "$status" = 2 ]
  capture k6serve copy "$file"
  [ "$status" = 2 ]
}
