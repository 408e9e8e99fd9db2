#!/usr/bin/env python3
"""raw_server.py PORTFILE LOG DIR [CERT KEY]: answer each request for /NAME
with the bytes of DIR/NAME, whatever they are. A file NAME.how beside it says
what else: "close" after the answer, "early" before the body was read,
"reset", "cut" the same without an end of TLS, "again" closes silently on the second request of a connection,
"silent" never answers, "slow"
waits 20 ms. The body of the last request that had one is in NAME.body. LOG has a line for each
request: connection, method, path."""
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time

from connections import serve_connections

port_file, log_name, folder = sys.argv[1:4]
log = open(log_name, "a", buffering=1)
lock = threading.Lock()


def read_head(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline(1 << 20)
        if not line:
            return None
        head += line
    return head.decode("latin1").split("\r\n")


def body_length(lines):
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def answer(c, stream, number, served):
    """False: the connection is over."""
    lines = read_head(stream)
    if lines is None:
        return False
    method, path = lines[0].split(" ")[:2]
    name = path.strip("/").split("?")[0]
    file = os.path.join(folder, name)
    how = ""
    if os.path.exists(file + ".how"):
        how = open(file + ".how").read()
    with lock:
        print(number, method, path, file=log)
    if "again" in how and served > 0:
        return False
    if "early" not in how:
        body = stream.read(body_length(lines))
        if body:
            with open(file + ".body", "wb") as f:
                f.write(body)
    if "slow" in how:
        time.sleep(0.02)
    if "silent" in how:
        stream.read()
        return False
    c.sendall(open(file, "rb").read())
    if "early" in how:
        # A server that reads the body and answers it, but not before the client
        # has seen the first answer: it hangs up then, as a rule.
        poll = select.poll()
        poll.register(c, select.POLLRDHUP)
        poll.poll(5000)
        stream.read(body_length(lines))
    if "reset" in how:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        return False
    if "cut" in how:
        # The end of TCP, and none of TLS.
        c.shutdown(socket.SHUT_RDWR)
        raise OSError
    return "close" not in how


def serve(c, number):
    served = 0
    try:
        if len(sys.argv) > 4:
            c = context.wrap_socket(c, server_side=True)
        stream = c.makefile("rb")
        while answer(c, stream, number, served):
            served += 1
        stream.close()
        if isinstance(c, ssl.SSLSocket):
            c.settimeout(1)
            c.unwrap()
    except (OSError, ValueError):
        pass
    c.close()


if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
serve_connections(port_file, serve)
