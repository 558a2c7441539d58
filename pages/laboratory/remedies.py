"""The remedies lab: the chosen run as a ghost, the same run with remedies, and all remedies in a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from gnnviz.config import RunConfig
from gnnviz.engine.layer_measures import last_hidden_measure
from gnnviz.figures.compare import RunCurve
from gnnviz.figures.ghost import ghost_curves
from gnnviz.figures.layout import percent, significant
from gnnviz.figures.theme import Part
from gnnviz.findings import chance_levels, in_time, model_phrase
from gnnviz.remedy_lab import (
    NO_REMEDY,
    RANK,
    Outcome,
    RemedyRun,
    by_validation,
    differences,
    epoch_time,
    known_statuses,
    outcome,
    remedy_finding,
    remedy_runs,
    undefined_measures,
    usable_remedies,
    with_remedies,
)
from gnnviz.runs import RunState, RunStatus
from gnnviz.smoothing import METRICS, matched_rayleigh
from gnnviz.sweeps import SweepPlan, seconds_to_train, sweep_plan, sweep_seconds_left
from pages.shared import url
from pages.shared.background import ask, engine, graph, history, run_config, run_store
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.model_form import explained, pick_remedies
from pages.shared.selection import live
from pages.shared.tour import link
from pages.shared.words import as_text

CHOICE, PART = "lab_remedies", "lab_nodes"
TABLE = "lab_table"
_NEXT = "lab_next"  # what a click in the table has chosen: the field above takes it when it is drawn next
PARTS: dict[Part, str] = {"train": "training", "val": "validation", "test": "test"}


def remedies(config: RunConfig) -> None:
    """Draw the lab for a run that may have failed."""
    if _NEXT in st.session_state:
        st.session_state[CHOICE] = st.session_state.pop(_NEXT)
    headline = st.container()
    names, part = _controls(config)
    treated = with_remedies(config, names)
    with headline:
        live("lab-finding", lambda: _finding(config, treated, names))
    live("lab-curves", lambda: _curves(config, treated, part))
    live("lab-differences", lambda: _differences(config, treated))
    live("lab-table", lambda: _table(config, remedy_runs(config)))


def _controls(config: RunConfig) -> tuple[tuple[str, ...], Part]:
    """Draw what chooses the remedies and the curves; return the remedies' keys and a part of the nodes."""
    choice, button, curves = st.columns([4, 1.5, 3], vertical_alignment="bottom")
    with choice:
        names = pick_remedies(CHOICE, usable_remedies(config))
    with button:
        live("lab-train", lambda: _train(with_remedies(config, names)))
    url.choice(PART, list(PARTS), "val", "part of the nodes")
    part = curves.segmented_control(
        "Curves of", list(PARTS), key=PART, format_func=PARTS.__getitem__, required=True,
        help="Validation nodes choose the best epoch. What fails on the training nodes was not learnt.",
        persist_state="session",
    )  # fmt: skip
    if names:
        st.caption(explained(names))
    if config.model.remedies.label:
        st.caption(
            f"The run above has {as_text(config.model.remedies.label)} already; what is trained here has "
            "exactly the remedies chosen here."
        )
    return names, part or "val"


def _train(treated: RunConfig) -> bool:
    """Draw the one button that makes sense for the run with the remedies; return whether it goes on."""
    status = known_statuses(run_store(), [treated.run_id]).get(treated.run_id)
    active = status is not None and status.state.is_active
    done = status is not None and status.state is RunState.DONE
    if active:
        st.button(
            "Cancel", key="lab-cancel", on_click=engine().cancel, args=(treated.run_id,), width="stretch",
            icon=":material/stop:", help="Stops after the current epoch. What was trained is kept.",
        )  # fmt: skip
    else:
        st.button(
            "Trained" if done else "Train",
            key="lab-start",
            type="primary",
            on_click=_submit,
            args=([treated],),
            icon=":material/play_arrow:",
            disabled=done,
            width="stretch",
            help="The same data, depth, optimiser and seed; only the remedies differ.",
        )
    return active


def _finding(config: RunConfig, treated: RunConfig, names: Sequence[str]) -> bool:
    """Draw the claim; return whether it may change."""
    before, after = _outcomes([config, treated])
    if treated == config:
        st.subheader(
            f"What would help {model_phrase(config)}? Choose a remedy and train the same run with it"
        )
    else:
        st.subheader(remedy_finding(config, names, before, after))
    return before.is_active or after.is_active


def _outcomes(configs: Sequence[RunConfig]) -> list[Outcome]:
    """Return what came of each run; measures are there as soon as they are computed."""
    statuses = known_statuses(run_store(), [config.run_id for config in configs])
    return [_outcome(config, statuses.get(config.run_id)) for config in configs]


def _outcome(config: RunConfig, status: RunStatus | None) -> Outcome:
    if status is None or status.state is not RunState.DONE:
        return outcome(status, None, None)
    energy = ask(last_hidden_measure, config.run_id, matched_rayleigh(config.model), patience=0)
    return outcome(status, energy, ask(last_hidden_measure, config.run_id, RANK, patience=0))


