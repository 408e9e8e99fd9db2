#!/usr/bin/env bats
# pipeline: the tools joined by pipes, as the README shows them.

load helpers

setup() {
  server=
}

teardown() {
  stop_server || true
  stop_nginx
}

small_target() {
  start_nginx <<'EOF'
location = / { return 200 "hello\n"; }
location = /gone { return 404; }
location = /old { return 302 /; }
EOF
}

# What jq counts in a corpus, in the order of api_totals.
jq_totals() {
  jq -nc 'reduce (inputs | select(.type == "Point")) as $p ({};
      .[$p.metric] += $p.data.value) |
    [.http_reqs, .http_req_failed // 0, .iterations, .data_sent,
     .data_received]'
}

api_totals() {
  api "runs/$1" '.totals | [.http_reqs, .http_req_failed, .iterations,
    .data_sent, .data_received] | tostring'
}

# check_corpus NAME: through k6agg and without it, the server has what jq
# counts, and the same percentiles.
check_corpus() {
  start_server
  corpus "$1" | k6agg -q -p 3s | k6push -q 2>"$BATS_TEST_TMPDIR/err"
  corpus "$1" | k6push -q 2>>"$BATS_TEST_TMPDIR/err"
  cat "$BATS_TEST_TMPDIR/err"
  [ "$(grep -c ', 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err")" -eq 2 ]
  want=$(corpus "$1" | jq_totals)
  echo "jq: $want"
  [ "$(api_totals 1)" = "$want" ]
  [ "$(api_totals 2)" = "$want" ]
  exact=$(corpus "$1" | jq -n '[inputs | select(.type == "Point" and
    .metric == "http_req_duration").data.value] | sort |
    ((length - 1) * 0.95) as $i | .[$i | floor] +
    (.[$i | ceil] - .[$i | floor]) * ($i - ($i | floor))')
  for run in 1 2; do
    p95=$(api runs/$run .totals.http_req_duration.p95)
    echo "run $run: p95 $p95, exact $exact"
    jq -ne "($p95 / $exact - 1) | fabs <= 0.008"
  done
}

@test "the small corpus arrives whole, folded or not" {
  check_corpus small
}

@test "the rich corpus arrives whole, folded or not" {
  check_corpus rich
}

# bats test_tags=slow
@test "the medium corpus arrives whole, folded or not" {
  check_corpus medium
}

# bats test_tags=threads
@test "an excerpt of real k6 output arrives whole, folded or not" {
  start_server
  small=$root/tests/data/small.ndjson
  k6agg -q -p 3s "$small" | k6push -q 2>/dev/null
  k6push -q <"$small" 2>/dev/null
  want=$(jq_totals <"$small")
  [ "$(api_totals 1)" = "$want" ]
  [ "$(api_totals 2)" = "$want" ]
}

# bats test_tags=threads
@test "a load test goes through all tools: made = stored = served" {
  nginx_format='$status'
  start_server
  small_target
  k6gen -q -u 5 -i 500 --think-time 10ms "$target/" "$target/gone" \
    "$target/old" |
    k6agg -p 1s | k6push >"$BATS_TEST_TMPDIR/push" 2>&1
  cat "$BATS_TEST_TMPDIR/push"
  logged
  served=$(wc -l <"$nginx_log")
  [ "$served" -eq 2000 ]
  grep -F "$served made = $served stored, 0 lost, 0 twice" \
    "$BATS_TEST_TMPDIR/push"
  [ "$(api runs/1 .totals.http_reqs)" = "$served" ]
  [ "$(api runs/1 .totals.http_req_failed)" = "$(grep -c 404 "$nginx_log")" ]
  [ "$(api runs/1 .state)" = Finished ]
}

# bats test_tags=threads,slow
@test "Ctrl-C on the pipeline: Aborted by User, nothing lost, nobody left" {
  nginx_format='$status'
  start_server
  small_target
  # A session of its own stands for the terminal's foreground group.
  setsid bash -c \
    "k6gen -q -u 3 -d 60s --think-time 5ms $target/ | k6agg -q -p 1s |
    k6push -q 2>$BATS_TEST_TMPDIR/push" 3>&- &
  group=$!
  retry 10 bash -c \
    "curl -sS $url/api/v1/runs | jq -e '.[0].totals.http_reqs > 0'"
  kill -INT -- "-$group"
  wait "$group" || true
  cat "$BATS_TEST_TMPDIR/push"
  logged
  served=$(wc -l <"$nginx_log")
  grep -E "$served made = $served stored, 0 lost, 0 twice" \
    "$BATS_TEST_TMPDIR/push"
  [ "$(api runs/1 .state)" = 'Aborted by User' ]
  [ "$(api runs/1 .totals.http_reqs)" = "$served" ]
  retry 5 bash -c "! pgrep -g $group"
}

