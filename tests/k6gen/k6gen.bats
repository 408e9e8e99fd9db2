#!/usr/bin/env bats
# k6gen against a real nginx on loopback, and a small server that breaks the
# protocol.

load ../helpers
load gen

# One server for all tests of the file: plain, HTTP/2 and TLS on three ports.
write_config() {
  cat >"$dir/nginx.conf" <<END
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
worker_processes 1;
daemon on;
pid $dir/nginx.pid;
error_log $dir/error.log;
events { worker_connections 1000; }
http {
  access_log off;
  keepalive_requests 1000000;
  log_format seen '\$connection \$request_method \$uri \$status '
    '\$request_length \$bytes_sent [\$http_authorization] '
    '[\$http_content_type] [\$http_x_test] [\$http_user_agent]';
  client_body_temp_path $dir/tmp1;
  proxy_temp_path $dir/tmp2;
  fastcgi_temp_path $dir/tmp3;
  uwsgi_temp_path $dir/tmp4;
  scgi_temp_path $dir/tmp5;
  server {
    listen 127.0.0.1:$1;
    listen 127.0.0.1:$2 ssl http2;
    listen 127.0.0.1:$3 ssl;
    ssl_certificate $dir/cert.pem;
    ssl_certificate_key $dir/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    root $dir/html;
    location = /seen {
      access_log $dir/seen.log seen;
      return 200 "ok\n";
    }
    location = /redirect {
      access_log $dir/seen.log seen;
      return 302 /seen;
    }
    location = /kept { return 307 /seen; }
    location = /code/301 { return 301 /seen; }
    location = /code/303 { return 303 /seen; }
    location = /code/308 { return 308 /seen; }
    location = /elsewhere { return 302 http://localhost:$1/seen; }
    location = /loop { return 302 /loop; }
    location = /500 { return 500; }
    location = /slow { limit_rate 20k; alias $dir/html/large; }
    location = /slower { limit_rate 300k; alias $dir/html/large; }
  }
}
END
}

start_site() {
  local nginx port i
  nginx=$(command -v nginx ||
    echo "$root/build/tools/usr/sbin/nginx")
  for ((i = 0; i < 20; i++)); do
    port=$((20000 + RANDOM % 12000))
    write_config "$port" $((port + 1)) $((port + 2))
    "$nginx" -p "$dir" -c "$dir/nginx.conf" 2>"$dir/start" 3>&- &&
      break
  done
  echo "$port" >"$dir/port"
}

setup_file() {
  dir=$BATS_FILE_TMPDIR
  mkdir -p "$dir/html"
  head -c 300000 /dev/urandom >"$dir/html/large"
  printf 'hello, world' >"$dir/html/small"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$dir/key.pem" \
    -out "$dir/cert.pem" 2>/dev/null
  start_site
}

teardown_file() {
  kill "$(cat "$BATS_FILE_TMPDIR/nginx.pid")"
}

setup() {
  dir=$BATS_FILE_TMPDIR
  port=$(cat "$dir/port")
  http=http://127.0.0.1:$port
  h2=https://localhost:$((port + 1))
  tls=https://localhost:$((port + 2))
  out=$BATS_TEST_TMPDIR/out
  err=$BATS_TEST_TMPDIR/err
  : >"$dir/seen.log"
  unset SSL_CERT_FILE
}

# points FILTER: over the array of all Point lines
points() { jq -s "[.[] | select(.type == \"Point\")] | $1" "$out"; }

# tag NAME: of each request, one a line
tag() {
  jq -r "select(.type == \"Point\" and .metric == \"http_reqs\") |
    .data.tags[\"$1\"] // \"-\"" "$out"
}

# connections N: so many are open to the plain port.
connections() {
  [ "$(ss -Htn state established "dport = :$port" | wc -l)" -eq "$1" ]
}

# ends_as STATUS PID
ends_as() {
  local code=0
  wait "$2" || code=$?
  [ "$code" -eq "$1" ]
}

seen_lines() { [ "$(wc -l <"$dir/seen.log")" -eq "$1" ]; }

@test "a request is nine samples in k6's order, with one time and one tag set" {
  gen "$http/small"
  points '.[0:9] | map(.metric) | join(" ")' |
    grep -qx '"http_reqs http_req_duration http_req_blocked '\
'http_req_connecting http_req_tls_handshaking http_req_sending '\
'http_req_waiting http_req_receiving http_req_failed"'
  [ "$(points '.[0:9] | map([.data.time, .data.tags]) | unique | length')" \
    -eq 1 ]
  [ "$(points '.[0].data.tags' | jq -c .)" = \
    '{"expected_response":"true","group":"","method":"GET",'\
'"name":"'"$http"'/small","proto":"HTTP/1.1","scenario":"default",'\
'"status":"200","url":"'"$http"'/small"}' ]
}

@test "an iteration ends with its bytes, its duration, and its count" {
  gen "$http/small"
  # One that began late has a schedule_lag besides.
  points '.[9:] | map(.metric) - ["schedule_lag"] | join(" ")' |
    grep -qx '"data_sent data_received iteration_duration iterations"'
  [ "$(points '.[9:] | map([.data.time, .data.tags]) | unique | length')" \
    -eq 1 ]
  [ "$(points '.[9].data.tags' | jq -c .)" = \
    '{"group":"","scenario":"default"}' ]
}

@test "duration is sending + waiting + receiving, to the nanosecond" {
  gen -u 4 -i 40 "$http/small" "$http/large"
  [ "$(points '[_nwise(1)[0] | select(.metric |
      test("^http_req_(duration|sending|waiting|receiving)$"))] |
    [_nwise(4)] | map([.[] | .data.value * 1e6 | round] |
      .[0] == .[1] + .[2] + .[3]) | unique | tostring')" = '"[true]"' ]
}

# bats test_tags=slow
@test "each metric is declared once, before its first point" {
  gen -u 2 -d 1200ms --think-time 10ms "$http/small"
  jq -se 'reduce .[] as $l ({seen: [], ok: true};
    if $l.type == "Metric" then
    .ok = (.ok and (.seen | index($l.metric) | not)) |
    .seen += [$l.metric]
    elif $l.type == "Point" then
    .ok = (.ok and (.seen | index($l.metric) != null))
    else . end) | .ok' "$out"
  has '. == {type: "Metric", data: {name: "http_req_waiting",
    type: "trend", contains: "time", thresholds: [], submetrics: null},
    metric: "http_req_waiting"}'
  has '.type == "Metric" and .metric == "data_sent" and
    .data.type == "counter" and .data.contains == "data"'
}

