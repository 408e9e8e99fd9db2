#!/usr/bin/env bats
# shellcheck disable=SC2154 # prom and the like come from rw.bash
# Prometheus remote write, to a real Prometheus and a real VictoriaMetrics: what
# they store is asked back.

# bats file_tags=threads
load ../helpers
load rw

# verified_is JSON COUNT: what the result file says of --verify.
verified_is() {
  run jq -c '[has("verified"), .verified, .requests.verified]' \
    "$BATS_TEST_TMPDIR/result"
  echo "verified: $output"
  [ "$output" = "[true,$1,$2]" ]
}

@test "an excerpt of k6 is stored with its counts, labels and histograms" {
  capture rw --instance g --result "$BATS_TEST_TMPDIR/result" "$small"
  [ "$status" -eq 0 ]
  run jq -c '[.run_id, .instance, .state, .exit_status, .journal,
    .samples.acknowledged, .requests.made, .requests.stored]' \
    "$BATS_TEST_TMPDIR/result"
  [ "$output" = \
    "[\"$id\",\"g\",\"Finished\",0,null,$points,$reqs,$reqs]" ]
  verified_is null null
  grep -q "read=$points acknowledged=$points on_disk=0 quarantined=0" <<<"$err"
  grep -q "$reqs made = $reqs stored, 0 lost, 0 twice" <<<"$err"
  stored_is "$prom" k6_http_reqs_total "$reqs"
  run ask "$prom" "max_over_time(histogram_count(sum(
    k6_http_req_duration_seconds{testid=\"$id\",instance=\"g\"}))[5m:1s])"
  [ "$output" = "$reqs" ]
  run ask "$prom" "k6_http_reqs_total{testid=\"$id\"}"
  [ -z "$output" ] # it was marked as ended
  [ -z "$(ls "$journals")" ]
}

@test "counters begin with a 0, so that increase() has the first values" {
  time=$(($(date +%s) - 30)) counts 3 7 | rw -q
  run ask "$prom" "sum(increase(k6_c_total{testid=\"$id\"}[5m]))"
  echo "increase: $output"
  [ "${output%.*}" -ge 21 ]
}

@test "a run that nothing takes is delivered later, with the same bytes" {
  export K6_PROMETHEUS_RW_SERVER_URL=http://127.0.0.1:1/
  capture rw --drain 1s "$small"
  [ "$status" -eq 75 ]
  grep -q "0 acknowledged\|acknowledged=0 on_disk=$points" <<<"$err"
  capture k6push --list "$journals"
  grep -q "waiting.*$id.*$points samples" <<<"$out"
  capture k6push --resume --rw-url "$prom/api/v1/write" "$journals"
  [ "$status" -eq 0 ]
  stored_is "$prom" k6_http_reqs_total "$reqs"
}

teardown() {
  [ -z "${disk:-}" ] || umount -l "$disk" 2>/dev/null || true
}

# pieces N: that many lines are in an open file of the journal.
pieces() {
  [ "$(cat "$journals"/*/open.* 2>/dev/null | grep -ac '"type":"Point"')" \
    -ge "$1" ]
}

# read_twice: a pusher, $pid, has sent 40 values, and has read 40 more.
read_twice() {
  # Only the stream's time cuts a batch.
  export K6_PROMETHEUS_RW_PUSH_INTERVAL=1m
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  k6push "${to_store[@]}" --testid "$id" --instance g --sync always \
    <"$BATS_TEST_TMPDIR/pipe" 3>&- 2>"$BATS_TEST_TMPDIR/err" &
  pid=$!
  exec 9>"$BATS_TEST_TMPDIR/pipe"
  counts 40 1 http_reqs >&9
  retry 20 pieces 40
  # A minute later the first batch is cut and sent; more is in pieces.
  time=$(date +%s) counts 40 1 http_reqs | sed 1d >&9
  retry 20 stored_is "$prom" k6_http_reqs_total 40
  retry 20 pieces 40
}