def _awaited(found: Sequence[Outcome]) -> bool:
    """Return whether a run goes on, or a measure of a finished one is still being computed."""
    return any(
        run.is_active or (run.state is RunState.DONE and None in (run.energy, run.rank)) for run in found
    )


def _curves(config: RunConfig, treated: RunConfig, part: Part) -> bool:
    """Draw both runs epoch by epoch; return whether one still grows."""
    statuses = known_statuses(run_store(), [config.run_id, treated.run_id])
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
    before, after = _outcomes([config, treated])
    if treated == config:
        return _awaited([before])
    found = differences(before, after, config.model)
    for place, difference in zip(st.columns(len(found) or 1), found, strict=False):
        place.metric(difference.label, difference.value, difference.change, delta_color="off")
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
    return _awaited([before, after])


def _table(config: RunConfig, runs: Sequence[RemedyRun]) -> bool:
    """Draw all remedies at this depth, each alone; return whether a number may still change."""
    if _NEXT in st.session_state:
        st.rerun()  # a row was chosen: the field above and the curves follow
    st.subheader(f"Each remedy alone on {model_phrase(config)}")
    outcomes = _outcomes([run.config for run in runs])
    rows = by_validation(runs, outcomes)
    st.dataframe(
        _written(rows, config),
        key=TABLE,
        hide_index=True,
        height="content",
        on_select=lambda: _take_row(rows),
        selection_mode="single-row",
        alt="All remedies with their accuracies and measures",
    )
    st.caption(
        "Choose a row to see its run above against the ghost, with links to open it. Sorted by validation "
        "accuracy, which is what a choice may look at; the test nodes choose nothing."
    )
    _queue(sweep_plan(run_store(), [run.config for run in runs]))
    return _awaited(outcomes)


def _written(rows: Sequence[tuple[RemedyRun, Outcome]], config: RunConfig) -> Styler:
    """Return the table: sorted by numbers, written in words."""
    energy = METRICS[matched_rayleigh(config.model)].label
    columns = {
        "Remedy": [run.label for run, _ in rows],
        "Validation": [found.best.val_acc if found.best else None for _, found in rows],
        "Test": [found.best.test_acc if found.best else None for _, found in rows],
        energy: [found.energy.value if found.energy else None for _, found in rows],
        METRICS[RANK].label: [found.rank.value if found.rank else None for _, found in rows],
        "Time per epoch": [found.epoch_seconds for _, found in rows],
        "State": [found.state.value if found.state else "not trained yet" for _, found in rows],
    }
    table = pd.DataFrame(columns).style
    words = {"Validation": percent, "Test": percent, "Time per epoch": epoch_time}
    table.format({**words, energy: significant, METRICS[RANK].label: significant}, na_rep="")
    return table


def _take_row(rows: Sequence[tuple[RemedyRun, Outcome]]) -> None:
    chosen = st.session_state[TABLE].selection.rows
    if chosen:
        remedy = rows[chosen[0]][0].remedy
        st.session_state[_NEXT] = [remedy] if remedy else []


def _queue(plan: SweepPlan) -> None:
    """Say how far the table is, and draw the button that queues what is missing."""
    words, action = st.columns([4, 1.6], vertical_alignment="center")
    total = len(plan.done) + len(plan.active) + len(plan.missing)
    if plan.active:
        left = sweep_seconds_left(
            plan.active, [history(run.run_id) for run in plan.active], engine().train_workers
        )
        time = f", about {in_time(left)} left" if left is not None else ""
        words.progress(len(plan.done) / total, text=f"{len(plan.done)} of {total} runs are trained{time}")
    elif plan.missing:
        words.markdown(_missing_in_words(plan))
    if plan.missing:
        action.button(
            f"Train {len(plan.missing)} missing",
            key="lab-queue",
            on_click=_submit,
            args=(plan.missing,),
            icon=":material/playlist_add:",
            width="stretch",
            help="Trains in the background, one run for each remedy; what is finished is not trained again.",
        )
    waiting = [run for run in plan.active if run_store().status(run.run_id).state is RunState.QUEUED]
    if waiting:
        action.button(
            "Cancel waiting",
            key="lab-stop",
            on_click=_cancel,
            args=(waiting,),
            icon=":material/stop:",
            width="stretch",
            help="Takes the runs that have not begun out of the queue; what is running goes on.",
        )


def _missing_in_words(plan: SweepPlan) -> str:
    name = plan.missing[0].dataset.name
    configs = [run_config(run_id) for run_id in run_store().run_ids()]
    known = [(run, run_store().status(run.run_id)) for run in configs if run.dataset.name == name]
    seconds = seconds_to_train(plan.missing, known, engine().train_workers)
    pace = f" At the pace of earlier runs that takes about **{in_time(seconds)}**." if seconds else ""
    count = len(plan.missing)
    return f"**{count}** of these runs {'is' if count == 1 else 'are'} not trained yet.{pace}"


def _submit(configs: Sequence[RunConfig]) -> None:
    for config in configs:
        engine().submit(config)


def _cancel(configs: Sequence[RunConfig]) -> None:
    for config in configs:
        engine().cancel(config.run_id)
