#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6serve as its clients see it: real k6's recorded requests, and hard cases.

# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
}

# replay CASE: what real k6 sent; $run is the run.
replay() {
  read -r run _ < <(python3 "$tools/replay.py" "$url" \
    "$fixtures/wire/$1"/transcript*.json)
}

@test "the first line on stdout is the base URL, and that server answers" {
  start_server
  [[ $url =~ ^http://127\.0\.0\.1:[0-9]+$ ]]
  [ "$(wc -l <"$BATS_TEST_TMPDIR/serve.out")" = 1 ]
  get /health
  [ "$code" = 200 ]
  [ "$(grep -c 'no token exists' "$BATS_TEST_TMPDIR/serve.err")" = 1 ]
}

@test "a run is created, fed and finished, and the books are told" {
  start_server
  create one
  [ "$(jq -c .config <<<"$body")" = \
    "{\"webAppURL\":\"$url\",\"sendHistograms\":true,\"tracesEnabled\":false}" ]
  [ "$(api runs/1 .state)" = Running ]
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k' \
    --data "[$(trail 10),$(trail 30),
    {\"type\":\"Point\",\"metric\":\"checks\",\"data\":{\"time\":\"1700000001000000\",\"type\":\"rate\",\"tags\":{\"check\":\"ok\"},\"value\":0}},
    {\"type\":\"Points\",\"metric\":\"iter_li_all\",\"data\":{\"time\":\"1700000001000000\",\"type\":\"counter\",\"tags\":{},\"values\":{\"data_sent\":5,\"data_received\":70,\"iteration_duration\":3,\"iterations\":1}}}]"
  [ "$code $body" = "200 {}" ]
  post /v1/tests/1 --data '{"run_status":3,"result_status":1,
    "thresholds":{"http_req_duration":{"p(95)\u003c500":true}}}'
  [ "$code $body" = \
    '200 {"run_status":3,"result_status":1,"stored":{"http_reqs":2,"points":23,"batches":1},"unknown":0}' ]
  [ "$(api runs/1 '[.name,.state,.run_status,.result_status,.start,.end,
    .duration,.vus,.late]|tojson')" = \
      '["one","Finished",3,1,"2023-11-14T22:13:20Z","2023-11-14T22:13:21Z",1,2,false]' ]
  [ "$(api runs/1 '.thresholds|tojson')" = \
    '[{"metric":"http_req_duration","source":"p(95)<500","failed":true,"told":true,"judged":false,"value":29,"crossed":null}]' ]
  [ "$(api runs/1 '.totals|[.http_reqs,.http_req_failed,.iterations,.data_sent,
    .data_received,.checks,.http_req_duration.count,.http_req_duration.min,
    .http_req_duration.avg,.http_req_duration.max]|tojson')" = \
    '[2,0,1,5,70,{"count":1,"passes":0,"fails":1},2,10,20,30]' ]
}

@test "finishing again changes nothing and is answered as before" {
  start_server
  create
  post /v1/tests/1 --data "$finish"
  post /v1/tests/1 --data '{"run_status":5,"result_status":1}'
  [ "$code $body" = \
    '200 {"run_status":3,"result_status":0,"stored":{"http_reqs":0,"points":0,"batches":0},"unknown":1}' ]
  [ "$(api runs/1 .state)" = Finished ]
}

@test "data after the end is refused with code 4, which makes k6 stop" {
  start_server
  create
  post /v1/metrics/1 -H 'K6-Idempotency-Key: a' --data "[$(trail 1)]"
  post /v1/tests/1 --data '{"run_status":5,"result_status":0}'
  [ "$(api runs/1 .state)" = "Aborted by User" ]
  post /v1/metrics/1 --data "[$(trail 1)]"
  [ "$code" = 403 ]
  [ "$(jq .error.code <<<"$body")" = 4 ]
  post /v1/metrics/1 -H 'K6-Idempotency-Key: a' --data "[$(trail 1)]"
  [ "$code $body" = '200 {"duplicate":true}' ]
  [ "$(api runs/1 .totals.http_reqs)" = 1 ]
}

@test "gzip, chunked and many gzip members are taken" {
  start_server
  create
  echo "[$(trail 1)]" | gzip | post /v1/metrics/1 -H 'Content-Encoding: gzip' \
    -H 'Transfer-Encoding: chunked' --data-binary @- | grep '> 200'
  { printf '[' | gzip; trail 1 | gzip; echo ']' | gzip; } |
    post /v1/metrics/1 -H 'Content-Encoding: gzip' --data-binary @- |
    grep '> 200'
  [ "$(api runs/1 .totals.http_reqs)" = 2 ]
}

@test "a repeated key has no second effect; with another body it is refused" {
  start_server
  create
  for expected in '200 {}' '200 {"duplicate":true}'; do
    post /v1/metrics/1 -H 'K6-Idempotency-Key: k1' --data "[$(trail 1)]"
    [ "$code $body" = "$expected" ]
  done
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k1' --data "[$(trail 2)]"
  [ "$code" = 409 ]
  create
  post "/v1/metrics/$run" -H 'K6-Idempotency-Key: k1' --data "[$(trail 2)]"
  [ "$code $body" = '200 {}' ]
  [ "$(api runs/1 .totals.http_reqs)" = 1 ]
}

@test "a request that names another database or run is refused, on every call" {
  start_server
  create
  database=$(jq -r .database <<<"$body")
  [[ $database =~ ^[0-9a-f]{40}$ ]]
  state='{"name":"a","run_status":3}'
  # The last is what a journal of an earlier version knows.
  for id in "${database//[0-9a-f]/0}" "${database:0:32}00000000" \
    "$database" "${database:0:32}"; do
    want=$([[ $database == "$id"* ]] && echo 200 || echo 404)
    for call in "metrics/1 [$(trail 1 | tr -d ' \n')]" 'metrics/1/withdraw {}' \
      "tests/1/instances $state" "tests/1 $finish"; do
      post "/v1/${call%% *}" -H "K6push-Database: $id" \
        -H 'K6-Idempotency-Key: k1' --data "${call#* }"
      [ "$code" = "$want" ]
      [ "$want" = 200 ] || grep -F 'in another database' <<<"$body"
    done
    [ "$want" = 200 ] || [ "$(api runs/1 .state)" = Running ]
  done
  # It stays over a restart; no other has it.
  stop_server
  start_server
  create
  second=$(jq -r .database <<<"$body")
  [ "${second:0:32}" = "${database:0:32}" ]
  [ "$second" != "$database" ]
  stop_server
  rm "$BATS_TEST_TMPDIR"/k6serve.db*
  start_server
  create
  [[ $(jq -r .database <<<"$body") != "${database:0:32}"* ]]
}

@test "a key in the URL counts as one in the header" {
  start_server
  create
  post '/v1/metrics/1?key=k1' --data "[$(trail 1)]"
  [ "$code $body" = '200 {}' ]
  for key in k1 k2; do
    # Where both are, the header is the key.
    post "/v1/metrics/1?key=$key" -H 'K6-Idempotency-Key: k1' \
      --data "[$(trail 1)]"
    [ "$code $body" = '200 {"duplicate":true}' ]
  done
  [ "$(api runs/1 .totals.http_reqs)" = 1 ]
  post '/v1/metrics/1/withdraw?key=k1' --data '{}'
  [ "$code $body" = '200 {"stored":true}' ]
  post '/v2/metrics/1/withdraw?key=k2' --data '{}'
  [ "$code $body" = '200 {"stored":false}' ]
}

@test "a key that is withdrawn takes nothing more, if it has taken nothing" {
  start_server
  create
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k1' --data "[$(trail 1)]"
  for version in 1 2; do
    post "/v$version/metrics/1/withdraw" -H 'K6-Idempotency-Key: k1' --data '{}'
    [ "$code $body" = '200 {"stored":true}' ]
    for _ in 1 2; do
      post "/v$version/metrics/1/withdraw" -H 'K6-Idempotency-Key: k2' \
        --data '{}'
      [ "$code $body" = '200 {"stored":false}' ]
    done
  done
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k2' --data "[$(trail 2)]"
  [ "$code" = 413 ]
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k1' --data "[$(trail 1)]"
  [ "$code $body" = '200 {"duplicate":true}' ]
  [ "$(api runs/1 .totals.http_reqs)" = 1 ]
  post /v1/metrics/1/withdraw --data '{}'
  [ "$code" = 400 ]
  post /v1/metrics/9/withdraw -H 'K6-Idempotency-Key: k2' --data '{}'
  [ "$code" = 404 ]
  # It outlives the server.
  kill -9 "$server"
  wait "$server" || true
  start_server
  post /v1/metrics/1 -H 'K6-Idempotency-Key: k2' --data "[$(trail 2)]"
  [ "$code" = 413 ]
}

@test "a repeated key on create gives the same run" {
  start_server
  for i in 1 2; do
    post /v1/tests -H 'K6-Idempotency-Key: c1' --data '{"name":"x"}'
    [ "$(jq -r .reference_id <<<"$body")" = 1 ]
  done
  # A proxy may have taken the header.
  post '/v1/tests?key=c1' --data '{"name":"x"}'
  [ "$(jq -r .reference_id <<<"$body")" = 1 ]
  [ "$(api runs length)" = 1 ]
}

@test "tokens: none needed before the first, each write needs one after" {
  start_server
  create
  token=$(k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" token add ci)
  [[ $token =~ ^[0-9a-f]{32}$ ]]
  post /v1/metrics/1 --data "[$(trail 1)]"
  [ "$code" = 401 ]
  jq -e .error.message <<<"$body"
  post /v1/metrics/1 -H "Authorization: Token ${token%?}" --data "[$(trail 1)]"
  [ "$code" = 401 ]
  post /v1/metrics/1 -H "Authorization: Token $token" --data "[$(trail 1)]"
  [ "$code" = 200 ]
  [ "$(api runs/1 .totals.http_reqs)" = 1 ]
  post /v1/validate-token --data "{\"token\":\"$token\"}"
  [ "$(jq .is_valid <<<"$body")" = true ]
  post /v1/validate-token --data '{"token":"no"}'
  [ "$(jq .is_valid <<<"$body")" = false ]
  run k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" token list
  [[ $output == ci$'\t'20* ]]
  run ! grep -aq "$token" "$BATS_TEST_TMPDIR"/k6serve.db*
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" token remove ci
  post /v1/metrics/1 --data "[$(trail 1)]"
  [ "$code" = 200 ]
}

@test "a token that nobody has seen does not stay" {
  db=$BATS_TEST_TMPDIR/t.db
  capture sh -c "k6serve --db '$db' token add a >/dev/full"
  [ "$status $err" = "1 k6serve: token a: stdout: No space left on device; the token was removed" ]
  # Behind it nobody reads: k6login, say, was not found.
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  exec 4<>"$BATS_TEST_TMPDIR/fifo"
  exec 5>"$BATS_TEST_TMPDIR/fifo"
  exec 4<&-
  capture sh -c "k6serve --db '$db' token add b >&5"
  exec 5>&-
  [ "$status $err" = "1 k6serve: token b: stdout: Broken pipe; the token was removed" ]
  [ -z "$(k6serve --db "$db" token list)" ]
}

@test "token: a name twice, an unknown name, and wrong use are told" {
  db=$BATS_TEST_TMPDIR/t.db
  k6serve --db "$db" token add a
  capture k6serve --db "$db" token add a
  [ "$status $err" = "1 k6serve: token a: a token of that name exists" ]
  capture k6serve --db "$db" token remove b
  [ "$status $err" = "1 k6serve: token b: no token has that name" ]
  for use in "token" "token add" "token add a b c" "tokens" "token rm a"; do
    # shellcheck disable=SC2086
    capture k6serve --db "$BATS_TEST_TMPDIR/none.db" $use
    [ "$status" = 2 ]
  done
  [ ! -e "$BATS_TEST_TMPDIR/none.db" ]
}

@test "a run times out by silence; more data reopens it and it is marked" {
  start_server --timeout-after 300ms
  create
  post /v1/metrics/1 --data "[$(trail 1)]"
  is_state() { [ "$(api runs/1 .state)" = "$1" ]; }
  retry 5 is_state "Timed out"
  [ "$(api runs/1 .run_status)" = 4 ]
  post /v1/metrics/1 --data "[$(trail 1)]"
  [ "$code" = 200 ]
  [ "$(api runs/1 .late)" = true ]
  post /v1/tests/1 --data "$finish"
  is_state Finished
}

@test "stop aborts a run, and test-progress tells its state" {
  start_server
  create
  get /v1/test-progress/1
  [ "$(jq -r .run_status_text <<<"$body")" = Running ]
  post /v1/tests/1/stop
  [ "$code" = 200 ]
  get /v1/test-progress/1
  [ "$(jq -c '[.run_status_text,.run_status,.result_status,.progress]' \
    <<<"$body")" = \
    '["Aborted by User",5,0,1]' ]
}

@test "data outlives SIGTERM, which ends the server with exit 0" {
  start_server
  create
  post /v1/metrics/1 --data "[$(trail 1)]"
  curl -sN "$url/api/v1/runs/1/events" >"$BATS_TEST_TMPDIR/events" 3>&- &
  retry 5 grep -q Running "$BATS_TEST_TMPDIR/events"
  stop_server
  start_server
  [ "$(api runs/1 .totals.http_reqs)" = 1 ]
}

@test "SIGHUP ends the server as SIGTERM does, unless nohup ignores it" {
  start_server
  kill -HUP "$server"
  wait "$server"
  trap '' HUP
  start_server
  trap - HUP
  kill -HUP "$server"
  create
  stop_server
}

# bats test_tags=slow
@test "what is stored while the server ends is answered so" {
  strace -o /dev/null true 2>/dev/null || skip 'no strace here'
  under_strace
  start_server
  create
  # The disk takes its time, and so does the thread that sends answers.
  strace -qf -o "$BATS_TEST_TMPDIR/calls" -e trace=fdatasync,epoll_wait \
    -e inject=fdatasync:delay_enter=1000000 \
    -e inject=epoll_wait:delay_exit=300000 -p "$server" 3>&- &
  retry 20 grep -qs epoll_wait "$BATS_TEST_TMPDIR/calls"
  curl -sS -w '%{http_code}' -H 'Content-Type: application/json' \
    --data "[$(trail 1)]" "$url/v1/metrics/1" >"$BATS_TEST_TMPDIR/answer" 3>&- &
  post=$!
  retry 20 grep -qs fdatasync "$BATS_TEST_TMPDIR/calls"
  kill -TERM "$server"
  wait "$server"
  wait "$post"
  [ "$(cat "$BATS_TEST_TMPDIR/answer")" = '{}200' ]
}

@test "what was acknowledged outlives kill -9" {
  start_server
  create
  for i in $(seq 20); do
    post /v1/metrics/1 -H "K6-Idempotency-Key: k$i" --data "[$(trail "$i")]"
    [ "$code" = 200 ]
  done
  kill_now "$server"
  wait "$server" || true
  start_server
  [ "$(api runs/1 .totals.http_reqs)" = 20 ]
  post /v1/metrics/1 -H "K6-Idempotency-Key: k20" --data "[$(trail 20)]"
  [ "$body" = '{"duplicate":true}' ]
}

@test "a port in use is told with exit 1, and wrong usage with exit 2" {
  start_server
  capture k6serve --listen "${url#http://}" --db "$BATS_TEST_TMPDIR/2.db"
  [ "$status $err" = \
    "1 k6serve: ${url#http://}: Address already in use" ]
  for where in 127.0.0.1 ::1:0 127.0.0.1:x "[::1:0" 127.0.0.1: 6570 :99999; do
    capture k6serve --listen "$where" --db "$BATS_TEST_TMPDIR/2.db"
    [ "$status" = 2 ]
    [[ $err == "k6serve: --listen $where: "* ]]
  done
  for bad in '-b 0 diff last' '-m 0' '-t 0'; do
    # shellcheck disable=SC2086 # words
    capture k6serve --db "$BATS_TEST_TMPDIR/2.db" $bad
    [ "$status" = 2 ]
    [[ $err == *': must not be 0'* ]]
  done
}

@test "an address that others reach needs a token first, also to read" {
  db=$BATS_TEST_TMPDIR/k6serve.db
  capture k6serve --listen 0.0.0.0:0 --db "$db"
  [ "$status" = 1 ]
  [[ $err == *"make a token first"* ]]
  token=$(k6serve --db "$db" token add me)
  k6serve --listen 0.0.0.0:0 --db "$db" >"$BATS_TEST_TMPDIR/o" 3>&- &
  server=$!
  retry 5 grep -q http "$BATS_TEST_TMPDIR/o"
  url=http://127.0.0.1:$(sed 's/.*://' "$BATS_TEST_TMPDIR/o")
  get /api/v1/runs
  [ "$code" = 401 ]
  get /
  [ "$code" = 401 ]
  get /api/v1/runs -H "Authorization: Token $token"
  [ "$code" = 200 ]
  get / -u "any:$token"
  [ "$code" = 200 ]
  post /v1/tests -u "any:$token" --data '{}'
  [ "$code" = 401 ]
}

@test "a file that is no database of ours is refused and left as it is" {
  cd "$BATS_TEST_TMPDIR"
  echo "hello, this is not a database" >text.db
  head -c 5000 /dev/urandom >noise.db
  printf 'SQLite format 3\0' >short.db
  for f in text.db noise.db short.db; do
    before=$(sha256sum "$f")
    capture k6serve --listen 127.0.0.1:0 --db "$f"
    [ "$status $err" = "1 k6serve: $f: is not a database" ]
    [ "$(sha256sum "$f")" = "$before" ]
  done
  capture k6serve --listen 127.0.0.1:0 --db .
  [ "$status" = 1 ]
  capture k6serve --listen 127.0.0.1:0 --db no/such/folder.db
  [ "$status $err" = "1 k6serve: no/such/folder.db: No such file or directory" ]
}

@test "a database of a newer k6serve is refused and left as it is" {
  db=$BATS_TEST_TMPDIR/new.db
  k6serve --db "$db" token add a
  printf '\0\0\0\143' | dd of="$db" bs=1 seek=60 conv=notrunc status=none
  before=$(sha256sum "$db")
  capture k6serve --db "$db" token list
  [ "$status" = 1 ]
  [[ $err == *"was written by a newer k6serve (schema 99, this one knows "* ]]
  [ "$(sha256sum "$db")" = "$before" ]
}

@test "the database is for its owner alone, in the state folder" {
  umask 022
  XDG_STATE_HOME=$BATS_TEST_TMPDIR/state k6serve token add a
  cd "$BATS_TEST_TMPDIR/state"
  [ "$(stat -c %a k6pipe)" = 700 ]
  [ "$(stat -c %a k6pipe/k6serve.db)" = 600 ]
}

@test "a body that is too large is answered 413 and stores nothing" {
  start_server
  create
  truncate -s 130M "$BATS_TEST_TMPDIR/big"
  post /v1/metrics/1 --data-binary @"$BATS_TEST_TMPDIR/big"
  [ "$code" = 413 ]
  post /v1/metrics/1 -H 'Transfer-Encoding: chunked' -H 'Expect:' \
    --data-binary @"$BATS_TEST_TMPDIR/big"
  [ "$code" = 413 ]
  [ "$(api runs/1 .points)" = 0 ]
}

@test "a body of 50 MB is taken, plain or packed" {
  start_server
  create
  { printf '['
    trail 1 | tr -d '\n ' | awk '{ for (i = 1; i < 130000; i++) print $0 ","
      print }'
    printf ']'; } >"$BATS_TEST_TMPDIR/big"
  [ "$(stat -c %s "$BATS_TEST_TMPDIR/big")" -gt 45000000 ]
  post /v1/metrics/1 --data-binary @"$BATS_TEST_TMPDIR/big"
  [ "$code" = 200 ]
  gzip -1 "$BATS_TEST_TMPDIR/big"
  post /v1/metrics/1 -H 'Content-Encoding: gzip' \
    --data-binary @"$BATS_TEST_TMPDIR/big.gz"
  [ "$code" = 200 ]
  [ "$(api runs/1 .totals.http_reqs)" = 260000 ]
}

@test "a gzip bomb is answered 413 without much memory" {
  start_server
  create
  head -c 256M /dev/zero | tr "\\0" " " | gzip -9 >"$BATS_TEST_TMPDIR/bomb"
  post /v1/metrics/1 -H 'Content-Encoding: gzip' \
    --data-binary @"$BATS_TEST_TMPDIR/bomb"
  [ "$code" = 413 ]
  sanitized || [ "$(ps -o rss= -p "$server")" -lt 150000 ]
}

@test "a bad body stores nothing at all, and the answer says where" {
  start_server
  create
  post /v1/metrics/1 --data "[$(trail 1),{\"type\":\"Point\"]"
  [ "$code" = 400 ]
  [[ $body == *"byte "* ]]
  for bad in '' '{}' '[' '[1]' '[{}]' "[$(trail 1)" "[$(trail 1)]x" \
    "[$(trail 1e999)]" '[{"type":"X","metric":"a","data":{"time":"1"}}]'; do
    post /v1/metrics/1 --data "$bad"
    [ "$code" = 400 ]
  done
  head -c 100 /dev/urandom | post /v1/metrics/1 \
    -H 'Content-Encoding: gzip' --data-binary @- | grep '> 400'
  post /v1/tests --data '{"name":'
  [ "$code" = 400 ]
  [ "$(api runs/1 .points)" = 0 ]
  [ "$(api runs length)" = 1 ]
}

@test "unknown paths, runs, methods, types and encodings have their status" {
  start_server
  create
  for path in /nothing /v1 /api/v1/runs/2 /api/v1/runs/x /runs/2 \
    /api/v1/runs/1/x /api/v1/runs/99999999999999999999 /v1/test-progress/7 \
    /api/v1/runs/2/series /api/v1/runs/2/urls /api/v1/runs/2/events \
    /%2e%2e/%2e%2e/etc/passwd /health%00x; do
    get "$path"
    [ "$code" = 404 ]
  done
  post /v1/metrics/2 --data "[$(trail 1)]"
  [ "$code" = 404 ]
  post /v1/tests/2 --data "$finish"
  [ "$code" = 404 ]
  get /v1/tests
  [ "$code" = 405 ]
  get /health -X DELETE
  [ "$code" = 405 ]
  post /v1/metrics/1 -H 'Content-Encoding: br' --data '[]'
  [ "$code" = 415 ]
  post /v1/metrics/1 -H 'Content-Type: text/plain' --data '[]'
  [ "$code" = 415 ]
  post /v2/metrics/1 -H 'Content-Type: application/x-protobuf' --data x
  [ "$code" = 400 ]
  [[ $body == *"protobuf MetricSet"* ]]
  post /v1/login --data '{"email":"a"}'
  [ "$code" = 400 ]
  post /v1/tests/1 --data '{"run_status":2}'
  [ "$code" = 400 ]
  [ "$(curl -sI -o /dev/null -w '%{http_code}' "$url/health")" = 200 ]
}

@test "only our own names are answered, and no other page may write" {
  start_server
  port=${url##*:}
  for name in localhost 127.0.0.1 '[::1]'; do
    get /health -H "Host: $name:$port"
    [ "$code" = 200 ]
  done
  for host in evil.test "evil.test:$port" localhost "localhost:1" \
    "127.0.0.1:$port.evil.test"; do
    get /api/v1/runs -H "Host: $host"
    [ "$code" = 421 ]
  done
  # Who only asks how the server is need not know its name.
  for path in /health /ready; do
    get "$path" -H 'Host: 10.0.0.1:80'
    [ "$code" = 200 ]
    get "$path" -0 -H 'Host:'
    [ "$code" = 200 ]
  done
  for origin in null https://evil.test "http://localhost:1"; do
    post /v1/tests -H "Origin: $origin" --data '{}'
    [ "$code" = 403 ]
  done
  post /v1/tests -H "Origin: $url" --data '{}'
  [ "$code" = 200 ]
  headers=$(curl -sI "$url/")
  [[ $headers == *"Content-Security-Policy: default-src 'none'"* ]]
  [[ $headers == *"X-Content-Type-Options: nosniff"* ]]
  [[ $headers != *"Access-Control"* ]]
}

@test "series and urls tell the run over time and by name" {
  start_server
  create
  post /v1/metrics/1 --data "[$(trail 10),$(trail 20),$(trail 30 1700000002)]"
  [ "$(api runs/1/series 'map([.t,.http_reqs,.failed,.vus,
    .http_req_duration.count,.http_req_duration.max])|tojson')" = \
    '[[1700000000,2,0,null,2,20],[1700000002,1,0,null,1,30]]' ]
  [ "$(api runs/1/urls 'map([.name,.method,.status,.count,.failed,.min,.avg,
    .max])|tojson')" = '[["/a","GET","200",3,0,10,20,30]]' ]
  post /v1/metrics/1 \
    --data '[{"type":"Point","metric":"orders","data":{"time":"1700000000000000","type":"counter","tags":{"a":"1"},"value":3}},
    {"type":"Point","metric":"orders","data":{"time":"1700000000500000","type":"counter","tags":{"a":"2"},"value":4}}]'
  [ "$(api 'runs/1/series?metric=orders' \
    'map([.t,.type,.count,.sum])|tojson')" = \
    '[[1700000000,"counter",2,7]]' ]
}

@test "aggregates count as many requests as they stand for" {
  start_server
  create
  fold='{"min":1,"max":9,"avg":2}'
  post /v1/metrics/1 \
    --data '[{"type":"AggregatedPoints","metric":"http_req_li_all","data":{"time":"1700000001500000","type":"aggregated_trend","count":10,"period":"3s","tags":{"name":"/a"},"values":{"http_req_duration":'"$fold"',"http_req_blocked":'"$fold"',"http_req_connecting":'"$fold"',"http_req_tls_handshaking":'"$fold"',"http_req_sending":'"$fold"',"http_req_waiting":'"$fold"',"http_req_receiving":'"$fold"',"http_req_failed":{"count":10,"nz_count":4}}}}]'
  [ "$code" = 200 ]
  [ "$(api runs/1 '[.points,.step,.totals.http_reqs,.totals.http_req_failed,
    .totals.http_req_duration.count,.totals.http_req_duration.avg]|tojson')" = \
    '[90,3,10,4,10,2]' ]
}

# aggregate COUNT MIN MAX AVG [MEMBER]: folded requests without a histogram.
aggregate() {
  local name fold="{\"min\":$2,\"max\":$3,\"avg\":$4}" values=''
  for name in duration blocked connecting tls_handshaking sending waiting \
    receiving; do
    values+="\"http_req_$name\":$fold,"
  done
  printf '{"type":"AggregatedPoints","metric":"http_req_li_all","data":{
    "time":"1700000002500000","type":"aggregated_trend","count":%s,%s
    "tags":{},"values":{%s"http_req_failed":{"count":%s,"nz_count":0}}}}' \
    "$1" "${5:+$5,}" "$values" "$1"
}

