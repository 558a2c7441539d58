"""The laboratory's page: its toggles change what is drawn, and what is drawn is what the core computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, wait_until
from plotly.graph_objects import Figure
from streamlit.testing.v1 import AppTest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.controls import line_label
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine.analyses import hidden_states
from gnnviz.models import ModelConfig
from gnnviz.propagation_only import propagated
from gnnviz.runs import RunState
from gnnviz.smoothing import METRICS
from pages.laboratory import depths, layers
from pages.shared import background

CORA = DatasetSpec("cora", normalisation="l1")
SHORT = RunConfig(CORA, ModelConfig("gcn", 2, 8), TrainConfig(epochs=3))
OTHER_SEED = RunConfig(CORA, ModelConfig("gcn", 2, 8), TrainConfig(epochs=3, seed=1))
KARATE = DatasetSpec("karate", "leaders")
ENDLESS = [
    RunConfig(KARATE, ModelConfig("gcn", 2, 8), TrainConfig(epochs=10_000, seed=seed)) for seed in range(6)
]
Drawn = dict[str, Figure]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("laboratory") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNNVIZ_RUNS", str(root))
        patch.setenv("GNNVIZ_TRAIN_WORKERS", "1")
        background.run_store.clear()
        engine = background.engine()
        for config in (SHORT, OTHER_SEED):
            engine.submit(config)
        wait_until(lambda: all(map(is_done, (SHORT, OTHER_SEED))), "both runs are done", timeout=300)
        yield root
        background.close_engine()
        background.run_store.clear()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Return the figures that the page draws, by key."""
    figures: Drawn = {}
    for module in (layers, depths):
        monkeypatch.setattr(module, "draw", lambda figure, key: figures.update({key: figure}))
    return figures


def is_done(config: RunConfig) -> bool:
    return background.run_store().status(config.run_id).state is RunState.DONE


def visit(config: RunConfig, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "shared" / "main.py"), default_timeout=120)
    app.query_params.update({"run": config.run_id, **query})
    return app.switch_page(str(ROOT / "pages" / "oversmoothing.py"))


def run_until(app: AppTest, holds: Callable[[], bool], what: str) -> None:
    def tried() -> bool:
        app.run()
        assert not app.exception, [error.message for error in app.exception]
        return holds()

    wait_until(tried, what, timeout=300)


def shows(drawn: Drawn, key: str, *names: str) -> bool:
    return key in drawn and set(names) <= {trace.name for trace in drawn[key].data}


def values(figure: Figure, name: str) -> dict[int, float]:
    trace = next(trace for trace in figure.data if trace.name == name)
    return dict(zip(trace.x, trace.y, strict=True))


def words(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.caption, *app.markdown, *app.info])


def test_the_usual_lines_are_the_run_before_and_after_and_its_features_smoothed(store: Path, drawn: Drawn):
    app = visit(SHORT)
    run_until(app, lambda: shows(drawn, "layers", "untrained", "propagation only"), "the lines are drawn")
    best = background.run_store().status(SHORT.run_id).best
    assert best is not None
    graph = load_spec(CORA)
    for epoch, name in ((0, "untrained"), (best.epoch, f"best: epoch {best.epoch}")):
        states = hidden_states(str(store), SHORT.run_id, epoch)
        measured = values(drawn["layers"], name)
        for layer, state in enumerate(states, 1):
            assert measured[layer] == pytest.approx(METRICS["rayleigh_sym"](state, graph)), name
    smoothed = values(drawn["layers"], "propagation only")
    *_, twice = propagated(graph, "sym", 2)
    assert smoothed[2] == pytest.approx(METRICS["rayleigh_sym"](twice, graph))
    assert app.header[0].value.startswith("Normalised energy (GCN)")


