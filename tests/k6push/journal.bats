#!/usr/bin/env bats
# journal: what k6push read survives the server, the process and the disk.

# bats file_tags=threads
load ../helpers
load push

# away [OPTION...]: push the small corpus to a server that is not there.
away() {
  K6_CLOUD_HOST=http://127.0.0.1:1 capture k6push --journal "$journals" \
    --drain 1s "$@"
}

# books FIELD: of the last line with books in $err.
books() {
  grep -o "$1=[0-9]*" <<<"$err" | tail -n 1 | cut -d = -f 2
}

# The balance, from what was printed.
balanced() {
  [ "$(books read)" -eq $(($(books acknowledged) + $(books on_disk) +
    $(books quarantined) + $(books invalid) + $(books lost))) ]
}

# listed TEXT: does --list say so?
listed() {
  k6push --list --journal "$journals" | grep "$1"
}

# is_ended: the journal has the end of the input.
is_ended() { grep -aqs '"has_ended":true' "$journals"/*/run; }

# hidden PID: no token in what others can see of the process, nor in a core.
hidden() {
  is_program "$1" &&
    ! grep -aq canary "/proc/$1/environ" "/proc/$1/cmdline" &&
    [ "$(awk '/Max core file size/ { print $5 }' "/proc/$1/limits")" = 0 ]
}

@test "an outage over the whole run: kept, listed, resumed, gone" {
  start_server
  port=${url##*:}
  stop_server
  K6_CLOUD_HOST=$url capture k6push --journal "$journals" --drain 1s "$small"
  [ "$status" -eq 75 ]
  [ "$(books on_disk)" -eq "$points" ]
  balanced
  [ "$(stat -c %a "$journals"/*)" = 700 ]
  capture k6push --list --journal "$journals"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 1 ]
  grep -F "$points samples" <<<"$out"
  start_server --listen "127.0.0.1:$port"
  # The journal knows its server, whatever the environment says.
  K6_CLOUD_HOST=http://127.0.0.1:1 capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  [ "$(books acknowledged)" -eq "$points" ]
  balanced
  [ "$(api runs/1 .totals.http_reqs)" = "$reqs" ]
  [ "$(api runs/1 .state)" = Finished ]
  [ "$(api runs/1 .name)" = small.ndjson ]
  [ -z "$(ls "$journals")" ]
  capture k6push --resume --journal "$journals"
  [ "$status" -eq 0 ]
  grep -F 'nothing is left' <<<"$err"
}

@test "the usual place is below XDG_STATE_HOME, and closed to others" {
  umask 000
  XDG_STATE_HOME=$BATS_TEST_TMPDIR/state K6_CLOUD_HOST=http://127.0.0.1:1 \
    capture k6push --drain 0s "$small"
  [ "$status" -eq 75 ]
  [ "$(stat -c %a "$BATS_TEST_TMPDIR"/state/k6push/*)" = 700 ]
  run find "$BATS_TEST_TMPDIR/state" -type f -perm /077
  [ -z "$output" ]
  HOME='' XDG_STATE_HOME=relative capture k6push "$small"
  [ "$status" -eq 1 ]
  grep -F 'no place for the journal' <<<"$err"
}

@test "a killed push is resumed; its run ends as aborted" {
  start_server
  mkfifo "$BATS_TEST_TMPDIR/in"
  k6push --journal "$journals" <"$BATS_TEST_TMPDIR/in" 2>/dev/null 3>&- &
  push=$!
  disown
  exec 4>"$BATS_TEST_TMPDIR/in"
  kill -STOP "$server"
  stream 50 0 | head -n 440 >&4
  retry 10 in_journals 432
  kill_now "$push"
  exec 4>&-
  kill -CONT "$server"
  capture k6push --resume "$journals"
  [ "$status" -eq 1 ]
  grep -F 'the push was cut short' <<<"$err"
  # 48 whole requests, the last of which waited for its next line.
  stored_is 48
  [ "$(api runs/1 .state)" = 'Aborted by System' ]
  [ "$(api runs length)" = 1 ]
}

@test "killed in its first moments: the run keeps its name, or there is none" {
  command -v strace >/dev/null || skip 'no strace'
  start_server
  stream 20 0 >"$BATS_TEST_TMPDIR/all"
  local n kept=0 empty=0
  for n in 1 2 3 4 5 6; do
    strace -f -qq -o /dev/null -e trace=pwritev \
      -e "inject=pwritev:signal=KILL:when=$n" \
      k6push -q --journal "$journals" "$BATS_TEST_TMPDIR/all" \
      2>/dev/null 3>&- || true
    capture k6push -q --resume "$journals"/*
    [ -z "$(ls "$journals")" ]
    if grep -F 'nothing had been read: removed' <<<"$err"; then
      [ "$status" -eq 0 ]
      empty=$((empty + 1))
    else
      [ "$status" -le 1 ]
      kept=$((kept + 1))
    fi
  done
  [ "$kept" -gt 0 ] && [ "$empty" -gt 0 ]
  [ "$(api runs 'map(.name) | unique | join(" ")')" = stream ]
}

@test "a journal with nothing in it is removed, and makes no run" {
  start_server
  (umask 077 && mkdir -p "$journals/killed")
  touch "$journals/killed/lock"
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  grep -F 'nothing had been read: removed' <<<"$err"
  [ -z "$(ls "$journals")" ]
  [ "$(api runs length)" = 0 ]
}

@test "a push that was killed after its input ended ends as it was to end" {
  start_server
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  kill -STOP "$server"
  k6push --journal "$journals" "$BATS_TEST_TMPDIR/in" 2>/dev/null 3>&- &
  push=$!
  disown
  retry 10 listed '180 samples'
  retry 10 is_ended
  kill_now "$push"
  kill -CONT "$server"
  capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  stored_is 20
  [ "$(api runs/1 .state)" = Finished ]
}

@test "--discard removes a journal and says what is lost with it" {
  away "$small"
  journal=$(echo "$journals"/*)
  capture k6push --discard
  [ "$status" -eq 2 ]
  grep -F -- '--discard needs a JOURNAL' <<<"$err"
  capture k6push --discard --journal "$journals" "$journals/none"
  [ "$status" -eq 1 ]
  [ -e "$journal" ]
  flock "$journal/lock" sleep 600 3>&- &
  holder=$!
  retry 10 listed 'in use'
  capture k6push --discard "$journal"
  [ "$status" -eq 75 ]
  [ -e "$journal/run" ]
  pkill -P "$holder"
  wait "$holder" || true
  capture k6push --discard "$journal"
  [ "$status" -eq 0 ]
  [ "$err" = "k6push: $journal: $points samples discarded" ]
  [ ! -e "$journal" ]
}

@test "a journal has one user at a time" {
  mkfifo "$BATS_TEST_TMPDIR/in"
  K6_CLOUD_HOST=http://127.0.0.1:1 k6push --journal "$journals" \
    <"$BATS_TEST_TMPDIR/in" 2>/dev/null 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/in"
  stream 2 0 >&4
  retry 20 listed '18 samples'
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  grep -F "in use by process $push" <<<"$err"
  k6push --list --journal "$journals" | grep -F 'in use'
  exec 4>&-
  kill_now "$push"
}

@test "SIGTERM with the server away: on disk, and told" {
  mkfifo "$BATS_TEST_TMPDIR/in"
  K6_CLOUD_HOST=http://127.0.0.1:1 k6push --journal "$journals" \
    <"$BATS_TEST_TMPDIR/in" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/in"
  stream 5 0 >&4
  retry 20 listed '45 samples'
  kill -TERM "$push"
  code=0
  wait "$push" || code=$?
  exec 4>&-
  [ "$code" -eq 75 ]
  err=$(cat "$BATS_TEST_TMPDIR/err")
  [ "$(books on_disk)" -eq 45 ]
  grep -F "k6push --resume $journals/" <<<"$err"
}

@test "a full journal makes reading wait, and nothing is lost" {
  start_server
  stream 9000 0 >"$BATS_TEST_TMPDIR/in"
  kill -STOP "$server"
  k6push --journal "$journals" --journal-size 1M "$BATS_TEST_TMPDIR/in" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  retry 10 grep -F 'the journal is full: reading waits' \
    "$BATS_TEST_TMPDIR/err"
  [ "$(du -sk "$journals" | cut -f 1)" -le 2000 ]
  kill -CONT "$server"
  wait "$push"
  stored_is 9000
  grep -F 'reading goes on' "$BATS_TEST_TMPDIR/err"
}

@test "a damaged journal starts, says what is lost, and delivers the rest" {
  start_server
  stop_server
  stream 60 0 >"$BATS_TEST_TMPDIR/in"
  K6_CLOUD_HOST=$url capture k6push --journal "$journals" --drain 0s \
    --max-samples-per-package 20 --push-interval 1h "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  segment=$(echo "$journals"/*/seg.1)
  size=$(stat -c %s "$segment")
  printf 'XXXX' | dd of="$segment" bs=1 seek=$((size / 2)) conv=notrunc \
    status=none
  start_server --listen "127.0.0.1:${url##*:}"
  capture k6push --resume "$journals"
  [ "$status" -eq 75 ]
  grep -F 'damaged bytes are set aside' <<<"$err"
  grep -F '1 batch of the journal is damaged and lost' <<<"$err"
  [ "$(api runs/1 .totals.http_reqs)" = 40 ]
  [ "$(find "$journals" -path '*/bad/*' -type f | wc -l)" -eq 1 ]
}

