#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6's newer API: `k6 cloud run --local-execution` of k6 2.2, request by
# request, and k6push with the address and the token that it is given.

# bats file_tags=threads
load ../helpers
load serve

teardown() { stop_server || true; }

# form PROJECT CURL-OPTION...: a load test by a form, as k6 makes it.
form() {
  body=$(curl -sS --max-time 600 -w '\n%{http_code}' -H 'X-Stack-Id: 1' \
    "${@:2}" "$url/cloud/v6/projects/$1/load_tests")
  code=${body##*$'\n'}
  body=${body%$'\n'*}
  echo "load test in $1 -> $code $body"
}

# start_test [CURL OPTION...]: a load test and a run of it, as k6 makes them.
# $load_test, $run, $push and $secret are what the server says.
start_test() {
  form 7 --form-string 'name="shop".js' "$@"
  [ "$code" = 201 ]
  load_test=$(jq .id <<<"$body")
  start_again "$@"
}

options='{"options":{"vus":3,"thresholds":{
  "http_req_duration":["p(95)<500",{"threshold":"avg<9","abortOnFail":true}],
  "checks":null}},"max_vus":3,"total_duration":40,"archive_size":1024}'

start_again() {
  post "/provisioning/v1/load_tests/$load_test/start_local_execution" \
    --data "$options" "$@"
  [ "$code" = 200 ]
  run=$(jq .test_run_id <<<"$body")
  push=$(jq -r .runtime_config.metrics.push_url <<<"$body")
  secret=$(jq -r .runtime_config.test_run_token <<<"$body")
}

status_of() {
  get "/cloud/v6/test_runs/$run" "$@"
  [ "$code" = 200 ]
  jq -r '"\(.status) \(.result)"' <<<"$body"
}

notify() { # ERROR [CURL OPTION...]
  post "/provisioning/v1/test_runs/$run/notify" "${@:2}" \
    --data "{\"event_type\":\"script_execution_completed\",\"error\":$1}"
}

# whole OBJECT [JQ]: what JQ picks of $body, one or more, has every member that
# the vendor's client wants of such an object, each of the type it wants. It
# refuses the whole answer for one that is missing, or goes on with zeros.
whole() {
  jq -e --arg object "$1" --slurpfile all "$tools/v6_members.json" '
    [ '"${2:-.}"' | . as $o | $all[0][$object] | to_entries[] |
      select(.key as $k | .value | split(" ") |
        index($o[$k] | type) == null or ($o | has($k) | not)) | .key ] as $bad |
    [ '"${2:-.}"' ] | length > 0 and $bad == [] or
      ("missing or of another type: \($bad)" | halt_error(1))' <<<"$body"
}

# has_members NAMES...: $body has these and they are where they should be;
# without one of them the vendor's client refuses the whole answer.
has_members() {
  jq -e --arg names "$*" '. as $o | $names | split(" ") |
    map(select(. as $n | $o | has($n) | not)) | . == []' <<<"$body"
}

@test "a load test is made once, and then found by its name" {
  start_server
  start_test
  for _ in 1 2; do
    form 7 -F 'name=two words'
  done
  [ "$code" = 409 ]
  jq -e '.error | .code == "409" and (.message | type == "string")' <<<"$body"
  get '/cloud/v6/projects/7/load_tests?name=two%20words'
  [ "$code" = 200 ]
  [ "$(jq -c '.value | map([.name, .project_id])' <<<"$body")" = \
    '[["two words",7]]' ]
  body=$(jq -c '.value[0]' <<<"$body")
  has_members id project_id name baseline_test_run_id created updated
  get /cloud/v6/projects/7/load_tests
  [ "$(jq -c '.value | map(.name)' <<<"$body")" = \
    '["two words","\"shop\".js"]' ]
  # the same name in another project is another test
  form 8 -F 'name=two words'
  [ "$code" = 201 ]
}

