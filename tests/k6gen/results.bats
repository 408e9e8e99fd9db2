#!/usr/bin/env bats
# What k6gen says of a run: checks, thresholds, tags, phases, summary, view.

load ../helpers
load gen

setup() {
  out=$BATS_TEST_TMPDIR/o
  start_nginx <<'END'
location / { return 200 "hello\n"; }
location = /500 { add_header X-Why trouble always; return 500 "broken <body>"; }
END
}

teardown() {
  stop_nginx
  # shellcheck disable=SC2086 # two of them
  [ -z "${helper-}" ] || kill $helper 2>/dev/null || true
}

@test "each check of each answer is a sample, and stands in the summary" {
  k6gen -i 3 -c 'status==200' -c 'body contains hello' -c 'size<3' \
    -c 'header Content-Type matches ^text/' -c 'duration<10000' \
    -c 'proto!=HTTP/2.0' "$target/" >"$out" 2>"$out.err"
  [ "$(jq -r 'select(.type == "Point" and .metric == "checks") |
    .data.tags.check + "=" + (.data.value | tostring)' "$out" | sort |
    uniq -c | sed 's/^ *//')" = "3 body contains hello=1
3 duration<10000=1
3 header Content-Type matches ^text/=1
3 proto!=HTTP/2.0=1
3 size<3=0
3 status==200=1" ]
  has '.metric == "checks" and .type == "Point" and .data.tags ==
    {check: "size<3", group: "", scenario: "default"}'
  grep -Eq '^    checks_total\.{7}: 18 ' "$out.err"
  grep -q '^    checks_failed......: 16.66% 3 out of 18$' "$out.err"
  grep -q '^    ✓ status==200$' "$out.err"
  grep -A1 '^    ✗ size<3$' "$out.err" | grep -q '↳  0% — ✓ 0 / ✗ 3'
}

@test "what is no check is refused" {
  local c
  for c in '' status status== 'status==x' 'body<3' 'nothing==1' \
    'status contains 2' 'body matches (' 'header ==x'; do
    run k6gen -c "$c" "$target/"
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "k6gen: --check: "* ]]
  done
}

@test "a crossed threshold is exit 99, in Start, Metric, End and summary" {
  local code=0
  k6gen -i 5 --threshold 'http_req_duration=p(95)<0.0001' \
    --threshold 'http_req_duration{status:200}=max<60000' \
    --threshold 'http_req_failed=rate<0.01' "$target/" >"$out" \
    2>"$out.err" || code=$?
  [ "$code" -eq 99 ]
  head -n 1 "$out" | jq -e '.data.thresholds ==
    {"http_req_duration": ["p(95)<0.0001"],
    "http_req_duration{status:200}": ["max<60000"],
    "http_req_failed": ["rate<0.01"]}'
  has '.type == "Metric" and .metric == "http_req_duration" and
    .data.thresholds == ["p(95)<0.0001"] and .data.submetrics ==
    [{name: "http_req_duration{status:200}", suffix: "status:200",
    tags: {status: "200"}}]'
  tail -n 1 "$out" | jq -e '.data.thresholds ==
    {"http_req_duration": {"p(95)<0.0001": true},
    "http_req_duration{status:200}": {"max<60000": false},
    "http_req_failed": {"rate<0.01": false}} and
    .data.result_status == 1 and .data.run_status == 3 and
    .data.exit_code == 99'
  grep -Eq "^    ✗ 'p\(95\)<0.0001' p\(95\)=" "$out.err"
  grep -Eq "^    ✓ 'rate<0.01' rate=0.00%$" "$out.err"
  k6gen -q -i 5 --no-thresholds --threshold 'http_reqs=count<1' "$target/" \
    >"$out"
  # k6 does not even read them
  k6gen -q --no-thresholds --threshold 'http_reqs=nonsense' "$target/" >"$out"
}

