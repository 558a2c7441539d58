"""Horizontal lines that measured ones are compared with, named where there is room."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import plotly.graph_objects as go

from gnnviz.figures.layout import significant
from gnnviz.figures.measure_scale import MeasureScale
from gnnviz.figures.theme import FONT_SIZE, REFERENCE_WIDTH, Theme

Curve: TypeAlias = tuple[tuple[float, float], ...]  # points in plotly's axis coordinates, left to right

_LABEL_HEIGHT = 0.05  # of a name, as a share of the axis
_LABEL_WIDTH = 0.22
_PLACES: dict[Literal["right", "center", "left"], float] = {"right": 1.0, "center": 0.5, "left": 0.0}
_LOOKS = 9  # places along a name where its distance from the curves is taken


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that helps to read the others, its name, and what is said on hover, "" for nothing."""

    value: float
    label: str
    explanation: str = ""


def add_reference(
    figure: go.Figure,
    theme: Theme,
    reference: Reference,
    scale: MeasureScale,
    curves: Sequence[Curve],
    *,
    named: bool,
) -> None:
    """Draw a reference line below everything else.

    Args:
        figure: whose y axis is `scale`.
        theme: light or dark.
        reference: its value is on the axis.
        scale: from `measure_scale`.
        curves: what the name keeps away from.
        named: whether there is room for the name and the value at all.
    """
    figure.add_shape(
        type="line", xref="x domain", yref="y", x0=0, x1=1, y0=reference.value, y1=reference.value,
        line={"color": theme.reference, "width": REFERENCE_WIDTH, "dash": "2px,5px"}, layer="below",
    )  # fmt: skip
    if not named:
        return
    low, high = scale.reach
    height, lift = scale.position(reference.value), _LABEL_HEIGHT * (high - low)
    spots = itertools.product(_PLACES, (lift, -lift))
    side, above = max(spots, key=lambda spot: _room(curves, _PLACES[spot[0]], height + spot[1]))
    figure.add_annotation(
        text=f"{reference.label}: {significant(reference.value)}", xref="x domain", x=_PLACES[side],
        xanchor=side, y=height, yanchor="bottom" if above > 0 else "top",
        showarrow=False, font={"size": FONT_SIZE - 1, "color": theme.muted}, borderpad=3,
    )  # fmt: skip


def _room(curves: Sequence[Curve], place: float, height: float) -> float:
    """Return how far all curves stay from a height where a name stands at a share of the axis's width."""
    places = np.array([place for curve in curves for place, _ in curve])
    start, width = float(places.min()), float(np.ptp(places))
    offset = (1.0 - _LABEL_WIDTH) * place
    near = start + width * (offset + _LABEL_WIDTH * np.linspace(0.0, 1.0, _LOOKS))
    return min(
        float(np.abs(np.interp(near, *np.transpose(curve)) - height).min()) for curve in curves if curve
    )
