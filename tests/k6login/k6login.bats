#!/usr/bin/env bats
# k6login: the token in k6's own config file.

load ../helpers

setup() {
  server=
  file=$HOME/.config/k6/config.json
  old=$HOME/.config/loadimpact/k6/config.json
  token=abcd0123456789wxyz
}

teardown() {
  stop_server || true
}

saved_token() { jq -r .collectors.cloud.token "$file"; }

@test "a piped token is stored where k6 looks for it" {
  capture k6login <<<"$token"
  [ "$status" -eq 0 ]
  [ "$out" = "Logged in successfully, token saved in $file" ]
  [ "$(saved_token)" = "$token" ]
  [ "$(k6login --path)" = "$file" ]
}

@test "file and folders are nobody else's, whatever the umask says" {
  umask 000
  k6login --token "$token"
  [ "$(stat -c %a "$file")" = 600 ]
  [ "$(stat -c %a "$(dirname "$file")")" = 700 ]
}

@test "the file is 0600 from its first open on" {
  command -v strace >/dev/null || skip 'no strace'
  strace -f -e trace=openat,open,creat -o "$BATS_TEST_TMPDIR/trace" \
    k6login --token "$token" || skip 'strace may not trace here'
  grep -F 'config.json' "$BATS_TEST_TMPDIR/trace" | grep O_CREAT |
    grep -F 'O_EXCL' | grep -F '0600'
}

@test "blanks and line ends around a token go" {
  for piped in "$token" "$token\r\n" "  $token \n" "\n$token\n\n"; do
    # shellcheck disable=SC2059 # the escapes are meant
    printf "$piped" | k6login --token -
    [ "$(saved_token)" = "$token" ]
  done
}

@test "an invalid token is refused, the old one stays" {
  k6login --token "$token"
  for bad in '' '\n' 'two\nlines' 'a b' 'a\0b' 'caf\xc3\xa9' '\x1b[2J'; do
    # shellcheck disable=SC2059
    capture k6login < <(printf "$bad")
    [ "$status" -eq 1 ]
    grep -F 'k6login: the token' <<<"$err"
  done
  capture k6login < <(head -c 100000 /dev/zero | tr '\0' x)
  [ "$status" -eq 1 ]
  [ "$(saved_token)" = "$token" ]
}

@test "all other members of the file stay" {
  mkdir -p "$(dirname "$file")"
  echo '{"vus":3,"out":["x"],"collectors":{"cloud":{"projectID":7,"token":"a"},
    "influxdb":{"addr":"h"}},"big":12345678901234,"f":0.5,"u":"é"}' >"$file"
  jq -S 'del(.collectors.cloud.token)' "$file" >"$BATS_TEST_TMPDIR/before"
  k6login --token "$token"
  jq -S 'del(.collectors.cloud.token)' "$file" >"$BATS_TEST_TMPDIR/after"
  cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  [ "$(saved_token)" = "$token" ]
}

@test "--show masks, --show --plain does not" {
  k6login --token "$token"
  [ "$(k6login --show)" = 'token: abcd**********wxyz' ]
  [ "$(k6login --show --plain)" = "$token" ]
  k6login --token short
  [ "$(k6login --show)" = 'token: *****' ]
}

@test "--reset forgets the token and nothing else" {
  mkdir -p "$(dirname "$file")"
  echo '{"collectors":{"cloud":{"projectID":7,"token":"a"}}}' >"$file"
  k6login --reset
  [ "$(jq -c .collectors.cloud "$file")" = '{"projectID":7,"token":null}' ]
  capture k6login --show
  [ "$status" -eq 1 ]
  [ "$out" = 'token: <not set>' ]
}

@test "the file of k6 before v1.0 is read, and kept in step" {
  mkdir -p "$(dirname "$old")"
  echo '{"collectors":{"cloud":{"token":"from-the-old-file"}}}' >"$old"
  [ "$(k6login --show --plain)" = from-the-old-file ]
  k6login --token "$token"
  [ "$(saved_token)" = "$token" ]
  [ "$(jq -r .collectors.cloud.token "$old")" = "$token" ]
}

@test "a config file of one's own is taken from -c or K6_CONFIG" {
  k6login -c "$HOME/a.json" --token one-token
  K6_CONFIG=$HOME/b.json k6login --token two-token
  [ "$(k6login -c "$HOME/a.json" --show --plain)" = one-token ]
  [ "$(K6_CONFIG=$HOME/b.json k6login --show --plain)" = two-token ]
  [ ! -e "$file" ]
}

