"""The layers against sums done on paper and against PyTorch Geometric's layers on the same weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from layer_cases import (
    AWKWARD,
    GRAPHS,
    IN,
    LAYERS,
    ONE_TO_FOUR,
    OUT,
    PATH,
    assert_same_with_gradients,
    pyg,
    random_edges,
    set_weights,
)
from scipy import sparse as scipy_sparse
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.datasets import load_graph
from gnnviz.errors import ConfigError, DatasetError
from gnnviz.graph import Graph
from gnnviz.layers import GATConv, GATv2Conv, GCNConv, Linear, SAGEConv
from gnnviz.torch_graph import Operators, TorchGraph


def test_gcn_on_paper() -> None:
    layer = GCNConv(1, 1)
    set_weights(layer, lin__weight=[2.0], bias=[10.0])
    # Degrees with self-loops 2, 3, 2, 1.
    mixed = [1 / 2 + 2 / math.sqrt(6), 2 / 3 + (1 + 3) / math.sqrt(6), 3 / 2 + 2 / math.sqrt(6), 4]
    expected = torch.tensor([[2 * value + 10] for value in mixed])
    torch.testing.assert_close(layer(ONE_TO_FOUR, PATH), expected)


def test_sage_on_paper() -> None:
    layer = SAGEConv(1, 1)
    set_weights(layer, lin_l__weight=[100.0], lin_l__bias=[0.5], lin_r__weight=[1.0])
    # Neighbours' means 2, (1 + 3) / 2, 2, and 0 for the node that has none.
    assert layer(ONE_TO_FOUR, PATH).flatten().tolist() == [201.5, 202.5, 203.5, 4.5]


def test_gat_on_paper() -> None:
    layer = GATConv(1, 1)
    set_weights(layer, lin__weight=[1.0], att_src=[math.log(2)], att_dst=[0.0], bias=[10.0])
    # Attention is in proportion to 2^x of the source: 2, 4, 8.
    expected = torch.tensor([[(2 + 8) / 6], [(2 + 8 + 24) / 14], [(8 + 24) / 12], [4.0]]) + 10
    torch.testing.assert_close(layer(ONE_TO_FOUR, PATH), expected)


def test_gat_on_paper_below_zero_and_with_two_heads() -> None:
    layer = GATConv(1, 1, heads=2, negative_slope=0.2)
    slope = -5 * math.log(2)  # times 0.2 below zero: attention in proportion to 2^-x
    set_weights(layer, lin__weight=[1.0, 1.0], att_src=[slope, 0.0], att_dst=[0.0, 0.0], bias=[0.0, 0.0])
    leaning = [(1 / 2 + 2 / 4) / (3 / 4), (1 / 2 + 2 / 4 + 3 / 8) / (7 / 8), (2 / 4 + 3 / 8) / (3 / 8), 4]
    plain = [1.5, 2, 2.5, 4]
    torch.testing.assert_close(layer(ONE_TO_FOUR, PATH), torch.tensor([leaning, plain]).t())
    averaged = GATConv(1, 1, heads=2, concat=False)
    set_weights(averaged, lin__weight=[1, 1], att_src=[slope, 0], att_dst=[0, 0], bias=[0])
    expected = torch.tensor([[(a + b) / 2] for a, b in zip(leaning, plain, strict=True)])
    torch.testing.assert_close(averaged(ONE_TO_FOUR, PATH), expected)


def test_linear_on_paper_looks_at_no_graph() -> None:
    layer = Linear(1, 1)
    set_weights(layer, weight=[3.0], bias=[1.0])
    assert layer(ONE_TO_FOUR, PATH).flatten().tolist() == [4, 7, 10, 13]


def bag_of_words(num_nodes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    words = torch.rand(num_nodes, IN, generator=torch.Generator().manual_seed(6)) < 0.3
    words[0, 0] = True
    return words.to(dtype)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_pyg_in_output_and_every_gradient(name: str, graph: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[graph]
    ours, theirs = (make() for make in LAYERS[name])
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert_same_with_gradients(
        lambda x: ours(x, edge_index),
        lambda x: theirs(x, edge_index),
        dict(ours.named_parameters()),
        dict(theirs.named_parameters()),
        torch.randn(num_nodes, IN),
    )


@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_pyg_on_cora_in_output_and_every_gradient(name: str) -> None:
    torch.manual_seed(0)
    graph = load_graph("cora").to_torch()
    ours, theirs = (make().double() for make in LAYERS[name])
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert_same_with_gradients(
        lambda x: ours(x, graph),
        lambda x: theirs(x, graph.edge_index),
        dict(ours.named_parameters()),
        dict(theirs.named_parameters()),
        torch.randn(graph.num_nodes, IN, dtype=torch.float64),
    )


@pytest.mark.parametrize("name", LAYERS)
def test_sparse_features_equal_pyg_on_dense_ones(name: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[AWKWARD]
    ours, theirs = (make() for make in LAYERS[name])
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = bag_of_words(num_nodes)
    our_out, their_out = ours(CSR.from_torch(x), edge_index), theirs(x, edge_index)
    torch.testing.assert_close(our_out, their_out, rtol=1e-5, atol=1e-5)
    our_out.square().sum().backward()
    their_out.square().sum().backward()
    for key, parameter in theirs.named_parameters():
        torch.testing.assert_close(ours.get_parameter(key).grad, parameter.grad, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_initial_weights_are_spread_as_pygs(name: str) -> None:
    torch.manual_seed(0)
    drawn = [[make() for _ in range(200)] for make in LAYERS[name]]
    for key, parameter in drawn[0][0].named_parameters():
        ours, theirs = (
            torch.stack([layer.get_parameter(key).detach() for layer in layers]) for layers in drawn
        )
        assert ours[0].shape == theirs[0].shape == parameter.shape
        assert ours.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.02)
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.05, abs=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_layer_has_the_gradients_of_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS["a chain in one direction"]
    layer = LAYERS[name][0]().double()
    x = torch.randn(num_nodes, IN, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda h: layer(h, edge_index), (x,))


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")  # the making of one warns
@pytest.mark.parametrize("name", LAYERS)
def test_every_form_of_graph_and_features_gives_the_same(name: str) -> None:
    torch.manual_seed(0)
    x = bag_of_words(20)
    graph = Graph(x=x.numpy(), edge_index=random_edges(18, 50).numpy())
    sparse_graph = Graph(x=scipy_sparse.csr_array(x.numpy()), edge_index=graph.edge_index)
    edge_index = torch.tensor(graph.edge_index)
    layer = LAYERS[name][0]()
    expected = layer(x, edge_index)
    prepared = TorchGraph.from_graph(sparse_graph)
    assert isinstance(prepared.x, CSR)
    for form in (graph, prepared, prepared.operators, Operators(edge_index, 20), edge_index.int()):
        assert torch.equal(layer(x, form), expected)
    for features in (prepared.x, x.to_sparse_coo(), x.to_sparse_csr()):
        torch.testing.assert_close(layer(features, prepared), expected)


def test_prepared_operators_are_made_once() -> None:
    operators = Operators(PATH, 4)
    assert operators.gcn(torch.float32) is operators.gcn(torch.float32)
    assert operators.mean(torch.float32) is operators.mean(torch.float32)
    assert operators.attention(2) is operators.attention(2)
    assert operators.attention_places(2) is operators.attention_places(2)
    assert operators.sequences(0) is operators.sequences(0)
    assert operators.gcn(torch.float64).dtype == torch.float64


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize(("conv", "their_conv"), [(GATConv, pyg.GATConv), (GATv2Conv, pyg.GATv2Conv)])
def test_attention_equals_pygs_and_sums_to_one(
    conv: type[GATConv | GATv2Conv], their_conv: type[pyg.GATConv | pyg.GATv2Conv], heads: int
) -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[AWKWARD]
    ours, theirs = conv(IN, 4, heads=heads, dropout=0.5), their_conv(IN, 4, heads=heads)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(num_nodes, IN)
    edges, alpha = ours.attention(x, edge_index)
    their_edges, their_alpha = theirs(x, edge_index, return_attention_weights=True)[1]
    assert alpha.shape == (edges.shape[1], heads)
    keys, their_keys = (e[1] * num_nodes + e[0] for e in (edges, their_edges))
    order, their_order = keys.argsort(stable=True), their_keys.argsort(stable=True)
    assert torch.equal(keys[order], their_keys[their_order])
    torch.testing.assert_close(alpha[order], their_alpha[their_order], rtol=1e-5, atol=1e-6)
    sums = torch.zeros(num_nodes, heads).index_add(0, edges[1], alpha)
    torch.testing.assert_close(sums, torch.ones(num_nodes, heads))
    assert int((edges[0] == edges[1]).sum()) == num_nodes


def test_output_is_the_average_that_attention_says() -> None:
    torch.manual_seed(0)
    num_nodes, edge_index = GRAPHS[AWKWARD]
    layer = GATConv(IN, 4, heads=2)
    x = torch.randn(num_nodes, IN)
    edges, alpha = layer.attention(x, edge_index)
    h = (x @ layer.lin.weight.t()).view(num_nodes, 2, 4)
    by_hand = torch.zeros_like(h).index_add(0, edges[1], alpha[:, :, None] * h[edges[0]])
    torch.testing.assert_close(layer(x, edge_index), by_hand.flatten(1))


def test_attention_of_extreme_scores_is_finite_with_finite_gradients() -> None:
    layer = GATConv(1, 1)
    set_weights(layer, lin__weight=[1.0], att_src=[1.0], att_dst=[1.0], bias=[0.0])
    x = torch.tensor([[-1e4], [1e4], [0.0], [-1e4]]).requires_grad_()
    edges, alpha = layer.attention(x, PATH)
    to_first = alpha[edges[1] == 0].flatten()
    assert sorted(to_first.tolist()) == [0.0, 1.0]
    layer(x, PATH).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_attention_dropout_drops_coefficients_while_training_only() -> None:
    torch.manual_seed(0)
    layer = GATConv(IN, 4, heads=2, dropout=0.5)
    x, edges = torch.randn(30, IN), random_edges(30, 90)
    kept = layer.eval()(x, edges)
    assert torch.equal(layer(x, edges), kept)
    state = torch.get_rng_state()
    dropped = layer.train()(x, edges)
    assert not torch.equal(dropped, kept)
    torch.set_rng_state(state)
    assert torch.equal(layer(x, edges), dropped)


@pytest.mark.parametrize("name", LAYERS)
def test_a_call_leaves_nothing_on_the_layer(name: str) -> None:
    layer = LAYERS[name][0]()
    before = {key: set(vars(module)) for key, module in layer.named_modules()}
    layer(torch.randn(4, IN), PATH)
    assert {key: set(vars(module)) for key, module in layer.named_modules()} == before
    assert not list(layer.buffers())


@pytest.mark.parametrize("name", LAYERS)
def test_wrong_shapes_say_what_was_got_and_what_is_allowed(name: str) -> None:
    layer = LAYERS[name][0]()
    with pytest.raises(ConfigError, match=r"shape \[4, 3\]; this layer takes \[nodes, 9\]"):
        layer(torch.zeros(4, 3), PATH)
    with pytest.raises(ConfigError, match=r"shape \[9\]"):
        layer(torch.zeros(9), PATH)
    with pytest.raises(DatasetError, match=r"edge_index has shape \[4, 2\].*whole numbers"):
        layer(torch.zeros(4, IN), PATH.t())
    with pytest.raises(DatasetError, match="float32"):
        layer(torch.zeros(4, IN), PATH.float())
    with pytest.raises(DatasetError, match="nodes 0 to 2; the features are of nodes 0 to 1"):
        layer(torch.zeros(2, IN), PATH)
    with pytest.raises(DatasetError, match="features of 5 nodes for a graph of 4 nodes"):
        layer(torch.zeros(5, IN), Operators(PATH, 4))


def test_graph_on_another_device_than_the_features_is_refused() -> None:
    with pytest.raises(DatasetError, match="features are on cpu, the edges on meta"):
        GCNConv(IN, OUT)(torch.zeros(4, IN), Operators(PATH.to("meta"), 4))


def test_torch_graph_holds_labels_and_masks() -> None:
    mask = np.array([True, False, False, True])
    graph = Graph(x=ONE_TO_FOUR.numpy(), edge_index=PATH.numpy(), y=np.array([0, 1, 1, 0]), val_mask=mask)
    made = graph.to_torch()
    assert made.y is not None
    assert made.val_mask is not None
    assert (made.num_nodes, made.device) == (4, torch.device("cpu"))
    assert made.y.tolist() == [0, 1, 1, 0]
    assert made.val_mask.tolist() == mask.tolist()
    assert made.train_mask is None
    assert made.test_mask is None
    assert torch.equal(made.edge_index, torch.tensor(graph.edge_index))
