#!/usr/bin/env bats
# k6serve report and diff, notes, removal, CSV.

# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; url
# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
}

db() {
  echo "$BATS_TEST_TMPDIR/k6serve.db"
}

# timed N MS NAME [FAILED]: so many of that time, ten a second, in a JSON array.
timed() {
  jq -nc --argjson n "$1" --argjson ms "$2" --arg name "$3" \
    --argjson failed "${4:-0}" '[range($n) | {type: "Points",
    metric: "http_req_li_all", data: {time: "\(1700000000000000 + . * 100000)",
    type: "counter", tags: {name: $name, method: "GET", status: "200"},
    values: {http_reqs: 1, http_req_duration: $ms, http_req_waiting: $ms,
    http_req_failed: (if . < $failed then 1 else 0 end), http_req_blocked: 0,
    http_req_connecting: 0, http_req_tls_handshaking: 0, http_req_sending: 0,
    http_req_receiving: 0}}}]'
}

# run_of ID < SAMPLES: a finished run.
run_of() {
  echo "{\"name\":\"run $1\"}" | upload /v1/tests
  upload "/v1/metrics/$1"
  echo '{"run_status":3}' | upload "/v1/tests/$1"
}

@test "diff exits 0 when nothing is worse, 1 when something is" {
  start_server
  timed 600 100 / | run_of 1
  timed 600 108 / | run_of 2
  capture k6serve --db "$(db)" --min-effect 10% diff 1 2
  [ "$status" = 0 ]
  [[ $out == *"nothing is worse by at least 10 %"* ]]
  capture k6serve --db "$(db)" diff 1 last
  [ "$status" = 1 ]
  [[ $out =~ p95\ +100\.000\ ms\ +108\.000\ ms\ +\+8\.0\ %\ +worse ]]
  [[ $out =~ worse[[:space:]]+\(\+[0-9.]+\ to\ \+[0-9.]+\ %,\ p\  ]]
  capture k6serve --db "$(db)" diff 2 1
  [ "$status" = 0 ]
  [[ $out == *better* ]]
}

@test "diff sees failures, and one slow URL among many" {
  start_server
  { timed 900 10 /a; timed 100 10 /b; } | jq -cs add | run_of 1
  { timed 900 10 /a; timed 100 10 /b; } | jq -cs 'add | to_entries | map(
    .value.data.values.http_req_failed = (if .key % 25 == 0 then 1 else 0 end) |
    .value)' | run_of 2
  { timed 900 10 /a; timed 100 30 /b; } | jq -cs add | run_of 3
  capture k6serve --db "$(db)" diff 1 2
  [ "$status" = 1 ]
  [[ $out =~ failed\ +0\.00\ %\ +4\.00\ %\ +worse ]]
  capture k6serve --db "$(db)" diff 1 3
  [ "$status" = 1 ]
  [[ $out == *$'GET /b\n  p95 '*worse* ]]
  [ "$(api 'runs/3/diff?base=1' '.urls[0] | .name, .verdict')" = \
    $'/b\nworse' ]
}

@test "a run that is not there is wrong use" {
  start_server
  timed 1 1 / | run_of 1
  for args in "diff 1 2" "report 7" "report x" "report" \
    "--format xml report 1"; do
    # shellcheck disable=SC2086 # words
    capture k6serve --db "$(db)" $args
    [ "$status" = 2 ]
    [ -n "$err" ]
  done
  [ "$(curl -s -o /dev/null -w '%{http_code}' \
    "$url/api/v1/runs/1/diff?base=9")" = 404 ]
}

@test "a report is JSON or CSV as well" {
  start_server
  timed 5 1 / | run_of 1
  capture k6serve --db "$(db)" --format json report 1
  [ "$(jq -r '.schema, .run.name, .urls[0].count' <<<"$out")" = \
    $'k6serve-report/1\nrun 1\n5' ]
  capture k6serve --db "$(db)" --format csv report 1
  [[ $out == $'"name","method","status","count",'*$'\r\n"/","GET","200",5,'* ]]
}

@test "a report, wait or diff that cannot be written says why" {
  start_server
  timed 600 100 / | run_of 1
  timed 600 100 / | run_of 2
  for command in 'report 1' '-f json report 1' '-f text report 1' \
    '-f json wait 1' 'diff 1 2' '-f json diff 1 2'; do
    capture sh -c "k6serve --db '$(db)' $command >/dev/full"
    [ "$status $err" = '1 k6serve: stdout: No space left on device' ]
  done
}

