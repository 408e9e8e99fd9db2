#!/bin/bash
# fuzz.sh SECONDS TARGET...: libFuzzer on each target, seeds first. What it
# finds is left in build/fuzz/TARGET/.
set -u
seconds=$1
shift
status=0
flags=(-g -O1 '-fsanitize=address,undefined'
  -fno-sanitize-recover=undefined)
make -s CC=clang BUILD=build/fuzz HARDEN= \
  CFLAGS="${flags[*]} -fsanitize=fuzzer-no-link" \
  build/fuzz/lib.a build/fuzz/k6gen.a build/fuzz/k6push.a || exit 1
for t in "$@"; do
  dir=build/fuzz/targets/$t
  mkdir -p "$dir/corpus"
  source=tests/fuzz/fuzz_$t.c
  read -ra links < <(sed -n 's|^/\* links: \(.*\) \*/|\1|p' "$source")
  read -ra libs < <(pkg-config --libs zlib snappy libcurl libzstd jansson \
    libnghttp2 libcares libidn2 libssl libcrypto)
  clang -std=c11 -D_GNU_SOURCE '-DK6PIPE_VERSION="0"' -Ilib -Isrc \
    "${flags[@]}" -fsanitize=fuzzer -o "$dir/fuzz" "$source" \
    "${links[@]/#/build/fuzz/}" build/fuzz/lib.a -Wl,--as-needed \
    "${libs[@]}" -lm || exit 1
  echo "== $t, ${seconds}s"
  "$dir/fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -artifact_prefix="$dir/" "$dir/corpus" "tests/fuzz/seeds/$t" \
    >"$dir/log" 2>&1 || { status=1; tail -n 40 "$dir/log"; }
  grep -E '^(Done|#[0-9]+.*DONE)' "$dir/log"
done
exit "$status"
