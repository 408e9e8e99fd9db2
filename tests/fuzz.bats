#!/usr/bin/env bats
# fuzz: the fuzz targets are whole; `make fuzz` runs them for longer.

# bats file_tags=fuzz
load helpers

@test "each fuzz target builds, and holds for two thousand inputs" {
  sanitized && skip 'sanitized in themselves, and run without'
  command -v clang >/dev/null || skip 'no clang'
  cd "$root"
  targets=(tests/fuzz/fuzz_*.c)
  targets=("${targets[@]##*/fuzz_}")
  run tests/fuzz.sh 2000x "${targets[@]%.c}"
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(grep -c ^Done <<<"$output")" -eq "${#targets[@]}" ]
}
