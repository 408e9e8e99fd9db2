#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# Inputs of k6agg and k6push that gzip or zstd packed.

# bats file_tags=threads
load ../helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# pack FORMAT: stdin, packed.
pack() {
  case $1 in
  gz) gzip -c ;;
  zst) zstd -qc ;;
  esac
}

# bats test_tags=slow
@test "packed files and stdin give what the plain file gives" {
  # Sanitized, the whole of it takes minutes.
  corpus rich >all
  if sanitized; then head -n 4000 all >in; else mv all in; fi
  k6agg -p 3s in >want 2>want.err
  for format in gz zst; do
    pack "$format" <in >"in.$format"
    k6agg -p 3s "in.$format" >out 2>err
    cmp out want
    cmp err want.err
    k6agg -p 3s <"in.$format" >out
    cmp out want
    pack "$format" <in | k6agg -p 3s >out
    cmp out want
    k6agg "in.$format" | cmp - in
  done
}

@test "plain, gzip and zstd inputs, one after the other" {
  requests 10 >a
  requests 10 5 >b
  requests 10 9 >c
  cat a b c >want
  gzip b
  zstd -q --rm c
  k6agg a b.gz c.zst | cmp - want
  k6agg -m b.gz c.zst a 2>err | tail -n 1 | jq -e '.data.requests == 30'
}

@test "members that were joined are one input" {
  requests 10 >a
  for format in gz zst; do
    { pack "$format" <a; pack "$format" </dev/null; pack "$format" <a; } >in
    cat a a | cmp - <(k6agg in)
  done
}

@test "an archive that comes byte by byte is recognized" {
  request 1 10 >want
  for format in gz zst; do
    pack "$format" <want >in
    "$root/tests/tools/drip.pl" <in | k6agg | cmp - want
  done
}

@test "an empty archive is empty input" {
  for format in gz zst; do
    capture k6agg <(pack "$format" </dev/null)
    [ "$status" -eq 0 ]
    [ -z "$out$err" ]
  done
}

@test "a cut archive: told, status 1, and what could be read is kept" {
  corpus small >plain
  for format in gz zst; do
    pack "$format" <plain >whole
    head -c $(($(stat -c %s whole) * 2 / 3)) whole >in
    requests 1 >good
    capture k6agg in good
    [ "$status" -eq 1 ]
    # The last line that was unpacked is not whole.
    grep -qE "^k6agg: in: the (gzip|zstd) data is cut short$" err
    [[ $err == *"1 line skipped"* ]]
    tail -n 10 out | head -n 9 | cmp - good
    n=$(($(wc -l <out) - 10))
    [ "$n" -gt 100 ]
    head -n "$n" out | cmp - <(head -n "$n" plain)
    # The books say so to the next tool.
    k6agg -q -p 3s in 2>err >out || true
    [ "$(tail -n 1 out | jq .data.run_status)" -eq 6 ]
  done
}

# bats test_tags=long
@test "a damaged archive: told, status 1, and the other inputs are read" {
  requests 200 >plain
  requests 1 >good
  for format in gz zst; do
    pack "$format" <plain >in
    at=$(($(stat -c %s in) - 6))
    printf '\377\377' | dd of=in bs=1 seek="$at" conv=notrunc status=none
    capture k6agg in good
    [ "$status" -eq 1 ]
    [[ $err == *"k6agg: in: the "*" data is damaged: "* ]]
    tail -n 10 out | head -n 9 | cmp - good
    { pack "$format" <plain; echo rubbish; } >in
    capture k6agg in
    [ "$status" -eq 1 ]
    head -n -1 out | cmp - plain
  done
}

@test "Ctrl-C ends the reading of a packed file, and of a silent pipe" {
  mkfifo fifo
  k6agg <fifo >out 3>&- 8>&- &
  pid=$!
  exec 8>fifo
  request 1 10 | gzip --rsyncable >part
  head -c 20 part >&8
  retry 10 handles "$pid" 15
  sleep 0.2 # by then it waits, as a rule
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  exec 8>&-
  [ "$status" -eq 105 ]
}

@test "a reader that leaves ends the unpacking without a word" {
  awk 'BEGIN { for (i = 0; i < 300000; i++) print "{\"type\":\"Note\",\"n\":" \
    i "}" }' >many
  for format in gz zst; do
    pack "$format" <many >in
    set +e
    timeout 600 k6agg in 2>err | head -n 1 >out
    status=${PIPESTATUS[0]}
    set -e
    [ "$status" -ne 124 ]
    [ ! -s err ]
    [ -s out ]
  done
}

@test "k6push takes packed files too" {
  command -v k6push >/dev/null || skip "no k6push"
  requests 10 >in
  k6push --dry-run in >want
  for format in gz zst; do
    pack "$format" <in >"in.$format"
    k6push --dry-run "in.$format" | cmp - want
  done
}
