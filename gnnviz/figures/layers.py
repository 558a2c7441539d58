"""Measures through the layers of a run: a line for each moment of its training, and what to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from gnnviz.figures.comparison_lines import (
    Comparison,
    EndLabel,
    Mark,
    add_comparison,
    add_mark,
    comparison_ends,
    explain,
    label_ends,
)
from gnnviz.figures.layout import axis, empty_figure, significant, styled
from gnnviz.figures.measure_scale import MeasureScale, mark_floor, measure_scale
from gnnviz.figures.panels import stacked
from gnnviz.figures.reference_lines import Curve, Reference, add_reference
from gnnviz.figures.theme import (
    CURVE_MARK_SIZE,
    FONT_SIZE,
    LINE_WIDTH,
    MAIN_HEIGHT,
    MARK_SIZE,
    SMALL_HEIGHT,
    Theme,
    model_style,
)
from gnnviz.profiles import LayerProfile, Measurement, Moment, stage_label

NO_VALUES = "Nothing is measured yet. The lines appear with the run's first checkpoint."
UNDEFINED = "This measure has no value in any layer of this run."
# Distance of two labels at the ends of lines, as a share of the axis.
_LABEL_GAP = 0.075
_SMALL_LABEL_GAP = 0.13
_LABEL_MARGIN = 128
_SMALL_LABEL_MARGIN = 82
_CROWDED = 16  # layers from which the marks are small
_DOT_SIZE = 4
_LAYER_TICKS = 8
_MARK_ROOM = 18  # px above the axes for the names of marked depths
# On a linear axis the features may be this many times the largest of the layers; beyond, they are told.
_FITTING = 2.0


@dataclass(frozen=True, slots=True)
class _Look:
    """How one moment's line is drawn; `filled` marks tell the trained network from the untrained.

    The marks of the last epoch are larger by `extra`: it is often the best one's neighbour, and must be
    seen behind it.
    """

    colour: str
    symbol: str
    filled: bool
    extra: int = 0


def layer_curves(
    profiles: Sequence[LayerProfile],
    theme: Theme,
    *,
    label: str,
    log: bool,
    model: str,
    features: Measurement | None = None,
    references: Sequence[Reference] = (),
    comparisons: Sequence[Comparison] = (),
    marks: Sequence[Mark] = (),
    small: bool = False,
    reason: str = NO_VALUES,
) -> go.Figure:
    """Return a measure against the layer, one line for each moment, named at its end.

    A value of exactly 0 stands on a marked floor below a logarithmic axis; where a measure has no value
    the line is broken. What would squeeze the measured lines of a linear axis is left out and told.

    Args:
        profiles: the layers at each moment, each with as many; may be empty.
        theme: light or dark.
        label: the measure's name.
        log: whether its axis is logarithmic.
        model: a key of `MODELS`; decides the hue.
        features: the measure of the features, layer 0, where it is known and belongs here.
        references: values to compare with, horizontal lines.
        comparisons: lines to compare with, behind the measured ones.
        marks: depths that mean something; those beyond the axis are not drawn.
        small: a panel beside others, instead of the page's main picture.
        reason: what the figure says when nothing is measured.
    """
    title, height = (label, SMALL_HEIGHT) if small else ("", MAIN_HEIGHT)
    known = [layer.value for profile in profiles for layer in profile.layers if layer.value is not None]
    begun = known or [value for line in comparisons for value in line.values]
    if not begun:
        return empty_figure(theme, title=label, reason=UNDEFINED if profiles else reason, height=height)
    largest = None if log else _FITTING * max(begun)
    before = features.value if features is not None else None
    start = before if before is not None and (largest is None or before <= largest) else None
    own_depth = (
        len(profiles[0].layers)
        if profiles
        else max(layer for line in comparisons for layer, _ in line.points)
    )
    depth = max(
        [own_depth, *(layer for line in comparisons if line.kind == "run" for layer, _ in line.points)]
    )
    behind = [line.within(0 if start is not None else 1, depth, largest) for line in comparisons]
    drawn = [*known, *([] if start is None else [start]), *(line.value for line in references)]
    scale = measure_scale([*drawn, *(value for line in behind for value in line.values)], log=log)
    heights = scale.settings(theme, "" if small else label)
    if small and log:
        heights["title"] = {"text": "log scale", "font": {"size": FONT_SIZE - 1, "color": theme.ink}}
    figure = stacked(
        _layer_axis(theme, depth, own_depth, has_features=start is not None, small=small), [heights]
    )
    for line in behind:
        add_comparison(figure, theme, line, scale, model)
    for profile in sorted(profiles, key=lambda profile: _ORDER.index(profile.moment.stage)):
        look = _look(profile.moment, model, theme)
        _add_line(figure, theme, profile, scale, look, start, small=small)
    ends = [*_ends(profiles, scale, model, theme, small=small), *comparison_ends(behind, scale, model, theme)]
    gap = _SMALL_LABEL_GAP if small else _LABEL_GAP
    label_ends(figure, theme, ends, scale, gap=gap, font_size=FONT_SIZE - small)
    curves = [
        *(_curve(profile, scale, start) for profile in profiles),
        *(line.curve(scale) for line in behind),
    ]
    _add_straight_lines(figure, theme, scale, references, marks, curves, depth, named=not small)
    mark_floor(figure, theme, scale, named=not small)
    _tell_beyond(figure, theme, before if start is None else None, comparisons, largest)
    figure.layout.showlegend = False
    return styled(
        figure,
        theme,
        title=title,
        alt=_in_words(label, profiles, behind, depth),
        height=height,
        right=_SMALL_LABEL_MARGIN if small else _LABEL_MARGIN,
        top=_MARK_ROOM if any(mark.layer <= depth for mark in marks) else 0,
    )


def _add_straight_lines(
    figure: go.Figure,
    theme: Theme,
    scale: MeasureScale,
    references: Sequence[Reference],
    marks: Sequence[Mark],
    curves: Sequence[Curve],
    depth: int,
    *,
    named: bool,
) -> None:
    """Add horizontal and vertical lines, which explain themselves on hover."""
    for reference in references:
        add_reference(figure, theme, reference, scale, curves, named=named)
        if reference.explanation:
            layers = range(1, depth + 1)
            heights = [scale.place(reference.value)] * depth
            explain(figure, layers, heights, reference.label, reference.explanation)
    for mark in marks:
        if mark.layer <= depth:
            add_mark(figure, theme, mark, scale)


def _look(moment: Moment, model: str, theme: Theme) -> _Look:
    if moment.stage == "start":
        return _Look(theme.muted, "circle", filled=False)
    if moment.stage == "best":
        return _Look(model_style(model, theme).colour, "circle", filled=True)
    return _Look(theme.ink, "diamond", filled=True, extra=4)


def _add_line(
    figure: go.Figure,
    theme: Theme,
    profile: LayerProfile,
    scale: MeasureScale,
    look: _Look,
    start: float | None,
    *,
    small: bool,
) -> None:
    """Add one moment's line and marks; exact zeros are triangles that point down."""
    values = [layer.value for layer in profile.layers]
    places = list(range(1, len(values) + 1))
    if start is not None:
        values, places = [start, *values], [0, *places]
    zeros = [scale.floor is not None and value == 0 for value in values]
    name = stage_label(profile.moment)
    figure.add_trace(
        go.Scatter(
            x=places,
            y=[None if value is None else scale.place(value) for value in values],
            name=name,
            mode="lines+markers",
            connectgaps=False,
            cliponaxis=False,
            line={"color": look.colour, "width": LINE_WIDTH},
            marker={
                "size": _mark_size(look, len(values), small=small),
                "symbol": ["triangle-down" if zero else look.symbol for zero in zeros],
                "color": look.colour if look.filled else theme.background,
                "line": {
                    "color": theme.background if look.filled else look.colour,
                    "width": 1 if small else 1.5,
                },
            },
            text=[
                "exactly 0" if zero else significant(value or 0.0)
                for value, zero in zip(values, zeros, strict=True)
            ],
            hovertemplate="layer %{x}: %{text}<extra>" + name + "</extra>",
        )
    )


