#!/bin/bash
# demo.sh [stop]: a load test through the whole pipeline, on this machine
# alone: nginx as target, k6serve as receiver. k6serve stays up afterwards, so
# that the page can be looked at; `demo.sh stop` ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=build/demo
PATH=$PWD/bin:$PWD/build/tools/usr/sbin:/usr/sbin:$PATH
unset "${!K6_@}" http_proxy HTTP_PROXY
mkdir -p "$dir/www"

stop_server() {
  if [ -s "$dir/k6serve.pid" ]; then
    kill "$(cat "$dir/k6serve.pid")" 2>/dev/null || true
    rm -f "$dir/k6serve.pid"
  fi
}
if [ "${1:-}" = stop ]; then
  stop_server
  exit 0
fi

# The target: nginx, on the first free port from 18080 on.
target=
for port in $(seq 18080 18120); do
  cat >"$dir/nginx.conf" <<CONF
pid $PWD/$dir/nginx.pid;
error_log $PWD/$dir/nginx.err;
worker_processes 1;
daemon on;
events {}
http {
  access_log off;
  client_body_temp_path $PWD/$dir/tmp1;
  proxy_temp_path $PWD/$dir/tmp2;
  fastcgi_temp_path $PWD/$dir/tmp3;
  uwsgi_temp_path $PWD/$dir/tmp4;
  scgi_temp_path $PWD/$dir/tmp5;
  server {
    listen 127.0.0.1:$port;
    location = / { return 200 "hello\n"; }
    location = /items { return 200 '{"items":[1,2,3]}'; }
    location = /old { return 302 /items; }
    location = /gone { return 404; }
  }
}
CONF
  if nginx -p "$PWD/$dir" -c "$PWD/$dir/nginx.conf" 2>"$dir/nginx.start"; then
    target=http://127.0.0.1:$port
    break
  fi
done
[ -n "$target" ] || { cat "$dir/nginx.start" >&2; exit 1; }
trap 'kill "$(cat "$dir/nginx.pid")" 2>/dev/null || true' EXIT

# The receiver, with its database in one file.
stop_server
listen=127.0.0.1:6570
for listen in 127.0.0.1:6570 127.0.0.1:0; do
  k6serve --listen "$listen" --db "$dir/k6serve.db" >"$dir/url" \
    2>"$dir/k6serve.err" </dev/null &
  echo $! >"$dir/k6serve.pid"
  disown
  for _ in $(seq 100); do
    [ -s "$dir/url" ] && break
    kill -0 "$(cat "$dir/k6serve.pid")" 2>/dev/null || break
    sleep 0.05
  done
  [ -s "$dir/url" ] && break
done
url=$(head -n 1 "$dir/url")
[ -n "$url" ] || { cat "$dir/k6serve.err" >&2; exit 1; }
K6_CLOUD_TOKEN=$(k6serve token add "demo-$$" --db "$dir/k6serve.db")
export K6_CLOUD_TOKEN K6_CLOUD_HOST=$url

pipeline="k6gen -u 10 -d 10s $target/ $target/items $target/old $target/gone |
  k6agg -p 3s | k6push -n demo"
printf '\n$ %s\n' "$pipeline"
k6gen -u 10 -d 10s --test-name demo "$target/" "$target/items" "$target/old" \
  "$target/gone" | k6agg -p 3s | k6push -n demo 2>&1 | tee "$dir/push.err"

run=$(curl -sS "$url/api/v1/runs" | jq -r '.[0].id')
printf '\nthe run, as k6serve tells it:\n'
curl -sS "$url/api/v1/runs/$run" | jq -c '{id, name, state,
  http_reqs: .totals.http_reqs, failed: .totals.http_req_failed,
  p95_ms: .totals.http_req_duration.p95}'
curl -sSf "$url/runs/$run" >/dev/null
printf '\n%s\n' "$(grep -E '[0-9]+ made = ' "$dir/push.err")"
printf 'the page: %s/runs/%s  (make demo-stop ends the server)\n' "$url" "$run"
