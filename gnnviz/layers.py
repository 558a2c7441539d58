"""The layers: `GCNConv`, `SAGEConv`, `GATConv`, and `Linear` for the control that sees no edges.

All are called as `layer(x, graph)`, with dense or sparse features and a graph in any form that
`gnnviz.torch_graph.operators_of` takes. Parameters have PyG's names and shapes. No layer keeps
anything of a call.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gnnviz.csr import CSR
from gnnviz.dropout import dropout
from gnnviz.errors import ConfigError
from gnnviz.sparse import edge_scores, edge_softmax, spmm
from gnnviz.torch_graph import GraphLike, operators_of

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
        return _plus(_times(_checked(x, self.weight.shape[1]), self.weight), self.bias)


class GCNConv(nn.Module):
    """D^-1/2 (A + I) D^-1/2 x W^T + b: the average over a node and its neighbours, weighted by degree.

    Args:
        in_channels: width of the input.
        out_channels: width of the output.
        bias: whether to add b.

    Reference: Kipf & Welling, ICLR 2017, eq. 2.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.lin = Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights (Glorot, uniform) anew, and set the bias to zero."""
        _glorot(self.lin.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: GraphLike) -> Tensor:
        """Return [N, out_channels] from x [N, in_channels]."""
        x = _checked(x, self.lin.weight.shape[1])
        adjacency = operators_of(graph, x).gcn(x.dtype)
        return _plus(spmm(adjacency, _times(x, self.lin.weight)), self.bias)


class SAGEConv(nn.Module):
    """mean over neighbours of x, W_l^T + b, plus x W_r^T: one map for the others, one for the node.

    Args:
        in_channels: width of the input.
        out_channels: width of the output.
        bias: whether to add b.

    A node without incoming edges has a neighbours' mean of zero.

    Reference: Hamilton, Ying & Leskovec, NeurIPS 2017, algorithm 1, mean aggregator.
    Differs: no normalisation to length 1 after the layer.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.lin_l = Linear(in_channels, out_channels, bias=bias)
        self.lin_r = Linear(in_channels, out_channels, bias=False)

    def forward(self, x: Features, graph: GraphLike) -> Tensor:
        """Return [N, out_channels] from x [N, in_channels]."""
        x = _checked(x, self.lin_l.weight.shape[1])
        mean = operators_of(graph, x).mean(x.dtype)
        both = _times(x, torch.cat([self.lin_l.weight, self.lin_r.weight]))  # [N, 2 * out], one product
        others, own = both.chunk(2, dim=1)
        return _plus(spmm(mean, others).add_(own), self.lin_l.bias)


class GATConv(nn.Module):
    """Each node averages its neighbours and itself, weighted by attention that it learns.

    alpha_ij = softmax_j LeakyReLU(a_dst . W x_i + a_src . W x_j), over the edges j -> i and i -> i.

    Args:
        in_channels: width of the input.
        out_channels: width of one head's output.
        heads: number of heads, 1 or more.
        concat: True: heads side by side [N, heads * out_channels]; False: their mean [N, out_channels].
        negative_slope: of the LeakyReLU.
        dropout: share of attention coefficients set to zero while training, in [0, 1).
        bias: whether to add one.

    Reference: Velickovic et al., ICLR 2018, eq. 3 to 6.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        heads: int = 1,
        concat: bool = True,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.heads, self.out_channels, self.concat = heads, out_channels, concat
        self.negative_slope, self.dropout = negative_slope, dropout
        self.lin = Linear(in_channels, heads * out_channels, bias=False)
        self.att_src = nn.Parameter(torch.empty(1, heads, out_channels))
        self.att_dst = nn.Parameter(torch.empty(1, heads, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels * (heads if concat else 1))) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and attention vectors (Glorot, uniform) anew, and set the bias to zero."""
        for parameter in (self.lin.weight, self.att_src, self.att_dst):
            _glorot(parameter)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: GraphLike) -> Tensor:
        """Return [N, heads * out_channels], or [N, out_channels] without concat, from x [N, in_channels]."""
        x = _checked(x, self.lin.weight.shape[1])
        blocks = operators_of(graph, x).attention(self.heads)
        h = _times(x, self.lin.weight).view(-1, self.heads, self.out_channels)
        alpha = self._coefficients(h, blocks)
        alpha = dropout(alpha, self.dropout if self.training else 0.0)
        out = spmm(blocks.with_values(alpha), h.view(-1, self.out_channels)).view_as(h)
        out = out.flatten(1) if self.concat else out.mean(dim=1)
        return out if self.bias is None else out + self.bias

    def attention(self, x: Features, edges: GraphLike) -> tuple[Tensor, Tensor]:
        """Return the edges [2, E] with self-loops, and alpha [E, heads] in 0..1, before any dropout.

        The edges are sorted by target; the alphas of one target sum to 1 in every head.
        """
        x = _checked(x, self.lin.weight.shape[1])
        operators = operators_of(edges, x)
        h = _times(x, self.lin.weight).view(-1, self.heads, self.out_channels)
        alpha = self._coefficients(h, operators.attention(self.heads))
        with_loops = operators.with_loops
        edge_index = torch.stack([with_loops.indices, with_loops.rows])
        return edge_index, alpha[with_loops.block_places(self.heads)]

    def _coefficients(self, h: Tensor, blocks: CSR) -> Tensor:
        """Return alpha of every edge and head, in the order of the blocks [E * heads]."""
        from_source = h.flatten(1) @ _block_diagonal(self.att_src)  # [N, heads]
        from_target = h.flatten(1) @ _block_diagonal(self.att_dst)
        return edge_softmax(
            edge_scores(from_source.view(-1), from_target.view(-1), blocks, self.negative_slope), blocks
        )


def _checked(x: Features, in_channels: int) -> Features:
    """Return features in one of the two forms that layers multiply, with the width that they expect."""
    if len(x.shape) != 2 or x.shape[1] != in_channels:
        raise ConfigError(f"features have shape {list(x.shape)}; this layer takes [nodes, {in_channels}]")
    return x if isinstance(x, CSR) or x.layout == torch.strided else CSR.from_torch(x)


def _times(x: Features, weight: Tensor) -> Tensor:
    """Return x W^T [N, out] for a weight [out, in]."""
    return spmm(x, weight.t()) if isinstance(x, CSR) else x @ weight.t()


def _plus(fresh: Tensor, bias: Tensor | None) -> Tensor:
    """Add the bias in place, to a result that nothing else holds."""
    return fresh if bias is None else fresh.add_(bias)


def _block_diagonal(vectors: Tensor) -> Tensor:
    """Return [heads * channels, heads]: one product with it serves all heads of [1, heads, channels]."""
    eye = torch.eye(vectors.shape[1], dtype=vectors.dtype, device=vectors.device)
    return (vectors[0, :, :, None] * eye[:, None]).flatten(0, 1)


def _glorot(parameter: Tensor) -> None:
    bound = math.sqrt(6 / (parameter.shape[-2] + parameter.shape[-1]))
    nn.init.uniform_(parameter, -bound, bound)