@test "the stream begins with Start and ends with End, whose books balance" {
  gen -u 3 -i 30 --test-name 'my run' "$http/small" "$http/500"
  head -n 1 "$out" | jq -e '.type == "Start" and .data.name == "my run"
    and .data.executor == "shared-iterations" and .data.vus == 3 and
    .data.iterations == 30 and .data.duration == "10m30s"'
  tail -n 1 "$out" | jq -e '.type == "End" and .data.run_status == 3 and
    .data.exit_code == 0 and .data.requests == 60'
  [ "$(points length)" -eq "$(tail -n 1 "$out" | jq .data.points)" ]
}

@test "iterations are shared among the users, and the server saw each request" {
  gen -u 7 -i 100 "$http/seen"
  [ "$(points 'map(select(.metric == "iterations").data.value) | add')" \
    -eq 100 ]
  [ "$(points 'map(select(.metric == "http_reqs").data.value) | add')" -eq 100 ]
  retry 10 seen_lines 100
}

@test "without options one user makes one iteration" {
  gen "$http/small"
  head -n 1 "$out" | jq -e '.data.executor == "per-vu-iterations"'
  [ "$(values iterations)" = 1 ]
}

@test "vus alone means as many iterations" {
  gen -u 5 "$http/small"
  head -n 1 "$out" | jq -e '.data.executor == "shared-iterations"'
  [ "$(values iterations | wc -l)" -eq 5 ]
}

