#!/usr/bin/env bats
# Several pushers feed one run; a run that is uploaded later.

# bats file_tags=threads
load ../helpers
load push

# create_run [OPTION...]: sets $id and $page.
create_run() {
  IFS=$'\t' read -r id page < <(k6push --create "$@")
}

# push_as NAME: push stdin to the run.
push_as() {
  K6_CLOUD_PUSH_REF_ID=$id k6push -q --instance "$1" \
    2>"$BATS_TEST_TMPDIR/err.$1" 3>&-
}

# push_from_pipe NAME [OPTION...]: push what descriptor 4 gets to the run, by
# process $push.
push_from_pipe() {
  mkfifo "$BATS_TEST_TMPDIR/in"
  K6_CLOUD_PUSH_REF_ID=$id k6push -q --instance "$@" \
    <"$BATS_TEST_TMPDIR/in" 2>/dev/null 3>&- &
  push=$!
  disown
  exec 4>"$BATS_TEST_TMPDIR/in"
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

# has_ended: the note of the journal says that its input has.
has_ended() {
  grep -q '"has_ended":true' "$journals"/*/run
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

@test "a run whose id --create cannot print is named" {
  start_server
  status=0
  k6push --create >/dev/full 2>"$BATS_TEST_TMPDIR/err" || status=$?
  [ "$status" -eq 1 ]
  grep -Fx 'k6push: stdout: No space left on device (run 1 was created: k6push --finish 1)' \
    "$BATS_TEST_TMPDIR/err"
  [ "$(grep -c stdout "$BATS_TEST_TMPDIR/err")" = 1 ]
}

@test "a pusher of a shared run prints the page that --create printed" {
  start_server
  create_run -n shared
  K6_CLOUD_PUSH_REF_ID=$id capture timeout 600 k6push --result - \
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
  # They end when their targets do: when one of them was killed.
  targets() {
    yes "GET $target/" | head -n 100
    until [ -e "$BATS_TEST_TMPDIR/over" ]; do sleep 0.1; done
  }
  for name in a b c; do
    targets 3>&- | { echo "$BASHPID" >"$BATS_TEST_TMPDIR/gen.$name"
      exec k6gen -q -u 2 --rps 50 -t - 2>/dev/null; } 3>&- |
      push_as "$name" &
    pids+=($!)
  done
  retry 10 fed_by 3
  kill_now "$(cat "$BATS_TEST_TMPDIR/gen.b")"
  touch "$BATS_TEST_TMPDIR/over"
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

@test "a pusher that was killed and never came back ends the run as aborted" {
  start_server
  create_run
  stream 3 0 | push_as a
  push_from_pipe b
  stream 3 0 | head -n -1 >&4
  retry 10 requests_are 5
  kill_now "$push"
  exec 4>&-
  capture k6push --finish "$id"
  [ "$status" -eq 1 ]
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
}

@test "two pushers with one name at the same time: a warning, and both count" {
  start_server
  create_run
  push_from_pipe a --journal "$journals"
  stream 3 0 | head -n -1 >&4
  retry 10 requests_are 2
  stream 3 0 | push_as a
  grep -F "run $id has another pusher named a, which is running or was killed" \
    "$BATS_TEST_TMPDIR/err.a"
  kill_now "$push"
  exec 4>&-
  capture k6push --finish "$id"
  [ "$status" -eq 1 ]
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
}

# vus N SECOND: so many users, and a request, in that second.
vus() {
  printf '{"metric":"vus","type":"Metric","data":{"type":"gauge","contains":"default"}}\n'
  time=2026-01-01T00:00:0${2}Z point vus "$1"
  request "$2" 10
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

has_vus() {
  local got
  got=$(api "runs/$id/series" '[.[].vus | select(. != null)] | @csv')
  echo "users: $got, want $1"
  [ "$got" = "$1" ]
}

# bats test_tags=slow
@test "gauges of two pushers with one name add up, as those of others" {
  start_server
  for other in b a; do
    for version in 1 2; do
      create_run
      export K6_CLOUD_API_VERSION=$version
      push_from_pipe a --journal "$journals"
      vus 5 1 >&4
      retry 20 has_vus 5
      mkfifo "$BATS_TEST_TMPDIR/in2"
      push_as "$other" <"$BATS_TEST_TMPDIR/in2" &
      second=$!
      exec 6>"$BATS_TEST_TMPDIR/in2"
      # With its first sample it tells its name.
      request 1 10 >&6
      [ "$other" = b ] ||
        retry 20 grep -q 'tag instance=a-....$' "$BATS_TEST_TMPDIR/err.a"
      vus 7 9 >&6
      vus 4 9 >&4
      exec 4>&- 6>&-
      wait "$second"
      retry 20 is_gone "$push"
      has_vus 5,11
      rm "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/in2"
      capture k6push --finish "$id"
      [ "$status" -eq 0 ]
      [ "$(api "runs/$id" '[.vus, .generators, .totals.http_reqs] | @csv')" = \
        11,2,4 ]
    done
  done
}

is_announced() { grep -qs '"database":"[0-9a-f]' "$journals"/*/run; }

# shares_no_tag: all that the second one has is there when it begins. False: the
# server answered it too late.
shares_no_tag() {
  rm -f "$BATS_TEST_TMPDIR/in"
  create_run
  push_from_pipe a --journal "$journals"
  vus 5 9 >&4
  retry 60 is_announced
  vus 7 9 | push_as a
  exec 4>&-
  retry 60 is_gone "$push"
  has_vus 12
}

@test "two pushers with one name: the first samples have two tags, too" {
  start_server
  for version in 1 2; do
    export K6_CLOUD_API_VERSION=$version
    retry 60 shares_no_tag
  done
}

@test "two pushers with one name, one killed and resumed: the run ends well" {
  start_server
  create_run
  push_from_pipe a --journal "$journals"
  # Its input ends while the server is away.
  stream 3 0 | head -n -1 >&4
  retry 10 requests_are 2
  stop_server
  stream 3 0 | tail -n 1 >&4
  exec 4>&-
  retry 10 has_ended
  kill_now "$push"
  start_server --listen "127.0.0.1:${url##*:}"
  stream 3 0 | push_as a
  grep -F "which is running or was killed" "$BATS_TEST_TMPDIR/err.a"
  k6push --resume "$journals"
  stream 3 0 | push_as a
  if grep -F 'another instance' "$BATS_TEST_TMPDIR/err.a"; then
    return 1
  fi
  capture k6push --finish "$id"
  [ "$status" -eq 0 ]
  [ "$(api runs/1 .state)" = Finished ]
  [ "$(api runs/1 .totals.http_reqs)" = 9 ]
}

@test "a pusher that failed is replaced by the next one with its name" {
  start_server
  create_run
  {
    stream 3 0 | head -n -1
    echo '{"type":"End","data":{"run_status":7,"result_status":1,"exit_code":107,"points":27,"requests":3,"thresholds":{}}}'
  } | push_as a || true
  stream 3 0 | push_as a
  if grep -F 'another instance' "$BATS_TEST_TMPDIR/err.a"; then
    return 1
  fi
  capture k6push --finish "$id"
  [ "$status" -eq 0 ]
  [ "$(api runs/1 .state)" = Finished ]
}

# bats test_tags=slow
@test "all end well: the run is finished; a threshold that one crossed counts" {
  start_server
  create_run
  stream 3 0 | push_as a
  stream 3 0 | push_as b
  capture k6push --finish "$id"
  [ "$status" -eq 0 ]
  [ "$(api runs/1 .state)" = Finished ]
  [ "$(api runs/1 .totals.http_reqs)" = 6 ]
  create_run
  stream 3 0 | push_as a
  {
    stream 3 0 | head -n -1
    echo '{"type":"End","data":{"run_status":3,"result_status":1,"exit_code":99,"points":27,"requests":3,"thresholds":{"http_req_duration":{"p(95)<2":true}}}}'
  } | push_as b || true
  capture k6push --finish "$id"
  [ "$status" -eq 99 ]
  [ "$(api runs/2 '[.state, .result_status] | @csv')" = '"Finished",1' ]
  capture k6push --finish 77
  [ "$status" -eq 1 ]
}

@test "a pusher that begins while the server is away is announced later" {
  start_server
  create_run -n shared
  stop_server
  mkfifo "$BATS_TEST_TMPDIR/in"
  K6_CLOUD_PUSH_REF_ID=$id k6push -q --instance late <"$BATS_TEST_TMPDIR/in" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  feeder=$!
  disown
  exec 8>"$BATS_TEST_TMPDIR/in"
  stream 20 0 >&8
  retry 20 grep -q 'still retrying' "$BATS_TEST_TMPDIR/err"
  start_server --listen "127.0.0.1:${url##*:}"
  retry 30 fed_by 1
  is_known() {
    python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
names = [n for n, in db.execute("SELECT name FROM instance")]
sys.exit([n.split("\n")[0] for n in names] != ["late"])' \
      "$BATS_TEST_TMPDIR/k6serve.db"
  }
  retry 30 is_known
  kill_now "$feeder"
  exec 8>&-
  # It never told its end.
  capture k6push --finish "$id"
  [ "$status" -eq 1 ]
  grep -F 'Aborted by System' <<<"$err"
}

@test "a server that knows no instances gets the samples all the same" {
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

@test "the name of a pusher is one line" {
  run -2 k6push --instance $'a\nb' "$small"
  [[ ${lines[0]} == 'k6push: --instance: has a line end or another control'* ]]
}

# bats test_tags=slow
@test "a live run and its later upload give the same page" {
  start_server
  start_nginx <<<'location / { return 200 hello; }'
  k6gen -q -u 2 -d 3s --think-time 5ms "$target/" 2>/dev/null |
    tee "$BATS_TEST_TMPDIR/run" | k6push -q -n page 2>/dev/null
  sleep 1.5
  k6push -q -n page --from-data "$BATS_TEST_TMPDIR/run" 2>/dev/null
  same='del(.id, .created, .seen, .finished, .version)'
  api runs/1 "$same" >"$BATS_TEST_TMPDIR/1"
  api runs/2 "$same" >"$BATS_TEST_TMPDIR/2"
  diff "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
  # The later one was made when the load began, and finished when it ended, as the
  # stream says; the live one was finished after that.
  load=$(jq -r 'select(.type == "Start" or .type == "End") | .data.time[0:19]' \
    "$BATS_TEST_TMPDIR/run" | xargs)
  [ "$(api runs/2 '[.created, .finished] | map(.[0:19]) | join(" ")')" = "$load" ]
  [[ ! $(api runs/1 '.finished[0:19]') < ${load#* } ]]
}
