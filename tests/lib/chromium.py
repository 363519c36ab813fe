"""Headless Chromium over its own pipe (DevTools protocol), without a driver of others."""
import base64
import json
import os
import shutil
import subprocess
import tempfile


class Chromium:
    """One browser with one page. Use with `with`."""

    def __init__(self, timeout=60):
        self.home = tempfile.mkdtemp(prefix="mm-chromium-")
        to_read, self.to = os.pipe()
        self.frm, to_write = os.pipe()
        self.proc = subprocess.Popen(
            [shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--hide-scrollbars",
             "--disable-background-networking", "--force-color-profile=srgb",
             f"--user-data-dir={self.home}/profile", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=lambda: self._place(to_read, to_write), close_fds=False,
            env=dict(os.environ, HOME=self.home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self.buf, self.n, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    @staticmethod
    def _place(to_read, to_write):
        """The browser reads descriptor 3 and writes descriptor 4."""
        a, b = os.dup(to_read), os.dup(to_write)
        a = os.dup(a) if a in (3, 4) else a
        b = os.dup(b) if b in (3, 4) else b
        os.dup2(a, 3)
        os.dup2(b, 4)
        os.closerange(5, 256)

    def _message(self):
        while b"\0" not in self.buf:
            more = os.read(self.frm, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self.buf += more
        one, self.buf = self.buf.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        self.n += 1
        msg = {"id": self.n, "method": method, "params": params}
        if self.session:
            msg["sessionId"] = self.session
        data = json.dumps(msg).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            got = self._message()
            if got.get("id") == self.n:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']}")
                return got["result"]
            self.events.append(got)

    def look(self, path, width=1280, height=900, dark=False, scale=1, media="screen"):
        """Open a file in a window of this width, in light or dark, or as it is printed."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._message())

    def run(self, expression):
        """The value of an expression in the page; a promise is waited for."""
        r = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in r:
            raise RuntimeError(str(r["exceptionDetails"])[:2000])
        return r["result"].get("value")

    def picture(self, path, **clip):
        r = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                      **({"clip": dict(clip, scale=1)} if clip else {}))
        with open(path, "wb") as f:
            f.write(base64.b64decode(r["data"]))

    def pdf(self, path):
        r = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(r["data"]))

    def close(self):
        self.proc.terminate()
        try:
            self.proc.wait(20)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        os.close(self.to)
        os.close(self.frm)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
