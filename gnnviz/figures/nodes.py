"""What is known about nodes, for every picture of them: groups by colour, words under the pointer, span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.figures.layout import percent
from gnnviz.figures.theme import Theme, class_colours
from gnnviz.graph_input import UNLABELLED

ColourBy = Literal["class", "prediction", "right_wrong"]
NO_LABEL = "no label"
Span = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class NodeTable:
    """What is known about nodes, one entry per node.

    Attributes:
        labels: true class [N] in 0..C-1, or `UNLABELLED` for a node without one; or None.
        class_names: the C names.
        predictions: predicted class [N], or None before any training.
        probabilities: probability of the predicted class [N] in 0..1, or None.
        names: what nodes are called on screen [N], or () for their number.
    """

    labels: NDArray[np.integer] | None
    class_names: tuple[str, ...] = ()
    predictions: NDArray[np.integer] | None = None
    probabilities: NDArray[np.floating] | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The nodes that share one colour: their legend name, the colour, and which nodes [n]."""

    name: str
    colour: str
    members: NDArray[np.intp]


def common_span(coordinates: Sequence[NDArray[np.floating]]) -> Span:
    """Return axis ranges that hold all the projections, with a margin of 4 %.

    Args:
        coordinates: arrays [N, 2]; where all points coincide the range is 1 to either side of them.
    """
    parts = [np.asarray(part, dtype=np.float64).reshape(-1, 2) for part in coordinates]
    points = np.concatenate(parts or [[]])
    if not points.size:
        return (-1.0, 1.0), (-1.0, 1.0)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.04 * float((high - low).max()) or 1.0
    (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
    return (left, right), (bottom, top)


def node_groups(nodes: NodeTable, theme: Theme, colour_by: ColourBy, count: int) -> list[Group]:
    """Return the nodes of each colour with their legend names; groups without nodes are left out.

    Raises:
        ConfigError: `colour_by` asks for what `nodes` does not hold.
    """
    everyone = np.arange(count)
    if colour_by == "class" and nodes.labels is None:
        return [Group("nodes", theme.other_class, everyone)]
    if colour_by != "class" and (
        nodes.predictions is None or (colour_by == "right_wrong" and nodes.labels is None)
    ):
        raise ConfigError(
            f"cannot colour by {colour_by!r} without predictions; choose 'class' or train first"
        )
    if colour_by == "right_wrong":
        wrong, unknown = wrong_predictions(nodes, count), _unlabelled(nodes, count)
        found = [
            Group("right", theme.right, np.flatnonzero(~wrong & ~unknown)),
            Group("wrong", theme.wrong, np.flatnonzero(wrong)),
            Group(NO_LABEL, theme.reference, np.flatnonzero(unknown)),
        ]
        return [group for group in found if len(group.members)]
    return _class_groups(nodes, theme, colour_by)


def _class_groups(nodes: NodeTable, theme: Theme, colour_by: ColourBy) -> list[Group]:
    """Return a group per class, the true classes' sizes deciding the colours in either case."""
    shown = np.asarray(nodes.labels if colour_by == "class" else nodes.predictions)
    sizes = np.asarray(nodes.labels if nodes.labels is not None else nodes.predictions)
    counts = np.bincount(sizes[sizes != UNLABELLED], minlength=len(nodes.class_names))
    colours = class_colours(counts.tolist(), theme)
    groups = [
        Group(
            nodes.class_names[index].replace("_", " "), colours.colours[index], np.flatnonzero(shown == index)
        )
        for index in colours.own
    ]
    if colours.others:
        name = f"{len(colours.others)} smaller classes"
        groups.append(Group(name, theme.other_class, np.flatnonzero(np.isin(shown, colours.others))))
    groups.append(Group(NO_LABEL, theme.right, np.flatnonzero(shown == UNLABELLED)))
    return [group for group in groups if len(group.members)]


def wrong_predictions(nodes: NodeTable, count: int) -> NDArray[np.bool_]:
    """Return which nodes [N] have a prediction other than their label; not those where either is unknown."""
    if nodes.labels is None or nodes.predictions is None:
        return np.zeros(count, dtype=bool)
    return (np.asarray(nodes.labels) != np.asarray(nodes.predictions)) & ~_unlabelled(nodes, count)


def _unlabelled(nodes: NodeTable, count: int) -> NDArray[np.bool_]:
    """Return which nodes [N] have no label although others do."""
    if nodes.labels is None:
        return np.zeros(count, dtype=bool)
    return np.asarray(nodes.labels) == UNLABELLED


def class_line(nodes: NodeTable, node: int) -> list[str]:
    """Return the line that says a node's class, or that it has none; no line where there are no labels."""
    if nodes.labels is None:
        return []
    label = int(nodes.labels[node])
    return [NO_LABEL if label == UNLABELLED else f"class: {nodes.class_names[label]}"]


def hover_lines(nodes: NodeTable, count: int) -> list[list[str]]:
    """Return what is said of each node under the pointer, lines of plain text: name, class, prediction."""
    return [_hover_lines(nodes, node) for node in range(count)]


def _hover_lines(nodes: NodeTable, node: int) -> list[str]:
    lines = [nodes.names[node] if nodes.names else f"node {node}"]
    lines += class_line(nodes, node)
    if nodes.predictions is not None:
        sure = "" if nodes.probabilities is None else f" ({percent(float(nodes.probabilities[node]))})"
        lines.append(f"predicted: {nodes.class_names[nodes.predictions[node]]}{sure}")
    return lines