# resume_rest: what was read and not sent is stored, as an instance of its own.
resume_rest() {
  exec 9>&-
  capture k6push --resume --verify "$journals"
  [ "$status" -eq 1 ] # its run was cut short
  run ! grep -q refused <<<"$err"
  grep -qF '80 made = 80 stored, 0 lost, 0 twice' <<<"$err"
  stored_is "$prom" k6_http_reqs_total 80
  run ask "$prom" "sum by (instance) (
    last_over_time(k6_http_reqs_total{testid=\"$id\"}[1h]))" \
    '.data.result[] | .metric.instance + " " + .value[1]'
  [ "$(sort <<<"$output" | tr '\n' ,)" = 'g 40,g.rest-6 40,' ]
  [ -z "$(ls "$journals")" ]
}

@test "what was read before kill -9 is stored once, all of it" {
  read_twice
  kill_now "$pid"
  resume_rest
}

# bats test_tags=faults
@test "what was read before the power failed is stored once, all of it" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root'
  [ -e /dev/loop-control ] || skip 'no loop devices here'
  disk=$BATS_TEST_TMPDIR/disk journals=$BATS_TEST_TMPDIR/disk/journals
  to_store=(--out prometheus-rw --journal "$journals")
  truncate -s 32M "$disk.image"
  mkfs.ext4 -qF "$disk.image"
  mkdir "$disk"
  mount -o loop "$disk.image" "$disk"
  read_twice
  # EXT4_IOC_SHUTDOWN without a flush
  python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D,
            struct.pack("I", 2))' "$disk"
  kill_now "$pid"
  umount -l "$disk"
  retry 600 mount_again "$disk.image" "$disk"
  resume_rest
}

@test "what a receiver refuses stands alone, and all else is stored" {
  now=$(($(date +%s) - 360))
  time=$now counts 1 5 | rw -q --instance g
  # That of the run's end, of the same series, is later than all that follow.
  time=$((now + 350)) counts 1 5 | rw -q --instance g
  # The same series, the same time, another value: refused for good.
  time=$now counts 300 6 | rw --instance g 2>"$BATS_TEST_TMPDIR/err" && false
  cat "$BATS_TEST_TMPDIR/err"
  grep -q 'acknowledged=299 on_disk=0 quarantined=1' "$BATS_TEST_TMPDIR/err"
  grep -q 'duplicate sample\|out of order' "$BATS_TEST_TMPDIR/err"
  stored_is "$prom" k6_c_total $((5 + 299 * 6))
  # Its 0 at the begin, and its values.
  [ "$(find "$journals" -path '*/refused/*.rw' | wc -l)" -ge 2 ]
}

@test "equal samples again are no error, as after a lost answer" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  now=$(($(date +%s) - 60))
  for _ in 1 2; do
    time=$now counts 20 5 >"$BATS_TEST_TMPDIR/in"
    capture rw --instance g "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 0 ]
  done
  stored_is "$prom" k6_c_total 100
}

@test "runs that follow each other keep their own totals" {
  for run in a b; do
    id=$BATS_TEST_NUMBER$run
    counts 10 3 | rw -q --instance g
  done
  for run in a b; do
    id=$BATS_TEST_NUMBER$run
    stored_is "$prom" k6_c_total 30
  done
}

@test "names and labels that receivers keep as rubbish are made valid" {
  printf '%s\n' '{"metric":"my-m.x","type":"Point","data":{"time":'\
'"2026-01-01T00:00:00Z","value":1,"tags":{"a-b":"1","a_b":"2","9":"3",'\
'"e":"","vu":"7","iter":"8","instance":"theirs"}}}' >"$BATS_TEST_TMPDIR/in"
  capture rw --instance g --dry-run "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  run jq -c .labels "$BATS_TEST_TMPDIR/out"
  [ "${lines[0]}" = '{"_9":"3","__name__":"k6_my_m_x","a_b":"1",'\
'"instance":"g","testid":"'"$id"'"}' ]
}

