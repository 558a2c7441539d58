"""Every page runs, twice, on an empty store and on one with runs; what goes wrong is said in words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, wait_until
from streamlit.testing.v1 import AppTest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.models import ModelConfig
from gnnviz.runs import RunState
from pages.shared import background

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
KARATE = DatasetSpec("karate", "leaders")
FUZZED = 6
KEYS = [
    "run", "node", "layer", "epoch", "colour", "head", "model", "depth", "preset", "data", "split", "seed",
    "hidden", "heads", "dropout", "lr", "decay", "epochs", "fanouts", "sample", "form", "measure", "runs",
    "models", "depths", "seeds", "recipe", "in_model", "in_state", "nodes", "curve", "remedies", "edits",
    "objective", "batch", "batch_fanouts", "alpha", "aggregator", "gcn_norm", "homophily", "far_hops",
    "view", "lines", "extent", "values", "published", "printed", "over", "turning",
]  # fmt: skip
NONSENSE = [
    "", "0", "-1", "65", "1e99", "nan", "inf", "true", "gcn", "x" * 2000, "0000000000000000", "../../etc",
    "<script>alert(1)</script>", "1,2,3", ",,,", "١٢", "9" * 400, "%00", "best", "None", "karate", "own:../x",
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of two trained runs, on which the app works in this process."""
    root = tmp_path_factory.mktemp("pages") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNNVIZ_RUNS", str(root))
        background.run_store.clear()
        engine = background.engine()
        configs = [
            RunConfig(KARATE, ModelConfig("gcn", 2, 8), TrainConfig(epochs=3)),
            RunConfig(KARATE, ModelConfig("gat", 1, 8, heads=2), TrainConfig(epochs=3)),
        ]
        run_ids = [engine.submit(config) for config in configs]
        wait_until(
            lambda: all(engine.store.status(run_id).state is RunState.DONE for run_id in run_ids),
            "both runs are done",
            timeout=300,
        )
        yield root
        background.close_engine()
        background.run_store.clear()


def visit(page: str, **query: str) -> AppTest:
    """Return the app with a page chosen; the first page, which trains five networks, is not run before."""
    app = AppTest.from_file(str(ROOT / "pages" / "shared" / "main.py"), default_timeout=60)
    app.query_params.update(query)
    return app.switch_page(str(ROOT / "pages" / f"{page}.py"))


def settle(app: AppTest) -> None:
    """Run until what the engine was asked for is there: each run may end early to begin anew."""
    wait_until(lambda: _is_whole(app.run()), "the page is whole")
    assert not app.exception, [error.message for error in app.exception]


def _is_whole(app: AppTest) -> bool:
    return bool(app.exception) or (bool(app.header) and not app.header[0].value.endswith("..."))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("page", PAGES)
def test_page_opens_with_a_claim_every_time(page: str) -> None:
    app = visit(page)
    for _ in range(2):
        settle(app)
        assert not app.error, [error.value for error in app.error]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("page", PAGES)
def test_page_survives_whatever_stands_in_its_address(page: str) -> None:
    generator = random.Random(page)
    for _ in range(FUZZED):
        query = {key: generator.choice(NONSENSE) for key in KEYS if generator.random() < 0.4}
        app = visit(page, **query)
        app.run()
        assert not app.exception, (query, [error.message for error in app.exception])


def test_an_own_graph_whose_files_went_away_is_said_in_words(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.is_dir()
    monkeypatch.setenv("GNNVIZ_DATA", str(tmp_path / "nowhere"))
    app = visit("training")
    app.run()
    assert not app.exception
    assert "names no folder" not in "".join(h.value for h in app.header)
    assert any("GNNVIZ_DATA" in error.value for error in app.error)


@pytest.mark.parametrize("page", ["training", "oversmoothing"])
def test_a_run_that_was_deleted_in_another_window_is_said_in_words(store: Path, page: str) -> None:
    engine, config = background.engine(), RunConfig(KARATE, ModelConfig("gcn", 3, 8), TrainConfig(epochs=3))
    run_id = engine.submit(config)
    wait_until(lambda: not engine.store.status(run_id).state.is_active, "the run is done", timeout=300)
    app = visit(page, run=run_id)
    settle(app)
    engine.store.delete(run_id)
    app.run()
    settle(app)
    assert any(run_id in warning.value and "deleted" in warning.value for warning in app.warning)
    assert app.query_params["run"] != [run_id]
    assert store.is_dir()


def test_a_button_of_a_run_that_was_deleted_says_so(store: Path) -> None:
    engine = background.engine()
    config = RunConfig(KARATE, ModelConfig("gcn", 2, 8), TrainConfig(epochs=10_000, seed=7))
    run_id = engine.submit(config)
    engine.cancel(run_id)
    wait_until(lambda: not engine.store.status(run_id).state.is_active, "the run is cancelled", timeout=300)
    app = visit("training", run=run_id)
    settle(app)
    button = next(button for button in app.button if button.key == "continue-selected")
    engine.store.delete(run_id)
    button.click()
    settle(app)
    assert any("unknown run" in warning.value for warning in app.warning)
    assert store.is_dir()
