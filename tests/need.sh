#!/bin/sh
# need.sh build|demo|check|bench: install those Debian packages that are
# missing. As root or by sudo; else say the exact command and fail.
set -eu

packages="gcc libc6-dev pkg-config libcurl4-openssl-dev libssl-dev zlib1g-dev
libzstd-dev libjansson-dev libsnappy-dev libmicrohttpd-dev libsqlite3-dev
libnghttp2-dev libc-ares-dev libidn2-dev libpq-dev libjs-dygraphs
ca-certificates"
case ${1:-build} in
build) ;;
demo) packages="$packages curl jq" ;;
check | bench)
  packages="$packages curl jq bats python3 mandoc shellcheck strace valgrind
chromium python3-websocket nftables iproute2 e2fsprogs openssl
protobuf-compiler clang libclang-rt-14-dev cppcheck procps git util-linux zstd
nghttp2-server libfaketime prometheus victoria-metrics"
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

# nginx, and its module that balances TCP, are only unpacked, never installed:
# no service is to start here.
nginx=build/tools/usr/sbin/nginx
stream=lib/nginx/modules/ngx_stream_module.so
want_nginx=
if [ "${1:-build}" != build ] && { { ! command -v nginx >/dev/null &&
  [ ! -x "$nginx" ]; } || { [ ! -r "/usr/$stream" ] &&
  [ ! -r "build/tools/usr/$stream" ]; }; }; then
  want_nginx=1
fi

# Likewise PostgreSQL.
want_postgres=
if [ "${1:-build}" != build ] && ! ls -d /usr/lib/postgresql/*/bin/initdb \
  build/tools/usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  want_postgres=1
fi

# Likewise haproxy with what it is linked with; a test is skipped without it.
want_haproxy=
if [ "${1:-build}" = check ] && ! command -v haproxy >/dev/null &&
  [ ! -x build/tools/usr/sbin/haproxy ]; then
  want_haproxy=1
fi

# axe, which looks for faults of the pages, is fetched by npm; the test that
# uses it is skipped without it.
axe=build/tools/axe.min.js
want_axe=
if [ "${1:-build}" = check ] && [ ! -r "$axe" ] && command -v npm >/dev/null
then
  want_axe=1
fi
# A faster gzip. It is not needed: one try, and only where nobody is asked.
tried=build/tools/libisal.tried
want_isal=
if [ ! -e "$tried" ] && ! pkg-config --exists libisal 2>/dev/null &&
  { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
  want_isal=1
fi
[ -n "$missing$want_nginx$want_postgres$want_haproxy$want_axe$want_isal" ] ||
  exit 0

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

# A server that a test needs is started by the test; where it is installed only
# for that, none starts with the machine.
servers=$(echo "$missing" | tr ' ' '\n' |
  grep -xE 'prometheus|victoria-metrics' || true)

if [ -n "$missing" ]; then
  echo "installing:$missing"
  quiet $as_root apt-get update
  # shellcheck disable=SC2086 # a list of words
  quiet $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $missing
fi
if [ -n "$servers" ] && command -v systemctl >/dev/null; then
  for p in $servers; do
    $as_root systemctl disable --now "$p" >/dev/null 2>&1 || true
  done
fi
if [ -n "$want_isal" ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo='sudo -n'
  mkdir -p build/tools
  : >"$tried"
  # shellcheck disable=SC2086 # nothing, or two words
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends libisal-dev >"$tried" 2>&1 ||
    echo "libisal-dev is not there: gzip is made by zlib alone" >&2
fi
if [ -n "$want_nginx" ]; then
  echo "unpacking: nginx"
  mkdir -p build/tools
  (cd build/tools && quiet apt-get download nginx libnginx-mod-stream &&
    for p in nginx_*.deb libnginx-mod-stream_*.deb; do
      dpkg -x "$p" .
    done)
fi
if [ -n "$want_postgres" ]; then
  echo "unpacking: PostgreSQL"
  mkdir -p build/tools
  (cd build/tools && quiet apt-get download postgresql-15 \
    postgresql-client-15 && for p in postgresql*.deb; do
    dpkg -x "$p" .
  done)
fi
if [ -n "$want_haproxy" ]; then
  echo "unpacking: haproxy"
  mkdir -p build/tools/haproxy
  if (cd build/tools/haproxy && quiet apt-get download haproxy liblua5.3-0 \
    libopentracing-c-wrapper0 libopentracing1); then
    # the program comes last: it is there when all is
    for p in build/tools/haproxy/lib*.deb build/tools/haproxy/haproxy_*.deb; do
      dpkg -x "$p" build/tools
    done
  else
    echo "haproxy is not there: the test behind it is skipped" >&2
  fi
fi
if [ -n "$want_axe" ]; then
  echo "fetching: axe-core"
  mkdir -p build/tools
  hash=0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292
  if (cd build/tools && quiet npm pack axe-core@4.10.3) &&
    echo "$hash  build/tools/axe-core-4.10.3.tgz" | sha256sum -c --quiet; then
    tar -xzOf build/tools/axe-core-4.10.3.tgz package/axe.min.js >"$axe.new"
    mv "$axe.new" "$axe"
  else
    echo "axe is not there: the test of accessibility is skipped" >&2
  fi
fi
