#!/usr/bin/env bats
# replaced: the server comes back with another database, where the run's number
# is that of somebody else's run.
# shellcheck disable=SC2154 # url, journals: of helpers and push

load ../helpers
load push

# replace_database: the server ends, and begins again at its address with a
# fresh database, in which run 1 is a stranger's.
replace_database() {
  stop_server
  mkdir "$BATS_TEST_TMPDIR/old"
  mv "$BATS_TEST_TMPDIR"/k6serve.db* "$BATS_TEST_TMPDIR/old"
  start_server --listen "127.0.0.1:${url##*:}" 4>&-
  [ "$(k6push --create -n stranger | cut -f 1)" = 1 ]
}

# restore_copy: likewise, with a copy of the database that was made before the
# run, whose number a stranger's run gets.
restore_copy() {
  stop_server
  mkdir "$BATS_TEST_TMPDIR/old"
  mv "$BATS_TEST_TMPDIR"/k6serve.db* "$BATS_TEST_TMPDIR/old"
  cp "$BATS_TEST_TMPDIR/copy" "$BATS_TEST_TMPDIR/k6serve.db"
  start_server --listen "127.0.0.1:${url##*:}" 4>&-
  [ "$(k6push --create -n stranger | cut -f 1)" = 1 ]
}

# restore_database: the one of before is there again.
restore_database() {
  stop_server
  rm "$BATS_TEST_TMPDIR"/k6serve.db*
  mv "$BATS_TEST_TMPDIR"/old/* "$BATS_TEST_TMPDIR"
  start_server --listen "127.0.0.1:${url##*:}" 4>&-
}

# The stranger's run has got nothing, not even its end.
stranger_is_alone() {
  api runs/1 '[.name, .state, .totals.http_reqs] | @csv' |
    grep -Ex '"stranger","Running",(0)?'
}

has_some() {
  [ "$(api runs/1 .totals.http_reqs)" -gt 0 ]
}

has_half() {
  [ "$(api "runs/${1:-1}" .totals.http_reqs)" = 100 ]
}

# push_half: a push in the background of 200 requests on descriptor 4, of which
# the first half is there, and some of it stored.
push_half() {
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  k6push --journal "$journals" --push-interval 50ms --drain 1s "$@" \
    <"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  head -n 901 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 has_some
}

# push_rest: the other half, when there is another database.
push_rest() {
  tail -n +902 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 grep -F 'this run is in another database' \
    "$BATS_TEST_TMPDIR/err"
  exec 4>&-
  status=0
  wait "$push" || status=$?
  cat "$BATS_TEST_TMPDIR/err"
}

@test "another database during a push: no other run is fed, exit 75" {
  start_server
  push_half
  replace_database
  push_rest
  [ "$status" -eq 75 ]
  [ "$(grep -c 'another database' "$BATS_TEST_TMPDIR/err")" -eq 1 ]
  grep -F 'to deliver them: k6push --resume' "$BATS_TEST_TMPDIR/err"
  capture k6push --resume --drain 1s "$journals"
  [ "$status" -eq 75 ]
  # another protocol would not help
  run ! grep -F K6_CLOUD_API_VERSION <<<"$err"
  stranger_is_alone
  restore_database
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  stored_is 200
}

@test "another database during a shared run: no other run is fed" {
  start_server
  id=$(k6push --create | cut -f 1)
  K6_CLOUD_PUSH_REF_ID=$id push_half --instance a
  retry 20 grep -qs '"database":"[0-9a-f]' "$journals"/*/run
  replace_database
  push_rest
  [ "$status" -eq 75 ]
  stranger_is_alone
  restore_database
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  stored_is 200
}

@test "an old journal and a fresh database: no other run is fed" {
  start_server
  push_half
  retry 20 has_half
  retry 20 in_journals 0
  # Five more are in the journal only.
  kill -STOP "$server"
  sed -n '902,946p' "$BATS_TEST_TMPDIR/in" >&4
  retry 20 in_journals 45
  kill_now "$push"
  exec 4>&-
  kill -CONT "$server"
  replace_database
  capture k6push --resume --drain 1s "$journals"
  echo "$err" | grep -F 'this run is in another database'
  [ "$status" -ne 0 ]
  stranger_is_alone
  restore_database
  capture k6push --resume "$journals"
  stored_is 105
}

