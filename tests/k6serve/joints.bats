#!/usr/bin/env bats
# shellcheck disable=SC2154 # url comes from the helpers
# Every way in which real k6 was recorded: what is shown is what k6 said.

load ../helpers

teardown() { stop_server || true; }

@test "what is shown of each recorded run of k6 is what k6 said of it" {
  start_server
  cases=()
  for case in "$fixtures"/wire_k6_2/*/; do
    [ ! -s "$case/summary.json" ] || [ ! -s "$case/result.json" ] ||
      cases+=("${case%/}")
  done
  [ "${#cases[@]}" -eq 18 ]
  timeout 600 python3 "$tools/joints.py" "$url" "$BATS_TEST_TMPDIR/k6serve.db" \
    "${cases[@]}" \
    >"$BATS_TEST_TMPDIR/table"
  cat "$BATS_TEST_TMPDIR/table"
  [ "$(grep -c '| yes |$' "$BATS_TEST_TMPDIR/table")" -eq 18 ]
  diff <(grep '^|' "$root/docs/JOINTS.md") "$BATS_TEST_TMPDIR/table"
}
