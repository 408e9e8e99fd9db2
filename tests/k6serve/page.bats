#!/usr/bin/env bats
# k6serve's pages in a headless browser, their numbers against jq. Pictures of
# what was looked at are left in build/shots.

# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; url
# bats file_tags=browser
load ../helpers
load serve

BROWSER=$(command -v chromium || command -v chromium-browser ||
  command -v google-chrome || true)
export BROWSER
shots=$root/build/shots

setup() {
  [ -n "$BROWSER" ] || skip "no chromium"
  mkdir -p "$shots"
}

teardown() {
  stop_server || true
}

# browse STEP...: see browse.py. What it printed is in $seen.
browse() {
  seen=$("$root/tests/tools/browse.py" "size 1280x900" "$@")
  printf '%s\n' "$seen"
}

# The step that waits until a page has told something.
ready='wait document.getElementById("message").textContent !== "Loading…"'

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
export -f upload trails

finished_run() {
  echo '{"name":"checkout","vus":7,"thresholds":{"checks":["rate>0.9"]}}' |
    upload /v1/tests
  trails 1200 /ok 200 | upload /v1/metrics/1
  trails 34 /bad 500 | upload /v1/metrics/1
  echo '{"run_status":3,"result_status":1,
    "thresholds":{"checks":{"rate>0.9":true}}}' | upload /v1/tests/1
}

# push NAME [ARG...]: stdin as a run.
push() {
  k6push --name "$@" 2>"$BATS_TEST_TMPDIR/push.err"
}

# Points of k6's JSON output: jq's view of a metric.
data_of() {
  jq -c --arg m "$1" 'select(.type == "Point" and .metric == $m) | .data' "$2"
}

# p95 FILE: the exact one of http_req_duration, by k6's rule.
p95() {
  data_of http_req_duration "$1" | jq -s 'map(.value) | sort |
    (0.95 * (length - 1)) as $at | .[$at | floor] as $a |
    .[$at | ceil] as $b | $a + ($b - $a) * ($at - ($at | floor))'
}

# near A B SHARE: do they differ by at most that share of B?
near() {
  jq -ne --argjson a "$1" --argjson b "$2" --argjson s "$3" \
    '($a - $b | fabs) <= $s * ($b | fabs)'
}

# The table's body as lines of fields, apart by |.
rows() {
  printf '%s\n' "eval [...document.querySelectorAll('$1')].map(r =>
    [...r.cells].map(c => c.innerText.trim().replaceAll(',', '')).join('|')
    ).join(String.fromCharCode(10))"
}

@test "the run list shows each run with its state and numbers" {
  start_server
  finished_run
  browse "goto $url/" "wait document.querySelector('#rows tr')" \
    "$(rows '#rows tr')" "shot $shots/list.png"
  [[ $seen == *"FailedFinished|checkout|"*"|1234|2.76 %|"* ]]
}

@test "an empty run list says how to send a run" {
  start_server
  browse "goto $url/" "wait !document.getElementById('welcome').hidden" \
    "eval document.getElementById('welcome').innerText" \
    "shot $shots/list-empty.png"
  [[ $seen == *"No run yet"*"K6_CLOUD_HOST=$url"* ]]
}

@test "more runs than the list shows at first are told and found" {
  start_server
  for _ in $(seq 201); do
    echo '--next'
    echo "url = \"$url/v1/tests\""
    echo 'header = "Content-Type: application/json"'
    echo 'data = "{\"name\":\"r\"}"'
  done | curl -sS --fail -K - >/dev/null
  n="eval document.querySelectorAll('#rows tr').length"
  browse "goto $url/" "wait document.querySelector('#rows tr')" "$n" \
    "eval document.getElementById('more').innerText" \
    "shot $shots/list-many.png" \
    "eval document.getElementById('more-button').click()" \
    "wait document.getElementById('more').hidden" "$n"
  [ "$seen" = $'200\nThe newest 200. Show more\n201' ]
}

