#!/bin/bash
# bench.sh: speed beside other programs, all in one run. Medians of RUNS runs
# over INPUT repeated to at least MB megabytes; CPU seconds, MB/s, and the
# ratio to `wc -l`. Machines are noisy: trust the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3}
mb=${MB:-200}
dir=build/bench
mkdir -p "$dir"
PATH=$PWD/bin:$PATH
unset "${!K6_@}"
input=${INPUT:-../shared/fixtures/corpus/medium.ndjson.gz}
[ -e "$input" ] || input=tests/data/small.ndjson

unpack() {
  case $input in
  *.gz) zcat "$input" ;;
  *) cat "$input" ;;
  esac
}
if [ ! -e "$dir/input" ] || [ "$dir/input" -ot "$input" ]; then
  unpack >"$dir/one"
  : >"$dir/input"
  while [ "$(stat -c %s "$dir/input")" -lt $((mb * 1000000)) ]; do
    cat "$dir/one" >>"$dir/input"
  done
  rm "$dir/one"
fi
bytes=$(stat -c %s "$dir/input")
head -c 20000000 "$dir/input" | sed '$d' >"$dir/short"

# median of user+system seconds of RUNS runs of a shell command
cpu() {
  for _ in $(seq "$runs"); do
    # shellcheck disable=SC2016
    bash -c 'TIMEFORMAT="%U %S"; time '"$1"' >/dev/null 2>&1' 2>&1 |
      awk '{ print $1 + $2 }'
  done | sort -n | sed -n "$(((runs + 1) / 2))p"
}

base=
row() {
  local seconds
  seconds=$(cpu "$2")
  [ -n "$base" ] || base=$(awk "BEGIN { print $3 / $seconds }")
  awk -v name="$1" -v s="$seconds" -v n="$3" -v base="$base" 'BEGIN {
    if (s < 0.001) s = 0.001
    printf "%-28s %8.2f %10.0f %12.0f %8.3f\n", name, s, n / s / 1e6,
      n / s / 231, n / s / base }'
}

printf '%s, %d MB; CPU time, median of %d\n' "$(basename "$input")" \
  $((bytes / 1000000)) "$runs"
printf '%-28s %8s %10s %12s %8s\n' command 's' 'MB/s' 'samples/s' '/ wc -l'
i=$dir/input
short=$(stat -c %s "$dir/short")
row 'wc -l' "wc -l $i" "$bytes"
row 'cat | cat' "cat $i | cat" "$bytes"
row 'k6agg (off)' "k6agg $i" "$bytes"
row 'k6agg -p 3s' "k6agg -q -p 3s $i" "$bytes"
row 'k6push --dry-run' "k6push --dry-run $i" "$bytes"
row 'k6agg -p 3s | k6push --dry-run' \
  "k6agg -q -p 3s $i | k6push --dry-run" "$bytes"
# To a k6serve whose time does not count; journal and all.
rm -rf "$dir/serve.db"* "$dir/journals"
k6serve --listen 127.0.0.1:0 --db "$dir/serve.db" >"$dir/serve.out" \
  2>/dev/null &
server=$!
trap 'kill "$server"' EXIT
for _ in $(seq 100); do
  grep -qs ^http "$dir/serve.out" && break
  sleep 0.05
done
K6_CLOUD_HOST=$(head -n 1 "$dir/serve.out")
export K6_CLOUD_HOST
push="k6push -q --journal $dir/journals"
row 'k6push' "$push $i" "$bytes"
row 'k6push --no-journal' "k6push -q --no-journal $i" "$bytes"
row 'k6agg -p 3s | k6push' "k6agg -q -p 3s $i | $push" "$bytes"
row 'gzip -1' "gzip -1 <$i" "$bytes"
row 'jq .data.value' "jq -c .data.value $dir/short" "$short"
command -v mlr >/dev/null &&
  row 'mlr cat' "mlr --ijsonl --ojsonl cat $dir/short" "$short"
row 'python3 json' "python3 -c 'import json, sys
for l in sys.stdin: json.loads(l)' <$dir/short" "$short"

RUNS=$runs tests/bench_page.sh
