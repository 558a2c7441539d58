"""Logistic regression on frozen embeddings: what a linear layer can read off them.

Knows numbers, labels and a linear layer; knows no model and no graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import Tensor

from gnnviz.layers import Linear

PENALTY = 1e-2  # of the squared weights, in nats, against the mean loss of a node
_STEPS = 500  # of L-BFGS at most; from the weights of the epoch before a few dozen are enough
_SLOPE = 1e-5  # where no derivative is larger, the loss is at its lowest to five digits

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LinearMap:
    """x W^T + b.

    Attributes:
        weight: W [C, H].
        bias: b [C], or None for none.
    """

    weight: Floats
    bias: Floats | None


@torch.no_grad()
def fit_head(head: Linear, embeddings: Tensor, labels: Tensor) -> None:
    """Give a linear layer the weights of the logistic regression, beginning at those that it has.

    Args:
        head: from H to C channels; changed.
        embeddings: finite numbers [T, H].
        labels: classes 0..C-1 [T].
    """
    start = LinearMap(_float64(head.weight), None if head.bias is None else _float64(head.bias))
    fitted = fit_logistic_regression(_float64(embeddings), labels.cpu().numpy(), start)
    head.weight.copy_(torch.from_numpy(fitted.weight))
    if head.bias is not None and fitted.bias is not None:
        head.bias.copy_(torch.from_numpy(fitted.bias))


def fit_logistic_regression(x: Floats, labels: NDArray[np.int64], start: LinearMap) -> LinearMap:
    """Return the linear map whose softmax predicts the labels best, with a penalty on large weights.

    Minimises the mean cross-entropy plus PENALTY / 2 times the squared weights of the map from x divided by
    its root mean square, so that the scale of x does not matter; b is free. The minimum is unique up to
    adding one number to b, whatever the start.

    Args:
        x: finite numbers [T, H].
        labels: classes 0..C-1 [T].
        start: where to begin; the closer to the answer, the faster.
    """
    scale = float(np.sqrt(np.mean(x**2))) or 1.0
    problem = _Problem(x / scale, labels, start.weight.shape, has_bias=start.bias is not None)
    begin = problem.packed(LinearMap(start.weight * scale, start.bias))
    options = {"maxiter": _STEPS, "gtol": _SLOPE, "ftol": 0.0}
    found = minimize(problem.loss_and_slope, begin, jac=True, method="L-BFGS-B", options=options)
    fitted = problem.unpacked(found.x)
    return LinearMap(fitted.weight / scale, fitted.bias)


class _Problem:
    """The loss as a function of one vector: the weights row by row, then the biases."""

    def __init__(
        self, x: Floats, labels: NDArray[np.int64], shape: tuple[int, ...], *, has_bias: bool
    ) -> None:
        self._x, self._shape, self._has_bias = x, shape, has_bias
        self._truth = np.eye(shape[0])[labels]  # [T, C]

    def packed(self, linear: LinearMap) -> Floats:
        parts = [linear.weight.ravel()] + ([] if linear.bias is None else [linear.bias])
        return np.concatenate(parts)

    def unpacked(self, vector: Floats) -> LinearMap:
        size = self._shape[0] * self._shape[1]
        return LinearMap(vector[:size].reshape(self._shape), vector[size:] if self._has_bias else None)

    def loss_and_slope(self, vector: Floats) -> tuple[float, Floats]:
        linear = self.unpacked(vector)
        logits = self._x @ linear.weight.T  # [T, C]
        if linear.bias is not None:
            logits += linear.bias
        log_shares = log_softmax(logits, axis=1)
        loss = -np.vdot(self._truth, log_shares) / len(logits) + PENALTY / 2 * np.vdot(
            linear.weight, linear.weight
        )
        of_logits = (np.exp(log_shares) - self._truth) / len(logits)
        slope = LinearMap(of_logits.T @ self._x + PENALTY * linear.weight, of_logits.sum(axis=0))
        return float(loss), self.packed(slope)


def _float64(tensor: Tensor) -> Floats:
    return tensor.detach().cpu().double().numpy()
