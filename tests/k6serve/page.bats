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

# One browser for all tests of the file: to start it costs more than a test.
setup_file() {
  [ -n "$BROWSER" ] || skip "no chromium"
  mkdir -p "$shots"
  export BROWSE_IN=$BATS_FILE_TMPDIR/browser
  "$root/tests/tools/browse.py" --serve "$BROWSE_IN" 3>&- &
  export browser=$!
}

teardown_file() {
  [ -n "${browser:-}" ] || return 0
  kill "$browser"
  wait "$browser" || true
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
  grep -E "\"metric\": ?\"$1\"" "$2" |
    jq -c 'select(.type == "Point") | .data'
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
    "$(rows '#rows tr')"
  [[ $seen == "Failed|checkout #1|Finished|"*"|1234|2.76 %|"* ]]
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
    "eval document.getElementById('older').click()" \
    "wait document.querySelectorAll('#rows tr').length === 1" \
    "eval location.search + document.getElementById('more').innerText" \
    "back" "wait document.querySelectorAll('#rows tr').length === 200"
  [ "$seen" = $'200\nThe newest 200. Older runs\n?before=2'\
'1 run before run 2. Back to the newest' ]
}

@test "runs are searched, noted, chosen and deleted" {
  start_server
  finished_run
  echo '{"name":"other"}' | upload /v1/tests
  browse "goto $url/runs/1" "wait !document.getElementById('run').hidden" \
    "eval { const n = document.getElementById('note-text'); n.focus();
      n.value = 'after the <b>fix</b>'; n.blur();
      n.dispatchEvent(new Event('change')); void 0; }" \
    "sh for i in \$(seq 1200); do curl -s $url/api/v1/runs/1 |
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
    "$(rows '#url-rows tr')" "shot $shots/run.png"
  # each line of the table: name, method, count
  expected=$(data_of http_reqs "$all" | jq -r '.tags |
    [.name, .method] | join("|")' | sort | uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/\2|\1/')
  [ "$(cut -d '|' -f 1-3 <<<"$seen" | sort)" = "$expected" ]
  # all in all
  [ "$(data_of http_req_failed "$all" | jq -s 'map(.value) | add')" = \
    "$(api runs/1 .totals.http_req_failed)" ]
  near "$(api runs/1 .totals.http_req_duration.p95)" "$(p95 "$all")" 0.008
  [ "$(data_of checks "$all" | jq -r '.tags.check' | sort | uniq -c |
    awk '{ print $1 }' | paste -sd' ')" = \
    "$(api runs/1/checks 'sort_by(.check) | map(.count) | join(" ")')" ]
  near "$(api runs/1/slow '.[0].duration')" \
    "$(data_of http_req_duration "$all" | jq -s 'map(.value) | max')" 0
  # Apdex: an answer that failed is none that satisfies, however fast it was
  [ "$(api runs/1 '.totals.apdex | map(.) | join(" ")')" = "$(data_of \
    http_req_duration "$all" | jq -rs 'length as $n | map(select(
      .tags.expected_response == "true" or (.tags.expected_response == null and
      (.tags.status | tonumber | . >= 200 and . < 400))).value) |
      (map(select(. <= 500)) | length) as $satisfied |
      (map(select(. > 500 and . <= 2000)) | length) as $tolerated |
      [500, $satisfied, $tolerated, ($satisfied + $tolerated / 2) / $n] |
      join(" ")')" ]
  # distribution and status codes hold every request
  [ "$(api runs/1/distribution 'map(.count) | add')" = \
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
      i.value = 'bad'; i.dispatchEvent(new Event('input')); void 0; }" \
    "$(rows '#url-rows tr')" \
    "eval document.querySelector('#url-rows .open').focus()" "keys Enter" \
    "wait document.querySelectorAll('.detail canvas').length === 4" \
    "eval document.querySelector('#url-rows .open').ariaExpanded" \
    "eval document.querySelector('.detail .chart').focus()" "keys ArrowRight" \
    "eval document.querySelector('.detail .legend').innerText"
  [ "$(sed -n 1,3p <<<"$seen" | paste -sd' ')" = "/ok /bad ascending" ]
  [[ $(sed -n 4p <<<"$seen") == "/bad|GET|34|"* ]]
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
    "wait document.getElementById('figures').innerText.includes('in 8 ms')" \
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
  [[ $seen == *"About this run"* && $seen != *"First sample"* ]]
  [[ $seen != *NaN* && $seen != *undefined* && $seen != *null* ]]
}

@test "a run without any answer has no times, and no 0 in their place" {
  start_server
  k6gen -q -u 1 -i 30 http://127.0.0.1:1/ 2>/dev/null | push none || true
  browse "goto $url/" "wait document.querySelector('#rows tr')" \
    "$(rows '#rows tr')" \
    "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval document.getElementById('figures').innerText.replaceAll('\\n', ' ')" \
    "$(rows '#url-rows tr')" \
    "eval [...document.querySelectorAll('#insights b, .card:not([hidden]) h2')]
      .map(e => e.innerText).join()" \
    "shot $shots/run-none.png" \
    "eval { timesOf.value = 'all'; timesOf.dispatchEvent(new Event('change'));
      void 0; }" "$(rows '#url-rows tr')"
  [[ $(head -n 1 <<<"$seen") == *"|30|100 %|–|" ]]
  [[ $seen == *" p95 – "*"Median – p99 –"*"Maximum – average –"* ]]
  [ "$(grep -c '|GET|30|.*|30|100 %|–|–|–|–|–|–|–$' <<<"$seen")" = 2 ]
  [[ $seen != *"Slowest"* && $seen != *"Few requests"* && $seen != *NaN* ]]
}

