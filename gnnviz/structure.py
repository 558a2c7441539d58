"""Numbers that the edges alone give each node: cycles, clustering, random walks, and pairs two hops apart.

Exact, from the adjacency, in blocks of bounded memory; what would take too long is refused in words.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.errors import DatasetError
from gnnviz.graph import Graph

MOST_TWO_STEP_WALKS = 1_000_000_000  # some twenty seconds
MOST_WALK_PRODUCTS = 20_000_000_000  # multiplications; some twenty seconds
_BLOCK_ENTRIES = 4_000_000


def cycle_counts(graph: Graph) -> NDArray[np.int64]:
    """Return how many triangles, and how many cycles of 4 nodes, pass through each node [N, 2].

    With c = A^2, so that c_ij counts the common neighbours of i and j: the triangles of i are
    sum_j a_ij c_ij / 2, since each is found from both of its neighbours, and its 4-cycles
    sum_{j != i} c_ij (c_ij - 1) / 2, the ways to choose two common neighbours with the opposite node j.

    Raises:
        DatasetError: more than a billion walks of two steps would have to be followed.

    Reference: Harary & Manvel, Matematicky casopis 1971, for the cycles of a whole graph.
        Differs: counted for each node.
    """
    degree = graph.degrees()
    walks = int(np.square(degree).sum())
    if walks > MOST_TWO_STEP_WALKS:
        raise DatasetError(
            f"counting the cycles of {graph.name} means to follow {walks:,} walks of two steps; at most "
            f"{MOST_TWO_STEP_WALKS:,} are allowed: take a graph without such hubs, or leave cycles out"
        )
    adjacency = graph.adjacency()
    counts = np.zeros((graph.num_nodes, 2), dtype=np.int64)
    for rows, common in common_neighbours(graph):
        counts[rows, 0] = adjacency[rows].multiply(common).sum(axis=1) / 2
        common.data *= (common.data - 1) / 2
        own = degree[rows] * (degree[rows] - 1) / 2  # j = i, where c_ii is the degree
        counts[rows, 1] = common.sum(axis=1) - own
    return counts


def clustering_coefficients(graph: Graph) -> NDArray[np.float64]:
    """Return the share of pairs of a node's neighbours that are joined [N], in 0..1; 0 below two neighbours.

    Raises:
        DatasetError: as `cycle_counts`.

    Reference: Watts & Strogatz, Nature 1998.
    """
    degree = graph.degrees()
    pairs = degree * (degree - 1) / 2
    triangles = cycle_counts(graph)[:, 0]
    return np.divide(triangles, pairs, out=np.zeros(graph.num_nodes), where=pairs > 0)


def return_probabilities(graph: Graph, steps: int) -> NDArray[np.float64]:
    """Return how likely a random walk is back at its start after 1, ..., `steps` steps [N, steps], in 0..1.

    The diagonals of P^k, P = D^-1 A. P^k has the diagonal of S^k, S = D^-1/2 A D^-1/2, which is symmetric:
    diag(S^(a + b))_i is the inner product of the rows i of S^a and S^b, so half the powers are enough.
    An isolated node has 0 everywhere: its walk cannot start.

    Args:
        graph: the edges.
        steps: 1 or more.

    Raises:
        DatasetError: the graph is so large that this would take minutes.

    Reference: Dwivedi et al., ICLR 2022, eq. 8 (random-walk positional encoding).
    """
    powers = steps - steps // 2
    products = graph.edge_index.shape[1] * graph.num_nodes * (powers - 1)
    if products > MOST_WALK_PRODUCTS:
        raise DatasetError(
            f"return probabilities of {graph.name} over {steps} steps take {products:,} multiplications; at "
            f"most {MOST_WALK_PRODUCTS:,} are allowed: choose fewer steps or a smaller graph"
        )
    walk = _symmetric_walk(graph)
    found = np.zeros((graph.num_nodes, steps))
    for rows in _equal_blocks(graph.num_nodes):
        current = walk[:, rows].toarray()  # S^a, columns of the block [N, block]
        found[rows, 0] = current[rows].diagonal()
        for power in range(1, powers + 1):
            if 2 * power <= steps:
                found[rows, 2 * power - 1] = np.einsum("nb,nb->b", current, current)
            if 2 * power + 1 <= steps:
                following = walk @ current
                found[rows, 2 * power] = np.einsum("nb,nb->b", current, following)
                current = following
    return found


def common_neighbours(graph: Graph) -> Iterator[tuple[slice, sparse.csr_array]]:
    """Yield A^2 in blocks of rows: how many neighbours two nodes have in common, and on the diagonal degrees.

    A block has at most four million entries, or one row.
    """
    adjacency = graph.adjacency()
    reached = np.cumsum(adjacency @ graph.degrees().astype(np.float64))  # at most so many entries up to here
    start = 0
    while start < graph.num_nodes:
        before = reached[start - 1] if start else 0.0
        stop = max(start + 1, int(np.searchsorted(reached, before + _BLOCK_ENTRIES, side="right")))
        rows = slice(start, stop)
        yield rows, sparse.csr_array(adjacency[rows] @ adjacency)
        start = stop


def two_hop_edges(graph: Graph, most: int) -> NDArray[np.int64]:
    """Return the pairs of nodes with a common neighbour that no edge joins [2, M], the lower node first.

    Args:
        graph: the edges.
        most: the number of pairs at which to give up.

    Raises:
        DatasetError: there are more than `most`.
    """
    adjacency = graph.adjacency()
    found: list[NDArray[np.int64]] = []
    total = 0
    for rows, common in common_neighbours(graph):
        common.data[:] = 1
        new = sparse.coo_array(common - common.multiply(adjacency[rows]))
        source, target = new.row + rows.start, new.col
        chosen = (source < target) & (new.data > 0)
        found.append(np.stack([source[chosen], target[chosen]]).astype(np.int64))
        total += found[-1].shape[1]
        if total > most:
            raise DatasetError(
                f"joining nodes two hops apart would add more than {most:,} edges to {graph.name}, which has "
                f"{graph.num_edges:,}; take a graph that is smaller or has smaller hubs"
            )
    return np.concatenate(found, axis=1) if found else np.zeros((2, 0), dtype=np.int64)


def _symmetric_walk(graph: Graph) -> sparse.csr_array:
    """Return D^-1/2 A D^-1/2 [N, N], with rows of zeros for isolated nodes."""
    scale = 1 / np.sqrt(np.maximum(graph.degrees(), 1))
    diagonal = sparse.diags_array(scale)
    return sparse.csr_array(diagonal @ graph.adjacency() @ diagonal)


def _equal_blocks(num_nodes: int) -> Iterator[slice]:
    """Yield blocks of rows such that a block by `num_nodes` has at most four million entries."""
    size = max(1, _BLOCK_ENTRIES // max(num_nodes, 1))
    for start in range(0, num_nodes, size):
        yield slice(start, min(start + size, num_nodes))