def test_the_largest_component_alone_is_measured_on_the_states_of_the_whole(store: Path, drawn: Drawn):
    app = visit(SHORT, extent="largest", lines="start")
    run_until(app, lambda: shows(drawn, "layers", "untrained"), "the line is drawn")
    graph = load_spec(CORA)
    inside = graph.components() == 0
    state = hidden_states(str(store), SHORT.run_id, 0)[0]
    expected = METRICS["rayleigh_sym"](state[inside], graph.largest_component())
    assert values(drawn["layers"], "untrained")[1] == pytest.approx(expected)
    assert not shows(drawn, "layers", "propagation only")


@pytest.mark.usefixtures("store")
def test_raw_values_stand_beside_the_normalised_ones(drawn: Drawn):
    app = visit(SHORT, values="both", lines="start")
    run_until(app, lambda: shows(drawn, "layers-raw", "untrained"), "both are drawn")
    assert drawn["layers"].layout.yaxis.title.text.startswith("Normalised energy (GCN)")
    assert drawn["layers-raw"].layout.yaxis.title.text.startswith("Dirichlet energy (GCN)")
    drawn.clear()
    alone = visit(SHORT, values="both", lines="start", measure="mad")
    run_until(alone, lambda: shows(drawn, "layers", "untrained"), "the one form is drawn")
    assert "layers-raw" not in drawn
    assert "MAD (neighbours) comes in one form only" in words(alone)


@pytest.mark.usefixtures("store")
def test_theory_is_drawn_where_it_speaks_and_says_why_where_not(drawn: Drawn):
    theory = "spectral_sum,half_way,weight_bound"
    app = visit(SHORT, lines=f"start,propagation,seeds,{theory}")
    names = ("propagation only", "spectral sum", "other seeds")
    run_until(app, lambda: shows(drawn, "layers", *names), "the lines are drawn")
    run_until(app, lambda: "62% after 6" in words(app), "the half-way mark is told")
    smoothed, summed = (values(drawn["layers"], name) for name in names[:2])
    assert summed == pytest.approx(smoothed)
    run_until(app, lambda: "it says nothing about this measure" in words(app), "the bound says why")
    assert "half-way" not in [
        note.text for note in drawn["layers"].layout.annotations
    ]  # 6 is beyond 2 layers
    assert "Oono & Suzuki, ICLR 2020" in words(app)


@pytest.mark.usefixtures("store")
def test_the_control_is_offered_trained_and_drawn(drawn: Drawn):
    app = visit(SHORT, lines="best,mlp")
    run_until(app, lambda: "Train the control" in [button.label for button in app.button], "it is offered")
    next(button for button in app.button if button.label == "Train the control").click()
    run_until(app, lambda: shows(drawn, "layers", line_label("mlp")), "the control is drawn")
    assert set(values(drawn["layers"], line_label("mlp"))) == {1, 2}
    assert "Train the control" not in [button.label for button in app.button]


def test_other_runs_on_the_graph_are_drawn_beside_this_one(store: Path, drawn: Drawn):
    deeper = RunConfig(CORA, ModelConfig("gat", 4, 8, heads=2), TrainConfig(epochs=3))
    background.engine().submit(deeper)
    wait_until(lambda: is_done(deeper), "the deeper one is trained", timeout=120)
    app = visit(SHORT, lines="best", others=deeper.run_id)
    run_until(app, lambda: shows(drawn, "layers", "GAT · 4 layers"), "its line is drawn")
    assert not app.warning, [warning.value for warning in app.warning]
    best = background.run_store().status(deeper.run_id).best
    assert best is not None
    graph, states = load_spec(CORA), hidden_states(str(store), deeper.run_id, best.epoch)
    line = values(drawn["layers"], "GAT · 4 layers")
    assert list(line) == [1, 2, 3, 4]  # the axis reaches to the deepest of them
    for layer, state in enumerate(states, 1):
        assert line[layer] == pytest.approx(METRICS["rayleigh_sym"](state, graph))
    assert app.query_params["others"] in (deeper.run_id, [deeper.run_id])


@pytest.mark.usefixtures("store", "drawn")
def test_a_run_that_is_not_there_is_not_drawn_beside_this_one():
    app = visit(SHORT, others="0123456789abcdef")
    run_until(app, lambda: bool(app.warning), "it is said")
    assert "There is no run to draw beside this one '0123456789abcdef' here" in app.warning[0].value


