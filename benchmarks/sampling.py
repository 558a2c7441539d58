"""How fast neighbourhoods are sampled, against sets in plain Python in the same process.

Both draw 512 seeds with fan-outs 10 and 25, from what they prepared before. They take turns within
every round, a ratio is a round's, and times are those of the processor, since both use one thread:
so a busy machine counts little.

Run: python -m benchmarks.sampling [--rounds 15]
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.rounds import judged, spread
from gnnviz.datasets import load_graph
from gnnviz.graph import Graph
from gnnviz.sampling import NeighbourSampler

FAN_OUTS = (10, 25)
SEEDS = 512
LARGE_NODES, LARGE_EDGES = 170_000, 1_200_000

PlainHop = tuple[list[int], list[tuple[int, int]]]


def plain_sample(
    neighbours: Sequence[set[int]], seeds: Sequence[int], fan_outs: Sequence[int], source: random.Random
) -> list[PlainHop]:
    """Draw the same kind of sample: per hop its nodes, targets first, and the edges as local positions."""
    nodes = list(seeds)
    hops: list[PlainHop] = []
    for fan_out in fan_outs:
        drawn = [_draw(neighbours[node], fan_out, source) for node in nodes]
        new = set().union(*drawn) - set(nodes)
        targets, nodes = nodes, nodes + sorted(new)
        position = {node: place for place, node in enumerate(nodes)}
        edges = [(position[node], target) for target in range(len(targets)) for node in drawn[target]]
        hops.append((nodes, edges))
    return hops


def _draw(around: set[int], fan_out: int, source: random.Random) -> set[int]:
    """Return all, or a choice; sorted before, so that a seed decides it."""
    return around if len(around) <= fan_out else set(source.sample(sorted(around), fan_out))


def random_graph(num_nodes: int, num_edges: int, seed: int = 0) -> Graph:
    """Return a graph with about `num_edges` undirected edges between nodes chosen at random."""
    edges = np.random.default_rng(seed).integers(0, num_nodes, size=(2, num_edges))
    return Graph(x=np.zeros((num_nodes, 1), dtype=np.float32), edge_index=edges, name="random graph")


def compare(graph: Graph, target: float, rounds: int) -> str:
    """Return a row of the table."""
    first = np.cumsum(graph.degrees()) - graph.degrees()
    neighbours = [set(part.tolist()) for part in np.split(graph.edge_index[0], first[1:])]
    sampler = NeighbourSampler(graph)
    generator, source = np.random.default_rng(0), random.Random(0)
    batches = [generator.choice(graph.num_nodes, SEEDS, replace=False) for _ in range(10)]
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 1):
        times = [
            _seconds(lambda batch=batch: sampler.sample(batch, FAN_OUTS, generator)) for batch in batches
        ]
        batch = batches[number % len(batches)].tolist()
        slow = _seconds(lambda batch=batch: plain_sample(neighbours, batch, FAN_OUTS, source))
        if number:  # the first round warms up
            ours.append(statistics.median(times) * 1e3)
            theirs.append(slow * 1e3)
    ratios = [plain / quick for plain, quick in zip(theirs, ours, strict=True)]
    label = f"{graph.name}, {graph.num_nodes:,} nodes, {graph.num_edges:,} edges"
    return f"| {label} | {spread(theirs)} | {spread(ours)} | {spread(ratios)} | {judged(ratios, target)} |"


def _seconds(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    print(f"numpy {np.__version__}, {arguments.rounds} rounds; median (quartiles)")
    print("| graph | plain Python ms | gnnviz ms | ratio | target |\n| --- | --- | --- | --- | --- |")
    for graph, target in ((load_graph("cora"), 15), (random_graph(LARGE_NODES, LARGE_EDGES), 30)):
        print(compare(graph, target, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
