# push: what the tests of k6push begin and end with, and what a server stored.
# Loaded after helpers.
# shellcheck shell=bash disable=SC2034,SC2154 # for the tests; root, of helpers

setup() {
  small=$root/tests/data/small.ndjson
  points=$(grep -c '"type":"Point"' "$small")
  reqs=$(grep -c '"metric":"http_reqs","type":"Point"' "$small")
  journals=$BATS_TEST_TMPDIR/journals
  server=
}

teardown() {
  stop_server || true
  stop_nginx
}

# stored_is REQUESTS [RUNS]: all that is stored is so many runs of this many
# numbered requests, each once.
stored_is() {
  local count=$(($1 * ${2:-1}))
  run python3 "$root/tests/tools/stored.py" "$BATS_TEST_TMPDIR/k6serve.db"
  echo "stored: $output, want $1 x ${2:-1}"
  [ "$output" = "$count $((count * ($1 + 1) / 2))" ]
}

# certificate: make $BATS_TEST_TMPDIR/key and /crt, of 127.0.0.1.
certificate() {
  command -v openssl >/dev/null || skip 'no openssl'
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$BATS_TEST_TMPDIR/key" \
    -out "$BATS_TEST_TMPDIR/crt" 2>/dev/null
}
