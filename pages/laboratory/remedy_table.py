"""All remedies at one depth in a table, one run each, and the button that trains what is missing."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from gnnviz.config import RunConfig
from gnnviz.engine.layer_measures import last_hidden_measure
from gnnviz.figures.layout import percent, significant
from gnnviz.findings import in_time, model_phrase
from gnnviz.remedy_lab import (
    RANK,
    Outcome,
    RemedyRun,
    by_validation,
    epoch_time,
    outcome,
    remedy_runs,
)
from gnnviz.runs import RunState, RunStatus
from gnnviz.smoothing import METRICS, matched_rayleigh
from gnnviz.sweeps import SweepPlan, seconds_to_train
from pages.shared.background import ask, cancel, engine, plan_of, queue, run_store, runs_on, time_left
from pages.shared.selection import live

TABLE = "lab_table"
NEXT = "lab_next"  # what a click in the table has chosen, until the field above takes it


def remedy_table(config: RunConfig) -> None:
    """Draw the table of the run's model and depth; a click on a row leaves its remedy under `NEXT`."""
    runs = remedy_runs(config)
    live("lab-table", lambda: _table(config, runs))


def outcomes_of(configs: Sequence[RunConfig]) -> list[Outcome]:
    """Return what came of each run; measures are there as soon as they are computed."""
    statuses = run_store().statuses([config.run_id for config in configs])
    return [_outcome(config, statuses.get(config.run_id)) for config in configs]


def _outcome(config: RunConfig, status: RunStatus | None) -> Outcome:
    if status is None or status.state is not RunState.DONE:
        return outcome(status, None, None)
    energy = ask(last_hidden_measure, config.run_id, matched_rayleigh(config.model), patience=0)
    return outcome(status, energy, ask(last_hidden_measure, config.run_id, RANK, patience=0))


def awaited(found: Sequence[Outcome]) -> bool:
    """Return whether a run goes on, or a measure of a finished one is still being computed."""
    return any(
        run.is_active or (run.state is RunState.DONE and None in (run.energy, run.rank)) for run in found
    )


def _table(config: RunConfig, runs: Sequence[RemedyRun]) -> bool:
    """Draw all remedies at this depth, each alone; return whether a number may still change."""
    if NEXT in st.session_state:
        st.rerun()  # a row was chosen: the field above and the curves follow
    st.subheader(f"Each remedy alone on {model_phrase(config)}")
    outcomes = outcomes_of([run.config for run in runs])
    rows = by_validation(runs, outcomes)
    st.dataframe(
        _written(rows, config),
        key=TABLE,
        hide_index=True,
        height="content",
        on_select=lambda: _take_row(rows),
        selection_mode="single-row",
        placeholder="",
        alt="All remedies with their accuracies and measures",
    )
    st.caption(
        "Choose a row to see its run above against the ghost, with links to open it. Sorted by validation "
        "accuracy, which is what a choice may look at; the test nodes choose nothing."
    )
    _queue(plan_of([run.config for run in runs]))
    return awaited(outcomes)


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
        st.session_state[NEXT] = [remedy] if remedy else []


def _queue(plan: SweepPlan) -> None:
    """Say how far the table is, and draw the button that queues what is missing."""
    words, action = st.columns([4, 1.6], vertical_alignment="center")
    total = len(plan.done) + len(plan.active) + len(plan.missing)
    if plan.active:
        left = time_left(plan)
        time = f", about {in_time(left)} left" if left is not None else ""
        words.progress(len(plan.done) / total, text=f"{len(plan.done)} of {total} runs are trained{time}")
    elif plan.missing:
        words.markdown(_missing_in_words(plan))
    if plan.missing:
        action.button(
            f"Train {len(plan.missing)} missing",
            key="lab-queue",
            on_click=queue,
            args=(plan.missing,),
            icon=":material/playlist_add:",
            width="stretch",
            help="Trains in the background, one run for each remedy; what is finished is not trained again.",
        )
    if plan.waiting:
        action.button(
            "Cancel waiting",
            key="lab-stop",
            on_click=cancel,
            args=([run.run_id for run in plan.waiting],),
            icon=":material/stop:",
            width="stretch",
            help="Takes the runs that have not begun out of the queue; what is running goes on.",
        )


def _missing_in_words(plan: SweepPlan) -> str:
    known = runs_on(plan.missing[0].dataset.name)
    seconds = seconds_to_train(plan.missing, known, engine().train_workers)
    pace = f" At the pace of earlier runs that takes about **{in_time(seconds)}**." if seconds else ""
    count = len(plan.missing)
    return f"**{count}** of these runs {'is' if count == 1 else 'are'} not trained yet.{pace}"
