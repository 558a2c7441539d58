"""The small curves under the depth cursor: a quantity in each frame, and where its axis has its ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gnnviz.figures.layout import NARROW_SPACE, Chance, percent, significant
from gnnviz.figures.measure_scale import MeasureScale, measure_scale
from gnnviz.metric import Metric
from gnnviz.profiles import Measurement

_MOST_TICKS = 4
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Mark:
    """A height of the axis in 0..1, and the words that stand there, or ""."""

    height: float
    text: str


@dataclass(frozen=True, slots=True)
class CursorCurve:
    """A quantity against the frame.

    Attributes:
        title: its name, its unit, and whether the axis is logarithmic.
        values: in each frame [F], None where it has no value.
        heights: where each value stands [F], 0 at the axis's lower end and 1 at its upper one; or None.
        texts: each value as it is printed [F]; why there is none, where there is none.
        ticks: of the axis.
        references: lines to compare with.
        help: what small and large values mean.
    """

    title: str
    values: tuple[float | None, ...]
    heights: tuple[float | None, ...]
    texts: tuple[str, ...]
    ticks: tuple[Mark, ...]
    references: tuple[Mark, ...] = ()
    help: str = ""


def accuracy_curve(accuracies: Sequence[float | None], chance: Chance | None) -> CursorCurve:
    """Return the test accuracy against the frame, in percent on an axis from 0 to 100.

    Args:
        accuracies: of each frame [F], in 0..1, or None.
        chance: the accuracies that need no learning; the larger one is a line.
    """
    guess = (Mark(chance.majority, f"guess largest class {percent(chance.majority)}"),) if chance else ()
    return CursorCurve(
        title="Test accuracy",
        values=tuple(accuracies),
        heights=tuple(accuracies),
        texts=tuple("not known" if share is None else percent(share) for share in accuracies),
        ticks=tuple(Mark(share / 100, f"{share}{NARROW_SPACE}%") for share in (0, 50, 100)),
        references=guess,
        help="Share of the test nodes that are right, at the epoch that validation chose.",
    )


def measure_curve(metric: Metric, values: Sequence[Measurement]) -> CursorCurve:
    """Return a measure against the frame; on a logarithmic axis a value of 0 stands on a marked floor."""
    log = metric.scale == "log"
    known = [found.value for found in values if found.value is not None]
    smoothed = [] if log or metric.smoothed is None else [metric.smoothed]
    scale = measure_scale([*known, *smoothed], log=log)
    low, high = scale.reach
    heights = [
        None if found.value is None else (scale.position(found.value) - low) / (high - low)
        for found in values
    ]
    notes = [metric.unit] * bool(metric.unit) + ["log scale"] * log + ["dotted: smoothed"] * any(smoothed)
    return CursorCurve(
        title=metric.label + (f", {', '.join(notes)}" if notes else ""),
        values=tuple(found.value for found in values),
        heights=tuple(heights),
        texts=tuple(found.reason if found.value is None else significant(found.value) for found in values),
        ticks=_log_ticks(scale) if log else _linear_ticks(scale),
        references=tuple(Mark((value - low) / (high - low), "") for value in smoothed if value),
        help=f"{metric.direction} ({metric.paper})",
    )


def _linear_ticks(scale: MeasureScale) -> tuple[Mark, ...]:
    low, high = scale.reach
    power = 10.0 ** math.floor(math.log10((high - low) / _MOST_TICKS))
    step = next(size * power for size in (1, 2, 5, 10) if size * power * _MOST_TICKS >= high - low)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(
        Mark((number * step - low) / (high - low), f"{number * step:.4g}")
        for number in range(first, last + 1)
    )


def _log_ticks(scale: MeasureScale) -> tuple[Mark, ...]:
    """Return the powers of ten, thinned out; the two ends where no two powers are on the axis."""
    low, high = scale.reach
    first, last = math.ceil(math.log10(scale.low) - 1e-9), math.floor(math.log10(scale.high) + 1e-9)
    stride = max(1, math.ceil((last - first) / (_MOST_TICKS - 1)))
    places = [(float(power), _power(power)) for power in range(last, first - 1, -stride)][::-1]
    if len(places) < 2:
        places = [(math.log10(value), f"{value:.3g}") for value in (scale.low, scale.high)]
    if scale.floor is not None:
        places.insert(0, (math.log10(scale.floor), "0"))
    return tuple(Mark((place - low) / (high - low), text) for place, text in places)


def _power(power: int) -> str:
    return f"{10.0**power:g}" if -2 <= power <= 2 else f"10{str(power).translate(_SUPERSCRIPTS)}"
