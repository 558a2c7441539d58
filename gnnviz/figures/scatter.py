"""Nodes as points in a plane: one projection, coloured by class or by what the model says."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.figures.layout import axis, counted, empty_figure, percent, styled
from gnnviz.figures.theme import (
    FONT_SIZE,
    MAIN_HEIGHT,
    MARK_SIZE,
    RIGHT_SYMBOL,
    UNSELECTED_OPACITY,
    WRONG_SYMBOL,
    Theme,
    class_colours,
    faded,
)

ColourBy = Literal["class", "prediction", "right_wrong"]
Coordinates = NDArray[np.floating]
Span = tuple[tuple[float, float], tuple[float, float]]

# Above this many points WebGL draws faster than SVG (20,000: 1.5 s instead of 4.4 s); below it SVG
# is as fast, prints sharply, and does not use up one of the few WebGL contexts a browser grants.
WEBGL_FROM = 5_000
_MARK_OPACITY = 0.85


@dataclass(frozen=True, slots=True)
class NodeTable:
    """What is known about the nodes of a scatter, one entry per node.

    Attributes:
        labels: true class [N] in 0..C-1, or None.
        class_names: the C names.
        predictions: predicted class [N], or None before any training.
        probabilities: probability of the predicted class [N] in 0..1, or None.
        names: what nodes are called on screen [N], or () for their number.
        ids: node numbers in the graph [N], or None for 0..N-1.
    """

    labels: NDArray[np.integer] | None
    class_names: tuple[str, ...] = ()
    predictions: NDArray[np.integer] | None = None
    probabilities: NDArray[np.floating] | None = None
    names: tuple[str, ...] = ()
    ids: NDArray[np.integer] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The nodes that share one trace: its legend name, its colour, and which nodes [n]."""

    name: str
    colour: str
    members: NDArray[np.intp]


def common_span(coordinates: Sequence[Coordinates]) -> Span:
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


def projection_scatter(
    coordinates: Coordinates,
    nodes: NodeTable,
    theme: Theme,
    *,
    title: str,
    axis_titles: tuple[str, str],
    colour_by: ColourBy = "class",
    selected: Sequence[int] | None = None,
    primary: int | None = None,
    span: Span | None = None,
    height: int = MAIN_HEIGHT,
    reason: str = "There is no projection yet. It appears when the run is trained.",
) -> go.Figure:
    """Return nodes as points: one trace per class, wrong predictions as crosses, ids in customdata.

    Args:
        coordinates: [N, 2]; may be empty.
        nodes: what is known about the N nodes.
        theme: light or dark.
        title: a sentence.
        axis_titles: names of the two axes, units included.
        colour_by: true class, predicted class, or whether the prediction is right.
        selected: node ids; the others stay in place, grey at 15 %. None: no selection.
        primary: id of the node that carries a ring and its name, or None.
        span: axis ranges to share with other figures, or None for this one's own.
        height: height in px.
        reason: what the empty figure says.

    Raises:
        ConfigError: `colour_by` asks for what `nodes` does not hold.
    """
    if not len(coordinates):
        return empty_figure(theme, title=title, reason=reason, height=height)
    ids = _ids(nodes, len(coordinates))
    wrong = wrong_predictions(nodes, len(coordinates))
    figure = go.Figure()
    draw = go.Scattergl if len(coordinates) > WEBGL_FROM else go.Scatter
    chosen = None if selected is None else np.isin(ids, np.asarray(list(selected), dtype=np.int64))
    hover = hover_texts(nodes, len(coordinates))
    for group in node_groups(nodes, theme, colour_by, len(coordinates)):
        # Right ones first: the legend shows a trace's first mark.
        members = group.members[np.argsort(wrong[group.members], kind="stable")]
        figure.add_trace(
            draw(
                x=coordinates[members, 0].astype(np.float32),
                y=coordinates[members, 1].astype(np.float32),
                name=f"{group.name} {_count(members, chosen)}",
                mode="markers",
                customdata=ids[members].astype(np.int32),
                text=[hover[member] for member in members],
                hovertemplate="%{text}<extra></extra>",
                marker=mark(group.colour, wrong[members], theme),
                selectedpoints=None if chosen is None else np.flatnonzero(chosen[members]),
                selected={"marker": {"opacity": 1.0}},
                unselected={"marker": {"color": theme.unselected, "opacity": UNSELECTED_OPACITY}},
            )
        )
    if wrong.any() and colour_by != "right_wrong":
        _add_wrong_to_legend(figure, theme, int(wrong.sum()))
    if primary is not None:
        _ring(figure, theme, coordinates, nodes, ids, primary)
    _set_plane(figure, theme, axis_titles, span or common_span([coordinates]))
    figure.update_layout(legend=_legend(theme), selectionrevision=_revision(selected))
    alt = f"{title} {_scatter_in_words(len(coordinates), nodes, wrong, chosen)}"
    return styled(figure, theme, title=title, alt=alt, height=height)


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
        wrong = wrong_predictions(nodes, count)
        found = [
            Group("right", theme.right, np.flatnonzero(~wrong)),
            Group("wrong", theme.wrong, np.flatnonzero(wrong)),
        ]
        return [group for group in found if len(group.members)]
    return _class_groups(nodes, theme, colour_by)


def _class_groups(nodes: NodeTable, theme: Theme, colour_by: ColourBy) -> list[Group]:
    """Return a group per class, the true classes' sizes deciding the colours in either case."""
    shown = np.asarray(nodes.labels if colour_by == "class" else nodes.predictions)
    sizes = np.asarray(nodes.labels if nodes.labels is not None else nodes.predictions)
    colours = class_colours(np.bincount(sizes, minlength=len(nodes.class_names)).tolist(), theme)
    groups = [
        Group(
            nodes.class_names[index].replace("_", " "), colours.colours[index], np.flatnonzero(shown == index)
        )
        for index in colours.own
    ]
    if colours.others:
        name = f"{len(colours.others)} smaller classes"
        groups.append(Group(name, theme.other_class, np.flatnonzero(np.isin(shown, colours.others))))
    return [group for group in groups if len(group.members)]


