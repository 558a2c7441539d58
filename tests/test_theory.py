"""The lines of theory: which models and measures they are about, their numbers, what a worker makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measured_graphs import column, gcn_operator, make_graph, shape

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.controls import (
    CONTROL_LINES,
    DEFAULT_LINES,
    known_control,
    line_help,
    line_label,
    lines_for,
    other_seeds,
)
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine import analyses
from gnnviz.engine.layer_measures import layer_measures
from gnnviz.engine.theory_lines import theory_line
from gnnviz.errors import ConfigError
from gnnviz.models import MODELS, ModelConfig, build_model
from gnnviz.receptive import ball_sizes
from gnnviz.records import BestEpoch
from gnnviz.remedies import Remedies
from gnnviz.rows import MeasureUndefined
from gnnviz.runs import Owner, RunStore
from gnnviz.smoothing import METRICS
from gnnviz.spectrum import slowest_mode
from gnnviz.theory import (
    THEORY_LINES,
    TheoryResult,
    asymptotic_rate,
    half_way,
    mixed_share,
    spectral_sum,
    weight_bound,
    why_not,
)

KARATE = DatasetSpec("karate", "leaders")
TRAINING = TrainConfig(epochs=3)


def stored_run(root: Path, model: ModelConfig, scale: float = 1.0) -> str:
    """Put an untrained model into a store, its weights times `scale`, as epoch 3, the best one."""
    import torch

    config = RunConfig(KARATE, model, TRAINING)
    graph, store = load_spec(KARATE), RunStore(root)
    torch.manual_seed(0)
    weights = build_model(model, graph.num_features, graph.num_classes).state_dict()
    store.claim(config, Owner.current())
    store.save_checkpoint(config.run_id, 3, {name: scale * value.numpy() for name, value in weights.items()})
    status = store.status(config.run_id)
    store.write_status(config.run_id, replace(status, best=BestEpoch(3, 0.5, 1.0, 0.5)))
    return config.run_id


@pytest.mark.parametrize("name", THEORY_LINES)
def test_every_line_is_explained_about_known_models_and_measures(name):
    line = THEORY_LINES[name]
    assert len(line.label) <= 16  # it stands in a margin
    assert len(line.help) > 40
    assert line.paper
    assert line.models
    assert set(line.models) <= set(MODELS)
    assert set(line.measures) <= set(METRICS)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_offered_lines_that_have_names_and_the_usual_ones_among_them(model):
    lines = lines_for(ModelConfig(model))
    assert set(DEFAULT_LINES) <= set(lines)
    assert all(line_label(name) and line_help(name) for name in lines)
    assert ("mlp" in lines) == (model != "mlp")
    assert ("half_way" in lines) == MODELS[model].uses_graph


def test_an_unknown_line_is_refused_with_the_choice():
    with pytest.raises(ConfigError, match="unknown line 'rate'; choose from best, start"):
        line_label("rate")
    with pytest.raises(ConfigError, match="theory line is 'rate'; choose from spectral_sum"):
        why_not("rate", ModelConfig(), "mad")


@pytest.mark.parametrize(
    ("name", "model", "measure", "reason"),
    [
        ("spectral_sum", ModelConfig("gcn"), "rayleigh_sym", ""),
        ("spectral_sum", ModelConfig("gcn"), "mad", "it says nothing about this measure; choose from"),
        ("spectral_sum", ModelConfig("sage"), "rayleigh_rw", "it is about GCN, SGC, APPNP and GCNII"),
        ("spectral_sum", ModelConfig("gcn", normalisation="row"), "rayleigh_sym", "both degrees"),
        ("weight_bound", ModelConfig("gcn"), "subspace_distance", ""),
        ("weight_bound", ModelConfig("gcn", activation="elu"), "subspace_distance", "with ReLU"),
        ("weight_bound", ModelConfig("gcn", 4, remedies=Remedies(norm="batch")), "subspace_distance", "more"),
        ("plateau", ModelConfig("appnp"), "mad", ""),
        ("plateau", ModelConfig("gcn"), "mad", "mix their first state"),
        ("plateau", ModelConfig("gcn", 4, remedies=Remedies(residual="initial")), "mad", ""),
        ("half_way", ModelConfig("gat"), "mad", ""),
        ("half_way", ModelConfig("gcn", normalisation="row"), "mad", ""),
        ("half_way", ModelConfig("mlp"), "mad", "this run is a MLP"),
    ],
)
def test_a_line_says_when_it_has_nothing_to_say(name, model, measure, reason):
    said = why_not(name, model, measure)
    assert (reason in said) if reason else not said


@pytest.mark.parametrize(
    ("model", "share"),
    [
        (ModelConfig("appnp", alpha=0.2), 0.2),
        (ModelConfig("gcnii"), 0.1),
        (ModelConfig("gcn", 4, remedies=Remedies(residual="initial", residual_share=0.3)), 0.3),
        (ModelConfig("gcn", 4, remedies=Remedies(residual="plain")), 0),
        (ModelConfig("sgc"), 0),
    ],
)
def test_the_share_of_the_first_state_is_read_where_it_stands(model, share):
    assert mixed_share(model) == share


def test_the_rate_is_told_with_its_half_life():
    result = asymptotic_rate(slowest_mode(shape("path"), column(1, 0, -1)), "dirichlet_sym", 3)
    assert [layer for layer, _ in result.curve] == [0, 1, 2, 3]
    assert [value for _, value in result.curve] == pytest.approx([1, 1 / 4, 1 / 16, 1 / 64])
    assert "halves every 0.500 layers (relaxation time: 2.00 layers)" in result.note


def test_a_line_ends_where_float64_cannot_tell_it_from_nothing():
    mode = slowest_mode(shape("path"), column(1, 0, -1))
    curve = asymptotic_rate(mode, "dirichlet_sym", 64).curve
    assert [layer for layer, _ in curve] == list(range(27))  # 4^-27 < 1e-16 < 4^-26
    assert (
        asymptotic_rate(slowest_mode(shape("complete"), column(1, 0, 0, 0)), "dirichlet_sym", 3).curve == ()
    )


def test_the_bound_falls_where_it_may_and_else_says_how_vacuous_it_is():
    falling = weight_bound(8.0, [0.5, 1.0, 0.25], 0.5, has_bias=False)
    assert falling.curve == ((0, 8.0), (1, 4.0), (2, 2.0), (3, 1.0))
    assert falling.note == "s·lambda = 1 · 0.5000 = 0.5"
    vacuous = weight_bound(2.0, [1.0, 4.0], 0.5, has_bias=False)
    assert vacuous.curve == ()
    assert vacuous.note == (
        "vacuous: s·lambda = 4 · 0.5000 = 2 is not below 1, so it allows the distance to grow 2-fold with "
        "each layer, to 8.00 after 2"
    )
    assert "biases, which the theorem does not allow" in weight_bound(2.0, [1.0], 0.5, has_bias=True).note
    assert weight_bound(2.0, [2.0], 0.5, has_bias=False).curve == ()  # exactly 1 says nothing either


def test_a_bound_beyond_float64_and_one_of_broken_weights_are_sentences():
    assert (
        "to beyond the largest number of float64 after 64"
        in weight_bound(2.0, [1e6] * 64, 0.9, has_bias=False).note
    )
    with pytest.raises(MeasureUndefined, match="weights are NaN or infinite"):
        weight_bound(2.0, [1.0, float("nan")], 0.5, has_bias=False)
    assert weight_bound(2.0, [2.0], 0.5, has_bias=False).note.endswith("lets the distance stay as it is")


def test_a_rate_of_nothing_is_a_sentence_and_no_half_life():
    at_once = asymptotic_rate(slowest_mode(shape("complete"), column(1, 0, 0, 0)), "dirichlet_sym", 3)
    assert at_once.note == "one step of averaging reaches the limit: nothing is left to decay"
    even = asymptotic_rate(slowest_mode(shape("cycle"), np.ones((6, 1))), "dirichlet_sym", 3)
    assert even == TheoryResult(
        note="nothing of the signal is in the slowest mode: it fades at a quicker rate"
    )
    assert spectral_sum(np.zeros(3)).note.startswith("it is 0 from the start")


def test_a_run_whose_weights_exploded_gets_the_reason(tmp_path):
    for model, line, measure in (
        (ModelConfig("gcn", 2, 8), "weight_bound", "subspace_distance"),
        (ModelConfig("sgc", 2), "spectral_sum", "rayleigh_sym"),
        (ModelConfig("sgc", 2), "asymptotic_rate", "rayleigh_sym"),
        (ModelConfig("appnp", 2, 8), "plateau", "rayleigh_sym"),
    ):
        run_id = stored_run(tmp_path, model, scale=float("nan"))
        result = theory_line(str(tmp_path), run_id, 3, line, measure)
        assert "NaN or infinite" in result.note
        assert (result.curve, result.level) == ((), None)


def test_half_of_the_component_is_reached_by_hand():
    # of a path of three, one node hears 1/3 of it after 0 layers and 2/3, 1, 2/3 after one: 7/9 on average
    result = half_way(shape("path"))
    assert result.depth == 1
    assert "33% of its component after 0, 78% after 1" in result.note
    assert half_way(make_graph([], 3)).depth is None
    assert half_way(make_graph([(0, 1)], 2)).depth is None  # each is half of it by itself


def test_half_way_is_counted_in_components_on_cora():
    graph = load_spec(DatasetSpec()).largest_component()
    shares = ball_sizes(graph, 6).mean(axis=1)
    assert shares[5] < 0.5 <= shares[6]
    assert half_way(graph).depth == 6


# What a worker makes of a run


def test_a_worker_draws_the_sum_of_sgc_through_its_measured_layers(tmp_path):
    run_id = stored_run(tmp_path, ModelConfig("sgc", 4))
    for measure in ("rayleigh_sym", "dirichlet_sym", "norm", "subspace_distance"):
        ((*layers,),) = layer_measures(str(tmp_path), run_id, 3, (measure,))
        curve = theory_line(str(tmp_path), run_id, 3, "spectral_sum", measure).curve
        assert [layer for layer, _ in curve] == [1, 2, 3, 4]
        assert [value for _, value in curve] == pytest.approx([found.value for found in layers], rel=1e-4)


def test_a_worker_begins_the_sum_of_gcn_at_its_features(tmp_path):
    run_id, graph = stored_run(tmp_path, ModelConfig("gcn", 3, 8)), load_spec(KARATE)
    curve = dict(theory_line(str(tmp_path), run_id, 3, "spectral_sum", "rayleigh_sym", "largest").curve)
    assert list(curve) == [0, 1, 2, 3]
    assert curve[0] == pytest.approx(METRICS["rayleigh_sym"](graph.x, graph))


def test_a_gcn_without_biases_stays_below_its_bound(tmp_path):
    model = ModelConfig("gcn", 4, 8, bias=False)
    run_id = stored_run(tmp_path, model, scale=0.3)
    ((*layers,),) = layer_measures(str(tmp_path), run_id, 3, ("subspace_distance",))
    curve = dict(theory_line(str(tmp_path), run_id, 3, "weight_bound", "subspace_distance").curve)
    assert list(curve) == [0, 1, 2, 3, 4]
    for layer, found in enumerate(layers, 1):
        assert found.value is not None
        assert found.value <= curve[layer]
    weights = RunStore(tmp_path).load_checkpoint(run_id, 3)
    largest = max(np.linalg.norm(matrix, 2) for matrix in weights.values())
    assert curve[2] / curve[1] == pytest.approx(largest * slowest_mode(load_spec(KARATE), np.eye(34)).size)


def test_a_bound_of_large_weights_is_a_sentence(tmp_path):
    run_id = stored_run(tmp_path, ModelConfig("gcn", 4, 8), scale=5.0)
    result = theory_line(str(tmp_path), run_id, 3, "weight_bound", "subspace_distance")
    assert (result.curve, result.level, result.depth) == ((), None, None)
    assert result.note.startswith("vacuous: s·lambda = ")


def test_appnp_comes_to_its_plateau(tmp_path):
    run_id = stored_run(tmp_path, ModelConfig("appnp", 64, 8, alpha=0.3))
    level = theory_line(str(tmp_path), run_id, 3, "plateau", "rayleigh_sym").level
    ((*layers,),) = layer_measures(str(tmp_path), run_id, 3, ("rayleigh_sym",))
    assert level == pytest.approx(layers[-1].value, rel=1e-4)


def test_the_plateau_of_an_initial_residual_begins_at_the_first_hidden_state(tmp_path):
    model = ModelConfig("gcn", 4, 8, remedies=Remedies(residual="initial", residual_share=0.5))
    run_id, graph = stored_run(tmp_path, model), load_spec(KARATE)
    first = analyses.hidden_states(str(tmp_path), run_id, 3)[0].astype(float)
    state = 0.5 * np.linalg.inv(np.eye(34) - 0.5 * gcn_operator(graph)) @ first
    level = theory_line(str(tmp_path), run_id, 3, "plateau", "mad").level
    assert level == pytest.approx(METRICS["mad"](state, graph))


def test_a_line_without_a_value_comes_with_the_reason(tmp_path):
    run_id = stored_run(tmp_path, ModelConfig("gcn", 2, 8))
    assert (
        "says nothing about this measure" in theory_line(str(tmp_path), run_id, 3, "spectral_sum", "mad").note
    )
    silent = stored_run(tmp_path, ModelConfig("appnp", 2, 8), scale=0.0)
    assert "the signal is dead" in theory_line(str(tmp_path), silent, 3, "plateau", "rayleigh_sym").note
    with pytest.raises(ConfigError, match="unknown measure"):
        theory_line(str(tmp_path), run_id, 3, "half_way", "madd")


# Which other runs are controls


def run(model: str = "gcn", depth: int = 4, **training: float) -> RunConfig:
    return RunConfig(KARATE, ModelConfig(model, depth, 8), TrainConfig(**training))


def test_the_control_is_the_same_recipe_without_the_graph_whatever_its_device():
    config = run(seed=2)
    control = run("mlp", seed=2)
    elsewhere = replace(control, threads=7)
    others = [config, run("mlp", depth=3, seed=2), run("mlp", seed=1), run("mlp", seed=2, learning_rate=0.5)]
    assert known_control(config, [*others, elsewhere]) == elsewhere
    assert known_control(config, others) == control


def test_other_seeds_differ_in_nothing_else():
    config = run(seed=2)
    runs = [run(seed=seed) for seed in (5, 2, 0)] + [run("sage", seed=1), run(depth=5, seed=1)]
    assert [other.training.seed for other in other_seeds(config, runs)] == [0, 5]
    assert len(other_seeds(config, [run(seed=seed) for seed in range(20)])) == 8


def test_the_words_of_measured_lines_are_there():
    assert all(line.label and line.help for line in CONTROL_LINES.values())
