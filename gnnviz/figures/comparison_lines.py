"""What stands faintly behind measured lines through the layers: controls, theory, depths that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from gnnviz.figures.layout import add_all, significant, spread, wrapped
from gnnviz.figures.measure_scale import MeasureScale
from gnnviz.figures.reference_lines import Curve
from gnnviz.figures.theme import FONT_SIZE, MARK_SIZE, REFERENCE_WIDTH, Theme, faded, model_style

Kind = Literal["propagation", "mlp", "seed", "run", "theory"]

_HOVER_CHARACTERS = 60
_HOVER_POINTS = 24  # places along a straight line where it explains itself
_SEED_OPACITY = 0.4
_RUN_OPACITY = 0.8
_EARLY = 0.75  # of the last layer: lines that end before it are named where they end
_SCREEN = 0.55  # opacity of what keeps lines behind a name from being read with it


@dataclass(frozen=True, slots=True)
class Comparison:
    """A line to compare with.

    Attributes:
        label: its name, written at its end; "" for one of several with one name.
        points: layers, ascending, and values; None where there is no value.
        kind: decides how it is drawn.
        explanation: what is said on hover.
        model: a key of `MODELS`, where `kind` is "run"; decides its look. "" for that of the figure's run.
    """

    label: str
    points: tuple[tuple[int, float | None], ...]
    kind: Kind
    explanation: str = ""
    model: str = ""

    def within(self, first: int, last: int, largest: float | None) -> Comparison:
        """Return the part in these layers; values above `largest` become None."""
        kept = [
            (layer, None if value is None or (largest is not None and value > largest) else value)
            for layer, value in self.points
            if first <= layer <= last
        ]
        return replace(self, points=tuple(kept))

    @property
    def values(self) -> list[float]:
        """The values that there are."""
        return [value for _, value in self.points if value is not None]

    def curve(self, scale: MeasureScale) -> Curve:
        """Return where the line runs, in plotly's axis coordinates."""
        return tuple(
            (float(layer), scale.position(value)) for layer, value in self.points if value is not None
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """A depth that means something: a vertical line."""

    layer: int
    label: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A name to be written at the right end of the axes.

    Attributes:
        text: the name.
        layer: where its line ends.
        place: its line's last value in plotly's axis coordinates.
        colour: "#rrggbb".
    """

    text: str
    layer: int
    place: float
    colour: str


def add_comparison(
    figure: go.Figure, theme: Theme, line: Comparison, scale: MeasureScale, model: str
) -> None:
    """Draw a comparison; broken where it has no value, exact zeros on the floor of a logarithmic axis."""
    colour, opacity, dash, symbol = _look(line.kind, line.model or model, theme)
    values = [value for _, value in line.points]
    texts = ["" if value is None else significant(value) if value else "exactly 0" for value in values]
    figure.add_trace(
        go.Scatter(
            x=[layer for layer, _ in line.points],
            y=[None if value is None else scale.place(value) for value in values],
            name=line.label,
            mode="lines+markers" if symbol else "lines",
            connectgaps=False,
            cliponaxis=False,
            opacity=opacity,
            line={"color": colour, "width": REFERENCE_WIDTH, "dash": dash},
            marker={"size": MARK_SIZE, "symbol": symbol or "circle", "color": colour},
            text=texts,
            hovertemplate=f"layer %{{x}}: %{{text}}{_hover(line.explanation)}<extra>{line.label}</extra>",
        )
    )


def add_mark(figure: go.Figure, theme: Theme, mark: Mark, scale: MeasureScale) -> None:
    """Draw a vertical line with its name at the top, which explains itself on hover."""
    figure.add_shape(
        type="line", xref="x", yref="y domain", x0=mark.layer, x1=mark.layer, y0=0, y1=1,
        line={"color": theme.reference, "width": REFERENCE_WIDTH, "dash": "2px,5px"}, layer="below",
    )  # fmt: skip
    figure.add_annotation(
        text=mark.label, xref="x", x=mark.layer, yref="y domain", y=1, yanchor="bottom", showarrow=False,
        font={"size": FONT_SIZE - 1, "color": theme.muted},
    )  # fmt: skip
    places = np.linspace(*scale.reach, _HOVER_POINTS)
    heights = 10**places if scale.log else places
    explain(figure, [mark.layer] * _HOVER_POINTS, heights.tolist(), mark.label, mark.explanation)


def explain(figure: go.Figure, x: Sequence[float], y: Sequence[float], label: str, explanation: str) -> None:
    """Have a straight line explain itself on hover, by points that are not seen."""
    figure.add_trace(
        go.Scatter(
            x=list(x),
            y=list(y),
            name=label,
            mode="markers",
            opacity=0,
            cliponaxis=False,
            hovertemplate=f"{label}{_hover(explanation)}<extra></extra>",
        )
    )


def comparison_ends(
    lines: Sequence[Comparison], scale: MeasureScale, model: str, theme: Theme
) -> list[EndLabel]:
    """Return the names of the comparisons, each at its last value."""
    ends = []
    for line in lines:
        curve = line.curve(scale)
        if line.label and curve:
            colour = _look(line.kind, line.model or model, theme)[0]
            shown = theme.muted if colour == theme.reference else colour
            ends.append(EndLabel(line.label, int(curve[-1][0]), curve[-1][1], shown))
    return ends


def label_ends(
    figure: go.Figure,
    theme: Theme,
    ends: Sequence[EndLabel],
    scale: MeasureScale,
    *,
    gap: float,
    font_size: int,
) -> None:
    """Write each name beside the end of its line, moved no further than needed to stay apart.

    Args:
        figure: whose y axis is `scale`.
        theme: light or dark.
        ends: the names; may be empty. Those of lines that end far from the last layer stand in the picture,
            the others in its margin.
        scale: from `measure_scale`.
        gap: the smallest distance of two names, as a share of the axis.
        font_size: in px.
    """
    if not ends:
        return
    low, high = scale.reach
    last = max(end.layer for end in ends)
    columns = [end.layer if end.layer < _EARLY * last else last for end in ends]
    for column in sorted(set(columns)):
        beside = [end for end, where in zip(ends, columns, strict=True) if where == column]
        room = min(gap, 0.9 / len(beside)) * (high - low)
        places = spread([end.place for end in beside], room, low + room / 3, high - room / 3)
        names = [
            {
                "text": end.text, "x": column, "y": place, "xanchor": "left", "xshift": 12,
                "showarrow": False, "font": {"size": font_size, "color": end.colour},
                "bgcolor": faded(theme.background, _SCREEN), "borderpad": 0,
            }
            for end, place in zip(beside, places, strict=True)
        ]  # fmt: skip
        add_all(figure, annotations=names)


def _look(kind: Kind, model: str, theme: Theme) -> tuple[str, float, str, str]:
    """Return colour, opacity, dash and symbol, "" for none."""
    if kind == "propagation":
        return theme.reference, 1.0, "8px,4px", "square"
    if kind == "mlp":
        return model_style("mlp", theme).colour, 1.0, "4px,4px", "x"
    if kind == "seed":
        return model_style(model, theme).colour, _SEED_OPACITY, "solid", ""
    if kind == "run":
        style = model_style(model, theme)
        return style.colour, _RUN_OPACITY, "6px,3px", f"{style.symbol}-open"
    return theme.reference, 1.0, "2px,4px", ""


def _hover(explanation: str) -> str:
    return "".join(f"<br>{line}" for line in wrapped(explanation, _HOVER_CHARACTERS)) if explanation else ""
