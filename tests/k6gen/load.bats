#!/usr/bin/env bats
# k6gen's load models: how many iterations are made, when, and by whom.

# bats file_tags=threads
load ../helpers
load gen

setup() {
  out=$BATS_TEST_TMPDIR/o
  start_nginx <<'END'
location / { return 200 "hello\n"; }
location = /large { limit_rate 20k; alias /proc/self/exe; }
END
}

teardown() { stop_nginx; }

count() { values "$1" | jq -s 'add // 0'; }

executor() { head -n 1 "$out" | jq -r .data.executor; }

# evenly N MS: N iterations were due so many ms one after the other. One that
# began late counts from when it was due, so this holds on any machine.
evenly() {
  jq -r 'select(.type == "Point" and .metric == "iteration_duration") |
    .data | [((.time[0:19] + "Z") | fromdate % 86400), "0" + .time[19:-1],
    .value] | @tsv' "$out" | awk '{ printf "%.6f\n", ($1 + $2) * 1000 - $3 }' |
    sort -n >"$out.due"
  [ "$(wc -l <"$out.due")" -eq "$1" ]
  awk -v ms="$2" 'NR > 1 { d = $1 - last - ms
      if (d < -0.5 || d > 0.5) { print NR, d; bad = 1 } }
    { last = $1 } END { exit bad }' "$out.due"
}

# bats test_tags=slow
@test "a constant rate begins as many iterations as asked, evenly" {
  k6gen -q -r 200/s -d 3s --max-vus 1000 "$target/" >"$out"
  [ "$(executor)" = constant-arrival-rate ]
  [ "$(count iterations)" -eq 600 ]
  [ "$(count dropped_iterations)" -eq 0 ]
  evenly 600 5
  k6gen -q -r 1000/s -d 2s --max-vus 2000 "$target/" >"$out"
  [ "$(count http_reqs)" -eq 2000 ]
  evenly 2000 1
}

@test "a ramping rate makes the integral of its stages" {
  k6gen -q -r 0..200/1s,200/1s,0/1s "$target/" >"$out"
  [ "$(executor)" = ramping-arrival-rate ]
  [ "$(count iterations)" -eq 400 ]
}

@test "starts that find no user are dropped, and counted" {
  k6gen -r 50/s -d 1s --max-vus 2 --graceful-stop 0s "$target/large" \
    >"$out" 2>"$out.err"
  [ "$(count dropped_iterations)" -eq 48 ]
  [ "$(values data_sent | wc -l)" -eq 2 ]
  grep -q '48 iterations found no free VU (--max-vus 2)' "$out.err"
}

