#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg: what is folded, what passes, and that the books balance.

load ../helpers
load sets

cases=$root/tests/golden/k6agg
drip=$tools/drip.pl

teardown() {
  [ -z "${filter_pid:-}" ] || kill -KILL "$filter_pid" 2>/dev/null || true
}

# start CMD...: run it in the background on a fifo that stays open as
# descriptor 8; its output goes to "out" and "err". stop gives its status.
start() {
  rm -f "$BATS_TEST_TMPDIR"/{fifo,out,err}
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  "$@" <"$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/out" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  filter_pid=$!
  exec 8>"$BATS_TEST_TMPDIR/fifo"
}

stop() {
  status=0
  exec 8>&-
  wait "$filter_pid" || status=$?
  filter_pid=
  cat "$BATS_TEST_TMPDIR/err"
}

# bats test_tags=slow,long
@test "what k6agg folds equals a second implementation's result" {
  for seed in $(seq "${SEEDS:-6}"); do
    python3 "$root/tests/tools/reference.py" "$seed" "$BATS_TEST_TMPDIR"
    read -ra words <"$BATS_TEST_TMPDIR/args"
    echo "seed $seed: k6agg ${words[*]}"
    k6agg "${words[@]}" "$BATS_TEST_TMPDIR/in" 2>"$BATS_TEST_TMPDIR/err" \
      >"$BATS_TEST_TMPDIR/out"
    check_books "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err" \
      "$(made "$BATS_TEST_TMPDIR/in")"
    k6push --dry-run <"$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/wire"
    python3 "$root/tests/tools/reference.py" --same \
      "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/wire"
  done
}

# Off

