"""Each measure of over-smoothing against values worked out on paper, or by a second road."""

import math

import numpy as np
import pytest
from measured_graphs import (
    EIGENVALUES,
    SHAPES,
    SIZES,
    caterpillar,
    column,
    gcn_operator,
    make_graph,
    shape,
)
from scipy import sparse

from gnnviz.datasets import load_graph
from gnnviz.graph import Graph
from gnnviz.models import MODELS, ModelConfig
from gnnviz.smoothing import METRICS, matched_rayleigh


@pytest.fixture(scope="module")
def cora():
    return load_graph("cora")


@pytest.fixture(scope="module")
def cora_component(cora):
    return cora.largest_component()


# Energies


@pytest.mark.parametrize(
    ("name", "values", "energy"),
    [
        ("path", (0, 1, 2), 1.0336735),
        ("path", (1, 1, 1), 2 * (1 / math.sqrt(2) - 1 / math.sqrt(3)) ** 2),
        ("star", (1, 1, 1, 1), 3 * (1 / 2 - 1 / math.sqrt(2)) ** 2),
    ],
)
def test_dirichlet_sym_on_paper(name, values, energy):
    assert METRICS["dirichlet_sym"](column(*values), shape(name)) == pytest.approx(energy, abs=5e-8)


@pytest.mark.parametrize(("name", "energy"), [("path", 4 / 3), ("cycle", 10), ("complete", 10), ("star", 7)])
def test_dirichlet_rusch_of_counted_nodes_on_paper(name, energy):
    h = column(*range(SIZES[name]))
    assert METRICS["dirichlet_rusch"](h, shape(name)) == pytest.approx(energy, rel=1e-14)


@pytest.mark.parametrize("name", SHAPES)
def test_an_eigenvector_of_the_gcn_operator_has_energy_one_minus_its_eigenvalue(name):
    graph = shape(name)
    values, vectors = np.linalg.eigh(gcn_operator(graph))
    np.testing.assert_allclose(values, EIGENVALUES[name], atol=1e-14)
    for value, vector in zip(values, vectors.T, strict=True):
        energy = METRICS["rayleigh_sym"](7.5 * vector[:, None], graph)
        assert energy == pytest.approx(1 - value, abs=1e-14)