@test "trends are k6's gauges where they are asked for" {
  export K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=false
  capture rw --dry-run "$small"
  grep -q '"k6_http_req_duration_p99"' <<<"$out"
  run ! grep -q '"schema"' <<<"$out"
  export K6_PROMETHEUS_RW_TREND_STATS='avg,med,p(99.9),count'
  capture rw -q "$small"
  [ "$status" -eq 0 ]
  stored_is "$prom" k6_http_req_duration_count "$reqs"
  for stat in avg med p999; do
    run stored "$prom" "k6_http_req_duration_$stat"
    [ -n "$output" ]
  done
  K6_PROMETHEUS_RW_TREND_STATS='p(101)' capture rw "$small"
  [ "$status" -eq 2 ]
}

@test "a receiver that is none is named before the first line is read" {
  for path in / /api/v1/query /no/such; do
    export K6_PROMETHEUS_RW_SERVER_URL=$prom$path
    capture rw /nonexistent/file
    [ "$status" -eq 1 ]
    grep -q 'is K6_PROMETHEUS_RW_SERVER_URL that of a' <<<"$err"
    run ! grep -q nonexistent/file <<<"$err"
  done
  export K6_PROMETHEUS_RW_SERVER_URL=$victoria/vmui
  capture rw "$small"
  [ "$status" -eq 1 ]
  K6_PROMETHEUS_RW_SERVER_URL=nonsense capture rw "$small"
  [ "$status" -eq 2 ]
}

@test "wrong settings are refused" {
  capture rw --rw-schema 9 "$small"
  [ "$status" -eq 2 ]
  capture rw --rw-form round "$small"
  [ "$status" -eq 2 ]
  capture k6push --out influx "$small"
  [ "$status" -eq 2 ]
  for tenant in 'a b' a/b .. "$(printf '%0151d' 0)"; do
    capture rw --tenant "$tenant" "$small"
    [ "$status" -eq 2 ]
    grep -q -- '--tenant: not a tenant: "' <<<"$err"
  done
  K6_PROMETHEUS_RW_SIGV4_REGION=x capture rw "$small"
  [ "$status" -eq 2 ]
  K6_PROMETHEUS_RW_HTTP_HEADERS=nocolon capture rw "$small"
  [ "$status" -eq 2 ]
}

@test "options of the store are none of the cloud, and the other way round" {
  for option in --rw-url --testid --tenant --rw-form --query-url; do
    capture k6push --journal "$journals" "$option" x "$small"
    [ "$status" -eq 2 ]
    grep -q -- "$option is for a metrics store.*--out prometheus-rw" <<<"$err"
  done
  # Variables are for those who use them.
  K6_PROMETHEUS_RW_TESTID=x k6push --dry-run "$small" >"$BATS_TEST_TMPDIR/out"
  for mode in --create '--finish 1'; do
    # shellcheck disable=SC2086 # option and value
    capture rw $mode
    [ "$status" -eq 2 ]
    grep -q 'a metrics store has none' <<<"$err"
  done
  # A journal of the cloud's stays one.
  capture k6push --host http://127.0.0.1:1 --drain 1s --journal "$journals" \
    "$small"
  [ "$status" -eq 75 ]
  capture k6push --out prometheus-rw --resume "$journals"
  [ "$status" -eq 2 ]
  grep -q 'its samples are for the cloud: --out does not' <<<"$err"
}

# bats test_tags=slow
@test "VictoriaMetrics is known by its answer, and gets ranges" {
  export K6_PROMETHEUS_RW_SERVER_URL=$victoria/api/v1/write
  capture rw "$small"
  [ "$status" -eq 0 ]
  retry 20 stored_is "$victoria" k6_http_reqs_total "$reqs"
  retry 20 stored_is "$victoria" k6_http_req_duration_seconds_count "$reqs"
  median=$(jq -s 'map(select(.metric == "http_req_duration" and
    .type == "Point").data.value) | sort | .[length / 2] / 1000' "$small")
  # It shows one series earlier than another.
  is_near() {
    run ask "$victoria" "histogram_quantile(0.5, sum(last_over_time(
      k6_http_req_duration_seconds_bucket{testid=\"$id\"}[1h])) by (vmrange))"
    echo "median $output, want $median"
    awk -v a="$output" -v b="$median" \
      'BEGIN { exit !(a > b * 0.87 && a < b * 1.15) }'
  }
  retry 20 is_near
}

