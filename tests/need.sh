#!/bin/sh
# need.sh build|demo|check|bench: install those Debian packages that are missing.
# As root or by sudo; else say the exact command and fail.
set -eu

packages="gcc libc6-dev pkg-config libcurl4-openssl-dev libssl-dev zlib1g-dev
libzstd-dev libjansson-dev libsnappy-dev libmicrohttpd-dev libsqlite3-dev
libnghttp2-dev libc-ares-dev libidn2-dev libjs-dygraphs ca-certificates"
case ${1:-build} in
build) ;;
demo) packages="$packages curl jq" ;;
check | bench)
  packages="$packages curl jq bats python3 mandoc shellcheck strace valgrind
chromium python3-websocket nftables iproute2 e2fsprogs openssl
protobuf-compiler clang libclang-rt-14-dev cppcheck procps git util-linux zstd nghttp2-server
libfaketime"
  [ "$1" = check ] ||
    packages="$packages wrk apache2-utils hey nghttp2-client g++
libsimdjson-dev miller" ;;
*) echo "usage: need.sh build|demo|check|bench" >&2; exit 2 ;;
esac

missing=
for p in $packages; do
  # shellcheck disable=SC2016 # dpkg expands it
  case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) in
  *' installed') ;;
  *) missing="$missing $p" ;;
  esac
done

# nginx is only unpacked, never installed: no service is to start here.
nginx=build/tools/usr/sbin/nginx
want_nginx=
if [ "${1:-build}" != build ] && ! command -v nginx >/dev/null &&
  [ ! -x "$nginx" ]; then
  want_nginx=1
fi
[ -n "$missing$want_nginx" ] || exit 0

as_root=
if [ -n "$missing" ] && [ "$(id -u)" != 0 ]; then
  if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo; } \
    >/dev/null; then
    echo "missing packages; as root, run:" >&2
    echo "  apt-get install -y --no-install-recommends$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi

quiet() {
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

if [ -n "$missing" ]; then
  echo "installing:$missing"
  quiet $as_root apt-get update
  # shellcheck disable=SC2086 # a list of words
  quiet $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $missing
fi
if [ -n "$want_nginx" ]; then
  echo "unpacking: nginx"
  mkdir -p build/tools
  (cd build/tools && quiet apt-get download nginx && dpkg -x nginx_*.deb .)
fi