# bats test_tags=slow
@test "a start that was late is timed from when it was due" {
  # The generator is stopped for half a second; again, if it was nearly over.
  local pid begun=500
  while [ "$begun" -gt 400 ]; do
    k6gen -q -r 100/s -d 5s "$target/" >"$out" 3>&- &
    pid=$!
    retry 10 grep -q '"Point"' "$out"
    kill -STOP "$pid"
    logged
    begun=$(wc -l <"$nginx_log")
    sleep 0.5
    kill -CONT "$pid"
    wait "$pid"
    [ "$(count iterations)" -eq 500 ]
    logged
    : >"$nginx_log"
  done
  values schedule_lag | jq -se 'max > 400'
  values iteration_duration | jq -se 'max > 400'
  # Of the about 50 that were due meanwhile, evenly spread over the pause.
  [ "$(values iteration_duration | jq -s '[.[] | select(. > 100)] |
    length > 30')" = true ]
  values generator_lag | jq -se 'max > 400'
}

# is_stopped PID: all threads of it are
is_stopped() { ! cut -d ' ' -f 3 /proc/"$1"/task/*/stat | grep -qv T; }

# was_late: by 300 ms, in some second
was_late() {
  grep '"generator_lag","type":"Point"' "$out" |
    jq -se 'map(.data.value) | max >= 300'
}

@test "users without pauses show how late the generator was" {
  local engine pid
  # By answers that lay unread, and, in libcurl, by the clock.
  for engine in '' --compressed; do
    rm -f "$out"
    # shellcheck disable=SC2086 # a word, or none
    "$bin/k6gen" -u 2 -d 60s $engine "$target/" >"$out" 2>"$out.err" 3>&- &
    pid=$!
    retry 20 grep -qs '"Point"' "$out"
    kill -STOP "$pid"
    retry 20 is_stopped "$pid"
    sleep 0.5
    kill -CONT "$pid"
    retry 20 was_late
    kill -TERM "$pid"
    wait "$pid" || true
    grep -q '! k6gen was late by up to' "$out.err"
  done
}

@test "a run of less than a second tells that the generator was late" {
  # The server stops the client before it answers.
  python3 - "$out.port" "$out.pid" 3>&- <<'END' &
import glob, os, signal, socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1], "w") as f:
    print(s.getsockname()[1], file=f)
c, _ = s.accept()
c.recv(9999)
pid = int(open(sys.argv[2]).read())
os.kill(pid, signal.SIGSTOP)
while any(open(stat).read().split()[2] != "T"
          for stat in glob.glob("/proc/%d/task/*/stat" % pid)):
    time.sleep(0.01)
c.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
time.sleep(0.3)
os.kill(pid, signal.SIGCONT)
END
  retry 20 test -s "$out.port"
  # shellcheck disable=SC2016 # for the other shell
  sh -c 'echo $$ >"$1"; exec "$2" "$3"' sh "$out.pid" "$bin/k6gen" \
    "http://127.0.0.1:$(cat "$out.port")/" >"$out" 2>"$out.err"
  grep -q '! k6gen was late by up to' "$out.err"
}

# bats test_tags=slow
@test "stages ramp the users up and down" {
  k6gen -q -s 1s:10,2s:10 -s 1500ms:0 --think-time 20ms "$target/" >"$out"
  [ "$(executor)" = ramping-vus ]
  # Each second, or later on a busy machine: never less on the way up, never
  # more on the way down.
  values vus | jq -se 'index(10) as $top | length > 2 and $top != null and
    .[:$top] == (.[:$top] | sort) and .[$top:] == (.[$top:] | sort | reverse)'
  [ "$(values vus_max | sort -u)" = 10 ]
}

@test "users that are ramped down end their iteration, or are interrupted" {
  k6gen -q -u 3 -s 1s:3,100ms:1,3s:1 --graceful-ramp-down 100ms \
    --graceful-stop 0s "$target/large" >"$out"
  [ "$(values data_sent | wc -l)" -eq 3 ]
  [ "$(count iterations)" -eq 0 ]
  # Two of them long before the third, which the end of the run cuts.
  values http_req_duration | jq -se 'sort | .[2] - .[1] > 500'
}

@test "per-VU iterations are each user's own" {
  k6gen -q -u 3 --per-vu-iterations 4 --system-tags vu,iter "$target/" \
    >"$out"
  [ "$(executor)" = per-vu-iterations ]
  jq -r 'select(.type == "Point" and .metric == "iterations") |
    .data.metadata | .vu + " " + .iter' "$out" | sort >"$out.pairs"
  [ "$(sort -u "$out.pairs" | wc -l)" -eq 12 ]
  [ "$(tail -n 1 "$out.pairs")" = "3 3" ]
}

@test "rps caps the requests of all users together" {
  k6gen -q -u 10 -d 2s --rps 50 "$target/" >"$out"
  local n
  n=$(count http_reqs)
  ((n > 0 && n <= 112))
}

@test "threads share users, iterations and starts" {
  k6gen -q --threads 3 -u 10 -i 1000 "$target/" >"$out"
  [ "$(count iterations)" -eq 1000 ]
  tail -n 1 "$out" | jq -e '.type == "End" and .data.requests == 1000'
  k6gen -q --threads 2 -r 300/s -d 1s "$target/" >"$out"
  [ "$(count iterations)" -eq 300 ]
  jq -se 'reduce .[] as $l ({seen: [], ok: true};
    if $l.type == "Metric" then .ok = (.ok and
    (.seen | index($l.metric) | not)) | .seen += [$l.metric]
    elif $l.type == "Point" then
    .ok = (.ok and (.seen | index($l.metric) != null))
    else . end) | .ok' "$out"
}

@test "a warm-up makes load and leaves no sample" {
  k6gen -q -r 100/s -d 1s --warm-up 1s "$target/" >"$out"
  local n
  n=$(count iterations)
  # Those that were due afterwards, and those that were so late.
  ((n >= 99 && n < 200))
  [ $(($(time_of "$(jq -rs 'map(select(.type == "Point"))[0].data.time' \
    "$out")") - $(time_of "$(jq -r 'select(.type == "Start") | .data.time' \
    "$out")"))) -ge 1000000000 ]
  logged
  [ "$(wc -l <"$nginx_log")" -eq 200 ]
}

@test "think time and minimal duration pause a user" {
  k6gen -q -i 3 --think-time 100ms "$target/" >"$out"
  values iteration_duration | jq -se 'length == 3 and min >= 100'
  local from=$EPOCHREALTIME
  k6gen -q -i 3 --min-iteration-duration 1s "$target/" >"$out"
  # The pause is no part of the iteration.
  values iteration_duration | jq -se 'length == 3 and min < 990'
  awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a >= 2) }'
}

