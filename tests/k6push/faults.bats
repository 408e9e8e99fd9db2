#!/usr/bin/env bats
# proof: real faults, short; `make proof` has the long ones. The scripts count
# from outside: what was made, and what the server's database holds.

# bats file_tags=faults
load ../helpers

setup() {
  cd "$root/tests/faults" || return 1
}

# private OPTIONS CMD...: in namespaces of its own.
private() {
  unshare "$1" true 2>/dev/null || skip "no namespaces here (unshare $1)"
  unshare "$@"
}

# no_loss ROW: "kind seconds made stored lost twice exit ...".
no_loss() {
  echo "$1"
  read -r _ _ made stored lost twice code _ <<<"$1"
  [ "$made" -gt 0 ]
  [ "$stored $lost $twice $code" = "$made 0 0 0" ]
}

@test "the network drops everything for 5 s: 0 lost, 0 twice, exit 0" {
  unshare -rn true 2>/dev/null || skip 'no network namespaces here'
  no_loss "$(unshare -rn ./outage.sh drop 5)"
}

@test "the network resets everything for 2 s: 0 lost, 0 twice, exit 0" {
  unshare -rn true 2>/dev/null || skip 'no network namespaces here'
  no_loss "$(unshare -rn ./outage.sh reset 2)"
}

@test "the server is killed and started at once: 0 lost, 0 twice, exit 0" {
  no_loss "$(./outage.sh kill 0)"
}

@test "the server stops answering for 3 s: 0 lost, 0 twice, exit 0" {
  no_loss "$(./outage.sh stop 3)"
}

@test "k6push is killed at its n-th call: what was on disk arrives, once" {
  strace -o /dev/null true 2>/dev/null || skip 'no strace here'
  MOST=16 STEP=5 ./killpoints.sh pwritev fdatasync unlinkat sendto openat
}

@test "writes that fail do no harm: ENOSPC, EIO, EDQUOT at each call" {
  strace -o /dev/null true 2>/dev/null || skip 'no strace here'
  ./errno.sh 4
}

@test "the journal's disk is full: reading waits, and goes on" {
  private -rnm ./fulldisk.sh
  private -rnm ./fulldisk.sh away
}

@test "parts of batches that the full disk does not take are not sent twice" {
  command -v ip >/dev/null || skip 'no ip'
  private -rnm ./fullsplit.sh
}

@test "what was only in memory beside a full disk is counted after kill -9" {
  local row lost
  unshare -rnm true 2>/dev/null || skip 'no namespaces here (unshare -rnm)'
  # The full disk may just have taken the last piece: then nothing is only in
  # memory.
  for _ in 1 2 3 4 5 6 7 8; do
    row=$(unshare -rnm ./fullkill.sh)
    echo "$row"
    read -r _ _ lost _ <<<"$row"
    [ "$lost" -eq 0 ] || break
  done
  [ "$lost" -gt 0 ]
}

@test "the power fails: what was taken is there once" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root'
  [ -e /dev/loop-control ] || skip 'no loop devices here'
  # In a mount namespace of its own: what others make has no copy of its disk.
  private -m ./poweroff.sh 2
}
