"""The page of all runs, run without a browser: what the address names, and what deleting refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from streamlit.testing.v1 import AppTest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.models import ModelConfig
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.runs import Owner, RunState, RunStore
from pages.shared import background

ME = Owner.current()
CONFIGS = [
    RunConfig(DatasetSpec("karate", "leaders"), ModelConfig(), TrainConfig(seed=seed)) for seed in (0, 1)
]
DONE, RUNNING = (config.run_id for config in CONFIGS)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    """Return a store with a finished and a running run, on which the app works in this process."""
    store = RunStore(tmp_path / "runs")
    for config, state in zip(CONFIGS, (RunState.DONE, RunState.RUNNING), strict=True):
        assert store.claim(config, ME)
        store.append(config.run_id, EpochRecord(1, 1.9, 1.8, 1.7, 1.6, 0.5, 0.75, 0.5, (), (), 0.1))
        status = replace(store.status(config.run_id), state=state, epochs_done=1)
        store.write_status(config.run_id, replace(status, best=BestEpoch(1, 0.75, 1.7, 0.5)))
    monkeypatch.setenv("GNNVIZ_RUNS", str(tmp_path / "runs"))
    background.run_store.clear()
    yield store
    background.close_engine()
    background.run_store.clear()


def visit(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "shared" / "main.py"), default_timeout=60)
    app.query_params.update(query)
    app.switch_page(str(ROOT / "pages" / "runs.py")).run()
    assert not app.exception
    return app


def texts(elements: object) -> str:
    """Return what is read on screen, without the backslashes that keep Markdown from seeing marks."""
    text = " ".join(element.value for element in elements)  # type: ignore[attr-defined]
    return text.replace("\u202f", " ").replace("\\", "")


@pytest.mark.usefixtures("store")
def test_the_page_opens_with_its_claim_and_nothing_ticked() -> None:
    app = visit()
    assert texts(app.header) == "2 runs: GCN with 2 layers gets 50.0 % of the test nodes right"
    assert "ticked" not in texts(app.subheader)
    assert "All 2 runs take" in texts(app.caption)
    assert not app.warning


@pytest.mark.usefixtures("store")
def test_the_address_ticks_runs_and_says_which_it_cannot_find() -> None:
    app = visit(runs=f"{DONE[:8]}.dead", in_model="nonsense")
    assert "What to do with the ticked run" in texts(app.subheader)
    assert "There is no run 'dead' here" in texts(app.warning)
    assert app.query_params["runs"] == DONE[:8]
    assert "in_model" not in app.query_params


def test_deleting_takes_what_has_ended_and_refuses_what_is_running_in_words(store: RunStore) -> None:
    app = visit(runs=f"{DONE[:8]}.{RUNNING[:8]}")
    assert "Still queued or running, and so not deleted: GCN" in texts(app.warning)
    app.button(key="runs-delete-sure").click().run()
    assert not app.exception
    assert store.run_ids() == (RUNNING,)
    assert texts(app.header) == "1 run, not finished yet"
    assert app.query_params["runs"] == RUNNING[:8]


@pytest.mark.usefixtures("store")
def test_ignored_folders_are_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "runs" / "my_notes").mkdir()
    app = visit()
    assert "1 folder is ignored" in [expander.label for expander in app.expander]
    assert "is no run" in texts(app.markdown)


def test_an_empty_store_leads_to_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNNVIZ_RUNS", str(tmp_path / "none"))
    background.run_store.clear()
    app = visit()
    assert texts(app.header) == "Nothing has been trained yet"
    background.run_store.clear()