# Seconds that are joined cannot be told apart any more.
@test "when an error came first is told as exactly as it is known" {
  start_server
  echo '{"name":"old"}' | upload /v1/tests
  {
    for s in 1700000000 1700000045 1700000052; do trail 5 $s; done
    for s in 1700000023 1700000027 1700000049; do
      trail 5 $s | sed 's/"status":"200"/"status":"500"/
        s/"http_req_failed":0/"http_req_failed":1/'
    done
    trail 5 1700000046 | sed 's/"status":"200"/"status":"503"/
      s/"http_req_failed":0/"http_req_failed":1/'
  } | jq -s . | upload /v1/metrics/1
  echo '{"run_status":3}' | upload /v1/tests/1
  local steps=("zone UTC" "goto $url/runs/1"
    "wait document.querySelector('#errors td')"
    "eval [...document.querySelectorAll('#errors td[data-head=\"First seen\"]')
      ].map(e => e.innerText).join('; ')")
  browse "${steps[@]}"
  [ "$seen" = 'Nov 14, 2023, 22:13:43; Nov 14, 2023, 22:14:06' ]
  stop_server
  start_server --tens-after 1s
  retry 60 is_step 10
  steps[1]="goto $url/runs/1"
  browse "${steps[@]}"
  [ "$seen" = 'Nov 14, 2023, 22:13:40 to 22:13:50; Nov 14, 2023, 22:14:00 to 22:14:06' ]
}

is_step() { [ "$(api runs/1 .step)" = "$1" ]; }

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
    "eval document.querySelectorAll('#overview canvas').length"
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
    "$(rows '#url-rows tr')"
  [[ $seen == *"Too many URLs"*"100 of 10,000"*$'\n/item/9999|GET|1|'* ]]
}

@test "text from a run stays text" {
  local dir=$BATS_TEST_TMPDIR n
  start_server
  # each payload is the name and the note of a run
  jq -Rnr --arg url "$url" '[inputs] | to_entries[] | .key as $i | ("next",
    "header = \"Content-Type: application/json\"", "output = /dev/null"),
    "url = \"\($url)/v1/tests\"", "data = \({name: .value} | tojson | tojson)",
    ("next", "header = \"Content-Type: application/json\"",
    "output = /dev/null"), "request = PATCH",
    "url = \"\($url)/api/v1/runs/\($i + 1)\"",
    "data = \({note: .value} | tojson | tojson)"' \
    "$root/tests/data/xss.txt" | sed 1d | curl -sS --fail -K -
  n=$(api runs length)
  [ "$n" -ge 30 ]
  [ "$(api runs 'map([.name, .note]) | reverse | tojson')" = "$(jq -Rnc \
    '[inputs | [., .]]' "$root/tests/data/xss.txt")" ]
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
  open="eval [...document.querySelectorAll('.open')].slice(0, 6).forEach(b =>
    b.click())"
  bad="eval [window.pwned, document.querySelectorAll('main img, main iframe,' +
    'main script, main svg[onload], [onerror], [onclick]').length].join()"
  browse "goto $url/" "wait document.querySelectorAll('#rows tr').length == $n" \
    "$bad" \
    "goto $url/runs/$n" "wait document.querySelectorAll('#url-rows tr').length" \
    "$open" "wait document.querySelectorAll('.detail canvas').length >= 24" \
    "$bad" \
    "goto file://$dir/run.html" \
    "wait document.querySelectorAll('#url-rows tr').length" \
    "$open" "$bad" \
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
      tags: {}, value: 2}}, (range([$s + 1, 20] | min) | {type: "Points",
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
    "eval document.getElementById('insights').innerText"
  [[ $seen == *"Thresholds crossed – http_req_duration: p(95)<50"* ]]
  [[ $seen == *"Generator overload"*"120 iterations could not be started"* ]]
  [[ $seen == *"Throughput limit"*"60 only 20"* ]]
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
    "$(rows '#figure-rows tr')" "$(rows '#urls tbody tr')"
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
  [[ $seen == "/ok|GET|1200|"*$'\n/bad|GET|34|'* ]]
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
    "eval document.querySelector('#rows tr').offsetHeight < 90 ? '' : 'high'" \
    "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "$names" "$wide" \
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
  start_server --listen "127.0.0.1:$((20000 + RANDOM % 12000))"
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
    [[ $query = *99 ]] && missing=99 || missing=x
    run browse "goto $url/compare?$query" "$ready" \
      "eval document.getElementById('message').innerText" \
      "eval document.getElementById('diff').hidden" \
      "eval { const s = document.getElementById('run-a'); s.value = 1;
        const t = document.getElementById('run-b'); t.value = 2;
        s.dispatchEvent(new Event('change')); void 0; }" \
      "wait !document.getElementById('diff').hidden" \
      "eval '[' + document.getElementById('message').innerText + ']'"
    [[ $output == *"There is no run $missing."*true*"[]"* ]]
  done
}

# shop SECONDS [SLOW_FROM SLOW_TO [BAD_FROM BAD_TO]]: a run of shop.py, whose
# lines are in $shop.
shop() {
  shop=$BATS_TEST_TMPDIR/shop
  "$tools/shop.py" "$@" >"$shop"
  push shop --threshold 'http_req_duration=p(95)<900' <"$shop"
}
midnight=$(date -ud 2026-11-29 +%s)

