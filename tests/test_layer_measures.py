"""Measures through the layers: what a worker computes equals METRICS on a GCN written out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine.layer_measures import (
    equal_rows_value,
    feature_measure,
    last_hidden_measure,
    layer_measures,
)
from gnnviz.errors import ConfigError
from gnnviz.models import ModelConfig
from gnnviz.profiles import Measurement
from gnnviz.records import BestEpoch
from gnnviz.runs import Owner, RunStore
from gnnviz.smoothing import METRICS

KARATE = DatasetSpec("karate", "leaders")
FAST = tuple(name for name, metric in METRICS.items() if metric.cost == "fast")


def stored_run(root: Path, depth: int, weights: dict[str, np.ndarray]) -> str:
    """Put a GCN with these weights into a store, as its epoch 3, the best one."""
    config = RunConfig(KARATE, ModelConfig("gcn", num_layers=depth, hidden_channels=4), TrainConfig())
    store = RunStore(root)
    store.claim(config, Owner.current())
    store.save_checkpoint(config.run_id, 3, weights)
    status = store.status(config.run_id)
    store.write_status(config.run_id, replace(status, best=BestEpoch(3, 0.5, 1.0, 0.5)))
    return config.run_id


def random_weights(depth: int) -> dict[str, np.ndarray]:
    random, weights = np.random.default_rng(depth), {}
    widths = [34, *[4] * (depth - 1), 2]
    for layer, (inputs, outputs) in enumerate(pairwise(widths)):
        weights[f"layers.{layer}.lin.weight"] = random.normal(size=(outputs, inputs)).astype(np.float32)
        weights[f"layers.{layer}.bias"] = random.normal(size=outputs).astype(np.float32)
    return weights


def states_by_hand(weights: dict[str, np.ndarray], depth: int) -> list[np.ndarray]:
    """Return what each layer of the GCN gives, as dense products in float64."""
    graph = load_spec(KARATE)
    operator = np.eye(graph.num_nodes)
    operator[graph.edge_index[1], graph.edge_index[0]] = 1
    root = 1 / np.sqrt(operator.sum(axis=1))
    operator *= root[:, None] * root
    h, states = np.asarray(graph.x.toarray() if hasattr(graph.x, "toarray") else graph.x, np.float64), []
    for layer in range(depth):
        h = operator @ h @ weights[f"layers.{layer}.lin.weight"].T + weights[f"layers.{layer}.bias"]
        h = h if layer == depth - 1 else np.maximum(h, 0)
        states.append(h)
    return states


@pytest.mark.parametrize("depth", [1, 3])
def test_layers_are_measured_as_by_hand(tmp_path, depth):
    weights = random_weights(depth)
    run_id = stored_run(tmp_path, depth, weights)
    graph, states = load_spec(KARATE), states_by_hand(weights, depth)
    found = layer_measures(str(tmp_path), run_id, 3, FAST)
    assert [len(layers) for layers in found] == [depth] * len(FAST)
    for name, layers in zip(FAST, found, strict=True):
        expected = [METRICS[name](h, graph) for h in states]
        assert [layer.value for layer in layers] == pytest.approx(expected, rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize(("depth", "place"), [(1, 0), (3, 1)])
def test_the_last_hidden_layer_is_measured_at_the_best_epoch(tmp_path, depth, place):
    run_id = stored_run(tmp_path, depth, random_weights(depth))
    ((*layers,),) = layer_measures(str(tmp_path), run_id, 3, ("mad",))
    assert last_hidden_measure(str(tmp_path), run_id, "mad") == layers[place]


def test_what_has_no_value_comes_with_its_reason(tmp_path):
    silent = {name: np.zeros_like(array) for name, array in random_weights(3).items()}
    run_id = stored_run(tmp_path, 3, silent)
    energies, norms = layer_measures(str(tmp_path), run_id, 3, ("rayleigh_sym", "norm"))
    assert energies[0] == Measurement(None, "every value of the hidden state is 0: the signal is dead")
    assert norms == (Measurement(0.0),) * 3


def test_equal_rows_of_a_constant_network_read_the_floor(tmp_path):
    weights = {name: np.zeros_like(array) for name, array in random_weights(3).items()}
    weights["layers.0.bias"] = np.float32([1, 2, 0.5, 3])
    run_id = stored_run(tmp_path, 3, weights)
    ((first, *_),) = layer_measures(str(tmp_path), run_id, 3, ("rayleigh_sym",))
    assert equal_rows_value(str(tmp_path), KARATE, "rayleigh_sym") == pytest.approx(first.value)


def test_the_floor_of_equal_rows_by_hand():
    graph = load_spec(KARATE)
    source, target = graph.edge_index
    root = 1 / np.sqrt(1.0 + np.bincount(source))
    expected = 0.5 * ((root[source] - root[target]) ** 2).sum() / graph.num_nodes
    assert equal_rows_value("", KARATE, "rayleigh_sym") == pytest.approx(expected)


@pytest.mark.parametrize("measure", ["rayleigh_rw", "mad", "effective_rank", "dirichlet_sym", "norm"])
def test_a_measure_that_is_smoothed_there_or_depends_on_size_has_no_floor(measure):
    assert equal_rows_value("", KARATE, measure) is None


def test_features_are_measured_once_before_the_first_layer():
    graph = load_spec(KARATE)
    expected = METRICS["effective_rank"](graph.x, graph)
    assert feature_measure("", KARATE, "effective_rank") == Measurement(expected)


def test_an_unknown_measure_is_refused_with_the_choice(tmp_path):
    run_id = stored_run(tmp_path, 1, random_weights(1))
    with pytest.raises(ConfigError, match="unknown measure 'madd'; choose from rayleigh_sym, "):
        layer_measures(str(tmp_path), run_id, 3, ("madd",))