@test "runs are searched, noted, chosen and deleted" {
  start_server
  finished_run
  echo '{"name":"other"}' | upload /v1/tests
  browse "goto $url/runs/1" "wait !document.getElementById('run').hidden" \
    "eval { const n = document.getElementById('note-text'); n.focus();
      n.value = 'after the <b>fix</b>'; n.blur();
      n.dispatchEvent(new Event('change')); void 0; }" \
    "sh for i in \$(seq 100); do curl -s $url/api/v1/runs/1 |
      grep -q 'after the' && exit; sleep 0.05; done; exit 1" \
    "goto $url/?" "wait document.querySelectorAll('#rows tr').length === 2" \
    "eval document.getElementById('rows').innerText.includes('the <b>fix')" \
    "eval { const s = document.getElementById('search'); s.value = 'FIX';
      s.dispatchEvent(new Event('input')); void 0; }" \
    "wait document.querySelectorAll('#rows tr').length === 1" \
    "eval document.querySelector('#rows th').innerText" \
    "eval document.querySelector('#rows input').click()" \
    "shot $shots/list-chosen.png" \
    "eval document.getElementById('delete').click()" \
    "wait document.querySelector('dialog[open]')" \
    "shot $shots/delete.png" \
    "eval document.querySelector('dialog .danger').click()" \
    "wait document.getElementById('message').textContent.includes('FIX')"
  [[ $seen == *$'true\n'*"checkout"* ]]
  [ "$(api runs 'map(.name) | join(" ")')" = other ]
}

@test "a finished run shows what jq finds in the stream" {
  local all=$BATS_TEST_TMPDIR/rich.ndjson
  corpus rich >"$all"
  start_server
  push rich <"$all"
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "$(rows '#url-rows tr')" "shot $shots/run.png" "theme dark" \
    "shot $shots/run-dark.png"
  # each line of the table: name, method, status, count
  expected=$(data_of http_reqs "$all" | jq -r '.tags |
    [.name, .method, if .status == "0" then "no\u00a0reply" else .status end] |
    join("|")' | sort | uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/\2|\1/')
  [ "$(cut -d '|' -f 1-4 <<<"$seen" | sort)" = "$expected" ]
  # all in all
  [ "$(data_of http_req_failed "$all" | jq -s 'map(.value) | add')" = \
    "$(api runs/1 .totals.http_req_failed)" ]
  near "$(api runs/1 .totals.http_req_duration.p95)" "$(p95 "$all")" 0.008
  [ "$(data_of checks "$all" | jq -r '.tags.check' | sort | uniq -c |
    awk '{ print $1 }' | paste -sd' ')" = \
    "$(api runs/1/checks 'sort_by(.check) | map(.count) | join(" ")')" ]
  near "$(api runs/1/slow '.[0].duration')" \
    "$(data_of http_req_duration "$all" | jq -s 'map(.value) | max')" 0
  # distribution and status codes hold every request
  [ "$(api runs/1/distribution 'map(.[2]) | add')" = \
    "$(data_of http_reqs "$all" | wc -l)" ]
  [ "$(api runs/1/series '[.[].status | .[]] | add')" = \
    "$(data_of http_reqs "$all" | wc -l)" ]
  [ "$(api runs/1/errors 'map(.count) | add')" = \
    "$(api runs/1 .totals.http_req_failed)" ]
  [ "$(api runs/1/metrics '.[] | select(.metric == "my_counter") | .sum')" = \
    "$(data_of my_counter "$all" | jq -s 'map(.value) | add')" ]
}

@test "tables sort, filter and open, also by keyboard" {
  start_server
  finished_run
  local first='eval document.querySelector("#url-rows th").innerText'
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "$first" \
    "eval document.querySelector('th[data-key=name] .sort').focus()" \
    "keys Enter" "$first" \
    "eval document.querySelector('th[data-key=name]').ariaSort" \
    "eval { const i = document.querySelector('#requests input');
      i.value = '500'; i.dispatchEvent(new Event('input')); void 0; }" \
    "$(rows '#url-rows tr')" \
    "eval document.querySelector('#url-rows .open').focus()" "keys Enter" \
    "wait document.querySelectorAll('.detail canvas').length === 4" \
    "eval document.querySelector('#url-rows .open').ariaExpanded" \
    "eval document.querySelector('.detail .chart').focus()" "keys ArrowRight" \
    "eval document.querySelector('.detail .legend').innerText" \
    "shot $shots/row-open.png"
  [ "$(sed -n 1,3p <<<"$seen" | paste -sd' ')" = "/ok /bad ascending" ]
  [[ $(sed -n 4p <<<"$seen") == "/bad|GET|500|34|"* ]]
  [ "$(sed -n 5p <<<"$seen")" = true ]
  [[ $(sed -n '6,$p' <<<"$seen") == *"requests 34"*"failed 34"* ]]
}

