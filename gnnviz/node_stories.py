"""Each node's story: what nets of several depths predict for it, and at which depth it turns wrong.

Numpy on predictions that were computed elsewhere; knows no torch and draws nothing. A node without a
label has predictions, but none of them is right or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnnviz.config import RunConfig
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.graph_input import UNLABELLED
from gnnviz.sweeps import of_one_recipe

Turning: TypeAlias = Literal["ever", "for_good"]

RIGHT, UNKNOWN = 0, -1  # in place of a depth: right at every depth; no label
NO_DISTANCE = -1
LEAST_DEPTHS = 2
MOST_NEIGHBOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class NodeStories:
    """What D nets, which differ in depth only, predict for N nodes, and what is known of the nodes.

    Attributes:
        depths: the numbers of layers [D], ascending.
        class_names: the C names.
        labels: true class [N], or `UNLABELLED`.
        trained: which nodes the nets were trained on [N] bool.
        predicted: most probable class [D, N].
        probability: its probability [D, N], in 0..1.
        degree: neighbours [N].
        homophily: share of a node's labelled neighbours that have its class [N], in 0..1; NaN, which no
            picture shows, where it has no label or no such neighbour.
        distance: edges to the nearest training node [N]; `NO_DISTANCE` where none can be reached.
    """

    depths: tuple[int, ...]
    class_names: tuple[str, ...]
    labels: NDArray[np.int64]
    trained: NDArray[np.bool_]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float32]
    degree: NDArray[np.int64]
    homophily: NDArray[np.float64]
    distance: NDArray[np.int64]


def one_per_depth(base: RunConfig, configs: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Return runs that differ from `base` in depth, one a depth, ascending.

    At each depth it is the run with `base`'s seed, or else the one with the lowest.

    Args:
        base: the recipe.
        configs: runs of any kind.
    """
    own = [run for run in of_one_recipe(base, configs) if run.model.model == base.model.model]
    found: dict[int, RunConfig] = {}
    for run in sorted(own, key=lambda run: (run.training.seed != base.training.seed, run.training.seed)):
        found.setdefault(run.model.num_layers, run)
    return tuple(found[depth] for depth in sorted(found))


def node_stories(
    graph: Graph, depths: Sequence[int], probabilities: Sequence[NDArray[np.floating]]
) -> NodeStories:
    """Return the stories of all nodes.

    Args:
        graph: with labels.
        depths: numbers of layers [D], ascending.
        probabilities: what the net of each depth gives the classes [D] of [N, C]; rows sum to 1.

    Raises:
        DatasetError: no node has a label.
    """
    if graph.y is None or not graph.labelled.any():
        raise DatasetError(
            f"{graph.name} has no classes, so no prediction for it is right or wrong; "
            "choose a graph with labels"
        )
    trained = np.zeros(graph.num_nodes, dtype=bool) if graph.train_mask is None else graph.train_mask
    return NodeStories(
        depths=tuple(depths),
        class_names=graph.class_names,
        labels=graph.y,
        trained=trained,
        predicted=np.stack([values.argmax(axis=1) for values in probabilities]).astype(np.int64),
        probability=np.stack([values.max(axis=1) for values in probabilities]).astype(np.float32),
        degree=graph.degrees(),
        homophily=local_homophily(graph),
        distance=graph.k_hop(trained, graph.num_nodes),
    )


def local_homophily(graph: Graph) -> NDArray[np.float64]:
    """Return the share of each node's labelled neighbours that have its class [N]; NaN where there is none.

    Reference: Pei, Wei, Chang, Lei & Yang, ICLR 2020, section 3 (the share of a node's neighbours).
    """
    if graph.y is None:
        return np.full(graph.num_nodes, np.nan)
    source, target = graph.edge_index[:, graph.labelled[graph.edge_index].all(axis=0)]
    known = np.bincount(target, minlength=graph.num_nodes)
    same = np.bincount(target[graph.y[source] == graph.y[target]], minlength=graph.num_nodes)
    return np.divide(same, known, out=np.full(graph.num_nodes, np.nan), where=known > 0)


def wrong_at(stories: NodeStories) -> NDArray[np.bool_]:
    """Return which nodes each net predicts wrongly [D, N]; never one without a label."""
    return (stories.predicted != stories.labels) & (stories.labels != UNLABELLED)


def turning_depths(stories: NodeStories, turning: Turning) -> NDArray[np.int64]:
    """Return the depth at which each node turns wrong [N]; `RIGHT` for never, `UNKNOWN` without a label.

    Args:
        stories: of all nodes.
        turning: "ever": the smallest depth at which it is wrong; "for_good": the smallest from which on
            it is wrong at every depth.
    """
    wrong = wrong_at(stories)
    if turning == "for_good":
        wrong = np.logical_and.accumulate(wrong[::-1], axis=0)[::-1]
    first = np.array(stories.depths, dtype=np.int64)[wrong.argmax(axis=0)]
    turned = np.where(wrong.any(axis=0), first, RIGHT)
    return np.where(stories.labels == UNLABELLED, UNKNOWN, turned)


def shown_neighbours(graph: Graph, node: int, most: int = MOST_NEIGHBOURS) -> NDArray[np.int64]:
    """Return a node's neighbours, those with most neighbours of their own first, at most so many [n]."""
    neighbours = graph.edge_index[0, graph.edge_index[1] == node]
    return neighbours[np.argsort(-graph.degrees()[neighbours], kind="stable")][:most]
