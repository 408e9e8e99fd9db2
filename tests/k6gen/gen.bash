# gen: running k6gen and reading its stream, for the tests of its side. A test
# sets $out, the stream's file. Loaded after helpers.
# shellcheck shell=bash disable=SC2154 # out is the test's

# gen OPTION...: the stream is in $out, messages in $err, else $out.err.
gen() { k6gen -q "$@" >"$out" 2>"${err:-$out.err}"; }

# values METRIC: those of its points, one a line
values() {
  jq -r "select(.type == \"Point\" and .metric == \"$1\") | .data.value" \
    "$out"
}

# has FILTER: some line of the stream is so
has() { jq -es "any(.[]; $1)" "$out"; }
