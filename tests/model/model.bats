#!/usr/bin/env bats
# model: k6push and k6serve under random faults, by seeds that are printed.

# bats file_tags=faults
load ../helpers

# bats test_tags=long
@test "ten random schedules of faults: each balances, none is silent" {
  local own=()
  # A disk of its own, which can be full.
  unshare -rm true 2>/dev/null && own=(unshare -rm)
  "${own[@]}" python3 "$root/tests/model/model.py" {1..10}
}
