"""How long each measure, projection and receptive field takes on Cora: `python -m benchmarks.measures`.

One hidden state of 2708 nodes and 64 channels, ReLU of noise. Times are those of the processor, so that
a busy machine counts little: set OMP_NUM_THREADS=1. t-SNE runs only when asked (`--tsne`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import process_time

import numpy as np

from gnnviz.datasets import load_graph
from gnnviz.pca import aligned_pca
from gnnviz.projection import project
from gnnviz.receptive import ball_sizes
from gnnviz.similarity import cosine_histogram, knn_purity
from gnnviz.smoothing import METRICS

FAST_BUDGET_MS = 10.0
REPEATS = 5


def best_ms(task: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the shortest processor time of `repeats` calls, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = process_time()
        task()
        times.append(process_time() - start)
    return 1000 * min(times)


def main() -> None:
    """Print one line for each measure, then the rest; measures over their budget are marked."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--tsne", action="store_true", help="time one t-SNE too")
    wants_tsne = parser.parse_args().tsne
    graph = load_graph("cora")
    h = np.maximum(np.random.default_rng(0).normal(size=(graph.num_nodes, 64)), 0).astype(np.float32)
    for key, metric in METRICS.items():
        taken = best_ms(lambda metric=metric: metric(h, graph))
        mark = "  over budget" if metric.cost == "fast" and taken > FAST_BUDGET_MS else ""
        print(f"{key:28} {metric.cost:6} {taken:8.1f} ms{mark}")
    labels = np.zeros(graph.num_nodes, dtype=np.int64) if graph.y is None else graph.y
    others: dict[str, Callable[[], object]] = {
        "ball_sizes, 12 hops": lambda: ball_sizes(graph, 12),
        "cosine_histogram": lambda: cosine_histogram(h),
        "knn_purity": lambda: knn_purity(h, labels),
        "pca": lambda: project("pca", h),
        "aligned_pca, 17 states": lambda: aligned_pca([h] * 17),
    }
    for name, task in others.items():
        print(f"{name:35} {best_ms(task):8.1f} ms")
    if wants_tsne:
        print(f"{'t-SNE':35} {best_ms(lambda: project('tsne', h), repeats=1):8.1f} ms")


if __name__ == "__main__":
    main()
