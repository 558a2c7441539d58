"""The maximum over each row's neighbours, channel by channel, with gradient.

Knows a sparse structure; knows no graph and no layer.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gnnviz.csr import CSR
from gnnviz.errors import ConfigError
from gnnviz.sparse import channel_slices, column_sums, entry_slices, row_sums


def neighbour_maximum(structure: CSR, dense: Tensor) -> Tensor:
    """Return the greatest value of each row's picked rows of `dense`, channel by channel.

    The gradient of a maximum goes to the entries that reach it, in equal parts. Where it is exactly 0, the 0
    of an empty row counts as one more of them, as in torch's `scatter_reduce`: after a ReLU that part has no
    way to go.

    Args:
        structure: [rows, columns]; values are not used.
        dense: [columns, channels], float32 or float64.

    Returns:
        [rows, channels]; 0 for an empty row.

    Raises:
        ConfigError: shapes that do not fit.
    """
    if dense.ndim != 2 or dense.shape[0] != structure.shape[1]:
        raise ConfigError(
            f"cannot pick rows for a sparse {list(structure.shape)} from a dense {list(dense.shape)} matrix; "
            f"the dense one needs shape [{structure.shape[1]}, channels]"
        )
    return _Maximum.apply(dense, structure)


class _Context(Protocol):
    structure: CSR
    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Maximum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, dense: Tensor, structure: CSR) -> Tensor:
        largest = dense.new_zeros(structure.shape[0], dense.shape[1])
        for part in channel_slices(structure, dense.shape[1]):
            picked = dense[:, part].index_select(0, structure.indices)
            rows = structure.rows[:, None].expand_as(picked)
            largest[:, part].scatter_reduce_(0, rows, picked, "amax", include_self=False)
        ctx.save_for_backward(dense, largest)
        ctx.structure = structure
        return largest

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _Context, grad: Tensor
    ) -> tuple[Tensor, None]:
        dense, largest = ctx.saved_tensors
        structure = ctx.structure
        for_dense = torch.empty_like(dense)
        for part in channel_slices(structure, dense.shape[1]):
            reached = dense[:, part].index_select(0, structure.indices)
            pieces = tuple(entry_slices(structure, reached.shape[1]))
            for piece in pieces:
                reached[piece].eq_(largest[:, part].index_select(0, structure.rows[piece]))  # 1 or 0
            ways = row_sums(structure, reached).add_(largest[:, part] == 0)
            portion = grad[:, part] / ways.clamp_(min=1)
            for piece in pieces:
                reached[piece].mul_(portion.index_select(0, structure.rows[piece]))
            for_dense[:, part] = column_sums(structure, reached)
        return for_dense, None
