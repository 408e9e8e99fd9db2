#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""delays.py DIR KIND: an HTTP server that waits for a known time in each phase
of a request: 40 ms before the TLS handshake, 50 ms before it reads a body, 30
ms before the head of the answer, 20 ms in the middle of it. KIND with "tls" in
it speaks TLS, with DIR/cert and DIR/key; one that begins with "quick" does not
wait. Its port is in DIR/port.KIND."""
import socket, ssl, sys, time
dir, is_tls, is_slow = sys.argv[1], "tls" in sys.argv[2], \
  not sys.argv[2].startswith("quick")
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
s.bind(("127.0.0.1", 0))
s.listen(10)
open(dir + "/port." + sys.argv[2], "w").write(str(s.getsockname()[1]) + "\n")
clock = time.monotonic
def pause(seconds):
  if not is_slow:
    return
  end = clock() + seconds
  time.sleep(seconds - 0.002)
  while clock() < end:
    pass
if is_tls:
  tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
  tls.load_cert_chain(dir + "/cert", dir + "/key")
while True:
  c, _ = s.accept()
  c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
  if is_tls:
    pause(0.040)
    c = tls.wrap_socket(c, server_side=True)
  got = c.recv(65536)
  if got.startswith(b"POST"):
    pause(0.050)
    n = int(got.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    left = n - len(got.split(b"\r\n\r\n", 1)[1])
    while left > 0:
      left -= len(c.recv(1 << 20))
  pause(0.030)
  c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
    b"Connection: close\r\n\r\nab")
  pause(0.020)
  c.sendall(b"cd")
  c.close()
