#!/usr/bin/env bats
# The API for scripts: lists are filtered and paged, mistakes are told.

load ../helpers

setup() {
  start_server
}

teardown() {
  stop_server
}

# push_runs NAME...: a run of each name, which ends
push_runs() {
  local name
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  for name; do
    K6_CLOUD_NAME=$name k6push -q --insecure-http "$BATS_TEST_TMPDIR/in" \
      2>>"$BATS_TEST_TMPDIR/push.err"
  done
}

# get METHOD PATH: $code, $reply and $head of the answer
get() {
  code=$(curl -sS -X "$1" -D "$BATS_TEST_TMPDIR/head" -w '%{http_code}' \
    -o "$BATS_TEST_TMPDIR/reply" "$url/api/v1/$2")
  reply=$(<"$BATS_TEST_TMPDIR/reply")
  head=$(tr -d '\r' <"$BATS_TEST_TMPDIR/head")
  echo "$1 $2: $code $reply"
}

ids() { api "runs?$1" '[.[].id | tostring] | join(" ")'; }

@test "a parameter that there is not is refused, and nothing is done" {
  push_runs a
  for path in 'runs?befor=10' 'runs/1?step=1' 'runs/1/urls?step=10&x=' \
    'runs/1/export.json?format=csv' 'runs/1/diff?base=1&name=a' \
    'runs/1/events?since=1'; do
    get GET "$path"
    [ "$code" = 400 ]
    [ "$(jq -r .error.code <<<"$reply")" = unknown_parameter ]
    [[ $reply = *'unknown parameter'* ]]
  done
  get GET 'runs?befor=10'
  [[ $reply = *'unknown parameter \"befor\"; there are: before format '* ]]
  get GET 'runs?limit=1&limit=2'
  [ "$code" = 400 ]
  [[ $reply = *'"bad_parameter"'*'limit comes twice'* ]]
  get DELETE 'runs/1?before=10'
  [ "$code" = 400 ]
  [ "$(ids '')" = 1 ]
}

@test "the last of a name that is a URL has its slashes escaped" {
  push_runs http://127.0.0.1:8080//a b
  name=http%3A%2F%2f127.0.0.1:8080%2F%2Fa
  [ "$(api "runs/last:$name" .id)" = 1 ]
  [ "$(api "runs/last:$name/urls" '.[0].count')" = 20 ]
  [ "$(curl -sS -o /dev/null -w '%{redirect_url}' "$url/runs/last:$name")" \
    = "$url/runs/1" ]
  get GET runs/last:http://127.0.0.1:8080//a
  [ "$code" = 404 ]
  get GET runs%2Flast
  [ "$code" = 404 ]
  get GET runs/last:http:%1E%1E127.0.0.1:8080%1E%1Ea
  [ "$code" = 404 ]
}

@test "every answer takes ?_=, which means nothing" {
  push_runs a
  for path in '' /1 /1/report /1/urls /1/diff /1/export.{html,json,csv,xml,md} \
    /1/events; do
    get GET "runs$path?_=1234"
    [ "$code" = 200 ]
  done
  curl -sSf -o /dev/null "$url/runs/1/badge.svg?_=1234"
}

@test "the list is filtered by name, state, verdict and time" {
  push_runs a 'b c' a
  k6push --create --threshold 'http_req_failed=rate<1' >"$BATS_TEST_TMPDIR/ref"
  [ "$(ids '')" = '4 3 2 1' ]
  [ "$(ids name=a)" = '3 1' ]
  [ "$(ids 'name=b%20c')" = 2 ]
  [ "$(ids name=A)" = '' ]
  [ "$(ids state=finished)" = '3 2 1' ]
  [ "$(ids state=running)" = 4 ]
  [ "$(ids state=aborted)" = '' ]
  [ "$(ids verdict=none)" = '3 2 1' ]
  [ "$(ids verdict=pending)" = 4 ]
  [ "$(ids 'name=a&state=finished&search=A&before=3')" = 1 ]
  start=$(api runs/2 .start)
  [ "$(ids "name=b%20c&since=$start")" = 2 ]
  [ "$(ids "name=b%20c&until=$start")" = '' ]
  [ "$(ids since=2099-01-01)" = '' ]
  for bad in state=done verdict=good since=yesterday until=2026-13-01 \
    before=x limit=0; do
    get GET "runs?$bad"
    [ "$code" = 400 ]
    [[ $reply = *"\"${bad%%=*} must be"* ]]
  done
}