@test "a part of the time is in the address and filters the tables" {
  start_server
  shop 60 20 30
  from=$((midnight + 20)) to=$((midnight + 30))
  n="eval byId('url-rows').closest('table').tFoot.innerText.replaceAll(/\s+/g, ' ')"
  browse "goto $url/runs/1?from=$from&to=$to" \
    "wait document.querySelector('tfoot td')" "$n" \
    "eval byId('range-text').innerText" \
    "eval byId('range-reset').click()" \
    "wait document.querySelector('tfoot').innerText.includes('600')" \
    "eval location.search" "back" \
    "wait document.querySelector('tfoot').innerText.includes('100')" \
    "eval location.search" \
    "eval { const a = charts.rate.area, r = a.getBoundingClientRect();
      const at = (type, x) => a.dispatchEvent(new PointerEvent(type, {
      pointerType: 'mouse', clientX: r.left + x, pointerId: 1 }));
      a.setPointerCapture = () => 0; byId('range-reset').click();
      at('pointerdown', r.width / 2); at('pointermove', r.width * 0.7);
      at('pointerup', r.width * 0.7); void 0; }" \
    "wait /from=.*to=/.test(location.search)" \
    "wait !document.querySelector('tfoot').innerText.includes('600')" \
    "eval charts.vus.graph.xAxisRange().join() ===
      charts.percentiles.graph.xAxisRange().join()" \
    "eval charts.vus.graph.xAxisRange().join() === shared.range.join()"
  p95=$(jq -c 'select(.metric == "http_req_duration") | select(.data.time >=
    "2026-11-29T00:00:20" and .data.time < "2026-11-29T00:00:30")' "$shop" \
    >"$BATS_TEST_TMPDIR/part"; p95 "$BATS_TEST_TMPDIR/part")
  [[ $seen == "All requests 100 10 0 0 % "*$'\nOnly 00:00:20 to 00:00:30 (10 s)\n\n'\
"?from=$from&to=$to"$'\ntrue\ntrue' ]]
  near "$(head -n 1 <<<"$seen" | awk '{ print $12 }')" "$p95" 0.01
}

@test "live updates keep rows, focus, open details, filter and hover" {
  start_server
  echo '{"name":"live"}' | upload /v1/tests
  { trails 30 /ok 200; trails 9 /bad 500; } | jq -cs add | upload /v1/metrics/1
  export url
  # shellcheck disable=SC2016 # for the inner shell
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval document.querySelector('#url-rows .open').click()" \
    "wait document.querySelectorAll('.detail canvas').length === 4" \
    "eval { window.row = document.querySelector('#url-rows tr');
      document.querySelectorAll('#url-rows .open')[1].focus();
      window.at = document.activeElement; charts.rate.point(0);
      scrollTo(0, 300); void 0; }" \
    'sh trails 40 /bad 500 | upload /v1/metrics/1' \
    "wait document.querySelector('#url-rows').innerText.includes('49')" \
    "wait document.querySelectorAll('.detail .statuses').length === 1" \
    "eval [window.row.isConnected, window.at === document.activeElement,
      document.querySelectorAll('.detail canvas').length, charts.rate.at,
      scrollY >= 300, document.querySelector('#url-rows th').innerText,
      window.row.nextSibling.className].join()"
  [ "$seen" = "true,true,4,0,true,/bad,detail" ]
}

@test "a live chart ends where the requests end, and says so" {
  start_server
  echo '{"name":"live"}' | upload /v1/tests
  trails 3500 /ok 200 | upload /v1/metrics/1
  jq -nc '[range(10) | {type: "Point", metric: "vus", data: {type: "gauge",
    time: "\((1700000000 + .) * 1000000)", tags: {}, value: 2}}]' |
    upload /v1/metrics/1
  export url
  # shellcheck disable=SC2016 # for the inner shell
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval charts.rate.rows.map(r => +r[0] / 1000 - 1700000000).join()" \
    "eval shared.edges.map(e => e[0] / 1000 - 1700000000).join()" \
    "eval document.querySelector('#overview header').innerText" \
    'sh echo "{\"run_status\":3}" | upload /v1/tests/1' \
    "wait byId('state').innerText === 'Finished'" \
    "eval charts.rate.rows.map(r => r[1]).join()"
  [[ $seen == $'0,1,2,3\n3\n'*"Complete up to"*"8 s late"*$'\n1000,1000,1000,'* ]]
}

@test "a live page asks for the last minute again, and keeps the rest" {
  start_server
  echo '{"name":"live"}' | upload /v1/tests
  export url tools BATS_TEST_TMPDIR
  "$tools/shop.py" 200 >"$BATS_TEST_TMPDIR/all"
  awk '{ match($0, /00:0[0-9]:[0-9][0-9]/)
    split(substr($0, RSTART, 8), t, ":"); s = t[2] * 60 + t[3]
    print > (ENVIRON["BATS_TEST_TMPDIR"] "/" (s < 150 ? 1 : 2)) }' \
    "$BATS_TEST_TMPDIR/all"
  K6_CLOUD_PUSH_REF_ID=1 push live "$BATS_TEST_TMPDIR/1"
  # shellcheck disable=SC2016 # for the inner shell
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval charts.rate.rows.length" \
    'sh K6_CLOUD_PUSH_REF_ID=1 k6push -q "$BATS_TEST_TMPDIR/2" 2>/dev/null' \
    "wait document.querySelector('tfoot').innerText.includes('2,000')" \
    "eval charts.rate.rows.map(r => r[1]).join() === '10,'.repeat(200)
      .slice(0, -1)" \
    "eval performance.getEntriesByType('resource').some(r =>
      r.name.includes('report?series_from='))"
  [ "$seen" = $'150\ntrue\ntrue' ]
}

@test "the rate of a step that is cut is that of the time with data" {
  start_server
  { requests 500; for s in 1 2 3; do requests 1000 "$s"; done
    requests 400 4; } >"$BATS_TEST_TMPDIR/in"
  push cut <"$BATS_TEST_TMPDIR/in"
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval charts.rate.rows.slice(1).map(r => Math.round(r[1] / 20) * 20).join()"
  [ "$seen" = 1000,1000,1000,1000 ]
}

@test "insights tell steps and bursts, and where; none misleads" {
  start_server
  K6_CLOUD_VUS=1000 shop 90 30 48 60 66
  shop 60
  browse "goto $url/runs/1" \
    "wait byId('insights').innerText.includes('all URLs but')" \
    "eval byId('insights').innerText" \
    "eval [...document.querySelectorAll('#insights a')].pop().click()" \
    "wait location.search.includes('from=')" "eval location.search" \
    "goto $url/runs/2" "wait document.querySelector('#insights li')" \
    "eval byId('insights').innerText"
  [[ $seen =~ Slow\ for\ a\ time.*00:00:30\ for\ 1[89]\ s,\ all\ URLs\ but\ /app\.js ]]
  [[ $seen == *"A burst of failures"*"from 00:01:00 for"* ]]
  [[ $seen =~ "?from=$((midnight + 30))&to="(${midnight%??}..) ]]
  [[ $seen == *"Nothing stands out"* ]]
  [[ $seen != *"Throughput limit"* ]]
}