@test "an open run page follows the run by itself" {
  start_server
  echo '{"name":"live"}' | upload /v1/tests
  export url
  # shellcheck disable=SC2016 # for the inner shell
  browse "goto $url/runs/1" "wait document.title.startsWith('Running: live')" \
    "eval document.getElementById('message').innerText" \
    "shot $shots/run-empty-live.png" \
    'sh trails 9 /ok 200 | upload /v1/metrics/1' \
    "wait document.getElementById('figures').innerText.includes('1,125/s')" \
    "shot $shots/run-live.png" \
    'sh echo "{\"run_status\":5}" | upload /v1/tests/1' \
    "wait document.title.startsWith('Aborted by User: live')" \
    "eval document.getElementById('meaning').innerText"
  [[ $seen == *"No data yet."*"stopped with Ctrl-C, or by the script" ]]
}

@test "a run without data says so" {
  start_server
  echo '{"name":"nothing"}' | upload /v1/tests
  echo '{"run_status":6}' | upload /v1/tests/1
  browse "goto $url/runs/1" "$ready" "eval document.querySelector('main')
    .innerText" "shot $shots/run-empty.png"
  [[ $seen == *"This run has no data"*"nothing"*"Aborted by System"* ]]
  [[ $seen != *NaN* && $seen != *undefined* && $seen != *null* ]]
}

@test "a run of three seconds has its charts and numbers" {
  local all=$BATS_TEST_TMPDIR/short.ndjson until
  until=$(corpus small | jq -rs '[.[] | select(.type == "Point") |
    .data.time] | min | sub("\\.[0-9]+"; "") | fromdate + 3 | todate')
  corpus small | jq -c --arg until "${until%Z}" 'select(.type != "Point" or
    .data.time < $until)' >"$all"
  start_server
  push short <"$all"
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval document.getElementById('figures').innerText" \
    "eval document.querySelectorAll('#overview canvas').length" \
    "shot $shots/run-3s.png"
  [[ $seen == *"Requests"*"$(data_of http_reqs "$all" | wc -l)"*"6" ]]
  [[ $seen != *NaN* && $seen != *undefined* ]]
}

@test "ten thousand URLs are told as too many, and all are found" {
  start_server
  echo '{"name":"many"}' | upload /v1/tests
  for from in 0 5000; do
    jq -nc --argjson from "$from" '[range($from; $from + 5000) |
      {type: "Points", metric: "http_req_li_all", data: {
      time: "\(1700000000000000 + . * 1000)", type: "counter",
      tags: {name: "/item/\(.)", method: "GET", status: "200"},
      values: {http_reqs: 1, http_req_duration: (. + 1), http_req_waiting: 1,
      http_req_failed: 0, http_req_blocked: 0, http_req_connecting: 0,
      http_req_tls_handshaking: 0, http_req_sending: 0,
      http_req_receiving: 0}}}]' | upload /v1/metrics/1
  done
  echo '{"run_status":3}' | upload /v1/tests/1
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval document.getElementById('insights').innerText" \
    "eval document.querySelector('#requests .more').innerText" \
    "eval { const i = document.querySelector('#requests input');
      i.value = '/item/9999'; i.dispatchEvent(new Event('input')); void 0; }" \
    "$(rows '#url-rows tr')" "shot $shots/run-10000-urls.png"
  [[ $seen == *"Too many URLs"*"100 of 10,000"*$'\n/item/9999|GET|200|1|'* ]]
}

