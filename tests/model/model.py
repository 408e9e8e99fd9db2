#!/usr/bin/env python3
"""model.py SEED...: k6push and k6serve under faults that the seed chooses.

Numbered requests (stream.py's) flow through k6push, an unruly proxy and
k6serve. Meanwhile the server refuses, splits, resets, shows a portal's page, is
stopped, killed and started, the disk of the journal is full, the clock of either
steps, and k6push is killed and resumed. In the end all is well again and what is left
is resumed. The oracle is the proxy's log, by number. It holds that
- the server has as many as the log, and no number was taken under two keys;
- a push or a resume that ended with 0 left nothing out;
- what a push that was not killed does not deliver it calls lost;
- a push that was killed lost no more than one read and what was in its pipe, and
  did not end with 0.

Prints a line for each seed; the schedule, if one does not balance. As root (or
in unshare -rm) the disk is one of its own; else it is never full.
"""
import collections
import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "..", "tools")
BIN = os.environ.get("K6PIPE_BIN", os.path.join(HERE, "..", "..", "bin"))
FAKETIME = "/usr/lib/%s-linux-gnu/faketime/libfaketime.so.1" % os.uname().machine
RATE = 400          # requests a second
READ = 256 * 1024   # bytes of one read, which kill -9 may lose
METRICS = ("reqs", "req_duration", "req_blocked", "req_connecting",
           "req_tls_handshaking", "req_sending", "req_waiting",
           "req_receiving", "req_failed")


def request(n):
    now = time.time_ns()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
    stamp += ".%09dZ" % (now % 10**9)
    values = [1, n] + 7 * [0]
    return "".join('{"metric":"http_%s","type":"Point","data":{"time":"%s",'
                   '"value":%d,"tags":{"name":"x"}}}\n' % (m, stamp, v)
                   for m, v in zip(METRICS, values))


