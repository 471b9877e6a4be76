# SPDX-License-Identifier: BSD-2-Clause
"""A browser through chromedriver, and a proxy that counts what the browser asks a network for."""

import base64
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, 12.1
KEYS = {"Up": "\ue013", "Down": "\ue015", "Left": "\ue012", "Right": "\ue014", "Enter": "\ue007", "Escape": "\ue00c",
        "Home": "\ue011", "Backspace": "\ue003", "Tab": "\ue004", "Delete": "\ue017"}


class CountingProxy:
    """Takes connections, remembers their first line, answers nothing. What Chromium asks for by itself is left out."""

    OWN = re.compile(r"(start\.duckduckgo|clients2\.google|update\.googleapis|accounts\.google|www\.google|optimizationguide-pa\.googleapis|"
                     r"content-autofill\.googleapis|android\.clients\.google|mtalk\.google|edgedl\.me\.gvt1|safebrowsing\.googleapis|"
                     r"redirector\.gvt1|clientservices\.googleapis|passwordsleakcheck-pa\.googleapis)\.com[:/ ]")

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            connection.settimeout(2)
            try:
                asked = connection.recv(4096).split(b"\r\n")[0].decode("latin-1")
            except OSError:
                asked = ""  # opened ahead, and not used
            if asked and not self.OWN.search(asked):
                self.asked.append(asked)
            connection.close()


class Browser:
    def __init__(self, work, proxy):
        self.port = self.free_port()
        self.process = subprocess.Popen(["chromedriver", f"--port={self.port}", f"--log-path={work}/chromedriver.log"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{self.port}"
        self.session = ""
        self.wait_until_it_answers()
        arguments = ["--headless=new", "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--window-size=1400,1000", f"--user-data-dir={work}/profile",
                     f"--proxy-server=127.0.0.1:{proxy.port}", "--proxy-bypass-list=<-loopback>"]
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"args": arguments}}}})
        self.session = "/session/" + made["sessionId"]

    @staticmethod
    def free_port():
        with socket.create_server(("127.0.0.1", 0)) as server:
            return server.getsockname()[1]

    def wait_until_it_answers(self):
        for _ in range(200):
            try:
                if self.ask("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("chromedriver does not answer")

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + self.session + path, data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(path + ": " + json.load(error)["value"]["message"]) from None

    def close(self):
        try:
            self.ask("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(20)

    def open(self, path):
        self.ask("POST", "/url", {"url": "file://" + os.path.abspath(path)})

    def run(self, script, *arguments):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, css):
        return self.ask("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self.ask("POST", f"/element/{self.find(css)}/click", {})

    def text(self, css):
        return self.run("return document.querySelector(arguments[0]).textContent", css)

    def keys(self, *keys):
        """To what has the focus; KEYS by name, else characters."""
        actions = []
        for key in keys:
            for one in [KEYS[key]] if key in KEYS else key:
                actions += [{"type": "keyDown", "value": one}, {"type": "keyUp", "value": one}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def log(self):
        return [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})]

    def requested(self):
        """Addresses that pages of files have asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.ask("POST", "/se/log", {"type": "performance"})]
        return [event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent" and event["params"]["documentURL"].startswith("file:")]

    def cpu_ms(self):
        """That the page's thread has used."""
        metrics = self.ask("POST", "/goog/cdp/execute", {"cmd": "Performance.getMetrics", "params": {}})["metrics"]
        return round(1000 * next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime"))

    def window(self, width, height):
        self.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}})

    def prefer(self, scheme):
        self.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]}})

    def screenshot(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.ask("GET", "/screenshot")))

    def print_page(self, path):
        pdf = base64.b64decode(self.ask("POST", "/print", {"background": True, "orientation": "landscape"}))
        with open(path, "wb") as out:
            out.write(pdf)
        return pdf