@test "text from a run stays text" {
  local dir=$BATS_TEST_TMPDIR n=0 evil
  start_server
  # each payload is the name and the note of a run
  while IFS= read -r evil; do
    n=$((n + 1))
    jq -n --arg n "$evil" '{name: $n}' | upload /v1/tests
    jq -n --arg n "$evil" '{note: $n}' | curl -sS --fail-with-body -X PATCH \
      -H 'Content-Type: application/json' -d @- "$url/api/v1/runs/$n"
  done <"$root/tests/data/xss.txt"
  [ "$n" -ge 30 ]
  # and all of them stand in every place of one run more
  jq -Rn '[inputs] as $all | {name: "x", thresholds: ($all | map({key: .,
    value: [.]}) | from_entries)}' "$root/tests/data/xss.txt" | upload /v1/tests
  n=$((n + 1))
  jq -Rnc '[inputs | . as $e |
      {type: "Points", metric: "http_req_li_all", data: {
        time: "1700000000000000", type: "counter",
        tags: {name: $e, url: $e, method: $e, status: $e, error: $e,
          error_code: $e, scenario: $e, group: $e},
        values: {http_reqs: 1, http_req_duration: 5, http_req_waiting: 5,
        http_req_failed: 1, http_req_blocked: 0, http_req_connecting: 0,
        http_req_tls_handshaking: 0, http_req_sending: 0,
        http_req_receiving: 0}}},
      {type: "Point", metric: "checks", data: {time: "1700000000000000",
        type: "rate", tags: {check: $e, group: $e}, value: 0}}]' "$root/tests/data/xss.txt" |
    upload "/v1/metrics/$n"
  jq -Rn '[inputs] | {run_status: 3, thresholds: (map({key: .,
    value: {(.): true}}) | from_entries)}' "$root/tests/data/xss.txt" |
    upload "/v1/tests/$n"
  k6serve --db "$dir/k6serve.db" report "$n" >"$dir/run.html"
  bad="eval [window.pwned, document.querySelectorAll('main img, main iframe,' +
    'main script, main svg[onload], [onerror], [onclick]').length].join()"
  browse "goto $url/" "wait document.querySelectorAll('#rows tr').length == $n" \
    "$bad" "shot $shots/list-xss.png" \
    "goto $url/runs/$n" "wait document.querySelectorAll('#url-rows tr').length" \
    "eval document.querySelectorAll('.open').forEach(b => b.click())" \
    "wait document.querySelectorAll('.detail canvas').length > $n" "$bad" \
    "shot $shots/run-xss.png" \
    "goto file://$dir/run.html" \
    "wait document.querySelectorAll('#url-rows tr').length" \
    "eval document.querySelectorAll('.open').forEach(b => b.click())" "$bad" \
    "goto $url/runs/3" "$ready" "$bad" \
    "goto $url/compare?a=1&b=$n" \
    "wait !document.getElementById('diff').hidden" "$bad"
  [ "$(uniq -c <<<"$seen" | sed 's/^ *//')" = "5 ,0" ]
  run ! grep -rE 'innerHTML|outerHTML|insertAdjacent|document\.write|eval\(' \
    "$root"/src/k6serve/web --include='*.js'
}

@test "insights name a throughput limit, failures, an overloaded generator" {
  start_server
  echo '{"name":"limit","thresholds":{"http_req_duration":["p(95)<50"]}}' |
    upload /v1/tests
  # 60 s: VUs grow from 1 to 60, 20 requests each second, ever slower
  jq -nc '[range(60) as $s | ({type: "Point", metric: "vus", data: {
      time: "\((1700000000 + $s) * 1000000)", type: "gauge", tags: {},
      value: ($s + 1)}}, {type: "Point", metric: "dropped_iterations",
      data: {time: "\((1700000000 + $s) * 1000000)", type: "counter",
      tags: {}, value: 2}}, (range(20) | {type: "Points",
      metric: "http_req_li_all", data: {
      time: "\((1700000000 + $s) * 1000000 + . * 1000)", type: "counter",
      tags: {name: "/", method: "GET", status: (if $s > 45 and . < 5 then "503"
      else "200" end)}, values: {http_reqs: 1, http_req_duration: ($s * 2 + 3),
      http_req_waiting: ($s * 2 + 3),
      http_req_failed: (if $s > 45 and . < 5 then 1 else 0 end),
      http_req_blocked: 0, http_req_connecting: 0, http_req_tls_handshaking: 0,
      http_req_sending: 0, http_req_receiving: 0}}}))]' | upload /v1/metrics/1
  echo '{"run_status":3,"result_status":1,"thresholds":{"http_req_duration":
    {"p(95)<50":true}}}' | upload /v1/tests/1
  browse "goto $url/runs/1" "wait document.querySelector('#insights li')" \
    "eval document.getElementById('insights').innerText" \
    "shot $shots/insights.png"
  [[ $seen == *"Thresholds crossed – http_req_duration: p(95)<50"* ]]
  [[ $seen == *"Generator overload"*"120 iterations could not be started"* ]]
  [[ $seen == *"Throughput limit"*"20 requests/s"* ]]
  [[ $seen == *"Rising failures"*"0 % of the requests failed"*"HTTP 503"* ]]
}

