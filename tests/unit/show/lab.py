"""JupyterLab with a notebook of its own, in a browser without a screen."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
_START_SECONDS = 60.0
_KERNEL_IS_IDLE = (
    "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
    " === 'idle'"
)


@dataclass(frozen=True)
class Lab:
    """A page of JupyterLab that shows one notebook.

    Attributes
    ----------
    session : str
        Address of the browser's session, as chromedriver has it.
    """

    session: str

    def run(self, script: str) -> Any:
        """The value of a script's ``return``; promises are waited for."""
        text = (
            "const done = arguments[0];"
            f"(async () => {{ {script} }})()"
            ".then(v => done({value: v}), e => done({error: String(e)}));"
        )
        found = _ask(f"{self.session}/execute/async", {"script": text, "args": []})
        assert "error" not in found, found["error"]
        return found.get("value")

    def wait(self, condition: str, seconds: float = 60.0) -> Any:
        """The first value of an expression that counts as true."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if found := self.run(f"return {condition};"):
                return found
            time.sleep(0.2)
        text = self.run("return document.body.innerText;")
        raise AssertionError(f"not within {seconds:.0f} s: {condition}\n{text}")

    def command(self, name: str, **options: Any) -> None:
        """Start one of JupyterLab's commands; what it changes is to be waited for."""
        given = json.dumps(options)
        self.run(f"void jupyterapp.commands.execute({name!r}, {given});")

    def complaints(self) -> list[str]:
        """What the page has logged as errors."""
        logged = _ask(f"{self.session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in logged if entry["level"] == "SEVERE"]

    def save_picture(self, path: Path) -> None:
        """What one would see, as PNG."""
        path.write_bytes(base64.b64decode(_ask(f"{self.session}/screenshot")))


@contextlib.contextmanager
def open_lab(directory: Path, cells: Sequence[str]) -> Iterator[Lab]:
    """JupyterLab in a directory, showing a notebook with these cells, not yet run."""
    notebook = {
        "cells": [
            {"cell_type": "code", "id": f"c{k}", "metadata": {}, "outputs": [],
             "execution_count": None, "source": text}
            for k, text in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    (directory / "page.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        port = _free_port()
        lab = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
               f"--ServerApp.port={port}", "--IdentityProvider.token=",
               f"--ServerApp.root_dir={directory}", "--LabApp.news_url=None",
               "--LabApp.expose_app_in_browser=True"]  # fmt: skip
        _start(stack, lab, directory)
        _wait_for(f"http://localhost:{port}/api")
        control = _free_port()
        _start(stack, [str(DRIVER), f"--port={control}"], directory)
        _wait_for(f"http://localhost:{control}/status")
        page = Lab(_open_browser(stack, control, directory))
        notebook_at = f"http://localhost:{port}/lab/tree/page.ipynb"
        _ask(f"{page.session}/url", {"url": notebook_at})
        page.wait(_KERNEL_IS_IDLE)
        yield page


def _start(
    stack: contextlib.ExitStack, command: Sequence[str], directory: Path
) -> None:
    """A process that ends with the stack."""
    homes = {
        f"JUPYTER_{kind}_DIR": str(directory / kind.lower())
        for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    process = subprocess.Popen(
        command,
        cwd=directory,
        env={**os.environ, **homes},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _open_browser(stack: contextlib.ExitStack, control: int, directory: Path) -> str:
    """Address of a session with a page of 1200 x 1000."""
    options = {
        "binary": BROWSER,
        "args": ["--headless", "--no-sandbox", "--disable-gpu",
                 "--window-size=1200,1000", f"--user-data-dir={directory / 'profile'}"],
    }  # fmt: skip
    wanted = {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "SEVERE"},
        "timeouts": {"script": 60_000},
    }
    root = f"http://localhost:{control}/session"
    found = _ask(root, {"capabilities": {"alwaysMatch": wanted}})
    session = f"{root}/{found['sessionId']}"
    stack.callback(_ask, session, method="DELETE")
    return session


def _ask(address: str, given: Any = None, method: str | None = None) -> Any:
    """A request to chromedriver and the value that it answers."""
    data = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(address, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{address}: {error.read().decode()[:400]}") from error


def _wait_for(address: str) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        time.sleep(0.2)
    raise AssertionError(f"nothing answers at {address}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return int(found.getsockname()[1])
