#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg --merge: streams of several machines, folded or not, become one that
# says the same as all of them.

load ../helpers

totals=$root/tests/tools/totals.py
cases=$root/tests/golden/k6agg

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# deal FILE N: its requests one by one to N files part.0 ...: as N machines
# would have made them in the same seconds.
deal() {
  awk -v n="$2" '/"metric":"http_reqs","type":"Point"/ { i = (i + 1) % n }
    { print >("part." (i + 0)) }' "$1"
}

# same_totals WANT GOT: streams that say the same of each bucket and tag set.
same_totals() {
  [ "$1.totals" -nt "$1" ] || "$totals" <"$1" >"$1.totals"
  [ -s "$1.totals" ]
  "$totals" <"$2" >totals.got
  diff "$1.totals" totals.got >totals.diff ||
    { cut -c1-300 totals.diff | head -n 20; return 1; }
}

# some CORPUS: a part of it that has many requests of the same tags.
some() {
  corpus "$1" >in
}

# bats test_tags=slow,long
@test "merge(agg A, agg B) says what agg(A then B) says, one after the other" {
  some rich
  for set in "-p 3s --min-samples 20" "-p 1s -w 1h --min-samples 5"; do
    echo "== $set"
    read -ra fold <<<"$set"
    awk -v n="$(wc -l <in)" '{ print >(NR < n / 2 ? "a" : "b") }' in
    k6agg -q "${fold[@]}" in >all
    k6agg -q "${fold[@]}" a >agg.a
    k6agg -q "${fold[@]}" b >agg.b
    k6agg -q -m "${fold[0]}" "${fold[1]}" agg.a agg.b >merged 2>err
    same_totals in all
    same_totals in merged
    k6agg -q -m agg.b agg.a >merged
    same_totals in merged
    cat agg.b agg.a | k6agg -q -m >merged
    same_totals in merged
  done
}

# bats test_tags=slow,long
@test "merge(agg A, agg B, agg C) of the same seconds, in any order of files" {
  some rich
  deal in 3
  for i in 0 1 2; do
    k6agg -q -p 3s -w "$((i * 20 + 5))s" --min-samples "$((i * 10 + 1))" \
      "part.$i" >"agg.$i"
  done
  for order in "0 1 2" "2 0 1"; do
    read -ra i <<<"$order"
    files=("agg.${i[0]}" "agg.${i[1]}" "agg.${i[2]}")
    for words in "" "-p 3s --min-samples 5" "-p 1s"; do
      # shellcheck disable=SC2086
      k6agg -m $words "${files[@]}" >merged 2>err
      same_totals in merged
      check_books merged err "$(made in)"
      # Of a bucket and a tag set there is one aggregate.
      jq -c 'select(.type == "AggregatedPoints").data |
        [.time, .period, .tags]' merged | sort | uniq -d >twice
      [ ! -s twice ]
      grep '"AggregatedPoints"' merged >"aggregates.${words:0:5}"
      [ ! -e "first.${words:0:5}" ] ||
        cmp "first.${words:0:5}" "aggregates.${words:0:5}"
      mv "aggregates.${words:0:5}" "first.${words:0:5}"
    done
    cat "${files[@]}" | k6agg -m >merged 2>err
    same_totals in merged
    check_books merged err "$(made in)"
  done
}

@test "raw files are folded side by side, as one stream sorted by time" {
  some rich
  deal in 3
  fold=(-p 3s --min-samples 20)
  k6agg "${fold[@]}" in 2>want.err | grep -v '"type":"End"' | sort >want
  for files in "part.0 part.1 part.2" "part.2 part.0 part.1"; do
    read -ra f <<<"$files"
    # VUs get the number of their file; they are of one generator here.
    k6agg -m "${fold[@]}" "${f[@]}" 2>err | grep -v '"type":"End"' |
      sed 's/"instance":"[123]",\{0,1\}//' | sort >got
    cmp want got
    # The Metric lines are in one part only.
    grep -v "without a Metric line before them" err | diff want.err -
  done
}

