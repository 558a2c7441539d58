"""How quick the app is for the one who uses it, measured in a real browser against a real server.

`python -m benchmarks.app [--memory]` prints medians and 95th percentiles: from `streamlit run` to the first
usable page, the opening sweep, from a click on Train to the first epoch on the screen, and from a click to
the redrawn picture while two runs train; with --memory also what 500 reruns leave behind. Times of one
machine; a busy one is slower.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.reruns import BrowserReruns, plain_reruns
from gnnviz.runs import RunState, RunStore
from gnnviz.sweeps import OPENING_DEPTHS

ROOT = Path(__file__).resolve().parents[1]
STARTS = 3
CLICKS = 15
LAYER_CLICKS = 20
CLICKS_ON_A_CHOICE = 60
A_LOOK = 1000  # milliseconds that a person looks at a picture before the next click
# Looks at every frame; a locator that waits looks twice a second only.
HEADLINE_SAYS = """(text) => new Promise((resolve) => {
    const look = () => document.querySelector("h2")?.innerText.includes(text)
        ? resolve(true) : requestAnimationFrame(look);
    look();
})"""
# A click and the seconds until the address, which a page writes last, says so. The clock is the browser's:
# what the driver takes to click has no part in it.
CLICK = """(button, [parameter, value]) => new Promise((resolve) => {
    const begun = performance.now();
    const says = () => new URLSearchParams(location.search).get(parameter) === value;
    const look = () => says() ? resolve((performance.now() - begun) / 1000) : requestAnimationFrame(look);
    button.click();
    look();
})"""
SWEEP = "models=gcn,sage,gat&depths=1,2,4,8,16,32,64&seeds=3"
RERUNS = 500


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        runs = Path(folder) / "runs"
        with server(runs) as (url, pid):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            report("opening sweep, from the first visit", [opening_sweep(page, url, runs)])
            report("click on Train to the first epoch drawn", first_epochs(page, url))
            report("click to redrawn picture, two runs training", redraws(page, url, runs))
            report_clicks("two runs training", reruns(page))
            report_clicks("63 runs training", sweeping(page, url, runs))
            page.goto("about:blank")
            queries = tuple(f"view=depths&{SWEEP}&published={switch}" for switch in ("on", "off"))
            times = plain_reruns(url, "oversmoothing", queries, CLICKS_ON_A_CHOICE, A_LOOK / 1000)
            report("rerun without a browser, 63 runs training", times)
            if "--memory" in sys.argv:
                print_memory(page, url, pid)
            page.close()
        starts = []
        for _ in range(STARTS):
            begun = time.perf_counter()
            with server(runs) as (url, _pid):
                page = browser.new_page()
                page.goto(url)
                page.locator("h2").first.wait_for(timeout=60_000)
                starts.append(time.perf_counter() - begun)
                page.close()
        report("streamlit run to the first usable page", starts)
        browser.close()


def opening_sweep(page: Page, url: str, runs: Path) -> float:
    """Return the seconds from the first visit until all of its networks are trained."""
    store = RunStore(runs)
    begun = time.perf_counter()
    page.goto(url)
    wait(lambda: count(store, RunState.DONE) == len(OPENING_DEPTHS), 900)
    return time.perf_counter() - begun


def first_epochs(page: Page, url: str) -> list[float]:
    """Return, for several new runs, the seconds from the click to the first point of its curve."""
    times = []
    for epochs in range(30, 30 + CLICKS):
        page.goto(f"{url}/training?epochs={epochs}&seed={epochs}")
        train = page.get_by_role("button", name="Train").first
        train.wait_for(timeout=60_000)
        page.wait_for_timeout(1000)
        begun = time.perf_counter()
        train.click()
        wait(lambda epochs=epochs: draws_run_of(page, epochs), 60)
        times.append(time.perf_counter() - begun)
    return times


def redraws(page: Page, url: str, runs: Path) -> list[float]:
    """Return the seconds from moving the layer slider to the new headline, while two runs train."""
    store = RunStore(runs)
    deepest = max(
        (run_id for run_id in store.run_ids() if store.status(run_id).state is RunState.DONE),
        key=lambda run_id: store.config(run_id).model.num_layers,
    )
    for seed in (1, 2):
        page.goto(f"{url}/training?epochs=10000&depth=8&seed={seed}")
        page.get_by_role("button", name="Train").first.click()
        page.wait_for_timeout(2000)
    page.goto(f"{url}/embeddings?run={deepest}&layer=1")
    headline = page.locator("h2").first
    headline.get_by_text("hidden layer 1,").wait_for(timeout=60_000)
    slider = page.get_by_role("slider").first
    slider.press("ArrowRight")  # the first answer also waits for the worker to warm up
    headline.get_by_text("hidden layer 2,").wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    times = []
    for layer in range(3, LAYER_CLICKS + 3):
        begun = time.perf_counter()
        slider.press("ArrowRight")
        page.evaluate(HEADLINE_SAYS, f"hidden layer {layer},")
        times.append(time.perf_counter() - begun)
        page.wait_for_timeout(A_LOOK)
    return times


def reruns(page: Page) -> tuple[list[float], list[float]]:
    """Return the seconds of clicks that change no data, while two runs train: see `clicks`."""
    return clicks(page, "colour", {"right or wrong": "right_wrong", "true class": None})


def sweeping(page: Page, url: str, runs: Path) -> tuple[list[float], list[float]]:
    """Return the seconds of clicks that change no data while 3 models x 7 depths x 3 seeds are trained."""
    store = RunStore(runs)
    before = len(store.run_ids())
    page.goto(f"{url}/oversmoothing?view=depths&{SWEEP}")
    queue = page.get_by_role("button", name="Queue sweep")
    queue.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    if queue.is_disabled():
        page.get_by_text("Really:").click()
    queue.click()
    wait(lambda: len(store.run_ids()) > before + 50, 60)  # a few of the 63 may have been trained before
    page.wait_for_timeout(5000)
    return clicks(page, "published", {"on": "on", "off": None})


def clicks(page: Page, parameter: str, wanted: dict[str, str | None]) -> tuple[list[float], list[float]]:
    """Return what clicks on two choices in turn take: the server's rerun, and until the address says so.

    Args:
        page: shows the choices as buttons.
        parameter: of the address.
        wanted: what the address says of each choice; None where it leaves the default out.
    """
    reruns, whole = BrowserReruns(page), []
    for number in range(CLICKS_ON_A_CHOICE):
        name, value = list(wanted.items())[number % len(wanted)]
        choice = page.get_by_role("radio", name=name, exact=True).first
        whole.append(choice.evaluate(CLICK, [parameter, value]))
        page.wait_for_timeout(A_LOOK)
    return reruns.seconds(), whole


def print_memory(page: Page, url: str, pid: int) -> None:
    """Print the memory of the app and of its largest worker, before and after many reruns of a page."""
    app = psutil.Process(pid)
    page.goto(f"{url}/embeddings")
    page.get_by_role("slider").first.wait_for(timeout=60_000)
    page.wait_for_timeout(5000)
    before = app.memory_info().rss
    slider = page.get_by_role("slider").first
    for press in range(RERUNS):
        slider.press("ArrowLeft" if press % 2 else "ArrowRight")
        page.wait_for_timeout(150)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    after = app.memory_info().rss
    workers = [process.memory_info().rss for process in app.children(recursive=True)]
    print(
        f"memory of the app {before / 1e6:.0f} MB, after {RERUNS} reruns {after / 1e6:.0f} MB; "
        f"its largest worker {max(workers) / 1e6:.0f} MB"
    )


@contextmanager
def server(runs: Path) -> Iterator[tuple[str, int]]:
    """Run the app until the block ends; yield its address and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.headless", "true", "--server.fileWatcherType", "none"],
        cwd=ROOT,
        env={**os.environ, "GNNVIZ_RUNS": str(runs)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait(lambda: answers(f"{url}/_stcore/health"), 60)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    """Return whether the server is there."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except OSError:
        return False


def count(store: RunStore, state: RunState) -> int:
    """Return how many runs are in a state."""
    return sum(store.status(run_id).state is state for run_id in store.run_ids())


def draws_run_of(page: Page, epochs: int) -> bool:
    """Return whether the curves are those of a run of so many epochs, and have a point."""
    script = """(epochs) => {
        const chart = document.querySelector('[data-key="curves"]');
        const points = (chart?._fullData ?? []).some((trace) => (trace.x ?? []).length > 0);
        return points && chart.layout.xaxis.range[1] === epochs;
    }"""
    return bool(page.evaluate(script, epochs))


def wait(condition: Callable[[], object], seconds: float) -> None:
    """Look every 20 ms until the condition holds."""
    deadline = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.02)


def report_clicks(load: str, times: tuple[list[float], list[float]]) -> None:
    """Print the two rows of clicks that change no data."""
    for what, seconds in zip(("rerun in a browser", "click to its end"), times, strict=True):
        report(f"{what}, {load}", seconds)


def report(what: str, seconds: list[float]) -> None:
    """Print one row."""
    late = float(np.quantile(seconds, 0.95))
    print(f"{what:45} median {statistics.median(seconds):6.2f} s   p95 {late:6.2f} s   n {len(seconds)}")


if __name__ == "__main__":
    main()
