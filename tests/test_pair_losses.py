"""Losses of pairs: worked out on paper, and their gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from gnnviz.objectives import PairConfig
from gnnviz.pair_losses import pair_loss, similarities

LN2 = math.log(2)
# Four embeddings: east, east and longer, north, west; and one of zeros.
EMBEDDINGS = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])
START, NEAR, FAR = torch.tensor([0]), torch.tensor([[1, 0, 2]]), torch.tensor([[2, 3]])  # 0 is no pair of 0


def minus_log_sigmoid(value: float) -> float:
    return math.log(1 + math.exp(-value))


def loss(objective: str, **changes) -> float:
    return float(pair_loss(objective, EMBEDDINGS, START, NEAR, FAR, PairConfig(**changes)))


def test_similarities_are_cosines_or_dot_products():
    others = torch.tensor([[0, 1, 2, 3, 4], [3, 4, 1, 0, 2]])
    cosine = similarities(EMBEDDINGS, torch.tensor([1, 3]), others, "cosine")
    assert cosine.tolist() == [[1, 1, 0, -1, 0], [1, 0, -1, -1, 0]]
    dot = similarities(EMBEDDINGS, torch.tensor([1, 3]), others, "dot")
    assert dot.tolist() == [[2, 4, 0, -2, 0], [1, 0, -2, -1, 0]]


def test_the_unsupervised_loss_on_paper():
    # near: cosines 1 and 0 (the start itself is no pair); far: cosines 0 and -1
    near = (minus_log_sigmoid(1) + LN2) / 2
    far = (LN2 + minus_log_sigmoid(1)) / 2
    assert loss("unsupervised") == pytest.approx(near + 10 * far, rel=1e-6)
    assert loss("unsupervised", negative_weight=0.5) == pytest.approx(near + far / 2, rel=1e-6)
    near, far = (minus_log_sigmoid(2) + LN2) / 2, (LN2 + minus_log_sigmoid(1)) / 2
    assert loss("unsupervised", similarity="dot") == pytest.approx(near + 10 * far, rel=1e-6)
    assert loss("both") == loss("unsupervised")


def test_the_max_margin_loss_on_paper():
    # the least similar near node and the most similar far node are both node 2, at a right angle
    assert loss("max_margin") == pytest.approx(3, rel=1e-6)
    only_east = torch.tensor([[1, 0, 1]])
    found = pair_loss("max_margin", EMBEDDINGS, START, only_east, FAR, PairConfig())
    assert float(found) == pytest.approx(3 + minus_log_sigmoid(1) - LN2, rel=1e-6)
    met = PairConfig(margin=0.1)
    assert float(pair_loss("max_margin", EMBEDDINGS, START, only_east, FAR, met)) == 0


def test_losses_are_means_over_the_starts():
    starts, near, far = torch.tensor([0, 3]), torch.tensor([[1], [0]]), torch.tensor([[3], [2]])
    first, second = minus_log_sigmoid(1) * 11, minus_log_sigmoid(-1) + 10 * LN2
    found = pair_loss("unsupervised", EMBEDDINGS, starts, near, far, PairConfig())
    assert float(found) == pytest.approx((first + second) / 2, rel=1e-6)


def test_the_hinge_of_cosines_never_lets_go_at_a_margin_above_1():
    cosines = torch.linspace(-1, 1, 201, dtype=torch.float64)
    logs = torch.nn.functional.logsigmoid(cosines)
    differences = logs[:, None] - logs
    assert float(differences.abs().max()) == pytest.approx(1, rel=1e-12)  # log s(1) - log s(-1)
    best = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    perfect = pair_loss(
        "max_margin", best, torch.tensor([0]), torch.tensor([[1]]), torch.tensor([[2]]), PairConfig()
    )
    assert float(perfect) == pytest.approx(2, rel=1e-6)


@pytest.mark.parametrize("objective", ["unsupervised", "max_margin"])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_gradients_equal_finite_differences(objective, similarity):
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(12, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    starts = torch.tensor([0, 5, 7, 11])
    near = torch.tensor([[1, 2, 0], [5, 3, 3], [9, 9, 8], [0, 1, 2]])
    far = torch.randint(12, (4, 4), generator=generator)
    config = PairConfig(similarity=similarity)
    assert torch.autograd.gradcheck(
        lambda z: pair_loss(objective, z, starts, near, far, config), (embeddings,), rtol=1e-5
    )
