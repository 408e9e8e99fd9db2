#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg --diff: a change is told from noise. make bench B=diff has more pairs.

load ../helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
}

# noise NUMBER SLOWER [SECONDS RATE]: a run with the noise that equal runs have.
noise() {
  [ -x noise ] ||
    cc -O2 -D_GNU_SOURCE -o noise "$root/tests/bench/noise.c" -lm
  ./noise 1 "$@"
}

# bats test_tags=slow
@test "equal noisy runs give no alarm, 10 % at p95 is found" {
  DIR=$BATS_TEST_TMPDIR K6PIPE_BIN=$bin PAIRS=20 SEED=5 \
    bash "$root/tests/bench/diff.sh" | tee figures
  alarms=$(sed -n 's/^equal runs: \([0-9]*\) alarms.*/\1/p' figures)
  found=$(sed -n 's/^p95 10 % slower: \([0-9]*\) found.*/\1/p' figures)
  [ "$alarms" -le 1 ]
  [ "$found" -ge 18 ]
}

@test "--diff --json names each finding with its confidence" {
  noise 1 1 120 50 >a
  noise 2 1.3 120 50 >b
  capture k6agg --diff --json a b
  [ "$status" -eq 1 ]
  jq -e '.schema == "k6agg-diff/1" and .min_effect == 0.05 and
    (.figures[] | select(.figure == "p95") | .verdict == "worse" and
      .low > 0 and .low < .change and .change < .high and .p < 0.01) and
    (.figures[] | select(.figure == "avg") | .verdict == "same" and
      .p == null) and
    (.urls | length == 3 and .[0].verdict == "worse") and .worse >= 2' \
    <<<"$out"
  capture k6agg --diff a b
  grep -A 1 -E '^p95 .* worse$' <<<"$out" |
    grep -E '^ +\(\+[0-9.]+ to \+[0-9.]+ %, p [<0-9]'
  # the same again, to the byte, and from folded streams
  k6agg --diff a b >again || true
  [ "$(cat again)" = "$out" ]
  k6agg -q -p 3s a >fa
  k6agg -q -p 3s b >fb
  capture k6agg --diff fa fb
  [ "$status" -eq 1 ]
  grep -E '^p95 .* worse$' <<<"$out"
}

@test "--diff: a short run is neither better nor worse, but its failures are" {
  noise 1 1 8 100 >a
  noise 2 3 8 100 >b
  capture k6agg --diff a b
  [ "$status" -eq 0 ]
  grep -E '^p95 .* too little data to tell$' <<<"$out"
  grep -E '^nothing is known to be worse by at least 5 %; too little' <<<"$out"
  [ "$(grep -cE ' (better|worse) \(' <<<"$out")" -eq 0 ]
  sed -E '/http_req_failed/s/("time":"[^"]*[02468]Z","value":)0/\11/' b >c
  capture k6agg --diff a c
  [ "$status" -eq 1 ]
  grep -E '^failed .* worse$' <<<"$out"
}

@test "--diff compares files as they are: -p and -m are wrong use" {
  noise 1 1 20 50 >a
  for option in -m "-p 3s"; do
    # shellcheck disable=SC2086 # words
    capture k6agg $option --diff a a
    [ "$status" -eq 2 ]
    [ "$out" = "" ]
    grep -qxF \
      "k6agg: --diff and ${option% *}: --diff compares the files as they are" \
      <<<"$err"
  done
  # A variable is that of all k6agg of a pipeline.
  K6_CLOUD_AGGREGATION_PERIOD=3s k6agg --diff a a >/dev/null
  # --strict is as in any other use.
  echo '{"type":"Point",' >>a
  capture k6agg --diff --strict a a
  [ "$status" -eq 1 ]
  [ "$out" = "" ]
}

@test "--diff --no-thresholds judges none, whatever --threshold says" {
  noise 1 1 20 50 >a
  capture k6agg --diff --threshold 'http_reqs=count<1' a a
  [ "$status" -eq 99 ]
  capture k6agg --diff --no-thresholds --threshold 'http_reqs=count<1' a a
  [ "$status" -eq 0 ]
  grep -E '^crossed thresholds +0 +0 ' <<<"$out"
}

@test "--min-effect is a percentage, and only for --diff" {
  noise 1 1 60 50 >a
  noise 2 1.3 60 50 >b
  capture k6agg --diff --min-effect 60 a b
  [ "$status" -eq 0 ]
  for bad in "--summary --min-effect 5% a" "--diff --min-effect 5x a b" \
    "--diff --min-effect -5% a b" "--diff --csv a b"; do
    # shellcheck disable=SC2086 # words
    capture k6agg $bad
    [ "$status" -eq 2 ]
    [ -n "$err" ]
  done
}
