"""Checks of single values where they enter a configuration; each says what was got and what is allowed."""

from __future__ import annotations

import math

from gnnviz.errors import ConfigError


def check_count(name: str, value: int, largest: int, smallest: int = 1) -> None:
    """Refuse what is no whole number in `smallest`..`largest`.

    Raises:
        ConfigError: says so.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        raise ConfigError(f"{name} is {value!r}; choose a whole number from {smallest} to {largest}")


def check_share(name: str, value: float) -> None:
    """Refuse what is no number in [0, 1).

    Raises:
        ConfigError: says so.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ConfigError(f"{name} is {value!r}; choose a number from 0 up to, but not including, 1")


def check_real(name: str, value: float, *, above_zero: bool = False) -> None:
    """Refuse what is no finite number of 0 or more, or above 0.

    Raises:
        ConfigError: says so.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < 0 or (above_zero and value == 0):
        allowed = "above 0" if above_zero else "of 0 or more"
        raise ConfigError(f"{name} is {value!r}; choose a finite number {allowed}")


def make_floats(record: object, *names: str) -> None:
    """Turn the numbers in these fields of a frozen record into floats, and -0.0 into 0.0.

    So equal records also read the same as JSON, whether they were given 1 or 1.0.
    """
    for name in names:
        object.__setattr__(record, name, float(getattr(record, name)) + 0.0)


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse what is not among `allowed`.

    Raises:
        ConfigError: says so.
    """
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; choose from {', '.join(allowed)}")


def check_switch(name: str, value: bool) -> None:
    """Refuse what is neither True nor False.

    Raises:
        ConfigError: says so.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; choose from True, False")