@test "without a period it is cat, on every corpus" {
  n=0
  for file in "$cases"/{outliers,late,merge,nettrail}.ndjson \
    "$fixtures"/corpus/*; do
    echo "$file"
    k6agg "$file" | cmp - "$file"
    n=$((n + 1))
  done
  [ "$n" -eq 17 ]
}

@test "without a period there is no report and no trailer of its own" {
  capture k6agg "$cases/late.ndjson"
  [ -z "$err" ]
  [[ $out != *'"type":"End"'* ]]
}

@test "without a period bad lines are left out and counted" {
  capture k6agg "$cases/strings.ndjson"
  [ "$status" -eq 0 ]
  [[ $err == *"stdin:19: "* || $err == *"strings.ndjson:19: "* ]]
  [[ $err == *"k6agg: 2 lines skipped that do not belong to the stream"* ]]
  LC_ALL=C sed '19,20d' "$cases/strings.ndjson" | cmp - "$BATS_TEST_TMPDIR/out"
}

# The same input, the same output

# bats test_tags=slow,long
@test "output does not depend on how the input is cut, at any byte" {
  { request 1 10; request 2 30.5 "$(printf 'h\xc3\xa9\xf0\x9f\x98\x80')"
    printf '{"type":"Note"}\r\n\n{"bad":\n'; request 7 20
    request 1 10 | head -c -1; } >"$BATS_TEST_TMPDIR/in"
  fold=(k6agg -p 3s -w 0 --min-samples 1)
  "${fold[@]}" <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/want" \
    2>"$BATS_TEST_TMPDIR/want.err"
  size=$(wc -c <"$BATS_TEST_TMPDIR/in")
  # Every place around the odd lines, some in the first, some in all.
  odd=$(grep -abo '"Note"' "$BATS_TEST_TMPDIR/in" | cut -d: -f1)
  places=$(seq 1 5 130; seq $((odd - 40)) $((odd + 30))
    seq 131 $((size / 40)) $((size - 1)))
  for at in $places; do
    "$drip" "$at" "$size" <"$BATS_TEST_TMPDIR/in" | "${fold[@]}" \
      >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
    [ "$(<"$BATS_TEST_TMPDIR/out")" = "$(<"$BATS_TEST_TMPDIR/want")" ] ||
      { echo "cut at $at"; return 1; }
    [ "$(<"$BATS_TEST_TMPDIR/err")" = "$(<"$BATS_TEST_TMPDIR/want.err")" ]
  done
}

@test "output does not depend on the size of the pieces" {
  read -ra words < <(options code3s)
  k6agg "${words[@]}" "$fixtures/corpus/small.ndjson" \
    >"$BATS_TEST_TMPDIR/want"
  for sizes in "4096" "4095" "65536" "65537" "1 2 3 5 8 13 21 30000" "700"; do
    # shellcheck disable=SC2086
    "$drip" $sizes <"$fixtures/corpus/small.ndjson" | k6agg "${words[@]}" |
      cmp - "$BATS_TEST_TMPDIR/want"
  done
}

@test "output does not depend on how slowly the input comes" {
  k6agg -p 3s -w 3s --min-samples 2 "$cases/late.ndjson" \
    >"$BATS_TEST_TMPDIR/want"
  while read -r line; do
    echo "$line"
    sleep 0.005
  done <"$cases/late.ndjson" | k6agg -p 3s -w 3s --min-samples 2 |
    cmp - "$BATS_TEST_TMPDIR/want"
}

@test "several files are one stream" {
  split -l 50 "$cases/outliers.ndjson" "$BATS_TEST_TMPDIR/part."
  read -ra words <"$cases/outliers.args"
  capture k6agg "${words[@]}" "$BATS_TEST_TMPDIR"/part.*
  sed 's/"tool":"k6agg [^"]*"/"tool":"k6agg VERSION"/' "$BATS_TEST_TMPDIR/out" |
    cmp - "$cases/outliers.out"
}

# What comes out

@test "lines of outliers are those of the input, byte for byte" {
  # Order of members, blanks and numbers that nobody writes so.
  { requests 20
    request 1 99 | sed 's/"metric":\("[a-z_]*"\),\(.*\)}$/ \2, "metric" : \1 }/
      s/"value":\([0-9]*\)/"value":\1.000e+0/
      s/"tags":{/"metadata":{"vu":"7"},"tags":{/'; } >"$BATS_TEST_TMPDIR/in"
  tail -n 9 "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/want"
  head -n 1 "$BATS_TEST_TMPDIR/want"
  capture k6agg -p 3s --min-samples 5 "$BATS_TEST_TMPDIR/in"
  [[ $err == *"21 requests in = 20 folded into 1 aggregates + 1 passed"* ]]
  head -n 9 "$BATS_TEST_TMPDIR/out" | cmp - "$BATS_TEST_TMPDIR/want"
}

@test "every passed line of the corpora is a line of the input" {
  corpus rich | sort >"$BATS_TEST_TMPDIR/in"
  for set in code3s envonly radius01; do
    read -ra words < <(options "$set")
    corpus rich | k6agg -q "${words[@]}" |
      grep -v '^{"type":"AggregatedPoints"\|^{"type":"End"' | sort |
      comm -23 - "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/new"
    [ ! -s "$BATS_TEST_TMPDIR/new" ]
  done
}

@test "histograms add up to the count, and carry sum and percentiles" {
  read -ra words < <(options skip)
  corpus rich | k6agg -q "${words[@]}" | jq -c 'select(.type ==
    "AggregatedPoints").data' >"$BATS_TEST_TMPDIR/aggregates"
  jq -e '.count as $n | .values | to_entries[] |
    select(.key != "http_req_failed").value |
    ((.hist.counters | add // 0) + (.hist.low // 0) + (.hist.high // 0)) == $n
    and ((.hist.counters | length) ==
      ([.hist.spans | _nwise(2)[1]] | add // 0))
    and ((.hist.sum / $n - .avg) | fabs) < 1e-9 * (1 + .avg)
    and .min <= .avg and .avg <= .max' "$BATS_TEST_TMPDIR/aggregates" |
    sort | uniq -c >"$BATS_TEST_TMPDIR/checks"
  cat "$BATS_TEST_TMPDIR/checks"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/checks")" -eq 1 ]
  grep -q true "$BATS_TEST_TMPDIR/checks"
  jq -e '.period == "3s" and .type == "aggregated_trend"' \
    "$BATS_TEST_TMPDIR/aggregates" >/dev/null
}

@test "a histogram has the buckets of the format's table" {
  # 0.001 ms steps up to 0.256, then 128 for each power of two: the values
  # and indexes are those of k6's own tests.
  for pair in 0:0 0.001:1 0.0011:2 0.255:255 0.256:256 0.257:256 0.282:269 \
    1:506 1.1:521 12.345:960 100:1347 200:1475 200.1:1475 123.456:1393 \
    5000:2072 60000:2532; do
    request 1 "${pair%:*}" | k6agg -q -p 3s --min-samples 1 \
      >"$BATS_TEST_TMPDIR/out"
    echo "$pair"
    [ "$(jq -c 'select(.type == "AggregatedPoints").data.values |
      .http_req_duration.hist | [.counters, .spans]' \
      "$BATS_TEST_TMPDIR/out")" = "[[1],[${pair#*:},1]]" ]
  done
}

@test "AggregatedPoints pass as they are, and count" {
  requests 30 | k6agg -q -p 3s --min-samples 5 >"$BATS_TEST_TMPDIR/folded"
  grep '"AggregatedPoints"' "$BATS_TEST_TMPDIR/folded" \
    >"$BATS_TEST_TMPDIR/aggregate"
  { cat "$BATS_TEST_TMPDIR/aggregate"; requests 7 60; } \
    >"$BATS_TEST_TMPDIR/in"
  capture k6agg -p 3s --min-samples 5 "$BATS_TEST_TMPDIR/in"
  head -n 1 "$BATS_TEST_TMPDIR/out" | cmp - "$BATS_TEST_TMPDIR/aggregate"
  [[ $err == *"37 requests in = 37 folded into 1 aggregates + 0 passed"* ]]
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -c '.data |
    [.points, .requests, .folded, .passed]')" = '[333,37,37,0]' ]
}

@test "folding what was folded changes nothing but who says it" {
  k6agg -q -p 3s -w 1h --min-samples 5 "$cases/outliers.ndjson" \
    >"$BATS_TEST_TMPDIR/once"
  k6agg -q -p 3s -w 1h --min-samples 5 "$BATS_TEST_TMPDIR/once" |
    sort >"$BATS_TEST_TMPDIR/twice"
  sort "$BATS_TEST_TMPDIR/once" | cmp - "$BATS_TEST_TMPDIR/twice"
}

@test "a late request is counted, and in the output" {
  { requests 10; requests 10 20; request 1 10; request 21 10; } |
    k6agg -p 3s -w 3s --min-samples 1 >"$BATS_TEST_TMPDIR/out"
  jq -c 'select(.type == "AggregatedPoints").data | [.time, .count]' \
    "$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/got"
  cat "$BATS_TEST_TMPDIR/got"
  # The bucket of 0 s closed when 20 s came; 1 s opens it again.
  [ "$(tr -d '\n' <"$BATS_TEST_TMPDIR/got")" = \
    '["1767225601500000",10]["1767225601500000",1]["1767225619500000",10]'\
'["1767225622500000",1]' ]
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq .data.late)" -eq 1 ]
}

@test "a request that is not whole passes, and counts" {
  { request 1 10 | sed 5d; request 2 10; request 2 10 | head -n 4; } |
    tee "$BATS_TEST_TMPDIR/in" |
    k6agg -p 3s --min-samples 1 >"$BATS_TEST_TMPDIR/out" \
      2>"$BATS_TEST_TMPDIR/err"
  check_books "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err" 3
}

@test "http_reqs of more than one counts as many" {
  request 1 10 | head -n 1 | sed 's/"value":1/"value":5/' |
    k6agg -p 3s --min-samples 1 >"$BATS_TEST_TMPDIR/out" \
      2>"$BATS_TEST_TMPDIR/err"
  check_books "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err" 5
}

# A stream that nothing was read of is one that failed.
no_line_passed() {
  [ "$(jq -r '[.type, .data.state] | @csv' "$BATS_TEST_TMPDIR/out")" = \
    '"End","Aborted by System"' ]
}

@test "times from 1677 to 2262 are folded, others are bad lines" {
  for year in 1678 1969 1970 2261; do
    request 1 10 | sed "s/2026-/$year-/" >"$BATS_TEST_TMPDIR/in"
    capture k6agg -p 3s --min-samples 1 "$BATS_TEST_TMPDIR/in"
    [[ $err == *"1 requests in = 1 folded into 1 aggregates + 0 passed"* ]]
  done
  for year in 0000 1676 2263 9999; do
    request 1 10 | sed "s/2026-/$year-/" >"$BATS_TEST_TMPDIR/in"
    capture k6agg -p 3s --min-samples 1 "$BATS_TEST_TMPDIR/in"
    [[ $err == *"k6agg: 9 lines skipped"* ]]
    no_line_passed
  done
}

# bats test_tags=slow
@test "memory stays flat while buckets come and go" {
  fold=(k6agg -q -p 1s -w 1s --min-samples 5)
  requests 100 >"$BATS_TEST_TMPDIR/second"
  # 300 s and 270,000 lines of it, in 60 MB of address space.
  awk '{ line[NR] = $0 } END { for (s = 0; s < 300; s++)
      for (i = 1; i <= NR; i++) {
        text = line[i]
        sub(/T00:00:00/, sprintf("T00:%02d:%02d", s / 60, s % 60), text)
        print text } }' "$BATS_TEST_TMPDIR/second" |
    within_kb 60000 "${fold[@]}" >"$BATS_TEST_TMPDIR/out"
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq .data.folded)" -eq 30000 ]
}

# Bad lines

@test "--strict ends at the first bad line, with status 1" {
  { requests 3; echo '{"metric":'; requests 3 5; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg --strict "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 1 ]
  [[ $err == "k6agg: $BATS_TEST_TMPDIR/in:28: "* ]]
  head -n 27 "$BATS_TEST_TMPDIR/in" | cmp - <(head -n 27 <<<"$out")
  # Without pipefail only the stream can tell the next tool.
  [ "$(tail -n 1 <<<"$out" | jq -c '[.type, .data.run_status,
    .data.streams, .data.requests]')" = '["End",6,0,3]' ]
}

@test "--strict takes text between the lines for a bad line" {
  { requests 1; echo 'running (1m00.0s), 0/1 VUs'; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg --strict "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 1 ]
  [[ $err == "k6agg: $BATS_TEST_TMPDIR/in:10: "* ]]
  { requests 1; head -c 1048577 /dev/zero | tr '\0' x; } \
    >"$BATS_TEST_TMPDIR/in"
  capture k6agg --strict "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 1 ]
}

@test "--strict says nothing of a good stream" {
  capture k6agg --strict "$cases/merge.ndjson"
  [ "$status" -eq 0 ]
  [ -z "$err" ]
  cmp "$BATS_TEST_TMPDIR/out" "$cases/merge.ndjson"
}

@test "after a failure the trailer does not say Finished" {
  { requests 3; echo '{"metric":'; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg --strict -p 3s "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 1 ]
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -c '.data |
    [.state, .run_status, .exit_code]')" = '["Aborted by System",6,1]' ]
  capture k6agg -p 3s "$cases/late.ndjson" "$BATS_TEST_TMPDIR/missing"
  [ "$status" -eq 1 ]
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq .data.run_status)" -eq 6 ]
}

@test "a stream that could not be written is not said to be cut" {
  { head -n 1 "$cases/outliers.ndjson"; requests 2000
    sed -n '$p' "$cases/outliers.ndjson"; } >"$BATS_TEST_TMPDIR/in"
  for options in '' '-p 3s' -m; do
    # shellcheck disable=SC2086 # words
    capture sh -c "k6agg $options '$BATS_TEST_TMPDIR/in' >/dev/full"
    [ "$status" -eq 1 ]
    [[ $err == *'stdout: No space left on device'* ]]
    [[ $err != *'the stream was cut'* ]]
  done
}

@test "who stops a stream before its End writes one, with the books so far" {
  # A head, 3 requests, and more behind a bad line; no generator's trailer.
  { head -n 1 "$cases/outliers.ndjson"; requests 3; echo '{"metric":'
    requests 2 100; } >"$BATS_TEST_TMPDIR/in"
  head -n 1 "$BATS_TEST_TMPDIR/in" | grep -q '"type":"Start"'
  for options in '' '-p 3s' -m; do
    for how in file pipe; do
      # shellcheck disable=SC2086 # words
      if [ $how = file ]; then
        capture k6agg --strict $options "$BATS_TEST_TMPDIR/in"
      else
        capture sh -c "cat '$BATS_TEST_TMPDIR/in' | k6agg --strict $options"
      fi
      [ "$status" -eq 1 ]
      [[ $err != *'the stream was cut'* ]]
      [ "$(grep -c '"type":"End"' "$BATS_TEST_TMPDIR/out")" -eq 1 ]
      [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -c '.data | [.time, .state,
        .streams, .points, .requests, .folded + .passed, .skipped]')" = \
        '["2026-01-01T00:00:00.002Z","Aborted by System",1,27,3,3,1]' ]
    done
  done
}

@test "without folding a trailer of our own tells what others do not" {
  read -r trailer < <(k6agg -q -p 3s "$cases/late.ndjson" | tail -n 1)
  { cat "$cases/late.ndjson"; echo "$trailer"; requests 3
    echo '{"metric":'; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg --strict "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 1 ]
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -c '.data | [.state, .streams,
    .points, .requests, .skipped]')" = '["Aborted by System",0,27,3,1]' ]
}

@test "the first five bad lines are shown, all are counted" {
  { printf '%s\n' banner '  more of it' '' '{' '{"a"' '{"a":1' '{}' \
    '{"type":"Point"}' '{"type":"Point","data":{}}' '{"type":7}'
    requests 1; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  [ "$(grep -c "/in:[4-8]: " "$BATS_TEST_TMPDIR/err")" -eq 5 ]
  [ "$(grep -c "/in:" "$BATS_TEST_TMPDIR/err")" -eq 5 ]
  [[ $err == *"k6agg: 9 lines skipped that do not belong to the stream"* ]]
}

@test "a reason names the column, and never one outside the line" {
  for bad in '{}' '{"type":"Point"}' '{"type":"Metric"}' '{"type":"Point",'\
'"metric":"x","data":null}' '{"type":"Metric","metric":"x","data":[]}' \
    '{"type":"AggregatedPoints"}' '{"type":"End"}' '{"type":"End","data":3}'; do
    echo "$bad" >"$BATS_TEST_TMPDIR/in"
    capture k6agg "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 0 ] || no_line_passed
    [[ $err == *"/in:1: "* ]]
    column=$(sed -nE 's/.*\((column|byte) ([0-9]+)\)$/\2/p' \
      "$BATS_TEST_TMPDIR/err")
    [ "${#column}" -le 3 ]
    [ "${column:-1}" -le $((${#bad} + 1)) ]
  done
}

@test "256 tags and 64 levels are taken, one more is a bad line" {
  tags() {
    request 1 10 | head -n 1 | sed "s/\"tags\":{/&$(seq "$1" |
      sed 's/.*/"t&":"",/' | tr -d '\n')/"
  }
  nested() {
    printf '{"type":"Note","data":%*s1%*s}\n' "$1" '' "$1" '' |
      sed 's/:\( *\)1\( *\)}/:\1x\2}/; :a; s/ \(\[*\)x/[\1x/; ta
        :b; s/x\(\]*\) /x]\1/; tb; s/x/1/'
  }
  { tags 255; nested 63; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg "$BATS_TEST_TMPDIR/in"
  [ -z "$err" ]
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/in"
  { tags 256; nested 64; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg "$BATS_TEST_TMPDIR/in"
  no_line_passed
  [[ $err == *":1: too many tags"*":2: nested too deeply"* ]]
}

# Start and End

@test "a stream that begins with Start and lacks its End stays cut" {
  sed '$d' "$cases/outliers.ndjson" >"$BATS_TEST_TMPDIR/in"
  capture k6agg -p 3s "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  [[ $err == *"the stream was cut: a Start line has no End line"* ]]
  [[ $out != *'"type":"End"'* ]]
}

@test "a stream without Start gets a trailer with its books" {
  capture k6agg -p 3s "$cases/late.ndjson"
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -c '.data | [.time, .state,
    .run_status, .exit_code, .points, .requests, .late, .skipped]')" = \
    '["2026-01-01T00:00:12Z","Finished",3,0,98,11,4,0]' ]
}

