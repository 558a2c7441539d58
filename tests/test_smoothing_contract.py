"""What holds for every measure of over-smoothing alike, and what each refuses in words."""

import numpy as np
import pytest
from measured_graphs import (
    BOUND_TO_CHANNELS,
    LINEAR_IN_SCALE,
    SCALE_FREE,
    SHAPES,
    SQUARE_IN_SCALE,
    caterpillar,
    column,
    is_finite_or_explained,
    make_graph,
    shape,
)
from scipy import sparse

from gnnviz.smoothing import METRICS, MeasureUndefined


@pytest.mark.parametrize("key", METRICS)
def test_a_measure_does_not_depend_on_the_order_of_nodes(key):
    generator = np.random.default_rng(13)
    graph, h = caterpillar(), generator.normal(size=(50, 5)) + 0.5
    order = generator.permutation(50)
    shuffled = METRICS[key](h[order], graph.subgraph(order))
    assert shuffled == pytest.approx(METRICS[key](h, graph), rel=1e-10)


@pytest.mark.parametrize("key", METRICS)
def test_a_measure_follows_the_scale_as_it_should(key):
    graph, h = caterpillar(), np.random.default_rng(14).normal(size=(50, 5)) + 0.5
    power = 0 if key in SCALE_FREE else 1 if key in LINEAR_IN_SCALE else 2
    assert key in SCALE_FREE + LINEAR_IN_SCALE + SQUARE_IN_SCALE
    scaled = METRICS[key](1e-4 * h, graph)
    assert scaled == pytest.approx(METRICS[key](h, graph) * 1e-4**power, rel=1e-10)


@pytest.mark.parametrize("key", [key for key in METRICS if key not in BOUND_TO_CHANNELS])
def test_a_measure_does_not_depend_on_a_rotation_of_the_channels(key):
    generator = np.random.default_rng(15)
    graph, h = caterpillar(), generator.normal(size=(50, 5)) + 0.5
    rotation = np.linalg.qr(generator.normal(size=(5, 5)))[0]
    assert METRICS[key](h @ rotation, graph) == pytest.approx(METRICS[key](h, graph), rel=1e-10)


@pytest.mark.parametrize("key", [key for key in METRICS if METRICS[key].smoothed is not None])
def test_a_fully_smoothed_state_reads_what_the_record_says(key):
    edges = [(i, i + 1) for i in range(19)] + [(0, 19)]  # a ring: sqrt(d + 1) is constant, all limits agree
    graph = make_graph(edges, 20, y=[0, 1] * 10, x=np.random.default_rng(16).random((20, 3)))
    h = np.tile([1.0, 2.0, 3.0], (20, 1))
    assert METRICS[key](h, graph) == pytest.approx(METRICS[key].smoothed, abs=1e-13)


@pytest.mark.parametrize("key", METRICS)
def test_a_measure_is_finite_or_says_why_not(key):
    graph = caterpillar()
    states = {
        "dead": np.zeros((50, 3)),
        "one live row": np.vstack([np.ones((1, 3)), np.zeros((49, 3))]),
        "tiny": np.full((50, 3), 1e-300),
        "huge": np.random.default_rng(17).normal(size=(50, 3)) * 1e200,
        "one channel": np.arange(50.0)[:, None],
        "more channels than nodes": np.random.default_rng(18).normal(size=(50, 80)),
    }
    for state in states.values():
        for place in (graph, make_graph([], 50), make_graph([(0, 1)], 50, y=[0] * 50)):
            assert is_finite_or_explained(key, state, place)


@pytest.mark.parametrize("key", METRICS)
def test_one_node_alone_is_finite_or_undefined(key):
    assert is_finite_or_explained(key, np.ones((1, 2)), make_graph([], 1, y=[0]))


@pytest.mark.parametrize("key", METRICS)
def test_an_exploded_state_is_refused_in_words(key):
    h = np.ones((50, 2))
    h[3, 1] = np.nan
    h[4, 0] = np.inf
    with pytest.raises(MeasureUndefined, match="2 of the hidden state's 100 values are NaN or infinite"):
        METRICS[key](h, caterpillar())


