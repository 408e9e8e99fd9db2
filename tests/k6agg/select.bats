#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg: what is kept, dropped, grouped and capped, and that the books say so.

load ../helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# tagged: four metrics with tags, told apart by their value.
tagged() {
  point http_reqs 1 '"status":"200","method":"GET","name":"/a,b"'
  point http_reqs 2 '"status":"500","method":"GET"'
  point http_reqs 3 '"status":"500","method":"POST"'
  point http_req_waiting 4 '"status":"200"'
  point vus 5 ''
  point "my metric" 6 '"quo}te":"a\"b","we=ird":"1"'
}

# select WANT OPTION...: these values are left of them.
select_values() {
  local want=$1
  shift
  tagged | k6agg "$@" >got
  got=$(jq -r 'select(.type == "Point").data.value' got | paste -sd ' ')
  echo "$* -> $got"
  [ "$got" = "$want" ]
}

@test "keep and drop by metric, by tag, by both" {
  select_values "1 2 3" --keep http_reqs
  select_values "4 5 6" --drop http_reqs
  select_values "1 2 3 4" --keep 'http_*'
  select_values "2 3" --keep status=500
  select_values "1 4 5 6" --drop status=500
  select_values "3" --keep 'http_reqs{status=500,method=POST}'
  select_values "3" --keep 'http_reqs{status:500,method:POST}'
  select_values "3" --keep '{status="500",method=POST}'
  select_values "1 2 4 5 6" --drop 'http_reqs{method=POST}'
}

@test "rules add up: any keep, then no drop" {
  select_values "1 2 3 5" --keep http_reqs --keep vus
  select_values "1" --keep http_reqs --drop status=500
  select_values "" --keep vus --drop vus
  select_values "5 6" --drop 'http_*' --drop nothing
}

@test "tags are compared, or matched as extended regular expressions" {
  select_values "1 4 5 6" --keep status!=500
  select_values "2 3" --keep 'status=~^5'
  select_values "1 2 3 4" --keep 'status=~[05]0'
  select_values "1 4 5 6" --keep 'status!~5'
  # A tag that is not there is empty.
  select_values "5 6" --keep status=
  select_values "1 2 3 4" --keep status!=
  select_values "1" --keep 'name=/a,b'
  select_values "1" --keep '{name="/a,b"}'
  select_values "6" --keep 'quo}te=a"b'
  select_values "6" --keep '{quo=~x,status=}' --keep 'my metric'
}

@test "lines that are kept are those of the input, byte for byte" {
  corpus rich >in
  k6agg --drop 'http_req_*' in >got
  jq -c 'select((.metric | startswith("http_req_") | not)) | 1' in | wc -l \
    >want.n
  [ "$(wc -l <got)" -eq "$(cat want.n)" ]
  grep -v '^{"metric":"http_req_\|"metric":"http_req_[a-z_]*"}$' in |
    cmp - got
}

@test "declarations of metrics go where no point of them can be left" {
  for name in a b; do
    printf '{"type":"Metric","data":{"name":"%s","type":"counter",' "$name"
    printf '"contains":"default"},"metric":"%s"}\n' "$name"
  done >in
  count() { k6agg "$@" in | jq -r .metric | paste -sd ' '; }
  [ "$(count --drop a)" = b ]
  [ "$(count --keep a)" = a ]
  [ "$(count --drop 'a{x=1}')" = "a b" ]
  [ "$(count --keep x=1)" = "a b" ]
  [ "$(count --keep 'b{x=1}')" = "b" ]
  # Start, End and what is not known pass.
  printf '%s\n' '{"type":"Start","data":{}}' '{"type":"Note"}' >in
  k6agg --keep a in | cmp - in
}

