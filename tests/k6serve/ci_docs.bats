#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; url
# The snippets of docs/ci.md, run as shell.

# bats file_tags=threads
load ../helpers
load serve

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  start_server
  export TARGET=$url/health DURATION=2s
}

teardown() {
  stop_server || true
}

# shell HEADING: the shell in the section's block, a file N.sh for each step.
shell() {
  python3 - "$root/docs/ci.md" "$1" <<'P'
import re, sys, textwrap
text = open(sys.argv[1]).read()
section = text.split("\n## " + sys.argv[2], 1)[1].split("\n## ", 1)[0]
kind, block = re.search(r"```(\w+)\n(.*?)```", section, re.S).groups()
steps, indent = [block] if kind == "sh" else [], None
for line in block.splitlines() if kind != "sh" else []:
    depth = len(line) - len(line.lstrip())
    if indent is not None and depth > indent:
        steps[-1] += line + "\n"
        continue
    indent = None
    if re.fullmatch(r" *(- |run: )\|", line):
        indent = depth
        steps.append("")
steps = [textwrap.dedent(s) for s in steps]
for n, step in enumerate(steps, 1):
    open("%d.sh" % n, "w").write(step.rstrip("\n") + "\n")
print(len(steps))
P
}

# step N [STATUS]: run it as CI does.
step() {
  capture bash -e -o pipefail "$1.sh"
  [ "$status" -eq "${2:-0}" ]
}

@test "the snippet for GitHub Actions runs" {
  export GITHUB_STEP_SUMMARY=$BATS_TEST_TMPDIR/summary.md
  [ "$(shell 'GitHub Actions')" -eq 3 ]
  unset K6_CLOUD_HOST
  rm -f k6serve.db* # the job has its own
  for _ in 1 2; do
    rm -f k6serve.url
    step 1
    step 2
    step 3
  done
  grep -E '^### Passed: ' summary.md
  grep -F '<testcase classname="threshold" name="http_req_failed: rate&lt;0.01"/>' \
    junit.xml
  [ -s run.html ]
  grep -E '^::[a-z]+ title=load test::run 2 with run 1: ' <<<"$out"
  # a threshold that is crossed fails the job
  sed -i 's/p(95)<500/p(95)<0/' 1.sh
  rm -f k6serve.url
  step 1 99
  step 2
  grep -E '^### Failed: ' summary.md
}

@test "the snippet for GitLab CI runs" {
  export K6_CLOUD_TOKEN=x K6_CLOUD_NAME=shop
  [ "$(shell 'GitLab CI')" -eq 3 ]
  for _ in 1 2; do
    step 1
    step 2
    step 3
  done
  [ "$(jq -c '.baseline' diff.json)" = '[1]' ]
  for file in export.xml export.md export.html; do
    [ -s "$file" ]
  done
  sed -i 's/p(95)<500/p(95)<0/' 1.sh
  step 1 99
  step 3
  grep -q '<failure' export.xml
}

@test "the snippet without a server runs" {
  [ "$(shell 'Without any server')" -eq 1 ]
  step 1
  mv after.ndjson before.ndjson
  step 1
  grep -q 'too little data to tell' <<<"$out"
}
