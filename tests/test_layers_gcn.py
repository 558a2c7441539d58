"""GCN's three normalisations, edge weights, and the layers that mix in the first state."""

from __future__ import annotations

import math

import pytest
import torch
from layer_cases import (
    AWKWARD,
    GRAPHS,
    IN,
    ONE_TO_FOUR,
    OUT,
    PATH,
    assert_same_with_gradients,
    pyg,
    set_weights,
)
from torch import Tensor
from torch_geometric.utils import add_remaining_self_loops

from gnnviz.csr import CSR
from gnnviz.datasets import load_graph
from gnnviz.errors import ConfigError, DatasetError
from gnnviz.layers import GCN2Conv, GCNConv, Propagation
from gnnviz.models import Normalisation
from gnnviz.torch_graph import Operators

NORMALISATIONS: tuple[Normalisation, ...] = ("sym", "row", "sum")
F64 = torch.float64


def weights_of(edge_index: Tensor, dtype: torch.dtype = F64) -> Tensor:
    return torch.rand(edge_index.shape[1], generator=torch.Generator().manual_seed(7), dtype=dtype) + 0.1


def dense_gcn(
    edge_index: Tensor, num_nodes: int, normalisation: Normalisation, edge_weight: Tensor | None = None
) -> Tensor:
    """Return the normalised matrix [N, N] by the textbook, edge by edge."""
    weights = torch.ones(edge_index.shape[1], dtype=F64) if edge_weight is None else edge_weight
    matrix, loops = torch.zeros(num_nodes, num_nodes, dtype=F64), torch.ones(num_nodes, dtype=F64)
    for (source, target), weight in zip(edge_index.t().tolist(), weights, strict=True):
        if source == target:
            loops[source] = weight
        else:
            matrix[target, source] += weight
    matrix = matrix + torch.diag(loops)
    degree = matrix.sum(dim=1)
    if normalisation == "row":
        return matrix / degree[:, None]
    return matrix / (degree[:, None] * degree).sqrt() if normalisation == "sym" else matrix


def test_row_and_sum_on_paper() -> None:
    expected = {"row": [1.5, 2.0, 2.5, 4.0], "sum": [3.0, 6.0, 5.0, 4.0]}
    for normalisation in ("row", "sum"):
        layer = GCNConv(1, 1, normalisation=normalisation)
        set_weights(layer, lin__weight=[2.0], bias=[10.0])
        values = [2 * value + 10 for value in expected[normalisation]]
        torch.testing.assert_close(layer(ONE_TO_FOUR, PATH).flatten(), torch.tensor(values))


def test_sum_grows_with_every_layer_and_averages_do_not() -> None:
    _, edge_index = GRAPHS[AWKWARD]
    for normalisation, bound in (("row", 1.0), ("sum", math.inf)):
        h = torch.ones(30, 1)
        layer = GCNConv(1, 1, normalisation=normalisation)
        set_weights(layer, lin__weight=[1.0], bias=[0.0])
        for _ in range(10):
            h = layer(h, edge_index)
        assert h.max() <= bound + 1e-5
    assert h.max() > 1e5


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_matrix_is_the_textbooks(normalisation: Normalisation, weighted: bool, graph: str) -> None:
    num_nodes, edge_index = GRAPHS[graph]
    weights = weights_of(edge_index) if weighted else None
    operators = Operators(edge_index, num_nodes)
    if weights is None:
        matrix = operators.gcn(F64, normalisation)
    else:
        matrix = operators.weighted_gcn(weights, F64, normalisation)
    torch.testing.assert_close(
        matrix.with_values(torch.ones(len(matrix.indices), dtype=F64)).to_dense()
        if matrix.values is None
        else matrix.to_dense(),
        dense_gcn(edge_index, num_nodes, normalisation, weights),
    )


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_gcn_equals_pyg_with_edge_weights(normalisation: Normalisation, graph: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[graph]
    weights = weights_of(edge_index)
    ours = GCNConv(IN, OUT, normalisation=normalisation).double()
    theirs = pyg.GCNConv(IN, OUT, normalize=normalisation == "sym").double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    their_edges, their_weights = edge_index, weights
    if normalisation != "sym":
        their_edges, their_weights = add_remaining_self_loops(edge_index, weights, 1.0, num_nodes)
    if normalisation == "row":
        degree = torch.zeros(num_nodes, dtype=F64).index_add(0, their_edges[1], their_weights)
        their_weights = their_weights / degree[their_edges[1]]
    assert_same_with_gradients(
        lambda x: ours(x, edge_index, weights),
        lambda x: theirs(x, their_edges, their_weights),
        dict(ours.named_parameters()),
        dict(theirs.named_parameters()),
        torch.randn(num_nodes, IN, dtype=F64),
    )


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_weights_of_one_change_nothing_in_float32_either(normalisation: Normalisation) -> None:
    num_nodes, edge_index = GRAPHS[AWKWARD]
    layer, x = GCNConv(IN, OUT, normalisation=normalisation), torch.randn(num_nodes, IN)
    ones = torch.ones(edge_index.shape[1])
    torch.testing.assert_close(layer(x, edge_index, ones), layer(x, edge_index))


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_gradient_reaches_the_edge_weights(normalisation: Normalisation) -> None:
    num_nodes, edge_index = GRAPHS[AWKWARD]
    edge_index = edge_index[:, :40]  # with a loop that weighs what it is given, in front of the second one
    edge_index = torch.cat([edge_index, torch.tensor([[3], [3]])], dim=1)
    layer, x = GCNConv(IN, 2, normalisation=normalisation).double(), torch.randn(num_nodes, IN, dtype=F64)
    weights = weights_of(edge_index).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: layer(x, edge_index, w), (weights,))