@test "thresholds that hold are exit 0" {
  k6gen -q -i 5 -c 'status==200' --threshold 'checks=rate==1' \
    --threshold 'http_reqs=count==5' --threshold 'vus=value<5' \
    --threshold 'iteration_duration=avg>0' \
    --threshold 'http_req_failed{status:500}=rate<0.5' "$target/" >"$out"
}

# bats test_tags=slow
@test "abortOnFail ends the run, after its delay" {
  local code=0
  k6gen -q -d 60s --threshold 'http_req_failed=rate<0.1,abortOnFail' \
    "$target/500" >"$out" 2>"$out.err" || code=$?
  [ "$code" -eq 99 ]
  tail -n 1 "$out" | jq -e '.data.run_status == 8 and
    .data.exit_code == 99 and .data.result_status == 1'
  grep -q 'threshold http_req_failed: rate<0.1 was crossed' "$out.err"
  code=0
  k6gen -q -d 3s --rps 20 --threshold \
    'http_req_failed=rate<0.1,delayAbortEval=60s' "$target/500" >"$out" \
    2>"$out.err" || code=$?
  [ "$code" -eq 99 ]
  tail -n 1 "$out" | jq -e '.data.run_status == 3'
}

@test "abortOnFail fails a run that is over, and does not abort it" {
  capture k6gen -q -i 1 --threshold 'http_reqs=count>9,abortOnFail' "$target/"
  [ "$status" -eq 99 ]
  tail -n 1 <<<"$output" | jq -e '.data.run_status == 3 and
    .data.result_status == 1'
  [ "$err" = "k6gen: threshold http_reqs: count>9 was crossed" ]
}

@test "what is no threshold is refused" {
  local c
  for c in http_req_duration 'nothing=avg<1' 'http_reqs=avg<1' \
    'http_req_duration=rate<1' 'http_req_duration=p(95)<' \
    'vus=value<1,soon' 'http_req_duration{a}=avg<1'; do
    run k6gen --threshold "$c" "$target/"
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "k6gen: --threshold: "* ]]
  done
}

@test "system tags are those asked for; vu and iter are metadata" {
  k6gen -q -i 2 --system-tags status,ip,vu,iter,proto "$target/" >"$out"
  has '.metric == "http_reqs" and .type == "Point" and .data.tags ==
    {ip: "127.0.0.1", proto: "HTTP/1.1", status: "200"} and
    .data.metadata == {iter: "1", vu: "1"}'
  run k6gen --system-tags status,nope "$target/"
  [ "$status" -eq 2 ]
}

@test "name groups URLs" {
  k6gen -q -i 2 --name all "$target/1" "$target/2" >"$out"
  [ "$(jq -r 'select(.metric == "http_reqs" and .type == "Point") |
    .data.tags | .name + " " + .url' "$out" | sort -u)" = "all all" ]
}

@test "failing answers are kept, as many as asked" {
  k6gen -q -i 4 --sample-errors 2 "$target/500" "$target/" >"$out"
  [ "$(jq -s '[.[] | select(.metric == "http_reqs" and
    .data.metadata != null)] | length' "$out")" -eq 2 ]
  has '.metric == "http_req_duration" and .type == "Point" and
    .data.metadata.response_body == "broken <body>" and
    (.data.metadata.response_headers | test("X-Why: trouble\n"))'
}

