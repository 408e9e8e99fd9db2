#!/usr/bin/env python3
"""raw_http2.py PORTFILE LOG BEHAVIOUR: an HTTP/2 server without TLS that
misbehaves as the BEHAVIOUR says. LOG has a line for each request: connection,
stream; and one for each that is reset: connection, stream, reset."""
import socket
import struct
import sys

from connections import serve_connections

port_file, log_name, behaviour = sys.argv[1:4]
log = open(log_name, "a", buffering=1)
DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW, MORE = \
    0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + \
        struct.pack(">I", stream) + body


def integer(n, prefix):
    """HPACK 5.1, first byte without flags."""
    most = (1 << prefix) - 1
    if n < most:
        return bytes([n])
    out, n = bytes([most]), n - most
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def header(name, value):
    return b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + \
        value


def head(status, *others):
    return b"".join([header(b":status", status)] +
                    [header(n, v) for n, v in others])


def ok(stream, body=b"ok"):
    return frame(HEADERS, END_HEADERS, stream, head(b"200")) + \
        frame(DATA, END_STREAM, stream, body)


def big(stream):
    block = head(b"200", *[(b"x-%d" % i, b"v" * 1000) for i in range(90)])
    parts = [block[i:i + 16000] for i in range(0, len(block), 16000)]
    out = frame(HEADERS, 0, stream, parts[0])
    for p in parts[1:-1]:
        out += frame(MORE, 0, stream, p)
    return out + frame(MORE, END_HEADERS, stream, parts[-1]) + \
        frame(DATA, END_STREAM, stream, b"ok")


def rst(stream, code):
    return frame(RST, 0, stream, struct.pack(">I", code))


def goaway(last, code=0):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


def answer(number, stream):
    """Bytes to send, and whether the connection is over then."""
    first = number == 1
    if behaviour == "early":
        return frame(HEADERS, END_HEADERS, stream, head(b"413")) + \
            frame(DATA, END_STREAM, stream, b"big") + rst(stream, 0), False
    if behaviour == "refused" and first:
        return rst(stream, 7), False
    if behaviour == "goaway":
        return ok(stream) + goaway(stream), False
    if behaviour == "unseen" and first:
        return goaway(0), True
    if behaviour == "reset":
        return frame(HEADERS, END_HEADERS, stream, head(b"200")) + \
            frame(DATA, 0, stream, b"half") + rst(stream, 2), False
    if behaviour == "cut":
        return frame(HEADERS, END_HEADERS, stream, head(b"200")) + \
            frame(DATA, 0, stream, b"half"), True
    if behaviour == "big":
        return big(stream), False
    if behaviour == "hints":
        return frame(HEADERS, END_HEADERS, stream,
                     head(b"103", (b"link", b"</a>"))) + \
            frame(HEADERS, END_HEADERS, stream, head(b"200")) + \
            frame(DATA, 0, stream, b"ok") + \
            frame(HEADERS, END_HEADERS | END_STREAM, stream,
                  header(b"x-trailer", b"1")), False
    if behaviour == "settings":
        return frame(SETTINGS, 0, 0, struct.pack(">HIHI", 3, 1, 4, 20)) + \
            frame(PING, 0, 0, b"12345678") + ok(stream), False
    if behaviour == "garbage":
        return b"this is no frame of HTTP/2 at all, and long enough", True
    if behaviour == "again" and stream > 1:
        return b"", True
    return ok(stream), False


# Four requests are to be under way before they are answered: on the first
# connection; of "two", which allows two on each, on all.
TOGETHER = {"together", "all_but_one", "all_refused", "broken"}
held = []


def answer_several(streams):
    """The same as answer, of those that are under way."""
    first, others = streams[0], streams[1:]
    if behaviour == "all_but_one":
        return goaway(first) + ok(first), True
    if behaviour == "all_refused":
        return ok(first) + b"".join(rst(s, 7) for s in others), False
    if behaviour == "broken":
        return frame(HEADERS, END_HEADERS, first, head(b"200")) + \
            frame(DATA, 0, first, b"half"), True
    return b"".join(frame(HEADERS, END_HEADERS, s, head(b"200"))
                    for s in reversed(streams)) + \
        b"".join(frame(DATA, END_STREAM, s, b"ok") for s in streams), False


def exactly(c, n):
    out = b""
    while len(out) < n:
        got = c.recv(n - len(out))
        if not got:
            raise ConnectionError
        out += got
    return out


def serve(c, number):
    try:
        exactly(c, 24)
        if behaviour == "refuses":
            c.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                      b"Connection: close\r\n\r\n")
            c.shutdown(socket.SHUT_WR)
            while c.recv(65536):
                pass
            raise ConnectionError
        most = struct.pack(">HI", 3, 2) if behaviour == "two" else b""
        c.sendall(frame(SETTINGS, 0, 0, most))
        together = 4 if number == 1 and behaviour in TOGETHER else 1
        under_way = []
        while True:
            h = exactly(c, 9)
            size, kind, flags = struct.unpack(">I", b"\0" + h[:3])[0], \
                h[3], h[4]
            stream = struct.unpack(">I", h[5:])[0]
            body = exactly(c, size)
            if kind == SETTINGS and not flags & 1:
                c.sendall(frame(SETTINGS, 1, 0))
            if kind == DATA and size > 0 and behaviour != "early":
                c.sendall(frame(WINDOW, 0, 0, struct.pack(">I", size)))
                if not flags & END_STREAM:
                    c.sendall(frame(WINDOW, 0, stream,
                                    struct.pack(">I", size)))
            ends = flags & END_STREAM or behaviour == "early"
            if kind == HEADERS:
                print(number, stream, file=log)
            if kind == RST and behaviour == "stalls":
                print(number, stream, "reset", file=log)
            if behaviour == "stalls" and stream == 3:
                continue
            if (kind == HEADERS and ends) or (kind == DATA and ends and
                                              behaviour != "early"):
                if behaviour == "two":
                    held.append((c, stream))
                    for other, s in held if len(held) == 4 else []:
                        other.sendall(ok(s))
                    continue
                under_way.append(stream)
                if len(under_way) < together:
                    continue
                out, is_over = answer_several(under_way) \
                    if together > 1 else answer(number, stream)
                under_way = []
                if behaviour == "all_refused":
                    together = 1
                c.sendall(out)
                if is_over:
                    # Closed with bytes unread, it would be a reset.
                    c.shutdown(socket.SHUT_WR)
                    while c.recv(65536):
                        pass
                    break
    except OSError:
        pass
    c.close()


serve_connections(port_file, serve)