# bats test_tags=threads,slow
@test "the terminal is gone, as told thrice: nothing lost, nobody left" {
  nginx_format='$status'
  start_server
  small_target
  setsid bash -c \
    "k6gen -u 3 -d 60s --think-time 5ms $target/ | k6agg -p 1s | k6push" \
    >"$BATS_TEST_TMPDIR/push" 2>&1 3>&- &
  group=$!
  retry 10 bash -c \
    "curl -sS $url/api/v1/runs | jq -e '.[0].totals.http_reqs > 0'"
  # Not at once: of two that are pending the kernel makes one.
  kill -HUP -- "-$group"
  sleep 0.05
  kill -HUP -- "-$group" 2>/dev/null || true
  sleep 0.05
  kill -HUP -- "-$group" 2>/dev/null || true
  retry 20 bash -c "! pgrep -g $group"
  cat "$BATS_TEST_TMPDIR/push"
  logged
  served=$(wc -l <"$nginx_log")
  grep -E "$served made = $served stored, 0 lost, 0 twice" \
    "$BATS_TEST_TMPDIR/push"
  [ "$(api runs/1 .state)" = 'Aborted by User' ]
  [ "$(api runs/1 .totals.http_reqs)" = "$served" ]
}

# bats test_tags=slow
@test "nohup: a hangup ends none of them" {
  start_server
  small_target
  nohup setsid bash -c "k6gen -q -u 1 -i 400 --think-time 20ms $target/ |
    k6agg -q -p 1s | k6push -q" >"$BATS_TEST_TMPDIR/push" 2>&1 3>&- &
  group=$!
  retry 10 bash -c \
    "curl -sS $url/api/v1/runs | jq -e '.[0].totals.iterations > 0'"
  kill -HUP -- "-$group"
  wait "$group"
  [ "$(api runs/1 .state)" = Finished ]
  [ "$(api runs/1 .totals.http_reqs)" = 400 ]
}

# bats test_tags=threads,slow
@test "a generator that is killed: the run is aborted, what came is stored" {
  start_server
  small_target
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  k6gen -q -u 2 -d 60s --think-time 5ms "$target/" \
    >"$BATS_TEST_TMPDIR/pipe" 3>&- &
  gen=$!
  k6agg -q -p 1s <"$BATS_TEST_TMPDIR/pipe" 2>/dev/null 3>&- |
    k6push -q 2>"$BATS_TEST_TMPDIR/push" 3>&- &
  push=$!
  retry 10 bash -c \
    "curl -sS $url/api/v1/runs | jq -e '.[0].totals.http_reqs > 0'"
  kill_now "$gen"
  code=0
  wait "$push" || code=$?
  cat "$BATS_TEST_TMPDIR/push"
  [ "$code" -eq 1 ]
  grep -F 'the stream was cut' "$BATS_TEST_TMPDIR/push"
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
}

@test "two streams joined by cat are one run with the sum of both" {
  start_server
  small_target
  for i in 1 2; do
    k6gen -q -i 20 "$target/" >"$BATS_TEST_TMPDIR/$i" 2>/dev/null
  done
  cat "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2" |
    k6agg -q -p 1s --min-samples 2 >"$BATS_TEST_TMPDIR/both"
  capture k6push -q "$BATS_TEST_TMPDIR/both"
  [ "$status" -eq 0 ]
  grep -F '40 made = 40 stored, 0 lost, 0 twice' <<<"$err"
  [ "$(api runs/1 .totals.iterations)" = 40 ]
}

