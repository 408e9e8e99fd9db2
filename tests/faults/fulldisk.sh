#!/bin/bash
# fulldisk.sh [away]: push with the journal on a tmpfs that is too small, until
# it is full; then the server takes what is there, or with `away` the disk
# becomes larger before that. Run under unshare -rnm.
# Prints: made, stored, lost, twice, exit status, seconds until it went on.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
unmount() { umount "$dir/disk" 2>/dev/null || true; }
ip link set lo up 2>/dev/null || true
mkdir "$dir/disk"
mount -t tmpfs -o size=512k tmpfs "$dir/disk"
serve 0
# It is silent until the disk is full: what it takes makes room.
kill -STOP "$server"
made=20000
python3 "$tools/stream.py" "$made" 0 >"$dir/in"
(
  code=0
  k6push --journal "$dir/disk/j" "$dir/in" 2>"$dir/err" || code=$?
  echo "$code" >"$dir/code"
) &
push=$!
await 60 grep -qs 'reading waits' "$dir/err"
if [ "${1:-}" = away ]; then
  sleep 2
  begin=${EPOCHREALTIME/./}
  mount -o remount,size=64m "$dir/disk"
else
  begin=${EPOCHREALTIME/./}
  kill -CONT "$server"
fi
await 60 grep -qs 'grows again\|goes on' "$dir/err"
took=$(((${EPOCHREALTIME/./} - begin) / 1000))
kill -CONT "$server"
wait "$push"
code=$(cat "$dir/code")
read -r stored sum < <(python3 "$tools/stored.py" "$dir/db")
[ "$code" -eq 0 ] || cat "$dir/err" >&2
lost=$((made > stored ? made - stored : 0))
twice=$((stored > made ? stored - made : 0))
[ "$sum" -eq $((made * (made + 1) / 2)) ] || lost='?'
printf '%s %s %s %s %s %s.%03d\n' "$made" "$stored" "$lost" "$twice" \
  "$code" $((took / 1000)) $((took % 1000))
[ "$lost $twice $code" = '0 0 0' ]