@test "a broken file is named with its place and left alone" {
  mkdir -p "$(dirname "$file")"
  printf '{"a":1,\n' >"$file"
  capture k6login --token "$token"
  [ "$status" -eq 1 ]
  grep -E "k6login: .*config.json:[0-9]+:[0-9]+: " <<<"$err"
  [ "$(cat "$file")" = '{"a":1,' ]
}

@test "a symbolic link, a folder and a FIFO in the file's place stay" {
  mkdir -p "$(dirname "$file")"
  echo victim >"$HOME/victim"
  ln -s "$HOME/victim" "$file"
  capture k6login --token "$token"
  [ "$status" -eq 1 ]
  [ "$(cat "$HOME/victim")" = victim ]
  rm "$file"
  mkdir "$file"
  capture k6login --token "$token"
  [ "$status" -eq 1 ]
  rmdir "$file"
  mkfifo "$file"
  capture timeout 600 k6login --token "$token"
  [ "$status" -eq 1 ]
}

@test "a link of ours to a file of ours stays, and the file gets the token" {
  mkdir -p "$(dirname "$file")" "$HOME/dotfiles"
  echo '{"vus":3}' >"$HOME/dotfiles/k6.json"
  ln -s ../../dotfiles/k6.json "$file"
  capture k6login --token "$token"
  [ "$status" -eq 0 ]
  [ -L "$file" ]
  [ "$(jq -c '[.vus, .collectors.cloud.token]' "$HOME/dotfiles/k6.json")" = \
    "[3,\"$token\"]" ]
  # to nothing: it stays
  rm "$HOME/dotfiles/k6.json"
  capture k6login --token "$token"
  [ "$status" -eq 1 ]
  [ -L "$file" ]
}

@test "the file of k6 0.48 is written when asked for" {
  k6login --token "$token"
  [ ! -e "$old" ]
  k6login --legacy --token "$token"
  [ "$(jq -r .collectors.cloud.token "$old")" = "$token" ]
  capture k6login --legacy --config x --token "$token"
  [ "$status" -eq 2 ]
}

@test "a server that goes by another name says how to give it ours" {
  start_server
  port=${url##*:}
  python3 - "$port" >"$BATS_TEST_TMPDIR/port" 3>&- <<'PY' &
import http.client, http.server, sys
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        to = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
        to.request("POST", self.path, body, {"Host": "other.example",
                   "Content-Type": "application/json"})
        got = to.getresponse()
        text = got.read()
        self.send_response(got.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
server = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
print(server.server_port, flush=True)
server.handle_request()
PY
  retry 20 test -s "$BATS_TEST_TMPDIR/port"
  capture k6login --check --token "$token" \
    --host "http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")"
  [ "$status" -eq 1 ]
  grep -F -- '421' <<<"$err"
  grep -F -- '--url' <<<"$err"
}

# bats test_tags=slow
@test "killed at any system call: the old file or the new one, never half" {
  command -v strace >/dev/null || skip 'no strace'
  k6login --token old-token-0123
  killed=0
  for call in openat write fsync rename close; do
    for n in $(seq 1 20); do
      strace -f -o /dev/null -e "trace=$call" \
        -e "inject=$call:signal=KILL:when=$n" \
        k6login --token "$token" >/dev/null 2>&1 && break
      killed=$((killed + 1))
      case $(saved_token) in
      old-token-0123 | "$token") ;;
      *) false ;;
      esac
    done
  done
  echo "killed $killed times"
  [ "$killed" -gt 10 ] || skip 'strace may not inject here'
  k6login --token "$token"
  [ "$(saved_token)" = "$token" ]
}

@test "a full disk leaves the old file" {
  command -v strace >/dev/null || skip 'no strace'
  k6login --token "$token"
  capture strace -f -o /dev/null -e trace=fsync -e inject=fsync:error=ENOSPC \
    k6login --token other-token
  [ "$status" -eq 1 ]
  grep -F 'No space left on device' <<<"$err"
  [ "$(saved_token)" = "$token" ]
  [ "$(find "$(dirname "$file")" -type f | wc -l)" -eq 1 ]
}

@test "the token leaves the command line at once" {
  mkfifo "$BATS_TEST_TMPDIR/stall"
  start_server
  kill -STOP "$server"
  k6login --token "$token" --check --host "$url" >/dev/null 2>&1 3>&- &
  login=$!
  is_gone() { is_program "$login" && ! grep -qa "$token" "/proc/$login/cmdline"; }
  retry 5 is_gone
  tr '\0' ' ' <"/proc/$login/cmdline" | grep -F k6login
  kill -CONT "$server"
  wait "$login" || true
}

