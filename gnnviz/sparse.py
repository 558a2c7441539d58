"""The only sparse products: `spmm`, attention scores, and a softmax over each row's entries.

All have gradients, written by hand for a `CSR` matrix. Knows rows, columns and values; knows no
graph and no layer. Results are the same bit for bit on one device and one number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator
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

# What has a number for every entry and channel is made for so many numbers at a time: 128 MiB in float32,
# all channels at once on a small graph, a few at a time on a large one.
SLICE_NUMBERS = 2**25

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


def spmm_heads(alpha: Tensor, h: Tensor, heads: int, structure: CSR, blocks: CSR, places: Tensor) -> Tensor:
    """Return the sums of each row's picked rows of `h`, every head weighted by coefficients of its own.

    The same as `spmm(blocks.with_values(alpha), h)` over a view of `h` with a row for each head; the
    gradient of the coefficients picks whole rows of `h`, several times faster than a head's few channels.

    Args:
        alpha: the coefficients in the order of `blocks` [nnz * heads].
        h: [columns, heads * channels], the heads side by side.
        heads: how many.
        structure: the entries; its values are not used.
        blocks: `structure.blocks(heads)`.
        places: `structure.block_places(heads)`.

    Returns:
        [rows, heads * channels], with gradients for `alpha` and `h`.
    """
    by_head = _HeadsProduct.apply(alpha, h, heads, structure, blocks, places)
    return by_head.view(structure.shape[0], -1)  # outside: a Function's own view cannot be changed in place


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


def entry_dots(structure: CSR, left: Tensor, right: Tensor, heads: int = 1) -> Tensor:
    """Return the dot products of row `left[i]` and row `right[j]` for each entry (i, j) [nnz, heads].

    The channels of a row are those of its heads, side by side. This is the gradient of `spmm` in the
    values, `left` being the gradient of its result.
    """
    channels = left.shape[1]
    dots = left.new_empty(len(structure.indices), heads)
    ones = left.new_ones(channels // heads)
    for piece in entry_slices(structure, channels):
        picked = left.index_select(0, structure.rows[piece])
        picked.mul_(right.index_select(0, structure.indices[piece]))
        torch.mv(picked.view(-1, len(ones)), ones, out=dots[piece].view(-1))
    return dots


def entry_slices(structure: CSR, channels: int) -> Iterator[slice]:
    """Yield slices of the entries, such that entries of a slice times channels fit the cache of a CPU."""
    numbers = CHUNK_NUMBERS if structure.device.type == "cpu" else SLICE_NUMBERS
    step = max(1, numbers // max(1, channels))
    for begin in range(0, len(structure.indices), step):
        yield slice(begin, begin + step)


def channel_slices(structure: CSR, channels: int) -> Iterator[slice]:
    """Yield slices of the channels, such that entries times channels of a slice fit `SLICE_NUMBERS`."""
    width = max(1, SLICE_NUMBERS // max(1, len(structure.indices)))
    for begin in range(0, channels, width):
        yield slice(begin, min(begin + width, channels))


def row_sums(structure: CSR, entries: Tensor) -> Tensor:
    """Return the sums of each row's entries [rows, channels], from [nnz, channels]; 0 for an empty row."""
    places = torch.arange(len(entries), device=entries.device)
    return product(structure.indptr, places, None, entries)


def column_sums(structure: CSR, entries: Tensor) -> Tensor:
    """Return the sums of each column's entries [columns, channels]; as `row_sums`."""
    return product(structure.transposed.indptr, structure.transposed.order, None, entries)


def leaky_relu_gradient(grad: Tensor, x: Tensor, slope: float) -> Tensor:
    """Return `grad` where x is above zero, `slope` times it elsewhere; on a CPU far faster than a `where`."""
    return torch.ops.aten.leaky_relu_backward(grad, x, slope, False)


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
        for_values = entry_dots(ctx.structure, grad, dense).view(-1) if ctx.needs_input_grad[0] else None
        for_dense = transposed_product(ctx.structure, values, grad) if ctx.needs_input_grad[1] else None
        return for_values, for_dense, None


class _HeadsContext(_Context, Protocol):
    heads: int
    blocks: CSR
    places: Tensor


class _HeadsProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _HeadsContext,
        alpha: Tensor,
        h: Tensor,
        heads: int,
        structure: CSR,
        blocks: CSR,
        places: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(alpha, h)
        ctx.heads, ctx.structure, ctx.blocks, ctx.places = heads, structure, blocks, places
        by_head = h.reshape(len(h) * heads, -1)
        return product(blocks.indptr, blocks.indices, alpha, by_head)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _HeadsContext, grad: Tensor
    ) -> tuple[Tensor, Tensor, None, None, None, None]:
        alpha, h = ctx.saved_tensors
        for_alpha = torch.empty_like(alpha)
        side_by_side = grad.reshape(ctx.structure.shape[0], -1)
        for_alpha[ctx.places] = entry_dots(ctx.structure, side_by_side, h, ctx.heads)
        return for_alpha, transposed_product(ctx.blocks, alpha, grad).view_as(h), None, None, None, None


class _EdgeScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context, from_source: Tensor, from_target: Tensor, structure: CSR, slope: float
    ) -> Tensor:
        sums = from_source.index_select(0, structure.indices)
        sums.add_(from_target.index_select(0, structure.rows))
        scores = F.leaky_relu_(sums, slope)
        ctx.save_for_backward(scores)
        ctx.structure, ctx.slope = structure, slope
        return scores

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _Context, grad: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        (scores,) = ctx.saved_tensors  # above zero where the sums were
        of_sums = leaky_relu_gradient(grad, scores, ctx.slope)
        return (
            column_sums(ctx.structure, of_sums[:, None]).view(-1),
            _row_sums(ctx.structure, of_sums),
            None,
            None,
        )


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
