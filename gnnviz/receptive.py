"""Receptive fields: which nodes are within k hops, how many they are, how much two fields overlap.

A layer lets a node see one hop further, so the field of a node after k layers is its ball of k hops.
Knows graphs only: the same for every model and every weight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnnviz.errors import DatasetError
from gnnviz.graph import Graph

BLOCK_BYTES = 2**21  # of one hop's sets, so that they stay in the cache whatever N is
WORD = 8  # bytes; sets are padded to whole words, which the machine joins at once


def balls(graph: Graph, starts: NDArray[np.int64], max_hops: int) -> Iterator[NDArray[np.uint8]]:
    """Yield, for k = 0 .. `max_hops`, which of the starts are within k hops of each node.

    Each is [N, bytes], one bit a start along axis 1 as `np.packbits` lays them out, padded with zeros:
    `np.unpackbits(..., axis=1, count=S)` is [N, S], and its column s is the ball around start s, itself
    included. Memory grows with S x (N + E): give few starts at a time (`start_blocks`).

    Args:
        graph: the graph.
        starts: node ids [S].
        max_hops: the largest k, 0 or more.
    """
    num_bytes = -(-len(starts) // (8 * WORD)) * WORD
    member = np.zeros((graph.num_nodes, 8 * num_bytes), dtype=bool)
    member[starts, np.arange(len(starts))] = True
    reached = np.packbits(member, axis=1).view(np.uint64)  # [N, words]
    source, target = graph.edge_index
    has_neighbours, first_edge = np.unique(target, return_index=True)  # edges are sorted by target
    for hop in range(max_hops + 1):
        if hop and len(source):
            arriving = np.bitwise_or.reduceat(reached[source], first_edge, axis=0)
            reached[has_neighbours] |= arriving
        yield reached.view(np.uint8).copy()


def start_blocks(graph: Graph, nodes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield `nodes` in pieces whose `balls` take a few MB a hop."""
    size = max(64, BLOCK_BYTES // (graph.num_nodes + graph.edge_index.shape[1] // 8 + 1))
    for first in range(0, len(nodes), size):
        yield nodes[first : first + size]


def sample_nodes(graph: Graph, at_most: int = 3000, seed: int = 0) -> NDArray[np.int64]:
    """Return all nodes if there are no more than `at_most`, else a uniform sample of them, ascending.

    For `ball_sizes` of a large graph, where all nodes take N^2 bits a hop. Whoever shows the result says
    "a sample of n nodes" when the answer is shorter than the graph.
    """
    if graph.num_nodes <= at_most:
        return np.arange(graph.num_nodes, dtype=np.int64)
    drawn = np.random.default_rng(seed).choice(graph.num_nodes, size=at_most, replace=False)
    return np.sort(drawn).astype(np.int64)


def ball_sizes(graph: Graph, max_hops: int, nodes: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the share of the graph's nodes that each node reaches within k hops [K + 1, n].

    Exact. Row k is k hops; row 0 is 1 / N; in (0, 1]. A node reaches itself.

    Args:
        graph: the graph, with 1 node or more.
        max_hops: K, 0 or more.
        nodes: node ids [n]; all nodes if None (see `sample_nodes` for large graphs).

    Raises:
        DatasetError: a node that does not exist, or fewer than 0 hops.
    """
    chosen = _checked_nodes(graph, np.arange(graph.num_nodes) if nodes is None else nodes)
    _check_hops(max_hops)
    sizes = np.empty((max_hops + 1, len(chosen)))
    done = 0
    for starts in start_blocks(graph, chosen):
        piece = slice(done, done + len(starts))
        for hop, members in enumerate(balls(graph, starts, max_hops)):
            sizes[hop, piece] = np.unpackbits(members, axis=1, count=len(starts)).sum(axis=0)
        done += len(starts)
    return sizes / graph.num_nodes


def overlap(graph: Graph, a: ArrayLike, b: ArrayLike, max_hops: int) -> NDArray[np.float64]:
    """Return how much of two nodes' receptive fields they share: |A and B| / |A or B|, for each hop.

    Args:
        graph: the graph.
        a: one node id, or several of any shape.
        b: the other ends, of the same shape as `a`.
        max_hops: K, 0 or more.

    Returns:
        Jaccard index [K + 1, *shape of a], in 0..1; 1 when both see the same nodes.

    Raises:
        DatasetError: a node that does not exist, shapes that differ, or fewer than 0 hops.
    """
    first, second = _checked_nodes(graph, a), _checked_nodes(graph, b)
    _check_hops(max_hops)
    if first.shape != second.shape:
        raise DatasetError(f"pairs of nodes have shapes {first.shape} and {second.shape}; give equal ones")
    ends = np.stack([first.ravel(), second.ravel()], axis=1)  # [P, 2]
    pieces = [_pair_overlap(graph, piece, max_hops) for piece in _pair_blocks(graph, ends)]
    return np.concatenate(pieces, axis=1).reshape(max_hops + 1, *first.shape)


def _pair_blocks(graph: Graph, ends: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the pairs [P, 2] in pieces; one empty piece if there are none."""
    size = max(8, BLOCK_BYTES // (2 * graph.num_nodes + graph.edge_index.shape[1] // 4 + 1))
    for first in range(0, max(1, len(ends)), size):
        yield ends[first : first + size]


def _pair_overlap(graph: Graph, ends: NDArray[np.int64], max_hops: int) -> NDArray[np.float64]:
    starts, position = np.unique(ends, return_inverse=True)
    left, right = position.reshape(ends.shape).T
    shares = np.empty((max_hops + 1, len(ends)))
    for hop, members in enumerate(balls(graph, starts, max_hops)):
        by_start = np.packbits(np.unpackbits(members, axis=1, count=len(starts)).T, axis=1)  # [S, N / 8]
        both = np.bitwise_count(by_start[left] & by_start[right]).sum(axis=1)
        either = np.bitwise_count(by_start[left] | by_start[right]).sum(axis=1)
        shares[hop] = both / either
    return shares


def _checked_nodes(graph: Graph, nodes: ArrayLike) -> NDArray[np.int64]:
    ids = np.asarray(nodes)
    if ids.size and not np.issubdtype(ids.dtype, np.integer):
        raise DatasetError(f"node ids are of type {ids.dtype}; give whole numbers")
    if ids.size and (ids.min() < 0 or ids.max() >= graph.num_nodes):
        raise DatasetError(
            f"got nodes {ids.min()} to {ids.max()}; the graph has nodes 0 to {graph.num_nodes - 1}"
        )
    return ids.astype(np.int64)


def _check_hops(max_hops: int) -> None:
    if max_hops < 0:
        raise DatasetError(f"got {max_hops} hops; choose 0 or more")