@test "--check asks the server; a bad token is not stored with it" {
  start_server
  good=$(k6serve token add me --db "$BATS_TEST_TMPDIR/k6serve.db")
  capture k6login --token "$good" --check
  [ "$status" -eq 0 ]
  [ "$(saved_token)" = "$good" ]
  capture k6login --check
  [ "$status" -eq 0 ]
  [ "$out" = 'the token is valid' ]
  capture k6login --token wrong-token --check
  [ "$status" -eq 1 ]
  grep -F 'your API token is invalid' <<<"$err"
  [ "$(saved_token)" = "$good" ]
  K6_CLOUD_TOKEN=wrong capture k6login --check
  [ "$status" -eq 1 ]
}

@test "--check with the server away says so" {
  k6login --token "$token"
  K6_CLOUD_HOST=http://127.0.0.1:1 capture k6login --check
  [ "$status" -eq 1 ]
  [[ $err == 'k6login: cannot ask http://127.0.0.1:1 whether the token is '* ]]
  K6_CLOUD_HOST_V6=http://127.0.0.1:1 capture k6login --stack shop \
    --token "$token"
  [ "$status" -eq 1 ]
  [[ $err == 'k6login: cannot ask http://127.0.0.1:1 whether the token is '* ]]
}

@test "without a home there is no file, and one clear line" {
  capture env -u HOME k6login --path
  [ "$status" -eq 1 ]
  grep -F 'set HOME, XDG_CONFIG_HOME or K6_CONFIG' <<<"$err"
}

@test "a terminal is asked without echo" {
  command -v script >/dev/null || skip 'no script(1)'
  # It is typed as soon as it is asked for, however slow the terminal is.
  slow=
  under_strace
  ! command -v strace >/dev/null || slow='strace -qq -o /dev/null -e trace=ioctl
    -e inject=ioctl:delay_enter=300000'
  (retry 20 grep -qs 'Token: ' "$BATS_TEST_TMPDIR/typed"; echo "$token") |
    script -qfec "${slow//$'\n'/} k6login" "$BATS_TEST_TMPDIR/typed" \
      >/dev/null 3>&-
  grep -F 'Token: ' "$BATS_TEST_TMPDIR/typed"
  run ! grep -F "$token" "$BATS_TEST_TMPDIR/typed"
  [ "$(saved_token)" = "$token" ]
}

@test "options that exclude each other are wrong use" {
  for bad in '--show --reset' '--plain' '--path --token x' 'operand'; do
    # shellcheck disable=SC2086
    capture k6login $bad
    [ "$status" -eq 2 ]
  done
}

@test "--stack is checked as k6 2 does it, and stored with its numbers" {
  # shellcheck disable=SC2016 # nginx expands it
  nginx_format='$request_method $uri $http_authorization $http_x_stack_url'
  start_nginx <<'CONF'
location = /cloud/v6/auth { default_type application/json;
  if ($http_authorization != "Bearer good-token") { return 401 '{}'; }
  return 200 '{"stack_id":12,"default_project_id":34}'; }
CONF
  export K6_CLOUD_HOST_V6=$target
  capture k6login --token good-token --stack mycompany
  stop_nginx
  [ "$status" -eq 0 ]
  [[ $out == *"token and stack info saved in $file" ]]
  logged
  [ "$(cat "$nginx_log")" = 'GET /cloud/v6/auth Bearer good-token '"\
https://mycompany.grafana.net" ]
  [ "$(jq -c '.collectors.cloud | [.token, .stackID, .stackURL,
    .defaultProjectID]' "$file")" = \
    '["good-token",12,"https://mycompany.grafana.net",34]' ]
  k6login --show | grep -x 'stack-id: 12'
  k6login --show | grep -x 'default-project-id: 34'
  k6login --reset
  [ "$(jq -c '.collectors.cloud | [.token, .stackID, .stackURL,
    .defaultProjectID]' "$file")" = '[null,null,null,null]' ]
  capture k6login --token x --stack 'not a stack'
  [ "$status" -eq 1 ]
  grep -F "neither a URL nor a stack's name" <<<"$err"
}

@test "a token that is not the stack's is not stored" {
  start_nginx <<'CONF'
location / { default_type application/json; return 401 '{}'; }
CONF
  K6_CLOUD_HOST_V6=$target capture k6login --token bad --stack https://s.net/x
  stop_nginx
  [ "$status" -eq 1 ]
  grep -F 'authentication failed' <<<"$err"
  [ ! -e "$file" ]
}
