"""Verdicts on networks that were really trained on Cora, and on what cannot be judged."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.diagnosis import Diagnosis, explain
from gnnviz.diagnosis_experiments import control_of
from gnnviz.diagnosis_facts import RunFacts
from gnnviz.engine.tasks import set_up_torch, train_run
from gnnviz.engine.verdicts import DIRECTIONS, diagnose, facts_of, state_facts
from gnnviz.errors import RunError
from gnnviz.findings import chance_levels
from gnnviz.graph import Graph
from gnnviz.models import ModelConfig
from gnnviz.presets import PRESETS
from gnnviz.propagation_only import propagated
from gnnviz.remedies import Remedies
from gnnviz.runs import Owner, RunStore
from gnnviz.smoothing import METRICS
from gnnviz.sweeps import in_recipe
from gnnviz.training import initial_model, train

CORA = DatasetSpec("cora", "kipf", normalisation="l1")
KARATE = DatasetSpec("karate", "leaders")
BLOCKS = DatasetSpec("blocks", "random", homophily=0.35, signal=1.5)  # edges that tell little of the classes
RECIPE = PRESETS["one_recipe"]


def recipe(model: str = "gcn", depth: int = 2, dropout: float = 0.5, **training: float) -> RunConfig:
    """Return the one recipe at a depth, with what differs."""
    layers = replace(in_recipe(RECIPE.model, model, depth), dropout=dropout)
    return RunConfig(CORA, layers, replace(RECIPE.training, **training))  # pyright: ignore[reportArgumentType]


def trained(root: Path, config: RunConfig) -> str:
    store, owner = RunStore(root), Owner.current()
    assert store.claim(config, owner)
    train_run(str(root), config.run_id, owner, store.status(config.run_id).queued_at)
    return config.run_id


def judged(root: Path, config: RunConfig) -> Diagnosis:
    found = diagnose(str(root), trained(root, config))
    assert all(np.isfinite(item.number) for item in found.evidence)
    return found


@pytest.mark.slow
def test_gcn_at_32_layers_with_one_recipe_is_a_signal_death(tmp_path):
    config = recipe(depth=32, epochs=100)
    trained(tmp_path, control_of(config))
    found = judged(tmp_path, config)
    assert (found.verdict, found.confident) == ("signal_death", True)
    supports = {item.name: item.supports for item in found.evidence}
    assert supports["flat"] == supports["decay"] == supports["control"] == ("signal_death",)
    assert found.experiment is not None
    assert found.experiment.configs[0] == recipe(depth=32, dropout=0.0, weight_decay=0.0, epochs=100)


@pytest.mark.slow
def test_gcn_at_8_layers_without_decay_and_dropout_works_again(tmp_path):
    assert judged(tmp_path, recipe(depth=8, dropout=0.0, weight_decay=0.0, epochs=120)).verdict == "works"


@pytest.mark.slow
def test_gcn_at_2_layers_works(tmp_path):
    found = judged(tmp_path, recipe(epochs=100))
    assert (found.verdict, found.confident) == ("works", True)


@pytest.mark.slow
def test_an_mlp_without_dropout_learns_by_heart(tmp_path):
    found = judged(tmp_path, recipe("mlp", dropout=0.0))
    assert (found.verdict, found.confident) == ("over_fitting", True)


@pytest.mark.slow
def test_a_run_of_5_epochs_is_under_trained(tmp_path):
    found = judged(tmp_path, recipe(epochs=5))
    assert (found.verdict, found.confident) == ("under_trained", True)


@pytest.mark.slow
def test_sgc_at_64_steps_with_one_recipe_is_smoothing(tmp_path):
    found = judged(tmp_path, recipe("sgc", 64, epochs=100))
    assert (found.verdict, found.confident) == ("over_smoothing", True)


@pytest.mark.slow
def test_features_averaged_200_times_under_one_linear_map_are_smoothing():
    graph = load_spec(CORA)
    averaged = deque(propagated(graph, "sym", 200), maxlen=1).pop()
    set_up_torch(1)
    # Without a bias the logits are A^200 (X W): to average first and to map first are the same.
    linear = replace(in_recipe(RECIPE.model, "mlp", 1), bias=False)
    model = initial_model(linear, 0, graph.num_features, graph.num_classes).eval()
    given = replace(graph, x=averaged.astype(np.float32)).to_torch()
    start = model(given.x, given).detach().numpy()
    training = train(model, given, RECIPE.training)
    history = tuple(training)
    logits = model.eval()(given.x, given).detach().numpy()
    assert training.best is not None
    found = explain(
        RunFacts(
            config=recipe("sgc", 64),  # the deepest that there is
            history=history,
            best=training.best,
            train_chance=chance_levels(graph, "train"),
            test_chance=chance_levels(graph, "test"),
            trained=(state_facts(logits, graph, "rayleigh_sym", DIRECTIONS),),
            untrained=(state_facts(start, graph, "rayleigh_sym", DIRECTIONS),),
            averaged=state_facts(averaged, graph, "rayleigh_sym"),
        )
    )
    assert (found.verdict, found.confident) == ("over_smoothing", True), found


# Other graphs than the one that the thresholds were first tried on


def elsewhere(
    dataset: DatasetSpec, model: str = "gcn", depth: int = 2, dropout: float = 0.5, **training: float
) -> RunConfig:
    """Return a run on another graph, with the seed that showed what the test is about."""
    layers = replace(in_recipe(ModelConfig(hidden_channels=16), model, depth), dropout=dropout)
    options = {"epochs": 200, "seed": 3, **training}
    return RunConfig(dataset, layers, TrainConfig(**options))  # pyright: ignore[reportArgumentType]


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "seed"), [(16, 3), (32, 3), (64, 3), (64, 5)])
def test_a_deep_gcn_on_the_karate_club_is_a_signal_death(tmp_path, depth, seed):
    # Two training nodes: some of these end with both right by luck, others with rows along sqrt(d + 1).
    found = judged(tmp_path, elsewhere(KARATE, depth=depth, seed=seed))
    assert found.verdict == "signal_death", found


@pytest.mark.slow
@pytest.mark.parametrize("dataset", [KARATE, BLOCKS], ids=["karate", "blocks"])
def test_sgc_at_64_steps_is_smoothing_beside_its_dead_control_too(tmp_path, dataset):
    config = elsewhere(dataset, "sgc", 64, epochs=60)
    trained(tmp_path, control_of(config))
    found = judged(tmp_path, config)
    assert (found.verdict, found.confident) == ("over_smoothing", True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("epochs", "rate", "tried"), [(1, 0.01, 0.01), (5, 0.01, 0.01), (10, 1e-3, 1e-3), (60, 1e-5, 0.01)]
)
def test_a_training_that_moved_no_weight_far_is_under_trained(tmp_path, epochs, rate, tried):
    found = judged(tmp_path, elsewhere(BLOCKS, epochs=epochs, learning_rate=rate))
    assert found.verdict == "under_trained"
    assert found.experiment is not None
    assert found.experiment.configs[0].training.learning_rate == tried


@pytest.mark.slow
def test_five_epochs_that_learn_all_there_is_have_worked(tmp_path):
    assert judged(tmp_path, elsewhere(KARATE, epochs=5, seed=5)).verdict == "works"


@pytest.mark.slow
def test_jumping_over_smoothed_layers_learns_by_heart_what_it_reads_from_the_first(tmp_path):
    config = elsewhere(BLOCKS, depth=16, dropout=0.0, epochs=60, weight_decay=0.0)
    config = replace(config, model=replace(config.model, remedies=Remedies(jumping="concat")))
    facts = facts_of(str(tmp_path), trained(tmp_path, config))
    assert facts.trained[facts.deepest].aligned == pytest.approx(1.0, abs=0.05)  # the last layer is smoothed
    found = explain(facts)
    assert (found.verdict, found.confident) == ("over_fitting", True)


@pytest.mark.slow
def test_weight_decay_that_puts_a_shallow_net_out_is_a_death(tmp_path):
    found = judged(tmp_path, elsewhere(BLOCKS, epochs=60, weight_decay=0.5))
    assert found.verdict == "signal_death"
    assert found.experiment is not None
    assert found.experiment.configs[0].training.weight_decay == 0.0


# Facts


def short(model: str = "gcn", depth: int = 3, **layers: str) -> RunConfig:
    """Return a run of four epochs on a small graph."""
    config = ModelConfig(model, num_layers=depth, hidden_channels=4, **layers)  # pyright: ignore[reportArgumentType]
    return RunConfig(KARATE, config, TrainConfig(epochs=4))


def test_facts_of_a_run_are_the_measures_of_its_states(tmp_path):
    config = short()
    run_id = trained(tmp_path, config)
    facts = facts_of(str(tmp_path), run_id)
    assert (len(facts.trained), len(facts.untrained), len(facts.history)) == (3, 3, 4)
    assert facts.control is None
    trained(tmp_path, control_of(config))
    assert facts_of(str(tmp_path), run_id).control is not None
    graph = load_spec(KARATE)
    steps = list(propagated(graph, "sym", 2))
    assert facts.averaged is not None
    assert facts.averaged.energy == pytest.approx(METRICS["rayleigh_sym"](steps[2], graph))
    assert facts.features is not None
    assert facts.features.energy == pytest.approx(METRICS["rayleigh_sym"](steps[0], graph))


@pytest.mark.parametrize("normalisation", ["sym", "row", "sum"])
def test_alignment_is_1_in_the_limit_of_the_operator_and_spread_by_hand(normalisation):
    graph = load_spec(KARATE)
    measure = {"sym": "rayleigh_sym", "row": "rayleigh_rw", "sum": "rayleigh_sum"}[normalisation]
    *_, far = propagated(graph, normalisation, 300)
    facts = state_facts(far, graph, measure)
    assert facts.aligned == pytest.approx(1.0, abs=1e-12)
    h = np.random.default_rng(0).normal(size=(34, 3)) + 1
    expected = 34 * (h.mean(axis=0) ** 2).sum() / (h**2).sum()
    found = state_facts(h, graph, "rayleigh_rw")
    assert found.spread == pytest.approx(1 - expected)
    assert found.aligned == pytest.approx(expected)  # one component: equal rows are the limit
    assert found.size == pytest.approx(np.sqrt((h**2).mean()))


def test_alignment_with_gcns_limit_is_what_its_distance_leaves():
    graph = Graph(np.ones((6, 1)), np.array([[0, 1, 3], [1, 2, 4]]))  # two components and a node alone
    h = np.random.default_rng(1).normal(size=(6, 2))
    distance = METRICS["subspace_distance_relative"](h, graph)
    assert state_facts(h, graph, "rayleigh_sym").aligned == pytest.approx(1 - distance**2)


def test_a_dead_state_and_a_graph_without_edges_have_no_ratio():
    alone = Graph(np.ones((3, 1)), np.zeros((2, 0), dtype=np.int64))
    assert state_facts(np.ones((3, 2)), alone, "rayleigh_sym").aligned is None
    dead = state_facts(np.zeros((34, 2)), load_spec(KARATE), "rayleigh_sym", DIRECTIONS)
    assert (dead.size, dead.dead) == (0.0, 1.0)
    assert (dead.spread, dead.aligned, dead.energy, dead.rank, dead.mad) == (None,) * 5
    with pytest.raises(RunError, match="cannot be judged: 1 of the hidden state's 2 values are NaN"):
        state_facts(np.array([[np.nan], [1.0]]), alone, "rayleigh_sym")


# What cannot be judged, and what is unusual


@pytest.mark.parametrize(
    "config",
    [short(depth=1), short("mlp"), short("gat"), short("gcnii"), short("gcn", normalisation="sum")],
    ids=lambda config: f"{config.model.label}-{config.model.num_layers}",
)
def test_every_kind_of_run_has_a_verdict_in_finite_numbers(tmp_path, config):
    assert judged(tmp_path, config).sentence


def own_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, classes: int, edges: str, row: str = "{0} {1}"
) -> RunConfig:
    """Write a graph of 40 nodes, and return a run on it."""
    lines = [f"n{node} {row.format(node % 2, node % 3)} c{node % classes}" for node in range(40)]
    (folder / "mine.content").write_text("\n".join(lines))
    (folder / "mine.cites").write_text(edges)
    monkeypatch.setenv("GNNVIZ_DATA", str(folder))
    return replace(short(), dataset=DatasetSpec("own:mine", "random"))


@pytest.mark.parametrize("edges", ["n0 n1\nn1 n2\n", ""], ids=["37 isolated nodes", "no edges"])
def test_isolated_nodes_have_a_verdict_in_finite_numbers(tmp_path, monkeypatch, edges):
    config = own_run(tmp_path, monkeypatch, classes=2, edges=edges)
    found = judged(tmp_path / "runs", config)
    assert found.sentence
    assert ("aligned" in {item.name for item in found.evidence}) == bool(edges)


@pytest.mark.parametrize(("row", "expected"), [("{0} {1}", "over_smoothing"), ("1 1", "mixed")])
def test_on_a_ring_differing_rows_are_smoothed_and_equal_ones_are_not(tmp_path, monkeypatch, row, expected):
    ring = "".join(f"n{node} n{(node + 1) % 40}\n" for node in range(40))
    config = own_run(tmp_path, monkeypatch, classes=2, edges=ring, row=row)
    config = replace(config, model=ModelConfig("sgc", num_layers=64), training=TrainConfig(epochs=40))
    assert judged(tmp_path / "runs", config).verdict == expected


def test_a_graph_of_one_class_is_a_sentence(tmp_path, monkeypatch):
    config = own_run(tmp_path, monkeypatch, classes=1, edges="n0 n1\n")
    run_id = trained(tmp_path / "runs", config)
    with pytest.raises(RunError, match=r"has finished no epoch, so there is nothing to judge: .*class"):
        diagnose(str(tmp_path / "runs"), run_id)


def test_a_run_without_an_epoch_says_why(tmp_path):
    config, store = short(), RunStore(tmp_path)
    with pytest.raises(RunError):
        diagnose(str(tmp_path), config.run_id)
    owner = Owner.current()
    store.claim(config, owner)
    with pytest.raises(RunError, match="is queued; why it does what it does is said at its end"):
        diagnose(str(tmp_path), config.run_id)
    status = store.status(config.run_id)
    store.write_status(config.run_id, replace(status, state=type(status.state).FAILED, message="no labels"))
    with pytest.raises(RunError, match="no epoch, so there is nothing to judge: no labels"):
        diagnose(str(tmp_path), config.run_id)


def test_a_control_counts_whatever_it_was_trained_on(tmp_path):
    config = replace(recipe(dropout=0.0, epochs=3), dataset=KARATE)
    run_id = trained(tmp_path, config)
    assert facts_of(str(tmp_path), run_id).control is None
    control = replace(control_of(config), threads=2)
    trained(tmp_path, control)
    assert control.run_id != control_of(config).run_id
    found = facts_of(str(tmp_path), run_id).control
    assert found in RunStore(tmp_path).history(control.run_id)