@test "without a journal what waits at the end is lost, loudly" {
  K6_CLOUD_HOST=http://127.0.0.1:1 XDG_STATE_HOME=$BATS_TEST_TMPDIR/state \
    capture k6push --no-journal --drain 1s "$small"
  [ "$status" -eq 75 ]
  [ "$(books lost)" -eq "$points" ]
  balanced
  grep -F "$points samples were not delivered and are lost" <<<"$err"
  [ ! -e "$BATS_TEST_TMPDIR/state" ]
}

@test "413: the batch is split until the server takes it" {
  start_server
  start_nginx <<EOF
client_max_body_size 2k;
location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }
EOF
  stream 300 0 >"$BATS_TEST_TMPDIR/in"
  K6_CLOUD_HOST=$target K6_CLOUD_NO_COMPRESS=true capture k6push \
    --journal "$journals" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  stored_is 300
  balanced
}

# have_all DIR REQUESTS: the server and the journals there have so many, which
# are nine samples each. What is stored and not acknowledged yet counts twice.
have_all() {
  local waiting stored
  stored=$(python3 "$root/tests/tools/stored.py" \
    "$BATS_TEST_TMPDIR/k6serve.db" | cut -d' ' -f1)
  waiting=$(k6push --list "$1" | grep -o '[0-9]* samples')
  [ "$((${waiting% samples} + 9 * stored))" -ge "$((9 * $2))" ]
}

