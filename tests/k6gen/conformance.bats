#!/usr/bin/env bats
# shellcheck disable=SC2154 # tools comes from the helpers
# Raw answers of HTTP/1.1, given to our own engine, to that of libcurl, both
# also over TLS, and to curl(1): all must agree.

# bats file_tags=threads
load ../helpers
load gen

setup_file() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -days 2 -subj /CN=localhost -keyout "$BATS_FILE_TMPDIR/key" \
    -out "$BATS_FILE_TMPDIR/pem" 2>/dev/null
}

setup() {
  out=$BATS_TEST_TMPDIR/o
  answers=$BATS_TEST_TMPDIR/answers
  log=$BATS_TEST_TMPDIR/plain.log
  mkdir -p "$answers"
  servers=()
  start_raw plain
  start_raw tls "$BATS_FILE_TMPDIR/pem" "$BATS_FILE_TMPDIR/key"
  base=http://127.0.0.1:$(<"$BATS_TEST_TMPDIR/plain")
  tls_base=https://127.0.0.1:$(<"$BATS_TEST_TMPDIR/tls")
}

teardown() {
  kill "${servers[@]}" 2>/dev/null || true
}

# start_raw NAME [CERTIFICATE KEY]
start_raw() {
  python3 "$tools/raw_server.py" "$BATS_TEST_TMPDIR/$1" \
    "$BATS_TEST_TMPDIR/$1.log" "$answers" "${@:2}" 3>&- &
  servers+=($!)
  retry 20 test -s "$BATS_TEST_TMPDIR/$1"
}

# answer NAME HOW: the bytes of stdin are the answer
answer() {
  cat >"$answers/$1"
  [ -z "${2-}" ] || printf '%s' "$2" >"$answers/$1.how"
}

# seen: connections in the order of requests, numbered from 1 on
seen() {
  awk '!($1 in n) { n[$1] = ++k } { printf "%s%d:%s", s, n[$1], $2; s = " " }' \
    "$log"
}

# by_k6gen OPTION...: status, error, bytes of the body, and connections of two
# requests
by_k6gen() {
  : >"$log"
  gen -u 1 -i 2 --timeout 60s --sample-errors 9 "$@"
  jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    [.data.tags.status, .data.tags.error // "ok"] | join(" ")' "$out" |
    paste -sd,
  jq -r 'select(.type == "Point" and .metric == "checks") | .data.value' \
    "$out" | paste -sd,
  seen
}

# by_curl OPTION...: status of two requests, whether they failed, connections
by_curl() {
  : >"$log"
  curl -s -m 60 -w '%{http_code} %{exitcode}\n' \
    -o "$BATS_TEST_TMPDIR/b1" -o "$BATS_TEST_TMPDIR/b2" "$@" | awk '{
      printf "%s%s", s, $2 == 0 ? $1 " ok" : "failed"; s = "," }
      END { print "" }'
  cat "$BATS_TEST_TMPDIR/b1" "$BATS_TEST_TMPDIR/b2" 2>/dev/null
  echo
  seen
}

# agree NAME BODY RESULT [OPTION...]: RESULT is what both requests come to
agree() {
  local name=$1 body=$2 result=$3 own by_curl failed
  shift 3
  own=$(by_k6gen -c "body==$body" "$@" "$base/$name")
  [ "$own" = "$(by_k6gen -c "body==$body" "$@" \
    --resolve "nobody.test:1:127.0.0.1" "$base/$name")" ]
  [ "$(sed -n 1p <<<"$own")" = "$result" ]
  [ "$own" = "$(log=$BATS_TEST_TMPDIR/tls.log by_k6gen -k \
    -c "body==$body" "$@" "$tls_base/$name")" ]
  [ "$own" = "$(log=$BATS_TEST_TMPDIR/tls.log by_k6gen -k \
    -c "body==$body" "$@" --resolve "nobody.test:1:127.0.0.1" \
    "$tls_base/$name")" ]
  by_curl=$(by_curl "${curl_options[@]}" "$base/$name" "$base/$name")
  failed=$(sed -E 's/(^|,)0 [^,]*/\1failed/g' <<<"$result")
  [ "$(sed -n 1p <<<"$by_curl")" = "$failed" ]
  # Of answers that are whole, the body too, and the connections of each.
  case $result in
  *"200 ok,200 ok") [ "$(sed -n 2p <<<"$own")" = 1,1 ] ;;
  esac
  [ "$(sed -n 3p <<<"$own")" = "$(tail -n 1 <<<"$by_curl")" ]
}

