"""The inputs of one node, as its figures show them: which are drawn, their names, classes and ink.

Attention is ink: the wider and darker, the larger the coefficient. Class hues stay with nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.attention import NodeAttention, Values
from gnnviz.figures.layout import counted, percent, wrapped
from gnnviz.figures.nodes import Group, NodeTable, node_groups
from gnnviz.figures.theme import FONT_SIZE, Theme

NOTE_CHARACTERS = 50
NOTE_LINE_HEIGHT = 19
# A label of so many characters fits beside the star at a phone's width.
NAME_CHARACTERS = 9


def full_ink(attention: NodeAttention) -> float:
    """Return the coefficient in 0..1 that has the full width and darkness, the same for all heads.

    At least twice the uniform value, so that even attention is drawn in the middle of the scale.
    """
    return min(1.0, max(float(attention.coefficients.max()), 2 * attention.uniform))


def ink_stops(theme: Theme) -> tuple[str, str, str]:
    """Return the sequential map of attention: none, half, full."""
    return theme.placeholder, theme.right, theme.ink


def strongest(attention: NodeAttention, limit: int) -> NDArray[np.intp]:
    """Return places of at most `limit` inputs, largest in any head, itself among them, in mean order."""
    strength = attention.coefficients.max(axis=1)
    strength[attention.sources == attention.node] = np.inf
    return np.sort(np.argsort(-strength, kind="stable")[:limit])


def class_groups(
    attention: NodeAttention, nodes: NodeTable, theme: Theme, places: NDArray[np.intp]
) -> list[Group]:
    """Return the classes that occur among the inputs at `places` [n], members being rows of `places`."""
    sources = attention.sources[places]
    count = int(sources.max()) + 1 if nodes.labels is None else len(nodes.labels)
    found = [
        Group(group.name, group.colour, np.flatnonzero(np.isin(sources, group.members)))
        for group in node_groups(nodes, theme, "class", count)
    ]
    return [group for group in found if len(group.members)]


def input_names(attention: NodeAttention, nodes: NodeTable) -> list[str]:
    """Return what a node's inputs are called [k]."""
    return [nodes.names[node] if nodes.names else f"node {node}" for node in attention.sources]


def shortened(name: str, characters: int = NAME_CHARACTERS) -> str:
    """Return a name of at most `characters`, the cut shown by an ellipsis."""
    return name if len(name) <= characters else f"{name[: characters - 1].rstrip()}\u2026"


def cut_note(share: Values, places: NDArray[np.intp]) -> str:
    """Return how many inputs are not drawn, and what they have together [k]; "" if all are."""
    hidden = len(share) - len(places)
    if not hidden:
        return ""
    rest = percent(max(0.0, 1.0 - float(share[places].sum())))
    return (
        f"The {counted(len(places))} strongest of {counted(len(share))} inputs are drawn; the other "
        f"{counted(hidden)} have {rest} together."
    )


def make_room(figure: go.Figure, theme: Theme, note: str, *, above_axis: int = 0) -> None:
    """Put a note between title and plot of a styled figure, in place, with room for it.

    Args:
        figure: already styled.
        theme: light or dark.
        note: "" for none.
        above_axis: height in px of an axis at the top of the plot, for which room is made, too.
    """
    lines = wrapped(note, NOTE_CHARACTERS) if note else []
    room = above_axis + (NOTE_LINE_HEIGHT * len(lines) + 8 if lines else 0)
    layout = figure.to_dict()["layout"]
    figure.update_layout(
        height=layout["height"] + room,
        margin_t=layout["margin"]["t"] + room,
        title_subtitle={
            "text": "<br>".join(lines),
            "font": {"size": FONT_SIZE - 1, "color": theme.muted, "weight": 400},
        },
    )


def in_words(names: Sequence[str], share: Values, places: NDArray[np.intp]) -> str:
    """Return the three strongest of the inputs in words, for a figure's alt text."""
    top = places[np.argsort(-share[places], kind="stable")][:3]
    return (
        "Strongest inputs: "
        + ", ".join(f"{names[place]} {percent(float(share[place]))}" for place in top)
        + "."
    )