@pytest.mark.parametrize("key", ["norm", "dirichlet_sym", "dirichlet_rusch"])
def test_a_value_beyond_float64_is_refused_in_words(key):
    h = np.random.default_rng(19).normal(size=(50, 2)) * 1e200
    with pytest.raises(MeasureUndefined, match="beyond the largest number of float64"):
        METRICS[key](h, caterpillar())


@pytest.mark.parametrize(
    ("key", "h", "graph", "reason"),
    [
        ("mad", np.ones((3, 1)), make_graph([], 3), "has no edges"),
        ("rayleigh_sym", np.ones((3, 1)), make_graph([], 3), "has no edges"),
        ("mad", np.zeros((3, 1)), make_graph(SHAPES["path"], 3), "3 of 3 rows are all zero"),
        ("rayleigh_rw", np.zeros((3, 1)), make_graph(SHAPES["path"], 3), "the signal is dead"),
        ("effective_rank", np.zeros((3, 1)), make_graph(SHAPES["path"], 3), "the signal is dead"),
        ("mean_cosine", column(0, 0, 1), make_graph(SHAPES["path"], 3), "1 of 3 rows are not all zero"),
        ("mad_gap", np.ones((3, 1)), make_graph(SHAPES["path"], 3), "8 or more hops apart"),
        ("group_distance_ratio", np.ones((3, 1)), make_graph(SHAPES["path"], 3), "has no labels"),
        ("group_distance_ratio", np.ones((3, 1)), make_graph([], 3, y=[2, 2, 2]), "has 1 class"),
        ("group_distance_ratio", column(1, 2, 3), make_graph([], 3, y=[0, 1, 2]), "every class has one node"),
        ("group_distance_ratio", column(1, 1, 3), make_graph([], 3, y=[0, 0, 1]), "the ratio is infinite"),
        ("instance_information_gain", np.ones((2, 1)), make_graph([], 2, x=np.ones((2, 0))), "no features"),
    ],
)
def test_an_undefined_measure_says_why(key, h, graph, reason):
    with pytest.raises(MeasureUndefined, match=reason):
        METRICS[key](h, graph)


def test_a_state_of_another_graph_is_refused():
    with pytest.raises(ValueError, match="has 4 rows; graph has 3 nodes"):
        METRICS["norm"](np.ones((4, 2)), shape("path"))
    with pytest.raises(ValueError, match=r"shape \(3,\); give a table"):
        METRICS["norm"](np.ones(3), shape("path"))


def test_float32_and_sparse_states_are_measured_in_float64():
    h = np.random.default_rng(20).integers(-3, 4, (50, 4)).astype(np.float32) * np.float32(1e-25)
    graph = caterpillar()
    exact = METRICS["norm"](h.astype(np.float64), graph)
    assert METRICS["norm"](h, graph) == exact > 0  # the squares are below float32
    assert METRICS["norm"](sparse.csr_array(h), graph) == exact


@pytest.mark.parametrize("key", METRICS)
def test_a_record_tells_the_user_all(key):
    metric = METRICS[key]
    for text in (metric.label, metric.symbol, metric.formula, metric.help, metric.paper, metric.direction):
        assert text
    assert metric.help.endswith(".")
    assert metric.needs_labels == (key == "group_distance_ratio")
    if metric.needs_labels:
        with pytest.raises(MeasureUndefined, match="labels"):
            metric(np.ones((3, 1)), shape("path"))


@pytest.mark.parametrize("key", ["subspace_distance", "row_diff", "group_distance_ratio"])
@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_distances_do_not_care_whether_their_squares_fit_float64(key, scale):
    graph, h = caterpillar(), np.random.default_rng(22).normal(size=(50, 3))
    power = 1 if key in LINEAR_IN_SCALE else 0
    expected = METRICS[key](h, graph) * scale**power
    assert METRICS[key](scale * h, graph) == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.coo_array])
def test_sparse_states_of_any_form_are_measured(form):
    h = np.random.default_rng(23).integers(-2, 3, (50, 4)).astype(float)
    assert METRICS["mad"](form(h), caterpillar()) == METRICS["mad"](h, caterpillar())