@test "batches are split while input flows, then kill -9: nothing is lost" {
  start_server
  nginx_format='$status'
  start_nginx <<EOF
client_max_body_size 10k;
location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }
EOF
  # Slow compression: much is read while a batch is being split.
  cc -shared -fPIC -o "$BATS_TEST_TMPDIR/slow.so" -xc - -ldl <<'EOF'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int deflate(void *stream, int flush) {
  int (*real)(void *, int) = (int (*)(void *, int))dlsym(RTLD_NEXT, "deflate");
  usleep(20000);
  return real(stream, flush);
}
EOF
  mkfifo "$BATS_TEST_TMPDIR/in"
  sanitized || slow=$BATS_TEST_TMPDIR/slow.so
  LD_PRELOAD=${slow:-} K6_CLOUD_HOST=$target K6_CLOUD_NO_COMPRESS=true \
    k6push --journal "$journals" --max-samples-per-package 60 \
    <"$BATS_TEST_TMPDIR/in" 2>/dev/null 3>&- &
  push=$!
  disown
  exec 4>"$BATS_TEST_TMPDIR/in"
  stream 3000 1500 >&4
  are_split() { [ "$(grep -c 413 "$nginx_log")" -gt 3 ]; }
  retry 20 are_split
  # And once more, when nothing is on its way twice any more.
  retry 60 have_all "$journals" 3000
  sleep 0.3
  retry 60 have_all "$journals" 3000
  kill_now "$push"
  exec 4>&-
  K6_CLOUD_NO_COMPRESS=true capture k6push --resume "$journals"
  [ "$status" -eq 1 ]
  run ! grep -F damaged <<<"$err"
  balanced
  stored_is 3000
}

