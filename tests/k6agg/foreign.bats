#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# Inputs that are no stream: every tool that reads one says what it got.

load ../helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# foreign HINT FILE: all who read it name what it is, in one line, and fail.
foreign() {
  local mode
  for mode in '' '-p 3s' '-m' --summary --json '--keep http_reqs'; do
    # shellcheck disable=SC2086 # several words
    capture k6agg $mode "$2"
    [ "$status" -eq 1 ]
    grep -F "$2: no line of the input belongs to the stream" <<<"$err"
    grep -F "$1" <<<"$err"
    [ "$(grep -vc ' skipped ' <<<"$err")" -eq 1 ] || [ -n "${mode#--*}" ]
    # Only the trailer of what has failed.
    [ "$(grep -vc '"type":"End"\|^$' <<<"$out")" -eq 0 ]
  done
  capture k6agg --json "$2"
  [ -z "$out" ]
  [ "$(grep -vc ' skipped ' <<<"$err")" -eq 1 ]
  capture k6push --dry-run "$2"
  [ "$status" -eq 1 ]
  grep -F "$1" <<<"$err"
}

@test "an archive, UTF-16, an array and other files are named" {
  requests 2 >stream
  python3 -c 'import zipfile; zipfile.ZipFile("a.zip", "w",
    zipfile.ZIP_DEFLATED).write("stream")'
  foreign 'a zip archive: unzip -p' a.zip
  xz -c stream >a.xz
  foreign 'xz -dc' a.xz
  { printf '\xff\xfe'; iconv -f UTF-8 -t UTF-16LE stream; } >a.utf16
  foreign 'iconv -f UTF-16 -t UTF-8' a.utf16
  jq -s . stream >a.json
  foreign "jq -c '.[]'" a.json
  jq -cs . stream >a.json
  foreign "jq -c '.[]'" a.json
  jq . stream >pretty.json
  foreign 'jq -c .' pretty.json
  jq -c '{log: (tojson + "\n"), stream: "stdout"}' stream >docker.log
  foreign 'jq -rj .log' docker.log
  sed 's/^/k6-1  | /' stream >prefix.log
  foreign "sed 's/^[^{]*//'" prefix.log
}

@test "k6's own summary and CSV are no stream, also for a gate with jq" {
  echo '{"metrics":{"http_reqs":{"count":10}},"root_group":{}}' >one.json
  jq . one.json >many.json
  for file in one.json many.json; do
    foreign 'a summary of k6' "$file"
    run bash -o pipefail -c "k6agg --json $file 2>/dev/null |
      jq -e '.requests.p95 < 300'"
    [ "$status" -ne 0 ]
  done
  printf '%s\n' metric_name,timestamp,metric_value,check \
    http_reqs,1770000000,1, >a.csv
  foreign 'the CSV of k6' a.csv
  echo garbage >a.txt
  capture k6agg --summary a.txt
  [ "$status" -eq 1 ]
  grep -F 'a.txt: no line of the input belongs to the stream' <<<"$err"
}

@test "how each is to be converted gives the stream" {
  requests 2 >stream
  python3 -c 'import zipfile; zipfile.ZipFile("a.zip", "w",
    zipfile.ZIP_DEFLATED).write("stream")'
  { printf '\xff\xfe'; iconv -f UTF-8 -t UTF-16LE stream; } >a.utf16
  jq -s . stream >array; jq . stream >pretty; xz -c stream >a.xz
  jq -c '{log: (tojson + "\n")}' stream >docker
  sed 's/^/k6-1  | /' stream >prefix
  for file in a.zip a.utf16 array pretty a.xz docker prefix; do
    convert=$(k6agg "$file" 2>&1 >/dev/null |
      sed -n 's/.*it looks like [^:]*: //p')
    [ -n "$convert" ]
    if [ "$file" = a.zip ] && ! command -v unzip >/dev/null; then continue; fi
    [ "$(bash -c "${convert/FILE/$file}" | k6agg --json |
      jq .requests.count)" -eq 2 ]
  done
}

@test "one file of several that is no stream is named, the rest is read" {
  requests 3 >good
  echo '[' >bad
  capture k6agg --json good bad good
  [ "$status" -eq 1 ]
  grep -F 'bad: no line of the input belongs to the stream' <<<"$err"
  [ "$(jq .requests.count <<<"$out")" -eq 6 ]
  capture k6agg -q -p 3s -m good bad
  [ "$status" -eq 1 ]
  grep -F 'bad: no line of the input belongs to the stream' <<<"$err"
}

@test "a UTF-8 byte-order mark is no part of the stream" {
  for mode in '' gzip; do
    { printf '\xef\xbb\xbf'; requests 2; } >in
    [ -z "$mode" ] || { gzip -c in >in.gz; mv in.gz in; }
    capture k6agg --json in in
    [ "$status" -eq 0 ]
    [ -z "$err" ]
    [ "$(jq -c '[.requests.count, .skipped]' <<<"$out")" = '[4,0]' ]
    [ "$(k6push --dry-run in | wc -l)" -eq "$(k6push --dry-run \
      <(requests 2) | wc -l)" ]
  done
  { printf '\xef\xbb'; sleep 0.1; printf '\xbf'; requests 2; } |
    k6agg --json | jq -e '.requests.count == 2 and .skipped == 0'
}

@test "an array on one line, longer than a line may be, is named" {
  requests 1 | jq -cs '[range(1000) as $i | .[]]' >array
  [ "$(wc -c <array)" -gt 1048576 ]
  capture k6agg --summary array
  [ "$status" -eq 1 ]
  grep -F "jq -c '.[]'" <<<"$err"
}
