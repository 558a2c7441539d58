"""`SAGEConv`: one linear map for what the neighbours say together, another for the node itself."""

from __future__ import annotations

from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnnviz.checks import check_choice, check_count, check_switch
from gnnviz.layers.linear import Features, Linear, checked, dense, plus, times
from gnnviz.maximum import neighbour_maximum
from gnnviz.models import Aggregator
from gnnviz.operators import Operators
from gnnviz.sparse import spmm
from gnnviz.torch_graph import GraphLike, operators_of

MAX_SEED = 2**63 - 1


class SAGEConv(nn.Module):
    """aggregate W_l^T + b + x W_r^T, the aggregate made of the neighbours' features.

    The aggregate of a node without incoming edges is 0, but for "gcn", where it is the node itself.

    - "mean": the neighbours' average.
    - "gcn": the average over the neighbours and the node itself, (sum + x) / (degree + 1), with one self-loop
      whatever loops were given; W_l only, as the node is in the aggregate already.
    - "max": the greatest value, channel by channel.
    - "pool": the same of ReLU(x W^T + b), a small network on each neighbour (`lin`).
    - "lstm": an LSTM reads the neighbours one by one; its last hidden state, `out_channels` wide, is the
      aggregate.

    An LSTM reads a sequence, and neighbours have no order: another order gives another aggregate. So the
    order is drawn at random, once for a graph, and fixed by `order_seed`; still it depends on how the nodes
    are numbered, and the layer is therefore not permutation equivariant, as all the others are.

    Args:
        in_channels: width of the input.
        out_channels: width of the output.
        bias: whether to add b.
        aggregator: "mean", "gcn", "max", "pool" or "lstm".
        unit_length: whether each row of the output is divided by its length; a row of zeros stays.
        order_seed: fixes the order in which the LSTM reads neighbours; 0 or more.

    Raises:
        ConfigError: a value that is not allowed.

    Reference: Hamilton, Ying & Leskovec, NeurIPS 2017, algorithm 1 and section 3.3.
    Differs: division by the length is a choice; "lstm" is as wide as the output, not as the input.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bias: bool = True,
        aggregator: Aggregator = "mean",
        unit_length: bool = False,
        order_seed: int = 0,
    ) -> None:
        super().__init__()
        check_choice("aggregator", aggregator, get_args(Aggregator))
        check_switch("unit_length", unit_length)
        check_count("order_seed", order_seed, largest=MAX_SEED, smallest=0)
        self.aggregator: Aggregator = aggregator
        self.unit_length, self.order_seed = unit_length, order_seed
        if aggregator == "pool":
            self.lin = Linear(in_channels, in_channels)
        if aggregator == "lstm":
            self.lstm = nn.LSTM(in_channels, out_channels)
        self.lin_l = Linear(out_channels if aggregator == "lstm" else in_channels, out_channels, bias=bias)
        if aggregator != "gcn":
            self.lin_r = Linear(in_channels, out_channels, bias=False)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for part in self.children():
            assert isinstance(part, Linear | nn.LSTM)
            part.reset_parameters()

    def forward(self, x: Features, graph: GraphLike) -> Tensor:
        """Return [N, out_channels] from x [N, in_channels].

        Raises:
            ConfigError: features of another width.
            DatasetError: a graph that does not fit the features.
        """
        x = checked(x, (self.lin_l if self.aggregator == "gcn" else self.lin_r).weight.shape[1])
        operators = operators_of(graph, x)
        if self.aggregator == "mean":
            out = self._mean(x, operators)
        elif self.aggregator == "gcn":
            out = spmm(operators.gcn(x.dtype, "row"), times(x, self.lin_l.weight))
        else:
            out = self._aggregate(x, operators) @ self.lin_l.weight.t()
            out = out.add_(times(x, self.lin_r.weight))
        out = plus(out, self.lin_l.bias)
        return _unit_length(out) if self.unit_length else out

    def _mean(self, x: Features, operators: Operators) -> Tensor:
        """Return both maps' results without bias; averaging after the map is cheaper, and the same."""
        both = times(x, torch.cat([self.lin_l.weight, self.lin_r.weight]))  # [N, 2 * out], one product
        others, own = both.chunk(2, dim=1)
        return spmm(operators.mean(x.dtype), others).add_(own)

    def _aggregate(self, x: Features, operators: Operators) -> Tensor:
        """Return what the neighbours say together [N, in], or [N, out] for an LSTM."""
        if self.aggregator == "max":
            return neighbour_maximum(operators.as_given, dense(x))
        if self.aggregator == "pool":
            return neighbour_maximum(operators.as_given, F.relu(self.lin(x)))
        to_gates, recurrent, first_bias, second_bias = self.lstm.all_weights[0]
        gates = times(x, to_gates).add_(first_bias + second_bias)  # [N, 4 * out]
        return operators.sequences(self.order_seed).last_states(gates, recurrent)


def _unit_length(x: Tensor) -> Tensor:
    """Return each row divided by its length; a row of zeros, and its gradient, as it is."""
    length = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x / length.where(length > 0, 1)