@test "requests folded without a histogram keep to what is known of them" {
  start_server
  create
  # 20 ms in all, the least 1, the greatest 9: the 8 others are 1.25 on average
  post /v1/metrics/1 --data "[$(aggregate 10 1 9 2)]"
  api runs/1 .totals.http_req_duration
  [ "$(api runs/1 '.totals.http_req_duration | [.count, .min, .avg, .max,
    (.p50 - 1.25 | fabs) < 0.01, (.p90 - 2.025 | fabs) < 0.05,
    (.p95 - 5.5125 | fabs) < 0.06, .p50 >= .min, .p99 <= .max]|tojson')" = \
    '[10,1,2,9,true,true,true,true,true]' ]
  create
  post /v1/metrics/2 --data "[$(aggregate 1 7 7 7),$(aggregate 1 9 9 9),
    $(aggregate 1 9 9 9)]"
  [ "$(api runs/2 '.totals.http_req_duration | [.count, .min,
    (.p50 - 9 | fabs) < 0.08, .max]|tojson')" = '[3,7,true,9]' ]
}

# vus SECOND GENERATOR VALUE
vus() {
  printf '{"type":"Point","metric":"vus","data":{"time":"%d000000",
    "type":"gauge","tags":{"instance":"%s"},"value":%s}}' "$@"
}

