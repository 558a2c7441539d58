"""The only sparse products: `spmm`, attention scores, and a softmax over each row's entries.

All have gradients, written by hand for a `CSR` matrix. Knows rows, columns and values; knows no
graph and no layer. Results are the same bit for bit on one device and one number of threads.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from gnnviz.csr import CSR
from gnnviz.errors import ConfigError

# Gathered rows are multiplied in pieces of so many numbers: 256 KiB in float32, which stays in the
# cache and below the size at which an allocation costs fresh pages (four times faster on Cora).
CHUNK_NUMBERS = 65_536

# Scores that lie this close together are all shifted by the largest of them instead of by their row's:
# e^-16 is far from underflow, and the shift rounds the exponent by 1e-6 at most in float32.
SAFE_SPREAD = 16.0


def spmm(matrix: CSR, dense: Tensor) -> Tensor:
    """Return the product of a sparse and a dense matrix, with gradients for values and dense operand.

    Args:
        matrix: [rows, columns].
        dense: [columns, channels], float32 or float64; values of another type are converted to its.

    Returns:
        [rows, channels].

    Raises:
        ConfigError: shapes that do not fit.
    """
    if dense.ndim != 2 or dense.shape[0] != matrix.shape[1]:
        raise ConfigError(
            f"cannot multiply a sparse {list(matrix.shape)} by a dense {list(dense.shape)} matrix; "
            f"the dense one needs shape [{matrix.shape[1]}, channels]"
        )
    values = None if matrix.values is None else matrix.values.to(dense.dtype)
    return _SparseProduct.apply(values, dense, matrix)


def edge_softmax(scores: Tensor, structure: CSR) -> Tensor:
    """Return the softmax of the scores over each row's entries, with gradient.

    Args:
        scores: one per entry [nnz]; any finite numbers, they are shifted before the exponential.
        structure: which entries are in which row; its values are not used.

    Returns:
        [nnz], in 0..1; the entries of a row sum to 1.
    """
    return _EdgeSoftmax.apply(scores, structure)


def edge_scores(from_source: Tensor, from_target: Tensor, structure: CSR, slope: float) -> Tensor:
    """Return LeakyReLU(from_target[i] + from_source[j]) for each entry (i, j) [nnz], with gradients.

    Args:
        from_source: one number per column.
        from_target: one number per row.
        structure: the entries; its values are not used.
        slope: of the LeakyReLU below zero.
    """
    return _EdgeScores.apply(from_source, from_target, structure, slope)


def product(indptr: Tensor, indices: Tensor, values: Tensor | None, dense: Tensor) -> Tensor:
    """Return the sums of each row's picked rows of `dense`, weighted, without recording gradients."""
    return F.embedding_bag(
        indices, dense.contiguous(), indptr, mode="sum", per_sample_weights=values, include_last_offset=True
    )


def transposed_product(matrix: CSR, values: Tensor | None, dense: Tensor) -> Tensor:
    """Return the transposed structure with `values` [nnz] times `dense`, without recording gradients."""
    back = matrix.transposed
    return product(
        back.indptr, back.indices, None if values is None else values.index_select(0, back.order), dense
    )


def entry_dots(structure: CSR, left: Tensor, right: Tensor) -> Tensor:
    """Return the dot product of row `left[i]` and row `right[j]` for each entry (i, j) [nnz].

    This is the gradient of `spmm` in the values, `left` being the gradient of its result.
    """
    channels = left.shape[1]
    dots = left.new_empty(len(structure.indices))
    ones = left.new_ones(channels)
    step = max(1, CHUNK_NUMBERS // max(1, channels))
    for begin in range(0, len(dots), step):
        picked = left.index_select(0, structure.rows[begin : begin + step])
        picked.mul_(right.index_select(0, structure.indices[begin : begin + step]))
        torch.mv(picked, ones, out=dots[begin : begin + step])
    return dots


class _Context(Protocol):
    structure: CSR
    slope: float
    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]

    def save_for_backward(self, *tensors: Tensor | None) -> None: ...


class _SparseProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, values: Tensor | None, dense: Tensor, matrix: CSR) -> Tensor:
        ctx.save_for_backward(values, dense if ctx.needs_input_grad[0] else None)
        ctx.structure = matrix
        return product(matrix.indptr, matrix.indices, values, dense)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _Context, grad: Tensor
    ) -> tuple[Tensor | None, Tensor | None, None]:
        values, dense = ctx.saved_tensors
        for_values = entry_dots(ctx.structure, grad, dense) if ctx.needs_input_grad[0] else None
        for_dense = transposed_product(ctx.structure, values, grad) if ctx.needs_input_grad[1] else None
        return for_values, for_dense, None


class _EdgeScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context, from_source: Tensor, from_target: Tensor, structure: CSR, slope: float
    ) -> Tensor:
        sums = from_source.index_select(0, structure.indices)
        sums.add_(from_target.index_select(0, structure.rows))
        ctx.save_for_backward(sums > 0)
        ctx.structure, ctx.slope = structure, slope
        return F.leaky_relu_(sums, slope)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _Context, grad: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        (positive,) = ctx.saved_tensors
        of_sums = torch.where(positive, grad, grad * ctx.slope)
        return _column_sums(ctx.structure, of_sums), _row_sums(ctx.structure, of_sums), None, None


class _EdgeSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, scores: Tensor, structure: CSR) -> Tensor:
        alpha = _softmax_of_rows(scores, structure)
        ctx.save_for_backward(alpha)
        ctx.structure = structure
        return alpha

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _Context, grad: Tensor
    ) -> tuple[Tensor, None]:
        (alpha,) = ctx.saved_tensors
        structure = ctx.structure
        weighted = alpha * grad
        per_row = _row_sums(structure, weighted).index_select(0, structure.rows)
        return weighted.sub_(alpha * per_row), None


def _row_sums(structure: CSR, entries: Tensor) -> Tensor:
    """Return the sum of each row's entries [rows]; 0 for an empty row."""
    ones = entries.new_ones(structure.shape[1], 1)
    return product(structure.indptr, structure.indices, entries, ones).view(-1)


def _column_sums(structure: CSR, entries: Tensor) -> Tensor:
    """Return the sum of each column's entries [columns]; 0 for an empty column."""
    back = structure.transposed
    return product(back.indptr, back.order, None, entries.view(-1, 1)).view(-1)


def _softmax_of_rows(scores: Tensor, structure: CSR) -> Tensor:
    if not len(scores):
        return torch.zeros_like(scores)
    lowest, highest = scores.aminmax()
    if bool(highest - lowest <= SAFE_SPREAD):
        weights = (scores - highest).exp_()
    else:
        largest = torch.segment_reduce(scores, "max", offsets=structure.indptr, unsafe=True)
        weights = (scores - largest.index_select(0, structure.rows)).exp_()
    return weights.div_(_row_sums(structure, weights).index_select(0, structure.rows))
