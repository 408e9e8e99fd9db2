#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6serve on PostgreSQL: a real server, which is stopped, killed and cut off.

# bats file_tags=threads
load ../helpers
load serve
load postgres

setup_file() { postgres_setup_file; }
teardown_file() { postgres_teardown_file; }
setup() { postgres_setup; }
teardown() { postgres_teardown; }

@test "a server that cannot be reached is told, without the password" {
  run k6serve --db 'postgresql://k6:secret@127.0.0.1:1/x' token list
  [ "$status" = 1 ]
  [ "${#lines[@]}" = 1 ]
  [[ $output != *secret* && $output == *"the database:"*refused* ]]
}

@test "PostgreSQL and SQLite show the same of what was sent" {
  local base pages='runs/1 runs/1/series?metric=http_req_duration
    runs/1/urls runs/1/metrics runs/1/slow runs/1/checks
    runs/1/distribution?metric=http_req_duration'
  for base in sqlite postgres; do
    if [ $base = sqlite ]; then
      start_server --max-series 20
      servers+=" $server"
    else
      serve --max-series 20
    fi
    create same
    post /v1/metrics/1 --data "$(named /a /b /c)"
    [ "$code" = 200 ]
    post /v1/metrics/1 --data "$(named /b /ü @1700000003)"
    post /v1/metrics/1 --data "[$(trail 33 1700000003),$(trail 0.25)]"
    [ "$code $body" = '200 {}' ]
    post /v1/metrics/1 --data '[{"type":"Point","metric":"checks","data":
      {"time":"1700000001000000","type":"rate","tags":{"check":"ok"},
      "value":0}}]'
    [ "$code" = 200 ]
    post /v1/tests/1 --data "$finish"
    [ "$code" = 200 ]
    echo "$body" >"$BATS_TEST_TMPDIR/$base"
    for page in $pages; do
      api "$page" | jq -S 'del(.. | .created?, .ended?, .version?, .seen?, .finished?)' \
        >>"$BATS_TEST_TMPDIR/$base"
    done
  done
  diff "$BATS_TEST_TMPDIR/sqlite" "$BATS_TEST_TMPDIR/postgres"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/postgres")" -gt 200 ]
}

# point VALUE SECOND: what was sent.
point() {
  printf '{"type":"Point","metric":"data_sent","data":{"type":"counter",
    "time":"%d000000","tags":{},"value":%s}}' "$2" "$1"
}

@test "PostgreSQL and SQLite add up what is past all doubles to the same" {
  local base all=()
  for base in sqlite postgres; do
    if [ $base = sqlite ]; then
      start_server
      servers+=" $server"
    else
      serve
    fi
    create sums
    post /v1/metrics/1 --data "[$(point 1e308 1700000000),
      $(point 1e308 1700000001),$(point 0.5 1700000010),
      $(point 0.25 1700000011),$(point -1e308 1700000020),
      $(point -1e308 1700000021),$(point 1e308 1700000030),
      $(point 1e308 1700000031),$(point -1e308 1700000032),
      $(point 1e-320 1700000040),$(point 1e-320 1700000041)]"
    [ "$code" = 200 ]
    all+=("$(api 'runs/1/series?step=10' '[.[].data_sent]')")
    echo "${all[*]}"
  done
  [ "${all[0]}" = "${all[1]}" ]
  [ "$(jq -c 'map(. > 1e308), map(. < -1e308)' <<<"${all[0]}")" = \
    $'[true,false,false,false,false]\n[false,false,true,false,false]' ]
}

@test "a batch counts once, whichever server takes it again" {
  local one
  one="[$(trail 10)]"
  serve
  create
  post /v1/metrics/1 --data "$one" -H 'K6-Idempotency-Key: a'
  [ "$code $body" = '200 {}' ]
  serve
  post /v1/metrics/1 --data "$one" -H 'K6-Idempotency-Key: a'
  [ "$code $body" = '200 {"duplicate":true}' ]
  post /v1/metrics/1 --data '[]' -H 'K6-Idempotency-Key: a'
  [ "$code" = 409 ]
  post /v1/metrics/1/withdraw -H 'K6-Idempotency-Key: b'
  [ "$code $body" = '200 {"stored":false}' ]
  post /v1/metrics/1 --data "$one" -H 'K6-Idempotency-Key: b'
  [ "$code" = 413 ]
  [ "$(requests_of)" = 1 ]
  [ "$(sql 'SELECT count(*) FROM k6serve.batch')" = 2 ]
}

