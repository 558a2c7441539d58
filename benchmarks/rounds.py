"""Times of two sides that take turns, and how they are printed: medians with quartiles."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def milliseconds(step: Callable[[], object], steps: int) -> float:
    """Return the mean wall-clock time of `steps` calls."""
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - begin) / steps * 1e3


def spread(values: Sequence[float]) -> str:
    """Return the median and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.3g} ({low:.3g}-{high:.3g})"


def judged(ratios: Sequence[float], target: float) -> str:
    """Return the target, and whether the median of the ratios reaches it."""
    return f"{target:g} {'reached' if statistics.median(ratios) >= target else 'MISSED'}"
