"""`GCNConv`: one linear map, then a sum over a node and its neighbours, weighted by degree."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor, nn

from gnnviz.checks import check_choice
from gnnviz.layers.linear import Features, Linear, checked, glorot, plus, times
from gnnviz.models import Normalisation
from gnnviz.sparse import spmm
from gnnviz.torch_graph import GraphLike, operators_of


class GCNConv(nn.Module):
    """P x W^T + b, P the edges with self-loops A~ = A + I, normalised by the degrees D~ with self-loops.

    Args:
        in_channels: width of the input.
        out_channels: width of the output.
        bias: whether to add b.
        normalisation: "sym": P = D~^-1/2 A~ D~^-1/2, an average weighted by both degrees; "row":
            P = D~^-1 A~, the plain average; "sum": P = A~, so that features grow with every layer.

    Raises:
        ConfigError: another normalisation.

    Reference: Kipf & Welling, ICLR 2017, eq. 2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bias: bool = True,
        normalisation: Normalisation = "sym",
    ) -> None:
        super().__init__()
        check_choice("normalisation", normalisation, get_args(Normalisation))
        self.normalisation: Normalisation = normalisation
        self.lin = Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights (Glorot, uniform) anew, and set the bias to zero."""
        glorot(self.lin.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: GraphLike, edge_weight: Tensor | None = None) -> Tensor:
        """Return [N, out_channels].

        Args:
            x: features [N, in_channels].
            graph: the edges.
            edge_weight: [E] in the order of the graph's edges; degrees are then sums of weights, a
                missing self-loop weighs 1. It may need a gradient. None: every edge weighs 1.

        Raises:
            ConfigError: features of another width.
            DatasetError: a graph that does not fit the features, or weights that do not fit the graph.
        """
        x = checked(x, self.lin.weight.shape[1])
        operators = operators_of(graph, x)
        if edge_weight is None:
            adjacency = operators.gcn(x.dtype, self.normalisation)
        else:
            adjacency = operators.weighted_gcn(edge_weight, x.dtype, self.normalisation)
        return plus(spmm(adjacency, times(x, self.lin.weight)), self.bias)
