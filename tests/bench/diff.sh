#!/bin/bash
# How far k6agg --diff can be trusted: PAIRS (200) pairs of equal noisy runs,
# and as many of which the second is 10 % slower at the 95th percentile
# (noise.c), of SECONDS_LONG (300) with RATE (100) requests a second. An alarm
# is any finding in a pair of equal runs; found is p95 being worse. SEED=1
# decides all numbers.
set -euo pipefail
cd "$(dirname "$0")/../.."
pairs=${PAIRS:-200} seconds=${SECONDS_LONG:-300} rate=${RATE:-100}
seed=${SEED:-1}
dir=${DIR:-build/bench/diff}
mkdir -p "$dir"
[ "$dir/noise" -nt tests/bench/noise.c ] ||
  cc -O2 -D_GNU_SOURCE -o "$dir/noise" tests/bench/noise.c -lm
PATH=${K6PIPE_BIN:-$PWD/bin}:$PATH

# pair NUMBER SLOWER: the comparison of two runs, as JSON in one line.
pair() {
  k6agg --diff --json <("$dir/noise" "$seed" $(($1 * 2)) 1 "$seconds" "$rate") \
    <("$dir/noise" "$seed" $(($1 * 2 + 1)) "$2" "$seconds" "$rate") ||
    [ $? -eq 1 ]
}
export -f pair
export seed seconds rate dir

# pairs FROM SLOWER: so many of them, on all processors.
pairs() {
  seq "$1" $(($1 + pairs - 1)) |
    xargs -P "$(nproc)" -I{} bash -c "pair {} $2 >\"$dir/$2.{}\""
  cat "$dir/$2".*
  rm -f "$dir/$2".*
}

rm -f "$dir"/1.*
pairs 0 1 >"$dir/equal"
pairs 100000 1.1 >"$dir/slower"
printf 'k6agg --diff, %s pairs of runs of %s s at %s requests/s, seed %s\n' \
  "$pairs" "$seconds" "$rate" "$seed"
jq -rs 'map(select(.worse + .better > 0)) | length' "$dir/equal" |
  awk -v n="$pairs" '{ printf "equal runs: %d alarms (%.1f %%)\n", $1,
    $1 * 100 / n }'
jq -rs 'map(select(any(.figures[]; .figure == "p95" and .verdict == "worse"))) |
  length' "$dir/slower" | awk -v n="$pairs" '{
  printf "p95 10 %% slower: %d found (%.1f %%)\n", $1, $1 * 100 / n }'
