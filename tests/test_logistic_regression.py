"""Logistic regression against scikit-learn's, on paper, and as the head of a model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gnnviz.layers import Linear
from gnnviz.logistic_regression import PENALTY, LinearMap, fit_head, fit_logistic_regression

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 3
X = RNG.normal(size=(60, 4)) + LABELS[:, None] * [0.5, -0.3, 0, 0.1]
X /= np.sqrt(np.mean(X**2))  # then the scale that the penalty refers to is 1
NOTHING = LinearMap(np.zeros((3, 4)), np.zeros(3))


def test_the_fit_equals_scikit_learns():
    other = LogisticRegression(C=1 / (PENALTY * len(X)), tol=1e-8, max_iter=1000).fit(X, LABELS)
    fitted = fit_logistic_regression(X, LABELS, NOTHING)
    np.testing.assert_allclose(fitted.weight, other.coef_, atol=1e-3)
    np.testing.assert_allclose(fitted.bias - fitted.bias.mean(), other.intercept_, atol=1e-3)
    without = fit_logistic_regression(X, LABELS, LinearMap(np.zeros((3, 4)), None))
    other = LogisticRegression(C=1 / (PENALTY * len(X)), tol=1e-8, fit_intercept=False).fit(X, LABELS)
    assert without.bias is None
    np.testing.assert_allclose(without.weight, other.coef_, atol=1e-3)


def test_two_points_on_paper():
    # By symmetry the weights are w and -w. The mean loss ln(1 + e^-2w) + PENALTY w^2 is lowest where
    # PENALTY w (1 + e^2w) = 1.
    fitted = fit_logistic_regression(
        np.array([[1.0], [-1.0]]), np.array([0, 1]), LinearMap(np.zeros((2, 1)), np.zeros(2))
    )
    w = float(fitted.weight[0, 0])
    assert PENALTY * w * (1 + np.exp(2 * w)) == pytest.approx(1, rel=1e-2)
    assert fitted.weight[1, 0] == pytest.approx(-w)
    assert fitted.bias == pytest.approx(np.zeros(2), abs=1e-6)


def test_the_start_and_the_scale_do_not_matter():
    fitted = fit_logistic_regression(X, LABELS, NOTHING)
    far_away = LinearMap(RNG.normal(size=(3, 4)) * 5, RNG.normal(size=3))
    again = fit_logistic_regression(X, LABELS, far_away)
    np.testing.assert_allclose(again.weight, fitted.weight, atol=2e-3)
    large = fit_logistic_regression(X * 1000, LABELS, NOTHING)
    np.testing.assert_allclose(large.weight * 1000, fitted.weight, atol=2e-3)


def test_embeddings_of_zeros_and_classes_that_nobody_has_are_fitted_too():
    fitted = fit_logistic_regression(np.zeros((60, 4)), LABELS // 2, NOTHING)
    assert (fitted.weight == 0).all()
    shares = np.exp(fitted.bias) / np.exp(fitted.bias).sum()
    assert shares == pytest.approx([2 / 3, 1 / 3, 0], abs=1e-3)


@pytest.mark.parametrize("bias", [True, False])
def test_a_head_takes_the_weights_over(bias):
    head = Linear(4, 3, bias)
    embeddings = torch.tensor(X, dtype=torch.float32)
    fit_head(head, embeddings, torch.tensor(LABELS))
    expected = fit_logistic_regression(X, LABELS, NOTHING if bias else LinearMap(np.zeros((3, 4)), None))
    np.testing.assert_allclose(head.weight.detach().numpy(), expected.weight, atol=2e-3)
    assert all(parameter.grad is None for parameter in head.parameters())
