"""Published accuracies behind the measured ones in the figure against depth: faint, hollow, explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go

from gnnviz.figures.depth_labels import HALF_STEP, LineEnd
from gnnviz.figures.layout import percent, wrapped
from gnnviz.figures.panels import on_row
from gnnviz.figures.theme import CURVE_MARK_SIZE, Theme
from gnnviz.published import Published

_SYMBOLS = ("circle-open", "square-open", "diamond-open", "triangle-up-open", "star-open", "cross-open")
_LINE_WIDTH = 1.0
_HOVER_CHARACTERS = 60


def within(published: Sequence[Published], depths: Sequence[int]) -> list[Published]:
    """Return the rows with the depths that an axis of `depths`, ascending, has room for."""
    low, high = depths[0] / HALF_STEP, depths[-1] * HALF_STEP
    cut = [
        replace(row, accuracies=tuple(pair for pair in row.accuracies if low <= pair[0] <= high))
        for row in published
    ]
    return [row for row in cut if row.accuracies]


def add_published(figure: go.Figure, theme: Theme, rows: Sequence[Published]) -> None:
    """Draw each row as hollow marks on a thin line; its source and its tuning are said on hover."""
    for place, row in enumerate(rows):
        told = "<br>".join(wrapped(f"{row.source}; {row.note}.", _HOVER_CHARACTERS))
        figure.add_trace(
            go.Scatter(
                x=[depth for depth, _ in row.accuracies],
                y=[100 * accuracy for _, accuracy in row.accuracies],
                name=f"{row.kind}: {row.label}",
                mode="lines+markers",
                cliponaxis=False,
                line={"color": theme.reference, "width": _LINE_WIDTH, "dash": "dot"},
                marker={
                    "size": CURVE_MARK_SIZE - 2,
                    "symbol": _SYMBOLS[place % len(_SYMBOLS)],
                    "color": theme.reference,
                },
                text=[percent(accuracy) for _, accuracy in row.accuracies],
                hovertemplate=f"{row.kind}: {row.label}, %{{x}} layers: %{{text}}<br>{told}<extra></extra>",
                **on_row(1),
            )
        )


def published_ends(rows: Sequence[Published], theme: Theme) -> list[LineEnd]:
    """Return the name of each row at its last mark."""
    return [
        LineEnd(f"{row.label}<br>({row.kind})", row.accuracies[-1][0], row.accuracies[-1][1], theme.muted)
        for row in rows
    ]