def _mark_size(look: _Look, count: int, *, small: bool) -> int:
    if count > _CROWDED:
        return _DOT_SIZE if small else MARK_SIZE + look.extra
    return look.extra + (MARK_SIZE if small else CURVE_MARK_SIZE - 1)


def _curve(profile: LayerProfile, scale: MeasureScale, start: float | None) -> Curve:
    """Return where a line runs, in plotly's axis coordinates, for labels to keep away from it."""
    known = [(place, layer.value) for place, layer in enumerate(profile.layers, 1) if layer.value is not None]
    points = known if start is None else [(0, start), *known]
    return tuple((float(place), scale.position(value)) for place, value in points)


def _ends(
    profiles: Sequence[LayerProfile], scale: MeasureScale, model: str, theme: Theme, *, small: bool
) -> list[EndLabel]:
    """Return the name of each moment's line at its last value."""
    return [
        EndLabel(
            stage_label(profile.moment).split(":")[0] if small else stage_label(profile.moment),
            len(profile.layers),
            scale.position(value),
            _look(profile.moment, model, theme).colour,
        )
        for profile in profiles
        if (value := profile.layers[-1].value) is not None
    ]


def _tell_beyond(
    figure: go.Figure,
    theme: Theme,
    features: float | None,
    comparisons: Sequence[Comparison],
    largest: float | None,
) -> None:
    """Say what lies beyond the axis: the features' value, and comparisons above the largest that is drawn."""
    told = [] if features is None else [f"features: {features:,.0f}"]
    for line in comparisons:
        top = max((value for layer, value in line.points if layer and value is not None), default=0.0)
        if largest is not None and top > largest:
            told.append(f"{line.label}: up to {top:,.0f}")
    if told:
        figure.add_annotation(
            text=f"{'; '.join(told)}, beyond the axis", xref="x domain", yref="y domain", x=0.02, y=1,
            xanchor="left", yanchor="top", showarrow=False,
            font={"size": FONT_SIZE - 1, "color": theme.muted},
        )  # fmt: skip


