"""`GATConv`: every node learns how much attention to pay to each of its neighbours."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnnviz.csr import CSR
from gnnviz.dropout import dropout
from gnnviz.layers.linear import Features, Linear, checked, glorot, times
from gnnviz.sparse import edge_scores, edge_softmax, spmm_heads
from gnnviz.torch_graph import GraphLike, operators_of


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
            glorot(parameter)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: GraphLike) -> Tensor:
        """Return [N, heads * out_channels], or [N, out_channels] without concat, from x [N, in_channels]."""
        x = checked(x, self.lin.weight.shape[1])
        operators = operators_of(graph, x)
        blocks, places = operators.attention(self.heads), operators.attention_places(self.heads)
        h = times(x, self.lin.weight).view(-1, self.heads, self.out_channels)
        alpha = self._coefficients(h, blocks)
        alpha = dropout(alpha, self.dropout if self.training else 0.0)
        out = spmm_heads(alpha, h.flatten(1), self.heads, operators.with_loops, blocks, places)
        out = out if self.concat else out.view_as(h).mean(dim=1)
        return out if self.bias is None else out + self.bias

    def attention(self, x: Features, edges: GraphLike) -> tuple[Tensor, Tensor]:
        """Return the edges [2, E] with self-loops, and alpha [E, heads] in 0..1, before any dropout.

        The edges are sorted by target; the alphas of one target sum to 1 in every head.
        """
        x = checked(x, self.lin.weight.shape[1])
        operators = operators_of(edges, x)
        h = times(x, self.lin.weight).view(-1, self.heads, self.out_channels)
        alpha = self._coefficients(h, operators.attention(self.heads))
        with_loops = operators.with_loops
        edge_index = torch.stack([with_loops.indices, with_loops.rows])
        return edge_index, alpha[operators.attention_places(self.heads)]

    def _coefficients(self, h: Tensor, blocks: CSR) -> Tensor:
        """Return alpha of every edge and head, in the order of the blocks [E * heads]."""
        from_source = h.flatten(1) @ block_diagonal(self.att_src)  # [N, heads]
        from_target = h.flatten(1) @ block_diagonal(self.att_dst)
        return edge_softmax(
            edge_scores(from_source.view(-1), from_target.view(-1), blocks, self.negative_slope), blocks
        )


def block_diagonal(vectors: Tensor) -> Tensor:
    """Return [heads * channels, heads]: one product with it serves all heads of [1, heads, channels]."""
    eye = torch.eye(vectors.shape[1], dtype=vectors.dtype, device=vectors.device)
    return (vectors[0, :, :, None] * eye[:, None]).flatten(0, 1)
