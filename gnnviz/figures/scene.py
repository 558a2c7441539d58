"""Whole graphs and large point clouds as a `GraphScene`, which the browser draws on a canvas.

Plotly draws thousands of marks too slowly for a picture that moves; a scene holds plain arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.figures.layout import counted
from gnnviz.figures.nodes import (
    ColourBy,
    NodeTable,
    Span,
    common_span,
    hover_lines,
    node_groups,
    wrong_predictions,
)
from gnnviz.figures.theme import Theme

NO_EDGES = np.zeros((0, 2), dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Panel:
    """One frame of a scene.

    Attributes:
        title: above the frame; "" for none.
        positions: of the N nodes [N, 2] float32 in data units, or None while there is nothing to show.
        note: what an empty frame says.
    """

    title: str
    positions: NDArray[np.float32] | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A line of the legend: what a colour or a shape means."""

    label: str
    colour: str
    cross: bool = False
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class GraphScene:
    """What the canvas draws: nodes in one or more frames that share colours, edges and axes.

    Attributes:
        panels: the frames, in reading order.
        span: ((left, right), (bottom, top)) of every frame, in data units.
        palette: the colours that `colour_index` [N] uint8 points into.
        crosses: nodes drawn as a cross [N] bool.
        edges: [M, 2] int32, pairs of nodes to join; may be empty.
        hover: what is said of each node, lines of plain text.
        ids: the node ids that a click reports [N] int32.
        legend: what colours and shapes mean.
        selected: places of the nodes that are not dimmed [S] int32, or None for no selection.
        primary: place of the node with a ring, or None.
        columns: frames side by side where the page is wide enough.
        height: of a frame in px.
        axes: names of the two axes, "" for none.
        ink, muted, background, edge, frame: colours from the theme.
        alt: what the picture says, for those who do not see it.
        hollow: colours of the palette that are drawn as rings, one truth value each; () for none.
        sizes: of the marks [N] float32, 1 being the usual one; None for all alike.
        names: what is written beside nodes as soon as few enough are in view; () for nothing.
    """

    panels: tuple[Panel, ...]
    span: Span
    palette: tuple[str, ...]
    colour_index: NDArray[np.uint8]
    crosses: NDArray[np.bool_]
    edges: NDArray[np.int32]
    hover: tuple[str, ...]
    ids: NDArray[np.int32]
    legend: tuple[LegendEntry, ...]
    selected: NDArray[np.int32] | None
    primary: int | None
    columns: int
    height: int
    axes: tuple[str, ...]
    ink: str
    muted: str
    background: str
    edge: str
    frame: str
    alt: str
    hollow: tuple[bool, ...] = ()
    sizes: NDArray[np.float32] | None = None
    names: tuple[str, ...] = ()


def graph_scene(
    panels: tuple[Panel, ...],
    nodes: NodeTable,
    theme: Theme,
    *,
    alt: str,
    count: int,
    colour_by: ColourBy = "class",
    edges: NDArray[np.int32] = NO_EDGES,
    axes: tuple[str, ...] = ("", ""),
    selected: NDArray[np.int32] | None = None,
    primary: int | None = None,
    span: Span | None = None,
    columns: int = 1,
    height: int = 460,
) -> GraphScene:
    """Return the scene of `count` nodes in one or more frames on one shared range.

    Args:
        panels: the frames.
        nodes: what is known about the nodes, the same for all frames.
        theme: light or dark.
        alt: a sentence for those who do not see the picture.
        count: N.
        colour_by: true class, predicted class, or whether the prediction is right.
        edges: pairs of nodes to join [M, 2].
        axes: names of the two axes.
        selected: places of the nodes to keep bright, the others being dimmed; None for no selection.
        primary: place of the node to ring.
        span: axis ranges of all frames, or None for those that hold every node.
        columns: frames side by side where there is room.
        height: of a frame in px.

    Raises:
        ConfigError: `colour_by` asks for what `nodes` does not hold.
    """
    groups = node_groups(nodes, theme, colour_by, count)
    colour_index = np.zeros(count, dtype=np.uint8)
    for number, group in enumerate(groups):
        colour_index[group.members] = number
    crosses = wrong_predictions(nodes, count)
    legend = [
        LegendEntry(
            f"{group.name} ({counted(len(group.members))})",
            group.colour,
            cross=colour_by == "right_wrong" and bool(crosses[group.members].all()),
        )
        for group in groups
    ]
    if crosses.any() and colour_by != "right_wrong":
        legend.append(
            LegendEntry(f"predicted wrongly ({counted(int(crosses.sum()))})", theme.muted, cross=True)
        )
    return GraphScene(
        panels=panels,
        span=span or common_span([panel.positions for panel in panels if panel.positions is not None]),
        palette=tuple(group.colour for group in groups),
        colour_index=colour_index,
        crosses=crosses,
        edges=edges,
        hover=tuple("\n".join(lines) for lines in hover_lines(nodes, count)),
        ids=np.arange(count, dtype=np.int32),
        legend=tuple(legend),
        selected=selected,
        primary=primary,
        columns=columns,
        height=height,
        axes=axes,
        ink=theme.ink,
        muted=theme.muted,
        background=theme.background,
        edge=theme.grid,
        frame=theme.grid,
        alt=alt,
    )
