#!/bin/bash
# fuzz.sh SECONDS|RUNSx TARGET...: libFuzzer on each target, seeds first: for so
# long, or (2000x) so many runs with one seed, of code that is compiled sooner
# and runs slower. What it finds is left in build/fuzz/targets/TARGET/, or
# build/fuzz0/targets/.
set -u
case $1 in
*x) build=build/fuzz0 optimize=-O0 limit=(-seed=1 "-runs=${1%x}") ;;
*) build=build/fuzz optimize=-O1 limit=("-max_total_time=$1") ;;
esac
shift
status=0
flags=(-g "$optimize" '-fsanitize=address,undefined'
  -fno-sanitize-recover=undefined)
# shellcheck disable=SC2046 # a word or none
read -ra libs < <(pkg-config --libs zlib snappy libcurl libzstd jansson \
  libnghttp2 libcares libidn2 libssl libcrypto \
  $(pkg-config --exists libisal && echo libisal))
make -s -j"$(nproc)" CC=clang BUILD=$build HARDEN= \
  CFLAGS="${flags[*]} -fsanitize=fuzzer-no-link" \
  $build/lib.a $build/k6gen.a $build/k6push.a || exit 1
for t in "$@"; do
  dir=$build/targets/$t
  mkdir -p "$dir/corpus"
  source=tests/fuzz/fuzz_$t.c
  read -ra links < <(sed -n 's|^/\* links: \(.*\) \*/|\1|p' "$source")
  clang -std=c11 -D_GNU_SOURCE '-DK6PIPE_VERSION="0"' -Ilib -Isrc \
    "${flags[@]}" -fsanitize=fuzzer -o "$dir/fuzz" "$source" \
    "${links[@]/#/$build/}" $build/lib.a -Wl,--as-needed \
    "${libs[@]}" -lm || exit 1
  echo "== $t, ${limit[*]}"
  "$dir/fuzz" "${limit[@]}" -timeout=10 -rss_limit_mb=1024 \
    -artifact_prefix="$dir/" "$dir/corpus" "tests/fuzz/seeds/$t" \
    >"$dir/log" 2>&1 || { status=1; tail -n 40 "$dir/log"; }
  grep -E '^(Done|#[0-9]+.*DONE)' "$dir/log"
done
exit "$status"
