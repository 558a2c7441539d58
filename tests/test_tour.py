"""One run through the whole tour: every page, for every kind of model, on two graphs, shallow and deep."""

from __future__ import annotations

import itertools
import re
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
CASES = list(itertools.product(GRAPHS, MODELS, DEPTHS))
NODE = 3
# The sidebar's links in their order; the pages of one node come with it.
PAGES = {
    "Graph": "graph",
    "Training": "training",
    "Embeddings": "embeddings",
    "Over-smoothing": "oversmoothing",
    "Attention": "attention",
    "Neighbourhoods": "neighbourhoods",
    "Runs": "runs",
}
OF_ALL_RUNS = ("runs",)
OF_A_NODE = ("graph", "embeddings", "neighbourhoods")
UP = ("Embeddings", "Over-smoothing", "Overview")  # from the neighbourhoods, step by step


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


def shows(here: Visit, page: str, *parts: str) -> None:
    """Wait until the page is there with a headline, and its address holds the parts."""
    here.page.wait_for_url(re.compile(f"/{page}([?]|$)"), timeout=60_000)
    for part in parts:
        here.page.wait_for_url(re.compile(f"[?&]{part}(&|$)"), timeout=60_000)
    expect(here.page.locator("h2").first).to_be_visible(timeout=60_000)


@pytest.mark.parametrize(("graph", "model", "depth"), CASES)
def test_every_page_shows_the_run_and_the_node_that_were_chosen(
    server: Server, visit: Callable[[str], Visit], graph: str, model: str, depth: int
) -> None:
    run = f"run={config(graph, model, depth).run_id}"
    here = visit(server.url)
    here.open(f"/neighbourhoods?{run}&node={NODE}")
    for title, page in PAGES.items():
        here.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
        follows = page not in OF_ALL_RUNS and (page != "attention" or model == "gat")
        shows(here, page, *([run] if follows else []), *([f"node={NODE}"] if page in OF_A_NODE else []))
    here.settle()
    here.assert_clean()


def test_links_lead_up_from_a_node_to_the_story_with_the_run(
    server: Server, visit: Callable[[str], Visit]
) -> None:
    run = f"run={config('cora', 'gcn', 2).run_id}"
    here = visit(server.url)
    here.open(f"/neighbourhoods?{run}&node={NODE}")
    for title in UP:
        here.page.get_by_test_id("stMain").get_by_role("link", name=title, exact=True).first.click()
        shows(here, PAGES.get(title, ""), run)
    here.assert_clean()