@test "VUs of generators add up within a second, and only there" {
  start_server
  create
  points="$(vus 1700000001 a 3),$(vus 1700000001 b 4),$(vus 1700000002 a 5),
    $(vus 1700000003 b 1),$(vus 1700000003 a 1)"
  post /v1/metrics/1 --data "[$points]"
  [ "$(api runs/1/series 'map([.t,.vus])|tojson')" = \
    '[[1700000001,7],[1700000002,5],[1700000003,2]]' ]
  # in steps of 3 s the most of its seconds counts, from whatever batch
  create
  post /v1/metrics/2 --data "[$(vus 1700000004 a 6),$points]"
  post /v1/metrics/2 --data "[$(vus 1700000004 b 3),
    $(aggregate 1 7 7 7 '"period":"3s"')]"
  [ "$code" = 200 ]
  [ "$(api runs/2/series 'map([.t,.vus])|tojson')" = \
    '[[1700000001,7],[1700000004,9]]' ]
}

@test "listeners of a run are told when data comes, and when it ends" {
  start_server
  # without thresholds, whose verdict would be one more event
  post /v1/tests --data '{"name":"t"}'
  events=$BATS_TEST_TMPDIR/events
  curl -sN --max-time 300 "$url/api/v1/runs/1/events" >"$events" 3>&- &
  # changes N: so many events came, the last one is of version N
  changes() {
    [ "$(grep -c '^event: change$' "$events")" = "$1" ] &&
      [[ $(grep ^data: "$events" | tail -n 1) == \
        "data: {\"version\":$1,\"state\":\"$2\"}" ]]
  }
  retry 5 changes 1 Running
  post /v1/metrics/1 --data "[$(trail 1)]"
  retry 5 changes 2 Running
  sleep 1
  changes 2 Running # no news, no event
  post /v1/tests/1 --data "$finish"
  retry 5 changes 3 Finished
}