@test "trailers of several streams become one: sums, and the worst state" {
  read -ra words <"$cases/merge.args"
  capture k6agg "${words[@]}" "$cases/merge.ndjson"
  [ "$(grep -c '"type":"End"' "$BATS_TEST_TMPDIR/out")" -eq 1 ]
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -c '.data | [.time, .state,
    .run_status, .result_status, .exit_code, .thresholds, .points,
    .requests]')" = '["2026-01-01T00:00:02.5Z","Aborted by User",5,1,105,'\
'{"http_req_failed":{"rate<0.01":true}},72,8]' ]
}

# Live

@test "a due bucket comes out while the stream is silent" {
  start k6agg -p 100ms -w 100ms --calc-interval 100ms --min-samples 5
  requests 20 >&8
  retry 5 grep -q '"count":20' "$BATS_TEST_TMPDIR/out"
  kill -0 "$filter_pid"
  requests 6 10 >&8
  retry 5 grep -q '"count":6' "$BATS_TEST_TMPDIR/out"
  stop
  [ "$status" -eq 0 ]
  grep -q '26 requests in = 26 folded into 2 aggregates + 0 passed' \
    "$BATS_TEST_TMPDIR/err"
}

@test "a bucket that is not due waits, however often its time is looked at" {
  start k6agg -p 100ms -w 1h --calc-interval 20ms --min-samples 5
  requests 20 >&8
  request 1 10 | sed 's/http_reqs/vus/; 2,$d' >&8
  retry 5 grep -q '"vus"' "$BATS_TEST_TMPDIR/out"
  sleep 0.3
  run grep -c '"count":20' "$BATS_TEST_TMPDIR/out"
  [ "$output" -eq 0 ]
  stop
  grep -q '"count":20' "$BATS_TEST_TMPDIR/out"
}

