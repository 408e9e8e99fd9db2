#!/usr/bin/env bats
# lost: what the journal no longer has is counted and told, never silent.

load ../helpers
load push

# waiting COUNT [OPTION...]: a push of so many requests to a server that is
# away, which leaves them in $journal; then the server is there.
waiting() {
  start_server
  stop_server
  stream "$1" 0 >"$BATS_TEST_TMPDIR/in"
  shift
  K6_CLOUD_HOST=$url capture k6push --journal "$journals" --drain 0s \
    --max-samples-per-package 20 "$@" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  journal=$(echo "$journals"/*)
  start_server --listen "127.0.0.1:${url##*:}"
}

# killed PROTOCOL [RULE]: a push that is killed while the server is silent, with
# its samples in pieces in $open. RULE: behind an unruly proxy.
killed() {
  start_server
  [ -z "${2:-}" ] || start_unruly "$2"
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  k6push --api-version "$1" --push-interval 1h --journal "$journals" \
    <"$BATS_TEST_TMPDIR/fifo" 2>/dev/null 3>&- &
  push=$!
  disown
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  # The one is there when the other comes, which so is another piece.
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  head -n 91 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 in_journals 90
  sed -n '92,181p' "$BATS_TEST_TMPDIR/in" >&4
  retry 20 in_journals 180
  pieces 2
  kill_now "$push"
  exec 4>&-
  open=$(echo "$journals"/*/open.1)
}

# pieces COUNT: so many are in the open batch, or more.
pieces() {
  [ "$(cat "$journals"/*/open.1 2>/dev/null | grep -ao k6j1 | wc -l)" -ge "$1" ]
}

@test "a segment that is cut short: what is gone is counted, exit 75" {
  waiting 60
  size=$(stat -c %s "$journal/seg.1")
  truncate -s $((size / 2)) "$journal/seg.1"
  capture k6push --resume "$journal"
  [ "$status" -eq 75 ]
  gone=$((60 - $(api runs/1 .totals.http_reqs)))
  [ "$gone" -gt 0 ]
  grep -F "$((gone * 9)) samples were read, but are neither delivered" <<<"$err"
  grep -F "lost=$((gone * 9)) " <<<"$err"
  grep -F "60 made = $((60 - gone)) stored, $gone lost, 0 twice" <<<"$err"
}

@test "a segment that is removed: what is gone is counted, exit 75" {
  waiting 60
  rm "$journal/seg.1"
  capture k6push --resume "$journal"
  [ "$status" -eq 75 ]
  grep -F '540 samples were read, but are neither delivered' <<<"$err"
  grep -F '60 made = 0 stored, 60 lost, 0 twice' <<<"$err"
}

# in_segments SAMPLES: so many are, and none in pieces.
in_segments() {
  in_journals "$1" && [ -z "$(find "$journals" -name 'open.*')" ]
}

@test "of a killed push, a segment that is removed is counted too" {
  start_server
  kill -STOP "$server"
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  k6push --journal "$journals" --journal-size 1M --push-interval 100ms \
    --max-samples-per-package 100 <"$BATS_TEST_TMPDIR/fifo" 2>/dev/null 3>&- &
  push=$!
  disown
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  stream 1000 0 | head -n 9001 >&4
  # All are cut, and in segments.
  retry 60 in_segments 9000
  kill_now "$push"
  exec 4>&-
  kill -CONT "$server"
  rm "$(find "$journals" -name 'seg.*' | head -n 1)"
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  lost=$((1000 - $(api runs/1 .totals.http_reqs)))
  [ "$lost" -gt 0 ]
  grep -F "1000 made = $((1000 - lost)) stored, $lost lost, 0 twice" <<<"$err"
  grep -F "$((lost * 9)) samples were read, but are neither" <<<"$err"
}