declare -a curl_options=()

@test "answers before the answer are passed over" {
  printf 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' |
    answer a
  agree a ok '200 ok,200 ok'
}

@test "204 and 304 have no body, whatever their Content-Length says" {
  printf 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n' | answer a
  agree a '' '304 ok,304 ok'
  printf 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n' | answer b
  agree b '' '204 ok,204 ok'
}

@test "the answer to HEAD has no body, chunked or not" {
  curl_options=(-I)
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' | answer a
  agree a '' '200 ok,200 ok' -X HEAD
  printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' | answer b
  agree b '' '200 ok,200 ok' -X HEAD
}

@test "chunks with extensions and trailers are read to their end" {
  printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n' |
    answer a
  agree a hello '200 ok,200 ok'
}

@test "the same Content-Length twice is one, two that differ are none" {
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok' |
    answer a
  agree a ok '200 ok,200 ok'
}

@test "chunks win over a Content-Length" {
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n' |
    answer a
  agree a hello '200 ok,200 ok'
}

@test "a header goes on in a line that begins with a blank" {
  printf 'HTTP/1.1 200 OK\r\nX-Fold: a\r\n b\r\nContent-Length: 2\r\n\r\nok' |
    answer a
  agree a ok '200 ok,200 ok'
  by_k6gen -c 'header X-Fold==a b' "$base/a" >"$BATS_TEST_TMPDIR/folded"
  [ "$(sed -n 2p "$BATS_TEST_TMPDIR/folded")" = 1,1 ]
}

@test "headers of 90 kB are taken" {
  {
    printf 'HTTP/1.1 200 OK\r\n'
    for i in $(seq 90); do printf 'X-%s: %01000d\r\n' "$i" 0; done
    printf 'Content-Length: 2\r\n\r\nok'
  } | answer a
  agree a ok '200 ok,200 ok'
}

@test "HTTP/1.0 closes, unless it says keep-alive" {
  printf 'HTTP/1.0 200 OK\r\n\r\nuntil the end' | answer a close
  agree a 'until the end' '200 ok,200 ok'
  printf 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok' |
    answer b
  agree b ok '200 ok,200 ok'
}

@test "a body without length ends with the connection" {
  printf 'HTTP/1.1 200 OK\r\n\r\nuntil the end' | answer a close
  agree a 'until the end' '200 ok,200 ok'
}

