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
  [ -z "${proxy-}" ] || kill "$proxy" 2>/dev/null || true
  stop_server || true
  stop_nginx
}

# feed N: so many lines, or those that there are, go from descriptor 5 to 4.
feed() {
  local line i
  for ((i = 0; i < $1; i++)); do
    IFS= read -r line <&5 || return 0
    printf '%s\n' "$line" >&4
  done
}

# until_told PATTERN CMD...: capture it with the small corpus as its input,
# which ends when it has said so: an answer may take longer than --drain.
until_told() {
  until_found "$1" "$BATS_TEST_TMPDIR/err" "${@:2}"
}

# in_journals SAMPLES: so many wait there, no more and no less.
in_journals() {
  k6push --list --journal "$journals" | grep -qF $'\t'"$1 samples"$'\t'
}

# stored_is REQUESTS [RUNS]: all that is stored is so many runs of this many
# numbered requests, each once.
stored_is() {
  local count=$(($1 * ${2:-1}))
  run python3 "$root/tests/tools/stored.py" "$BATS_TEST_TMPDIR/k6serve.db"
  echo "stored: $output, want $1 x ${2:-1}"
  [ "$output" = "$count $((count * ($1 + 1) / 2))" ]
}

# start_unruly RULE: that proxy before the server, as $K6_CLOUD_HOST.
start_unruly() {
  echo "$1" >"$BATS_TEST_TMPDIR/rule"
  touch "$BATS_TEST_TMPDIR/log"
  rm -f "$BATS_TEST_TMPDIR/url"
  python3 "$tools/unruly.py" "$BATS_TEST_TMPDIR/rule" "$BATS_TEST_TMPDIR/log" \
    "$url" >"$BATS_TEST_TMPDIR/url" 3>&- &
  proxy=$!
  retry 20 test -s "$BATS_TEST_TMPDIR/url"
  K6_CLOUD_HOST=$(cat "$BATS_TEST_TMPDIR/url")
  export K6_CLOUD_HOST
}

# certificate: make $BATS_TEST_TMPDIR/key and /crt, of 127.0.0.1.
certificate() {
  command -v openssl >/dev/null || skip 'no openssl'
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$BATS_TEST_TMPDIR/key" \
    -out "$BATS_TEST_TMPDIR/crt" 2>/dev/null
}
