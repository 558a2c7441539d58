"""How smoothly the depth cursor moves, measured in headless Chromium by requestAnimationFrame.

`python -m benchmarks.cursor` plays 32 frames of 2708 nodes, in PCA and in t-SNE, with cosines and curves, and
prints the intervals between two frames of the screen while the picture moves. No server takes part: the
component never asks one. Times of one machine; a busy one is slower.
"""

from __future__ import annotations

import json
import shutil
import statistics

import numpy as np
from playwright.sync_api import Page, Route, sync_playwright

from gnnviz.cursor import CursorFrames, FrameSource, TsneFrame
from gnnviz.figures.cursor import CursorScene, cursor_scene
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.theme import LIGHT
from gnnviz.profiles import Measurement
from gnnviz.similarity import CosineHistogram
from pages.shared.components.cursor import CSS, HTML, SCRIPT, cursor_data

NODES, FRAMES, CLASSES, BINS = 2708, 32, 7, 40
ADDRESS = "http://cursor.test"
WANTED = 20  # frames a second
# Notes the time between two frames of the screen while the picture moves, until the film has ended.
MEASURE = """() => new Promise((resolve) => {
    const view = document.querySelector(".gnnviz-cursor").gnnvizCursor;
    const intervals = [];
    let before = performance.now();
    const look = (now) => {
        if (view.moving) intervals.push(now - before);
        before = now;
        if (view.playing) requestAnimationFrame(look);
        else resolve(intervals);
    };
    view.button.click();
    requestAnimationFrame(look);
})"""


def main() -> None:
    """Play the film in two sizes of the window and print what was measured."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        for width, height in ((1440, 900), (390, 844)):
            page = browser.new_page(viewport={"width": width, "height": height})
            show(page, made_up_scene())
            report(f"{width} x {height}", page.evaluate(MEASURE))
            page.close()
        browser.close()


def made_up_scene() -> CursorScene:
    """Return a scene of random points: what they are does not matter for how fast they are drawn."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(FRAMES, NODES, 2)).astype(np.float32)
    edges = np.linspace(-1, 1, BINS + 1)
    cosines = [
        CosineHistogram(edges, generator.integers(0, 1000, BINS), 0, NODES, NODES) for _ in range(FRAMES)
    ]
    values = tuple(Measurement(float(value)) for value in generator.uniform(0.01, 1, FRAMES))
    frames = CursorFrames(
        sources=tuple(FrameSource("0" * 16, 0, layer) for layer in range(1, FRAMES + 1)),
        places=tuple(range(1, FRAMES + 1)),
        nodes=np.arange(NODES, dtype=np.int32),
        points=points,
        explained=(0.5,) * FRAMES,
        limit=float(np.abs(points).max()),
        cosines=tuple(cosines),
        measures=dict.fromkeys(("rayleigh_sym", "mad", "effective_rank"), values),
        accuracies=(0.5,) * FRAMES,
        wrong=generator.random((FRAMES, NODES)) < 0.3,
        reasons=("",) * FRAMES,
    )
    nodes = NodeTable(generator.integers(0, CLASSES, NODES), tuple(f"class {c}" for c in range(CLASSES)))
    tsne = [TsneFrame(20 * frame) for frame in points[::-1]]
    return cursor_scene(frames, tsne, nodes, LIGHT, over="depths", model="gcn")


def show(page: Page, scene: CursorScene) -> None:
    """Draw the component on a page of its own, as the app mounts it."""
    start = f"draw({{ data: {json.dumps(cursor_data(scene, 'cursor'))}, parentElement: document.body }});"
    script = f"import draw from '/cursor.js';\n{start}"
    page_text = f"<style>{CSS}</style><body>{HTML}<script type='module' src='/start.js'></script></body>"
    files = {
        "/": ("text/html", page_text),
        "/cursor.js": ("text/javascript", SCRIPT),
        "/start.js": ("text/javascript", script),
    }

    def serve(route: Route) -> None:
        kind, body = files.get(route.request.url.removeprefix(ADDRESS), ("text/plain", ""))
        route.fulfill(content_type=f"{kind}; charset=utf-8", body=body)

    page.route(f"{ADDRESS}/**", serve)
    page.goto(f"{ADDRESS}/")
    page.wait_for_selector(".gnnviz-cursor[data-frame]")


def report(window: str, intervals: list[float]) -> None:
    """Print one row; the slowest twentieth of the intervals is the 5th percentile of the rate."""
    ordered = sorted(intervals)
    middle, slow = statistics.median(ordered), ordered[round(0.95 * (len(ordered) - 1))]
    print(
        f"{window:12} {1000 / middle:5.1f} frames a second (median), {1000 / slow:5.1f} (5th percentile); "
        f"{WANTED} wanted; intervals {middle:.1f} ms and {slow:.1f} ms, n {len(ordered)}"
    )


if __name__ == "__main__":
    main()