@test "what is refused for good is kept aside with the reason, exit 75" {
  start_nginx <<'EOF'
location /v1/metrics { return 422 '{"error":{"message":"bad sample"}}'; }
location / { return 200 '{"reference_id":"5"}'; }
EOF
  K6_CLOUD_HOST=$target capture k6push --journal "$journals" "$small"
  [ "$status" -eq 75 ]
  [ "$(books quarantined)" -eq "$points" ]
  balanced
  # It was tried in ever smaller parts, and then told once.
  [ "$(zcat "$journals"/*/refused/*.gz | jq -s 'map(length) | add')" -eq \
    "$(k6push --dry-run "$small" | wc -l)" ]
  [ "$(find "$journals" -path '*/refused/*.gz' | wc -l)" -gt 1 ]
  for reason in "$journals"/*/refused/*.txt; do
    grep -F 'bad sample' "$reason"
  done
  [ "$(grep -c 'refused for good' <<<"$err")" -eq 1 ]
  grep -E '[0-9]+ more batches were refused for a reason' <<<"$err"
  [ "$(wc -l <"$nginx_log")" -le 200 ]
}

@test "what is resumed goes to its own run, whatever the shell names" {
  start_server
  stop_server
  stream 30 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push -n own --journal "$journals" --drain 1s "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  K6_CLOUD_PUSH_REF_ID=1 capture k6push --instance a --journal "$journals" \
    --drain 1s "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  start_server --listen "127.0.0.1:${url##*:}"
  read -r _ < <(k6push --create -n shared)
  read -r other _ < <(k6push --create -n other)
  K6_CLOUD_PUSH_REF_ID=$other capture k6push --resume "$journals"
  [ "$status" -eq 0 ]
  [ "$(api runs '[.[] | [.name, .totals.http_reqs]] | sort | tojson')" = \
    '[["other",0],["own",30],["shared",30]]' ]
}

@test "what a provisioned push left goes to its own server, or stays" {
  start_server
  own=$url
  read -r id _ < <(k6push --create -n own)
  stop_server
  stream 30 0 >"$BATS_TEST_TMPDIR/in"
  K6_CLOUD_PUSH_REF_ID=$id K6_CLOUD_METRICS_PUSH_URL=$own/v2/metrics/$id \
    K6_CLOUD_TEST_RUN_TOKEN=t capture k6push --journal "$journals" --drain 1s \
    "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  mv "$BATS_TEST_TMPDIR/k6serve.db" "$BATS_TEST_TMPDIR/own.db"
  start_server
  read -r _ < <(k6push --create -n stranger)
  capture k6push --resume "$journals"
  [ "$status" -eq 2 ]
  grep -F "go to $own/v2/metrics/$id: set K6_CLOUD_TEST_RUN_TOKEN" <<<"$err"
  [ "$(api runs/1 .totals.http_reqs)" = 0 ]
  # The stranger's goes on beside it.
  stranger=$url first=$server
  start_server --listen "127.0.0.1:${own##*:}" --db "$BATS_TEST_TMPDIR/own.db"
  K6_CLOUD_HOST=$stranger K6_CLOUD_TEST_RUN_TOKEN=t capture k6push --resume \
    "$journals"
  stop_server
  url=$stranger server=$first
  [ "$status" -eq 0 ]
  [ "$(api runs/1 .totals.http_reqs)" = 0 ]
  [ "$(python3 "$root/tests/tools/stored.py" "$BATS_TEST_TMPDIR/own.db")" = \
    "30 465" ]
}

# bats test_tags=slow
@test "a batch that something in between blocks holds up no other" {
  start_server
  start_unruly 'block 3'
  stream 60 0 >"$BATS_TEST_TMPDIR/in"
  k6push --journal "$journals" --max-samples-per-package 4 --drain 10m \
    "$BATS_TEST_TMPDIR/in" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  # The blocked batch alone waits, which is 4 requests.
  all_others() { k6push --list "$journals" | grep -qF $'\t36 samples\t'; }
  retry 20 all_others
  kill -TERM "$push"
  status=0
  wait "$push" || status=$?
  kill "$proxy"
  cat "$BATS_TEST_TMPDIR/err"
  [ "$status" -eq 75 ]
  grep -F '60 made = 56 stored + 4 on disk, 0 lost, 0 twice' \
    "$BATS_TEST_TMPDIR/err"
}

@test "a file of the journal that cannot be read now stays, and so does all" {
  sanitized && skip 'another library is to be loaded first'
  # The first opening of the file fails.
  cc -shared -fPIC -o "$BATS_TEST_TMPDIR/not_now.so" -xc - -ldl <<'EOF'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
int openat(int dir, const char *path, int flags, mode_t mode) {
  static int n;
  int (*real)(int, const char *, int, mode_t) =
      (int (*)(int, const char *, int, mode_t))dlsym(RTLD_NEXT, "openat");
  if ((flags & 3) == 0 && strcmp(path, getenv("NOT_NOW")) == 0 && n++ == 0) {
    errno = EIO;
    return -1;
  }
  return real(dir, path, flags, mode);
}
EOF
  start_server
  stop_server
  stream 40 0 >"$BATS_TEST_TMPDIR/in"
  for file in seg.1 "done"; do
    rm -rf "$journals"
    capture k6push --journal "$journals" --drain 1s "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 75 ]
    start_server --listen "127.0.0.1:${url##*:}"
    left=$(echo "$journals"/*)
    NOT_NOW=$file LD_PRELOAD=$BATS_TEST_TMPDIR/not_now.so capture \
      k6push --resume "$journals"
    [ "$status" -eq 75 ]
    grep -F "$file: Input/output error: it is left as it is" <<<"$err"
    [ -e "$left/$file" ]
    capture k6push --resume "$journals"
    [ "$status" -eq 0 ]
    stored_is 40
    stop_server
    rm "$BATS_TEST_TMPDIR"/k6serve.db*
  done
}

# bats test_tags=slow
@test "too few descriptors to read a batch: it stays on disk" {
  start_server
  stop_server
  stream 40 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push --journal "$journals" --drain 1s "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  start_server --listen "127.0.0.1:${url##*:}"
  for n in 7 8 9 10 11 12 13; do
    (ulimit -n $n && k6push --resume --drain 1s "$journals") || true
  done
  k6push --resume "$journals" || true
  stored_is 40
}

# bats test_tags=slow
@test "a signal while one journal is delivered: the others are named" {
  start_server
  stop_server
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  for _ in 1 2 3; do
    capture k6push --journal "$journals" --drain 1s "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 75 ]
  done
  rm "$BATS_TEST_TMPDIR/err"	# which says so, too
  k6push --resume --drain 10m "$journals" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  retry 20 grep -qs 'still retrying' "$BATS_TEST_TMPDIR/err"
  kill -TERM "$push"
  status=0
  wait "$push" || status=$?
  [ "$status" -eq 75 ]
  grep -F '2 journals were not looked at: interrupted' \
    "$BATS_TEST_TMPDIR/err"
}

@test "what was refused is not delivered again, nor called lost" {
  start_server
  start_unruly '422 13'
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push --journal "$journals" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  for _ in 1 2; do
    capture k6push --resume "$journals"
    [ "$status" -eq 0 ]
    grep -F 'nothing is left to deliver; what was refused' <<<"$err"
    [ "$(find "$journals" -path '*/refused/*.gz' | wc -l)" -eq 1 ]
  done
  kill "$proxy"
}

@test "killed while its journal is removed: nothing is left to deliver" {
  sanitized && skip 'a leak check is stopped by strace'
  start_server
  stream 20 0 >"$BATS_TEST_TMPDIR/in"
  for n in 1 2 3 4 5; do
    strace -f -qq -o /dev/null -e trace=unlinkat,rmdir \
      -e inject=unlinkat,rmdir:signal=KILL:when=$n \
      k6push -q --journal "$journals" --push-interval 1h \
      "$BATS_TEST_TMPDIR/in" 2>/dev/null || true
    capture k6push --resume --journal "$journals"
    # Pieces may be removed before the end is noted.
    [ "$status" -eq 0 ] || grep -F 'the push was cut short' <<<"$err"
    [[ $err != *lost=[1-9]* ]]
  done
  stored_is 20 5
}

# on_small_disk: a disk of 4 MB as $disk, filled by fill_disk.
on_small_disk() {
  [ "$(id -u)" = 0 ] || skip "needs root, to mount"
  disk=$BATS_TEST_TMPDIR/disk
  mkdir "$disk"
  mount -t tmpfs -o size=4M none "$disk" 2>/dev/null || skip "cannot mount"
  mkdir -m 700 "$disk/j"
}
fill_disk() {
  dd if=/dev/zero of="$disk/fill" bs=64k 2>/dev/null || true
  dd if=/dev/zero of="$disk/more" bs=4k 2>/dev/null || true
}

@test "a full disk at the start: the note is written when there is room" {
  on_small_disk
  start_server
  fill_disk
  mkfifo "$BATS_TEST_TMPDIR/in"
  k6push -q --journal "$disk/j" <"$BATS_TEST_TMPDIR/in" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  push=$!
  disown
  exec 8>"$BATS_TEST_TMPDIR/in"
  stream 40 0 | sed '$d' >&8
  retry 20 grep -q 'No space left' "$BATS_TEST_TMPDIR/err"
  stop_server
  rm "$disk/fill" "$disk/more"
  retry 20 test -s "$(echo "$disk"/j/*)/run"
  retry 20 have_all "$disk/j" 40
  kill_now "$push"
  exec 8>&-
  start_server --listen "127.0.0.1:${url##*:}"
  capture k6push --resume "$disk/j"
  umount "$disk"
  [ "$status" -eq 1 ]
  stored_is 40
}

@test "a full disk at the end: the note of the end is written all the same" {
  on_small_disk
  start_server
  stop_server
  thresholds=() # which make the note long
  for i in {1..40}; do
    thresholds+=(--threshold "http_req_duration{name:some-name-$i}=p(95)<9000")
  done
  { stream 40 0 | sed '$d'
    retry 20 holds_samples 360
    fill_disk
    stream 40 0 | tail -n 1; } | { capture k6push -q --drain 1s \
      --journal "$disk/j" "${thresholds[@]}"; echo "$status" \
      >"$BATS_TEST_TMPDIR/status"; } 3>&-
  [ "$(cat "$BATS_TEST_TMPDIR/status")" -eq 75 ]
  rm "$disk/fill" "$disk/more"
  start_server --listen "127.0.0.1:${url##*:}"
  capture k6push --resume "$disk/j"
  umount "$disk"
  [ "$status" -eq 0 ]
  stored_is 40
  [ "$(api runs/1 .state)" = Finished ]
}
holds_samples() {
  k6push --list "$disk/j" | grep -qF $'\t'"$1 samples"$'\t'
}

@test "an answer that is lost before a 413: no part is stored twice" {
  start_server
  start_unruly 'late 20'
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push --journal "$journals" --max-samples-per-package 60 \
    "$BATS_TEST_TMPDIR/in"
  kill "$proxy"
  [ "$status" -eq 0 ]
  stored_is 200
  grep -F '200 made = 200 stored, 0 lost, 0 twice' <<<"$err"
  balanced
}

# stripped RULE: k6push feeds the server through a proxy that takes the header
# with the key away, and one behind it that does RULE.
stripped() {
  start_unruly "$1"
  start_nginx <<<"location / { proxy_pass $K6_CLOUD_HOST;
    proxy_set_header K6-Idempotency-Key ''; }"
  export K6_CLOUD_HOST=$target
}

# orders N FROM: so many samples that are no requests, by their numbers.
orders() {
  local i
  for ((i = $2; i < $2 + $1; i++)); do
    printf '{"metric":"orders","type":"Point","data":{"time":"%s","value":%d,"tags":{}}}\n' \
      2026-11-28T06:16:45Z "$i"
  done
}

# has_orders RUN SUM: the numbers of the orders that it has come to that.
has_orders() {
  [ "$(api "runs/$1/metrics" '.[] | select(.metric == "orders") | .sum')" = \
    "$2" ]
}

# shellcheck disable=SC2094 # it is read while it is written
# bats test_tags=slow
@test "a proxy takes the key's header and loses answers: nothing is twice" {
  start_server
  stripped pass
  for version in 1 2; do
    echo pass >"$BATS_TEST_TMPDIR/rule"
    k6push -q --journal "$journals" --api-version "$version" \
      2>"$BATS_TEST_TMPDIR/err" < <(
        echo '{"metric":"orders","type":"Metric","data":{"type":"counter","contains":"default"}}'
        orders 100 1
        retry 20 has_orders "$version" 5050 >&2
        echo cut >"$BATS_TEST_TMPDIR/rule"
        orders 100 101
        retry 20 grep -q 'still retrying' "$BATS_TEST_TMPDIR/err"
        echo pass >"$BATS_TEST_TMPDIR/rule"
      )
    cat "$BATS_TEST_TMPDIR/err"
    grep -q 'still retrying' "$BATS_TEST_TMPDIR/err"
    has_orders "$version" 20100
  done
  kill "$proxy"
}

# shellcheck disable=SC2094 # it is read while it is written
@test "a proxy takes the key's header and the answer of create: one run" {
  start_server
  stripped cut
  for version in 1 2; do
    echo cut >"$BATS_TEST_TMPDIR/rule"
    k6push -q --journal "$journals" --api-version "$version" \
      2>"$BATS_TEST_TMPDIR/err" < <(
        stream 20 0
        retry 20 grep -q 'still retrying' "$BATS_TEST_TMPDIR/err"
        echo pass >"$BATS_TEST_TMPDIR/rule"
      )
    cat "$BATS_TEST_TMPDIR/err"
    [ "$(api runs length)" = "$version" ]
  done
  # The journal of one that is killed has the key, too.
  echo cut >"$BATS_TEST_TMPDIR/rule"
  stream 20 0 | capture k6push -q --journal "$journals" --drain 1s 3>&- || true
  retry 20 are_three_runs
  echo pass >"$BATS_TEST_TMPDIR/rule"
  capture k6push -q --resume "$journals"
  [ "$status" -eq 0 ]
  kill "$proxy"
  [ "$(api runs length)" = 3 ]
  stored_is 20 3
}

are_three_runs() { [ "$(api runs length)" = 3 ]; }

@test "a server that refuses the key in the URL makes a run without it" {
  nginx_format='$status $request_uri' start_nginx <<'NGINX'
default_type application/json;
location = /v1/tests {
  if ($args) { return 400 '{"error":{"message":"unknown parameter"}}'; }
  return 200 '{"reference_id":"7"}';
}
location = /other/v1/tests {
  if ($args) { return 404; }
  return 200 '{"reference_id":"7"}';
}
location = /never/v1/tests { return 400 '{"error":{"message":"no run"}}'; }
location / { return 200 '{}'; }
NGINX
  for base in '' /other; do
    K6_CLOUD_HOST=$target$base capture k6push --journal "$journals" "$small"
    [ "$status" -eq 0 ]
    run ! grep -F 'unknown parameter' <<<"$err"
    run ! grep -F 404 <<<"$err"
  done
  K6_CLOUD_HOST=$target/never capture k6push --journal "$journals" "$small"
  [ "$status" -ne 0 ]
  [ "$(grep -cF 'no run' <<<"$err")" = 1 ]
  logged
  cat "$nginx_log"
  [ "$(grep -c '^4.. .*/v1/tests?key=' "$nginx_log")" = 3 ]
  [ "$(grep -c '^200 .*/v1/tests$' "$nginx_log")" = 2 ]
  [ "$(grep -c '^400 /never/v1/tests$' "$nginx_log")" = 1 ]
}

