#!/usr/bin/env bats
# Thresholds judged by the server, over all that feeds a run, and what CI gets.

# bats file_tags=threads
load ../helpers
load serve

setup() {
  url='' run=''
  cd "$BATS_TEST_TMPDIR" || exit
}

teardown() {
  stop_server
}

# judged THRESHOLDS: make a run that the server judges; $run.
judged() {
  post /v1/tests --data "{\"name\":\"judged\",\"process_thresholds\":true,
    \"instances\":4,\"thresholds\":$1}"
  [ "$code" = 200 ]
  run=$(jq -r .reference_id <<<"$body")
}

# push_part FILE [OPTION...]: one of those that feed it.
push_part() {
  K6_CLOUD_PUSH_REF_ID=$run k6push -q "${@:2}" "$1"
}

# metric NAME TYPE: its line, which comes before its points.
metric() {
  echo "{\"type\":\"Metric\",\"metric\":\"$1\",\"data\":{\"name\":\"$1\",`
    `\"type\":\"$2\",\"contains\":\"default\",\"thresholds\":[]}}"
}

end_run() {
  post "/v1/tests/$run" --data "$finish"
  [ "$code" = 200 ]
}

# is_judged MINIMUM: so many thresholds have been judged.
is_judged() {
  get "/api/v1/runs/$run"
  [ "$(jq '[.thresholds[] | select(.judged != null)] | length' \
    <<<"$body")" -ge "$1" ]
}

thresholds='{"http_req_duration":["p(90)<400","p(99)<400","avg<1","max<1e9"],
  "http_req_duration{name:/a}":["p(95)<400"],
  "http_reqs":["count<9000"],"http_reqs{name:/a}":["count>0"],
  "http_req_failed":["rate<0.5"]}'

# The slow one alone would cross p(90)<400, all together do not; no one alone
# crosses count<9000, all together do.
four_shares() {
  start_server
  python3 "$tools/shares.py" . >truth.json
  judged "$thresholds"
  local i pids=()
  for i in 1 2 3 4; do
    push_part "$i.ndjson" "$@" &
    pids+=($!)
  done
  wait "${pids[@]}"
  end_run
  [ "$(jq .result_status <<<"$body")" = 1 ]
  get "/api/v1/runs/$run"
  [ "$(jq -r .verdict <<<"$body")" = failed ]
  [ "$(jq -r '[.thresholds[] | select(.failed) | .metric + ": " + .source] |
    sort | join("; ")' <<<"$body")" = "http_req_duration: avg<1; \
http_req_duration: p(99)<400; http_reqs: count<9000" ]
  jq -c --slurpfile truth truth.json '.thresholds[] |
    [.metric + ": " + .source, .value] | . + [$truth[0][.[0]]]' \
    <<<"$body" | tee compared
  [ "$(wc -l <compared)" -eq 8 ]
  jq -se 'all(.[]; (.[1] - .[2] | fabs) <= (if .[0] | test("p\\(")
    then 0.008 elif .[0] | test("count|rate") then 0 else 1e-6 end) *
    .[2])' compared
}

@test "thresholds are judged over four generators, protocol 1" {
  four_shares
}

@test "thresholds are judged over four generators, protocol 2" {
  four_shares --api-version 2
}

@test "thresholds are judged while the run goes on, with the first crossing" {
  start_server
  judged '{"http_req_duration":["max<50"]}'
  {
    for s in 00 01 02 03 04 05 06 07; do
      time=2026-01-01T00:00:$s.5Z point http_req_duration 10
    done
    time=2026-01-01T00:00:08.5Z point http_req_duration 60
    for s in 09 10 11 12; do
      time=2026-01-01T00:00:$s.5Z point http_req_duration 10
    done
  } >in
  push_part in
  retry 60 is_judged 1
  [ "$(jq -r .state <<<"$body")" = Running ]
  [ "$(jq -r .verdict <<<"$body")" = failed ]
  [ "$(jq -r '.thresholds[0].value' <<<"$body")" = 60 ]
  [ "$(jq -r '.thresholds[0].crossed' <<<"$body")" = 2026-01-01T00:00:10Z ]
}

@test "abortOnFail stops the run, and its pushers" {
  start_server
  judged '{"http_reqs":[{"threshold":"count<3","abortOnFail":true}]}'
  { for i in 1 2 3 4; do point http_reqs 1; done; } >in
  push_part in
  ended() {
    get "/api/v1/runs/$run"
    [ "$(jq .run_status <<<"$body")" = 8 ]
  }
  retry 60 ended
  [ "$(jq -r .verdict <<<"$body")" = failed ]
  post "/v1/metrics/$run" --data "[$(trail 1)]"
  [ "$code" = 403 ]
  [ "$(jq .error.code <<<"$body")" = 4 ]
}

@test "delayAbortEval lets a run go on" {
  start_server
  judged '{"http_reqs":[{"threshold":"count<3","abortOnFail":true,
    "delayAbortEval":"1h"}]}'
  { for i in 1 2 3 4; do point http_reqs 1; done; } >in
  push_part in
  retry 60 is_judged 1
  [ "$(jq -r .state <<<"$body")" = Running ]
  [ "$(jq -r .verdict <<<"$body")" = failed ]
}

@test "a client's own verdict stands, a difference is shown" {
  start_server
  post /v1/tests --data '{"name":"own","thresholds":{"http_reqs":["count<3"]}}'
  run=$(jq -r .reference_id <<<"$body")
  { for i in 1 2 3 4; do point http_reqs 1; done; } >in
  push_part in
  post "/v1/tests/$run" --data '{"run_status":3,"result_status":0,
    "thresholds":{"http_reqs":{"count<3":false}}}'
  [ "$(jq .result_status <<<"$body")" = 0 ]
  retry 60 is_judged 1
  [ "$(jq -c '[.verdict, .thresholds[0].failed, .thresholds[0].told,
    .thresholds[0].judged, .thresholds[0].value]' <<<"$body")" = \
    '["passed",false,false,true,4]' ]
}

@test "what nothing came in for has not passed" {
  start_server
  judged '{"http_reqs":["count<3"]}'
  end_run
  get "/api/v1/runs/$run"
  [ "$(jq -c '[.verdict, .thresholds[0].value]' <<<"$body")" = \
    '["unknown",null]' ]
  post /v1/tests --data '{"name":"without"}'
  run=$(jq -r .reference_id <<<"$body")
  end_run
  get "/api/v1/runs/$run"
  [ "$(jq -r .verdict <<<"$body")" = none ]
}

@test "a run without data has not passed, whoever says so" {
  start_server
  for told in true false; do
    post /v1/tests --data "{\"name\":\"own\",\"process_thresholds\":$told,
      \"thresholds\":{\"http_reqs\":[\"count<3\"]}}"
    run=$(jq -r .reference_id <<<"$body")
    post "/v1/tests/$run" --data '{"run_status":3,"result_status":0,
      "thresholds":{"http_reqs":{"count<3":false}}}'
    get "/api/v1/runs/$run"
    [ "$(jq -c '[.verdict, .points]' <<<"$body")" = '["unknown",0]' ]
  done
  {
    echo '{"type":"Start","data":{"time":"2026-01-01T00:00:00Z"}}'
    point http_reqs 1 | head -1
    echo '{"type":"End","data":{"run_status":3,"result_status":0}}'
  } | grep -v '"Point"' >in
  run -0 k6push -q -n zero --threshold 'http_req_duration=p(95)<500' in
  get /api/v1/runs/3
  [ "$(jq -c '[.name, .verdict, .points]' <<<"$body")" = \
    '["zero","unknown",0]' ]
  run -1 k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" wait last
  [[ $output == *"(no samples)"* ]]
}

@test "thresholds that come with their results are judged, too" {
  start_server
  # k6 names them behind the first samples: the run was made by then.
  run -99 k6push -q "$fixtures/corpus/k6_2.2_thresholds.ndjson"
  get /api/v1/runs/1
  jq -e '.thresholds | length == 4 and all(.[]; .judged == .told and
    .failed == .told and .value != null)' <<<"$body"
  run -99 k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" wait last
  [[ $output == *"crossed   http_req_duration: p(95)<0.0001  ("[0-9]* ]]
  [[ $output != *"no samples"* ]]
  # Of what the plan has, nothing comes twice; texts are JSON.
  post /v1/tests --data '{"name":"own","thresholds":{"a\u0062":["count<3"],
    "c":[{"threshold":"count<4","abortOnFail":true}]}}'
  run=$(jq -r .reference_id <<<"$body")
  { metric ab counter; metric c counter; point ab 1; point c 1; } >in
  push_part in
  post "/v1/tests/$run" --data '{"run_status":3,"result_status":0,
    "thresholds":{"ab":{"count\u003c3":false,"count<1":true},
    "c":{"count<4":false},"d":{"count<5":false},"e":3,"f":{"g":4}}}'
  get "/api/v1/runs/$run"
  [ "$(jq -c '[.thresholds[] | [.metric, .source, .told, .judged, .value]]' \
    <<<"$body")" = \
    '[["ab","count<3",false,false,1],["c","count<4",false,false,1],'\
'["ab","count<1",true,true,1],["d","count<5",false,false,null]]' ]
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" --format text report last |
    grep -F 'd: count<5  (no samples)'
}

@test "what nobody can judge is not kept" {
  start_server
  { metric my_rate rate; point my_rate 1; } >in
  run -0 --separate-stderr k6push -q --threshold 'my_rate=p(95)<0.5' in
  [[ $stderr == *"k6push: threshold my_rate: p(95)<0.5: not judged: "* ]]
  get /api/v1/runs/1
  [ "$(jq -c '[.verdict, (.thresholds[] | .failed, .told, .judged)]' \
    <<<"$body")" = '["unknown",null,null,null]' ]
  run -1 k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" wait last
  [[ $output == *"not known my_rate: p(95)<0.5  (not judged)"* ]]
}

@test "a threshold that is none here is shown, and not judged" {
  start_server
  judged '{"http_reqs":["count<3","p95<3"],"checks":["p(95)<1"]}'
  { point http_reqs 1; point checks 1; } >in
  push_part in
  end_run
  get "/api/v1/runs/$run"
  [ "$(jq -c '[.verdict, [.thresholds[].failed]]' <<<"$body")" = \
    '["unknown",[false,null,null]]' ]
}

@test "tag sets beyond --max-series leave a threshold on tags unknown" {
  start_server --max-series 3
  judged '{"http_reqs":["count<100"],"http_reqs{name:/1}":["count<100"]}'
  { for i in 1 2 3 4 5 6 7 8 9; do
    point http_reqs 1 "\"name\":\"/$i\""; done; } >in
  push_part in
  end_run
  get "/api/v1/runs/$run"
  [ "$(jq -c '[.thresholds[].failed]' <<<"$body")" = '[false,null]' ]
}

# passed_and_failed: two runs, $good and $bad, with checks.
passed_and_failed() {
  start_server
  {
    for i in 1 2 3; do point http_reqs 1; done
    point checks 1 '"check":"is <ok> & \"fine\"","group":"::a::b"'
    point checks 0 '"check":"is | small","group":""'
  } >in
  judged '{"http_reqs":["count<9"]}'
  push_part in
  end_run
  good=$run
  judged '{"http_reqs":["count<2"]}'
  push_part in
  end_run
  bad=$run
  db=$BATS_TEST_TMPDIR/k6serve.db
}

@test "wait ends with the verdict as its status" {
  passed_and_failed
  run -0 k6serve --db "$db" wait "$good"
  [[ $output == "run $good \"judged\": Passed (Finished), 3 requests"* ]]
  run -99 k6serve --db "$db" wait "$bad"
  [[ $output == *"crossed   http_reqs: count<2  (3)"* ]]
  judged '{"http_reqs":["count<9"]}'
  push_part in
  k6serve --db "$db" wait last >waited 3>&- &
  waiter=$!
  sleep 1
  kill -0 "$waiter"
  end_run
  wait "$waiter"
  grep -q Passed waited
  judged '{"http_reqs":["count<9"]}'
  post "/v1/tests/$run" --data '{"run_status":6,"result_status":0}'
  run -1 k6serve --db "$db" wait last
  [[ $output == *"Not known (Aborted by System)"* ]]
  run -2 k6serve --db "$db" wait 99
}

@test "wait ends by --timeout-after when there is no server any more" {
  start_server
  id=$(k6push --create | cut -f 1)
  stop_server
  run -1 timeout 600 k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" -t 1s wait "$id"
  [[ $output == *"(Timed out)"* ]]
}

@test "JUnit XML has a case for the state, each threshold and each check" {
  passed_and_failed
  k6serve --db "$db" --format junit report "$bad" >junit.xml
  python3 - <<'P' | tee cases
import xml.etree.ElementTree as tree
suite = tree.parse("junit.xml").getroot()[0]
print(suite.get("tests"), suite.get("failures"), suite.get("skipped"))
for c in suite:
    print(c.get("classname"), "|", c.get("name"), "|",
          c[0].tag + " " + c[0].get("message") if len(c) else "passed")
P
  diff cases - <<'X'
4 2 0
run | state | passed
threshold | http_reqs: count<2 | failure crossed: 3
check | a > b > is <ok> & "fine" | passed
check | is | small | failure 1 of 1 failed
X
  get "/api/v1/runs/$bad/export.xml"
  [ "${body%$'\n'}" = "$(cat junit.xml)" ]
}

@test "Markdown and GitHub's annotations cannot be broken by a name" {
  passed_and_failed
  k6serve --db "$db" --format markdown report "$bad" | tee out.md
  grep -qxF '### Failed: judged' out.md
  grep -qxF '| crossed | http\_reqs: count\<2 | 3 |' out.md
  grep -qxF '| failed | is \| small | 0 of 1 |' out.md
  k6serve --db "$db" --format github report "$bad" | tee out.gh
  grep -qxF '::error title=load test::http_reqs: count<2 is crossed: 3' out.gh
  post /v1/tests --data '{"name":"a\n::error::b%0A"}'
  k6serve --db "$db" --format github report last | tee out.gh
  [ "$(grep -c '^::' out.gh)" -eq 1 ]
  grep -qF 'b%250A' out.gh
}

@test "a badge tells the verdict" {
  passed_and_failed
  get "/runs/$bad/badge.svg"
  [ "$code" = 200 ]
  python3 -c 'import sys, xml.etree.ElementTree as t
print("".join(t.fromstring(sys.argv[1]).itertext()))' "$body" | tee text
  [ "$(cat text)" = "load testFailed" ]
  get "/runs/99/badge.svg"
  [ "$code" = 404 ]
}

# recorded CASE N: what real k6 sent, of a run with N thresholds, is judged as
# k6 judged it: values within 0.8 %, rates exact.
recorded() {
  local case=$fixtures/wire_k6_2/$1
  start_server
  read -r run _ < <(python3 "$tools/replay.py" "$url" "$case/transcript.json")
  retry 60 is_judged "$2"
  jq -e 'all(.thresholds[]; .judged == .told and .failed == .told)' <<<"$body"
  [ "$(jq -r .verdict <<<"$body")" = failed ]
  jq -c --slurpfile k6 "$case/summary.json" '.thresholds[] |
    (.source | capture("^(?<stat>[^<>=!]+)").stat) as $stat |
    $k6[0].metrics[.metric] as $m | [.metric, $stat, .value,
      if $stat == "rate" then $m.value else $m[$stat] end]' <<<"$body" |
    tee compared
  [ "$(wc -l <compared)" -eq "$2" ]
  jq -se 'all(.[]; (.[2] - .[3] | fabs) <=
    (if .[1] == "rate" or .[1] == "count" then 0 else 0.008 * .[3] end))' \
    compared
}

@test "recorded traffic of k6 2.2 is judged as k6 judged it" {
  recorded k6_2.2_cloud_thresholds_fail 5
}

@test "recorded traffic of k6 1.7.1 is judged as k6 judged it" {
  recorded k6_1.7.1_cloud_thresholds_fail 5
}

@test "recorded traffic of a run that k6 aborted is judged as k6 judged it" {
  recorded k6_2.2_cloud_threshold_abort 1
}
