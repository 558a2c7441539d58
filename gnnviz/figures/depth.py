"""Accuracy, and optionally a measure of smoothness, against the number of layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gnnviz.figures.depth_labels import (
    HALF_STEP,
    LineEnd,
    add_pending,
    clear_place,
    label_ends,
    label_values,
    model_ends,
)
from gnnviz.figures.depth_points import DepthPoint, runs_in_words
from gnnviz.figures.depth_published import add_published, published_ends, within
from gnnviz.figures.layout import (
    NARROW_SPACE,
    Chance,
    add_chance_lines,
    axis,
    empty_figure,
    percent,
    significant,
    styled,
)
from gnnviz.figures.measure_scale import MeasureScale, mark_floor, measure_scale
from gnnviz.figures.panels import on_row, stacked
from gnnviz.figures.theme import (
    BAND_OPACITY,
    CURVE_MARK_SIZE,
    LINE_WIDTH,
    MAIN_HEIGHT,
    PANELS_HEIGHT,
    ModelStyle,
    Theme,
    faded,
    model_style,
)
from gnnviz.models import MODELS
from gnnviz.published import Published

_LEAST_MARGIN, _MOST_MARGIN = 16, 158
_LETTER_WIDTH = 7.6  # at the figures' size of text
_PERCENT_FORMAT = "%{y:.1f}" + NARROW_SPACE + "%"


@dataclass(frozen=True, slots=True)
class MeasureAxis:
    """The second panel: the measure's name with its direction, and whether its axis is logarithmic."""

    label: str
    log: bool = False


def accuracy_against_depth(
    points: Sequence[DepthPoint],
    theme: Theme,
    *,
    title: str,
    expected_depths: Sequence[int],
    chance: Chance,
    measure: MeasureAxis | None = None,
    published: Sequence[Published] = (),
) -> go.Figure:
    """Return test accuracy against depth, chance lines included, with room for what is to come.

    Finished depths are filled marks joined by lines, and a line never passes over a depth that is
    still to come; a running depth is a hollow mark; a pending one is a faint column that says so.
    Several runs per depth are their mean and a band from the lowest to the highest. A measure of exactly 0
    stands on a marked floor below a logarithmic axis.

    Args:
        points: one per model and depth; may be empty.
        theme: light or dark.
        title: a sentence.
        expected_depths: all the depths that were asked for; the axis shows them from the start.
        chance: the accuracies without learning, on the test nodes.
        measure: what the second panel shows from `smoothness`, or None for one panel.
        published: rows to be drawn faintly behind, where the axis has their depths.
    """
    height = PANELS_HEIGHT if measure else MAIN_HEIGHT
    depths = sorted({*expected_depths, *(point.depth for point in points)})
    if not depths:
        reason = "No depth was chosen. Choose the numbers of layers to compare."
        return empty_figure(theme, title=title, reason=reason, height=height)
    curves = _curves(points)
    scale = (
        measure_scale([value for point in points for value in point.smoothness], log=measure.log)
        if measure
        else None
    )
    figure = stacked(
        _depth_axis(theme, depths, points),
        [_accuracy_axis(theme), *([scale.settings(theme, measure.label)] if measure and scale else [])],
        shares=(0.62, 0.38) if measure else (1.0,),
        gap=0.06,
    )
    rows = within(published, depths)
    add_pending(figure, theme, points, depths)
    add_published(figure, theme, rows)
    side, is_below = clear_place(points, depths, chance)
    add_chance_lines(figure, theme, chance, side=side, is_below=is_below)
    for model, curve in curves.items():
        _add_curve(figure, theme, curve, depths, model_style(model, theme))
        _add_live(figure, theme, curve, model_style(model, theme))
        if scale:
            _add_curve(figure, theme, curve, depths, model_style(model, theme), scale)
    if len(curves) == 1:
        label_values(figure, theme, next(iter(curves.values())))
    ends = [*(model_ends(curves, theme) if len(curves) > 1 else []), *published_ends(rows, theme)]
    label_ends(figure, ends)
    if scale:
        mark_floor(figure, theme, scale, named=False, y_reference="y2")
    figure.layout.showlegend = False
    alt = f"{title} {_in_words(points, chance)}"
    return styled(figure, theme, title=title, alt=alt, height=height, right=_room_for(ends))


def _room_for(ends: Sequence[LineEnd]) -> int:
    """Return the width in px that the longest name at the end of a line takes, the gap before it included."""
    letters = max((len(line) for end in ends for line in end.text.split("<br>")), default=0)
    return min(_LEAST_MARGIN + round(_LETTER_WIDTH * letters), _MOST_MARGIN)


def _curves(points: Sequence[DepthPoint]) -> dict[str, list[DepthPoint]]:
    ordered = sorted(points, key=lambda point: (list(MODELS).index(point.model), point.depth))
    return {model: list(curve) for model, curve in groupby(ordered, key=lambda point: point.model)}


