#!/bin/bash
# fullsplit.sh: the server takes small bodies only, the journal's disk is full,
# so that the parts of batches do not fit on it, and k6push is killed; then the
# server takes larger bodies, and there is room. Run under unshare -rnm.
# Prints: requests stored before the kill, after it, of these twice.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
proxy=
unmount() {
  [ -z "$proxy" ] || kill "$proxy"
  umount "$dir/disk" 2>/dev/null || true
}
# await_or_show CMD...: wait for it.
await_or_show() { await 60 "$@" || { cat "$dir/err" >&2; return 1; }; }
is_full() { grep -qs 'No space left on device: reading waits' "$dir/err"; }
# numbers: those of all requests that were taken, under whatever key.
numbers() { sort -u "$dir/log" | tr ' ' '\n' | grep -xE '[0-9]{1,6}'; }
has_parts() { [ "$(numbers | wc -l)" -ge 600 ]; }

ip link set lo up 2>/dev/null || true
mkdir "$dir/disk"
mount -t tmpfs -o size=384k tmpfs "$dir/disk"
serve 0
echo 503 >"$dir/rule"
touch "$dir/log"
python3 "$tools/unruly.py" "$dir/rule" "$dir/log" "$K6_CLOUD_HOST" \
  >"$dir/url" &
proxy=$!
disown
await_or_show test -s "$dir/url"
K6_CLOUD_HOST=$(cat "$dir/url")
python3 "$tools/stream.py" 30000 0 >"$dir/in"
k6push -q --journal "$dir/disk/j" --max-samples-per-package 400 "$dir/in" \
  2>"$dir/err" &
push=$!
disown
await_or_show is_full
echo '413 150' >"$dir/rule"
await_or_show has_parts
kill -9 "$push"
before=$(numbers | wc -l)
echo pass >"$dir/rule"
mount -o remount,size=64m "$dir/disk"
k6push -q --resume "$dir/disk/j" 2>"$dir/err" || cat "$dir/err" >&2
twice=$(numbers | sort | uniq -d | wc -l)
stored=$(numbers | wc -l)
read -r count _ < <(python3 "$tools/stored.py" "$dir/db")
printf '%s %s %s\n' "$before" "$stored" "$twice"
[ "$twice" -eq 0 ] && [ "$count" -eq "$stored" ]
