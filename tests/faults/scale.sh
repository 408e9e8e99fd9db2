#!/bin/bash
# scale.sh FAULT [PUSHERS [SECONDS]]: a PostgreSQL with a standby, three k6serve
# behind a balancer, and so many pushers (30) of 5000 samples a second in all,
# a third of which feed one run; a fault comes while they send (20 s). FAULT:
# none, kill (each k6serve in turn), failover (the primary killed, the standby
# promoted), rejoin (what was killed so follows), standby (it hangs), cut
# (network, nftables), full (the disk), conflict (deadlocks, serialization
# failures and locks), limit (connections), or several with + between them.
# Prints a row: fault, made, stored, lost, twice, pushers that did not exit 0
# with books that balance, batches sent again, seconds from the heal to the last
# end of a push, reads, reads refused, reads that were torn or went back.
# BALANCER=haproxy: that in place of nginx. As root in a network and mount
# namespace of its own (unshare -nm).
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
# shellcheck source=cluster.bash
. "$(dirname "$0")/cluster.bash"
faults=$1 pushers=${2:-30} seconds=${3:-20}
ip link set lo up 2>/dev/null || true

pushes=()
unmount() {
  local each
  for each in "${pushes[@]}"; do
    # shellcheck disable=SC2046 # several
    kill $(pgrep -P "$each") 2>/dev/null || true
  done
  [ -z "${reader:-}" ] || kill "$reader" 2>/dev/null || true
  stop_cluster
  umount "$dir/space1" 2>/dev/null || true
}

# cut_off PORT SECONDS: nothing goes to it and nothing comes from it.
cut_off() {
  nft add table inet f
  nft add chain inet f i '{ type filter hook input priority 0; }'
  nft add rule inet f i tcp dport "$1" drop
  nft add rule inet f i tcp sport "$1" drop
  sleep "$2"
  nft delete table inet f
}

fault_none() { sleep 1; }

fault_kill() {
  local n
  for n in 1 2 3; do
    kill -9 "${serve_pids[n]}"
    sleep 1
    start_serve "$n"
    sleep 1
  done
}

fault_failover() { fail_over; }

# The one that was killed comes back as the standby of the other.
fault_rejoin() { standby "$((3 - primary))"; }

# No commit is confirmed while it hangs.
fault_standby() {
  local pid all
  pid=$(head -n 1 "$dir/pg$((3 - primary))/postmaster.pid")
  mapfile -t all < <(pgrep -P "$pid")
  kill -STOP "$pid" "${all[@]}"
  sleep 8
  kill -CONT "$pid" "${all[@]}"
}

# A k6serve from the balancer, then the primary from all, its standby too.
fault_cut() {
  cut_off "${serve_ports[2]}" 8
  cut_off "${db_ports[primary]}" 14
}

# Only a small disk is soon full.
fault_full() {
  dd if=/dev/zero of="$dir/space1/fill" bs=8k 2>/dev/null || true
  sleep 5
  rm "$dir/space1/fill"
}

# A third of the batches fail, each in one of these ways; then a table is
# locked for longer than k6serve waits.
fault_conflict() {
  sql "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS \$\$
    BEGIN
      IF random() < 0.2 THEN
        RAISE EXCEPTION 'injected' USING ERRCODE = '40001';
      ELSIF random() < 0.2 THEN
        RAISE EXCEPTION 'injected' USING ERRCODE = '40P01';
      END IF;
      RETURN NEW;
    END \$\$"
  sql 'CREATE TRIGGER fail BEFORE INSERT ON k6serve.batch
    FOR EACH ROW EXECUTE FUNCTION public.fail()'
  sleep 6
  sql 'DROP TRIGGER fail ON k6serve.batch'
  sql 'DROP FUNCTION public.fail()'
  sql 'BEGIN; LOCK TABLE k6serve.series; SELECT pg_sleep(7); COMMIT' >/dev/null
}

# The role may have fewer connections than each k6serve wants, and loses all.
fault_limit() {
  sql 'ALTER ROLE app CONNECTION LIMIT 4'
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'app'" >/dev/null
  sleep 6
  sql 'ALTER ROLE app CONNECTION LIMIT -1'
}

