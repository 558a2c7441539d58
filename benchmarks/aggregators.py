"""GraphSAGE's aggregators against one another on Cora: accuracy over seeds, and time of an epoch.

All train with one recipe, full batch, in turns; a time is that of the processor, with one thread, so that a
busy machine counts little. The course notes find LSTM and pooling best, and LSTM about two times slower.

Run: python -m benchmarks.aggregators [--seeds 3] [--epochs 100]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import get_args

import torch

from gnnviz.config import TrainConfig
from gnnviz.datasets import load_graph
from gnnviz.models import Aggregator, ModelConfig
from gnnviz.torch_graph import TorchGraph
from gnnviz.training import initial_model, train


def trained(
    aggregator: Aggregator, seed: int, epochs: int, graph: TorchGraph, classes: int
) -> tuple[float, float]:
    """Return the test accuracy at the best epoch, and the processor's seconds per epoch."""
    config = TrainConfig(epochs=epochs, seed=seed)
    model = initial_model(ModelConfig("sage", 2, aggregator=aggregator), seed, graph.x.shape[1], classes)
    begin = time.process_time()
    training = train(model, graph, config)
    for _ in training:
        pass
    assert training.best is not None
    return training.best.test_acc, (time.process_time() - begin) / epochs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cora = load_graph("cora", normalisation="l1")
    graph = TorchGraph.from_graph(cora)
    names = get_args(Aggregator)
    results = {name: [] for name in names}
    for seed in range(arguments.seeds):
        for name in names:
            results[name].append(trained(name, seed, arguments.epochs, graph, cora.num_classes))
    usual = [seconds for _, seconds in results["mean"]]
    print(
        "| aggregator | test accuracy, each seed | ms per epoch | against mean |\n| --- | --- | --- | --- |"
    )
    for name in names:
        accuracies, seconds = zip(*results[name], strict=True)
        ratio = statistics.median(own / mean for own, mean in zip(seconds, usual, strict=True))
        print(
            f"| {name} | {', '.join(f'{100 * value:.1f}' for value in accuracies)} "
            f"| {1e3 * statistics.median(seconds):.1f} | {ratio:.1f} |"
        )


if __name__ == "__main__":
    main()
