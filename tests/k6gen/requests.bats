#!/usr/bin/env bats
# What k6gen sends: targets, placeholders, bodies, headers, and over what.

load ../helpers
load gen

setup() {
  out=$BATS_TEST_TMPDIR/o
  export nginx_format='$request_method $request_uri [$http_x_test] '\
'[$http_authorization] [$http_cookie] [$content_type] [$connection] '\
'[$http_host] [$server_protocol] body=$content_length'
  yes root | head -n 2000 >"$BATS_TEST_TMPDIR/long"
  start_nginx <<END
location / { return 200 "hello\n"; }
location = /cookie {
  add_header Set-Cookie "id=7; Path=/";
  return 200 "set\n";
}
location = /zip { gzip on; gzip_min_length 1; gzip_types *; alias $BATS_TEST_TMPDIR/long; }
END
}

teardown() {
  stop_nginx
  [ -z "${helper-}" ] || kill "$helper" 2>/dev/null || true
}

# log N: nginx's log, once it has N lines
log() {
  retry 10 log_has "$1"
  cat "$nginx_log"
}
log_has() { [ "$(wc -l <"$nginx_log")" -ge "$1" ]; }

tags() {
  jq -r "select(.type == \"Point\" and .metric == \"http_reqs\") |
    .data.tags | $1" "$out"
}

