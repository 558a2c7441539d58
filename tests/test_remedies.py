"""Remedies for depth: values worked out on paper on a path of three nodes, and what each must not do."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from model_cases import CLASSES, Case, edges, features, stack_of
from torch import Tensor, nn

from gnnviz.errors import ConfigError
from gnnviz.layers import Linear
from gnnviz.models import ModelConfig, build_model
from gnnviz.operators import Operators
from gnnviz.remedies import NO_REMEDIES, REMEDIES, Remedies, combined
from gnnviz.remedy_layers import BatchNorm, PairNorm, initialise

# The path 0 - 1 - 2. Its (D + I)^-1 (A + I) takes (6, 0, 0) to (3, 2, 0), (5/2, 5/3, 1), (25/12, 31/18, 4/3).
PATH = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
SIGNAL = torch.tensor([[6.0], [0.0], [0.0]], dtype=torch.float64)
FIRST, SECOND, THIRD = (3, 2, 0), (5 / 2, 5 / 3, 1), (25 / 12, 31 / 18, 4 / 3)


def averaging_stack(num_layers: int, remedies: Remedies) -> nn.Module:
    """Return a GCN that averages over neighbours: one channel, all weights 1, all biases 0."""
    config = ModelConfig("gcn", num_layers, 1, normalisation="row", bias=False, remedies=remedies)
    stack = build_model(config, 1, 2).double().eval()
    for parameter in stack.parameters():
        nn.init.ones_(parameter)
    return stack


def columns(*vectors: tuple[float, ...]) -> Tensor:
    return torch.tensor(vectors, dtype=torch.float64).t()


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("remedies", "states"),
    [
        (Remedies(), (FIRST, SECOND, THIRD)),
        (
            Remedies(residual="plain"),
            (FIRST, (11 / 2, 11 / 3, 1), (121 / 12, 127 / 18, 10 / 3)),
        ),
        (
            Remedies(residual="initial"),
            (FIRST, (11 / 4, 11 / 6, 1 / 2), (127 / 48, 133 / 72, 7 / 12)),
        ),
        (
            # A quarter of (3, 2, 0), three quarters of the average.
            Remedies(residual="initial", residual_share=0.25),
            (FIRST, (21 / 8, 7 / 4, 3 / 4), (153 / 64, 57 / 32, 15 / 16)),
        ),
        (
            # The first hidden state is now what the linear layer makes: (6, 0, 0) itself.
            Remedies(residual="initial", pre_layers=1),
            ((9 / 2, 1, 0), (35 / 8, 11 / 12, 1 / 4), (415 / 96, 133 / 144, 7 / 24)),
        ),
        (
            Remedies(residual="plain", pre_layers=1),
            ((9, 2, 0), (29 / 2, 17 / 3, 1), (295 / 12, 229 / 18, 13 / 3)),
        ),
    ],
)
def test_residuals_on_a_path_are_those_worked_out_on_paper(remedies: Remedies, states) -> None:
    stack = averaging_stack(3, replace(remedies, post_layers=1))
    found = list(stack.hidden_states(SIGNAL, PATH))
    for h, expected in zip(found[1:], states, strict=False):
        close(h, columns(expected))
    close(found[-1], columns(states[-1], states[-1]))  # both classes' weights are 1


def test_logits_take_no_residual_even_where_the_widths_agree() -> None:
    config = ModelConfig("gcn", 2, 2, normalisation="row", bias=False, remedies=Remedies(residual="plain"))
    stack = build_model(config, 1, 2).double().eval()
    for parameter in stack.parameters():
        nn.init.ones_(parameter)
    double = tuple(2 * value for value in SECOND)  # the sum of two equal channels
    close(stack(SIGNAL, PATH), columns(double, double))


def test_jumping_puts_the_states_side_by_side_or_takes_their_greatest() -> None:
    concat = averaging_stack(3, Remedies(jumping="concat"))
    close(concat.embeddings(SIGNAL, PATH), columns(FIRST, SECOND, THIRD))
    total = tuple(map(sum, zip(FIRST, SECOND, THIRD, strict=True)))
    close(concat(SIGNAL, PATH), columns(total, total))
    greatest = averaging_stack(3, Remedies(jumping="max"))
    close(greatest.embeddings(SIGNAL, PATH), columns((3, 2, 4 / 3)))
    close(greatest(SIGNAL, PATH), columns((3, 2, 4 / 3), (3, 2, 4 / 3)))


def test_the_norm_stands_between_the_layer_and_the_activation() -> None:
    # (3, 2, 0) less its mean is (4, 1, -5) / 3, of mean square 14 / 9; the ReLU then cuts the -5.
    stack = averaging_stack(2, Remedies(norm="pair", norm_scale=math.sqrt(14)))
    _, hidden, logits = stack.hidden_states(SIGNAL, PATH)
    close(hidden, columns((4, 1, 0)))
    close(logits, columns((5 / 2, 5 / 3, 1 / 2), (5 / 2, 5 / 3, 1 / 2)))  # no norm on the logits


def test_pair_norm_by_hand_in_both_forms() -> None:
    x = columns((3, 0, 0), (0, 3, 0))  # less the mean (1, 1): (2, -1), (-1, 2), (-1, -1); squares 5, 5, 2
    close(PairNorm()(x), columns((1, -0.5, -0.5), (-0.5, 1, -0.5)))
    close(PairNorm(10.0)(x), columns((10, -5, -5), (-5, 10, -5)))
    root = math.sqrt(5)
    each = columns((2 / root, -1 / root, -math.sqrt(0.5)), (-1 / root, 2 / root, -math.sqrt(0.5)))
    close(PairNorm(each_node=True)(x), each)
    close(PairNorm(3.0, each_node=True)(x).norm(dim=1), torch.full((3,), 3.0, dtype=torch.float64))


@pytest.mark.parametrize("each_node", [False, True])
@pytest.mark.parametrize("value", [0.0, 5.0])
def test_pair_norm_of_equal_rows_is_zero_with_a_finite_gradient(value: float, each_node: bool) -> None:
    x = torch.full((4, 3), value, requires_grad=True)
    out = PairNorm(each_node=each_node)(x)
    assert torch.equal(out, torch.zeros(4, 3))
    out.square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_pair_norm_fixes_the_sum_of_all_squared_distances() -> None:
    x = torch.randn(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for scale, size in ((1.0, 1e3), (2.5, 1e-3)):
        distances = torch.cdist(PairNorm(scale)(size * x), PairNorm(scale)(size * x)).square().sum()
        assert distances.item() == pytest.approx(2 * 9**2 * scale**2)  # 2 n sum of |x_i|^2


def test_batch_norm_is_torchs_and_takes_a_single_node() -> None:
    ours, theirs = BatchNorm(3), nn.BatchNorm1d(3)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(x), theirs(x))
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    alone = ours(x[:1])
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())
    assert torch.equal(alone, theirs.eval()(x[:1]))


@pytest.mark.parametrize(("init", "variance"), [("glorot", 2 / (400 + 300)), ("he", 2 / 400)])
def test_initial_weights_have_the_variance_of_their_paper(init, variance: float) -> None:
    layer = Linear(400, 300)
    assert layer.bias is not None
    bias = layer.bias.clone()
    torch.manual_seed(0)
    initialise(layer, init)
    assert layer.weight.var().item() == pytest.approx(variance, rel=0.02)
    assert layer.weight.mean().abs() < 1e-3
    assert torch.equal(layer.bias, bias)


@pytest.mark.parametrize("model", ["gcn", "sage", "gat", "gcnii", "appnp"])
def test_every_weight_matrix_is_drawn_anew_and_nothing_else(model: str) -> None:
    standard = stack_of(Case(model).config())
    he = stack_of(Case(model, ("he_init",)).config())
    for (name, ours), (_, theirs) in zip(standard.named_parameters(), he.named_parameters(), strict=True):
        assert torch.equal(ours, theirs) == (ours.ndim != 2), name


def test_drop_edge_draws_one_subset_for_all_layers_of_a_step_and_none_in_evaluation(monkeypatch) -> None:
    stack = stack_of(Case("gcn", ("drop_edge",)).config(3, dropout=0.0))
    drawn: list[Operators] = []
    without_edges = Operators.without_edges

    def noting(operators: Operators, share: float) -> Operators:
        assert share == 0.5
        drawn.append(without_edges(operators, share))
        return drawn[-1]

    monkeypatch.setattr(Operators, "without_edges", noting)
    whole = stack.eval()(features(), edges())
    assert drawn == []
    outputs = [stack.train()(features(), edges()) for _ in range(2)]
    assert len(drawn) == 2
    assert not torch.equal(*outputs)
    stack.eval()
    for output, subset in zip(outputs, drawn, strict=True):
        assert 0 < subset.edge_index.shape[1] < edges().shape[1]
        # The rest is normalised anew: it is a graph like any other.
        assert torch.equal(stack(features(), subset.edge_index), output)
        assert not torch.equal(output, whole)


def test_linear_layers_before_and_after_are_what_they_are_called() -> None:
    stack = stack_of(ModelConfig("gcn", 2, 8, remedies=Remedies(pre_layers=2, post_layers=3))).eval()
    assert [tuple(layer.weight.shape) for layer in stack.before] == [(8, 11), (8, 8)]
    assert [tuple(layer.weight.shape) for layer in stack.head] == [(8, 8), (8, 8), (CLASSES, 8)]
    h = features()
    for layer in stack.before:
        h = layer(h).relu()
    for layer in stack.layers:
        h = layer(h, edges()).relu()
    torch.testing.assert_close(stack.embeddings(features(), edges()), h)
    for layer in stack.head[:2]:
        h = layer(h).relu()
    torch.testing.assert_close(stack(features(), edges()), stack.head[2](h))


def test_jumping_is_followed_by_as_many_linear_layers_as_were_asked_for() -> None:
    for post_layers, shapes in ((0, [(CLASSES, 24)]), (1, [(CLASSES, 24)]), (2, [(8, 24), (CLASSES, 8)])):
        remedies = Remedies(jumping="concat", post_layers=post_layers)
        stack = stack_of(ModelConfig("gcn", 3, 8, remedies=remedies))
        assert [tuple(layer.weight.shape) for layer in stack.head] == shapes


def test_norms_on_a_graph_of_one_node_train() -> None:
    for norm in ("pair", "pair_si", "batch", "layer"):
        stack = stack_of(ModelConfig("gcn", 3, 8, remedies=Remedies(norm=norm)))
        out = stack(features()[:1], torch.zeros(2, 0, dtype=torch.int64))
        out.sum().backward()
        assert out.isfinite().all()


# What cannot be built is refused in words.


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"residual": "dense"}, "residual is 'dense'; choose from none, plain, initial"),
        ({"residual_share": 0.0}, "residual_share is 0; choose a number above 0"),
        ({"residual_share": 1.0}, "residual_share is 1.0"),
        ({"jumping": "lstm"}, "jumping is 'lstm'; choose from none, concat, max"),
        ({"norm": "group"}, "norm is 'group'; choose from none, pair, pair_si, batch, layer"),
        ({"norm_scale": 0.0}, "norm_scale is 0.0; choose a finite number above 0"),
        ({"drop_edge": 1.0}, "drop_edge is 1.0; choose a number from 0 up to, but not including, 1"),
        ({"drop_edge": float("nan")}, "drop_edge is nan"),
        ({"pre_layers": -1}, "pre_layers is -1; choose a whole number from 0 to 8"),
        ({"post_layers": 9}, "post_layers is 9; choose a whole number from 0 to 8"),
        ({"init": "xavier"}, "init is 'xavier'; choose from default, glorot, he"),
    ],
)
def test_a_remedy_that_does_not_exist_is_refused_in_words(values, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Remedies(**values)


@pytest.mark.parametrize(
    ("model", "num_layers", "remedies", "sentence"),
    [
        ("gcn", 1, Remedies(jumping="max"), "jumping is 'max' on one layer.*choose 2 layers or more"),
        ("mlp", 2, Remedies(drop_edge=0.2), r"drop_edge is 0.2, but MLP \(no graph\) takes no such remedy"),
        ("sgc", 2, Remedies(residual="plain"), "SGC takes no such remedy; it takes drop_edge, init"),
        ("appnp", 2, Remedies(norm="batch"), "APPNP takes no such remedy"),
        ("gcnii", 2, Remedies(pre_layers=1), "GCNII takes no such remedy"),
    ],
)
def test_a_remedy_that_does_not_fit_is_refused_in_words(model, num_layers, remedies, sentence) -> None:
    with pytest.raises(ConfigError, match=sentence):
        ModelConfig(model, num_layers, remedies=remedies)


def test_an_unknown_name_of_a_remedy_is_refused_in_words() -> None:
    with pytest.raises(
        ConfigError, match="unknown remedy 'dropedge'; choose from residual, initial_residual"
    ):
        combined(("residual", "dropedge"))


def test_every_remedy_changes_something_and_the_later_of_two_counts() -> None:
    assert all(spec.remedies != NO_REMEDIES for spec in REMEDIES.values())
    assert combined(("residual", "initial_residual")) == REMEDIES["initial_residual"].remedies
    assert combined(("pair_norm", "drop_edge")) == Remedies(norm="pair", drop_edge=0.5)
    assert combined(()) == NO_REMEDIES
