"""GATv2's attention scores: a small network on each pair of a target and a source, with gradient.

Knows a sparse structure; knows no graph and no layer.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from gnnviz.csr import CSR
from gnnviz.sparse import channel_slices, column_sums, entry_slices, leaky_relu_gradient, row_sums


def pair_scores(
    from_source: Tensor, from_target: Tensor, weights: Tensor, structure: CSR, slope: float
) -> Tensor:
    """Return LeakyReLU(from_target[i] + from_source[j]) times the weights, for each entry (i, j).

    Nothing with a number for every entry and channel is kept for the gradient; it is made anew.

    Args:
        from_source: [columns, channels].
        from_target: [rows, channels].
        weights: [channels, heads].
        structure: the entries; its values are not used.
        slope: of the LeakyReLU below zero.

    Returns:
        [nnz, heads].
    """
    return _PairScores.apply(from_source, from_target, weights, structure, slope)


class _Context(Protocol):
    structure: CSR
    slope: float
    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _PairScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context,
        from_source: Tensor,
        from_target: Tensor,
        weights: Tensor,
        structure: CSR,
        slope: float,
    ) -> Tensor:
        scores = weights.new_zeros(len(structure.indices), weights.shape[1])
        for part in channel_slices(structure, weights.shape[0]):
            ends = from_source[:, part].contiguous(), from_target[:, part].contiguous()
            for piece in entry_slices(structure, ends[0].shape[1]):
                sums = _sums(*ends, structure, piece)
                scores[piece].addmm_(F.leaky_relu_(sums, slope), weights[part])
        ctx.save_for_backward(from_source, from_target, weights)
        ctx.structure, ctx.slope = structure, slope
        return scores

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _Context, grad: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        from_source, from_target, weights = ctx.saved_tensors
        structure = ctx.structure
        for_source, for_target = torch.empty_like(from_source), torch.empty_like(from_target)
        for_weights = torch.zeros_like(weights)
        for part in channel_slices(structure, weights.shape[0]):
            ends = from_source[:, part].contiguous(), from_target[:, part].contiguous()
            of_sums = weights.new_empty(len(structure.indices), ends[0].shape[1])
            for piece in entry_slices(structure, ends[0].shape[1]):
                sums = _sums(*ends, structure, piece)
                of_sums[piece] = leaky_relu_gradient(grad[piece] @ weights[part].t(), sums, ctx.slope)
                for_weights[part].addmm_(F.leaky_relu_(sums, ctx.slope).t(), grad[piece])
            for_source[:, part] = column_sums(structure, of_sums)
            for_target[:, part] = row_sums(structure, of_sums)
        return for_source, for_target, for_weights, None, None


def _sums(from_source: Tensor, from_target: Tensor, structure: CSR, piece: slice) -> Tensor:
    """Return what both ends of the entries of a piece add up to [entries, channels]."""
    sums = from_source.index_select(0, structure.indices[piece])
    return sums.add_(from_target.index_select(0, structure.rows[piece]))
