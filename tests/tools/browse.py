#!/usr/bin/python3
"""browse.py STEP...: do the steps in a headless Chromium, one after another.
browse.py --serve FOLDER: start one that many browse.py use, one after another,
as long as this process lives; they have BROWSE_IN=FOLDER. Each finds it as if
it were new.

  goto URL        load a page, wait for its load event, and until it is calm:
                  all that it asked for has come, but events
  back            to the page before, by the history
  wait JS         until the expression is true, at most ten minutes; and until
                  the page is calm
  eval JS         print its value as JSON, a text bare, null not at all
  keys KEY...     press keys by name: Tab Enter ArrowRight Shift+Tab ...
  size WxH        of the window; under 500 wide as a phone
  zone NAME       the time zone, as Asia/Tokyo
  theme dark      or light: what the system prefers
  shot FILE       a picture of the whole page
  pdf FILE        what a printer would get
  at CHART F [F]  remember the place at a share of a chart's width (0 left, 1
                  right), or two of them; @ in the next steps is that
  mouse X Y       move the mouse there, from the window's left and top
  touch X Y       a finger taps there
  drag X Y X Y    the mouse is drawn from there to there
  media print     or screen: what the page is shown on
  axe             print what axe finds, a line each; needs AXE=axe.min.js
  sh COMMAND      run it by bash

Exit status 1 with a message when a step fails, or when the page wrote an
error to its console.
"""
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import websocket

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage", "--lang=en-US",
        "--hide-scrollbars", "--force-prefers-reduced-motion", "--remote-debugging-port=0",
        "--remote-allow-origins=*", "about:blank"]
DEADLINE = 600  # seconds, for a machine that is busy


class Page:
    def __init__(self, address):
        self.socket = websocket.create_connection(address, timeout=DEADLINE)
        self.n = 0
        self.errors = []
        self.asked = {}         # no answer has come: (document, URL) by request
        self.document = None    # its loader
        self.is_loaded = False
        self.place = ""

    def begin(self):
        for domain in "Page", "Runtime", "Log", "Network":
            self.call(domain + ".enable")

    def note(self, message):
        method, p = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.is_loaded = True
        elif method == "Network.requestWillBeSent":
            if p.get("type") != "EventSource":
                self.asked[p["requestId"]] = p["loaderId"], p["request"]["url"]
        elif method in ("Network.loadingFinished", "Network.loadingFailed"):
            self.asked.pop(p["requestId"], None)
        elif method == "Page.frameNavigated" and "parentId" not in p["frame"]:
            self.document = p["frame"]["loaderId"]
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
        while not self.is_loaded:
            if time.monotonic() > end:
                sys.exit(f"browse: gave up waiting for {url}")
            self.evaluate("0")
            time.sleep(0.02)
        self.calm()

    def calm(self):
        """Wait until nothing is asked for any more, and what came is drawn. What
        came may ask for more, so two looks in a row count. What a page asked
        for that is left gets no answer."""
        end = time.monotonic() + DEADLINE
        looks = 0
        while looks < 2 and time.monotonic() < end:
            self.evaluate("new Promise(done => requestAnimationFrame(() =>"
                          " setTimeout(done, 0)))")
            asked = [url for document, url in self.asked.values()
                     if document == self.document]
            looks = 0 if asked else looks + 1
        if looks < 2:
            sys.exit(f"browse: still asking for: {asked}")

    def wait(self, script):
        end = time.monotonic() + DEADLINE
        while not self.evaluate("Boolean(" + script + ")"):
            if time.monotonic() > end:
                sys.exit(f"browse: gave up waiting for: {script}\n" +
                         str(self.evaluate("document.body.innerText"))[:2000])
            time.sleep(0.05)
        self.calm()

    def keys(self, names):
        for name in names.split():
            shift, _, key = name.rpartition("+")
            text = {"Enter": "\r", "Space": " "}.get(key, "")
            p = {"modifiers": 8 if shift else 0,
                 "key": " " if key == "Space" else key, "code": key, "text": text,
                 "windowsVirtualKeyCode": {"Tab": 9, "Enter": 13, "Space": 32,
                                           "Escape": 27,
                                           "ArrowRight": 39,
                                           "ArrowLeft": 37}.get(key, 0)}
            self.call("Input.dispatchKeyEvent",
                      type="keyDown" if text else "rawKeyDown", **p)
            self.call("Input.dispatchKeyEvent", type="keyUp", **p)

    def back(self, _):
        self.evaluate("history.back()")

    def mouse(self, text):
        x, y = map(float, text.split())
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def at(self, text):
        chart, *shares = text.split()
        self.place = self.evaluate(
            "(() => { const a = " + chart + ".area; a.scrollIntoView({ block:"
            " 'center' }); const r = a.getBoundingClientRect(), g = " + chart +
            ".graph.getArea(); return [" + ",".join(shares) + "].map(f =>"
            " `${r.left + g.x + g.w * f} ${r.top + g.h / 2}`).join(' '); })()")

    def drag(self, text):
        x, y, *to = map(float, text.split())
        for kind, x, y in (("mousePressed", x, y), ("mouseMoved", *to),
                           ("mouseReleased", *to)):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                      button="left", buttons=int(kind != "mouseReleased"),
                      clickCount=1)

    def touch(self, text):
        x, y = map(float, text.split())
        self.call("Input.dispatchTouchEvent", type="touchStart",
                  touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def media(self, name):
        self.call("Emulation.setEmulatedMedia", media=name)

    def pdf(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.printToPDF")["data"]))

    def axe(self, _):
        with open(os.environ["AXE"], encoding="utf-8") as f:
            self.evaluate(f.read() + "; 0")
        print(self.evaluate("""axe.run({ resultTypes: ["violations"] })
            .then(r => r.violations.flatMap(v =>
            v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " +
            n.failureSummary.replaceAll("\\n", " "))).join("\\n"))"""))

    def size(self, text):
        width, height = map(int, text.split("x"))
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=width < 500)

    def zone(self, name):
        self.call("Emulation.setTimezoneOverride", timezoneId=name)

    def theme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": name}])

    def shot(self, path):
        time.sleep(0.4)  # for what is drawn in frames
        r = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                      optimizeForSpeed=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(r["data"]))

    def do(self, step):
        verb, _, rest = step.partition(" ")
        rest = self.place if rest == "@" else rest
        if verb == "eval":
            value = self.evaluate(rest)
            if value is not None:
                print(value if isinstance(value, str) else json.dumps(value))
        elif verb == "sh":
            subprocess.run(["bash", "-ec", rest], check=True)
        else:
            getattr(self, verb)(rest)


