#!/bin/bash
# outage.sh KIND SECONDS [RATE]: a run of RATE requests a second; the server
# is away for so long in the middle. KIND: drop, reset (nftables, so run it
# under unshare -rn), stop (SIGSTOP), kill (SIGKILL and restart). Prints a row:
# kind, seconds, made, stored, lost, twice, exit status, seconds from the heal
# to the first samples, k6push's largest memory in KB.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
kind=$1 seconds=$2 rate=${3:-50}
ip link set lo up 2>/dev/null || true

count() { python3 "$tools/stored.py" "$dir/db" 2>/dev/null | cut -d ' ' -f 1; }

await() { # until more than $1 requests are stored, at most $2 seconds
  local end=$((SECONDS + $2)) n
  while n=$(count); [ "${n:-0}" -le "$1" ]; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

rule() {
  nft add table inet f
  nft add chain inet f i '{ type filter hook input priority 0; }'
  # shellcheck disable=SC2086 # words of the rule
  nft add rule inet f i tcp dport "$port" $1
}

begin_fault() {
  case $kind in
  drop) rule drop ;;
  reset) rule "reject with tcp reset" ;;
  stop) kill -STOP "$server" ;;
  kill) kill -9 "$server" ;;
  esac
}

end_fault() {
  case $kind in
  drop | reset) nft delete table inet f ;;
  stop) kill -CONT "$server" ;;
  kill) serve "$port" ;;
  esac
}

serve 0
made=$(awk "BEGIN { print int(($seconds + 6) * $rate) }")
(
  code=0
  python3 "$tools/stream.py" "$made" "$rate" |
    k6push --result "$dir/result" 2>"$dir/err" || code=$?
  echo "$code" >"$dir/code"
) &
push=$!
await 0 20
begin_fault
before=$(count)
sleep "$seconds"
pid=$(pgrep -x k6push -P "$(pgrep -P "$push" | head -n 1),$push" || true)
rss=$(awk '/VmHWM/ { print $2 }' "/proc/${pid%%$'\n'*}/status" 2>/dev/null || true)
begin=${EPOCHREALTIME/./}
end_fault
# From here on: an outage of none heals at once.
await "$([ "$seconds" = 0 ] && echo 0 || echo "$before")" 60
first=$(((${EPOCHREALTIME/./} - begin) / 1000))
wait "$push"
code=$(cat "$dir/code")
read -r stored sum <<<"$(python3 "$tools/stored.py" "$dir/db")"
want=$((made * (made + 1) / 2))
lost=$((made > stored ? made - stored : 0))
twice=$((stored > made ? stored - made : 0))
# Neither lost nor twice, but not the same: both.
if [ "$stored" -eq "$made" ] && [ "$sum" -ne "$want" ]; then
  lost='?' twice='?'
fi
[ "$code" -eq 0 ] || cat "$dir/err" >&2
printf '%s %s %s %s %s %s %s %s.%03d %s\n' "$kind" "$seconds" "$made" \
  "$stored" "$lost" "$twice" "$code" $((first / 1000)) $((first % 1000)) \
  "${rss:--}"
