#!/usr/bin/env bats
# What the pages load: packed for who accepts that, and not sent twice.

load ../helpers

setup() {
  start_server
}

teardown() {
  stop_server
}

# fetch PATH [CURL OPTION...]: $code and $head of the answer, whose body as it
# was sent is in $body.
fetch() {
  body=$BATS_TEST_TMPDIR/body
  : >"$body"
  code=$(curl -sS -D "$BATS_TEST_TMPDIR/head" -w '%{http_code}' -o "$body" \
    "${@:2}" "$url$1")
  head=$(tr -d '\r' <"$BATS_TEST_TMPDIR/head")
  echo "$* -> $code $head"
}

field() { sed -n "s/^$1: //Ip" <<<"$head"; }

files=(/ /compare /page.css /page.js /list.js /run.js /run_charts.js
  /run_tables.js /compare.js /chart.js /table.js /insights.js /dygraph.js
  /dygraph.css /icon.svg /api/v1/openapi.json)

@test "each file of the pages is packed for who accepts gzip" {
  for file in "${files[@]}"; do
    fetch "$file"
    [ "$code" = 200 ]
    [ -z "$(field Content-Encoding)" ]
    plain_tag=$(field ETag)
    cp "$body" "$BATS_TEST_TMPDIR/plain"
    fetch "$file" -H 'Accept-Encoding: br, GZIP;q=0.5'
    [ "$(field Content-Encoding)" = gzip ]
    [ "$(field Content-Length)" -lt "$(wc -c <"$BATS_TEST_TMPDIR/plain")" ]
    gzip -dc <"$body" | cmp - "$BATS_TEST_TMPDIR/plain"
    # another form has another tag, and caches are told what it depends on
    [ "$(field ETag)" != "$plain_tag" ]
    [ "$(field Vary)" = Accept-Encoding ]
  done
  [ "${#files[@]}" = "$(grep -c '^	FILE_AT(\|openapi' \
    "$root/src/k6serve/view/page.c")" ]
}

@test "a weight of 0 refuses gzip" {
  for wanted in 'identity' 'gzip;q=0' 'gzip; q=0.000, *' 'br' '*;q=0' \
    'gzipped'; do
    fetch /dygraph.js -H "Accept-Encoding: $wanted"
    [ -z "$(field Content-Encoding)" ]
    fetch /api/v1/openapi.json -H "Accept-Encoding: $wanted"
    [ -z "$(field Content-Encoding)" ]
  done
  for wanted in 'gzip' 'br,gzip' '*' 'identity;q=0.1 , gzip ;q=0.001'; do
    fetch /dygraph.js -H "Accept-Encoding: $wanted"
    [ "$(field Content-Encoding)" = gzip ]
  done
}

@test "a browser keeps the files, and is not sent what it has" {
  create_run
  for file in "${files[@]}" /runs/1; do
    for as in identity gzip; do
      fetch "$file" -H "Accept-Encoding: $as"
      [ "$(field Cache-Control)" = no-cache ]
      etag=$(field ETag)
      [[ $etag == \"*\" ]]
      size=$(wc -c <"$body")
      fetch "$file" -H "Accept-Encoding: $as" -H "If-None-Match: $etag"
      [ "$code" = 304 ]
      [ "$(wc -c <"$body")" = 0 ]
      [ "$(field ETag) $(field Cache-Control)" = "$etag no-cache" ]
      [ "$(field Content-Length)" = "$size" ]
      fetch "$file" -H "Accept-Encoding: $as" -H 'If-None-Match: "other"'
      [ "$code" = 200 ]
      [ "$(wc -c <"$body")" = "$size" ]
    done
  done
  # what changes is not kept
  fetch /api/v1/runs
  [ "$(field Cache-Control)" = no-store ]
}

create_run() {
  curl -sS --fail -o /dev/null -H 'Content-Type: application/json' \
    -d '{"name":"t"}' "$url/v1/tests"
}

@test "the page of a run that is not there is 404 to whoever has the page" {
  create_run
  fetch /runs/1
  etag=$(field ETag)
  fetch /runs/2 -H "If-None-Match: $etag" -H 'Accept-Encoding: gzip'
  [ "$code" = 404 ]
  [ "$(field Cache-Control)" = no-store ]
  gzip -dc <"$body" | grep -q '<div id="run" hidden>'
}