@test "a proxy takes the key's header: a key is withdrawn all the same" {
  start_server
  stripped 'late 20'
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push --journal "$journals" --max-samples-per-package 60 \
    --drain 10m "$BATS_TEST_TMPDIR/in"
  kill "$proxy"
  [ "$status" -eq 0 ]
  stored_is 200
  balanced
}

# bats test_tags=slow
@test "odd answers to a withdrawal: nothing is split, nothing is twice" {
  start_server
  start_unruly 'late 20 404page 403page 400page 413{} 200{} 503{}'
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push --journal "$journals" --drain 10m "$BATS_TEST_TMPDIR/in"
  kill "$proxy"
  [ "$status" -eq 0 ]
  stored_is 200
  grep -F '200 made = 200 stored, 0 lost, 0 twice' <<<"$err"
  grep -F 'a batch waits until the server says if it has it already' <<<"$err"
  balanced
}

@test "a server that takes any path and refuses large bodies gets the parts" {
  nginx_format='$status $uri $http_x_payload_sample_count' start_nginx <<'NGINX'
client_max_body_size 2k;
default_type application/json;
location = /v1/tests { return 200 '{"reference_id":"7"}'; }
location / { proxy_pass $scheme://$http_host/taken$uri; }
location /taken { client_max_body_size 0; return 200 '{}'; }
NGINX
  export K6_CLOUD_HOST=$target
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  K6_CLOUD_NO_COMPRESS=true capture k6push --journal "$journals" \
    "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  grep -F '200 made = 200 stored, 0 lost, 0 twice' <<<"$err"
  logged
  grep '^413 ' "$nginx_log"
  [ "$(awk '$1 == 200 && $2 == "/v1/metrics/7" { n += $3 }
    END { print n + 0 }' "$nginx_log")" -eq 200 ]
  balanced
}

# bats test_tags=slow
@test "no answer to a withdrawal: the batch stays on disk, exit 75" {
  start_server
  start_unruly 'late 20 404page*'
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  # All of it is one batch, or more that are large.
  capture k6push --journal "$journals" --drain 6s --push-interval 1h \
    "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 75 ]
  grep -F ' acknowledged=0 on_disk=1800 ' <<<"$err"
  echo pass >"$BATS_TEST_TMPDIR/rule"
  capture k6push --resume --max-samples-per-package 9 "$journals"
  kill "$proxy"
  [ "$status" -eq 0 ]
  stored_is 200
}

@test "an answer is lost, another process gets 413: no part is stored twice" {
  start_server
  start_unruly cut
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  for case in '413 20 --drain 10m' 'pass --max-samples-per-package 9'; do
    read -r rule size option value <<<"$case"
    [ "$rule" = 413 ] || read -r rule option value size <<<"$case"
    echo cut >"$BATS_TEST_TMPDIR/rule"
    read -r id _ < <(K6_CLOUD_HOST=$url k6push --create)
    K6_CLOUD_PUSH_REF_ID=$id capture k6push --journal "$journals" \
      --max-samples-per-package 60 --push-concurrency 4 --drain 1s \
      "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 75 ]
    grep -F ' acknowledged=0 ' <<<"$err"
    echo "$rule $size" >"$BATS_TEST_TMPDIR/rule"
    capture k6push --resume "$option" "$value" "$journals"
    [ "$status" -eq 0 ]
  done
  kill "$proxy"
  stored_is 200 2
}

@test "one sample that is refused costs no other: its batch is split" {
  start_server
  start_unruly '422 13'
  stream 200 0 >"$BATS_TEST_TMPDIR/in"
  capture k6push --journal "$journals" "$BATS_TEST_TMPDIR/in"
  kill "$proxy"
  [ "$status" -eq 75 ]
  [ "$(books quarantined)" -eq 9 ]
  balanced
  [ "$(api runs/1 .totals.http_reqs)" = 199 ]
  [ "$(zcat "$journals"/*/refused/*.gz | jq length)" = 1 ]
  grep -F '200 made = 199 stored + 1 on disk, 0 lost, 0 twice' <<<"$err"
}

@test "k6serve accepts every metric name that k6push accepts" {
  start_server
  for version in 1 2; do
    {
      point '<b> & \"q\" \\ \u00e9\t' 7
      point "$(printf 'm%.0s' {1..128})" 7
      point "$(printf 'm%.0s' {1..129})" 7
      point 'a\u0000b' 7
      point '' 7
    } >"$BATS_TEST_TMPDIR/in"
    capture k6push --api-version "$version" "$BATS_TEST_TMPDIR/in"
    [ "$status" -eq 0 ]
    grep -F 'read=5 acknowledged=2 on_disk=0 quarantined=0 invalid=3' <<<"$err"
  done
}

@test "four containers on one volume, each process 1: four journals" {
  unshare -pf --mount-proc true 2>/dev/null || skip 'no namespaces here'
  start_server
  local i pids=()
  for i in 1 2 3 4; do
    unshare -pf --mount-proc k6push -q --journal "$journals" "$small" \
      2>>"$BATS_TEST_TMPDIR/err" 3>&- &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  [ "$(api runs length)" = 4 ]
  # With the server away they stay, and say where they were made.
  stop_server
  pids=()
  for i in 1 2 3 4; do
    unshare -pf --mount-proc k6push -q --drain 0s --journal "$journals" \
      "$small" 2>>"$BATS_TEST_TMPDIR/err" 3>&- &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || true; done
  boot=$(cut -c 1-8 /proc/sys/kernel/random/boot_id)
  [ "$(find "$journals" -mindepth 1 -maxdepth 1 \
    -name "*Z-$(uname -n)-$boot-1-????????" | wc -l)" -eq 4 ]
}

@test "a journal that was only just begun is listed, resumed, discarded" {
  start_server
  (umask 077 && mkdir -p "$journals/20261128T122508Z-1-aa" \
    "$journals/20261128T122508Z-1-bb" "$journals/mine")
  listed 20261128T122508Z-1-aa
  run ! listed mine
  capture k6push --discard "$journals/20261128T122508Z-1-aa"
  [ "$status" -eq 0 ]
  capture k6push --resume --journal "$journals"
  [ "$status" -eq 0 ]
  grep -F '20261128T122508Z-1-bb: nothing had been read: removed' <<<"$err"
  [ "$(ls "$journals")" = mine ]
}

@test "a file system that cannot lock is named, not called in use" {
  command -v strace >/dev/null || skip 'no strace'
  start_server
  capture strace -f -qq -o /dev/null -e trace=flock \
    -e inject=flock:error=ENOLCK k6push --journal "$journals" "$small"
  [ "$status" -eq 1 ]
  grep -F 'this file system cannot lock a file (No locks available)' <<<"$err"
}

# bats test_tags=slow
@test "every status has its outcome" {
  codes='201 204 400 401 402 404 408 410 415 421 425 429 431 451 500 502 503
    504 507'
  start_nginx < <(
    for code in $codes; do
      echo "location = /v1/metrics/$code { return $code; }"
    done
    # As the API answers, not as nginx's page does.
    echo "location = /v1/metrics/409 { return 409 '{}'; }"
    # It knows no withdrawal.
    echo "location ~ /withdraw$ { return 404 '{\"error\":{\"message\":\"\"}}'; }"
    echo 'location / { return 200; }'
  )
  export K6_CLOUD_HOST=$target
  for code in $codes 409; do
    # What is held is not waited for; all else is done when it is done.
    case $code in 2* | 400 | 409 | 415) drain=60s ;; *) drain=100ms ;; esac
    K6_CLOUD_PUSH_REF_ID=$code capture k6push -q --journal "$journals" \
      --drain "$drain" "$small"
    balanced
    case $code in
    2* | 409) [ "$(books acknowledged)" -eq "$points" ] ;;
    400 | 415) [ "$(books quarantined)" -eq "$points" ] ;;
    *) [ "$(books on_disk)" -eq "$points" ] ;;
    esac
  done
}