@test "a repeated key on create gives the same run, in the URL, too" {
  serve
  for path in '/v1/tests?key=c1' /v1/tests '/v1/tests?key=c1'; do
    if [ "$path" = /v1/tests ]; then
      serve
      post "$path" -H 'K6-Idempotency-Key: c1' --data '{"name":"x"}'
    else
      post "$path" --data '{"name":"x"}'
    fi
    [ "$(jq -r .reference_id <<<"$body")" = 1 ]
  done
  [ "$(api runs length)" = 1 ]
}

@test "two servers add up what comes to the same runs at a time" {
  local first i j pids=()
  serve
  first=$url
  create
  create
  serve
  for i in $(seq 8); do
    { [ $((i % 2)) = 0 ] || url=$first
      for j in $(seq 6); do
        post_batch "$i.$j" 1
        post_batch "$i.$j" 2
      done } 3>&- &
    pids+=($!)
  done
  wait_for "${pids[@]}"
  [ "$(requests_of 1) $(requests_of 2)" = '96 96' ]
  [ "$(sql "SELECT sum(p.count), max(s.count) FROM k6serve.series s
    JOIN k6serve.point p ON p.series = s.id WHERE s.run = 1
    AND s.tagset = 0 AND s.metric = 'http_reqs'")" = '96|96' ]
}

# post_new N [SECOND]: requests of N names that are new to the run.
post_new() {
  local i names=()
  for i in $(seq "$1"); do names+=("/n$((made += 1))"); done
  named "$2" "${names[@]}" >"$BATS_TEST_TMPDIR/new"
  upload /v1/metrics/1 <"$BATS_TEST_TMPDIR/new"
}

@test "a batch takes as many statements, however many series are new" {
  local made=0 n first
  log_statements
  serve
  post /v1/tests --data '{"name":"t"}'
  post_new 2 @1700000001
  statements_of post_new 2 @1700000002
  first=$n
  [ "$first" -gt 3 ]
  statements_of post_new 150 @1700000003
  echo "$first, then $n"
  [ "$n" -le "$first" ]
  [ "$(requests_of)" = 154 ]
  [ "$(sql "SELECT count(*), count(DISTINCT tagset), sum(count)
    FROM k6serve.series WHERE metric = 'http_req_duration' AND tagset != 0")" = \
    '154|154|154' ]
}

@test "a batch takes as many statements, however much goes to the rest" {
  local made=0 n first
  log_statements
  serve --max-series 18
  post /v1/tests --data '{"name":"t"}'
  post_new 5 @1700000001
  statements_of post_new 5 @1700000002
  first=$n
  statements_of post_new 150 @1700000003
  echo "$first, then $n"
  [ "$n" -le "$first" ]
  [ "$(requests_of)" = 160 ]
  [ "$(sql "SELECT s.count, p.count FROM k6serve.series s
    JOIN k6serve.tagset t ON t.id = s.tagset
    JOIN k6serve.point p ON p.series = s.id AND p.second = 1700000003
    WHERE metric = 'http_reqs' AND t.json LIKE '%__other__%'")" = '158|150' ]
}

@test "connections that the server ends lose no batch and store none twice" {
  local i j pids=() killer
  serve
  create
  # shellcheck disable=SC2034 # counted only
  { for i in $(seq 1000); do
      sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'k6serve' AND datname = '$database'" \
        >/dev/null
      sleep 0.05
    done } 3>&- &
  killer=$!
  for i in $(seq 4); do
    { for j in $(seq 10); do
        post_batch "$i.$j"
      done } 3>&- &
    pids+=($!)
  done
  wait_for "${pids[@]}"
  kill "$killer"
  wait "$killer" || true
  retry 30 has_requests 80
  [ "$(sql 'SELECT count(*) FROM k6serve.batch')" = 40 ]
}

