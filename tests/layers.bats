#!/usr/bin/env bats
# shellcheck disable=SC2154 # root comes from the helpers
# Who may include whom, and what modules keep to themselves: the layers that
# ARCHITECTURE.md draws.

# bats file_tags=source
load helpers

# Modules that can do nothing without a server on the other side: bats files
# that run the tools are their test.
untested="fetch"

# The stages of each tool, in the order in which a sample or a request passes
# them. A stage includes only stages further down its list; the files beside
# main.c may include all of them. k6push reads and sends; both ends stand on
# what a batch is on the wire, and in the journal.
declare -gA stages=(
  [k6agg]='read select fold summary write'
  [k6gen]='options load targets http samples report'
  [k6push]='read send wire journal'
  [k6serve]='ingest hook view web http judge store')

# What all stages of a tool may include: its own words. They include no stage.
# Of k6agg, reading alone also knows the run whose loop it is.
declare -gA common=(
  [k6agg]='books line_sink live'
  [k6agg/read]='agg_priv'
  [k6gen]='check plan profile request tally'
  [k6serve]='trouble')

# owner LIBRARY-HEADER: $hides is a pattern of the files that may include it;
# empty when all may.
owner() {
  case $1 in
  *curl/*) hides='lib/io/(curlopt|fetch|url)|src/k6gen/http/' ;;
  *zlib.h* | *isa-l*) hides='lib/io/gz' ;;
  *zstd.h*) hides='lib/io/zst' ;;
  *jansson.h*) hides='lib/io/config' ;;
  *snappy-c.h*) hides='lib/io/snap' ;;
  *sqlite3.h*) hides='src/k6serve/store/engine_sqlite' ;;
  *libpq-fe.h*) hides='src/k6serve/store/engine_postgres' ;;
  *microhttpd.h*) hides='src/k6serve/http/' ;;
  *nghttp2/*|*\<ares.h\>*|*idn2.h*) hides='src/k6gen/http/' ;;
  *openssl/*) hides='src/k6gen/http/|src/k6serve/http/digest' ;;
  *) hides= ;;
  esac
}

# allowed FILE HEADER: may FILE include it? HEADER is "x/y.h" or <x.h>. No
# process is started: there are 1500 of them.
allowed() {
  local stem=${1##*/} family hides header
  stem=${stem%.[ch]} family=${stem%%_*}
  owner "$2"
  if [ -n "$hides" ]; then
    # Third-party headers stay in the module or folder that hides them, and
    # out of its headers.
    [[ $1 =~ ^($hides) && ($1 == *.c || $1 == *_priv.h || $stem == curlopt) ]]
    return
  fi
  case $1:$2 in
  # Data knows values: no descriptors, no clocks, no threads.
  lib/data/*:\<*) [[ $2 =~ ^\<(std.*|string|strings|math|limits|errno)\.h ]] ;;
  *:\<*) true ;;
  lib/base/*:\"base/*) true ;;
  lib/data/*:\"base/*|lib/data/*:\"data/*) true ;;
  lib/io/*:\"base/*|lib/io/*:\"data/*) true ;;
  # Of io only a module's own headers.
  lib/io/*:\"io/*) [[ $2 =~ ^\"io/($stem|$family|${family}_priv)\.h\"$ ]] ||
    [[ $stem == fetch && $2 == '"io/curlopt.h"' ]] ;;
  src/k6gen/http/*:\"io/curlopt.h\") true ;;
  src/*:\"io/*_priv.h\"|src/*:\"io/curlopt.h\") false ;;
  src/*:\"base/*|src/*:\"data/*|src/*:\"io/*) true ;;
  src/*:\"*) header=${2//\"/}; along_the_flow "${1#src/}" "$header" ;;
  *) false ;;
  esac
}

# along_the_flow FILE HEADER, both TOOL/STAGE/NAME or TOOL/NAME.
along_the_flow() {
  local tool=${1%%/*} from=${1#*/} to=${2#*/} name=${2##*/} order
  [ "$tool" = "${2%%/*}" ] || return 1
  [[ $from == */* ]] && from=${from%%/*} || from=
  [[ $to == */* ]] && to=${to%%/*} || to=
  # A part of a module is its own folder's.
  [[ $name != *_priv.h || $from = "$to" || -z $to ]] || return 1
  [ "$from" != "$to" ] || return 0
  if [ -z "$to" ]; then
    [[ " ${common[$tool]:-} ${common[$tool/$from]:-} " == *" ${name%.h} "* ]]
    return
  fi
  if [ -z "$from" ]; then
    from=${1##*/}
    [[ " ${common[$tool]:-} " != *" ${from%.[ch]} "* ]]
    return
  fi
  order=${stages[$tool]}
  [[ " ${order// /  } " == *" $from "*" $to "* ]]
}

forbidden() {
  if allowed "$@"; then
    echo "$1 may include $2"
    return 1
  fi
}

# crossings: the includes of stdin that are not allowed. In a subshell without
# the trap by which bats counts lines: it takes longer than all else here.
crossings() (
  trap - DEBUG
  bad=0
  while read -r file header; do
    if ! allowed "$file" "$header"; then
      echo "$file includes $header"
      bad=1
    fi
  done
  exit "$bad"
)

