#!/bin/bash
# poweroff.sh CYCLES: cut the power of the disk with the journal (ext4 on a
# loop device, shut down without a flush; root) at a random moment of a live
# run, with the server up or away; mount it again, deliver what is left. What
# the server had taken must be there once; what was written more than the sync
# time before the cut must be there; what is told as lost must not be there.
# Prints: cycles, starts that failed, lost after acknowledgement, twice, longest
# time of samples lost, ms.
# shellcheck source=fault.bash
. "$(dirname "$0")/fault.bash"
mounted=
unmount() { [ -z "$mounted" ] || umount -l "$dir/disk" 2>/dev/null || true; }

# mount_again: the disk as it is after the cut. While a mount namespace that
# somebody else made holds the old mount, a new one is of the same dead file
# system.
mount_again() {
  umount "$dir/disk" 2>/dev/null || umount -l "$dir/disk" 2>/dev/null || true
  mount -o loop "$dir/image" "$dir/disk" &&
    touch "$dir/disk/alive" 2>/dev/null
}

# has_begun: k6push has written to the disk.
has_begun() {
  compgen -G "$dir/disk/journal/*/run" >/dev/null ||
    ! kill -0 "$push" 2>/dev/null
}

# EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH
cut_power() {
  python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D,
            struct.pack("I", 2))' "$dir/disk"
}

# resume_cut: deliver what is left. 75 is right where the cut took a part of
# what had begun to reach the disk; told is how many samples that is.
resume_cut() {
  code=0
  rm -f "$dir/result"
  k6push -q --resume "$dir/disk/journal" --result "$dir/result" \
    >/dev/null 2>"$dir/err" || code=$?
  told=$(jq -e .samples.lost "$dir/result")
}

# judge_told: at least so many samples as it told are missing, in $dir/made.N.
judge_told() {
  local made
  made=$(grep -c http_req_failed "$dir/made.$cycle" || true)
  case $code in
  0 | 1) [ "$told" -gt 0 ] || return 0 ;;
  75) [ "$told" -eq 0 ] || [ "$told" -gt $(((made - count) * 9)) ] ||
    return 0 ;;
  esac
  bad=$((bad + 1))
  echo "cycle $cycle: exit $code, $told samples told as lost, $made requests" \
    "made, $count stored" >&2
  cat "$dir/err" >&2
}

RANDOM=${SEED:=$((RANDOM * 32768 + RANDOM))}
echo "SEED=$SEED" >&2
truncate -s 64M "$dir/image"
mkfs.ext4 -qF "$dir/image"
mkdir "$dir/disk"
mount -o loop "$dir/image" "$dir/disk"
mounted=1
serve 0
rate=200 lost=0 twice=0 longest=0
for cycle in $(seq "$1"); do
  rm -rf "$dir/disk/journal"
  sync -f "$dir/disk"
  python3 "$tools/stream.py" 2000 "$rate" 2>/dev/null |
    tee "$dir/made.$cycle" |
    k6push -q --journal "$dir/disk/journal" >/dev/null 2>&1 &
  push=$!
  disown
  await 60 has_begun
  sleep 0.5
  away=$((cycle % 2))
  [ "$away" = 0 ] || kill -STOP "$server"
  sleep "$(printf '0.%03d' $((RANDOM % 900 + 100)))"
  cut_power
  written=$(grep -c http_req_failed "$dir/made.$cycle" || true)
  kill_now "$push"
  [ "$away" = 0 ] || kill -CONT "$server"
  await 600 mount_again
  read -r before _ < <(python3 "$tools/stored.py" "$dir/db")
  before=$((before - all_count))
  code=0 told=0
  if [ -n "$(ls "$dir/disk/journal" 2>/dev/null)" ]; then
    resume_cut
  fi
  count_new
  judge_told
  [ "$count" -ge "$before" ] || lost=$((lost + 1))
  if [ "$sum" -ne $((count * (count + 1) / 2)) ]; then
    twice=$((twice + 1))
    echo "cycle $cycle: $count stored, sum $sum" >&2
  fi
  gap=$(((written - count) * 1000 / rate))
  [ -z "${VERBOSE:-}" ] || echo "cycle $cycle: $written made, $before" \
    "before, $count after, $gap ms" >&2
  [ "$gap" -le "$longest" ] || longest=$gap
done
echo "$1 $bad $lost $twice $longest"
[ $((bad + lost + twice)) -eq 0 ]
