"""The remedies lab: the chosen run as a ghost, the same run with remedies, and all remedies in a table."""

from collections.abc import Sequence

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.figures.compare import RunCurve
from gnnviz.figures.ghost import ghost_curves
from gnnviz.figures.theme import Part
from gnnviz.findings import chance_levels
from gnnviz.remedy_lab import (
    NO_REMEDY,
    as_it_is,
    differences,
    remedy_finding,
    undefined_measures,
    usable_remedies,
    with_remedies,
)
from gnnviz.runs import RunState, RunStatus
from pages.laboratory.remedy_table import NEXT, awaited, outcomes_of, remedy_table
from pages.shared import url
from pages.shared.background import cancel, graph, history, queue, run_store
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.model_form import explained, pick_remedies
from pages.shared.selection import live
from pages.shared.tour import link
from pages.shared.words import as_text

CHOICE, PART = "lab_remedies", "lab_nodes"
PARTS: dict[Part, str] = {"train": "training", "val": "validation", "test": "test"}


def remedies(config: RunConfig) -> None:
    """Draw the lab for a run that may have failed."""
    if NEXT in st.session_state:
        st.session_state[CHOICE] = st.session_state.pop(NEXT)
    headline = st.container()
    names, part = _controls(config)
    treated = with_remedies(config, names)
    with headline:
        live("lab-finding", lambda: _finding(config, treated, names))
    live("lab-curves", lambda: _curves(config, treated, part))
    live("lab-differences", lambda: _differences(config, treated))
    remedy_table(config)


def _controls(config: RunConfig) -> tuple[tuple[str, ...], Part]:
    """Draw what chooses the remedies and the curves; return the remedies' keys and a part of the nodes."""
    choice, button, curves = st.columns([4, 1.5, 3], vertical_alignment="bottom")
    with choice:
        names = pick_remedies(CHOICE, usable_remedies(config))
    with button:
        live("lab-train", lambda: _train(config, with_remedies(config, names)))
    url.choice(PART, list(PARTS), "val", "part of the nodes")
    part = curves.segmented_control(
        "Curves of", list(PARTS), key=PART, format_func=PARTS.__getitem__, required=True,
        help="Validation nodes choose the best epoch. What fails on the training nodes was not learnt.",
        persist_state="session",
    )  # fmt: skip
    with st.container():  # so that what is below keeps its place
        if names:
            st.caption(explained(names))
        if config.model.remedies.label:
            st.caption(
                f"The run above has {as_text(config.model.remedies.label)} already; what is trained here has "
                "exactly the remedies chosen here."
            )
    return names, part or "val"


def _train(config: RunConfig, treated: RunConfig) -> bool:
    """Draw the one button that makes sense for the run with the remedies; return whether it goes on."""
    if treated == config:
        st.button(
            "Train", key="lab-nothing", disabled=True, width="stretch", icon=":material/play_arrow:",
            help="Choose a remedy first.",
        )  # fmt: skip
        return False
    status = run_store().statuses([treated.run_id]).get(treated.run_id)
    active = status is not None and status.state.is_active
    done = status is not None and status.state is RunState.DONE
    if active:
        st.button(
            "Cancel", key="lab-cancel", on_click=cancel, args=([treated.run_id],), width="stretch",
            icon=":material/stop:", help="Stops after the current epoch. What was trained is kept.",
        )  # fmt: skip
    else:
        st.button(
            "Trained" if done else "Train",
            key="lab-start",
            type="primary",
            on_click=queue,
            args=([treated],),
            icon=":material/play_arrow:",
            disabled=done,
            width="stretch",
            help="The same data, depth, optimiser and seed; only the remedies differ.",
        )
    return active


def _finding(config: RunConfig, treated: RunConfig, names: Sequence[str]) -> bool:
    """Draw the claim; return whether it may change."""
    before, after = outcomes_of([config, treated])
    if treated == config:
        st.subheader(as_it_is(config, before))
    else:
        st.subheader(remedy_finding(config, names, before, after))
    return before.is_active or after.is_active


def _curves(config: RunConfig, treated: RunConfig, part: Part) -> bool:
    """Draw both runs epoch by epoch; return whether one still grows."""
    statuses = run_store().statuses([config.run_id, treated.run_id])
    shown = {
        run.run_id: _curve(run, statuses[run.run_id]) for run in (config, treated) if run.run_id in statuses
    }
    draw(
        ghost_curves(
            shown.get(config.run_id),
            shown.get(treated.run_id) if treated != config else None,
            current_theme(),
            title="",
            part=part,
            chance=chance_levels(graph(config.dataset), part),
        ),
        "lab-curves",
    )
    st.caption(
        "How to read it: the faint dashed line is the run above as it is, the strong one the same run with "
        "the remedies, from the same seed. The circles are the epochs that validation chose. With one seed "
        "each, a difference of a few points can be luck."
    )
    return any(status.state.is_active for status in statuses.values())


def _curve(config: RunConfig, status: RunStatus) -> RunCurve | None:
    records = history(config.run_id)
    limit = config.training.epochs if status.state.is_active else None
    label = config.model.remedies.label or NO_REMEDY.lower()
    return RunCurve(label, config.model.model, records, status.best, limit) if records else None


def _differences(config: RunConfig, treated: RunConfig) -> bool:
    """Print what the remedies changed; return whether a number may still change."""
    before, after = outcomes_of([config, treated])
    if treated == config:
        return awaited([before])
    found = differences(before, after, config.model)
    for place, difference in zip(st.columns(len(found) or 1), found, strict=False):
        place.metric(
            difference.label, difference.value, difference.change, delta_color="off", delta_arrow="off"
        )
    if found:
        st.caption(
            "Below each value is how it compares with the run as it is. Energy and rank are of the last "
            "hidden layer at the best epoch. Epochs are timed as they ran: beside other trainings they take "
            "longer."
        )
    for sentence in undefined_measures(before, after, config.model):
        st.info(sentence, icon=":material/info:")
    if after.epochs:
        with st.container(horizontal=True):
            link("training", "Open the run with the remedies", "Its curves.", run=treated.run_id)
            link("embeddings", "See its layers", "Its hidden states as pictures.", run=treated.run_id)
    return awaited([before, after])
