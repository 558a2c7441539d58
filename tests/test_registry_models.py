"""What holds for every model of the registry, with every remedy it takes, and whose formula each one is."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from model_cases import (
    CASES,
    CLASSES,
    FEATURES,
    HIDDEN,
    NODES,
    PLAIN,
    Case,
    edges,
    features,
    stack_of,
    with_cases,
)
from torch import Tensor

from gnnviz.config import TrainConfig
from gnnviz.csr import CSR
from gnnviz.datasets import load_graph
from gnnviz.errors import RunError
from gnnviz.graph import Graph
from gnnviz.models import MODELS, ModelConfig
from gnnviz.operators import Operators
from gnnviz.training import initial_model, train

with warnings.catch_warnings():  # what its import complains about is not ours
    warnings.simplefilter("ignore")
    from torch_geometric.nn import APPNP, GCN2Conv

BY_ORDER = Case("sage", (), (("aggregator", "lstm"),))


def toy_graph() -> Graph:
    generator = np.random.default_rng(0)
    part = generator.permutation(NODES) % 3
    return Graph(
        x=features().numpy(),
        edge_index=edges().numpy(),
        y=np.arange(NODES) % CLASSES,
        train_mask=part == 0,
        val_mask=part == 1,
        test_mask=part == 2,
    )


def renumbering() -> Tensor:
    return torch.randperm(NODES, generator=torch.Generator().manual_seed(3))


@with_cases([case for case in CASES if case != BY_ORDER])
def test_renumbering_the_nodes_renumbers_the_output(case: Case) -> None:
    stack = stack_of(case.config()).double().eval()
    order = renumbering()
    x, moved = features().double(), order.argsort()[edges()]
    expected = stack(x, edges())[order]
    assert expected.abs().max() > 0
    torch.testing.assert_close(stack(x[order], moved), expected, rtol=1e-9, atol=1e-9)


def test_the_order_of_neighbours_matters_to_the_lstm_alone() -> None:
    stack = stack_of(BY_ORDER.config(1)).double().eval()
    x = features().double()[:4]
    # Nodes 0, 1 and 2 send to node 3. Under new numbers the edges, sorted by them, come in another order.
    star = torch.tensor([[0, 1, 2], [3, 3, 3]])
    order = torch.tensor([1, 2, 0, 3])
    expected = stack(x, star)[order]
    found = stack(x[order], star)
    assert (found[3] - expected[3]).abs().max() > 1e-4
    torch.testing.assert_close(found[:3], expected[:3], rtol=1e-9, atol=1e-9)  # they hear of nobody


@pytest.mark.parametrize(
    ("case", "num_layers"),
    [
        pytest.param(case, depth, id=f"{case}-{depth}")
        for case in CASES
        for depth in (1, 2, 3)
        if depth >= case.least_layers
    ],
)
def test_states_run_from_the_features_to_what_forward_returns_and_every_parameter_learns(
    case: Case, num_layers: int
) -> None:
    config = case.config(num_layers)
    stack = stack_of(config)
    x = CSR.from_torch(features())
    states, copies = [], []
    for state in stack.eval().hidden_states(x, edges()):
        states.append(state)
        copies.append(state.clone())
    hidden = CLASSES if MODELS[case.model].propagates else HIDDEN
    widths = [FEATURES] + [hidden] * (config.num_states - 1) + [CLASSES]
    assert [tuple(h.shape) for h in states] == [(NODES, width) for width in widths]
    assert all(torch.equal(*pair) for pair in zip(states, copies, strict=True))  # none changes afterwards
    assert torch.equal(states[0], features())
    assert torch.equal(states[-1], stack(x, edges()))
    if config.has_head:
        assert torch.equal(stack.classify(stack.embeddings(x, edges())), states[-1])
    stack.train()(x, edges()).square().sum().backward()
    for name, parameter in stack.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert 1 <= stack.layer_of(name) <= config.num_states


@with_cases([case for case in CASES if ("normalisation", "sum") not in case.options])
def test_an_epoch_at_64_layers_is_finite(case: Case) -> None:
    graph = toy_graph().to_torch()
    training = train(stack_of(case.config(64)), graph, TrainConfig(epochs=1))
    (record,) = training
    assert len(record.grad_norms) == len(record.weight_norms) == case.config(64).num_states
    assert all(math.isfinite(value) for value in (*record.grad_norms, *record.weight_norms, record.val_loss))
    assert all(np.isfinite(array).all() for array in training.weights().values())


def test_sums_that_are_not_normalised_overflow_at_64_layers_and_the_layer_is_named() -> None:
    graph = load_graph("cora")
    config = ModelConfig("gcn", 64, hidden_channels=16, normalisation="sum")
    model = initial_model(config, 0, graph.num_features, graph.num_classes)
    with pytest.raises(RunError, match=r"layer [1-6]\d's output is not finite at epoch 1: the numbers grew"):
        list(train(model, graph, TrainConfig(epochs=3)))


@with_cases(CASES)
def test_a_state_dict_brings_all_that_evaluation_needs(case: Case) -> None:
    first, second = stack_of(case.config(), seed=0), stack_of(case.config(), seed=1)
    first.train()(features(), edges())  # the running statistics of norms move
    first.eval()
    second.eval()
    assert not torch.equal(first(features(), edges()), second(features(), edges()))
    second.load_state_dict(first.state_dict(), strict=True)
    assert torch.equal(first(features(), edges()), second(features(), edges()))


@with_cases(PLAIN)
def test_only_models_that_use_the_graph_depend_on_it(case: Case) -> None:
    stack = stack_of(case.config()).eval()
    same = torch.equal(stack(features(), edges(2)), stack(features(), edges(7)))
    assert same != MODELS[case.model].uses_graph


@with_cases(PLAIN)
def test_without_biases_the_zero_state_stays_zero(case: Case) -> None:
    stack = stack_of(case.config(bias=False)).eval()
    assert not any(name.endswith("bias") for name, _ in stack.named_parameters())
    assert torch.equal(stack(torch.zeros(NODES, FEATURES), edges()), torch.zeros(NODES, CLASSES))


# Against formulas written with dense matrices, and against PyG.


def dense_adjacency() -> Tensor:
    """Return D^-1/2 (A + I) D^-1/2 [N, N]."""
    adjacency = torch.eye(NODES, dtype=torch.float64)
    for source, target in edges().t().tolist():
        if source != target:
            adjacency[target, source] += 1
    scale = adjacency.sum(dim=1).rsqrt()
    return scale[:, None] * adjacency * scale


def test_states_of_sgc_are_powers_of_the_adjacency_times_one_linear_map() -> None:
    stack = stack_of(ModelConfig("sgc", 5)).double().eval()
    weights = stack.state_dict()
    assert set(weights) == {"before.0.weight", "before.0.bias"}
    x = features().double()
    states = list(stack.hidden_states(x, edges()))
    for power, state in enumerate(states[1:], start=1):
        smoothed = torch.linalg.matrix_power(dense_adjacency(), power)
        expected = smoothed @ (x @ weights["before.0.weight"].t() + weights["before.0.bias"])
        torch.testing.assert_close(state, expected, rtol=1e-9, atol=1e-9)


def test_appnp_is_an_mlp_and_then_pygs_propagation() -> None:
    stack = stack_of(ModelConfig("appnp", 6, hidden_channels=HIDDEN, alpha=0.2)).double().eval()
    first, second = stack.before
    scores = second(first(features().double()).relu())
    expected = APPNP(K=6, alpha=0.2)(scores, edges())
    torch.testing.assert_close(stack(features().double(), edges()), expected, rtol=1e-9, atol=1e-9)


def test_gcnii_is_pygs_layers_between_two_linear_ones() -> None:
    stack = stack_of(ModelConfig("gcnii", 4, hidden_channels=HIDDEN, alpha=0.2, theta=0.7)).double().eval()
    first = h = stack.before[0](features().double()).relu()
    for number, layer in enumerate(stack.layers, start=1):
        theirs = GCN2Conv(HIDDEN, 0.2, 0.7, number).double()
        theirs.load_state_dict(layer.state_dict())
        h = theirs(h, first, edges()).relu()
    expected = stack.head[0](h)
    torch.testing.assert_close(stack(features().double(), edges()), expected, rtol=1e-9, atol=1e-9)


def test_appnp_without_an_end_stands_still_at_personalised_pagerank() -> None:
    # Z = alpha (I - (1 - alpha) A^)^-1 Z0, Klicpera et al., eq. 3.
    stack = stack_of(ModelConfig("appnp", 64, hidden_channels=HIDDEN, alpha=0.5)).double().eval()
    first, second = stack.before
    scores = second(first(features().double()).relu())
    expected = torch.linalg.solve(
        torch.eye(NODES, dtype=torch.float64) - 0.5 * dense_adjacency(), 0.5 * scores
    )
    torch.testing.assert_close(stack(features().double(), edges()), expected, rtol=1e-9, atol=1e-9)


@with_cases(PLAIN)
def test_operators_that_are_kept_serve_every_layer(case: Case) -> None:
    stack = stack_of(case.config()).eval()
    kept = Operators(edges(), NODES)
    assert torch.equal(stack(features(), kept), stack(features(), edges()))
