"""Counts over a whole graph as figures: degrees, sizes of components, classes and parts, class mixing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.figures.layout import axis, counted, empty_figure, percent, styled, wrapped
from gnnviz.figures.theme import (
    FONT_SIZE,
    MARK_SIZE,
    PART_LABELS,
    REFERENCE_WIDTH,
    Theme,
    class_colours,
    colour_scale,
    faded,
)

Counts = NDArray[np.integer]

SMALL_HEIGHT = 420
_BAR_HEIGHT = 44
_ROOM_FOR_NAMES = 24  # letters below a matrix on a phone
_NAME_CHARACTERS = 13  # of a class in a line
_STRONG_CELL = 65  # percent; the page's colour stands out better there than the ink
_DECADES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_PATTERNS = {"train": "", "val": "/", "test": ".", "none": ""}


def degree_histogram(degree_counts: Counts, mean: float, theme: Theme, *, title: str) -> go.Figure:
    """Return how many nodes have how many neighbours, both axes logarithmic.

    Args:
        degree_counts: nodes with 0, 1, ... neighbours [largest degree + 1].
        mean: neighbours of a node on average.
        theme: light or dark.
        title: a sentence; "" for none.
    """
    degrees = np.flatnonzero(degree_counts[1:]) + 1
    if not len(degrees):
        return empty_figure(theme, title=title, reason="No node has a neighbour.", height=SMALL_HEIGHT)
    numbers = np.asarray(degree_counts)[degrees]
    figure = go.Figure(
        go.Scatter(
            x=degrees, y=numbers, mode="markers", showlegend=False,
            marker={"size": MARK_SIZE + 3, "color": theme.ink, "opacity": 0.8},
            hovertemplate="%{y:,} with a degree of %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_shape(
        type="line", x0=mean, x1=mean, y0=0, y1=1, yref="y domain", layer="below",
        line={"color": theme.reference, "width": REFERENCE_WIDTH, "dash": "2px,5px"},
    )  # fmt: skip
    figure.add_annotation(
        text=f"mean {mean:.1f}", x=np.log10(mean), y=1, yref="y domain", xanchor="left", yanchor="top",
        xshift=4, showarrow=False, font={"size": FONT_SIZE - 1, "color": theme.muted},
    )  # fmt: skip
    figure.update_xaxes(_log_axis(theme, "neighbours of a node (degree), log scale", int(degrees.max())))
    figure.update_yaxes(_log_axis(theme, "number of nodes, log scale", int(numbers.max())))
    isolated = int(degree_counts[0])
    alone = f" {counted(isolated)} nodes without neighbours are not shown." if isolated else ""
    alt = f"{title} Degrees from {degrees[0]} to {degrees[-1]}, {mean:.1f} on average.{alone}"
    return styled(figure, theme, title=title, alt=alt, height=SMALL_HEIGHT)


def _log_axis(theme: Theme, title: str, largest: int) -> dict[str, object]:
    """Return a logarithmic axis from just below 1 to just above `largest`, with a tick per power of ten."""
    ticks = [decade for decade in _DECADES if decade <= 2 * largest]
    return axis(
        theme, title, type="log", tickvals=ticks, ticktext=[counted(tick) for tick in ticks],
        range=[-0.15, np.log10(largest) + 0.2],
    )  # fmt: skip


def component_bars(sizes: Counts, theme: Theme, *, title: str) -> go.Figure:
    """Return how many components have how many nodes, in ranges of sizes that double.

    Args:
        sizes: nodes of each component [K], 1 or more, in any order.
        theme: light or dark.
        title: a sentence; "" for none.
    """
    if not len(sizes):
        return empty_figure(theme, title=title, reason="There are no nodes.", height=SMALL_HEIGHT)
    steps = np.ceil(np.log2(np.asarray(sizes, dtype=np.float64))).astype(int)  # 1, 2, 3-4, 5-8, ...
    numbers = np.bincount(steps)
    filled = np.flatnonzero(numbers).tolist()
    labels = [_size_range(np.asarray(sizes)[steps == step]) for step in filled]
    values = numbers[filled]
    figure = go.Figure(
        go.Bar(
            x=labels, y=values, marker={"color": theme.muted}, text=[counted(int(value)) for value in values],
            textposition="outside", textfont={"size": FONT_SIZE, "color": theme.ink}, cliponaxis=False,
            hovertemplate="%{y:,} components of %{x} nodes<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    figure.update_xaxes(axis(theme, "nodes in the component", type="category"))
    figure.update_yaxes(axis(theme, "number of components", range=[0, 1.12 * float(values.max())]))
    words = ", ".join(
        f"{counted(int(value))} of {label}" for label, value in zip(labels, values, strict=True)
    )
    return styled(figure, theme, title=title, alt=f"{title} Components: {words} nodes.", height=SMALL_HEIGHT)


def _size_range(sizes: Counts) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    return counted(low) if low == high else f"{counted(low)}\u2013{counted(high)}"


def class_bars(
    class_parts: Counts, part_names: Sequence[str], class_names: Sequence[str], theme: Theme, *, title: str
) -> go.Figure:
    """Return the size of each class as a bar in its hue, divided into the parts of the split.

    Args:
        class_parts: nodes of each class and part [C, P].
        part_names: of the P parts: "train", "val", "test", and "none" for nodes in no part.
        class_names: the C names.
        theme: light or dark.
        title: a sentence; "" for none.

    Raises:
        ConfigError: counts that do not fit the names.
    """
    _check_shape(class_parts, (len(class_names), len(part_names)), "classes and parts")
    if not class_parts.sum():
        return empty_figure(theme, title=title, reason="The nodes have no classes.", height=SMALL_HEIGHT)
    totals = class_parts.sum(axis=1)
    colours = class_colours(totals.tolist(), theme).colours
    names = [_plain(name) for name in class_names]
    figure = go.Figure()
    for part in ("train", "val", "test", "none"):
        if part not in part_names or not class_parts[:, part_names.index(part)].any():
            continue
        numbers = class_parts[:, part_names.index(part)]
        figure.add_trace(_part_bars(part, numbers, names, colours, theme))
        figure.add_trace(_part_sign(part, theme))
    for name, total in zip(names, totals.tolist(), strict=True):
        figure.add_annotation(
            x=total, y=name, text=f"{counted(total)} \u00b7 {percent(total / totals.sum())}",
            showarrow=False, xanchor="left", xshift=6, font={"size": FONT_SIZE - 1, "color": theme.ink},
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.3, legend=_legend_above(theme))
    figure.update_xaxes(axis(theme, "number of nodes", range=[0, 1.5 * float(totals.max())], nticks=5))
    figure.update_yaxes(axis(theme, "", type="category", autorange="reversed"))
    pairs = zip(class_names, totals.tolist(), strict=True)
    alt = ", ".join(f"{name}: {counted(total)}" for name, total in pairs)
    height = max(SMALL_HEIGHT, 140 + _BAR_HEIGHT * len(names))
    return styled(figure, theme, title=title, alt=f"{title} {alt}.", height=height, top=28)


def _part_bars(
    part: str, numbers: Counts, names: Sequence[str], colours: Sequence[str], theme: Theme
) -> go.Bar:
    return go.Bar(
        x=numbers,
        y=names,
        orientation="h",
        showlegend=False,
        marker={
            "color": [_tinted(part, colour) for colour in colours],
            "line": {"width": 1, "color": theme.background},
            "pattern": _pattern(part),
        },
        hovertemplate=f"%{{y}}: %{{x:,}} {_part_label(part)}<extra></extra>",
    )


def _part_sign(part: str, theme: Theme) -> go.Bar:
    """Return an empty trace that gives the legend a part's pattern in a colour of no class."""
    marker = {"color": _tinted(part, theme.muted), "pattern": _pattern(part)}
    return go.Bar(x=[None], y=[None], name=_part_label(part), marker=marker)


