"""Nodes' stories as sentences, lists and a table: what goes with turning wrong early, and for which nodes.

The sentences say what was counted; a correlation over nodes is no cause, and they claim none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.figures.layout import counted, listed, percent
from gnnviz.graph import Graph
from gnnviz.graph_input import UNLABELLED
from gnnviz.node_stories import NO_DISTANCE, RIGHT, UNKNOWN, NodeStories, Turning, turning_depths, wrong_at

Cell = str | int | float | None

MOST_ROWS = 300
FEWEST_NODES = 3  # two points always lie on a line
# Cohen, 1988: a correlation is small from 0.1 on, medium from 0.3, large from 0.5.
SMALL, MEDIUM, LARGE = 0.1, 0.3, 0.5


@dataclass(frozen=True, slots=True)
class NodeFact:
    """What a node is looked at by, beside its predictions.

    Attributes:
        label: the name on screen.
        more: those of whom there is more of it, as the subject of a sentence.
        values: of all nodes [N] float64; NaN where a node has none.
        first: whether the list shows the highest values first, or the lowest.
    """

    label: str
    more: str
    values: Callable[[NodeStories], NDArray[np.float64]]
    first: str = "highest"


@dataclass(frozen=True, slots=True)
class TurningWords:
    """What a way to tell when a node turns wrong is called.

    Attributes:
        label: the name on screen.
        right: what the nodes are that do not turn wrong.
        wrong: what the others are at a depth, which follows.
    """

    label: str
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Correlation:
    """How the depth at which nodes turn wrong goes with a fact about them.

    Attributes:
        fact: a key of `FACTS`.
        nodes: how many nodes were compared.
        rho: Spearman's, in -1..1; above 0: the more of it, the later they turn wrong. None without a value.
        reason: why there is no value, a clause; "" where there is one.
    """

    fact: str
    nodes: int
    rho: float | None
    reason: str = ""


def correlations(stories: NodeStories, turning: Turning) -> tuple[Correlation, ...]:
    """Return Spearman's correlation of the depth at which nodes turn wrong with each of `FACTS`.

    Over the nodes with a label that no net was trained on; one that is right at every depth counts as
    turning wrong later than all others.

    Reference: Spearman, American Journal of Psychology 1904 (ties get their mean rank).
    """
    turned = turning_depths(stories, turning)
    when = np.where(turned == RIGHT, stories.depths[-1] + 1, turned).astype(np.float64)
    candidates = (turned != UNKNOWN) & ~stories.trained
    return tuple(_correlation(name, fact.values(stories), when, candidates) for name, fact in FACTS.items())


def _correlation(
    name: str, values: NDArray[np.float64], when: NDArray[np.float64], candidates: NDArray[np.bool_]
) -> Correlation:
    from scipy import stats  # half a second to import, which the app does not need: workers correlate

    compared = candidates & np.isfinite(values)
    number = int(compared.sum())
    if number < FEWEST_NODES:
        return Correlation(
            name, number, None, f"only {number} node{'' if number == 1 else 's'} can be compared"
        )
    if np.ptp(when[compared]) == 0:
        return Correlation(name, number, None, "all nodes turn wrong at the same depth, or none does")
    if np.ptp(values[compared]) == 0:
        return Correlation(name, number, None, "it is the same for all nodes")
    ranks = stats.rankdata([values[compared], when[compared]], axis=1)  # [2, nodes], ties at their mean
    return Correlation(name, number, float(np.corrcoef(ranks)[0, 1]))


def correlation_in_words(found: Correlation) -> str:
    """Return the sentence about one correlation."""
    fact = FACTS[found.fact]
    if found.rho is None:
        return f"{fact.label}: no correlation, for {found.reason}."
    size = abs(found.rho)
    numbers = f"(Spearman's \u03c1 = {found.rho:+.2f}, {counted(found.nodes)} nodes)".replace("-", "\u2212")
    if size < SMALL:
        return f"{fact.label} has hardly anything to do with when nodes turn wrong {numbers}."
    tend = "tend slightly to" if size < MEDIUM else "tend to" if size < LARGE else "strongly tend to"
    return f"{fact.more} {tend} turn wrong {'later' if found.rho > 0 else 'earlier'} {numbers}."


def stories_finding(stories: NodeStories, turning: Turning) -> str:
    """Return how many of the nodes that no net trained on stay right, and where most others turn wrong."""
    turned = turning_depths(stories, turning)[~stories.trained]
    turned = turned[turned != UNKNOWN]
    if not len(turned):
        return "No labelled node is left that was not trained on, whose story could be told"
    rest = turned[turned != RIGHT]
    words = TURNINGS[turning]
    nodes = f"of {counted(len(turned))} nodes that no net was trained on"
    stay = f"{percent(float((turned == RIGHT).mean()))} {nodes} are {words.right}"
    if not len(rest):
        return stay
    depths, counts = np.unique(rest, return_counts=True)
    most = int(counts.argmax())
    where = f"{depths[most]} layer{'' if depths[most] == 1 else 's'}"
    share = percent(counts[most] / len(turned))
    return f"{stay}; the largest group of the others, {share}, is {words.wrong} {where}"


def node_in_words(stories: NodeStories, node: int, name: str) -> str:
    """Return one node's story as a sentence."""
    if stories.labels[node] == UNLABELLED:
        return f"{name} has no label: its predictions are neither right nor wrong"
    wrong = [
        depth for depth, is_wrong in zip(stories.depths, wrong_at(stories)[:, node], strict=True) if is_wrong
    ]
    own = stories.class_names[stories.labels[node]].replace("_", " ")
    trained = " (a training node)" if stories.trained[node] else ""
    if not wrong:
        return f"{name}{trained} is taken for {own}, which it is, at every depth"
    if len(wrong) == len(stories.depths):
        return f"{name}{trained} is of the class {own}, but no depth sees that"
    layers = "layer" if wrong == [1] else "layers"
    belongs = f"{name}{trained} is of the class {own}"
    return f"{belongs}, and is taken for something else at {listed(wrong)} {layers}"