@test "a Prometheus without native histograms gets classic buckets" {
  capture rw --rw-form classic "$small"
  [ "$status" -eq 0 ]
  run ask "$prom" "sum(last_over_time(
    k6_http_req_duration_seconds_bucket{testid=\"$id\",le=\"+Inf\"}[1h]))"
  [ "$output" = "$reqs" ]
  stored_is "$prom" k6_http_req_duration_seconds_count "$reqs"
}

# bats test_tags=slow
@test "--verify asks each store what it has, and the books say so" {
  for store in prom victoria; do
    capture rw --verify --result "$BATS_TEST_TMPDIR/result" \
      --rw-url "${!store}/api/v1/write" --instance 'g"\.+1' "$small"
    [ "$status" -eq 0 ]
    verified_is true "$reqs"
    grep -qF "$reqs made = $reqs stored, 0 lost, 0 twice, verified" <<<"$err"
  done
}

@test "--verify: with nothing sent there is nothing to ask for" {
  capture rw --verify /dev/null
  [ "$status" -eq 0 ]
  run ! grep -q 'does not say' <<<"$err"
  capture rw --verify /nonexistent/file
  [ "$status" -eq 1 ]
  capture rw --verify < <(echo garbage)
  [ "$status" -eq 1 ]
}

@test "--verify: samples may name their run, as by k6 run --tag" {
  jq -c --arg id "$id" 'if .type == "Point" then .data.tags.testid = $id
    else . end' "$small" >"$BATS_TEST_TMPDIR/tagged"
  for instance in g h; do
    capture k6push "${to_store[@]}" --verify --instance "$instance" \
      "$BATS_TEST_TMPDIR/tagged"
    [ "$status" -eq 0 ]
    grep -qF "$reqs made = $reqs stored, 0 lost, 0 twice" <<<"$err"
    [ "$(tail -n 1 <<<"$err")" = "k6push: no criteria: testid=$id" ]
  done
  stored_is "$prom" k6_http_reqs_total $((2 * reqs))
  # Samples of several runs in one stream.
  jq -c --arg id "$id" 'if .type == "Point" and input_line_number % 2 == 0
    then .data.tags.testid = $id + "b" else . end' "$BATS_TEST_TMPDIR/tagged" \
    >"$BATS_TEST_TMPDIR/two"
  capture k6push "${to_store[@]}" --verify --instance i "$BATS_TEST_TMPDIR/two"
  [ "$status" -eq 0 ]
  grep -qF "$reqs made = $reqs stored, 0 lost, 0 twice" <<<"$err"
}

# bats test_tags=slow
@test "--verify: a store that has less than it took is found out, exit 75" {
  start_nginx <<EOF
location /api/v1/write { return 204; }
location / { proxy_pass $prom; }
EOF
  rw --rw-url "$prom/api/v1/write" --instance g <(head -n 100 "$small")
  until_found /api/v1/write "$nginx_log" rw --verify --drain 5s \
    --rw-url "$target/api/v1/write" --instance g \
    --result "$BATS_TEST_TMPDIR/result"
  stop_nginx
  [ "$status" -eq 75 ]
  stored=$(head -n 100 "$small" | grep -c '"metric":"http_reqs","type":"Point"')
  grep -qF "$reqs made = $stored stored, $((reqs - stored)) lost" <<<"$err"
  verified_is false "$stored"
}

@test "--verify: a store that refuses the query is asked once, exit 75" {
  for code in 400 401 403 404; do
    start_nginx <<EOF
location /api/v1/query { return $code; }
location / { proxy_pass $prom; }
EOF
    capture rw --verify --rw-url "$target/api/v1/write" --instance "$code" \
      --result "$BATS_TEST_TMPDIR/result" "$small"
    stop_nginx
    [ "$status" -eq 75 ]
    [ "$(grep -c /api/v1/query "$nginx_log")" -eq 1 ]
    rm "$nginx_log"
    [ "$(grep -cF "does not say how many requests it has: $target/api/v1/query answers $code" \
      <<<"$err")" -eq 1 ]
    case $code in
    401 | 403) grep -q "answers $code.*(see K6_PROMETHEUS_RW_USER" <<<"$err" ;;
    *) grep -q "answers $code.*(is --query-url the URL" <<<"$err" ;;
    esac
    grep -qF '0 lost, 0 twice, not verified' <<<"$err"
    verified_is false null
  done
  capture rw --verify --query-url "$prom" --rw-url "$prom/api/v1/write" "$small"
  [ "$status" -eq 0 ]
  capture k6push --verify "$small"
  [ "$status" -eq 2 ]
}