@test "thresholds stand with value and time, their limits in the chart" {
  start_server
  "$tools/shop.py" 40 10 20 >"$BATS_TEST_TMPDIR/in"
  run -99 push slow --threshold 'http_req_duration=p(95)<40' \
    --threshold 'http_reqs=count>1' <"$BATS_TEST_TMPDIR/in"
  browse "goto $url/runs/1" "wait document.querySelector('#thresholds tbody tr')" \
    "$(rows '#thresholds tbody tr')" \
    "eval JSON.stringify(charts.p95.limits)" \
    "eval document.querySelector('.head .badge').innerText"
  [[ $(head -n 1 <<<"$seen") =~ ^http_req_duration\|p\(95\)\<40\|Crossed\|[0-9.]+\|.*2026 ]]
  [[ $seen == *$'\nhttp_reqs|count>1|Kept|400|–|\n'* ]]
  [[ $seen == *'[{"value":40,"label":"p(95)<40","isCrossed":true}]'*Failed ]]
}

@test "requests are filtered by a tag, and their times are all or successful" {
  start_server
  shop 40 -1 -1 10 30
  table="$(rows '#url-rows tr')"
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval { const s = document.querySelector('#requests select');
      s.value = 'scenario:buy'; s.dispatchEvent(new Event('change')); void 0; }" \
    "wait document.querySelectorAll('#url-rows tr').length === 2" "$table" \
    "eval location.search" \
    "eval { timesOf.value = 'all'; timesOf.dispatchEvent(new Event('change'));
      void 0; }" "$table" \
    "eval document.querySelector('.chip').click()" \
    "wait document.querySelectorAll('#url-rows tr').length === 5" \
    "goto $url/runs/1?requests.sort=name&requests.filter=app" \
    "wait document.querySelector('#url-rows tr')" "$table"
  for name in cart api/login; do
    n=$(data_of http_reqs "$shop" | jq -s --arg n "https://shop.test/$name" \
      'map(select(.tags.name == $n)) | length')
    bad=$(data_of http_req_failed "$shop" | jq -s \
      --arg n "https://shop.test/$name" \
      'map(select(.tags.name == $n) | .value) | add')
    ok_max=$(data_of http_req_duration "$shop" | jq -s \
      --arg n "https://shop.test/$name" 'map(select(.tags.name == $n and
      .tags.status == "201") | .value) | max')
    [[ $(grep -m 1 "/$name|" <<<"$seen") == \
      "https://shop.test/$name|POST|$n|"*"|$bad|"* ]]
    near "$(grep -m 1 "/$name|" <<<"$seen" | awk -F '|' '{ print $NF }')" \
      "$ok_max" 0.01
  done
  [[ $seen == *"?tag=scenario%3Abuy"* ]]
  [[ $(tail -n 1 <<<"$seen") == "https://shop.test/app.js|GET|"* ]]
}

@test "the runs of a name are a trend, with the one to compare with" {
  start_server
  for n in 20 30; do shop "$n"; done
  "$tools/shop.py" 20 5 20 >"$BATS_TEST_TMPDIR/in"
  run -99 push shop --threshold 'http_req_duration=p(95)<50' \
    <"$BATS_TEST_TMPDIR/in"
  push other <"$BATS_TEST_TMPDIR/in"
  browse "goto $url/?name=shop&runs.sort=duration" \
    "wait document.querySelector('#trend canvas')" "$(rows '#rows tr')" \
    "eval trends.map(c => c.rows.length).join()" \
    "eval { trends[0].point(1); void 0; }" \
    "eval document.querySelector('#trend .moment').innerText" \
    "shot $shots/trend.png" \
    "eval { const v = byId('verdict'); v.value = 'failed';
      v.dispatchEvent(new Event('input')); void 0; }" \
    "wait document.querySelectorAll('#rows tr').length === 1" \
    "eval location.search" "goto $url/?name=shop" \
    "wait document.querySelectorAll('#rows tr').length === 3" \
    "eval document.querySelector('[data-star=\"1\"]').focus()" "keys Enter" \
    "wait document.querySelector('[data-star=\"1\"]').innerText[0] === '★'" \
    "wait document.activeElement.dataset.star === '1'" \
    "eval [...document.querySelectorAll('[data-star]')].map(b =>
      b.innerText[0] + b.ariaPressed).join()" \
    "goto $url/compare?b=last:shop" "wait !document.getElementById('diff').hidden" \
    "eval byId('run-a').value + byId('about-a').innerText.split('\\n').pop()" \
    "eval document.querySelector('[data-star=\"3\"]').click()" \
    "wait byId('about-b').innerText.includes('★')" \
    "eval byId('about-a').innerText.split('\\n').pop()"
  [ "$(tail -n 3 <<<"$seen")" = '☆false,☆false,★true
1★ Baseline of this name
☆ Make it the baseline of this name' ]
  [ "$(api runs 'map(select(.baseline).id) | join(" ")')" = 3 ]
  [ "$(head -n 3 <<<"$seen" | grep -c '|shop #[123]|Finished|')" = 3 ]
  [ "$(head -n 3 <<<"$seen" | grep -c ^★)" = 1 ]
  [[ $(sed -n 3p <<<"$seen") == "★ Passed|shop #2|Finished|"*"|300|"* ]]
  [[ $seen == *$'\n3,3,3\n'*"Run 2, "*"Passed ★"*"verdict=failed"* ]]
}

