#!/bin/bash
# unpack.sh DIR: unpack the corpora, goldens and recorded traffic of tests/data
# into DIR, unless they are there; make the large corpus "medium" of the small.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
cd "$1"
exec 9>lock
flock 9
for pack in "$here"/data/*.tar.zst; do
  name=$(basename "$pack" .tar.zst)
  [ ! "$name.done" -nt "$pack" ] || continue
  rm -rf "$name"
  tar --zstd --no-same-owner -xf "$pack"
  if [ "$name" = corpus ]; then
    # 105 s of load in place of 5, 20 MB
    cc -O1 -D_GNU_SOURCE -o repeat "$here/tools/repeat.c"
    ./repeat corpus/small.ndjson 20000000 >corpus/medium.ndjson
  fi
  touch "$name.done"
done
