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
  gen -u 1 -i 2 --http 2 --timeout 20s -c 'body==ok' "$@" "$base"
  jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    [.data.tags.status, .data.tags.proto // "-", .data.tags.error // "ok"] |
    join(" ")' "$out" | paste -sd,
  xargs <"$log"
}

# by_curl: the same of one request; curl 7.88 does not speak HTTP/2 by prior
# knowledge again on a kept connection (its issue 10634).
by_curl() {
  curl -s -m 20 --http2-prior-knowledge -o "$BATS_TEST_TMPDIR/body" \
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