# refused_for_now [PATH]: a read is answered 503, with one body.
refused_for_now() {
  get "${1:-/api/v1/runs/1}" -D "$BATS_TEST_TMPDIR/head"
  [ "$code" = 503 ]
  grep -qi '^retry-after: 1' "$BATS_TEST_TMPDIR/head"
  [ "$(jq -r .error.message <<<"$body")" = \
    'the database is busy or away: try again' ]
}

@test "while PostgreSQL is down there is 503, then all goes on" {
  serve
  create
  post_batch a
  get /ready
  [ "$code" = 200 ]
  postgres stop -m immediate
  for page in runs runs/1 'runs/1/series?metric=http_reqs' runs/1/report; do
    refused_for_now "/api/v1/$page"
  done
  get /ready
  [ "$code" = 503 ]
  get /metrics
  [ "$code" = 200 ]
  [[ $body == *'k6serve_http_requests_total{route="read",status="503"} 4'* ]]
  get /metrics -H 'Authorization: Bearer x'
  [ "$code" = 503 ]
  get /runs/1 -u :x -H 'Accept: text/html,*/*;q=0.8'
  [ "$code" = 503 ]
  [[ $body == '<!DOCTYPE html>'*'<p>the database is busy or away: try again'* ]]
  get /
  [[ $code = 200 && $body == *'src="/list.js"'* ]]
  get /health
  [ "$code" = 200 ]
  post /v1/metrics/1 --data "[$(trail 10)]" -H 'K6-Idempotency-Key: b' \
    -D "$BATS_TEST_TMPDIR/head"
  [ "$code" = 503 ]
  grep -qi '^retry-after: 1' "$BATS_TEST_TMPDIR/head"
  postgres start
  post_batch b
  [ "$(requests_of)" = 4 ]
  get /ready
  [ "$code" = 200 ]
}

# told COUNT PATTERN: the server said so, so many times.
told() {
  [ "$(grep -cE "^k6serve: $2\$" "$BATS_TEST_TMPDIR/err")" = "$1" ]
}

writes_go_on() {
  post_batch a && told 1 'the database: writes .* again; 3 failed'
}

reads_go_on() {
  get /api/v1/runs/1 >/dev/null
  told 1 'the database: reads are answered again; [0-9]+ failed'
}

# bats test_tags=slow
@test "what is wrong with PostgreSQL is in the log, and when it is over" {
  serve
  create
  sql 'ALTER TABLE k6serve.batch RENAME TO gone'
  for _ in 1 2 3; do
    post /v1/metrics/1 --data "[$(trail 10)]" -H 'K6-Idempotency-Key: a'
    [ "$code" = 500 ]
  done
  told 1 'the database: relation "batch" does not exist: writes get 500'
  get /api/v1/runs/1
  [ "$code" = 200 ]
  told 0 '.* answered again.*'
  sql 'ALTER TABLE k6serve.gone RENAME TO batch'
  retry 30 writes_go_on
  postgres stop -m immediate
  for _ in 1 2; do refused_for_now; done
  get /ready
  [ "$code" = 503 ]
  told 1 'the database: .*: reads get 503'
  postgres start
  retry 30 reads_go_on
}

# bats test_tags=slow
@test "webhooks that cannot be looked for are in the log, and when they can" {
  serve --on-finish http://127.0.0.1:1/
  sql 'ALTER TABLE k6serve.hook RENAME TO gone'
  work='the sending of results to --on-finish'
  retry 60 told 1 "$work waits for the database: relation \"hook\".*"
  sql 'ALTER TABLE k6serve.gone RENAME TO hook'
  retry 60 told 1 "$work goes on"
}

# peak: the most memory that the server had, in kB.
peak() { awk '/^VmHWM/ { print $2 }' "/proc/$server/status"; }

