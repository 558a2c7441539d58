"""Measures of over-smoothing that see the matrix alone: its size, its rank, its columns, dead rows.

Each takes a checked hidden state [N, d] in float64, and a graph that it does not look at: all measures
have one signature. O(N d^2) time or less.
"""

from __future__ import annotations

import numpy as np

from gnnviz.graph import Graph
from gnnviz.rows import Matrix, MeasureUndefined, balanced, centred, distance_blocks, unit_rows


def norm(h: Matrix, _graph: Graph) -> float:
    """Return |X|^2, the sum of all squared values, 0 or more."""
    return float(np.vdot(h, h))


def dead_rows(h: Matrix, _graph: Graph) -> float:
    """Return the share of nodes whose row is exactly 0, in 0..1."""
    return float(np.mean(~h.any(axis=1)))


def mad_all(h: Matrix, _graph: Graph) -> float:
    """Return the mean of 1 - cos over all pairs of live rows, in 0..2; equal to 1 - `mean_cosine`.

    Raises:
        MeasureUndefined: fewer than two live rows.

    Reference: Chen et al., AAAI 2020, eq. 1 to 4, with all pairs of different nodes as the mask.
    Differs: dead rows are left out.
    """
    rows = live_unit_rows(h)
    spread = centred(rows)
    # over pairs, the sum of |u_i - u_j|^2 is N times the sum of |u_i - mean|^2
    return float(np.vdot(spread, spread)) / (len(rows) - 1)


def mean_cosine(h: Matrix, graph: Graph) -> float:
    """Return the mean of cos over all pairs of live rows, in [-1 / (N - 1), 1]; 1 is smoothed.

    Raises:
        MeasureUndefined: fewer than two live rows.

    Reference: Ethayarajh, EMNLP 2019 (anisotropy).
    """
    return 1.0 - mad_all(h, graph)


def col_diff(h: Matrix, _graph: Graph) -> float:
    """Return the mean over pairs of columns (each with itself too) of their distance, columns at L1 norm 1.

    0 when all columns are positive multiples of one: unlike `row_diff` this sees GCN's limit, where rows
    differ by sqrt(d + 1). Columns that are all zero have no direction and are left out.

    Raises:
        MeasureUndefined: every value is 0.

    Reference: Zhao & Akoglu, ICLR 2020 (col-diff).
    """
    _check_nonzero(h)
    columns = h[:, h.any(axis=0)].T  # [live columns, N]
    columns = columns / np.abs(columns).max(axis=1, keepdims=True)
    columns = columns / np.abs(columns).sum(axis=1, keepdims=True)
    total = sum(float(distance.sum()) for _, distance in distance_blocks(columns))
    return total / len(columns) ** 2


def stable_rank(h: Matrix, _graph: Graph) -> float:
    """Return |X|_F^2 / |X|_2^2, in 1..rank; also called numerical rank.

    Raises:
        MeasureUndefined: every value is 0.

    Reference: Rudelson & Vershynin, Journal of the ACM 2007; Zhang, Deidda et al., arXiv 2502.04591.
    """
    sigma = np.linalg.svd(_triangle(h), compute_uv=False)
    return float(np.sum((sigma / sigma[0]) ** 2))


def effective_rank(h: Matrix, _graph: Graph) -> float:
    """Return exp of the entropy of the singular values scaled to sum 1, in 1..rank.

    Raises:
        MeasureUndefined: every value is 0.

    Reference: Roy & Vetterli, EUSIPCO 2007, definition 1.
    """
    sigma = np.linalg.svd(_triangle(h), compute_uv=False)
    share = sigma[sigma > 0] / sigma.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def rank_one_distance(h: Matrix, _graph: Graph) -> float:
    """Return the nuclear-norm distance of X from a rank-one matrix, both at nuclear norm 1, in 0..2.

    The rank-one matrix is the product of X's column and X's row of largest L1 norm, with the sign that
    makes it equal to X where X has rank one.

    Raises:
        MeasureUndefined: every value is 0.

    Reference: Roth, arXiv 2407.11876 (rank-one distance).
    """
    triangle = _triangle(h)  # the column lies in the range of X, so rotating rows into R changes no norm
    state = balanced(h)
    size = np.abs(state)
    row, column = int(size.sum(axis=1).argmax()), int(size.sum(axis=0).argmax())
    sign = -1.0 if state[row, column] < 0 else 1.0
    left = triangle[:, [column]] / np.linalg.norm(triangle[:, column])  # [d, 1]
    right = state[row] / np.linalg.norm(state[row])
    return _nuclear_norm(triangle / _nuclear_norm(triangle) - sign * left * right)


def live_unit_rows(h: Matrix) -> Matrix:
    """Return the rows that are not all zero, at length 1 [M, d], M 2 or more.

    Raises:
        MeasureUndefined: fewer than two live rows.
    """
    rows, live = unit_rows(h)
    if live.sum() < 2:
        raise MeasureUndefined(
            f"{int(live.sum())} of {len(live)} rows are not all zero: no two directions to compare"
        )
    return rows[live]


def _check_nonzero(h: Matrix) -> None:
    if not h.any():
        raise MeasureUndefined("every value of the hidden state is 0: the signal is dead")


def _triangle(h: Matrix) -> Matrix:
    """Return R of X = Q R at a harmless scale: X's singular values in d x d numbers, not N x d."""
    _check_nonzero(h)
    return np.asarray(np.linalg.qr(balanced(h), mode="r"), dtype=np.float64)


def _nuclear_norm(matrix: Matrix) -> float:
    return float(np.linalg.svd(matrix, compute_uv=False).sum())
