#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# k6agg's output against goldens: some of our own, and those of k6's own code
# on real k6's output. Each case is a test: bats golden.bats -f 'k6: rich'.

load ../helpers
load sets

cases=$root/tests/golden/k6agg

# own CASE: output and messages are as they were.
own() {
  local words
  read -ra words <"$cases/$1.args"
  capture k6agg "${words[@]}" <"$cases/$1.ndjson"
  [ "$status" -eq 0 ]
  sed -i 's/"tool":"k6agg [^"]*"/"tool":"k6agg VERSION"/' \
    "$BATS_TEST_TMPDIR/out"
  if [ "${UPDATE:-}" = 1 ]; then
    cp "$BATS_TEST_TMPDIR/out" "$cases/$1.out"
    cp "$BATS_TEST_TMPDIR/err" "$cases/$1.err"
  fi
  diff "$BATS_TEST_TMPDIR/out" "$cases/$1.out"
  diff "$BATS_TEST_TMPDIR/err" "$cases/$1.err"
}

# make_wire SET FILE WIRE: what would be sent of the file. The books are checked
# on the way.
make_wire() {
  local words
  read -ra words < <(options "$1")
  k6agg "${words[@]}" <"$2" >"$3.out" 2>"$3.err"
  # One request in "broken" is whole, and says that it is two: it is one.
  if [ "$1" != none ] && [[ $2 != */broken.ndjson ]]; then
    check_books "$3.out" "$3.err" "$(made "$2")"
  fi
  k6push --dry-run <"$3.out" >"$3" 2>/dev/null
  rm "$3.out"
}

# compare_wires: pairs "golden wire" on stdin, a line each, are the same. One
# process for all, as there are many.
compare_wires() {
  python3 -Bc '
import sys
sys.path.insert(0, sys.argv[1])
import wirecmp
status = 0
for line in sys.stdin:
    sys.argv[1:] = line.split()
    print("==", *sys.argv[1:])
    status |= wirecmp.main()
sys.exit(status)' "$tools"
}

# as_k6 GOLDEN FILE: for all settings, what is sent equals what k6 sends. The
# sanitizers get each way through the code once: nothing folded, outliers found
# by either algorithm, and not looked for.
as_k6() {
  local set golden all
  read -ra all <<<"$sets"
  ! sanitized || all=(none radius01 sortalgo skip)
  for set in "${all[@]}"; do
    golden=$fixtures/golden/v1/$1.$set.ndjson
    [ -s "$golden" ]
    make_wire "$set" "$2" "$BATS_TEST_TMPDIR/$set"
    echo "$golden $BATS_TEST_TMPDIR/$set" >>"$BATS_TEST_TMPDIR/pairs"
  done
  [ "$(wc -l <"$BATS_TEST_TMPDIR/pairs")" -eq "${#all[@]}" ]
  compare_wires <"$BATS_TEST_TMPDIR/pairs"
}

recorded() { as_k6 "$1" "$fixtures/corpus/$1.ndjson"; }
edge() { as_k6 "edge/$1" "$fixtures/edge/$1.ndjson"; }

# late SET N: k6 ticks after each N requests; then requests are late.
late() {
  local golden=$fixtures/golden/v1/edge/late.$1.split$2.ndjson words piece
  read -ra words < <(options "$1")
  awk -v n="$2" -v name="$BATS_TEST_TMPDIR/piece." '
    BEGIN { file = sprintf("%s%05d", name, 0) }
    /"metric":"http_reqs","type":"Point"/ {
      if (requests > 0 && requests % n == 0) {
        close(file); file = sprintf("%s%05d", name, ++pieces) }
      requests++ }
    { print >file }' "$fixtures/edge/late.ndjson"
  for piece in "$BATS_TEST_TMPDIR"/piece.*; do
    k6agg -q "${words[@]}" "$piece"
  done | k6push --dry-run >"$BATS_TEST_TMPDIR/wire" 2>/dev/null
  python3 "$tools/wirecmp.py" "$golden" "$BATS_TEST_TMPDIR/wire"
}

