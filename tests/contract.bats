#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; out, err
# What all tools have in common, and what the filters have.

load helpers

filters=("k6agg" "k6agg -p 3s -w 1h" "k6push --dry-run")

# The tools that are built. With K6PIPE_ALL=1 all of them must be.
tools() {
  local tool
  for tool in k6agg k6gen k6login k6push k6serve; do
    if [ -x "$bin/$tool" ]; then
      echo "$tool"
    elif [ "${K6PIPE_ALL:-}" = 1 ]; then
      echo "$bin/$tool is missing" >&2
      return 1
    fi
  done
}

# page NAME: its file.
page() {
  ls "$root/man/$1".[157]
}

# Those of them that have a page. With K6PIPE_ALL=1 all must have one.
tools_with_page() {
  local tool
  for tool in $(tools); do
    if [ "${K6PIPE_ALL:-}" = 1 ] || [ -e "$root/man/$tool.1" ]; then
      echo "$tool"
    fi
  done
}

# help_options TOOL: its options from --help, a line each: "-p --period X".
help_options() {
  "$1" --help | sed -nE \
    -e 's/^  (-[A-Za-z]), (--[a-z0-9-]+)( [^ ]+)?(  .*)?$/\1 \2\3/p' \
    -e 's/^      (--[a-z0-9-]+)( [^ ]+)?(  .*)?$/\1\2/p' | sort
}

# page_options TOOL: the same from its man page.
page_options() {
  sed -nE 's/^\.It Fl //p' "$(page "$1")" |
    sed -E 's/ , (Fl )?/ /; s/ Ar / /; s/^/-/; s/ -/ --/' | sort
}

# line METRIC VALUE: one Point line.
line() {
  printf '{"metric":"%s","type":"Point","data":{"time":"2026-01-01T00:00:01Z"' \
    "$1"
  printf ',"value":%s,"tags":{"name":"a"}}}' "$2"
}

# good: three Point lines.
good() {
  printf '%s\n' "$(line vus 1)" "$(line checks 0)" "$(line data_sent 1.5)"
}

# many: some megabytes of them.
many() {
  good | awk '{ line[NR] = $0 }
    END { for (i = 0; i < 60000; i++) print line[i % NR + 1] }'
}

# each_filter FUNCTION: call it with a filter's words for each of them.
each_filter() {
  local words filter
  for filter in "${filters[@]}"; do
    read -ra words <<<"$filter"
    [ -x "$bin/${words[0]}" ] || continue
    echo "== $filter"
    "$1" "${words[@]}"
  done
}

# run_on FILE CMD...: capture it with the file as stdin.
run_on() {
  local file=$1
  shift
  capture "$@" <"$file"
}

# without_end FILE: its lines but for the trailer, whose books differ.
without_end() {
  grep -v '"type":"End"' "$1" || true
}

@test "-h and --help write the same help to stdout and exit 0" {
  for tool in $(tools); do
    capture "$tool" -h
    [ "$status" -eq 0 ]
    [ -z "$err" ]
    [[ $out == "usage: $tool "* ]]
    short=$out
    capture "$tool" --help
    [ "$status" -eq 0 ]
    [ "$out" = "$short" ]
  done
}

