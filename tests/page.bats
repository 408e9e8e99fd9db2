#!/usr/bin/env bats
# k6serve's pages in a headless browser, their numbers against the API.

# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; url
load helpers

browser=$(command -v chromium || command -v chromium-browser ||
  command -v google-chrome || true)

setup() {
  [ -n "$browser" ] || skip "no chromium"
}

teardown() {
  [ -z "${page:-}" ] || kill "$page" 2>/dev/null || true
  stop_server || true
}

options() {
  printf '%s\n' --headless --no-sandbox --disable-gpu --no-first-run \
    --disable-background-networking --disable-component-update \
    --disable-sync --disable-dev-shm-usage --lang=en-US --user-data-dir="$1"
}

# dump PATH: the page's DOM once its scripts are done, in $dom, its messages
# in $log.
dump() {
  mapfile -t args < <(options "$BATS_TEST_TMPDIR/profile")
  dom=$(HOME=$BATS_TEST_TMPDIR timeout 60 "$browser" "${args[@]}" \
    --enable-logging=stderr --virtual-time-budget=4000 --dump-dom \
    "$url$1" 2>"$BATS_TEST_TMPDIR/log")
  log=$(grep CONSOLE "$BATS_TEST_TMPDIR/log" || true)
  printf 'DOM of %s\n%.3000s\n%s\n' "$1" "$dom" "$log"
}

post() {
  curl -sS --fail-with-body -X POST -H 'Content-Type: application/json' \
    --data-binary @- "$url$1" >/dev/null
}

# trails N NAME STATUS: so many requests, as samples in a JSON array.
trails() {
  jq -nc --argjson n "$1" --arg name "$2" --arg status "$3" '[range($n) |
    {type: "Points", metric: "http_req_li_all", data: {
      time: "\(1700000000000000 + . * 1000)", type: "counter",
      tags: {name: $name, method: "GET", status: $status},
      values: ({http_reqs: 1, http_req_duration: (. + 1),
        http_req_waiting: (. + 1), http_req_failed:
        (if $status == "200" then 0 else 1 end)} + ({} | .http_req_blocked = 0
        | .http_req_connecting = 0 | .http_req_tls_handshaking = 0
        | .http_req_sending = 0 | .http_req_receiving = 0))}}]'
}

finished_run() {
  echo '{"name":"checkout","vus":7,"thresholds":{"checks":["rate>0.9"]}}' |
    post /v1/tests
  trails 1200 /ok 200 | post /v1/metrics/1
  trails 34 /bad 500 | post /v1/metrics/1
  echo '{"run_status":3,"result_status":1,
    "thresholds":{"checks":{"rate>0.9":true}}}' | post /v1/tests/1
}

@test "the run list shows each run with its state and numbers" {
  start_server
  finished_run
  dump /
  [[ $dom == *'<span class="badge good">Finished</span>'* ]]
  [[ $dom == *'<a href="/runs/1">checkout</a>'* ]]
  [[ $dom == *'<td class="n">1,234</td><td class="n bad-text">34</td>'* ]]
  [ -z "$log" ]
}

@test "an empty run list says how to send a run" {
  start_server
  dump /
  [[ $dom == *"No run yet"*"K6_CLOUD_HOST=$url"* ]]
}

@test "the run page shows what the API tells" {
  start_server
  finished_run
  dump /runs/1
  [[ $dom == *'aria-live="polite">Finished</span>'* ]]
  [[ $dom == *'<dt>Requests</dt><dd>1,234'* ]]
  [[ $dom == *'<dt>Failed</dt><dd class="bad-text">34'* ]]
  [[ $dom == *'<caption>Requests by URL or name'* ]]
  [[ $dom == *'Crossed</span></td><th scope="row">checks</th>'* ]]
  [[ $dom == *'<canvas'* ]]
  # the table's rows, number by number
  rows=$(grep -o '<tbody id="url-rows">.*</tbody>' <<<"$dom" |
    sed 's,</tr>,\n,g' | sed 's/<[^>]*>/ /g; s/,//g; s/  */ /g; /^ *$/d')
  expected=$(api runs/1/urls '.[] | [.name,.method,.status,.count,.failed,
    .min,.max] | map(tostring) | join(" ")')
  [ "$(awk '{print $1,$2,$3,$4,$5,$6,$11}' <<<"$rows")" = "$expected" ]
  [ -z "$log" ]
}

@test "text from a run stays text" {
  start_server
  evil='<img src=x onerror=document.title=1><script>document.title=2</script>'
  jq -n --arg n "$evil" '{name: $n, thresholds: {($n): [$n]}}' |
    post /v1/tests
  trails 3 "$evil\"'>" 200 | post /v1/metrics/1
  echo '{"run_status":3}' | post /v1/tests/1
  for path in / /runs/1; do
    dump "$path"
    [[ $dom != *'<img'* ]]
    [[ $dom != *'<script>document'* ]]
    [[ $dom == *'&lt;img src=x onerror=document.title=1&gt;'* ]]
    [ -z "$log" ]
  done
  run ! grep -r innerHTML "$root"/lib/web/*.js
}

@test "a run that does not exist is told as such" {
  start_server
  dump /runs/5
  [[ $dom == *"There is no such run."* ]]
}

# What the open page has as its title.
title() {
  curl -sS "http://127.0.0.1:$debug/json" |
    jq -r '.[] | select(.type == "page") | .title'
}

title_is() {
  [[ $(title) == "$1"* ]]
}

@test "an open run page follows the run by itself" {
  start_server
  echo '{"name":"live"}' | post /v1/tests
  mapfile -t args < <(options "$BATS_TEST_TMPDIR/profile")
  "$browser" "${args[@]}" --remote-debugging-port=0 "$url/runs/1" \
    >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
  page=$!
  retry 20 test -s "$BATS_TEST_TMPDIR/profile/DevToolsActivePort"
  debug=$(head -n 1 "$BATS_TEST_TMPDIR/profile/DevToolsActivePort")
  retry 10 title_is "Running: live"
  trails 9 /ok 200 | post /v1/metrics/1
  echo '{"run_status":5}' | post /v1/tests/1
  retry 10 title_is "Aborted by User: live"
}

@test "nothing is loaded from elsewhere" {
  run ! grep -rnE '(src|href)="(https?:)?//|@import|url\(' "$root/lib/web"
}
