#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# How a k6serve is set up: what it tells its clients, TLS, names, login.

# bats file_tags=threads
load ../helpers
load serve

teardown() {
  stop_server || true
  [ -z "${first:-}" ] || kill "$first" 2>/dev/null || true
}

# certificate: $BATS_TEST_TMPDIR/cert.pem and key.pem for this machine.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout "$BATS_TEST_TMPDIR/key.pem" -out "$BATS_TEST_TMPDIR/cert.pem" \
    -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
}

start_tls() {
  certificate
  start_server --tls-cert "$BATS_TEST_TMPDIR/cert.pem" \
    --tls-key "$BATS_TEST_TMPDIR/key.pem"
  tls=(--cacert "$BATS_TEST_TMPDIR/cert.pem")
}

@test "a new run's client is told settings and lines for its log" {
  start_server -o aggregationPeriod=3s -o maxMetricSamplesPerPackage=5000 \
    -o aggregationOutlierIqrRadius=0.3 -o noCompress=true \
    --message 'runs are kept for 30 days' --message 'warning:be "nice"'
  post /v1/tests --data '{}'
  jq -e '.config.aggregationPeriod == "3s" and
    .config.maxMetricSamplesPerPackage == 5000 and
    .config.aggregationOutlierIqrRadius == 0.3 and
    .config.noCompress == true and .config.sendHistograms == true and
    .logs == [{level: "info", message: "runs are kept for 30 days"},
      {level: "warning", message: "be \"nice\""}]' <<<"$body"
}

@test "a second server of a file says so; commands beside it do not" {
  start_server
  run ! grep 'another k6serve' "$BATS_TEST_TMPDIR/serve.err"
  db=$BATS_TEST_TMPDIR/k6serve.db
  create
  capture token_add me
  [ "$err" = "" ]
  capture k6serve --db "$db" report --format text 1
  [[ $err != *another* ]]
  capture k6serve copy --open "$db" "$BATS_TEST_TMPDIR/copy.db"
  [[ $status = 0 && $err != *another* ]]
  first=$server
  start_server
  grep -q "^k6serve: $db: another k6serve serves this file, too: both " \
    "$BATS_TEST_TMPDIR/serve.err"
  stop_server
  # It ends with the process, however that ends.
  server=$first
  kill_now "$server"
  start_server
  run ! grep 'another k6serve' "$BATS_TEST_TMPDIR/serve.err"
}

@test "two servers of a file: each batch is stored once, by either" {
  start_server
  create
  first=$server urls=("$url")
  start_server
  urls+=("$url")
  pids=()
  for i in {0..39}; do
    # each key goes to both
    curl -sS -o /dev/null --fail -H 'Content-Type: application/json' \
      -H "K6-Idempotency-Key: k$((i / 2))" --data "$(named "/$((i / 2 % 4))")" \
      --retry 20 "${urls[i % 2]}/v1/metrics/1" 3>&- &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid"
  done
  [ "$(api runs/1 .totals.http_reqs)" = 20 ]
  stop_server
  server=$first url=${urls[0]}
  [ "$(api runs/1 .totals.http_reqs)" = 20 ]
}

@test "a TLS 1.2 suite with CBC and SHA-1 is refused" {
  start_tls
  shake() {
    openssl s_client -connect "${url#https://}" -tls1_2 \
      -cipher "$1@SECLEVEL=0" </dev/null >/dev/null 2>&1
  }
  shake ECDHE-ECDSA-AES128-GCM-SHA256
  for suite in ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES256-SHA AES128-SHA; do
    run shake "$suite"
    [ "$status" != 0 ]
  done
}

@test "k6push does as the server told, and prints its lines" {
  start_server -o noCompress=true -o maxMetricSamplesPerPackage=2 \
    --message 'warning:hello from here'
  for i in 1 2 3 4 5; do
    printf '{"metric":"m%s","type":"Point","data":{"time":"2026-01-01T00:00:0%sZ","value":1,"tags":{}}}\n' "$i" "$i"
  done >"$BATS_TEST_TMPDIR/in"
  capture k6push "$BATS_TEST_TMPDIR/in"
  [ "$status" = 0 ]
  [[ $err == *"hello from here"* ]]
  [ "$(api runs/1 .points)" = 5 ]
  # five points, two at a time, are three batches
  [ "$(api runs/1 .version)" -ge 4 ]
}

