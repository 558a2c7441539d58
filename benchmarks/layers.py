"""How fast the layers train on Cora, against PyTorch Geometric's in the same process.

One step is a training step (loss on the training nodes, gradients, Adam) and an evaluation forward.
The two take turns within every round; a ratio is a round's, so that a busy machine slows both.

The last column is the least that the step needs of this machine (`benchmarks.limits`), and how much of our
time that is.

Run: python -m benchmarks.layers [--rounds 15] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GATConv, GCNConv, SAGEConv

from benchmarks.limits import Machine, limit_milliseconds, measure_machine
from benchmarks.rounds import judged, milliseconds, spread
from gnnviz.csr import CSR
from gnnviz.datasets import load_graph
from gnnviz.models import ModelConfig, build_model
from gnnviz.torch_graph import TorchGraph

LEARNING_RATE, WEIGHT_DECAY = 0.01, 5e-4


@dataclass(frozen=True)
class Case:
    """One row of the table: a model, and how many times faster than the other side it is meant to be."""

    label: str
    config: ModelConfig
    target: float
    against: str = "PyG"
    their_steps: int = 3

    @property
    def against_dense(self) -> bool:
        """Whether the other side is our own GAT over all pairs of nodes."""
        return self.against == "dense N x N"


_GAT = ModelConfig("gat", 2, heads=8, attention_dropout=0.5, activation="elu")
CASES = (
    Case("GCN, 2 layers", ModelConfig("gcn", 2), 15, "PyG GCNConv, cached"),
    Case(
        "GCN, 2 layers, no dropout on the features",
        ModelConfig("gcn", 2, dropout_on="between"),
        4,
        "PyG GCNConv, cached",
    ),
    Case("GCN, 16 layers", ModelConfig("gcn", 16), 4, "PyG GCNConv, cached"),
    Case("GraphSAGE mean, 2 layers", ModelConfig("sage", 2), 20, "PyG SAGEConv"),
    Case("GAT 8x8, 2 layers", _GAT, 6, "PyG GATConv"),
    Case("GAT 8x8, 2 layers", _GAT, 60, "dense N x N", 1),
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
        return GCNConv(in_channels, out_channels, cached=True)
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


def compare(case: Case, graph: TorchGraph, dense: Tensor, machine: Machine, rounds: int) -> str:
    """Return a row of the table."""
    torch.manual_seed(0)
    assert graph.y is not None
    channels, classes = dense.shape[1], int(graph.y.max()) + 1
    ours = build_model(case.config, channels, classes)
    our_step = stepper(ours, lambda: ours(graph.x, graph), graph)
    if case.against_dense:
        other = build_model(replace(case.config, attention_form="dense"), channels, classes)
        their_step = stepper(other, lambda: other(graph.x, graph), graph)
    else:
        theirs = PygStack(case.config, channels, classes)
        their_step = stepper(theirs, lambda: theirs(dense, graph.edge_index), graph)
    for step, times in ((our_step, 5), (their_step, case.their_steps)):  # first calls allocate and prepare
        milliseconds(step, times)
    pairs = [(milliseconds(our_step, 10), milliseconds(their_step, case.their_steps)) for _ in range(rounds)]
    our_times, their_times = zip(*pairs, strict=True)
    ratios = [theirs / ours for ours, theirs in pairs]
    words = len(graph.x.indices) if isinstance(graph.x, CSR) else graph.x.numel()
    limit = limit_milliseconds(case.config, machine, graph, channels, words, classes)
    return (
        f"| {case.label} | {case.against} | {spread(their_times)} | {spread(our_times)} | {spread(ratios)} "
        f"| {judged(ratios, case.target)} | {limit:.2f} ms, {limit / statistics.median(our_times):.0%} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    graph = load_graph("cora").to_torch()
    dense = graph.x if isinstance(graph.x, Tensor) else graph.x.to_dense()
    machine = measure_machine(graph)
    print(f"torch {torch.__version__}, threads: {arguments.threads}, rounds: {arguments.rounds}")
    print(
        f"This machine copies {machine.copy / 1e9:.0f} GB/s, gathers {machine.gather / 1e9:.0f} GB/s and "
        f"multiplies {machine.multiply / 1e9:.0f} G/s. Milliseconds and ratios are medians (quartiles)."
    )
    print("| training step and evaluation on Cora | against | its ms | gnnviz ms | ratio | target | limit |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for case in CASES:
        print(compare(case, graph, dense, machine, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
