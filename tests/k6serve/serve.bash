# serve: requests to a k6serve, for the tests of its side. Loaded after helpers.
# shellcheck shell=bash disable=SC2034 # code and body are for the tests

# post PATH [CURL OPTION...]: a JSON body on stdin or by --data; $code is the
# status, $body the answer.
post() {
  local path=$1 json=(-H 'Content-Type: application/json')
  shift
  [[ $* != *Content-Type* ]] || json=()
  body=$(curl -sS --max-time 600 -w '\n%{http_code}' -X POST \
    "${json[@]}" "$@" "$url$path")
  code=${body##*$'\n'}
  body=${body%$'\n'*}
  echo "POST $path -> $code $body"
}

# get PATH [CURL OPTION...]
get() {
  local path=$1
  shift
  body=$(curl -sS --max-time 600 -w '\n%{http_code}' "$@" "$url$path")
  code=${body##*$'\n'}
  body=${body%$'\n'*}
  echo "GET $path -> $code $body"
}

# create [NAME]: makes a run; $run is its number.
create() {
  post /v1/tests --data "{\"name\":\"${1:-t}\",\"vus\":2,\"duration\":9,
    \"thresholds\":{\"http_req_duration\":[\"p(95)<500\"]}}"
  [ "$code" = 200 ]
  run=$(jq -r .reference_id <<<"$body")
}

# trail MS [SECONDS]: one request as a sample of protocol 1.
trail() {
  printf '{"type":"Points","metric":"http_req_li_all","data":{"time":"%d",
    "type":"counter","tags":{"name":"/a","method":"GET","status":"200"},
    "values":{"http_reqs":1,"http_req_duration":%s,"http_req_blocked":0,
    "http_req_connecting":0,"http_req_tls_handshaking":0,
    "http_req_sending":0,"http_req_waiting":%s,"http_req_receiving":0,
    "http_req_failed":0}}}' "$((${2:-1700000000} * 1000000))" "$1" "$1"
}

finish='{"run_status":3,"result_status":0,"thresholds":{}}'

# token_add NAME [OWNER]: prints a new token of the server's database.
token_add() {
  k6serve --db "$BATS_TEST_TMPDIR/k6serve.db" token add "$@"
}

# A server that others could reach, reached by us; $1 is a token.
start_public() {
  rm -f "$BATS_TEST_TMPDIR/serve.out"
  k6serve --listen 0.0.0.0:0 --db "$BATS_TEST_TMPDIR/k6serve.db" "$@" \
    >"$BATS_TEST_TMPDIR/serve.out" 2>"$BATS_TEST_TMPDIR/serve.err" 3>&- &
  server=$!
  retry 20 grep -qs ^http "$BATS_TEST_TMPDIR/serve.out"
  url=$(sed 's/0\.0\.0\.0/127.0.0.1/' "$BATS_TEST_TMPDIR/serve.out")
}

# start_with_descriptors N [OPTION...]: a server that may open N files.
start_with_descriptors() {
  rm -f "$BATS_TEST_TMPDIR/serve.out"
  prlimit --nofile="$1" k6serve --listen 127.0.0.1:0 \
    --db "$BATS_TEST_TMPDIR/k6serve.db" "${@:2}" \
    >"$BATS_TEST_TMPDIR/serve.out" 2>/dev/null 3>&- &
  server=$!
  retry 20 grep -qs ^http "$BATS_TEST_TMPDIR/serve.out"
  url=$(cat "$BATS_TEST_TMPDIR/serve.out")
}

# named NAME... [@SECOND]: a request of each name, as the body of a batch.
named() {
  local name all='' one
  one=$(trail 10)
  for name; do
    if [[ $name == @* ]]; then
      one=$(trail 10 "${name#@}")
    else
      all+=,${one//\/a/"$name"}
    fi
  done
  echo "[${all#,}]"
}

# upload PATH: the JSON on stdin, which is taken.
upload() {
  curl -sS --fail-with-body -X POST -H 'Content-Type: application/json' \
    --data-binary @- "$url$1" >/dev/null
}