@test "past --max-series names are put together, none is lost" {
  start_server --max-series 30
  create
  # 9 series each: three names fit in
  post /v1/metrics/1 --data "$(named /a /b /c /d /e /a)"
  [ "$code" = 200 ]
  [ "$(api runs/1 '[.overflow,.points,.totals.http_reqs]|tojson')" = \
    '[18,54,6]' ]
  # a known name has its series for ever, also after a restart
  stop_server
  start_server --max-series 30
  post /v1/metrics/1 --data "$(named @1700000005 /a /f /d)"
  [ "$(api runs/1 '[.overflow,.points,.totals.http_reqs,
    .totals.http_req_duration.count]|tojson')" = '[36,81,9,9]' ]
  [ "$(api runs/1/urls 'map([.name,.count,.failed,.max])|sort|tojson')" = \
    '[["/a",3,0,10],["/b",1,0,10],["/c",1,0,10],["__other__",4,0,10]]' ]
  # other runs have their own
  create
  post /v1/metrics/2 --data "$(named /x)"
  [ "$(api runs/2 .overflow)" = 0 ]
}

# bats test_tags=long,slow
@test "100000 names in one body are taken" {
  start_server
  create
  trail 5 | tr -d '\n ' >"$BATS_TEST_TMPDIR/one"
  awk -F '"/a"' '{ for (i = 0; i < 100000; i++)
      printf "%s%s\"/a%d\"%s", i ? "," : "[", $1, i, $2
    print "]" }' "$BATS_TEST_TMPDIR/one" | gzip -1 >"$BATS_TEST_TMPDIR/names"
  post /v1/metrics/1 --max-time 600 -H 'Content-Encoding: gzip' \
    --data-binary @"$BATS_TEST_TMPDIR/names"
  [ "$code" = 200 ]
  sanitized ||
    [ "$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")" -lt 300000 ]
  # 11111 names of 9 series each fit in
  [ "$(api runs/1 '[.overflow,.points,.totals.http_reqs]|tojson')" = \
    '[800001,900000,100000]' ]
}