def _add_curve(
    figure: go.Figure,
    theme: Theme,
    curve: Sequence[DepthPoint],
    depths: Sequence[int],
    style: ModelStyle,
    scale: MeasureScale | None = None,
) -> None:
    """Add the mean line of one model, broken where a depth is missing, and its band.

    It shows the measure where its `scale` is given, else the accuracy.
    """
    row = 2 if scale else 1
    runs = {point.depth: _shown(point, scale) for point in curve}
    means = {depth: float(np.mean(runs[depth])) for depth in depths if runs.get(depth)}
    known = [depth for depth in depths if runs.get(depth)]
    if max((len(runs[depth]) for depth in known), default=0) > 1:
        for stretch in _stretches(known, depths):
            drawn = [[_placed(value, scale) for value in runs[depth]] for depth in stretch]
            figure.add_trace(_band(drawn, stretch, style, row))
    figure.add_trace(
        go.Scatter(
            x=list(depths),
            y=[_placed(means[depth], scale) if depth in means else None for depth in depths],
            name=MODELS[curve[0].model].label,
            mode="lines+markers",
            connectgaps=False,
            cliponaxis=False,
            line={"color": style.colour, "width": LINE_WIDTH, "dash": style.dash},
            marker={
                "size": CURVE_MARK_SIZE,
                "symbol": style.symbol,
                "color": style.colour,
                "line": {"color": theme.background, "width": 1},
            },
            customdata=[len(runs.get(depth, ())) for depth in depths],
            text=[_written(means[depth], scale) if depth in means else "" for depth in depths],
            hovertemplate="%{x} layers: %{text}<br>%{customdata} finished",
            **on_row(row),
        )
    )


def _shown(point: DepthPoint, scale: MeasureScale | None) -> tuple[float, ...]:
    return point.smoothness if scale else point.accuracies


def _placed(value: float, scale: MeasureScale | None) -> float:
    return scale.place(value) if scale else 100 * value


def _written(value: float, scale: MeasureScale | None) -> str:
    return (significant(value) if value else "exactly 0") if scale else percent(value)


def _stretches(known: Sequence[int], depths: Sequence[int]) -> list[list[int]]:
    """Return `known` cut wherever a depth of `depths` between them is missing."""
    marked = [(depth in known, depth) for depth in depths]
    return [[depth for _, depth in group] for there, group in groupby(marked, lambda pair: pair[0]) if there]


def _band(runs: Sequence[Sequence[float]], depths: Sequence[int], style: ModelStyle, row: int) -> go.Scatter:
    lowest = [min(values) for values in runs]
    highest = [max(values) for values in runs]
    return go.Scatter(
        x=[*depths, *reversed(depths)],
        y=[*lowest, *reversed(highest)],
        fill="toself",
        mode="lines",
        line={"width": 0, "color": style.colour},
        fillcolor=faded(style.colour, BAND_OPACITY),
        hoverinfo="skip",
        **on_row(row),
    )


def _add_live(figure: go.Figure, theme: Theme, curve: Sequence[DepthPoint], style: ModelStyle) -> None:
    live = [(point.depth, 100 * point.live) for point in curve if point.live is not None]
    if not live:
        return
    figure.add_trace(
        go.Scatter(
            x=[depth for depth, _ in live],
            y=[value for _, value in live],
            name=f"{MODELS[curve[0].model].label}, still training",
            mode="markers",
            cliponaxis=False,
            marker={
                "size": CURVE_MARK_SIZE + 2,
                "symbol": style.symbol,
                "color": theme.background,
                "line": {"color": style.colour, "width": LINE_WIDTH},
            },
            hovertemplate="%{x} layers, still training: " + _PERCENT_FORMAT,
            **on_row(1),
        )
    )


def _depth_axis(theme: Theme, depths: Sequence[int], points: Sequence[DepthPoint]) -> dict[str, Any]:
    return axis(
        theme,
        f"number of layers (log scale){_note(points)}",
        type="log",
        range=[math.log10(depths[0] / HALF_STEP), math.log10(depths[-1] * HALF_STEP)],
        tickvals=list(depths),
        ticktext=list(map(str, depths)),
        showgrid=False,
    )


def _accuracy_axis(theme: Theme) -> dict[str, Any]:
    return axis(theme, "test accuracy", range=[0, 100], ticksuffix=f"{NARROW_SPACE}%", dtick=25)


def _note(points: Sequence[DepthPoint]) -> str:
    """Return how many runs a mark stands for, as a second line below the axis."""
    done = [point for point in points if point.accuracies]
    if not done:
        return ""
    several = max(len(point.accuracies) for point in done) > 1
    spelled = (
        f"means of {runs_in_words(done)};<br>band: lowest to highest run" if several else runs_in_words(done)
    )
    return f"<br>{spelled}"


def _in_words(points: Sequence[DepthPoint], chance: Chance) -> str:
    values = [
        f"{MODELS[point.model].label} with {point.depth} layers {percent(point.accuracy)}"
        + (f", measure {significant(float(np.mean(point.smoothness)))}" if point.smoothness else "")
        for point in sorted(points, key=lambda point: (point.model, point.depth))
        if point.accuracies
    ]
    shown = "; ".join(values) or "no depth is finished yet"
    guesses = (
        f"always the largest class {percent(chance.majority)}, uniform guessing {percent(chance.uniform)}"
    )
    return f"Test accuracy: {shown}. For comparison: {guesses}."
