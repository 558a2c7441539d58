"""What a rule of the diagnosis finds: `Evidence`, one number held against one threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gnnviz.figures.layout import NARROW_SPACE

Verdict = Literal["works", "over_smoothing", "signal_death", "over_fitting", "under_trained", "mixed"]
Bound = Literal["at least", "at most"]

FAILURES: tuple[Verdict, ...] = ("over_smoothing", "signal_death", "over_fitting", "under_trained")
ROUNDING = 1e-12  # of |X|^2; single precision leaves 1e-14 where nothing should be, so that less is not told
SCALE = f"from guessing (0{NARROW_SPACE}%) to all right (100{NARROW_SPACE}%)"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number, held against its threshold.

    Attributes:
        name: of the rule.
        text: what was measured.
        number: what it is, finite.
        bound: on which side of the threshold it would speak for what the rule looks for.
        threshold: a constant of the rule's module; the share of it that a short training is held to.
        supports: the verdicts that it speaks for; () for none.
        is_share: whether to read it as percent.
    """

    name: str
    text: str
    number: float
    bound: Bound
    threshold: float
    supports: tuple[Verdict, ...]
    is_share: bool = False


def held(
    name: str,
    text: str,
    number: float | None,
    bound: Bound,
    threshold: float,
    then: tuple[Verdict, ...],
    otherwise: tuple[Verdict, ...] = (),
    *,
    is_share: bool = False,
) -> Evidence | None:
    """Return a number that speaks for `then` on the named side of its threshold, and else for `otherwise`."""
    if number is None:
        return None
    reached = number >= threshold if bound == "at least" else number <= threshold
    return Evidence(name, text, number, bound, threshold, then if reached else otherwise, is_share)
