"""What every figure shares: title, margins, axes, number formats, chance lines and the empty case.

Figures have no width of their own: one specification serves a projector and a phone. So titles are
wrapped here to what fits 358 px, labels stand inside the plot or in a margin kept for them, and
axes widen their margins by themselves.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from gnnviz.figures.theme import (
    FONT_FAMILY,
    FONT_SIZE,
    MAIN_HEIGHT,
    REFERENCE_WIDTH,
    TITLE_SIZE,
    Theme,
    faded,
)

# The same on every redraw, so that zoom and hidden classes survive new data.
REVISION = "gnnviz"
TITLE_CHARACTERS = 40
TITLE_LINE_HEIGHT = 24
LARGEST_CLASS = "guess largest<br>class"
UNIFORM_GUESS = "guess uniformly"
NARROW_SPACE = "\u202f"
UNBROKEN_HYPHEN = "\u2011"
# A label of one line needs this share of an accuracy axis.
_ROOM_FOR_LABEL = 0.08

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Chance:
    """The accuracies that need no learning, on the nodes on screen.

    Attributes:
        majority: share of the largest class, in 0..1.
        uniform: 1 / number of classes, in 0..1.
    """

    majority: float
    uniform: float


def percent(share: float) -> str:
    """Return a share in 0..1 as percent with one digit, "81.4 %"."""
    return f"{100 * share:.1f}{NARROW_SPACE}%"


def significant(value: float) -> str:
    """Return a loss or a measure with three significant digits, "0.0123"."""
    return f"{value:#.3g}".removesuffix(".")


def counted(number: int) -> str:
    """Return a count with separators, "2,708"."""
    return f"{number:,}"


def listed(words: Sequence[object]) -> str:
    """Return "2", "2 and 4" or "2, 4 and 8"."""
    texts = [str(word) for word in words]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def wrapped(text: str, characters: int = TITLE_CHARACTERS) -> list[str]:
    """Return lines of at most `characters`, broken between words."""
    return textwrap.wrap(text, characters, break_long_words=False) or [""]


def styled(
    figure: go.Figure,
    theme: Theme,
    *,
    title: str,
    alt: str,
    height: int = MAIN_HEIGHT,
    right: int = 16,
    top: int = 0,
) -> go.Figure:
    """Give a figure its title, colours and margins, in place, and return it.

    Args:
        figure: the figure with its traces and axes.
        theme: light or dark.
        title: a sentence; "" for none.
        alt: what the picture says, for those who do not see it; in `layout.meta["alt"]`, beside
            the title as one line in `layout.meta["title"]`.
        height: height in px, title included.
        right: margin in px for labels at the ends of lines.
        top: room in px between the title and the axes for labels above them.
    """
    lines = wrapped(title) if title else []
    figure.update_layout(
        title={
            "text": "<br>".join(lines),
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"l": 4, "t": 24},
            "font": {"size": TITLE_SIZE, "color": theme.ink, "weight": 600},
        },
        font={"family": FONT_FAMILY, "size": FONT_SIZE, "color": theme.ink},
        margin={"l": 8, "r": right, "t": 26 + top + TITLE_LINE_HEIGHT * len(lines), "b": 8},
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        uirevision=REVISION,
        separators=".,",
        hoverlabel={
            "bgcolor": theme.background,
            "bordercolor": theme.reference,
            "font": {"family": FONT_FAMILY, "size": FONT_SIZE, "color": theme.ink},
            "align": "left",
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": theme.muted, "activecolor": theme.ink},
        meta={"alt": alt.strip(), "title": title},
        overwrite=True,  # else plotly walks through all that each of these could hold
    )
    return figure


def axis(theme: Theme, title: str, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - plotly's own names
    """Return the settings of an axis with a name, quiet grid and readable ticks."""
    return {
        "title": {"text": title, "font": {"size": FONT_SIZE, "color": theme.ink}, "standoff": 8},
        "tickfont": {"size": FONT_SIZE - 1, "color": theme.muted},
        "gridcolor": theme.grid,
        "linecolor": theme.reference,
        "zeroline": False,
        "automargin": True,
        **settings,
    }


def legend_below(theme: Theme, sizes: Literal["constant", "trace"] = "constant") -> dict[str, Any]:
    """Return a legend below the picture, where it has room at any width.

    Args:
        theme: the look.
        sizes: "trace" if its lines and marks keep the size that they have, because it means something.
    """
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yref": "container",
        "yanchor": "bottom",
        "itemsizing": sizes,
        "font": {"size": FONT_SIZE - 1, "color": theme.ink},
    }


def empty_figure(theme: Theme, *, title: str, reason: str, height: int = MAIN_HEIGHT) -> go.Figure:
    """Return a figure without data that says what would be here and why it is not.

    Args:
        theme: light or dark.
        title: what would be here.
        reason: why it is not, and what changes that.
        height: height in px.
    """
    figure = go.Figure()
    figure.add_shape(
        type="rect", xref="paper", yref="paper", x0=0, x1=1, y0=0, y1=1,
        line_width=0, fillcolor=theme.placeholder, layer="below",
    )  # fmt: skip
    figure.add_annotation(
        text="<br>".join(wrapped(reason, 36)), xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False,
        font={"size": FONT_SIZE + 1, "color": theme.muted},
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, 1], fixedrange=True)
    figure.update_yaxes(visible=False, range=[0, 1], fixedrange=True)
    return styled(figure, theme, title=title, alt=f"{title} {reason}", height=height)


def add_chance_lines(
    figure: go.Figure,
    theme: Theme,
    chance: Chance,
    *,
    side: Side,
    y_reference: str = "y",
    is_below: bool = False,
) -> None:
    """Draw the two chance accuracies, each with its label at one end; one line where they are equal.

    Args:
        figure: a figure whose y axis is in percent, 0 to 100.
        theme: light or dark.
        chance: the two shares.
        side: the end at which the labels stand.
        y_reference: plotly's name of the y axis.
        is_below: whether the label of the largest class goes below its line.
    """
    axes = {"xref": f"x{y_reference.removeprefix('y')} domain", "yref": y_reference}
    lines = [
        {
            **axes, "type": "line", "x0": 0, "x1": 1, "y0": 100 * share, "y1": 100 * share,
            "line": {"color": theme.reference, "width": REFERENCE_WIDTH, "dash": "2px,5px"}, "layer": "below",
        }
        for share in {chance.majority, chance.uniform}
    ]  # fmt: skip
    labels = [
        {
            **axes, "text": text, "x": float(side == "right"), "y": 100 * share, "xanchor": side,
            "yanchor": place, "xshift": 4 if side == "left" else -4, "align": side, "showarrow": False,
            "font": {"size": FONT_SIZE - 1, "color": theme.muted},
            "bgcolor": faded(theme.background, 0.75), "borderpad": 0,  # curves may run behind
        }
        for share, text, place in _chance_labels(chance, is_below)
    ]  # fmt: skip
    add_all(figure, shapes=lines, annotations=labels)


def add_all(
    figure: go.Figure, *, shapes: Sequence[dict[str, Any]] = (), annotations: Sequence[dict[str, Any]] = ()
) -> None:
    """Add several shapes and annotations at once; one after the other, plotly checks all again each time."""
    figure.layout.shapes = [*figure.layout.shapes, *shapes]
    figure.layout.annotations = [*figure.layout.annotations, *annotations]


def _chance_labels(chance: Chance, is_below: bool) -> list[tuple[float, str, Literal["top", "bottom"]]]:
    """Return height, text and anchor: the higher label above its line, the lower below, if it fits."""
    majority = f"{LARGEST_CLASS}: {percent(chance.majority)}"
    uniform = f"{UNIFORM_GUESS}: {percent(chance.uniform)}"
    if chance.uniform >= _ROOM_FOR_LABEL:
        return [
            (chance.majority, majority, "top" if is_below else "bottom"),
            (chance.uniform, uniform, "top"),
        ]
    if chance.majority - chance.uniform >= _ROOM_FOR_LABEL:
        return [(chance.majority, majority, "bottom"), (chance.uniform, uniform, "bottom")]
    return [(chance.majority, f"{majority}<br>{uniform}", "bottom")]


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return label positions near `values`, at least `gap` apart, in the same order, within limits.

    Args:
        values: where the labels would stand, in units of the axis.
        gap: smallest distance, in the same units.
        low: lowest position allowed.
        high: highest position allowed; must leave room for all.
    """
    order = np.argsort(values, kind="stable")
    placed = np.asarray(values, dtype=np.float64)[order]
    steps = gap * np.arange(len(placed))
    # Pushed up from below, then down from the top: the mean of both stays close to the values.
    up = np.maximum.accumulate(np.maximum(placed, low) - steps) + steps
    down = np.minimum.accumulate((np.minimum(placed, high) - steps)[::-1])[::-1] + steps
    middle = np.clip((up + down) / 2, low + steps, high - steps[::-1])
    result = np.empty_like(middle)
    result[order] = middle
    return result.tolist()