def test_energies_equal_their_traces():
    graph, h = caterpillar(), np.random.default_rng(1).normal(size=(50, 4))
    laplacian = np.diag(graph.degrees()) - graph.adjacency().toarray()
    raw = np.trace(h.T @ laplacian @ h)
    sym = np.trace(h.T @ (np.eye(50) - gcn_operator(graph)) @ h)
    assert METRICS["dirichlet_sym"](h, graph) == pytest.approx(sym, rel=1e-12)
    assert METRICS["dirichlet_rusch"](h, graph) == pytest.approx(2 * raw / 50, rel=1e-12)
    assert METRICS["rayleigh_sym"](h, graph) == pytest.approx(sym / np.sum(h**2), rel=1e-12)
    assert METRICS["rayleigh_rw"](h, graph) == pytest.approx(raw / np.sum(h**2), rel=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_each_energy_is_zero_at_the_limit_of_its_operator(name):
    graph = shape(name)
    row = np.array([[1.0, 2.0, -3.0]])
    along_degrees = np.sqrt(graph.degrees() + 1.0)[:, None] * row
    constant = np.repeat(row, graph.num_nodes, axis=0)
    for key in ("dirichlet_sym", "rayleigh_sym", "subspace_distance", "subspace_distance_relative"):
        assert METRICS[key](along_degrees, graph) == pytest.approx(0, abs=1e-14)
    for key in ("dirichlet_rusch", "rayleigh_rw", "row_diff"):
        assert METRICS[key](constant, graph) == 0


def test_distance_from_the_limit_on_paper():
    relative = METRICS["subspace_distance_relative"](np.ones((3, 2)), shape("path"))
    assert relative == pytest.approx(0.0980867, abs=5e-8)


def test_distance_from_the_limit_is_what_the_other_eigenvectors_carry():
    graph, h = shape("cycle"), np.random.default_rng(2).normal(size=(6, 3))
    _, vectors = np.linalg.eigh(gcn_operator(graph))
    expected = np.linalg.norm(vectors[:, :-1].T @ h)
    assert METRICS["subspace_distance"](h, graph) == pytest.approx(expected, rel=1e-13)


def test_the_limit_has_one_vector_for_each_component():
    graph = make_graph([(0, 1), (2, 3)], 5)  # node 4 is alone: always in the limit
    h = column(2, 2, -3, -3, 9)
    assert METRICS["subspace_distance"](h, graph) == pytest.approx(0, abs=1e-14)
    h[1] = 0
    assert METRICS["subspace_distance"](h, graph) == pytest.approx(math.sqrt(2), rel=1e-14)


def test_repeated_gcn_averaging_ends_in_the_limit():
    graph = shape("star")
    h = np.linalg.matrix_power(gcn_operator(graph), 60) @ np.random.default_rng(3).normal(size=(4, 3))
    assert METRICS["subspace_distance_relative"](h, graph) < 1e-12
    assert METRICS["rayleigh_sym"](h, graph) < 1e-14


def test_the_other_operators_limit_has_a_floor_on_cora(cora, cora_component):
    for graph, sym, distance, raw in (
        (cora, 0.07484, 0.29475, 2.9119),
        (cora_component, 0.08097, 0.30656, 3.0575),
    ):
        constant = np.ones((graph.num_nodes, 2))
        along_degrees = np.sqrt(graph.degrees() + 1.0)[:, None]
        assert METRICS["rayleigh_sym"](constant, graph) == pytest.approx(sym, abs=6e-6)
        assert METRICS["subspace_distance_relative"](constant, graph) == pytest.approx(distance, abs=6e-6)
        assert METRICS["rayleigh_rw"](along_degrees, graph) == pytest.approx(raw, abs=6e-5)


def test_the_matched_energy_fits_the_models_operator():
    found = {model: matched_rayleigh(ModelConfig(model)) for model in MODELS}
    assert {found.pop(model) for model in ("gcn", "sgc", "appnp", "gcnii")} == {"rayleigh_sym"}
    assert {found.pop(model) for model in ("sage", "gat", "gatv2", "mlp")} == {"rayleigh_rw"}
    assert found.keys() == set(), "a new model: say to what its layers lead"


@pytest.mark.parametrize("normalisation", ["sym", "row", "sum"])
def test_the_matched_energy_goes_to_zero_under_each_normalisation_and_no_other_does(normalisation):
    graph = shape("star")
    operator = np.eye(4)
    operator[graph.edge_index[1], graph.edge_index[0]] = 1
    degree = operator.sum(axis=1)
    root = degree**-0.5
    operator = {
        "sym": operator * root[:, None] * root,
        "row": operator / degree[:, None],
        "sum": operator / 3,
    }
    h = np.linalg.matrix_power(operator[normalisation], 80) @ np.random.default_rng(3).random((4, 2))
    matched = matched_rayleigh(ModelConfig("gcn", normalisation=normalisation))
    for key in ("rayleigh_sym", "rayleigh_rw", "rayleigh_sum"):
        assert (METRICS[key](h, graph) < 1e-14) == (key == matched)


def test_energy_of_sums_on_paper():
    # the star's largest eigenvalue of A + I is 1 + sqrt(3); of ones x^T (A + I) x = 4 + 6
    expected = 1 - 10 / ((1 + math.sqrt(3)) * 4)
    assert METRICS["rayleigh_sum"](np.ones((4, 1)), shape("star")) == pytest.approx(expected, rel=1e-13)


def test_energy_of_sums_is_the_same_by_both_searches_for_the_eigenvector(cora):
    part = cora.subgraph(np.arange(300))
    values = np.linalg.eigvalsh((part.adjacency() + sparse.eye_array(300)).toarray())
    h = np.random.default_rng(5).normal(size=(300, 3))
    product = float(np.vdot(h, part.adjacency() @ h + h)) / values[-1]
    assert METRICS["rayleigh_sum"](h, part) == pytest.approx(1 - product / float(np.vdot(h, h)), rel=1e-12)


# Cosines


def test_mad_averages_over_neighbours_then_over_nodes():
    graph = shape("star")
    h = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    centre, leaves = (0 + 1 + 2) / 3, [0, 1, 2]
    assert METRICS["mad"](h, graph) == pytest.approx((centre + sum(leaves)) / 4)
    assert METRICS["edge_cosine"](h, graph) == pytest.approx((1 + 0 - 1) / 3)


def test_mad_does_not_read_dead_rows_as_distance_one():
    counted = column(0, 1, 2, 3)  # the row of node 0 is dead, the others point the same way
    assert METRICS["mad"](counted, shape("complete")) == 0
    assert METRICS["dead_rows"](counted, shape("complete")) == 0.25
    assert METRICS["mad_all"](counted, shape("complete")) == 0
    assert METRICS["edge_cosine"](counted, shape("complete")) == 1


def test_mad_counts_neighbours_with_equal_rows():
    h = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert METRICS["mad"](h, make_graph([(0, 1), (1, 2), (0, 2)], 3)) == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_mad_is_blind_to_length():
    assert METRICS["mad"](column(1, 2, 3, 40), shape("complete")) == 0


def test_mad_sees_differences_far_below_what_a_cosine_can_hold():
    h = np.array([[1.0, 0.0], [1.0, 1e-12]])
    assert METRICS["mad"](h, make_graph([(0, 1)], 2)) == pytest.approx(5e-25, rel=1e-3)


def test_isolated_nodes_have_no_part_in_mad():
    h = np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    assert METRICS["mad"](h, make_graph([(0, 1)], 3)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("half", "expected"), [(lambda h: h, 1.0), (lambda h: np.maximum(h, 0), 1 - 1 / math.pi)]
)
def test_random_rows_have_the_mad_of_theory(cora, half, expected):
    h = half(np.random.default_rng(4).normal(size=(2708, 256)))
    for key in ("mad", "mad_all"):
        assert METRICS[key](h, cora) == pytest.approx(expected, abs=0.004)
    assert METRICS["mad_gap"](h, cora) == pytest.approx(0, abs=0.004)


def test_cosines_of_all_pairs_agree_with_the_pairs_one_by_one():
    graph, h = caterpillar(), np.random.default_rng(5).normal(size=(50, 4))
    h[7] = 0
    unit = h[h.any(axis=1)]
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    pairs = [(i, j) for i in range(49) for j in range(49) if i != j]
    cosines = np.mean([unit[i] @ unit[j] for i, j in pairs])
    halves = np.mean([np.linalg.norm(unit[i] - unit[j]) / 2 for i, j in pairs])
    assert METRICS["mean_cosine"](h, graph) == pytest.approx(cosines, abs=1e-14)
    assert METRICS["mad_all"](h, graph) == pytest.approx(1 - cosines, abs=1e-14)
    assert METRICS["smv"](h, graph) == pytest.approx(halves, abs=1e-14)


def test_mad_gap_agrees_with_the_pairs_one_by_one():
    graph, h = caterpillar(), np.random.default_rng(6).normal(size=(50, 3)) + 1
    h[[0, 12]] = 0
    near, remote = [], []
    for node in np.flatnonzero(h.any(axis=1)):
        hops = graph.k_hop(int(node), 50)
        for rows, chosen in ((near, (hops >= 1) & (hops <= 3)), (remote, hops >= 8)):
            others = h[chosen & h.any(axis=1)]
            length = np.linalg.norm(others, axis=1) * np.linalg.norm(h[node])
            rows.append(np.mean(1 - others @ h[node] / length))
    expected = np.mean(remote) - np.mean(near)
    assert METRICS["mad_gap"](h, graph) == pytest.approx(expected, abs=1e-13)


def test_mad_gap_on_paper():
    path = make_graph([(i, i + 1) for i in range(9)], 10)
    h = np.repeat(np.eye(2), 5, axis=0)  # two halves, each its own direction; remote pairs: 0-8, 0-9, 1-9
    near = [0, 0, 1 / 5, 2 / 6, 3 / 6]  # node 2 sees 0, 1, 3, 4 and 5; nodes 3 and 4 see six
    assert METRICS["mad_gap"](h, path) == pytest.approx(1 - np.mean(near), rel=1e-14)
    assert METRICS["mad_gap"](np.ones((10, 3)), path) == 0


def test_unreachable_pairs_are_neither_near_nor_remote():
    edges = [(i, i + 1) for i in range(8)]
    path = make_graph(edges, 9)
    two = make_graph([*edges, (9, 10)], 11)
    h = np.repeat(np.eye(2), [4, 5], axis=0)
    added = np.vstack([h, np.ones((2, 2))])
    near_rows_of_path, near_rows_of_pair = 9, 2
    remote, gap = 1.0, METRICS["mad_gap"](h, path)
    diluted = (remote - gap) * near_rows_of_path / (near_rows_of_path + near_rows_of_pair)
    assert METRICS["mad_gap"](added, two) == pytest.approx(remote - diluted, rel=1e-13)


def test_antipodal_groups_have_the_smoothness_value_of_theory():
    h = np.repeat([[1.0, 2.0], [-1.0, -2.0]], 3, axis=0)
    assert METRICS["smv"](h, shape("cycle")) == pytest.approx(6 / (2 * 5), rel=1e-14)


# Rows, columns, ranks


def test_row_and_column_difference_on_paper():
    graph = shape("path")
    along_degrees = np.sqrt([[2.0], [3.0], [2.0]]) * [[1.0, 2.0]]
    assert METRICS["row_diff"](along_degrees, graph) == pytest.approx(0.315869, abs=5e-7)
    assert METRICS["col_diff"](along_degrees, graph) == pytest.approx(0, abs=1e-15)
    assert METRICS["col_diff"](np.ones((3, 4)), graph) == 0
    unlike = np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 4.0], [0.0, 0.0, 4.0]])  # (1, 0, 0) and (0, 1/2, 1/2)
    assert METRICS["col_diff"](unlike, graph) == pytest.approx(2 * math.sqrt(1.5) / 4)


