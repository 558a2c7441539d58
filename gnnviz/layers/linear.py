"""`Linear`, for the control that sees no edges, and what every layer does with features and weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gnnviz.csr import CSR
from gnnviz.errors import ConfigError
from gnnviz.sparse import spmm
from gnnviz.torch_graph import GraphLike

Features = Tensor | CSR


class Linear(nn.Module):
    """x W^T + b, the same at every node.

    Args:
        in_channels: width of the input.
        out_channels: width of the output.
        bias: whether to add b.

    Both parameters start uniform in +-1 / sqrt(in_channels).
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.weight.shape[1])
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Features, graph: GraphLike | None = None) -> Tensor:  # noqa: ARG002
        """Return [N, out_channels] from x [N, in_channels]; the graph is not looked at."""
        return plus(times(checked(x, self.weight.shape[1]), self.weight), self.bias)


def checked(x: Features, in_channels: int) -> Features:
    """Return features in one of the two forms that layers multiply.

    Raises:
        ConfigError: features of another width than the layer expects.
    """
    if len(x.shape) != 2 or x.shape[1] != in_channels:
        raise ConfigError(f"features have shape {list(x.shape)}; this layer takes [nodes, {in_channels}]")
    return x if isinstance(x, CSR) or x.layout == torch.strided else CSR.from_torch(x)


def dense(x: Features) -> Tensor:
    """Return features as a dense tensor [N, channels]."""
    return x.to_dense() if isinstance(x, CSR) else x


def times(x: Features, weight: Tensor) -> Tensor:
    """Return x W^T [N, out] for a weight [out, in]."""
    return spmm(x, weight.t()) if isinstance(x, CSR) else x @ weight.t()


def plus(fresh: Tensor, bias: Tensor | None) -> Tensor:
    """Add the bias in place, to a result that nothing else holds."""
    return fresh if bias is None else fresh.add_(bias)


def glorot(parameter: Tensor) -> None:
    """Draw a matrix anew, uniform with variance 2 / (rows + columns)."""
    bound = math.sqrt(6 / (parameter.shape[-2] + parameter.shape[-1]))
    nn.init.uniform_(parameter, -bound, bound)
