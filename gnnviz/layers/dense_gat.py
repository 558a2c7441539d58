"""`DenseGATConv`: GAT over all pairs of nodes with a mask, as a check of the sparse form."""

from __future__ import annotations

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.dropout import dropout
from gnnviz.errors import ConfigError
from gnnviz.layers.gat import GATConv, block_diagonal
from gnnviz.layers.linear import Features, checked, times
from gnnviz.torch_graph import GraphLike, operators_of

# Arrays [heads, N, N] that are alive at once: 4.3 at the peak of a training step with dropout, measured.
COPIES = 5
GIB = 2**30


class DenseGATConv(GATConv):
    """`GATConv` with a softmax over all N nodes, those without an edge masked out: slow, and N x N large.

    The same parameters and arguments, and, but for rounding, the same results: an edge that is given
    twice counts twice in both. Only dropout differs: it drops such edges together here, one by one there.
    """

    def forward(self, x: Features, graph: GraphLike) -> Tensor:
        """Return [N, heads * out_channels], or [N, out_channels] without concat, from x [N, in_channels].

        Raises:
            ConfigError: features of another width; or [heads, N, N] does not fit in memory.
            DatasetError: a graph that does not fit the features.
        """
        x = checked(x, self.lin.weight.shape[1])
        edges = operators_of(graph, x).with_loops
        h = times(x, self.lin.weight).view(-1, self.heads, self.out_channels)
        alpha = dropout(self._all_pairs(h, edges), self.dropout if self.training else 0.0)
        out = (alpha @ h.transpose(0, 1)).transpose(0, 1)  # [N, heads, out_channels]
        out = out.flatten(1) if self.concat else out.mean(dim=1)
        return out if self.bias is None else out + self.bias

    def attention(self, x: Features, edges: GraphLike) -> tuple[Tensor, Tensor]:
        """Return the edges [2, E] with self-loops, and alpha [E, heads] in 0..1, before any dropout.

        As `GATConv.attention`; raises as `forward`.
        """
        x = checked(x, self.lin.weight.shape[1])
        entries = operators_of(edges, x).with_loops
        h = times(x, self.lin.weight).view(-1, self.heads, self.out_channels)
        alpha = self._all_pairs(h, entries)[:, entries.rows, entries.indices]
        alpha = alpha / _counts(entries, h.dtype)[entries.rows, entries.indices]
        return torch.stack([entries.indices, entries.rows]), alpha.t()

    def _all_pairs(self, h: Tensor, edges: CSR) -> Tensor:
        """Return alpha of every head, target and source [heads, N, N]; 0 where there is no edge."""
        check_dense_memory(h.shape[0], self.heads, h.device, h.element_size())
        from_source = h.flatten(1) @ block_diagonal(self.att_src)  # [N, heads]
        from_target = h.flatten(1) @ block_diagonal(self.att_dst)
        scores = from_target.t()[:, :, None] + from_source.t()[:, None]
        # log 0 masks a pair out, log 1 changes nothing, log 2 makes an edge count twice.
        return (F.leaky_relu(scores, self.negative_slope) + _counts(edges, h.dtype).log_()).softmax(dim=2)


def check_dense_memory(nodes: int, heads: int, device: torch.device, number_size: int = 4) -> None:
    """Refuse dense attention that would not fit.

    Args:
        nodes: N.
        heads: of one layer.
        device: where it is computed.
        number_size: bytes of a number.

    Raises:
        ConfigError: says how much is needed, and how much is free.
    """
    needed = COPIES * heads * nodes * nodes * number_size
    available = available_memory(device)
    if needed > available:
        raise ConfigError(
            f"dense attention over {nodes} x {nodes} nodes and {heads} heads needs about "
            f"{needed / GIB:.1f} GiB of memory; {available / GIB:.1f} GiB are free. "
            "Choose the sparse form, which gives the same result, or fewer heads"
        )


def available_memory(device: torch.device) -> int:
    """Return how many bytes can still be allocated on a device."""
    if device.type == "cuda":
        held_and_unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + held_and_unused
    return psutil.virtual_memory().available


def _counts(edges: CSR, dtype: torch.dtype) -> Tensor:
    """Return how many edges go from each source to each target [N targets, N sources]."""
    return edges.with_values(torch.ones(len(edges.indices), dtype=dtype, device=edges.device)).to_dense()
