#!/usr/bin/env bats
# shellcheck disable=SC2154 # root comes from the helpers
# Who may include whom, and what modules keep to themselves: the layers that
# ARCHITECTURE.md draws.

load helpers

# Modules that can do nothing without a server or a database: bats files that
# run the tools are their test.
untested="fetch swarm httpd"

# allowed FILE HEADER: may FILE include it? HEADER is "x/y.h" or <x.h>.
allowed() {
  local stem family
  stem=$(basename "$1" | sed 's/\.[ch]$//')
  family=${stem%%_*}
  case $1:$2 in
  # Third-party headers stay in the module that is named for them.
  lib/io/*:*curl/curl.h*) [[ $stem =~ ^(cookie|fetch|swarm.*|url|curlopt)$ ]] ;;
  lib/io/*:*zlib.h*) [ "$stem" = gz ] ;;
  lib/io/*:*zstd.h*) [ "$stem" = zst ] ;;
  lib/io/store.h:*sqlite3.h*) false ;;
  lib/io/*:*sqlite3.h*) [[ $stem =~ ^store ]] ;;
  lib/io/httpd.h:*microhttpd.h*) false ;;
  lib/io/*:*microhttpd.h*) [[ $stem =~ ^httpd ]] ;;
  lib/io/*:*http_parser.h*) [[ $stem =~ ^swarm ]] ;;
  lib/io/*:*jansson.h*) [ "$stem" = config ] ;;
  lib/io/*:*snappy-c.h*) [ "$stem" = snap ] ;;
  lib/io/*:*openssl/*) [[ $stem =~ ^(certs|digest|swarm.*)$ ]] ;;
  *:*curl/*|*:*zlib.h*|*:*zstd.h*|*:*sqlite3.h*|*:*microhttpd.h*|*:*jansson.h*|*:*http_parser.h*) false ;;
  *:*snappy-c.h*) false ;;
  *:*openssl/*) false ;;
  # Data knows values: no descriptors, no clocks, no threads.
  lib/data/*:\<*) [[ $2 =~ ^\<(std.*|string|strings|math|limits|errno)\.h ]] ;;
  lib/*:\<*|src/*:\<*) true ;;
  lib/base/*:\"base/*) true ;;
  lib/data/*:\"base/*|lib/data/*:\"data/*) true ;;
  lib/io/*:\"base/*|lib/io/*:\"data/*) true ;;
  # Of io only a module's own headers.
  lib/io/*:\"io/*) [[ $2 =~ ^\"io/($stem|$family|${family}_priv)\.h\"$ ]] ||
    [[ $stem =~ ^(fetch|swarm) && $2 == '"io/curlopt.h"' ]] ||
    [[ $stem =~ ^swarm && $2 == '"io/cookie.h"' ]] ;;
  src/*:*_priv.h\"|src/*:*curlopt.h\") false ;;
  src/*:\"base/*|src/*:\"data/*|src/*:\"io/*) true ;;
  # Of src only what stands in the tool's own folder.
  src/*:\"*) [[ $2 == "\"$(basename "$(dirname "$1")")/"* ]] ;;
  *) false ;;
  esac
}

forbidden() {
  if allowed "$@"; then
    echo "$1 may include $2"
    return 1
  fi
}

@test "no include crosses the layers" {
  cd "$root"
  bad=0
  while read -r file header; do
    if ! allowed "$file" "$header"; then
      echo "$file includes $header"
      bad=1
    fi
  done < <(grep -E '^[[:space:]]*#[[:space:]]*include' lib/*/*.[ch] src/*.c \
    src/*/*.[ch] | sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*/ /
      s/([">])[[:space:]]*(\/[*\/].*)?$/\1/')
  [ "$bad" -eq 0 ]
}

@test "the rule itself knows a forbidden arrow" {
  forbidden lib/base/buf.c '"data/json.h"'
  forbidden lib/base/buf.c '<zlib.h>'
  forbidden lib/data/json.c '"io/gz.h"'
  forbidden lib/data/json.c '<unistd.h>'
  forbidden lib/data/json.c '<time.h>'
  forbidden lib/data/json.c '<sys/socket.h>'
  forbidden lib/io/fetch.c '"io/gz.h"'
  forbidden lib/io/fetch.h '"k6push/upload.h"'
  forbidden lib/io/store.h '<sqlite3.h>'
  forbidden lib/io/gz.c '<curl/curl.h>'
  forbidden src/k6push/main.c '"k6serve/app.h"'
  forbidden src/k6push/main.c '<curl/curl.h>'
  forbidden src/k6serve/app.c '"io/store_priv.h"'
  allowed lib/io/store_read.c '"io/store_priv.h"'
  allowed lib/io/store.c '<sqlite3.h>'
  allowed src/k6push/main.c '"k6push/upload.h"'
}

@test "data modules include each other without a cycle" {
  cd "$root/lib"
  grep -o '^#include "\(base\|data\|io\)/[a-z_0-9]*\.h"' -- */*.[ch] |
    sed -E 's,\.[ch]:#include ", ,; s,\.h"$,,; s,_priv,,g' | awk '$1 != $2' |
    tsort >"$BATS_TEST_TMPDIR/order"
}

@test "each header compiles alone, and twice" {
  cd "$root"
  for header in lib/*/*.h src/*/*.h; do
    printf '#include "%s"\n#include "%s"\n' "$PWD/$header" "$PWD/$header" |
      "${CC:-cc}" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror \
        -Ilib -Isrc -fsyntax-only -x c -
  done
}

@test "a module is one .c, one .h and one unit test" {
  cd "$root"
  bad=0
  for file in lib/base/*.[ch] lib/data/*.[ch] lib/io/*.[ch]; do
    path=${file%.[ch]}
    stem=${path##*/}
    case $stem in
    *_priv | curlopt) continue ;;
    *_*) # a further .c of a module
      [ -e "${path%%_*}.h" ] && continue ;;
    esac
    if [ ! -e "$path.c" ] || [ ! -e "$path.h" ]; then
      echo "$path: .c or .h is missing"
      bad=1
    fi
    [[ " $untested " == *" $stem "* ]] && continue
    if [ ! -e "tests/unit/test_$stem.c" ]; then
      echo "$path: no tests/unit/test_$stem.c"
      bad=1
    fi
  done
  [ "$bad" -eq 0 ]
}

