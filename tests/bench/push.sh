#!/bin/bash
# k6push beside gzip -1 of the same bytes: making samples without a network,
# then delivering them to a k6serve, whose own time does not count. CPU time.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
make_input "${MB:-200}"
i=$dir/input
bytes=$(stat -c %s "$i")
lines=$(wc -l <"$i")
rm -rf "$dir/serve.db"* "$dir/journals"
k6serve --listen 127.0.0.1:0 --db "$dir/serve.db" >"$dir/serve.out" \
  2>/dev/null &
server=$!
trap 'kill "$server"' EXIT
for _ in $(seq 100); do
  grep -qs ^http "$dir/serve.out" && break
  sleep 0.05
done
K6_CLOUD_HOST=$(head -n 1 "$dir/serve.out")
export K6_CLOUD_HOST

printf '%s repeated: %d MB; CPU time, median of %d\n' "$corpus" \
  $((bytes / 1000000)) "$runs"
printf '%-34s %8s %10s %12s %10s\n' command 's' 'MB/s' 'ns/sample' '/ gzip -1'
base=
row() {
  local s
  s=$(for _ in $(seq "$runs"); do once "$2" | cut -d' ' -f2; done | median)
  base=${base:-$s}
  awk -v name="$1" -v s="$s" -v n="$bytes" -v lines="$lines" -v base="$base" \
    'BEGIN { printf "%-34s %8.2f %10.0f %12.1f %10.2f\n", name, s,
      n / s / 1e6, s / lines * 1e9, s / base }'
}
push="k6push -q --journal $dir/journals"
row 'gzip -1' "gzip -1 <$i"
row 'k6push --dry-run' "k6push --dry-run $i"
row 'k6agg -p 3s | k6push --dry-run' "k6agg -q -p 3s $i | k6push --dry-run"
row 'k6push' "$push $i"
row 'k6push --no-journal' "k6push -q --no-journal $i"
row 'k6agg -p 3s | k6push' "k6agg -q -p 3s $i | $push"