# bats test_tags=slow
@test "duration bounds the run, and vus are told of each second" {
  gen -u 4 -d 1300ms --think-time 10ms --tag env=ci "$http/small"
  head -n 1 "$out" | jq -e '.data.executor == "constant-vus" and
    .data.duration == "31.3s"'
  # Once, or again if it ended late, when some have ended.
  values vus | jq -se 'length > 0 and max == 4'
  [ "$(values vus_max | sort -u)" = 4 ]
  has '.metric == "vus" and .type == "Point" and
    .data.tags == {env: "ci"}'
}

@test "a user keeps its connection and shares it with no other" {
  gen -u 10 -i 200 "$http/seen"
  retry 10 seen_lines 200
  local served
  served=$(values http_req_connecting | grep -vcx 0)
  [ "$served" -le 10 ]
  [ "$(cut -d' ' -f1 "$dir/seen.log" | sort -u | wc -l)" -eq "$served" ]
  gen -u 1 -i 3 "$http/seen"
  [ "$(values http_req_connecting | tail -n 2 | sort -u)" = 0 ]
  [ "$(values http_req_connecting | head -n 1)" != 0 ]
}

@test "users whose requests overlap have a connection each" {
  # An answer takes the better part of a second.
  gen -u 8 --per-vu-iterations 1 "$http/slower"
  [ "$(values http_req_connecting | grep -vcx 0)" -eq 8 ]
  [ "$(tag status | sort | uniq -c | xargs)" = '8 200' ]
}

@test "bytes are those that the server counted" {
  gen -i 5 "$http/seen"
  retry 10 seen_lines 5
  [ "$(values data_sent | jq -s add)" \
    -eq "$(cut -d' ' -f5 "$dir/seen.log" | jq -s add)" ]
  [ "$(values data_received | jq -s add)" \
    -eq "$(cut -d' ' -f6 "$dir/seen.log" | jq -s add)" ]
}

@test "each hop of a redirect is a request of its own" {
  gen -X POST -b data -H 'Content-Type: text/plain' "$http/redirect"
  [ "$(tag status | xargs)" = "302 200" ]
  [ "$(tag url | xargs)" = "$http/redirect $http/seen" ]
  [ "$(tag method | xargs)" = "POST GET" ]
  retry 10 seen_lines 2
  grep -q 'GET /seen 200 .* \[\] \[-\]' "$dir/seen.log" ||
    grep -q 'GET /seen 200 [0-9]* [0-9]* \[-\] \[-\]' "$dir/seen.log"
  [ "$(values http_req_failed | xargs)" = "0 0" ]
}

@test "307 keeps method and body" {
  gen -X POST -b data -H 'Content-Type: text/plain' "$http/kept"
  [ "$(tag method | xargs)" = "POST POST" ]
  retry 10 seen_lines 1
  grep -q 'POST /seen .*\[text/plain\]' "$dir/seen.log"
}

@test "301 and 303 turn a POST into GET, 308 keeps it" {
  gen -b data "$http/code/301" "$http/code/303" "$http/code/308"
  [ "$(tag status | xargs)" = "301 200 303 200 308 200" ]
  [ "$(tag method | xargs)" = "POST GET POST GET POST POST" ]
}

@test "max-redirects returns the redirect that is one too many" {
  gen --max-redirects 3 "$http/loop"
  [ "$(tag status | xargs)" = "302 302 302 302" ]
  gen --max-redirects 0 "$http/loop"
  [ "$(tag status | xargs)" = 302 ]
}

