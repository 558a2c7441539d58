"""What a worker says about neighbourhoods: a sample, the computation it stands for, and how far nodes hear.

Named by the app, computed on a worker. Knows graphs; needs no run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.computation_tree import ComputationTree, computation_tree
from gnnviz.datasets import DatasetSpec
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import ConfigError
from gnnviz.neighbourhood import NeighbourhoodView, neighbourhood_view
from gnnviz.receptive import ball_sizes, sample_nodes
from gnnviz.sampling import sample_neighbourhood

FARTHEST = 12  # hops; on Cora nearly all of the largest component is within them
MOST_HOPS = 6
LARGEST_FAN_OUT = 1000


@dataclass(frozen=True, slots=True)
class HopCount:
    """How much one hop of a sample drew, and how much there was to draw.

    Attributes:
        hop: 1 for the node's own neighbours.
        fan_out: the most that a node could draw.
        drawn: draws made at this hop.
        present: neighbours that could have been drawn.
        new_nodes: nodes that took part for the first time.
    """

    hop: int
    fan_out: int
    drawn: int
    present: int
    new_nodes: int


@dataclass(frozen=True, slots=True)
class DrawnNeighbourhood:
    """One sample around a node: as a picture, as a computation, and in numbers."""

    view: NeighbourhoodView
    tree: ComputationTree
    hops: tuple[HopCount, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How much of a graph is heard through 0 to 12 layers.

    Attributes:
        node: share of the nodes within k hops of one node [13], in 0..1.
        mean: the same, averaged over the graph's nodes [13].
        sampled: how many nodes the average is over.
    """

    node: NDArray[np.float64]
    mean: NDArray[np.float64]
    sampled: int


def parse_fan_outs(text: str) -> tuple[int, ...]:
    """Return the fan-outs that somebody typed, such as "10, 25".

    Raises:
        ConfigError: not one to six whole numbers from 1 to 1000.
    """
    words = text.replace("-", ",").split(",")
    numbers = [int(word) if word.strip().isdecimal() and word.isascii() else 0 for word in words]
    if len(numbers) > MOST_HOPS or not all(1 <= number <= LARGEST_FAN_OUT for number in numbers):
        raise ConfigError(
            f"fan-outs are {text!r}; give one to {MOST_HOPS} whole numbers from 1 to {LARGEST_FAN_OUT}, "
            "one a layer, such as 10, 5"
        )
    return tuple(numbers)


def drawn_neighbourhood(
    _store_root: str, spec: DatasetSpec, node: int, fan_outs: tuple[int, ...], seed: int, merged: bool
) -> DrawnNeighbourhood:
    """Draw a neighbourhood of a node; the picture and the computation show the same sample.

    Args:
        spec: which graph.
        node: the seed.
        fan_outs: the most neighbours that a node draws at each hop.
        seed: decides the sample.
        merged: whether equal states of a layer are drawn once.

    Raises:
        DatasetError: there is no such node.
    """
    graph = load_graph_once(spec)
    sample = sample_neighbourhood(graph, [node], fan_outs, np.random.default_rng(seed))
    counts = tuple(
        HopCount(
            number, fan_out, int(hop.drawn.sum()), int(hop.degrees.sum()), len(hop.nodes) - hop.num_targets
        )
        for number, (hop, fan_out) in enumerate(zip(sample.hops, fan_outs, strict=True), start=1)
    )
    return DrawnNeighbourhood(
        neighbourhood_view(graph, sample, np.random.default_rng(seed)),
        computation_tree(graph, node, fan_outs, np.random.default_rng(seed), merged=merged),
        counts,
    )


def reach_of(_store_root: str, spec: DatasetSpec, node: int) -> Reach:
    """Return how much of the graph one node hears through 0 to 12 layers, and an average node.

    Raises:
        DatasetError: there is no such node.
    """
    graph = load_graph_once(spec)
    sampled = sample_nodes(graph)
    return Reach(
        ball_sizes(graph, FARTHEST, [node])[:, 0],
        ball_sizes(graph, FARTHEST, sampled).mean(axis=1),
        len(sampled),
    )
