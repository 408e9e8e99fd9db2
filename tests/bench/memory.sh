#!/bin/bash
# The memory of k6agg: a run of GB=10 gigabytes (a corpus, again and again, each
# time later), and URLS=1000000 URLs of one request each. Peak of resident
# memory; the stream is made while it is read.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
gb=${GB:-10}
urls=${URLS:-1000000}
make_input 1000

# measure NAME COMMAND: of a shell command; the last process of a pipe counts.
measure() {
  bash -c "$2" >/dev/null 2>"$dir/memory.err"
  awk -v name="$1" '/Maximum resident/ { printf "%-44s %8.1f MB\n", name,
    $NF / 1024 }' "$dir/memory.err"
}

# One request of each of so many URLs, 25 000 in a second.
many_urls() {
  perl -e 'my @m = qw(http_reqs http_req_duration http_req_blocked
    http_req_connecting http_req_tls_handshaking http_req_sending
    http_req_waiting http_req_receiving http_req_failed);
    for my $i (0 .. $ARGV[0] - 1) {
      my $t = sprintf "2026-01-01T00:%02d:%02d.%06dZ", $i / 25000 / 60,
        $i / 25000 % 60, $i % 25000 * 40;
      print qq({"metric":"$_","type":"Point","data":{"time":"$t","value":1,) .
        qq("tags":{"name":"http://host/$i","status":"200"}}}\n) for @m }' \
    "$urls"
}
export -f many_urls
export urls dir

time=$(command -v time) || { echo 'memory: needs GNU time' >&2; exit 1; }
printf '%s, and %s URLs\n' "$gb GB of $corpus" "$urls"
measure "$gb GB, k6agg -p 3s" \
  "repeat $dir/one ${gb}000000000 | $time -v k6agg -q -p 3s"
measure "a file of 1 GB on two cores, k6agg -p 3s" \
  "$time -v k6agg -q -p 3s $dir/input"
measure "$gb GB, k6agg --summary" \
  "repeat $dir/one ${gb}000000000 | $time -v k6agg --summary"
measure "$urls URLs, k6agg off" "many_urls | $time -v k6agg"
measure "$urls URLs, k6agg -p 3s" "many_urls | $time -v k6agg -q -p 3s"
measure "$urls URLs, k6agg -p 3s --max-series 1000" \
  "many_urls | $time -v k6agg -q -p 3s --max-series 1000"
measure "$urls URLs, k6agg --summary" "many_urls | $time -v k6agg --summary"