@test "settings and options that are none are told with exit 2" {
  for bad in nothing=1 aggregationPeriod aggregationPeriod=x token=abc \
    maxMetricSamplesPerPackage=many; do
    capture k6serve --override "$bad" --db "$BATS_TEST_TMPDIR/x.db"
    [ "$status" = 2 ]
    [[ $err == "k6serve: --override $bad: "* ]]
  done
  capture k6serve --tls-cert x --db "$BATS_TEST_TMPDIR/x.db"
  [ "$status" = 2 ]
  for bad in k6.example.com https:// ftp://a https://a/b 'https://a b'; do
    capture k6serve --url "$bad" --db "$BATS_TEST_TMPDIR/x.db"
    [ "$status" = 2 ]
  done
  [ ! -e "$BATS_TEST_TMPDIR/x.db" ]
}

@test "a database that others may read is told, a link to nothing refused" {
  cd "$BATS_TEST_TMPDIR"
  capture k6serve --db open.db token list
  [ "$status" -eq 0 ] && [ -z "$err" ]
  chmod 644 open.db
  capture k6serve --db open.db token list
  [ "$status" -eq 0 ]
  [ "$err" = "k6serve: open.db: other users have access to the database:\
 run chmod 600" ]
  ln -s nowhere/x.db link.db
  capture k6serve --db link.db token list
  [ "$status" -eq 1 ]
  [ "$err" = "k6serve: link.db: is a link to a file that does not exist" ]
  ln -s open.db good.db
  chmod 600 open.db
  capture k6serve --db good.db token list
  [ "$status" -eq 0 ] && [ -z "$err" ]
}

