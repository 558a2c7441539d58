"""How fast the layers train on Cora, against PyTorch Geometric's in the same process.

One step is a training step (loss on the training nodes, gradients, Adam) and an evaluation forward.
The two take turns within every round; a ratio is a round's, so that a busy machine slows both.

Run: python benchmarks/layers.py [--rounds 15] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GATConv, GCNConv, SAGEConv

from gnnviz.datasets import load_graph
from gnnviz.models import ModelConfig, build_model
from gnnviz.torch_graph import TorchGraph

LEARNING_RATE, WEIGHT_DECAY = 0.01, 5e-4


@dataclass(frozen=True)
class Case:
    """One row of the table: a model, and how many times faster than PyG it is meant to be."""

    label: str
    config: ModelConfig
    target: float


CASES = (
    Case("GCN, 2 layers", ModelConfig("gcn", 2), 15),
    Case("GCN, 2 layers, features kept", ModelConfig("gcn", 2, dropout_on="between"), 4),
    Case("GCN, 16 layers", ModelConfig("gcn", 16), 4),
    Case("SAGE, 2 layers", ModelConfig("sage", 2), 20),
    Case("GAT, 2 layers, 8x8", ModelConfig("gat", 2, heads=8, attention_dropout=0.5, activation="elu"), 6),
)


class PygStack(nn.Module):
    """The same model from PyG's layers, written as its examples are."""

    def __init__(self, config: ModelConfig, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.config = config
        hidden = [config.hidden_channels] * (config.num_layers - 1)
        ends = list(zip([in_channels, *hidden], [*hidden, out_channels], strict=True))
        self.convs = nn.ModuleList(
            _pyg_layer(config, *pair, is_last=number == len(ends)) for number, pair in enumerate(ends, 1)
        )

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return the logits."""
        activate = F.relu if self.config.activation == "relu" else F.elu
        for number, conv in enumerate(self.convs):
            if number or self.config.dropout_on == "inputs":
                x = F.dropout(x, self.config.dropout, self.training)
            x = conv(x, edge_index)
            if number < len(self.convs) - 1:
                x = activate(x)
        return x


def _pyg_layer(config: ModelConfig, in_channels: int, out_channels: int, *, is_last: bool) -> nn.Module:
    if config.model == "gcn":
        return GCNConv(in_channels, out_channels)
    if config.model == "sage":
        return SAGEConv(in_channels, out_channels)
    heads = config.output_heads if is_last else config.heads
    width = out_channels if is_last else out_channels // heads
    share = config.attention_dropout
    return GATConv(in_channels, width, heads=heads, concat=not is_last, dropout=share)


def stepper(model: nn.Module, forward: Callable[[], Tensor], graph: TorchGraph) -> Callable[[], None]:
    """Return a function that makes one training step and one evaluation forward."""
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    assert graph.y is not None
    assert graph.train_mask is not None
    train = graph.train_mask.nonzero().flatten()
    labels = graph.y[train]

    def step() -> None:
        model.train()
        optimiser.zero_grad()
        F.cross_entropy(forward().index_select(0, train), labels).backward()
        optimiser.step()
        model.eval()
        with torch.no_grad():
            forward()

    return step


def milliseconds(step: Callable[[], None], steps: int) -> float:
    """Return the mean time of `steps` steps."""
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - begin) / steps * 1e3


def compare(case: Case, graph: TorchGraph, dense: Tensor, rounds: int) -> str:
    """Return a row of the table."""
    torch.manual_seed(0)
    assert graph.y is not None
    channels, classes = dense.shape[1], int(graph.y.max()) + 1
    ours, theirs = build_model(case.config, channels, classes), PygStack(case.config, channels, classes)
    our_step = stepper(ours, lambda: ours(graph.x, graph), graph)
    their_step = stepper(theirs, lambda: theirs(dense, graph.edge_index), graph)
    for step in (our_step, their_step):  # first calls allocate and prepare
        milliseconds(step, 5)
    pairs = [(milliseconds(our_step, 10), milliseconds(their_step, 3)) for _ in range(rounds)]
    our_times, their_times = zip(*pairs, strict=True)
    ratios = [theirs / ours for ours, theirs in pairs]
    verdict = "reached" if statistics.median(ratios) >= case.target else "MISSED"
    return (
        f"| {case.label} | {_spread(their_times)} | {_spread(our_times)} | {_spread(ratios)} "
        f"| {case.target:g} {verdict} |"
    )


def _spread(values: tuple[float, ...] | list[float]) -> str:
    """Return the median and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    graph = load_graph("cora").to_torch()
    dense = graph.x if isinstance(graph.x, Tensor) else graph.x.to_dense()
    print(f"torch {torch.__version__}, threads: {arguments.threads}, rounds: {arguments.rounds}")
    print("Milliseconds and ratios are medians (quartiles).")
    print("| step | PyG ms | gnnviz ms | ratio | target |\n| --- | --- | --- | --- | --- |")
    for case in CASES:
        print(compare(case, graph, dense, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
