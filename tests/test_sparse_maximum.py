"""The maximum over neighbours, and GATv2's scores, against dense ones and finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gnnviz import sparse
from gnnviz.csr import CSR
from gnnviz.errors import ConfigError
from gnnviz.maximum import neighbour_maximum
from gnnviz.pair_scores import pair_scores

F64 = torch.float64


def structure(rows: int = 7, columns: int = 6, entries: int = 30) -> CSR:
    """Return entries with empty rows and columns, and pairs that occur more than once."""
    generator = torch.Generator().manual_seed(0)
    row = torch.randint(rows - 2, (entries,), generator=generator)
    column = torch.randint(columns - 2, (entries,), generator=generator)
    return CSR.from_entries(row, column, None, (rows, columns))


def by_torch(matrix: CSR, dense: Tensor) -> Tensor:
    picked = dense[matrix.indices]
    rows = matrix.rows[:, None].expand_as(picked)
    nothing = dense.new_zeros(matrix.shape[0], dense.shape[1])
    return nothing.scatter_reduce(0, rows, picked, "amax", include_self=False)


@pytest.mark.parametrize("slice_numbers", [1, 70, 2**25])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_maximum_and_its_gradient_are_those_of_a_scatter(
    dtype: torch.dtype, slice_numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse, "SLICE_NUMBERS", slice_numbers)
    torch.manual_seed(0)
    matrix = structure()
    # Few values, so that many tie, at 0 and below it, too.
    ours = torch.randint(-2, 2, (6, 5)).to(dtype).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    out, expected = neighbour_maximum(matrix, ours), by_torch(matrix, theirs)
    assert torch.equal(out, expected)
    weights = torch.randn_like(out)
    (out * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_maximum_of_negative_numbers_is_negative_and_of_nothing_zero() -> None:
    matrix = CSR.from_entries(torch.tensor([0, 0]), torch.tensor([0, 1]), None, (2, 2))
    assert neighbour_maximum(matrix, torch.tensor([[-3.0], [-2.0]])).tolist() == [[-2.0], [0.0]]


def test_maximum_has_the_gradient_of_finite_differences() -> None:
    torch.manual_seed(0)
    matrix, dense = structure(), torch.randn(6, 3, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda h: neighbour_maximum(matrix, h), (dense,))


def test_maximum_hands_on_what_is_not_a_number() -> None:
    matrix = CSR.from_entries(torch.tensor([0, 0]), torch.tensor([0, 1]), None, (2, 2))
    assert neighbour_maximum(matrix, torch.tensor([[float("nan")], [1.0]])).isnan().tolist() == [
        [True],
        [False],
    ]


def test_maximum_of_no_entries_is_zero_with_zero_gradient() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    dense = torch.ones(3, 2, requires_grad=True)
    out = neighbour_maximum(CSR.from_entries(nothing, nothing, None, (3, 3)), dense)
    out.sum().backward()
    assert out.tolist() == dense.grad.tolist() == [[0, 0]] * 3  # pyright: ignore[reportOptionalMemberAccess]


def test_maximum_of_wrong_shapes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"from a dense \[5, 2\] matrix; the dense one needs shape \[6, ch"):
        neighbour_maximum(structure(), torch.zeros(5, 2))


@pytest.mark.parametrize("slice_numbers", [1, 70, 2**25])
def test_pair_scores_are_those_of_each_entry(slice_numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "SLICE_NUMBERS", slice_numbers)
    torch.manual_seed(0)
    matrix = structure()
    source, target = (torch.randn(n, 4, dtype=F64, requires_grad=True) for n in (6, 7))
    weights = torch.randn(4, 2, dtype=F64, requires_grad=True)
    sums = target[matrix.rows] + source[matrix.indices]
    expected = torch.where(sums > 0, sums, 0.3 * sums) @ weights
    torch.testing.assert_close(pair_scores(source, target, weights, matrix, 0.3), expected)
    assert torch.autograd.gradcheck(
        lambda s, t, w: pair_scores(s, t, w, matrix, 0.3), (source, target, weights)
    )