@test "an uneventful run has nothing that stands out" {
  start_server
  echo '{"name":"calm"}' | upload /v1/tests
  trails 900 /ok 200 | jq -c 'map(.data.values.http_req_duration = 5)' |
    upload /v1/metrics/1
  echo '{"run_status":3}' | upload /v1/tests/1
  browse "goto $url/runs/1" "wait document.querySelector('#insights li')" \
    "eval document.getElementById('insights').innerText"
  [[ $seen == *"Nothing stands out"* ]]
}

@test "three generators in one run have the p95 of all their data" {
  local dir=$BATS_TEST_TMPDIR
  corpus rich >"$dir/all"
  start_server
  echo '{"name":"three"}' | upload /v1/tests
  # each generator has other requests, two of them fold
  for i in 0 1 2; do
    awk -v i="$i" '/"metric":"http_reqs"/ { n++ } n % 3 == i' "$dir/all" \
      >"$dir/$i"
  done
  local pids=()
  for i in 0 1 2; do
    if [ "$i" = 0 ]; then cat "$dir/$i"; else k6agg -p 3s "$dir/$i"; fi |
      XDG_STATE_HOME=$dir/state.$i K6_CLOUD_PUSH_REF_ID=1 k6push \
        2>"$dir/push.$i" 3>&- &
    pids+=($!)
  done
  wait "${pids[@]}"
  retry 20 run_holds "$(data_of http_reqs "$dir/all" | wc -l)"
  near "$(api runs/1 .totals.http_req_duration.p95)" "$(p95 "$dir/all")" 0.008
}

run_holds() {
  [ "$(api runs/1 .totals.http_reqs)" = "$1" ]
}

@test "two runs side by side show what became worse" {
  start_server
  for factor in 1 2; do
    echo "{\"name\":\"v$factor\"}" | upload /v1/tests
    trails 300 /cart 200 | jq -c --argjson f "$factor" \
      'to_entries | map(.value.data.values.http_req_duration *= $f |
        .value.data.time = "\(1700000000000000 + .key * 100000)" | .value)' |
      upload "/v1/metrics/$factor"
    echo '{"run_status":3}' | upload "/v1/tests/$factor"
  done
  browse "goto $url/compare?a=1&b=2" \
    "wait !document.getElementById('diff').hidden" \
    "eval document.getElementById('verdict').innerText" \
    "$(rows '#figure-rows tr')" "$(rows '#urls tbody tr')" \
    "shot $shots/compare.png" "size 390x844" "shot $shots/compare-phone.png"
  [[ $seen == *"4 figures are worse"* ]]
  [[ $seen =~ p95\|28[0-9]\ ms\|5[67][0-9]\ ms\|\+100\ %\|Worse ]]
  [[ $seen =~ /cart\|GET\|300\|300\|0\|0\|28[0-9]\|5[67][0-9]\|\+100\ %\|Worse$ ]]
}

@test "an exported page opens from a file with the same numbers" {
  start_server
  finished_run
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" report 1 \
    >"$BATS_TEST_TMPDIR/run.html"
  curl -sS "$url/api/v1/runs/1/export.html" >"$BATS_TEST_TMPDIR/same.html"
  cmp "$BATS_TEST_TMPDIR/run.html" "$BATS_TEST_TMPDIR/same.html"
  stop_server
  browse "goto file://$BATS_TEST_TMPDIR/run.html" \
    "wait document.querySelector('#url-rows tr')" "$(rows '#url-rows tr')" \
    "eval performance.getEntriesByType('resource').length" \
    "eval document.querySelector('#url-rows .open').click()" \
    "wait document.querySelectorAll('.detail canvas').length === 4" \
    "shot $shots/export.png"
  [[ $seen == "/ok|GET|200|1200|"*$'\n/bad|GET|500|34|'* ]]
  [ "$(sed -n 3p <<<"$seen")" = 0 ]
}

