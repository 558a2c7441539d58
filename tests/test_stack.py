"""The stack: what stands between its layers, one road through it, dropout by formula, mini-batches."""

from __future__ import annotations

import weakref

import pytest
import torch
import torch.nn.functional as F
from model_cases import CLASSES, FEATURES, NODES, PLAIN, Case, edges, features, stack_of, with_cases
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.dropout import draw_kept
from gnnviz.errors import ConfigError
from gnnviz.models import MODELS, ModelConfig, build_model
from gnnviz.operators import Operators
from gnnviz.remedies import Remedies
from gnnviz.torch_graph import BatchHop

BARE = sorted(name for name, spec in MODELS.items() if not spec.propagates and not spec.has_head)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")  # the making of one warns
@with_cases(PLAIN)
def test_features_may_have_any_form(case: Case) -> None:
    stack = stack_of(case.config(2)).eval()
    x = features()
    expected = stack(CSR.from_torch(x), edges())
    for given in (x.to_sparse_csr(), x.to_sparse_coo()):
        assert torch.equal(next(stack.hidden_states(given, edges())), x)
        assert torch.equal(stack(given, edges()), expected)


@pytest.mark.parametrize("model", BARE)
@pytest.mark.parametrize(("activation", "function"), [("relu", F.relu), ("elu", F.elu)])
def test_hidden_states_are_the_activated_outputs_of_each_layer(model: str, activation: str, function) -> None:
    stack = stack_of(Case(model).config(3, activation=activation)).eval()
    assert (len(stack.layers), len(stack.before), len(stack.norms), len(stack.head)) == (3, 0, 0, 0)
    h = features()
    for number, state in enumerate(list(stack.hidden_states(h, edges()))[1:], start=1):
        h = stack.layers[number - 1](h, edges())
        h = function(h) if number < 3 else h
        assert torch.equal(h, state)


@with_cases(PLAIN)
def test_sparse_and_dense_features_agree_in_output_and_gradients(case: Case) -> None:
    stack = stack_of(case.config()).eval()
    grads = []
    for x in (features(), CSR.from_torch(features())):
        stack.zero_grad()
        out = stack(x, edges())
        out.square().sum().backward()
        grads.append([out.detach()] + [parameter.grad for parameter in stack.parameters()])
    for dense, of_sparse in zip(*grads, strict=True):
        torch.testing.assert_close(dense, of_sparse, rtol=1e-4, atol=1e-5)


@with_cases(PLAIN)
def test_seed_fixes_weights_and_masks_and_a_saved_state_continues_them(case: Case) -> None:
    first, second = stack_of(case.config()), stack_of(case.config())
    state = torch.get_rng_state()
    ours = first(features(), edges())
    assert not torch.equal(first(features(), edges()), ours)
    torch.set_rng_state(state)
    assert torch.equal(second(features(), edges()), ours)


@with_cases(PLAIN)
def test_between_leaves_the_features_alone(case: Case) -> None:
    has_hidden_states = case.model in ("appnp", "gcnii")  # on one layer, where the others have none
    for dropout_on, is_kept in (("between", not has_hidden_states), ("inputs", False)):
        stack = stack_of(case.config(1, dropout_on=dropout_on))
        trained = stack.train()(features(), edges())
        assert torch.equal(trained, stack.eval()(features(), edges())) == is_kept
    deeper = stack_of(case.config(2, dropout_on="between"))
    same = torch.equal(deeper.train()(features(), edges()), deeper.eval()(features(), edges()))
    assert same == (case.model == "sgc")  # whose class scores are not dropped


@pytest.mark.parametrize("post_layers", [0, 1])
def test_hidden_heads_stand_side_by_side_and_those_of_the_logits_are_averaged(post_layers: int) -> None:
    remedies = Remedies(post_layers=post_layers)
    stack = stack_of(ModelConfig("gat", 3, 12, heads=4, output_heads=2, remedies=remedies))
    shapes = [tuple(layer.get_parameter("att_src").shape) for layer in stack.layers]
    assert shapes == [(1, 4, 3), (1, 4, 3), (1, 4, 3) if post_layers else (1, 2, CLASSES)]


@pytest.mark.parametrize("name", ["gat", "gatv2"])
@pytest.mark.parametrize("remedies", [(), ("pre_mlp", "jumping_concat", "pair_norm")])
def test_attention_lists_each_layers_coefficients_from_its_own_input(name: str, remedies) -> None:
    stack = stack_of(Case(name, remedies).config(3)).eval()
    inputs = list(stack.hidden_states(features(), edges()))
    if remedies:
        inputs[0] = F.elu(stack.before[0](features()))
    found = stack.attention(features(), edges())
    assert [alpha.shape[1] for _, alpha in found] == [2, 2, 2 if remedies else 3]
    for layer, h, (edge_index, alpha) in zip(stack.layers, inputs, found, strict=False):
        expected_edges, expected = layer.attention(h, edges())
        assert torch.equal(edge_index, expected_edges)
        assert torch.equal(alpha, expected)


@pytest.mark.parametrize("post_layers", [0, 1])
def test_elu_of_the_output_bends_the_logits_and_nothing_else(post_layers: int) -> None:
    bent, straight = (
        stack_of(Case("gat").config(2, output_elu=bent, remedies=Remedies(post_layers=post_layers))).eval()
        for bent in (True, False)
    )
    *hidden, logits = straight.hidden_states(features(), edges())
    *bent_hidden, bent_logits = bent.hidden_states(features(), edges())
    assert all(torch.equal(*pair) for pair in zip(hidden, bent_hidden, strict=True))
    assert logits.min() < 0
    assert torch.equal(bent_logits, F.elu(logits))


