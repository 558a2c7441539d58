"""A whole graph as a `GraphScene`: nodes at their places, edges, and what colours say about nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnnviz.figures.layout import counted
from gnnviz.figures.nodes import Group, NodeTable, hover_lines
from gnnviz.figures.scene import NO_EDGES, GraphScene, LegendEntry, Panel, graph_scene
from gnnviz.figures.theme import PART_LABELS, Theme, depth_colours, faded
from gnnviz.graph_layout import NodePlaces

NodeColour: TypeAlias = Literal["class", "part", "degree", "right_wrong"]

HEIGHT = 620
_FEW_NODES = 80  # so few have room for their names and for strong edges
_SIZE_POWER, _SMALLEST, _LARGEST = 0.4, 0.8, 3.0
_DEGREE_STEPS = (0, 1, 2, 4, 8, 16, 32)  # upper ends of the ranges of degrees that share a colour
_PART_ORDER = ("none", "test", "val", "train")  # the rarest is painted last, on top


@dataclass(frozen=True, slots=True, eq=False)
class GraphNodes:
    """What is known about all N nodes of a graph, drawn or not.

    Attributes:
        table: class, prediction and name.
        degrees: number of neighbours [N].
        parts: places in `part_names` [N].
        part_names: what the numbers of parts mean: "none", "train", "val", "test" in any order.
    """

    table: NodeTable
    degrees: NDArray[np.integer]
    parts: NDArray[np.integer]
    part_names: tuple[str, ...]


def whole_graph(
    places: NodePlaces | None,
    edges: NDArray[np.int32] | None,
    nodes: GraphNodes,
    theme: Theme,
    *,
    alt: str,
    colour_by: NodeColour = "class",
    primary: int | None = None,
    neighbours: NDArray[np.integer] | None = None,
    note: str = "",
) -> GraphScene:
    """Return the picture of a graph; larger dots have more neighbours.

    Args:
        places: which nodes are drawn where, or None while that is not known.
        edges: pairs of drawn nodes [M, 2], as places in `places.nodes`; None for none.
        nodes: what is known about all nodes.
        theme: light or dark.
        alt: a sentence for those who do not see the picture.
        colour_by: class, part of the split, degree, or whether the prediction is right.
        primary: the node that is looked at, or None; it and its neighbours stay bright.
        neighbours: its neighbours.
        note: what an empty picture says.

    Raises:
        ConfigError: `colour_by` asks for predictions that are not there.
    """
    drawn = places.nodes if places else np.zeros(0, dtype=np.int64)
    known = _only(nodes, drawn)
    count = len(drawn)
    shown = known.table if colour_by == "right_wrong" else replace(known.table, predictions=None)
    scene = graph_scene(
        (Panel("", places.positions if places else None, note),),
        shown,
        theme,
        alt=alt,
        count=count,
        colour_by="right_wrong" if colour_by == "right_wrong" else "class",
        edges=NO_EDGES if edges is None else edges,
        height=HEIGHT,
    )
    few = count <= _FEW_NODES
    return replace(
        _recoloured(scene, known, theme, colour_by),
        ids=drawn.astype(np.int32),
        hover=tuple(_hover(known, count)),
        edge=theme.right if few else faded(theme.reference, 0.35),
        sizes=_sizes(known.degrees),
        names=tuple(lines[0] for lines in hover_lines(known.table, count)),
        **_focus(drawn, primary, neighbours),
    )


def _only(nodes: GraphNodes, drawn: NDArray[np.integer]) -> GraphNodes:
    """Return what is known about the drawn nodes [D], with their own numbers as names if they have none."""
    table = nodes.table
    names = tuple(table.names[node] if table.names else str(node) for node in drawn)
    return GraphNodes(
        table=NodeTable(
            labels=None if table.labels is None else table.labels[drawn],
            class_names=table.class_names,
            predictions=None if table.predictions is None else table.predictions[drawn],
            probabilities=None if table.probabilities is None else table.probabilities[drawn],
            names=names,
        ),
        degrees=nodes.degrees[drawn],
        parts=nodes.parts[drawn],
        part_names=nodes.part_names,
    )


def _recoloured(scene: GraphScene, nodes: GraphNodes, theme: Theme, colour_by: NodeColour) -> GraphScene:
    """Return the scene with the colours of the split or of degrees, where these were asked for."""
    if colour_by not in ("part", "degree"):
        return scene
    groups = _part_groups(nodes, theme) if colour_by == "part" else degree_groups(nodes.degrees, theme)
    index = np.zeros(len(nodes.degrees), dtype=np.uint8)
    for number, group in enumerate(groups):
        index[group.members] = number
    hollow = tuple(colour_by == "part" and group.name == PART_LABELS["val"] for group in groups)
    return replace(
        scene,
        palette=tuple(group.colour for group in groups),
        colour_index=index,
        hollow=hollow,
        legend=tuple(
            LegendEntry(f"{group.name} ({counted(len(group.members))})", group.colour, hollow=ring)
            for group, ring in zip(groups, hollow, strict=True)
        ),
    )


def _part_groups(nodes: GraphNodes, theme: Theme) -> list[Group]:
    """Return the parts of the split in greys and ink: class hues mean classes only."""
    labels = {"none": "in no part", **PART_LABELS}
    colours = {"none": theme.right, "test": theme.reference, "val": theme.ink, "train": theme.ink}
    found = [
        Group(labels[part], colours[part], np.flatnonzero(nodes.parts == nodes.part_names.index(part)))
        for part in _PART_ORDER
    ]
    return [group for group in found if len(group.members)]


def degree_groups(degrees: NDArray[np.integer], theme: Theme) -> list[Group]:
    """Return the nodes in ranges of degrees that double: 0, 1, 2, 3-4, 5-8, ..., more than 32."""
    step = np.searchsorted(_DEGREE_STEPS, degrees)
    found = [(number, np.flatnonzero(step == number)) for number in range(len(_DEGREE_STEPS) + 1)]
    filled = [(number, members) for number, members in found if len(members)]
    colours = depth_colours(len(filled), theme)
    return [
        Group(_degree_range(number), colour, members)
        for (number, members), colour in zip(filled, colours, strict=True)
    ]


def _degree_range(number: int) -> str:
    if number == len(_DEGREE_STEPS):
        return f"more than {_DEGREE_STEPS[-1]} neighbours"
    high = _DEGREE_STEPS[number]
    low = _DEGREE_STEPS[number - 1] + 1 if number else high
    return f"{high} neighbour{'' if high == 1 else 's'}" if low == high else f"{low}\u2013{high}"


def _hover(nodes: GraphNodes, count: int) -> list[str]:
    labels = {"none": "in no part of the split", **PART_LABELS}
    texts = []
    for lines, part, degree in zip(
        hover_lines(nodes.table, count), nodes.parts.tolist(), nodes.degrees.tolist(), strict=True
    ):
        neighbours = f"{counted(degree)} neighbour{'' if degree == 1 else 's'}"
        texts.append("\n".join([*lines, f"{labels[nodes.part_names[part]]} \u00b7 {neighbours}"]))
    return texts


def _sizes(degrees: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return the sizes of the dots [D]: larger for hubs, but far less than in proportion."""
    usual = float(degrees.mean()) + 1 if len(degrees) else 1.0
    return np.clip(((degrees + 1) / usual) ** _SIZE_POWER, _SMALLEST, _LARGEST).astype(np.float32)


def _focus(
    drawn: NDArray[np.integer], primary: int | None, neighbours: NDArray[np.integer] | None
) -> dict[str, int | NDArray[np.int32] | None]:
    """Return the fields of the scene that put one node and its neighbours in the light."""
    if primary is None or primary not in drawn:
        return {"primary": None, "selected": None}
    bright = np.append(neighbours if neighbours is not None else [], primary)
    selected = np.flatnonzero(np.isin(drawn, bright)).astype(np.int32)
    return {"primary": int(np.searchsorted(drawn, primary)), "selected": selected}
