"""All that the training form offers can be chosen in it, and trains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, wait_until
from streamlit.testing.v1 import AppTest

from gnnviz.models import MODELS
from gnnviz.objectives import OBJECTIVES
from gnnviz.remedies import REMEDIES
from gnnviz.runs import RunState, RunStore
from pages.shared import background

SMALL = {"data": "karate", "split": "leaders", "hidden": "8", "epochs": "2", "depth": "3"}
CHOICES = {
    **{f"model {name}": {"model": name} for name in MODELS},
    **{
        f"objective {name}": {"model": "sage", "objective": name, "far_hops": "3"}
        for name, objective in OBJECTIVES.items()
        if objective.uses_pairs
    },
    "every kind of remedy": {"remedies": "residual,jumping_concat,batch_norm,drop_edge,pre_mlp,he_init"},
    "row": {"gcn_norm": "row"},
    "lstm": {"model": "sage", "aggregator": "lstm", "unit": "yes"},
    "dense": {"model": "gat", "attention_form": "dense", "out_heads": "2", "out_elu": "yes"},
    "mini-batches": {"model": "sage", "batch": "4", "batch_fanouts": "3, 2, 2"},
    "changed graph": {"edits": "virtual_node,drop_edges,degree,random_walk", "edit_drop_edges": "0.2"},
    "block model": {"data": "blocks", "split": "random", "homophily": "0.3"},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """Return the store of an app that runs in this process."""
    root: Path = tmp_path_factory.mktemp("form") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNNVIZ_RUNS", str(root))
        background.run_store.clear()
        yield background.engine().store
        background.close_engine()
        background.run_store.clear()


def form(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "shared" / "main.py"), default_timeout=60)
    app.query_params.update({**SMALL, **query})
    return app.switch_page(str(ROOT / "pages" / "training.py")).run()


def train_button(app: AppTest):
    return next(button for button in app.button if button.label == "Train")


@pytest.mark.parametrize("choice", CHOICES)
def test_whatever_the_form_offers_trains(store: RunStore, choice: str) -> None:
    known = set(store.run_ids())
    app = form(**CHOICES[choice])
    assert not app.exception, app.exception
    assert not app.error, app.error
    assert not app.warning, app.warning
    train_button(app).click().run()
    (run_id,) = set(store.run_ids()) - known
    wait_until(lambda: not store.status(run_id).state.is_active, "the run has ended", timeout=300)
    status = store.status(run_id)
    assert status.state is RunState.DONE, status.message
    chosen = store.config(run_id)
    assert chosen.training.objective == CHOICES[choice].get("objective", "supervised")
    assert chosen.model.model == CHOICES[choice].get("model", "gcn")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("model", MODELS)
def test_only_remedies_that_a_model_can_have_are_offered(model: str) -> None:
    app = form(model=model, depth="1")
    (offered,) = [field.options for field in app.multiselect if field.key == "remedies"]
    labels = {REMEDIES[name].label for name in REMEDIES if REMEDIES[name].least_layers == 1}
    takes = {
        remedy.label
        for remedy in REMEDIES.values()
        if set(remedy.remedies.changed()) <= set(MODELS[model].remedies)
    }
    assert set(offered) == labels & takes


@pytest.mark.usefixtures("store")
def test_a_remedy_that_excludes_a_chosen_one_is_not_offered() -> None:
    app = form(remedies="residual")
    (offered,) = [field.options for field in app.multiselect if field.key == "remedies"]
    assert REMEDIES["residual"].label in offered
    assert REMEDIES["initial_residual"].label not in offered
    app = form(remedies="residual,initial_residual")
    assert any("exclude one another the first is kept: residual." in each.value for each in app.warning)
    app = form(remedies="residual", depth="2")
    assert any("There is no remedy 'residual' here" in each.value for each in app.warning)
