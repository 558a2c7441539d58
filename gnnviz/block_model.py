"""Graphs made to order: the contextual stochastic block model, with homophily and signal as dials.

Knows numpy and `Graph`; everything random comes from the seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import DatasetError
from gnnviz.graph import Graph

_STREAM = 1  # keeps these numbers apart from those of other uses of the same seed, such as a split
_ROWS = 8192  # features are shifted in blocks, so that no second table is needed


def contextual_block_model(
    num_nodes: int,
    num_edges: int,
    num_features: int,
    num_classes: int = 5,
    homophily: float = 0.8,
    signal: float = 1.0,
    seed: int = 0,
) -> Graph:
    """Return a random graph whose edges and features both tell of the classes, as loudly as asked for.

    Classes are as equal in size as can be. Every pair of nodes of one class is joined with one probability,
    every pair of two classes with another; a node's features are `signal` times the mean of its class, a
    random unit vector, plus a standard Gaussian in each feature.

    Args:
        num_nodes: N, at least num_classes.
        num_edges: undirected edges to expect; a graph has more or fewer by about the square root.
        num_features: F, 1 or more.
        num_classes: 2 or more.
        homophily: expected share of edges within a class, 0 to 1; 1 / num_classes is about chance.
        signal: length of the class means, 0 or more; two of them are about 1.4 `signal` apart.
        seed: 0 or more; decides everything.

    Returns:
        A graph with dense features, labels and no split.

    Raises:
        DatasetError: sizes or shares that no such graph has.

    Reference: Deshpande, Sen, Montanari & Mossel, NeurIPS 2018.
        Differs: any number of classes; noise of variance 1, not 1 / F, in each feature.
    """
    _check(num_nodes, num_edges, num_features, num_classes, homophily, signal)
    random = np.random.default_rng((seed, _STREAM))
    y = random.permutation(np.arange(num_nodes) % num_classes)
    return Graph(
        edge_index=_edges(random, y, num_edges, homophily),
        x=_features(random, y, num_features, num_classes, signal),
        y=y,
        name="Block model",
    )


def _edges(
    random: np.random.Generator, y: NDArray[np.int64], num_edges: int, homophily: float
) -> NDArray[np.int64]:
    """Return both directions of every edge [2, E]."""
    members = np.argsort(y, kind="stable")  # class by class
    sizes = np.bincount(y)
    first = np.cumsum(sizes) - sizes
    within = _pairs_within(random, sizes, homophily * num_edges)
    between = _pairs_between(random, sizes, (1 - homophily) * num_edges)
    places = np.concatenate([first[classes] + place for classes, place in (within, between)], axis=1)
    edges = members[places]
    return np.concatenate([edges, edges[::-1]], axis=1)


def _pairs_within(
    random: np.random.Generator, sizes: NDArray[np.int64], expected: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the classes [2, M] and the places in them [2, M] of pairs of nodes of one class."""
    per_class = sizes * (sizes - 1) // 2
    chosen = _choose(random, int(per_class.sum()), expected, "within a class")
    ends = np.cumsum(per_class)
    group = np.searchsorted(ends, chosen, side="right")
    rank = chosen - (ends - per_class)[group]
    # Pairs (high, low) in the order (1, 0), (2, 0), (2, 1), ...: high is where high (high - 1) / 2 fits in.
    high = ((1 + np.sqrt(1 + 8 * rank)) / 2).astype(np.int64)
    high -= high * (high - 1) // 2 > rank  # a root that was rounded up
    low = rank - high * (high - 1) // 2
    return np.stack([group, group]), np.stack([high, low])


def _pairs_between(
    random: np.random.Generator, sizes: NDArray[np.int64], expected: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the classes [2, M] and the places in them [2, M] of pairs of nodes of two classes."""
    classes = np.stack(np.triu_indices(len(sizes), 1))  # [2, pairs of classes]
    per_pair = sizes[classes[0]] * sizes[classes[1]]
    chosen = _choose(random, int(per_pair.sum()), expected, "between classes")
    ends = np.cumsum(per_pair)
    which = np.searchsorted(ends, chosen, side="right")
    rank = chosen - (ends - per_pair)[which]
    pair = classes[:, which]
    return pair, np.stack(np.divmod(rank, sizes[pair[1]]))


def _choose(random: np.random.Generator, pairs: int, expected: float, where: str) -> NDArray[np.int64]:
    """Return which of so many pairs are joined, each with the probability that makes `expected` of them."""
    if expected > pairs:
        raise DatasetError(
            f"{expected:,.0f} edges {where} were asked for, but there are {pairs:,} pairs of nodes; "
            "choose fewer edges, more nodes or another homophily"
        )
    number = int(random.binomial(pairs, expected / pairs)) if pairs else 0
    return random.choice(pairs, number, replace=False, shuffle=False) if number else np.zeros(0, np.int64)


def _features(
    random: np.random.Generator, y: NDArray[np.int64], num_features: int, num_classes: int, signal: float
) -> NDArray[np.float32]:
    """Return the features [N, F], an array that nobody may write to, so that a graph does not copy it."""
    means = random.standard_normal((num_classes, num_features))
    means *= signal / np.linalg.norm(means, axis=1, keepdims=True)
    x = random.standard_normal((len(y), num_features), dtype=np.float32)
    for start in range(0, len(y), _ROWS):
        x[start : start + _ROWS] += means[y[start : start + _ROWS]].astype(np.float32)
    x.setflags(write=False)
    return x


def _check(
    num_nodes: int, num_edges: int, num_features: int, num_classes: int, homophily: float, signal: float
) -> None:
    if num_classes < 2 or num_nodes < num_classes:
        raise DatasetError(
            f"got {num_nodes} nodes in {num_classes} classes; choose two classes and a node in each"
        )
    if num_edges < 0 or num_features < 1:
        raise DatasetError(f"got {num_edges} edges and {num_features} features; choose 0 and 1 or more")
    if not 0 <= homophily <= 1 or not 0 <= signal < np.inf:
        raise DatasetError(f"homophily is {homophily} and signal {signal}; choose 0 to 1, and 0 or more")