@test "-V and --version write name and version, and exit 0" {
  for tool in $(tools); do
    for option in -V --version; do
      capture "$tool" "$option"
      [ "$status" -eq 0 ]
      [ -z "$err" ]
      [[ $out =~ ^$tool\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    done
  done
}

@test "all tools are of the same version" {
  for tool in $(tools); do "$tool" -V; done | cut -d' ' -f2 | sort -u \
    >"$BATS_TEST_TMPDIR/v"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/v")" -eq 1 ]
}

@test "an unknown option exits 2 with a message that names it" {
  for tool in $(tools); do
    for option in --no-such-option -Z --help=x; do
      capture "$tool" "$option"
      [ "$status" -eq 2 ]
      [ -z "$out" ]
      [[ $err == "$tool: "*"${option%=*}"* ]]
      [[ $err == *"usage: $tool "* ]]
    done
  done
}

# bats test_tags=slow
@test "an option without its value exits 2 with a message that names it" {
  for tool in $(tools); do
    while read -r option; do
      capture "$tool" "$option"
      [ "$status" -eq 2 ]
      [ -z "$out" ]
      [[ $err == "$tool: $option: needs a value"* ]]
    done < <(help_options "$tool" | grep ' [^ -]' | grep -o -- '--[^ ]*')
  done
}

@test "a full disk makes --help, --version and --completion fail" {
  for tool in $(tools); do
    for option in --help --version --completion; do
      status=0
      "$tool" "$option" >/dev/full 2>"$BATS_TEST_TMPDIR/err" || status=$?
      [ "$status" -eq 1 ]
      [ "$(cat "$BATS_TEST_TMPDIR/err")" = \
        "$tool: stdout: No space left on device" ]
    done
  done
}

@test "the options of --help are those of the man page" {
  for tool in $(tools_with_page); do
    help_options "$tool" >"$BATS_TEST_TMPDIR/help"
    page_options "$tool" >"$BATS_TEST_TMPDIR/page"
    [ -s "$BATS_TEST_TMPDIR/help" ]
    diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page"
  done
}

@test "the words of the usage line stand in the man page" {
  for tool in $(tools_with_page); do
    for word in $("$tool" --help | head -n 1 | tr -c 'a-zA-Z0-9\n' ' '); do
      [ "$word" != usage ] || continue
      echo "$tool: $word"
      grep -qwi -- "$word" "$(page "$tool")"
    done
  done
}

@test "each tool has a page with the sections that a user looks for" {
  for tool in $(tools_with_page); do
    for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT 'EXIT STATUS' \
      EXAMPLES 'SEE ALSO'; do
      echo "$tool: $section"
      grep -qx "\.Sh $section" "$(page "$tool")"
    done
  done
}

@test "the man pages have no fault that mandoc finds" {
  command -v mandoc >/dev/null || skip "no mandoc"
  for file in "$root"/man/*.[157]; do
    run mandoc -T lint -W warning "$file"
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
  done
}

@test "the man pages refer to pages that exist" {
  while read -r name section; do
    case $name in
    k6gen | k6serve) [ "${K6PIPE_ALL:-}" = 1 ] || continue ;;
    k6*) ;;
    *) continue ;;
    esac
    echo "$name($section)"
    [ -e "$root/man/$name.$section" ]
  done < <(sed -nE 's/^(\.Xr|.* Xr) ([^ ]+) ([1-8]).*/\2 \3/p' \
    "$root"/man/*.[157] | sort -u)
}

@test "the completion script is one that bash can read" {
  for tool in $(tools); do
    "$tool" --completion | bash -n
  done
}

@test "the completion offers every option, and files for other words" {
  for tool in $(tools); do
    "$tool" --completion >"$BATS_TEST_TMPDIR/completion"
    help_options "$tool" | tr ' ' '\n' | grep '^-' |
      sort >"$BATS_TEST_TMPDIR/want"
    mkdir -p "$BATS_TEST_TMPDIR/dir"
    touch "$BATS_TEST_TMPDIR/dir/results.json"
    cd "$BATS_TEST_TMPDIR/dir"
    # shellcheck disable=SC2016
    bash -c '. "$1"
      complete -p "$2" >/dev/null || exit 1
      COMP_WORDS=("$2" -) COMP_CWORD=1
      "_$2"
      printf "%s\n" "${COMPREPLY[@]}" | sort >"$3"
      COMP_WORDS=("$2" res) COMP_CWORD=1
      "_$2"
      [ "${COMPREPLY[*]}" = results.json ]' \
      bash "$BATS_TEST_TMPDIR/completion" "$tool" "$BATS_TEST_TMPDIR/got"
    diff "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
  done
}

# settings_table: variable|key|letter|flag|default, a line each. The program
# that prints it is compiled by the first test that wants it.
settings_table() {
  local table=$BATS_FILE_TMPDIR/table
  [ -x "$table" ] || compile_table "$table"
  "$table"
}

compile_table() {
  local cc
  read -ra cc <<<"${CC:-cc}"	# also "ccache gcc"
  command -v "${cc[0]}" >/dev/null || skip "no C compiler"
  cat >"$1.c" <<'C'
#include <stdio.h>
#include "data/settings.h"
#define OR(s) ((s) != NULL ? (s) : "")
int
main(void)
{
	const struct setting_row *r;

	for (r = settings_table; r < settings_table + SETTINGS; r++)
		printf("%s|%s|%c|%s|%s\n", OR(r->env), OR(r->key),
		    r->letter != 0 ? r->letter : ' ', OR(r->flag),
		    r->fallback);
	return 0;
}
C
  "${cc[@]}" -std=c11 -D_GNU_SOURCE -I"$root/lib" -o "$1" "$1.c" \
    "$root"/lib/base/*.c "$root"/lib/data/{jsn,settings}.c -lm
}

# bats test_tags=slow
@test "k6pipe(7) lists each setting with its key, flag and default" {
  settings_table >"$BATS_TEST_TMPDIR/settings"
  # One process for all settings, and not ten for each.
  awk -F'|' '
    NR == FNR && /^\.It / { item = $0; times[item]++; next }
    NR == FNR && /^\.El/ { item = ""; next }
    NR == FNR { text[item] = text[item] "\n" $0 "\n"; next }
    function has(line) {
      if (!index(text[item], "\n" line "\n")) {
        print item ": no line \"" line "\""; bad = 1 } }
    { env = $1; key = $2; letter = $3; flag = $4; fallback = $5
      item = env != "" ? ".It Ev " env : ".It Pq file only"
      if (times[item] != 1) {
        print item ": " times[item] + 0 " times"; bad = 1 }
      has(key != "" ? ".Ql " key " ," : "No key,")
      if (flag == "") has("no flag,")
      else if (letter == " ") has(".Fl -" flag " ,")
      else has(".Fl " letter " , -" flag " ,")
      has(fallback != "" ? "default " fallback "." : "no default.") }
    END { exit bad }' "$(page k6pipe)" "$BATS_TEST_TMPDIR/settings"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/settings")" -gt 30 ]
}

@test "every K6_CLOUD_ variable in the man pages is a setting" {
  settings_table >"$BATS_TEST_TMPDIR/settings"
  while read -r name; do
    echo "$name"
    grep -q "^$name|" "$BATS_TEST_TMPDIR/settings"
  done < <(cat "$root"/man/*.[157] | grep -oE 'K6_CLOUD_[A-Z0-9_]*\*?' |
    grep -v '\*$' | sort -u)
}

@test "every flag of a setting is an option of a tool, by the same letter" {
  settings_table >"$BATS_TEST_TMPDIR/settings"
  { help_options k6agg; help_options k6push; } >"$BATS_TEST_TMPDIR/options"
  while IFS='|' read -r _ _ letter flag _; do
    [ -n "$flag" ] || continue
    echo "$flag"
    if [ "$letter" = ' ' ]; then
      grep -qE -- "^--$flag( |$)" "$BATS_TEST_TMPDIR/options"
    else
      grep -qE -- "^-$letter --$flag( |$)" "$BATS_TEST_TMPDIR/options"
    fi
  done <"$BATS_TEST_TMPDIR/settings"
}

# bats test_tags=slow
@test "every setting can be given by its variable" {
  settings_table >"$BATS_TEST_TMPDIR/settings"
  # A wrong value shows that the variable is read; text takes any.
  while IFS='|' read -r env _; do
    case $env in
    *_INTERVAL | *_PERIOD | *_TIMEOUT | *_ID | *_SAMPLES* | *_CONCURRENCY | \
      *_RADIUS | *_COEF_* | *_THRESHOLD | *_DETECTION | *_COMPRESS | \
      *_ON_ERROR | *_ENABLED | *_VERSION | *_HISTOGRAMS | *_BATCH)
      [ "$env" != K6_CLOUD_PUSH_REF_ID ] || continue
      [ "$env" != K6_PROMETHEUS_RW_TLS_MINIMUM_VERSION ] || continue
      for tool in k6agg k6push; do
        export "$env=x y"
        capture "$tool" /dev/null
        [ "$status" -eq 2 ]
        [ -z "$out" ]
        [[ $err == "$tool: $env: "* ]]
        export "$env="
        capture "$tool" --help
        [ "$status" -eq 0 ]
        unset "$env"
      done
      ;;
    esac
  done <"$BATS_TEST_TMPDIR/settings"
}

# The filters

missing_file() {
  good >"$BATS_TEST_TMPDIR/good"
  capture "$@" "$BATS_TEST_TMPDIR/good"
  without_end "$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/want"
  [ "$status" -eq 0 ]
  capture "$@" "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/good"
  [ "$status" -eq 1 ]
  [[ $err == "$1: $BATS_TEST_TMPDIR/none: No such file or directory"* ]]
  without_end "$BATS_TEST_TMPDIR/out" | cmp - "$BATS_TEST_TMPDIR/want"
}

@test "a missing file exits 1, and the other files are read" {
  each_filter missing_file
}

directory() {
  good >"$BATS_TEST_TMPDIR/good"
  capture "$@" / "$BATS_TEST_TMPDIR/good"
  [ "$status" -eq 1 ]
  [[ $err == "$1: /: Is a directory"* ]]
  grep -q data_sent "$BATS_TEST_TMPDIR/out"
  run_on / "$@"
  [ "$status" -eq 1 ]
  [[ $err == "$1: stdin: Is a directory"* ]]
}

@test "a directory as input exits 1, and the other files are read" {
  each_filter directory
}

empty_input() {
  printf '\n\n \t\r\n' >"$BATS_TEST_TMPDIR/blank"
  for file in /dev/null "$BATS_TEST_TMPDIR/blank"; do
    run_on "$file" "$@"
    [ "$status" -eq 0 ]
    [ -z "$out" ]
    [[ $err != *skipped* ]]
  done
}

@test "input without lines gives output without lines, and exit 0" {
  each_filter empty_input
}

stdin_or_file() {
  run_on "$BATS_TEST_TMPDIR/in" "$@"
  [ "$status" -eq 0 ]
  [ -s "$BATS_TEST_TMPDIR/out" ]
  mv "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
  capture "$@" "$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 0 ]
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
  run_on "$BATS_TEST_TMPDIR/in" "$@" -
  [ "$status" -eq 0 ]
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
}

@test "stdin, the name - and a file give the same bytes" {
  cat "$root"/tests/golden/k6agg/outliers.ndjson >"$BATS_TEST_TMPDIR/in"
  each_filter stdin_or_file
}

one_byte_reads() {
  run_on "$BATS_TEST_TMPDIR/in" "$@"
  mv "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
  capture "$@" < <("$root/tests/tools/drip.pl" <"$BATS_TEST_TMPDIR/in")
  [ "$status" -eq 0 ]
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
}

@test "input that comes byte by byte gives the same bytes" {
  head -c 4000 "$root"/tests/golden/k6agg/outliers.ndjson \
    >"$BATS_TEST_TMPDIR/in"
  each_filter one_byte_reads
}

full_disk() {
  for file in "$BATS_TEST_TMPDIR/good" "$BATS_TEST_TMPDIR/many"; do
    status=0
    "$@" "$file" >/dev/full 2>"$BATS_TEST_TMPDIR/err" || status=$?
    cat "$BATS_TEST_TMPDIR/err"
    [ "$status" -eq 1 ]
    grep -q "^$1: stdout: No space left on device$" "$BATS_TEST_TMPDIR/err"
  done
}

@test "a full disk exits 1 and says so" {
  good >"$BATS_TEST_TMPDIR/good"
  many >"$BATS_TEST_TMPDIR/many"
  each_filter full_disk
}

size_limit() {
  status=0
  (
    ulimit -f 1
    "$@" "$BATS_TEST_TMPDIR/many" >"$BATS_TEST_TMPDIR/limited"
  ) 2>"$BATS_TEST_TMPDIR/err" || status=$?
  cat "$BATS_TEST_TMPDIR/err"
  [ "$status" -eq 1 ]
  grep -q "^$1: stdout: File too large$" "$BATS_TEST_TMPDIR/err"
}

@test "a limit of the size of files (ulimit -f) exits 1 and says so" {
  many >"$BATS_TEST_TMPDIR/many"
  each_filter size_limit
}

closed_stdout() {
  status=0
  "$@" "$BATS_TEST_TMPDIR/good" >&- 2>"$BATS_TEST_TMPDIR/err" || status=$?
  cat "$BATS_TEST_TMPDIR/err"
  [ "$status" -eq 1 ]
  grep -q "^$1: stdout: Bad file descriptor$" "$BATS_TEST_TMPDIR/err"
}

@test "a closed stdout exits 1 and says so" {
  good >"$BATS_TEST_TMPDIR/good"
  each_filter closed_stdout
}

closed_stdin() {
  capture "$@" <&-
  [ "$status" -eq 0 ]
  [ -z "$out" ]
}

@test "a closed stdin is empty input" {
  each_filter closed_stdin
}

reader_leaves() {
  set +e
  timeout 600 "$@" "$BATS_TEST_TMPDIR/many" 2>"$BATS_TEST_TMPDIR/err" |
    head -n 1 >"$BATS_TEST_TMPDIR/out"
  status=${PIPESTATUS[0]}
  set -e
  cat "$BATS_TEST_TMPDIR/err"
  [ ! -s "$BATS_TEST_TMPDIR/err" ]
  [ "$status" -ne 124 ]
  [ -s "$BATS_TEST_TMPDIR/out" ]
}

@test "a reader that leaves ends the filter without a word" {
  many >"$BATS_TEST_TMPDIR/many"
  each_filter reader_leaves
}

reader_leaves_live() {
  # The input stays open: only the failing write can end the filter.
  mkfifo "$BATS_TEST_TMPDIR/fifo.$1$#"
  "$root/tests/tools/drip.pl" 100 <"$BATS_TEST_TMPDIR/many" \
    >"$BATS_TEST_TMPDIR/fifo.$1$#" 2>/dev/null 3>&- &
  writer=$!
  timeout 600 "$@" "$BATS_TEST_TMPDIR/fifo.$1$#" 2>"$BATS_TEST_TMPDIR/err" |
    head -n 1
  kill "$writer" 2>/dev/null || true
  [ ! -s "$BATS_TEST_TMPDIR/err" ]
}

@test "a reader that leaves ends the filter while input still comes" {
  many >"$BATS_TEST_TMPDIR/many"
  each_filter reader_leaves_live
}

# same_as_good CMD...: on what stands in "in" it gives what it gives on good.
same_as_good() {
  run_on "$BATS_TEST_TMPDIR/good" "$@"
  without_end "$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/want"
  run_on "$BATS_TEST_TMPDIR/in" "$@"
  [ "$status" -eq 0 ]
  without_end "$BATS_TEST_TMPDIR/out" | cmp - "$BATS_TEST_TMPDIR/want"
}

# skipped CMD...: same_as_good, and line 2 was reported, or only counted.
skipped() {
  same_as_good "$@"
  [[ $err == *"$1: stdin:2: $reason"* ]]
}

@test "a line of two megabytes is skipped and reported" {
  good >"$BATS_TEST_TMPDIR/good"
  { line vus 1; echo
    line "$(head -c 2097152 /dev/zero | tr '\0' x)" 1; echo
    tail -n 2 "$BATS_TEST_TMPDIR/good"; } >"$BATS_TEST_TMPDIR/in"
  reason='longer than 1048576 bytes'
  each_filter skipped
}

@test "a line that is cut off is skipped and reported" {
  good >"$BATS_TEST_TMPDIR/good"
  cut=$(line vus 5)
  for n in 1 20 50 75 85 $((${#cut} - 1)); do
    { line vus 1; echo; echo "${cut:0:n}"
      tail -n 2 "$BATS_TEST_TMPDIR/good"; } >"$BATS_TEST_TMPDIR/in"
    reason=
    each_filter skipped
  done
}

@test "a cut line at the end of input is reported, the others are kept" {
  good >"$BATS_TEST_TMPDIR/good"
  { good; line vus 5 | head -c 70; } >"$BATS_TEST_TMPDIR/in"
  each_filter same_as_good
  [[ $err == *"stdin:4: "* ]]
}

@test "a NUL byte spoils its line only" {
  good >"$BATS_TEST_TMPDIR/good"
  for sed in 's/vus/v\x00us/' 's/^{/{\x00/' 's/$/\x00/' 's/^/\x00/' \
    's/:5/:5\x00/'; do
    { line vus 1; echo; line vus 5 | sed "$sed"; echo
      tail -n 2 "$BATS_TEST_TMPDIR/good"; } >"$BATS_TEST_TMPDIR/in"
    [ "$(tr -cd '\0' <"$BATS_TEST_TMPDIR/in" | wc -c)" -eq 1 ]
    each_filter same_as_good
  done
}

@test "text between the lines is skipped, without a message for each" {
  good >"$BATS_TEST_TMPDIR/good"
  { line vus 1; printf '\n\n     execution: local\nrunning (1m00.0s)\n'
    tail -n 2 "$BATS_TEST_TMPDIR/good"; } >"$BATS_TEST_TMPDIR/in"
  quiet() {
    same_as_good "$@"
    [[ $err != *stdin:* ]]
  }
  each_filter quiet
}

@test "a missing final newline loses nothing" {
  good >"$BATS_TEST_TMPDIR/good"
  head -c -1 "$BATS_TEST_TMPDIR/good" >"$BATS_TEST_TMPDIR/in"
  all_there() {
    run_on "$BATS_TEST_TMPDIR/good" "$@"
    mv "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
    run_on "$BATS_TEST_TMPDIR/in" "$@"
    diff <(cat "$BATS_TEST_TMPDIR/out"; echo) \
      <(cat "$BATS_TEST_TMPDIR/want"; echo) ||
      { cat "$BATS_TEST_TMPDIR/out"; echo; } | cmp - "$BATS_TEST_TMPDIR/want"
  }
  each_filter all_there
}

@test "a file without final newline does not run into the next one" {
  good | head -c -1 >"$BATS_TEST_TMPDIR/a"
  good >"$BATS_TEST_TMPDIR/b"
  { good; good; } >"$BATS_TEST_TMPDIR/good"
  two_files() {
    run_on "$BATS_TEST_TMPDIR/good" "$@"
    mv "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
    capture "$@" "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
    cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
  }
  each_filter two_files
}

@test "lines that end in CR LF are as good as others" {
  good >"$BATS_TEST_TMPDIR/good"
  sed 's/$/\r/' "$BATS_TEST_TMPDIR/good" >"$BATS_TEST_TMPDIR/in"
  crlf() {
    run_on "$BATS_TEST_TMPDIR/good" "$@"
    mv "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
    run_on "$BATS_TEST_TMPDIR/in" "$@"
    [ "$status" -eq 0 ]
    [[ $err != *stdin:* ]]
    tr -d '\r' <"$BATS_TEST_TMPDIR/out" | cmp - "$BATS_TEST_TMPDIR/want"
  }
  each_filter crlf
}

@test "no message carries a terminal escape from the input" {
  name=$BATS_TEST_TMPDIR/$'esc\e[31m\xc2\x9b\x7f\xe2\x80\xae'
  { line 'x\u001b[31m\u009b\u202e' 1; echo; echo '{"a":'
    printf '{"\e[2J"\n{"metric":"\e]0;x\a"\n'; good; } >"$name"
  harmless() {
    capture "$@" "$name"
    [[ $err == *'esc\x1b[31m\x9b\x7f\u{202e}:2: '* ]]
    if LC_ALL=C tr -d '\n' <"$BATS_TEST_TMPDIR/err" |
      LC_ALL=C grep -q $'[\x01-\x1f\x7f]\|\xc2\x9b\|\xe2\x80\xae'; then
      return 1
    fi
  }
  each_filter harmless
}

@test "a locale with decimal commas changes nothing" {
  locale=$(locale -a 2>/dev/null | grep -E '^(de|fr|es|it|pt|ru)_' | head -n 1)
  if [ -z "$locale" ]; then
    locale=de_DE.UTF-8
    mkdir "$BATS_TEST_TMPDIR/locale"
    # POSIX but for its numbers: to compile all of de_DE takes seconds.
    sed '/^LC_NUMERIC/,/^END LC_NUMERIC/c'\
'LC_NUMERIC\ncopy "de_DE"\nEND LC_NUMERIC' \
      /usr/share/i18n/locales/POSIX >"$BATS_TEST_TMPDIR/de"
    localedef -c -i "$BATS_TEST_TMPDIR/de" -f UTF-8 \
      "$BATS_TEST_TMPDIR/locale/$locale" >/dev/null 2>&1 || true
    export LOCPATH=$BATS_TEST_TMPDIR/locale
    [ "$(LC_ALL=$locale locale decimal_point)" = , ] ||
      skip "no locale with decimal commas"
  fi
  cat "$root"/tests/golden/k6agg/outliers.ndjson >"$BATS_TEST_TMPDIR/in"
  same_in_locale() {
    LC_ALL=C run_on "$BATS_TEST_TMPDIR/in" "$@"
    mv "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
    LC_ALL=$locale run_on "$BATS_TEST_TMPDIR/in" "$@"
    cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/want"
  }
  each_filter same_in_locale
  LC_ALL=$locale capture k6agg --iqr-radius 0.25 /dev/null
  [ "$status" -eq 0 ]
}