@test "a body with two lengths is refused, and so are broken heads" {
  start_server
  post /v1/tests -H 'Transfer-Encoding: chunked' -H 'Content-Length: 2' \
    --data '{}'
  [ "$code" = 400 ]
  get "/$(printf 'a%.0s' {1..70000})"
  [ "$code" = 414 ]
  get /health -H "X: $(printf 'a%.0s' {1..70000})"
  [ "$code" = 431 ]
}

@test "a stdout that is full or closed is told with exit 1" {
  status=0
  k6serve --listen 127.0.0.1:0 --db "$BATS_TEST_TMPDIR/f.db" >/dev/full \
    2>"$BATS_TEST_TMPDIR/err" || status=$?
  [ "$status" = 1 ]
  [ "$(grep -c 'k6serve: stdout: No space left' "$BATS_TEST_TMPDIR/err")" = 1 ]
}

@test "double slashes in a path are one" {
  start_server
  post //v1/tests --data '{"name":"x"}'
  [ "$code" = 200 ]
  post //v1//metrics/1 --data "[$(trail 1)]"
  [ "$code" = 200 ]
}

@test "protocol 2 is stored to the last value, and its percentiles hold" {
  start_server
  replay v2_short
  jq <"$fixtures/wire/v2_short/run.ndjson" -s --arg n http_req_duration '
    def of($m): map(select(.type == "Point" and .metric == $m) | .data.value);
    {reqs: of("http_reqs") | add, iterations: of("iterations") | add,
     sent: of("data_sent") | add, failed: of("http_req_failed") | add,
     count: of($n) | length, min: of($n) | min, max: of($n) | max,
     p95: (of($n) | sort | ((length - 1) * 0.95) as $i | .[$i | floor] +
       (.[$i | ceil] - .[$i | floor]) * ($i - ($i | floor)))}' \
    >"$BATS_TEST_TMPDIR/want"
  api "runs/$run" >"$BATS_TEST_TMPDIR/got"
  jq -e -s '.[0] as $w | .[1].totals as $t |
    [$w.reqs, $w.iterations, $w.sent, $w.failed] ==
    [$t.http_reqs, $t.iterations, $t.data_sent, $t.http_req_failed] and
    [$w.count, $w.min, $w.max] == ($t.http_req_duration |
      [.count, .min, .max]) and
    ($t.http_req_duration.p95 / $w.p95 - 1 | fabs) < 0.008' \
    "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
}