@test "a copy of the database from before the run: no other run is fed" {
  start_server
  stop_server
  cp "$BATS_TEST_TMPDIR/k6serve.db" "$BATS_TEST_TMPDIR/copy"
  start_server --listen "127.0.0.1:${url##*:}"
  push_half
  restore_copy
  push_rest
  [ "$status" -eq 75 ]
  grep -F 'its number is that of another run' "$BATS_TEST_TMPDIR/err"
  stranger_is_alone
  restore_database
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  stored_is 200
}

# end_push: the input ends; what the push comes to in $status and err.
end_push() {
  exec 4>&-
  status=0
  wait "$push" || status=$?
  cat "$BATS_TEST_TMPDIR/err"
}

@test "a run that is removed during its push: not stored, not waited for" {
  gone='but the server has removed the run; to remove them, too: '\
'k6push --discard'
  start_server
  # It ends long before, whatever the machine does.
  push_half --drain 10m
  curl -sS -X DELETE "$url/api/v1/runs/1"
  tail -n +902 "$BATS_TEST_TMPDIR/in" >&4
  end_push
  [ "$status" -eq 75 ]
  grep -F "$gone" "$BATS_TEST_TMPDIR/err"
  grep -F '200 made = 0 stored' "$BATS_TEST_TMPDIR/err"
  run ! grep -E 'still retrying|time out there|--resume' "$BATS_TEST_TMPDIR/err"
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  grep -F "$gone" <<<"$err"
  capture k6push --discard "$journals"
  [ "$status" -eq 0 ]
  # nothing of the next one waits when it is removed: its end is told so
  k6push --journal "$journals" --push-interval 50ms \
    <"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  head -n 901 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 has_half 2
  curl -sS -X DELETE "$url/api/v1/runs/2"
  end_push
  [ "$status" -eq 75 ]
  grep -F '100 made = 0 stored, 100 lost' "$BATS_TEST_TMPDIR/err"
  run ! grep -E 'still retrying|time out there|--resume' "$BATS_TEST_TMPDIR/err"
  [ -z "$(ls "$journals")" ]
}

# is_told TEXT: the push has said so.
is_told() { retry 20 grep -qF "$1" "$BATS_TEST_TMPDIR/err"; }

@test "a run is removed while its push waits, by --keep-for and by DELETE" {
  for by in keep-for DELETE; do
    rm -rf "$journals" "$BATS_TEST_TMPDIR"/k6serve.db* "$BATS_TEST_TMPDIR/fifo"
    start_server
    start_unruly pass
    push_half --drain 20s
    retry 20 has_half
    echo reset >"$BATS_TEST_TMPDIR/rule"
    tail -n +902 "$BATS_TEST_TMPDIR/in" | head -n 450 >&4
    is_told 'still retrying'
    if [ $by = DELETE ]; then
      curl -sS -X DELETE "$url/api/v1/runs/1"
    else
      stop_server
      start_server --listen "127.0.0.1:${url##*:}" --timeout-after 1s \
        --keep-for 1s 4>&-
      retry 60 grep -qF 'run 1 was removed' "$BATS_TEST_TMPDIR/serve.err"
    fi
    echo pass >"$BATS_TEST_TMPDIR/rule"
    tail -n +1352 "$BATS_TEST_TMPDIR/in" >&4
    end_push
    [ "$status" -eq 75 ]
    [ "$(grep -c 'the run was removed' "$BATS_TEST_TMPDIR/err")" -eq 1 ]
    grep -F '200 made = 0 stored + 100 on disk, 100 lost, 0 twice' \
      "$BATS_TEST_TMPDIR/err"
    capture k6push --resume "$journals"
    [ "$status" -eq 75 ]
    grep -F 'but the server has removed the run' <<<"$err"
    capture k6push --finish 1
    [ "$status" -eq 75 ]
    stop_server
    kill "$proxy"
  done
}

# is_refused: a push is resumed, and the server's answer came within its time.
is_refused() {
  capture k6push --resume --drain 1s "$journals"
  [ "$(grep -cE '401|no such run' <<<"$err")" -eq 1 ]
}

