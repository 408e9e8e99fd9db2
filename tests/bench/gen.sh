#!/bin/bash
# k6gen beside other load generators, all in one run: requests
# per CPU second of the client, medians of RUNS runs; nginx on one core, the
# client on the other, VUS kept connections, a small static file. Then what
# else is promised of it. Machines are noisy: trust the ratios.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${RUNS:-3}
requests=${REQUESTS:-200000}
vus=${VUS:-50}
dir=$PWD/build/bench/gen
mkdir -p "$dir/html"
PATH=$PWD/bin:$PATH
unset "${!K6_@}" http_proxy all_proxy ALL_PROXY
printf 'hello, world' >"$dir/html/small"
head -c 65536 /dev/zero >"$dir/html/large"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
  -subj /CN=localhost -keyout "$dir/key" -out "$dir/pem" 2>/dev/null
nginx=$(command -v nginx || echo build/tools/usr/sbin/nginx)
# The clients have the last core, nginx the first; with one core, both share.
last=$(($(nproc) - 1))

start_nginx() {
  local port
  for _ in $(seq 20); do
    port=$((20000 + RANDOM % 20000))
    cat >"$dir/conf" <<END
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
pid $dir/pid;
error_log $dir/error.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 20000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path $dir/t1;
  proxy_temp_path $dir/t2;
  fastcgi_temp_path $dir/t3;
  uwsgi_temp_path $dir/t4;
  scgi_temp_path $dir/t5;
  server { listen 127.0.0.1:$port; root $dir/html; }
  ssl_protocols TLSv1.3;
  ssl_certificate $dir/pem;
  ssl_certificate_key $dir/key;
  server { listen 127.0.0.1:$((port + 1)) ssl; root $dir/html; }
  server { listen 127.0.0.1:$((port + 2)) ssl http2; root $dir/html; }
}
END
    if taskset -c 0 "$nginx" -p "$dir" -c "$dir/conf" 2>"$dir/start"; then
      url=http://127.0.0.1:$port/small
      large=http://127.0.0.1:$port/large
      tls=https://127.0.0.1:$((port + 1))/small
      http2=https://127.0.0.1:$((port + 2))/small
      return
    fi
  done
  cat "$dir/start" >&2
  exit 1
}

# client COMMAND: user and system seconds of it on its core
client() {
  bash -c "TIMEFORMAT='%U %S'; time taskset -c $last $1 2>$dir/err" \
    2>&1 >"$dir/out" | awk '{ print $1 + $2 }'
}

base=
row() {
  local figures=() seconds made
  for _ in $(seq "$runs"); do
    seconds=$(client "$2")
    made=$requests
    [[ $1 != wrk* ]] || made=$(awk '/requests in/ { print $1 }' "$dir/out")
    figures+=("$(awk "BEGIN { printf \"%.0f\", $made / $seconds }")")
  done
  made=$(printf '%s\n' "${figures[@]}" | sort -n |
    sed -n "$(((runs + 1) / 2))p")
  [[ $1 != hey* ]] || base=$made
  awk -v name="$1" -v n="$made" -v base="${base:-0}" 'BEGIN {
    printf "%-34s %10d", name, n
    if (base > 0) printf " %8.2f", n / base
    printf "\n" }'
}

start_nginx
trap 'kill "$(cat "$dir/pid")"' EXIT
ulimit -n "$(ulimit -Hn)"
printf '\n%d connections, %d requests; median of %d\n' "$vus" "$requests" \
  "$runs"
printf '%-34s %10s %8s\n' client 'req/CPU-s' '/ hey'
row hey "hey -n $requests -c $vus $url"
row wrk "wrk -t1 -c$vus -d3s $url"
row 'ab -k' "ab -q -k -n $requests -c $vus $url"
row 'h2load --h1' "h2load --h1 -n $requests -c $vus $url"
row 'k6gen | cat (all samples)' \
  "k6gen -q -u $vus -i $requests $url > >(taskset -c 0 cat >/dev/null)"
row 'k6gen -q --no-output' "k6gen -q --no-output -u $vus -i $requests $url"
# What two threads cost: the same for each request, if they do not disturb
# each other.
row 'k6gen -q --no-output --threads 2' \
  "k6gen -q --no-output --threads 2 -u $vus -i $requests $url"
row 'wrk, answers of 64 kB' "wrk -t1 -c$vus -d3s $large"
row 'k6gen, answers of 64 kB' "k6gen -q --no-output -u $vus -i $requests $large"

printf '\nTLS 1.3\n'
row 'hey' "hey -n $requests -c $vus $tls"
row 'wrk' "wrk -t1 -c$vus -d3s $tls"
row 'k6gen | cat (all samples)' \
  "k6gen -k -q -u $vus -i $requests $tls > >(taskset -c 0 cat >/dev/null)"
row 'k6gen -q --no-output' \
  "k6gen -k -q --no-output -u $vus -i $requests $tls"

printf '\nTLS 1.3 and HTTP/2\n'
row 'hey -h2' "hey -h2 -n $requests -c $vus $http2"
row 'h2load -m1' "h2load -n $requests -c $vus -m 1 $http2"
row 'k6gen | cat (all samples)' \
  "k6gen -k -q -u $vus -i $requests $http2 > >(taskset -c 0 cat >/dev/null)"
row 'k6gen -q --no-output' \
  "k6gen -k -q --no-output -u $vus -i $requests $http2"

printf '\nmemory\n'
# most NAME OPTION...: the most memory of so many users, until all have made two
# requests.
most() {
  local name=$1 pid most=0 now
  shift
  k6gen -k -q --no-output --per-vu-iterations 2 --think-time 1s..2s "$@" &
  pid=$!
  while now=$(awk '/VmHWM/ { printf "%d", $2 / 1024 }' "/proc/$pid/status" \
    2>/dev/null) && [ -n "$now" ]; do
    most=$now
    sleep 0.1
  done
  wait "$pid"
  printf '%-34s %10d MB\n' "$name" "$most"
}
most '10000 kept connections' -u 10000 "$url"
most '5000 kept connections of TLS' -u 5000 "$tls"
k6gen -q -u "$vus" -d "${SOAK:-30}s" "$url" >/dev/null &
pid=$!
sleep 3
first=$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")
sleep $((${SOAK:-30} - 5))
printf '%-34s %10d kB of %d kB\n' "growth in ${SOAK:-30} s" \
  $(($(awk '/VmRSS/ { print $2 }' "/proc/$pid/status") - first)) "$first"
wait "$pid"
