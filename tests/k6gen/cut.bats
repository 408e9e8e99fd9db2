#!/usr/bin/env bats
# shellcheck disable=SC2154 # tools comes from the helpers
# Requests that the end of the run cuts, in each of their phases, by our own
# engine and by libcurl: both tell the times so far alike.

# bats file_tags=threads
load ../helpers
load gen

setup() { out=$BATS_TEST_TMPDIR/o; }

teardown() {
  [ -z "${helper-}" ] || kill "$helper" 2>/dev/null || true
}

# silent full|room: the server at 127.0.0.1:$port
silent() {
  python3 "$tools/silent.py" "$BATS_TEST_TMPDIR/port" "$1" 3>&- &
  helper=$!
  retry 20 test -s "$BATS_TEST_TMPDIR/port"
  port=$(cat "$BATS_TEST_TMPDIR/port")
}

# times: of the one request, by their names
times() {
  jq -s 'map(select(.type == "Point" and (.metric | startswith("http_req_"))) |
    { (.metric[9:]): .data.value }) | add' "$out"
}

# phases: the names of those above 0
phases() {
  times | jq -r 'to_entries |
    map(select(.value > 0 and .key != "failed").key) | join(" ")'
}

# cut_in PHASES OPTION...: the times above 0 of a request that is cut are these,
# made by either engine; no part is more than the whole, and the tags are the
# same.
cut_in() {
  local phases=$1 engine
  shift
  rm -f "$out.tags"
  for engine in '' --compressed; do
    # shellcheck disable=SC2086 # a word, or none
    gen -k -u 1 -d 1s --graceful-stop 0s --system-tags error_code,ip \
      $engine "$@"
    [ "$(phases)" = "$phases" ]
    times | jq -e '.connecting + .tls_handshaking <= .blocked and
      (.sending + .waiting + .receiving - .duration | fabs) < 0.00001'
    jq -c 'select(.metric == "http_reqs" and .type == "Point") |
      .data.tags' "$out" >>"$out.tags"
  done
  cat "$out.tags"
  [ "$(wc -l <"$out.tags")" -eq 2 ]
  [ "$(sort -u "$out.tags" | grep -c '"error_code":"1050"')" -eq 1 ]
}

# bats test_tags=slow
@test "a request that is cut while it connects has the time so far" {
  silent full
  cut_in "blocked connecting" "http://127.0.0.1:$port/"
  cut_in "blocked connecting" "https://127.0.0.1:$port/"
  cut_in "blocked connecting" --http 2 "http://127.0.0.1:$port/"
}

@test "a request that is cut in the handshake of TLS has the time so far" {
  silent room
  cut_in "blocked connecting tls_handshaking" "https://127.0.0.1:$port/"
}

@test "a request that is cut when its connection is there has all of that" {
  silent room
  cut_in "duration blocked connecting sending waiting" \
    "http://127.0.0.1:$port/"
  cut_in "duration blocked connecting sending waiting" --http 2 \
    "http://127.0.0.1:$port/"
}

@test "a handshake of TLS that fails was connected all the same" {
  local engine
  start_nginx <<<'location / { return 200; }'
  for engine in '' --compressed; do
    # shellcheck disable=SC2086 # a word, or none
    gen $engine "https${target#http}/"
    [ "$(phases)" = connecting ]
  done
  stop_nginx
}
