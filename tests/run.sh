#!/bin/bash
# run.sh FILE...: run unit test programs and bats files, JOBS at a time, show
# what each printed, end with the line that counts: N passed, N failed.
# F='text' runs only the bats tests whose name matches, TAGS='a,!b' those with
# the tag a and not b. REPORTS=DIR: each file that a sanitizer leaves there is
# a failure, whatever became of the process. In the folder of the logs, `times`
# has the seconds of each file: wall, user, system.
set -u
export PATH=/usr/bin:/bin:$PATH	# Debian's programs: helpers.bash says why
cd "$(dirname "$0")/.." || exit 1
logs=${BUILD:-build}/logs
rm -rf "$logs"
mkdir -p "$logs"
[ -z "${REPORTS:-}" ] || { rm -rf "$REPORTS" && mkdir -p "$REPORTS"; }
# A file that hangs is a failure, not a build that never ends. The time is for
# a machine that is busy with other things. (A limit of bats' own is a process
# more for each test.)
export F=${F:-} TAGS=${TAGS:-} limit='timeout -k 10 1800'

run_one() {
  local log TIMEFORMAT="%R %U %S $2"
  log=${2#"${BUILD:-build}"/}
  log=$1/${log//\//_}.tap
  { time case $2 in
    *.bats) $limit bats --tap --timing ${F:+--filter "$F"} \
      ${TAGS:+--filter-tags "$TAGS"} "$2" ;;
    *) $limit "$2" ;;
    esac >"$log" 2>&1; } 2>>"$1/times"
  local status=$?
  # A program that died, or a file that did not run, is a failure too.
  if [ "$status" -ne 0 ] && ! grep -q '^not ok' "$log"; then
    echo "not ok - $2 ended with status $status" >>"$log"
  fi
  printf '# %s\n%s\n' "$2" "$(cat "$log")"
}
export -f run_one

# The longest first, so that none of them runs alone at the end: those of more
# than 20 s, by the `times` of make check, asan and tsan.
longest="k6serve/roll_up k6push/rw_faults k6push/journal k6push/k6push
k6agg/golden model/model
k6agg/select k6serve/page k6serve/reads k6serve/k6serve k6serve/hold
k6push/faults k6gen/conformance pipeline fuzz k6push/protocol2 k6agg/k6agg
k6serve/provision k6agg/live k6serve/access k6push/hostile k6serve/times
contract k6gen/k6gen k6gen/results k6gen/requests k6gen/load k6agg/merge
k6serve/verdict k6serve/postgres k6serve/copy k6serve/wire k6push/rw
k6serve/unknown k6push/thresholds k6serve/scale k6serve/lease k6agg/diff
k6agg/summary k6serve/clocks k6serve/ci_docs k6serve/api k6serve/report"
files=()
for name in $longest; do
  for file; do
    [ "$file" != "tests/$name.bats" ] || files+=("$file")
  done
done
for file; do
  [[ " ${files[*]} " == *" $file "* ]] || files+=("$file")
done

# Many tests wait: with one a core, a third of the cores' time is not used.
jobs=${JOBS:-$(($(nproc) + 2))}
# shellcheck disable=SC2016 # the inner shell expands them
printf '%s\0' "${files[@]}" |
  xargs -0 -P "$jobs" -I{} bash -c 'run_one "$0" "$1"' \
  "$logs" {}

if [ -n "${REPORTS:-}" ]; then
  for report in "$REPORTS"/*; do
    [ -e "$report" ] || continue
    { echo "not ok - the sanitizer found this: $report"
      sed 's/^/# /' "$report"; } | tee -a "$logs/reports.tap"
  done
fi
failed=$(cat "$logs"/*.tap | grep -c '^not ok')
skipped=$(cat "$logs"/*.tap | grep -ci '^ok .*# skip')
passed=$(($(cat "$logs"/*.tap | grep -c '^ok ') - skipped))
if [ "$failed" -gt 0 ]; then
  echo '# failed:'
  grep -H '^not ok' "$logs"/*.tap | sed "s|^$logs/|#   |"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
