#!/usr/bin/env bats
# shellcheck disable=SC2154 # url and output are of helpers
# Heads of requests that two programs may read in two ways.

load ../helpers
load serve

teardown() {
  stop_server || true
}

# ask TARGET [CURL OPTION...]: GET with this in the first line; $code, $body.
ask() {
  get / --request-target "$@"
}

@test "a whole URL in the first line: its host counts, and not that of Host" {
  start_server
  create
  for target in "$url/api/v1/runs/1" "HTTP${url#http}//api/v1/runs/1" \
    "${url/127.0.0.1/localhost}/api/v1/runs/1?format=json"; do
    for host in "${url#http://}" evil.test; do
      ask "$target" -H "Host: $host"
      [ "$code" = 200 ]
      [ "$(jq .id <<<"$body")" = 1 ]
    done
  done
  ask "$url/api/v1/runs?limit=1&nonsense=2"
  [ "$code" = 400 ]
  for target in "$url" "$url?a=b"; do
    ask "$target"
    grep -q '<html' <<<"$body"
  done
  for target in http://evil.test/api/v1/runs http:///api/v1/runs \
    "http://me@${url#http://}/api/v1/runs" "${url%:*}:1/api/v1/runs"; do
    ask "$target"
    [ "$code" = 421 ]
  done
  # One that is no server of HTTP has no such path.
  ask "ftp${url#http}/api/v1/runs"
  [ "$code" = 404 ]
}

# bats test_tags=slow
@test "an ambiguous head gets 400, and the connection is closed" {
  start_server
  create
  run python3 - "$url" <<'PY'
import socket, sys
from urllib.parse import urlsplit
at = urlsplit(sys.argv[1])
host = b"Host: " + at.netloc.encode() + b"\r\n"
json = b"Content-Type: application/json\r\n"
def ask(data):
    s = socket.create_connection((at.hostname, at.port), timeout=60)
    s.sendall(data)
    out = b""
    try:
        while True:
            got = s.recv(65536)
            if not got:
                break
            out += got
    except ConnectionResetError:
        pass
    # libmicrohttpd writes the head of its own 400 twice
    n = out.count(b"HTTP/1.1 ") - out.count(b"HTTP/1.1 400 ")
    return out.split(b"\r\n")[0].decode(), n
# what follows the head must never be taken for a request
def post(fields, body=b"{}"):
    return (b"POST /v1/metrics/1 HTTP/1.1\r\n" + host + json + fields +
            b"\r\n" + body + b"DELETE /api/v1/runs/1 HTTP/1.1\r\n" + host +
            b"\r\n")
def get(fields):
    return b"GET /health HTTP/1.1\r\n" + host + fields + b"\r\n"
chunk = b"2\r\n[]\r\n0\r\n\r\n"
for name, data in {
    "two lengths": post(b"Content-Length: 2\r\nContent-Length: 40\r\n"),
    "the same length twice": post(b"Content-Length: 2\r\n" * 2),
    "a list of lengths": post(b"Content-Length: 2, 2\r\n"),
    "a signed length": post(b"Content-Length: +2\r\n"),
    "a blank before the colon": post(b"Content-Length : 2\r\n"),
    "a coding that is none": post(b"Transfer-Encoding: xchunked\r\n", chunk),
    "two codings": post(b"Transfer-Encoding: chunked, identity\r\n", chunk),
    "gzip as coding": post(b"Transfer-Encoding: gzip\r\n", chunk),
    "the coding twice": post(b"Transfer-Encoding: chunked\r\n" * 2, chunk),
    "two hosts": get(host),
    "another host, too": get(b"Host: evil.test\r\n"),
    "two origins": get(b"Origin: http://a\r\nOrigin: http://b\r\n"),
    "lone LF": get(b"").replace(b"\r\n", b"\n"),
    "lone LF in between": get(b"A: b\nC: d\r\n"),
    "lone CR": get(b"A: b\rC: d\r\n"),
    "a lone CR in a value": get(b"A: b\rc\r\n"),
    "NUL": get(b"A: b\0c\r\n"),
    "NUL in a name": get(b"A\0b: c\r\n"),
    "a control character": get(b"A: b\x01c\r\n"),
    "a size of a chunk that is negative": post(
        b"Transfer-Encoding: chunked\r\n", b"-1\r\n[]\r\n0\r\n\r\n"),
    "a name with a bracket": get(b"A(b): c\r\n"),
}.items():
    line, n = ask(data)
    if line != "HTTP/1.1 400 Bad Request" or n != 0:
        print("%s: %s, %d other answers" % (name, line, n))
for name, data in {
    "plain": get(b"Connection: close\r\n"),
    "blanks around a value": get(b"A:   b  \r\nConnection:close\r\n"),
    "a tab in a value": get(b"A: b\tc\r\nConnection: close \r\n"),
    "an empty value": get(b"A:\r\nConnection: close\r\n"),
    "any name": get(b"!#$%&'*+-.^_`|~9z: c\r\nConnection: close\r\n"),
    "chunked": post(b"Transfer-Encoding: Chunked\r\nConnection: close\r\n",
                    chunk),
    "UTF-8": get("A: ä\r\nConnection: close\r\n".encode()),
}.items():
    line, n = ask(data)
    if line != "HTTP/1.1 200 OK" or n != 1:
        print("%s: %s, %d answers" % (name, line, n))
PY
  echo "$output"
  [ "$output" = "" ]
  get /api/v1/runs/1 >/dev/null
  [ "$code" = 200 ]
}
