#!/bin/bash
# fresh.sh: both commands of the README in a bare Debian 12, as a newcomer has
# it. Root and a Debian mirror are needed; nothing of this system is changed.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo 'fresh.sh: needs root' >&2; exit 1; }
command -v debootstrap >/dev/null || apt-get install -y debootstrap >/dev/null
root=${FRESH_ROOT:-/var/tmp/k6pipe-fresh}
# shellcheck disable=SC2016 # apt expands it
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
  grep -v security | head -n 1)

cleanup() {
  for pid in /proc/[0-9]*; do	# what was left running inside
    if [ "$(readlink "$pid/root" 2>/dev/null)" = "$root" ]; then
      kill -9 "${pid#/proc/}" 2>/dev/null || true
    fi
  done
  for dir in dev/shm dev/pts dev sys proc; do
    umount -l "$root/$dir" 2>/dev/null || true
  done
  [ -n "${FRESH_KEEP:-}" ] || rm -rf --one-file-system "$root"
}
trap cleanup EXIT
[ ! -e "$root" ] || { FRESH_KEEP='' cleanup; }

debootstrap --variant=minbase bookworm "$root" "$mirror" >/dev/null
# Debian's own archives only, by the way that this system reaches them.
cat >"$root/etc/apt/sources.list" <<LIST
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${mirror%/}-security bookworm-security main
LIST
grep -l Acquire /etc/apt/apt.conf.d/* 2>/dev/null |
  xargs -r cp -t "$root/etc/apt/apt.conf.d"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
mount -t proc proc "$root/proc"
mount -t sysfs sys "$root/sys"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"

mkdir "$root/k6pipe"
git archive HEAD | tar -x -C "$root/k6pipe"
inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    ${http_proxy:+http_proxy="$http_proxy"} \
    chroot "$root" bash -c "cd /k6pipe && $1"
}
inside 'apt-get update -qq && apt-get install -y -qq make >/dev/null 2>&1'
echo '== make demo'
inside 'make demo'
url=$(cat "$root/k6pipe/build/demo/url")
curl -sSf "$url/" >/dev/null
echo "== the page answers at $url"
inside 'make demo-stop'
echo '== make check'
inside 'make check'
