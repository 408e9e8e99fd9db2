#!/usr/bin/python3
"""browse.py STEP...: do the steps in a headless Chromium, one after another.

  goto URL        load a page, wait for its load event
  wait JS         until the expression is true, at most 20 s
  eval JS         print its value as JSON, a text bare, null not at all
  keys KEY...     press keys by name: Tab Enter ArrowRight ...
  size WxH        of the window; under 500 wide as a phone
  theme dark      or light: what the system prefers
  shot FILE       a picture of the whole page
  sh COMMAND      run it by bash

Exit status 1 with a message when a step fails, or when the page wrote an
error to its console.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

import websocket

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage", "--lang=en-US",
        "--hide-scrollbars", "--remote-debugging-port=0",
        "--remote-allow-origins=*", "about:blank"]
DEADLINE = 20  # seconds


class Page:
    def __init__(self, port):
        tabs = json.load(urllib.request.urlopen(
            f"http://127.0.0.1:{port}/json"))
        tab = next(t for t in tabs if t["type"] == "page")
        self.socket = websocket.create_connection(
            tab["webSocketDebuggerUrl"], timeout=DEADLINE)
        self.n = 0
        self.errors = []
        self.is_loaded = False
        for domain in "Page", "Runtime", "Log":
            self.call(domain + ".enable")

    def note(self, message):
        method, p = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.is_loaded = True
        elif method == "Runtime.exceptionThrown":
            d = p["exceptionDetails"]
            self.errors.append(d.get("exception", {}).get(
                "description", d["text"]))
        elif method == "Log.entryAdded" and p["entry"]["level"] == "error":
            self.errors.append(p["entry"]["text"] + " " +
                               p["entry"].get("url", ""))

    def call(self, method, **params):
        self.n += 1
        self.socket.send(json.dumps({"id": self.n, "method": method,
                                     "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.n:
                if "error" in message:
                    sys.exit(f"browse: {method}: {message['error']}")
                return message["result"]
            self.note(message)

    def evaluate(self, script):
        r = self.call("Runtime.evaluate", expression=script,
                      returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            d = r["exceptionDetails"]
            sys.exit("browse: " + script + ": " + d.get("exception", {}).get(
                "description", d["text"]))
        return r["result"].get("value")

    def goto(self, url):
        self.is_loaded = False
        self.call("Page.navigate", url=url)
        end = time.monotonic() + DEADLINE
        while not self.is_loaded and time.monotonic() < end:
            self.evaluate("0")
            time.sleep(0.02)

    def wait(self, script):
        end = time.monotonic() + DEADLINE
        while not self.evaluate("Boolean(" + script + ")"):
            if time.monotonic() > end:
                sys.exit(f"browse: gave up waiting for: {script}\n" +
                         str(self.evaluate("document.body.innerText"))[:2000])
            time.sleep(0.05)

    def keys(self, names):
        for key in names.split():
            text = {"Enter": "\r", "Space": " "}.get(key, "")
            p = {"key": " " if key == "Space" else key, "code": key, "text": text,
                 "windowsVirtualKeyCode": {"Tab": 9, "Enter": 13, "Space": 32,
                                           "ArrowRight": 39,
                                           "ArrowLeft": 37}.get(key, 0)}
            self.call("Input.dispatchKeyEvent",
                      type="keyDown" if text else "rawKeyDown", **p)
            self.call("Input.dispatchKeyEvent", type="keyUp", **p)

    def size(self, text):
        width, height = map(int, text.split("x"))
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=width < 500)

    def theme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": name}])

    def shot(self, path):
        time.sleep(0.4)  # for what is drawn in frames
        r = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(r["data"]))

    def do(self, step):
        verb, _, rest = step.partition(" ")
        if verb == "eval":
            value = self.evaluate(rest)
            if value is not None:
                print(value if isinstance(value, str) else json.dumps(value))
        elif verb == "sh":
            subprocess.run(["bash", "-ec", rest], check=True)
        else:
            getattr(self, verb)(rest)


def main():
    browser = os.environ.get("BROWSER", "chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        chromium = subprocess.Popen(
            [browser, "--user-data-dir=" + folder, *ARGS],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port_file = folder + "/DevToolsActivePort"
            end = time.monotonic() + DEADLINE
            while not os.path.exists(port_file) or \
                    not os.path.getsize(port_file):
                if time.monotonic() > end or chromium.poll() is not None:
                    sys.exit("browse: the browser does not start")
                time.sleep(0.05)
            with open(port_file, encoding="ascii") as f:
                page = Page(int(f.readline()))
            for step in sys.argv[1:]:
                page.do(step)
            page.evaluate("0")
            if page.errors:
                sys.exit("browse: the page says: " + "\n".join(page.errors))
        finally:
            chromium.terminate()
            chromium.wait()


main()
