# A real Prometheus in k6serve's place, for outage.sh: what it stores is asked
# back by PromQL. Behind fault.bash.
# shellcheck shell=bash disable=SC2034,SC2154 # used by the script; of fault.bash
export K6_PROMETHEUS_RW_PUSH_INTERVAL=1s
push_options=(--out prometheus-rw --testid outage --instance g --verify)

is_ready() { curl -fsS "http://127.0.0.1:$port/-/ready" >/dev/null 2>&1; }

# serve PORT (0: any): start it on $dir/store; $server and $port.
serve() {
  mkdir -p "$dir/store"
  echo 'global: {scrape_interval: 1h}' >"$dir/conf.yml"
  prometheus --config.file="$dir/conf.yml" --storage.tsdb.path="$dir/store" \
    --web.listen-address="127.0.0.1:$1" --log.level=error \
    --web.enable-remote-write-receiver \
    --enable-feature=native-histograms >"$dir/serve" 2>&1 &
  server=$!
  disown
  for _ in $(seq 600); do
    port=$(ss -Hltnp | sed -nE "s/.*127\.0\.0\.1:([0-9]+) .*pid=$server,.*/\1/p")
    [ -n "$port" ] && is_ready && break
    sleep 0.05
  done
  export K6_PROMETHEUS_RW_SERVER_URL=http://127.0.0.1:$port/api/v1/write
}

# count: requests so far; nothing while it is away.
count() {
  curl -sS --max-time 5 "http://127.0.0.1:$port/api/v1/query" --data-urlencode \
    'query=max_over_time(k6_http_reqs_total{testid="outage"}[6h])' 2>/dev/null |
    jq -r '.data.result[].value[1]'
}

# totals: requests and the sum of their durations. A total that the series had
# at the end of a second, by the stream, and that is not stored, is told.
totals() {
  python3 "$tools/stored_rw.py" "http://127.0.0.1:$port" outage "$dir/stream"
}
