"""Panels below each other that share their x axis, with all axes made at once.

Plotly's `make_subplots` and `update_xaxes` look at every property of every axis again and again; a picture
that is drawn anew each second is made several times quicker so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go


def stacked(
    x: Mapping[str, Any], ys: Sequence[Mapping[str, Any]], *, shares: Sequence[float] = (), gap: float = 0.07
) -> go.Figure:
    """Return an empty figure with one panel for each y axis, the first on top.

    Args:
        x: settings of the x axis, which only the lowest panel names and numbers.
        ys: settings of each panel's y axis.
        shares: relative heights of the panels; equal ones if there are none.
        gap: between two panels, as a share of the whole height.
    """
    heights = [share / sum(shares) for share in shares] or [1 / len(ys)] * len(ys)
    room, axes, top, lowest = 1 - gap * (len(ys) - 1), {}, 1.0, len(ys)
    for row, (y, height) in enumerate(zip(ys, heights, strict=True), 1):
        bottom = max(top - room * height, 0.0)
        names = on_row(row)
        shared = {} if row == lowest else {"matches": on_row(lowest)["xaxis"], "showticklabels": False}
        title = x["title"] if row == lowest else {**x["title"], "text": ""}
        axes[_long(names["xaxis"])] = {**x, "title": title, "anchor": names["yaxis"], **shared}
        axes[_long(names["yaxis"])] = {**y, "anchor": names["xaxis"], "domain": [bottom, top]}
        top = bottom - gap
    return go.Figure(layout=axes)


def on_row(row: int) -> dict[str, str]:
    """Return plotly's names of the axes of a panel, counted from 1: what a trace in it is given."""
    number = "" if row == 1 else str(row)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def _long(axis: str) -> str:
    return f"{axis[0]}axis{axis[1:]}"