@test "CSV holds no formula" {
  start_server
  { timed 1 1 '=1+1'; timed 1 1 '@x,"y"'; timed 1 1 '-2'; } |
    jq -cs add | run_of 1
  curl -sS "$url/api/v1/runs/1/urls?format=csv" >"$BATS_TEST_TMPDIR/csv"
  python3 -c 'import csv, sys
for row in csv.reader(open(sys.argv[1], newline="")): print(row[0])' \
    "$BATS_TEST_TMPDIR/csv" | sort >"$BATS_TEST_TMPDIR/names"
  [ "$(cat "$BATS_TEST_TMPDIR/names")" = $'\'-2\n\'=1+1\n\'@x,"y"\nname' ]
}

@test "an answer changes with the run, whoever asked before" {
  start_server
  echo '{"name":"live"}' | upload /v1/tests
  for i in 1 2 3; do
    timed 10 1 / | upload /v1/metrics/1
    [ "$(api runs/1/urls '.[0].count')" = "$((10 * i))" ]
    [ "$(api runs/1/urls '.[0].count')" = "$((10 * i))" ]
    [ "$(curl -sS --compressed "$url/api/v1/runs/1/report" |
      jq .run.totals.http_reqs)" = "$((10 * i))" ]
  done
}

@test "steps of any length hold the same requests" {
  start_server
  timed 1000 3 / | run_of 1
  for step in 1 3 10 3600; do
    [ "$(api "runs/1/series?step=$step" 'map(.http_reqs) | add')" = 1000 ]
    [ "$(api "runs/1/series?step=$step" \
      'map(.http_req_duration.count) | add')" = 1000 ]
  done
  [ "$(api 'runs/1/series?name=/&status=200' 'map(.http_reqs) | add')" = 1000 ]
  [ "$(api 'runs/1/series?status=404')" = "[]" ]
}

@test "a note is kept, a long one refused, a removed run gone" {
  start_server
  timed 5 1 / | run_of 1
  local json='Content-Type: application/json'
  curl -sS --fail -X PATCH -H "$json" -d '{"note":"ä \"b\""}' \
    "$url/api/v1/runs/1"
  [ "$(api runs/1 .note)" = 'ä "b"' ]
  [ "$(jq -nc '{note: ("x" * 2001)}' | curl -s -o /dev/null -X PATCH \
    -H "$json" -d @- -w '%{http_code}' "$url/api/v1/runs/1")" = 400 ]
  [ "$(curl -s -o /dev/null -X PATCH -H "$json" -d '{"note":1}' \
    -w '%{http_code}' "$url/api/v1/runs/1")" = 400 ]
  [ "$(api 'runs?search=Ä%20%22B' length)" = 0 ]	# ASCII letters only
  [ "$(api 'runs?search=%22B' length)" = 1 ]
  [ "$(curl -s -o /dev/null -X DELETE -H 'Origin: http://evil.test' \
    -w '%{http_code}' "$url/api/v1/runs/1")" = 403 ]
  curl -sS --fail -X DELETE "$url/api/v1/runs/1"
  [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/v1/runs/1")" = 404 ]
  [ "$(api runs length)" = 0 ]
}

@test "all tables come as CSV, the list of runs too, and nothing else does" {
  start_server
  timed 5 1 / | run_of 1
  curl -sS --fail "$url/api/v1/runs?format=csv" >"$BATS_TEST_TMPDIR/csv"
  [[ $(head -n 1 "$BATS_TEST_TMPDIR/csv") == '"id","name",'* ]]
  [[ $(tail -n 1 "$BATS_TEST_TMPDIR/csv") == '1,"run 1",'* ]]
  for path in runs/1 runs/1/report "runs/1/diff?base=1" runs/1/urls; do
    [ "$(curl -s -o "$BATS_TEST_TMPDIR/told" -w '%{http_code}' -G \
      -d format="$([[ $path == */urls ]] && echo xml || echo csv)" \
      "$url/api/v1/$path")" = 400 ]
    jq -e '.error.message | startswith("format")' "$BATS_TEST_TMPDIR/told"
  done
}

@test "report and diff make no database where there is none" {
  for args in "report 1" "diff 1 2"; do
    # shellcheck disable=SC2086 # words
    capture k6serve --db "$BATS_TEST_TMPDIR/misspelt.db" $args
    [ "$status" = 1 ]
    [ "$err" = "k6serve: $BATS_TEST_TMPDIR/misspelt.db: \
No such file or directory" ]
  done
  [ ! -e "$BATS_TEST_TMPDIR/misspelt.db" ]
}

@test "the share of failed requests is one number, wherever it stands" {
  start_server
  # requests whose failure the script did not ask for have no http_req_failed
  timed 100 10 / 20 |
    jq -c '.[50:] |= map(del(.data.values.http_req_failed))' | run_of 1
  timed 100 10 / 20 | run_of 2
  [ "$(api runs/1 .totals.http_req_failed)" = 20 ]
  [ "$(api 'runs/2/diff?base=1&min_effect=0' \
    '.figures[] | select(.figure == "failed") | .base, .run')" = $'0.2\n0.2' ]
}
