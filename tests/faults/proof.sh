#!/bin/bash
# proof.sh: does k6push lose anything? Real faults, counted from outside, as
# one table. Long: about an hour; SEEDS=10 shortens it; LONG=7200 adds an outage
# of so many seconds. As root it cuts the power of a disk too.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
export K6PIPE_BIN=${K6PIPE_BIN:-$PWD/../../bin}
status=0 outages=0 longest=0 made=0 stored=0 lost=0 twice=0 slowest=0 rss=0

isolated() { if unshare -rn true 2>/dev/null; then unshare -rn "$@"; else "$@"; fi; }

printf '%-7s %8s %9s %9s %6s %6s %5s %9s %8s\n' outage seconds made stored \
  lost twice exit 'first s' 'RSS KB'
outage() {
  local row r
  row=$(isolated ./outage.sh "$@") || status=1
  read -ra r <<<"$row"
  printf '%-7s %8s %9s %9s %6s %6s %5s %9s %8s\n' "${r[@]}"
  outages=$((outages + 1)) made=$((made + r[2])) stored=$((stored + r[3]))
  lost=$((lost + r[4])) twice=$((twice + r[5]))
  [ "${r[4]} ${r[5]} ${r[6]}" = '0 0 0' ] || status=1
  [ "$longest" -ge "${r[1]}" ] || longest=${r[1]}
  slowest=$(printf '%s\n' "$slowest" "${r[7]}" | sort -n | tail -n 1)
  [ "${r[8]}" = - ] || [ "$rss" -ge "${r[8]}" ] || rss=${r[8]}
}
outage kill 0
for seconds in 5 10 18 ${OUTAGES-120}; do
  for kind in drop reset stop kill; do
    outage "$kind" "$seconds"
  done
done
[ -z "${LONG:-}" ] || outage drop "$LONG"
cloud=("$outages" "$longest" "$made" "$stored" "$lost" "$twice" "$slowest")
outages=0 longest=0 made=0 stored=0 lost=0 twice=0 slowest=0
if command -v prometheus >/dev/null; then
  echo 'the same to a Prometheus, by remote write:'
  export TO=prometheus
  for seconds in 5 18; do
    for kind in drop reset stop kill; do
      outage "$kind" "$seconds"
    done
  done
  unset TO
fi

echo
row() { printf '%-58s %s\n' "$1" "$2"; }
row 'outages; the longest, s' "${cloud[0]}; ${cloud[1]}"
row 'requests made = stored, lost, twice' \
  "${cloud[2]} = ${cloud[3]}, ${cloud[4]}, ${cloud[5]}"
row 'from the heal to the first samples, at most, s' "${cloud[6]}"
if [ "$outages" -gt 0 ]; then
  row 'remote write: outages of a Prometheus; the longest, s' \
    "$outages; $longest"
  row 'remote write: made = stored by PromQL, lost, twice' \
    "$made = $stored, $lost, $twice"
else
  row 'remote write' 'not tried: no prometheus'
fi
row 'largest memory of k6push, KB' "$rss"
points=$(./killpoints.sh) || status=1
row 'killed at a call: points, lost, twice, bad starts' "$points"
memory=$(REQUESTS=40 MOST=100000 STEP=5 ./killpoints.sh malloc) || status=1
row 'failed allocations: points, lost, twice, wrong exit' "$memory"
faults=$(./errno.sh "${FAULTS:-20}") || status=1
row 'failed calls: faults, lost, twice, wrong exit' "$faults"
full=$(unshare -rnm ./fulldisk.sh away 2>/dev/null) || status=1
row 'full disk: made, stored, lost, twice, exit, s to go on' "$full"
split=$(unshare -rnm ./fullsplit.sh 2>/dev/null) || status=1
row 'full disk, 413, killed: stored before, after, twice' "$split"
killed=$(unshare -rnm ./fullkill.sh 2>/dev/null) || status=1
row 'full disk, killed: read, stored, called lost, exit' "$killed"
held=$(ROUNDS=${CYCLES:-50} bats ../k6serve/hold.bats -f 'again and again' |
  grep -c '^ok') || status=1
row 'k6serve: rounds of kill -9 and of power cuts; kinds held' \
  "${CYCLES:-50}; $held of 2"
[ "$held" -eq 2 ] || status=1
own=() seeds=${SEEDS:-200}
unshare -rm true 2>/dev/null && own=(unshare -rm)
# shellcheck disable=SC2046 # a word for each seed
model=$("${own[@]}" ../model/model.py $(seq "$seeds")) || status=1
grep -v balances <<<"$model" || true
row 'random schedules of faults; of these balanced' \
  "$seeds; $(grep -c balances <<<"$model")"
if [ "$(id -u)" -eq 0 ] && [ -e /dev/loop-control ]; then
  power=$(./poweroff.sh "${CYCLES:-50}") || status=1
  row 'power cuts, bad starts, acked lost, twice, ms unsynced' "$power"
else
  row 'power cuts' 'not tried: needs root and loop devices'
fi
exit "$status"
