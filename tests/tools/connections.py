"""connections.py: what servers of tests have in common (a module)."""
import os
import socket
import threading


def serve_connections(port_file, serve):
    """Listen on a free port of loopback, whose number port_file gets, and run
    serve(connection, number) in a thread for each connection, for ever."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(100)
    with open(port_file + ".new", "w") as f:
        print(s.getsockname()[1], file=f)
    os.rename(port_file + ".new", port_file)
    opened = 0
    while True:
        connection, _ = s.accept()
        opened += 1
        threading.Thread(target=serve, args=(connection, opened),
                         daemon=True).start()
