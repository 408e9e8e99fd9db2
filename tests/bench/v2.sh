#!/bin/bash
# protocol 2 on one core, points per CPU second, beside python3's
# json reading the same lines. (k6's own code, Go, on such a machine: collect
# 9.7-13.6 M, with protobuf and snappy 4.2 M; encoding/json reads 67-88 k.)
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build/bench
mkdir -p "$dir"
tests/tools/unpack.sh build/fixtures
input=${INPUT:-build/fixtures/corpus/rich.ndjson}
case $input in
*.gz) zcat "$input" ;;
*) cat "$input" ;;
esac >"$dir/v2.in"
make -s build/lib.a build/k6push.a
# shellcheck disable=SC2046 # a word or none
read -ra libs < <(pkg-config --libs snappy libcurl jansson zlib libzstd \
  $(pkg-config --exists libisal && echo libisal))
"${CC:-cc}" -std=c11 -O2 -D_GNU_SOURCE '-DK6PIPE_VERSION="0"' -Ilib -Isrc \
  -pie -o "$dir/v2" tests/bench/v2.c build/k6push.a build/lib.a \
  -Wl,--as-needed "${libs[@]}" -lm

echo
echo "protocol 2, $(basename "$input"), one core, CPU time"
"$dir/v2" "$dir/v2.in" | tee "$dir/v2.out"
head -n 50000 "$dir/v2.in" >"$dir/v2.short"
python3 - "$dir/v2.short" "$dir/v2.out" <<'PYTHON'
import json, sys, time
lines = open(sys.argv[1]).read().split("\n")[:-1]
start = time.process_time()
for line in lines:
    json.loads(line)
rate = len(lines) / (time.process_time() - start)
print("%-34s %12.0f points/s" % ("python3 json, reading alone", rate))
for row in open(sys.argv[2]):
    name, n = row[:34].strip(), float(row[34:].split()[0])
    print("%-34s %12.1f times python3 json" % (name, n / rate))
PYTHON