@test "Authorization does not follow to another origin" {
  gen -H 'Authorization: secret' "$http/elsewhere"
  [ "$(tag status | xargs)" = "302 200" ]
  gen -H 'Authorization: secret' "$http/redirect"
  retry 10 seen_lines 3
  [ "$(grep -c '\[secret\]' "$dir/seen.log")" -eq 2 ]
  sed -n 1p "$dir/seen.log" | grep -q '/seen .*\[-\] \[-\] \[-\]'
}

@test "credentials of a URL are sent, and masked in tags, name and messages" {
  gen "http://joe:secret@127.0.0.1:$port/seen" "$http/seen"
  run ! grep -q secret "$out"
  [ "$(tag url | head -n 1)" = "http://****:****@127.0.0.1:$port/seen" ]
  retry 10 seen_lines 2
  sed -n 1p "$dir/seen.log" | grep -q 'Basic am9lOnNlY3JldA=='
  sed -n 2p "$dir/seen.log" | grep -q '/seen .*\[-\] \[-\]'
  run k6gen http://joe:secret@h:99999/
  [ "$status" -eq 2 ]
  [[ $output != *secret* ]]
}

@test "headers, user agent and a body from a file reach the server" {
  printf 'from a file' >"$BATS_TEST_TMPDIR/body"
  gen -b "@$BATS_TEST_TMPDIR/body" -H 'X-Test: yes' -A me/1 "$http/seen"
  [ "$(tag method)" = POST ]
  retry 10 seen_lines 1
  grep -q 'POST /seen 200 .*\[yes\] \[me/1\]' "$dir/seen.log"
}

@test "run tags stand on every sample, and on none wins over its own" {
  gen --tag env=ci --tag 'odd key=a"b' --tag method=no "$http/small"
  [ "$(points \
    'map(.data.tags | .env == "ci" and .["odd key"] == "a\"b") | all')" = true ]
  [ "$(tag method)" = GET ]
}

@test "status of 400 and more is a failure with code 1000 + status" {
  gen "$http/500" "$http/none"
  [ "$(tag status | xargs)" = "500 404" ]
  [ "$(tag error_code | xargs)" = "1500 1404" ]
  [ "$(tag error | xargs)" = "- -" ]
  [ "$(tag expected_response | xargs)" = "false false" ]
  [ "$(values http_req_failed | xargs)" = "1 1" ]
}

@test "a refused connection is a sample, not an end" {
  gen -i 2 http://127.0.0.1:1/ "$http/small"
  [ "$(tag error_code | xargs)" = "1212 - 1212 -" ]
  [ "$(tag error | head -n 1)" = "dial: connection refused" ]
  [ "$(tag status | xargs)" = "0 200 0 200" ]
  [ "$(values http_req_duration | head -n 1)" = 0 ]
  [ "$(tag proto | xargs)" = "- HTTP/1.1 - HTTP/1.1" ]
}

@test "a host that does not exist is error 1101" {
  gen http://no-such-host.invalid/
  [ "$(tag error_code)" = 1101 ]
  [ "$(tag error)" = "lookup: no such host" ]
}

@test "timeout is error 1050, and the time is counted" {
  gen --timeout 1s "$http/slow"
  [ "$(tag error_code)" = 1050 ]
  [ "$(tag error)" = "request timeout" ]
  # It begins with the connection.
  points 'map(select(.metric | test("^http_req_(duration|blocked)$")) |
    .data.value) | add >= 990' | grep -qx true
}

@test "an unknown certificate is error 1310, and -k takes it" {
  gen "$tls/small"
  [ "$(tag error_code)" = 1310 ]
  [ "$(tag error)" = "x509: unknown authority" ]
  gen -k -i 2 "$tls/small"
  [ "$(tag tls_version | sort -u)" = tls1.3 ]
  [ "$(tag status | sort -u)" = 200 ]
  [ "$(values http_req_tls_handshaking | tail -n 1)" = 0 ]
  [ "$(values http_req_tls_handshaking | head -n 1)" != 0 ]
}