@test "invalid bodies of protocol 2 get 4xx and store nothing" {
  start_server
  create
  local v2=(-H 'Content-Type: application/x-protobuf')
  printf 'x' >"$BATS_TEST_TMPDIR/x"
  post /v2/metrics/1 "${v2[@]}" -H 'Content-Encoding: snappy' --data x
  [ "$code" = 400 ]
  [[ $body == *"snappy block"* ]]
  # a length of 4 GiB in six bytes
  printf '\xff\xff\xff\xff\x0fabc' >"$BATS_TEST_TMPDIR/bomb"
  post /v2/metrics/1 "${v2[@]}" -H 'Content-Encoding: snappy' \
    --data-binary "@$BATS_TEST_TMPDIR/bomb"
  [ "$code" = 413 ]
  post /v2/metrics/1 "${v2[@]}" -H 'Content-Encoding: gzip' --data x
  [ "$code" = 415 ]
  post /v2/metrics/1 "${v2[@]}" -H 'K6-Metrics-Protocol-Version: 3.0' \
    --data x
  [ "$code" = 400 ]
  post /v2/metrics/9 "${v2[@]}" --data ''
  [ "$code" = 404 ]
  # an empty set is a heartbeat
  post /v2/metrics/1 "${v2[@]}" --data ''
  [ "$code $body" = '200 {}' ]
  [ "$(api runs/1 .points)" = 0 ]
}

