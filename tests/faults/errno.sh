#!/bin/bash
# errno.sh MOST: let the n-th call of k6push fail, n up to MOST, for the calls
# that touch the disk and the errors that disks give. All samples must arrive,
# once; the exit status must say so. Prints: faults, lost, twice, wrong status.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
serve 0
made=100 faults=0 lost=0 twice=0 wrong=0 all=0
python3 "$tools/stream.py" "$made" 0 >"$dir/in"
for call in pwritev:ENOSPC pwritev:EIO pwritev:EINTR fdatasync:EIO \
  fsync:EIO unlinkat:EIO fallocate:ENOSPC; do
  for n in $(seq "$1"); do
    code=0
    rm -rf "$dir/journal"
    strace -f -qq -o /dev/null -e "trace=${call%:*}" \
      -e "inject=${call%:*}:error=${call#*:}:when=$n" k6push -q \
      --journal "$dir/journal" --max-samples-per-package 20 "$dir/in" \
      >/dev/null 2>"$dir/err" || code=$?
    read -r count _ < <(python3 "$tools/stored.py" "$dir/db")
    stored=$((count - all)) all=$count faults=$((faults + 1))
    [ "$stored" -ge "$made" ] || lost=$((lost + 1))
    [ "$stored" -le "$made" ] || twice=$((twice + 1))
    if [ "$code" -ne 0 ] || [ "$stored" -ne "$made" ]; then
      wrong=$((wrong + 1))
      echo "$call $n: exit $code, $stored stored" >&2
      cat "$dir/err" >&2
    fi
  done
done
echo "$faults $lost $twice $wrong"
[ $((lost + twice + wrong)) -eq 0 ]