# objects DIR...: the objects of these modules, or skip when none are built.
objects() {
  local dir source o found=
  for dir in "$@"; do
    for source in "$root/lib/$dir"/*.c; do
      o=$(basename "$source" .c).o
      o=${BUILD:-$root/build}/$dir/$o
      [ -e "$o" ] || continue
      echo "$o"
      found=1
    done
  done
  [ -n "$found" ]
}

@test "no module has variables that can be written" {
  cd "$root"
  files=$(objects base data io) || skip "nothing is built"
  for o in $files; do
    # Constants with addresses in them stand in .data.rel.ro. A sanitizer
    # adds symbols of its own.
    objdump -t "$o" | awk -v o="$o" '
      $NF ~ /^(__odr_asan|__asan|\.LASAN|__sanitizer|\.Lubsan)/ { next }
      $0 ~ /[[:space:]](\.data|\.bss|\.tdata|\.tbss|\*COM\*)(\.[A-Za-z_0-9.]*)?[[:space:]]/ &&
        $0 !~ /\.data\.rel\.ro/ && $NF !~ /^\.(data|bss|tdata|tbss)/ &&
        $NF !~ /^\.?L/ { print o ": " $NF; bad = 1 }
      END { exit bad }'
  done
}

@test "only base/die exits" {
  cd "$root"
  files=$(objects base data io) || skip "nothing is built"
  for o in $files; do
    case $o in */base/die.o) continue ;; esac
    run nm -u "$o"
    if grep -wE '(exit|_exit|abort|quick_exit|err|errx)' <<<"$output"; then
      echo "$o"
      return 1
    fi
  done
}

@test "only base/die and base/opt write to stdout or stderr" {
  cd "$root"
  files=$(objects base data io) || skip "nothing is built"
  for o in $files; do
    # opt: --help, --version and --completion are output
    case $o in */base/die.o | */base/opt.o) continue ;; esac
    run nm -u "$o"
    if grep -wE '(__)?v?(printf|puts|putchar|perror|stdout|stderr|warnx?)(_chk)?' \
      <<<"$output"; then
      echo "$o"
      return 1
    fi
  done
}

@test "data opens nothing and asks no clock" {
  cd "$root"
  files=$(objects data) || skip "nothing is built"
  for o in $files; do
    run nm -u "$o"
    if grep -wE '(fopen|open|openat|read|write|socket|connect|time|clock|clock_gettime|gettimeofday|now_unix_ns|now_monotonic_ns|stdin|system|popen)(64)?' \
      <<<"$output"; then
      echo "$o"
      return 1
    fi
  done
}
