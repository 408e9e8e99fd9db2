#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # each test is a subshell; url
# The snippets of docs/ci.md, run as shell.

# bats file_tags=threads
load ../helpers
load serve

setup() {
  cd "$BATS_TEST_TMPDIR" || exit
  start_server
  export TARGET=$url/health DURATION=300ms
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
shells = []
steps, indent = [block] if kind == "sh" else [], None
for line in block.splitlines() if kind != "sh" else []:
    depth = len(line) - len(line.lstrip())
    if indent is not None and depth > indent:
        steps[-1] += line + "\n"
        continue
    indent = None
    shell = re.fullmatch(r" *(- )?(shell: \w+)", line)
    if shell:
        shells.append("%d %s" % (len(steps) + 1, shell[2]))
    if re.fullmatch(r" *(- |run: )\|", line):
        indent = depth
        steps.append("")
steps = [textwrap.dedent(s) for s in steps]
for n, step in enumerate(steps, 1):
    open("%d.sh" % n, "w").write(step.rstrip("\n") + "\n")
open("shells", "w").write("\n".join(shells) + "\n")
print(len(steps))
P
}

# slow_is_good: the limit of the snippet's threshold is for a machine that is not
# busy.
slow_is_good() { sed -i 's/p(95)<500/p(95)<600000/' 1.sh; }

# step N [STATUS]: run it as CI does; "bad" is any but 0. GitHub sets pipefail
# only if the step says "shell: bash".
step() {
  local options=(-e)
  ! grep -qxF "$1 shell: bash" shells || options+=(-o pipefail)
  capture timeout 900 bash "${options[@]}" "$1.sh"
  if [ "${2:-0}" = bad ]; then
    [ "$status" -ne 0 ]
  else
    [ "$status" -eq "${2:-0}" ]
  fi
}

# target_down: nobody answers; an answer that never came took 0 ms.
target_down() { export TARGET=http://127.0.0.1:1/; }

# no_load: k6gen does not even start, as when an option is wrong.
no_load() { sed -i 's/k6gen -u 5/k6gen --no-such-option/' 1.sh; }

@test "the snippet for GitHub Actions runs" {
  export GITHUB_STEP_SUMMARY=$BATS_TEST_TMPDIR/summary.md
  [ "$(shell 'GitHub Actions')" -eq 3 ]
  unset K6_CLOUD_HOST
  rm -f k6serve.db* # the job has its own
  slow_is_good
  for _ in 1 2; do
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
  sed -i 's/p(95)<600000/p(95)<0/' 1.sh
  step 1 99
  step 2
  grep -E '^### Failed: ' summary.md
  # nor does a target that is down pass
  sed -i 's/p(95)<0/p(95)<600000/' 1.sh
  target_down
  step 1 99
  # a load that was never made is no success, nor is an older run its report
  no_load
  rm summary.md run.html
  step 1 bad
  step 2 bad
  step 3 bad
  [ ! -s summary.md ]
  [ ! -s run.html ]
  # a server that cannot start ends the step
  sed -i 's/--listen 127.0.0.1:0/--listen 127.0.0.1:x/' 1.sh
  step 1 bad
}

@test "the snippet for GitLab CI runs" {
  export K6_CLOUD_TOKEN=x K6_CLOUD_NAME=shop
  [ "$(shell 'GitLab CI')" -eq 3 ]
  slow_is_good
  step 1
  step 2
  step 3
  [ "$(jq -c '.baseline' diff.json)" = '[]' ]
  step 1
  step 2
  step 3
  [ "$(jq -c '.baseline' diff.json)" = '[1]' ]
  for file in export.xml export.md export.html; do
    [ -s "$file" ]
  done
  sed -i 's/p(95)<600000/p(95)<0/' 1.sh
  step 1 99
  step 3
  grep -q '<failure' export.xml
  sed -i 's/p(95)<0/p(95)<600000/' 1.sh
  target_down
  step 1 99
  # a load that was never made is no success, also if nobody looks at k6gen
  no_load
  step 1 bad
  grep -E '^k6push: [0-9]+: is not known to have passed: ' <<<"$err"
  step 2 bad
  step 3
  grep -q '<failure message="Finished: no data came"' export.xml
}

@test "the snippet without a server runs" {
  [ "$(shell 'Without any server')" -eq 1 ]
  step 1
  mv after.ndjson before.ndjson
  step 1
  grep -q 'too little data to tell' <<<"$out"
  target_down
  step 1 99
}
