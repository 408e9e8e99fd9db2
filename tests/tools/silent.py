#!/usr/bin/env python3
"""silent.py PORTFILE BACKLOG: a TCP server that says nothing, as its process
never accepts. BACKLOG "full": nor does the kernel, a connection waits for good;
"room": it does, and takes bytes as far as it has room."""
import os
import socket
import struct
import sys
import time

port_file, backlog = sys.argv[1:3]
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(0 if backlog == "full" else 64)
waiting = []


def is_full():
    """Of a server these two are the connections that nobody accepted, and how
    many there may be."""
    info = server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    have, most = struct.unpack_from("II", info, 24)
    return have > most


while backlog == "full" and not is_full():
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    waiting.append(client)
    time.sleep(0.01)

with open(port_file + ".new", "w") as f:
    print(server.getsockname()[1], file=f)
os.rename(port_file + ".new", port_file)
time.sleep(600)
