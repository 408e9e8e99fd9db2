#!/usr/bin/env bats
# k6push: the wire, the life of a run, faults, and the books.

# bats file_tags=threads
load ../helpers
load push

# A stream of one request every 50 ms for $1 requests, as a live run makes it.
trickle() {
  local i
  for ((i = 0; i < $1; i++)); do
    requests_now 1
    sleep 0.05
  done
}

# requests_now N: nine lines each, stamped now.
requests_now() {
  local i m t
  for ((i = 0; i < $1; i++)); do
    t=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
    for m in http_reqs:1 http_req_duration:3 http_req_blocked:0 \
      http_req_connecting:0 http_req_tls_handshaking:0 http_req_sending:1 \
      http_req_waiting:1 http_req_receiving:1 http_req_failed:0; do
      printf '{"metric":"%s","type":"Point","data":{"time":"%s",' \
        "${m%:*}" "$t"
      printf '"value":%s,"tags":{"name":"x","status":"200"}}}\n' "${m#*:}"
    done
  done
}

start_line() {
  echo '{"type":"Start","data":{"name":"from start","vus":7,'\
'"duration":"40s","thresholds":{"http_req_duration":["p(95)<300"]}}}'
}

end_line() {
  echo '{"type":"End","data":{"run_status":'"${1:-3}"',"result_status":'\
"${2:-0}"',"exit_code":0,"points":9,"requests":1,"thresholds":{}}}'
}

# The metric POSTs that a recorded k6 sent, one sample a line.
sent_by_k6() {
  python3 -c '
import base64, gzip, json, sys
for r in json.load(sys.stdin):
    if "/metrics/" in r["path"] and r["raw_base64"]:
        raw = base64.b64decode(r["raw_base64"])
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        for s in json.loads(raw):
            print(json.dumps(s))' <"$1/transcript.json"
}

# as_k6 CASE: sends the same samples as k6 did on the same run.
as_k6() {
  local dir=$fixtures/wire/$1
  sent_by_k6 "$dir" >"$BATS_TEST_TMPDIR/theirs"
  [ -s "$BATS_TEST_TMPDIR/theirs" ]
  k6push --dry-run <"$dir/run.ndjson" >"$BATS_TEST_TMPDIR/ours"
  python3 "$tools/wirecmp.py" "$BATS_TEST_TMPDIR/theirs" \
    "$BATS_TEST_TMPDIR/ours"
}

@test "sends what k6 sent: v1_noagg" { as_k6 v1_noagg; }
@test "sends what k6 sent: v1_metadata_tags" { as_k6 v1_metadata_tags; }
@test "sends what k6 sent: v1_nocompress" { as_k6 v1_nocompress; }
@test "sends what k6 sent: v1_thresholds" { as_k6 v1_thresholds; }

@test "a dry run prints one sample a line and needs no server" {
  K6_CLOUD_HOST=http://127.0.0.1:1 capture k6push --dry-run "$small"
  [ "$status" -eq 0 ]
  [ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq "$(jq -s length <<<"$out")" ]
  [ "$(jq -s 'map(select(.metric == "http_req_li_all")) | length' \
    <<<"$out")" -eq "$(grep -c '"metric":"http_reqs","type":"Point"' \
    "$small")" ]
}

@test "the create call takes its facts from Start, and flags overrule it" {
  start_server
  { start_line; requests_now 1; end_line; } | k6push 2>/dev/null
  api runs/1 '[.name, .vus, .planned_duration] | @csv' | grep -Fx \
    '"from start",7,40'
  api runs/1 '.thresholds[0] | tostring' | grep -F 'p(95)<300'
  { start_line; requests_now 1; end_line; } | k6push -n flag -u 3 -d 1m \
    --threshold 'checks=rate>0.9' 2>/dev/null
  api runs/2 '[.name, .vus, .planned_duration] | @csv' | grep -Fx '"flag",3,60'
  api runs/2 '.thresholds[0] | tostring' | grep -F 'rate>0.9'
  [ "$(api runs 'length')" = 2 ]
}

@test "the banner is k6's, with the page of the run" {
  start_server
  capture k6push -n nightly "$small"
  [ "$status" -eq 0 ]
  grep -Fx '     execution: local' <<<"$err"
  grep -Fx '        script: nightly' <<<"$err"
  grep -Fx "        output: cloud ($url/runs/1)" <<<"$err"
  curl -sf "$url/runs/1" >/dev/null
}

