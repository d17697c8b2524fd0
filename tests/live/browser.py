# SPDX-License-Identifier: Apache-2.0
"""A headless browser, driven by what chromedriver understands (W3C WebDriver)."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from conftest import end_tree

DRIVER = shutil.which("chromedriver")
BROWSER = shutil.which("chromium")
MISSING = None if DRIVER and BROWSER else "needs chromium and chromedriver"

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--window-size=1300,800"]


class Browser:
    """One session."""

    def __init__(self, port, profile):
        self.root = f"http://127.0.0.1:{port}/session"
        options = {"binary": BROWSER, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options}}
        self.session = self._ask("POST", "", {"capabilities": capabilities})["sessionId"]

    def _ask(self, method, path, value=None):
        request = urllib.request.Request(self.root + path, method=method,
                                         data=json.dumps(value).encode() if value is not None
                                         else None)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def _tell(self, path, value):
        return self._ask("POST", f"/{self.session}{path}", value)

    def open(self, path):
        self._tell("/url", {"url": pathlib.Path(path).resolve().as_uri()})

    def run(self, script, *arguments):
        return self._tell("/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        """The element, as run() and click() take it."""
        return self._tell("/element", {"using": "css selector", "value": selector})

    def click(self, element):
        self._tell(f"/element/{next(iter(element.values()))}/click", {})

    def press(self, text):
        """Keys, to what has the focus."""
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._tell("/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def end(self):
        self._ask("DELETE", f"/{self.session}")


@contextlib.contextmanager
def browser():
    driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        with tempfile.TemporaryDirectory() as profile:
            for line in driver.stdout:
                if "started successfully on port" in line:
                    break
            port = int(line.rstrip(".\n").rpartition(" ")[2])
            session = Browser(port, profile)
            try:
                yield session
            finally:
                session.end()
    finally:
        end_tree(driver)
