"""Choose a model and a depth, train it in the background, and watch it learn."""

from collections.abc import Sequence

import streamlit as st
from plotly.graph_objects import Figure

from gnnviz.config import RunConfig
from gnnviz.figures.curves import training_curves
from gnnviz.figures.layout import percent
from gnnviz.findings import chance_levels, in_time, seconds_left, training_finding
from gnnviz.records import EpochRecord
from gnnviz.runs import RunState, RunStatus
from pages.shared import form, url
from pages.shared.background import cancel, engine, graph, history, run_config, run_store
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import RUN, STATE_WORDS, live, look_at, pick_run
from pages.shared.tour import link

RECENT_RUNS = 8


def page() -> None:
    """Draw the page."""
    selected = pick_run()
    headline = st.container()
    config = form.run_form(on_train=_start)
    values, defaults = form.published()
    url.publish({RUN: selected, **values}, defaults)
    if selected is None:
        headline.header("Choose a model and a depth, then press Train")
        draw(_curves(config, None, ()), "curves")
    else:
        with headline:
            live("headline", lambda: _headline(selected))
        live("watch", lambda: _watch(selected))
    live("recent", _recent_runs)


@url.saying_why_not
def _start(config: RunConfig) -> None:
    look_at(engine().submit(config))


@url.saying_why_not
def _resume(run_id: str) -> None:
    engine().resume(run_id)
    look_at(run_id)


def _headline(run_id: str) -> bool:
    """Draw what the selected run has reached; return whether it goes on."""
    status = run_store().status(run_id)
    st.header(training_finding(run_config(run_id), status))
    return status.state.is_active


def _watch(run_id: str) -> bool:
    """Draw the selected run's curves and how far it is; return whether it goes on."""
    config, status, records = run_config(run_id), run_store().status(run_id), history(run_id)
    draw(_curves(config, status, records), "curves")
    st.caption(
        "How to read it: the loss is what training lowers, in nats (0 is certain and right; lines that part "
        "show over-fitting). Accuracy is the share of nodes classified right. The epoch that is reported is "
        "the one with the highest **validation** accuracy; the test nodes never choose anything."
    )
    bar, action = st.columns([5, 1], vertical_alignment="center")
    bar.progress(status.epochs_done / config.training.epochs, text=_progress_words(config, status))
    with action:
        _action(run_id, status)
    if status.message and status.state is RunState.DONE:
        st.info(status.message, icon=":material/info:")
    elif status.message:
        st.error(status.message, icon=":material/error:")
    return status.state.is_active


def _curves(config: RunConfig, status: RunStatus | None, records: Sequence[EpochRecord]) -> Figure:
    return training_curves(
        records,
        current_theme(),
        title="",
        total_epochs=config.training.epochs,
        chance=chance_levels(graph(config.dataset)),
        best=status.best if status else None,
        model=config.model.model,
    )


def _progress_words(config: RunConfig, status: RunStatus) -> str:
    words = f"{STATE_WORDS[status.word]} · {status.epochs_done} of {config.training.epochs} epochs"
    left = seconds_left(history(config.run_id), config.training.epochs)
    if status.state is RunState.RUNNING and left is not None:
        return f"{words} · {in_time(left)} left"
    if status.seconds:
        return f"{words} · {in_time(status.seconds)} of training"
    return words


def _action(run_id: str, status: RunStatus, key: str = "selected") -> None:
    """Draw the one button that makes sense for a run: cancel, continue, or look inside."""
    if status.state.is_active:
        st.button(
            "Cancel",
            key=f"cancel-{key}",
            on_click=cancel,
            args=([run_id],),
            icon=":material/stop:",
            help="Stops after the current epoch. What was trained is kept, and can be continued.",
        )
    elif status.state is not RunState.DONE:
        st.button(
            "Continue",
            key=f"continue-{key}",
            on_click=_resume,
            args=(run_id,),
            icon=":material/play_arrow:",
            help="Goes on from the last saved state; the result is the same as without the break.",
        )
    else:
        link("embeddings", "See inside", "The hidden states of this run, layer by layer.", run=run_id)


def _recent_runs() -> bool:
    """Draw the newest runs, one a row, with what can be done to each; return whether one goes on."""
    st.subheader("Queue and finished runs")
    run_ids = run_store().run_ids()
    if not run_ids:
        st.caption("Nothing has been trained yet. Runs appear here, the newest on top.")
    for run_id in run_ids[:RECENT_RUNS]:
        config, status = run_config(run_id), run_store().status(run_id)
        name, state, result, look, action = st.columns([4, 2, 2, 1, 1.4], vertical_alignment="center")
        name.markdown(config.title)
        state.markdown(f"{STATE_WORDS[status.word]} · {status.epochs_done}/{config.training.epochs}")
        result.markdown(f"**{percent(status.best.test_acc)}** test" if status.best else "no result yet")
        look.button(
            "Show", key=f"show-{run_id}", on_click=look_at, args=(run_id,), help="Show its curves above."
        )
        with action:
            _action(run_id, status, run_id)
    if len(run_ids) > RECENT_RUNS:
        st.caption(f"The newest {RECENT_RUNS} of {len(run_ids)} runs; the others are in the sidebar's list.")
    return any(run_store().status(run_id).state.is_active for run_id in run_ids[:RECENT_RUNS])


page()