@test "what passes is seen when the input runs dry, folding or not" {
  for period in 0 3s; do
    start k6agg -p "$period"
    request 1 10 | sed 's/http_reqs/vus/; 2,$d' >&8
    retry 5 grep -q '"vus"' "$BATS_TEST_TMPDIR/out"
    stop
  done
}

@test "SIGINT: all of a pipe is taken, then 105, Aborted by User" {
  start k6agg -p 3s -w 1h --min-samples 5
  requests 10 >&8
  request 1 10 | sed 's/http_reqs/vus/; 2,$d' >&8
  retry 5 grep -q '"vus"' "$BATS_TEST_TMPDIR/out"
  kill -INT "$filter_pid"
  requests 10 1 >&8
  stop
  [ "$status" -eq 105 ]
  grep -q '20 requests in = 20 folded into 1 aggregates + 0 passed' \
    "$BATS_TEST_TMPDIR/err"
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -c '.data |
    [.state, .exit_code]')" = '["Aborted by User",105]' ]
}

@test "SIGTERM ends the wait for who writes into a named pipe" {
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  for options in '' '-p 3s' -m; do
    # shellcheck disable=SC2086 # words
    k6agg $options "$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/out" \
      2>"$BATS_TEST_TMPDIR/err" 3>&- &
    filter_pid=$!
    retry 10 handles "$filter_pid" 15
    sleep 0.2 # by then it waits, as a rule
    kill -TERM "$filter_pid"
    status=0
    wait "$filter_pid" || status=$?
    [ "$status" -eq 105 ]
    [ "$(jq -r .data.state "$BATS_TEST_TMPDIR/out")" = 'Aborted by User' ]
  done
}

