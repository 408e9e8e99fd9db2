#!/usr/bin/env bats
# shellcheck disable=SC2154 # prom and the like come from rw.bash
# Remote write when the receiver is away, wrong, or one of many; and what many
# generators add up to.

# bats file_tags=threads
load ../helpers
load rw

teardown() {
  [ -z "${scripted:-}" ] || kill "$scripted" 2>/dev/null || true
  [ -z "${pid:-}" ] || kill -9 "$pid" 2>/dev/null || true
  # What was stopped goes on, to be killed.
  [ -z "${pid:-}" ] || kill -CONT "$pid" 2>/dev/null || true
}

# answering ANSWER...: a receiver with these answers.
answering() {
  rm -f "$BATS_TEST_TMPDIR/url"
  python3 "$tools/rw_receiver.py" "$BATS_TEST_TMPDIR/log" "$@" \
    >"$BATS_TEST_TMPDIR/url" 3>&- &
  scripted=$!
  retry 20 test -s "$BATS_TEST_TMPDIR/url"
  export K6_PROMETHEUS_RW_SERVER_URL
  K6_PROMETHEUS_RW_SERVER_URL=$(cat "$BATS_TEST_TMPDIR/url")
}

one_counter() { counts 1 >"$BATS_TEST_TMPDIR/in"; }

@test "a try after a failure has the same bytes" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  answering 503 '429|Retry-After: 1' 500:once 204
  one_counter
  capture rw "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -q 'resent=3' <<<"$err"
  cat "$BATS_TEST_TMPDIR/log"
  # The begin of the series four times, its value once.
  [ "$(head -n 4 "$BATS_TEST_TMPDIR/log" | cut -d' ' -f2 | sort -u |
    wc -l)" -eq 1 ]
  [ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -eq 5 ]
}

@test "an error of the data that is told as one of the server blocks nothing" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  bad='500:label name "a" is not unique: invalid sample'
  answering "$bad" "$bad" "$bad"
  one_counter
  capture rw "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ] || [ "$status" -eq 0 ]
  grep -q 'refused for good.*is not unique' <<<"$err"
  grep -q 'acknowledged=1 on_disk=0' <<<"$err"
}

# bats test_tags=slow
@test "an error of the receiver's disk, however often, is none of the data" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  bad='500:write to WAL: log samples: no space left on device'
  answering 204 "$bad" "$bad" "$bad" "$bad"
  time=$(($(date +%s) - 60)) counts 2 >"$BATS_TEST_TMPDIR/in"
  capture rw --push-concurrency 1 "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -q 'acknowledged=2 on_disk=0 quarantined=0 .*resent=4' <<<"$err"
}

@test "credentials, tenant and headers go with each write" {
  answering
  one_counter
  export K6_PROMETHEUS_RW_USERNAME=me K6_PROMETHEUS_RW_PASSWORD=secret
  export K6_PROMETHEUS_RW_HEADERS_X_A=one K6_PROMETHEUS_RW_HTTP_HEADERS=b:two
  capture rw --tenant t7 "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  run jq -r '[.authorization, .x_a, .b, ."x-scope-orgid", ."thanos-tenant",
    ."content-encoding", ."x-prometheus-remote-write-version"] |
    join(" ")' <(head -n 1 "$BATS_TEST_TMPDIR/log" | cut -d' ' -f3-)
  [ "$output" = "Basic bWU6c2VjcmV0 one two t7 t7 snappy 0.1.0" ]
  unset K6_PROMETHEUS_RW_USERNAME
  K6_PROMETHEUS_RW_BEARER_TOKEN=tok capture rw "$BATS_TEST_TMPDIR/in"
  run jq -r .authorization <(tail -n 1 "$BATS_TEST_TMPDIR/log" |
    cut -d' ' -f3-)
  [ "$output" = "Bearer tok" ]
}

