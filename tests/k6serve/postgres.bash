# postgres: a real PostgreSQL for the tests of a file, and k6serve on it. Loaded
# after serve.
# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # used by the tests

# Debian's folder of the server, installed or unpacked; /: there is none.
postgres_bin() {
  local at
  for at in /usr/lib/postgresql/*/bin \
    "$root"/build/tools/usr/lib/postgresql/*/bin /; do
    [ ! -x "$at/initdb" ] || break
  done
  echo "$at"
}

# as_owner COMMAND...: as the user who has the server, who must not be root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  else
    "$@"
  fi
}

# postgres start|stop|...: what pg_ctl does.
postgres() {
  as_owner "$(postgres_bin)/pg_ctl" -D "$pg/data" -l "$pg/log" -w -t 120 \
    -o "-k $pg -c listen_addresses= -c fsync=off" "$@" >/dev/null 3>&-
}

postgres_setup_file() {
  [ -x "$(postgres_bin)/initdb" ] || return 0
  pg=$(mktemp -d /tmp/k6pg.XXXXXX)
  export pg
  [ "$(id -u)" != 0 ] || chown 65534:65534 "$pg"
  as_owner "$(postgres_bin)/initdb" -D "$pg/data" -A trust -U k6 -N \
    >/dev/null 3>&-
  postgres start
}

postgres_teardown_file() {
  [ -n "${pg:-}" ] || return 0
  postgres stop -m immediate || true
  rm -rf "$pg"
}

# sql QUERY [DATABASE]
sql() {
  "$(postgres_bin)/psql" -h "$pg" -U k6 -Atqc "$1" "${2:-$database}"
}

# A database of the test's own, $database; $db is its URL.
postgres_setup() {
  [ -n "${pg:-}" ] || skip "no PostgreSQL (make check installs it)"
  k6serve --db postgresql://127.0.0.1:1/x token list 2>&1 |
    grep -qv 'without libpq' || skip "k6serve was built without libpq"
  database=t$BATS_TEST_NUMBER
  postgres status || postgres start
  sql "CREATE DATABASE $database" postgres
  db="postgresql://k6@/$database?host=$pg"
}

postgres_teardown() {
  local each
  for each in $stopped; do kill -CONT "$each" || true; done
  for each in $servers; do
    kill -CONT "$each" || true
    kill "$each" || true
    wait "$each" || true
  done
}

servers=
stopped=
# serve [OPTION...]: a k6serve on the database; $url is its base, $server its
# number.
serve() {
  local out=$BATS_TEST_TMPDIR/out.$RANDOM
  k6serve --listen 127.0.0.1:0 --db "$db" "$@" >"$out" \
    2>>"$BATS_TEST_TMPDIR/err" 3>&- &
  server=$!
  servers+=" $server"
  retry 30 has_line "$out" || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
  read -r url <"$out"
}

# begin [OPTION...]: a server on the database of the test: on $db, or SQLite.
begin() {
  if [ -n "${db:-}" ]; then serve "$@"; else start_server "$@"; fi
  servers=$server
}

# old_file VERSION SQL, old_tables VERSION SQL: the database of the test as a
# k6serve of that version of the schema made it, and what the SQL puts there.
old_file() {
  { sed "/^-- version $(($1 + 1))/,\$d" "$root/src/k6serve/store/schema.sql"
    echo "$2; PRAGMA application_id = 1798730610; PRAGMA user_version = $1;"
  } | (umask 077 && python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())' \
    "$BATS_TEST_TMPDIR/k6serve.db")
}

old_tables() {
  {
    echo "CREATE SCHEMA k6serve; SET search_path = k6serve;
      CREATE TABLE schema_version(version BIGINT NOT NULL);
      INSERT INTO schema_version VALUES($1);"
    sed "/^-- version $(($1 + 1))/,\$d" \
      "$root/src/k6serve/store/schema_postgres.sql"
    echo "$2"
  } >"$BATS_TEST_TMPDIR/old.sql"
  sql "$(<"$BATS_TEST_TMPDIR/old.sql")"
}

# query SQL: of the database of the test; columns are parted by |.
query() {
  if [ -n "${db:-}" ]; then
    sql "SET search_path = k6serve; $1"
  else
    python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60)
for row in db.execute(sys.argv[2]):
    print(*row, sep="|")
db.commit()' "$BATS_TEST_TMPDIR/k6serve.db" "$1"
  fi
}

query_is() {
  [ "$(query "$1")" = "$2" ]
}

# post_batch KEY: tries until the batch is taken.
post_batch() {
  local base=$url
  for _ in $(seq 300); do
    post "/v1/metrics/${2:-1}" --data "[$(trail 10),$(trail 20)]" \
      -H "K6-Idempotency-Key: $1" >/dev/null
    [ "$code" != 200 ] || return 0
    [[ $code = 503 ]] || { echo "$base: $code $body"; return 1; }
    sleep 0.1
  done
  echo "$body"
  return 1
}

# wait_for PID...
wait_for() {
  local each
  for each; do
    wait "$each"
  done
}

requests_of() {
  api "runs/${1:-1}" .totals.http_reqs
}

has_requests() {
  [ "$(requests_of)" = "$1" ]
}

is_empty() {
  [ "$(sql 'SELECT (SELECT count(*) FROM k6serve.point) +
    (SELECT count(*) FROM k6serve.series) +
    (SELECT count(*) FROM k6serve.batch)')" = 0 ]
}

# log_statements: from the next connection on.
log_statements() {
  sql "ALTER DATABASE $database SET log_statement = 'all'" postgres
}

# statements_of COMMAND...: $n, how many of them are about data while it runs.
# What they say is logged before the answer.
statements_of() {
  local log=$pg/log before
  before=$(wc -c <"$log")
  "$@"
  n=$(tail -c +$((before + 1)) "$log" | grep -E 'LOG:  (statement|execute)' |
    grep -cE 'tagset|series|point|slow')
}
