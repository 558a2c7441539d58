"""What may enter a `Graph`: features, edges, labels, masks and names, each checked or cleaned.

Each function returns an array that a graph can keep, or says what was given and what is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from gnnviz.errors import DatasetError

UNLABELLED = -1  # in place of a class: the node has no label

Features = NDArray[np.float32] | sparse.csr_array


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What was changed at the border before a graph was used; counts, all 0 or more.

    Attributes:
        self_loops: edges from a node to itself, removed.
        duplicates: repetitions of a directed edge, removed.
        one_way: edges whose opposite direction was missing and was added.
        unknown_ids: edges that named a node which does not exist, dropped by a reader.
    """

    self_loops: int = 0
    duplicates: int = 0
    one_way: int = 0
    unknown_ids: int = 0

    def __add__(self, other: Cleaning) -> Cleaning:
        """Return the counts of both."""
        return Cleaning(
            self.self_loops + other.self_loops,
            self.duplicates + other.duplicates,
            self.one_way + other.one_way,
            self.unknown_ids + other.unknown_ids,
        )


def shape_of(x: Features) -> tuple[int, int]:
    """Return N and F of features [N, F]."""
    return x.shape  # pyright: ignore[reportReturnType] (scipy leaves its property untyped)


def as_features(x: ArrayLike | sparse.csr_array) -> Features:
    """Return features [N, F] in float32, sparse ones as `csr_array`; all finite."""
    is_sparse = isinstance(x, sparse.sparray | sparse.spmatrix)
    features = sparse.csr_array(x, dtype=np.float32) if is_sparse else _dense_features(x)
    values = features.data if isinstance(features, sparse.csr_array) else features
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise DatasetError(f"{bad} feature values are NaN or infinite; give finite numbers only")
    return features


def _dense_features(x: ArrayLike) -> NDArray[np.float32]:
    """Return a copy, or `x` itself where it is an array of its own that nobody may write to."""
    if isinstance(x, np.ndarray) and x.dtype == np.float32 and not x.flags.writeable and x.flags.owndata:
        return _as_table(x)
    try:
        with np.errstate(over="ignore"):  # becomes infinite, which is refused in words
            features = np.array(x, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DatasetError(f"features must be numbers in a table [nodes, features]: {error}") from error
    return _as_table(features)


def _as_table(features: NDArray[np.float32]) -> NDArray[np.float32]:
    if features.ndim != 2:
        raise DatasetError(f"features have shape {features.shape}; give a table [nodes, features]")
    return features


def clean_edges(edge_index: ArrayLike, num_nodes: int) -> tuple[NDArray[np.int64], Cleaning]:
    """Return both directions of every edge [2, E], sorted by target, then source, and what was changed."""
    edges = np.asarray(edge_index)
    if edges.size == 0:
        return np.zeros((2, 0), dtype=np.int64), Cleaning()
    if edges.ndim != 2 or edges.shape[0] != 2 or not np.issubdtype(edges.dtype, np.integer):
        raise DatasetError(
            f"edge_index has shape {edges.shape} and type {edges.dtype}; give whole numbers [2, edges]"
        )
    if edges.min() < 0 or edges.max() >= num_nodes:
        raise DatasetError(
            f"edges name nodes {edges.min()} to {edges.max()}; the graph has nodes 0 to {num_nodes - 1}"
        )
    edges = edges.astype(np.int64, copy=False)
    keys = (edges[1] * num_nodes + edges[0])[edges[0] != edges[1]]
    given = len(keys)
    distinct = _distinct(keys)
    opposite = np.sort(distinct % num_nodes * num_nodes + distinct // num_nodes)
    is_symmetric = np.array_equal(distinct, opposite)
    both = distinct if is_symmetric else _distinct(np.concatenate([distinct, opposite]))
    counts = Cleaning(
        self_loops=edges.shape[1] - given,
        duplicates=given - len(distinct),
        one_way=len(both) - len(distinct),
    )
    return np.stack([both % num_nodes, both // num_nodes]), counts


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort keys in place and return the different ones; `numpy.unique` hashes, a hundred times as slow."""
    keys.sort()
    is_first = np.append(True, keys[1:] != keys[:-1]) if len(keys) else np.zeros(0, dtype=bool)
    return keys if is_first.all() else keys[is_first]


def as_nodes(nodes: ArrayLike, num_nodes: int) -> NDArray[np.int64]:
    """Return the nodes of a mask or of a list of numbers, in 0..N-1."""
    given = np.atleast_1d(np.asarray(nodes))
    if given.dtype == bool and given.shape == (num_nodes,):
        return np.flatnonzero(given)
    if given.ndim != 1 or (given.size and not np.issubdtype(given.dtype, np.integer)):
        raise DatasetError(f"nodes have shape {given.shape} and type {given.dtype}; give numbers or a mask")
    if given.size and not 0 <= given.min() <= given.max() < num_nodes:
        raise DatasetError(f"got nodes {given.min()} to {given.max()}; the graph has 0 to {num_nodes - 1}")
    return given.astype(np.int64)


def as_labels(y: ArrayLike, num_nodes: int) -> NDArray[np.int64]:
    """Return a copy of the class of each node [N], 0 or more, or `UNLABELLED`."""
    labels = np.array(y)
    if labels.shape != (num_nodes,) or not np.issubdtype(labels.dtype, np.integer):
        raise DatasetError(
            f"labels have shape {labels.shape} and type {labels.dtype}; "
            f"give one whole number for each of {num_nodes} nodes"
        )
    if num_nodes and labels.min() < UNLABELLED:
        raise DatasetError(
            f"label {labels.min()} is negative; classes are numbered from 0, and {UNLABELLED} means no label"
        )
    return labels.astype(np.int64)


def as_mask(mask: ArrayLike, num_nodes: int, field: str, y: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Return a copy of a mask [N] bool, no node of which may lack a label in `y` [N]."""
    values = np.array(mask)
    if values.shape != (num_nodes,) or values.dtype != bool:
        raise DatasetError(
            f"{field} has shape {values.shape} and type {values.dtype}; "
            f"give one truth value for each of {num_nodes} nodes"
        )
    if y is not None and (values & (y == UNLABELLED)).any():
        number = int((values & (y == UNLABELLED)).sum())
        raise DatasetError(f"{field} holds {number} nodes without a label; leave them out of it")
    return values


def fitting_class_names(names: Sequence[str], y: NDArray[np.int64] | None) -> tuple[str, ...]:
    """Return a name for each class, made up where none are given."""
    classes = 0 if y is None or not len(y) else int(y.max()) + 1
    if not names:
        return tuple(f"class {number}" for number in range(classes))
    if len(names) < classes:
        raise DatasetError(f"got {len(names)} class names, but labels up to {classes - 1}")
    return tuple(map(str, names))
