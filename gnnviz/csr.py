"""The sparse matrix: a frozen `CSR` record with its transposed structure, on any device.

Knows rows, columns and values; knows no product (`gnnviz.sparse`) and no graph. A row is a target
node, a column a source node (or a feature).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Transposed:
    """The same entries sorted by column, then row.

    Attributes:
        indptr: where each column's entries begin [columns + 1] int64.
        indices: row of each entry [nnz] int64.
        order: its place among the entries sorted by row [nnz] int64.
    """

    indptr: Tensor
    indices: Tensor
    order: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class CSR:
    """A sparse matrix by rows, with its transposed structure made once.

    Attributes:
        indptr: where each row's entries begin [rows + 1] int64.
        indices: column of each entry [nnz] int64; a pair may occur more than once, and adds up.
        rows: row of each entry [nnz] int64, ascending.
        values: value of each entry [nnz], or None for ones.
        shape: (rows, columns).
        transposed: the structure of the transposed matrix.
    """

    indptr: Tensor
    indices: Tensor
    rows: Tensor
    values: Tensor | None
    shape: tuple[int, int]
    transposed: Transposed

    @classmethod
    def from_entries(
        cls, rows: Tensor, columns: Tensor, values: Tensor | None, shape: tuple[int, int]
    ) -> CSR:
        """Return the matrix with these entries, in any order [nnz]; equal pairs are kept apart."""
        rows, order = torch.sort(rows, stable=True)
        columns = columns.index_select(0, order)
        sorted_columns, by_column = torch.sort(columns, stable=True)
        return cls(
            indptr=_row_pointers(rows, shape[0]),
            indices=columns,
            rows=rows,
            values=None if values is None else values.index_select(0, order),
            shape=shape,
            transposed=Transposed(
                indptr=_row_pointers(sorted_columns, shape[1]),
                indices=rows.index_select(0, by_column),
                order=by_column,
            ),
        )

    @classmethod
    def from_torch(cls, matrix: Tensor) -> CSR:
        """Return the entries of a two-dimensional torch tensor, sparse in any layout or dense."""
        entries = (matrix if matrix.layout == torch.sparse_coo else matrix.to_sparse_coo()).coalesce()
        rows, columns = entries.indices()
        return cls.from_entries(rows, columns, entries.values(), (matrix.shape[0], matrix.shape[1]))

    @property
    def device(self) -> torch.device:
        """The device of every tensor."""
        return self.indices.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the values; torch's default type where they are all ones."""
        return torch.get_default_dtype() if self.values is None else self.values.dtype

    def to(self, device: torch.device | str) -> CSR:
        """Return the matrix on `device`."""
        transposed = self.transposed
        return CSR(
            indptr=self.indptr.to(device),
            indices=self.indices.to(device),
            rows=self.rows.to(device),
            values=None if self.values is None else self.values.to(device),
            shape=self.shape,
            transposed=Transposed(
                indptr=transposed.indptr.to(device),
                indices=transposed.indices.to(device),
                order=transposed.order.to(device),
            ),
        )

    def with_values(self, values: Tensor | None) -> CSR:
        """Return the matrix with the same structure and these values [nnz]."""
        return replace(self, values=values)

    def to_dense(self) -> Tensor:
        """Return the matrix [rows, columns]; pairs that occur more than once are added up."""
        values = self.values
        if values is None:
            values = torch.ones(len(self.indices), dtype=self.dtype, device=self.device)
        dense = values.new_zeros(self.shape)
        return dense.index_put((self.rows, self.indices), values, accumulate=True)

    def row_lengths(self) -> Tensor:
        """Return the number of each row's entries [rows] int64."""
        return self.indptr[1:] - self.indptr[:-1]

    def blocks(self, count: int) -> CSR:
        """Return one structure, without values, that holds this one `count` times, interleaved.

        Row i and column j of copy b become row i * count + b and column j * count + b, so that one
        product over a view [N * heads, channels] of [N, heads * channels] serves all heads. The result
        has shape [rows * count, columns * count]; `block_places` tells where each entry went.
        """
        if count == 1:
            return self.with_values(None)
        copies = torch.arange(count, device=self.device)
        places = self.block_places(count)  # [nnz, count]
        rows = _placed(places, self.rows[:, None] * count + copies)
        columns = _placed(places, self.indices[:, None] * count + copies)
        back = self.transposed
        own_columns = self.indices.index_select(0, back.order)
        back_places = _block_places(back.indptr, own_columns, copies)
        order = _placed(back_places, places.index_select(0, back.order))
        return CSR(
            indptr=_row_pointers(rows, self.shape[0] * count),
            indices=columns,
            rows=rows,
            values=None,
            shape=(self.shape[0] * count, self.shape[1] * count),
            transposed=Transposed(
                indptr=_row_pointers(columns.index_select(0, order), self.shape[1] * count),
                indices=rows.index_select(0, order),
                order=order,
            ),
        )

    def block_places(self, count: int) -> Tensor:
        """Return where entry e of copy b is among the entries of `blocks(count)` [nnz, count] int64."""
        return _block_places(self.indptr, self.rows, torch.arange(count, device=self.device))


def _row_pointers(sorted_rows: Tensor, count: int) -> Tensor:
    return torch.searchsorted(sorted_rows, torch.arange(count + 1, device=sorted_rows.device))


def _block_places(indptr: Tensor, rows: Tensor, copies: Tensor) -> Tensor:
    """Return where the entries, sorted by row, go when each row is followed by its copies [nnz, count]."""
    begin = indptr.index_select(0, rows)
    length = (indptr[1:] - indptr[:-1]).index_select(0, rows)
    within = torch.arange(len(rows), device=rows.device) - begin
    return (begin * len(copies) + within)[:, None] + length[:, None] * copies


def _placed(places: Tensor, numbers: Tensor) -> Tensor:
    placed = numbers.new_empty(numbers.numel())
    placed[places.reshape(-1)] = numbers.reshape(-1)
    return placed