@test "dropped tags and grouped URLs, in whatever form the line has" {
  { point m 1 '"url":"/u/12/p/3","name":"/u/12","id":"7","vu":"1"'
    echo '{"type" : "Point", "data":{"tags":{"vu":"2","url":"/u/5"} ,' \
      '"value":1e0,"metadata":{"tags":"x"},' \
      '"time":"2026-01-01T00:00:00+00:00"}, "metric":"m"}'; } >in
  k6agg --drop-tag vu --drop-tag id --group 's#/[0-9]+#/{id}#g' in >got
  head -n 1 got | cmp - <(point m 1 '"name":"/u/{id}","url":"/u/{id}/p/{id}"')
  sed 1d got | cmp - <(echo '{"type" : "Point", "data":{"tags":' |
    tr -d '\n'; echo \
    '{"url":"/u/{id}"} , "value":1e0,"metadata":{"tags":"x"},' \
    '"time":"2026-01-01T00:00:00+00:00"}, "metric":"m"}')
  # In the order given; rules see the tags as they came.
  k6agg --group 's/u/v/' --group 's/v/w/' --keep url=/u/5 in >got
  [ "$(jq -r .data.tags.url got)" = /w/5 ]
}

@test "an expression takes a character of UTF-8 as one, in any locale" {
  echo '{"metric":"a","type":"Point","data":{"time":"2026-01-01T00:00:00Z","value":1,"tags":{"url":"/é☃x/ü"}}}' >in
  url() { LC_ALL=$1 k6agg -q --group "$2" in | jq -r .data.tags.url; }
  local locale
  for locale in C C.UTF-8; do
    [ "$(url "$locale" 's/[éäö]/_/g')" = '/_☃x/ü' ]
    [ "$(url "$locale" 's#/(.)[^/]*#/\1#g')" = '/é/ü' ]
    [ "$(url "$locale" 's/x*/-/g')" = '-/-é-☃-/-ü-' ]
    [ "$(url "$locale" 's/É/e/i')" = '/e☃x/ü' ]
    [ "$(LC_ALL=$locale k6agg -q --keep 'url=~/.$' in | wc -l)" -eq 1 ]
  done
}

@test "no dropped tag is left anywhere, on the corpora" {
  corpus rich >in
  grep -q '"ip":"' in
  for words in "" "-p 3s --min-samples 5" "-p 3s -m"; do
    # shellcheck disable=SC2086
    k6agg -q $words --drop-tag ip --drop-tag scenario in >got
    grep -v '"type":"Metric"' got >lines	# k6's thresholds name tags
    run grep -c '"ip":"\|"scenario":"' lines
    [ "$output" = 0 ]
    # shellcheck disable=SC2086
    [ "$(k6agg -q $words in | k6agg --json | jq .requests.count)" = \
      "$(k6agg --json got | jq .requests.count)" ]
  done
  k6agg --drop-tag ip in | jq -c . | cmp - <(jq -c 'del(.data.tags.ip?)' in)
}

@test "grouped requests are folded together, outliers carry the group" {
  for i in $(seq 60); do request "1.$((i + 100))" 10 "/u/$i"; done >in
  request 1 900 /u/7 >>in
  capture k6agg -p 3s --min-samples 50 --group 's#/[0-9]+$#/{id}#' in
  [[ $err == *"61 requests in = 60 folded into 1 aggregates + 1 passed"* ]]
  [ "$(jq -r 'select(.data.tags).data.tags.name' out | sort | uniq -c |
    tr -d ' \n')" = '10/u/{id}' ]
}

@test "while folding requests stay whole; only their lines that pass are cut" {
  { requests 30; request 1 900; } >in
  capture k6agg -p 3s --min-samples 5 --drop 'http_req_*' \
    --keep 'http_req*' in
  [[ $err == *"31 requests in = 30 folded into 1 aggregates + 1 passed"* ]]
  [ "$(jq -r .metric out | sort -u | paste -sd ' ')" = \
    "http_req_li_all http_reqs null" ]
  # Without its http_reqs a request is no longer passed but dropped.
  capture k6agg -p 3s --min-samples 5 --drop http_reqs in
  [[ $err == *"31 requests in = 30 folded into 1 aggregates + 0 passed + 1\
 dropped"* ]]
  [ "$(tail -n 1 out | jq -c '.data | [.requests, .folded, .passed,
    .dropped]')" = '[31,30,0,1]' ]
}

