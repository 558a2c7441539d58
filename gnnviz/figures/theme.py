"""Every colour, font, size and line style of the figures, for a light and a dark page.

Knows what a colour means (a class, a depth, a sign, a model); knows no figure. Class hues mean
classes and nothing else. Two of the eight stay apart by at least 0.085 in OKLab for normal, protan,
deutan and tritan vision; a test computes that.

Reference: Petroff, arXiv 2107.02270 (class hues: seven of his eight-colour cycle, in our order; his
eighth, a grey, is ours for "other classes", and a yellow takes its place).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gnnviz.errors import ConfigError
from gnnviz.models import MODELS

Mode = Literal["light", "dark"]
Part = Literal["train", "val", "test"]

FONT_FAMILY = '"Source Sans", "Source Sans 3", "Source Sans Pro", Arial, sans-serif'
FONT_SIZE = 15
TITLE_SIZE = 19
LINE_WIDTH = 2.5
REFERENCE_WIDTH = 2.0
MARK_SIZE = 7
CURVE_MARK_SIZE = 11
BAND_OPACITY = 0.18
MAIN_HEIGHT = 520
PANELS_HEIGHT = 640
SMALL_HEIGHT = 260

PART_DASH: dict[Part, str] = {"train": "dot", "val": "dash", "test": "solid"}
PART_LABELS: dict[Part, str] = {"train": "train", "val": "validation", "test": "test"}

_CLASS_HUES = ("#1845fb", "#c91f16", "#86c8dd", "#f0b400", "#c849a9", "#578dff", "#ff5e02", "#adad7d")
_OTHER_CLASSES = "#656364"
_MODEL_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "star")
_MODEL_DASHES = ("solid", "dash", "dot", "dashdot")
# How far tints of a model's hue go towards the page and towards the ink.
_FAINTEST_TINT = 0.35
_STRONGEST_TINT = 0.6


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one page mode, as "#rrggbb".

    Attributes:
        mode: "light" or "dark".
        background: what the figures are drawn on; they themselves are transparent.
        ink: text, and the strongest mark.
        muted: ticks, notes and the labels of reference lines.
        grid: grid lines.
        reference: reference lines, such as chance.
        placeholder: what is not there yet.
        class_hues: eight hues in the order in which classes take them.
        other_class: classes beyond the eight largest.
        depth_stops: the sequential map of depth, shallow to deep.
        signed_stops: the diverging map of signed numbers, most negative to most positive.
        model_hues: hues of models, none of them a class hue.
        right: the pale mark of a right prediction where hue shows nothing else.
        wrong: the strong mark of a wrong one.
    """

    mode: Mode
    background: str
    ink: str
    muted: str
    grid: str
    reference: str
    placeholder: str
    class_hues: tuple[str, ...]
    other_class: str
    depth_stops: tuple[str, ...]
    signed_stops: tuple[str, ...]
    model_hues: tuple[str, ...]
    right: str
    wrong: str


LIGHT = Theme(
    mode="light",
    background="#ffffff",
    ink="#1f2430",
    muted="#565d6b",
    grid="#e6e8ec",
    reference="#767d8a",
    placeholder="#f1f2f5",
    class_hues=_CLASS_HUES,
    other_class=_OTHER_CLASSES,
    depth_stops=("#8fd3bd", "#4aa58b", "#1f7562", "#0b4a3f", "#00251f"),
    signed_stops=("#0b3d91", "#6f9be0", "#ffffff", "#f0a860", "#a84300"),
    model_hues=("#6a3fb5", "#9a6400", "#4d7c0f", "#54606e", "#8a4a3c"),
    right="#b3b9c6",
    wrong="#1f2430",
)

DARK = Theme(
    mode="dark",
    background="#0e1117",
    ink="#f3f5f9",
    muted="#aab2c0",
    grid="#272c36",
    reference="#8b94a3",
    placeholder="#181c25",
    class_hues=_CLASS_HUES,
    other_class=_OTHER_CLASSES,
    depth_stops=("#1f6152", "#2f8c77", "#5bb89f", "#9bdcc8", "#e3faf2"),
    signed_stops=("#7fb2ff", "#2f5fb3", "#0e1117", "#b25a16", "#ffa14f"),
    model_hues=("#b79af2", "#dba94e", "#9ccc65", "#a9b4c2", "#d99a86"),
    right="#4a5262",
    wrong="#f3f5f9",
)