@test "no include crosses the layers" {
  cd "$root"
  crossings < <(grep -E '^[[:space:]]*#[[:space:]]*include' -r lib src \
    --include='*.[ch]' |
    sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*/ /
      s/([">])[[:space:]]*(\/[*\/].*)?$/\1/')
}

@test "the rule itself knows a forbidden arrow" {
  forbidden lib/base/buf.c '"data/jsn.h"'
  forbidden lib/base/buf.c '<zlib.h>'
  forbidden lib/data/jsn.c '"io/gz.h"'
  forbidden lib/data/jsn.c '<unistd.h>'
  forbidden lib/data/jsn.c '<time.h>'
  forbidden lib/data/jsn.c '<sys/socket.h>'
  forbidden lib/io/fetch.c '"io/gz.h"'
  forbidden lib/io/fetch.h '"k6push/upload.h"'
  forbidden src/k6serve/store/engine_sqlite.h '<sqlite3.h>'
  forbidden src/k6serve/store/store_run.c '<sqlite3.h>'
  forbidden src/k6serve/view/api.c '<sqlite3.h>'
  forbidden lib/io/gz.c '<curl/curl.h>'
  forbidden src/k6push/main.c '"k6serve/http/server.h"'
  forbidden src/k6push/main.c '<curl/curl.h>'
  forbidden src/k6serve/http/server.c '"k6serve/store/store_priv.h"'
  forbidden src/k6serve/store/store.c '"k6serve/view/api.h"'
  forbidden src/k6push/send/retry.c '"k6push/read/reader.h"'
  forbidden src/k6agg/fold/fold.c '"k6agg/agg.h"'
  forbidden src/k6agg/fold/fold.c '"k6agg/agg_priv.h"'
  forbidden src/k6agg/line_sink.h '"k6agg/fold/fold.h"'
  allowed src/k6serve/store/store_query.c '"k6serve/store/store_priv.h"'
  allowed src/k6serve/store/engine_sqlite.c '<sqlite3.h>'
  allowed src/k6serve/view/api.c '"k6serve/store/store.h"'
  allowed src/k6push/main.c '"k6push/send/upload.h"'
}

@test "data modules include each other without a cycle" {
  cd "$root/lib"
  grep -o '^#include "\(base\|data\|io\)/[a-z_0-9]*\.h"' -- */*.[ch] |
    sed -E 's,\.[ch]:#include ", ,; s,\.h"$,,; s,_priv,,g' | awk '$1 != $2' |
    tsort >"$BATS_TEST_TMPDIR/order"
}

@test "each header compiles alone, and twice" {
  cd "$root"
  flags=$(pkg-config --cflags libpq) || skip 'no libpq, which one includes'
  export flags
  printf '%s\n' lib/*/*.h src/*/*.h src/*/*/*.h | xargs -P "$(nproc)" -I{} \
    sh -c 'printf "#include \"%s\"\n#include \"%s\"\n" "$PWD/$1" "$PWD/$1" |
      ${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Ilib -Isrc \
        $flags -fsyntax-only -x c -' - {}
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
    if [ ! -e "tests/unit/$(basename "$(dirname "$path")")/test_$stem.c" ]; then
      echo "$path: no unit test"
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

# undefined PATTERN NOT-IN: no object of $files but those whose path matches
# NOT-IN needs a symbol of that pattern.
undefined() {
  # shellcheck disable=SC2086 # a list of words
  run ! grep -E "^[^:]+:.* ($1)\$" <<<"$(nm -uA $files |
    grep -vE "^[^:]*($2)\.o:")"
}

@test "only base/die exits" {
  files=$(objects base data io) || skip "nothing is built"
  undefined 'exit|_exit|abort|quick_exit|err|errx' base/die
}

@test "only base/die and base/opt write to stdout or stderr" {
  files=$(objects base data io) || skip "nothing is built"
  # opt: --help, --version and --completion are output
  undefined \
    '(__)?v?(printf|puts|putchar|perror|stdout|stderr|warnx?)(_chk)?(@.*)?' \
    'base/(die|opt)'
}

@test "data opens nothing and asks no clock" {
  files=$(objects data) || skip "nothing is built"
  local calls='fopen|open|openat|read|write|socket|connect|stdin|system|popen'
  calls+='|time|clock|clock_gettime|gettimeofday|now_unix_ns|now_monotonic_ns'
  undefined "($calls)(64)?(@.*)?" 'none'
}

@test "nothing but what belongs there stands at the top" {
  # What a test or a tool leaves behind is soon committed by accident.
  git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip "no checkout"
  local files='ARCHITECTURE\.md|CHANGELOG\.md|CONTRIBUTING\.md|LICENSE|Makefile'
  files+='|README\.md|\.(ci|gitignore|[a-z-]+)'
  git ls-files | cut -d/ -f1 | sort -u |
    grep -vxE "$files|docs|lib|man|share|src|tests" \
      >"$BATS_TEST_TMPDIR/strange" || true
  diff /dev/null "$BATS_TEST_TMPDIR/strange"
}
