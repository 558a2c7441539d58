"""A real server and a real browser for the tests that are marked `browser`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--no-first-run"]


@dataclass
class Server:
    """A running `streamlit run app.py` with a run folder of its own."""

    process: subprocess.Popen[bytes]
    url: str
    runs: Path
    log: Path

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        self.process.wait(timeout=30)


@dataclass
class Visit:
    """A browser page that takes note of what must never happen."""

    page: Page
    origin: str
    console_errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.origin}{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run once to its end."""
        self.page.wait_for_selector(
            '[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000
        )

    def assert_clean(self) -> None:
        assert self.page.locator('[data-testid="stException"]').count() == 0, self.page.inner_text("body")
        assert self.console_errors == []
        assert self.foreign_requests == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_server(runs: Path, **environment: str) -> Server:
    """Start the app as a user does, and wait until it answers."""
    port = free_port()
    log = runs.parent / f"server-{port}.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "GNNVIZ_RUNS": str(runs), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, f"http://127.0.0.1:{port}", runs, log)
    wait_until(lambda: _answers(f"{server.url}/_stcore/health"), "the server answers")
    return server


def wait_until(condition: Callable[[], object], what: str, timeout: float = 60.0) -> None:
    """Wait for a condition, generously: a slow machine is no failure."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s in vain until {what}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed, and with CI set a missing browser is a failure")
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[str], Visit]]:
    """Open visits to a server; each has a context, and so a session, of its own."""
    contexts = []

    def begin(origin: str, *, dark: bool = False, width: int = 1440, height: int = 900) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        visit = Visit(context.new_page(), origin)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                visit.console_errors.append(message.text)

        def on_request(request: Request) -> None:
            if not request.url.startswith((origin, origin.replace("http", "ws"), "data:", "blob:")):
                visit.foreign_requests.append(request.url)

        visit.page.on("console", on_console)
        visit.page.on("pageerror", lambda error: visit.console_errors.append(str(error)))
        visit.page.on("request", on_request)
        return visit

    yield begin
    for context in contexts:
        context.close()
