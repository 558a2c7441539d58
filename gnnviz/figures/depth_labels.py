"""The words in the figure of accuracy against depth: values at marks, names at lines, what is to come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from gnnviz.figures.depth_points import DepthPoint
from gnnviz.figures.layout import Chance, Side, add_all, percent, spread
from gnnviz.figures.theme import FONT_SIZE, Theme, faded, model_style
from gnnviz.models import MODELS

# Half the distance between two depths that double, as a factor.
HALF_STEP = math.sqrt(2)
# In percent of accuracy: the distance of two labels at the ends of lines.
_LABEL_GAP = 6.0
# A label of one line fits below a mark above this accuracy; one of two lines goes below above that.
_ROOM_BELOW = 0.08
_ROOM_ABOVE = 0.85
# A label beside a chance line, with the value of a mark that is near, takes this much of the axis.
_CLEAR = 0.2
# A mark that is nearer than this to a chance line is on it.
_ON_THE_LINE = 0.03
# A label of two lines fits between two chance lines that are this far apart.
_ROOM_BETWEEN = 0.15


def clear_place(points: Sequence[DepthPoint], depths: Sequence[int], chance: Chance) -> tuple[Side, bool]:
    """Return where marks leave room for the label of the largest class.

    Returns:
        An end of the chance lines, the left one if it is free, and whether the label goes below its line:
        only where there is no room above at either end, and enough of it above the other line.
    """
    line = chance.majority
    above, below = (line - _ON_THE_LINE, line + _CLEAR), (line - _CLEAR, line + _ON_THE_LINE)
    places = [(above, False), (below, True)] if line - chance.uniform >= _ROOM_BETWEEN else [(above, False)]
    ends: tuple[tuple[Side, int], ...] = (("left", depths[0]), ("right", depths[-1]))
    for (low, high), is_below in places:
        for side, depth in ends:
            if not any(low < share < high for share in _marks_at(points, depth)):
                return side, is_below
    return "left", False


def _marks_at(points: Sequence[DepthPoint], depth: int) -> list[float]:
    """Return the accuracies that are drawn at a depth, those so far included."""
    drawn = [value for point in points if point.depth == depth for value in (*point.accuracies, point.live)]
    return [share for share in drawn if share is not None]


def add_pending(figure: go.Figure, theme: Theme, points: Sequence[DepthPoint], depths: Sequence[int]) -> None:
    """Shade the column of each depth of which nothing is known, and say so in it."""
    known = {point.depth for point in points if point.accuracies or point.live is not None}
    pending = sorted(set(depths) - known)
    columns = [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": depth / HALF_STEP, "x1": depth * HALF_STEP,
            "y0": 0, "y1": 1, "line": {"width": 0}, "fillcolor": theme.placeholder, "layer": "below",
        }
        for depth in pending
    ]  # fmt: skip
    words = [
        {
            "text": "still to come", "x": math.log10(depth), "xref": "x", "y": 60, "yref": "y",
            "textangle": -90, "showarrow": False, "font": {"size": FONT_SIZE - 1, "color": theme.muted},
        }
        for depth in pending
    ]  # fmt: skip
    add_all(figure, shapes=columns, annotations=words)


def label_values(figure: go.Figure, theme: Theme, curve: Sequence[DepthPoint]) -> None:
    """Write each accuracy at its mark, on the side that the line leaves free."""
    done = [point for point in curve if point.accuracies]
    for place, point in enumerate(done):
        beside = [done[near].accuracy for near in (place - 1, place + 1) if 0 <= near < len(done)]
        below = point.accuracy < float(np.mean(beside or [0.0])) and point.accuracy > _ROOM_BELOW
        _write_value(figure, theme, point.depth, point.accuracy, percent(point.accuracy), below=below)
    for point in curve:
        if point.live is not None and not point.accuracies:
            text = f"{percent(point.live)}<br>so far"
            _write_value(figure, theme, point.depth, point.live, text, below=point.live > _ROOM_ABOVE)


def _write_value(
    figure: go.Figure, theme: Theme, depth: int, share: float, text: str, *, below: bool
) -> None:
    figure.add_annotation(
        text=text, xref="x", yref="y", x=math.log10(depth), y=100 * share, showarrow=False,
        yanchor="top" if below else "bottom", yshift=-8 if below else 8,
        font={"size": FONT_SIZE, "color": theme.ink}, bgcolor=faded(theme.background, 0.75), borderpad=0,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineEnd:
    """Where a line ends, and the name to be written there; `share` is its accuracy in 0..1."""

    text: str
    depth: int
    share: float
    colour: str


def model_ends(curves: Mapping[str, list[DepthPoint]], theme: Theme) -> list[LineEnd]:
    """Return the end of each model's line, where a depth of it is finished."""
    last = {
        model: [point for point in curve if point.accuracies][-1]
        for model, curve in curves.items()
        if any(point.accuracies for point in curve)
    }
    return [
        LineEnd(MODELS[model].label, point.depth, point.accuracy, model_style(model, theme).colour)
        for model, point in last.items()
    ]


def label_ends(figure: go.Figure, ends: Sequence[LineEnd]) -> None:
    """Write the name of each line at its end; a second line of a name is small."""
    if not ends:
        return
    gap = min(_LABEL_GAP * max(1 + end.text.count("<br>") for end in ends), 95.0 / len(ends))
    places = spread([100 * end.share for end in ends], gap, 2.0, 98.0)
    names = [
        {
            "text": end.text, "xref": "x", "yref": "y", "x": math.log10(end.depth), "y": place,
            "xanchor": "left", "align": "left", "xshift": 12, "showarrow": False,
            "font": {"size": FONT_SIZE, "color": end.colour},
        }
        for end, place in zip(ends, places, strict=True)
    ]  # fmt: skip
    add_all(figure, annotations=names)
