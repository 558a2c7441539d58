"""How much of the graph one node sees with every layer, and how much two nodes see in common."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.figures.layout import NARROW_SPACE, axis, empty_figure, percent, spread, styled
from gnnviz.figures.theme import CURVE_MARK_SIZE, FONT_SIZE, LINE_WIDTH, MAIN_HEIGHT, Theme

# Distance of two labels at the ends of lines, in percent of the axis.
_LABEL_GAP = 13.0
_LABEL_MARGIN = 104


def reach_finding(
    reach: NDArray[np.floating],
    mean: NDArray[np.floating],
    name: str,
    *,
    shared: NDArray[np.floating] | None = None,
    other: str = "",
) -> str:
    """Return the sentence about a receptive field: how large it is at the last depth, and against the mean.

    Args:
        reach: share of the graph's nodes within k hops of the node [K + 1], in 0..1; K is 1 or more.
        mean: the same, averaged over the graph's nodes [K + 1].
        name: what the node is called.
        shared: share of the two nodes' fields that is common to both [K + 1], in 0..1, or None.
        other: what the second node is called; needed with `shared`.
    """
    layers = "1 layer" if len(reach) == 2 else f"{len(reach) - 1} layers"
    if reach[-1] == reach[0]:
        return f"{name[:1].upper()}{name[1:]} has no neighbours: with {layers} it sees only itself."
    if shared is not None:
        return (
            f"With {layers}, {name} and {other} have {percent(float(shared[-1]))} of what they see in common."
        )
    seen = f"With {layers}, {name} sees {percent(float(reach[-1]))} of the graph"
    settled = int(np.argmax(reach == reach[-1]))
    if settled < len(reach) - 1:
        return f"{seen}: all that is connected to it, from {_layers(settled)} on."
    return f"{seen}, the average node {percent(float(mean[-1]))}."


def _layers(number: int) -> str:
    return "1 layer" if number == 1 else f"{number} layers"


def reach_figure(
    reach: NDArray[np.floating],
    mean: NDArray[np.floating],
    theme: Theme,
    *,
    title: str,
    name: str,
    shared: NDArray[np.floating] | None = None,
    height: int = MAIN_HEIGHT,
    reason: str = "An isolated node sees only itself, however many layers there are. Choose another node.",
) -> go.Figure:
    """Return the share of the graph that a node sees against the number of layers, beside the mean.

    Args:
        reach: share of the graph's nodes within k hops of the node [K + 1], in 0..1.
        mean: the same, averaged over the graph's nodes [K + 1].
        theme: light or dark.
        title: a sentence.
        name: what the node is called.
        shared: share of two nodes' fields that is common to both [K + 1], in 0..1, or None.
        height: height in px.
        reason: what the empty figure of an isolated node says.
    """
    if len(reach) < 2 or reach[-1] == reach[0]:
        return empty_figure(theme, title=title, reason=reason, height=height)
    curves = [(name, np.asarray(reach), theme.ink, "solid", "circle")]
    if shared is not None:
        curves.append(("in common", np.asarray(shared), theme.depth_stops[2], "dash", "diamond"))
    curves.append(("average node", np.asarray(mean), theme.reference, "dot", "square"))
    figure = go.Figure()
    for label, shares, colour, dash, symbol in curves:
        figure.add_trace(_curve(label, shares, colour, dash, symbol))
    ends = [100 * float(shares[-1]) for _, shares, *_ in curves]
    places = spread(ends, _LABEL_GAP, 3.0, 97.0)
    for (label, shares, colour, _dash, _symbol), place in zip(curves, places, strict=True):
        figure.add_annotation(
            text=f"{label}<br>{percent(float(shares[-1]))}", x=len(reach) - 1, y=place, align="left",
            xanchor="left", xshift=12, showarrow=False, font={"size": FONT_SIZE, "color": colour},
        )  # fmt: skip
    figure.update_xaxes(axis(theme, "layers", range=[-0.15, len(reach) - 0.85], nticks=9, tickformat=",d"))
    title_y = "share of the graph" if shared is None else "share"
    figure.update_yaxes(
        axis(theme, title_y, range=[-3, 103], tick0=0, dtick=25, ticksuffix=f"{NARROW_SPACE}%")
    )
    figure.update_layout(showlegend=False, hovermode="x unified")
    alt = f"{title} {_in_words([(label, shares) for label, shares, *_ in curves])}"
    return styled(figure, theme, title=title, alt=alt, height=height, right=_LABEL_MARGIN)


def _curve(label: str, shares: NDArray[np.floating], colour: str, dash: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=np.arange(len(shares)),
        y=100 * shares,
        name=label,
        mode="lines+markers",
        line={"color": colour, "width": LINE_WIDTH, "dash": dash},
        marker={"color": colour, "size": CURVE_MARK_SIZE, "symbol": symbol},
        hovertemplate="%{y:.1f}" + NARROW_SPACE + "%",
    )


def _in_words(curves: list[tuple[str, NDArray[np.floating]]]) -> str:
    texts = []
    for label, shares in curves:
        values = (f"{percent(float(share))} with {depth}" for depth, share in enumerate(shares))
        texts.append(f"{label}: {', '.join(values)}.")
    return " ".join(texts)