@test "a named pipe is waited for until somebody writes, or has been there" {
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  (sleep 0.3; requests 2 >"$BATS_TEST_TMPDIR/fifo") 3>&- &
  capture timeout 600 k6agg "$BATS_TEST_TMPDIR/fifo"
  [ "$status" -eq 0 ]
  [ "$out" = "$(requests 2)" ]
  (sleep 0.3; : >"$BATS_TEST_TMPDIR/fifo") 3>&- &
  capture timeout 600 k6agg "$BATS_TEST_TMPDIR/fifo"
  [ "$status" -eq 0 ]
  [ -z "$out$err" ]
}

@test "SIGINT: several pipes are taken to their end" {
  mkfifo "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
  k6agg -p 3s --min-samples 1 "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b" \
    >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  filter_pid=$!
  exec 8>"$BATS_TEST_TMPDIR/a"
  request 1 10 | sed 's/http_reqs/vus/; 2,$d' >&8
  retry 5 grep -q '"vus"' "$BATS_TEST_TMPDIR/out"
  kill -INT "$filter_pid"
  requests 3 >&8
  # Descriptor 8 goes first, as the next fifo waits for its reader.
  requests 4 3>&- 8>&- >"$BATS_TEST_TMPDIR/b" &
  stop
  [ "$status" -eq 105 ]
  grep -q '^k6agg: 7 requests in = ' "$BATS_TEST_TMPDIR/err"
}

