#!/usr/bin/env python3
"""receiver FOLDER STATUS...: a webhook's receiver. Prints its URL. It answers
with these statuses in turn, then 204, and keeps each request in FOLDER: N.body
and N.head. The run REFUSED of the environment gets 500 each time."""
import http.server
import json
import os
import sys

folder = sys.argv[1]
statuses = [int(s) for s in sys.argv[2:]]
taken = 0


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global taken
        body = self.rfile.read(int(self.headers["Content-Length"]))
        taken += 1
        with open(os.path.join(folder, f"{taken}.body"), "wb") as f:
            f.write(body)
        with open(os.path.join(folder, f"{taken}.new"), "w") as f:
            f.write(f"{self.path}\n{self.headers}")
        status = statuses[taken - 1] if taken <= len(statuses) else 204
        if str(json.loads(body)["run"]) == os.environ.get("REFUSED"):
            status = 500
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        os.rename(os.path.join(folder, f"{taken}.new"),
                  os.path.join(folder, f"{taken}.head"))

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 0))),
                                         Receiver)
print(f"http://127.0.0.1:{server.server_port}/hook?x=1", flush=True)
server.serve_forever()