def test_row_difference_agrees_with_the_pairs_one_by_one():
    h = np.random.default_rng(7).normal(size=(50, 3)) + 100
    expected = np.mean([[np.linalg.norm(a - b) for a in h] for b in h])
    assert METRICS["row_diff"](h, caterpillar()) == pytest.approx(expected, rel=1e-10)


def test_an_outer_product_has_rank_one():
    generator = np.random.default_rng(8)
    h = np.outer(generator.normal(size=50), generator.normal(size=6))
    assert METRICS["stable_rank"](h, caterpillar()) == pytest.approx(1, abs=1e-12)
    assert METRICS["effective_rank"](h, caterpillar()) == pytest.approx(1, abs=1e-12)
    assert METRICS["rank_one_distance"](h, caterpillar()) == pytest.approx(0, abs=1e-13)


def test_orthonormal_columns_have_as_many_ranks_as_columns():
    h = np.linalg.qr(np.random.default_rng(9).normal(size=(50, 6)))[0]
    assert METRICS["stable_rank"](h, caterpillar()) == pytest.approx(6)
    assert METRICS["effective_rank"](h, caterpillar()) == pytest.approx(6)


def test_ranks_on_paper():
    h = np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert METRICS["stable_rank"](h, shape("path")) == pytest.approx(10 / 9)
    assert METRICS["effective_rank"](h, shape("path")) == pytest.approx(4 / 3**0.75)
    # column 0 times row 0 is the larger part: 3/4 and 1/4 against 1 and 0
    assert METRICS["rank_one_distance"](h, shape("path")) == pytest.approx(1 / 2)