@test "what is no form, no project or no load test is refused" {
  start_server
  path=/cloud/v6/projects/7/load_tests
  post $path --data '{"name":"x"}'
  [ "$code" = 400 ]
  form 7 -F 'other=x'
  [ "$code" = 400 ]
  form 7 -F 'name='
  [ "$code" = 400 ]
  whole=$'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--b--'
  type='Content-Type: multipart/form-data; boundary=b'
  for ((n = 0; n < ${#whole} - 4; n += 3)); do
    post $path -H "$type" --data-binary "${whole:0:n}"
    [ "$code" = 400 ]
  done
  post $path -H "$type" --data-binary "$whole"
  [ "$code" = 201 ]
  post /cloud/v6/projects/99999999999/load_tests -H "$type" \
    --data-binary "$whole"
  [ "$code" = 404 ]
  post /provisioning/v1/load_tests/5/start_local_execution --data "$options"
  [ "$code" = 404 ]
  post /provisioning/v1/load_tests/1/start_local_execution --data '{"options"'
  [ "$code" = 400 ]
  post /cloud/v6/validate_options --data '{}'
  [ "$code" = 400 ]
  grep -F local-execution <<<"$body"
  [ "$(api runs length)" = 0 ]
}

@test "a run is started with all that k6 asks for, and is then initializing" {
  start_server --override aggregationPeriod=5s \
    --override metricPushConcurrency=3 --override maxTimeSeriesInBatch=77
  start_test -H 'K6-Idempotency-Key: s1'
  [ "$push" = "$url/v2/metrics/$run" ]
  [[ $secret =~ ^[0-9a-f]{32}$ ]]
  has_members test_run_id runtime_config archive_upload_url \
    test_run_details_page_url
  jq -e --arg u "$url/runs/$run" '.test_run_details_page_url == $u' <<<"$body"
  archive=$(jq -r .archive_upload_url <<<"$body")
  [ "$(jq -c '.runtime_config.metrics | [.push_interval, .push_concurrency,
    .aggregation_period, .aggregation_wait_period, .aggregation_min_samples,
    .max_samples_per_package]' <<<"$body")" = '[null,3,"5s",null,null,77]' ]
  body=$(jq -c .runtime_config <<<"$body")
  has_members metrics traces files logs secrets test_run_token
  whole=$body
  body=$(jq -c .logs <<<"$whole")
  has_members push_url tail_url limit push_period_seconds level \
    message_max_size allowed_labels
  body=$(jq -c .files <<<"$whole")
  has_members push_url screenshots_base_path headers method
  head -c 1024 /dev/zero | curl -sSf -T - -H 'Content-Type: application/x-tar' \
    "$archive"
  [ "$(status_of | tail -n 1)" = 'initializing null' ]
  status_of
  has_members id test_id project_id started_by created ended note \
    retention_expiry cost status status_details status_history distribution \
    result result_details options k6_dependencies k6_versions
  [ "$(jq .test_id <<<"$body")" = "$load_test" ]
  [ "$(api "runs/$run" '[.name,.vus,.planned_duration,.project_id]|tojson')" \
    = '["\"shop\".js",3,40,7]' ]
  [ "$(api "runs/$run" '.thresholds|map(.source)|tojson')" = \
    '["p(95)<500","avg<9"]' ]
  # the answer was lost and k6 asks again: the same run
  first=$run
  start_again -H 'K6-Idempotency-Key: s1'
  [ "$run" = "$first" ]
  options='{"options":{},"archive_size":null}' start_again
  [ "$run" -gt "$first" ]
  [ "$(jq -c .archive_upload_url <<<"$body")" = null ]
}

@test "a run's token feeds and ends that run, and nothing else" {
  start_server
  token=$(token_add ci team)
  other=$(token_add eve others)
  bearer=(-H "Authorization: Bearer $token")
  form 7 -F name=x
  [ "$code" = 401 ]
  [ "$(jq -r .error.code <<<"$body")" = 401 ]
  start_test "${bearer[@]}"
  first=$run own=(-H "Authorization: Bearer $secret")
  v2=(-H 'Content-Type: application/x-protobuf'
    -H 'K6-Metrics-Protocol-Version: 2.0' --data-binary '')
  post "/v2/metrics/$run" "${own[@]}" "${v2[@]}"
  [ "$code" = 200 ]
  post "/v2/metrics/$run" "${v2[@]}" -H "Authorization: Bearer ${secret%?}"
  [ "$code" = 401 ]
  post /v1/tests "${own[@]}" --data '{"name":"x"}'
  [ "$code" = 401 ]
  post "/v1/tests/$run" "${own[@]}" --data "$finish"
  [ "$code" = 401 ]
  start_again "${bearer[@]}"
  post "/v2/metrics/$run" "${own[@]}" "${v2[@]}"
  [ "$code" = 401 ]
  notify null "${own[@]}"
  [ "$code" = 401 ]
  run=$first
  # it is the team's run, which others do not see
  get "/cloud/v6/test_runs/$run" -H "Authorization: Bearer $other"
  [ "$code" = 404 ]
  post "/provisioning/v1/load_tests/$load_test/start_local_execution" \
    -H "Authorization: Bearer $other" --data "$options"
  [ "$code" = 404 ]
  notify null "${own[@]}"
  [ "$code" = 204 ]
  # again, as the answer may have been lost
  notify null "${own[@]}"
  [ "$code" = 204 ]
  [ "$(status_of "${bearer[@]}" | tail -n 1)" = 'completed null' ]
  post "/v2/metrics/$run" "${own[@]}" "${v2[@]}" -H 'K6-Idempotency-Key: 2'
  [ "$code" = 403 ]
  run grep -qa "$secret" "$BATS_TEST_TMPDIR"/k6serve.db*
  [ "$status" -eq 1 ]
}

@test "what ended a run is told by k6's codes" {
  start_server
  start_test
  while IFS='|' read -r error want; do
    start_again
    notify "$error"
    [ "$code" = 204 ]
    [ "$(api "runs/$run" '"\(.run_status) \(.result_status)"')" = "$want" ]
  done <<'CASES'
null|3 0
{"code":8036,"reason":"test run was aborted because k6 received a 'interrupt' signal"}|5 0
{"code":8036,"reason":"thresholds on metrics 'http_req_duration' were crossed; at least one has abortOnFail enabled, stopping test prematurely"}|8 1
{"code":8035,"reason":"script exception"}|7 0
{"code":8034,"reason":"setup() execution timed out after 1 seconds"}|9 0
{"code":8034,"reason":"output broke"}|6 0
{"code":0,"reason":"?"}|6 0
CASES
  [ "$(status_of | tail -n 1)" = 'aborted error' ]
  start_again
  post "/provisioning/v1/test_runs/$run/notify" --data '{"event_type":"lunch"}'
  [ "$code" = 400 ]
  [ "$(api "runs/$run" .state)" = Running ]
}

@test "metrics of real k6 go in by the run's token, once though repeated" {
  start_server
  token=$(token_add ci)
  start_test -H "Authorization: Bearer $token"
  sent=0
  while IFS=$'\t' read -r n data; do
    for _ in 1 2; do # k6 repeats what had no answer, without a key
      base64 -d <<<"$data" >"$BATS_TEST_TMPDIR/body"
      [ "$(curl -sS -o "$BATS_TEST_TMPDIR/answer" -w '%{http_code}' \
        -H "Authorization: Bearer $secret" -H 'Content-Encoding: snappy' \
        -H 'Content-Type: application/x-protobuf' \
        -H 'K6-Metrics-Protocol-Version: 2.0' \
        --data-binary "@$BATS_TEST_TMPDIR/body" "$push")" = 200 ]
    done
    [ "$(jq .duplicate "$BATS_TEST_TMPDIR/answer")" = true ]
    sent=$((sent + n))
  done < <(jq <"$fixtures/wire/v2/transcript.json" -r '.[] |
    select(.path | startswith("/v2/metrics")) | [.http_reqs, .raw_base64] |
    @tsv')
  [ "$sent" -gt 1000 ]
  [ "$(status_of -H "Authorization: Bearer $token" | tail -n 1)" = \
    'running null' ]
  notify null -H "Authorization: Bearer $secret"
  [ "$code" = 204 ]
  [ "$(api "runs/$run" .totals.http_reqs)" = "$sent" ]
  [ "$(api "runs/$run" .state)" = Finished ]
}

@test "k6push, started by who made the run, delivers all of it" {
  start_server
  token=$(token_add ci)
  start_test -H "Authorization: Bearer $token"
  unset K6_CLOUD_TOKEN K6_CLOUD_API_VERSION
  K6_CLOUD_HOST=http://127.0.0.1:1 K6_CLOUD_PUSH_REF_ID=$run \
    K6_CLOUD_METRICS_PUSH_URL=$push K6_CLOUD_TEST_RUN_TOKEN=$secret \
    capture timeout 600 k6push -q "$root/tests/data/small.ndjson"
  [ "$status" -eq 0 ]
  notify null -H "Authorization: Bearer $secret"
  [ "$code" = 204 ]
  n=$(jq -s 'map(select(.metric == "http_reqs" and .type == "Point")
    | .data.value) | add' "$root/tests/data/small.ndjson")
  [ "$(api "runs/$run" '"\(.totals.http_reqs) \(.state)"')" = "$n Finished" ]
}

@test "k6login --stack checks a token here and gets stack and project" {
  start_server
  token=$(token_add ci)
  export K6_CLOUD_HOST_V6=$url
  file=$BATS_TEST_TMPDIR/config.json
  echo '{}' >"$file"
  capture k6login --config "$file" --token "${token%?}" --stack mine
  [ "$status" -ne 0 ]
  capture k6login --config "$file" --token "$token" --stack mine
  [ "$status" -eq 0 ]
  [ "$(jq -c '.collectors.cloud | [.stackID, .defaultProjectID]' "$file")" = \
    '[1,1]' ]
}

@test "every object of the newer API has all its members" {
  start_server
  get /cloud/v6/auth
  whole auth
  start_test
  whole started
  whole runtime_config .runtime_config
  first=$run
  get "/cloud/v6/load_tests/$load_test"
  whole load_test
  for error in null \
    '{"code":8036,"reason":"test run was aborted because k6 received a '"'int'"'"}'; do
    get "/cloud/v6/test_runs/$run"
    [ "$code" = 200 ]
    whole run
    whole state '.status_details, .status_history[]'
    whole distribution '.distribution[]'
    [ "$(jq -r '.status_history[-1].type' <<<"$body")" = initializing ]
    upload "/v1/metrics/$run" <<<"[$(trail 10)]"
    get "/cloud/v6/test_runs/$run"
    whole run
    jq -e '[.status_history[].type] == ["created", "initializing", "running"]
      and .status == "running"' <<<"$body"
    notify "$error"
    [ "$code" = 204 ]
    get "/cloud/v6/test_runs/$run"
    whole run
    whole state '.status_details, .status_history[]'
    start_again
  done
  # the second one: k6 prints who aborted it
  get "/cloud/v6/test_runs/$((first + 1))"
  whole extra .status_details.extra
  jq -e '.status == "aborted" and (.status_details.extra.by_user | length > 0)
    and .status_history[-1] == .status_details' <<<"$body"
  for path in test_runs "load_tests/$load_test/test_runs"; do
    get "/cloud/v6/$path"
    whole list
    whole run '.value[]'
    [ "$(jq -c '[.value[].id]' <<<"$body")" = \
      "[$run,$((first + 1)),$first]" ]
  done
  get "/cloud/v6/load_tests/$((load_test + 1))/test_runs"
  [ "$(jq -c .value <<<"$body")" = '[]' ]
  get "/cloud/v6/test_runs?created_after=2000-01-01T00:00:00Z&created_before=2001-01-01T00:00:00Z"
  [ "$(jq -c .value <<<"$body")" = '[]' ]
  get "/cloud/v6/test_runs?created_after=yesterday"
  [ "$code" = 400 ]
  get /cloud/v6/projects/7/load_tests
  whole list
  whole load_test '.value[]'
  get /cloud/v6/load_zones
  whole list
  # a run that came by the older API is a run of the newer one, too
  create older
  get "/cloud/v6/test_runs/$run"
  whole run
  [ "$(jq .test_id <<<"$body")" = 0 ]
}

@test "the projects are those that anything is in, and the default one" {
  start_server
  get '/cloud/v6/projects?%24skip=0&%24top=1000'
  [ "$code" = 200 ]
  whole list
  whole project '.value[]'
  [ "$(jq -c '[.value[] | [.id, .is_default]]' <<<"$body")" = '[[1,true]]' ]
  form 7 -F 'name=x'
  post /v1/tests --data '{"name":"x","project_id":3}'
  get /cloud/v6/projects
  whole project '.value[]'
  [ "$(jq -c '[.value[] | [.id, .is_default]]' <<<"$body")" = \
    '[[1,true],[3,false],[7,false]]' ]
}

@test "lists come in pages, each with the link to the next" {
  start_server
  for n in 1 2 3 4 5; do
    form 7 -F "name=t$n"
  done
  next="$url/cloud/v6/projects/7/load_tests?%24top=2"
  seen=
  for want in 2 2 1; do
    body=$(curl -sS --max-time 600 "$next")
    [ "$(jq '.value | length' <<<"$body")" = $want ]
    seen+=$(jq -r '.value[].name' <<<"$body" | tr '\n' ' ')
    next=$(jq -r '."@nextLink"' <<<"$body")
  done
  [ "$next" = null ]
  [ "$seen" = 't5 t4 t3 t2 t1 ' ]
  get '/cloud/v6/projects/7/load_tests?%24skip=4&%24top=2'
  [ "$(jq -c '[.value[].name]' <<<"$body")" = '["t1"]' ]
  get '/cloud/v6/projects/7/load_tests?%24top=-1'
  [ "$code" = 400 ]
}

@test "a run is noted and aborted by the newer API; what it lacks, it says" {
  start_server
  start_test
  post "/cloud/v6/test_runs/$run" -X PATCH --data '{"note":"mine"}'
  [ "$code" = 204 ]
  get "/cloud/v6/test_runs/$run"
  [ "$(jq -r .note <<<"$body")" = mine ]
  post "/cloud/v6/test_runs/$run" -X PATCH --data '{"note":7}'
  [ "$code" = 400 ]
  whole error .error
  for what in star unstar save unsave; do
    post "/cloud/v6/test_runs/$run/$what" --data ''
    [ "$code" = 400 ]
    whole error .error
  done
  for what in script distribution; do
    get "/cloud/v6/test_runs/$run/$what"
    [ "$code" = 404 ]
    whole error .error
    grep -F 'this server' <<<"$body"
  done
  get "/cloud/v6/test_runs?is_starred=true"
  [ "$(jq -c .value <<<"$body")" = '[]' ]
  get "/cloud/v6/test_runs?is_starred=false"
  [ "$(jq '.value | length' <<<"$body")" = 1 ]
  post "/cloud/v6/test_runs/$run/abort" --data ''
  [ "$code" = 204 ]
  [ "$(status_of | tail -n 1)" = 'aborted error' ]
  get "/cloud/v6/test_runs/$run"
  jq -e '.status_details.extra | .by_user != null and .code == 5' <<<"$body"
  post "/cloud/v6/test_runs/$run/abort" --data ''
  [ "$code" = 409 ]
  whole error .error
  for what in star abort; do
    post "/cloud/v6/test_runs/99/$what" --data ''
    [ "$code" = 404 ]
  done
}

@test "a run is removed by the newer API, and every error has its code" {
  start_server
  start_test
  curl -sS --fail -X DELETE "$url/cloud/v6/test_runs/$run"
  post "/provisioning/v1/test_runs/$run/notify" --data '{}'
  [ "$code" = 404 ]
  whole error .error
  for path in /cloud/v6/nothing /cloud/v6/test_runs/99 /cloud/v6/load_tests/9 \
    /provisioning/v1/nothing; do
    get $path
    [ "$code" = 404 ]
    whole error .error
    [ "$(jq -r .error.code <<<"$body")" = 404 ]
  done
  get /cloud/v6/auth -H 'Host: other.example'
  [ "$code" = 421 ]
  whole error .error
  post /cloud/v6/auth --data '{}'
  [ "$code" = 405 ]
  whole error .error
  post /provisioning/v1/load_tests/1/start_local_execution \
    -H 'Content-Type: text/plain' --data '{}'
  [ "$code" = 415 ]
  whole error .error
  token_add ci >/dev/null
  get /cloud/v6/auth -H 'Authorization: Bearer wrong'
  [ "$code" = 401 ]
  whole error .error
  # k6's older API has numbers there, and ours has names
  get /v1/nothing
  [ "$(jq .error.code <<<"$body")" = 404 ]
  get /api/v1/runs/99
  [ "$(jq .error.code <<<"$body")" = '"no_such_run"' ]
}

# verdicts: each threshold of the run and what it came to, as the page shows it.
verdicts() {
  api "runs/$run" '[.thresholds[] | [.metric, .source, .failed]] | tojson'
}

@test "thresholds that k6 does not tell of are judged here" {
  start_server
  options='{"options":{"thresholds":{"http_req_duration":["p(95)<15","max<30"],
    "http_req_duration{status:200}":["avg<1"],"http_req_failed":["rate<0.1"],
    "odd":["p95<1"]}}}' start_test
  upload "/v1/metrics/$run" <<<"[$(trail 20)]"
  notify null
  [ "$code" = 204 ]
  [ "$(verdicts)" = '[["http_req_duration","p(95)<15",true],'`
    `'["http_req_duration","max<30",false],'`
    `'["http_req_duration{status:200}","avg<1",true],'`
    `'["http_req_failed","rate<0.1",false],["odd","p95<1",null]]' ]
  [ "$(api "runs/$run" '"\(.state) \(.result_status)"')" = 'Finished 1' ]
  [ "$(status_of | tail -n 1)" = 'completed failed' ]
  # a run that others fed: who finishes it does not know
  create
  upload "/v1/metrics/$run" <<<"[$(trail 700)]"
  post "/v1/tests/$run" --data "$finish"
  [ "$(verdicts)" = '[["http_req_duration","p(95)<500",true]]' ]
  [ "$(api "runs/$run" .result_status)" = 1 ]
}

@test "abortOnFail names the threshold that was crossed" {
  start_server
  options='{"options":{"thresholds":{"http_req_duration":["p(95)<500"],
    "checks":["rate>0.9"]}}}' start_test
  notify '{"code":8036,"reason":"thresholds on metrics '"'http_req_duration'"' were crossed; at least one has abortOnFail enabled, stopping test prematurely"}'
  [ "$(verdicts)" = '[["http_req_duration","p(95)<500",true],'`
    `'["checks","rate>0.9",false]]' ]
  [ "$(api "runs/$run" '"\(.state) \(.result_status)"')" = \
    'Aborted by Threshold 1' ]
  [ "$(status_of | tail -n 1)" = 'aborted failed' ]
}