# Go's TLS takes it between records, too, as many servers do it.
@test "a body without length may end without an end of TLS, as for curl" {
  printf 'HTTP/1.1 200 OK\r\n\r\nuntil the end' | answer a cut
  log=$BATS_TEST_TMPDIR/tls.log
  for engine in "" "--resolve nobody.test:1:127.0.0.1"; do
    # shellcheck disable=SC2086 # words
    [ "$(by_k6gen -k -c 'body==until the end' $engine "$tls_base/a")" = \
      "200 ok,200 ok
1,1
1:GET 2:GET" ]
  done
  [ "$(curl -sk "$tls_base/a")" = 'until the end' ]
}

@test "Connection: close is heeded" {
  printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok' |
    answer a
  agree a ok '200 ok,200 ok'
}

@test "bytes behind the answer end the connection" {
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokand more' | answer a
  [ "$(by_k6gen -c 'body==ok' "$base/a")" = "200 ok,200 ok
1,1
1:GET 2:GET" ]
}

# Without TLS the kernel drops such bytes instead of copying them.
@test "a long body that nobody reads ends where it ends" {
  local long head result
  long=$(head -c 100000 /dev/zero | tr '\0' x)
  head='HTTP/1.1 200 OK\r\n'
  printf "${head}Content-Length: 100000\r\n\r\n%s" "$long" | answer a
  printf "${head}Content-Length: 100000\r\n\r\n%sand more" "$long" | answer b
  printf "${head}Transfer-Encoding: chunked\r\n\r\n186A0\r\n%s\r\n0\r\n\r\n" \
    "$long" | answer c
  printf "${head}\r\n%s" "$long" | answer d close
  printf "${head}Content-Length: 100001\r\n\r\n%s" "$long" | answer e close
  for result in 'a 200 ok,200 ok 1:GET 1:GET' 'b 200 ok,200 ok 1:GET 2:GET' \
    'c 200 ok,200 ok 1:GET 1:GET' 'd 200 ok,200 ok 1:GET 2:GET' \
    'e 0 unexpected EOF,0 unexpected EOF 1:GET 2:GET'; do
    [ "${result%% *} $(by_k6gen --sample-errors 0 "$base/${result%% *}" |
      xargs)" = "$result" ]
    # All of it was received, and what came behind it not always.
    [ "${result%% *}" = b ] || [ $(($(values data_received | paste -sd+))) \
      -eq $((2 * $(stat -c %s "$answers/${result%% *}"))) ]
  done
}

@test "an answer that is cut short is a failure" {
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.' |
    answer a close
  agree a '' '0 unexpected EOF,0 unexpected EOF'
  printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n' |
    answer b close
  agree b '' '0 unexpected EOF,0 unexpected EOF'
  printf 'HTTP/1.1 200 OK\r\nContent-' | answer c close
  [ "$(by_k6gen "$base/c" | head -n 1)" = \
    '0 unexpected EOF,0 unexpected EOF' ]
}

@test "no answer is an EOF, what is none is malformed" {
  : | answer a close
  agree a '' '0 EOF,0 EOF'
  printf 'SSH-2.0-OpenSSH\r\n' | answer b close
  [ "$(by_k6gen "$base/b" | head -n 1)" = \
    '0 malformed HTTP response,0 malformed HTTP response' ]
}

@test "a length of a chunk that is no number is a failure" {
  printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n' |
    answer a
  by_k6gen "$base/a" | head -n 1 | grep -qE '^0 [^,]+,0 [^,]+$'
}

@test "a connection whose request was answered early is not used again" {
  head -c 20000000 /dev/zero >"$BATS_TEST_TMPDIR/big"
  printf 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig' |
    answer up early
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' | answer next
  printf 'POST %s/up\n@%s\n\nGET %s/next\n' "$base" \
    "$BATS_TEST_TMPDIR/big" "$base" >"$BATS_TEST_TMPDIR/t"
  gen -u 1 -i 4 --timeout 60s -t "$BATS_TEST_TMPDIR/t"
  [ "$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    .data.tags.status' "$out" | paste -sd' ')" = "413 200 413 200" ]
  [ "$(seen)" = "1:POST 2:GET 2:POST 3:GET" ]
}

@test "a GET on a kept connection that was closed is made again, a POST not" {
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' | answer a again
  agree a ok '200 ok,200 ok'
  [ "$(by_k6gen -b x "$base/a" | head -n 1)" = '200 ok,0 EOF' ]
}

@test "an upgrade that the server refuses leaves an ordinary answer" {
  curl_options=(--http2)
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' | answer a
  agree a ok '200 ok,200 ok' -H 'Connection: Upgrade, HTTP2-Settings' \
    -H 'Upgrade: h2c' -H 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA'
}
