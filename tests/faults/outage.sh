#!/bin/bash
# outage.sh KIND SECONDS [RATE]: a run of RATE requests a second; the server
# is away for so long in the middle. KIND: drop, reset (nftables, so run it
# under unshare -rn), stop (SIGSTOP), kill (SIGKILL and restart). Prints a row:
# kind, seconds, made, stored, lost, twice, exit status, seconds from the heal
# to the first samples, k6push's largest memory in KB. TO=prometheus: it goes to
# one by remote write.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
kind=$1 seconds=$2 rate=${3:-50}
ip link set lo up 2>/dev/null || true
push_options=()
totals() { python3 "$tools/stored.py" "$dir/db"; }
count() { totals 2>/dev/null | cut -d ' ' -f 1; }
# shellcheck source=prometheus.bash
[ "${TO:-}" != prometheus ] || . "$here/prometheus.bash"

more_than() {
  local n
  n=$(count)
  [ "${n:-0}" -gt "$1" ]
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
  # The last request comes when all is well again, on any machine.
  python3 "$tools/stream.py" "$made" "$rate" "$dir/healed" |
    tee "$dir/stream" |
    k6push ${push_options[@]+"${push_options[@]}"} --result "$dir/result" \
      2>"$dir/err" || code=$?
  echo "$code" >"$dir/code"
) &
push=$!
await 20 more_than 0
begin_fault
[ "${TO:-}" = prometheus ] || before=$(count)
sleep "$seconds"
pid=$(pgrep -x k6push -P "$(pgrep -P "$push" | head -n 1),$push" || true)
rss=$(awk '/VmHWM/ { print $2 }' "/proc/${pid%%$'\n'*}/status" 2>/dev/null || true)
begin=${EPOCHREALTIME/./}
end_fault
before=${before:-$(count)} # one that is away does not say
touch "$dir/healed"
# From here on: an outage of none heals at once.
await 60 more_than "$([ "$seconds" = 0 ] && echo 0 || echo "$before")"
first=$(((${EPOCHREALTIME/./} - begin) / 1000))
wait "$push"
code=$(cat "$dir/code")
read -r stored sum <<<"$(totals)"
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