@test "SSL_CERT_FILE names the authorities; the host name must match" {
  SSL_CERT_FILE=$dir/cert.pem gen "$tls/small" \
    "https://127.0.0.1:$((port + 2))/small"
  [ "$(tag status | xargs)" = "200 0" ]
  [ "$(tag error_code | tail -n 1)" = 1311 ]
}

@test "every error code that k6gen sets stands in its page" {
  local code n=0
  while read -r code; do
    grep -qx ".It $code" "$root/man/k6gen.1"
    n=$((n + 1))
  done < <(grep -oE '\<1[0-9]{3}\>' "$root/src/k6gen/http/failure.c")
  [ "$n" -ge 20 ]
}

@test "TLS to a plain port is error 1301" {
  gen "https://127.0.0.1:$port/"
  [ "$(tag error_code)" = 1301 ]
}

@test "HTTP/2 is used where the server offers it" {
  gen -k "$h2/small"
  [ "$(tag proto)" = HTTP/2.0 ]
}

@test "Ctrl-C ends the run as aborted by the user, with whole lines" {
  k6gen -q -u 5 -d 60s "$http/small" >"$out" 3>&- &
  local pid=$!
  retry 10 grep -q '"Point"' "$out"
  kill -INT "$pid"
  ends_as 105 "$pid"
  jq -es '.[-1].type == "End" and .[-1].data.run_status == 5 and
    .[-1].data.exit_code == 105' "$out"
  [ "$(points length)" -eq "$(tail -n 1 "$out" | jq .data.points)" ]
}

@test "SIGTERM cuts off what runs longer than the graceful stop" {
  k6gen -q -u 2 -d 60s --graceful-stop 200ms "$http/slow" \
    >"$out" 3>&- &
  local pid=$!
  retry 10 connections 2
  kill -TERM "$pid"
  ends_as 105 "$pid"
  [ "$(points 'map(select(.metric == "iterations")) | length')" -eq 0 ]
  [ "$(points 'map(select(.metric == "data_received")) | length')" -eq 2 ]
}

@test "a second signal ends at once" {
  k6gen -u 2 -d 60s "$http/slow" >"$out" 2>"$err" 3>&- &
  local pid=$!
  retry 10 test -s "$out"
  kill -INT "$pid"
  retry 10 grep -q stopping "$err"
  kill -INT "$pid"
  ends_as 105 "$pid"
  run ! grep -q '"End"' "$out"
}

@test "jq programs for k6's output work" {
  gen -u 2 -i 20 "$http/small"
  jq -se '[.[] | select(.type == "Point" and
    .metric == "http_req_duration") | .data.value] |
    add / length > 0' "$out"
  [ "$(jq '. | select(.type == "Point" and .metric == "http_req_duration"
    and .data.tags.status >= "200") | .data.value' "$out" | wc -l)" -eq 20 ]
}

@test "time stamps are UTC with nanoseconds, near the end of the request" {
  gen "$http/small"
  points '.[0].data.time' | grep -Eq '^"[0-9-]{10}T[0-9:]{8}\.[0-9]{1,9}Z"$'
}

@test "the summary is k6's, and holds no escape codes" {
  k6gen -u 2 -i 10 "$http/small" >"$out" 2>"$err"
  grep -q '^     execution: local$' "$err"
  grep -q '^              \* default: 10 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)$' "$err"
  grep -Eq '^    http_req_duration\.{14}: avg=[0-9.]+(µs|ms|s) +min=' "$err"
  grep -Eq '^      \{ expected_response:true \}\.\.\.: avg=' "$err"
  grep -Eq '^    http_req_failed\.+: 0\.00% +0 out of 10$' "$err"
  grep -Eq '^    iterations\.+: 10 ' "$err"
  [ "$(grep -xE '    (HTTP|EXECUTION|NETWORK)' "$err" | xargs)" = \
    'HTTP EXECUTION NETWORK' ]
  grep -q '10 complete and 0 interrupted iterations' "$err"
  run ! grep -q $'\033' "$err"
  run ! grep -q ' $' "$err"
}

