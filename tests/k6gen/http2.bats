#!/usr/bin/env bats
# shellcheck disable=SC2154 # tools comes from the helpers
# HTTP/2 frames, given to our own engine and to curl(1): both must agree.

# bats file_tags=threads
load ../helpers
load gen

setup() {
  out=$BATS_TEST_TMPDIR/o
  log=$BATS_TEST_TMPDIR/log
}

teardown() {
  [ -z "${helper-}" ] || kill "$helper" 2>/dev/null || true
}

# serve BEHAVIOUR: $base is the server
serve() {
  [ -z "${helper-}" ] || kill "$helper"
  rm -f "$BATS_TEST_TMPDIR/port"
  : >"$log"
  python3 "$tools/raw_http2.py" "$BATS_TEST_TMPDIR/port" "$log" "$1" 3>&- &
  helper=$!
  retry 20 test -s "$BATS_TEST_TMPDIR/port"
  base=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/
}

# came_to OPTION...: status and error of two requests, and how often a body
# was "ok"; then connections and streams
came_to() {
  gen -u 1 -i 2 --http 2 --timeout 60s -c 'body==ok' "$@" "$base"
  jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    [.data.tags.status, .data.tags.proto // "-", .data.tags.error // "ok"] |
    join(" ")' "$out" | paste -sd,
  xargs <"$log"
}

# by_curl: the same of one request; curl 7.88 does not speak HTTP/2 by prior
# knowledge again on a kept connection (its issue 10634).
by_curl() {
  curl -s -m 60 --http2-prior-knowledge -o "$BATS_TEST_TMPDIR/body" \
    -w '%{http_code} %{exitcode}\n' "$base"
}

@test "an answer with GOAWAY is the last one of its connection" {
  serve goaway
  [ "$(came_to)" = "200 HTTP/2.0 ok,200 HTTP/2.0 ok
1 1 2 1" ]
  [ "$(by_curl)" = "200 0" ]
}

@test "a request that the server has not looked at is made again, once" {
  serve unseen
  [ "$(came_to)" = "200 HTTP/2.0 ok,200 HTTP/2.0 ok
1 1 2 1 2 3" ]
  serve refused
  [ "$(came_to -b body)" = "200 HTTP/2.0 ok,200 HTTP/2.0 ok
1 1 2 1 2 3" ]
}

@test "a stream that is reset is a failure, and its connection stays" {
  serve reset
  [ "$(came_to)" = \
    "0 - http2: stream error,0 - http2: stream error
1 1 1 3" ]
}

@test "the end within an answer, and what is no HTTP/2, are failures" {
  serve cut
  [ "$(came_to | head -n 1)" = "0 - unexpected EOF,0 - unexpected EOF" ]
  serve garbage
  came_to | head -n 1 | grep -qE '^0 - [^,]+,0 - [^,]+$'
}

@test "headers of 90 kB are taken, in as many frames as it takes" {
  serve big
  [ "$(came_to | head -n 1)" = "200 HTTP/2.0 ok,200 HTTP/2.0 ok" ]
  [ "$(by_curl)" = "200 0" ]
}

@test "early hints and trailers are no part of the answer" {
  serve hints
  [ "$(came_to)" = "200 HTTP/2.0 ok,200 HTTP/2.0 ok
1 1 1 3" ]
  [ "$(values checks | xargs)" = "1 1" ]
  [ "$(by_curl)" = "200 0" ]
}

@test "settings that change under way are heeded, pings are answered" {
  serve settings
  [ "$(came_to -b "$(printf '%0100d' 0)")" = \
    "200 HTTP/2.0 ok,200 HTTP/2.0 ok
1 1 1 3" ]
}

@test "an early answer ends its stream, and not its connection" {
  head -c 1000000 /dev/zero >"$BATS_TEST_TMPDIR/big"
  serve early
  [ "$(came_to -b "@$BATS_TEST_TMPDIR/big")" = \
    "413 HTTP/2.0 ok,413 HTTP/2.0 ok
1 1 1 3" ]
}

@test "a kept connection that was closed is replaced with prior knowledge" {
  serve again
  [ "$(came_to)" = "200 HTTP/2.0 ok,200 HTTP/2.0 ok
1 1 1 3 2 1" ]
}

@test "a server that refuses HTTP/2 is a failure, as for curl" {
  serve refuses
  [ "$(came_to)" = \
    "0 - http2: connection error,0 - http2: connection error" ]
  [[ $(by_curl) =~ ^[0-9]+\ [1-9] ]]
}

# came_to_all OPTION...: of four requests that are under way at the same time,
# what each came to, sorted; then connections and streams; libcurl's engine
# cannot, as above
came_to_all() {
  gen -u 4 -i 4 --http 2 --keep-alive shared --timeout 60s "$@" "$base"
  jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    [.data.tags.status, .data.tags.error // "ok"] | join(" ")' "$out" |
    sort | paste -sd,
  sort -n -k 1,1 -k 2,2 "$log" | paste -sd,
}

all_ok="200 ok,200 ok,200 ok,200 ok"

@test "users that share a connection are on it at the same time" {
  serve together
  [ "$(came_to_all)" = "$all_ok
1 1,1 3,1 5,1 7" ]
  # No more than the server allows; who has no place gets one elsewhere.
  serve two
  [ "$(came_to_all)" = "$all_ok
1 1,1 3,2 1,2 3" ]
}

@test "of shared requests those are made again that the server has not seen" {
  for options in '' '-b body'; do
    serve all_but_one
    # shellcheck disable=SC2086 # words
    [ "$(came_to_all $options)" = "$all_ok
1 1,1 3,1 5,1 7,2 1,2 3,2 5" ]
    serve all_refused
    # shellcheck disable=SC2086
    [ "$(came_to_all $options)" = "$all_ok
1 1,1 3,1 5,1 7,1 9,1 11,1 13" ]
  done
}

@test "a shared connection breaks: what began or must not be repeated fails" {
  serve broken
  [ "$(came_to_all)" = "0 unexpected EOF,200 ok,200 ok,200 ok
1 1,1 3,1 5,1 7,2 1,2 3,2 5" ]
  serve broken
  [ "$(came_to_all -b body)" = "0 EOF,0 EOF,0 EOF,0 unexpected EOF
1 1,1 3,1 5,1 7" ]
}

@test "a request that takes too long is taken from a shared connection alone" {
  serve stalls
  gen -u 2 --per-vu-iterations 3 --http 2 --keep-alive shared --timeout 3s \
    "$base"
  [ "$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    .data.tags.status' "$out" | sort | xargs)" = "0 200 200 200 200 200" ]
  [ "$(sort "$log" | paste -sd,)" = "1 1,1 11,1 3,1 3 reset,1 5,1 7,1 9" ]
  # The connection was used again.
  [ "$(sed '1,/reset/d' "$log" | wc -l)" -ge 1 ]
}

@test "who waits for a shared connection that cannot be made fails with it" {
  serve ok
  kill "$helper"
  wait "$helper" 2>/dev/null || true
  [ "$(came_to_all | head -n 1)" = \
    "$(printf '0 dial: connection refused\n%.0s' \
    1 2 3 4 | paste -sd,)" ]
  helper=
}