@test "a large change that is not sure is uncertain" {
  start_server
  for _ in 1 2; do push short < <(requests 20); done
  browse "goto $url/compare?a=1&b=2" \
    "wait !document.getElementById('diff').hidden" \
    "eval minEffect = 0.05" \
    "eval [['same', 0.5], ['same', 0.01], ['worse', 0.5]].map(([v, c]) =>
      figureRow({ figure: 'p95', unit: 'ms', base: 10, run: 10 + 10 * c,
      judged: true, change: c, p: 0.4, verdict: v }).lastChild.innerText +
      figureRow({ figure: 'avg', unit: 'ms', base: 10, run: 10 + 10 * c,
      judged: false, change: c, p: null, verdict: 'same' }).lastChild.innerText
      ).join()"
  [ "$(tail -n 1 <<<"$seen")" = "uncertain,,Worse p 0.4" ]
}

@test "times and dates of the list are those of where it is looked at" {
  start_server
  push new-year < <(request 1 10)
  local n="wait document.querySelector('#rows tr')"
  browse "zone America/New_York" "goto $url/?since=2025-12-31" "$n" \
    "eval document.querySelector('#rows .when').innerText" \
    "eval byId('zone').innerText" \
    "goto $url/?since=2026-01-01" \
    "wait byId('message').innerText === 'No run matches.'" \
    "goto $url/?until=2026-01-01" "$n" \
    "zone Asia/Tokyo" "goto $url/?since=2026-01-01" "$n" \
    "eval document.querySelector('#rows .when').innerText"
  [ "$seen" = 'Dec 31, 2025, 19:00:01
Time zone: America/New_York, UTC−5
Jan 1, 2026, 09:00:01' ]
}

@test "the order of each table is in the address, and Back restores it" {
  start_server
  shop 40 -1 -1 10 30
  local by='eval document.querySelector("#errors th[data-key=name] .sort").click()'
  browse "goto $url/runs/1?slow.sort=at" "wait document.querySelector('#errors td')" \
    "eval { const at = [...document.querySelectorAll('#slow tbody tr')].map(
      r => parseFloat(r.cells[3].innerText)); at.length > 3 &&
      at.every((t, i) => !i || at[i - 1] <= t); }" \
    "$by" "eval location.search" \
    "eval document.querySelector('#errors td').innerText" "$by" \
    "eval document.querySelector('#errors td').innerText" \
    "eval location.search" "back" \
    "wait location.search.endsWith('errors.sort=name')" \
    "wait document.querySelector('#errors td').innerText.endsWith('test/')"
  [ "$seen" = 'true
?slow.sort=at&errors.sort=name
https://shop.test/
https://shop.test/cart
?slow.sort=at&errors.sort=-name' ]
}

@test "a long name breaks at its slashes, and a time stays in one line" {
  start_server
  local name
  name=https://shop.test/$(printf 'segment/%.0s' {1..30})
  push 'shop' < <(request 1 10 "$name")
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval { const b = document.querySelector('#url-rows .open');
      [b.innerText === '$name', b.querySelectorAll('wbr').length,
      document.documentElement.scrollWidth <= innerWidth].join(); }" \
    "goto $url/" "wait document.querySelector('#rows tr')" \
    "eval { const td = document.querySelector('#rows .when');
      [td.innerText, td.offsetHeight < 45].join(); }"
  [ "$seen" = $'true,32,true\nJan 1, 2026, 00:00:01,true' ]
}

@test "the limit of failed requests is in their chart" {
  start_server
  "$tools/shop.py" 40 -1 -1 10 20 >"$BATS_TEST_TMPDIR/in"
  run -99 push bad --threshold 'http_req_failed=rate<0.3' \
    --threshold 'http_req_failed=rate<0.01' <"$BATS_TEST_TMPDIR/in"
  "$tools/shop.py" 20 | push good --threshold 'http_req_failed=rate<0.01'
  "$tools/shop.py" 20 | push none
  # the limits that are in the chart, and the top of its axis
  local seen_of="eval [charts.failed.element.hidden, ...charts.failed.limits.map(
    l => l.label + ' ' + l.value + ' ' + l.isCrossed),
    Math.round(100 * charts.failed.graph?.yAxisRange()[1])].join()"
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "$seen_of" "shot $shots/run-failed-limit.png" \
    "eval charts.failed.rows.map(r => r[1]).filter(v => v > 0).length > 3" \
    "eval charts.failed.area.ariaLabel.includes('limit rate<0.01')" \
    "goto $url/runs/2" "wait document.querySelector('#url-rows tr')" \
    "$seen_of" "shot $shots/run-failed-none.png" \
    "goto $url/runs/3" "wait document.querySelector('#url-rows tr')" "$seen_of"
  [ "$(sed -n 2,4p <<<"$seen")" = $'true\ntrue\nfalse,rate<0.01 1 false,115' ]
  [[ $(sed -n 1p <<<"$seen") == 'false,rate<0.3 30 false,rate<0.01 1 true,'* ]]
  [ "$(sed -n 5p <<<"$seen")" = true,NaN ]
}

