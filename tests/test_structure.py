"""Cycles, clustering and random walks: known answers on small graphs, and agreement with networkx."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from gnnviz import structure
from gnnviz.datasets import load_graph
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.structure import (
    clustering_coefficients,
    common_neighbours,
    cycle_counts,
    return_probabilities,
    two_hop_edges,
)


def made_of(edges, num_nodes):
    return Graph(np.ones((num_nodes, 1)), np.array(edges, dtype=np.int64).reshape(-1, 2).T)


PATH = made_of([(0, 1), (1, 2)], 3)
COMPLETE = made_of([(a, b) for a in range(4) for b in range(a)], 4)
RING = made_of([(node, (node + 1) % 5) for node in range(5)], 5)
STAR = made_of([(0, leaf) for leaf in range(1, 5)], 5)
SQUARE = made_of([(0, 1), (1, 2), (2, 3), (3, 0), (3, 4)], 6)  # with a tail, and node 5 alone


@pytest.mark.parametrize(
    ("graph", "triangles", "squares", "clustering"),
    [
        (PATH, [0] * 3, [0] * 3, [0] * 3),
        (COMPLETE, [3] * 4, [3] * 4, [1] * 4),  # K4 is made of four triangles and three 4-cycles
        (RING, [0] * 5, [0] * 5, [0] * 5),
        (STAR, [0] * 5, [0] * 5, [0] * 5),
        (SQUARE, [0] * 6, [1, 1, 1, 1, 0, 0], [0] * 6),
    ],
)
def test_cycles_and_clustering_on_paper(graph, triangles, squares, clustering):
    assert cycle_counts(graph).T.tolist() == [triangles, squares]
    assert clustering_coefficients(graph).tolist() == clustering


def as_networkx(graph):
    other = networkx.Graph()
    other.add_nodes_from(range(graph.num_nodes))
    other.add_edges_from(graph.edge_index.T.tolist())
    return other


@pytest.mark.parametrize("name", ["karate", "cora"])
def test_triangles_and_clustering_agree_with_networkx(name):
    graph = load_graph(name)
    other = as_networkx(graph)
    assert cycle_counts(graph)[:, 0].tolist() == list(networkx.triangles(other).values())
    expected = list(networkx.clustering(other).values())
    assert clustering_coefficients(graph) == pytest.approx(np.array(expected), abs=1e-12)


def test_cycles_of_the_karate_club_agree_with_their_list():
    graph = load_graph("karate")
    counts = np.zeros((34, 2), dtype=int)
    for cycle in networkx.simple_cycles(as_networkx(graph), length_bound=4):
        counts[cycle, len(cycle) - 3] += 1
    assert counts[:, 0].sum() == 3 * 45
    assert cycle_counts(graph).tolist() == counts.tolist()


@pytest.mark.parametrize(
    ("graph", "node", "expected"),
    [
        (PATH, 0, [0, 1 / 2, 0, 1 / 2]),
        (PATH, 1, [0, 1, 0, 1]),
        (COMPLETE, 2, [0, 1 / 3, 2 / 9, 7 / 27]),
        (RING, 3, [0, 1 / 2, 0, 6 / 16, 2 / 32]),
        (STAR, 0, [0, 1, 0]),
        (STAR, 4, [0, 1 / 4]),
        (SQUARE, 5, [0, 0, 0]),
        (RING, 0, [0]),
    ],
)
def test_return_probabilities_on_paper(graph, node, expected):
    assert return_probabilities(graph, len(expected))[node] == pytest.approx(expected, abs=1e-15)


def test_return_probabilities_are_the_diagonals_of_powers(monkeypatch):
    monkeypatch.setattr(structure, "_BLOCK_ENTRIES", 34 * 5)  # several blocks, the last one smaller
    graph = load_graph("karate")
    step = graph.adjacency().toarray() / graph.degrees()[:, None]
    powers = [np.linalg.matrix_power(step, k).diagonal() for k in range(1, 8)]
    assert return_probabilities(graph, 7) == pytest.approx(np.stack(powers, axis=1), abs=1e-12)


def test_blocks_of_common_neighbours_are_the_square_whatever_their_size(monkeypatch):
    graph = load_graph("karate")
    expected = (graph.adjacency() @ graph.adjacency()).toarray()
    counts, pairs = cycle_counts(graph), two_hop_edges(graph, 1000)
    monkeypatch.setattr(structure, "_BLOCK_ENTRIES", 60)
    blocks = list(common_neighbours(graph))
    assert len(blocks) > 5
    assert np.concatenate([block.toarray() for _, block in blocks]).tolist() == expected.tolist()
    assert cycle_counts(graph).tolist() == counts.tolist()
    assert two_hop_edges(graph, 1000).tolist() == pairs.tolist()


def test_what_would_take_minutes_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(structure, "MOST_TWO_STEP_WALKS", 21)
    with pytest.raises(DatasetError, match="means to follow 22 walks of two steps; at most 21"):
        cycle_counts(SQUARE)  # 4 + 4 + 4 + 9 + 1
    monkeypatch.setattr(structure, "MOST_WALK_PRODUCTS", 99)
    with pytest.raises(DatasetError, match="over 5 steps take 100 multiplications; at most 99"):
        return_probabilities(RING, 5)  # two more powers of 10 entries, for 5 nodes


def test_graphs_without_nodes_or_edges_have_no_cycles():
    empty = Graph(np.zeros((0, 1)), np.zeros((2, 0), dtype=int))
    assert cycle_counts(empty).shape == (0, 2)
    assert return_probabilities(empty, 3).shape == (0, 3)
    assert two_hop_edges(empty, 0).shape == (2, 0)
    assert cycle_counts(made_of([], 3)).tolist() == [[0, 0]] * 3
