#!/bin/bash
# killpoints.sh [SYSCALL...]: kill k6push at the first, second, third ... of
# its calls of each of these, until it gets through; then deliver what is left.
# What the server has must be the first requests of the stream, each once, and
# all of those that were on disk. Prints: points tried, lost, twice, starts
# that failed. MOST=N: at most so many points a call; STEP=N: every n-th.
# SYSCALL may be `malloc`: the n-th allocation fails, and k6push has to end
# with a message, or go on.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
[ $# -gt 0 ] || set -- pwritev pwrite64 write openat fdatasync fsync unlinkat \
  rename mkdir mkdirat ftruncate fallocate flock sendto connect read close

if [[ " $* " = *' malloc '* ]]; then
  cc -shared -fPIC -O1 -o "$dir/nomem.so" "$here/nomem.c"
fi
serve 0
python3 "$tools/stream.py" "${REQUESTS:-200}" 0 >"$dir/in"
made=${REQUESTS:-200}
points=0 lost=0 twice=0 bad=0 run=0

# push COMMAND...: a run, by way of the command; small batches, so that there is
# more to go wrong.
push() {
  "$@" k6push -q --journal "$dir/journal" --max-samples-per-package 20 "$dir/in"
}

# Was the run hit, as was wanted? Its messages are in $dir/err.
hit() {
  local code=0
  rm -rf "$dir/journal" "$dir/hit"
  if [ "$1" != malloc ]; then
    # A shell of its own tells nobody of the kill.
    (
      push strace -f -qq -o /dev/null -e "trace=$1" \
        -e "inject=$1:signal=KILL:when=$2"
      exit $?
    ) >/dev/null 2>&1 || code=$?
    [ "$code" -eq 137 ]
    return
  fi
  (
    push env NOMEM="$2" NOMEM_HIT="$dir/hit" LD_PRELOAD="$dir/nomem.so"
    exit $?
  ) >/dev/null 2>"$dir/err" || code=$?
  if [ "$code" -gt 105 ] || { [ "$code" -ne 0 ] && [ ! -s "$dir/err" ]; }; then
    bad=$((bad + 1))
    echo "malloc $2: exit $code" >&2
    cat "$dir/err" >&2
  fi
  [ -e "$dir/hit" ]
}

# One run, hit at the n-th call; false when it was not.
one() {
  local kept count sum
  if ! hit "$@"; then
    count_new
    return 1
  fi
  kept=$(k6push --list --journal "$dir/journal" 2>/dev/null |
    sed -nE 's/.*\t([0-9]+) samples\t.*/\1/p')
  if [ -n "$kept" ]; then
    resume_from "$dir/journal"
  fi
  count_new
  # Of 9 points a request, those of the last may not be whole.
  if [ $((count * 9)) -lt "${kept:-0}" ]; then
    lost=$((lost + 1))
    echo "$1 $2: $count stored, $kept samples were on disk" >&2
  fi
  if [ "$count" -gt "$made" ] ||
    [ "$sum" -ne $((count * (count + 1) / 2)) ]; then
    twice=$((twice + 1))
    echo "$1 $2: $count stored, sum $sum" >&2
  fi
}

for call; do
  n=1
  while [ "$n" -le "${MOST:-1000}" ] && one "$call" "$n"; do
    points=$((points + 1))
    n=$((n + ${STEP:-1}))
  done
  run=$((run + 1))
done
echo "$points $lost $twice $bad"
[ $((lost + twice + bad)) -eq 0 ]
