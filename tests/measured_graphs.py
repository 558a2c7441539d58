"""Small graphs whose measures can be worked out on paper, and what is known about them."""

import math

import numpy as np

from gnnviz.errors import GnnvizError
from gnnviz.graph import Graph
from gnnviz.smoothing import METRICS

SHAPES = {
    "path": [(0, 1), (1, 2)],
    "complete": [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)],
    "cycle": [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)],
    "star": [(0, 1), (0, 2), (0, 3)],
}
SIZES = {"path": 3, "complete": 4, "cycle": 6, "star": 4}
EIGENVALUES = {
    "path": [-1 / 6, 1 / 2, 1],
    "complete": [0, 0, 0, 1],
    "cycle": [-1 / 3, 0, 0, 2 / 3, 2 / 3, 1],
    "star": [-1 / 4, 1 / 2, 1 / 2, 1],
}
SCALE_FREE = [
    "rayleigh_sym",
    "rayleigh_rw",
    "rayleigh_sum",
    "subspace_distance_relative",
    "mad",
    "mad_all",
    "mad_gap",
    "edge_cosine",
    "mean_cosine",
    "smv",
    "col_diff",
    "group_distance_ratio",
    "instance_information_gain",
    "effective_rank",
    "stable_rank",
    "rank_one_distance",
    "dead_rows",
]
LINEAR_IN_SCALE = ["subspace_distance", "row_diff"]
SQUARE_IN_SCALE = ["dirichlet_sym", "dirichlet_rusch", "norm"]
BOUND_TO_CHANNELS = ["col_diff", "instance_information_gain", "rank_one_distance"]  # they read single columns


def make_graph(edges, num_nodes, y=None, x=None):
    edge_index = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    features = np.ones((num_nodes, 1)) if x is None else x
    return Graph(x=features, edge_index=edge_index, y=None if y is None else np.array(y))


def shape(name, **fields):
    return make_graph(SHAPES[name], SIZES[name], **fields)


def column(*values):
    return np.array(values, dtype=float)[:, None]


def gcn_operator(graph):
    tilde = graph.adjacency().toarray() + np.eye(graph.num_nodes)
    weight = 1 / np.sqrt(tilde.sum(axis=1))
    return weight[:, None] * tilde * weight


def caterpillar(seed=0):
    """A path of 30 nodes with 20 more hung on at random, labelled, with features: 50 nodes, long ways."""
    generator = np.random.default_rng(seed)
    edges = [(i, i + 1) for i in range(29)] + [(30 + i, int(generator.integers(30))) for i in range(20)]
    y = generator.integers(0, 3, 50)
    return make_graph(edges, 50, y=y, x=generator.random((50, 7)))


def is_finite_or_explained(key, h, graph):
    try:
        return math.isfinite(METRICS[key](h, graph))
    except GnnvizError as error:
        return len(str(error)) > 20