def _pattern(part: str) -> dict[str, object]:
    return {"shape": _PATTERNS[part], "fillmode": "replace", "size": 7, "solidity": 0.35}


def _tinted(part: str, colour: str) -> str:
    return faded(colour, 0.3) if part == "none" else colour


def _part_label(part: str) -> str:
    return {"none": "in no part", **PART_LABELS}[part]


def _legend_above(theme: Theme) -> dict[str, object]:
    place = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    return {**place, "traceorder": "normal", "font": {"size": FONT_SIZE - 1, "color": theme.ink}}


def class_mixing(mixing: Counts, class_names: Sequence[str], theme: Theme, *, title: str) -> go.Figure:
    """Return of which classes the neighbours of each class are: a row per class, adding up to 100 %.

    Args:
        mixing: edges from nodes of each class (row) to nodes of each class (column) [C, C].
        class_names: the C names.
        theme: light or dark.
        title: a sentence; "" for none.

    Raises:
        ConfigError: counts that do not fit the names.
    """
    _check_shape(mixing, (len(class_names), len(class_names)), "classes and classes")
    if not mixing.sum():
        return empty_figure(
            theme, title=title, reason="Without classes and edges nothing mixes.", height=SMALL_HEIGHT
        )
    shares = 100 * mixing / np.maximum(mixing.sum(axis=1, keepdims=True), 1)
    names = [_plain(name) for name in class_names]
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=names, y=names, zmin=0, zmax=100, showscale=False, xgap=2, ygap=2,
            colorscale=colour_scale((theme.placeholder, theme.right, theme.ink)),
            hovertemplate="%{y}: %{z:.1f} % of the neighbours are %{x}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_trace(_printed(shares, names, theme))
    lines = [name.replace("<br>", " ") for name in names]  # turned, a name has one line
    turned = {} if sum(map(len, lines)) < _ROOM_FOR_NAMES else {"tickangle": 40}
    columns = {"tickvals": names, "ticktext": lines, "showgrid": False, **turned}
    figure.update_xaxes(axis(theme, "neighbour's class, in %", type="category", **columns))
    figure.update_yaxes(axis(theme, "a node's class", type="category", autorange="reversed", showgrid=False))
    kept = ", ".join(
        f"{name}: {row[place]:.0f} %"
        for place, (name, row) in enumerate(zip(class_names, shares, strict=True))
    )
    height = max(SMALL_HEIGHT, 200 + _BAR_HEIGHT * len(names))
    return styled(
        figure, theme, title=title, alt=f"{title} Neighbours of the own class: {kept}.", height=height
    )


def _printed(shares: NDArray[np.floating], names: Sequence[str], theme: Theme) -> go.Scatter:
    """Return the numbers of a matrix in percent [C, C]: in ink, in strong cells in the colour of the page."""
    rows, columns = np.indices(shares.shape).reshape(2, -1).tolist()
    values = shares.ravel()
    return go.Scatter(
        x=[names[column] for column in columns],
        y=[names[row] for row in rows],
        mode="text",
        text=[f"{value:.0f}" for value in values],
        textfont={
            "size": FONT_SIZE - 1,
            "color": np.where(values > _STRONG_CELL, theme.background, theme.ink).tolist(),
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _check_shape(counts: Counts, expected: tuple[int, int], what: str) -> None:
    if counts.shape != expected:
        raise ConfigError(f"got counts of shape {counts.shape} for {what}; give {expected}")


def _plain(name: str) -> str:
    """Return a name in short lines, for a phone, without what plotly would read as markup."""
    return "<br>".join(wrapped(name.replace("_", " ").replace("<", "&lt;"), _NAME_CHARACTERS))
