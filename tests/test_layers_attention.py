"""Dense attention against the sparse one, and what GATv2 can that GAT cannot."""

from __future__ import annotations

import psutil
import pytest
import torch
from layer_cases import AWKWARD, GRAPHS, IN, assert_same_with_gradients, set_weights
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.errors import ConfigError
from gnnviz.layers import DenseGATConv, GATConv, GATv2Conv, dense_gat
from gnnviz.torch_graph import Operators

F64 = torch.float64


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize(("heads", "concat"), [(1, True), (3, True), (3, False)])
def test_dense_form_equals_the_sparse_one(heads: int, concat: bool, graph: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[graph]
    dense, sparse = (conv(IN, 4, heads, concat).double() for conv in (DenseGATConv, GATConv))
    dense.load_state_dict(sparse.state_dict(), strict=True)
    x = torch.randn(num_nodes, IN, dtype=F64)
    assert_same_with_gradients(
        lambda h: dense(h, edge_index),
        lambda h: sparse(h, edge_index),
        dict(dense.named_parameters()),
        dict(sparse.named_parameters()),
        x,
    )
    edges, alpha = dense.attention(x, edge_index)
    sparse_edges, sparse_alpha = sparse.attention(x, edge_index)
    assert torch.equal(edges, sparse_edges)
    torch.testing.assert_close(alpha, sparse_alpha)
    float_x = x.float()
    torch.testing.assert_close(
        dense.float()(float_x, edge_index), sparse.float()(float_x, edge_index), rtol=1e-5, atol=1e-5
    )
    features = CSR.from_torch(float_x)
    torch.testing.assert_close(dense(features, edge_index), dense(float_x, edge_index))


def test_dense_form_drops_coefficients_while_training_only() -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[AWKWARD]
    layer, x = DenseGATConv(IN, 4, heads=2, dropout=0.5), torch.randn(num_nodes, IN)
    kept = layer.eval()(x, edge_index)
    assert torch.equal(layer(x, edge_index), kept)
    assert not torch.equal(layer.train()(x, edge_index), kept)


def test_dense_form_that_would_not_fit_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = 100_000  # 5 copies of 8 heads x 100,000^2 float32 are 1490 GiB
    operators = Operators(torch.zeros(2, 0, dtype=torch.int64), nodes)
    sentence = (
        r"over 100000 x 100000 nodes and 8 heads needs about 1490.1 GiB of memory; .* are free.*sparse form"
    )
    layer = DenseGATConv(1, 1, heads=8)
    with pytest.raises(ConfigError, match=sentence):
        layer(torch.zeros(nodes, 1), operators)
    with pytest.raises(ConfigError, match=sentence):
        layer.attention(torch.zeros(nodes, 1), operators)
    monkeypatch.setattr(dense_gat, "available_memory", lambda _: 5 * 8 * 10 * 10 * 4 - 1)
    with pytest.raises(ConfigError, match="10 x 10 nodes"):
        layer(torch.zeros(10, 1), torch.zeros(2, 0, dtype=torch.int64))
    layer(torch.zeros(9, 1), torch.zeros(2, 0, dtype=torch.int64))


def test_available_memory_is_that_of_the_machine() -> None:
    available = dense_gat.available_memory(torch.device("cpu"))
    assert available == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def ranking(edges: Tensor, alpha: Tensor, query: int, keys: list[int]) -> list[int]:
    """Return the keys in the order of the attention that the query pays them, most first."""
    paid = {
        source: value
        for (source, target), value in zip(edges.t().tolist(), alpha.flatten().tolist(), strict=True)
        if target == query
    }
    return sorted(keys, key=lambda key: -paid[key])


# Queries 0 and 1 both hear keys 2, 3 and 4; a feature for "is a query" and one number each.
QUERIES_AND_KEYS = torch.tensor([[2, 3, 4, 2, 3, 4], [0, 0, 0, 1, 1, 1]])
NUMBERS = torch.tensor([[1.0], [-1.0], [0.3], [-0.2], [-0.9]])


def test_gat_ranks_neighbours_the_same_for_every_query() -> None:
    for seed in range(20):
        torch.manual_seed(seed)
        layer = GATConv(5, 4, heads=1)
        x = torch.randn(5, 5)
        edges, alpha = layer.attention(x, QUERIES_AND_KEYS)
        assert ranking(edges, alpha, 0, [2, 3, 4]) == ranking(edges, alpha, 1, [2, 3, 4])


def test_gatv2_can_rank_neighbours_differently_for_different_queries() -> None:
    layer = GATv2Conv(1, 2, negative_slope=0.0)
    # A score is ReLU(key + 2 query - 1) + ReLU(-key - 2 query - 1).
    set_weights(
        layer,
        lin_l__weight=[1.0, -1.0],
        lin_l__bias=[0.0, 0.0],
        lin_r__weight=[2.0, -2.0],
        lin_r__bias=[-1.0, -1.0],
        att=[1.0, 1.0],
        bias=[0.0, 0.0],
    )
    edges, alpha = layer.attention(NUMBERS, QUERIES_AND_KEYS)
    assert ranking(edges, alpha, 0, [2, 3, 4]) == [2, 3, 4]
    assert ranking(edges, alpha, 1, [2, 3, 4]) == [4, 3, 2]
    scores = {0: [1.3, 0.8, 0.1, 2.0], 1: [0.7, 1.2, 1.9, 2.0]}  # of keys 2, 3, 4 and the query itself
    for query, expected in scores.items():
        order = [int(((edges[0] == key) & (edges[1] == query)).nonzero()) for key in (2, 3, 4, query)]
        torch.testing.assert_close(alpha[order, 0], torch.tensor(expected).softmax(dim=0))