@test "quiet says nothing, no-summary leaves the rest" {
  k6gen -q "$http/small" >"$out" 2>"$err"
  [ ! -s "$err" ]
  k6gen --no-summary "$http/small" >"$out" 2>"$err"
  grep -q 'execution: local' "$err"
  run ! grep -q 'TOTAL RESULTS' "$err"
}

@test "wrong use is exit 2 and one line that says why" {
  local -a cases=(
    '|no URL to request'
    "-u 0 $http|--vus: "
    "-d 0s $http|--duration: must be more than 0"
    "-d 30 $http|--duration: not a duration"
    "-i 2 -u 5 $http|--iterations: 2 is less than"
    "-X G{T $http|--method: "
    "-H none $http|--header: not a header"
    "--tag none $http|--tag: "
    "--timeout 0s $http|--timeout: "
    'ftp://host/|ftp://host/: unsupported scheme "ftp"'
    'http://host:0/|port'
    'http://host:65536/|port'
    'host.example|no scheme'
  )
  local c
  for c in "${cases[@]}"; do
    # shellcheck disable=SC2086 # the words are the arguments
    run k6gen ${c%%|*}
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "k6gen: "*"${c#*|}"* ]]
  done
  run k6gen -H $'A: b\r\nC: d' "$http"
  [ "$status" -eq 2 ]
}

@test "a URL has at most 8000 bytes" {
  local url
  url="$http/small?$(printf '%08000d' 0)"
  k6gen -q "${url:0:8000}" >"$out"
  run k6gen -q "${url:0:8001}"
  [ "$status" -eq 2 ]
  [[ ${lines[0]} == *": longer than 8000 bytes" ]]
}

@test "a full disk is a failure, a reader that leaves is not a message" {
  run bash -c "k6gen -q '$http/small' >/dev/full"
  [ "$status" -eq 1 ]
  [[ $output == "k6gen: stdout: No space left on device" ]]
  run bash -c "k6gen -q -u 5 -d 60s '$http/small' | head -n 1 | jq -r .type"
  [ "$output" = Start ]
}

@test "too few files are failed samples and one warning" {
  run bash -c "ulimit -Sn 30; ulimit -Hn 30
    k6gen -q -u 60 -i 60 '$http/slow' --timeout 2s 2>&1 >'$out'"
  [ "$status" -eq 0 ]
  [ "$(grep -c 'Too many open files' <<<"$output")" -eq 1 ]
  tag error_code | grep -qx 1213
  [ "$(tag status | wc -l)" -eq 60 ]
}

# answer_with ANSWER: a server that answers each connection with these bytes,
# and closes it. Sets $bad to its URL.
answer_with() {
  printf '%b' "$1" >"$BATS_TEST_TMPDIR/answer"
  cat >"$BATS_TEST_TMPDIR/serve.py" <<'END'
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(50)
open(sys.argv[2], "w").write(str(s.getsockname()[1]) + "\n")
answer = open(sys.argv[1], "rb").read()
while True:
  c, _ = s.accept()
  c.recv(65536)
  c.sendall(answer)
  c.shutdown(socket.SHUT_WR)
  c.recv(65536)
  c.close()
END
  python3 "$BATS_TEST_TMPDIR/serve.py" "$BATS_TEST_TMPDIR/answer" \
    "$BATS_TEST_TMPDIR/bad" 3>&- &
  bad_pid=$!
  retry 10 test -s "$BATS_TEST_TMPDIR/bad"
  bad=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/bad")
}

teardown() {
  [ -z "${bad_pid-}" ] || kill "$bad_pid"
}

@test "a server that closes without an answer is an EOF" {
  answer_with ''
  gen -i 2 "$bad/"
  [ "$(tag error | sort -u)" = EOF ]
  [ "$(tag error_code | sort -u)" = 1000 ]
}

