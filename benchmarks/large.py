"""A graph of 170,000 nodes: a full-batch GCN step against PyG's, and GraphSAGE in mini-batches.

Each side runs in processes of its own, in turns, since a process has one peak of memory. The graph is a
contextual block model with 1.2 million undirected edges and 128 features.

Run: python -m benchmarks.large [--rounds 3] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.rounds import milliseconds, spread
from gnnviz.block_model import contextual_block_model
from gnnviz.config import TrainConfig
from gnnviz.graph import Graph
from gnnviz.models import ModelConfig, build_model
from gnnviz.torch_graph import Operators, TorchGraph
from gnnviz.training import train

NODES, EDGES, FEATURES, CLASSES = 170_000, 1_200_000, 128, 10
HIDDEN, STEPS = 64, 5
FASTER, LEANER, MOST_MEGABYTES = 4, 0.5, 1500
SIDES = ("pyg", "gnnviz")
MASKS = ("train_mask", "val_mask", "test_mask")


def write_graph(path: Path) -> None:
    """Generate the graph and its split, and write the arrays that both sides read."""
    graph = contextual_block_model(NODES, EDGES, FEATURES, num_classes=CLASSES, homophily=0.6, signal=2.0)
    part = np.random.default_rng(0).permutation(NODES) % 4  # half of the nodes train, a quarter chooses
    masks = dict(zip(MASKS, (part < 2, part == 2, part == 3), strict=True))
    assert isinstance(graph.x, np.ndarray)
    assert graph.y is not None
    for name, array in {"x": graph.x, "edge_index": graph.edge_index, "y": graph.y, **masks}.items():
        np.save(path / f"{name}.npy", array)


def read(path: Path, name: str) -> np.ndarray:
    """Return one of the arrays."""
    return np.load(path / f"{name}.npy")


def full_batch(side: str, path: Path) -> dict[str, float]:
    """Return the median time of a training step in milliseconds, and the peak of memory in megabytes."""
    torch.manual_seed(0)
    x, edges, y = (torch.from_numpy(read(path, name)) for name in ("x", "edge_index", "y"))
    if side == "pyg":
        from torch_geometric.nn import GCNConv  # counts in the memory of its side alone

        class Pair(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.first = GCNConv(FEATURES, HIDDEN, cached=True)
                self.last = GCNConv(HIDDEN, CLASSES, cached=True)

            def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
                h = self.first(F.dropout(x, 0.5, self.training), edge_index).relu()
                return self.last(F.dropout(h, 0.5, self.training), edge_index)

        model, graph = Pair(), edges
    else:
        model = build_model(ModelConfig("gcn", 2, HIDDEN), FEATURES, CLASSES)
        graph = Operators(edges, NODES)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)

    def step() -> None:
        optimiser.zero_grad()
        F.cross_entropy(model(x, graph), y).backward()
        optimiser.step()

    milliseconds(step, 2)
    times = [milliseconds(step, 1) for _ in range(STEPS)]
    return {"ms": statistics.median(times), "megabytes": peak_megabytes()}


def mini_batches(path: Path) -> dict[str, float]:
    """Return the seconds of a GraphSAGE epoch in batches of 512, and the peak of memory in megabytes."""
    train_mask, val_mask, test_mask = (read(path, name) for name in MASKS)
    graph = TorchGraph.from_graph(
        Graph(read(path, "x"), read(path, "edge_index"), read(path, "y"), train_mask, val_mask, test_mask)
    )
    model = build_model(ModelConfig("sage", 2, HIDDEN), FEATURES, CLASSES)
    begin = time.perf_counter()
    record = next(train(model, graph, TrainConfig(epochs=1, batch_size=512)))
    return {
        "seconds": time.perf_counter() - begin,
        "megabytes": peak_megabytes(),
        "accuracy": record.test_acc,
    }


def peak_megabytes() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(what: str, path: Path, threads: int) -> dict[str, float]:
    """Return what a process of its own measures."""
    command = [sys.executable, "-m", "benchmarks.large", "--measure", what, "--folder", str(path)]
    done = subprocess.run([*command, "--threads", str(threads)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--measure", choices=[*SIDES, "batches"], help="measure one side, print it as JSON")
    parser.add_argument("--folder", type=Path, help="where the graph is")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.measure:
        side, path = arguments.measure, arguments.folder
        print(json.dumps(mini_batches(path) if side == "batches" else full_batch(side, path)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write_graph(path)
        print_table(path, arguments.rounds, arguments.threads)


def print_table(path: Path, rounds: int, threads: int) -> None:
    """Measure both sides in turns and print."""
    pairs = [[measured(side, path, threads) for side in SIDES] for _ in range(rounds)]
    faster = [theirs["ms"] / ours["ms"] for theirs, ours in pairs]
    leaner = [ours["megabytes"] / theirs["megabytes"] for theirs, ours in pairs]
    print(f"{NODES:,} nodes, {EDGES:,} edges, {FEATURES} features, threads: {threads}, rounds: {rounds}")
    print("| full-batch step of GCN, 2 layers | PyG | gnnviz | ratio | target |")
    print("| --- | --- | --- | --- | --- |")
    for key, ratios, goal in (
        ("ms", faster, f"at least {FASTER}"),
        ("megabytes", leaner, f"at most {LEANER}"),
    ):
        sides = [spread([pair[place][key] for pair in pairs]) for place in (0, 1)]
        print(f"| {key} | {' | '.join(sides)} | {spread(ratios)} | {goal} |")
    batches = measured("batches", path, threads)
    print(
        f"GraphSAGE, an epoch in batches of 512: {batches['seconds']:.1f} s, "
        f"{batches['megabytes']:.0f} MB at its peak (at most {MOST_MEGABYTES}), "
        f"test accuracy {batches['accuracy']:.1%}"
    )


if __name__ == "__main__":
    main()
