#!/bin/bash
# proof_scale.sh: does a PostgreSQL that several k6serve share lose anything?
# Real faults under 30 pushers, counted in the database, as one table; see
# scale.sh. About 8 minutes. As root all faults; else those that need no network
# and no disk of their own.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
export K6PIPE_BIN=${K6PIPE_BIN:-$PWD/../../bin}
pushers=${PUSHERS:-30} status=0 none=
form='%-10s %8s %8s %5s %6s %5s %6s %7s %7s %8s %5s\n'

isolated() { if [ -z "$none" ]; then unshare -nm "$@"; else "$@"; fi; }
if ! unshare -nm true 2>/dev/null; then
  none="not tried: needs root, for a network and a disk of its own"
fi

# shellcheck disable=SC2059 # the form of a row
printf "$form" fault made stored lost twice bad again \
  'late s' reads refused torn
for fault in none kill failover standby cut full conflict limit all; do
  seconds=20 what=$fault
  [ "$fault" != cut ] || seconds=30
  case $fault in
  cut | full) [ -z "$none" ] ||
    { printf '%-10s %s\n' "$fault" "$none"; continue; } ;;
  all)
    what=kill+limit+standby+conflict+failover+rejoin+failover seconds=100
    [ -n "$none" ] ||
      what=kill+limit+standby+full+cut+conflict+failover+rejoin+failover
    ;;
  esac
  read -ra r <<<"$(isolated ./scale.sh "$what" "$pushers" "$seconds")"
  [ "${#r[@]}" -eq 11 ] || { echo "$fault: broke off"; status=1; continue; }
  # shellcheck disable=SC2059
  printf "$form" "$fault" "${r[@]:1}"
  [ "${r[3]} ${r[4]} ${r[5]} ${r[10]}" = '0 0 0 0' ] || status=1
done
cat <<'EOF'

bad: pushers that did not exit 0 with books that balance; again: batches sent
more than once; late: seconds from the end of the faults to that of the last
push; refused: reads that were not answered with 200; torn: reads that were not
of one state, or less than before.
EOF
exit "$status"
