"""Linear smoothing in the spectrum: two roads to one sum, closed forms, the slowest mode, the plateau."""

import math

import numpy as np
import pytest
from measured_graphs import EIGENVALUES, SHAPES, caterpillar, column, gcn_operator, make_graph, shape
from scipy import sparse

from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.errors import ConfigError
from gnnviz.propagation_only import propagated
from gnnviz.rows import MeasureUndefined
from gnnviz.smoothing import METRICS
from gnnviz.smoothing_edges import leading_eigenvector
from gnnviz.spectrum import SUM_MEASURES, linear_energies, plateau, slowest_mode, spectral_energies

TWO_PARTS = make_graph([(0, 1), (1, 2), (3, 4), (4, 5), (5, 6)], 8)  # two paths and an isolated node


def random_state(num_nodes, channels=5, seed=0):
    return np.random.default_rng(seed).normal(size=(num_nodes, channels))


@pytest.mark.parametrize(
    "graph", [*map(shape, SHAPES), caterpillar(), TWO_PARTS], ids=[*SHAPES, "long", "parts"]
)
def test_smoothing_and_eigenpairs_are_two_roads_to_the_same_sums(graph):
    x = random_state(graph.num_nodes)
    smoothed, spectral = linear_energies(graph, x, 6), spectral_energies(graph, x, 6)
    assert smoothed.energy == pytest.approx(spectral.energy, abs=1e-12)
    assert smoothed.norm == pytest.approx(spectral.norm)
    assert smoothed.distance == pytest.approx(spectral.distance, abs=1e-7)


def test_the_sums_are_the_measures_of_the_smoothed_states():
    graph, x = caterpillar(), random_state(50)
    sums = linear_energies(graph, x, 4)
    for name in SUM_MEASURES:
        expected = [METRICS[name](state, graph) for state in propagated(graph, "sym", 4, x)]
        assert sums.measure(name) == pytest.approx(expected), name


def test_sparse_features_in_blocks_give_what_dense_ones_give(monkeypatch):
    monkeypatch.setattr("gnnviz.spectrum._COLUMNS", 2)
    graph = caterpillar()
    x = np.where(random_state(50, 7) > 1, 1.0, 0.0)
    one, other = linear_energies(graph, sparse.csr_array(x), 3), spectral_energies(graph, x, 3)
    assert one.energy == pytest.approx(other.energy)
    assert one.norm == pytest.approx(other.norm)


def test_a_path_by_hand():
    # eigenpairs of A^: 1, (sqrt 2, sqrt 3, sqrt 2); 1/2, (1, 0, -1); -1/6, (3, -2 sqrt 6, 3)
    sums = linear_energies(shape("path"), column(1, 0, -1), 3)
    assert sums.energy == pytest.approx([1, 1 / 4, 1 / 16, 1 / 64])  # (1 - 1/2) 2 / 4^l
    assert sums.norm == pytest.approx([2, 1 / 2, 1 / 8, 1 / 32])
    assert sums.distance == pytest.approx(np.sqrt(sums.norm))
    assert sums.measure("rayleigh_sym") == pytest.approx([1 / 2] * 4)
    other = linear_energies(shape("path"), column(3, -2 * math.sqrt(6), 3), 1)
    assert other.energy == pytest.approx([42 * 7 / 6, 42 * 7 / 6 / 36])


def test_a_complete_graph_is_smoothed_in_one_step():
    sums = linear_energies(shape("complete"), column(0, 1, 2, 3), 2)
    assert sums.energy == pytest.approx([5, 0, 0], abs=1e-15)
    assert sums.norm == pytest.approx([14, 9, 9])