@test "a targets file in vegeta's text form is requested line by line" {
  printf 'from a file' >"$BATS_TEST_TMPDIR/body"
  cat >"$BATS_TEST_TMPDIR/t" <<END
# a comment
GET $target/a
X-Test: one

POST $target/b
X-Test: two
Content-Type: text/plain
@$BATS_TEST_TMPDIR/body
DELETE $target/c
END
  gen -t "$BATS_TEST_TMPDIR/t" -i 4
  [ "$(log 4 | cut -d' ' -f1-3)" = "GET /a [one]
POST /b [two]
DELETE /c [-]
GET /a [one]" ]
  sed -n 2p "$nginx_log" | grep -qF '[text/plain]'
}

@test "JSON targets have headers, body, name and tags" {
  cat >"$BATS_TEST_TMPDIR/t" <<END
{"method":"PUT","url":"$target/o/1","headers":{"X-Test":"a\"b"},"body":"x","name":"order","tags":{"kind":"k"}}
{"url":"$target/p","header":{"X-Test":["p"]}}
END
  gen -t "$BATS_TEST_TMPDIR/t" -i 2 -H 'X-Test: default'
  [ "$(log 2 | cut -d' ' -f1-3)" = 'PUT /o/1 [a\x22b]
GET /p [p]' ]
  [ "$(tags '[.name, .url, .kind] | join(" ")')" = "order order k
$target/p $target/p " ]
}

@test "JSON targets made for vegeta have their bodies in base64" {
  printf '{"method":"POST","url":"%s","body":"%s","header":{"X-Test":["v"]}}\n' \
    "$target/form" "$(printf 'a\nb' | base64)" "$target/form" plain \
    >"$BATS_TEST_TMPDIR/t"
  local code=0
  gen -t - --base64 <"$BATS_TEST_TMPDIR/t" || code=$?
  [ "$code" -eq 1 ]
  grep -q 'stdin:2: body: not base64' "$out.err"
  [ "$(log 1 | cut -d' ' -f1-3)" = "POST /form [v]" ]
  gen -t - < <(head -n 1 "$BATS_TEST_TMPDIR/t")
  [ "$(log 2 | grep -o 'body=[0-9]*' | xargs)" = \
    "body=3 body=4" ]
}

@test "targets on stdin are used up once, and their end ends the run" {
  seq 100 | sed "s|.*|GET $target/&\n|" | gen -t - -u 7
  [ "$(log 100 | cut -d' ' -f2 | sort -u | wc -l)" -eq 100 ]
  tail -n 1 "$out" | jq -e '.type == "End" and .data.run_status == 3'
}

@test "targets that come slowly are requested as they come" {
  {
    printf 'GET %s/1\n\n' "$target"
    retry 10 grep -q '/1' "$nginx_log"
    printf 'GET %s/2\n\n' "$target"
  } | gen -t -
  [ "$(log 2 | cut -d' ' -f2 | xargs)" = "/1 /2" ]
}

@test "a bad target of stdin is reported and skipped, of a file it ends all" {
  local code=0
  printf 'GET %s/1\n\n{"url":\nnonsense\nGET ftp://x/\n\nGET %s/2\n' \
    "$target" "$target" >"$BATS_TEST_TMPDIR/t"
  gen -t - <"$BATS_TEST_TMPDIR/t" || code=$?
  [ "$code" -eq 1 ]
  [ "$(log 2 | cut -d' ' -f2 | xargs)" = "/1 /2" ]
  grep -q 'stdin:3: ' "$out.err"
  grep -q 'stdin:4: not METHOD URL' "$out.err"
  grep -q 'stdin:5: unsupported scheme' "$out.err"
  grep -q 'stdin: 3 bad targets were skipped' "$out.err"
  [ "$(tail -n 1 "$out" | jq -c '.data | [.state, .exit_code]')" = \
    '["Finished",1]' ]
  code=0
  gen -t "$BATS_TEST_TMPDIR/t" || code=$?
  [ "$code" -eq 1 ]
  grep -q "^k6gen: $BATS_TEST_TMPDIR/t:3: " "$out.err"
  [ "$(wc -l <"$nginx_log")" -eq 2 ]
}

@test "a targets file with DOS line ends is read as any other" {
  printf 'GET %s/1\r\nX-Test: one\r\n\r\n{"url":"%s/2"}\r\n' "$target" \
    "$target" | gen -t -
  [ "$(log 2 | cut -d' ' -f2-3)" = "/1 [one]
/2 [-]" ]
}

@test "a stdin that brings no target at all is a failure" {
  run -1 k6gen -q -t - </dev/null
  [[ ${lines[-1]} == "k6gen: stdin: no targets" ]]
  [ "$(grep '"End"' <<<"$output" | jq -c '.data | [.state, .exit_code]')" = \
    '["Aborted by System",1]' ]
}

@test "a million targets on stdin need no more memory than a few" {
  k6gen -q -t - -d 60s --no-output -u 2 < <(yes "GET $target/" |
    head -n 2000000) 2>"$out.err" 3>&- &
  local pid=$! peak
  retry 20 log_has 2000
  peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
  kill -TERM "$pid"
  wait "$pid" || true
  ((peak < $(sanitized && echo 400000 || echo 40000)))
}

@test "targets come as often as their weights say, spread evenly" {
  cat >"$out.targets" <<END
GET $target/a
# weight: 3
X-A: b

{"url":"$target/b"}
END
  k6gen -q -i 400 -t "$out.targets" >"$out"
  [ "$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    .data.tags.url[-1:]' "$out" | tr -d '\n' | fold -w 4 | sort | uniq -c |
    xargs)" = "100 aaba" ]
  k6gen -q -i 4000 --random --seed 7 -t "$out.targets" >"$out"
  n=$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    .data.tags.url' "$out" | grep -c 'a$')
  # 3000 +- 5 standard deviations.
  [ "$n" -ge 2863 ] && [ "$n" -le 3137 ]
  capture k6gen -q -i 4 -t - <"$out.targets"
  [ "$status" -eq 1 ]
  [[ $err = *"stdin:4: a weight: only in a file, not on stdin"* ]]
}

@test "a comment that looks like a weight is told of" {
  printf 'GET %s/\n# weight=3\n' "$target" >"$out.targets"
  run k6gen -q -i 1 --no-output -t "$out.targets"
  [ "$status" -eq 0 ]
  [ "$output" = \
    "k6gen: $out.targets:2: only a comment; a weight is \"# weight: N\"" ]
}

@test "random targets come by chance, and again with the same seed" {
  seq 20 | sed "s|.*|GET $target/&\n|" >"$BATS_TEST_TMPDIR/t"
  gen -t "$BATS_TEST_TMPDIR/t" --random --seed 5 -i 30
  cp "$out" "$out.1"
  tags .url >"$out.a"
  gen -t "$BATS_TEST_TMPDIR/t" --random --seed 5 -i 30
  tags .url | cmp - "$out.a"
  gen -t "$BATS_TEST_TMPDIR/t" --random --seed 6 -i 30
  run ! cmp -s <(tags .url) "$out.a"
}

@test "placeholders are filled in, and the name stays as it was written" {
  printf 'id,name\n1,ann\n2,"b c"\n' >"$BATS_TEST_TMPDIR/rows.csv"
  gen -u 1 -i 3 --data "$BATS_TEST_TMPDIR/rows.csv" \
    -H 'X-Test: {{row.name}}-{{iter}}' \
    "$target/{{vu}}/{{seq}}/{{row.id}}/{{rand 5 5}}"
  [ "$(log 3 | cut -d'[' -f1-2)" = "GET /1/0/1/5 [ann-0] 
GET /1/1/2/5 [b c-1] 
GET /1/2/1/5 [ann-2] " ]
  [ "$(tags .name | sort -u)" = \
    "$target/{{vu}}/{{seq}}/{{row.id}}/{{rand 5 5}}" ]
  gen --raw "$target/a?{{vu}}"
  grep -qF 'GET /a?{{vu}} ' <(log 4)
}

@test "what is no placeholder, or no data, is refused" {
  run k6gen "$target/{{nope}}"
  [ "$status" -eq 2 ]
  [[ ${lines[0]} == *"not a placeholder: {{nope}}"* ]]
  run k6gen "$target/{{row.a}}"
  [ "$status" -eq 2 ]
  [[ ${lines[0]} == *"{{row.a}} needs --data"* ]]
  run k6gen --data /nonexistent "$target/"
  [ "$status" -eq 1 ]
}

@test "a port outside 1 to 65535, from a cell, is an invalid URL" {
  printf 'p\n99999\n80x\n' >"$BATS_TEST_TMPDIR/ports.csv"
  gen -i 2 --data "$BATS_TEST_TMPDIR/ports.csv" 'http://127.0.0.1:{{row.p}}/'
  [ "$(jq -s 'map(select(.metric == "http_reqs" and .type == "Point" and
    .data.tags.error_code == "1020")) | length' "$out")" -eq 2 ]
}

@test "a redirect to a port that there is none is not followed" {
  stop_nginx
  start_nginx <<<'location / { return 302 http://127.0.0.1:99999/; }'
  gen "$target/"
  [ "$(tags '.status + " " + (.error_code // "-")' | xargs)" = "302 - 0 1020" ]
}

@test "a line break of a cell is a blank in a header" {
  printf 'a\n"v\r\nX-More: 1"\n' >"$BATS_TEST_TMPDIR/csv"
  gen --data "$BATS_TEST_TMPDIR/csv" -H 'X-Test: {{row.a}}' "$target/"
  log 1 | grep -qF '[v  X-More: 1]'
}

# in_each_way TARGET OPTION...: a request over HTTP/1.1, HTTP/2, and by libcurl.
# nginx logs an empty header as nothing, and one that is not there as "-".
in_each_way() {
  local port=${1##*:}
  gen "${@:2}" "$1"
  gen "${@:2}" --compressed "$1"
  gen "${@:2}" --http 2 "${1%:*}:$((port + 1))"
  tags .proto | grep -x HTTP/2.0
}

@test "a header with an empty value is sent, a name and a colon are not" {
  stop_nginx
  start_nginx <<<'listen 127.0.0.1:@next@ http2;'
  printf 'a\n""\n' >"$BATS_TEST_TMPDIR/csv"
  in_each_way "$target" --data "$BATS_TEST_TMPDIR/csv" -H 'X-Test: {{row.a}}'
  in_each_way "$target" -H 'X-Test: '
  [ "$(log 6 | cut -d' ' -f3 | sort | uniq -c | xargs)" = '6 []' ]
  in_each_way "$target" -H 'X-Test:' -H 'Content-Type:' -b x
  [ "$(log 9 | tail -n 3 | cut -d' ' -f3,6 | sort | uniq -c | xargs)" = \
    '3 [-] [-]' ]
  echo '{"url":"'"$target"'/","headers":{"X-Test":""}}' >"$BATS_TEST_TMPDIR/t"
  gen -t "$BATS_TEST_TMPDIR/t" -i 1
  [ "$(log 10 | tail -n 1 | cut -d' ' -f3)" = '[]' ]
}

@test "no header of the command line displaces another one" {
  stop_nginx
  # Of these nginx joins all that came.
  export nginx_format='$http_cookie, $http_x_forwarded_for'
  start_nginx <<<'listen 127.0.0.1:@next@ http2;'
  in_each_way "$target" -H 'Cookie: a=1' -H 'Cookie: b=2' --cookie c=3
  in_each_way "$target" -H 'Cookie: a={{vu}}' -H 'Cookie: b=2' --cookie c=3
  in_each_way "$target" -H 'X-Forwarded-For: 7' -H 'X-Forwarded-For: {{vu}}' \
    -H 'X-Forwarded-For: {{iter}}{{vu}}8'
  parts() { tr -d ',;' | xargs -n1 | sort | uniq -c | xargs; }
  [ "$(log 9 | head -n 6 | parts)" = '6 - 6 a=1 6 b=2 6 c=3' ]
  [ "$(sed 's/[0-9]*18/x/' "$nginx_log" | tail -n 3 | parts)" = \
    '3 - 3 1 3 7 3 x' ]
  echo '{"url":"'"$target"'/","headers":{"Cookie":"d=4"}}' >"$BATS_TEST_TMPDIR/t"
  gen -t "$BATS_TEST_TMPDIR/t" -i 1 --cookie a=1
  [ "$(log 10 | tail -n 1)" = 'd=4, -' ]
}

@test "headers that can be there only once are refused twice" {
  local auth='Authorization: Basic eDp5'
  run -2 k6gen --user a:b --bearer c "$target"
  [[ ${lines[0]} == \
    "k6gen: --user, --bearer and a header Authorization: only one of them" ]]
  run -2 k6gen --user a:b -H "$auth" "$target"
  [[ ${lines[0]} == *"a header Authorization: only one of them" ]]
  run -2 k6gen --bearer a -H "$auth" "$target"
  [[ ${lines[0]} == *"a header Authorization: only one of them" ]]
  run -2 k6gen -F a=b -H 'Content-Type: multipart/form-data' "$target"
  [[ ${lines[0]} == 'k6gen: --form and a header Content-Type: '* ]]
  [ ! -s "$nginx_log" ]
}

@test "a header of a JSON target with a NUL is refused, not cut off" {
  echo '{"url":"'"$target"'","headers":{"X-Test":"a\u0000b"}}' \
    >"$BATS_TEST_TMPDIR/t"
  run -1 k6gen -t "$BATS_TEST_TMPDIR/t"
  [ "$output" = "k6gen: $BATS_TEST_TMPDIR/t:1: a control character in a header" ]
}

@test "a column that is not there, or is there twice, is told" {
  printf 'a, b,a\n1,2,3\n' >"$BATS_TEST_TMPDIR/csv"
  run -2 k6gen --data "$BATS_TEST_TMPDIR/csv" "$target/{{row.b}}"
  [[ ${lines[0]} == \
    *': no column "b" in the data, which has "a", " b", "a"' ]]
  run -2 k6gen --data "$BATS_TEST_TMPDIR/csv" "$target/{{row.a}}"
  [[ ${lines[0]} == *': two columns of the data are called "a"' ]]
  printf 'a,b,c,d,e\n1,2,3,4,5\n"6,' >"$BATS_TEST_TMPDIR/csv"
  run -1 k6gen --data "$BATS_TEST_TMPDIR/csv" "$target/{{row.x}}"
  [ "$output" = "k6gen: $BATS_TEST_TMPDIR/csv: row 2: a quote is not closed" ]
}

@test "what curl would pass over is refused before the run" {
  run -2 k6gen --resolve host "$target"
  [[ ${lines[0]} == "k6gen: --resolve: not HOST:PORT:ADDRESS"* ]]
  run -2 k6gen --connect-to host:80 "$target"
  [[ ${lines[0]} == "k6gen: --connect-to: not H:P:H2:P2"* ]]
  local bad
  for bad in x:80:y x:0:127.0.0.1 "x:80:127.0.0.1," x:65536:::1 x:80: x::::1; do
    run -2 k6gen --resolve "$bad" "$target"
    [[ ${lines[0]} == "k6gen: --resolve: not HOST:PORT:ADDRESS: \"$bad\"" ]]
  done
  for bad in a:b:c:1 a:1:c:d a:1:c:65536 a:1:c a:1:c:1:; do
    run -2 k6gen --connect-to "$bad" "$target"
    [[ ${lines[0]} == "k6gen: --connect-to: not H:P:H2:P2: \"$bad\"" ]]
  done
  run -2 k6gen --unix-socket "$(printf '/%0108d' 0)" "$target"
  [[ ${lines[0]} == "k6gen: --unix-socket: longer than 107 bytes" ]]
  run -2 k6gen -x ftp://host "$target"
  [[ ${lines[0]} == "k6gen: --proxy: unsupported scheme"* ]]
  run -1 k6gen --bearer $'a\r\nX-Test: b' "$target"
  [ "$output" = "k6gen: --bearer: a control character in it" ]
  local option
  for option in --ca --cert --key; do
    run -1 k6gen "$option" "$BATS_TEST_TMPDIR/none" "$target"
    [ "$output" = "k6gen: $BATS_TEST_TMPDIR/none: No such file or directory" ]
  done
  [ ! -s "$nginx_log" ]
}

@test "files without a certificate or its key are told before the run" {
  local key=$BATS_TEST_TMPDIR/key cert=$BATS_TEST_TMPDIR/cert
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -keyout "$key" -out "$cert" 2>/dev/null
  openssl req -x509 -newkey rsa:2048 -days 2 -subj /CN=other \
    -passout pass:secret -keyout "$key.2" -out "$cert.2" 2>/dev/null
  echo text >"$BATS_TEST_TMPDIR/text"
  local option file
  for option in --ca --cert; do
    for file in text key; do
      run -1 k6gen "$option" "$BATS_TEST_TMPDIR/$file" "$target"
      [ "$output" = "k6gen: $BATS_TEST_TMPDIR/$file: no certificate in it" ]
    done
  done
  run -1 k6gen --cert "$cert" "$target"
  [ "$output" = "k6gen: $cert: no key for the certificate in it" ]
  for file in "$key.2" "$BATS_TEST_TMPDIR/text"; do
    run -1 k6gen --cert "$cert" --key "$file" "$target" </dev/null
    [ "$output" = "k6gen: $file: no key for the certificate in it" ]
  done
  # One that is locked is not asked for.
  run -1 timeout 600 k6gen --cert "$cert.2" --key "$key.2" "$target"
  [ "$output" = "k6gen: $key.2: no key for the certificate in it" ]
  [ ! -s "$nginx_log" ]
  gen --ca "$cert" --cert "$cert" --key "$key" "$target/1"
  cat "$cert" "$key" >"$BATS_TEST_TMPDIR/both"
  gen --cert "$BATS_TEST_TMPDIR/both" "$target/2"
  log 2
}

@test "basic and bearer authentication, also from a file" {
  gen --user 'joe:secret' "$target/1"
  gen --bearer tok "$target/2"
  printf 'me:pw\nrest\n' >"$BATS_TEST_TMPDIR/secret"
  gen --user "@$BATS_TEST_TMPDIR/secret" "$target/3"
  grep -qF '[Basic am9lOnNlY3JldA==]' <(log 3)
  grep -qF '[Bearer tok]' "$nginx_log"
  grep -qF "[Basic $(printf 'me:pw' | base64)]" "$nginx_log"
}

@test "a user keeps cookies within an iteration, and sends those asked for" {
  gen --cookie a=1 --cookie b=2 "$target/1"
  gen -i 2 "$target/1" "$target/cookie" "$target/2"
  log 7 >"$out.log"
  sed -n 1p "$out.log" | grep -qF '[a=1; b=2]'
  [ "$(grep -c 'GET /2 .*\[id=7\]' "$out.log")" -eq 2 ]
  [ "$(grep -c 'GET /1 .*\[id=7\]' "$out.log")" -eq 0 ]
  gen --cookie a=1 "$target/cookie" "$target/3"
  log 9 | tail -n 1 | grep -qE '\[(a=1; id=7|id=7; a=1)\]'
}

@test "a user who gets a cookie keeps its connection" {
  nginx_format='$connection $request_length $bytes_sent [$http_cookie]'
  stop_nginx
  start_nginx <<'END'
keepalive_requests 100000;
location = /cookie {
  add_header Set-Cookie "id=7; Path=/";
  return 200 "set\n";
}
location / { return 200 "hello\n"; }
END
  gen -u 2 -i 20 "$target/1" "$target/cookie" "$target/2" "$target/3"
  log 80 >"$out.log"
  [ "$(cut -d ' ' -f 1 "$out.log" | sort -u | wc -l)" -eq 2 ]
  [ "$(grep -c 'id=7' "$out.log")" -eq 40 ]
  points() { jq -s "[.[] | select(.metric == \"$1\" and .type == \"Point\")
    .data.value] | $2" "$out"; }
  points http_req_connecting '(map(select(. > 0)) | length) == 2' | grep true
  [ "$(points data_sent add)" -eq "$(cut -d ' ' -f 2 "$out.log" | jq -s add)" ]
  [ "$(points data_received add)" -eq \
    "$(cut -d ' ' -f 3 "$out.log" | jq -s add)" ]
}

@test "a user with cookies tries again when a kept connection is dropped" {
  python3 - "$BATS_TEST_TMPDIR/port" 3>&- <<'END' &
import socket, sys, threading
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(10)
open(sys.argv[1], "w").write(str(s.getsockname()[1]) + "\n")
def serve(c):  # answers the first request of a connection, drops the second
  c.recv(65536)
  c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: a=1\r\n\r\n")
  c.recv(65536)
  c.close()
while True:
  threading.Thread(target=serve, args=(s.accept()[0],)).start()
END
  helper=$!
  retry 10 test -s "$BATS_TEST_TMPDIR/port"
  gen -i 4 "http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/"
  [ "$(tags .status | xargs)" = '200 200 200 200' ]
}

@test "a cookie without a path is for the folder that it came from" {
  stop_nginx
  start_nginx <<'END'
location = /a/b/cookie {
  add_header Set-Cookie "deep=1";
  return 200 "set\n";
}
location / { return 200 "hello\n"; }
END
  gen "$target/a/b/cookie?x=/y/z" "$target/a/b/2" "$target/a/3" "$target/4"
  log 4 >"$out.log"
  [ "$(grep -c 'deep=1' "$out.log")" -eq 1 ]
  grep -q 'GET /a/b/2 .*deep=1' "$out.log"
}

@test "a cookie goes to its host alone, by name or address" {
  local port
  nginx_format='$http_host $uri [$http_cookie]'
  stop_nginx
  start_nginx <<'END'
location = /set { add_header Set-Cookie "sid=1"; return 200 "set\n"; }
location = /far { add_header Set-Cookie "far=1; Domain=127.0.0.1"; return 200; }
location = /old { add_header Set-Cookie "sid=; Max-Age=0"; return 200; }
location / { return 200 "hello\n"; }
END
  port=${target##*:}
  port=${port%%/*}
  gen -i 1 "http://localhost:$port/set" "http://localhost:$port/a" "$target/b"
  gen -i 1 "$target/set" "$target/c" "http://localhost:$port/d"
  gen -i 1 "http://localhost:$port/far" "$target/e" "http://localhost:$port/f"
  gen -i 1 "$target/set" "$target/g" "$target/old" "$target/h"
  log 13 | grep -v '/set\|/far\|/old' | sed 's/[^ ]* //' >"$out.log"
  [ "$(xargs <"$out.log")" = '/a [sid=1] /b [-] /c [sid=1] /d [-] /e [-]'\
' /f [-] /g [sid=1] /h [-]' ]
}

@test "a form is multipart, with files" {
  printf 'data' >"$BATS_TEST_TMPDIR/up.txt"
  python3 - "$BATS_TEST_TMPDIR" 3>&- <<'END' &
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1)
open(sys.argv[1] + "/port", "w").write(str(s.getsockname()[1]) + "\n")
c, _ = s.accept()
b = b""
while b"--\r\n" not in b:
  b += c.recv(65536)
open(sys.argv[1] + "/got", "wb").write(b)
c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
c.close()
END
  helper=$!
  retry 10 test -s "$BATS_TEST_TMPDIR/port"
  gen -F 'a=b c' -F "f=@$BATS_TEST_TMPDIR/up.txt" \
    "http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/"
  wait "$helper"
  grep -q '^POST / ' "$BATS_TEST_TMPDIR/got"
  grep -q '^Content-Type: multipart/form-data; boundary=' \
    "$BATS_TEST_TMPDIR/got"
  grep -qF 'Content-Disposition: form-data; name="a"' "$BATS_TEST_TMPDIR/got"
  grep -qF 'name="f"; filename="up.txt"' "$BATS_TEST_TMPDIR/got"
  local length
  length=$(sed -n 's/^Content-Length: \([0-9]*\).*/\1/p' \
    "$BATS_TEST_TMPDIR/got")
  [ "$(python3 -c 'import sys
print(len(open(sys.argv[1], "rb").read().split(b"\r\n\r\n", 1)[1]))' \
    "$BATS_TEST_TMPDIR/got")" -eq "$length" ]
}

@test "keep-alive off makes a connection for each request" {
  gen -i 5 --keep-alive off "$target/"
  [ "$(log 5 | sed 's/.*\[\([0-9]*\)\] \[[^]]*\] \[[^]]*\]$/\1/' | sort -u |
    wc -l)" -eq 5 ]
}

@test "bytes of a UNIX socket are those of heads, bodies and trailers" {
  local sock=$BATS_TEST_TMPDIR/raw answer server
  answer='HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
  answer+='HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n'
  answer+='Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n'
  # shellcheck disable=SC2059 # its escapes are meant
  printf "$answer" >"$sock.answer"
  python3 - "$sock" 3>&- <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
c, _ = s.accept()
while c.recv(9999):
    c.sendall(open(sys.argv[1] + ".answer", "rb").read())
END
  server=$!
  retry 20 test -S "$sock"
  gen -i 3 --unix-socket "$sock" http://any/
  wait "$server"
  [ "$(values data_received | jq -s add)" -eq \
    $((3 * $(stat -c %s "$sock.answer"))) ]
}

@test "unix socket, connect-to, resolve and source lead to the server" {
  local port=${target##*:}
  nginx_listen=
  gen --connect-to "example.test:80:127.0.0.1:$port" http://example.test/c
  gen --resolve "host.test:$port:127.0.0.1" "http://host.test:$port/r"
  gen --source 127.0.0.1 "$target/s"
  grep -qF 'GET /c ' <(log 3)
  grep -F 'GET /c ' "$nginx_log" | grep -qF '[example.test]'
  grep -qF 'GET /r ' "$nginx_log"
  grep -qF 'GET /s ' "$nginx_log"
  python3 - "$BATS_TEST_TMPDIR/sock" 3>&- <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
c, _ = s.accept()
c.recv(65536)
c.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
c.close()
END
  helper=$!
  retry 10 test -S "$BATS_TEST_TMPDIR/sock"
  gen --unix-socket "$BATS_TEST_TMPDIR/sock" http://any/
  wait "$helper"
  [ "$(tags .status)" = 204 ]
}

@test "IPv6, names and addresses that are looked up each time" {
  python3 - "$BATS_TEST_TMPDIR/port" 3>&- <<'END' &
import socket, sys
s = socket.socket(socket.AF_INET6)
s.bind(("::1", 0))
s.listen(9)
open(sys.argv[1], "w").write(str(s.getsockname()[1]) + "\n")
while True:
  c, _ = s.accept()
  while c.recv(65536):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
END
  helper=$!
  retry 10 test -s "$BATS_TEST_TMPDIR/port"
  gen -i 3 --system-tags status,ip \
    "http://[::1]:$(cat "$BATS_TEST_TMPDIR/port")/"
  [ "$(tags '[.status, .ip] | join(" ")' | sort -u)" = "200 ::1" ]
  gen -u 3 -i 9 --dns-ttl 0 --keep-alive off \
    "http://localhost:${target##*:}/"
  [ "$(tags .status | sort | uniq -c | xargs)" = "9 200" ]
  gen -u 3 -i 9 --dns-ttl inf http://no-such-host.invalid/
  [ "$(tags .error | sort | uniq -c | xargs)" = "9 lookup: no such host" ]
}

@test "a redirect may lead from plain HTTP to TLS and back" {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -keyout "$BATS_TEST_TMPDIR/k" -out "$BATS_TEST_TMPDIR/c" 2>/dev/null
  stop_nginx
  nginx_http="server { listen 127.0.0.1:@next@ ssl;
    ssl_certificate $BATS_TEST_TMPDIR/c;
    ssl_certificate_key $BATS_TEST_TMPDIR/k;
    location / { return 302 http://127.0.0.1:\$arg_port/end; } }" \
    start_nginx <<END
location = /to { return 302 https://127.0.0.1:@next@/back?port=\$server_port; }
location / { return 200 end; }
END
  gen -k -i 3 "$target/to"
  [ "$(tags '.status + " " + (has("tls_version") | tostring)' | sort |
    uniq -c | xargs)" = "3 200 false 3 302 false 3 302 true" ]
}

@test "a proxy is used, and an empty one is none" {
  gen -x "$target" http://nowhere.test/x
  grep -qF '[nowhere.test]' <(log 1)
  http_proxy=http://127.0.0.1:1 gen -x '' "$target/direct"
  grep -q 'GET /direct' <(log 2)
  http_proxy=http://127.0.0.1:1 gen "$target/direct"
  [ "$(tags .status)" = 0 ]
}

@test "compressed answers are asked for and counted as they come" {
  gen --compressed -c 'body contains root' "$target/zip"
  jq -es 'any(.[]; .type == "Point" and .metric == "checks" and
    .data.value == 1)' "$out"
  jq -es 'any(.[]; .metric == "data_received" and .type == "Point" and
    .data.value < 1200)' "$out"
}

@test "a body longer than max-body is a failure" {
  run ! k6gen --max-body 1.5K -i 1 "$target/"
  [[ $output == *"\"1.5K\" is not a size of at least 1"* ]]
  gen --max-body 3 "$target/"
  [ "$(tags '[.status, .error] | join(" ")')" = "0 response body too long" ]
  gen --max-body 1KiB "$target/"
  [ "$(tags .status)" = 200 ]
}

# took_port PORT PID: it is listened at, or the process has ended without that.
took_port() {
  (exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || ! kill -0 "$2" 2>/dev/null
}

@test "http 1.1 and 2 are spoken as asked" {
  command -v nghttpd >/dev/null || skip "no nghttpd"
  local port
  mkdir "$BATS_TEST_TMPDIR/html"
  echo hi >"$BATS_TEST_TMPDIR/html/x"
  for _ in $(seq 20); do
    port=$((20000 + RANDOM % 12000))
    nghttpd --no-tls -d "$BATS_TEST_TMPDIR/html" "$port" \
      >/dev/null 2>&1 3>&- &
    helper=$!
    retry 10 took_port "$port" "$helper"
    kill -0 "$helper" 2>/dev/null && break
  done
  local options
  for options in '' --compressed '--keep-alive shared' \
    '--keep-alive shared --compressed'; do
    # shellcheck disable=SC2086 # several
    gen --http 2 -u 3 -i 30 $options "http://127.0.0.1:$port/x"
    [ "$(tags '[.status, .proto] | join(" ")' | sort | uniq -c | xargs)" = \
      "30 200 HTTP/2.0" ]
  done
  gen --http 1.1 "$target/"
  [ "$(tags .proto)" = HTTP/1.1 ]
}

@test "HEAD, chunked bodies, 204 and 100 Continue are read to their end" {
  python3 - "$BATS_TEST_TMPDIR/port" 3>&- <<'END' &
import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1)
open(sys.argv[1], "w").write(str(s.getsockname()[1]) + "\n")
c, _ = s.accept()
for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    b"2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end"):
  c.recv(65536)
  for i in range(len(answer)):
    c.sendall(answer[i:i + 1])
    time.sleep(0.0005)
c.close()
END
  helper=$!
  retry 10 test -s "$BATS_TEST_TMPDIR/port"
  local base
  base=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")
  printf 'HEAD %s\n\nGET %s\n\nGET %s\n\nGET %s\n' "$base" "$base" \
    "$base" "$base" | gen -t - -c 'body==' -c 'body==abcde' \
    -c 'body==until the end'
  wait "$helper"
  [ "$(tags '[.status, .proto, .error] | join(" ")')" = "200 HTTP/1.1 
204 HTTP/1.1 
200 HTTP/1.1 
200 HTTP/1.0 " ]
  [ "$(jq -r 'select(.type == "Point" and .metric == "checks") |
    .data.value' "$out" | xargs)" = "1 0 0 1 0 0 0 1 0 0 0 1" ]
  [ "$(jq -r 'select(.type == "Point" and .metric == "http_req_connecting")
    | .data.value | . > 0' "$out" | xargs)" = "true false false false" ]
}

@test "bytes of a file are sent as they are, placeholders with --template" {
  local dir=$BATS_TEST_TMPDIR
  python3 "$tools/raw_server.py" "$dir/port" "$dir/log" "$dir" 3>&- &
  helper=$!
  retry 20 test -s "$dir/port"
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$dir/a"
  printf '\0\377{{nothing\n}}' >"$dir/binary"
  gen -b "@$dir/binary" "http://127.0.0.1:$(cat "$dir/port")/a"
  cmp "$dir/a.body" "$dir/binary"
  gen -F "n={{vu}}" -F "f=@$dir/binary" \
    "http://127.0.0.1:$(cat "$dir/port")/a"
  grep -qaF '{{nothing' "$dir/a.body"
  grep -qax $'1\r' "$dir/a.body"
  printf 'is {{vu}}' >"$dir/text"
  gen --template -b "@$dir/text" "http://127.0.0.1:$(cat "$dir/port")/a"
  [ "$(cat "$dir/a.body")" = 'is 1' ]
}

@test "placeholders are filled in whatever sends text" {
  printf 'user,token\nann,p1\n' >"$BATS_TEST_TMPDIR/rows.csv"
  gen --data "$BATS_TEST_TMPDIR/rows.csv" --user '{{row.user}}:{{row.token}}' \
    --cookie 'sid={{row.token}}' -A '{{row.user}}' "$target/a"
  gen --data "$BATS_TEST_TMPDIR/rows.csv" --bearer '{{row.token}}' "$target/b"
  [ "$(log 2 | cut -d' ' -f2,4-6)" = "/a [Basic YW5uOnAx] [sid=p1]
/b [Bearer p1] [-]" ]
}

@test "cells are encoded in a URL, whole ones are not" {
  printf '\xef\xbb\xbfq,url\r\na b&c#d,%s/x?y=1\r\n' "$target" \
    >"$BATS_TEST_TMPDIR/rows.csv"
  gen --data "$BATS_TEST_TMPDIR/rows.csv" "$target/{{row.q}}?q={{row.q}}"
  gen --data "$BATS_TEST_TMPDIR/rows.csv" '{{row.url}}'
  [ "$(log 2 | cut -d' ' -f2)" = "/a%20b&c%23d?q=a%20b%26c%23d
/x?y=1" ]
}

@test "a member of a JSON target that is null is none" {
  printf '{"method":null,"url":"%s/a","body":null,"header":null,"name":null}' \
    "$target" >"$BATS_TEST_TMPDIR/t"
  gen -t "$BATS_TEST_TMPDIR/t" -i 1
  [ "$(log 1 | cut -d' ' -f1,2)" = "GET /a" ]
}

@test "json has its Content-Type, and a body may come from stdin" {
  gen --json '{"a":1}' "$target/a"
  gen --json x -H 'Content-Type: text/x' "$target/b"
  printf 'twelve bytes' | gen -b @- "$target/c"
  [ "$(log 3 | cut -d' ' -f1,2,6,10)" = "POST /a [application/json] body=7
POST /b [text/x] body=1
POST /c [-] body=12" ]
  run "$bin/k6gen" -t - -b @- </dev/null
  [ "$status" -eq 2 ]
}

@test "options of other tools get a hint" {
  run "$bin/k6gen" -n 100 "$target/"
  [ "$status" -eq 2 ]
  [[ $output == *"-n: unknown option (a number of requests is -i N)"* ]]
  run "$bin/k6gen" -c 50 "$target/"
  [ "$status" -eq 2 ]
  [[ $output == *"connections are users: -u 50"* ]]
  for o in -h2 '-host x'; do
    # shellcheck disable=SC2086 # words
    run "$bin/k6gen" $o "$target/"
    [ "$status" -eq 2 ]
    [[ $output == *"${o% x}: unknown option (HTTP/2 is --http 2, "* ]]
  done
}
