#!/usr/bin/env bats
# many: several pushers feed one run; a run that is uploaded later.

# bats file_tags=threads
load ../helpers
load push

# create_run [OPTION...]: sets $id and $page.
create_run() {
  IFS=$'\t' read -r id page < <(k6push --create "$@")
}

# feed NAME: push stdin to the run.
feed() {
  K6_CLOUD_PUSH_REF_ID=$id k6push -q --instance "$1" \
    2>"$BATS_TEST_TMPDIR/err.$1" 3>&-
}

# instances: how many have samples in the database.
instances() {
  python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
print(db.execute("""SELECT count(DISTINCT json ->> "$.instance")
  FROM tagset""").fetchone()[0])' "$BATS_TEST_TMPDIR/k6serve.db"
}

fed_by() {
  [ "$(instances)" -eq "$1" ]
}

requests_are() {
  [ "$(api runs/1 .totals.http_reqs)" -ge "$1" ]
}

@test "--create makes a run and prints its id and page" {
  start_server
  create_run -n shared --threshold 'checks=rate>0.9' -u 9
  [ "$id" = 1 ]
  [ "$page" = "$url/runs/1" ]
  api runs/1 '[.name, .vus, .state] | @csv' | grep -Fx '"shared",9,"Running"'
  K6_CLOUD_HOST=http://127.0.0.1:1 capture k6push --create --drain 1s
  [ "$status" -eq 1 ]
  [ -z "$out" ]
}

@test "who feeds a run prints the page that --create printed" {
  start_server
  create_run -n shared
  K6_CLOUD_PUSH_REF_ID=$id capture timeout 60 k6push --result - \
    < <(request 1 10)
  [ "$status" -eq 0 ]
  grep -F "output: cloud ($page)" <<<"$err"
  # The run goes on: nobody has told the server of its end.
  [ "$(jq -c '[.url, .state, .run_status]' <<<"$out")" = \
    "[\"$page\",\"Running\",2]" ]
}

# bats test_tags=slow
@test "three generators feed one run; one is killed, and the run shows it" {
  start_server
  start_nginx <<<'location / { return 200 hello; }'
  create_run -n three
  pids=()
  for name in a b c; do
    { echo "$BASHPID" >"$BATS_TEST_TMPDIR/gen.$name"
      exec k6gen -q -u 2 --rps 50 -d 10s "$target/" 2>/dev/null; } 3>&- |
      feed "$name" &
    pids+=($!)
  done
  retry 10 fed_by 3
  kill_now "$(cat "$BATS_TEST_TMPDIR/gen.b")"
  codes=
  for pid in "${pids[@]}"; do
    code=0
    wait "$pid" || code=$?
    codes="$codes $code"
  done
  echo "exit:$codes"
  [ "$codes" = ' 0 1 0' ]
  [ "$(api runs/1 .state)" = Running ]
  capture k6push --finish "$id"
  [ "$status" -eq 1 ]
  grep -F 'Aborted by System' <<<"$err"
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
  made=0
  for name in a b c; do
    made=$((made + $(sed -n 's/.* \([0-9]*\) made = .*/\1/p' \
      "$BATS_TEST_TMPDIR/err.$name")))
  done
  [ "$(api runs/1 .totals.http_reqs)" = "$made" ]
}

@test "a pusher that is killed and never came back ends the run as aborted" {
  start_server
  create_run
  stream 3 0 | feed a
  mkfifo "$BATS_TEST_TMPDIR/in"
  K6_CLOUD_PUSH_REF_ID=$id k6push -q --instance b <"$BATS_TEST_TMPDIR/in" \
    2>/dev/null 3>&- &
  push=$!
  disown
  exec 4>"$BATS_TEST_TMPDIR/in"
  stream 3 0 | head -n -1 >&4
  retry 10 requests_are 5
  kill_now "$push"
  exec 4>&-
  capture k6push --finish "$id"
  [ "$status" -eq 1 ]
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
}

# bats test_tags=slow
@test "all well: the run is finished; a threshold of one is the run's" {
  start_server
  create_run
  stream 3 0 | feed a
  stream 3 0 | feed b
  capture k6push --finish "$id"
  [ "$status" -eq 0 ]
  [ "$(api runs/1 .state)" = Finished ]
  [ "$(api runs/1 .totals.http_reqs)" = 6 ]
  create_run
  stream 3 0 | feed a
  {
    stream 3 0 | head -n -1
    echo '{"type":"End","data":{"run_status":3,"result_status":1,"exit_code":99,"points":27,"requests":3,"thresholds":{"http_req_duration":{"p(95)<2":true}}}}'
  } | feed b || true
  capture k6push --finish "$id"
  [ "$status" -eq 99 ]
  [ "$(api runs/2 '[.state, .result_status] | @csv')" = '"Finished",1' ]
  capture k6push --finish 77
  [ "$status" -eq 1 ]
}

@test "a server of others, which knows no instances, is fed all the same" {
  start_nginx <<'EOF'
location ~ /instances$ { return 404; }
location / { return 200 '{}'; }
EOF
  export K6_CLOUD_HOST=$target
  K6_CLOUD_PUSH_REF_ID=9 capture k6push "$small"
  [ "$status" -eq 0 ]
  capture k6push --finish 9
  [ "$status" -eq 0 ]
}

# bats test_tags=slow
@test "a live run and its later upload give the same page" {
  start_server
  start_nginx <<<'location / { return 200 hello; }'
  k6gen -q -u 2 -d 3s "$target/" 2>/dev/null |
    tee "$BATS_TEST_TMPDIR/run" | k6push -q -n page 2>/dev/null
  sleep 1.5
  k6push -q -n page --from-data "$BATS_TEST_TMPDIR/run" 2>/dev/null
  same='del(.id, .created, .seen, .finished, .version)'
  api runs/1 "$same" >"$BATS_TEST_TMPDIR/1"
  api runs/2 "$same" >"$BATS_TEST_TMPDIR/2"
  diff "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
  # The later one was made and finished when the load was, to the second or so;
  # the live one was finished after it had ended.
  times='[.created, .finished, .start, .end] | map(.[0:19] + "Z" | fromdate)'
  api runs/2 "$times"' | ((.[0] - .[2]) | fabs <= 1) and
    ((.[1] - .[3]) | fabs <= 1)' | grep -Fx true
  api runs/1 "$times | .[1] >= .[3] - 1" | grep -Fx true
}