@pytest.mark.parametrize("name", ["path", "cycle", "star"])
def test_each_eigenvector_decays_by_its_own_eigenvalue(name):
    graph = shape(name)
    values, vectors = np.linalg.eigh(gcn_operator(graph))
    assert values == pytest.approx(EIGENVALUES[name])
    for value, vector in zip(values, vectors.T, strict=True):
        sums = linear_energies(graph, vector[:, None], 3)
        expected = (1 - value) * value ** (2.0 * np.arange(4))
        assert sums.energy == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "size"), [("path", 1 / 2), ("complete", 0), ("cycle", 2 / 3), ("star", 1 / 2)]
)
def test_the_slowest_mode_is_the_eigenvalue_nearest_to_one_in_size(name, size):
    mode = slowest_mode(shape(name), column(*range(shape(name).num_nodes)))
    assert mode.size == pytest.approx(size)
    assert mode.relaxation == pytest.approx(1 / (1 - size))


def test_a_negative_eigenvalue_can_be_the_slowest():
    pairs = [(left, 5 + right) for left in range(5) for right in range(5)]  # eigenvalues 1, 1/6, -4/6
    x = column(*[1.0] * 5, *[-1.0] * 5)
    mode = slowest_mode(make_graph(pairs, 10), x)
    assert mode.size == pytest.approx(2 / 3)
    assert (mode.weight, mode.limit) == pytest.approx((10, 0))
    assert mode.energy == pytest.approx(10 * 5 / 3)


def test_all_vectors_of_one_eigenvalue_count():
    x = column(
        *np.cos(np.arange(6) * math.pi / 3),
    ) + column(*np.sin(np.arange(6) * math.pi / 3))
    mode = slowest_mode(shape("cycle"), x)  # both vectors of 2/3
    assert mode.weight == pytest.approx(6)
    assert mode.energy == pytest.approx(6 / 3)


def test_the_sum_comes_to_the_slowest_mode_in_the_end():
    graph, x = shape("cycle"), random_state(6)
    steps = 20  # by then the next eigenvalue, 1/3, is down to a millionth of the slowest, 2/3
    mode, sums = slowest_mode(graph, x), linear_energies(graph, x, steps)
    for name in ("rayleigh_sym", "dirichlet_sym", "subspace_distance", "subspace_distance_relative"):
        end, rate = sums.measure(name), mode.measure(name, steps)
        assert end[steps] == pytest.approx(rate[steps], rel=1e-3), name


def test_half_life_is_where_the_energy_halves():
    mode = slowest_mode(shape("path"), column(1, 0, 0))
    assert mode.half_life == pytest.approx(0.5)  # (1/2)^(2 * 0.5) = 1/2
    assert slowest_mode(shape("complete"), column(1, 0, 0, 0)).half_life == 0


@pytest.mark.parametrize("largest", [True, False])
def test_cora_mixes_slowly_with_and_without_its_small_components(largest):
    graph = load_spec(DatasetSpec())
    graph = graph.largest_component() if largest else graph
    mode = slowest_mode(graph, np.ones((graph.num_nodes, 1)))
    assert mode.size == pytest.approx(0.996379, abs=5e-7)
    assert mode.half_life == pytest.approx(95.5, abs=0.1)
    assert mode.relaxation == pytest.approx(276, abs=0.5)


def test_the_plateau_is_the_fixed_point_and_the_sum_over_the_spectrum():
    graph, h, alpha = caterpillar(), random_state(50, 3), 0.1
    state = plateau(graph, h, alpha)
    operator = gcn_operator(graph)
    assert state == pytest.approx((1 - alpha) * operator @ state + alpha * h, abs=1e-9)
    values, vectors = np.linalg.eigh(operator)
    weight = ((vectors.T @ h) ** 2).sum(axis=1)
    expected = np.sum((1 - values) * (alpha / (1 - (1 - alpha) * values)) ** 2 * weight)
    assert METRICS["dirichlet_sym"](state, graph) == pytest.approx(expected)


def test_the_plateau_of_a_limit_is_the_limit_itself():
    limit = np.sqrt(shape("star").degrees() + 1.0)[:, None]
    assert plateau(shape("star"), limit, 0.2) == pytest.approx(limit)


