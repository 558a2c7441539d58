"""A number that the user may choose for a dataset or an edit: its range, its default, its words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gnnviz.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Parameter:
    """What the user is told about a number, and which values it may have.

    Attributes:
        label: the name on screen.
        help: one line that says what the number decides.
        smallest: the least that is allowed.
        largest: the most that is allowed.
        default: what is taken where nobody chose.
        whole: True if only whole numbers make sense.
    """

    label: str
    help: str
    smallest: float
    largest: float
    default: float
    whole: bool = False

    def checked(self, name: str, value: float | None) -> float:
        """Return `value`, or the default for None: an int where `whole`, else a float, so that JSON agrees.

        Args:
            name: what the sentence calls the value.
            value: what was given.

        Raises:
            DatasetError: no number, or one that is not allowed.
        """
        given = self.default if value is None else value
        is_number = isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
        fits = is_number and self.smallest <= given <= self.largest and (not self.whole or given % 1 == 0)
        if not fits:
            kind = "whole number" if self.whole else "number"
            raise DatasetError(
                f"{name} is {value!r}; choose a {kind} from {self.smallest:g} to {self.largest:g}"
            )
        return int(given) if self.whole else float(given) + 0.0  # no -0.0, which JSON tells from 0.0