@test "compare names the thresholds that were crossed" {
  start_server
  shop 20
  "$tools/shop.py" 20 | run -99 push shop --threshold \
    'http_req_duration=max<1' --threshold 'http_reqs=count<9'
  browse "goto $url/compare?a=1&b=2" \
    "wait !document.getElementById('diff').hidden" "$(rows '#figure-rows tr')"
  [[ $seen == *'crossed thresholds
B: http_req_duration max<1
B: http_reqs count<9|0|2|'*'|Worse'* ]]
}

@test "long words, and those read from the right, stay in their place" {
  start_server
  local word name='https://متجر.test/عربة/التسوق?رقم=1'
  word=$(printf 'x%.0s' {1..120})
  echo '{"name":"בדיקת עומס (גרסה 2.1)","thresholds":{"'"$word"'":["avg<1"]}}' |
    upload /v1/tests
  jq -nc --arg name "$name" --arg word "$word" '[range(40) | {type: "Points",
    metric: "http_req_li_all", data: {time: "\(1700000000000000 + . * 100000)",
    type: "counter", tags: {name: $name, method: "GET", status: "500",
    error: $word}, values: {http_reqs: 1, http_req_duration: 5,
    http_req_waiting: 5, http_req_failed: 1, http_req_blocked: 0,
    http_req_connecting: 0, http_req_tls_handshaking: 0, http_req_sending: 0,
    http_req_receiving: 0}}}, {type: "Point", metric: $word, data: {time:
    "1700000000000000", type: "trend", tags: {}, value: 5}}]' |
    upload /v1/metrics/1
  jq -nc --arg word "$word" '{run_status: 3, thresholds: {($word): {"avg<1":
    true}}}' | upload /v1/tests/1
  local fits='eval document.documentElement.scrollWidth <= innerWidth'
  browse "goto $url/" "wait document.querySelector('#rows tr')" "$fits" \
    "eval { const [a, n] = document.querySelector('#rows th div').children;
      a.getBoundingClientRect().right <= n.getBoundingClientRect().left; }" \
    "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" "$fits" \
    "eval byId('insights').innerText.includes('$word')" \
    "eval { const at = [...document.querySelectorAll('#url-rows bdi')].map(
      b => b.getBoundingClientRect().left); at.length + ' ' +
      at.every((x, i) => !i || at[i - 1] < x); }" \
    "eval document.querySelector('#url-rows .open').innerText" \
    "size 390x844" "$fits"
  [ "$seen" = "true
true
true
true
7 true
$name
true" ]
}

@test "of a run that goes on a threshold is kept so far" {
  start_server -t 1h
  echo '{"name":"live","thresholds":{"http_req_failed":["rate<0.5",
    "rate<0.51"]}}' | upload /v1/tests
  trails 100 /a '' | jq -c 'map(del(.data.tags.status) |
    .data.values.http_req_failed = 0)' | upload /v1/metrics/1
  browse "goto $url/runs/1" \
    "wait document.querySelector('#thresholds .badge')?.innerText === 'Kept so far'" \
    "eval document.querySelectorAll('#thresholds .good').length" \
    "eval charts.status.element.hidden" "eval statusText('')" \
    "eval document.querySelector('#overview header').innerText.includes('Drag')"
  [ "$seen" = $'0\ntrue\nnot known\ntrue' ]
}

@test "of two requests nothing is concluded" {
  start_server
  jq -nc '[range(2) | {type: "Points", metric: "http_req_li_all", data: {time:
    "\(1700000000000000 + . * 3000)", type: "counter", tags: {name: "/",
    method: "GET", status: "200"}, values: {http_reqs: 1, http_req_duration: 15,
    http_req_waiting: 15, http_req_failed: 0, http_req_blocked: 0,
    http_req_connecting: 0, http_req_tls_handshaking: 0, http_req_sending: 0,
    http_req_receiving: 0}}}, {type: "Point", metric: "schedule_lag", data: {
    time: "1700000000000000", type: "trend", tags: {}, value: 43}}]' \
    >"$BATS_TEST_TMPDIR/in"
  for n in 1 2; do
    echo '{"name":"two"}' | upload /v1/tests
    upload "/v1/metrics/$n" <"$BATS_TEST_TMPDIR/in"
    echo "{\"run_status\":$((1 + 2 * n))}" | upload "/v1/tests/$n"
  done
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval [...document.querySelectorAll('#insights b')].map(b =>
      b.innerText).join()" "$(rows '#url-rows tr')" \
    "eval byId('figures').innerText.split('\\n').slice(0, 3).join()" \
    "eval document.querySelectorAll('.dygraph-axis-label').length > 0 &&
      charts.distribution.area.querySelectorAll('.dygraph-axis-label-x').length" \
    "eval [{ state: 'Finished' }, { state: 'Running' }, { state: 'Timed out' }]
      .map(r => calm({ run: { ...r, thresholds: [], totals:
      { http_req_failed: 0 } } }).slice(0, 2).join(' ')).join()" \
    "eval calm({ run: { state: 'Finished', thresholds: [], totals:
      { http_req_failed: null } } }).join(' ')"
  [ "$(sed -n 1,3p <<<"$seen")" = 'Few requests
/|GET|2|–|0|0 %|15|15|15|15|15|15|15
Requests,2,in 3 ms' ]
  [ "$(sed -n 4p <<<"$seen")" -ge 1 ]
  [ "$(sed -n 5p <<<"$seen")" = 'good Nothing stands out,'\
'good So far nothing stands out,info Nothing stands out' ]
  [[ $(sed -n 6p <<<"$seen") = 'info Nothing stands out It is not known which '* ]]
}

@test "compare names what is worse, warns, and shows URLs of one run" {
  start_server
  "$tools/shop.py" 60 | push shop
  { "$tools/shop.py" 90 0 90
    request 1 10 /new | sed s/2026-01-01/2026-11-29/; } | push shop
  browse "goto $url/compare?a=1&b=2" \
    "wait !document.getElementById('diff').hidden" \
    "eval document.getElementById('verdict').innerText" \
    "$(rows '#urls tbody tr')" \
    "eval axisNumber(8e5) + ' ' + charts[0].rows[0].map(v =>
      Math.round(v)).join() + ' ' + coveredOf({ end: null, start:
      '1970-01-01T00:00:10.500Z' }, { t: 10 }, 1)"
  [[ $seen == *"worse – "*"p95, expected +"*"The duration differs: "* ]]
  [[ $seen == *"/new|–|–|1|–|0|–|10|–|Only in B"* ]]
  [ "$(tail -n 1 <<<"$seen")" = '800K 0,10,10 0.5' ]
}

