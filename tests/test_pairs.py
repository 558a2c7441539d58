"""Pairs of an unsupervised objective: who is far by hand and by search, fair draws, and who has no pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnnviz import far_nodes
from gnnviz.datasets import load_graph
from gnnviz.errors import DatasetError
from gnnviz.far_nodes import FarNodes
from gnnviz.graph import Graph
from gnnviz.objectives import PairConfig
from gnnviz.pairs import PairSampler, SkippedStarts


def graph_of(num_nodes: int, *edges: tuple[int, int], **fields) -> Graph:
    edge_index = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    return Graph(np.ones((num_nodes, 1)), edge_index, name="toy", **fields)


def path_of(num_nodes: int) -> Graph:
    return graph_of(num_nodes, *((node, node + 1) for node in range(num_nodes - 1)))


def scattered(num_nodes: int = 150) -> Graph:
    """Return a graph of some long threads and many nodes on their own; more nodes than bits in two words."""
    rng = np.random.default_rng(4)
    return graph_of(num_nodes, *rng.integers(0, num_nodes, (130, 2)).tolist())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_far_nodes_of_a_path_are_those_more_than_so_many_steps_away():
    drawn = FarNodes(path_of(6), hops=2).draw(np.arange(6), 200, rng())
    assert drawn.has_far.all()
    found = [set(row.tolist()) for row in drawn.nodes]
    assert found == [{3, 4, 5}, {4, 5}, {5}, {0}, {0, 1}, {0, 1, 2}]


@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("hops", [1, 2, 5])
def test_far_nodes_are_exactly_those_that_a_search_from_each_node_does_not_reach(
    monkeypatch, hops, in_blocks
):
    if in_blocks:  # of 64 starts, for nothing is kept
        monkeypatch.setattr(far_nodes, "_KEPT_WORDS", 0)
        monkeypatch.setattr(far_nodes, "_BLOCK_WORDS", 1)
    graph = scattered()
    starts = rng(1).permutation(150)[:140]
    drawn = FarNodes(graph, hops).draw(starts, 3000, rng())
    assert drawn.has_far.all()
    for start, nodes in zip(starts, drawn.nodes, strict=True):
        assert set(nodes) == set(np.flatnonzero(graph.k_hop([start], hops) < 0)), start


def test_every_far_node_is_drawn_equally_often():
    drawn = FarNodes(scattered(), hops=3).draw(np.array([7]), 60_000, rng()).nodes[0]
    counts = np.unique(drawn, return_counts=True)[1]
    expected = len(drawn) / len(counts)
    # the sum of squared deviations, over the expectation, is about the number of nodes less one
    assert np.sum((counts - expected) ** 2) / expected < len(counts) + 5 * np.sqrt(2 * len(counts))


def test_nodes_of_other_components_are_far():
    drawn = FarNodes(graph_of(4, (0, 1), (2, 3)), hops=64).draw(np.arange(4), 50, rng())
    assert [set(row.tolist()) for row in drawn.nodes] == [{2, 3}, {2, 3}, {0, 1}, {0, 1}]


def test_walks_of_one_step_end_at_neighbours_each_equally_often():
    graph = graph_of(7, (0, 1), (0, 2), (0, 3), (3, 4), (4, 5), (5, 6))
    sampler = PairSampler(graph, PairConfig(walks=1000, far_hops=2))
    near = sampler.draw(np.array([0, 6]), rng()).near
    counts = np.bincount(near[0], minlength=7)
    assert counts[[0, 4, 5, 6]].tolist() == [0, 0, 0, 0]
    assert counts[1:4].min() > 333 - 5 * np.sqrt(1000 * 2 / 9)
    assert set(near[1]) == {5}


def test_longer_walks_go_from_neighbour_to_neighbour_and_may_come_back():
    graph = path_of(9)
    near = PairSampler(graph, PairConfig(walks=4, walk_length=3, far_hops=2)).draw(np.arange(9), rng()).near
    assert near.shape == (9, 12)
    steps = near.reshape(9, 3, 4)  # start, step, walk
    before = np.concatenate([np.broadcast_to(np.arange(9)[:, None, None], (9, 1, 4)), steps], axis=1)
    assert (np.abs(np.diff(before, axis=1)) == 1).all()
    assert (near == np.arange(9)[:, None]).any()


def test_nodes_without_a_pair_are_skipped_and_counted():
    # Node 2 is two steps from both ends of the path: it has no far node, but only while no other part exists.
    sampler = PairSampler(path_of(5), PairConfig(far_hops=2))
    pairs = sampler.draw(sampler.starts, rng())
    assert pairs.starts.tolist() == [0, 1, 3, 4]
    assert len(pairs.near) == len(pairs.far) == 4
    assert pairs.skipped == SkippedStarts(starts=5, without_neighbour=0, without_far=1)
    apart = PairSampler(graph_of(6, *((node, node + 1) for node in range(4))), PairConfig(far_hops=2))
    pairs = apart.draw(apart.starts, rng())
    assert pairs.starts.tolist() == [0, 1, 2, 3, 4]
    assert pairs.skipped == SkippedStarts(starts=6, without_neighbour=1, without_far=0)
    assert str(pairs.skipped + SkippedStarts(4, 1, 2)) == (
        "4 of 10 nodes have no pair and were skipped: 2 without a neighbour, 2 without a far node"
    )
    assert str(SkippedStarts(starts=6)) == ""


def test_pairs_are_of_training_nodes_alone_if_asked_to():
    graph = replace(path_of(9), train_mask=np.isin(np.arange(9), [0, 1, 4, 8]))
    sampler = PairSampler(graph, PairConfig(far_hops=2, nodes="training"))
    assert sampler.starts.tolist() == [0, 1, 4, 8]
    pairs = sampler.draw(sampler.starts, rng())
    assert pairs.starts.tolist() == [0, 1]  # 4 and 8 have no training node beside them
    assert set(pairs.near[0]) == {1}
    assert set(pairs.near[1]) <= {0, 1}  # 1 stands for the walks to node 2, which takes no part
    assert set(pairs.far.flat) == {4, 8}
    assert pairs.skipped == SkippedStarts(starts=4, without_neighbour=2, without_far=0)
    assert PairSampler(graph, PairConfig(far_hops=2)).starts.tolist() == list(range(9))


def test_a_generator_decides_the_pairs():
    sampler = PairSampler(scattered(), PairConfig())
    first, second, other = (sampler.draw(sampler.starts, rng(seed)) for seed in (1, 1, 2))
    for name in ("starts", "near", "far"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert (first.near != other.near).any()
    assert (first.far != other.far).any()


def test_the_karate_club_is_too_small_to_have_far_nodes_and_says_so():
    graph = load_graph("karate")
    with pytest.raises(DatasetError, match=r"5 hops away .*largest distance found is 5.* lower far_hops"):
        PairSampler(graph, PairConfig())
    assert len(PairSampler(graph, PairConfig(far_hops=4)).draw(np.arange(34), rng()).starts)


@pytest.mark.parametrize("edges", [[], [(1, 2), (2, 3)]])
def test_starts_without_any_neighbour_are_refused(edges):
    graph = graph_of(4, *edges, train_mask=np.arange(4) == 0)
    with pytest.raises(DatasetError, match="no node of toy from which pairs start has a neighbour"):
        PairSampler(graph, PairConfig(nodes="training"))


def test_a_graph_of_many_nodes_is_asked_in_samples(monkeypatch):
    monkeypatch.setattr(far_nodes, "_KEPT_WORDS", 0)
    hub = graph_of(5000, *((0, node) for node in range(1, 5000)))
    with pytest.raises(DatasetError, match="largest distance found is 2"):
        PairSampler(hub, PairConfig())