# token ARG...: what k6serve token prints.
token() { k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" token "$@"; }

# bats test_tags=slow
@test "a push's token is withdrawn: kept, and another of its owner delivers" {
  start_server
  K6_CLOUD_TOKEN=$(token add ci)
  export K6_CLOUD_TOKEN
  stranger=$(token add stranger)
  push_half
  retry 20 has_half
  token remove ci
  tail -n +902 "$BATS_TEST_TMPDIR/in" >&4
  is_told 'the token is not valid'
  end_push
  [ "$status" -eq 75 ]
  [ "$(grep -c 'still retrying' "$BATS_TEST_TMPDIR/err")" -eq 1 ]
  grep -F '200 made = 100 stored + 100 on disk, 0 lost, 0 twice' \
    "$BATS_TEST_TMPDIR/err"
  # Its name has another owner now; to him there is no such run.
  other=$(token add ci somebody)
  for K6_CLOUD_TOKEN in "$K6_CLOUD_TOKEN" "$stranger" "$other"; do
    retry 20 is_refused
    [ "$status" -eq 75 ]
    grep -F '200 made = 100 stored + 100 on disk, 0 lost, 0 twice' <<<"$err"
  done
  K6_CLOUD_TOKEN=$(token add new ci) capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  stored_is 200
}

# bats test_tags=slow
@test "a first token in mid-push, and the last one goes: nothing is lost" {
  start_server
  push_half --drain 10m
  retry 20 has_half
  K6_CLOUD_TOKEN=$(token add ci)
  tail -n +902 "$BATS_TEST_TMPDIR/in" | head -n 450 >&4
  is_told 'a token is needed'
  token remove ci
  is_told 'the server takes samples again'
  tail -n +1352 "$BATS_TEST_TMPDIR/in" >&4
  end_push
  [ "$status" -eq 0 ]
  stored_is 200
}

# some N M: the samples N to M of a metric that is of no request.
some() {
  seq "$1" "$2" | jq -c '{metric: "own", type: "Point",
    data: {time: "2026-11-29T10:00:00Z", value: ., tags: {}}}'
}

has_own() {
  [ "$(api runs/1/metrics '.[] | select(.metric == "own") | .count')" = "$1" ]
}

# copy_database: to $BATS_TEST_TMPDIR/copy; meanwhile there is no server.
copy_database() {
  stop_server
  cp "$BATS_TEST_TMPDIR/k6serve.db" "$BATS_TEST_TMPDIR/copy"
  start_server --listen "127.0.0.1:${url##*:}" 4>&- 5>&-
}

# back_to_copy: the server ends, and begins again with that one.
back_to_copy() {
  stop_server
  rm "$BATS_TEST_TMPDIR"/k6serve.db*
  cp "$BATS_TEST_TMPDIR/copy" "$BATS_TEST_TMPDIR/k6serve.db"
  start_server --listen "127.0.0.1:${url##*:}" 4>&- 5>&-
}

@test "a database copied during the run: what it lacks is told, exit 75" {
  start_server
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  k6push --push-interval 50ms --result "$BATS_TEST_TMPDIR/result" \
    <"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  echo '{"type":"Metric","metric":"own","data":{"name":"own","type":"trend","contains":"default"}}' >&4
  some 1 100 >&4
  retry 20 has_own 100
  copy_database
  some 101 200 >&4
  retry 20 has_own 200
  back_to_copy
  some 201 300 >&4
  exec 4>&-
  status=0
  wait "$push" || status=$?
  cat "$BATS_TEST_TMPDIR/err"
  [ "$status" -eq 75 ]
  has_own 200
  grep -Eq '[0-9]+ of [0-9]+ batches that the server acknowledged '`
    `'(is|are) lost there' "$BATS_TEST_TMPDIR/err"
  jq -e '.batches.lost > 0 and .batches.lost < .batches.acknowledged' \
    "$BATS_TEST_TMPDIR/result"
}

# share NAME [OPTION...]: pusher $push feeds run $id with what comes through the
# pipe NAME.
share() {
  mkfifo "$BATS_TEST_TMPDIR/$1"
  K6_CLOUD_PUSH_REF_ID=$id k6push --instance "$1" --push-interval 50ms \
    --result "$BATS_TEST_TMPDIR/result.$1" "${@:2}" \
    <"$BATS_TEST_TMPDIR/$1" 2>"$BATS_TEST_TMPDIR/err.$1" 3>&- &
  push=$!
}

# end_shared PUSHER WANT: it ends with that status.
end_shared() {
  status=0
  wait "$1" || status=$?
  cat "$BATS_TEST_TMPDIR"/err.*
  [ "$status" -eq "$2" ]
}

# requests_of FIRST LAST: so many of those of the input.
requests_of() {
  sed -n "$(($1 * 9 - 7)),$(($2 * 9 + 1))p" "$BATS_TEST_TMPDIR/in"
}

# feed_both FIRST LAST STORED: both pushers get these; until all that is stored
# are so many.
feed_both() {
  requests_of "$1" "$2" | tee /dev/fd/5 >&4
  has_stored() { [ "$(api runs/1 .totals.http_reqs)" = "$1" ]; }
  retry 20 has_stored "$3"
}