@test "summary-export is k6's, with the figures of the stream" {
  k6gen -q -i 10 -c 'status==200' --summary-export "$BATS_TEST_TMPDIR/s" \
    --summary-trend-stats 'avg,p(99.9),max,count' \
    --threshold 'http_req_duration=max<60000' "$target/" >"$out"
  jq -e '.metrics.http_reqs.count == 10 and
    .metrics.http_req_failed == {passes: 0, fails: 10, value: 0} and
    .metrics.checks == {passes: 10, fails: 0, value: 1} and
    .metrics.http_req_duration.count == 10 and
    .metrics.http_req_duration.thresholds == {"max<60000": false} and
    (.metrics.http_req_duration | has("p(99.9)")) and
    .root_group.checks["status==200"].passes == 10 and
    .metrics["http_req_duration{expected_response:true}"].count == 10' \
    "$BATS_TEST_TMPDIR/s"
  [ "$(values http_req_duration | jq -s max)" = \
    "$(jq .metrics.http_req_duration.max "$BATS_TEST_TMPDIR/s")" ]
  local code=0
  k6gen -q --summary-export /nonexistent/s "$target/" >"$out" 2>&1 ||
    code=$?
  [ "$code" -eq 1 ]
  run k6gen --summary-trend-stats 'avg,rate' "$target/"
  [ "$status" -eq 2 ]
}

@test "no-output writes nothing and reports the same" {
  k6gen -i 10 --no-output "$target/" >"$out" 2>"$out.err"
  [ ! -s "$out" ]
  grep -Eq '^    http_reqs\.+: 10 ' "$out.err"
  grep -q 'output: -$' "$out.err"
}

@test "on a terminal the view is redrawn, and NO_COLOR takes its colours" {
  command -v script >/dev/null || skip "no script(1)"
  unset NO_COLOR
  script -qec \
    "k6gen -d 1500ms -u 2 --threshold http_reqs=count==0 $target/500" \
    "$BATS_TEST_TMPDIR/tty" </dev/null >/dev/null 2>&1 || true
  grep -q $'\033\\[2A' "$BATS_TEST_TMPDIR/tty"
  grep -q 'default ✓ \[======' "$BATS_TEST_TMPDIR/tty"
  grep -Eq 'req/s  p50=.* p95=.* p99=.*failed=[0-9]+ \(100' \
    "$BATS_TEST_TMPDIR/tty"
  grep -q $'\033\\[31m' "$BATS_TEST_TMPDIR/tty"
  NO_COLOR=1 script -qec "k6gen -d 1s --no-output $target/500" \
    "$BATS_TEST_TMPDIR/tty" </dev/null >/dev/null 2>&1 || true
  run ! grep -q $'\033\\[3[12]m' "$BATS_TEST_TMPDIR/tty"
}

@test "a view that is redrawn disturbs no other tool of a pipeline" {
  command -v script >/dev/null || skip "no script(1)"
  script -qec "k6gen -d 1200ms -u 2 $target/500 | cat >/dev/null" \
    "$BATS_TEST_TMPDIR/tty" </dev/null >/dev/null 2>&1 || true
  grep -Eq 'running \(0m[0-9]{2}\.[0-9]s\)' "$BATS_TEST_TMPDIR/tty"
  run ! grep -q $'\033\\[2A' "$BATS_TEST_TMPDIR/tty"
}

@test "a locale without UTF-8 gets ASCII" {
  unset LC_CTYPE LANG
  for locale in C POSIX en_US.ISO-8859-1 ''; do
    LC_ALL=$locale k6gen -u 2 -i 9 -c 'status==200' \
      --threshold 'http_reqs=count>0' -o "$out" "$target/" 2>"$out.err"
    grep -q '  # TOTAL RESULTS' "$out.err"
    run ! env LC_ALL=C grep -P '[\x80-\xff]' "$out.err"
  done
  LC_ALL=C.UTF-8 k6gen -u 2 -i 9 -o "$out" "$target/" 2>"$out.err"
  grep -q '█ TOTAL RESULTS' "$out.err"
}

