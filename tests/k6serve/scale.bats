#!/usr/bin/env bats
# shellcheck disable=SC2154 # root comes from the helpers
# Several k6serve on PostgreSQL with a standby, behind a balancer: the short
# part of make proof-scale.

load ../helpers

# scale FAULT...: 6 pushers for 12 s; nothing is lost, and no read is torn. $row
# has what scale.sh prints.
scale() {
  local own=()
  ! unshare -nm true 2>/dev/null || own=(unshare -nm)
  capture "${own[@]}" "$root/tests/faults/scale.sh" "$1" 6 12
  [ "$status" = 0 ]
  read -ra row <<<"$out"
  [ "${#row[@]}" = 11 ]
  # made, stored; lost, twice, bad exits; reads; torn
  [ "${row[1]}" -gt 5000 ]
  [ "${row[1]}" = "${row[2]}" ]
  [ "${row[3]} ${row[4]} ${row[5]} ${row[10]}" = '0 0 0 0' ]
  [ "${row[8]}" -gt 0 ]
}

# needs 'NAME COMMAND'...: those of cluster.bash that find it.
needs() {
  local each
  for each; do
    # shellcheck source=/dev/null
    (here=$root/tests/faults; . "$here/cluster.bash"; ${each#* }) \
      >/dev/null 2>&1 || skip "no ${each%% *} (make check installs it)"
  done
  k6serve --db postgresql://127.0.0.1:1/x token list 2>&1 |
    grep -qv 'without libpq' || skip "k6serve was built without libpq"
}

# bats test_tags=faults,long
@test "k6serve, then the primary killed: nothing lost, twice or read torn" {
  needs 'PostgreSQL postgres_bin' 'nginx nginx_bin' \
    'stream-module-of-nginx stream_module'
  scale kill+failover
}

# bats test_tags=faults,long
@test "behind haproxy, which asks who is ready, k6serve killed: the same" {
  needs 'PostgreSQL postgres_bin' 'haproxy run_haproxy -v'
  BALANCER=haproxy scale kill
}