@test "AWS gets a signature, and never the secret key" {
  answering
  one_counter
  K6_PROMETHEUS_RW_SERVER_URL+=ws/api/v1/remote_write
  export K6_PROMETHEUS_RW_SIGV4_REGION=eu-west-1
  export K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY=AKIDEXAMPLE
  export K6_PROMETHEUS_RW_SIGV4_SECRET_KEY=topsecret
  capture rw "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -q 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/[0-9]*/eu-west-1/aps/aws4' \
    "$BATS_TEST_TMPDIR/log"
  run ! grep -rq topsecret "$BATS_TEST_TMPDIR"
  python3 "$tools/sigv4.py" topsecret /ws/api/v1/remote_write \
    <"$BATS_TEST_TMPDIR/log"
}

@test "version 2.0 falls back to 1.0 where the receiver stores nothing of it" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  one_counter
  for answer in 415 400:unexpected-EOF; do
    rm -f "$BATS_TEST_TMPDIR/log"
    answering "$answer"
    capture rw --rw-version 2 "$BATS_TEST_TMPDIR/in"
    kill "$scripted"
    [ "$status" -eq 0 ]
    grep -q 'knows only remote write 1.0' <<<"$err"
    run jq -r '."x-prometheus-remote-write-version"' <(cut -d' ' -f3- \
      "$BATS_TEST_TMPDIR/log")
    [ "${lines[*]}" = "2.0.0 0.1.0 0.1.0" ]
  done
  # A real one that does not look at the type stores nothing, and is found out.
  export K6_PROMETHEUS_RW_SERVER_URL=$prom/api/v1/write
  capture rw --rw-version 2 "$small"
  [ "$status" -eq 0 ]
  stored_is "$prom" k6_http_reqs_total "$reqs"
}

# sent_as VERSION N: that many writes had that version.
sent_as() {
  [ "$(cut -d' ' -f3- "$BATS_TEST_TMPDIR/log" |
    jq -r '."x-prometheus-remote-write-version"' | grep -cx "$1")" -eq "$2" ]
}

@test "version 2.0: only what the receiver says it wrote is stored" {
  # 2xx for what it did not store, and 400 for what it stored but for one.
  for status_of_bad in 204 400; do
    rm -f "$BATS_TEST_TMPDIR/log"*
    answering "WRITTEN:$status_of_bad:i=2"
    time=$(($(date +%s) - 60)) counts 8 5 >"$BATS_TEST_TMPDIR/in"
    capture rw --rw-version 2 --instance g "$BATS_TEST_TMPDIR/in"
    kill "$scripted"
    [ "$status" -eq 75 ]
    grep -q 'acknowledged=7 on_disk=0 quarantined=1' <<<"$err"
    grep -q '0 samples and 0 histograms of the batch were written' <<<"$err"
    [ "$(grep -c ' 5@' "$BATS_TEST_TMPDIR/log.stored")" -ge 7 ]
    run ! grep -q 'i=2' "$BATS_TEST_TMPDIR/log.stored"
    sent_as 0.1.0 0
  done
  # Histograms and all: what it wrote is done.
  rm -f "$BATS_TEST_TMPDIR/log"*
  answering "WRITTEN:204:i=none"
  capture rw --rw-version 2 "$small"
  [ "$status" -eq 0 ]
  grep -q "acknowledged=$points on_disk=0" <<<"$err"
  grep -q 'k6_http_req_duration_seconds.*histogram' \
    "$BATS_TEST_TMPDIR/log.stored"
  [ "$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/log" | sort -u)" = 204 ]
}

# starts: of LOG.stored, each metric with a start that it tells and the time of
# its first sample.
starts() {
  sed -E 's/.*__name__=([^,]*).*@([0-9]*)<([0-9]*)$/\1 \2 \3/' \
    "$BATS_TEST_TMPDIR/log.stored" | awk '!($1 in first) { first[$1] = $2 }
      { seen[$1 " " $3] = 1 }
      END { for (k in seen) { split(k, a); print k, first[a[1]] } }' | sort
}