@test "with certificate and key it speaks TLS 1.2 and 1.3, and nothing else" {
  start_tls
  [[ $url == https://* ]]
  post /v1/tests "${tls[@]}" --data '{"name":"secret"}'
  [ "$code" = 200 ]
  [ "$(jq -r .config.webAppURL <<<"$body")" = "$url" ]
  post /v1/metrics/1 "${tls[@]}" --data "[$(trail 1)]"
  [ "$code" = 200 ]
  get /health "${tls[@]}" --tls-max 1.2
  [ "$code" = 200 ]
  run ! curl -sS "${tls[@]}" --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 \
    "$url/health"
  run ! curl -sS "http://${url#https://}/health"
  post /v1/tests "${tls[@]}" -H "Origin: $url" --data '{}'
  [ "$code" = 200 ]
  post /v1/tests "${tls[@]}" -H "Origin: http://${url#https://}" --data '{}'
  [ "$code" = 403 ]
}

@test "k6push delivers over TLS" {
  start_tls
  corpus=$root/tests/data/small.ndjson
  capture k6push -q --cacert "$BATS_TEST_TMPDIR/cert.pem" "$corpus"
  [ "$status" = 0 ]
  get /api/v1/runs/1 "${tls[@]}"
  [ "$(jq .totals.http_reqs <<<"$body")" = \
    "$(jq -s 'map(select(.type == "Point" and .metric == "http_reqs")) |
      length' "$corpus")" ]
}

@test "a certificate that is none is told with exit 1" {
  certificate
  cd "$BATS_TEST_TMPDIR"
  capture k6serve --listen 127.0.0.1:0 --db x.db --tls-cert key.pem \
    --tls-key cert.pem
  [ "$status" = 1 ]
  [[ $err == *"with that certificate and key"* ]]
  capture k6serve --listen 127.0.0.1:0 --db x.db --tls-cert none.pem \
    --tls-key key.pem
  [ "$status" = 1 ]
  [[ $err == *"none.pem"* ]]
}

@test "behind a proxy, --url is the name that is answered and linked to" {
  start_server --url https://k6.example.com
  proxied=(-H 'Host: k6.example.com')
  post /v1/tests "${proxied[@]}" --data '{}'
  [ "$code" = 200 ]
  [ "$(jq -r .config.webAppURL <<<"$body")" = https://k6.example.com ]
  post /v1/tests "${proxied[@]}" -H 'Origin: https://k6.example.com' --data '{}'
  [ "$code" = 200 ]
  for origin in http://k6.example.com https://k6.example.com.evil.test; do
    post /v1/tests "${proxied[@]}" -H "Origin: $origin" --data '{}'
    [ "$code" = 403 ]
  done
  get /api/v1/runs
  [ "$code" = 200 ]
  for host in evil.test k6.example.com.evil.test example.com; do
    get /api/v1/runs -H "Host: $host"
    [ "$code" = 421 ]
  done
}

@test "who could read and write through a proxy is told at the start" {
  start_server --url https://k6.example.com
  reached='https://k6.example.com: whoever reaches it through a proxy on'
  grep -qx "k6serve: $reached this machine can read all runs, and write" \
    "$BATS_TEST_TMPDIR/serve.err"
  stop_server
  token_add me
  start_server --url https://k6.example.com
  grep -qx "k6serve: $reached this machine can read all runs without a token" \
    "$BATS_TEST_TMPDIR/serve.err"
  stop_server
  start_server --url http://localhost:6570
  [ ! -s "$BATS_TEST_TMPDIR/serve.err" ]
}

@test "a page behind nginx is told of events while the run goes on" {
  start_server
  create
  start_nginx <<CONF
location / { proxy_pass $url; }
CONF
  curl -sSN "$target/api/v1/runs/1/events" >"$BATS_TEST_TMPDIR/events" 3>&- &
  retry 20 grep -qx 'event: change' "$BATS_TEST_TMPDIR/events"
  kill $!
  stop_nginx
}

@test "an address that others reach answers to --url's name and not to others" {
  token=$(token_add me)
  start_public --url http://k6.example.com
  get /api/v1/runs -H 'Host: k6.example.com' -H "Authorization: Token $token"
  [ "$code" = 200 ]
  get /api/v1/runs -H 'Host: evil.test' -H "Authorization: Token $token"
  [ "$code" = 421 ]
}

@test "k6 login cloud: the password is a token, and k6 gets it back" {
  start_server
  login='{"email":"me@x","password":"pw\n"}' # as k6 0.48 sends it
  post /v1/login --data "$login"
  [ "$code" = 400 ]
  token=$(token_add me)
  post /v1/login --data "$login"
  [ "$code" = 401 ]
  post /v1/login --data "{\"email\":\"me@x\",\"password\":\"$token\\n\"}"
  [ "$code $body" = "200 {\"token\":\"$token\"}" ]
  post /v1/login --data '{"email":"me@x"'
  [ "$code" = 400 ]
}

@test "what needs a cloud that runs tests is refused in clear words" {
  start_server
  for path in /v1/validate-options /v1/archive-upload; do
    post "$path" --data '{}'
    [ "$code" = 400 ]
    [[ $(jq -r .error.message <<<"$body") == *"k6 run --out cloud"* ]]
  done
  echo x | post /v1/archive-upload -H 'Content-Type: multipart/form-data' \
    --data-binary @- | grep '> 400'
}

@test "a build without libpq says in one line that it has no PostgreSQL" {
  local to=$BATS_TEST_TMPDIR/build each
  cd "$root"
  [ -e build/k6serve/main.o ] || skip "nothing is built in build/"
  mkdir "$to"
  cp -a build/base build/data build/io build/k6serve "$to"
  grep -l K6PIPE_LIBPQ src/k6serve/store/*.c | while read -r each; do
    each=${each##*/}
    rm "$to/k6serve/store/${each%.c}.o"
  done
  env -u MAKEFLAGS -u MAKELEVEL make -s LIBPQ= BUILD="$to" BIN="$to/bin" \
    "$to/bin/k6serve"
  run "$to/bin/k6serve" --db postgresql://k6@127.0.0.1:1/x token list
  [ "$status" = 2 ]
  [ "${lines[0]}" = \
    'k6serve: --db: this k6serve was built without libpq, and knows no PostgreSQL' ]
  "$to/bin/k6serve" --db "$BATS_TEST_TMPDIR/x.db" token add x
}