class Push:
    """One k6push, fed with the numbers first..last."""

    def __init__(self, world, first):
        self.first = self.last = first
        self.last -= 1
        self.is_killed = self.has_ended = False
        self.err = tempfile.TemporaryFile("w+", dir=world.dir)
        self.p = subprocess.Popen(
            [BIN + "/k6push", "-q", "--journal", world.journals, "--drain",
             "3s", "--timeout", "5s", "--push-interval", "200ms",
             "--max-samples-per-package", str(world.random.choice((50, 400))),
             "--push-concurrency", str(world.random.choice((1, 4))),
             "--sync", world.random.choice(("always", "200ms", "never"))],
            stdin=subprocess.PIPE, stderr=self.err,
            env=world.clock_env("push"))
        os.set_blocking(self.p.stdin.fileno(), False)
        self.rest = b'{"type":"Start","data":{"name":"m","vus":1}}\n'
        self.unread = 0     # bytes that it never saw
        self.exit = None

    def feed(self, count):
        """Offer that many more; what the pipe does not take waits."""
        if not self.rest:
            self.rest = "".join(request(self.last + 1 + i)
                                for i in range(count)).encode()
            self.last += count
        self.write()

    def write(self):
        try:
            self.rest = self.rest[os.write(self.p.stdin.fileno(), self.rest):]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.rest = b""

    def end(self, heal):
        """Write all. On a full disk it does not read on until all is well."""
        made = self.last - self.first + 1
        begin = time.monotonic()
        is_ill = True
        self.rest += (b'{"type":"End","data":{"run_status":3,"requests":%d,'
                      b'"points":%d,"thresholds":{}}}\n' % (made, 9 * made))
        while self.rest and time.monotonic() < begin + 300:
            self.write()
            if is_ill and time.monotonic() > begin + 20:
                heal()
                is_ill = False
            time.sleep(0.01)
        self.p.stdin.close()
        self.has_ended = True

    def kill(self):
        """Kill it, and note how much it left in the pipe."""
        self.p.send_signal(signal.SIGSTOP)
        try:
            os.waitid(os.P_PID, self.p.pid,
                      os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            pipe = os.open("/proc/%d/fd/0" % self.p.pid,
                           os.O_RDONLY | os.O_NONBLOCK)
            left = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
            self.unread = int.from_bytes(left, sys.byteorder) + len(self.rest)
            os.close(pipe)
        except OSError:
            pass        # it has read all, or has ended
        self.p.kill()
        self.is_killed = True
        self.p.stdin.close()
        self.p.wait()

    def books(self):
        self.err.seek(0)
        return self.err.read()


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.dir = tempfile.mkdtemp(prefix="k6model")
        self.disk = self.dir + "/disk"
        self.journals = self.disk + "/j"
        self.log, self.told = self.dir + "/log", []
        os.mkdir(self.disk)
        self.has_disk = subprocess.call(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", self.disk],
            stderr=subprocess.DEVNULL) == 0
        for who in ("push", "serve"):
            self.step(who, 0)
        os.environ.update(HOME=self.dir, LC_ALL="C.UTF-8")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.start_server()
        self.rule("pass")
        open(self.log, "w").close()
        self.proxy = subprocess.Popen(
            [sys.executable, TOOLS + "/unruly.py", self.dir + "/rule",
             self.log, "http://127.0.0.1:%d" % self.port],
            stdout=subprocess.PIPE, text=True)
        os.environ["K6_CLOUD_HOST"] = self.proxy.stdout.readline().strip()

    def step(self, who, seconds):
        """Its clock is so far from the true one from now on."""
        with open(self.dir + "/clock.new", "w") as f:
            f.write("%+d" % seconds)
        os.replace(self.dir + "/clock.new", self.dir + "/clock." + who)

    def clock_env(self, who):
        if not os.path.exists(FAKETIME):
            return None
        return dict(os.environ, LD_PRELOAD=FAKETIME,
                    FAKETIME_TIMESTAMP_FILE=self.dir + "/clock." + who,
                    FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1")

    def start_server(self):
        """Another may have its port for a while: it is asked for again."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            self.server = subprocess.Popen(
                [BIN + "/k6serve", "--listen", "127.0.0.1:%d" % self.port,
                 "--db", self.dir + "/db", "--keep-for", "1h"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                env=self.clock_env("serve"))
            if self.server.stdout.readline():
                return
            self.server.wait()
            time.sleep(0.1)
        sys.exit("k6serve does not start")

    def rule(self, text):
        with open(self.dir + "/rule.new", "w") as f:
            f.write(text)
        os.replace(self.dir + "/rule.new", self.dir + "/rule")

    def fill(self):
        try:
            with open(self.disk + "/ballast", "wb", buffering=0) as f:
                while True:
                    f.write(bytes(4096))
        except OSError:
            pass

    def free(self):
        if os.path.exists(self.disk + "/ballast"):
            os.unlink(self.disk + "/ballast")

    def restart(self):
        self.server.kill()
        self.server.wait()
        time.sleep(self.random.uniform(0, 0.5))
        self.start_server()

    def do(self, push):
        """One fault. Returns the push that goes on."""
        what = self.random.choice(FAULTS)
        self.told.append(what)
        if what == "kill":
            push.kill()
            return Push(self, push.last + 1)
        if what == "resume":
            subprocess.call([BIN + "/k6push", "-q", "--resume", "--drain",
                             "1s", "--journal", self.journals],
                            stderr=subprocess.DEVNULL)
        elif what == "restart":
            self.restart()
        elif what == "stop":
            self.server.send_signal(signal.SIGSTOP)
            threading.Timer(self.random.uniform(0.2, 2), self.server.
                            send_signal, [signal.SIGCONT]).start()
        elif what == "full":
            if self.has_disk:
                self.fill()
        elif what == "free":
            self.free()
        elif what in ("push", "serve"):
            self.step(what, self.random.choice((-86400 * 9, -7200, 0, 7200,
                                                10**8)))
        else:
            self.rule(what)
        return push

    def heal(self):
        self.free()
        self.rule("pass")

    def resume(self):
        """Deliver all that is left. Returns the exits and the books."""
        exits, books = [], ""
        for _ in range(6):
            if not os.path.isdir(self.journals) or not any(
                    os.listdir(self.journals + "/" + j) != ["lock"]
                    for j in os.listdir(self.journals)):
                break
            r = subprocess.run([BIN + "/k6push", "-q", "--resume", self.
                                journals], stderr=subprocess.PIPE, text=True)
            exits.append(r.returncode)
            books += r.stderr
            if r.returncode < 2 or "lost" in r.stderr:
                break
        return exits, books

    def close(self):
        for p in (self.proxy, self.server):
            p.kill()
            p.wait()
        if self.has_disk:
            subprocess.call(["umount", "-l", self.disk])
        shutil.rmtree(self.dir, ignore_errors=True)


FAULTS = ("pass", "pass", "pass", "503", "500", "429", "401", "413 20",
          "413 150", "413 1", "reset", "cut", "late 20", "late 20", "page",
          "kill", "resume", "restart", "stop", "full", "free", "push",
          "serve")


def lost_of(books):
    """Requests that the books call lost."""
    return sum(int(n) for n in re.findall(r", (\d+) lost, ", books))


def judge(world, pushes, exits, books):
    """What does not balance."""
    keys = {}
    with open(world.log) as f:
        for line in f:
            key, *numbers = line.split()
            if keys.setdefault(key, numbers) != numbers:
                yield "key %s came with two bodies" % key
    taken = collections.Counter(int(n) for ns in keys.values() for n in ns)
    twice = [n for n, c in taken.items() if c > 1]
    if twice:
        yield "%d twice, such as %d" % (len(twice), min(twice))
    row = subprocess.run([sys.executable, TOOLS + "/stored.py",
                          world.dir + "/db"], capture_output=True, text=True)
    if row.stdout.split()[0] != str(sum(taken.values())):
        yield "the server has %s, the log %d" % (row.stdout.split()[0],
                                                 sum(taken.values()))
    called_lost = lost_of(books)
    for p in pushes:
        lost = [n for n in range(p.first, p.last + 1) if n not in taken]
        said = lost_of(p.books())
        if p.exit == 0 and lost:
            yield "exit 0 and %d lost, from %d" % (len(lost), lost[0])
        if not p.is_killed and len(lost) > said + called_lost:
            yield "%d lost from %d, %d told" % (len(lost), lost[0], said)
        may_lose = 1 + (READ + p.unread) // len(request(p.first))
        if p.is_killed and len(lost) > may_lose + called_lost:
            yield "%d lost of a killed push, from %d; %d may be" % (
                len(lost), lost[0], may_lose + called_lost)
        if lost and not p.is_killed and exits and set(exits) == {0}:
            yield "--resume ended with 0, and %d are lost" % len(lost)


def run(seed):
    world = World(seed)
    pushes = [Push(world, 1)]
    try:
        begin = time.monotonic()
        for _ in range(world.random.randint(6, 14)):
            until = time.monotonic() + world.random.uniform(0.1, 0.8)
            while time.monotonic() < until:
                pushes[-1].feed(RATE // 20)
                time.sleep(0.05)
            push = world.do(pushes[-1])
            if push is not pushes[-1]:
                pushes.append(push)
        if world.random.random() < 0.5:
            world.heal()
        pushes[-1].end(world.heal)
        if world.random.random() < 0.2:
            time.sleep(world.random.uniform(0, 1))
            pushes[-1].kill()
        else:
            try:
                pushes[-1].exit = pushes[-1].p.wait(timeout=20)
            except subprocess.TimeoutExpired:
                world.heal()    # on a full disk it waits with its input
                pushes[-1].exit = pushes[-1].p.wait(timeout=300)
        world.heal()
        exits, books = world.resume()
        faults = list(judge(world, pushes, exits, books))
        print("seed %d: %d requests, %d pushes, exit %s, resumed %s, %.0f s: "
              "%s" % (seed, pushes[-1].last, len(pushes), pushes[-1].exit,
                      exits, time.monotonic() - begin, faults or "balances"),
              flush=True)
        if faults:
            print("  " + ", ".join(world.told))
            for p in pushes:
                print("  %d..%d %s" % (p.first, p.last, "killed" if p.is_killed
                                       else p.exit))
                print(re.sub("(?m)^", "    ", p.books()[-1500:]))
            print(re.sub("(?m)^", "    ", books[-3000:]), flush=True)
        return not faults
    finally:
        for p in pushes:
            p.p.kill()
        world.close()


if __name__ == "__main__":
    sys.exit(0 if all([run(int(s)) for s in sys.argv[1:]]) else 1)