@test "a terminal gets the report and no samples, unless they are asked for" {
  command -v script >/dev/null || skip "no script(1)"
  script -qec "stty cols 80; k6gen -i 3 $target/" "$out" </dev/null >/dev/null
  grep -q 'http_reqs\.*: 3 ' "$out"
  run ! grep -q '^{"' "$out"
  # What a terminal of 80 columns would wrap goes on in a line of its own.
  grep -A1 'http_req_duration\.*: avg=' "$out" | grep -Eq '^ {36} [a-z]+[=(]'
  run ! grep -E '^[^'$'\r'$'\033'']{81}' <(sed 1d "$out")
  script -qec "k6gen -q -i 3 -o - $target/" "$out" </dev/null >/dev/null
  [ "$(grep -c '"metric":"http_reqs",' "$out")" -eq 3 ]
}

@test "output goes to a file, or the reason why not is told" {
  k6gen -q -i 3 -o "$out" "$target/" >"$out.1"
  [ ! -s "$out.1" ]
  [ "$(values http_reqs | wc -l)" -eq 3 ]
  capture k6gen -i 1 -o /nonexistent/file "$target/"
  [ "$status" -eq 1 ]
  [ "$err" = "k6gen: --output: /nonexistent/file: No such file or directory" ]
  capture k6gen -i 1 -o /dev/full "$target/"
  [ "$status" -eq 1 ]
  [[ $err = *"k6gen: /dev/full: No space left on device"* ]]
  capture k6gen -i 1 -o "$out" --no-output "$target/"
  [ "$status" -eq 2 ]
  # As k6 has it.
  out=$BATS_TEST_TMPDIR/k6
  k6gen -q -i 2 -o "json=$out" "$target/"
  [ "$(values http_reqs | wc -l)" -eq 2 ]
  capture k6gen -q -i 2 -o csv=x "$target/"
  [ "$status" -eq 2 ]
  [[ $err = *'--output: no "csv=x"'* ]]
}

@test "a histogram counts every request once" {
  k6gen -i 30 --histogram "$target/" "$target/500" >"$out" 2>"$out.err"
  sed -n '/^    DURATIONS$/,$p' "$out.err" | grep '^    <= ' >"$out.rows"
  [ "$(awk '{ n += $3 } END { print n }' "$out.rows")" -eq 60 ]
  [ "$(awk '{ print $2 }' "$out.rows" | head -n 1 |
    grep -Ec '^[125]0{0,2}(µs|ms|s)$')" -eq 1 ]
  [ "$(LC_ALL=C.UTF-8 wc -L <"$out.rows")" -le 80 ]
  k6gen -i 1 "$target/" 2>"$out.err" >"$out"
  run ! grep -q DURATIONS "$out.err"
}

@test "the live view fits the terminal, and knows a rate at once" {
  command -v script >/dev/null || skip "no script(1)"
  script -qec "stty cols 80; k6gen -d 4s -u 2 $target/500" \
    "$BATS_TEST_TMPDIR/tty" </dev/null >/dev/null 2>&1
  sed 's/\x1b\[[0-9?]*[A-Za-z]//g' "$BATS_TEST_TMPDIR/tty" | tr '\r' '\n' |
    grep 'req/s' >"$out"
  (($(wc -l <"$out") > 5))
  LC_ALL=C.UTF-8 run ! grep -E '^.{81}' "$out"
  # As soon as there was a request, that is.
  grep -m 1 'failed=[1-9]' "$out" >"$out.first"
  run ! grep -E '(^| )0 req/s' "$out.first"
  # What is longer all the same is cut by the terminal.
  [ "$(grep -c '\[?7l' "$BATS_TEST_TMPDIR/tty")" -gt 5 ]
  [ "$(grep -o '\[?7h' "$BATS_TEST_TMPDIR/tty" | wc -l)" -eq \
    "$(grep -o '\[?7l' "$BATS_TEST_TMPDIR/tty" | wc -l)" ]
}