@test "a database copied during a shared run: what it lacks is told, exit 75" {
  start_server
  id=$(k6push --create | cut -f 1)
  stream 100 0 >"$BATS_TEST_TMPDIR/in"
  share a --api-version 1 5>&-
  pid_a=$push
  exec 4>"$BATS_TEST_TMPDIR/a"
  K6_CLOUD_AGGREGATION_PERIOD=1s K6_CLOUD_AGGREGATION_WAIT_PERIOD=1s \
    share b --api-version 2 4>&-
  pid_b=$push
  exec 5>"$BATS_TEST_TMPDIR/b"
  feed_both 1 50 100
  copy_database
  feed_both 51 75 150
  back_to_copy
  # one that comes then has lost nothing
  K6_CLOUD_PUSH_REF_ID=$id capture k6push --instance c <(requests_of 1 30)
  [ "$status" -eq 0 ]
  grep -F '30 made = 30 stored, 0 lost, 0 twice' <<<"$err"
  feed_both 76 100 180
  exec 4>&- 5>&-
  end_shared "$pid_a" 75
  end_shared "$pid_b" 75
  for name in a b; do
    grep -F '100 made = 75 stored, 25 lost, 0 twice' "$BATS_TEST_TMPDIR/err.$name"
    grep -Eq '[0-9]+ of [0-9]+ batches that the server acknowledged '`
      `'(is|are) lost there' "$BATS_TEST_TMPDIR/err.$name"
    jq -e '.batches.lost > 0 and .batches.lost < .batches.acknowledged and
      .requests.lost == 25' "$BATS_TEST_TMPDIR/result.$name"
  done
}

@test "a killed pusher of a shared run, and a copy: told by --resume, exit 75" {
  start_server
  id=$(k6push --create | cut -f 1)
  stream 100 0 >"$BATS_TEST_TMPDIR/in"
  share a --journal "$journals"
  exec 4>"$BATS_TEST_TMPDIR/a" 5>/dev/null
  feed_both 1 50 50
  copy_database
  feed_both 51 75 75
  retry 20 in_journals 0
  kill_now "$push"
  exec 4>&- 5>&-
  back_to_copy
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  grep -Eq '[0-9]+ of [0-9]+ batches that the server acknowledged '`
    `'(is|are) lost there' <<<"$err"
  grep -F '75 made = 50 stored, 25 lost, 0 twice' <<<"$err"
}

# start_nameless: a proxy, $target, that takes the pushers' names away.
start_nameless() {
  start_nginx <<CONF
location / { proxy_pass $url; proxy_set_header K6push-Id ""; }
CONF
}

@test "batches that name no pusher: what is not lost is not called so" {
  start_server
  id=$(k6push --create | cut -f 1)
  stream 60 0 >"$BATS_TEST_TMPDIR/in"
  start_nameless
  share a
  pid_a=$push
  exec 4>"$BATS_TEST_TMPDIR/a"
  K6_CLOUD_HOST=$target share b 4>&-
  pid_b=$push
  exec 5>"$BATS_TEST_TMPDIR/b"
  feed_both 1 30 60
  feed_both 31 60 120
  exec 4>&- 5>&-
  end_shared "$pid_a" 0
  end_shared "$pid_b" 0
  grep -F '60 made = 60 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err.a"
  grep -F '60 made = 60 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err.b"
}

@test "batches that name no pusher: at least so many are lost, exit 75" {
  start_server
  id=$(k6push --create | cut -f 1)
  stream 60 0 >"$BATS_TEST_TMPDIR/in"
  start_nameless
  K6_CLOUD_PUSH_REF_ID=$id K6_CLOUD_HOST=$target \
    k6push --instance b <(requests_of 1 10)
  share a
  exec 4>"$BATS_TEST_TMPDIR/a" 5>/dev/null
  feed_both 1 10 20
  copy_database
  # a batch each, or more; one may be that of the other
  feed_both 11 20 30
  feed_both 21 30 40
  feed_both 31 40 50
  back_to_copy
  requests_of 41 50 >&4
  exec 4>&- 5>&-
  end_shared "$push" 75
  grep -Eq 'at least [0-9]+ of [0-9]+ batches that the server acknowledged '`
    `'(is|are) lost there' "$BATS_TEST_TMPDIR/err.a"
  [ "$(api runs/1 .totals.http_reqs)" = 30 ]
}