@test "a long list comes in pages, each of which names the next" {
  push_runs a b a b a 'x&y'
  next="runs?limit=2&name=a"
  : >"$BATS_TEST_TMPDIR/all"
  while [ -n "$next" ]; do
    get GET "$next"
    [ "$code" = 200 ]
    jq -r '.[].id' <<<"$reply" >>"$BATS_TEST_TMPDIR/all"
    next=$(sed -n 's|^Link: </api/v1/\(.*\)>; rel="next"$|\1|p' <<<"$head")
  done
  [ "$(xargs <"$BATS_TEST_TMPDIR/all")" = '5 3 1' ]
  # What is in the query is in the link, as it must stand in a URL.
  push_runs 'x&y'
  get GET 'runs?limit=1&name=x%26y'
  [[ $head = *'Link: </api/v1/runs?limit=1&name=x%26y&before=7>; rel="next"'* ]]
}

@test "the last run has a name, and so has the last of a name" {
  get GET runs/last
  [ "$code" = 404 ]
  push_runs a 'b c' a b
  [ "$(api runs/last .id)" = 4 ]
  [ "$(api runs/last:a .id)" = 3 ]
  [ "$(api 'runs/last:b%20c/urls' '.[0].count')" = 20 ]
  [ "$(api 'runs/last/diff?base=last:b%20c' \
    '[.baseline[0], .run.id] | tojson')" = '[2,4]' ]
  [ "$(api 'runs/2/diff?base=last' .baseline[0])" = 4 ]
  for bad in 'last/diff?base=last:none 404' 'last/diff?base=lost 400' \
    'last:none 404'; do
    get GET "runs/${bad% *}"
    [ "$code" = "${bad#* }" ]
  done
  [ "$(curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' \
    "$url/runs/last:b%20c")" = "302 $url/runs/2" ]
  [ "$(curl -sS -o /dev/null -w '%{http_code}' "$url/runs/last:x")" = 404 ]
  get DELETE runs/last:a
  [ "$code" = 200 ]
  [ "$(ids '')" = '4 2 1' ]
  [ "$(k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" --format json \
    report last:a | jq -r .run.id)" = 1 ]
  # k6's own paths have numbers only.
  run curl -sS -o /dev/null -w '%{http_code}' -d '{}' \
    -H 'Content-Type: application/json' "$url/v1/tests/last"
  [ "$output" = 404 ]
}

