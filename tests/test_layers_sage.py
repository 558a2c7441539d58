"""GraphSAGE's aggregators against dense references and torch's own LSTM; unit length."""

from __future__ import annotations

import pytest
import torch
from layer_cases import AWKWARD, GRAPHS, IN, ONE_TO_FOUR, OUT, PATH, assert_same_with_gradients, set_weights
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from gnnviz.csr import CSR
from gnnviz.errors import ConfigError
from gnnviz.layers import SAGEConv
from gnnviz.torch_graph import Operators

F64 = torch.float64


def test_aggregators_on_paper() -> None:
    gcn = SAGEConv(1, 1, aggregator="gcn")
    set_weights(gcn, lin_l__weight=[2.0], lin_l__bias=[10.0])
    assert gcn(ONE_TO_FOUR, PATH).flatten().tolist() == [13, 14, 15, 18]  # means 1.5, 2, 2.5, 4
    greatest = SAGEConv(1, 1, aggregator="max")
    set_weights(greatest, lin_l__weight=[100.0], lin_l__bias=[0.5], lin_r__weight=[1.0])
    assert greatest(ONE_TO_FOUR, PATH).flatten().tolist() == [201.5, 302.5, 203.5, 4.5]
    pool = SAGEConv(1, 1, aggregator="pool")
    weights = {"lin_l__weight": [100.0], "lin_l__bias": [0.5], "lin_r__weight": [1.0]}
    set_weights(pool, lin__weight=[-1.0], lin__bias=[2.5], **weights)
    # What the small network makes of the nodes: 1.5, 0.5, 0, 0.
    assert pool(ONE_TO_FOUR, PATH).flatten().tolist() == [51.5, 152.5, 53.5, 4.5]


@pytest.mark.parametrize("graph", GRAPHS)
def test_gcn_aggregator_equals_the_dense_average_with_oneself(graph: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[graph]
    layer = SAGEConv(IN, OUT, aggregator="gcn").double()
    reference = SAGEConv(IN, OUT, aggregator="gcn").double()
    reference.load_state_dict(layer.state_dict())
    matrix = torch.zeros(num_nodes, num_nodes, dtype=F64)
    for source, target in edge_index.t().tolist():
        matrix[target, source] += source != target
    matrix = (matrix + torch.eye(num_nodes)) / (matrix.sum(dim=1, keepdim=True) + 1)
    assert_same_with_gradients(
        lambda x: layer(x, edge_index),
        lambda x: matrix @ x @ reference.lin_l.weight.t() + reference.lin_l.bias,
        dict(layer.named_parameters()),
        dict(reference.named_parameters()),
        torch.randn(num_nodes, IN, dtype=F64),
    )


def read_by_torch(layer: SAGEConv, x: Tensor, edge_index: Tensor) -> Tensor:
    """Return what the LSTM layer is to give: torch's LSTM on packed sequences, one row at a time."""
    sequences = Operators(edge_index, len(x)).sequences(layer.order_seed)
    sizes = torch.tensor(sequences.batch_sizes)
    aggregate = x.new_zeros(len(x), layer.lstm.hidden_size)
    if sizes[0]:
        packed = PackedSequence(x[sequences.picks.indices], sizes)
        last = layer.lstm(packed)[1][0][0]
        rows = sequences.places.argsort()[: len(last)]
        aggregate = aggregate.index_copy(0, rows, last)
    return layer.lin_l(aggregate) + layer.lin_r(x)


@pytest.mark.parametrize("graph", GRAPHS)
def test_lstm_aggregator_equals_torchs_lstm(graph: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[graph]
    layer, reference = (SAGEConv(IN, OUT, aggregator="lstm", order_seed=3).double() for _ in range(2))
    reference.load_state_dict(layer.state_dict())
    x = torch.randn(num_nodes, IN, dtype=F64)
    if edge_index.shape[1]:
        assert_same_with_gradients(
            lambda h: layer(h, edge_index),
            lambda h: read_by_torch(reference, h, edge_index),
            dict(layer.named_parameters()),
            dict(reference.named_parameters()),
            x,
        )
    else:
        torch.testing.assert_close(layer(x, edge_index), layer.lin_l.bias + layer.lin_r(x))
        layer(x, edge_index).sum().backward()
        assert all(parameter.grad is not None for parameter in layer.parameters())


def test_sequences_hold_each_nodes_neighbours_in_an_order_that_the_seed_fixes() -> None:
    num_nodes, edge_index = GRAPHS[AWKWARD]
    given: list[list[int]] = [[] for _ in range(num_nodes)]
    for source, target in edge_index.t().tolist():
        given[target].append(source)
    orders = []
    for seed in (0, 0, 1):
        sequences = Operators(edge_index, num_nodes).sequences(seed)
        read: list[list[int]] = [[] for _ in range(num_nodes)]
        rows = sequences.places.argsort().tolist()
        steps = sequences.picks.indices.split(sequences.batch_sizes)
        for step in steps:
            for row, source in zip(rows, step.tolist(), strict=False):
                read[row].append(source)
        assert [sorted(row) for row in read] == [sorted(row) for row in given]
        orders.append(read)
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != given


def test_order_seed_decides_what_the_lstm_says() -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[AWKWARD]
    first, second = (SAGEConv(IN, OUT, aggregator="lstm", order_seed=seed) for seed in (0, 1))
    second.load_state_dict(first.state_dict())
    x = torch.randn(num_nodes, IN)
    assert torch.equal(first(x, edge_index), first(x, edge_index))
    assert not torch.allclose(first(x, edge_index), second(x, edge_index))


@pytest.mark.parametrize("aggregator", ["mean", "gcn", "max", "pool", "lstm"])
def test_sparse_features_give_the_same_as_dense_ones(aggregator: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[AWKWARD]
    layer = SAGEConv(IN, OUT, aggregator=aggregator)  # pyright: ignore[reportArgumentType]
    x = (torch.rand(num_nodes, IN) < 0.3).float()
    torch.testing.assert_close(layer(CSR.from_torch(x), edge_index), layer(x, edge_index))


@pytest.mark.parametrize("aggregator", ["mean", "gcn", "max", "pool", "lstm"])
def test_drawing_anew_changes_every_parameter(aggregator: str) -> None:
    layer = SAGEConv(IN, OUT, aggregator=aggregator)  # pyright: ignore[reportArgumentType]
    before = {name: parameter.detach().clone() for name, parameter in layer.named_parameters()}
    layer.reset_parameters()
    assert not [name for name, parameter in layer.named_parameters() if torch.equal(parameter, before[name])]


def test_unit_length_scales_rows_and_leaves_zeros_with_finite_gradients() -> None:
    layer = SAGEConv(2, 2, bias=False, unit_length=True)
    set_weights(layer, lin_l__weight=[0.0] * 4, lin_r__weight=[1.0, 0.0, 0.0, 1.0])
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0], [0.0, -7.0], [1e-3, 0.0]], requires_grad=True)
    out = layer(x, PATH)
    torch.testing.assert_close(out, torch.tensor([[0.6, 0.8], [0.0, 0.0], [0.0, -1.0], [1.0, 0.0]]))
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad.abs().max() <= 1e3


def test_wrong_settings_say_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match="aggregator is 'median'; choose from mean, gcn, max, pool, lstm"):
        SAGEConv(1, 1, aggregator="median")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="order_seed is -1"):
        SAGEConv(1, 1, aggregator="lstm", order_seed=-1)