@test "a server that does not count: what it had before is not called lost" {
  start_nginx <<'CONF'
location = /v1/tests { return 200 '{"reference_id":"7"}'; }
location /v1/tests/ { return 200 '{}'; }
location /v1/metrics { if (-e $document_root/full) { return 503; }
  return 200 '{}'; }
CONF
  sed -i "s,listen,root $BATS_TEST_TMPDIR; listen," \
    "$BATS_TEST_TMPDIR/nginx/conf"
  reload_nginx
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  K6_CLOUD_HOST=$target k6push --journal "$journals" --drain 1s \
    --push-interval 100ms <"$BATS_TEST_TMPDIR/fifo" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  stream 40 0 | head -n 181 >&4
  retry 20 grep -qs 'POST /v1/metrics' "$nginx_log"
  # What was answered is acknowledged.
  retry 20 in_journals 0
  touch "$BATS_TEST_TMPDIR/full"
  stream 40 0 | tail -n +182 >&4
  exec 4>&-
  status=0
  wait "$push" || status=$?
  [ "$status" -eq 75 ]
  rm "$BATS_TEST_TMPDIR/full"
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  grep -F ' lost=0 ' <<<"$err"
  grep -F '40 made = 40 stored, 0 lost, 0 twice' <<<"$err"
}

@test "kill -9 in the middle of a write: what the cut record held is counted" {
  killed 1
  truncate -s -5 "$open"
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  lost=$((20 - $(api runs/1 .totals.http_reqs)))
  [ "$lost" -gt 0 ]
  stored_is $((20 - lost))
  grep -F "$lost lost, 0 twice" <<<"$err"
  grep -F "$((9 * lost)) samples were read, but are neither" <<<"$err"
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
}

@test "protocol 2, kill -9 in the middle of a write: counted too" {
  killed 2
  truncate -s -5 "$open"
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  read -r have lost < <(sed -nE 's/.* acknowledged=([0-9]+) .* lost=([0-9]+) '\
'.*/\1 \2/p' <<<"$err")
  [ "$lost" -gt 0 ]
  [ $((have + lost)) -eq 180 ]
}

@test "what a power cut took of a batch that was stored whole is not lost" {
  killed 1
  # The disk is as it was then, and the server has all of it.
  saved=$BATS_TEST_TMPDIR/saved
  cp -r "$journals" "$saved"
  capture k6push --resume "$journals"
  [ "$status" -eq 1 ]
  stored_is 20
  truncate -s -5 "$saved"/*/open.1
  capture k6push --resume "$saved"
  echo "$err"
  [ "$status" -eq 1 ]
  grep -E 'read=180 acknowledged=180 .* lost=0 ' <<<"$err"
  grep -F '20 made = 20 stored, 0 lost, 0 twice' <<<"$err"
  stored_is 20
}

@test "what a cut record held is lost, though the server has the rest" {
  killed 1 pass
  truncate -s -5 "$open"
  # The answer to the rest is lost, and then it is too large: its key is asked
  # for, and the server has it.
  echo 'late 2' >"$BATS_TEST_TMPDIR/rule"
  capture k6push --resume "$journals"
  kill "$proxy"
  [ "$status" -eq 75 ]
  lost=$((20 - $(api runs/1 .totals.http_reqs)))
  [ "$lost" -gt 0 ]
  grep -F "$lost lost, 0 twice" <<<"$err"
  grep -F " lost=$((9 * lost)) " <<<"$err"
  stored_is $((20 - lost))
}

@test "kill -9 in the middle of the first write: what it held is counted" {
  killed 1
  truncate -s 90 "$open"
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  grep -E ' ([1-9][0-9]*) made = 0 stored, \1 lost, 0 twice' <<<"$err"
}

@test "a journal whose folder is gone is told in a line, and nothing is lost" {
  start_server
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  k6push --journal "$journals" --push-interval 10ms \
    <"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  stream 300 0 >"$BATS_TEST_TMPDIR/in"
  head -n 901 "$BATS_TEST_TMPDIR/in" >&4
  retry 20 grep -qs execution "$BATS_TEST_TMPDIR/err"
  begin=$SECONDS
  rm -rf "$journals"
  # A file that is open already takes a little more.
  exec 5< <(tail -n +902 "$BATS_TEST_TMPDIR/in")
  is_told() {
    feed 9
    grep -qF 'reading waits' "$BATS_TEST_TMPDIR/err"
  }
  retry 10 is_told
  cat <&5 >&4
  exec 4>&- 5<&-
  wait "$push"
  grep -F '300 made = 300 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err"
  grep -F 'No such file or directory: reading waits' "$BATS_TEST_TMPDIR/err"
  [ "$(grep -c 'reading' "$BATS_TEST_TMPDIR/err")" -le \
    $((4 + (SECONDS - begin) / 3)) ]
}
