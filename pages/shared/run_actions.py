"""What can be done with the ticked runs: continue, cancel, delete, look deeper, take away."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from gnnviz.errors import GnnvizError
from gnnviz.figures.layout import counted, listed
from gnnviz.models import MODELS, ModelSpec
from gnnviz.run_exports import config_json, history_csv
from gnnviz.run_names import file_stem
from gnnviz.run_ranking import in_order_of_depth, ranked
from gnnviz.run_table import RunRow, in_megabytes, total_size
from gnnviz.runs import RunState
from pages.shared.background import engine, run_store
from pages.shared.selection import STATE_WORDS
from pages.shared.tour import link
from pages.shared.words import as_text

MOST_LINES = 8

# The pages that look inside a run: label, what is seen there, and for which models.
_DEEPER: dict[str, tuple[str, str, Callable[[ModelSpec], bool]]] = {
    "oversmoothing": ("Over-smoothing", "How alike its nodes become, layer by layer.", lambda _model: True),
    "embeddings": ("Embeddings", "Its hidden states, layer by layer.", lambda _model: True),
    "attention": ("Attention", "What its heads look at.", lambda model: model.has_heads),
    "neighbourhoods": ("Neighbourhoods", "What a node hears from.", lambda model: model.uses_graph),
}
_CHANGED = "runs_changed"
_COMPLAINTS = "runs_complaints"


def note_change() -> None:
    """Have the whole page drawn anew: one of its parts changed what the others show."""
    st.session_state[_CHANGED] = True


def rerun_if_changed() -> None:
    """Draw the whole page anew if `note_change` asked for it; for the start of a part."""
    if st.session_state.pop(_CHANGED, False):
        st.rerun()


def run_actions(rows: Sequence[RunRow]) -> bool:
    """Draw what can be done with the ticked runs; return whether that may change."""
    rerun_if_changed()
    for complaint in st.session_state.pop(_COMPLAINTS, ()):
        st.error(as_text(complaint), icon=":material/error:")
    if not rows:
        return False
    what = "the ticked run" if len(rows) == 1 else f"the {counted(len(rows))} ticked runs"
    st.subheader(f"What to do with {what}")
    idle = [row for row in rows if not row.status.state.is_active]
    active = [row for row in rows if row.status.state.is_active]
    unfinished = [row for row in idle if row.status.state is not RunState.DONE]
    with st.container(horizontal=True):
        _button(
            "Continue", unfinished, ":material/play_arrow:", engine().resume, "Goes on from the last state."
        )
        _button("Cancel", active, ":material/stop:", engine().cancel, "Stops after the current epoch.")
        _delete(idle, active)
    for row in in_order_of_depth(ranked(rows)[:MOST_LINES]):
        _run_line(row)
    if len(rows) > MOST_LINES:
        st.caption(
            f"The {MOST_LINES} best of {counted(len(rows))} ticked runs; tick fewer to see the others."
        )
    return bool(active)


def _button(word: str, rows: Sequence[RunRow], icon: str, act: Callable[[str], object], hint: str) -> None:
    """Draw a button that does something to some of the ticked runs, if there are any such."""
    if rows:
        what = "" if len(rows) == 1 else f" {counted(len(rows))} runs"
        st.button(
            f"{word}{what}", key=f"runs-{word}", on_click=_apply, args=(act, [row.run_id for row in rows]),
            icon=icon, help=hint,
        )  # fmt: skip


def _apply(act: Callable[[str], object], run_ids: Sequence[str]) -> None:
    """Do something to each run; what is refused is said in words, and the others are done all the same."""
    complaints = []
    for run_id in run_ids:
        try:
            act(run_id)
        except GnnvizError as error:
            complaints.append(str(error))
    st.session_state[_COMPLAINTS] = tuple(dict.fromkeys(complaints))  # each reason once
    note_change()


def _delete(idle: Sequence[RunRow], active: Sequence[RunRow]) -> None:
    """Draw the way to delete runs: what would go is said first, and asked for a second time."""
    with st.popover("Delete ...", icon=":material/delete:", key="runs-delete"):
        if active:
            names = listed([as_text(text) for text in _titles(active)])
            st.warning(f"Still queued or running, and so not deleted: {names}. Cancel first, then delete.")
        if not idle:
            return
        freed = in_megabytes(total_size(idle))
        what = "this run" if len(idle) == 1 else f"these {counted(len(idle))} runs"
        st.markdown(f"**Delete {what}?** Weights, history and settings go; {freed} are freed.")
        st.markdown("\n".join(f"- {as_text(text)}" for text in _titles(idle)))
        st.caption("There is no way back; the same settings can be trained anew.")
        st.button(
            f"Delete {what} for good", key="runs-delete-sure", type="primary", on_click=_apply,
            args=(run_store().delete, [row.run_id for row in idle]),
        )  # fmt: skip


def _titles(rows: Sequence[RunRow]) -> list[str]:
    """Return what a list of runs says: the first few by name, the others as a number."""
    more = [f"{counted(len(rows) - MOST_LINES)} more"] if len(rows) > MOST_LINES else []
    return [*(f"{row.config.title} · {row.run_id[:4]}" for row in rows[:MOST_LINES]), *more]


def _run_line(row: RunRow) -> None:
    """Draw one run with where to look deeper and what to take away."""
    run_id, config, status = row.run_id, row.config, row.status
    stem = file_stem(config)
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{as_text(config.title)}** · {run_id[:4]} · {STATE_WORDS[status.word]}")
        link("training", "Training", "Its curves, and how far it is.", run=run_id)
        if status.epochs_done:
            for page, (label, hint, shows) in _DEEPER.items():
                if shows(MODELS[config.model.model]):
                    link(page, label, hint, run=run_id)
        st.download_button(
            "History CSV", partial(_history_csv, run_id), f"{stem}-history.csv", "text/csv",
            key=f"csv-{run_id}", on_click="ignore", icon=":material/download:",
            help="Losses, accuracies, norms of gradients and weights by layer, and seconds, of every epoch.",
        )  # fmt: skip
        st.download_button(
            "Config JSON", config_json(config), f"{stem}-config.json", "application/json",
            key=f"json-{run_id}", on_click="ignore", icon=":material/download:",
            help="Everything that decides the result: data, model, training, device.",
        )  # fmt: skip
        if status.message:
            st.caption(as_text(status.message))


def _history_csv(run_id: str) -> str:
    return history_csv(run_store().history(run_id))
