"""One run through the whole tour: every page, for every kind of model, on two graphs, shallow and deep."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from conftest import Server, Visit, start_server, wait_until
from playwright.sync_api import expect

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.engine.client import Engine
from gnnviz.models import ModelConfig
from gnnviz.runs import RunState

pytestmark = pytest.mark.browser

GRAPHS = {"cora": DatasetSpec(normalisation="l1"), "karate": DatasetSpec("karate", "leaders")}
MODELS = ("gcn", "sage", "gat")
DEPTHS = (1, 2, 16)
TOUR = ("Graph", "Training", "Embeddings", "Over-smoothing", "Attention", "Neighbourhoods", "Runs")
CASES = list(itertools.product(GRAPHS, MODELS, DEPTHS))


def config(graph: str, model: str, depth: int) -> RunConfig:
    heads = 4 if model == "gat" else 1
    return RunConfig(GRAPHS[graph], ModelConfig(model, depth, 16, heads=heads), TrainConfig(epochs=3))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose folder holds a trained run of every case."""
    root = tmp_path_factory.mktemp("tour") / "runs"
    engine = Engine.start(root)
    run_ids = [engine.submit(config(*case)) for case in CASES]
    wait_until(
        lambda: all(engine.store.status(run_id).state is RunState.DONE for run_id in run_ids),
        "every run is done",
        timeout=600,
    )
    engine.close()
    server = start_server(root)
    yield server
    server.stop()


@pytest.mark.parametrize(("graph", "model", "depth"), CASES)
def test_every_page_shows_the_run_that_was_chosen(
    server: Server, visit: Callable[[str], Visit], graph: str, model: str, depth: int
) -> None:
    run_id = config(graph, model, depth).run_id
    here = visit(server.url)
    here.open(f"/training?run={run_id}&node=3")
    expect(here.page.locator("h2").first).to_contain_text("with", timeout=60_000)
    for title in TOUR:
        here.page.get_by_role("link", name=title, exact=True).click()
        here.page.wait_for_url(f"**/{title.lower()}*" if title != "Over-smoothing" else "**/oversmoothing*")
        here.settle()
        expect(here.page.locator("h2").first).to_be_visible(timeout=60_000)
        if title != "Attention" or model == "gat":
            here.page.wait_for_url(f"**run={run_id}*")
    here.assert_clean()