def wrong_predictions(nodes: NodeTable, count: int) -> NDArray[np.bool_]:
    """Return which nodes [N] have a prediction other than their label; none where either is unknown."""
    if nodes.labels is None or nodes.predictions is None:
        return np.zeros(count, dtype=bool)
    return np.asarray(nodes.labels) != np.asarray(nodes.predictions)


def mark(colour: str, wrong: NDArray[np.bool_], theme: Theme) -> dict[str, Any]:
    """Return plotly's marker: circles for right predictions, crosses for wrong ones [n]."""
    symbols = np.where(wrong, WRONG_SYMBOL, RIGHT_SYMBOL).tolist()
    return {
        "color": colour,
        "size": MARK_SIZE,
        "symbol": symbols if wrong.any() else RIGHT_SYMBOL,
        "opacity": _MARK_OPACITY,
        "line": {"width": 0.5, "color": theme.background},
    }


def _ids(nodes: NodeTable, count: int) -> NDArray[np.int64]:
    return np.arange(count) if nodes.ids is None else np.asarray(nodes.ids, dtype=np.int64)


def hover_texts(nodes: NodeTable, count: int) -> list[str]:
    """Return what is said of each node under the pointer, in plotly's markup."""
    return ["<br>".join([f"<b>{name}</b>", *rest]) for name, *rest in hover_lines(nodes, count)]


def hover_lines(nodes: NodeTable, count: int) -> list[list[str]]:
    """Return the same as lines of plain text: name, class, prediction."""
    return [_hover_lines(nodes, place, int(node)) for place, node in enumerate(_ids(nodes, count))]


def _hover_lines(nodes: NodeTable, place: int, node: int) -> list[str]:
    lines = [_node_name(nodes, place, node)]
    if nodes.labels is not None:
        lines.append(f"class: {nodes.class_names[nodes.labels[place]]}")
    if nodes.predictions is not None:
        sure = "" if nodes.probabilities is None else f" ({percent(float(nodes.probabilities[place]))})"
        lines.append(f"predicted: {nodes.class_names[nodes.predictions[place]]}{sure}")
    return lines


def _node_name(nodes: NodeTable, place: int, node: int) -> str:
    return nodes.names[place] if nodes.names else f"node {node}"


def _count(members: NDArray[np.intp], chosen: NDArray[np.bool_] | None) -> str:
    total = counted(len(members))
    return total if chosen is None else f"{counted(int(chosen[members].sum()))} of {total}"


def _add_wrong_to_legend(figure: go.Figure, theme: Theme, number: int) -> None:
    marker = {"symbol": WRONG_SYMBOL, "size": MARK_SIZE, "color": theme.ink}
    name = f"wrong prediction {counted(number)}"
    figure.add_trace(
        go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, hoverinfo="skip")
    )


def _ring(
    figure: go.Figure,
    theme: Theme,
    coordinates: Coordinates,
    nodes: NodeTable,
    ids: NDArray[np.int64],
    primary: int,
) -> None:
    """Put a ring and a name at the primary node, if it is among the points."""
    outline = {"width": 3, "color": theme.ink}
    marker = {"symbol": "circle-open", "size": 3 * MARK_SIZE, "color": theme.ink, "line": outline}
    for place in np.flatnonzero(ids == primary):
        x, y = (float(value) for value in coordinates[place])
        figure.add_trace(
            go.Scatter(x=[x], y=[y], mode="markers", showlegend=False, hoverinfo="skip", marker=marker)
        )
        figure.add_annotation(
            x=x, y=y, text=_node_name(nodes, int(place), primary), showarrow=False, yshift=24,
            font={"size": FONT_SIZE, "color": theme.ink}, bgcolor=faded(theme.background, 0.8),
        )  # fmt: skip


def _set_plane(figure: go.Figure, theme: Theme, titles: tuple[str, str], span: Span) -> None:
    """Give both axes the same scale; the values of a projection mean nothing, so no ticks."""
    quiet = {"showticklabels": False, "showgrid": False, "zeroline": False}
    figure.update_xaxes(axis(theme, titles[0], range=list(span[0]), **quiet))
    figure.update_yaxes(axis(theme, titles[1], range=list(span[1]), scaleanchor="x", scaleratio=1, **quiet))


def _legend(theme: Theme) -> dict[str, Any]:
    """Return a legend below the picture, where it has room at any width."""
    below = {"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom"}
    return {**below, "itemsizing": "constant", "font": {"size": FONT_SIZE - 1, "color": theme.ink}}


def _revision(selected: Sequence[int] | None) -> str:
    """Return a text that changes with the selection, so that a new one replaces the browser's own."""
    if selected is None:
        return "none"
    return f"{zlib.crc32(np.asarray(sorted(selected), dtype=np.int64).tobytes()):08x}"


def _scatter_in_words(
    count: int, nodes: NodeTable, wrong: NDArray[np.bool_], chosen: NDArray[np.bool_] | None
) -> str:
    words = f"{counted(count)} nodes"
    if nodes.labels is not None:
        words += f" of {len(np.unique(nodes.labels))} classes"
    if nodes.labels is not None and nodes.predictions is not None:
        words += f", {counted(int(wrong.sum()))} predicted wrongly"
    return f"{words}, {counted(int(chosen.sum()))} selected." if chosen is not None else f"{words}."
