"""What the machine itself allows: how fast it copies, gathers and multiplies, and what a step needs of that.

The limit of a step is the time that its gathers, its passes over states and its matrix products take at the
measured speeds, one after the other, and nothing else. A step that reaches half of it leaves a factor of two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.rounds import milliseconds
from gnnviz.models import MODELS, ModelConfig
from gnnviz.torch_graph import TorchGraph

NUMBER = 4  # bytes of a float32
# Passes over a layer's output that no fusion across operations saves: product, sum, activation, dropout,
# each written once and read once by the next; backwards likewise, and once more in the evaluation.
PASSES = 12
COPIED = 2**24  # numbers: larger than any cache


@dataclass(frozen=True)
class Machine:
    """Speeds that were measured.

    Attributes:
        copy: bytes read and written a second.
        gather: bytes of randomly picked rows a second.
        multiply: multiplications and additions, counted as one, a second in a product of tall matrices.
    """

    copy: float
    gather: float
    multiply: float


def measure_machine(graph: TorchGraph, width: int = 64) -> Machine:
    """Measure the speeds with the shapes that the layers have."""
    source, target = torch.ones(COPIED), torch.empty(COPIED)
    state = torch.randn(graph.num_nodes, width)
    weight = torch.randn(width, width)
    picks = graph.edge_index[0]
    copied = _seconds(lambda: target.copy_(source))
    gathered = _seconds(lambda: state.index_select(0, picks))
    product = _seconds(lambda: state @ weight)
    return Machine(
        copy=2 * COPIED * NUMBER / copied,
        gather=len(picks) * width * NUMBER / gathered,
        multiply=graph.num_nodes * width * width / product,
    )


def limit_milliseconds(
    config: ModelConfig, machine: Machine, graph: TorchGraph, in_channels: int, words: int, classes: int
) -> float:
    """Return the least time of a training step and an evaluation.

    Args:
        config: a GCN, GraphSAGE or GAT without remedies.
        machine: the measured speeds.
        graph: its edges.
        in_channels: F.
        words: entries of the features that are not zero; N * F for dense ones.
        classes: C.
    """
    nodes, entries = graph.num_nodes, graph.edge_index.shape[1] + graph.num_nodes
    is_sparse = words < nodes * in_channels
    maps = 2 if MODELS[config.model].conv == "SAGEConv" else 1
    widths = [in_channels, *[config.hidden_channels] * (config.num_layers - 1), classes]
    gathered = multiplied = passed = 0.0
    for layer in range(config.num_layers):
        width, out = widths[layer], widths[layer + 1]
        if layer == 0 and is_sparse:
            gathered += 3 * words * maps * out * NUMBER  # forwards, its gradient in the weights, evaluation
        else:
            multiplied += (3 if layer == 0 else 4) * nodes * width * maps * out
        gathered += (4 if MODELS[config.model].has_heads else 3) * entries * out * NUMBER
        passed += PASSES * nodes * out * NUMBER
    seconds = gathered / machine.gather + multiplied / machine.multiply + passed / machine.copy
    return seconds * 1e3


def _seconds(work: Callable[[], object]) -> float:
    """Return the least time of one call: what the machine can do where nothing disturbs it."""
    return min(milliseconds(work, 5) for _ in range(20)) / 1e3
