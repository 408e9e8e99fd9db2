#!/usr/bin/env bats
# shellcheck disable=SC2154 # root comes from the helpers
# What the documents say of the tree: files, tests and sections that they name
# exist.

load helpers

# cites NAME: what the tree cites of docs/NAME.md, as "FILE NUMBER". A cite
# may go on in the next line of a comment.
cites() {
  (cd "$root" && find lib src tests man ./*.md -name '*.[ch157]' -o \
    -name '*.bats' -o -name '*.sh' -o -name '*.md') | sed "s,^,$root/," |
    xargs perl -0777 -ne '
      print "$ARGV $1\n" while /\b'"$1"':?\s+(?:\*\s+)?(\d+(?:\.\d+)*)/g'
}

# stand LEAST NAME: do all sections that are cited, at LEAST so many, exist?
stand() {
  local place section n=0 missing=0
  while read -r place section; do
    n=$((n + 1))
    grep -qE "^#+ ${section//./\\.}\.? " "$root/docs/$2.md" || {
      echo "$place: there is no $2 $section"
      missing=1
    }
  done < <(cites "$2")
  echo "$n cites"
  [ "$n" -ge "$1" ] && [ "$missing" -eq 0 ]
}

@test "every section of PROTOCOL that is cited exists" {
  stand 40 PROTOCOL
}

@test "every section of RELIABILITY that is cited exists" {
  stand 5 RELIABILITY
}

@test "every test that RELIABILITY names exists" {
  cat "$root"/tests/*.bats "$root"/tests/*/*.bats >"$BATS_TEST_TMPDIR/tests"
  grep -o '"[^"]*"' "$root/docs/RELIABILITY.md" |
    tr -d '"' >"$BATS_TEST_TMPDIR/named"
  while read -r name; do
    grep -qF "@test \"$name\" {" "$BATS_TEST_TMPDIR/tests" || {
      echo "no test: $name"
      missing=1
    }
  done <"$BATS_TEST_TMPDIR/named"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/named")" -gt 80 ]
  [ -z "${missing:-}" ]
}

@test "the documents name no place outside the tree" {
  run ! grep -nE '/work/|/root/|/home/|\.\./shared|DESIGN\.md|HOUSE\.md' \
    "$root"/docs/*.md "$root"/*.md "$root"/lib/README.md "$root"/tests/README.md
}

@test "every file that a document names exists" {
  local missing=0 n=0 doc path
  while IFS=: read -r doc path; do
    n=$((n + 1))
    compgen -G "$root/$path" >/dev/null || {
      echo "$doc names $path"
      missing=1
    }
  done < <(cd "$root" && grep -oE \
    '\b(lib|src|tests|docs|man)/[A-Za-z0-9_/.*-]*[A-Za-z0-9_/*]' \
    ARCHITECTURE.md \
    README.md lib/README.md CONTRIBUTING.md docs/RELIABILITY.md |
    grep -v '/TOOL' | sort -u)
  echo "$n names"
  [ "$n" -gt 20 ] && [ "$missing" -eq 0 ]
}

@test "lib/README.md names every module of lib, and no other" {
  (cd "$root/lib" && find base data io -name '*.h' ! -name '*_priv.h' \
    ! -name curlopt.h | sed 's,.*/,,; s,\.h$,,' | sort) \
    >"$BATS_TEST_TMPDIR/modules"
  grep -oE '^\| `[a-z0-9_]+`' "$root/lib/README.md" | tr -d '|` ' | sort \
    >"$BATS_TEST_TMPDIR/named"
  diff "$BATS_TEST_TMPDIR/modules" "$BATS_TEST_TMPDIR/named"
}
