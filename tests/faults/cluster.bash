# cluster: PostgreSQL with a standby, three k6serve on it and a balancer in
# front of them, all in $dir; for scale.sh. Loaded after fault.bash.
# shellcheck shell=bash disable=SC2034,SC2154 # of the scripts; here, dir

# Debian's folder of the server, installed or unpacked; none: it fails.
postgres_bin() {
  local at
  for at in /usr/lib/postgresql/*/bin \
    "$here"/../../build/tools/usr/lib/postgresql/*/bin; do
    [ ! -x "$at/initdb" ] || { echo "$at"; return; }
  done
  return 1
}

# The balancer: nginx and its module for TCP; none: it fails.
nginx_bin() {
  command -v nginx || { [ -x "$here/../../build/tools/usr/sbin/nginx" ] &&
    echo "$here/../../build/tools/usr/sbin/nginx"; }
}
stream_module() {
  local at
  for at in /usr "$here/../../build/tools/usr"; do
    at=$at/lib/nginx/modules/ngx_stream_module.so
    [ ! -r "$at" ] || { realpath "$at"; return; }
  done
  return 1
}

# haproxy, as the other balancer; its libraries may be unpacked beside it.
haproxy_bin() {
  command -v haproxy || { [ -x "$here/../../build/tools/usr/sbin/haproxy" ] &&
    echo "$here/../../build/tools/usr/sbin/haproxy"; }
}
run_haproxy() {
  local libraries
  libraries=$(echo "$here"/../../build/tools/usr/lib/*-linux-gnu* | tr ' ' :)
  LD_LIBRARY_PATH=$libraries "$(haproxy_bin)" "$@"
}

# free_ports N: so many, of which nobody has one now.
free_ports() {
  python3 -c 'import socket, sys
all = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in all: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in all))' "$1"
}

# as_owner COMMAND...: as the user who has PostgreSQL, who must not be root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  else
    "$@"
  fi
}

# control N COMMAND [OPTION...]: pg_ctl of server N, 1 or 2.
control() {
  local n=$1
  shift
  as_owner "$pg/pg_ctl" -D "$dir/pg$n" -l "$dir/pg$n.log" -w -t 120 \
    -o "-p ${db_ports[n]}" "$@" >/dev/null 2>&1
}

# What is killed here is processes, not machines: no write waits for the disk.
settings() {
  cat <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
fsync = off
max_connections = 60
shared_buffers = 32MB
wal_sender_timeout = 5s
CONF
}

# sql QUERY: on the primary, which is server $primary.
sql() {
  "$pg/psql" -h "$dir" -p "${db_ports[primary]}" -U k6 -Atqc "$1" "${2:-runs}"
}

is_in_step() {
  [ "$(sql "SELECT count(*) FROM pg_stat_replication
    WHERE sync_state = 'sync'")" = 1 ]
}

# standby N: server N follows the primary, which waits for it at each commit.
standby() {
  rm -rf "${dir:?}/pg$1" "$dir/space$1"/*
  as_owner "$pg/pg_basebackup" -h 127.0.0.1 -p "${db_ports[primary]}" -U k6 \
    -D "$dir/pg$1" -R -c fast -T "$dir/space$primary=$dir/space$1" 2>>"$dir/log"
  as_owner sed -i "s/^primary_conninfo = '/&application_name=other /" \
    "$dir/pg$1/postgresql.auto.conf"
  control "$1" start
  sql "ALTER SYSTEM SET synchronous_standby_names = 'other'" >/dev/null
  sql 'SELECT pg_reload_conf()' >/dev/null
  await 120 is_in_step
}

# Two servers of PostgreSQL; the database is in a space of its own, which may
# be small.
start_postgres() {
  read -r -a db_ports <<<"0 $(free_ports 2)"
  primary=1
  mkdir -p "$dir/space1" "$dir/space2"
  chmod 755 "$dir"
  touch "$dir/log"
  for n in 1 2; do
    mkdir "$dir/pg$n"
    : >"$dir/pg$n.log"
  done
  [ "$(id -u)" != 0 ] ||
    chown 65534:65534 "$dir" "$dir"/pg* "$dir"/space*
  as_owner "$pg/initdb" -D "$dir/pg1" -A trust -U k6 -N >/dev/null
  settings >>"$dir/pg1/postgresql.conf"
  control 1 start
  sql "CREATE TABLESPACE space LOCATION '$dir/space1'" postgres
  sql 'CREATE DATABASE runs TABLESPACE space' postgres
  sql 'CREATE ROLE app LOGIN'
  sql 'GRANT CREATE ON DATABASE runs TO app'
  standby 2
  db="postgresql://app@127.0.0.1:${db_ports[1]},127.0.0.1:${db_ports[2]}/runs"
}

# start_serve N: the k6serve of that number; $serve_pids has its process.
serve_pids=() serve_ports=()
start_serve() {
  local n=$1
  rm -f "$dir/out$n"
  k6serve --listen "127.0.0.1:${serve_ports[n]}" --db "$db" \
    --url "http://127.0.0.1:$balancer" >"$dir/out$n" 2>>"$dir/serve$n" &
  serve_pids[n]=$!
  disown
  await 60 grep -qs ^http "$dir/out$n"
}

# It leaves out who is not ready, and tries another when one is gone.
start_haproxy() {
  local n
  mkdir -p "$dir/haproxy"
  cat >"$dir/haproxy/conf" <<CONF
defaults
  mode tcp
  timeout connect 1s
  timeout client 1m
  timeout server 1m
  option redispatch
listen k6serve
  bind 127.0.0.1:$balancer
  option httpchk GET /ready
  default-server check inter 500ms fall 2 rise 1
$(for n in 1 2 3; do
    echo "  server serve$n 127.0.0.1:${serve_ports[n]}"
  done)
CONF
  run_haproxy -D -f "$dir/haproxy/conf" -p "$dir/haproxy/pid" \
    >>"$dir/haproxy/log" 2>&1
}

# nginx, or what BALANCER says.
start_balancer() {
  if [ "${BALANCER:-nginx}" = haproxy ]; then
    start_haproxy
    return
  fi
  mkdir -p "$dir/nginx"
  cat >"$dir/nginx/conf" <<CONF
load_module $(stream_module);
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
pid $dir/nginx/pid;
error_log $dir/nginx/error.log;
worker_processes 1;
events { worker_connections 2048; }
stream {
  upstream servers {
$(for n in 1 2 3; do
    echo "server 127.0.0.1:${serve_ports[n]} max_fails=1 fail_timeout=1s;"
  done)
  }
  server {
    listen 127.0.0.1:$balancer;
    proxy_pass servers;
    proxy_connect_timeout 1s;
  }
}
CONF
  "$(nginx_bin)" -p "$dir/nginx" -c "$dir/nginx/conf" 2>>"$dir/log"
}

start_cluster() {
  local n
  pg=$(postgres_bin)
  start_postgres
  read -r balancer n <<<"$(free_ports 4)"
  read -r -a serve_ports <<<"0 $n"
  for n in 1 2 3; do
    start_serve "$n"
  done
  start_balancer
  export K6_CLOUD_HOST=http://127.0.0.1:$balancer
}

# kill_postgres N: as by a power cut: all its processes at once.
kill_postgres() {
  local pid
  pid=$(head -n 1 "$dir/pg$1/postmaster.pid")
  # shellcheck disable=SC2046 # several
  kill -9 "$pid" $(pgrep -P "$pid") 2>/dev/null || true
  await 30 is_gone "$pid"
  rm -f "$dir/pg$1/postmaster.pid"
}

is_gone() {
  ! kill -0 "$1" 2>/dev/null
}

# fail_over: the primary dies, the standby takes its place.
fail_over() {
  local old=$primary
  kill_postgres "$old"
  primary=$((3 - primary))
  as_owner "$pg/pg_ctl" -D "$dir/pg$primary" -w -t 120 promote >/dev/null 2>&1
}

stop_cluster() {
  local n
  for n in 1 2 3; do
    [ -z "${serve_pids[n]:-}" ] || kill -9 "${serve_pids[n]}" 2>/dev/null ||
      true
  done
  for n in nginx haproxy; do
    [ ! -s "$dir/$n/pid" ] || kill "$(cat "$dir/$n/pid")" || true
  done
  for n in 1 2; do
    [ ! -e "$dir/pg$n/postmaster.pid" ] || control "$n" stop -m immediate ||
      true
  done
}