@test "a list of many large runs takes the memory of a few" {
  local before
  serve
  create
  post /v1/tests/1 --data "$finish"
  sql "INSERT INTO k6serve.run(name, project, vus, planned_s, thresholds,
      results, run_status, result_status, is_late, created_ns, seen_ns,
      ended_ns, first_ns, last_ns, step_s, requests, points, version)
    SELECT name || g % 2, project, vus, planned_s, '{}',
      '{\"m\":{\"' || repeat('x', 100000) || '\":true}}', run_status,
      result_status, is_late, created_ns, seen_ns, ended_ns, first_ns,
      last_ns, step_s, requests, points, version
    FROM k6serve.run, generate_series(1, 2000) g"
  before=$(peak)
  [ "$(api 'runs?limit=1' '.[0].name')" = t0 ]
  [ "$(api 'runs?limit=3&name=t1' length)" = 3 ]
  [ "$(api 'runs?limit=10000&name=t' '[length, .[0].id] | tojson')" = '[1,1]' ]
  # all results together: 200 MB
  [ $(($(peak) - before)) -lt 100000 ] || sanitized
}

@test "a role that may make no schema uses the one that was made for it" {
  sql "CREATE ROLE $database LOGIN"
  db="postgresql://$database@/$database?host=$pg"
  run k6serve --db "$db" token list
  [ "$status" = 1 ]
  [[ $output == *'permission denied for database'* ]]
  sql "CREATE SCHEMA k6serve AUTHORIZATION $database"
  serve
  create
  post_batch a
  [ "$(requests_of)" = 2 ]
}

@test "a PostgreSQL that hangs does not hold up what needs no database" {
  local each
  serve
  create
  stopped=$(sql 'SELECT pid FROM pg_stat_activity')
  stopped+=" $(head -n 1 "$pg/data/postmaster.pid")"
  for each in $stopped; do kill -STOP "$each" || true; done
  refused_for_now
  refused_for_now
  for each in health metrics; do
    get "/$each"
    [ "$code" = 200 ]
  done
  for each in $stopped; do kill -CONT "$each" || true; done
  post_batch a
  [ "$(requests_of)" = 2 ]
}

# stop_postgres: all of it, until the end of the test or resume_postgres.
stop_postgres() {
  local each
  stopped=$(sql 'SELECT pid FROM pg_stat_activity')
  stopped+=" $(head -n 1 "$pg/data/postmaster.pid")"
  for each in $stopped; do kill -STOP "$each" || true; done
}

resume_postgres() {
  local each
  for each in $stopped; do kill -CONT "$each" || true; done
}

# is_waiting WHAT: a session of the database waits for that.
is_waiting() {
  [ "$(sql "SELECT count(*) > 0 FROM pg_stat_activity
    WHERE datname = '$database' AND wait_event = '$1'")" = t ]
}

# bats test_tags=slow
@test "pages get 503 from a PostgreSQL that hangs, also in a statement" {
  local locker reader
  serve
  create
  post_batch a
  "$(postgres_bin)/psql" -h "$pg" -U k6 -qc 'BEGIN;
    LOCK TABLE k6serve.series; SELECT pg_sleep(600)' "$database" \
    >/dev/null 2>&1 3>&- &
  locker=$!
  retry 30 is_waiting PgSleep
  get /api/v1/runs/1/urls >"$BATS_TEST_TMPDIR/urls" 3>&- &
  reader=$!
  retry 30 is_waiting relation
  stop_postgres
  get /runs/1 -D "$BATS_TEST_TMPDIR/head"
  [ "$code" = 503 ]
  grep -qi '^retry-after: 1' "$BATS_TEST_TMPDIR/head"
  get /health
  [ "$code" = 200 ]
  wait "$reader"
  grep -q '/urls -> 503 ' "$BATS_TEST_TMPDIR/urls"
  resume_postgres
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event = 'PgSleep'"
  wait "$locker" || true
  post_batch b
  shows_page() {
    get /runs/1
    [ "$code" = 200 ]
  }
  retry 30 shows_page
  has_requests 4
}

