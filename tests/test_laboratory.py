"""The laboratory in a real browser: every view opens, and what is drawn are the core's numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conftest import Server, Visit, start_server, wait_until
from playwright.sync_api import expect

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine.analyses import hidden_states
from gnnviz.engine.client import Engine
from gnnviz.models import ModelConfig
from gnnviz.runs import RunState, RunStore
from gnnviz.smoothing import METRICS

pytestmark = pytest.mark.browser

CORA = DatasetSpec(normalisation="l1")
DEPTHS = (2, 4, 8)
RUNS = {depth: RunConfig(CORA, ModelConfig("gcn", depth, 16), TrainConfig(epochs=20)) for depth in DEPTHS}
VIEWS = ("layers", "depths", "cursor", "why", "remedies", "nodes")
MEASURES = ("rayleigh_sym", "effective_rank", "mad_all")
# Points of a curve, by the beginning of its name.
POINTS = """([key, name]) => {
    const chart = document.querySelector(`[data-key="${key}"]`);
    const trace = (chart?._fullData ?? []).find((trace) => trace.name?.startsWith(name));
    return trace ? Array.from(trace.x).map((x, place) => [x, trace.y[place]]) : [];
}"""

Visits = Callable[..., Visit]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose folder holds one recipe at three depths."""
    root = tmp_path_factory.mktemp("laboratory") / "runs"
    engine = Engine.start(root)
    run_ids = [engine.submit(config) for config in RUNS.values()]
    wait_until(
        lambda: all(engine.store.status(run_id).state is RunState.DONE for run_id in run_ids),
        "every run is done",
        timeout=600,
    )
    engine.close()
    server = start_server(root)
    yield server
    server.stop()


@pytest.mark.parametrize("measure", MEASURES)
def test_layers_are_drawn_with_the_numbers_of_the_core(server: Server, visit: Visits, measure: str) -> None:
    run_id = RUNS[4].run_id
    best = RunStore(server.runs).status(run_id).best
    assert best is not None
    graph = load_spec(CORA)
    states = hidden_states(str(server.runs), run_id, best.epoch)
    expected = {layer: METRICS[measure](h, graph) for layer, h in enumerate(states, start=1)}
    here = visit(server.url)
    here.open(f"/oversmoothing?run={run_id}&measure={measure}")

    def drawn() -> dict[int, float]:
        points = here.page.evaluate(POINTS, ["layers", "best"])
        return {int(layer): value for layer, value in points if layer >= 1 and value is not None}

    wait_until(lambda: len(drawn()) == len(expected), "every layer has its point", timeout=120)
    assert drawn() == pytest.approx(expected, rel=1e-6)
    here.assert_clean()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("width", [1440, 390])
def test_every_view_opens_with_a_claim(server: Server, visit: Visits, view: str, width: int) -> None:
    here = visit(server.url, dark=width == 390, width=width)
    here.open(f"/oversmoothing?run={RUNS[8].run_id}&view={view}")
    expect(here.page.locator("h2").first).to_be_visible(timeout=60_000)
    here.settle()
    assert f"run={RUNS[8].run_id}" in here.page.url
    here.assert_clean()
