"""The contextual block model: sizes, homophily and signal are what was asked for, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gnnviz.block_model import contextual_block_model
from gnnviz.errors import DatasetError


@pytest.mark.parametrize("homophily", [0.0, 0.05, 0.5, 0.9, 1.0])
def test_homophily_and_edges_are_within_what_chance_allows(homophily):
    found = [contextual_block_model(600, 3000, 4, 3, homophily, seed=seed) for seed in range(5)]
    edges = np.array([graph.num_edges for graph in found])
    # Numbers of edges are binomial: four standard deviations, sqrt(3000) each, are 220.
    assert np.abs(edges - 3000).max() < 220
    band = 4 * np.sqrt(homophily * (1 - homophily) / 3000) + 1e-12
    assert max(abs(graph.homophily() - homophily) for graph in found) < band
    assert all(graph.cleaning.duplicates == graph.cleaning.one_way == 0 for graph in found)


def test_classes_are_as_equal_as_can_be_and_in_no_order():
    y = contextual_block_model(1001, 10, 2, 4).y
    assert y is not None
    assert np.bincount(y).tolist() == [251, 250, 250, 250]
    assert 0.2 < np.mean(y[1:] == y[:-1]) < 0.3


def test_every_pair_of_a_class_is_as_likely_as_any_other():
    # Two classes of 3 nodes: 6 pairs within, 9 between; over 400 graphs each pair is an edge in about half.
    counts = np.zeros((6, 6))
    for seed in range(400):
        graph = contextual_block_model(6, 8, 1, 2, homophily=3 / 8, seed=seed)
        order = np.argsort(graph.y, kind="stable")
        counts += graph.adjacency().toarray()[np.ix_(order, order)]
    within = counts[:3, :3][np.triu_indices(3, 1)].tolist() + counts[3:, 3:][np.triu_indices(3, 1)].tolist()
    assert np.abs(np.array(within) / 400 - 3 / 6).max() < 0.1  # four standard deviations
    assert np.abs(counts[:3, 3:] / 400 - 5 / 9).max() < 0.1


def test_all_pairs_can_be_asked_for():
    assert contextual_block_model(7, 9, 1, 2, homophily=1.0).num_edges == 9  # K4 and K3
    assert contextual_block_model(7, 12, 1, 2, homophily=0.0).num_edges == 12  # K4,3


def test_features_are_class_means_of_the_length_of_the_signal_in_noise_of_one():
    graph = contextual_block_model(20_000, 10, 8, 4, signal=3.0)
    assert isinstance(graph.x, np.ndarray)
    assert graph.x.dtype == np.float32
    means = np.stack([graph.x[graph.y == label].mean(axis=0) for label in range(4)])
    assert np.linalg.norm(means, axis=1) == pytest.approx(np.full(4, 3.0), abs=0.1)
    noise = graph.x - means[graph.y]
    assert noise.std(axis=0) == pytest.approx(np.ones(8), abs=0.03)
    silent = contextual_block_model(20_000, 10, 8, 4, signal=0.0).x
    assert np.abs(silent.mean(axis=0)).max() < 0.03


def test_a_seed_gives_the_same_graph_again_and_another_seed_another():
    first, again, other = (contextual_block_model(100, 300, 3, seed=seed) for seed in (3, 3, 4))
    assert first.x.tolist() == again.x.tolist() != other.x.tolist()
    assert first.edge_index.tolist() == again.edge_index.tolist() != other.edge_index.tolist()
    assert first.y.tolist() == again.y.tolist() != other.y.tolist()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"num_classes": 1}, "got 100 nodes in 1 classes; choose two classes and a node in each"),
        ({"num_classes": 101}, "got 100 nodes in 101 classes"),
        ({"num_edges": -1}, "got -1 edges and 4 features"),
        ({"num_features": 0}, "got 10 edges and 0 features"),
        ({"homophily": 1.1}, r"homophily is 1\.1"),
        ({"homophily": float("nan")}, "homophily is nan"),
        ({"signal": -1.0}, r"signal -1\.0"),
        ({"signal": float("inf")}, "signal inf"),
        ({"num_edges": 5000}, r"4,000 edges within a class were asked for, but there are 950 pairs of nodes"),
        ({"num_edges": 5000, "homophily": 0.0}, "5,000 edges between classes .* 4,000 pairs of nodes"),
    ],
)
def test_what_no_graph_can_be_is_refused_in_words(values, sentence):
    with pytest.raises(DatasetError, match=sentence):
        contextual_block_model(**{"num_nodes": 100, "num_edges": 10, "num_features": 4, **values})
