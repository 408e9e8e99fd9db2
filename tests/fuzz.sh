#!/bin/bash
# fuzz.sh SECONDS TARGET...: libFuzzer on each target, seeds first. What it
# finds is left in build/fuzz/TARGET/.
set -u
seconds=$1
shift
status=0
for t in "$@"; do
  dir=build/fuzz/$t
  mkdir -p "$dir/corpus"
  source=tests/fuzz/fuzz_$t.c
  read -rd '' -a links < <(sed -n 's|^/\* links: \(.*\) \*/|\1|p' "$source")
  sources=()
  for l in "${links[@]}"; do
    if [ -e "lib/$l.c" ]; then sources+=("lib/$l.c")
    else sources+=("src/$l.c"); fi
  done
  read -ra libs < <(pkg-config --libs "$(sed -n \
    's|^/\* libs: \(.*\) \*/|\1|p' "$source")" 2>/dev/null)
  clang -std=c11 -g -O1 -D_GNU_SOURCE '-DK6PIPE_VERSION="0"' -Ilib -Isrc \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -o "$dir/fuzz" "$source" "${sources[@]}" "${libs[@]}" -lm || exit 1
  echo "== $t, ${seconds}s"
  "$dir/fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -artifact_prefix="$dir/" "$dir/corpus" "tests/fuzz/seeds/$t" \
    >"$dir/log" 2>&1 || { status=1; tail -n 40 "$dir/log"; }
  grep -E '^(Done|#[0-9]+.*DONE)' "$dir/log"
done
exit "$status"
