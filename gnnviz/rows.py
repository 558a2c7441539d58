"""The rows of a hidden state: checked, centred, of unit length, and their distances in blocks.

What measures and projections share. Knows matrices; knows no graph, no model and no measure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.errors import GnnvizError

Matrix = NDArray[np.float64]
State = NDArray[np.floating] | sparse.csr_array

BLOCK_VALUES = 2**20  # a block of float64 distances takes 8 MiB: in the cache's reach, whatever N is
ROUNDING = 64 * np.finfo(np.float64).eps


class MeasureUndefined(GnnvizError, ValueError):
    """A measure or a projection has no value for this hidden state or this graph."""


def as_state(h: State) -> Matrix:
    """Return a hidden state as a dense float64 array [N, d].

    Args:
        h: one row for each node [N, d], N and d 1 or more; dense or sparse.

    Raises:
        ValueError: `h` is not a table.
        MeasureUndefined: it is empty, or holds a value that is NaN or infinite.
    """
    state = h.toarray() if isinstance(h, sparse.sparray | sparse.spmatrix) else h
    state = np.asarray(state, dtype=np.float64)
    if state.ndim != 2:
        raise ValueError(f"a hidden state has shape {state.shape}; give a table [nodes, channels]")
    if not state.size:
        raise MeasureUndefined(f"the hidden state has {state.shape[0]} nodes and {state.shape[1]} channels")
    if not np.isfinite(state).all():
        bad = int((~np.isfinite(state)).sum())
        raise MeasureUndefined(
            f"{bad} of the hidden state's {state.size} values are NaN or infinite: the signal has exploded"
        )
    return state


def balanced(h: Matrix) -> Matrix:
    """Return `h` times the power of two that brings its largest value into [0.5, 1); zeros stay.

    The product is exact, so ratios of squares neither overflow nor vanish at any scale of `h`.
    """
    return np.ldexp(h, -binary_exponent(h))


def binary_exponent(h: Matrix) -> int:
    """Return the power of two by which `balanced` divides."""
    return int(np.frexp(np.abs(h).max())[1])


def centred(h: Matrix) -> Matrix:
    """Return the rows minus their mean [N, d]; exactly zero when all rows are the same."""
    shifted = h - h[0]  # equal rows cancel here to the bit, which their mean might not
    return shifted - shifted.mean(axis=0)


def unit_rows(h: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
    """Return the rows at length 1 [N, d] and which rows are live [N]; dead rows stay zero.

    A row is dead when every value in it is exactly 0: it has no direction.
    """
    largest = np.abs(h).max(axis=1, keepdims=True)
    live = largest[:, 0] > 0
    rows = h / np.where(largest > 0, largest, 1.0)  # first to size 1, so that no square under- or overflows
    length = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    return rows / np.where(length > 0, length, 1.0), live


def blocks(count: int, width: int) -> Iterator[slice]:
    """Yield slices that cut `count` rows of `width` values into blocks of about 8 MiB."""
    size = max(1, BLOCK_VALUES // max(1, width))
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def distance_blocks(rows: Matrix) -> Iterator[tuple[slice, Matrix]]:
    """Yield the Euclidean distances of blocks of rows to all rows: the slice, and [block, N].

    A distance below about 1e-7 of its rows' distance from the mean is lost in rounding and reads 0,
    so that equal rows are at distance 0 exactly.
    """
    centre = centred(rows)
    squares = np.einsum("nd,nd->n", centre, centre)
    for block in blocks(len(rows), len(rows)):
        scale = squares[block, None] + squares
        distance = centre[block] @ centre.T
        distance *= -2
        distance += scale
        scale *= ROUNDING
        distance[distance <= scale] = 0.0
        yield block, np.sqrt(distance, out=distance)