@test "pages fit a phone, and everything in them has a name" {
  start_server
  finished_run
  echo '{"name":"b"}' | upload /v1/tests
  names="eval [...document.querySelectorAll('button, a, input, select,' +
    'textarea, [role=img]')].filter(e => e.checkVisibility() && !(e.innerText ||
    e.ariaLabel || e.labels && e.labels.length)).map(e => e.outerHTML).join()"
  wide='eval document.documentElement.scrollWidth'
  browse "size 390x844" \
    "goto $url/" "wait document.querySelector('#rows tr')" "$names" "$wide" \
    "eval document.querySelector('#rows tr').offsetHeight < 60 ? '' : 'high'" \
    "shot $shots/list-phone.png" \
    "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "$names" "$wide" "shot $shots/run-phone.png" \
    "goto $url/compare?a=1&b=2" \
    "wait !document.getElementById('diff').hidden" "$names" "$wide"
  [ "$(sed '/^$/d' <<<"$seen" | sort -u)" = 390 ]
}

@test "the theme can be chosen and stays" {
  start_server
  back='eval getComputedStyle(document.body).backgroundColor'
  browse "theme light" "goto $url/" "$ready" "$back" \
    "eval document.getElementById('theme').click()" "$back" \
    "goto $url/compare" "$back"
  [ "$(sed '/null/d' <<<"$seen" | uniq | wc -l)" = 2 ]
}

@test "a run that does not exist is told as such" {
  start_server
  run browse "goto $url/runs/5" "$ready" \
    "eval document.getElementById('message').innerText"
  [[ $output == *"There is no such run."* ]]
}

@test "a run that goes away is not shown as if it went on" {
  start_server
  echo '{"name":"live"}' | upload /v1/tests
  # the console tells the reply 404, and of that browse makes a failure
  run browse "goto $url/runs/1" "wait document.title.startsWith('Running')" \
    "sh curl -sS --fail -X DELETE $url/api/v1/runs/1" \
    "wait document.getElementById('run').hidden" \
    "eval document.getElementById('message').innerText"
  [[ $output == *"This run was deleted."* ]]
}

@test "a page tells when the server is away, and goes on with it" {
  start_server --listen "127.0.0.1:$((20000 + RANDOM % 20000))"
  echo '{"name":"live"}' | upload /v1/tests
  export url server PATH
  # shellcheck disable=SC2016 # for the inner shell
  run browse "goto $url/runs/1" "wait document.title.startsWith('Running')" \
    'sh kill -9 $server' \
    "wait document.getElementById('message').innerText.includes('Trying again')" \
    "sh k6serve --listen ${url#http://} --db $BATS_TEST_TMPDIR/k6serve.db \
      >$BATS_TEST_TMPDIR/again.out 2>&1 3>&- & echo \$! \
      >$BATS_TEST_TMPDIR/again; sleep 0.5" \
    "wait !document.getElementById('message').innerText.includes('Trying')" \
    "sh curl -sS --fail $url/v1/tests/1 -d '{\"run_status\":5}' \
      -H 'Content-Type: application/json' -o /dev/null" \
    "wait document.title.startsWith('Aborted by User')" \
    "eval 'went ' + 'on'"
  kill "$(cat "$BATS_TEST_TMPDIR/again")"
  [[ $output == *"went on"* ]]
}

@test "comparing with a run that does not exist is told" {
  start_server
  for i in 1 2; do
    echo "{\"name\":\"v$i\"}" | upload /v1/tests
  done
  for query in "a=1&b=99" "a=x&b=2"; do
    run browse "goto $url/compare?$query" "$ready" \
      "eval document.getElementById('message').innerText" \
      "eval document.getElementById('diff').hidden" \
      "eval { const s = document.getElementById('run-a'); s.value = 1;
        const t = document.getElementById('run-b'); t.value = 2;
        s.dispatchEvent(new Event('change')); void 0; }" \
      "wait !document.getElementById('diff').hidden" \
      "eval '[' + document.getElementById('message').innerText + ']'"
    [[ $output == *"There is no such run."*true*"[]"* ]]
  done
}

@test "nothing is loaded from elsewhere" {
  run ! grep -rnE '(src|href)="(https?:)?//|@import|url\(' "$root/src/k6serve/web"
}