@test "pipes with O_NONBLOCK, which a parent has set, are waited for" {
  cd "$BATS_TEST_TMPDIR"
  stream 3000 0 >lines
  for tool in 'k6agg -q' 'k6push --dry-run'; do
    $tool <lines >want
    # shellcheck disable=SC2086 # a list of words
    python3 "$tools/unready.py" in $tool <lines >got
    cmp want got
    # shellcheck disable=SC2086 # a list of words
    python3 "$tools/unready.py" out $tool <lines >got
    cmp want got
  done
  [ "$(wc -c <got)" -gt 65536 ] # more than the pipe holds
  # all requests fail, and their lines arrive whole
  capture python3 "$tools/unready.py" out k6gen -q -i 3000 -u 2 \
    http://127.0.0.1:1/
  [ "$(jq -s 'map(select(.metric == "http_reqs" and .type == "Point")) |
    length' out)" -eq 3000 ]
}

@test "jq programs for k6's output work on k6gen's" {
  small_target
  k6gen -q -i 10 "$target/" "$target/gone" >"$BATS_TEST_TMPDIR/o" 2>/dev/null
  cd "$BATS_TEST_TMPDIR"
  # Those of k6's documentation, and of its users.
  [ "$(jq -c 'select(.type == "Point" and .metric == "http_req_duration" and
    .data.tags.status >= "200")' o | jq .data.value | jq -s length)" = 20 ]
  jq 'select(.type == "Point" and .metric == "http_req_duration" and
    .data.tags.status >= "200") | .data.value' o | jq -se 'add / length > 0'
  jq 'select(.type == "Point" and .metric == "http_req_duration") |
    .data.value' o | jq -se min
  [ "$(jq -s 'map(select(.metric == "http_req_failed" and .type == "Point") |
    .data.value) | add' o)" = 10 ]
  [ "$(jq -rs 'map(select(.type == "Metric") | .data.name) | sort |
    unique | length' o)" -ge 13 ]
}

@test "k6gen's lines have the members and the tags of k6's" {
  small_target
  k6gen -q -i 2 -u 1 "$target/" >"$BATS_TEST_TMPDIR/o" 2>/dev/null
  # schedule_lag is ours, and only there if k6gen itself was late.
  shape='select(.type == "Point" and .metric != "schedule_lag" and
    (.metric | startswith("vus") | not)) |
    [.metric, (keys | tostring), (.data | keys | tostring),
    (.data.tags | keys | tostring)] | join(" ")'
  jq -r "$shape" "$BATS_TEST_TMPDIR/o" | sort -u >"$BATS_TEST_TMPDIR/ours"
  jq -r "$shape" "$root/tests/data/small.ndjson" | sort -u \
    >"$BATS_TEST_TMPDIR/theirs"
  diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
  shape='select(.type == "Metric") | [.metric, .data.type, .data.contains,
    (.data | keys | tostring)] | join(" ")'
  jq -r "$shape" "$BATS_TEST_TMPDIR/o" | sort -u >"$BATS_TEST_TMPDIR/ours"
  jq -r "$shape" "$root/tests/data/small.ndjson" | sort -u \
    >"$BATS_TEST_TMPDIR/theirs"
  run comm -23 "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
  echo "$output"
  [ -z "$output" ]
}

# bats test_tags=slow
@test "no tool leaks memory in a full run" {
  command -v valgrind >/dev/null || skip 'no valgrind'
  ! sanitized ||
    skip 'valgrind does not run sanitized programs; these check for leaks'
  cd "$BATS_TEST_TMPDIR"
  grind() {
    local name=$1
    shift
    valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
      --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=9 \
      --log-file="$name.grind" "$bin/$name" "$@"
  }
  grind k6serve --listen 127.0.0.1:0 --db db >url 2>/dev/null 3>&- &
  serve=$!
  retry 300 grep -q http url
  url=$(head -n 1 url)
  small_target
  export K6_CLOUD_HOST=$url
  K6_CLOUD_TOKEN=$(grind k6serve token add x --db db)
  export K6_CLOUD_TOKEN
  grind k6login --token "$K6_CLOUD_TOKEN" --check
  grind k6login --show
  grind k6gen -q -u 2 -i 20 "$target/" "$target/old" "http://127.0.0.1:1/" >o
  grind k6agg -p 1s --min-samples 2 o >folded
  grind k6push -q folded
  curl -sf "$url/api/v1/runs/1/urls" >/dev/null
  curl -sf "$url/runs/1" >/dev/null
  pkill -TERM -P "$serve"
  code=0
  wait "$serve" || code=$?
  tail -n 40 ./*.grind
  [ "$code" -eq 0 ]
  # Lines of its own (--) tell of system calls newer than this valgrind.
  run grep -hv '^--' ./*.grind
  [ "$status" -eq 1 ]
}

# Raw as k6 writes it, with the head and tail of a generator, and cut, when
# k6push says so and ends with 1.
@test "what k6agg drops on purpose is not lost, of any stream, in any mode" {
  cd "$BATS_TEST_TMPDIR"
  start_server
  { requests 5; request 1 20 /health; } >raw
  { echo '{"type":"Start","data":{"name":"x"}}'; cat raw; } >"cut"
  { cat cut; echo '{"type":"End","data":{"run_status":3,"points":54,'\
'"requests":6}}'; } >whole
  for input in raw whole cut; do
    for mode in "" "-p 3s --min-samples 2" -m; do
      echo "$input $mode"
      codes=0
      # shellcheck disable=SC2086
      k6agg -q $mode --drop 'name=~health' $input | k6push 2>err ||
        codes="${PIPESTATUS[*]}"
      cat err
      [ "$codes" = "$([ $input = cut ] && echo '0 1' || echo 0)" ]
      grep -F '6 made = 5 stored + 1 dropped, 0 lost, 0 twice' err
      [ $input != cut ] || grep -F 'the stream was cut' err
    done
  done
}