# has_ended: the server.
has_ended() {
  ! kill -0 "$server"
}

# bats test_tags=slow
@test "a server that is told to end while PostgreSQL hangs ends, and says so" {
  local pusher
  serve
  create
  post_batch a
  sql 'CREATE FUNCTION k6serve.hang() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM pg_sleep(600); RETURN NEW; END$$;
    CREATE TRIGGER hang BEFORE INSERT ON k6serve.point
    FOR EACH ROW EXECUTE FUNCTION k6serve.hang()'
  post /v1/metrics/1 --data "[$(trail 30 1700000100)]" \
    -H 'K6-Idempotency-Key: b' >"$BATS_TEST_TMPDIR/post" 3>&- &
  pusher=$!
  retry 30 is_waiting PgSleep
  stop_postgres
  kill -TERM "$server"
  retry 60 has_ended
  wait "$server"
  wait "$pusher"
  grep -q -- '-> 503 ' "$BATS_TEST_TMPDIR/post"
  grep -q '^k6serve: the database does not answer: ending without it after 10 s' \
    "$BATS_TEST_TMPDIR/err"
  resume_postgres
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event = 'PgSleep'"
  sql 'DROP TRIGGER hang ON k6serve.point'
  serve
  post_batch b
  has_requests 4
}

@test "a commit whose answer is lost is found, and nothing is done twice" {
  local armed=$BATS_TEST_TMPDIR/armed
  python3 "$tools/cut_commit.py" "$pg/.s.PGSQL.5432" "$armed" \
    >"$BATS_TEST_TMPDIR/port" 3>&- &
  servers+=" $!"
  retry 20 has_line "$BATS_TEST_TMPDIR/port"
  db="postgresql://k6@127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/$database"
  serve
  : >"$armed"
  create
  [ ! -e "$armed" ]
  : >"$armed"
  post /v1/metrics/1 --data "[$(trail 10)]"
  [ "$code $body" = '200 {}' ]
  [ ! -e "$armed" ]
  : >"$armed"
  post /v1/metrics/1 --data "[$(trail 10)]" -H 'K6-Idempotency-Key: a'
  [ "$code $body" = '200 {}' ]
  [ "$(requests_of)" = 2 ]
  [ "$(sql 'SELECT count(*) FROM k6serve.run')" = 1 ]
}

# fail_with STATE [TIMES]: what a batch writes fails so, the first times or
# always, as PostgreSQL itself would.
fail_with() {
  sql "CREATE SEQUENCE IF NOT EXISTS tries; ALTER SEQUENCE tries RESTART;
    CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \$\$
    BEGIN
      IF nextval('public.tries') <= ${2:-1000} THEN
        RAISE EXCEPTION 'so it goes' USING ERRCODE = '$1';
      END IF;
      RETURN NULL;
    END \$\$;
    CREATE OR REPLACE TRIGGER fail AFTER INSERT ON k6serve.batch
    FOR EACH STATEMENT EXECUTE FUNCTION fail()"
}

@test "what fails for now is tried again, or told so that it comes again" {
  local state
  serve
  create
  for state in 40001 40P01; do
    fail_with $state 1
    post /v1/metrics/1 --data "[$(trail 10)]" -H "K6-Idempotency-Key: $state"
    [ "$code" = 200 ]
  done
  for state in 40001 40P01 53300 55P03 25006 57P01; do
    fail_with $state
    post /v1/metrics/1 --data "[$(trail 10)]" -H 'K6-Idempotency-Key: a'
    [ "$code" = 503 ]
  done
  for state in 53100 53200; do
    fail_with $state
    post /v1/metrics/1 --data "[$(trail 10)]" -H 'K6-Idempotency-Key: a' \
      -D "$BATS_TEST_TMPDIR/head"
    [ "$code" = 507 ]
    grep -qi '^retry-after: 10' "$BATS_TEST_TMPDIR/head"
  done
  fail_with 22003
  post /v1/metrics/1 --data "[$(trail 10)]" -H 'K6-Idempotency-Key: a'
  [ "$code" = 400 ]
  fail_with 40001 0
  post_batch a
  [ "$(requests_of)" = 4 ]
}