@test "charts answer to a mouse, a finger, the keyboard and their legends" {
  start_server
  # more load from second to second, and times that grow with it
  jq -nc '[range(20) as $s | range(10 + 10 * $s) | {type: "Points",
    metric: "http_req_li_all", data: {
    time: "\((1700000000 + $s) * 1000000 + . * 4000)", type: "counter",
    tags: {name: "/", method: "GET", status: (if . % 10 == 9 then "503" else
      "200" end)}, values: {http_reqs: 1, http_req_duration: ($s + 1),
    http_req_waiting: ($s + 1), http_req_failed: (if . % 10 == 9 then 1 else 0
      end), http_req_blocked: 0, http_req_connecting: 0,
    http_req_tls_handshaking: 0, http_req_sending: 0, http_req_receiving: 0}}}]' \
    >"$BATS_TEST_TMPDIR/in"
  echo '{"name":"ramp"}' | upload /v1/tests
  upload /v1/metrics/1 <"$BATS_TEST_TMPDIR/in"
  echo '{"run_status":3}' | upload /v1/tests/1
  local crosses='eval [charts.rate, charts.p95, charts.percentiles,
    charts.status].map(c => c.cross.hidden ? "none" : c.at).join()'
  local legend='eval charts.rate.legend.innerText.replace(/\s+/g, " ").trim()'
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval charts.load.rows.map(r => r.join(' ')).join()" \
    "eval document.querySelector('#url-rows .open').click()" \
    "wait document.querySelector('.statuses')" \
    "eval document.querySelector('.statuses').innerText" \
    "at charts.rate 0.5" "mouse @" "$crosses" "$legend" \
    "at charts.status 0" "mouse @" "$crosses" \
    "at charts.rate 0.25" "touch @" "$crosses" "eval location.search" \
    "eval charts.rate.legend.querySelectorAll('button')[1].focus()" "keys Space" \
    "eval [charts.rate.graph.visibility().join(),
      document.activeElement.ariaPressed,
      document.activeElement.innerText.trim()].join()" \
    "keys Enter" "eval charts.rate.graph.visibility().join()" \
    "at charts.rate 0.25 0.5" "drag @" "wait location.search.includes('from=')" \
    "eval location.search"
  # each whole step's rate and p95, in the order of the rates
  [[ $seen == "$(for s in $(seq 0 18); do
    printf '%s %s,' $((10 + 10 * s)) $((s + 1))
  done | sed 's/,$//')"$'\n'* ]]
  [[ $seen == *$'\n200 1,890 requests (90 %), '*$'\n503 210 requests (10 %), '* ]]
  # hover is in all charts of that time, with the values; a tap likewise
  [ "$(sed -n '4,$p' <<<"$seen" | sed '/^$/d')" = '10,10,10,10
22:13:30 requests 110 failed 11
0,0,0,0
5,5,5,5
true,false,false,failed
true,true
?from=1700000004&to=1700000010' ]
}

@test "a part of the time is chosen, and the menu closed, by keyboard" {
  start_server
  shop 40
  local picked='eval charts.rate.picked.hidden'
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval charts.rate.area.focus()" "keys ArrowRight ArrowRight" "$picked" \
    "keys Shift+ArrowRight Shift+ArrowRight Shift+ArrowRight" "$picked" \
    "keys Enter" "wait location.search.includes('from=')" \
    "eval location.search" "$picked" \
    "keys Escape" "wait location.search === ''" \
    "eval document.querySelector('.menu summary').focus()" "keys Enter Tab" \
    "eval document.activeElement.innerText.split('\\n')[0]" "keys Escape" \
    "eval [document.querySelector('.menu').open,
      document.activeElement.innerText].join()" \
    "keys Enter" "eval document.querySelector('.menu').open" \
    "eval byId('delete').focus()" "eval document.querySelector('.menu').open"
  [ "$seen" = "true
false
?from=$((midnight + 1))&to=$((midnight + 5))
true
HTML page
false,Export
true
false" ]
}

@test "a printed page has all of it, as wide as the paper" {
  start_server
  shop 40 10 20
  browse "goto $url/runs/1" "wait document.querySelector('#url-rows tr')" \
    "eval document.querySelector('#url-rows .open').click()" \
    "wait document.querySelectorAll('.detail canvas').length === 4" \
    "eval addEventListener('beforeprint', () => { window.widths =
      [...document.querySelectorAll('.chart')].map(c => c.offsetWidth); })" \
    "pdf $shots/run.pdf" \
    "eval window.widths.length >= 9 && Math.max(...window.widths) <= 700" \
    "eval document.querySelector('.chart').offsetWidth > 1000" \
    "size 720x1000" "media print" "eval void dispatchEvent(new Event('beforeprint'))" \
    "eval [document.documentElement.scrollWidth, ...['.bar', '.actions', '.toc',
      '#requests input', '#note-text'].map(s => document.querySelector(s)
      .checkVisibility()), byId('figures').checkVisibility()].join()" \
    "shot $shots/run-print.png"
  [ "$seen" = $'true\ntrue\n720,false,false,false,false,false,true' ]
  [ "$(head -c 5 "$shots/run.pdf")" = %PDF- ]
}

@test "pages have no fault that axe finds, in any size and theme" {
  export AXE=$root/build/tools/axe.min.js
  [ -r "$AXE" ] || skip "no axe (make check fetches it, where npm is)"
  start_server
  shop 40 10 20 30 34
  push shop <"$shop"
  steps=()
  for size in 1440x900 1280x900 390x844; do
    steps+=("size $size")
    for page in list run compare; do
      case $page in
      list) steps+=("goto $url/?name=shop"
        "wait document.querySelector('#rows tr')") ;;
      run) steps+=("goto $url/runs/1" "wait document.querySelector('#url-rows tr')"
        "eval document.querySelector('#url-rows .open').click()"
        "wait document.querySelector('.detail canvas')") ;;
      compare) steps+=("goto $url/compare?a=1&b=2"
        "wait !document.getElementById('diff').hidden") ;;
      esac
      for theme in light dark; do
        steps+=("theme $theme" "shot $shots/$page-$size-$theme.png")
        # each size and each theme, and not each of both
        [[ $size$theme != @(1440*light|390*dark) ]] || steps+=(axe)
        [[ $page$size$theme != run1280*dark ]] || steps+=(axe)
      done
    done
  done
  browse "${steps[@]}"
  [ -z "${seen//$'\n'/}" ]
}