def test_rank_one_distance_agrees_with_its_definition():
    h = np.random.default_rng(10).normal(size=(50, 5))
    row, col = np.abs(h).sum(axis=1).argmax(), np.abs(h).sum(axis=0).argmax()
    one = np.sign(h[row, col]) * np.outer(h[:, col], h[row])
    difference = h / np.linalg.norm(h, "nuc") - one / np.linalg.norm(one, "nuc")
    expected = np.linalg.norm(difference, "nuc")
    assert METRICS["rank_one_distance"](h, caterpillar()) == pytest.approx(expected, rel=1e-12)


def test_size_and_dead_rows_on_paper():
    h = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -1.0]])
    assert METRICS["norm"](h, shape("path")) == 26
    assert METRICS["dead_rows"](h, shape("path")) == pytest.approx(1 / 3)


# Classes and features


def test_group_distance_ratio_on_paper():
    graph = shape("complete", y=[0, 0, 1, 1])
    assert METRICS["group_distance_ratio"](column(0, 1, 10, 13), graph) == pytest.approx(11 / 2)
    assert METRICS["group_distance_ratio"](np.ones((4, 2)), graph) == 1


def test_noise_has_group_distance_ratio_one(cora):
    h = np.random.default_rng(11).normal(size=(2708, 16))
    assert METRICS["group_distance_ratio"](h, cora) == pytest.approx(1, abs=0.003)


