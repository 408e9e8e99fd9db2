#!/bin/bash
# lint.sh WARNING-FLAGS: what a reader should not have to look for.
set -u
status=0
fail() { echo "lint: $*" >&2; status=1; }
read -ra warn <<<"$1"
flags=(-std=c11 -D_GNU_SOURCE '-DK6PIPE_VERSION="0"'
  '-DDYGRAPHS="/usr/share/javascript/dygraphs"' -Ilib -Isrc -Itests/unit)
mapfile -t sources < <(git ls-files '*.c' 2>/dev/null || find . -name '*.c')

# each COMMAND...: run it with one file of stdin, on all cores
each() { tr '\n' '\0' | xargs -0 -P "$(nproc)" -n 1 "$@"; }
for cc in gcc clang; do
  printf '%s\n' "${sources[@]}" | each "$cc" "${flags[@]}" "${warn[@]}" \
    -Werror -O1 -c -o /dev/null || fail "$cc"
done

cppcheck -j "$(nproc)" \
  --quiet --std=c11 --language=c --error-exitcode=1 --inline-suppr \
  --enable=warning,performance,portability --suppress=missingIncludeSystem \
  -D_GNU_SOURCE '-DK6PIPE_VERSION="0"' -Ilib -Isrc lib src || fail cppcheck

# Functions that invite mistakes; the whole tree does without them.
if grep -rnE \
  '\b(strcat|strcpy|strncpy|gets|atoi|atol|atof|mktemp|tmpnam|alloca)\(' \
  --include='*.[ch]' lib src; then
  fail 'banned function'
fi
if grep -nE '\bprintf\(|stdout|stderr' lib/data/*.c lib/io/*.c |
  grep -vE 'buf_printf|snprintf|xasprintf'; then
  fail 'lib/data and lib/io do not print'
fi
# A source opens with its licence and with what the file is for.
while read -r f; do
  awk 'NR == 1 { next }
    NR == 2 && !/^\/\*/ { exit 1 }
    !in_comment && /^\/\*/ { in_comment = 1 }
    in_comment { if (/\*\/$/) in_comment = 0; next }
    { exit !/^#/ }' "$f" || fail "$f does not open with what it is for"
done < <(git ls-files 'lib/*.c' 'src/*.c')
# The Makefile shows at a glance who links what: sorted, each module once.
make -s -f - <<'M' || fail \
  'a list of the Makefile is not sorted, or has a module twice'
include Makefile
lists:
	@$(foreach l,TOOLS COMMON STREAM $(TOOLS:%=%_LIB),\
	  printf '%s\n' \
	    $(filter-out $(if $(filter %_LIB,$l),$(COMMON) $(STREAM)),$($l)) | \
	  LC_ALL=C sort -uc || { echo $l; exit 1; };)
.DEFAULT_GOAL := lists
M
if grep -rn 'innerHTML\|document\.write\|eval(' src/k6serve/web; then
  fail 'the pages build text nodes only'
fi

for page in man/*.[157]; do
  mandoc -T lint -W warning "$page" || fail "$page"
done
shellcheck -x -P SCRIPTDIR tests/*.sh tests/*.bash tests/*/*.sh \
  tests/*/*.bash .ci/run || fail shellcheck
# In bats files variables come from the helpers, and tests are subshells.
printf '%s\n' tests/*.bats tests/*/*.bats |
  each shellcheck -e SC2154,SC2034,SC2016,SC2030,SC2031 ||
  fail 'shellcheck of bats files'
[ "$status" -eq 0 ] && echo 'lint: clean'
exit "$status"