# The routes of the source that are not k6's: METHOD PATH, a line each.
routes() {
  cat "$root"/src/k6serve/view/*.c "$root/src/k6serve/http/meter.c" | sed -nE '
    s|.*\{ "([A-Z]+)", RUN,.*|\1 /api/v1/runs/*|p
    s|.*\{ "([A-Z]+)", RUN "(/[a-z]+)",.*|\1 /api/v1/runs/*\2|p
    s|^	VIEW\("([a-z]+)".*|GET /api/v1/runs/*/\1|p
    s|^	EXPORT\("([a-z]+)".*|GET /api/v1/runs/*/export.\1|p
    s|.*\{ "([A-Z]+)", "(/api[^"]*)".*|\1 \2|p
    s|.*\{ "([A-Z]+)", "(/[a-z]+\|/runs/\*/[^"]*)",.*|\1 \2|p'
}

@test "the server does what openapi.json says, and nothing else" {
  run -99 k6push -q --threshold 'http_req_duration=p(95)<1' \
    <"$fixtures/corpus/rich.ndjson"
  k6gen -q -u 1 -i 5 http://127.0.0.1:1/ >"$BATS_TEST_TMPDIR/none" || true
  k6push -q --name none "$BATS_TEST_TMPDIR/none"
  K6_CLOUD_PROJECT_ID=7 k6push --create --name open >"$BATS_TEST_TMPDIR/ref"
  "$tools/shop.py" 60 | k6push -q --name old
  "$tools/shop.py" 60 20 40 | sed 's|"scenario"|"group": "::g", &|' |
    k6push -q --name new
  k6push -q --name rich <"$fixtures/corpus/rich.ndjson"
  routes >"$BATS_TEST_TMPDIR/routes"
  grep -o '"[a-z_]*"' "$root/src/k6serve/http/errors.c" | tr -d '"' |
    sort -u | sed 's/^/error /' >>"$BATS_TEST_TMPDIR/routes"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/routes")" -ge 47 ]
  "$tools/openapi.py" "$url" <"$BATS_TEST_TMPDIR/routes"
}

@test "whoever has an answer is not sent it again, until it changes" {
  push_runs a
  for path in runs runs/1 runs/1/report runs/1/urls 'runs/1/urls?format=csv' \
    'runs/1/diff?base=1' runs/1/export.json; do
    get GET "$path"
    [ "$code" = 200 ]
    etag=$(sed -n 's/^E[Tt]ag: //p' <<<"$head")
    [[ $etag == \"*\" ]]
    for known in "$etag" "\"x\", W/$etag" '*'; do
      [ "$(curl -sS -H "If-None-Match: $known" -o "$BATS_TEST_TMPDIR/reply" \
        -w '%{http_code} %{size_download}' "$url/api/v1/$path")" = '304 0' ]
    done
    [ "$(curl -sS -H 'If-None-Match: "x"' -o /dev/null -w '%{http_code}' \
      "$url/api/v1/$path")" = 200 ]
  done
  # the packed form is another one; a note changes all
  get GET runs/1/report
  etag=$(sed -n 's/^E[Tt]ag: //p' <<<"$head")
  [ "$(curl -sS --compressed -H "If-None-Match: $etag" -o /dev/null \
    -w '%{http_code}' "$url/api/v1/runs/1/report")" = 200 ]
  curl -sS --fail -X PATCH -H 'Content-Type: application/json' \
    -d '{"note":"n"}' "$url/api/v1/runs/1"
  [ "$(curl -sS -H "If-None-Match: $etag" -o /dev/null \
    -w '%{http_code}' "$url/api/v1/runs/1/report")" = 200 ]
}

# RFC 9110, 8.6: a length in a 304 is that of the 200 that is not sent.
@test "a 304 has the length of a 200 or none, and nothing behind its head" {
  push_runs a
  cat >"$BATS_TEST_TMPDIR/ask.py" <<'PY'
import re, socket, sys
from urllib.parse import urlsplit
at, state = urlsplit(sys.argv[1]), sys.argv[2]
def ask(path, more=b""):
    with socket.create_connection((at.hostname, at.port), timeout=60) as s:
        s.sendall(b"GET /api/v1/" + path.encode() + b" HTTP/1.1\r\nHost: " +
                  at.netloc.encode() + b"\r\n" + more +
                  b"Connection: close\r\n\r\n")
        out = b"".join(iter(lambda: s.recv(65536), b""))
    head, _, body = out.partition(b"\r\n\r\n")
    return head + b"\r\n", body
def field(head, name):
    found = re.search(rb"(?i)\r\n" + name + rb": *([^\r]*)\r\n", head)
    return found and found[1]
for path in ("runs", "runs/1", "runs/1/report", "runs/1/urls?format=csv",
             "runs/1/diff?base=1", "runs/1/export.json"):
    # a server that has just begun knows no answer, and so no length
    tags = open(state + path.replace("/", "+"), "a+b")
    tags.seek(0)
    known = tags.read()
    if known and path.count("/") and "diff" not in path and \
            "export" not in path:
        head, body = ask(path, b"If-None-Match: " + known + b"\r\n")
        assert head.startswith(b"HTTP/1.1 304 "), (path, head)
        assert not re.search(rb"(?i)\r\n(content-length|transfer-encoding):",
                             head), (path, head)
        assert body == b"", (path, body)
        print("no length", path)
    head, body = ask(path)
    tag, length = field(head, b"etag"), field(head, b"content-length")
    assert head.startswith(b"HTTP/1.1 200 ") and int(length) == len(body) > 0
    tags.write(tag)
    head, body = ask(path, b"If-None-Match: " + tag + b"\r\n")
    assert head.startswith(b"HTTP/1.1 304 "), (path, head)
    assert field(head, b"content-length") == length, (path, head)
    assert field(head, b"transfer-encoding") is None and body == b""
    print("length", path)
PY
  python3 "$BATS_TEST_TMPDIR/ask.py" "$url" "$BATS_TEST_TMPDIR/" \
    >"$BATS_TEST_TMPDIR/asked"
  [ "$(grep -c '^length' "$BATS_TEST_TMPDIR/asked")" = 6 ]
  stop_server
  start_server
  python3 "$BATS_TEST_TMPDIR/ask.py" "$url" "$BATS_TEST_TMPDIR/" \
    >"$BATS_TEST_TMPDIR/asked"
  [ "$(grep -c '^no length' "$BATS_TEST_TMPDIR/asked")" = 3 ]
  # who asks again on the same connection gets an answer behind either
  stop_server
  start_server
  [ "$(curl -sS -H 'If-None-Match: *' -w '%{http_code} ' \
    "$url/api/v1/runs"{/1,/1,})" = '304 304 304 ' ]
}

@test "the events of a run end when it has ended and was judged" {
  K6_CLOUD_NAME=a k6push -q --threshold 'http_reqs=count>0' \
    < <(stream 20 0)
  curl -sSN --max-time 600 "$url/api/v1/runs/1/events" |
    tee "$BATS_TEST_TMPDIR/ev"
  [ "$(grep ^event: "$BATS_TEST_TMPDIR/ev" | uniq | xargs)" = \
    'event: change event: end' ]
  ref=$(k6push --create | cut -f1)
  curl -sSN --max-time 600 "$url/api/v1/runs/$ref/events" \
    >"$BATS_TEST_TMPDIR/ev" 3>&- &
  retry 20 grep -q Running "$BATS_TEST_TMPDIR/ev"
  curl -sS --fail -o /dev/null -H 'Content-Type: application/json' \
    -d '{"run_status":5}' "$url/v1/tests/$ref"
  wait "$!"
  [[ $(tail -n 5 "$BATS_TEST_TMPDIR/ev") == *'Aborted by User'*'event: end'* ]]
}

@test "tables are of a part of the run, and of what has a tag" {
  { request 1 10; request 2 20; request 2.5 400 b; } | sed \
    '/"b"/s/"name":"b"/"name":"b","scenario":"x:y","status":"503","error":"e"/
    /http_req_failed.*"b"/s/"value":0/"value":1/' | k6push -q
  t=$(date -ud 2026-01-01 +%s)
  part="from=$((t + 2))&to=$((t + 3))"
  [ "$(api "runs/1/urls?$part" 'map(.count) | add')" = 2 ]
  [ "$(api "runs/1/urls?$part" '.[] | select(.name == "a") | .max')" = 20 ]
  [ "$(api "runs/1/report?$part" '[.run.totals.http_reqs,
    .range.totals.http_reqs, .range.duration, (.series | length),
    (.slow | length), (.distribution | map(.count) | add)] | tojson')" = \
    '[3,2,1,2,2,2]' ]
  [ "$(api 'runs/1/urls?tag=scenario:x:y' '.[].name')" = b ]
  [ "$(api 'runs/1/series?tag=scenario:x:y' '.[].http_reqs')" = 1 ]
  [ "$(api 'runs/1/urls?tag=scenario:x:y&tag=name:a' length)" = 0 ]
  [ "$(api runs/1/tags 'map([.tag, .value, .count]) | tojson')" = \
    '[["scenario","x:y",1]]' ]
  [ "$(api runs/1/errors '.[] | [.name, .status, .first, .count] | tojson')" = \
    '["b","503","2026-01-01T00:00:02Z",1]' ]
  [ "$(api "runs/1/report?series_from=$((t + 2))" '[.run.totals.http_reqs,
    (.series | map(.t)[])] | tojson')" = "[3,$((t + 2))]" ]
  for bad in from=5 'from=5&to=5' to=x tag=a; do
    get GET "runs/1/urls?$bad"
    [ "$code" = 400 ]
  done
}

@test "percentiles of successful answers stand beside those of all" {
  { for i in 1 2 3; do request "$i" 100; done
    request 4 1 | sed 's/"name":"a"/"name":"a","status":"503"/
      /http_req_failed/s/"value":0/"value":1/'; } |
    sed '/503/!s/"name":"a"/"name":"a","status":"200"/' | k6push -q
  [ "$(api runs/1/requests '.[] | [.name, .count, .failed, .min, .p50 > 50,
    .successful.count, .successful.min] | tojson')" = \
    '["a",4,1,1,true,3,100]' ]
}

@test "what is not known is null, and not 0; in CSV it is empty" {
  local none='{"min":null,"avg":null,"p50":null,"p90":null,"p95":null,'
  none+='"p99":null,"max":null}' stats='{min,avg,p50,p90,p95,p99,max} | tojson'
  # nothing listens there: k6 gives requests without an answer a time of 0
  k6gen -q -u 1 -i 5 http://127.0.0.1:1/ >"$BATS_TEST_TMPDIR/in" || true
  [ "$(jq -s 'map(select(.metric == "http_req_duration" and .type ==
    "Point").data.value) | [length, max] | tojson' -r \
    "$BATS_TEST_TMPDIR/in")" = '[5,0]' ]
  k6push -q "$BATS_TEST_TMPDIR/in"
  [ "$(api runs/1 '.totals.http_req_duration | '"$stats")" = "$none" ]
  [ "$(api runs/1 '[.totals | .http_reqs, .http_req_failed,
    .http_req_duration.count] | tojson')" = '[5,5,5]' ]
  for table in urls requests; do
    [ "$(api runs/1/$table '.[] | '"$stats")" = "$none" ]
  done
  [ "$(api runs/1/diff?base=1 '.urls[0].run | '"$stats")" = "$none" ]
  [ "$(api runs/1/series '.[] | .http_req_duration | '"$stats" | sort -u)" = \
    "$none" ]
  [ "$(api runs/1/series 'map(.timings[]) | unique | tojson')" = '[null]' ]
  [ "$(api runs/1/slow length) $(api runs/1/distribution length)" = '0 0' ]
  get GET 'runs/1/urls?format=csv'
  [[ $reply == *$'"GET","0",5,'*$',5,,,,,,,\r' ]]
  get GET 'runs?format=csv'
  [[ $reply == *$',5,,,,,,,\r' ]]
  for format in text markdown; do
    run k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" --format $format report 1
    [[ $output == *"5 requests, 100 % failed"* && $output != *p95* ]]
  done
  # a run that has not begun has no duration, one of iterations no bytes
  k6push --create >"$BATS_TEST_TMPDIR/ref"
  [ "$(api runs/2 .duration)" = null ]
  get GET 'runs?format=csv&limit=1'
  [ "$(csv_field "$reply" duration)" = '' ]
  stream 20 0 | grep -v '"iterations"' | k6push -q
  [ "$(api runs/3/series 'map(.iterations) | unique | tojson')" = '[null]' ]
}

# csv_field TEXT NAME: that column of its second line
csv_field() {
  awk -F, -v name="\"$2\"" 'NR == 1 { for (i = 1; i <= NF; i++)
    if ($i == name) at = i } NR == 2 { print $at }' <<<"$1"
}