@test "version 2.0: what counts tells when it began, and gauges do not" {
  for form in native vmrange classic; do
    rm -f "$BATS_TEST_TMPDIR/log"*
    answering "WRITTEN:204:i=none"
    { counts 30 5
      for ago in 40 20; do
        for m in checks http_req_duration vus; do
          time=$(date -u -d "-$ago seconds" +%Y-%m-%dT%H:%M:%SZ) point "$m" 1
        done
      done; } | sed 's/"i":"[0-9]*"//' >"$BATS_TEST_TMPDIR/in"
    capture rw --rw-version 2 --rw-form "$form" "$BATS_TEST_TMPDIR/in"
    kill "$scripted"
    [ "$status" -eq 0 ]
    sent_as 0.1.0 0
    starts >"$BATS_TEST_TMPDIR/starts"
    cat "$BATS_TEST_TMPDIR/log.stored" "$BATS_TEST_TMPDIR/starts"
    # One start, which is the time of the 0 that a series begins with. Of
    # ranges only those with values are sent.
    awk '/_total |_seconds/ { n++; if ($2 == 0) bad = 1 }
      /_total |_seconds |_count|_sum/ && $2 != $3 { bad = 1 }
      /k6_vus |_rate / { gauges++; if ($2 != 0) bad = 1 }
      END { exit bad || n < 4 || gauges != 2 }' "$BATS_TEST_TMPDIR/starts"
  done
  # Version 1.0 has no place for it.
  capture rw --dry-run "$BATS_TEST_TMPDIR/in"
  run ! grep -q '"start"' <<<"$out"
}

@test "version 2.0: writes under way at the fallback are sent again, too" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  answering 204 204 204 204
  time=$(($(date +%s) - 60)) counts 64 5 >"$BATS_TEST_TMPDIR/in"
  capture rw --rw-version 2 --push-concurrency 8 "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -q 'acknowledged=64' <<<"$err"
  # Whatever went as 2.0 went again: begin and values of 8 lanes as 1.0.
  sent_as 0.1.0 16
}

# bats test_tags=slow
@test "where only the end of the run waits, that is what is said" {
  answering 204 204 503 503 503 503 503
  one_counter
  # The begin of the series and its value are there when the input ends.
  two_came() { [ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -ge 2 ]; }
  capture rw --drain 4s < <(cat "$BATS_TEST_TMPDIR/in"
    retry 20 two_came 2>/dev/null)
  [ "$status" -eq 75 ]
  grep -q 'acknowledged=1 on_disk=0' <<<"$err"
  grep -q "the end of the run is kept on disk; .* --resume $journals" <<<"$err"
  run ! grep -q '0 samples' <<<"$err"
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  [ -z "$(ls "$journals")" ]
}

@test "a page in the receiver's place takes nothing" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  answering '200:<html>|Content-Type: text/html'
  one_counter
  capture rw "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -q 'still retrying.*a page' <<<"$err"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -eq 3 ]
}

@test "histograms that a Prometheus has switched off stop nothing else" {
  # shellcheck disable=SC2154 # receiver, of rw.bash
  start_prometheus plain "$receiver"
  export K6_PROMETHEUS_RW_SERVER_URL=$base/api/v1/write
  capture rw "$small"
  [ "$status" -eq 75 ]
  grep -q 'native histograms are disabled.*--rw-form classic' <<<"$err"
  stored_is "$base" k6_http_reqs_total "$reqs"
}

# stored_least VALUE: so much of the counter is stored in $base, or more.
stored_least() {
  local got
  got=$(stored "$base" k6_c_total)
  [ "${got:-0}" -ge "$1" ]
}

# fails_on_disk N: so many writes met a full disk.
fails_on_disk() {
  [ "$(grep -c 'no space left' "$BATS_FILE_TMPDIR/full/log")" -ge "$1" ]
}

