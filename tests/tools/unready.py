#!/usr/bin/env python3
"""unready.py in|out CMD...: run CMD with a pipe that has O_NONBLOCK and is not
ready at first. in: stdin, which has what ours has, but nothing yet; out: stdout,
which is read late. Its exit status is ours."""
import os
import subprocess
import sys

side, command = sys.argv[1], sys.argv[2:]
theirs, ours = os.pipe() if side == "in" else os.pipe()[::-1]
os.set_blocking(theirs, False)
tool = subprocess.Popen(
    command,
    stdin=theirs if side == "in" else None,
    stdout=theirs if side == "out" else None,
)
os.close(theirs)
try:
    tool.wait(timeout=0.3)
except subprocess.TimeoutExpired:
    pass  # as it should: it waits
try:
    if side == "in":
        with os.fdopen(ours, "wb") as to:
            to.write(sys.stdin.buffer.read())
    else:
        with os.fdopen(ours, "rb") as source:
            sys.stdout.buffer.write(source.read())
except BrokenPipeError:
    pass  # its exit status says more
sys.exit(tool.wait())
