"""Measures of over-smoothing over all pairs of nodes, in blocks of about 8 MiB whatever N is.

Each takes a checked hidden state [N, d] in float64 and its graph, and takes O(N^2 d) time: a tenth of
a second at 2,700 nodes, some ten seconds at 20,000.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.graph import Graph
from gnnviz.receptive import balls, start_blocks
from gnnviz.rows import (
    Matrix,
    MeasureUndefined,
    as_state,
    balanced,
    binary_exponent,
    blocks,
    centred,
    distance_blocks,
    unit_rows,
)
from gnnviz.smoothing_matrix import live_unit_rows

NEAR_HOPS = 3
REMOTE_HOPS = 8
KERNEL_VARIANCE = 0.1


def mad_gap(h: Matrix, graph: Graph) -> float:
    """Return MAD over remote pairs (8 hops or more apart) minus MAD over near ones (1 to 3 hops), in -2..2.

    Pairs in different components have no distance in hops and count as neither.

    Raises:
        MeasureUndefined: no two live rows are near, or none are remote.

    Reference: Chen et al., AAAI 2020, eq. 5.
    Differs: dead rows and unreachable pairs are left out; see `gnnviz.smoothing_edges.mad`.
    """
    rows, live = unit_rows(h)
    spread = _live_spread(rows, live)
    component = graph.components()
    near, remote = [], []
    for starts in start_blocks(graph, np.flatnonzero(live)):
        reached = list(balls(graph, starts, REMOTE_HOPS - 1))
        close = np.unpackbits(reached[NEAR_HOPS], axis=1, count=len(starts)).astype(bool)  # [N, S]
        known = np.unpackbits(reached[-1], axis=1, count=len(starts)).astype(bool)
        far = (component[:, None] == component[starts]) & ~known
        close[starts, np.arange(len(starts))] = False
        near.append(_row_distances(spread, starts, close & live[:, None]))
        remote.append(_row_distances(spread, starts, far & live[:, None]))
    return _mean_of_rows(remote, f"{REMOTE_HOPS} or more hops apart", graph) - _mean_of_rows(
        near, f"within {NEAR_HOPS} hops of each other", graph
    )


def row_diff(h: Matrix, _graph: Graph) -> float:
    """Return the mean distance of two rows over all N^2 pairs (each with itself too), 0 or more.

    Reference: Zhao & Akoglu, ICLR 2020 (row-diff).
    """
    total = sum(float(distance.sum()) for _, distance in distance_blocks(balanced(h)))
    return float(np.ldexp(total / len(h) ** 2, binary_exponent(h)))


def smv(h: Matrix, _graph: Graph) -> float:
    """Return half the mean distance of two different live rows, both at length 1, in 0..1.

    Raises:
        MeasureUndefined: fewer than two live rows.

    Reference: Liu, Gao & Ji, KDD 2020 (smoothness metric value).
    Differs: dead rows are left out.
    """
    rows = live_unit_rows(h)
    total = sum(float(distance.sum()) for _, distance in distance_blocks(rows))
    return 0.5 * total / (len(rows) * (len(rows) - 1))


def group_distance_ratio(h: Matrix, graph: Graph) -> float:
    """Return the mean distance of two classes over the mean distance within a class, 0 or more.

    Distances are averaged within each pair of classes, then over pairs; classes without nodes, and nodes
    without a label, are left out. 1 for noise; 1 by definition when all rows are equal.

    Raises:
        MeasureUndefined: no labels, fewer than two classes, no class with two nodes, or classes whose
            rows are all equal although the classes differ (the ratio is infinite).

    Reference: Zhou et al., NeurIPS 2020 (group distance ratio).
    Differs: the mean over pairs of classes divides by their number C (C - 1), so that noise reads 1,
        where the printed factor gives C / (C - 1); a node's distance 0 from itself is not counted.
    """
    member = _class_members(graph)
    rows = balanced(h[graph.labelled])
    total = np.zeros((member.shape[1], member.shape[1]))
    for block, distance in distance_blocks(rows):
        total += member[block].T @ (distance @ member)
    size = member.sum(axis=0)
    if not (size > 1).any():
        raise MeasureUndefined("every class has one node, so there is no distance within a class")
    different = ~np.eye(len(size), dtype=bool)
    between = float(np.mean((total / np.outer(size, size))[different]))
    classes = [rows[column > 0] for column in member.T]
    within = float(np.mean([_mean_distance(each) for each in classes if len(each) > 1]))
    if within == 0 and between == 0:
        return 1.0
    if within == 0:
        raise MeasureUndefined("the nodes of each class have equal rows: the ratio is infinite")
    return between / within


def instance_information_gain(h: Matrix, graph: Graph) -> float:
    """Return how many bits the largest channel of a node tells about its features, 0 or more.

    The features' entropy is estimated by a Gaussian kernel on rows of length 1 (variance 0.1), once over
    all nodes and once within the nodes that share their largest channel; dead rows form a group too.

    Raises:
        MeasureUndefined: the nodes have no features.

    Reference: Zhou et al., NeurIPS 2020 (instance information gain); the estimator is that of
        Kolchinsky & Tracey, Entropy 2017.
    """
    if not graph.num_features:
        raise MeasureUndefined(f"{graph.name} has no features for a hidden state to tell of")
    group = np.where(h.any(axis=1), h.argmax(axis=1), h.shape[1])
    _, group, size = np.unique(group, return_inverse=True, return_counts=True)
    member = np.eye(len(size))[group]  # [N, groups]
    features = sparse.csr_array(unit_rows(as_state(graph.x))[0])
    squares = features.multiply(features).sum(axis=1)
    bits = np.empty(graph.num_nodes)
    for block in blocks(graph.num_nodes, graph.num_nodes):
        inner = (features[block] @ features.T).toarray()
        squared = np.maximum(squares[block, None] + squares - 2 * inner, 0.0)
        density = np.exp(squared / (-2 * KERNEL_VARIANCE)) @ member  # [block, groups]
        own = density[np.arange(len(density)), group[block]]
        bits[block] = np.log2((own / size[group[block]]) / (density.sum(axis=1) / graph.num_nodes))
    return float(bits.mean())


def _mean_distance(rows: Matrix) -> float:
    """Return the mean distance of two different rows of a class.

    By itself, for rounding counts beside the rows' distance from their own mean: a narrow class far from the
    others keeps its digits.
    """
    total = sum(float(distance.sum()) for _, distance in distance_blocks(rows))
    return total / (len(rows) * (len(rows) - 1))


def _live_spread(rows: Matrix, live: NDArray[np.bool_]) -> Matrix:
    """Return live rows minus their mean [N, d], dead ones 0: they would move the mean and cost digits."""
    spread = np.zeros_like(rows)
    if live.any():
        spread[live] = centred(rows[live])
    return spread


def _row_distances(spread: Matrix, starts: NDArray[np.int64], mask: NDArray[np.bool_]) -> Matrix:
    """Return, for each start with a pair in `mask` [N, S], the mean of 1 - cos over its pairs."""
    count = mask.sum(axis=0)
    weights = mask.T.astype(np.float64)
    squares = np.einsum("nd,nd->n", spread, spread)
    cross = np.einsum("sd,sd->s", spread[starts], weights @ spread)
    total = count * squares[starts] + weights @ squares - 2 * cross  # sum of |u_i - u_j|^2 = 2 (1 - cos)
    return 0.5 * np.maximum(total[count > 0], 0.0) / count[count > 0]


def _mean_of_rows(pieces: list[Matrix], which: str, graph: Graph) -> float:
    means = np.concatenate(pieces) if pieces else np.zeros(0)
    if not len(means):
        raise MeasureUndefined(f"no two live rows of {graph.name} are {which} in one component")
    return float(means.mean())


def _class_members(graph: Graph) -> Matrix:
    """Return which class a labelled node is in, as ones [labelled, C], C 2 or more, without empty classes."""
    if graph.y is None:
        raise MeasureUndefined(f"{graph.name} has no labels to group its nodes by")
    classes, group = np.unique(graph.y[graph.labelled], return_inverse=True)
    if len(classes) < 2:
        raise MeasureUndefined(f"{graph.name} has {len(classes)} class; two are needed to compare")
    return np.eye(len(classes))[group]