@pytest.mark.parametrize("post_layers", [0, 1])
def test_rows_of_length_one_are_hidden_states_and_never_logits(post_layers: int) -> None:
    remedies = Remedies(post_layers=post_layers)
    stack = stack_of(ModelConfig("sage", 2, FEATURES, unit_length=True, remedies=remedies)).eval()
    lengths = [layer(features(), edges()).norm(dim=1) for layer in stack.layers]
    ones = torch.ones(NODES)
    torch.testing.assert_close(lengths[0], ones)
    assert torch.allclose(lengths[1], ones) == bool(post_layers)


@with_cases([Case("gcn"), Case("gcn", ("post_mlp",)), Case("gcn", ("jumping_max",)), Case("appnp")])
@torch.no_grad()
def test_evaluation_holds_no_more_states_than_it_needs(case: Case) -> None:
    stack = stack_of(case.config(12)).eval()
    outputs: list[weakref.ref[Tensor]] = []
    most_alive = 0

    def count(*call: object) -> None:
        nonlocal most_alive
        outputs.append(weakref.ref(call[2]))
        most_alive = max(most_alive, sum(output() is not None for output in outputs))

    for layer in stack.layers:
        layer.register_forward_hook(count)
    stack(features(), edges())
    assert len(outputs) == 12
    assert most_alive <= 3


@with_cases([case for case in PLAIN if not MODELS[case.model].has_heads])
def test_attention_of_a_model_without_it_is_refused(case: Case) -> None:
    with pytest.raises(ConfigError, match="has no attention; choose from gat"):
        stack_of(case.config()).attention(features(), edges())


@with_cases(PLAIN)
def test_too_few_features_or_classes_are_refused(case: Case) -> None:
    with pytest.raises(ConfigError, match="got 1 classes"):
        build_model(case.config(), FEATURES, 1)
    with pytest.raises(ConfigError, match="got 0 features"):
        build_model(case.config(), 0, CLASSES)


@pytest.mark.parametrize(
    ("name", "number"),
    [("before.0.weight", 1), ("layers.2.lin.weight", 3), ("norms.1.bias", 2), ("head.1.bias", 5)],
)
def test_parameters_belong_to_the_first_state_that_they_help_to_make(name: str, number: int) -> None:
    remedies = Remedies(pre_layers=2, post_layers=2, norm="batch")
    stack = stack_of(ModelConfig("gcn", 4, 8, remedies=remedies))
    assert name in dict(stack.named_parameters())
    assert stack.layer_of(name) == number


def test_embeddings_of_a_model_without_a_head_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"GCN as configured has no linear layer .* set post_layers to 1"):
        stack_of(Case("gcn").config(2)).embeddings(features(), edges())


# Mini-batches: a hop is the graph among the nodes that it needs, those of the next hop first.


def hops_around(targets: list[int], num_layers: int) -> tuple[list[int], tuple[BatchHop, ...]]:
    """Return the nodes of the first hop, and hops that hold every neighbour that a target needs."""
    nodes, hops = list(targets), []
    for _ in range(num_layers):
        num_targets = len(nodes)
        sources = edges()[0][torch.isin(edges()[1], torch.tensor(nodes))].tolist()
        nodes += sorted(set(sources) - set(nodes))
        place = torch.full((NODES,), -1)
        place[nodes] = torch.arange(len(nodes))
        among = place[edges()]
        hops.append(BatchHop(Operators(among[:, (among >= 0).all(dim=0)], len(nodes)), num_targets))
    return nodes, tuple(reversed(hops))


@with_cases(
    [
        Case("sage"),
        Case("sage", ("post_mlp",)),
        *(Case("sage", ("residual", name, "pre_mlp")) for name in ("jumping_concat", "jumping_max")),
        Case("sage", ("initial_residual", "layer_norm")),
        Case("sage", ("initial_residual", "pre_mlp")),
        Case("sage", ("batch_norm",)),
    ]
)
def test_hops_with_every_neighbour_give_what_the_whole_graph_gives(case: Case) -> None:
    stack = stack_of(case.config(3)).double()
    x, targets = features().double(), [4, 17, 9]
    nodes, hops = hops_around(targets, 3)
    assert len(nodes) > hops[1].operators.num_nodes > hops[2].operators.num_nodes > 3
    stack.train()(x[nodes], hops).sum().backward()
    assert all(parameter.grad is not None for parameter in stack.parameters())
    stack.eval()
    torch.testing.assert_close(stack(x[nodes], hops), stack(x, edges())[targets], rtol=1e-9, atol=1e-9)
    if stack.config.has_head:
        found, expected = stack.embeddings(x[nodes], hops), stack.embeddings(x, edges())[targets]
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_hops_that_do_not_match_the_depth_are_refused() -> None:
    nodes, hops = hops_around([0], 2)
    with pytest.raises(ConfigError, match="got 2 hops for 3 layers; give one per layer"):
        stack_of(Case("sage").config(3))(features()[nodes], hops)


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
    stack = stack_of(Case(model).config(3, dropout=share))
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
    stack = stack_of(config)
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