@test "a body cut short is an unexpected EOF" {
  answer_with 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'
  gen "$bad/"
  [ "$(tag error)" = "unexpected EOF" ]
  [ "$(tag status)" = 0 ]
}

@test "what is not HTTP is a failed sample" {
  answer_with 'hello\n'
  gen "$bad/"
  [ "$(tag error)" = "malformed HTTP response" ]
}

@test "a kept connection that the server closed is replaced unseen" {
  answer_with 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  gen -i 20 "$bad/"
  [ "$(tag status | sort -u)" = 200 ]
  [ "$(values data_sent | wc -l)" -eq 20 ]
}

@test "a redirect to a scheme that cannot be requested is a failed sample" {
  answer_with \
    'HTTP/1.1 302 Found\r\nLocation: ftp://host/x\r\nContent-Length: 0\r\n\r\n'
  gen "$bad/"
  [ "$(tag status | xargs)" = "302 0" ]
  [ "$(tag url | tail -n 1)" = ftp://host/x ]
}

@test "a Location that names no host is not looked up as one" {
  answer_with \
    'HTTP/1.1 302 Found\r\nLocation: mailto:80\r\nContent-Length: 0\r\n\r\n'
  gen "$bad/"
  [ "$(tag status | xargs)" = "302 0" ]
  [ "$(tag error | tail -n 1)" = "unsupported protocol scheme" ]
}

@test "an empty Location is no redirect" {
  answer_with 'HTTP/1.1 302 Found\r\nLocation:\r\nContent-Length: 0\r\n\r\n'
  gen "$bad/"
  [ "$(tag status | xargs)" = 302 ]
}

@test "dns rules are k6's, and what is none is refused" {
  gen --dns ttl=0,select=roundRobin,policy=onlyIPv4 \
    "http://localhost:${http##*:}/small"
  [ "$(values http_reqs)" = 1 ]
  for rules in select=best policy=IPv4 ttl=x random; do
    run "$bin/k6gen" --dns "$rules" "$http/small"
    [ "$status" -eq 2 ]
    [[ $output == *"--dns: not "* ]]
  done
}

@test "tls-version is spoken, by both engines" {
  for version in 1.2 1.3; do
    for way in '' --compressed; do
      gen -k --tls-version "$version" $way "$tls/small"
      [ "$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
        .data.tags.tls_version' "$out")" = "tls$version" ]
    done
  done
}

@test "tags of TLS are those of the connection, also when it was closed" {
  gen -k -u 2 -i 6 --keep-alive off "$tls/small" "$h2/small"
  [ "$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    .data.tags | [.proto, .tls_version] | join(" ")' "$out" | sort |
    uniq -c | xargs)" = "6 HTTP/1.1 tls1.3 6 HTTP/2.0 tls1.3" ]
}

@test "users that share connections: one of HTTP/2, one each of HTTP/1.1" {
  local n=0 way
  # By our own engine, and by libcurl's.
  for way in '' --compressed; do
    gen -k -u 10 -i 40 --keep-alive shared $way "$h2/seen"
    retry 10 seen_lines $((n += 40))
    [ "$(tail -n 40 "$dir/seen.log" | cut -d ' ' -f 1 | sort -u | wc -l)" \
      -eq 1 ]
    [ "$(tag proto | sort | uniq -c | xargs)" = "40 HTTP/2.0" ]
  done
  # What does not speak it is lent to one at a time.
  gen -k -u 10 -i 40 --keep-alive shared "$tls/small"
  [ "$(tag proto | sort | uniq -c | xargs)" = "40 HTTP/1.1" ]
  gen -u 10 -i 40 --keep-alive shared "$http/small"
  [ "$(tag status | sort | uniq -c | xargs)" = "40 200" ]
  gen -k -u 10 -i 40 "$h2/seen"
  retry 10 seen_lines $((n += 40))
  [ "$(tail -n 40 "$dir/seen.log" | cut -d ' ' -f 1 | sort -u | wc -l)" -gt 1 ]
}
