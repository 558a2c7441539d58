"""Attention at one node in all heads at once: the matrix of its inputs against the heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.attention import NodeAttention, Values
from gnnviz.figures.attention_findings import heads_finding
from gnnviz.figures.attention_inputs import (
    class_groups,
    cut_note,
    full_ink,
    in_words,
    ink_stops,
    input_names,
    make_room,
    shortened,
    strongest,
)
from gnnviz.figures.layout import NARROW_SPACE, TITLE_LINE_HEIGHT, axis, percent, styled, wrapped
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.theme import FONT_SIZE, Theme, colour_scale

MATRIX_ROWS = 24
# Values are printed in up to this many columns; "12.3" fits a phone's cell with four, "12" with eight.
PRINTED_HEADS = 8
_WIDE_COLUMNS = 4
# From this place on the map, text in the colour of the page is easier to read than ink; in both modes.
_DARK_CELL = 0.65

_ROW_HEIGHT = 27
AXIS_HEIGHT = 50
BAR_HEIGHT = 90
# Two labels on the colour bar closer than this share of its length would overlap on a phone.
_LABEL_GAP = 0.35


def head_matrix(attention: NodeAttention, nodes: NodeTable, theme: Theme, *, title: str = "") -> go.Figure:
    """Return the coefficients of a node's inputs (rows, strongest mean first) in every head (columns).

    The colour bar ends at the largest coefficient and marks the uniform value; few heads have their
    values printed, in percent. Of many inputs, those with the largest coefficient in any head are
    drawn, and the others are counted. Node ids are in customdata[0].

    Args:
        attention: of the node.
        nodes: labels and names of all N nodes of the graph.
        theme: light or dark.
        title: a sentence; "" for the one computed from the coefficients.
    """
    names = input_names(attention, nodes)
    places = strongest(attention, MATRIX_ROWS)
    mean = attention.of_head(None)
    shares = attention.coefficients[places]  # [rows, heads]
    figure = go.Figure(_heatmap(attention, names, places, theme))
    print_cells(figure, theme, 100 * shares, ink=shares / full_ink(attention), first_row=0)
    rows = _row_names(attention, nodes, theme, names, places)
    figure.update_xaxes(head_axis(theme, attention.num_heads))
    figure.update_yaxes(axis(theme, "", range=[len(rows) - 0.5, -0.5], showgrid=False, showline=False))
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=rows)
    title = title or heads_finding(attention, names)
    height = 30 + TITLE_LINE_HEIGHT * len(wrapped(title)) + BAR_HEIGHT + _ROW_HEIGHT * len(rows)
    styled(figure, theme, title=title, alt=f"{title} {in_words(names, mean, places)}", height=height)
    make_room(figure, theme, cut_note(mean, places), above_axis=AXIS_HEIGHT)
    return figure


def print_cells(figure: go.Figure, theme: Theme, values: Values, *, ink: Values, first_row: int) -> None:
    """Print percentages in the cells of a heat-map, in place, unless it has too many columns.

    Few columns have one decimal; more have whole numbers from 10 on, so that a phone's cells hold them.

    Args:
        figure: with the heat-map; its columns are counted from 1.
        theme: light or dark.
        values: in percent [rows, columns]; NaN prints nothing.
        ink: how dark the cells are, in 0..1 [rows, columns].
        first_row: the y of the first row.
    """
    if values.shape[1] > PRINTED_HEADS:
        return
    rows, columns = np.nonzero(~np.isnan(values))
    figure.add_trace(
        go.Scatter(
            x=columns + 1,
            y=rows + first_row,
            mode="text",
            text=[_cell_text(value, values.shape[1]) for value in values[rows, columns]],
            textfont={
                "size": FONT_SIZE - 1,
                "color": np.where(ink[rows, columns] > _DARK_CELL, theme.background, theme.ink).tolist(),
            },
            hoverinfo="skip",
            showlegend=False,
        )
    )


def head_axis(theme: Theme, heads: int) -> dict[str, Any]:
    """Return the axis above a heat-map whose columns are heads, counted from 1."""
    step = -(-heads // PRINTED_HEADS)
    return axis(
        theme,
        "head",
        side="top",
        range=[0.5, heads + 0.5],
        showgrid=False,
        showline=False,
        tick0=1,
        dtick=step,
    )


def _cell_text(value: float, columns: int) -> str:
    return f"{value:.1f}" if columns <= _WIDE_COLUMNS or value < 9.95 else f"{value:.0f}"


def _heatmap(
    attention: NodeAttention, names: Sequence[str], places: NDArray[np.intp], theme: Theme
) -> go.Heatmap:
    cells = [
        [[int(attention.sources[place]), names[place]]] * attention.num_heads for place in places
    ]  # [rows, heads, 2]
    return go.Heatmap(
        x=np.arange(1, attention.num_heads + 1),
        y=np.arange(len(places)),
        z=100 * attention.coefficients[places],  # [rows, heads]
        zmin=0,
        zmax=100 * full_ink(attention),
        colorscale=colour_scale(ink_stops(theme)),
        xgap=2,
        ygap=2,
        customdata=cells,
        hovertemplate="<b>%{customdata[1]}</b><br>head %{x}: %{z:.1f}" + NARROW_SPACE + "%<extra></extra>",
        colorbar=colour_bar(theme, "attention coefficient", _bar_labels(attention)),
    )


def colour_bar(theme: Theme, title: str, ticks: Mapping[float, str]) -> dict[str, Any]:
    """Return plotly's colour bar, lying below the heat-map.

    Args:
        theme: light or dark.
        title: what the colours are.
        ticks: values and their labels.
    """
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "len": 0.95,
        "thickness": 14,
        "outlinewidth": 0,
        "title": {"text": title, "side": "top", "font": {"size": FONT_SIZE}},
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "ticks": "outside",
        "ticklen": 8,
        "tickwidth": 3,
        "tickcolor": theme.ink,
        "tickfont": {"size": FONT_SIZE - 1, "color": theme.muted},
    }


def _bar_labels(attention: NodeAttention) -> dict[float, str]:
    """Return the marks on the colour bar in percent: the uniform value, and the ends if there is room."""
    full, uniform = full_ink(attention), attention.uniform
    ends = {100 * end: percent(end) for end in (0.0, full) if abs(end - uniform) > _LABEL_GAP * full}
    # A single input: the mark is at the very end, where a phone has no room for more than the number.
    mark = percent(uniform) if uniform == full else f"uniform {percent(uniform)}"
    return {100 * uniform: mark, **ends}


def _row_names(
    attention: NodeAttention,
    nodes: NodeTable,
    theme: Theme,
    names: Sequence[str],
    places: NDArray[np.intp],
) -> list[str]:
    """Return each row's name with a dot in the colour of its class, the node itself as "itself"."""
    colours = [""] * len(places)
    for group in class_groups(attention, nodes, theme, places):
        for row in group.members:
            colours[row] = group.colour
    texts = [
        "<b>itself</b>" if attention.sources[place] == attention.node else shortened(names[int(place)])
        for place in places
    ]
    return [
        f"{text} <span style='color:{colour}'>\u25cf</span>"
        for text, colour in zip(texts, colours, strict=True)
    ]
