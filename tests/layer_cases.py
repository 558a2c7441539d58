"""Layers beside PyTorch Geometric's with the same parameters, and graphs of every awkward kind."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gnnviz.layers import GATConv, GATv2Conv, GCNConv, SAGEConv

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=r"`torch\.jit", category=DeprecationWarning)
    import torch_geometric.nn as pyg  # its import compiles with the deprecated torch.jit

# 0 - 1 - 2, and 3 alone; one feature.
PATH = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
ONE_TO_FOUR = torch.tensor([[1.0], [2.0], [3.0], [4.0]])

IN, OUT = 9, 6
Maker = Callable[[], nn.Module]
LAYERS: dict[str, tuple[Maker, Maker]] = {
    "gcn": (lambda: GCNConv(IN, OUT), lambda: pyg.GCNConv(IN, OUT)),
    "gcn without bias": (lambda: GCNConv(IN, OUT, bias=False), lambda: pyg.GCNConv(IN, OUT, bias=False)),
    "sage": (lambda: SAGEConv(IN, OUT), lambda: pyg.SAGEConv(IN, OUT)),
    "sage, max": (lambda: SAGEConv(IN, OUT, aggregator="max"), lambda: pyg.SAGEConv(IN, OUT, aggr="max")),
    "sage, pool": (
        lambda: SAGEConv(IN, OUT, aggregator="pool"),
        lambda: pyg.SAGEConv(IN, OUT, aggr="max", project=True),
    ),
    "sage, unit length": (
        lambda: SAGEConv(IN, OUT, unit_length=True),
        lambda: pyg.SAGEConv(IN, OUT, normalize=True),
    ),
    "gat": (lambda: GATConv(IN, OUT), lambda: pyg.GATConv(IN, OUT)),
    "gat, 3 heads": (lambda: GATConv(IN, 2, heads=3), lambda: pyg.GATConv(IN, 2, heads=3)),
    "gat, 3 heads averaged": (
        lambda: GATConv(IN, OUT, 3, concat=False, negative_slope=0.5, bias=False),
        lambda: pyg.GATConv(IN, OUT, 3, concat=False, negative_slope=0.5, bias=False),
    ),
    "gatv2": (lambda: GATv2Conv(IN, OUT), lambda: pyg.GATv2Conv(IN, OUT)),
    "gatv2, 3 heads": (lambda: GATv2Conv(IN, 2, heads=3), lambda: pyg.GATv2Conv(IN, 2, heads=3)),
    "gatv2, 3 heads averaged": (
        lambda: GATv2Conv(IN, OUT, 3, concat=False, negative_slope=0.5, bias=False),
        lambda: pyg.GATv2Conv(IN, OUT, 3, concat=False, negative_slope=0.5, bias=False),
    ),
}


def random_edges(num_nodes: int, count: int) -> Tensor:
    return torch.randint(num_nodes, (2, count), generator=torch.Generator().manual_seed(5))


# Loops twice and thrice, one-way edges twice and once, and six nodes without any edge.
AWKWARD = "isolated nodes, loops, duplicates, one way"
GRAPHS = {
    AWKWARD: (
        30,
        torch.cat([random_edges(24, 80), torch.tensor([[3, 3, 5, 5, 5, 7], [3, 3, 6, 6, 5, 9]])], dim=1),
    ),
    "a chain in one direction": (5, torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])),
    "no edges": (4, torch.zeros(2, 0, dtype=torch.int64)),
    "a single node": (1, torch.zeros(2, 0, dtype=torch.int64)),
    "a single node with a loop": (1, torch.zeros(2, 2, dtype=torch.int64)),
}


def set_weights(layer: nn.Module, **values: list[float]) -> None:
    """Set parameters by name (dots as double underscores), keeping their shapes."""
    parameters = dict(layer.named_parameters())
    assert parameters.keys() == {name.replace("__", ".") for name in values}
    with torch.no_grad():
        for name, numbers in values.items():
            parameter = parameters[name.replace("__", ".")]
            parameter.copy_(torch.tensor(numbers).view(parameter.shape))


def assert_same_with_gradients(
    ours: Callable[[Tensor], Tensor],
    theirs: Callable[[Tensor], Tensor],
    our_parameters: dict[str, nn.Parameter],
    their_parameters: dict[str, nn.Parameter],
    x: Tensor,
) -> None:
    """Hold two roads from x [N, F] to an output together, with the gradients of x and all parameters."""
    our_x, their_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    our_out, their_out = ours(our_x), theirs(their_x)
    torch.testing.assert_close(our_out, their_out, rtol=1e-5, atol=1e-5)
    weights = torch.randn_like(our_out)
    (our_out * weights).sum().backward()
    (their_out * weights).sum().backward()
    torch.testing.assert_close(our_x.grad, their_x.grad, rtol=1e-5, atol=1e-5)
    assert our_parameters.keys() == their_parameters.keys()
    for key, parameter in their_parameters.items():
        torch.testing.assert_close(our_parameters[key].grad, parameter.grad, rtol=1e-5, atol=1e-5)