@test "an end, a note and a removal are seen by the other server" {
  local first
  serve
  first=$url
  create
  post_batch a
  serve
  post /v1/tests/1 --data "$finish"
  [ "$(jq -c .stored <<<"$body")" = '{"http_reqs":2,"points":18,"batches":1}' ]
  url=$first
  [ "$(api runs/1 .state)" = Finished ]
  # so is what is compared with, of which there is one
  create
  for run in 1 2 1; do
    curl -sSf -X PATCH -H 'Content-Type: application/json' \
      -d '{"baseline":true}' "$url/api/v1/runs/$run"
    [ "$(api runs 'map(select(.baseline).id) | tojson')" = "[$run]" ]
  done
  post /v1/metrics/1 --data "[$(trail 10)]"
  [ "$code" = 403 ]
  [ "$(jq .error.code <<<"$body")" = 4 ]
  curl -sSf -X DELETE "$url/cloud/v6/test_runs/1"
  get /api/v1/runs/1
  [ "$code" = 404 ]
  post /v1/metrics/1 --data "[$(trail 10)]"
  [[ $code$body == *'was removed'* ]]
  retry 30 is_empty
}

@test "tokens and their owners are in the database" {
  local ann bob
  ann=$(k6serve --db "$db" token add ann)
  bob=$(k6serve --db "$db" token add bob)
  run k6serve --db "$db" token add bob
  [ "$status" = 1 ]
  [[ $output == *'a token of that name exists'* ]]
  serve
  post /v1/tests --data '{"name":"x"}'
  [ "$code" = 401 ]
  post /v1/tests --data '{"name":"x"}' -H "Authorization: Token $ann"
  [ "$code" = 200 ]
  get /api/v1/runs/1 -H "Authorization: Bearer $bob"
  [ "$code" = 404 ]
  get /api/v1/runs/1 -H "Authorization: Bearer $ann"
  [ "$code" = 200 ]
}

@test "several servers that begin on an empty database make its tables once" {
  local i pids=()
  for i in 1 2 3 4; do
    k6serve --db "$db" token add "t$i" >/dev/null 3>&- &
    pids+=($!)
  done
  wait_for "${pids[@]}"
  [ "$(k6serve --db "$db" token list | wc -l)" = 4 ]
  [ "$(sql 'SELECT count(*) FROM k6serve.identity')" = 1 ]
}

@test "tables of a newer k6serve are left as they are" {
  k6serve --db "$db" token list
  sql 'UPDATE k6serve.schema_version SET version = 99'
  run k6serve --db "$db" token list
  [ "$status" = 1 ]
  [[ $output == *newer* ]]
}