@test "raw, folded and unknown lines in one merge" {
  some small
  deal in 2
  k6agg -q -p 3s --min-samples 5 part.1 >agg.1
  { cat part.0; echo '{"type":"Note"}'; } >part.note
  k6agg -m -p 3s --min-samples 5 part.note agg.1 >merged 2>err
  same_totals in merged
  check_books merged err "$(made in)"
  grep -qx '{"type":"Note"}' merged
}

# bats test_tags=slow,long
@test "what one folding let pass is not folded by the next" {
  { requests 200; for i in $(seq 40); do
      request "1.$((i + 100))" 900; done; } >a
  requests 200 >b
  # 900 is far off where 10 is usual: 40 outliers, enough for a group.
  k6agg -q -p 3s --min-samples 30 a >agg.a
  [ "$(made agg.a)" -eq 40 ]
  k6agg -q -m -p 3s --min-samples 30 agg.a b >merged
  [ "$(made merged)" -eq 40 ]
  grep -v '"AggregatedPoints"\|"End"' agg.a |
    cmp - <(grep -v '"AggregatedPoints"\|"End"' merged)
  [ "$(jq 'select(.type == "AggregatedPoints").data.count' merged)" -eq 400 ]
  # The same, come as raw, are folded with each other.
  k6agg -q -p 3s --min-samples 30 \
    <(grep -v '"AggregatedPoints"' agg.a) >alone
  [ "$(made alone)" -eq 0 ]
}

@test "too few in each stream, enough in all: folded" {
  requests 60 >a
  requests 60 >b
  for file in a b; do k6agg -q -p 3s "$file" >"agg.$file"; done
  [ "$(made agg.a)" -eq 60 ]
  capture k6agg -m -p 3s agg.a agg.b
  [[ $err == *"120 requests in = 120 folded into 1 aggregates + 0 passed"* ]]
}

