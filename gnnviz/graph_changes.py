"""Changed graphs: fewer or more edges, a node joined to all, and more features.

Each function makes a graph from a graph and leaves labels, masks, names and the counts of cleaning
right. Numbers that are appended to the features are in units of their own. Knows no dataset and no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.graph import UNLABELLED, Features, Graph, shape_of
from gnnviz.structure import clustering_coefficients, cycle_counts, return_probabilities, two_hop_edges

MOST_VIRTUAL_EDGES = 5_000_000
MOST_DENSE_VALUES = 50_000_000  # of a table of features, 200 MB; beyond, identities make it sparse
VIRTUAL_NODE = "virtual node"


def with_virtual_edges(graph: Graph) -> Graph:
    """Return the graph with nodes two hops apart joined, so that the edges are those of A + A^2.

    Raises:
        DatasetError: that would add more than `MOST_VIRTUAL_EDGES` undirected edges.
    """
    new = two_hop_edges(graph, MOST_VIRTUAL_EDGES)
    return replace(graph, edge_index=np.concatenate([graph.edge_index, new, new[::-1]], axis=1))


def with_virtual_node(graph: Graph) -> Graph:
    """Return the graph with one more node, the last, joined to all others.

    It has features of zeros, no label and no part in the split; where nodes have names, a name, too.

    Reference: Gilmer et al., ICML 2017, section 5.2 (master node).
    """
    hub = graph.num_nodes
    spokes = np.stack([np.arange(hub), np.full(hub, hub)])
    masks = {
        field: np.append(mask, False)
        for field in ("train_mask", "val_mask", "test_mask")
        if (mask := getattr(graph, field)) is not None
    }
    return replace(
        graph,
        x=_with_empty_row(graph.x),
        edge_index=np.concatenate([graph.edge_index, spokes, spokes[::-1]], axis=1),
        y=None if graph.y is None else np.append(graph.y, UNLABELLED),
        node_names=(*graph.node_names, _new_name(graph.node_names)) if graph.node_names else (),
        **masks,
    )


def _with_empty_row(x: Features) -> Features:
    if isinstance(x, np.ndarray):
        return np.concatenate([x, np.zeros((1, x.shape[1]), dtype=np.float32)])
    return sparse.csr_array(sparse.vstack([x, sparse.csr_array((1, shape_of(x)[1]), dtype=np.float32)]))


def _new_name(taken: Sequence[str]) -> str:
    """Return "virtual node", or the first of "virtual node 2", ... that no node has."""
    name, number = VIRTUAL_NODE, 1
    while name in taken:
        number += 1
        name = f"{VIRTUAL_NODE} {number}"
    return name


def without_edges(graph: Graph, share: float, seed: int) -> Graph:
    """Return the graph without a share of its undirected edges.

    Args:
        graph: whose edges.
        share: of the edges that go, in 0..1.
        seed: decides which; with one seed, a larger share leaves out the same edges and more.
    """
    dropped = round(share * graph.num_edges)
    once = graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]]
    order = np.random.default_rng(seed).permutation(once.shape[1])
    kept = once[:, order[dropped:]]
    return replace(graph, edge_index=np.concatenate([kept, kept[::-1]], axis=1))


def with_constant(graph: Graph) -> Graph:
    """Return the graph with a feature that is 1 at every node."""
    return _appended(graph, np.ones((graph.num_nodes, 1)))


def with_identities(graph: Graph) -> Graph:
    """Return the graph with N features more, each 1 at one node alone; not inductive.

    Dense features stay dense while the table holds at most `MOST_DENSE_VALUES`; a larger one becomes sparse.
    """
    return _appended(graph, sparse.csr_array(sparse.eye_array(graph.num_nodes)))


def with_degrees(graph: Graph) -> Graph:
    """Return the graph with the feature log(1 + number of neighbours)."""
    return _appended(graph, np.log1p(graph.degrees())[:, None])


def with_clustering(graph: Graph) -> Graph:
    """Return the graph with each node's clustering coefficient as a feature; see `gnnviz.structure`."""
    return _appended(graph, clustering_coefficients(graph)[:, None])


def with_cycles(graph: Graph) -> Graph:
    """Return the graph with log(1 + number) of each node's triangles and 4-cycles as two features.

    The numbers themselves, from `gnnviz.structure.cycle_counts`, reach tens of thousands at hubs.
    """
    return _appended(graph, np.log1p(cycle_counts(graph)))


def with_return_probabilities(graph: Graph, steps: int) -> Graph:
    """Return the graph with diag(P^k), k = 1..`steps`, as features; see `gnnviz.structure`."""
    return _appended(graph, return_probabilities(graph, steps))


def _appended(graph: Graph, columns: NDArray[np.floating] | sparse.csr_array) -> Graph:
    """Return the graph with more features [N, M]; sparse ones stay sparse."""
    x = graph.x
    values = graph.num_nodes * (graph.num_features + shape_of(columns)[1])
    if isinstance(x, np.ndarray) and (isinstance(columns, np.ndarray) or values <= MOST_DENSE_VALUES):
        dense = columns if isinstance(columns, np.ndarray) else columns.toarray()
        return replace(graph, x=np.concatenate([x, dense.astype(np.float32)], axis=1))
    parts = [sparse.csr_array(part, dtype=np.float32) for part in (x, columns)]
    return replace(graph, x=sparse.csr_array(sparse.hstack(parts)))
