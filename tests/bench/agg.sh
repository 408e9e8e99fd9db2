#!/bin/bash
# k6agg beside programs that read the same file, on one core and on two, from a
# file and through a pipe. MB=1000 sets the size; slow readers get 20 MB.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
make_input "${MB:-1000}"
i=$dir/input
head -c 20000000 "$i" | sed '$d' >"$dir/short"
bytes=$(stat -c %s "$i")
short=$(stat -c %s "$dir/short")
lines=$(wc -l <"$i")
[ -n "$(command -v g++)" ] && [ -e /usr/include/simdjson.h ] &&
  g++ -O3 -march=native -o "$dir/extract" tests/bench/extract.cpp -lsimdjson

# name, bytes read, command
names=() sizes=() commands=()
add() {
  names+=("$1")
  sizes+=("$2")
  commands+=("$3")
}
add 'wc -l, one core' "$bytes" "taskset -c 0 wc -l $i"
add 'k6agg off, one core' "$bytes" "taskset -c 0 k6agg $i"
add 'k6agg -p 3s, one core' "$bytes" "taskset -c 0 k6agg -q -p 3s $i"
add 'k6agg --summary, one core' "$bytes" "taskset -c 0 k6agg --summary $i"
[ -x "$dir/extract" ] &&
  add 'simdjson extractor, one core' "$bytes" "taskset -c 0 extract $i"
add 'k6agg off, two cores' "$bytes" "k6agg $i"
add 'k6agg -p 3s, two cores' "$bytes" "k6agg -q -p 3s $i"
add 'k6agg --summary, two cores' "$bytes" "k6agg --summary $i"
add 'cat | cat' "$bytes" "cat $i | cat"
add 'cat | k6agg off' "$bytes" "cat $i | k6agg"
add 'cat | k6agg -p 3s' "$bytes" "cat $i | k6agg -q -p 3s"
add 'cat | k6agg --summary' "$bytes" "cat $i | k6agg --summary"
add 'jq .data.value' "$short" "jq -c .data.value $dir/short"
[ -n "$(command -v mlr)" ] &&
  add 'mlr cat' "$short" "mlr --ijsonl --ojsonl cat $dir/short"
add 'python3 json' "$short" "python3 -c 'import json, sys
for l in sys.stdin: json.loads(l)' <$dir/short"

rm -f "$dir"/agg.[0-9]*
cat "$i" >/dev/null
for _ in $(seq "$runs"); do
  for k in "${!names[@]}"; do
    once "${commands[k]}" >>"$dir/agg.$k"
  done
done

printf '%s repeated: %d MB, %d lines; medians of %d\n' "$corpus" \
  $((bytes / 1000000)) "$lines" "$runs"
printf '%-30s %8s %8s %8s %12s %10s\n' command 'wall s' 'CPU s' MB/s \
  samples/s 'CPU / wc'
declare -A wall cpu
for k in "${!names[@]}"; do
  wall[${names[k]}]=$(cut -d' ' -f1 "$dir/agg.$k" | median)
  cpu[${names[k]}]=$(cut -d' ' -f2 "$dir/agg.$k" | median)
done
for k in "${!names[@]}"; do
  n=${names[k]}
  awk -v n="$n" -v w="${wall[$n]}" -v c="${cpu[$n]}" -v b="${sizes[k]}" \
    -v all="$bytes" -v lines="$lines" -v wc="${cpu['wc -l, one core']}" \
    'BEGIN { printf "%-30s %8.2f %8.2f %8.0f %12.0f %10.1f\n", n, w, c,
      b / w / 1e6, lines * b / all / w, c / b / (wc / all) }'
done

# ratio TEXT A B [SIZE]: how many times as fast A is as B, which read SIZE bytes
ratio() {
  [ -n "$2" ] && [ -n "$3" ] || return 0
  awk -v t="$1" -v a="$2" -v b="$3" -v n="$bytes" -v m="${4:-$bytes}" \
    'BEGIN { printf "%-56s %8.2f\n", t, b / a * n / m }'
}
folding='k6agg -p 3s, one core'
ratio 'k6agg -p 3s / simdjson extractor, CPU (wanted: 1.5)' \
  "${cpu[$folding]}" "${cpu['simdjson extractor, one core']:-}"
ratio 'k6agg -p 3s / jq, CPU (wanted: 60)' \
  "${cpu[$folding]}" "${cpu['jq .data.value']}" "$short"
ratio 'wc -l / k6agg -p 3s, CPU (wanted: at most 3)' \
  "${cpu['wc -l, one core']}" "${cpu[$folding]}"
ratio 'cat | k6agg off / cat | cat, wall (wanted: 0.5)' \
  "${wall['cat | k6agg off']}" "${wall['cat | cat']}"
ratio 'k6agg -p 3s on two cores / one, wall (wanted: 1.6)' \
  "${wall['k6agg -p 3s, two cores']}" "${wall[$folding]}"