@test "Retry-After is heeded as a date" {
  start_nginx <<EOF
location = /v1/tests { return 200 '{"reference_id":"1"}'; }
location /v1/metrics {
  add_header Retry-After "$(date -u -d '+10 minutes' '+%a, %d %b %Y %T GMT')" always;
  return 429;
}
location / { return 200; }
EOF
  K6_CLOUD_HOST=$target until_found ' /v1/metrics' "$nginx_log" \
    k6push --journal "$journals" --drain 3s
  [ "$status" -eq 75 ]
  [ "$(grep -c /v1/metrics "$nginx_log")" -eq 1 ]
}

@test "a silent run sends heartbeats" {
  start_server
  start_nginx \
    <<<"location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }"
  beats() { [ "$(grep -c /v1/metrics "$nginx_log")" -ge 3 ]; }
  { stream 1 0 | head -n -1; retry 20 beats; } |
    K6_CLOUD_HOST=$target k6push --heartbeat 500ms 2>/dev/null || true
  beats
}

@test "the token is neither in the journal nor in the environment" {
  start_server
  K6_CLOUD_TOKEN=canary-token-1234 away "$small"
  run ! grep -r canary "$journals"
  mkfifo "$BATS_TEST_TMPDIR/in"
  K6_CLOUD_TOKEN=canary-token-1234 k6push --journal "$journals" \
    <"$BATS_TEST_TMPDIR/in" 2>/dev/null 3>&- &
  push=$!
  exec 4>"$BATS_TEST_TMPDIR/in"
  retry 5 hidden "$push"
  exec 4>&-
  wait "$push"
}