@pytest.mark.usefixtures("store")
def test_published_values_are_switched_on_with_their_warning(drawn: Drawn):
    app = visit(SHORT, view="depths", published="on", printed="gcn,jknet")
    run_until(app, lambda: "against-depth" in drawn, "the picture is drawn")
    assert shows(drawn, "against-depth", "published: GCN")
    assert "tuned anew for each depth" in words(app)
    drawn.clear()
    off = visit(SHORT, view="depths")
    run_until(off, lambda: "against-depth" in drawn, "the picture is drawn")
    assert not [trace for trace in drawn["against-depth"].data if "published" in (trace.name or "")]
    assert off.header[0].value.startswith("GCN with 2 layers gets")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("view", ["layers", "depths", "cursor", "why", "remedies", "nodes"])
def test_every_view_has_an_address_and_opens_with_a_claim(view: str):
    app = visit(SHORT, view=view)
    run_until(app, lambda: bool(app.header) and not app.header[0].value.endswith("..."), "the view is there")
    assert not app.error, [error.value for error in app.error]
    assert app.session_state["view"] == view


@pytest.mark.usefixtures("store", "drawn")
def test_a_view_that_is_not_there_is_said_in_words():
    app = visit(SHORT, view="deeper", lines="best,rate")
    run_until(app, lambda: bool(app.header), "the page is there")
    said = " ".join(warning.value for warning in app.warning)
    assert "There is no view 'deeper' here" in said
    assert "There is no line 'rate' here" in said


@pytest.mark.usefixtures("store", "drawn")
def test_a_sweep_is_paused_and_resumed_with_a_button():
    engine = background.engine()
    for config in ENDLESS:
        engine.submit(config)
    wait_until(lambda: engine.store.history_size(ENDLESS[0].run_id) > 0, "the first one runs", timeout=120)
    app = visit(ENDLESS[0], view="depths")
    run_until(app, lambda: "5 are waiting" in words(app), "five wait")
    next(button for button in app.button if button.label == "Pause").click()
    run_until(app, lambda: "5 are paused" in words(app), "they are paused")
    assert engine.store.status(ENDLESS[0].run_id).state is RunState.RUNNING
    again = visit(ENDLESS[0], view="depths")  # another session sees the same
    run_until(again, lambda: "5 are paused" in words(again), "it is seen elsewhere")
    next(button for button in again.button if button.label == "Resume").click()
    run_until(again, lambda: "5 are waiting" in words(again), "they wait again")
    next(button for button in again.button if button.label == "Cancel waiting").click()
    run_until(again, lambda: "are waiting" not in words(again), "none waits")
    engine.cancel(ENDLESS[0].run_id)
    wait_until(lambda: not engine.store.status(ENDLESS[0].run_id).state.is_active, "the last one has stopped")
    assert not any(engine.store.is_paused(config.run_id) for config in ENDLESS)


@pytest.mark.usefixtures("store", "drawn")
def test_a_run_that_was_stopped_is_judged_by_what_it_did_and_can_be_continued():
    engine = background.engine()
    config = RunConfig(CORA, ModelConfig("gcn", 2, 8), TrainConfig(epochs=1000, seed=77))
    engine.submit(config)
    wait_until(lambda: engine.store.status(config.run_id).epochs_done > 3, "it runs", timeout=120)
    engine.cancel(config.run_id)
    wait_until(lambda: not engine.store.status(config.run_id).state.is_active, "it has stopped")
    done = engine.store.status(config.run_id).epochs_done
    assert done < 1000, "it was quicker than the request"
    app = visit(config, view="why")
    run_until(app, lambda: f"after {done} of 1,000 epochs" in words(app), "it is said how far it came")
    next(button for button in app.button if button.label == "Continue it").click()
    run_until(app, lambda: engine.store.status(config.run_id).state is RunState.DONE, "it went on to its end")
    run_until(app, lambda: "epochs; what follows" not in words(app), "all of it is judged")
    assert "Continue it" not in [button.label for button in app.button]