@test "requests in = folded + passed + dropped, raw and folded" {
  corpus rich >in
  n=$(made in)
  dropped=$(jq -c 'select(.type == "Point" and .metric == "http_reqs" and
    .data.tags.status == "404") | 1' in | wc -l)
  capture k6agg -p 3s --min-samples 5 --drop status=404 in
  [[ $err == *" + $dropped dropped"* ]]
  k6agg -q -p 3s --min-samples 5 in >folded
  capture k6agg -p 3s --min-samples 5 --drop status=404 folded
  [[ $err == "k6agg: $n requests in = "*" + $dropped dropped"* ]]
  run ! grep -q '"status":"404"' out
  # What was dropped is not in the summary.
  [ "$(k6agg --json --drop status=404 folded | jq .requests.count)" -eq \
    $((n - dropped)) ]
}

# trailers FILE: requests, passed and dropped that its End lines add up to, and
# the Start lines that they are for.
trailers() {
  jq -c 'select(.type == "End").data' "$1" | jq -sc '[
    (map(.requests) | add), (map(.passed) | add), (map(.dropped // 0) | add),
    (map(.streams // 1) | add)]'
}

# Of 31 requests one is dropped, whether a trailer came in or not.
@test "the End line has what was dropped, of any stream, in any mode" {
  { requests 30; request 1 900 /gone; } >raw
  { echo '{"type":"Start","data":{"name":"x"}}'; cat raw; } >"cut"
  { cat cut; echo '{"type":"End","data":{"time":'\
'"2026-01-01T00:00:01Z","run_status":3,"points":279,"requests":31}}'; } >whole
  for mode in "" "-p 3s --min-samples 50" -m; do
    for input in raw whole cut; do
      echo "$mode $input"
      # shellcheck disable=SC2086
      capture k6agg $mode --drop name=/gone $input
      [ "$status" -eq 0 ]
      want='[31,30,1,0]'
      [ $input != whole ] || want='[31,30,1,1]'
      [ "$(trailers out)" = "$want" ]
      # Another k6agg changes nothing of it.
      # shellcheck disable=SC2086
      [ "$(k6agg -q $mode --keep '*' <out | trailers -)" = "$want" ]
      tail -n 1 out | jq -e '.type == "End" and .data.time ==
        "2026-01-01T00:00:01Z"'
      [ $input = cut ] || { tail -n 1 out | jq -e '.data.run_status == 3'; }
      [ $input != cut ] || { tail -n 1 out | jq -e '.data.run_status == 6'; }
    done
  done
}

@test "without a drop trailers stay as they are, and a cut stream has none" {
  { requests 3; request 1 900 /gone; } >raw
  { echo '{"type":"Start","data":{"name":"x"}}'; cat raw; } >"cut"
  { cat cut; echo '{"type":"End","data":{"requests":4}}'; } >whole
  for input in raw cut whole; do
    k6agg --drop vus $input | cmp - $input
  done
  for mode in "-p 3s" -m; do
    # shellcheck disable=SC2086
    k6agg -q $mode --drop vus cut >out 2>err
    run ! grep -q '"End"' out
    grep -q 'the stream was cut' err
  done
}

@test "all requests of a stream are dropped: its time and the books are left" {
  requests 3 >in
  for mode in "" "-p 3s" -m; do
    # shellcheck disable=SC2086
    k6agg -q $mode --drop 'http_*' in >out
    jq -e '.data | [.time, .requests, .passed, .dropped] ==
      ["2026-01-01T00:00:00.002Z", 3, 0, 3]' out
  done
}

@test "aggregates that pass unchanged are those of the input" {
  requests 30 | k6agg -q -p 3s --min-samples 5 >in
  k6agg --drop vus in | head -n 1 | cmp - <(head -n 1 in)
  k6agg --group 's/a/b/' in | head -n 1 |
    cmp - <(head -n 1 in | sed 's/"name":"a"/"name":"b"/')
}

@test "wrong rules exit 2 and say what is wrong" {
  while read -r option value; do
    capture k6agg "$option" "$value" /dev/null
    [ "$status" -eq 2 ]
    [ -z "$out" ]
    [[ $err == "k6agg: $option: "* ]]
  done <<'RULES'
--keep {
--keep m{a=1
--keep method:GET
--keep m{a}
--keep m{=1}
--keep m{a=1}x
--keep m{a="1}
--keep =1
--drop a=~(
--drop !
--group s/a/b
--group /a/b/
--group s/(/b/
--group s/a/\1/
RULES
  capture k6agg --keep '' /dev/null
  [ "$status" -eq 2 ]
}

@test "past --max-series requests are folded as one, once warned of" {
  for i in $(seq 30); do request "1.$((i + 100))" "$i" "/$i"; done >in
  capture k6agg -p 3s --max-series 10 --min-samples 1 in
  [ "$(grep -c __other__ err)" -eq 1 ]
  [[ $err == *"30 requests in = 30 folded into 11 aggregates + 0 passed"* ]]
  jq -c 'select(.type == "AggregatedPoints").data |
    select(.tags.name == "__other__") | [.count, .tags,
    .values.http_req_duration.min, .values.http_req_duration.max,
    (.values.http_req_duration.hist.counters | add)]' out >other
  [ "$(cat other)" = '[20,{"name":"__other__"},11,30,20]' ]
  # Groups are counted after --group.
  capture k6agg -p 3s --max-series 1 --group 's/[0-9]+/N/' in
  [[ $err != *__other__* ]]
  # The next bucket begins anew.
  { cat in; request 60 10 /99; } >in.next
  k6agg -q -p 3s --max-series 10 --min-samples 1 in.next 2>/dev/null |
    grep -q '"count":1,"period":"3s","tags":{"name":"/99"}'
}

@test "many URLs of one group fold quickly, each outlier with its own line" {
  for i in $(seq 2000); do
    echo "/item/$i"
  done | awk '{ split("http_reqs http_req_duration http_req_blocked " \
      "http_req_connecting http_req_tls_handshaking http_req_sending " \
      "http_req_waiting http_req_receiving http_req_failed", m, " ")
    for (k = 1; k <= 9; k++)
      printf "{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":" \
        "\"2026-01-01T00:00:01Z\",\"value\":%d,\"tags\":{\"name\":\"%s\"," \
        "\"url\":\"%s\"}}}\n", m[k], NR % 100 ? 1 : NR, $1, $1 }' >in
  # All are alike but every hundredth.
  capture timeout 600 k6agg -p 3s --group 's#[0-9]+#{id}#' --drop-tag url in
  [ "$status" -eq 0 ]
  [[ $err == *"2000 requests in = 1980 folded into 1 aggregates + 20 passed"* ]]
  [ "$(jq -c 'select(.metric == "http_req_duration").data |
    [.value, .tags]' out | head -n 2 | paste -sd ' ')" = \
    '[100,{"name":"/item/{id}"}] [200,{"name":"/item/{id}"}]' ]
}

@test "ever new URLs take no more than the cap's memory, and all are counted" {
  fold=(k6agg -q -p 3s -w 3s --max-series 1000)
  awk 'BEGIN { n = split("http_reqs http_req_duration http_req_blocked " \
      "http_req_connecting http_req_tls_handshaking http_req_sending " \
      "http_req_waiting http_req_receiving http_req_failed", m, " ")
    for (i = 0; i < 100000; i++) { s = i / 2500
      for (k = 1; k <= n; k++)
        printf "{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":" \
          "\"2026-01-01T00:00:%09.6fZ\",\"value\":1,\"tags\":{\"method\":" \
          "\"GET\",\"name\":\"http://test.example/item/%d\",\"status\":" \
          "\"200\"}}}\n", m[k], s, i } }' |
    within_kb 60000 "${fold[@]}" >out 2>err
  [ "$(tail -n 1 out | jq -c '.data | [.requests, .folded + .passed]')" = \
    '[100000,100000]' ]
  [ "$(jq -c 'select(.type == "AggregatedPoints").data.tags' out |
    sort -u)" = '{"name":"__other__"}' ]
  [ "$(grep -c . err)" -eq 1 ]
}
