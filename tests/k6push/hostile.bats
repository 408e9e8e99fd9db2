#!/usr/bin/env bats
# hostile: a world that is against k6push: clocks that jump, certificates that
# are wrong, memory that is out, a process that was started badly.

load ../helpers
load push

# A clock for what is preloaded with it, set by $FAKETIME and the like.
faketime_library() {
  lib=$(echo /usr/lib/*/faketime/libfaketime.so.1)
  [ -e "$lib" ] || skip 'no libfaketime'
}

# A CA in $tls, and certificates of it: certify NAME SUBJECT-ALT-NAME [SHIFT],
# made so long ago (-60d) or to come (+60d).
make_ca() {
  faketime_library
  tls=$BATS_TEST_TMPDIR/tls
  mkdir "$tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca \
    -keyout "$tls/ca.key" -out "$tls/ca.crt" 2>/dev/null
}

certify() {
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$tls/$1.key" \
    -out "$tls/$1.csr" 2>/dev/null
  LD_PRELOAD=$lib FAKETIME=${3:-+0} openssl x509 -req -in "$tls/$1.csr" \
    -days 10 \
    -CA "$tls/ca.crt" -CAkey "$tls/ca.key" -CAcreateserial \
    -extfile <(echo "subjectAltName=$2") -out "$tls/$1.crt" 2>/dev/null
}

# use NAME: nginx presents it from now on.
use() {
  cp "$tls/$1.crt" "$tls/crt"
  cp "$tls/$1.key" "$tls/key"
  [ ! -e "$BATS_TEST_TMPDIR/nginx/pid" ] || reload_nginx
}

# presents NAME: nginx does so.
presents() {
  openssl s_client -connect "${target#https://}" </dev/null 2>/dev/null |
    openssl x509 -noout -fingerprint |
    grep -qF "$(openssl x509 -in "$tls/$1.crt" -noout -fingerprint)"
}

proxy_tls() { # [DIRECTIVE]
  nginx_listen=ssl
  start_nginx <<CONF
ssl_certificate $tls/crt;
ssl_certificate_key $tls/key;
$*
location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }
CONF
}

# bats test_tags=slow
@test "clocks that jump by hours and days, 1970, 2038 and 2106: nothing lost" {
  sanitized && skip 'the sanitizer and a faked clock exclude each other'
  faketime_library
  start_server
  clock=$BATS_TEST_TMPDIR/clock
  i=0
  pids=()
  for start in +0 '@1970-01-02 00:00:00' '@2038-01-19 03:14:06' \
    '@2106-02-07 06:28:14' \
    '@2028-02-29 23:59:59'; do
    i=$((i + 1))
    echo "$start" >"$clock.$i"
    (
      stream 150 60 | LD_PRELOAD=$lib FAKETIME_TIMESTAMP_FILE=$clock.$i \
        FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 k6push -q \
        2>"$BATS_TEST_TMPDIR/err.$i"
    ) 3>&- &
    pids+=($!)
  done
  for jump in +1h -1h +3d -3d; do
    sleep 0.5
    for n in $(seq $i); do echo "$jump" >"$clock.$n"; done
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
  stored_is 150 5
  [ "$(cat "$BATS_TEST_TMPDIR"/err.* |
    grep -c 'k6push: 150 made = 150 stored, 0 lost, 0 twice')" -eq 5 ]
}

# bats test_tags=slow
@test "a server with a wrong certificate gets nothing; all is kept" {
  start_server
  make_ca
  certify good IP:127.0.0.1
  certify other IP:127.0.0.2
  certify expired IP:127.0.0.1 -60d
  certify early IP:127.0.0.1 +60d
  openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$tls/self.key" \
    -out "$tls/self.crt" 2>/dev/null
  use good
  proxy_tls
  n=0
  for bad in other expired early self; do
    use "$bad"
    n=$((n + 1))
    retry 10 presents "$bad"
    K6_CLOUD_TOKEN=secret K6_CLOUD_HOST=$target until_told 'certificate|SSL' \
      k6push -q --drain 0.5s --journal "$journals" --cacert "$tls/ca.crt"
    [ "$status" -eq 75 ]
    grep -iE 'certificate|SSL' <<<"$err"
    grep -F "on_disk=$points" <<<"$err"
  done
  [ ! -s "$nginx_log" ]
  use good
  retry 10 presents good
  capture k6push -q --journal "$journals" --cacert "$tls/ca.crt" --resume
  [ "$status" -eq 0 ]
  [ "$(grep -c "acknowledged=$points" <<<"$err")" -eq "$n" ]
}

@test "a server that only speaks TLS 1.1 gets nothing" {
  start_server
  make_ca
  certify good IP:127.0.0.1
  use good
  proxy_tls 'ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;'
  K6_CLOUD_HOST=$target until_told 'TLS|SSL' k6push -q --drain 0.5s \
    --journal "$journals" --cacert "$tls/ca.crt"
  [ "$status" -eq 75 ]
  grep -iE 'TLS|SSL' <<<"$err"
  [ ! -s "$nginx_log" ]
}

# bats test_tags=slow
@test "the server's certificate expires and is renewed: nothing lost" {
  start_server
  make_ca
  certify first IP:127.0.0.1
  certify expired IP:127.0.0.1 -60d
  certify second IP:127.0.0.1
  use first
  proxy_tls
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  K6_CLOUD_HOST=$target k6push -q --cacert "$tls/ca.crt" \
    <"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  exec 4>"$BATS_TEST_TMPDIR/fifo" 5<"$BATS_TEST_TMPDIR/in"
  feed 901
  retry 10 grep -q metrics "$nginx_log"
  use expired
  retry 10 presents expired
  # A connection that is open already may take one more request.
  is_told() {
    feed 9
    grep -qi certificate "$BATS_TEST_TMPDIR/err"
  }
  retry 10 is_told
  feed 1000
  exec 4>&- 5<&-
  use second
  wait "$push"
  stored_is 200
}

# bats test_tags=slow
@test "out of memory at its n-th allocation: a message, or it goes on; once" {
  sanitized && skip 'the sanitizer has an allocator of its own'
  command -v cc >/dev/null || skip 'no compiler'
  REQUESTS=40 MOST=6000 STEP=97 "$root/tests/faults/killpoints.sh" malloc
}

@test "started with closed descriptors, ignored signals, no home: delivered" {
  start_server
  unset HOME
  mkdir "$BATS_TEST_TMPDIR/gone"
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  (
    cd "$BATS_TEST_TMPDIR/gone"
    rmdir "$BATS_TEST_TMPDIR/gone"
    trap '' PIPE HUP USR1
    k6push -q --journal "$journals" "$BATS_TEST_TMPDIR/in" 0<&- 1>&- 2>&- 3>&-
  )
  stored_is 20
}

@test "links in the journal's place are not followed" {
  mkdir "$BATS_TEST_TMPDIR/victim"
  echo precious >"$BATS_TEST_TMPDIR/victim/run"
  ln -s "$BATS_TEST_TMPDIR/victim" "$BATS_TEST_TMPDIR/link"
  export K6_CLOUD_HOST=http://127.0.0.1:1
  capture k6push -q --drain 0.1s --journal "$journals" "$small"
  journal=$(echo "$journals"/*)
  rm "$journal/run"
  ln -s "$BATS_TEST_TMPDIR/victim/run" "$journal/run"
  capture k6push -q --resume "$journal"
  [ "$status" -eq 75 ]
  grep -F "$journal" <<<"$err"
  [ "$(cat "$BATS_TEST_TMPDIR/victim/run")" = precious ]
}

@test "what the environment says of certificates and logins is not trusted" {
  start_server
  make_ca
  certify good IP:127.0.0.1
  use good
  proxy_tls
  echo "machine 127.0.0.1 login me password secret" >"$HOME/.netrc"
  nginx_log_before=$(cat "$nginx_log")
  K6_CLOUD_HOST=$target until_told 'certificate|SSL' k6push -q --drain 0.3s \
    --no-journal
  [ "$status" -eq 75 ]
  [ "$(cat "$nginx_log")" = "$nginx_log_before" ]
  K6_CLOUD_HOST=$url strace -f -e trace=openat -o "$BATS_TEST_TMPDIR/trace" \
    k6push -q "$small" 2>/dev/null || skip 'no strace here'
  run ! grep -F .netrc "$BATS_TEST_TMPDIR/trace"
}