# asked N: so many queries came to nginx.
asked() { [ "$(grep -c /api/v1/query "$nginx_log")" -ge "$1" ]; }

@test "--verify: a store that answers nonsense is asked for --drain's time" {
  nginx_http='default_type application/json;' start_nginx <<EOF
location /api/v1/query { return 200 '{"status":"strange"}'; }
location / { proxy_pass $prom; }
EOF
  capture rw --verify --drain 1s --rw-url "$target/api/v1/write" "$small"
  [ "$status" -eq 75 ]
  grep -qF 'which is not the answer to a query' <<<"$err"
  grep -qF '0 lost, 0 twice, not verified' <<<"$err"
  # Half a second lies between two of them, on each machine.
  logged
  stop_nginx
  asked 1
  [ "$(grep -c /api/v1/query "$nginx_log")" -le 3 ]
}

@test "--verify: a store that is away for a while is asked again" {
  start_nginx <<EOF
location /api/v1/query { return 503; }
location / { proxy_pass $prom; }
EOF
  k6push "${to_store[@]}" --testid "$id" --verify --drain 10m \
    --rw-url "$target/api/v1/write" "$small" 3>&- 2>"$BATS_TEST_TMPDIR/err" &
  pid=$!
  retry 30 asked 3
  sed -i '/return 503/d' "$BATS_TEST_TMPDIR/nginx/conf"
  reload_nginx
  wait "$pid"
  stop_nginx
  grep -qF "$reqs made = $reqs stored, 0 lost, 0 twice, verified" \
    "$BATS_TEST_TMPDIR/err"
}

# bats test_tags=slow
@test "--verify: a count that came is not forgotten when the store goes away" {
  local count=$((reqs - 1))
  nginx_http='default_type application/json;' nginx_format='$status $uri' \
    start_nginx <<EOF
location /api/v1/query {
  return 200 '{"status":"success","data":{"resultType":"vector",
    "result":[{"metric":{},"value":[1,"$count"]}]}}';
}
location / { proxy_pass $prom; }
EOF
  k6push "${to_store[@]}" --testid "$id" --verify --drain 2s \
    --rw-url "$target/api/v1/write" "$small" 3>&- 2>"$BATS_TEST_TMPDIR/err" &
  pid=$!
  retry 30 asked 1
  sed -i '/return 200/,/;$/c return 503;' "$BATS_TEST_TMPDIR/nginx/conf"
  reload_nginx
  local code=0
  wait "$pid" || code=$?
  stop_nginx
  cat "$BATS_TEST_TMPDIR/err" "$nginx_log"
  grep -q '^503 /api/v1/query' "$nginx_log"
  [ "$code" -eq 75 ]
  grep -qF "$reqs made = $count stored, 1 lost, 0 twice, verified" \
    "$BATS_TEST_TMPDIR/err"
}
