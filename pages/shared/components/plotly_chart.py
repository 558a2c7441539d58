"""The one call that draws a figure: a keyed chart that is updated in place.

`st.plotly_chart` makes a new element for every new figure and so loses zoom and selection; this
component keeps its element and hands the new figure to `Plotly.react`.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from plotly.graph_objects import Figure
from streamlit.components.v2 import component

ASSET_PATH = "/gnnviz/plotly.min.js"

_HTML = '<div class="gnnviz-chart" role="img" style="width:100%"></div>'
_JS = (Path(__file__).with_suffix(".js")).read_text(encoding="utf-8")


def draw(
    figure: Figure,
    key: str,
    *,
    stale: bool = False,
    on_click: Callable[[], None] | None = None,
    on_chosen: Callable[[], None] | None = None,
) -> None:
    """Draw `figure` in the element called `key`, or update what is drawn there.

    Args:
        figure: any figure from `gnnviz.figures`; its layout carries the height in pixels.
        key: names the element on this page; the picture and what was clicked in it.
        stale: dim the picture while a newer one is being made.
        on_click: called after a click on marks; their node ids are in `st.session_state[key].click`.
        on_chosen: called after a lasso or box; the node ids are in `st.session_state[key].chosen`.
    """
    _component()(
        key=key,
        data={
            "figure": figure.to_json(),
            "config": {"displaylogo": False, "responsive": True, "scrollZoom": False},
            "name": key,
            "stale": stale,
            "url": ASSET_PATH,
        },
        on_click_change=on_click or _ignore,
        on_chosen_change=on_chosen or _ignore,
    )


def _ignore() -> None:
    """Take note of nothing: the page does not use this event."""


@st.cache_resource
def _component() -> Callable[..., object]:
    return component("gnnviz_plotly", html=_HTML, js=_JS, isolate_styles=False)