@test "--result tells it all, for a job to read" {
  start_server
  capture k6push -n nightly --result "$BATS_TEST_TMPDIR/r.json" "$small"
  jq -e ".version == 1 and .run_id == \"1\" and .name == \"nightly\" and
    .url == \"$url/runs/1\" and .state == \"Finished\" and .exit_status == 0
    and .samples.read == $points and .samples.acknowledged == $points and
    .requests.made == $reqs and .requests.stored == $reqs and
    .journal == null" "$BATS_TEST_TMPDIR/r.json"
  away --result "$BATS_TEST_TMPDIR/r.json" "$small"
  jq -e ".exit_status == 75 and .samples.on_disk == $points and
    .run_id == null and .state == null and (.journal | length) > 0" \
    "$BATS_TEST_TMPDIR/r.json"
  capture k6push -q --result - "$small"
  jq -e .version <<<"$out"
  capture k6push -q --result /nonexistent/x "$small"
  [ "$status" -eq 1 ]
  grep -F /nonexistent/x <<<"$err"
}

@test "a threshold that failed is told to the server, the result, the status" {
  start_server
  {
    stream 3 0 | head -n -1
    echo '{"type":"End","data":{"run_status":3,"result_status":1,"exit_code":99,"points":27,"requests":3,"thresholds":{"http_req_duration":{"p(95)<2":true}}}}'
  } >"$BATS_TEST_TMPDIR/in"
  capture k6push --result "$BATS_TEST_TMPDIR/r.json" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 99 ]
  jq -e '.thresholds.http_req_duration["p(95)<2"] and .result_status == 1 and
    .exit_status == 99' "$BATS_TEST_TMPDIR/r.json"
  [ "$(api runs/1 .result_status)" = 1 ]
}