# push_from_pipe: a push in the background, $pusher, of what comes to 9.
push_from_pipe() {
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  k6push "${to_store[@]}" --testid "$id" --instance g --drain 10m \
    <"$BATS_TEST_TMPDIR/pipe" 3>&- 2>"$BATS_TEST_TMPDIR/err" &
  pusher=$!
  exec 9>"$BATS_TEST_TMPDIR/pipe"
}

@test "a receiver that is killed, stopped and comes back has it all, once" {
  # shellcheck disable=SC2154 # of rw.bash
  start_prometheus fault "$receiver" "$histograms"
  export K6_PROMETHEUS_RW_SERVER_URL=$base/api/v1/write
  push_from_pipe
  now=$(date +%s)
  time=$((now - 120)) counts 50 >&9
  time=$((now - 100)) counts 50 | sed 1d >&9
  retry 30 stored_least 50
  port=${base##*:}
  kill_now "$pid"
  time=$((now - 80)) counts 50 | sed 1d >&9
  retry 30 grep -q 'still retrying' "$BATS_TEST_TMPDIR/err"
  # shellcheck disable=SC2154 # of rw.bash
  start_prometheus fault "$receiver" "$histograms" 9>&-
  retry 30 stored_least 100
  kill -STOP "$pid"
  time=$((now - 60)) counts 50 | sed 1d >&9
  exec 9>&-
  kill -CONT "$pid"
  wait "$pusher"
  grep -q 'acknowledged=200 on_disk=0 quarantined=0 .*lost=0' \
    "$BATS_TEST_TMPDIR/err"
  stored_is "$base" k6_c_total 200
}

# push_before_full: what $base takes while it has room. push_when_full: what
# comes later, of the same series and of new ones, and the end.
push_before_full() {
  export K6_PROMETHEUS_RW_SERVER_URL=$base/api/v1/write
  push_from_pipe
  now=$(date +%s)
  time=$((now - 120)) counts 200 >&9
  time=$((now - 100)) counts 200 | sed 1d >&9
  retry 30 stored_least 200
}
push_when_full() {
  time=$((now - 80)) counts 200 | sed 1d >&9
  time=$((now - 60)) counts 50 1 d >&9
  exec 9>&-
}

# bats test_tags=slow
@test "a receiver whose disk is full gets it all when there is room" {
  start_small 6m start_prometheus full "$receiver" "$histograms"
  push_before_full
  head -c 64M /dev/zero 2>/dev/null >"$disk/filler" || true
  push_when_full
  retry 30 grep -q 'still retrying.*no space left' "$BATS_TEST_TMPDIR/err"
  retry 30 fails_on_disk 4
  rm "$disk/filler"
  wait "$pusher"
  cat "$BATS_TEST_TMPDIR/err"
  grep -q 'acknowledged=650 on_disk=0 quarantined=0 .*lost=0' \
    "$BATS_TEST_TMPDIR/err"
  run ! grep -q 'refused for good' "$BATS_TEST_TMPDIR/err"
  stored_is "$base" k6_c_total 600
  stored_is "$base" k6_d_total 50
}

# bats test_tags=slow
@test "VictoriaMetrics whose disk is full gets it all when there is room" {
  # It keeps 10 MB free, and says 503 when there is less.
  start_small 24m start_victoria full_victoria
  push_before_full
  head -c 18M /dev/zero >"$disk/filler"
  retry 30 grep -q 'to read-only mode' "$BATS_FILE_TMPDIR/full_victoria/log"
  push_when_full
  retry 30 grep -q 'still retrying.*503.*read-only mode' "$BATS_TEST_TMPDIR/err"
  tries() {
    [ "$(grep -c 'error when.*read-only' "$BATS_FILE_TMPDIR/full_victoria/log")" \
      -ge 4 ]
  }
  retry 60 tries
  rm "$disk/filler"
  wait "$pusher"
  cat "$BATS_TEST_TMPDIR/err"
  # It is said once.
  [ "$(grep -c 'read-only mode' "$BATS_TEST_TMPDIR/err")" -eq 1 ]
  grep -q 'the server takes samples again' "$BATS_TEST_TMPDIR/err"
  grep -q 'acknowledged=650 on_disk=0 quarantined=0 .*lost=0' \
    "$BATS_TEST_TMPDIR/err"
  [ -z "$(ls "$journals")" ]
  retry 30 stored_is "$base" k6_c_total 600
  retry 30 stored_is "$base" k6_d_total 50
}

# half_refused STORED REFUSED WHY: of what stdin says, at $base.
half_refused() {
  capture rw --instance g --rw-url "$base/api/v1/write"
  [ "$status" -eq 75 ]
  grep -q "acknowledged=$1 on_disk=0 quarantined=$2 .*lost=0" <<<"$err"
  grep -q "refused for good: .*$3" <<<"$err"
}

# highest BASE METRIC: the sum of its largest values, also in the future.
highest() {
  curl -sS "$1/api/v1/query" -d "time=$(($(date +%s) + 700))" --data-urlencode \
    "query=sum(max_over_time($2{testid=\"$id\"}[2h]))" |
    jq -r '.data.result[].value[1]'
}

# old_series N HOURS: requests of N series, one of each every ten minutes of the
# last hours, one value on a line.
old_series() {
  awk -v n="$1" -v seconds=$(($2 * 3600)) -v last="$(date +%s)" '
    BEGIN { for (t = last - seconds; t < last; t += 600) for (i = 0; i < n; i++)
      printf "{\"metric\":\"http_reqs\",\"type\":\"Point\",\"data\":{" \
        "\"time\":\"%s\",\"value\":1,\"tags\":{\"i\":\"%d\"}}}\n",
        strftime("%Y-%m-%dT%H:%M:%SZ", t, 1), i }'
}

@test "what is refused as too old is in later samples: none is lost" {
  # As after an outage of hours: others have written meanwhile.
  id=other counts 1 | rw -q
  for n in 1 100; do
    old_series "$n" 3 >"$BATS_TEST_TMPDIR/in"
    made=$(wc -l <"$BATS_TEST_TMPDIR/in")
    capture rw --instance "$n" --verify --result "$BATS_TEST_TMPDIR/result" \
      "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 0 ]
    grep -q 'refused for good: .*out of bounds' <<<"$err"
    grep -q "read=$made acknowledged=$made on_disk=0 quarantined=0" <<<"$err"
    grep -qF "$made made = $made stored, 0 lost, 0 twice, verified" <<<"$err"
    old=$(sed -nE 's/^k6push: ([0-9]+) samples were refused, but .*/\1/p' \
      <<<"$err")
    [ "$old" -ge $((n * 10)) ]
    [ "$(jq .samples.superseded "$BATS_TEST_TMPDIR/result")" -eq "$old" ]
    # Nothing of it is kept.
    [ -z "$(ls "$journals")" ]
  done
  stored_is "$prom" k6_http_reqs_total $((18 * 101))
  # Without a journal it is not lost either.
  capture k6push --out prometheus-rw --no-journal --testid "$id" --instance h \
    <(old_series 1 3)
  [ "$status" -eq 0 ]
  grep -q 'quarantined=0 invalid=0 lost=0' <<<"$err"
}

# unsent N: so many samples or more are on disk, to be sent.
unsent() {
  [ "$(k6push --list --journal "$journals" |
    sed -nE 's/.*\t([0-9]+) samples\t.*/\1/p')" -ge "$1" ]
}

# nearly_all_closed: of the batch that is being filled hardly a line is there. What
# is recovered of it goes into a series of its own, which holds nothing of what was
# refused before.
nearly_all_closed() {
  [ -z "$(find "$journals" -name 'open.*' -size +300c)" ]
}

@test "what was refused before kill -9 is in what --resume sends: no loss" {
  id=other counts 1 | rw -q
  start_nginx <<<"location / { proxy_pass $prom; }"
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  old_series 1 3 >"$BATS_TEST_TMPDIR/in"
  k6push "${to_store[@]}" --testid "$id" --instance g --sync always \
    --rw-url "$target/api/v1/write" <"$BATS_TEST_TMPDIR/pipe" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  pid=$!
  exec 9>"$BATS_TEST_TMPDIR/pipe"
  head -n 9 "$BATS_TEST_TMPDIR/in" >&9
  retry 20 grep -q 'refused for good: .*out of bounds' "$BATS_TEST_TMPDIR/err"
  retry 20 refused_before 8
  stop_nginx
  tail -n +10 "$BATS_TEST_TMPDIR/in" >&9
  retry 20 unsent 9
  retry 20 nearly_all_closed
  kill_now "$pid"
  exec 9>&-
  pid=
  capture k6push --resume --verify --rw-url "$prom/api/v1/write" "$journals"
  [ "$status" -eq 1 ] # its run was cut short
  grep -qF '18 made = 18 stored, 0 lost, 0 twice, verified' <<<"$err"
  grep -qE '^k6push: [0-9]+ samples were refused, but later ones' <<<"$err"
  stored_is "$prom" k6_http_reqs_total 18
  [ -z "$(ls "$journals")" ]
}
# refused_before N: of the samples so many or more are kept aside.
refused_before() {
  [ "$(find "$journals" -path '*/refused/*.txt' | wc -l)" -ge "$1" ]
}

# bats test_tags=slow
@test "what is late, early or too old is refused alone, the rest is stored" {
  export K6_PROMETHEUS_RW_STALE_MARKERS=false
  base=$prom now=$(date +%s)
  time=$((now - 60)) counts 3 5 | rw -q --instance g
  # Older than what its series has; the fourth is new.
  half_refused 1 3 'out of order sample' < <(time=$((now - 90)) counts 4 5)
  [ "$(highest "$prom" k6_c_total)" = 20 ]
  # New series: one hour and five minutes old, one of now, one of the future.
  # The last sample of each series is one of the run's end, which is not old.
  capture rw --instance g < <(time=$((now - 3900)) counts 1 5 d
    time=$((now - 50)) counts 1 6 e
    time=$((now + 660)) counts 1 7 f)
  [ "$status" -eq 0 ]
  grep -q 'refused for good: .*out of bounds' <<<"$err"
  grep -q 'acknowledged=3 on_disk=0 quarantined=0 .*lost=0' <<<"$err"
  run eval 'for m in d e f; do highest "$prom" "k6_${m}_total"; done'
  echo "$output"
  [ "${lines[*]}" = '5 6 7' ]
  # With a window: what is within it is stored, what is not is a 500.
  config='storage: {tsdb: {out_of_order_time_window: 30m}}' \
    start_prometheus window "$receiver" "$histograms"
  time=$((now - 60)) counts 2 5 | rw -q --instance g --rw-url \
    "$base/api/v1/write"
  capture rw --instance h --rw-url "$base/api/v1/write" < <(
    time=$((now - 1500)) counts 2 5)
  [ "$status" -eq 0 ]
  half_refused 0 2 'too old sample' < <(time=$((now - 3000)) counts 2 5)
  capture rw --instance g --rw-url "$base/api/v1/write" < <(
    time=$((now - 3000)) counts 2 5
    time=$((now - 50)) counts 1 5 e)
  [ "$status" -eq 0 ]
  grep -q 'acknowledged=3 on_disk=0 quarantined=0 .*lost=0' <<<"$err"
  run eval 'for m in c e; do highest "$base" "k6_${m}_total"; done'
  echo "$output"
  [ "${lines[*]}" = '20 5' ]
}

@test "a tenant that is missing or wrong is told before the first line" {
  start_nginx <<EOF
location / {
  if (\$http_x_scope_orgid = "") { return 401 "no org id\n"; }
  if (\$http_x_scope_orgid != "team") { return 403 "no such tenant\n"; }
  rewrite ^/api/v1/push /api/v1/write break;
  rewrite ^/prometheus(/.*) \$1 break;
  proxy_pass $prom;
}
EOF
  export K6_PROMETHEUS_RW_SERVER_URL=$target/api/v1/push
  capture rw /nonexistent/file
  [ "$status" -eq 1 ]
  grep -q '401.*no org id (name the tenant: --tenant)' <<<"$err"
  capture rw --tenant other /nonexistent/file
  [ "$status" -eq 1 ]
  grep -q '403.*no such tenant (name the tenant: --tenant)' <<<"$err"
  run ! grep -q nonexistent/file <<<"$err"
  capture rw --tenant team --verify "$small"
  stop_nginx
  [ "$status" -eq 0 ]
  grep -qF "$reqs made = $reqs stored, 0 lost, 0 twice" <<<"$err"
}

# part N: its requests, 20 s behind those before; $now is the end of all.
part() {
  python3 "$tools/latencies.py" 300 4 $((now - 120 + $1 * 20)) "$1" \
    "$BATS_TEST_TMPDIR/values"
}

counted() {
  local got
  got=$(stored "$base" k6_http_reqs_total)
  [ "${got:-0}" -ge "$1" ]
}

# waiting FROM TO: so many samples are in the journal and not delivered.
waiting() {
  local n
  n=$(k6push --list --journal "$journals" | sed -nE 's/.*\t([0-9]+) samples.*/\1/p')
  echo "waiting: $n"
  [ "${n:-0}" -ge "$1" ] && [ "${n:-0}" -le "$2" ]
}

# bats test_tags=slow
@test "a receiver without histograms in mid-run, kill -9, another schema" {
  export K6_PROMETHEUS_RW_PUSH_INTERVAL=1s
  start_prometheus switch "$receiver" "$histograms"
  export K6_PROMETHEUS_RW_SERVER_URL=$base/api/v1/write
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  k6push "${to_store[@]}" --testid "$id" --instance g \
    --push-concurrency 1 <"$BATS_TEST_TMPDIR/pipe" 3>&- 2>"$BATS_TEST_TMPDIR/err" &
  pusher=$!
  exec 9>"$BATS_TEST_TMPDIR/pipe"
  now=$(date +%s) port=${base##*:}
  part 1 >&9
  retry 30 counted 300
  kill_now "$pid"
  start_prometheus switch "$receiver" 9>&-
  part 2 >&9
  retry 30 grep -q 'refused for good.*histograms are disabled' \
    "$BATS_TEST_TMPDIR/err"
  retry 30 counted 600
  kill_now "$pid"
  start_prometheus switch "$receiver" "$histograms" 9>&-
  part 3 >&9
  retry 30 counted 900
  # What the killed one had read comes by another, with coarser histograms.
  retry 30 waiting 0 100
  kill -STOP "$pid"
  part 4 >&9
  retry 30 waiting 1000 99999
  kill_now "$pusher"
  exec 9>&-
  kill -CONT "$pid"
  capture k6push --resume --rw-schema 3 "$journals"
  [ "$status" -eq 1 ] # its run was cut short
  made=$(sed -nE 's/.*: ([0-9]+) made = \1 stored, 0 lost, 0 twice/\1/p' \
    <<<"$err")
  [ "$made" -gt 900 ]
  stored_is "$base" k6_http_reqs_total "$made"
  # Histograms are of the whole run: what came later has what was refused.
  run ask "$base" "max_over_time(histogram_count(sum(
    k6_http_req_duration_seconds{testid=\"$id\"}))[5m:1s])"
  echo "histograms: $output"
  [ "$output" = "$made" ]
}

@test "three generators, folded or not: sum() has the pooled percentiles" {
  end=$(($(date +%s) - 30))
  for g in 1 2 3; do
    python3 "$tools/latencies.py" $((g * 700)) 50 "$end" "$g" \
      "$BATS_TEST_TMPDIR/values$g" >"$BATS_TEST_TMPDIR/$g"
    if [ "$g" = 2 ]; then
      k6agg -q -p 3s "$BATS_TEST_TMPDIR/$g" | rw -q --instance "$g"
    else
      rw -q --instance "$g" "$BATS_TEST_TMPDIR/$g"
    fi
  done
  stored_is "$prom" k6_http_reqs_total 4200
  for p in 0.5 0.9 0.95 0.99 0.999; do
    got=$(curl -sS "$prom/api/v1/query" --data-urlencode "time=$((end + 1))" \
      --data-urlencode "query=histogram_quantile($p, sum(
      k6_http_req_duration_seconds{testid=\"$id\"}))" |
      jq -r '.data.result[].value[1]')
    # Within 0.8 % of the pooled value, or of one of its two neighbours.
    sort -g "$BATS_TEST_TMPDIR"/values? | awk -v p="$p" -v got="$got" '
      { v[NR] = $1 }
      END { at = int(p * NR) + 1
        print p, got, v[at]
        exit !(got > v[at - 1] * 0.992 && got < v[at + 1] * 1.008) }'
  done
}

# bats test_tags=slow
@test "a late upload: VictoriaMetrics takes what is old" {
  export K6_PROMETHEUS_RW_SERVER_URL=$victoria/api/v1/write
  old=$(($(date +%s) - 40 * 86400))
  time=$old counts 20 5 | rw -q --instance old
  counts 20 5 | rw -q --instance new
  retry 20 stored_is "$victoria" k6_c_total 100
  has_old() {
    [ "$(ask "$victoria" "sum(last_over_time(
      k6_c_total{testid=\"$id\",instance=\"old\"}[1h] offset 40d))")" = 100 ]
  }
  retry 20 has_old
}

@test "a late upload: a Prometheus of its own takes what is old" {
  start_prometheus old "$receiver" "$histograms"
  old=$(($(date +%s) - 40 * 86400 - 600))
  time=$old counts 20 5 >"$BATS_TEST_TMPDIR/in"
  capture rw --instance old --rw-url "$base/api/v1/write" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -q 'acknowledged=20 on_disk=0 quarantined=0' <<<"$err"
  [ "$(ask "$base" "sum(last_over_time(
    k6_c_total{testid=\"$id\"}[1h] offset 40d))")" = 100 ]
}

@test "every query of the dashboard has an answer from a real run" {
  end=$(($(date +%s) - 5))
  for g in 1 2; do
    { python3 "$tools/latencies.py" 300 50 "$end" "$g"
      for m in vus vus_max; do time=$end point "$m" 3; done
      for m in iterations checks; do time=$end point "$m" 1; done
      for m in data_sent data_received; do time=$end point "$m" 900; done; } |
      sed "s/\"time\":\"$end\"/\"time\":\"$(date -u -d "@$end" \
        +%Y-%m-%dT%H:%M:%SZ)\"/" | rw -q --instance "$g"
  done
  n=0
  while IFS= read -r query; do
    query=${query//\$testid/$id} query=${query//\$instance/.+}
    query=${query//\$__rate_interval/1m} query=${query//\$url/.+}
    curl -sS "$prom/api/v1/query_range" --data-urlencode "query=$query" \
      -d start=$((end - 40)) -d end="$end" -d step=5 >"$BATS_TEST_TMPDIR/a"
    echo "$query: $(head -c 300 "$BATS_TEST_TMPDIR/a")"
    [ "$(jq '.data.result | length' "$BATS_TEST_TMPDIR/a")" -gt 0 ]
    n=$((n + 1))
  done < <(jq -r '.. | .expr? // empty' "$root/share/grafana/k6pipe.json")
  [ "$n" -ge 15 ]
}