def test_information_gain_is_zero_when_one_channel_leads_everywhere():
    h = np.array([[5.0, 1.0], [2.0, 0.0], [1.0, -4.0]])
    graph = shape("path", x=np.eye(3))
    assert METRICS["instance_information_gain"](h, graph) == pytest.approx(0, abs=1e-15)
    assert METRICS["instance_information_gain"](np.zeros((3, 2)), graph) == pytest.approx(0, abs=1e-15)


def test_information_gain_of_two_kinds_of_node_on_paper():
    x = np.repeat(np.eye(2), 2, axis=0)  # squared distance 2 between the kinds: kernel exp(-2 / 0.2)
    told = np.array([[2.0, 1.0], [3.0, 1.0], [0.0, 1.0], [1.0, 4.0]])
    graph = shape("complete", x=x)
    expected = -math.log2((1 + math.exp(-10)) / 2)
    assert METRICS["instance_information_gain"](told, graph) == pytest.approx(expected, rel=1e-12)


def test_information_gain_is_the_same_for_sparse_features():
    graph, h = caterpillar(), np.random.default_rng(12).normal(size=(50, 3))
    thin = Graph(x=sparse.csr_array(graph.x), edge_index=graph.edge_index)
    gain = METRICS["instance_information_gain"]
    assert gain(h, thin) == pytest.approx(gain(h, graph), rel=1e-12)
    assert gain(h, thin) > 0.05


@pytest.mark.parametrize("width", [1e-5, 1e-7, 1e-9])
def test_the_spread_of_narrow_classes_far_apart_keeps_its_digits(width):
    y = np.repeat([0, 1, 2], 5)
    graph = make_graph([], 15, y=y)
    h = np.eye(3)[y] + width * np.random.default_rng(21).normal(size=(15, 3))
    pairs = [(i, j) for i in range(15) for j in range(15) if i != j]
    within = np.mean([np.linalg.norm(h[i] - h[j]) for i, j in pairs if y[i] == y[j]])
    between = np.mean([np.linalg.norm(h[i] - h[j]) for i, j in pairs if y[i] != y[j]])
    assert METRICS["group_distance_ratio"](h, graph) == pytest.approx(between / within, rel=1e-9)


def test_dead_rows_do_not_cost_mad_gap_its_digits():
    path = make_graph([(i, i + 1) for i in range(13)], 14)
    h = np.ones((14, 2))
    h[:, 1] += 1e-7 * np.arange(14)
    h[[0, 5]] = 0
    live = np.flatnonzero(h.any(axis=1))
    angle = np.arctan2(h[:, 1], h[:, 0])  # 1 - cos a = 2 sin^2(a / 2), exact for small angles

    def mean(chosen):
        rows = [
            [2 * np.sin((angle[i] - angle[j]) / 2) ** 2 for j in live if chosen(abs(i - j))] for i in live
        ]
        return np.mean([np.mean(row) for row in rows if row])

    expected = mean(lambda hops: hops >= 8) - mean(lambda hops: 1 <= hops <= 3)
    assert METRICS["mad_gap"](h, path) == pytest.approx(expected, rel=1e-6, abs=0)
