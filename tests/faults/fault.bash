# What the fault scripts share: a folder of their own in $dir, removed at the
# end, k6pipe's tools in PATH, and a k6serve. A script may define unmount.
# shellcheck shell=bash disable=SC2034 # used by the scripts
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$here/../tools
dir=$(mktemp -d)
server=
unmount() { :; }
cleanup() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  unmount
  rm -rf "$dir"
}
trap cleanup EXIT
export HOME=$dir LC_ALL=C.UTF-8 PATH=${K6PIPE_BIN:-$here/../../bin}:$PATH
unset XDG_STATE_HOME "${!K6_@}"

# await SECONDS COMMAND...: until it is true; fails if it is not by then, or a
# minute later, for a machine that is busy.
await() {
  local end=$((SECONDS + $1 + 60))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || { echo "gave up waiting: $*" >&2; return 1; }
    sleep 0.05
  done
}

# kill_now PID: end it by SIGKILL; when this returns, its files are closed.
kill_now() {
  local state
  kill -9 "$1" 2>/dev/null || return 0
  while state=$(ps -o state= -p "$1") && [[ $state != Z* ]]; do
    sleep 0.02
  done
}

# serve PORT (0: any): start the k6serve of $dir/db, whose process is $server.
# A port that was ours before another may have for a while: it is asked for
# again.
serve() {
  await 60 serve_or_fail "$1"
  [ -n "$server" ] || { cat "$dir/serve" >&2; return 1; }
  K6_CLOUD_HOST=$(head -n 1 "$dir/out")
  port=${K6_CLOUD_HOST##*:}
  export K6_CLOUD_HOST
}

# serve_or_fail PORT: it serves, or will not do so ($server is empty).
serve_or_fail() {
  rm -f "$dir/out"
  k6serve --listen "127.0.0.1:$1" --db "$dir/db" >"$dir/out" \
    2>"$dir/serve" &
  server=$!
  disown
  await 10 serves_or_ended || true
  ! grep -qs ^http "$dir/out" || return 0
  kill_now "$server"
  server=
  ! grep -q 'Address already in use' "$dir/serve"
}

serves_or_ended() {
  grep -qs ^http "$dir/out" || ! kill -0 "$server" 2>/dev/null
}

# resume_from DIR: deliver what is left in a journal; counts in $bad if that
# fails. 1 is no failure: the run was cut, and ends as aborted.
bad=0
resume_from() {
  local code=0
  k6push -q --resume "$1" >/dev/null 2>"$dir/err" || code=$?
  [ "$code" -gt 1 ] || return 0
  bad=$((bad + 1))
  cat "$dir/err" >&2
}

# count_new: how many numbered requests the server has, and their $sum, since
# the last call, in $count.
all_count=0 all_sum=0
count_new() {
  read -r count sum < <(python3 "$tools/stored.py" "$dir/db")
  count=$((count - all_count)) sum=$((sum - all_sum))
  all_count=$((all_count + count)) all_sum=$((all_sum + sum))
}
