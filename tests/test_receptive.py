import numpy as np
import pytest

from gnnviz.datasets import load_graph
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.receptive import ball_sizes, balls, overlap, sample_nodes, start_blocks


def path(num_nodes):
    ends = np.arange(num_nodes - 1)
    return Graph(x=np.ones((num_nodes, 1)), edge_index=np.stack([ends, ends + 1]))


def scattered(num_nodes=300, num_edges=330, seed=0):
    """A random graph with several components and isolated nodes."""
    edges = np.random.default_rng(seed).integers(0, num_nodes, (2, num_edges))
    return Graph(x=np.ones((num_nodes, 1)), edge_index=edges)


@pytest.fixture(scope="module")
def component():
    return load_graph("cora").largest_component()


def test_balls_of_a_path_on_paper():
    sizes = ball_sizes(path(5), 4) * 5
    expected = [[1, 1, 1, 1, 1], [2, 3, 3, 3, 2], [3, 4, 5, 4, 3], [4, 5, 5, 5, 4], [5, 5, 5, 5, 5]]
    np.testing.assert_allclose(sizes, expected, rtol=1e-15)


def test_an_isolated_node_reaches_itself_alone():
    lonely = Graph(x=np.ones((4, 1)), edge_index=np.array([[0], [1]]))
    np.testing.assert_array_equal(ball_sizes(lonely, 2) * 4, [[1, 1, 1, 1], [2, 2, 1, 1], [2, 2, 1, 1]])
    empty = Graph(x=np.ones((3, 1)), edge_index=np.zeros((2, 0), dtype=int))
    np.testing.assert_array_equal(ball_sizes(empty, 1) * 3, np.ones((2, 3)))


def test_balls_agree_with_a_search_from_each_node():
    graph = scattered()
    sizes = ball_sizes(graph, 6)
    for node in range(graph.num_nodes):
        distance = graph.k_hop(node, 6)
        expected = [np.mean((distance >= 0) & (distance <= hop)) for hop in range(7)]
        np.testing.assert_allclose(sizes[:, node], expected, rtol=1e-14)


def test_balls_hold_the_right_nodes_not_just_the_right_number():
    graph, starts = scattered(), np.array([5, 0, 299])
    for hop, members in enumerate(balls(graph, starts, 4)):
        within = np.unpackbits(members, axis=1, count=3).astype(bool)
        for column, start in enumerate(starts):
            np.testing.assert_array_equal(within[:, column], graph.k_hop(int(start), hop) >= 0)


def test_chosen_nodes_keep_their_order():
    graph = scattered()
    chosen = [17, 3, 250]
    np.testing.assert_array_equal(ball_sizes(graph, 3, chosen), ball_sizes(graph, 3)[:, chosen])
    assert ball_sizes(graph, 3, []).shape == (4, 0)


def test_a_graph_larger_than_a_block_is_measured_whole():
    graph = path(3000)
    pieces = list(start_blocks(graph, np.arange(3000)))
    assert len(pieces) > 1
    np.testing.assert_array_equal(np.concatenate(pieces), np.arange(3000))
    sizes = ball_sizes(graph, 2) * 3000
    np.testing.assert_allclose(sizes[2], [3, 4, *[5] * 2996, 4, 3])


def test_mean_ball_sizes_of_cora(component):
    means = (ball_sizes(component, 12) * component.num_nodes).mean(axis=1)
    expected = [5.1, 39.7, 139, 406, 884, 1443, 1893, 2172]
    np.testing.assert_allclose(means[1:9], expected, atol=0.5)
    np.testing.assert_allclose(means[[10, 12]], [2406, 2472], atol=0.5)


def test_overlap_of_random_pairs_of_cora(component):
    pairs = np.random.default_rng(0).integers(0, component.num_nodes, (2, 2000))
    shares = overlap(component, *pairs, 8).mean(axis=1)
    np.testing.assert_allclose(shares[4:], [0.125, 0.285, 0.497, 0.692, 0.828], atol=0.02)


def test_overlap_on_a_path_on_paper():
    np.testing.assert_allclose(overlap(path(5), 1, 3, 4), [0, 1 / 5, 3 / 5, 1, 1])
    np.testing.assert_array_equal(overlap(path(5), 2, 2, 2), [1, 1, 1])


def test_overlap_agrees_with_two_searches():
    graph = scattered()
    generator = np.random.default_rng(1)
    a, b = generator.integers(0, 300, (2, 3, 4))
    shares = overlap(graph, a, b, 5)
    assert shares.shape == (6, 3, 4)
    for place in np.ndindex(3, 4):
        one, other = graph.k_hop(int(a[place]), 5), graph.k_hop(int(b[place]), 5)
        for hop in range(6):
            left, right = (one >= 0) & (one <= hop), (other >= 0) & (other <= hop)
            assert shares[hop][place] == pytest.approx((left & right).sum() / (left | right).sum())


def test_nodes_of_different_components_never_overlap():
    two = Graph(x=np.ones((4, 1)), edge_index=np.array([[0, 2], [1, 3]]))
    np.testing.assert_array_equal(overlap(two, [0, 0], [2, 1], 3), [[0, 0], [0, 1], [0, 1], [0, 1]])
    assert overlap(two, [], [], 3).shape == (4, 0)


def test_a_sample_is_all_nodes_or_a_repeatable_part():
    graph = scattered()
    np.testing.assert_array_equal(sample_nodes(graph, 300), np.arange(300))
    sample = sample_nodes(graph, 20, seed=3)
    assert len(sample) == len(set(sample)) == 20
    np.testing.assert_array_equal(sample, np.sort(sample))
    np.testing.assert_array_equal(sample, sample_nodes(graph, 20, seed=3))
    assert not np.array_equal(sample, sample_nodes(graph, 20, seed=4))


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda graph: ball_sizes(graph, 2, [5]), "nodes 5 to 5; the graph has nodes 0 to 4"),
        (lambda graph: ball_sizes(graph, 2, [-1]), "nodes -1 to -1"),
        (lambda graph: ball_sizes(graph, 2, [0.5]), "give whole numbers"),
        (lambda graph: ball_sizes(graph, -1), "got -1 hops"),
        (lambda graph: overlap(graph, 0, 1, -2), "got -2 hops"),
        (lambda graph: overlap(graph, [0, 1], [1], 2), "give equal ones"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(ask, reason):
    with pytest.raises(DatasetError, match=reason):
        ask(path(5))