def test_node_whose_weights_sum_to_zero_gets_zeros_with_finite_gradients() -> None:
    loop = torch.tensor([[0, 1, 0], [0, 0, 1]])
    for normalisation in ("sym", "row"):
        weights = torch.tensor([1.0, -1.0, 1.0], requires_grad=True)
        layer = GCNConv(1, 1, bias=False, normalisation=normalisation)
        out = layer(torch.ones(2, 1), loop, weights)
        assert out[0] == 0
        out.sum().backward()
        assert weights.grad is not None
        assert weights.grad.isfinite().all()


def test_wrong_weights_say_what_was_got_and_what_is_allowed() -> None:
    layer, x = GCNConv(1, 1), ONE_TO_FOUR
    with pytest.raises(DatasetError, match=r"edge_weight has shape \[3\]; give one number per edge \[4\]"):
        layer(x, PATH, torch.ones(3))
    with pytest.raises(DatasetError, match="NaN or infinity"):
        layer(x, PATH, torch.tensor([1, math.nan, 1, 1]))
    with pytest.raises(DatasetError, match=r"into node 1 sum to -2, self-loop included.*or choose 'sum'"):
        layer(x, PATH, torch.tensor([-4.0, 1, 1, 1]))
    with pytest.raises(DatasetError, match="weights are on meta, the edges on cpu"):
        layer(x, PATH, torch.ones(4, device="meta"))
    with pytest.raises(ConfigError, match="normalisation is 'none'; choose from sym, row, sum"):
        GCNConv(1, 1, normalisation="none")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("graph", [*GRAPHS, "cora"])
def test_gcn2_equals_pyg_in_output_and_every_gradient(graph: str) -> None:
    torch.manual_seed(0)
    cora = load_graph("cora").to_torch()
    num_nodes, edge_index = (cora.num_nodes, cora.edge_index) if graph == "cora" else GRAPHS[graph]
    ours = GCN2Conv(IN, alpha=0.2, theta=0.7, layer=3).double()
    theirs = pyg.GCN2Conv(IN, alpha=0.2, theta=0.7, layer=3).double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert_same_with_gradients(
        lambda x: ours(x, edge_index, x.square()),
        lambda x: theirs(x, x.square(), edge_index),
        dict(ours.named_parameters()),
        dict(theirs.named_parameters()),
        torch.randn(num_nodes, IN, dtype=F64),
    )


def test_gcn2_starts_as_pygs() -> None:
    torch.manual_seed(0)
    ours = torch.stack([GCN2Conv(IN, 0.1, 0.5, 1).weight1.detach() for _ in range(200)])
    theirs = torch.stack([pyg.GCN2Conv(IN, 0.1, 0.5, 1).weight1.detach() for _ in range(200)])
    assert ours.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.02)
    assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.05)


@pytest.mark.parametrize("graph", GRAPHS)
def test_propagation_equals_pygs_personalised_pagerank_and_plain_smoothing(graph: str) -> None:
    num_nodes, edge_index = GRAPHS[graph]
    first = torch.randn(num_nodes, IN, dtype=F64)
    appnp, sgc = Propagation(0.15), Propagation()
    mixed, smoothed = first, first
    for _ in range(3):
        mixed, smoothed = appnp(mixed, edge_index, first), sgc(smoothed, edge_index)
    torch.testing.assert_close(mixed, pyg.APPNP(3, 0.15)(first, edge_index))
    cubed = torch.linalg.matrix_power(dense_gcn(edge_index, num_nodes, "sym"), 3)
    torch.testing.assert_close(smoothed, cubed @ first)
    assert not list(appnp.parameters())


def test_propagation_has_the_gradients_of_finite_differences() -> None:
    num_nodes, edge_index = GRAPHS["a chain in one direction"]
    x, first = (torch.randn(num_nodes, 2, dtype=F64, requires_grad=True) for _ in range(2))
    layer = Propagation(0.3)
    assert torch.autograd.gradcheck(lambda a, b: layer(a, edge_index, b), (x, first))


def test_sparse_states_are_smoothed_as_dense_ones() -> None:
    x = torch.eye(4)
    torch.testing.assert_close(Propagation(0.5)(CSR.from_torch(x), PATH, x), Propagation(0.5)(x, PATH, x))
    layer = GCN2Conv(4, 0.5, 1.0, 1)
    torch.testing.assert_close(layer(CSR.from_torch(x), PATH, x), layer(x, PATH, x))


def test_wrong_first_states_and_settings_say_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"got none, give one of \[4, 1\]"):
        Propagation(0.5)(ONE_TO_FOUR, PATH)
    with pytest.raises(ConfigError, match=r"got one of shape \[4, 2\], give one of \[4, 1\]"):
        GCN2Conv(1, 0.5, 1, 1)(ONE_TO_FOUR, PATH, torch.zeros(4, 2))
    with pytest.raises(ConfigError, match="alpha is 1"):
        Propagation(1)
    with pytest.raises(ConfigError, match="theta is 0"):
        GCN2Conv(1, 0.5, 0, 1)
    with pytest.raises(ConfigError, match="layer is 0"):
        GCN2Conv(1, 0.5, 1, 0)
