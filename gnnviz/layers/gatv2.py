"""`GATv2Conv`: attention whose order of neighbours depends on who asks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnnviz.csr import CSR
from gnnviz.dropout import dropout
from gnnviz.layers.gat import block_diagonal
from gnnviz.layers.linear import Features, Linear, checked, glorot, times
from gnnviz.operators import Operators
from gnnviz.pair_scores import pair_scores
from gnnviz.sparse import edge_softmax, spmm_heads
from gnnviz.torch_graph import GraphLike, operators_of


class GATv2Conv(nn.Module):
    """Each node averages its neighbours and itself, weighted by attention that sees the pair together.

    alpha_ij = softmax_j a . LeakyReLU(W_l x_j + b_l + W_r x_i + b_r), over the edges j -> i and i -> i;
    what is averaged is W_l x_j + b_l. GAT adds up one number of each end before its LeakyReLU, so that
    its order of neighbours is the same for every i; here the order can differ.

    Args:
        in_channels: width of the input.
        out_channels: width of one head's output.
        heads: number of heads, 1 or more.
        concat: True: heads side by side [N, heads * out_channels]; False: their mean [N, out_channels].
        negative_slope: of the LeakyReLU.
        dropout: share of attention coefficients set to zero while training, in [0, 1).
        bias: whether to add one, to both maps and to the output.

    Reference: Brody, Alon & Yahav, ICLR 2022, eq. 7.
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
        self.lin_l = Linear(in_channels, heads * out_channels, bias=bias)
        self.lin_r = Linear(in_channels, heads * out_channels, bias=bias)
        self.att = nn.Parameter(torch.empty(1, heads, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels * (heads if concat else 1))) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew: weights and attention vectors Glorot, uniform; the output's bias 0."""
        for part in (self.lin_l, self.lin_r):
            part.reset_parameters()  # the bias is uniform in +-1 / sqrt(in_channels)
            glorot(part.weight)
        glorot(self.att)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: GraphLike) -> Tensor:
        """Return [N, heads * out_channels], or [N, out_channels] without concat, from x [N, in_channels].

        Raises:
            ConfigError: features of another width.
            DatasetError: a graph that does not fit the features.
        """
        x = checked(x, self.lin_l.weight.shape[1])
        operators = operators_of(graph, x)
        blocks = operators.attention(self.heads)
        from_source, from_target = self._both(x)
        alpha = self._coefficients(from_source, from_target, operators, blocks)
        alpha = dropout(alpha, self.dropout if self.training else 0.0)
        places = operators.attention_places(self.heads)
        out = spmm_heads(alpha, from_source, self.heads, operators.with_loops, blocks, places)
        out = out if self.concat else out.view(-1, self.heads, self.out_channels).mean(dim=1)
        return out if self.bias is None else out + self.bias

    def attention(self, x: Features, edges: GraphLike) -> tuple[Tensor, Tensor]:
        """Return the edges [2, E] with self-loops, and alpha [E, heads] in 0..1, before any dropout.

        The edges are sorted by target; the alphas of one target sum to 1 in every head.
        """
        x = checked(x, self.lin_l.weight.shape[1])
        operators = operators_of(edges, x)
        alpha = self._coefficients(*self._both(x), operators, operators.attention(self.heads))
        with_loops = operators.with_loops
        edge_index = torch.stack([with_loops.indices, with_loops.rows])
        return edge_index, alpha[operators.attention_places(self.heads)]

    def _both(self, x: Features) -> tuple[Tensor, Tensor]:
        """Return what each node is as a source and as a target, both [N, heads * out_channels]."""
        both = times(x, torch.cat([self.lin_l.weight, self.lin_r.weight]))  # one product
        if self.lin_l.bias is not None and self.lin_r.bias is not None:
            both = both.add_(torch.cat([self.lin_l.bias, self.lin_r.bias]))
        from_source, from_target = both.chunk(2, dim=1)
        return from_source.contiguous(), from_target.contiguous()

    def _coefficients(
        self, from_source: Tensor, from_target: Tensor, operators: Operators, blocks: CSR
    ) -> Tensor:
        """Return alpha of every edge and head, in the order of the blocks [E * heads]."""
        scores = pair_scores(
            from_source, from_target, block_diagonal(self.att), operators.with_loops, self.negative_slope
        )  # [E, heads]
        places = operators.attention_places(self.heads)
        in_blocks = scores.new_empty(scores.numel()).index_copy(0, places.view(-1), scores.view(-1))
        return edge_softmax(in_blocks, blocks)
