#!/usr/bin/env python3
"""rw_receiver.py LOG ANSWER...: answers remote writes as no real server does on
demand, one ANSWER for each, then 204 for ever: STATUS[:BODY][|HEADER: VALUE].
With WRITTEN:STATUS:TEXT instead, it is a receiver of remote write 2.0, for
ever: series with TEXT among their labels it does not store, and then answers
STATUS; the headers -Written count the others, which are on lines of LOG.stored:
labels, and VALUE@TIME<START or histogram@TIME<START, 0 if that is not told.
A write of nothing is always answered 204. The first line of stdout is the URL;
LOG gets a line for each write: its status, the SHA-256 of its body, and its
headers in lower case as JSON."""

import hashlib
import http.server
import json
import struct
import sys
import threading

from wire2json import unsnap

log_path, *answers = sys.argv[1:]
refused = None
if answers and answers[0].startswith("WRITTEN:"):
    _, refused_status, refused = answers.pop(0).split(":")
lock = threading.Lock()


def fields(message):
    """Numbers and values of a protobuf message."""
    at = 0

    def varint():
        nonlocal at
        n = shift = 0
        while True:
            at += 1
            n |= (message[at - 1] & 0x7f) << shift
            if message[at - 1] < 0x80:
                return n
            shift += 7

    while at < len(message):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            value = varint()
        else:
            length = {1: 8, 5: 4}.get(kind) or varint()
            value = message[at:at + length]
            at += length
        yield tag >> 3, value


def packed(bytes_of):
    n = shift = 0
    for byte in bytes_of:
        n |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            yield n
            n = shift = 0


def series_of(body):
    """Labels and values of the series of a Request of 2.0."""
    request = list(fields(unsnap(body)))
    symbols = [v.decode() for n, v in request if n == 4]
    assert symbols[0] == ""
    for series in (list(fields(v)) for n, v in request if n == 5):
        refs = list(packed(b"".join(v for n, v in series if n == 1)))
        labels = ",".join("%s=%s" % (symbols[a], symbols[b])
                          for a, b in zip(refs[::2], refs[1::2]))
        samples = [dict(fields(v)) for n, v in series if n == 2]
        hists = [dict(fields(v)) for n, v in series if n == 3]
        yield labels, ["%g@%d<%d" % (struct.unpack("<d", s[1])[0], s[2],
                                     s.get(3, 0)) for s in samples], [
            "histogram@%d<%d" % (h[15], h.get(17, 0)) for h in hists]


def take(body):
    """Store what is not refused: the answer."""
    samples = histograms = 0
    status = "204"
    with open(log_path + ".stored", "a") as out:
        for labels, values, hists in series_of(body):
            if refused in labels.split(","):
                status = refused_status
                continue
            samples += len(values)
            histograms += len(hists)
            print(labels, *values, *hists, file=out)
    return status, [
        "X-Prometheus-Remote-Write-Samples-Written: %d" % samples,
        "X-Prometheus-Remote-Write-Histograms-Written: %d" % histograms]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, text, headers = "204", "", []
        with lock:
            if len(body) > 1 and refused is not None:
                status, headers = take(body)
            elif len(body) > 1 and answers:
                status, *headers = answers.pop(0).split("|")
                status, _, text = status.partition(":")
            if len(body) > 1:
                with open(log_path, "a") as log:
                    print(status, hashlib.sha256(body).hexdigest(),
                          json.dumps({k.lower(): v for k, v in
                                      self.headers.items()}), file=log)
        self.send_response(int(status))
        for header in headers:
            self.send_header(*header.split(": ", 1))
        if int(status) != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("http://127.0.0.1:%d/" % server.server_port, flush=True)
server.serve_forever()