@test "k6's duplicates after a time-out are stored once" {
  start_server
  replay v1_timeout
  [ "$(api "runs/$run" .totals.http_reqs)" = \
    "$(jq .http_reqs_generated "$fixtures/wire/v1_timeout/result.json")" ]
}

@test "a full disk is answered 507, and the server goes on afterwards" {
  start_server
  create
  # a limit on file size is as good as a full disk, and needs no root
  prlimit --pid "$server" --fsize=1000000: 2>/dev/null || skip "no prlimit"
  for i in $(seq 60); do
    post /v1/metrics/1 --data "[$(trail "$i" "$((1700000000 + i * 60))")]"
    [ "$code" = 200 ] || break
  done
  [ "$code" = 507 ]
  stored=$((i - 1))
  [ "$(api runs/1 .totals.http_reqs)" = "$stored" ]
  prlimit --pid "$server" --fsize=unlimited:
  post /v1/metrics/1 --data "[$(trail 1)]"
  [ "$code" = 200 ]
  [ "$(api runs/1 .totals.http_reqs)" = "$((stored + 1))" ]
}

@test "a name that nobody can read is cut, one of blanks is none" {
  start_server
  create() { jq -nc --arg n "$1" '{name: $n, vus: -3, duration: -5}' |
    curl -sS -H 'Content-Type: application/json' -d @- "$url/v1/tests"; }
  create "$(printf 'é%.0s' {1..5000})"
  create '   '
  [ "$(api runs/1 '.name | [length, endswith("é…")] | tostring')" = \
    '[126,true]' ]
  [ "$(api runs/2 .name)" = 'k6 test' ]
  [ "$(api runs/1 '[.vus, .planned_duration, .project_id] | tostring')" = \
    '[null,null,null]' ]
}

@test "samples three centuries apart are a long run, not a negative one" {
  start_server
  point() { printf \
    '{"metric":"m","type":"Point","data":{"time":"%s-01-01T00:00:00Z","value":1,"tags":{}}}\n' "$1"; }
  { point 1678; point 2262; } | k6push -q 2>/dev/null
  [ "$(api runs/1 '.duration > 1.8e10')" = true ]
}

@test "without announced users a run has the most that were seen" {
  start_server
  for v in 3 8 5; do
    printf '{"metric":"vus","type":"Point","data":{"time":"2026-01-01T00:00:0%dZ","value":%d,"tags":{}}}\n' "$v" "$v"
  done | k6push -q 2>/dev/null
  [ "$(api runs/1 .vus)" = 8 ]
}