@test "SIGTERM: reading stops, what was read is written, 105" {
  start k6agg -p 3s -w 1h --min-samples 5
  requests 10 >&8
  request 1 10 | sed 's/http_reqs/vus/; 2,$d' >&8
  retry 5 grep -q '"vus"' "$BATS_TEST_TMPDIR/out"
  kill -TERM "$filter_pid"
  # The pipe stays open: it must not wait for its end.
  gone() { ! kill -0 "$filter_pid" 2>/dev/null; }
  retry 5 gone
  stop
  [ "$status" -eq 105 ]
  grep -q '10 requests in = 10 folded into 1 aggregates + 0 passed' \
    "$BATS_TEST_TMPDIR/err"
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq .data.run_status)" -eq 5 ]
}

# Settings

# setting VARIABLE OPTION VALUE OTHER FOLDED: with VALUE, from the variable or
# the option, so many of the requests of "in" are folded; with OTHER in the
# variable the option still counts.
setting() {
  local args=(-p 3s -w 1h --min-samples 5)
  echo "== $1 $2"
  for arg in "${args[@]}"; do
    # A flag beats a variable, so the one under test must not be set.
    [ "$arg" != "$2" ] || args=(-p 3s -w 1h)
  done
  capture env "$1=$3" k6agg "${args[@]}" "$BATS_TEST_TMPDIR/in"
  [[ $err == *" = $5 folded into "* ]]
  capture env "$1=$4" k6agg "${args[@]}" "$BATS_TEST_TMPDIR/in"
  [[ $err != *" = $5 folded into "* ]]
  if [ "$3" = true ]; then
    capture env "$1=$4" k6agg "${args[@]}" "$2" "$BATS_TEST_TMPDIR/in"
  else
    capture env "$1=$4" k6agg "${args[@]}" "$2" "$3" "$BATS_TEST_TMPDIR/in"
  fi
  [[ $err == *" = $5 folded into "* ]]
}

@test "fences and limits are set by variables and flags; a flag wins" {
  # 1, 2 ... 9 and 40 ms. Interpolated quartiles 3.25 and 7.75, IQR 4.5.
  for ms in 1 2 3 4 5 6 7 8 9 40; do request "1.0$ms" "$ms"; done \
    >"$BATS_TEST_TMPDIR/in"
  p=K6_CLOUD_AGGREGATION
  setting ${p}_MIN_SAMPLES --min-samples 11 10 0
  setting ${p}_SKIP_OUTLIER_DETECTION --skip-outlier-detection true false 10
  setting ${p}_OUTLIER_IQR_COEF_UPPER --iqr-coef-upper 10 1.3 10
  setting ${p}_OUTLIER_IQR_COEF_LOWER --iqr-coef-lower 0.2 1.5 7
  # r = 0.5: the quartiles are 1 and 40, nothing is outside.
  setting ${p}_OUTLIER_IQR_RADIUS --iqr-radius 0.5 .25 10
  # Fences at the quartiles: 3.25 to 7.75, or 3 to 8 without interpolation.
  export ${p}_OUTLIER_IQR_COEF_LOWER=0 ${p}_OUTLIER_IQR_COEF_UPPER=0
  setting ${p}_OUTLIER_ALGO_THRESHOLD --algo-threshold 10 11 6
}

@test "period, wait and calc interval are set by variables and flags" {
  p=K6_CLOUD_AGGREGATION
  { requests 5; requests 5 4; request 1 10; request 60 10; } \
    >"$BATS_TEST_TMPDIR/in"
  late() {
    capture "$@" --min-samples 1 "$BATS_TEST_TMPDIR/in"
    late=$(tail -n 1 "$BATS_TEST_TMPDIR/out" | jq .data.late)
    echo "late $late"
  }
  late k6agg -p 3s
  [ "$late" -eq 0 ]
  late k6agg -p 3s -w 1s
  [ "$late" -eq 1 ]
  late env ${p}_WAIT_PERIOD=1s k6agg -p 3s
  [ "$late" -eq 1 ]
  late env ${p}_WAIT_PERIOD=1s k6agg -p 3s -w 5s
  [ "$late" -eq 0 ]
  late k6agg -p 3s -w 1s --calc-interval 1h
  [ "$late" -eq 0 ]
  late env ${p}_CALC_INTERVAL=1h k6agg -p 3s -w 1s
  [ "$late" -eq 0 ]
  late env ${p}_CALC_INTERVAL=1h k6agg -p 3s -w 1s --calc-interval 1s
  [ "$late" -eq 1 ]
  capture env ${p}_PERIOD=1m k6agg --min-samples 1 "$BATS_TEST_TMPDIR/in"
  [[ $err == *"12 folded into 2 aggregates"* ]]
  capture env ${p}_PERIOD=1000 k6agg --min-samples 1 \
    "$BATS_TEST_TMPDIR/in"
  [[ $err == *"12 folded into 4 aggregates"* ]]
  capture k6agg -p 1000 "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 2 ]
  capture env ${p}_PERIOD=1m k6agg -p 1s --min-samples 1 \
    "$BATS_TEST_TMPDIR/in"
  [[ $err == *"12 folded into 4 aggregates"* ]]
  capture env ${p}_PERIOD=1m k6agg --period 0 "$BATS_TEST_TMPDIR/in"
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/in"
}