def wait_for_port(folder, chromium):
    """The address of the browser that has its profile in the folder."""
    path = folder + "/DevToolsActivePort"
    end = time.monotonic() + DEADLINE
    while not os.path.exists(path) or not os.path.getsize(path):
        if time.monotonic() > end or (chromium and
                                      chromium.poll() is not None):
            sys.exit("browse: the browser does not start")
        time.sleep(0.05)
    with open(path, encoding="ascii") as f:
        port, at = f.read().split()
    return f"ws://127.0.0.1:{port}", at


def do_steps(folder, chromium, steps):
    """In the one tab of the browser, of which nothing is left: a context or a
    tab for each takes five times the time."""
    host, at = wait_for_port(folder, chromium)
    browser = Page(host + at)
    tabs = browser.call("Target.getTargets")["targetInfos"]
    tab = [t["targetId"] for t in tabs if t["type"] == "page"][0]
    page = Page(host + "/devtools/page/" + tab)
    page.begin()
    page.goto("about:blank")
    page.call("Network.clearBrowserCookies")
    page.call("Storage.clearDataForOrigin", origin="*", storageTypes="all")
    page.call("Page.resetNavigationHistory")
    page.call("Emulation.setEmulatedMedia", features=[])
    page.zone("")
    page.errors.clear()
    for step in steps:
        page.do(step)
    page.evaluate("0")
    if page.errors:
        sys.exit("browse: the page says: " + "\n".join(page.errors))


def start(folder):
    browser = os.environ.get("BROWSER", "chromium")
    return subprocess.Popen([browser, "--user-data-dir=" + folder, *ARGS],
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def serve(folder):
    chromium = start(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        chromium.wait()
    finally:
        chromium.terminate()
        chromium.wait()


def main():
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    elif "BROWSE_IN" in os.environ:
        do_steps(os.environ["BROWSE_IN"], None, sys.argv[1:])
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            chromium = start(folder)
            try:
                do_steps(folder, chromium, sys.argv[1:])
            finally:
                chromium.terminate()
                chromium.wait()


main()
