"""A headless Chromium, driven through its debugging pipe."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

# Debian calls it chromium; other systems differ.
NAMES = ["chromium", "chromium-browser", "google-chrome"]


class Browser:
    """One page. Everything that its console says is kept in `complaints`."""

    def __init__(self, width=1280, height=900, dark=False):
        program = next(filter(None, map(shutil.which, NAMES)))
        self.folder = tempfile.mkdtemp()
        to_child, self.to = os.pipe()
        self.source, from_child = os.pipe()
        os.set_inheritable(to_child, True)
        os.set_inheritable(from_child, True)
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" 3<&%d 4>&%d' % (to_child, from_child),
             "sh", program, "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--user-data-dir=" + self.folder, "--hide-scrollbars",
             "about:blank"],
            pass_fds=[to_child, from_child], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.received = b""
        self.last = 0
        self.session = None
        self.complaints = []
        self.events = []
        self.session = self.attach()
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Log.enable")
        self.resize(width, height)
        self.theme(dark)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def attach(self):
        """To the window that is there."""
        pages = []
        while not pages:
            targets = self.call("Target.getTargets")["targetInfos"]
            pages = [t["targetId"] for t in targets if t["type"] == "page"]
        return self.call("Target.attachToTarget", flatten=True,
                         targetId=pages[0])["sessionId"]

    def receive(self):
        while b"\0" not in self.received:
            piece = os.read(self.source, 1 << 20)
            if not piece:
                raise RuntimeError("the browser is gone")
            self.received += piece
        text, self.received = self.received.split(b"\0", 1)
        message = json.loads(text)
        method = message.get("method", "")
        if method == "Runtime.exceptionThrown":
            self.complaints.append(message["params"]["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(message["params"]["args"])
        elif method == "Log.entryAdded":
            self.complaints.append(message["params"]["entry"])
        return message

    def call(self, method, **parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["result"]
            if "method" in answer:
                self.events.append(answer["method"])

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)

    def theme(self, dark):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while "Page.loadEventFired" not in self.events:
            message = self.receive()
            self.events.append(message.get("method", ""))

    def run(self, script):
        """The value of an expression, promises awaited."""
        answer = self.call("Runtime.evaluate", expression=script,
                           awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def settle(self):
        """Until what was asked for is drawn."""
        self.run("new Promise(done => requestAnimationFrame(() =>"
                 " requestAnimationFrame(done)))")

    def wait_for(self, script, seconds=60):
        """Until the expression is true."""
        end = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < end, (script, self.complaints)
            time.sleep(0.05)

    def come_to_rest(self):
        """Until nothing scrolls any more."""
        before = None
        while before != (before := self.run("scrollY")):
            time.sleep(0.1)
            self.settle()

    def key(self, name, shift=False):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name,
                      modifiers=8 if shift else 0)

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def screenshot(self, path):
        """Of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                         clip=dict(x=0, y=0, width=size["width"],
                                   height=size["height"], scale=1))
        with open(path, "wb") as file:
            file.write(base64.b64decode(data["data"]))
