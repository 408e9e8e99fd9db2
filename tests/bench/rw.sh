#!/bin/bash
# Remote write: k6push from NDJSON to a receiver, beside protocol 2; protocol 1
# with ISA-L's gzip and without; what goes over the wire for 300 series, beside
# k6's floats; memory for 100 000 series. CPU time of k6push alone.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
python3 tests/tools/latencies.py 40000 300 1767225600 1 >"$dir/latencies"
INPUT=$dir/latencies make_input "${MB:-200}"
i=$dir/input
lines=$(wc -l <"$i")
push="k6push -q --no-journal"
rm -rf "$dir/rw.db"* "$dir/rw.log"
k6serve --listen 127.0.0.1:0 --db "$dir/rw.db" >"$dir/serve.out" 2>/dev/null &
pids=$!
python3 tests/tools/rw_receiver.py "$dir/rw.log" >"$dir/rw.out" &
pids+=" $!"
trap 'kill $pids' EXIT
for out in serve rw; do
  for _ in $(seq 100); do
    grep -qs ^http "$dir/$out.out" && break
    sleep 0.05
  done
done
K6_CLOUD_HOST=$(head -n 1 "$dir/serve.out")
K6_PROMETHEUS_RW_SERVER_URL=$(head -n 1 "$dir/rw.out")
export K6_CLOUD_HOST K6_PROMETHEUS_RW_SERVER_URL

printf 'two peaks and a tail, %d MB; CPU time, median of %d\n' \
  $(($(stat -c %s "$i") / 1000000)) "$runs"
printf '%-34s %8s %14s %14s\n' command 's' 'samples/s' 'beside the 1st'
# row NAME COMMAND: its speed as a share of the first one's.
row() {
  local s
  s=$(for _ in $(seq "$runs"); do once "$2" | cut -d' ' -f2; done | median)
  base=${base:-$s}
  awk -v name="$1" -v s="$s" -v lines="$lines" -v base="$base" 'BEGIN {
    printf "%-34s %8.2f %14.0f %14.2f\n", name, s, lines / s, base / s }'
}
base=
row 'protocol 2' "K6_CLOUD_API_VERSION=2 $push $i"
row 'remote write' "$push --out prometheus-rw --instance g $i"
base=
if pkg-config --exists libisal; then
  make -s BUILD="$dir/zlib" BIN="$dir/zlib/bin" LIBISAL= "$dir/zlib/bin/k6push"
  row 'protocol 1, zlib' "K6_CLOUD_API_VERSION=1 $dir/zlib/bin/$push $i"
  row 'protocol 1, ISA-L' "K6_CLOUD_API_VERSION=1 $push $i"
fi

# many SERIES SECONDS PER: so many series of http_req_duration, PER values a
# second each.
many() {
  perl -e 'my ($n, $seconds, $per) = @ARGV;
  for my $k (0 .. $seconds * $per - 1) {
    my $t = sprintf "2026-01-01T00:%02d:%06.3fZ", $k / $per / 60,
      $k / $per - 60 * int($k / $per / 60);
    for my $i (0 .. $n - 1) {
      printf qq({"metric":"http_req_duration","type":"Point","data":{"time":) .
        qq("%s","value":%.3f,"tags":{"name":"http://host/%d",) .
        qq("status":"200"}}}\n),
        $t, 20 + 300 * rand() ** 4, $i } }' "$@"
}
export -f many
printf '\n%-50s %12s\n' '300 series, 60 s, 10 values a second each' 'bytes/s'
bytes() {
  rm -f "$dir/rw.log"
  many 300 60 10 | env ${3:+"$3"} k6push -q --no-journal --out prometheus-rw \
    --instance g --rw-form "$2" 2>/dev/null
  cut -d' ' -f3- "$dir/rw.log" | jq -r '."content-length"' |
    awk -v name="$1" '{ n += $1 } END { printf "%-50s %12.0f\n", name, n / 60 }'
}
bytes 'native histograms' native
bytes "k6's floats, p(99)" stats
bytes "k6's floats, count,min,max,avg,med,p(90),p(95),p(99)" stats \
  K6_PROMETHEUS_RW_TREND_STATS='count,min,max,avg,med,p(90),p(95),p(99)'

time=$(command -v time) || { echo 'memory: needs GNU time' >&2; exit 1; }
bash -c "many 100000 30 0.2 | $time -v $push --out prometheus-rw --instance g" \
  >/dev/null 2>"$dir/rw.err"
awk '/Maximum resident/ { printf "\n%-50s %9.1f MB\n",
  "100 000 series, six times each", $NF / 1024 }' "$dir/rw.err"
