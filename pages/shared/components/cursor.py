"""The one call that draws a `CursorScene`: frames that the browser moves through by itself."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2 import component

from gnnviz.figures.cursor import CursorScene

HTML = """
<div class="gnnviz-cursor" role="group">
  <div class="controls">
    <button type="button" class="play">Play</button>
    <label>
      <span class="name"><span class="what"></span><span class="where"></span></span>
      <input type="range" min="0" max="0" step="1" value="0">
      <div class="ticks" aria-hidden="true"></div>
    </label>
  </div>
  <dl class="stamp"></dl>
  <div class="empty" hidden></div>
  <div class="panels"></div>
  <div class="legend"></div>
  <div class="tip"></div>
</div>
"""


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


CSS = _file("cursor.css")
# One script of three files: marks, what paints, and what moves.
SCRIPT = "\n".join(map(_file, ("cursor_marks.js", "cursor_paint.js", "cursor.js")))


def draw_cursor(scene: CursorScene, key: str) -> None:
    """Draw `scene` in the element called `key`, or update what is drawn there; the frame stays.

    Args:
        scene: from `gnnviz.figures.cursor`.
        key: names the element on this page.
    """
    _component()(key=key, data=cursor_data(scene, key))


def cursor_data(scene: CursorScene, key: str) -> dict[str, str]:
    """Return what the script is given: the scene as JSON, its arrays as base64 of their bytes."""
    return {"scene": json.dumps(asdict(scene), default=_packed), "name": key}


def _packed(array: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


@st.cache_resource
def _component() -> Callable[..., object]:
    return component("gnnviz_cursor", html=HTML, css=CSS, js=SCRIPT, isolate_styles=False)