@test "a line balances the books, and the server agrees" {
  start_server
  capture k6push "$small"
  [ "$status" -eq 0 ]
  points=$(grep -c '"type":"Point"' "$small")
  reqs=$(grep -c '"metric":"http_reqs","type":"Point"' "$small")
  grep -E "read=$points acknowledged=$points on_disk=0 quarantined=0 "`
    `'invalid=0 lost=0' <<<"$err"
  [ "$(tail -n 2 <<<"$err")" = \
    "k6push: $reqs made = $reqs stored, 0 lost, 0 twice
k6push: no criteria: $url/runs/1" ]
  [ "$(api runs/1 .totals.http_reqs)" = "$reqs" ]
  [ "$(api runs/1 .state)" = Finished ]
}

@test "verdict and URL are the last line of a pipeline, also with -q" {
  start_server
  run bash -c 'k6gen -q -u 2 -i 4 "$1/health" | k6agg -q -p 3s |
    k6push -q --threshold "http_reqs=count>0"' - "$url"
  [ "${lines[-1]}" = "k6push: passed: $url/runs/1" ]
  run -99 k6push -q --threshold 'http_reqs=count<1' "$small"
  [ "${lines[-1]}" = "k6push: failed: $url/runs/2" ]
}

@test "invalid lines are counted and shown, all others arrive" {
  start_server
  capture k6push <<EOF
$(requests_now 1)
{"metric":"http_reqs","type":"Point","data":{"time":"yesterday","value":1}}
no JSON at all
$(requests_now 1)
EOF
  [ "$status" -eq 0 ]
  grep -F 'stdin:10: time is not RFC 3339' <<<"$err"
  grep -F 'invalid=2' <<<"$err"
  grep -F '2 made = 2 stored, 0 lost, 0 twice' <<<"$err"
}

@test "requests carry the headers that k6 sends" {
  start_server
  nginx_format='$request_method $uri|$http_authorization|$content_type|'\
'$http_content_encoding|$http_x_payload_sample_count|'\
'$http_x_payload_byte_count|$http_k6_idempotency_key|$http_user_agent'
  start_nginx \
    <<<"location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }"
  K6_CLOUD_HOST=$target K6_CLOUD_TOKEN=secret k6push "$small" 2>/dev/null
  logged
  cat "$nginx_log"
  n=$(k6push --dry-run "$small" | wc -l)
  hex='[0-9a-f]{16}'
  is='\|Token secret\|application/json\|'
  grep -E "^POST /v1/tests$is-\|-\|-\|$hex\|k6push/" "$nginx_log"
  grep -E "^POST /v1/metrics/1${is}gzip\|$n\|[0-9]+\|$hex\|k6push/" "$nginx_log"
  grep -E "^POST /v1/tests/1$is-\|-\|-\|$hex\|" "$nginx_log"
  [ "$(cut -d '|' -f 7 "$nginx_log" | sort -u | wc -l)" -eq 3 ]
  : >"$nginx_log"
  K6_CLOUD_HOST=$target K6_CLOUD_NO_COMPRESS=true k6push "$small" 2>/dev/null
  logged
  grep -E "^POST /v1/metrics/2\|-\|application/json\|-\|$n\|-\|" "$nginx_log" ||
    grep -E "^POST /v1/metrics/2\|-\|application/json\|-\|$n\|[0-9]+\|" \
    "$nginx_log"
}

@test "the stack's number goes with the calls that make and end a run" {
  start_server
  nginx_format='$request_method $uri|$http_x_stack_id'
  start_nginx \
    <<<"location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }"
  K6_CLOUD_HOST=$target K6_CLOUD_STACK_ID=12 capture k6push "$small"
  [ "$status" -eq 0 ]
  logged
  grep -x 'POST /v1/tests|12' "$nginx_log"
  grep -x 'POST /v1/tests/1|12' "$nginx_log"
  : >"$nginx_log"
  K6_CLOUD_HOST=$target capture k6push "$small"
  logged
  grep -x 'POST /v1/tests|-' "$nginx_log"
  K6_CLOUD_STACK_ID=x capture k6push "$small"
  [ "$status" -eq 2 ]
}

@test "a package holds at most so many samples as is set" {
  start_server
  nginx_format='$uri $http_x_payload_sample_count'
  start_nginx \
    <<<"location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }"
  n=$(k6push --dry-run "$small" | wc -l)
  K6_CLOUD_HOST=$target K6_CLOUD_MAX_METRIC_SAMPLES_PER_PACKAGE=10 \
    k6push --push-concurrency 3 "$small" 2>/dev/null
  logged
  grep metrics "$nginx_log" | awk '{ if ($2 > 10) exit 1; s += $2 }
    END { exit s != '"$n"' }'
  [ "$(api runs/1 .totals.http_reqs)" = \
    "$(grep -c '"metric":"http_reqs","type":"Point"' "$small")" ]
}

# bats test_tags=slow
@test "an outage in the middle of a run loses nothing" {
  start_server
  port=${url##*:}
  mkfifo "$BATS_TEST_TMPDIR/in"
  k6push <"$BATS_TEST_TMPDIR/in" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/in"
  { start_line; trickle 20; } >&4
  retry 10 bash -c \
    "curl -sS $url/api/v1/runs | jq -e '.[0].totals.http_reqs > 0'"
  kill_now "$server"
  wait "$server" || true
  trickle 40 >&4
  retry 10 grep -F 'cannot send samples, still retrying' "$BATS_TEST_TMPDIR/err"
  start_server --listen "127.0.0.1:$port" 4>&-
  { trickle 20; end_line; } >&4
  exec 4>&-
  wait "$push"
  cat "$BATS_TEST_TMPDIR/err"
  grep -F '80 made = 80 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err"
  grep -F 'the server takes samples again' "$BATS_TEST_TMPDIR/err"
  [ "$(api runs/1 .totals.http_reqs)" = 80 ]
  [ "$(api runs/1 .state)" = Finished ]
}

# bats test_tags=slow
@test "a request whose answer came too late is not stored twice" {
  start_server
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  K6_CLOUD_TIMEOUT=1s k6push <"$BATS_TEST_TMPDIR/fifo" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/fifo"
  { start_line; requests_now 1; } >&4
  retry 10 bash -c \
    "curl -sS $url/api/v1/runs | jq -e '.[0].totals.http_reqs == 1'"
  kill -STOP "$server"
  requests_now 5 >&4
  retry 10 grep -F 'cannot send samples' "$BATS_TEST_TMPDIR/err"
  kill -CONT "$server"
  end_line >&4
  exec 4>&-
  wait "$push"
  cat "$BATS_TEST_TMPDIR/err"
  grep -E 'resent=[1-9]' "$BATS_TEST_TMPDIR/err"
  grep -F '6 made = 6 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err"
}

@test "a server that never answers: counted, named, exit 75" {
  K6_CLOUD_HOST=http://127.0.0.1:1 capture k6push --drain 1s "$small"
  [ "$status" -eq 75 ]
  points=$(grep -c '"type":"Point"' "$small")
  grep -F '127.0.0.1:1/v1/tests' <<<"$err"
  grep -E "^k6push: $points samples \([0-9]+ requests\) are kept on disk" \
    <<<"$err"
  grep -E "read=$points acknowledged=0 on_disk=$points" <<<"$err"
}

@test "a create call that fails is told in k6's words, and nothing is lost" {
  nginx_http='default_type application/json;'
  start_nginx <<'EOF'
location /a/ { return 401 '{"error":{"code":10,"message":"Invalid token"}}'; }
location /b/ { return 401 'nope'; }
location /c/ { return 403 'nope'; }
location /d/ { return 400 '{"error":{"code":2,"message":"Validation failed","errors":["second"],"details":{"name":["too long"],"vus":["bad","worse"]}}}'; }
location /e/ { return 200 '{"x":1}'; }
location /f/ { return 302 http://127.0.0.1:1/; }
EOF
  for want in 'a/(401/E10) Invalid token' \
    'b/failed to authenticate with k6 Cloud' \
    'c/not allowed to upload result to k6 Cloud' \
    'd/(400/E2) Validation failed; second; name: too long; vus: bad, worse' \
    'e/failed to get a reference ID' 'f/unexpected HTTP error from'; do
    K6_CLOUD_HOST=$target/${want%%/*} until_told '^k6push: .*[a-z]' \
      k6push --drain 100ms
    [ "$status" -eq "$([[ $want == d* ]] && echo 1 || echo 75)" ]
    grep -F "k6push: ${want#*/}" <<<"$err"
    # What is refused for good is not read to its end.
    grep -E ' read=([0-9]+) acknowledged=0 on_disk=\1 ' <<<"$err"
    [[ $want == d* ]] || grep -F " on_disk=$points " <<<"$err"
  done
  # Where no samples wait for it, there is nothing to hold.
  K6_CLOUD_HOST=$target/a capture k6push --create
  [ "$status" -eq 1 ]
  grep -F '(401/E10) Invalid token' <<<"$err"
}

# behind_portal: an nginx before the server, that answers in its stead as long
# as a file of $BATS_TEST_TMPDIR says so: html, 302, 400, 401, 413, 421.
behind_portal() {
  local at=$BATS_TEST_TMPDIR
  start_server
  start_nginx <<CONF
location / { if (-e $at/html) { return 200 '<html>log in</html>'; }
  if (-e $at/302) { return 302 http://127.0.0.1:1/; }
  if (-e $at/401) { return 401; }
  if (-e $at/421) { return 421; }
  if (-e $at/400) { return 400; }
  if (-e $at/413) { return 413; }
  proxy_pass $url; proxy_set_header Host \$proxy_host; }
CONF
  mkfifo "$at/fifo"
}

# bats test_tags=slow
@test "a portal's page in the server's place is no acknowledgement" {
  nginx_http='default_type text/html;'
  behind_portal
  stream 60 0 >"$BATS_TEST_TMPDIR/in"
  for version in 1 2; do
    rm -f "$BATS_TEST_TMPDIR/err"	# of the former one
    K6_CLOUD_HOST=$target k6push --api-version "$version" \
      --push-interval 100ms <"$BATS_TEST_TMPDIR/fifo" \
      2>"$BATS_TEST_TMPDIR/err" 3>&- &
    push=$!
    exec 4>"$BATS_TEST_TMPDIR/fifo"
    head -n 181 "$BATS_TEST_TMPDIR/in" >&4
    retry 20 grep -qs execution "$BATS_TEST_TMPDIR/err"
    touch "$BATS_TEST_TMPDIR/html"
    tail -n +182 "$BATS_TEST_TMPDIR/in" >&4
    exec 4>&-
    retry 20 grep -F "is not the API's: the page of a portal" \
      "$BATS_TEST_TMPDIR/err"
    rm "$BATS_TEST_TMPDIR/html"
    wait "$push"
    err=$(cat "$BATS_TEST_TMPDIR/err")
    [ "$(grep -c "is not the API's" <<<"$err")" -eq 1 ]
    grep -F '60 made = 60 stored, 0 lost, 0 twice' <<<"$err"
  done
}

# bats test_tags=slow
@test "a create call that somebody must act on is held while input flows" {
  behind_portal
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  for what in html 302 400 401 413 421; do
    touch "$BATS_TEST_TMPDIR/$what"
    rm -f "$BATS_TEST_TMPDIR/err"	# of the former one
    K6_CLOUD_HOST=$target k6push <"$BATS_TEST_TMPDIR/fifo" \
      2>"$BATS_TEST_TMPDIR/err" 3>&- &
    push=$!
    exec 4>"$BATS_TEST_TMPDIR/fifo"
    head -n 100 "$BATS_TEST_TMPDIR/in" >&4
    retry 20 grep -qs 'still retrying' "$BATS_TEST_TMPDIR/err"
    tail -n +101 "$BATS_TEST_TMPDIR/in" >&4
    rm "$BATS_TEST_TMPDIR/$what"
    exec 4>&-
    wait "$push"
    grep -F '20 made = 20 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err"
    [ "$(grep -c 'still retrying' "$BATS_TEST_TMPDIR/err")" -eq 1 ]
  done
}

@test "a run id or a count in an answer that cannot be is told, not used" {
  nginx_http='default_type application/json;'
  start_nginx <<'EOF'
location = /nul/v1/tests { return 200 '{"reference_id":"1\u0000/2"}'; }
location = /v1/tests { return 200 '{"reference_id":"1"}'; }
location = /v1/tests/1 {
  return 200 '{"run_status":1e300,"result_status":-7,"stored":{"http_reqs":1e300}}'; }
location /v1/metrics { return 200; }
EOF
  K6_CLOUD_HOST=$target/nul capture k6push "$small"
  [ "$status" -eq 1 ]
  grep -F 'a run id that cannot be used' <<<"$err"
  K6_CLOUD_HOST=$target capture k6push "$small"
  [ "$status" -eq 0 ]
  grep -F 'the server'"'"'s "stored" is not a count: 1e300' <<<"$err"
  grep -F "$reqs made = $reqs stored, 0 lost, 0 twice" <<<"$err"
}

@test "a foreign run is told as such, not as a matter of the protocol" {
  start_server
  K6_CLOUD_PUSH_REF_ID=77 until_told 'run 77' k6push --drain 100ms
  [ "$status" -eq 75 ]
  grep -F 'is run 77, of K6_CLOUD_PUSH_REF_ID, one of this server' <<<"$err"
  run ! grep -F K6_CLOUD_API_VERSION <<<"$err"
}

@test "a wrong token is refused by k6serve, a right one is taken" {
  start_server
  token=$(k6serve token add ci --db "$BATS_TEST_TMPDIR/k6serve.db")
  K6_CLOUD_TOKEN=wrong until_told '\(401' k6push --drain 100ms
  [ "$status" -ne 0 ]
  grep -F '(401' <<<"$err"
  K6_CLOUD_TOKEN=$token capture k6push "$small"
  [ "$status" -eq 0 ]
}

@test "a run that takes no more: one warning, the rest counted, exit 75" {
  start_server
  k6push "$small" 2>/dev/null
  K6_CLOUD_PUSH_REF_ID=1 capture k6push "$small"
  [ "$status" -eq 75 ]
  [ "$(grep -c 'stopped sending samples: (403/E4)' <<<"$err")" -eq 1 ]
  grep -F 'the run takes no more; to remove them: k6push --discard' <<<"$err"
  K6_CLOUD_PUSH_REF_ID=1 K6_CLOUD_STOP_ON_ERROR=true capture k6push "$small"
  [ "$status" -eq 105 ]
}

@test "with a reference id the run is fed, not created and not finished" {
  start_server
  { requests_now 1; retry 60 test -e "$BATS_TEST_TMPDIR/fed"; } |
    k6push -n shared 2>"$BATS_TEST_TMPDIR/first" 3>&- &
  first=$!
  retry 10 bash -c "curl -sS $url/api/v1/runs | jq -e 'length == 1'"
  K6_CLOUD_PUSH_REF_ID=1 capture k6push "$small"
  [ "$status" -eq 0 ]
  [ "$(api runs length)" = 1 ]
  [ "$(api runs/1 .state)" = Running ]
  touch "$BATS_TEST_TMPDIR/fed"
  wait "$first" || true
}

@test "samples that are refused for good are counted, exit 75" {
  start_nginx <<'EOF'
location /v1/metrics { return 400 '{"error":{"message":"bad sample"}}'; }
location / { return 200 '{"reference_id":"5"}'; }
EOF
  K6_CLOUD_HOST=$target capture k6push "$small"
  [ "$status" -eq 75 ]
  grep -E 'samples refused for good: \(400\) bad sample' <<<"$err"
}

@test "the server's config, logs and page are taken" {
  nginx_format='$request_uri $http_content_encoding'
  start_nginx <<'EOF'
location = /v1/tests { return 200 '{"reference_id":"a b/c","config":{"noCompress":true,"unknown":1,"name":null,"testRunDetails":"http://page.example/x"},"logs":[{"level":"warning","message":"hello from the server"}]}'; }
location / { return 200 '{}'; }
EOF
  K6_CLOUD_HOST=$target capture k6push "$small"
  [ "$status" -eq 0 ]
  grep -F 'server: warning: hello from the server' <<<"$err"
  grep -F 'output: cloud (http://page.example/x)' <<<"$err"
  logged
  grep -Fx '/v1/metrics/a%20b/c -' "$nginx_log"
  grep -F '/v1/tests/a%20b/c' "$nginx_log"
}

@test "a redirect is not followed, so that the token goes nowhere else" {
  start_nginx <<'EOF'
location = /v1/tests { return 307 http://$http_host/elsewhere; }
location / { return 200 '{"reference_id":"1"}'; }
EOF
  K6_CLOUD_HOST=$target K6_CLOUD_TOKEN=secret until_found ' /v1/tests' \
    "$nginx_log" k6push --drain 1s
  [ "$status" -ne 0 ]
  logged
  run ! grep elsewhere "$nginx_log"
}

# bats test_tags=slow
@test "a finish that fails is said, and is exit 1" {
  start_nginx <<'EOF'
location = /v1/tests { return 200 '{"reference_id":"1"}'; }
location /v1/metrics { return 200; }
location / { return 500; }
EOF
  K6_CLOUD_HOST=$target until_found ' /v1/metrics' "$nginx_log" \
    k6push --drain 4s
  [ "$status" -eq 1 ]
  grep -F 'failed to send test finished' <<<"$err"
}

@test "the end of the stream tells how the run ended" {
  start_server
  capture k6push < <(start_line; requests_now 1; end_line 5)
  [ "$status" -eq 105 ]
  capture k6push < <(start_line; requests_now 1; end_line 3 1)
  [ "$status" -eq 99 ]
  capture k6push < <(start_line; requests_now 1)
  [ "$status" -eq 1 ]
  grep -F 'the stream was cut' <<<"$err"
  [ "$(api runs 'map(.state) | join(",")')" = \
    'Aborted by System,Finished,Aborted by User' ]
  [ "$(api runs/2 .result_status)" = 1 ]
}

@test "a signal on a file ends the run as Aborted by User, exit 105" {
  start_server
  python3 "$root/tests/tools/stream.py" 500 0 >"$BATS_TEST_TMPDIR/in"
  # A file that does not end, and of which all is delivered: nothing is left for
  # the two seconds after a signal.
  mkfifo "$BATS_TEST_TMPDIR/endless"
  k6push "$BATS_TEST_TMPDIR/endless" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/endless"
  head -n 4501 "$BATS_TEST_TMPDIR/in" >&4
  retry 60 bash -c "curl -sS $url/api/v1/runs |
    jq -e '.[0].totals.http_reqs == 500'"
  kill -TERM "$push"
  code=0
  wait "$push" || code=$?
  exec 4>&-
  cat "$BATS_TEST_TMPDIR/err"
  [ "$code" -eq 105 ]
  [ "$(api runs/1 .state)" = 'Aborted by User' ]
  grep -E '500 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err"
}

@test "a stream with a Start, an End and no sample makes a finished run" {
  start_server
  python3 "$root/tests/tools/stream.py" 0 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  [ "$(api runs/1 '.name + " " + .state')" = 'stream Finished' ]
}

@test "a token with a line end is refused before it is a header" {
  local name
  for name in TOKEN TEST_RUN_TOKEN; do
    capture env K6_CLOUD_HOST=https://127.0.0.1:1 "K6_CLOUD_$name="$'a\nX: y' \
      K6_CLOUD_METRICS_PUSH_URL="$([ $name = TOKEN ] ||
        echo https://127.0.0.1:1)" \
      K6_CLOUD_PUSH_REF_ID=1 k6push "$small"
    [ "$status" -eq 2 ]
    grep -F "the token (K6_CLOUD_$name) has a line end" <<<"$err"
  done
}

@test "messages name the proxy, without its password" {
  http_proxy=http://me:secret@127.0.0.1:1 no_proxy='' \
    K6_CLOUD_HOST=http://192.0.2.1 until_told proxy k6push --drain 1s
  grep -F 'through the proxy http://****:****@127.0.0.1:1' <<<"$err"
  run ! grep -F secret <<<"$err"
  start_nginx <<<'return 502;'
  http_proxy=$target no_proxy='' K6_CLOUD_HOST=http://192.0.2.1 \
    until_told proxy k6push --drain 1s
  grep -F "502 Bad Gateway (through the proxy $target)" <<<"$err"
  http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 K6_CLOUD_HOST=$target \
    capture k6push --drain 1s "$small"
  run ! grep -F 'through the proxy' <<<"$err"
}

@test "a proxy of the environment is used" {
  start_server
  start_nginx <<'EOF'
location / { proxy_pass http://$http_host$request_uri; proxy_set_header Host $http_host; }
EOF
  http_proxy=$target no_proxy='' capture k6push "$small"
  [ "$status" -eq 0 ]
  logged
  grep -F "POST http://127.0.0.1:${url##*:}/v1/tests" "$nginx_log"
}

@test "a CA file makes a private server trusted; else it is not" {
  certificate
  start_server
  nginx_listen=ssl
  start_nginx <<EOF
ssl_certificate $BATS_TEST_TMPDIR/crt;
ssl_certificate_key $BATS_TEST_TMPDIR/key;
location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }
EOF
  K6_CLOUD_HOST=$target until_told certificate k6push --drain 1s
  [ "$status" -eq 75 ]
  grep -i certificate <<<"$err"
  K6_CLOUD_HOST=$target capture k6push --cacert "$BATS_TEST_TMPDIR/crt" "$small"
  [ "$status" -eq 0 ]
  K6_CLOUD_HOST=$target capture k6push --cacert /nonexistent "$small"
  [ "$status" -eq 2 ]
}

@test "the token of k6login is used; the environment overrules it" {
  start_server
  token=$(k6serve token add ci --db "$BATS_TEST_TMPDIR/k6serve.db")
  echo "$token" | k6login
  capture k6push "$small"
  [ "$status" -eq 0 ]
  K6_CLOUD_TOKEN=wrong until_told '\(401' k6push --drain 100ms
  [ "$status" -ne 0 ]
  capture k6push --config "$BATS_TEST_TMPDIR/none.json" "$small"
  [ "$status" -eq 2 ]
  grep -F 'none.json: no such file' <<<"$err"
}

@test "a token does not go over plain http to another machine" {
  K6_CLOUD_HOST=http://192.0.2.1 K6_CLOUD_TOKEN=x capture k6push "$small"
  [ "$status" -eq 2 ]
  grep -F 'plain http' <<<"$err"
}

@test "hosts that are no http URL are refused before anything is sent" {
  for host in ftp://x file:///etc/passwd 'http://u:p@h' 'http://' \
    $'http://a\nb' 'http://a b' '::' "http://$(printf 'a%.0s' {1..3000})"; do
    K6_CLOUD_HOST=$host capture k6push "$small"
    [ "$status" -eq 2 ]
  done
}

@test "settings that are none are refused, naming the variable" {
  for bad in K6_CLOUD_METRIC_PUSH_INTERVAL=x K6_CLOUD_NO_COMPRESS=yes \
    K6_CLOUD_METRIC_PUSH_CONCURRENCY=0 K6_CLOUD_PROJECT_ID=-1 \
    K6_CLOUD_API_VERSION=3 K6_CLOUD_TIMEOUT=-; do
    capture env "$bad" k6push "$small"
    [ "$status" -eq 2 ]
    grep -F "${bad%%=*}" <<<"$err"
  done
}

@test "no data makes no run" {
  start_server
  capture k6push </dev/null
  [ "$status" -eq 0 ]
  grep -F 'no data' <<<"$err"
  [ "$(api runs length)" = 0 ]
}

@test "no data is no success where a threshold was to be judged" {
  start_server
  capture k6push --threshold 'http_req_failed=rate<0.1' </dev/null
  [ "$status" -eq 1 ]
  grep -Fx 'k6push: no data: no run was created, no threshold judged' <<<"$err"
  [[ $err != *holds* ]]
  [ "$(api runs length)" = 0 ]
  # as k6, which counts 0
  capture k6push --threshold 'http_reqs=count>0' </dev/null
  [ "$status" -eq 99 ]
  capture k6push --threshold 'http_req_failed=rate<0.1' "$small"
  [ "$status" -eq 0 ]
}

@test "histograms go only to a server that asks for them" {
  k6agg -q -p 3s --min-samples 5 "$small" >"$BATS_TEST_TMPDIR/folded"
  grep -q '"hist"' "$BATS_TEST_TMPDIR/folded"
  k6push --dry-run "$BATS_TEST_TMPDIR/folded" | grep -q AggregatedPoints
  run ! grep -q '"hist"' <(k6push --dry-run "$BATS_TEST_TMPDIR/folded")
  k6push --dry-run --send-histograms "$BATS_TEST_TMPDIR/folded" |
    grep -q '"hist"'
  start_server
  k6push "$BATS_TEST_TMPDIR/folded" 2>/dev/null
  k6push "$small" 2>/dev/null
  [ "$(api runs/1 .totals.http_req_duration.p95)" = \
    "$(api runs/2 .totals.http_req_duration.p95)" ]
}

@test "a second signal ends it at once, and says where the rest lies" {
  start_server
  port=${url##*:}
  mkfifo "$BATS_TEST_TMPDIR/in"
  k6push --journal "$journals" <"$BATS_TEST_TMPDIR/in" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/in"
  requests_now 1 >&4
  retry 10 bash -c \
    "curl -sS $url/api/v1/runs | jq -e '.[0].totals.http_reqs == 1'"
  # It has the answer to that, too.
  retry 10 in_journals 0
  kill_now "$server"
  wait "$server" || true
  requests_now 2 >&4
  retry 10 in_journals 18
  retry 10 grep -F 'cannot send samples' "$BATS_TEST_TMPDIR/err"
  # Two signals that come at once are one; so more, until it gave in.
  retry 10 bash -c "kill -INT $push; grep -q ' made = ' $BATS_TEST_TMPDIR/err"
  code=0
  wait "$push" || code=$?
  exec 4>&-
  cat "$BATS_TEST_TMPDIR/err"
  [ "$code" -eq 75 ]
  grep -F '3 made = 1 stored + 2 on disk, 0 lost, 0 twice' \
    "$BATS_TEST_TMPDIR/err"
}

@test "Retry-After is heeded, in seconds" {
  start_nginx <<'EOF'
location = /v1/tests { return 200 '{"reference_id":"1"}'; }
location /v1/metrics { add_header Retry-After 600 always; return 503; }
location / { return 200; }
EOF
  K6_CLOUD_HOST=$target until_found ' /v1/metrics' "$nginx_log" \
    k6push --drain 2s
  [ "$status" -eq 75 ]
  [ "$(grep -c /v1/metrics "$nginx_log")" -eq 1 ]
}

# bats test_tags=slow
@test "samples that are held are tried again, but seldom" {
  start_nginx <<'EOF'
location = /v1/tests { return 200 '{"reference_id":"1"}'; }
location /v1/metrics { return 401 '{"error":{"message":"token revoked"}}'; }
location / { return 200; }
EOF
  local begin=$SECONDS
  K6_CLOUD_HOST=$target until_told 'still retrying' k6push --drain 4s
  [ "$status" -eq 75 ]
  [ "$(grep -c 'upload failed, still retrying: (401) token revoked' \
    <<<"$err")" -eq 1 ]
  # After 2.5 s at the earliest.
  [ "$(grep -c /v1/metrics "$nginx_log")" -le \
    $((1 + (SECONDS - begin + 1) * 2 / 5)) ]
}

@test "an input that cannot be read makes the run aborted, not finished" {
  start_server
  capture k6push "$small" "$BATS_TEST_TMPDIR/none"
  [ "$status" -eq 1 ]
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
  k6agg --strict <(cat "$small"; echo '{"cut') 2>/dev/null |
    k6push 2>/dev/null || true
  [ "$(api runs/2 .state)" = 'Aborted by System' ]
}

@test "input without a single good line is a failure" {
  start_server
  capture k6push <<<'garbage'
  [ "$status" -eq 1 ]
  grep -F 'no line of the input belongs to the stream' <<<"$err"
  [ "$(api runs length)" = 0 ]
}

@test "a run id that would leave its place in the URL is refused" {
  for id in '../../x' 'a\\u001b[31m' 'a\\nb'; do
    start_nginx <<<"location / { return 200 '{\"reference_id\":\"$id\"}'; }"
    K6_CLOUD_HOST=$target capture k6push "$small"
    stop_nginx
    [ "$status" -eq 1 ]
    grep -F 'a run id that cannot be used' <<<"$err"
  done
}

@test "only level and message of the server's logs are printed" {
  start_nginx <<'EOF'
location = /v1/tests { return 200 '{"reference_id":"1","logs":[{"level":"info","message":"hello","source":"abc"}]}'; }
location / { return 200; }
EOF
  K6_CLOUD_HOST=$target capture k6push "$small"
  grep -Fx 'k6push: server: info: hello' <<<"$err"
}

# trimmed END...: three requests, and an End line with these members.
trimmed() {
  stream 3 0 | head -n -1
  echo "{\"type\":\"End\",\"data\":{\"run_status\":3,$1}}"
}

@test "what was dropped on purpose is counted as dropped, not as lost" {
  start_server
  trimmed '"points":45,"requests":5,"passed":3,"dropped":2' \
    >"$BATS_TEST_TMPDIR/in"
  capture k6push --result "$BATS_TEST_TMPDIR/r.json" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -Fx 'k6push: 5 made = 3 stored + 2 dropped, 0 lost, 0 twice' <<<"$err"
  jq -e '.requests == {made: 5, stored: 3, on_disk: 0, dropped: 2, lost: 0,
    twice: 0, verified: null} and .exit_status == 0' "$BATS_TEST_TMPDIR/r.json"
  # What is missing besides is lost.
  trimmed '"requests":6,"dropped":2' >"$BATS_TEST_TMPDIR/in"
  capture k6push "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  grep -F '6 made = 3 stored + 2 dropped, 1 lost, 0 twice' <<<"$err"
  # A trailer that counts only what it let pass.
  trimmed '"requests":3,"dropped":2' >"$BATS_TEST_TMPDIR/in"
  capture k6push "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -F '5 made = 3 stored + 2 dropped, 0 lost, 0 twice' <<<"$err"
  # On the way to a server that is away.
  K6_CLOUD_HOST=http://127.0.0.1:1 capture k6push --drain 0s \
    --journal "$BATS_TEST_TMPDIR/j" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  grep -F '5 made = 0 stored + 3 on disk + 2 dropped, 0 lost' <<<"$err"
}

@test "samples that gzip makes a thousandth of are delivered" {
  # Lines of nearly the longest length: 4 in a batch, and not compressed on the
  # wire, where the journal has them compressed all the same.
  start_server
  jq -nc '("a" * 900000) as $pad | {type: "Metric", metric: "m",
    data: {name: "m", type: "counter", contains: "default"}},
    (range(4) | {metric: "m", type: "Point", data: {time: "2026-11-29T06:00:00Z",
      value: 1, tags: {url: "http://x/?\($pad)"}}})' >"$BATS_TEST_TMPDIR/in"
  for how in --push-interval=1s --no-compress; do
    capture k6push "$how" "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 0 ]
    grep -F 'read=4 acknowledged=4' <<<"$err"
  done
}

@test "what k6agg dropped by choice is not said to be missing" {
  start_server
  python3 "$root/tests/tools/stream.py" 100 0 | awk \
    '/"http_reqs","type":"P/ { n++ } n % 2 { sub(/"200"/, "\"418\"") }
    { print }' >"$BATS_TEST_TMPDIR/in"
  for options in '' '-p 3s' -m; do
    for rule in '--keep status=418' '--drop http_req_waiting' \
      '--drop http_reqs'; do
      # shellcheck disable=SC2086 # words
      k6agg -q $options $rule "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/part"
      capture k6push --expect-end "$BATS_TEST_TMPDIR/part"
      [ "$status" -eq 0 ]
      [[ $err != *'did not come'* ]]
      # What is lost behind it still is, and is not counted as dropped.
      grep -v '"http_req_sending"' "$BATS_TEST_TMPDIR/part" \
        >"$BATS_TEST_TMPDIR/gap"
      cmp -s "$BATS_TEST_TMPDIR/gap" "$BATS_TEST_TMPDIR/part" && continue
      capture k6push --expect-end "$BATS_TEST_TMPDIR/gap"
      [ "$status" -ne 0 ]
      [[ $err == *'did not come'* ]]
      # By two of them, one behind the other.
      # shellcheck disable=SC2086 # words
      k6agg -q $options --drop 'http_req_blocked' "$BATS_TEST_TMPDIR/part" \
        >"$BATS_TEST_TMPDIR/less"
      capture k6push --expect-end "$BATS_TEST_TMPDIR/less"
      [ "$status" -eq 0 ]
      [[ $err != *'did not come'* ]]
    done
  done
}

@test "samples that the End line counts and that did not come are told" {
  start_server
  one='{"metric":"own","type":"Point","data":{"time":"2026-11-29T06:00:00Z","value":1,"tags":{}}}'
  { echo '{"type":"Start","data":{"name":"x","vus":1}}'
    echo "$one"
    echo "$one"
    echo '{"type":"End","data":{"run_status":3,"points":10,"requests":0}}'
  } >"$BATS_TEST_TMPDIR/in"
  capture k6push "$BATS_TEST_TMPDIR/in"
  grep -F '8 of 10 samples that the End line counts did not come' <<<"$err"
  [ "$status" -eq 0 ]
  capture k6push --expect-end "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 1 ]
  [ "$(api runs/2 .state)" = 'Aborted by System' ]
}