@test "a crossed threshold that only the finish call tells of is shown" {
  start_server
  create
  post "/v1/tests/$run" --data '{"run_status":3,"result_status":1,
    "thresholds":{"http_req_duration":{"p(95)<500":false},
    "checks{group:::a}":{"rate>0.9":true}}}'
  [ "$(verdicts)" = '[["http_req_duration","p(95)<500",false],'`
    `'["checks{group:::a}","rate>0.9",true]]' ]
}

# body_of CASE N: the body and the Content-Type of its request N.
body_of() {
  local record
  record=$(jq -c ".[$2]" "$fixtures/wire_k6_2/$1/transcript.json")
  jq -r .raw_base64 <<<"$record" | base64 -d >"$BATS_TEST_TMPDIR/body"
  type=$(jq -r '.headers[] | select(.[0] == "Content-Type") | .[1]' \
    <<<"$record")
}

@test "k6 1.7 makes a run by a form with the archive of its script" {
  start_server
  body_of k6_1.7.1_local_multipart 0
  post /v1/tests -H "Content-Type: $type" \
    --data-binary "@$BATS_TEST_TMPDIR/body"
  [ "$code" = 200 ]
  run=$(jq -r .reference_id <<<"$body")
  [ "$(api "runs/$run" '"\(.name) \(.vus) \(.state)"')" = \
    's3_short.js 1 Running' ]
  [ "$(verdicts)" = \
    '[["checks","rate==1",null],["http_reqs","count==1",null]]' ]
  # without an archive, with a broken one, without a name
  head -c 600 "$BATS_TEST_TMPDIR/body" >"$BATS_TEST_TMPDIR/cut"
  for fields in vus=3 "file=@$BATS_TEST_TMPDIR/cut"; do
    run=$(curl -sSf -F name=x -F "$fields" "$url/v1/tests" |
      jq -r .reference_id)
    [ "$(api "runs/$run" .name)" = x ]
  done
  [ "$(curl -sS -o /dev/null -w '%{http_code}' -F other=x "$url/v1/tests")" = \
    400 ]
  post /v1/tests -H 'Content-Type: text/plain' --data '{"name":"x"}'
  [ "$code" = 415 ]
}

@test "k6 is told to stop sending to a run that was removed" {
  start_server
  create
  curl -sSf -X DELETE "$url/cloud/v6/test_runs/$run"
  for version in 1 2; do
    post "/v$version/metrics/$run" --data '[]'
    [ "$code" = 403 ]
    [ "$(jq .error.code <<<"$body")" = 4 ]
    post "/v$version/metrics/$((run + 1))" --data '[]'
    [ "$code" = 404 ]
  done
}
