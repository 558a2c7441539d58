"""`Propagation` and `GCN2Conv`: smoothing that mixes a share of the first state into every layer."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gnnviz.checks import check_count, check_real, check_share
from gnnviz.errors import ConfigError
from gnnviz.layers.linear import Features, checked, dense, glorot
from gnnviz.sparse import spmm
from gnnviz.torch_graph import GraphLike, operators_of


class Propagation(nn.Module):
    """(1 - alpha) P x + alpha first, with P = D~^-1/2 (A + I) D~^-1/2; it has no parameters.

    Args:
        alpha: share of the first state, in [0, 1); 0: plain smoothing.

    Raises:
        ConfigError: another alpha.

    Reference: Klicpera, Bojchevski & Guennemann, ICLR 2019, eq. 4 (APPNP); with alpha 0, Wu et al.,
    ICML 2019, eq. 7 (SGC).
    """

    def __init__(self, alpha: float = 0.0) -> None:
        super().__init__()
        check_share("alpha", alpha)
        self.alpha = alpha

    def forward(self, x: Features, graph: GraphLike, first: Tensor | None = None) -> Tensor:
        """Return [N, channels].

        Args:
            x: the state [N, channels].
            graph: the edges.
            first: the first state [N, channels]; not looked at when alpha is 0.

        Raises:
            ConfigError: states that do not fit.
            DatasetError: a graph that does not fit the state.
        """
        return _smoothed(x, graph, first, self.alpha)


class GCN2Conv(nn.Module):
    """s ((1 - beta) I + beta W), s = (1 - alpha) P x + alpha first: a GCN layer close to the identity.

    P is D~^-1/2 (A + I) D~^-1/2; beta = log(theta / layer + 1) shrinks from layer to layer.

    Args:
        channels: width of input and output.
        alpha: share of the first state, in [0, 1).
        theta: weight of the linear maps, above 0; the paper's lambda.
        layer: number of the layer, counted from 1.

    Raises:
        ConfigError: a value that is not allowed.

    Reference: Chen et al., ICML 2020, eq. 5 (GCNII).
    Differs: beta is log(theta / layer + 1) itself, as in the paper's text, not its approximation
    theta / layer.
    """

    def __init__(self, channels: int, alpha: float, theta: float, layer: int) -> None:
        super().__init__()
        check_share("alpha", alpha)
        check_real("theta", theta, above_zero=True)
        check_count("layer", layer, largest=10_000)
        self.alpha, self.beta = alpha, math.log(theta / layer + 1)
        self.weight1 = nn.Parameter(torch.empty(channels, channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights (Glorot, uniform) anew."""
        glorot(self.weight1)

    def forward(self, x: Features, graph: GraphLike, first: Tensor) -> Tensor:
        """Return [N, channels] from the state x and the first state [N, channels].

        Raises:
            ConfigError: states that do not fit.
            DatasetError: a graph that does not fit the state.
        """
        smoothed = _smoothed(checked(x, self.weight1.shape[0]), graph, first, self.alpha)
        return torch.addmm(smoothed, smoothed, self.weight1, beta=1 - self.beta, alpha=self.beta)


def _smoothed(x: Features, graph: GraphLike, first: Tensor | None, alpha: float) -> Tensor:
    """Return (1 - alpha) P x + alpha first [N, channels]."""
    state = dense(checked(x, x.shape[-1]))
    smoothed = spmm(operators_of(graph, state).gcn(state.dtype), state)
    if alpha == 0:
        return smoothed
    if first is None or first.shape != smoothed.shape:
        got = "none" if first is None else f"one of shape {list(first.shape)}"
        raise ConfigError(
            f"alpha is {alpha}, which mixes in the first state; got {got}, give one of {list(smoothed.shape)}"
        )
    return smoothed.mul_(1 - alpha).add_(first, alpha=alpha)
