"""How alike nodes are: the distribution of the cosine similarity between pairs of hidden states."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.figures.layout import NARROW_SPACE, axis, counted, empty_figure, percent, spread, styled
from gnnviz.figures.theme import BAND_OPACITY, FONT_SIZE, LINE_WIDTH, MAIN_HEIGHT, Theme, faded

_DASHES = ("solid", "dash", "dot", "dashdot")
_LABEL_GAP = 0.085


def cosine_histogram_figure(
    edges: NDArray[np.floating],
    counts: Mapping[str, NDArray[np.integer]],
    theme: Theme,
    *,
    title: str,
    reason: str = "There are no hidden states yet. They appear when the run is trained.",
) -> go.Figure:
    """Return the share of node pairs against their cosine similarity, one outline per kind of pair.

    The axis is -1 to 1 whatever the data, so that layers can be compared by switching between them.

    Args:
        edges: ends of the bins [B + 1], ascending, in -1..1.
        counts: number of pairs in each bin [B], by kind of pair ("same class"); one to four kinds.
        theme: light or dark.
        title: a sentence.
        reason: what the empty figure says.

    Raises:
        ConfigError: more than four kinds, or counts that do not fit the bins.
    """
    filled = {kind: np.asarray(number, dtype=np.float64) for kind, number in counts.items() if np.sum(number)}
    if not filled:
        return empty_figure(theme, title=title, reason=reason)
    _check(edges, filled)
    shares = {kind: 100 * number / number.sum() for kind, number in filled.items()}
    top = 1.25 * max(float(share.max()) for share in shares.values())
    figure = go.Figure()
    for (kind, share), dash in zip(shares.items(), _DASHES, strict=False):
        figure.add_trace(_outline(theme, edges, share, kind, dash))
    _label_peaks(figure, theme, edges, shares, top)
    pairs = "; ".join(f"{kind}: {counted(int(number.sum()))} pairs" for kind, number in filled.items())
    note = pairs.replace("; ", "<br>")
    figure.update_xaxes(
        axis(theme, f"cosine similarity of two nodes<br>{note}", range=[-1.02, 1.02], dtick=0.5)
    )
    figure.update_yaxes(
        axis(theme, "share of pairs", range=[0, top], ticksuffix=f"{NARROW_SPACE}%", nticks=5)
    )
    figure.update_layout(showlegend=False)
    peaks = "; ".join(_peak_in_words(edges, share, kind) for kind, share in shares.items())
    return styled(figure, theme, title=title, alt=f"{title} {peaks}.", height=MAIN_HEIGHT)


def _check(edges: NDArray[np.floating], counts: Mapping[str, NDArray[np.float64]]) -> None:
    if len(counts) > len(_DASHES):
        raise ConfigError(f"got {len(counts)} kinds of pairs; give at most {len(_DASHES)}")
    for kind, number in counts.items():
        if len(number) != len(edges) - 1:
            raise ConfigError(f"{kind}: got {len(number)} counts for {len(edges) - 1} bins; give one per bin")


def _outline(
    theme: Theme, edges: NDArray[np.floating], share: NDArray[np.float64], kind: str, dash: str
) -> go.Scatter:
    # The last value is repeated, so that the last bin has its width.
    return go.Scatter(
        x=np.asarray(edges, dtype=np.float64),
        y=np.append(share, share[-1]),
        name=kind,
        mode="lines",
        line={"color": theme.ink, "width": LINE_WIDTH, "dash": dash, "shape": "hv"},
        fill="tozeroy",
        fillcolor=faded(theme.muted, BAND_OPACITY),
        hovertemplate="from %{x:.2f}: %{y:.1f}" + NARROW_SPACE + "% of pairs",
    )


def _label_peaks(
    figure: go.Figure,
    theme: Theme,
    edges: NDArray[np.floating],
    shares: Mapping[str, NDArray[np.float64]],
    top: float,
) -> None:
    """Write each kind above its highest bin, towards the middle of the axis."""
    heights = [float(share.max()) for share in shares.values()]
    places = spread(heights, _LABEL_GAP * top, 0.05 * top, 0.92 * top)
    for (kind, share), place in zip(shares.items(), places, strict=True):
        peak = int(share.argmax())
        centre = float(edges[peak] + edges[peak + 1]) / 2
        figure.add_annotation(
            text=kind, x=centre, y=place, yanchor="bottom", showarrow=False,
            xanchor="right" if centre > 0.5 else "left" if centre < -0.5 else "center",
            font={"size": FONT_SIZE, "color": theme.ink}, bgcolor=faded(theme.background, 0.7),
        )  # fmt: skip


def _peak_in_words(edges: NDArray[np.floating], share: NDArray[np.float64], kind: str) -> str:
    peak = int(share.argmax())
    return (
        f"{kind}: most often from {edges[peak]:.2f} to {edges[peak + 1]:.2f} ({percent(share[peak] / 100)})"
    )
