#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg --summary: the table of a finished stream, as text and as JSON.

load ../helpers

# declare METRIC TYPE CONTAINS
declare_metric() {
  printf '{"type":"Metric","data":{"name":"%s","type":"%s","contains":"%s",' \
    "$@"
  printf '"thresholds":[],"submetrics":null},"metric":"%s"}\n' "$1"
}

# expected FILE: what jq makes of a raw stream, in the summary's form: exact
# values in place of percentiles by k6's rule.
expected() {
  jq -cn 'def quantile($p): sort | ($p * (length - 1)) as $at |
      .[$at | floor] as $a | $a + (.[$at | ceil] - $a) * ($at - ($at | floor));
    def trend: if length == 0 then {} else {min: min, max: max,
      avg: (add / length), p50: quantile(0.5), p90: quantile(0.9),
      p95: quantile(0.95), p99: quantile(0.99), p99_9: quantile(0.999)} end;
    def row: group_by(.metric) |
      map({key: .[0].metric, value: map(.data.value)}) | from_entries |
        {count: (.http_reqs // [] | add // 0),
        failed: (.http_req_failed // [] | map(select(. != 0)) | length)}
        + (.http_req_duration // [] | trend);
    [inputs | select(.type == "Point" and (.metric | . == "http_reqs" or
      . == "http_req_failed" or . == "http_req_duration"))] |
    {requests: row, by: (group_by(.data.tags | [.name, .method, .status]) |
      map((.[0].data.tags | {name: (.name // ""), method: (.method // ""),
        status: (.status // "")}) + row))}' "$1"
}

# same_requests WANT GOT: equal but for percentiles, which are within 0.8 %
# or, as a histogram's step is, a microsecond.
same_requests() {
  jq -en --slurpfile want "$1" --slurpfile got "$2" '
    def close($a; $b; $part; $rest): ($a - $b | fabs) <=
      ([($a | fabs), ($b | fabs)] | max) * $part + $rest;
    def same($w; $g): [$w | to_entries[] | .key as $k | .value as $v |
      if ($k | test("^p[0-9]")) then close($v; $g[$k]; 0.008; 0.001)
      elif $k == "avg" then close($v; $g[$k]; 1e-9; 0)
      else $v == $g[$k] end |
      if . then . else ([$w, $g, $k] | debug | false) end] | all;
    def sorted: .by |= sort_by([.name, .method, .status]);
    ($want[0] | sorted) as $w | ($got[0] | sorted) as $g |
    same($w.requests; $g.requests) and ($w.by | length) == ($g.by | length)
    and ([range($w.by | length)] |
      all(. as $i | same($w.by[$i]; $g.by[$i])))'
}

@test "requests of the corpora are counted as jq counts them, raw and folded" {
  for name in small rich; do
    corpus "$name" >"$BATS_TEST_TMPDIR/in"
    expected "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/want"
    k6agg --json "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/raw"
    same_requests "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/raw"
    # Nearly all folded; with outliers that passed; folded in part.
    k6agg -q -p 3s -w 1h --min-samples 1 --skip-outlier-detection \
      "$BATS_TEST_TMPDIR/in" | k6agg --json >"$BATS_TEST_TMPDIR/folded"
    same_requests "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/folded"
    k6agg -q -p 1s --min-samples 20 "$BATS_TEST_TMPDIR/in" |
      k6agg --json >"$BATS_TEST_TMPDIR/folded"
    same_requests "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/folded"
  done
}

@test "medium: folded and raw give the same summary, percentiles in 0.8 %" {
  local medium=$fixtures/corpus/medium.ndjson
  k6agg -q -p 3s "$medium" >"$BATS_TEST_TMPDIR/stream"
  k6agg --json "$medium" >"$BATS_TEST_TMPDIR/raw"
  k6agg --json "$BATS_TEST_TMPDIR/stream" >"$BATS_TEST_TMPDIR/folded"
  same_requests "$BATS_TEST_TMPDIR/raw" "$BATS_TEST_TMPDIR/folded"
  for file in raw folded; do
    [ "$(jq .requests.count "$BATS_TEST_TMPDIR/$file")" -eq \
      "$(made "$medium")" ]
    # What is not of requests passes: it is the same to the last digit.
    jq -c '.metrics | with_entries(select(.key | test("^http_") | not)) |
      map_values(del(.rate)), .duration' "$BATS_TEST_TMPDIR/$file" \
      >"$BATS_TEST_TMPDIR/$file.rest"
  done
  cmp "$BATS_TEST_TMPDIR/raw.rest" "$BATS_TEST_TMPDIR/folded.rest"
}

@test "each type of metric has its members" {
  { declare_metric n counter data; declare_metric g gauge default
    declare_metric r rate default; declare_metric t trend time
    point n 3; point n 4; point g 7; point g -2; point r 1; point r 0
    point r 1; point t 2; point t 4
    point checks 1 '"check":"up","group":"::a"'
    point checks 0 '"check":"up","group":"::a"'
    point checks 1 '"check":"down"'
    time=2026-01-01T00:00:10Z point g 5; } >"$BATS_TEST_TMPDIR/in"
  k6agg --json "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
  [ "$(jq -c '[.schema, .version, .start, .end, .duration, .skipped]' \
    "$BATS_TEST_TMPDIR/out")" = '["k6agg-summary",1,"2026-01-01T00:00:00Z",'\
'"2026-01-01T00:00:10Z",10,0]' ]
  jq -c .metrics "$BATS_TEST_TMPDIR/out"
  jq -e '.metrics.n == {type: "counter", contains: "data", count: 7,
      rate: 0.7} and
    .metrics.g == {type: "gauge", contains: "default", value: 5, min: -2,
      max: 7} and
    .metrics.r == {type: "rate", contains: "default",
      rate: 0.6666666666666666, passes: 2, fails: 1} and
    (.metrics.t | .type == "trend" and .contains == "time" and .count == 2
      and .min == 2 and .avg == 3 and .max == 4 and .p50 == 3) and
    .checks == [{name: "down", group: "", rate: 1, passes: 1, fails: 0},
      {name: "up", group: "::a", rate: 0.5, passes: 1, fails: 1}]' \
    "$BATS_TEST_TMPDIR/out"
}

@test "the text has the figures of the JSON" {
  read -ra words <"$root/tests/golden/k6agg/outliers.args"
  capture k6agg "${words[@]}" --summary \
    "$root/tests/golden/k6agg/outliers.ndjson"
  [ "$status" -eq 0 ]
  [ -z "$err" ]
  golden=$root/tests/golden/k6agg/outliers.summary
  [ "${UPDATE:-}" != 1 ] || cp "$BATS_TEST_TMPDIR/out" "$golden"
  diff "$golden" "$BATS_TEST_TMPDIR/out"
  k6agg --json "$root/tests/golden/k6agg/outliers.ndjson" |
    jq -r '.requests | [.count, .p95, .max | (. * 100 | round) / 100] | @tsv' \
    >"$BATS_TEST_TMPDIR/figures"
  read -r count p95 max <"$BATS_TEST_TMPDIR/figures"
  grep -A 1 -E "^all +$count " "$BATS_TEST_TMPDIR/out" |
    grep -qE " ${p95}[0-9.]* .* ${max}[0-9.]*$"
}

@test "tables are 80 columns wide, with the name first" {
  local long
  long=$(printf 'https://shop.test/%060d' 7)
  { point http_reqs 1 '"name":"'"$long"'","method":"GET","status":"200"'
    point http_reqs 1 '"name":"/für/"'
    declare_metric huge trend default
    for v in 1e30 123456789.5 -123456789.5 2; do point huge "$v"; done
    declare_metric sum counter default; point sum 1.5e20
    point checks 1 '"check":"ok"'; } >"$BATS_TEST_TMPDIR/in"
  for locale in C C.UTF-8; do
    LC_ALL=$locale k6agg --summary --threshold 'sum=count>1' \
      "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
    cat "$BATS_TEST_TMPDIR/out"
    # but for a name that is longer itself, and has a line of its own
    python3 - "$BATS_TEST_TMPDIR/out" "GET 200 $long" <<'P'
import re, sys
lines = open(sys.argv[1], encoding="utf-8").read().split("\n")
assert [l for l in lines if len(l) > 80] == [sys.argv[2]]
rows = [l for l in lines if re.match("(all|/für/|check|sum|huge|ok) ", l)]
assert len(rows) == 6 and {len(r) for r in rows} == {80}, rows
P
  done
}

@test "no input is a failure, input without samples has a summary" {
  for form in --summary --json; do
    capture k6agg $form /dev/null
    [ "$status" -eq 1 ]
    [ "$err" = 'k6agg: the input is empty: there is nothing to sum up' ]
    [ -z "$out" ]
  done
  declare_metric n counter data >"$BATS_TEST_TMPDIR/in"
  capture k6agg --summary "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  [ "$out" = "no samples" ]
  capture k6agg --json "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  [ "$(jq -c '[.requests.count, .by, .metrics, .checks, has("start")]' \
    "$BATS_TEST_TMPDIR/out")" = '[0,[],{},[],false]' ]
}

@test "names cannot steer the terminal, nor make lines of their own" {
  { point http_reqs 1 '"name":"a\u001b[31m\nb\u009b","method":"\u0007"'
    point checks 1 '"check":"x\r\u202ey"'; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg --summary "$BATS_TEST_TMPDIR/in"
  grep -qF '\x07 a\x1b[31m\x0ab\x9b' "$BATS_TEST_TMPDIR/out"
  grep -qF 'x\x0d\u{202e}y' "$BATS_TEST_TMPDIR/out"
}

@test "past --max-series requests share one row, and all are counted" {
  awk 'BEGIN { for (i = 0; i < 30000; i++) printf "{\"metric\":\"http_reqs\"," \
    "\"type\":\"Point\",\"data\":{\"time\":\"2026-01-01T00:00:00Z\"," \
    "\"value\":1,\"tags\":{\"name\":\"/%d\"}}}\n", i % 25000 }' \
    >"$BATS_TEST_TMPDIR/in"
  capture k6agg --json --max-series 10 "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  [ "$(grep -c . "$BATS_TEST_TMPDIR/err")" -eq 1 ]
  [[ $err == "k6agg: more than 10 "*"__other__"* ]]
  [ "$(jq -c '[.requests.count, (.by | length), .by[0].name,
    .by[0].count]' "$BATS_TEST_TMPDIR/out")" = '[30000,11,"__other__",29980]' ]
  # Without the cap each has its row, also when tag sets are forgotten.
  k6agg --json "$BATS_TEST_TMPDIR/in" | jq -e '.requests.count == 30000 and
    (.by | length) == 25000 and .by[0].count == 2'
}

@test "bad lines and missing files leave a summary of the rest" {
  { point vus 1; echo '{"metric":'; point vus 3; } >"$BATS_TEST_TMPDIR/in"
  capture k6agg --json "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/none"
  [ "$status" -eq 1 ]
  [[ $err == *"/in:2: "*"/none: No such file"* ]]
  [ "$(jq -c '[.metrics.vus.max, .skipped]' "$BATS_TEST_TMPDIR/out")" = \
    '[3,1]' ]
}

@test "a signal ends the reading, not the summary" {
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  k6agg --json <"$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/out" 3>&- &
  pid=$!
  exec 8>"$BATS_TEST_TMPDIR/fifo"
  point vus 1 >&8
  taken() {
    local left
    left=$(perl -e 'my $n = pack "i", 0; ioctl STDIN, 0x541b, $n;
      print unpack "i", $n' <"$BATS_TEST_TMPDIR/fifo" 8>&-)
    [ "$left" -eq 0 ]
  }
  retry 5 taken
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  exec 8>&-
  [ "$status" -eq 105 ]
  [ "$(jq .metrics.vus.value "$BATS_TEST_TMPDIR/out")" -eq 1 ]
}

# bats test_tags=slow
@test "percentiles of folded data are as far off as k6agg(1) says" {
  "$root/tests/tools/percentiles.py" >"$BATS_TEST_TMPDIR/table"
  sed -n '/^\.Bd -literal$/,/^\.Ed$/p' "$root/man/k6agg.1" |
    sed -n '/p99\.9$/,/^heavy/p' >"$BATS_TEST_TMPDIR/told"
  diff "$BATS_TEST_TMPDIR/told" "$BATS_TEST_TMPDIR/table"
}

@test "a summary of any size that a full disk does not take is a failure" {
  for n in 1 3000; do
    for i in $(seq $n); do
      echo "{\"metric\":\"m$i\",\"type\":\"Point\",\"data\":{\"time\":\"2026-01-01T00:00:00Z\",\"value\":1}}"
    done >"$BATS_TEST_TMPDIR/in"
    for form in --json --summary; do
      status=0
      k6agg $form "$BATS_TEST_TMPDIR/in" >/dev/full \
        2>"$BATS_TEST_TMPDIR/err" || status=$?
      [ "$status" -eq 1 ]
      grep -F 'stdout: No space left on device' "$BATS_TEST_TMPDIR/err"
    done
  done
}

@test "percentiles of a trend hold below 0 too" {
  { declare_metric drift trend default
    for i in $(seq -100 99); do
      point drift "$i"
    done; } >"$BATS_TEST_TMPDIR/in"
  k6agg --json "$BATS_TEST_TMPDIR/in" | jq -e '.metrics.drift |
    .min == -100 and .max == 99 and .count == 200 and
    (.p50 | -0.6 < . and . < -0.4) and (.p90 | 79 < . and . < 79.7)'
}

@test "names that differ behind a NUL stay apart" {
  { point 'm\u0000a' 1; point 'm\u0000b' 2; point m 3
    point checks 1 '"check":"c\u0000a"'; point checks 0 '"check":"c\u0000b"'
  } >"$BATS_TEST_TMPDIR/in"
  k6agg --json "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
  [ "$(jq '(.metrics | length), (.checks | length)' "$BATS_TEST_TMPDIR/out" |
    xargs)" = "$(k6agg "$BATS_TEST_TMPDIR/in" | jq -r 'select(.metric !=
    "checks").metric' | sort -u | wc -l) 2" ]
}

@test "out of memory is reported, even without memory for the message" {
  sanitized && skip "sanitizers take memory of their own"
  stream() { awk 'BEGIN { for (i = 0; i < 300000; i++)
    printf "{\"metric\":\"http_reqs\",\"type\":\"Point\",\"data\":{" \
      "\"time\":\"2026-01-01T00:00:00Z\",\"value\":1,\"tags\":{\"name\":\"%d\"}}}\n", i
  }'; }
  stream >"$BATS_TEST_TMPDIR/in"
  for kb in 40000 60000 80000 100000; do
    status=0
    (ulimit -v $kb; exec "$bin/k6agg" --json --max-series 1000000 \
      "$BATS_TEST_TMPDIR/in") >"$BATS_TEST_TMPDIR/out" \
      2>"$BATS_TEST_TMPDIR/err" || status=$?
    [ "$status" -eq 1 ]
    grep -q '^k6agg: out of memory' "$BATS_TEST_TMPDIR/err"
  done
}

@test "the duration is exact to the nanosecond" {
  { time=2026-11-22T10:44:00Z point m 1
    time=2026-11-22T10:44:09.009000001Z point m 1; } >"$BATS_TEST_TMPDIR/in"
  [ "$(k6agg --json "$BATS_TEST_TMPDIR/in" |
    grep -o '"duration":[^,]*')" = '"duration":9.009000001' ]
}
