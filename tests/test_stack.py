"""The model as a whole: one road through it, any depth, any order of the nodes, dropout by formula."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.dropout import draw_kept
from gnnviz.errors import ConfigError
from gnnviz.models import MODELS, ModelConfig, build_model
from gnnviz.stack import Stack
from gnnviz.torch_graph import Operators

NODES, FEATURES, CLASSES = 25, 11, 4


def config_of(model: str, num_layers: int = 3, **changes: object) -> ModelConfig:
    """Return a small config; models with heads get two in hidden layers and three in the last."""
    if MODELS[model].has_heads:
        changes = {"heads": 2, "output_heads": 3, **changes}
    return ModelConfig(model=model, num_layers=num_layers, **{"hidden_channels": 8, **changes})  # pyright: ignore


def model_of(config: ModelConfig, seed: int = 0) -> Stack:
    torch.manual_seed(seed)
    return build_model(config, FEATURES, CLASSES)


def features(seed: int = 1) -> Tensor:
    return (torch.rand(NODES, FEATURES, generator=torch.Generator().manual_seed(seed)) < 0.4).float()


def edges(seed: int = 2) -> Tensor:
    return torch.randint(NODES - 2, (2, 60), generator=torch.Generator().manual_seed(seed))


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")  # the making of one warns
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("num_layers", [1, 2, 5])
def test_hidden_states_run_from_the_features_to_what_forward_returns(model: str, num_layers: int) -> None:
    stack = model_of(config_of(model, num_layers)).eval()
    x = features()
    for given in (x, CSR.from_torch(x), x.to_sparse_csr()):
        states = list(stack.hidden_states(given, edges()))
        assert [tuple(h.shape) for h in states] == [(NODES, FEATURES)] + [(NODES, 8)] * (num_layers - 1) + [
            (NODES, CLASSES)
        ]
        assert torch.equal(states[0], x)
        assert torch.equal(states[-1], stack(given, edges()))
    assert len(stack.layers) == num_layers


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("activation", "function"), [("relu", F.relu), ("elu", F.elu)])
def test_hidden_states_are_the_activated_outputs_of_each_layer(model: str, activation: str, function) -> None:
    stack = model_of(config_of(model, 3, activation=activation)).eval()
    h = features()
    for number, state in enumerate(list(stack.hidden_states(h, edges()))[1:], start=1):
        h = stack.layers[number - 1](h, edges())
        h = function(h) if number < 3 else h
        assert torch.equal(h, state)


@pytest.mark.parametrize("model", MODELS)
def test_sparse_and_dense_features_agree_in_output_and_gradients(model: str) -> None:
    stack = model_of(config_of(model)).eval()
    grads = []
    for x in (features(), CSR.from_torch(features())):
        stack.zero_grad()
        out = stack(x, edges())
        out.square().sum().backward()
        grads.append([out.detach()] + [parameter.grad for parameter in stack.parameters()])
    for dense, of_sparse in zip(*grads, strict=True):
        torch.testing.assert_close(dense, of_sparse, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_renumbering_the_nodes_renumbers_the_output(model: str) -> None:
    stack = model_of(config_of(model)).eval()
    order = torch.randperm(NODES, generator=torch.Generator().manual_seed(3))
    new_id = order.argsort()
    expected = stack(features(), edges())[order]
    torch.testing.assert_close(stack(features()[order], new_id[edges()]), expected)


@pytest.mark.parametrize("model", MODELS)
def test_only_models_that_use_the_graph_depend_on_it(model: str) -> None:
    stack = model_of(config_of(model)).eval()
    same = torch.equal(stack(features(), edges(2)), stack(features(), edges(7)))
    assert same != MODELS[model].uses_graph


@pytest.mark.parametrize("model", MODELS)
def test_64_layers_give_finite_numbers_and_every_parameter_a_gradient(model: str) -> None:
    stack = model_of(config_of(model, 64))
    out = stack(CSR.from_torch(features()), edges())
    out.square().sum().backward()
    assert out.isfinite().all()
    for name, parameter in stack.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("model", MODELS)
def test_state_dict_loads_strictly_into_a_fresh_model(model: str) -> None:
    first, second = model_of(config_of(model), seed=0).eval(), model_of(config_of(model), seed=1).eval()
    assert not torch.equal(first(features(), edges()), second(features(), edges()))
    second.load_state_dict(first.state_dict(), strict=True)
    assert torch.equal(first(features(), edges()), second(features(), edges()))


@pytest.mark.parametrize("model", MODELS)
def test_seed_fixes_weights_and_masks_and_a_saved_state_continues_them(model: str) -> None:
    first, second = model_of(config_of(model)), model_of(config_of(model))
    state = torch.get_rng_state()
    ours = first(features(), edges())
    assert not torch.equal(first(features(), edges()), ours)
    torch.set_rng_state(state)
    assert torch.equal(second(features(), edges()), ours)


@pytest.mark.parametrize("model", MODELS)
def test_between_leaves_the_features_alone(model: str) -> None:
    for dropout_on, is_kept in (("between", True), ("inputs", False)):
        stack = model_of(config_of(model, 1, dropout_on=dropout_on))
        trained = stack.train()(features(), edges())
        assert torch.equal(trained, stack.eval()(features(), edges())) == is_kept
    deeper = model_of(config_of(model, 2, dropout_on="between"))
    assert not torch.equal(deeper.train()(features(), edges()), deeper.eval()(features(), edges()))


def test_hidden_heads_stand_side_by_side_and_the_last_ones_are_averaged() -> None:
    stack = model_of(ModelConfig("gat", 3, hidden_channels=12, heads=4, output_heads=2))
    shapes = [tuple(layer.get_parameter("att_src").shape) for layer in stack.layers]
    assert shapes == [(1, 4, 3), (1, 4, 3), (1, 2, CLASSES)]


def test_attention_lists_each_layers_coefficients_from_its_own_input() -> None:
    stack = model_of(config_of("gat", 3)).eval()
    states = list(stack.hidden_states(features(), edges()))
    found = stack.attention(features(), edges())
    assert [alpha.shape[1] for _, alpha in found] == [2, 2, 3]
    for layer, h, (edge_index, alpha) in zip(stack.layers, states, found, strict=False):
        expected_edges, expected = layer.attention(h, edges())
        assert torch.equal(edge_index, expected_edges)
        assert torch.equal(alpha, expected)


@pytest.mark.parametrize("model", sorted(name for name, spec in MODELS.items() if not spec.has_heads))
def test_attention_of_a_model_without_it_is_refused(model: str) -> None:
    with pytest.raises(ConfigError, match="has no attention; choose from gat"):
        model_of(config_of(model)).attention(features(), edges())


@pytest.mark.parametrize("model", MODELS)
def test_too_few_features_or_classes_are_refused(model: str) -> None:
    with pytest.raises(ConfigError, match="got 1 classes"):
        build_model(config_of(model), FEATURES, 1)
    with pytest.raises(ConfigError, match="got 0 features"):
        build_model(config_of(model), 0, CLASSES)


# Dropout on, against dense formulas in float64 that are fed the same masks in the same order.


def next_mask(shape: tuple[int, ...], share: float) -> Tensor:
    kept, scale = draw_kept(torch.Size(shape), share, torch.device("cpu"))
    return kept.double() * scale


def masked_features(matrix: CSR, share: float) -> Tensor:
    assert matrix.values is not None
    return matrix.with_values(matrix.values.double() * next_mask((len(matrix.indices),), share)).to_dense()


def dense_gcn(weights: dict[str, Tensor], layer: int, x: Tensor) -> Tensor:
    adjacency = torch.eye(NODES, dtype=torch.float64)
    for source, target in edges().t().tolist():
        if source != target:
            adjacency[target, source] += 1
    scale = adjacency.sum(dim=1).rsqrt()
    mixed = scale[:, None] * adjacency * scale @ x
    return mixed @ weights[f"layers.{layer}.lin.weight"].t() + weights[f"layers.{layer}.bias"]


def dense_sage(weights: dict[str, Tensor], layer: int, x: Tensor) -> Tensor:
    adjacency = torch.zeros(NODES, NODES, dtype=torch.float64)
    for source, target in edges().t().tolist():
        adjacency[target, source] += 1
    mean = adjacency @ x / adjacency.sum(dim=1, keepdim=True).clamp(min=1)
    others = mean @ weights[f"layers.{layer}.lin_l.weight"].t() + weights[f"layers.{layer}.lin_l.bias"]
    return others + x @ weights[f"layers.{layer}.lin_r.weight"].t()


@pytest.mark.parametrize(("model", "formula"), [("gcn", dense_gcn), ("sage", dense_sage)])
@pytest.mark.parametrize("share", [0.5, 0.6])
def test_training_forward_equals_the_formula_in_float64_with_the_same_masks(
    model: str, formula, share
) -> None:
    stack = model_of(config_of(model, 3, dropout=share))
    x = CSR.from_torch(features())
    state = torch.get_rng_state()
    out = stack(x, edges())
    out.square().sum().backward()
    torch.set_rng_state(state)
    weights = {name: value.detach().double().requires_grad_() for name, value in stack.named_parameters()}
    h = formula(weights, 0, masked_features(x, share)).relu()
    h = formula(weights, 1, h * next_mask((NODES, 8), share)).relu()
    h = formula(weights, 2, h * next_mask((NODES, 8), share))
    h.square().sum().backward()
    torch.testing.assert_close(out.double(), h, rtol=1e-5, atol=1e-5)
    for name, parameter in stack.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad.double(), weights[name].grad, rtol=1e-4, atol=1e-4)


def test_attention_dropout_equals_the_formula_in_float64_with_the_same_masks() -> None:
    config = ModelConfig("gat", 1, output_heads=3, dropout=0.25, attention_dropout=0.6)
    stack = model_of(config)
    x = CSR.from_torch(features())
    state = torch.get_rng_state()
    out = stack(x, edges())
    out.square().sum().backward()
    torch.set_rng_state(state)
    weights = {name: value.detach().double().requires_grad_() for name, value in stack.named_parameters()}
    h = (masked_features(x, 0.25) @ weights["layers.0.lin.weight"].t()).view(NODES, 3, CLASSES)
    entries = Operators(edges(), NODES).with_loops
    source, target = entries.indices, entries.rows
    places = entries.block_places(3)
    mask = next_mask((places.numel(),), 0.6)[places]  # [E, heads]
    scores = (h * weights["layers.0.att_src"]).sum(-1)[source] + (h * weights["layers.0.att_dst"]).sum(-1)[
        target
    ]
    powers = F.leaky_relu(scores, 0.2).exp()
    sums = torch.zeros(NODES, 3, dtype=torch.float64).index_add(0, target, powers)
    messages = (powers / sums[target] * mask)[:, :, None] * h[source]
    expected = torch.zeros_like(h).index_add(0, target, messages).mean(dim=1) + weights["layers.0.bias"]
    expected.square().sum().backward()
    torch.testing.assert_close(out.double(), expected, rtol=1e-5, atol=1e-5)
    for name, parameter in stack.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad.double(), weights[name].grad, rtol=1e-4, atol=1e-4)
