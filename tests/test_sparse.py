"""The sparse products against dense ones, and their gradients against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gnnviz import sparse
from gnnviz.csr import CSR
from gnnviz.errors import ConfigError
from gnnviz.sparse import edge_scores, edge_softmax, spmm

F64 = torch.float64


def random_matrix(rows: int, columns: int, entries: int, seed: int = 0, dtype: torch.dtype = F64) -> CSR:
    """Return a matrix with empty rows and columns, and pairs that occur more than once."""
    generator = torch.Generator().manual_seed(seed)
    row = torch.randint(max(1, rows - 2), (entries,), generator=generator)
    column = torch.randint(max(1, columns - 2), (entries,), generator=generator)
    values = torch.randn(entries, generator=generator, dtype=dtype)
    return CSR.from_entries(row, column, values, (rows, columns))


def test_entries_are_sorted_by_row_and_equal_pairs_add_up() -> None:
    matrix = CSR.from_entries(
        torch.tensor([2, 0, 2, 2]), torch.tensor([1, 0, 0, 1]), torch.tensor([1.0, 2.0, 3.0, 4.0]), (4, 2)
    )
    assert matrix.indptr.tolist() == [0, 1, 1, 4, 4]
    assert matrix.rows.tolist() == [0, 2, 2, 2]
    assert matrix.indices.tolist() == [0, 1, 0, 1]
    assert matrix.to_dense().tolist() == [[2, 0], [0, 0], [3, 5], [0, 0]]


def test_transposed_structure_names_the_same_entries_by_column() -> None:
    matrix = random_matrix(7, 5, 20)
    back = matrix.transposed
    assert torch.equal(back.indices, matrix.rows[back.order])
    columns = matrix.indices[back.order]
    assert torch.equal(columns, columns.sort().values)
    assert torch.equal(back.indptr, torch.searchsorted(columns, torch.arange(6)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(6, 9, 30), (9, 6, 30), (1, 1, 3), (5, 4, 0)])
def test_product_equals_the_dense_product(shape: tuple[int, int, int], dtype: torch.dtype) -> None:
    matrix = random_matrix(*shape, dtype=dtype)
    dense = torch.randn(shape[1], 3, dtype=dtype)
    result = spmm(matrix, dense)
    assert result.dtype == dtype
    torch.testing.assert_close(result, matrix.to_dense() @ dense)


def test_product_without_values_adds_the_rows_up() -> None:
    matrix = CSR.from_entries(torch.tensor([0, 0, 2]), torch.tensor([1, 1, 0]), None, (3, 2))
    assert spmm(matrix, torch.tensor([[1.0], [10.0]])).tolist() == [[20], [0], [1]]
    assert matrix.to_dense().tolist() == [[0, 2], [0, 0], [1, 0]]


def test_product_takes_dense_operands_in_any_memory_layout() -> None:
    matrix = random_matrix(4, 5, 12)
    dense = torch.randn(3, 5, dtype=F64)
    torch.testing.assert_close(spmm(matrix, dense.t()), matrix.to_dense() @ dense.t())


def test_product_has_the_right_gradients_for_values_and_dense() -> None:
    matrix = random_matrix(6, 5, 14)
    assert matrix.values is not None
    values, dense = matrix.values.requires_grad_(), torch.randn(5, 3, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, d: spmm(matrix.with_values(v), d), (values, dense))
    assert torch.autograd.gradcheck(lambda d: spmm(matrix.with_values(None), d), (dense,))


def test_gradient_of_values_does_not_depend_on_the_size_of_the_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matrix = random_matrix(6, 5, 14)
    left, right = torch.randn(6, 3, dtype=F64), torch.randn(5, 3, dtype=F64)
    expected = torch.stack([left[i] @ right[j] for i, j in zip(matrix.rows, matrix.indices, strict=True)])
    for numbers in (1, 9, 65_536):
        monkeypatch.setattr(sparse, "CHUNK_NUMBERS", numbers)
        torch.testing.assert_close(sparse.entry_dots(matrix, left, right).view(-1), expected)


def test_product_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match=r"\[3, 4\] by a dense \[5, 2\].*needs shape \[4, channels\]"):
        spmm(random_matrix(3, 4, 5), torch.zeros(5, 2, dtype=F64))


@pytest.mark.filterwarnings("ignore:Sparse CS[RC] tensor support:UserWarning")  # the making of one warns
@pytest.mark.parametrize("layout", ["coo", "csr", "csc", "strided"])
def test_torch_tensors_of_any_layout_become_the_same_matrix(layout: str) -> None:
    dense = random_matrix(4, 6, 9).to_dense()
    made = {
        "coo": dense.to_sparse_coo,
        "csr": dense.to_sparse_csr,
        "csc": dense.to_sparse_csc,
        "strided": lambda: dense,
    }
    matrix = CSR.from_torch(made[layout]())
    assert matrix.shape == (4, 6)
    assert (matrix.dtype, matrix.device) == (F64, torch.device("cpu"))
    assert torch.equal(matrix.to("cpu").to_dense(), dense)


def test_blocks_are_the_kronecker_product_with_the_identity() -> None:
    matrix = random_matrix(4, 5, 11).with_values(None)
    for count in (1, 3):
        blocks, places = matrix.blocks(count), matrix.block_places(count)
        expected = torch.kron(matrix.to_dense(), torch.eye(count))
        assert torch.equal(blocks.to_dense(), expected)
        dense = torch.randn(blocks.shape[0], 2, dtype=torch.float32)
        ones = torch.ones(len(blocks.indices))
        torch.testing.assert_close(sparse.transposed_product(blocks, ones, dense), expected.t() @ dense)
        assert torch.equal(blocks.rows[places] // count, matrix.rows[:, None].expand(-1, count))
        assert torch.equal(blocks.indices[places] % count, torch.arange(count).expand(11, -1))


def reference_softmax(scores: Tensor, structure: CSR) -> Tensor:
    """Return the softmax row by row, in float64, from its definition in logarithms."""
    result = torch.zeros(len(scores), dtype=F64)
    for row in range(structure.shape[0]):
        inside = structure.rows == row
        result[inside] = torch.log_softmax(scores[inside].double(), 0).exp()
    return result


def test_softmax_is_over_the_entries_of_a_row() -> None:
    structure = CSR.from_entries(torch.tensor([0, 0, 1, 3]), torch.tensor([0, 1, 0, 1]), None, (4, 2))
    scores = torch.tensor([1.0, 3.0, 7.0, 9.0]).log()
    torch.testing.assert_close(edge_softmax(scores, structure), torch.tensor([0.25, 0.75, 1.0, 1.0]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [1.0, 8.0, 30.0, 1e4])
def test_softmax_is_exact_however_far_the_rows_lie_apart(spread: float, dtype: torch.dtype) -> None:
    structure = random_matrix(9, 9, 60)
    offset = torch.linspace(-spread, spread, 9, dtype=dtype)  # one row at -1e4, another at 1e4
    scores = offset[structure.rows] + torch.randn(60, dtype=dtype)
    alpha = edge_softmax(scores, structure)
    tolerance = 5e-6 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(
        alpha.double(), reference_softmax(scores, structure), rtol=tolerance, atol=1e-12
    )


def test_softmax_of_extreme_scores_within_a_row_is_zero_and_one() -> None:
    structure = CSR.from_entries(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1]), None, (2, 2))
    alpha = edge_softmax(torch.tensor([1e4, -1e4, -1e4, -1e4]), structure)
    assert alpha.tolist() == [1.0, 0.0, 0.5, 0.5]


def test_softmax_of_no_entries_is_empty() -> None:
    assert edge_softmax(torch.zeros(0), random_matrix(3, 3, 0)).shape == (0,)


@pytest.mark.parametrize("spread", [1.0, 100.0])
def test_softmax_has_the_right_gradient(spread: float) -> None:
    structure = random_matrix(6, 6, 20)
    scores = (
        torch.linspace(-spread, spread, 6, dtype=F64)[structure.rows] + torch.randn(20, dtype=F64)
    ).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: edge_softmax(s, structure), (scores,))


def test_scores_are_the_leaky_sum_of_both_ends() -> None:
    structure = CSR.from_entries(torch.tensor([0, 1]), torch.tensor([1, 0]), None, (2, 2))
    scores = edge_scores(torch.tensor([1.0, 2.0]), torch.tensor([10.0, -6.0]), structure, 0.2)
    assert scores.tolist() == [12.0, -1.0]


def test_scores_have_the_right_gradients() -> None:
    structure = random_matrix(6, 7, 20)
    ends = torch.randn(7, dtype=F64, requires_grad=True), torch.randn(6, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s, t: edge_scores(s, t, structure, 0.2), ends)


def test_the_same_product_and_gradients_come_out_bit_for_bit() -> None:
    matrix = random_matrix(200, 300, 5000, dtype=torch.float32)
    dense, grad = torch.randn(300, 16), torch.randn(200, 16)

    def once() -> tuple[Tensor, ...]:
        assert matrix.values is not None
        values, operand = matrix.values.clone().requires_grad_(), dense.clone().requires_grad_()
        alpha = edge_softmax(values, matrix)
        result = spmm(matrix.with_values(alpha), operand)
        return (result, *torch.autograd.grad(result, (values, operand), grad))

    first = once()
    for _ in range(3):
        assert all(torch.equal(a, b) for a, b in zip(first, once(), strict=True))