# delays KIND...: the servers of delays.py; $URL_KIND is the URL of each.
delays() {
  local kind scheme
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$BATS_TEST_TMPDIR/key" \
    -out "$BATS_TEST_TMPDIR/cert" 2>/dev/null
  for kind; do
    python3 "$tools/delays.py" "$BATS_TEST_TMPDIR" "$kind" 3>&- &
    helper="${helper-} $!"
  done
  for kind; do
    retry 10 test -s "$BATS_TEST_TMPDIR/port.$kind"
    scheme=http
    [[ $kind != *tls ]] || scheme=https
    printf -v "url_$kind" '%s://localhost:%s/' $scheme \
      "$(cat "$BATS_TEST_TMPDIR/port.$kind")"
  done
}

# phases: each request's, as a JSON object a line
phases() {
  jq -cn '[inputs | select(.type == "Point" and (.metric |
    test("^http_req_(blocked|connecting|tls|sending|waiting|rece|duration)")))]
    | _nwise(7) | map({(.metric[9:]): .data.value}) | add' "$out" \
    >"$BATS_TEST_TMPDIR/phases"
  head -n 3 "$BATS_TEST_TMPDIR/phases"
  [ -s "$BATS_TEST_TMPDIR/phases" ]
}

# each FILTER FILTER: of all requests the one, of some the other. Where one
# phase ends and the next begins k6gen may see late, on a busy machine.
each() {
  jq -es "length == 8 and all($1) and any($2)" "$BATS_TEST_TMPDIR/phases"
}

# How exact each phase is, measures make bench B=latency.
@test "no phase is shorter than what the server delayed, and they add up" {
  delays plain tls
  # shellcheck disable=SC2154 # url_plain and url_tls: delays sets them
  k6gen -q -i 8 "$url_plain" >"$out"
  phases
  local sum='(.sending + .waiting + .receiving - .duration | fabs) < 1e-6'
  each "$sum and .sending + .waiting >= 30 and .duration >= 50 and
    .tls_handshaking == 0 and .blocked >= .connecting" '.waiting >= 30'
  # shellcheck disable=SC2154
  k6gen -q -i 8 --ca "$BATS_TEST_TMPDIR/cert" "$url_tls" >"$out"
  phases
  each "$sum and .sending + .waiting >= 30 and .blocked >= 40 and
    .blocked >= .connecting + .tls_handshaking" \
    '.waiting >= 30 and .tls_handshaking >= 40'
  # What the sockets hold at the end of sending the server reads while k6gen
  # waits.
  head -c 8000000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/big"
  k6gen -q -i 8 -b "@$BATS_TEST_TMPDIR/big" "$url_plain" >"$out"
  phases
  each "$sum and .sending + .waiting >= 80" '.sending >= 50 and .waiting >= 30'
}

@test "requests without an answer at the end count as failed, and it is told" {
  local dir=$BATS_TEST_TMPDIR url
  touch "$dir/hang"
  printf silent >"$dir/hang.how"
  python3 "$tools/raw_server.py" "$dir/port" "$dir/log" "$dir" 3>&- &
  helper=$!
  retry 20 test -s "$dir/port"
  url=http://127.0.0.1:$(cat "$dir/port")/hang
  run bash -c "'$bin/k6gen' -u 2 -d 1s --graceful-stop 200ms \
    --threshold 'http_req_failed=rate<0.01' '$url' 2>'$out.err' >'$out'"
  kill "$helper"
  [ "$status" -eq 99 ]
  [ "$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    .data.tags | [.status, .error, .error_code] | join(" ")' "$out" |
    sort | uniq -c | xargs)" = "2 0 request timeout 1050" ]
  [ "$(values http_req_duration | awk '$1 >= 100' | wc -l)" -eq 2 ]
  grep -q '! 2 requests had no answer when the run ended' "$out.err"
}