@test "ours: badlines" { own badlines; }
@test "ours: late" { own late; }
@test "ours: merge" { own merge; }
@test "ours: nettrail" { own nettrail; }
@test "ours: numbers_bad" { own numbers_bad; }
@test "ours: outliers" { own outliers; }
@test "ours: strings" { own strings; }
@test "ours: times_odd" { own times_odd; }

@test "the golden cases name each line that they leave out" {
  # Every line of the input is in the output, in an aggregate, or skipped.
  for case in badlines numbers_bad strings times_odd; do
    sed '/^[[:blank:]]*$/d' "$cases/$case.ndjson" |
      LC_ALL=C grep -cvxaFf "$cases/$case.out" >"$BATS_TEST_TMPDIR/gone"
    echo "$case: $(cat "$BATS_TEST_TMPDIR/gone") gone"
    grep -qx "k6agg: $(cat "$BATS_TEST_TMPDIR/gone") lines skipped that do\
 not belong to the stream" "$cases/$case.err"
  done
}

@test "k6: small" { recorded small; }
@test "k6: rich" { recorded rich; }
@test "k6: edge case before1970" { edge before1970; }
@test "k6: edge case boundary" { edge boundary; }
@test "k6: edge case broken" { edge broken; }
@test "k6: edge case equal" { edge equal; }
@test "k6: edge case late" { edge late; }
@test "k6: edge case minsamples" { edge minsamples; }
@test "k6: edge case minzero" { edge minzero; }
@test "k6: edge case negfence" { edge negfence; }
@test "k6: edge case numbers" { edge numbers; }
@test "k6: edge case reserved" { edge reserved; }
@test "k6: edge case tagorder" { edge tagorder; }
@test "k6: edge case times" { edge times; }
@test "k6: edge case tiny" { edge tiny; }
@test "k6: edge case types" { edge types; }
@test "k6: late, doc3s, a tick after 50" { late doc3s 50; }
@test "k6: late, doc3s, a tick after 200" { late doc3s 200; }
@test "k6: late, doc3s, a tick after 990" { late doc3s 990; }
@test "k6: late, min5, a tick after 50" { late min5 50; }
@test "k6: late, min5, a tick after 200" { late min5 200; }
@test "k6: late, min5, a tick after 990" { late min5 990; }

# These have a rule of ours in place of k6's, and are cases of our own; k6
# itself crashes on the last.
by_our_rule="badlines numbers_bad times_odd strings nettrail"
by_our_rule+=" emptykey_CRASHES_K6"

@test "every golden is a case here" {
  here=$BATS_TEST_FILENAME
  [ "$(wc -w <<<"$sets")" -eq 9 ]
  for input in "$cases"/*.ndjson; do
    grep -q "{ own $(basename "$input" .ndjson); }" "$here"
  done
  [ "$(grep -c ' { own [a-z]' "$here")" -eq 8 ]
  for input in "$fixtures"/edge/*.ndjson; do
    name=$(basename "$input" .ndjson)
    [[ " $by_our_rule " == *" $name "* ]] || grep -q "{ edge $name; }" "$here"
  done
  [ "$(grep -c ' { edge [a-z]' "$here")" -eq 14 ]
  [ "$(grep -c ' { late [a-z]' "$here")" -eq \
    "$(find "$fixtures/golden/v1/edge" -name 'late.*.split*' | wc -l)" ]
}

@test "buckets that close on the way are those that close at the end" {
  k6agg -q -p 3s --min-samples 5 -w 1h "$fixtures/corpus/medium.ndjson" |
    grep -v '"type":"End"' | sort >"$BATS_TEST_TMPDIR/end"
  k6agg -q -p 3s --min-samples 5 -w 2s "$fixtures/corpus/medium.ndjson" |
    grep -v '"type":"End"' | sort >"$BATS_TEST_TMPDIR/way"
  cmp "$BATS_TEST_TMPDIR/end" "$BATS_TEST_TMPDIR/way"
  [ "$(grep -c '"AggregatedPoints"' "$BATS_TEST_TMPDIR/end")" -gt 30 ]
}
