#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg while the stream goes: the line on a terminal, books of cut input.

# bats file_tags=threads
load ../helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# on_terminal CMD: what it writes to a terminal, with \r and escapes shown.
on_terminal() {
  script -qefc "$1 3>&-" /dev/null </dev/null | cat -v
}

# bats test_tags=slow
@test "--live shows requests, rate, p95, failures and what was folded" {
  { requests 30; requests 30 1; requests 30 2
    request 2.5 10 | sed 's/\(req_failed.*"value":\)0/\11/'; } >in
  on_terminal "k6agg --live -q -p 3s --min-samples 5 $PWD/in >$PWD/out" >seen
  cat seen
  tail -n 1 seen | grep -qE '(^|\^M)91 requests, 30\.[0-9]/s, p95 10\.00 ms,'\
' 1\.10% failed, 100% folded\^\[\[K\^M$'
  [ "$(tail -n 1 out | jq .data.folded)" -eq 91 ]
}

@test "--live is one line that is drawn again, and messages keep their own" {
  mkfifo fifo
  script -qefc "k6agg --live -p 3s --min-samples 5 <$PWD/fifo >$PWD/out" \
    seen </dev/null >/dev/null 3>&- &
  pid=$!
  exec 8>fifo
  for i in 1 2 3; do
    requests 10 "$i" >&8
    retry 5 grep -q "${i}0 requests, " seen
  done
  echo '{"bad":' >&8
  retry 5 grep -q 'k6agg: stdin:271: ' seen
  exec 8>&-
  wait "$pid"
  # On one line as a terminal shows it: a newline only before the messages.
  [ "$(grep -c 'requests, ' seen)" -le 3 ]
  cat -v seen | grep -q '\^M\^\[\[Kk6agg: stdin:271: '
  grep -q '30 requests in = 30 folded into 2 aggregates' seen
}

# bats test_tags=slow
@test "--live counts aggregates, and points where nothing is folded" {
  { requests 20; request 1 10; } | k6agg -q -p 3s --min-samples 5 >in
  on_terminal "k6agg --live $PWD/in >/dev/null" | tail -n 1 |
    grep -qE '(^|\^M)21 requests, .* 100% folded'
  requests 20 >in
  on_terminal "k6agg --live $PWD/in >/dev/null" | tail -n 1 |
    grep -qE '(^|\^M)20 requests, -/s, p95 .* 0% folded'
  grep '"http_reqs"' in >reqs
  on_terminal "k6agg --live $PWD/reqs >/dev/null" |
    grep -qE '(^|\^M)20 requests, -/s, p95 - ms, -% failed, 0% folded'
  on_terminal "k6agg --live --summary $PWD/in >/dev/null" |
    grep -qE '(^|\^M)20 requests, '
}

@test "--live says nothing where there is no terminal" {
  requests 10 >in
  capture k6agg -q --live -p 3s in
  [ -z "$err" ]
}

# bats test_tags=long
@test "the books balance on input that is cut anywhere" {
  { request 1 10; printf '{"bad":\n'; request 2 20 b; } >in
  size=$(wc -c <in)
  fold=(k6agg -p 3s --min-samples 1)
  # In the first line and around the bad one each byte, elsewhere some.
  first=$(head -n 1 in | wc -c) bad=$(head -n 10 in | wc -c)
  checked=0
  for ((at = 1; at <= size; at++)); do
    ((at <= first + 1 || (at >= bad - 12 && at <= bad + 12) ||
      at % 31 == 0 || at >= size - 9)) || continue
    # It fails if nothing whole is there.
    head -c "$at" in | "${fold[@]}" >out 2>err || continue
    n=$(made <(head -c "$at" in | grep '}}$' || true))
    echo "cut at $at"
    check_books out err "$n"
    checked=$((checked + 1))
  done
  [ "$checked" -gt 50 ]
}

# bats test_tags=long
@test "the books balance on every corpus, a byte at a time" {
  for file in "$root"/tests/golden/k6agg/{outliers,late,merge}.ndjson
  do
    k6agg -p 3s --min-samples 2 "$file" >want 2>want.err
    "$root/tests/tools/drip.pl" <"$file" |
      k6agg -p 3s --min-samples 2 >out 2>err
    cmp want out
    diff want.err err
    # what others folded passes as it is: check_books does not know it
    ! grep -q AggregatedPoints "$file" || continue
    check_books out err "$(made "$file")"
    checked=$((${checked:-0} + 1))
  done
  [ "$checked" -eq 2 ]
}

@test "--live keeps to the width of the terminal" {
  cat >run <<'END'
stty cols 40
(cat "$1"; until grep -q requests, screen; do sleep 0.1; done) |
  k6agg -q -p 3s --live >/dev/null
END
  timeout 600 script -qfec "sh run $root/tests/data/small.ndjson" screen \
    >/dev/null
  sed '1d;$d' screen | tr '\r' '\n' | sed 's/\x1b\[K//' >shown
  grep -q '^42 requests, ' shown
  run grep -E '.{40}' shown
  [ "$status" -eq 1 ]
}
