"""What a projection cannot show: the cosines of all pairs of nodes, and how pure neighbourhoods are.

Stands beside every picture of a hidden state. Numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.graph import UNLABELLED
from gnnviz.rows import Matrix, MeasureUndefined, State, as_state, blocks, distance_blocks, unit_rows

EXACT_NODES = 3000


@dataclass(frozen=True, slots=True, eq=False)
class CosineHistogram:
    """How many pairs of nodes have which cosine.

    Attributes:
        edges: borders of the bins [bins + 1], from -1 to 1; a bin holds its left border, the last both.
        counts: pairs of different live rows in each bin [bins], int64.
        dead: rows that are all zero, and so are in no pair.
        nodes_used: live rows that were paired.
        nodes_live: live rows there are; more than `nodes_used` if the pairs are those of a sample.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    dead: int
    nodes_used: int
    nodes_live: int


def cosine_histogram(
    h: State, bins: int = 40, *, at_most: int = EXACT_NODES, seed: int = 0
) -> CosineHistogram:
    """Return the histogram of the cosine of every two nodes' rows.

    Args:
        h: one row for each node [N, d].
        bins: number of bins, 1 or more.
        at_most: with more live rows than this, a uniform sample of so many is paired.
        seed: decides the sample.

    Returns:
        Exact counts, or those of the sample; all zero with fewer than two live rows.

    Raises:
        ConfigError: fewer than one bin.
        MeasureUndefined: `h` is empty, or holds values that are NaN or infinite.
    """
    if bins < 1:
        raise ConfigError(f"got {bins} bins; choose 1 or more")
    rows, live = unit_rows(as_state(h))
    rows = rows[live]
    num_live = len(rows)
    if num_live > at_most:
        rows = rows[np.random.default_rng(seed).choice(num_live, size=at_most, replace=False)]
    return CosineHistogram(
        edges=np.linspace(-1.0, 1.0, bins + 1),
        counts=_count_cosines(rows, bins),
        dead=len(live) - num_live,
        nodes_used=len(rows),
        nodes_live=num_live,
    )


def knn_purity(h: State, y: NDArray[np.integer], k: int = 10) -> float:
    """Return the mean share of a node's `k` nearest others that are of its class, in 0..1.

    Nodes without a label are left out: they neither ask nor are among the nearest of others.
    Nodes at the same distance as the k-th nearest share the places that are left, so the answer does not
    depend on the order of nodes; when all rows are equal it is that of chance.

    Args:
        h: one row for each node [N, d]; distances are Euclidean.
        y: class of each node [N], or `UNLABELLED`.
        k: 1 to the number of labelled nodes - 1.

    Raises:
        MeasureUndefined: `k` is not in its range, or `h` is empty, or holds NaN or infinite values.
        ValueError: `y` does not have one class for each row.
    """
    state, labels = as_state(h), np.asarray(y)
    if labels.shape != (len(state),):
        raise ValueError(f"labels have shape {labels.shape}; the hidden state has {len(state)} rows")
    state, labels = state[labels != UNLABELLED], labels[labels != UNLABELLED]
    if not 1 <= k < len(state):
        raise MeasureUndefined(
            f"{k} nearest others of {len(state)} labelled nodes; choose from 1 to {len(state) - 1}"
        )
    total = 0.0
    for block, distance in distance_blocks(state):
        same = labels[block, None] == labels
        position = np.arange(block.start, block.stop)
        distance[np.arange(len(distance)), position] = np.inf  # a node is not its own neighbour
        border = np.partition(distance, k - 1, axis=1)[:, [k - 1]]
        nearer, tied = distance < border, distance == border
        places = k - nearer.sum(axis=1)
        shared = (tied & same).sum(axis=1) / tied.sum(axis=1)
        total += float(np.sum((nearer & same).sum(axis=1) + places * shared))
    return total / (k * len(state))


def _count_cosines(rows: Matrix, bins: int) -> NDArray[np.int64]:
    """Return the counts of cosines of pairs i < j of unit rows in equal bins over [-1, 1]."""
    counts = np.zeros(bins, dtype=np.int64)
    for block in blocks(len(rows), len(rows)):
        cosines = rows[block] @ rows[block.start :].T
        upper = cosines[np.triu_indices(len(cosines), 1, cosines.shape[1])]
        place = ((upper + 1.0) * (bins / 2)).astype(np.int64)  # rounding may leave [-1, 1] by 1e-16
        counts += np.bincount(place.clip(0, bins - 1), minlength=bins)
    return counts
