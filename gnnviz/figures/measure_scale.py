"""The axis of a measure: from zero, or logarithmic with a place of its own for what is exactly zero.

A logarithm has no zero, and a network can be smoothed until its measure is exactly 0. Such values stand
on a floor below the axis's lowest number, under a tick that says 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from gnnviz.figures.layout import axis
from gnnviz.figures.theme import FONT_SIZE, Theme

_FLOOR_SHARE = 0.12  # the floor's distance from the lowest number, as a share of the axis
_NARROW_DECADES = 1.5  # values closer together have ends that are 1, 2 or 5 times a power of ten
_FINE_DECADES = 2.0  # and up to here ticks are, too
_TICKS = 5
_STEPS = (1, 2, 5)
_HEADROOM = 1.1


@dataclass(frozen=True, slots=True)
class MeasureScale:
    """Where the values of a measure stand on its axis; made by `measure_scale`.

    Attributes:
        log: whether the axis is logarithmic.
        low: the lowest number of the axis, in the measure's units.
        high: the highest.
        floor: where values of exactly 0 are drawn, or None if there are none, or the axis is linear.
    """

    log: bool
    low: float
    high: float
    floor: float | None = None

    def place(self, value: float) -> float:
        """Return where a value is drawn: at itself, or on the floor."""
        return self.floor if self.floor is not None and value <= 0 else value

    def position(self, value: float) -> float:
        """Return a drawn value's position in plotly's axis coordinates, as annotations need it."""
        return math.log10(self.place(value)) if self.log else value

    @property
    def reach(self) -> tuple[float, float]:
        """The ends of the axis in plotly's coordinates, the floor and some room below it included."""
        if not self.log:
            return self.low, self.high
        low, high = math.log10(self.low), math.log10(self.high)
        if self.floor is None:
            return low, high
        return math.log10(self.floor) - _FLOOR_SHARE / 2 * (high - low), high

    def settings(self, theme: Theme, label: str) -> dict[str, Any]:
        """Return the settings of the axis, which says in its name when it is logarithmic."""
        if not self.log:
            return axis(theme, label, range=list(self.reach), nticks=_TICKS)
        values = _ticks(self.low, self.high)
        texts = [_tick_text(value, self.high / self.low) for value in values]
        if self.floor is not None:
            values, texts = [self.floor, *values], ["0", *texts]
        return axis(
            theme,
            f"{label}, log scale" if label.endswith(")") else f"{label} (log scale)",
            type="log",
            range=list(self.reach),
            tickvals=values,
            ticktext=texts,
        )


def measure_scale(values: Sequence[float], *, log: bool) -> MeasureScale:
    """Return the scale on which all `values` can be seen.

    Args:
        values: finite; 0 or more where the axis is logarithmic; may be empty.
        log: whether the axis is logarithmic.
    """
    if not log:
        low, high = min([0.0, *values]), max([0.0, *values])
        return MeasureScale(log=False, low=_HEADROOM * low, high=_HEADROOM * high if high > low else 1.0)
    positive = [value for value in values if value > 0] or [0.1, 1.0]
    low, high = _rounded_ends(min(positive), max(positive))
    floor = None
    if len(positive) < len(values) or (values and not any(values)):
        floor = 10 ** (math.log10(low) - _FLOOR_SHARE * math.log10(high / low))
    return MeasureScale(log=True, low=low, high=high, floor=floor)


def mark_floor(
    figure: go.Figure, theme: Theme, scale: MeasureScale, *, named: bool, y_reference: str = "y"
) -> None:
    """Shade the strip of the floor, where there is no scale, only zero; nothing where there is no floor.

    Args:
        figure: whose axis is `scale`.
        theme: light or dark.
        scale: from `measure_scale`.
        named: whether there is room to say "exactly 0" below the floor; its tick says 0 in any case.
        y_reference: plotly's name of the y axis.
    """
    if scale.floor is None:
        return
    domain = f"x{y_reference.removeprefix('y')} domain"
    figure.add_shape(
        type="rect", xref=domain, yref=y_reference, x0=0, x1=1, y0=10 ** scale.reach[0], y1=scale.low,
        line_width=0, fillcolor=theme.placeholder, layer="below",
    )  # fmt: skip
    if not named:
        return
    figure.add_annotation(
        text="exactly 0", xref=domain, x=1, xanchor="right", xshift=-4, yref=y_reference,
        y=math.log10(scale.floor), yanchor="top", yshift=-6, showarrow=False,
        font={"size": FONT_SIZE - 1, "color": theme.muted},
    )  # fmt: skip


def _rounded_ends(smallest: float, largest: float) -> tuple[float, float]:
    """Return the ends of a logarithmic axis: whole powers of ten, or finer where the values are close."""
    if math.log10(largest) - math.log10(smallest) >= _NARROW_DECADES:
        return 10.0 ** math.floor(math.log10(smallest)), 10.0 ** math.ceil(math.log10(largest))
    low = max(step for step in _fine_steps(smallest) if step <= smallest * (1 + 1e-9))
    high = min(step for step in _fine_steps(largest) if step >= largest * (1 - 1e-9))
    return (low, high) if high > low else (low / 2, high * 2)


def _fine_steps(value: float) -> list[float]:
    power = math.floor(math.log10(value))
    return [step * 10.0**exponent for exponent in (power - 1, power, power + 1) for step in _STEPS]


def _ticks(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if math.log10(high / low) <= _FINE_DECADES + 1e-9:
        fine = (step * 10.0**power for power in range(first - 1, last + 1) for step in _STEPS)
        return [tick for tick in fine if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    stride = math.ceil((last - first) / _TICKS)
    return [10.0**power for power in range(last, first - 1, -stride)][::-1]


def _tick_text(value: float, span: float) -> str:
    """Return a tick's number: plain where that is short, else a power of ten."""
    power = math.log10(value)
    if 1e-3 <= value <= 1e4 and math.log10(span) <= _FINE_DECADES + 1e-9:
        return f"{value:,.15g}"
    if abs(power - round(power)) < 1e-9:
        return f"10<sup>{_signed(round(power))}</sup>"
    exponent = math.floor(power)
    return f"{round(value / 10.0**exponent)}·10<sup>{_signed(exponent)}</sup>"


def _signed(exponent: int) -> str:
    return f"\u2212{-exponent}" if exponent < 0 else str(exponent)