@test "the summary has statuses, reasons, and a line for each name" {
  k6gen -i 3 "$target/" "$target/500?$(printf '%060d' 0)" \
    http://127.0.0.1:1/ >"$out" 2>"$out.err"
  grep -Eq '^    200\.+: 3$' "$out.err"
  grep -Eq '^    500\.+: 3$' "$out.err"
  grep -Eq '^    dial: connection refused\.+: 3$' "$out.err"
  grep -Eq '^    http://127.0.0.1:1/\.+: 3 failed=3 p50=' "$out.err"
  grep -Eq '^    \.+: 3 failed=3 p50=.* p95=.* p99=' "$out.err"
  [ "$(sed -n '/ANSWERS/,$p' "$out.err" | LC_ALL=C.UTF-8 wc -L)" -le 80 ]
}

# stopped OPTION... URL: a run of two users that is stopped five times for a
# second
stopped() {
  "$bin/k6gen" -q -u 2 -d 1h "$@" >"$out" 3>&- &
  local pid=$! i
  retry 20 test -s "$BATS_TEST_TMPDIR/log"
  for i in $(seq 5); do
    kill -STOP "$pid"
    sleep 1
    kill -CONT "$pid"
    sleep 0.2
  done
  kill -TERM "$pid"
  wait "$pid" || true
}

# long METRIC: how many of its values have a stop in them
long() { values "$1" | awk '$1 >= 900 { n++ } END { print n + 0 }'; }

# bats test_tags=slow
@test "what the server took does not grow when k6gen is stopped" {
  local dir=$BATS_TEST_TMPDIR url
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -days 2 -subj /CN=localhost -keyout "$dir/key" -out "$dir/pem" 2>/dev/null
  for tls in '' "$dir/pem $dir/key"; do
    rm -f "$dir/port" "$dir/log"
    printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$dir/a"
    printf slow >"$dir/a.how"
    # shellcheck disable=SC2086 # two words, or none
    python3 "$tools/raw_server.py" "$dir/port" "$dir/log" "$dir" $tls 3>&- &
    helper=$!
    retry 20 test -s "$dir/port"
    url=http${tls:+s}://127.0.0.1:$(cat "$dir/port")/a
    stopped -k "$url"
    [ "$(values http_req_waiting | jq -s 'sort[length / 2 | floor] >= 15')" \
      = true ]
    # Each stop is in the way of both users: ten would have it in them. The
    # server itself may be so late on a busy machine, but not as often.
    echo "long: $(long http_req_waiting), $(long iteration_duration)"
    [ "$(long http_req_waiting)" -lt 5 ]
    [ "$(long iteration_duration)" -lt 5 ]
    # That it was stopped stands in a metric of its own.
    [ "$(values schedule_lag | awk '$1 >= 800' | wc -l)" -ge 3 ]
    kill "$helper"
  done
}

@test "requests that never came cross a threshold that wants some" {
  capture k6gen -q -i 2 \
    --no-output --threshold 'http_reqs{status:201}=count>0' \
    "$target/"
  [ "$status" -eq 99 ]
  capture k6gen -q -i 2 \
    --no-output --threshold 'http_reqs{status:201}=count<1' \
    --threshold 'checks=rate>0.9' "$target/"
  [ "$status" -eq 0 ]
}

@test "a crossed threshold is told, also quietly" {
  run "$bin/k6gen" -q --no-output --threshold 'http_reqs=count<1' "$target/"
  [ "$status" -eq 99 ]
  [ "$output" = "k6gen: threshold http_reqs: count<1 was crossed" ]
}

@test "a check looks into a JSON body" {
  stop_nginx
  start_nginx <<'END'
location / { return 200 '{"data": {"id": 7.0, "name": "a b", "list": [1, true]}}'; }
END
  gen -c 'json.data.id==7' -c 'json.data.id<7' -c 'json.data.name==a b' \
    -c 'json.data.list[1]==true' -c 'json.data.none==7' \
    -c 'json.data.none!=7' -c 'json.data.name matches ^a' "$target/"
  [ "$(values checks | xargs)" = "1 0 1 1 0 1 1" ]
  run "$bin/k6gen" -c 'json.a..b==1' "$target/"
  [ "$status" -eq 2 ]
}
