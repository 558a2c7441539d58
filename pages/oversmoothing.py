"""The over-smoothing laboratory: one run, looked at in several ways, one at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.controls import DEFAULT_LINES
from gnnviz.findings import training_finding
from gnnviz.published import closest
from pages.laboratory.cursor import OVER, cursor
from pages.laboratory.depths import PUBLISHED_SWITCH, ROWS, depths
from pages.laboratory.layers import EXTENT, LINES, OTHERS, VALUES, layers
from pages.laboratory.measure import MATCHED, MEASURE, pick_measure
from pages.laboratory.remedies import CHOICE, PART, remedies
from pages.laboratory.stories import TURNING, stories
from pages.laboratory.why import why
from pages.shared import sweep_form, url
from pages.shared.background import run_config, run_store
from pages.shared.selection import EPOCH, NODE, RUN, UNHURRIED, live, pick_run
from pages.shared.tour import link

VIEW = "view"
_DEPTHS = {MEASURE: MATCHED, PUBLISHED_SWITCH: "off", ROWS: ()}
_LAYERS = {MEASURE: MATCHED, LINES: DEFAULT_LINES, OTHERS: (), EXTENT: "whole", VALUES: "one"}


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a run.

    Attributes:
        label: the words in the picker.
        draw: draws it below the picker.
        published: its values that stand in the address, by key, each with its default.
        sweeps: whether the form that queues a sweep belongs to it.
    """

    label: str
    draw: Callable[[RunConfig], None]
    published: Mapping[str, object] = field(default_factory=dict)
    sweeps: bool = False


def page() -> None:
    """Draw the page."""
    run_id = pick_run()
    if run_id is None:
        st.header("No run has been trained yet")
        link("training", "Train one", "Choose a model and a depth, and watch it learn.")
        return
    config = run_config(run_id)
    url.choice(VIEW, list(_VIEWS), "layers", "view")
    chosen = st.segmented_control(
        "View",
        list(_VIEWS),
        key=VIEW,
        format_func=lambda name: _VIEWS[name].label,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    view = _VIEWS[chosen or "layers"]
    view.draw(config)
    values = {key: st.session_state.get(key) for key in view.published}
    defaults = dict(view.published) | {ROWS: closest(config.model), VIEW: "layers"}
    if view.sweeps:
        sweep_form.sweep_form(config)
        more, usual = sweep_form.published(config)
        values, defaults = values | more, defaults | usual
    url.publish({RUN: run_id, VIEW: chosen, **values}, defaults)


def _layers_and_depths(config: RunConfig) -> None:
    layers(config)
    depths(config)


def _picked_depths(config: RunConfig) -> None:
    pick_measure(config)
    depths(config)


def _below_result(view: Callable[[RunConfig], None]) -> Callable[[RunConfig], None]:
    """Return a view with what the run has reached as the page's claim above the view's own."""

    def draw(config: RunConfig) -> None:
        live("result", lambda: _result(config), UNHURRIED)
        view(config)

    return draw


def _result(config: RunConfig) -> bool:
    """Say what the run has reached; return whether that may change."""
    status = run_store().status(config.run_id)
    st.header(training_finding(config, status))
    return status.state.is_active


_VIEWS = {
    "layers": View("Layers", _layers_and_depths, _DEPTHS | _LAYERS, sweeps=True),
    "depths": View("Depths", _below_result(_picked_depths), _DEPTHS, sweeps=True),
    "cursor": View("Depth cursor", _below_result(cursor), {OVER: "depths", EPOCH: "best"}, sweeps=True),
    "why": View("Why did it fail?", _below_result(why)),
    "remedies": View("Remedies", _below_result(remedies), {CHOICE: (), PART: "val"}),
    "nodes": View("Each node's story", _below_result(stories), {NODE: -1, TURNING: "ever"}),
}

page()
