"""The one call that draws a `GraphScene`: a keyed canvas for whole graphs and point clouds."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2 import component

from gnnviz.figures.scene import GraphScene

_BUTTON = (
    'type="button" style="font:600 15px inherit;min-width:32px;height:32px;padding:0 9px;border:1px solid;'
    'border-radius:6px;cursor:pointer;opacity:0.85"'
)
_HTML = f"""
<div class="gnnviz-scene" style="position:relative;width:100%">
  <canvas role="img" style="width:100%;display:block"></canvas>
  <div class="zoom" style="display:none;position:absolute;top:8px;right:8px;gap:6px">
    <button {_BUTTON} aria-label="Zoom in" title="Zoom in (or Ctrl + wheel)">+</button>
    <button {_BUTTON} aria-label="Zoom out" title="Zoom out (or Ctrl + wheel)">\u2212</button>
    <button {_BUTTON} aria-label="Show all again" title="Show all again (or a double click)">reset</button>
  </div>
  <div class="legend" style="display:flex;flex-wrap:wrap;gap:2px 18px;font-size:15px;padding-top:6px"></div>
  <div class="tip" style="display:none;position:absolute;pointer-events:none;white-space:pre-line;
    font-size:15px;padding:6px 10px;border:1px solid;border-radius:6px;max-width:280px;
    overflow-wrap:anywhere;z-index:5"></div>
</div>
"""
# One script of two files: what paints, and what listens.
_JS = "\n".join(
    Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("canvas_paint.js", "canvas.js")
)


def draw_scene(
    scene: GraphScene, key: str, *, stale: bool = False, on_click: Callable[[], None] | None = None
) -> None:
    """Draw `scene` in the element called `key`, or update what is drawn there; zoom and pan stay.

    Args:
        scene: from `gnnviz.figures`.
        key: names the element on this page.
        stale: dim the picture while a newer one is being made.
        on_click: called after a click on a node; its id is in `st.session_state[key].click`,
            -1 for a click beside all nodes while one is ringed.
    """
    _component()(
        key=key,
        data={"scene": _as_json(scene), "name": key, "stale": stale},
        on_click_change=on_click or _ignore,
    )


def _as_json(scene: GraphScene) -> str:
    return json.dumps(asdict(scene), default=_packed)


def _packed(array: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _ignore() -> None:
    """Take note of nothing: the page does not use this event."""


@st.cache_resource
def _component() -> Callable[..., object]:
    return component("gnnviz_canvas", html=_HTML, js=_JS, isolate_styles=False)
