"""The depth cursor in a real browser: it moves without its server, and says what METRICS say."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from conftest import Server, Visit, start_server, wait_until
from engine_probe import small_run, undisturbed
from playwright.sync_api import Locator, expect

from gnnviz.config import RunConfig
from gnnviz.cursor import cursor_measures
from gnnviz.datasets import load_spec
from gnnviz.engine.analyses import hidden_states
from gnnviz.engine.summaries import best_epoch
from gnnviz.figures.layout import percent, significant
from gnnviz.models import ModelConfig
from gnnviz.runs import RunStore
from gnnviz.smoothing import METRICS

pytestmark = pytest.mark.browser

DEPTHS = (2, 3, 5)
CURVES = """(root) => root.gnnvizCursor.scene.curves.map((curve) => curve.values)"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, tuple[RunConfig, ...]]]:
    root = tmp_path_factory.mktemp("cursor") / "runs"
    configs = tuple(replace(small_run(20), model=ModelConfig("gcn", depth, 8)) for depth in DEPTHS)
    threads = torch.get_num_threads()
    for config in configs:
        undisturbed(root, config)
    torch.set_num_threads(threads)
    server = start_server(root)
    yield server, configs
    server.stop()


def cursor_of(here: Visit, run_id: str, over: str) -> Locator:
    here.open(f"/oversmoothing?run={run_id}&view=cursor&over={over}")
    root = here.page.locator(f'[data-key="cursor-{over}"]')
    expect(root).to_have_attribute("data-frame", "0", timeout=60_000)
    return root


def expected(server: Server, config: RunConfig, layer: int) -> list[float]:
    """Return METRICS on the run's hidden state."""
    epoch = best_epoch(RunStore(server.runs), config.run_id)
    state = hidden_states(str(server.runs), config.run_id, epoch)[layer - 1]
    graph = load_spec(config.dataset)
    return [METRICS[name](state, graph) for name in cursor_measures(config.model)]


def stamp(root: Locator) -> list[str]:
    return root.locator(".stamp dd").all_inner_texts()


def test_arrow_keys_move_the_cursor_while_the_server_stands_still(
    trained: tuple[Server, tuple[RunConfig, ...]], visit: Callable[..., Visit]
) -> None:
    server, configs = trained
    here = visit(server.url)
    root = cursor_of(here, configs[0].run_id, "depths")
    slider = root.get_by_role("slider", name="Depth")
    best = [RunStore(server.runs).status(config.run_id).best for config in configs]
    server.process.send_signal(signal.SIGSTOP)
    try:
        for frame, config in enumerate(configs):
            if frame:
                slider.press("ArrowRight")
            expect(root).to_have_attribute("data-frame", str(frame))
            record = best[frame]
            assert record is not None
            measures = expected(server, config, config.model.num_layers - 1)
            assert stamp(root)[:4] == [percent(record.test_acc), *map(significant, measures)]
            assert slider.get_attribute("aria-valuetext", timeout=1000).startswith(f"{DEPTHS[frame]} layers")
        slider.press("Home")
        root.get_by_role("button", name="Play").click()
        expect(root).to_have_attribute("data-frame", "2", timeout=20_000)
    finally:
        server.process.send_signal(signal.SIGCONT)
    here.assert_clean()


@pytest.mark.parametrize(("dark", "width"), [(False, 1440), (True, 390)])
def test_values_of_every_layer_are_those_of_metrics(
    trained: tuple[Server, tuple[RunConfig, ...]], visit: Callable[..., Visit], dark: bool, width: int
) -> None:
    server, configs = trained
    here = visit(server.url, dark=dark, width=width)
    root = cursor_of(here, configs[2].run_id, "layers")
    drawn = root.evaluate(CURVES)
    for layer in range(1, 6):
        assert [values[layer - 1] for values in drawn] == pytest.approx(
            expected(server, configs[2], layer), rel=1e-6
        )
    wait_until(
        lambda: root.evaluate("(root) => root.gnnvizCursor.scene.clouds[1].present.every(Boolean)"),
        "every layer has its t-SNE",
        timeout=120,
    )
    here.settle()
    overflow = here.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    here.assert_clean()