@test "the next push says that an earlier one waits" {
  away "$small"
  away "$small"
  grep -F '1 earlier push is not delivered yet: k6push --resume' <<<"$err"
}

@test "a journal that is just being made is no earlier push" {
  # Its folder is there, its lock is a file, but nobody has it yet.
  start_server
  mkdir -p "$journals/20261129T000000Z-a" "$journals/20261129T000000Z-b"
  : >"$journals/20261129T000000Z-b/lock"
  capture k6push --journal "$journals" "$small"
  [ "$status" -eq 0 ]
  run ! grep -F 'not delivered yet' <<<"$err"
}

@test "who looks at a journal does not keep its rest from being delivered" {
  command -v strace >/dev/null || skip 'no strace'
  start_server
  stop_server
  capture k6push --journal "$journals" --drain 1s "$small"
  start_server --listen "127.0.0.1:${url##*:}"
  journal=$(echo "$journals"/*)
  # Who looks has the lock for a moment: the first tries to take it fail.
  under_strace
  capture strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=flock \
    -e inject=flock:error=EAGAIN:when=1..5 k6push --resume "$journal"
  [ "$status" -eq 0 ]
  [ "$(grep -c EAGAIN "$BATS_TEST_TMPDIR/trace")" -eq 5 ]
  [ "$(api runs/1 .totals.http_reqs)" = "$reqs" ]
}

@test "a name that moves to another address is looked up anew" {
  unshare -rnm true 2>/dev/null || skip 'no namespaces here'
  cat >"$BATS_TEST_TMPDIR/move.sh" <<'EOF'
set -eu
ip link set lo up
cd "$1"
echo '127.0.0.1 moving.test' >hosts
mount --bind hosts /etc/hosts
serve() {
  rm -f out
  k6serve --listen "$1:7070" --db db --url http://moving.test:7070 \
    >out 2>serve.err &
  server=$!
  until grep -qs ^http out; do sleep 0.05; done
}
serve 127.0.0.1
python3 "$2/tools/stream.py" 150 50 |
  K6_CLOUD_HOST=http://moving.test:7070 k6push -q --insecure-http 2>err &
push=$!
sleep 1
kill -9 "$server"
echo '127.0.0.2 moving.test' >hosts
serve 127.0.0.2
wait "$push" || true
kill "$server"
EOF
  unshare -rnm timeout 900 bash "$BATS_TEST_TMPDIR/move.sh" \
    "$BATS_TEST_TMPDIR" "$root/tests" 3>&-
  cat "$BATS_TEST_TMPDIR/err"
  grep -F '150 made = 150 stored, 0 lost, 0 twice' "$BATS_TEST_TMPDIR/err"
}

@test "HTTP/2 where the server speaks it, on one connection" {
  start_server
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$BATS_TEST_TMPDIR/key" \
    -out "$BATS_TEST_TMPDIR/crt" 2>/dev/null
  nginx_listen='ssl http2'
  nginx_format='$server_protocol $connection'
  start_nginx <<EOF
ssl_certificate $BATS_TEST_TMPDIR/crt;
ssl_certificate_key $BATS_TEST_TMPDIR/key;
location / { proxy_pass $url; proxy_set_header Host \$proxy_host; }
EOF
  K6_CLOUD_HOST=$target capture k6push --cacert "$BATS_TEST_TMPDIR/crt" \
    --max-samples-per-package 20 "$small"
  [ "$status" -eq 0 ]
  logged
  [ "$(sort -u "$nginx_log" | wc -l)" -eq 1 ]
  [ "$(wc -l <"$nginx_log")" -gt 4 ]
  grep -q ^HTTP/2.0 "$nginx_log"
}

@test "modes exclude each other, and sizes and times are checked" {
  for bad in '--resume --list' '--create --dry-run' '--journal-size 5' \
    '--journal-size 1X' '--journal-size 1MB' '--sync soon' '--sync -1s'; do
    # shellcheck disable=SC2086 # words
    capture k6push $bad
    [ "$status" -eq 2 ]
  done
}
