"""Panels that share their x axis: as plotly's own subplots place them, an independent road."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from gnnviz.figures.layout import axis
from gnnviz.figures.panels import on_row, stacked
from gnnviz.figures.theme import LIGHT

X = axis(LIGHT, "epoch", range=[0, 5])
YS = [axis(LIGHT, f"value {number}") for number in range(3)]


@pytest.mark.parametrize("shares", [(), (1.0, 1.0, 1.0), (0.5, 0.3, 0.2), (5.0, 3.0, 2.0)])
def test_axes_stand_where_subplots_puts_them(shares: tuple[float, ...]) -> None:
    figure = stacked(X, YS, shares=shares, gap=0.06)
    expected = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=list(shares) or None
    )
    for row in (1, 2, 3):
        number = "" if row == 1 else str(row)
        y, expected_y = figure.layout[f"yaxis{number}"], expected.layout[f"yaxis{number}"]
        assert y.domain == pytest.approx(expected_y.domain)
        assert y.anchor == expected_y.anchor
        x, expected_x = figure.layout[f"xaxis{number}"], expected.layout[f"xaxis{number}"]
        for name in ("anchor", "matches", "showticklabels"):
            assert x[name] == expected_x[name]


def test_only_the_lowest_panel_names_the_shared_axis() -> None:
    figure = stacked(X, YS)
    assert [figure.layout[name].title.text for name in ("xaxis", "xaxis2", "xaxis3")] == ["", "", "epoch"]
    assert [figure.layout[name].title.text for name in ("yaxis", "yaxis2", "yaxis3")] == [
        "value 0", "value 1", "value 2",
    ]  # fmt: skip
    assert X["title"]["text"] == "epoch"  # what was given is left as it was


def test_a_single_panel_takes_the_whole_height() -> None:
    figure = stacked(X, YS[:1])
    assert figure.layout.yaxis.domain == (0, 1)
    assert figure.layout.xaxis.title.text == "epoch"
    assert figure.layout.xaxis.showticklabels is None


def test_a_trace_of_a_row_is_drawn_on_the_axes_of_its_panel() -> None:
    assert on_row(1) == {"xaxis": "x", "yaxis": "y"}
    trace = go.Scatter(x=[1], y=[2], **on_row(2))
    assert (trace.xaxis, trace.yaxis) == ("x2", "y2")
