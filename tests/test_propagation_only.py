"""Propagation only: the operators, the states, and what a worker measures of them."""

import numpy as np
import pytest
from measured_graphs import SHAPES, caterpillar, column, gcn_operator, shape
from scipy import sparse

from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine.theory_lines import propagation_measure
from gnnviz.errors import ConfigError
from gnnviz.models import ModelConfig
from gnnviz.propagation_only import (
    MOST_MEASURED,
    averaging,
    measured_steps,
    normalisation_of,
    propagated,
)
from gnnviz.rows import MeasureUndefined
from gnnviz.smoothing import METRICS

KARATE = DatasetSpec("karate", "leaders")


@pytest.mark.parametrize("name", SHAPES)
def test_operators_are_those_written_out_dense(name):
    graph = shape(name)
    with_loops = graph.adjacency().toarray() + np.eye(graph.num_nodes)
    assert averaging(graph, "sym").toarray() == pytest.approx(gcn_operator(graph))
    assert averaging(graph, "sum").toarray() == pytest.approx(with_loops)
    assert averaging(graph, "row").toarray() == pytest.approx(with_loops / with_loops.sum(1, keepdims=True))


def test_rows_of_the_mean_sum_to_one_and_leave_an_isolated_node_alone():
    graph = load_spec(DatasetSpec())
    operator = averaging(graph, "row")
    assert operator.sum(axis=1) == pytest.approx(np.ones(graph.num_nodes))
    lonely = caterpillar().subgraph([0, 5])  # no edge between them
    assert averaging(lonely, "sym").toarray() == pytest.approx(np.eye(2))


def test_states_of_a_path_by_hand():
    states = list(propagated(shape("path"), "row", 2, column(0, 3, 6)))
    assert [state.ravel().tolist() for state in states] == [
        [0, 3, 6],
        [1.5, 3, 4.5],
        [2.25, 3, 3.75],
    ]


@pytest.mark.parametrize("normalisation", ["sym", "row", "sum"])
def test_states_are_powers_of_the_operator_and_sparse_features_are_as_good(normalisation):
    graph = caterpillar()
    x = np.where(np.random.default_rng(1).random((50, 6)) < 0.3, 1.0, 0.0)
    dense = list(propagated(graph, normalisation, 5, x))
    power = np.linalg.matrix_power(averaging(graph, normalisation).toarray(), 5)
    assert dense[5] == pytest.approx(power @ x)
    assert all(state.dtype == np.float64 for state in dense)
    for one, other in zip(dense, propagated(graph, normalisation, 5, sparse.csr_array(x)), strict=True):
        assert one == pytest.approx(other)


def test_the_mean_leads_to_the_average_weighted_by_degree():
    graph = shape("star")
    x = np.array([[1.0], [2.0], [3.0], [6.0]])
    *_, last = propagated(graph, "row", 200, x)
    stationary = (graph.degrees() + 1) / (2 * graph.num_edges + graph.num_nodes)
    assert last == pytest.approx(np.full((4, 1), stationary @ x[:, 0]))


def test_features_too_wide_to_be_dense_are_refused_in_words(monkeypatch):
    monkeypatch.setattr("gnnviz.propagation_only.MOST_VALUES", 100)
    with pytest.raises(MeasureUndefined, match="50 nodes with 7 features"):
        next(propagated(caterpillar(), "sym", 1))


def test_fewer_than_no_steps_are_refused():
    with pytest.raises(ConfigError, match="got -1 steps"):
        next(propagated(shape("path"), "sym", -1))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (ModelConfig("gcn"), "sym"),
        (ModelConfig("gcn", normalisation="row"), "row"),
        (ModelConfig("sage"), "row"),
        (ModelConfig("gat"), "row"),
        (ModelConfig("appnp"), "sym"),
        (ModelConfig("gcnii"), "sym"),
        (ModelConfig("mlp"), "row"),
    ],
)
def test_each_model_has_its_own_averaging(config, expected):
    assert normalisation_of(config) == expected


@pytest.mark.parametrize("steps", [0, 1, 16, 17, 33, 64])
def test_few_steps_are_all_measured_and_many_with_both_ends(steps):
    chosen = measured_steps(steps)
    assert (chosen[0], chosen[-1]) == (0, steps)
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) == min(steps + 1, MOST_MEASURED)


@pytest.mark.parametrize("extent", ["whole", "largest"])
def test_a_worker_measures_what_the_core_smooths(extent):
    graph = load_spec(KARATE)
    found = propagation_measure("", KARATE, "sym", "mad", 3, extent)
    expected = [METRICS["mad"](state, graph) for state in propagated(graph, "sym", 3)]
    assert [step for step, _ in found] == [0, 1, 2, 3]
    assert [measurement.value for _, measurement in found] == pytest.approx(expected)
