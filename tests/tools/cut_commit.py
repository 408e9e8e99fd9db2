#!/usr/bin/env python3
"""cut_commit.py SOCKET ARMED: a way to PostgreSQL whose end is at SOCKET; prints
the port of its beginning. While the file ARMED exists, the next answer to a COMMIT
is not passed on: both ends are closed when it came, and the file is removed."""
import os, socket, sys, threading

at, armed = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)


def serve(client):
    server = socket.socket(socket.AF_UNIX)
    server.connect(at)
    cut = threading.Event()

    def back():
        while data := server.recv(65536):
            if cut.is_set():
                break
            client.sendall(data)
        for s in client, server:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    threading.Thread(target=back, daemon=True).start()
    try:
        while data := client.recv(65536):
            if b"COMMIT\0" in data and os.path.exists(armed):
                os.unlink(armed)
                cut.set()
            server.sendall(data)
        server.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


while True:
    threading.Thread(target=serve, args=(listener.accept()[0],),
                     daemon=True).start()