# axe NAME PATH WAIT [STEP...]: what axe finds in a page after the steps, on a
# narrow phone in the dark and on a screen in the light; $found. What the
# console tells of replies that are errors is none.
axe() {
  local name=$1 at="goto $url$2" until="wait $3" size theme
  export AXE=$root/build/tools/axe.min.js
  [ -r "$AXE" ] || skip "no axe (make check fetches it, where npm is)"
  shift 3
  steps=()
  for size in 360x740 1280x900; do
    [ $size = 360x740 ] && theme=dark || theme=light
    steps+=("size $size" "theme $theme" "$at" "$until" "$@" axe
      "eval document.documentElement.scrollWidth > innerWidth ?
        'wider than the window: ' + innerWidth : null"
      "shot $shots/$name-${size%x*}-$theme.png")
  done
  seen=$("$root/tests/tools/browse.py" "${steps[@]}" 2>&1) || true
  found=$(sed 's/^browse: the page says: //; /^Failed to load resource/d
    /^$/d' <<<"$seen")
  echo "$name: $found"
  [ -z "$found" ]
}

# told TEXT: the page's message holds it
told() { echo "document.getElementById('message').textContent.includes('$1')"; }

row="document.querySelector('#rows tr')"

@test "lists in every state have no fault that axe finds" {
  start_server -t 1h
  axe list-empty / "!document.getElementById('welcome').hidden"
  push 'a name, as long as those of CI jobs often are (#1234)' < <(requests 30)
  shop 20
  "$tools/shop.py" 20 5 20 >"$BATS_TEST_TMPDIR/in"
  run -99 push shop --threshold 'http_req_duration=p(95)<50' \
    <"$BATS_TEST_TMPDIR/in"
  k6push --create --name live >"$BATS_TEST_TMPDIR/ref"
  axe list-all / "$row"
  axe list-filtered '/?search=o&verdict=failed&state=finished&since=2026-01-01' \
    "$row"
  axe list-paged '/?before=3' "$row"
  axe list-no-match '/?name=none' "$(told 'No run matches.')"
  axe list-bad '/?state=x' "$(told 'state must be')"
  axe list-trend '/?name=shop' "document.querySelector('#trend canvas')"
  axe list-chosen / "$row" \
    "eval document.querySelectorAll('#rows input').forEach(i => i.click())"
  axe list-delete / "$row" \
    "eval document.querySelector('#rows input').click()" \
    "eval document.getElementById('delete').click()" \
    "wait document.querySelector('dialog[open]')"
}

@test "runs in every state have no fault that axe finds" {
  start_server -t 1h
  "$tools/shop.py" 40 10 20 30 34 >"$BATS_TEST_TMPDIR/in"
  run -99 push shop --threshold 'http_req_duration=p(95)<50' \
    --threshold 'http_req_failed=rate<0.5' <"$BATS_TEST_TMPDIR/in"
  k6gen -q -u 1 -i 30 http://127.0.0.1:1/ 2>/dev/null | push none || true
  gzip -dc "$root/tests/data/k6_2.2_threshold_abort.ndjson.gz" |
    push aborted || true
  k6push --create --name empty >"$BATS_TEST_TMPDIR/ref"
  echo '{"name":"live"}' | upload /v1/tests
  trails 1200 /ok 200 | upload /v1/metrics/5
  echo '{"name":"nothing"}' | upload /v1/tests
  echo '{"run_status":6}' | upload /v1/tests/6
  corpus rich | push rich
  local all="document.querySelector('#url-rows tr') && report"
  local open="eval document.querySelectorAll('.open').forEach(b => b.click())"
  axe run-failed /runs/1 "$all" "$open" \
    "wait document.querySelectorAll('.detail canvas').length >= 20"
  axe run-part "/runs/1?from=$((midnight + 10))&to=$((midnight + 20))&times=all"\
'&tag=scenario:buy' "$all"
  axe run-none /runs/2 "$all"
  axe run-aborted /runs/3 "$all"
  axe run-waits /runs/4 "$(told 'No data yet')"
  axe run-live /runs/5 "$all && document.title.startsWith('Running')"
  axe run-no-data /runs/6 "$(told 'no data')"
  axe run-rich /runs/7 "$all" \
    "eval void (document.querySelector('details').open = true)"
  axe run-paper /runs/1 "$all" "media print"
}

@test "comparisons and errors have no fault that axe finds" {
  start_server
  axe compare-no-runs /compare "$(told 'two runs')"
  shop 60
  { "$tools/shop.py" 90 0 90
    request 1 10 /new | sed s/2026-01-01/2026-11-29/; } | push shop
  push short < <(requests 30)
  axe compare-worse '/compare?a=1&b=2' "!document.getElementById('diff').hidden"
  axe compare-other '/compare?a=2&b=3' "!document.getElementById('diff').hidden"
  axe compare-same '/compare?a=1&b=1' "$(told 'two different')"
  axe compare-missing '/compare?a=1&b=99' "$(told 'no run 99')"
  axe gone /runs/99 "$(told 'There is no such run.')"
  axe no-path /nothing "document.body.innerText.includes('no such path')"
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" report 1 \
    >"$BATS_TEST_TMPDIR/run.html"
  url=file://$BATS_TEST_TMPDIR
  axe report /run.html "document.querySelector('#url-rows tr')"
}

@test "nothing is loaded from elsewhere" {
  run ! grep -rnE '(src|href)="(https?:)?//|@import|url\(' "$root/src/k6serve/web"
}