@test "iterations that the time did not suffice for are dropped" {
  k6gen -q -i 10 -d 1s --graceful-stop 0s "$target/large" >"$out"
  [ "$(count dropped_iterations)" -eq 9 ]
}

all_came() { [ "$(wc -l <"$nginx_log")" -eq 400 ]; }

@test "a reader that is slow does not hold up the load" {
  # Nothing is read until all requests were made: more than a pipe holds.
  k6gen -u 2 -r 200/s -d 2s --max-vus 400 "$target/" 2>"$out.err" |
    { retry 10 all_came; cat; } >"$out"
  [ "$(count iterations)" -eq 400 ]
  [ "$(stat -c %s "$out")" -gt 65536 ]
  run ! grep -q 'the load waited' "$out.err"
}

@test "loads that contradict each other are wrong use" {
  local -a cases=(
    "-s 1s:5 -i 5|--stage and --iterations"
    "-s 1s:5 -d 5s|--stage and --duration"
    "-s 1s|--stage: not DURATION:TARGET"
    "-r 5/s|--rate: needs --duration"
    "-r 5/1s,6/1s -d 1s|--rate and --duration"
    "-r 5/s -s 1s:1 -d 1s|--stage and --duration"
    "-r x -d 1s|--rate: not a rate"
    "-r 5/s -d 1s -i 3|--rate and --iterations"
    "--max-vus 5 -d 1s|--max-vus: only with --rate"
    "--max-vus 5 -u 6 -r 1 -d 1s|--max-vus: less than --vus"
    "-i 1 --per-vu-iterations 1|--iterations and --per-vu-iterations"
    "--warm-up 1s -i 5|--warm-up: needs"
    "--rps 0|--rps: "
    "--think-time 2s..1s|--think-time: not a duration"
  )
  local c
  for c in "${cases[@]}"; do
    # shellcheck disable=SC2086 # the words are the arguments
    run k6gen ${c%%|*} "$target/"
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "k6gen: "*"${c#*|}"* ]]
  done
}

# time_of TIME: nanoseconds
time_of() { date -d "$1" +%s%N; }

@test "rps counts the hops of redirects, and waiting is no duration" {
  stop_nginx
  start_nginx <<'END'
location = /from { return 302 /to; }
location / { return 200 "hello\n"; }
END
  # Six requests at 4 a second: the last is due 1.25 s after the first.
  gen -u 1 -i 3 --rps 4 --name both "$target/from"
  [ "$(jq -r 'select(.type == "Point" and .metric == "http_reqs") |
    .data.tags.name' "$out" | sort | uniq -c | xargs)" = "6 both" ]
  [ "$(values schedule_lag | awk '{ sum += $1 } END { print (sum > 1000) }')" \
    = 1 ]
  has '.type == "Point" and .metric == "schedule_lag"'
  [ $(($(time_of "$(jq -rs 'map(select(.metric == "http_reqs" and
    .type == "Point"))[-1].data.time' "$out")") -
    $(time_of "$(jq -r 'select(.type == "Start") | .data.time' "$out")"))) \
    -ge 1200000000 ]
}

@test "a slow rate lasts its whole time" {
  gen -r 0.5/s -d 1500ms "$target/"
  [ "$(values iterations | wc -l)" -eq 1 ]
  [ "$(($(time_of "$(jq -r 'select(.type == "End") | .data.time' "$out")") -
    $(time_of "$(jq -r 'select(.type == "Start") | .data.time' "$out")")))" \
    -ge 1400000000 ]
}

@test "a writer that says nothing stops neither the end nor a signal" {
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  exec 7<>"$BATS_TEST_TMPDIR/fifo"
  run timeout 600 "$bin/k6gen" -q -t - -d 300ms --no-output <&7
  [ "$status" -ne 124 ]
  "$bin/k6gen" -q -t - --no-output <&7 &
  pid=$!
  retry 20 handles "$pid" 15
  sleep 0.3
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  exec 7<&-
  [ "$status" -ne 0 ]
}

@test "starts that wait for a target of stdin are told of" {
  (for i in $(seq 12); do
    printf 'GET %s/\n\n' "$target"
    sleep 0.5
  done) | k6gen -r 40/s -d 3s -t - --no-output 2>"$BATS_TEST_TMPDIR/err"
  grep -q '! [0-9]* iterations waited for a target: stdin' \
    "$BATS_TEST_TMPDIR/err"
}