def sorted_nodes(
    stories: NodeStories, turned: NDArray[np.int64], by: str, label: int | None = None, most: int = MOST_ROWS
) -> NDArray[np.int64]:
    """Return the nodes of a list in its order [n]; nodes without what they are sorted by come last.

    Args:
        stories: of all nodes.
        turned: from `turning_depths`.
        by: "turned": early ones first; or a key of `FACTS`, in the order that it names.
        label: only nodes of this class; None for all.
        most: nodes in the list.
    """
    nodes = np.arange(len(turned)) if label is None else np.flatnonzero(stories.labels == label)
    if by == "turned":
        keys = np.where(turned > 0, turned, np.where(turned == RIGHT, np.inf, np.nan)).astype(np.float64)
    else:
        keys = FACTS[by].values(stories) * (-1 if FACTS[by].first == "highest" else 1)
    return nodes[np.argsort(keys[nodes], kind="stable")][:most]


def story_columns(stories: NodeStories, graph: Graph, nodes: NDArray[np.integer]) -> dict[str, list[Cell]]:
    """Return the table of some nodes, column by column; None where a node has no such value."""
    ever, for_good = turning_depths(stories, "ever")[nodes], turning_depths(stories, "for_good")[nodes]
    return {
        "node": nodes.tolist(),
        "name": [graph.node_name(int(node)) for node in nodes],
        "class": [
            None if label == UNLABELLED else stories.class_names[label] for label in stories.labels[nodes]
        ],
        "neighbours": stories.degree[nodes].tolist(),
        "local_homophily": [
            float(share) if np.isfinite(share) else None for share in stories.homophily[nodes]
        ],
        "training_distance": [None if hops == NO_DISTANCE else int(hops) for hops in stories.distance[nodes]],
        "first_wrong_depth": [int(depth) if depth > 0 else None for depth in ever],
        "wrong_for_good_depth": [int(depth) if depth > 0 else None for depth in for_good],
    }


def stories_csv(stories: NodeStories, graph: Graph) -> str:
    """Return all nodes as CSV: the table, then class and probability that each depth predicts.

    What a node has no value for is left empty.
    """
    columns = story_columns(stories, graph, np.arange(graph.num_nodes))
    for place, depth in enumerate(stories.depths):
        columns[f"predicted_{depth}"] = [stories.class_names[label] for label in stories.predicted[place]]
        columns[f"probability_{depth}"] = [round(float(share), 6) for share in stories.probability[place]]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return written.getvalue()


def list_in_words(shown: int, total: int, what: str) -> str:
    """Return how much of a list is shown: "24 of 168 neighbours", or "6 neighbours"."""
    return f"{counted(total)} {what}" if shown == total else f"{counted(shown)} of {counted(total)} {what}"


def _distance(stories: NodeStories) -> NDArray[np.float64]:
    return np.where(stories.distance == NO_DISTANCE, np.nan, stories.distance)


FACTS: dict[str, NodeFact] = {
    "degree": NodeFact(
        label="The number of neighbours",
        more="Nodes with more neighbours",
        values=lambda stories: stories.degree.astype(np.float64),
    ),
    "homophily": NodeFact(
        label="The share of neighbours of the same class",
        more="Nodes whose neighbours are more often of their own class",
        values=lambda stories: stories.homophily,
        first="lowest",
    ),
    "distance": NodeFact(
        label="The distance to the nearest training node",
        more="Nodes further from the training nodes",
        values=_distance,
    ),
}

TURNINGS: dict[Turning, TurningWords] = {
    "ever": TurningWords("for the first time", "right at every depth", "first wrong at"),
    "for_good": TurningWords("for good", "right with the deepest net", "wrong for good from"),
}