def _layer_axis(
    theme: Theme, depth: int, own_depth: int, *, has_features: bool, small: bool
) -> dict[str, object]:
    """Return the axis to `depth`; the logits of the run itself are in layer `own_depth`."""
    stride = next(step for step in (1, 2, 4, 8, 16) if depth / step <= _LAYER_TICKS / (1 + small))
    ticks = sorted({0, 1, *range(stride, depth + 1, stride), depth} - (set() if has_features else {0}))
    ticks = [tick for tick in ticks if tick in (0, depth) or tick == 1 or depth - tick > stride / 2]
    if stride > 1:
        ticks = [tick for tick in ticks if tick != 1 or not has_features]
    named = {0: "features", **({depth: "logits"} if depth == own_depth else {})}
    texts = [f"{tick}<br>{named[tick]}" if tick in named and not small else str(tick) for tick in ticks]
    ends = [0 if has_features else 1, depth]
    room = 0.03 * max(ends[1] - ends[0], 1)
    return axis(
        theme,
        "layer",
        range=[ends[0] - room, ends[1] + room],
        tickvals=ticks,
        ticktext=texts,
        tickangle=0,
        showgrid=False,
    )


def _in_words(
    label: str, profiles: Sequence[LayerProfile], comparisons: Sequence[Comparison], depth: int
) -> str:
    lines = [
        (stage_label(profile.moment), [layer.value for layer in profile.layers]) for profile in profiles
    ] + [(line.label, [value for layer, value in line.points if layer]) for line in comparisons if line.label]
    texts = [
        f"{name}: " + ", ".join("no value" if value is None else significant(value) for value in values)
        for name, values in lines
    ]
    return f"{label} in layers 1 to {depth}. {'; '.join(texts)}."


# The best epoch is drawn last, on top of the others.
_ORDER = ("start", "last", "best")