@dataclass(frozen=True, slots=True)
class ModelStyle:
    """How a model is told from the others: hue, marker shape and line style."""

    colour: str
    symbol: str
    dash: str


@dataclass(frozen=True, slots=True)
class ClassColours:
    """Which class has which colour.

    Attributes:
        colours: one "#rrggbb" per class [C].
        own: the classes with a hue of their own, ascending.
        others: the classes that share the grey, ascending; () if there are hues enough.
    """

    colours: tuple[str, ...]
    own: tuple[int, ...]
    others: tuple[int, ...]


def theme(mode: str) -> Theme:
    """Return the theme of a page.

    Args:
        mode: "light" or "dark".

    Raises:
        ConfigError: another mode.
    """
    if mode not in _THEMES:
        raise ConfigError(f"unknown mode {mode!r}; choose from {', '.join(sorted(_THEMES))}")
    return _THEMES[mode]


def class_colours(counts: Sequence[int], theme: Theme) -> ClassColours:
    """Return the colour of each class; beyond eight classes the largest have hues, the rest is grey.

    Args:
        counts: number of nodes of each class [C]; decides only who goes grey, ties by lower class.
        theme: whose hues.
    """
    sizes = np.asarray(counts, dtype=np.int64)
    largest = np.argsort(-sizes, kind="stable")[: len(theme.class_hues)]
    own = tuple(sorted(int(index) for index in largest))
    colours = [theme.other_class] * len(sizes)
    for hue, index in zip(theme.class_hues, own, strict=False):
        colours[index] = hue
    others = tuple(index for index in range(len(sizes)) if index not in set(own))
    return ClassColours(tuple(colours), own, others)


def model_style(model: str, theme: Theme) -> ModelStyle:
    """Return the style of a model, by its place in `MODELS`; the same on every page.

    Raises:
        ConfigError: a name that is not in `MODELS`.
    """
    if model not in MODELS:
        raise ConfigError(f"unknown model {model!r}; choose from {', '.join(sorted(MODELS))}")
    place = list(MODELS).index(model)
    return ModelStyle(
        colour=theme.model_hues[place % len(theme.model_hues)],
        symbol=_MODEL_SYMBOLS[place % len(_MODEL_SYMBOLS)],
        dash=_MODEL_DASHES[place % len(_MODEL_DASHES)],
    )


def model_tints(model: str, count: int, theme: Theme) -> tuple[str, ...]:
    """Return colours for `count` runs of one model: its hue, from nearer the page to nearer the ink.

    One run has the hue itself. As for depth, the first is the lightest on a light page and the darkest
    on a dark one.
    """
    hue = model_style(model, theme).colour
    faint, strong = (
        _between((hue, theme.background), _FAINTEST_TINT),
        _between((hue, theme.ink), _STRONGEST_TINT),
    )
    places = np.linspace(0.0, 1.0, count) if count > 1 else [0.5]
    return tuple(_between((faint, hue, strong), float(place)) for place in places)


def depth_colours(count: int, theme: Theme) -> tuple[str, ...]:
    """Return `count` colours of the depth map, shallow to deep, ends included."""
    return tuple(_between(theme.depth_stops, place) for place in np.linspace(0.0, 1.0, count))


def colour_scale(stops: Sequence[str]) -> list[tuple[float, str]]:
    """Return stops, evenly spaced, as plotly's colour scale."""
    return [(place, stop) for place, stop in zip(np.linspace(0, 1, len(stops)).tolist(), stops, strict=True)]


def faded(colour: str, opacity: float) -> str:
    """Return "#rrggbb" as "rgba(...)" with an opacity in 0..1."""
    red, green, blue = _channels(colour)
    return f"rgba({red:.0f},{green:.0f},{blue:.0f},{opacity:g})"


def _between(stops: Sequence[str], place: float) -> str:
    channels = np.array([_channels(stop) for stop in stops])  # [stops, 3]
    position = place * (len(stops) - 1)
    mixed = [np.interp(position, np.arange(len(stops)), channels[:, part]) for part in range(3)]
    return "#" + "".join(f"{round(float(value)):02x}" for value in mixed)


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (float(int(colour[start : start + 2], 16)) for start in (1, 3, 5))
    return red, green, blue


_THEMES: dict[str, Theme] = {"light": LIGHT, "dark": DARK}
