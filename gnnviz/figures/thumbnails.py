"""A row of small scatters, one per depth or layer, on one shared range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gnnviz.figures.layout import axis, empty_figure, percent, styled
from gnnviz.figures.scatter import (
    Coordinates,
    NodeTable,
    Span,
    common_span,
    mark,
    node_groups,
    wrong_predictions,
)
from gnnviz.figures.theme import FONT_SIZE, THUMBNAIL_HEIGHT, Theme


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One small scatter of a row.

    Attributes:
        title: what it is, "2 layers".
        coordinates: [N, 2], or None while there is nothing to show.
        accuracy: test accuracy in 0..1, or None.
        note: what the frame says instead of points.
    """

    title: str
    coordinates: Coordinates | None = None
    accuracy: float | None = None
    note: str = "still to come"


def thumbnails(
    frames: Sequence[Thumbnail],
    nodes: NodeTable,
    theme: Theme,
    *,
    title: str,
    columns: int,
    span: Span | None = None,
) -> go.Figure:
    """Return small scatters side by side on one shared range, coloured by class.

    A figure does not know how wide it is shown. Five columns suit a page of 1,000 px or more; for a
    page that stacks on a phone, ask for one figure per frame with the `span` of them all.

    Args:
        frames: what to show, in order; a frame without coordinates is an empty one with words.
        nodes: what is known about the N nodes, the same for all frames.
        theme: light or dark.
        title: a sentence; "" for none.
        columns: frames side by side, 1 or more.
        span: axis ranges to share with other figures, or None for those of these frames.
    """
    if not frames:
        return empty_figure(theme, title=title, reason="No depth was chosen.", height=THUMBNAIL_HEIGHT)
    columns = min(columns, len(frames))
    rows = -(-len(frames) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=[_heading(frame) for frame in frames],
        horizontal_spacing=0.02, vertical_spacing=0.12 / rows,
    )  # fmt: skip
    shared = span or common_span([frame.coordinates for frame in frames if frame.coordinates is not None])
    for place, frame in enumerate(frames):
        row, column = place // columns + 1, place % columns + 1
        if frame.coordinates is None:
            _add_empty_frame(figure, theme, frame.note, place, row, column)
        else:
            _add_small_scatter(figure, theme, frame.coordinates, nodes, row, column)
        _set_small_axes(figure, theme, shared, place, row, column)
    figure.update_annotations(font={"size": FONT_SIZE, "color": theme.ink})
    figure.update_layout(showlegend=False)
    alt = f"{title} {', '.join(_heading(frame) for frame in frames)}, all on one range."
    return styled(figure, theme, title=title, alt=alt.strip(), height=rows * THUMBNAIL_HEIGHT)


def _heading(frame: Thumbnail) -> str:
    return frame.title if frame.accuracy is None else f"{frame.title} \u2013 {percent(frame.accuracy)}"


def _add_small_scatter(
    figure: go.Figure, theme: Theme, coordinates: Coordinates, nodes: NodeTable, row: int, column: int
) -> None:
    wrong = wrong_predictions(nodes, len(coordinates))
    for group in node_groups(nodes, theme, "class", len(coordinates)):
        figure.add_trace(
            go.Scatter(
                x=coordinates[group.members, 0].astype(np.float32),
                y=coordinates[group.members, 1].astype(np.float32),
                name=group.name,
                mode="markers",
                marker=mark(group.colour, wrong[group.members], theme),
                hoverinfo="skip",
            ),
            row=row,
            col=column,
        )


def _add_empty_frame(figure: go.Figure, theme: Theme, note: str, place: int, row: int, column: int) -> None:
    # Plotly leaves out the axes of a frame without a trace.
    figure.add_trace(go.Scatter(x=[None], y=[None], hoverinfo="skip"), row=row, col=column)
    frame = {"xref": f"x{_suffix(place)} domain", "yref": f"y{_suffix(place)} domain"}
    figure.add_shape(
        type="rect", x0=0, x1=1, y0=0, y1=1, line_width=0, fillcolor=theme.placeholder, layer="below", **frame
    )
    figure.add_annotation(text=note, x=0.5, y=0.5, showarrow=False, **frame)


def _suffix(place: int) -> str:
    """Return how plotly numbers the axes of a frame: x, x2, x3, ..."""
    return str(place + 1) if place else ""


def _set_small_axes(figure: go.Figure, theme: Theme, span: Span, place: int, row: int, column: int) -> None:
    """Give every frame the same range, one scale on both axes, and an outline."""
    quiet = axis(
        theme,
        "",
        showticklabels=False,
        showgrid=False,
        ticks="",
        showline=True,
        mirror=True,
        linecolor=theme.grid,
    )
    figure.update_xaxes(quiet, range=list(span[0]), row=row, col=column)
    figure.update_yaxes(
        quiet, range=list(span[1]), scaleanchor=f"x{_suffix(place)}", scaleratio=1, row=row, col=column
    )