@test "the defaults are those of k6's documentation" {
  p=K6_CLOUD_AGGREGATION
  # 100 requests are folded, 99 are not; the fences' defaults matter for one.
  { for i in $(seq 100); do request "1.$((100 + i))" "$((i % 9 + 1))"; done
    for i in $(seq 99); do request "1.$((100 + i))" 5 b; done
    request 9 1 c; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg -p 3s "$BATS_TEST_TMPDIR/in"
  cp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
  [[ $err == *"200 requests in = 100 folded into 1 aggregates"* ]]
  capture env ${p}_CALC_INTERVAL=3s ${p}_WAIT_PERIOD=5s \
    ${p}_MIN_SAMPLES=100 ${p}_SKIP_OUTLIER_DETECTION=false \
    ${p}_OUTLIER_ALGO_THRESHOLD=75 ${p}_OUTLIER_IQR_RADIUS=0.25 \
    ${p}_OUTLIER_IQR_COEF_LOWER=1.5 ${p}_OUTLIER_IQR_COEF_UPPER=1.3 \
    k6agg -p 3s "$BATS_TEST_TMPDIR/in"
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
}

# bats test_tags=slow,long
@test "a bad value exits 2 and names its variable or flag" {
  p=K6_CLOUD_AGGREGATION
  while read -r variable flag values; do
    for value in $values; do
      capture env "${p}_$variable=$value" k6agg /dev/null
      [ "$status" -eq 2 ]
      [ -z "$out" ]
      [[ $err == "k6agg: ${p}_$variable: \"$value\" is "* ]]
      [ "$flag" != --skip-outlier-detection ] || continue
      capture k6agg "$flag" "$value" /dev/null
      [ "$status" -eq 2 ]
      [ -z "$out" ]
      [[ $err =~ ^"k6agg: $flag: \"$value\" "(is|has)" " ]]
    done
  done <<'ROWS'
PERIOD --period s 3x -1s 1s2d 1e400 99999999999999999999s NaN 1d2
CALC_INTERVAL --calc-interval 0 -1 x 0s 1.5.5s
WAIT_PERIOD --wait-period -5s 5sec
MIN_SAMPLES --min-samples -1 1e 1.5 99999999999 NaN 1k 0x10
SKIP_OUTLIER_DETECTION --skip-outlier-detection 1 yes TRUE
OUTLIER_ALGO_THRESHOLD --algo-threshold -1 75.0
OUTLIER_IQR_RADIUS --iqr-radius -0.1 NaN inf 0x1 1e .
OUTLIER_IQR_COEF_LOWER --iqr-coef-lower -1 1,5
OUTLIER_IQR_COEF_UPPER --iqr-coef-upper x 1.3x
ROWS
}

@test "-q leaves the report away, not the warnings" {
  { requests 1; echo '{'; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg -q -p 3s "$BATS_TEST_TMPDIR/in"
  [ "$err" = "k6agg: $BATS_TEST_TMPDIR/in:10: cut off (column 2)
k6agg: 1 line skipped that does not belong to the stream" ]
}

# bats test_tags=slow
@test "ever new URLs pass through in little memory" {
  command -v python3 >/dev/null || skip 'no python3'
  cat >"$BATS_TEST_TMPDIR/make.py" <<'PY'
for i in range(300000):
    print('{"metric":"http_reqs","type":"Point","data":{"time":"2026-01-01T'
          '00:00:00Z","value":1,"tags":{"name":"http://h/%d"}}}' % i)
PY
  ! sanitized || skip 'the sanitizer keeps freed memory'
  # 64 MiB of address space is too little for 300 000 sets.
  (
    ulimit -v 65536
    python3 "$BATS_TEST_TMPDIR/make.py" | k6agg | tail -n 1 \
      >"$BATS_TEST_TMPDIR/last"
  )
  grep -F 'http://h/299999' "$BATS_TEST_TMPDIR/last"
}

# A file is read by two threads, a pipe by one.
# bats test_tags=threads
@test "a file read on two cores gives what a pipe on one gives" {
  long=$(head -c 80000 /dev/zero | tr '\0' a)
  longer=$long$long$long$long$long$long$long$long$long$long$long$long$long$long
  small=$root/tests/data/small.ndjson
  for i in 1 2 3 4 5 6 7 8 9; do
    cat "$small" "$small" "$small"
    echo 'k6 says hello'
    echo "{\"metric\":\"m\",\"type\":\"Point\",\"data\":{\"time\":\"2020-01-01T00:00:01Z\",\"value\":$i,\"tags\":{\"a\":\"$long\"}}}"
    echo "{\"type\":\"Other\",\"data\":\"$longer\"}"
    head -n 300 "$small" | sed 's/$/\r/'
    echo "{\"type\":\"Metric\",\"data\":{\"name\":\"new$i\",\"type\":\"gauge\"}}"
    echo '{"type":"Point","data":'
  done >"$BATS_TEST_TMPDIR/file"
  head -n 1 "$small" | tr -d '\n' >>"$BATS_TEST_TMPDIR/file"
  for period in 0s 1s 3s; do
    k6agg -p $period "$BATS_TEST_TMPDIR/file" \
      >"$BATS_TEST_TMPDIR/two" 2>"$BATS_TEST_TMPDIR/two.err"
    # shellcheck disable=SC2002 # a pipe, not the file itself
    cat "$BATS_TEST_TMPDIR/file" | k6agg -p $period \
      >"$BATS_TEST_TMPDIR/one" 2>"$BATS_TEST_TMPDIR/one.err"
    cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
    sed -i 's|stdin:|FILE:|' "$BATS_TEST_TMPDIR/one.err"
    sed -i "s|$BATS_TEST_TMPDIR/file:|FILE:|" "$BATS_TEST_TMPDIR/two.err"
    diff "$BATS_TEST_TMPDIR/one.err" "$BATS_TEST_TMPDIR/two.err"
  done
}

# mixed SEED SETS: requests of so many tag sets, 24 MB, with all that can stand
# between and inside them, so that blocks of the file are cut everywhere.
mixed() {
  python3 - "$1" "$2" <<'END'
import random, sys, time
random.seed(int(sys.argv[1]))
sets = int(sys.argv[2])
names = ["duration", "blocked", "connecting", "tls_handshaking", "sending",
         "waiting", "receiving"]
out, size, at = sys.stdout, 0, 1700000000000
POINT = ('{"metric":"%s","type":"Point","data":{"time":"%s","value":%s,'
         '"tags":{"name":"http://h/%d","status":"%d"}%s}}')
while size < 24 << 20:
    at += random.choice([0, 0, 0, 1, 3])
    ms = at if random.random() > 0.001 else at - 20000
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000))
    stamp += ".%03d%s" % (ms % 1000, random.choice(["Z", "Z", "Z", "+00:00"]))
    name, status = random.randrange(sets), random.choice([200, 200, 500])
    more = ',"metadata":{"vu":"1"}' if random.random() < 0.01 else ""
    lines = [POINT % ("http_reqs", stamp, 1, name, status, more)]
    for n in names:
        value = "%.6g" % random.lognormvariate(2, 1)
        lines.append(POINT % ("http_req_" + n, stamp, value, name, status,
                              more))
    lines.append(POINT % ("http_req_failed", stamp, 0, name, status, more))
    if random.random() < 0.1:
        lines += [POINT % (n, stamp, random.choice(["1", "7.25"]), name,
                           status, "") for n in ("data_sent", "data_received")]
    dice = random.random()
    if dice < 0.002:
        lines[random.randrange(len(lines))] += "\r"
    elif dice < 0.004:
        lines.insert(random.randrange(len(lines)), lines[0][:40])
    elif dice < 0.006:
        lines.insert(random.randrange(len(lines)), "k6 says hello")
    elif dice < 0.008:
        del lines[random.randrange(len(lines))]
    elif dice < 0.009:
        lines.append('{"type":"Metric","data":{"name":"m","type":"gauge"}}')
    text = "\n".join(lines) + "\n"
    size += len(text)
    out.write(text)
END
}

# bats test_tags=threads,slow,long
@test "wherever two cores cut a file, nothing changes" {
  for case in '1 300' '2 30000'; do
    # shellcheck disable=SC2086 # two words
    mixed $case >"$BATS_TEST_TMPDIR/file"
    for options in '-p 0s' '-p 1s' '-p 3s --max-series 100' --json; do
      # shellcheck disable=SC2086,SC2002 # words; a pipe, not the file itself
      cat "$BATS_TEST_TMPDIR/file" | k6agg $options 2>/dev/null |
        md5sum >"$BATS_TEST_TMPDIR/one"
      # shellcheck disable=SC2086
      k6agg $options "$BATS_TEST_TMPDIR/file" 2>/dev/null |
        md5sum >"$BATS_TEST_TMPDIR/two"
      cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
    done
  done
}

# bats test_tags=threads
@test "several files on two cores are one stream" {
  mixed 3 50 >"$BATS_TEST_TMPDIR/file"
  head -c 9000000 "$BATS_TEST_TMPDIR/file" >"$BATS_TEST_TMPDIR/a"
  tail -c +9000001 "$BATS_TEST_TMPDIR/file" >"$BATS_TEST_TMPDIR/b"
  printf '\n' | cat "$BATS_TEST_TMPDIR/a" - >"$BATS_TEST_TMPDIR/c"
  k6agg -q -p 3s "$BATS_TEST_TMPDIR"/[cb] "$BATS_TEST_TMPDIR/b" \
    2>/dev/null | md5sum >"$BATS_TEST_TMPDIR/two"
  cat "$BATS_TEST_TMPDIR"/[cb] "$BATS_TEST_TMPDIR/b" | k6agg -q -p 3s \
    2>/dev/null | md5sum >"$BATS_TEST_TMPDIR/three"
  cmp "$BATS_TEST_TMPDIR/two" "$BATS_TEST_TMPDIR/three"
}
