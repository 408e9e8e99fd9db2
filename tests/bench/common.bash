# What the benchmarks share. Machines are noisy: all programs of a table run in
# turn, RUNS times (3), and medians are compared as ratios within one run.
# shellcheck shell=bash disable=SC2034 # used by those who read this
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs=${RUNS:-3}
dir=build/bench
mkdir -p "$dir"
tests/tools/unpack.sh build/fixtures
corpora=build/fixtures/corpus
PATH=$PWD/bin:$PWD/build/bench:$PATH
unset "${!K6_@}"

# median < numbers
median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }

# once COMMAND: a shell command's wall and CPU seconds; its output goes away.
once() {
  # shellcheck disable=SC2016
  bash -c 'TIMEFORMAT="%R %U %S"; time { '"$1"'; } >/dev/null 2>&1' 2>&1 |
    tail -n 1 | awk '{ printf "%.4f %.4f\n", $1, $2 + $3 }'
}

# make_input MB: $dir/input, the corpus rich (or INPUT) repeated to at least
# so many megabytes, each time later, as one long run.
make_input() {
  local input=${INPUT:-$corpora/rich.ndjson} unpack=cat
  case $input in *.gz) unpack='zcat' ;; esac
  corpus=$(basename "$input")
  build_repeat
  [ "$dir/input" -nt "$input" ] &&
    [ "$(stat -c %s "$dir/input")" -ge $(($1 * 1000000)) ] && return
  $unpack "$input" >"$dir/one"
  repeat "$dir/one" $(($1 * 1000000)) >"$dir/input"
}

# build_repeat: the program that makes a long run of a short one.
build_repeat() {
  [ "$dir/repeat" -nt tests/tools/repeat.c ] ||
    cc -O2 -D_GNU_SOURCE -o "$dir/repeat" tests/tools/repeat.c
}