@test "aggregates of another period stay apart" {
  requests 10 >a
  { k6agg -q -p 3s --min-samples 1 a; k6agg -q -p 1s --min-samples 1 a; } >in
  capture k6agg -m in in
  [ "$(jq -c 'select(.type == "AggregatedPoints").data |
    [.period, .count]' out | tr -d '\n')" = '["1s",20]["3s",20]' ]
}

@test "headers pass, trailers become one" {
  start='{"type":"Start","data":{"time":"2026-01-01T00:00:00Z"}}'
  end='{"type":"End","data":{"time":"2026-01-01T00:00:09Z","run_status":%s,'
  end="$end\"exit_code\":%s,\"points\":9,\"requests\":1}}\n"
  # shellcheck disable=SC2059
  { echo "$start"; request 1 10; printf "$end" 3 0; } >a
  # shellcheck disable=SC2059
  { echo "$start"; request 1 10; printf "$end" 5 105; } >b
  capture k6agg -m a b
  [ "$status" -eq 0 ]
  [ "$(grep -c '"Start"' out)" -eq 2 ]
  [ "$(jq -c 'select(.type == "End").data | [.state, .exit_code, .streams,
    .points, .requests, .folded, .passed]' out)" = \
    '["Aborted by User",105,2,18,2,0,2]' ]
  # One of them was cut, and so is the whole.
  sed "\$d" b >tailless
  capture k6agg -m a tailless
  [[ $err == *"the stream was cut"* ]]
  run grep -c '"End"' out
  [ "$output" = 0 ]
}

@test "of several files the one that was cut is named" {
  start='{"type":"Start","data":{"time":"2026-01-01T00:00:00Z"}}'
  end='{"type":"End","data":{"time":"2026-01-01T00:00:09Z","run_status":3,'
  end="$end\"exit_code\":0,\"points\":9,\"requests\":1}}"
  { echo "$start"; request 1 10; echo "$end"; } >whole
  cp whole other
  { echo "$start"; request 1 10; } >tailless
  { request 1 10; echo "$end"; } >headless
  for options in '' '-p 3s' -m --summary; do
    for files in 'tailless whole other' 'whole tailless other' \
      'whole other tailless'; do
      # shellcheck disable=SC2086 # words
      capture k6agg $options $files
      grep -Fx 'k6agg: tailless: the stream was cut: a Start line has no End line' \
        <<<"$err"
      # shellcheck disable=SC2086 # words
      capture k6agg $options ${files/tailless/headless}
      grep -Fx 'k6agg: headless: the stream was cut: an End line has no Start line' \
        <<<"$err"
      # shellcheck disable=SC2086 # words
      capture k6push --dry-run $files
      grep -Fx 'k6push: tailless: the stream was cut: a Start line has no End line' \
        <<<"$err"
    done
  done
  # A stream in two files is whole.
  head -n 1 whole >first.part
  sed 1d whole >last.part
  capture k6agg first.part last.part
  [ -z "$err" ]
  # What is missing may be of any file.
  sed '/http_reqs/d' whole >gap
  capture k6agg --summary gap whole
  grep -Fx 'k6agg: the input: 1 of 2 requests that the End line counts is missing' \
    <<<"$err"
}

@test "a stream without histograms merges to one without" {
  requests 10 | k6agg -q -p 3s --min-samples 1 >a
  jq -c 'del(.data.values[]?.hist)' a >bare
  capture k6agg -m a bare a
  [ "$(jq -c 'select(.type == "AggregatedPoints").data | [.count,
    (.values.http_req_duration | [.min, .max, .avg, has("hist")])]' out)" = \
    '[30,[10,10,10,false]]' ]
}

@test "one that cannot be read is missing, the rest is merged" {
  requests 10 | k6agg -q -p 3s --min-samples 1 >a
  capture k6agg -m a none a
  [ "$status" -eq 1 ]
  [[ $err == *"k6agg: none: No such file or directory"* ]]
  [[ $err == *"20 requests in = 20 folded into 1 aggregates"* ]]
  [ "$(tail -n 1 out | jq .data.run_status)" -eq 6 ]
}

@test "memory is that of the aggregates, not of the requests" {
  requests 100 >second
  for half in 0 1; do
    awk -v half="$half" '{ line[NR] = $0 } END { for (s = 0; s < 150; s++)
      for (i = 1; i <= NR; i++) {
        text = line[i]
        sub(/T00:00:00/, sprintf("T00:%02d:%02d", s / 60, s % 60), text)
        print text } }' second >"part.$half"
  done
  within_kb 60000 k6agg -q -m -p 1s --min-samples 5 part.0 part.1 >got
  [ "$(tail -n 1 got | jq .data.folded)" -eq 30000 ]
  [ "$(grep -c '"AggregatedPoints"' got)" -eq 150 ]
  # One behind the other, in a pipe.
  cat part.0 part.1 | within_kb 60000 k6agg -q -m -p 1s --min-samples 5 >got
  [ "$(tail -n 1 got | jq .data.folded)" -eq 30000 ]
  [ "$(grep -c '"AggregatedPoints"' got)" -eq 150 ]
}

@test "pipes are merged as they come to the same time" {
  requests 10 >a
  requests 10 60 >later
  capture k6agg -m -p 3s --min-samples 1 <(cat a; sleep 0.3; cat later) \
    <(sleep 0.2; cat a later)
  [[ $err == *"40 requests in = 40 folded into 2 aggregates + 0 passed"* ]]
}

# bats test_tags=slow
@test "without a period requests of several files stay whole" {
  for i in 0 1 2; do
    corpus rich | grep '"type":"Point"' |
      awk -v i=$i '/"metric":"http_reqs"/ { n++ } n % 3 == i' \
        >"$BATS_TEST_TMPDIR/$i"
  done
  cd "$BATS_TEST_TMPDIR"
  cat 0 1 2 | k6push --dry-run 2>/dev/null | jq -r .metric | sort |
    uniq -c >want
  k6agg -q -m 0 1 2 | k6push --dry-run 2>/dev/null | jq -r .metric | sort |
    uniq -c >got
  diff want got
  # and the trailer has the latest time
  last=$(cat 0 1 2 | jq -r .data.time | sort | tail -n 1)
  k6agg -q -m 0 1 2 | tail -n 1 | jq -e --arg t "$last" '.data.time == $t'
}

@test "stdin cannot be merged with itself" {
  capture k6agg -m - - </dev/null
  [ "$status" -eq 2 ]
  [[ $err == *'stdin (-) can be merged only once'* ]]
  capture k6agg - - </dev/null
  [ "$status" -eq 0 ]
}
