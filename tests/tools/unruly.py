"""unruly.py RULE LOG URL: before the server at URL a proxy that is unruly.

Its own URL is the first line of its output. Of each batch of protocol 1 that
the server took, LOG gets a line: the key, and the requests by their numbers
(stream.py). The file RULE says, anew for each request, what it does:

  pass        hand it on, and the answer back
  N           answer with this status, and nothing more
  413 N       the same, to requests of more than N samples; others pass
  422 N       the same, to requests that have a sample of the number N
  block N     answer 403 with a page to those that have a sample of number N
  page        answer 200 with a page, as a captive portal does
  reset       reset the connection
  cut         hand it on, and reset the connection instead of answering
  late N      cut for the first try of a batch of more than N samples, 413
              for the later ones; others pass. Words behind it answer
              withdrawals, one after the other: a status and "page" or "{}";
              the last one, if "*" follows it, all that come
"""
import gzip
import http.client
import http.server
import json
import os
import socket
import socketserver
import struct
import sys
import urllib.parse

RULE, URL = sys.argv[1], urllib.parse.urlsplit(sys.argv[3])
LOG = open(sys.argv[2], "a", buffering=1)
PAGE = b"<html>please log in</html>\n"
SENT = {}           # key -> numbers, of what was handed on
ODD = []            # words of the rule that withdrawals got
OURS = ("host", "connection", "content-length", "transfer-encoding")


def numbers_of(body):
    for sample in json.loads(body):
        data = sample["data"]
        if "values" in data:
            yield int(data["values"]["http_req_duration"])
        elif sample["metric"] == "http_req_duration":
            yield int(data["value"])


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in OURS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.close_connection = True
        os.close(self.connection.detach())

    def is_batch(self):
        return "/v1/metrics/" in self.path and not self.is_withdrawal()

    def is_withdrawal(self):
        return self.path.partition("?")[0].endswith("/withdraw")

    def key(self):
        """The key of the batch, also behind a proxy that takes headers."""
        query = urllib.parse.parse_qs(self.path.partition("?")[2])
        return self.headers["K6-Idempotency-Key"] or \
            query.get("key", ["none"])[0]

    def note(self, key, answer):
        """The server has the batch of that key, as it says."""
        if self.is_batch() or (self.is_withdrawal() and
                               json.loads(answer)["stored"]):
            LOG.write(" ".join([key, *map(str, SENT.get(key, []))]) + "\n")

    def hand_on(self, body):
        up = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
        key = self.key()
        if self.is_batch():
            SENT[key] = list(numbers_of(self.plain(body)))
        try:
            up.request(self.command, self.path, body,
                       {k: v for k, v in self.headers.items()
                        if k.lower() not in OURS})
            reply = up.getresponse()
            answer = reply.read()
            if reply.status < 300:
                self.note(key, answer)
            return reply.status, answer, reply.getheaders()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            up.close()

    def plain(self, body):
        if self.headers.get("Content-Encoding") == "gzip":
            return gzip.decompress(body)
        return body

    def refuses(self, rule, body):
        """What a rule with a number says to this request: a status, or 0."""
        if not self.is_batch():
            return 0
        if rule[0] == "413":
            return 413 if self.samples() > int(rule[1]) else 0
        return 422 if int(rule[1]) in numbers_of(self.plain(body)) else 0

    def withdrawal(self, words):
        """Answer it oddly, if there is a word left for it."""
        if not self.is_withdrawal() or not words:
            return False
        word = words[min(len(ODD), len(words) - 1)]
        if len(ODD) >= len(words) and not word.endswith("*"):
            return False
        ODD.append(word)
        is_page = "page" in word
        self.answer(int(word[:3]), PAGE if is_page else b"{}",
                    [("Content-Type", "text/html" if is_page
                      else "application/json")])
        return True

    def samples(self):
        return int(self.headers.get("X-Payload-Sample-Count", 0))

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(RULE) as f:
            rule = f.read().split() or ["pass"]
        if rule[0] == "reset":
            return self.reset()
        if rule[0] == "page":
            return self.answer(200, PAGE, [("Content-Type", "text/html")])
        if rule[0] == "block" and self.is_batch() and \
                int(rule[1]) in numbers_of(self.plain(body)):
            return self.answer(403, PAGE, [("Content-Type", "text/html")])
        if rule[0].isdigit():
            status = int(rule[0]) if len(rule) == 1 \
                else self.refuses(rule, body)
            if status:
                return self.answer(status)
        if rule[0] == "late" and self.withdrawal(rule[2:]):
            return None
        if rule[0] == "late" and self.is_batch() and \
                self.samples() > int(rule[1]):
            if self.key() in SENT:
                return self.answer(413)
            rule = ["cut"]
        reply = self.hand_on(body)
        if reply is None or rule[0] == "cut":
            return self.reset()
        return self.answer(*reply)

    do_GET = do_POST = handle_any


class Server(socketserver.ThreadingTCPServer):
    """Not an HTTPServer, which asks the name service who it is."""
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Proxy)
print("http://127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