def test_what_cannot_be_computed_is_said():
    with pytest.raises(ConfigError, match="alpha is 0"):
        plateau(shape("path"), column(1, 2, 3), 0.0)
    with pytest.raises(MeasureUndefined, match="no edges"):
        slowest_mode(make_graph([], 3), column(1, 2, 3))
    with pytest.raises(MeasureUndefined, match="no edges"):
        linear_energies(make_graph([], 3), column(1, 2, 3), 2)
    with pytest.raises(ConfigError, match="measure is 'mad'"):
        linear_energies(shape("path"), column(1, 2, 3), 1).measure("mad")
    with pytest.raises(MeasureUndefined, match="the signal is dead"):
        linear_energies(shape("path"), column(0, 0, 0), 1).measure("rayleigh_sym")
    with pytest.raises(MeasureUndefined, match="nothing of the signal is in GCN's limit"):
        slowest_mode(shape("path"), column(0, 0, 0)).measure("rayleigh_sym", 3)


def copies(edges, size, count):
    return make_graph([(a + size * k, b + size * k) for k in range(count) for a, b in edges], size * count)


@pytest.mark.parametrize(
    ("graph", "size", "number"),
    [
        (make_graph([(0, leaf) for leaf in range(1, 300)], 300), 1 / 2, 298),
        (copies([(0, 1), (1, 2)], 3, 100), 1 / 2, 100),
        (copies([(i, (i + 1) % 40) for i in range(40)], 40, 8), (1 + 2 * math.cos(math.pi / 20)) / 3, 16),
    ],
    ids=["star", "paths", "rings"],
)
def test_all_vectors_of_the_slowest_eigenvalue_count_however_many_there_are(graph, size, number):
    mode = slowest_mode(graph, np.eye(graph.num_nodes))  # each vector of length 1 weighs 1
    assert mode.size == pytest.approx(size)
    assert mode.weight == pytest.approx(number)
    assert mode.energy == pytest.approx(number * (1 - size))


def test_a_signal_in_the_limit_has_nothing_but_the_limit():
    graph = caterpillar()
    limit = np.sqrt(graph.degrees() + 1.0)[:, None]
    mode, sums = slowest_mode(graph, limit), linear_energies(graph, limit, 3)
    assert (mode.weight, mode.energy) == (0, 0)
    assert not sums.energy.any()
    assert not sums.distance.any()
    x = random_state(50)
    outside = x - limit @ (limit.T @ x) / float(np.vdot(limit, limit))
    with pytest.raises(MeasureUndefined, match="nothing of the signal is in GCN's limit"):
        slowest_mode(graph, outside).measure("rayleigh_sym", 3)


def test_a_complete_graph_is_in_its_limit_after_one_step_and_not_in_the_noise_above_it():
    six = make_graph([(a, b) for a in range(6) for b in range(a)], 6)
    distances = linear_energies(six, random_state(6), 3).measure("subspace_distance_relative")
    assert distances[0] > 0
    assert not distances[1:].any()


def test_a_first_state_that_is_not_finite_has_no_plateau():
    with pytest.raises(MeasureUndefined, match="NaN or infinite"):
        plateau(shape("path"), column(1, np.nan, 3), 0.1)


def test_eigenvalues_too_close_to_be_told_apart_are_a_sentence_in_good_time(monkeypatch):
    num_nodes = 400  # of a path, whose slowest eigenvalues differ by some 1e-5
    graph = make_graph([(node, node + 1) for node in range(num_nodes - 1)], num_nodes)
    x = random_state(num_nodes)
    assert slowest_mode(graph, x).size == pytest.approx(0.999979, abs=2e-6)
    monkeypatch.setattr("gnnviz.spectrum._MOST_RESTARTS", 3)
    with pytest.raises(MeasureUndefined, match="too close"):
        slowest_mode(graph, x)
    monkeypatch.setattr("gnnviz.smoothing_edges._MOST_RESTARTS", 3)
    leading_eigenvector.cache_clear()
    with pytest.raises(MeasureUndefined, match="too close"):
        METRICS["rayleigh_sum"](x, graph)