if [[ +$faults+ = *+full+* ]]; then
  mkdir "$dir/space1"
  mount -t tmpfs -o size=64m tmpfs "$dir/space1"
fi
start_cluster
rate=$(awk "BEGIN { print 5000 / 9 / $pushers }")
each=$(awk "BEGIN { print int($rate * $seconds) + 1 }")
k6push --create -n shared 2>>"$dir/log" | cut -f 1 >"$dir/shared"
shared=$(cat "$dir/shared")

# push N: one pusher; each third feeds the run of many.
push() {
  local run=()
  [ $(($1 % 3)) -ne 0 ] || run=(K6_CLOUD_PUSH_REF_ID="$shared")
  code=0
  python3 "$tools/stream.py" "$each" "$rate" |
    env "${run[@]}" k6push -q --journal "$dir/j$1" --push-interval 500ms \
      --drain 120s --result "$dir/result$1" 2>"$dir/err$1" || code=$?
  echo "$code" >"$dir/code$1"
}

for n in $(seq "$pushers"); do
  push "$n" &
  pushes+=($!)
done
python3 "$tools/readers.py" "$K6_CLOUD_HOST" "$dir/reads" 2>>"$dir/log" &
reader=$!
sleep 3
for fault in ${faults//+/ }; do
  "fault_$fault" || { echo "the fault $fault failed" >&2; exit 1; }
done
healed=$SECONDS
wait "${pushes[@]}"
late=$((SECONDS - healed))
kill "$reader"
wait "$reader" 2>/dev/null || true
k6push --finish "$shared" 2>>"$dir/log" >>"$dir/log" || true

# Each pusher's own books: all that it read was acknowledged, and what it made
# is what the server has of its run; only the shared run has more.
balances() {
  jq -e --argjson n "$each" --argjson own "$(($1 % 3))" '
    .samples.read == 9 * $n and .samples.acknowledged == 9 * $n
    and .samples.lost == 0 and .samples.on_disk == 0
    and ($own == 0 or .requests.stored == $n)' "$dir/result$1" >/dev/null
}
bad=0
for n in $(seq "$pushers"); do
  if ! grep -qx 0 "$dir/code$n" || ! balances "$n"; then
    bad=$((bad + 1))
    cat "$dir/err$n" >&2
  fi
done
# Each run by itself, and its points: what is lost in one cannot be made up by
# another.
want=$((each * (each + 1) / 2))
sharing=$((pushers / 3))
made=$((pushers * each))
stored=$(sql "SELECT coalesce(sum(count), 0) FROM k6serve.series
  WHERE tagset = 0 AND metric = 'http_req_duration'")
read -r lost twice odd <<<"$(sql "WITH told AS (SELECT r.id,
    CASE WHEN r.id = $shared THEN $sharing ELSE 1 END AS n, s.count, s.sum,
    (SELECT sum(p.count) FROM k6serve.point p WHERE p.series = s.id) AS points
    FROM k6serve.run r LEFT JOIN k6serve.series s ON s.run = r.id
      AND s.tagset = 0 AND s.metric = 'http_req_duration')
  SELECT coalesce(sum(greatest(n * $each - coalesce(count, 0), 0)), 0),
    coalesce(sum(greatest(count - n * $each, 0)), 0),
    count(*) FILTER (WHERE points IS DISTINCT FROM count
      OR sum IS DISTINCT FROM n * $want) FROM told" | tr '|' ' ')"
runs=$(sql 'SELECT count(*) FROM k6serve.run')
# A run more, a run less, or another sum under the same count.
[ "$runs" -eq $((pushers - sharing + 1)) ] || odd="$odd/$runs"
[ "$odd" = 0 ] || { echo "$odd runs have other sums" >&2; bad="$bad/$odd"; }
read -r reads refused torn <"$dir/reads"
[ "$torn" = 0 ] || grep '^run ' "$dir/log" >&2
again=$(cat "$dir"/result* | jq -s 'map(.resent) | add')
printf '%s %s %s %s %s %s %s %s %s %s %s\n' "$faults" "$made" "$stored" \
  "$lost" "$twice" "$bad" "$again" "$late" "$reads" "$refused" "$torn"
