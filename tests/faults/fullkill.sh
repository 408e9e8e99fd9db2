#!/bin/bash
# fullkill.sh: the server is silent and the journal's disk full, so that a
# batch is only in memory; then k6push is killed, and there is room again. Run
# under unshare -rnm. Prints: requests read, stored, called lost, exit status.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
unmount() { umount "$dir/disk" 2>/dev/null || true; }
ip link set lo up 2>/dev/null || true
mkdir "$dir/disk"
mount -t tmpfs -o size=384k tmpfs "$dir/disk"
serve 0
python3 "$tools/stream.py" 30000 0 >"$dir/in"
# It is silent before the first batch: none that is taken makes room again.
kill -STOP "$server"
k6push -q --journal "$dir/disk/j" --max-samples-per-package 400 \
  --push-interval 50ms "$dir/in" 2>"$dir/err" &
push=$!
disown
await 60 grep -qs 'reading waits' "$dir/err"
# position: how far it has read.
position() {
  local input
  input=$(find /proc/"$push"/fd -lname "$dir/in" -printf '%f\n')
  sed -n 's/^pos:\s*//p' /proc/"$push"/fdinfo/"$input"
}
# state: where it stands; another each time if one of its threads has work.
state() {
  position
  stat -c '%s %y' "$dir"/disk/j/*/done
  ! cut -d ' ' -f 3 /proc/"$push"/task/*/stat | grep -q '[RD]' || date +%s%N
}
# Nothing changes for ten push intervals: it reads no more, and what is only in
# memory is cut and noted.
is_settled() {
  local first
  first=$(state)
  for _ in 1 2 3 4 5; do
    sleep 0.1
    [ "$(state)" = "$first" ] || return 1
  done
}
await 60 is_settled
kill -STOP "$push"
bytes=$(position)
kill -9 "$push"
kill -CONT "$server"
mount -o remount,size=64m "$dir/disk"
read=$(head -c "$bytes" "$dir/in" |
  grep -c '"metric":"http_req_failed","type":"Point".*}$')
code=0
k6push -q --resume "$dir/disk/j" 2>"$dir/err" || code=$?
read -r stored _ < <(python3 "$tools/stored.py" "$dir/db")
lost=$(sed -n 's/.* stored, \([0-9]*\) lost, .*/\1/p' "$dir/err")
printf '%s %s %s %s\n' "$read" "$stored" "$lost" "$code"
# One that was read in part may be in none of them. What is in the journal as
# pieces is not lost: if the last of them just went in, nothing is.
left=$((read - stored - lost))
[ "$read" -gt 0 ] && [ "$left" -ge -1 ] && [ "$left" -le 1 ] &&
  [ "$code" -eq "$((lost > 0 ? 75 : 1))" ]