# What schema 6 had: times in full, and each histogram (0.5, 1; 1, 1).
@test "rows that an earlier version wrote are read, and added to" {
  local page values='[.[]|[.count,.min,.max,(.p50 * 100 | round),.last]]|tojson'
  {
    echo 'CREATE SCHEMA k6serve; SET search_path = k6serve;
      CREATE TABLE schema_version (version BIGINT NOT NULL);
      INSERT INTO schema_version VALUES (6);'
    sed '/^-- version 7/,$d' "$root/src/k6serve/store/schema_postgres.sql"
    cat <<'EOF'
INSERT INTO run(name, project, vus, planned_s, thresholds, results, run_status,
  result_status, is_late, created_ns, seen_ns, ended_ns, first_ns, last_ns,
  step_s, requests, points, version) VALUES('old', 0, 0, 0, '{}', '{}', 3, 0, 0,
  5, 5, 9, 1700000000000000000, 1700000001999999999, 1, 0, 6, 1);
INSERT INTO tagset(run, json) VALUES(1, '{"name":"/a"}');
INSERT INTO series(run, metric, type, tagset, count, nonzero, sum, min, max, last,
  last_ns, hist) VALUES(1, 'm', 2, 0, 4, 4, 3.5, 0.5, 1, 1, 1700000001999999999,
  decode('000002fa0201800103', 'hex')), (1, 'http_req_failed', 3, 1, 2, 2, 2, 1, 1, 1,
  1700000001600000000, NULL);
INSERT INTO point VALUES(1, 1700000000, 2, 2, 1.5, 0.5, 1, 0.5,
  1700000000999999999, decode('000002fa0201800101', 'hex')),
  (1, 1700000001, 2, 2, 2, 1, 1, 1, 1700000001999999999, decode('000001fa0302', 'hex')),
  (2, 1700000001, 2, 2, 2, 1, 1, 1, 1700000001600000000, NULL);
EOF
  } >"$BATS_TEST_TMPDIR/sql"
  sql "$(<"$BATS_TEST_TMPDIR/sql")"
  serve
  page='runs/1/series?metric=m'
  [ "$(api "$page" "$values")" = '[[2,0.5,1,75,0.5],[2,1,1,100,1]]' ]
  [ "$(api 'runs/1/errors?from=1700000000&to=1700000002' '.[].last')" = \
    2023-11-14T22:13:21.6Z ]
  sql 'UPDATE k6serve.run SET run_status = 2'
  post /v1/metrics/1 --data '[{"type":"Point","metric":"m","data":{"type":"trend",
    "time":"1700000000500000","tags":{"name":"/a"},"value":8}}]'
  [ "$code" = 200 ]
  [ "$(api "$page" "$values")" = '[[3,0.5,8,100,0.5],[2,1,1,100,1]]' ]
  [ "$(sql 'SELECT last_ns FROM k6serve.point ORDER BY 1 LIMIT 1')" = 500000000 ]
}

@test "what PostgreSQL cannot keep is refused, and what came with it is not" {
  serve
  create
  post /v1/metrics/1 --data '[{"type":"Point","metric":"a\u0000b","data":
    {"time":"1700000001000000","type":"counter","tags":{},"value":1}}]'
  [ "$code" = 400 ]
  post_batch a
  [ "$(requests_of)" = 2 ]
}

@test "--keep-size is refused: PostgreSQL's files do not shrink at once" {
  run k6serve --db "$db" --keep-size 1G
  [ "$status" = 2 ]
}

@test "what is answered is on the disk though the database commits later" {
  sql "ALTER DATABASE $database SET synchronous_commit = off" postgres
  sql "ALTER SYSTEM SET wal_writer_delay = '10s'" postgres
  sql 'SELECT pg_reload_conf()' postgres
  serve
  create
  for i in 1 2 3 4 5; do post_batch "k$i"; done
  postgres stop -m immediate
  postgres start
  sql 'ALTER SYSTEM RESET wal_writer_delay' postgres
  retry 30 has_requests 10
}

# in_copy NAME FD SQL: a session of that name that ran the SQL, and stands still
# within a COPY, until FD is closed.
in_copy() {
  mkfifo "$BATS_TEST_TMPDIR/in.$2"
  PGAPPNAME=$1 "$(postgres_bin)/psql" -h "$pg" -U k6 -qAt "$database" \
    <"$BATS_TEST_TMPDIR/in.$2" >/dev/null 2>&1 3>&- &
  eval "exec $2>'$BATS_TEST_TMPDIR/in.$2'"
  printf 'BEGIN;\n%s;\nCOPY k6serve.point FROM STDIN;\n' "$3" >&"$2"
  retry 30 copies_are "$1" 1
}

copies_are() {
  [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = '$1'
    AND query LIKE 'COPY %' AND wait_event = 'ClientRead'")" = "$2" ]
}

# bats test_tags=slow
@test "a k6serve that is paused within a COPY holds nobody up for ever" {
  serve
  create
  in_copy 'k6serve copy' 6 'SELECT 1'
  in_copy k6serve 7 'SELECT 1 FROM k6serve.run FOR UPDATE'
  retry 120 post_batch a
  [ "$(requests_of)" = 2 ]
  copies_are k6serve 0
  copies_are 'k6serve copy' 1
  exec 6>&- 7>&-
}
