"""All runs in a table: narrow it down, compare curves, continue, cancel, delete, take away."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler
from streamlit.elements.lib.column_types import ColumnConfig

from gnnviz.errors import DatasetError, RunError
from gnnviz.figures.compare import MOST_CURVES, RunCurve, compare_curves
from gnnviz.figures.curves import Quantity
from gnnviz.figures.layout import Chance, counted
from gnnviz.figures.theme import Part
from gnnviz.findings import chance_levels
from gnnviz.run_names import ID_SEPARATOR, curve_labels, named_runs, short_id
from gnnviz.run_ranking import (
    comparable,
    in_order_of_depth,
    ranked,
    ranking_note,
    runs_finding,
    share_task,
    table_order,
    validation_nodes,
)
from gnnviz.run_table import (
    COLUMNS,
    EVERYTHING,
    FILTERS,
    RunRow,
    RunTable,
    filter_options,
    in_megabytes,
    matching,
    total_size,
)
from gnnviz.runs import RunStore
from pages.shared import url
from pages.shared.background import graph, history, run_store, store_root
from pages.shared.components.plotly_chart import draw
from pages.shared.fields import select
from pages.shared.look import current_theme
from pages.shared.run_actions import note_change, rerun_if_changed, run_actions
from pages.shared.selection import live
from pages.shared.tour import link
from pages.shared.words import as_text

RUNS, PART, QUANTITY = "runs", "nodes", "curve"
TICKS = "runs_ticks"
CHOSEN = "runs_chosen"  # ids, also of runs that the filters hide
UNASKED_CURVES = 5
PARTS: dict[Part, str] = {"train": "training", "val": "validation", "test": "test"}
QUANTITIES: dict[Quantity, str] = {"acc": "accuracy", "loss": "loss"}


def page() -> None:
    """Draw the page."""
    rows = _table_of(store_root()).rows()
    if not rows:
        st.header("Nothing has been trained yet")
        link("training", "Train a model", "Choose a model and a depth, and watch it learn.")
        _ignored_folders()
        return
    ids = [row.run_id for row in rows]
    chosen = _chosen(ids)
    headline = st.container()
    wanted = _filters(rows)
    with headline:
        live("finding", lambda: _finding(_shown(rows, wanted), len(rows)))
    live("table", lambda: _table(rows, _shown(rows, wanted), chosen))
    part, quantity = _curve_controls(len(_compared(rows, _shown(rows, wanted), chosen)), len(chosen))
    live("curves", lambda: _curves(_compared(rows, _shown(rows, wanted), chosen), part, quantity))
    live("chosen", lambda: run_actions(_fresh([row for row in rows if row.run_id in chosen])))
    _ignored_folders()
    named = ID_SEPARATOR.join(short_id(run_id, ids) for run_id in chosen)
    url.publish(
        {RUNS: named or None, PART: part, QUANTITY: quantity, **wanted},
        {PART: "val", QUANTITY: "acc", **dict.fromkeys(FILTERS, EVERYTHING)},
    )


@st.cache_resource(show_spinner=False)
def _table_of(root: Path) -> RunTable:
    return RunTable(RunStore(root))


def _fresh(rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
    return _table_of(store_root()).refreshed(rows)


def _shown(rows: Sequence[RunRow], wanted: dict[str, str]) -> tuple[RunRow, ...]:
    return table_order(matching(_fresh(rows), wanted))


def _busy(rows: Sequence[RunRow]) -> bool:
    return any(row.status.state.is_active for row in rows)


def _chosen(ids: Sequence[str]) -> tuple[str, ...]:
    """Return the runs that are ticked: those that the address names, or that were ticked before."""
    text = url.arriving(RUNS)
    if text is not None:
        st.session_state[CHOSEN], sentences = named_runs(text, ids)
        for sentence in sentences:
            url.complain(sentence)
    there = set(ids)
    st.session_state[CHOSEN] = tuple(run_id for run_id in st.session_state.get(CHOSEN, ()) if run_id in there)
    return st.session_state[CHOSEN]


def _filters(rows: Sequence[RunRow]) -> dict[str, str]:
    """Draw the filters that have something to tell apart; return what each is set to."""
    options = {name: filter_options(rows, name) for name in FILTERS}
    useful = [name for name in FILTERS if len(options[name]) > 2]
    wanted = dict.fromkeys(FILTERS, EVERYTHING)
    columns = st.columns([1] * len(useful) + [max(1, 4 - len(useful))])
    for place, name in zip(columns, useful, strict=False):  # the last column is room that stays free
        record = FILTERS[name]
        with place:
            wanted[name] = select(
                name, options[name], EVERYTHING, record.label,
                lambda key, words=record.words: EVERYTHING if key == EVERYTHING else words(key),
                "Only these runs are in the table. Ticked ones stay ticked, and in the curves below.",
            )  # fmt: skip
    return wanted


def _finding(shown: Sequence[RunRow], total: int) -> bool:
    """Draw the page's claim and how it was chosen; return whether it may change."""
    st.header(as_text(runs_finding(shown, total)))
    best = comparable(shown)
    if best:
        try:
            nodes = validation_nodes(graph(best[0].config.dataset))
        except DatasetError as error:
            nodes = 0
            st.caption(as_text(str(error)))
        st.caption(ranking_note(shown, nodes))
    return _busy(shown)


def _table(rows: Sequence[RunRow], shown: Sequence[RunRow], chosen: Sequence[str]) -> bool:
    """Draw the table; return whether a number in it may change."""
    rerun_if_changed()
    if shown:
        ids = tuple(row.run_id for row in shown)
        ticked = [place for place, run_id in enumerate(ids) if run_id in chosen]
        if sorted(_ticked_rows()) != ticked:
            st.session_state[TICKS] = {"selection": {"rows": ticked}}
        st.dataframe(
            _written(shown),
            key=TICKS,
            hide_index=True,
            column_config={name: _head(name) for name in COLUMNS},
            on_select=partial(_take_ticks, ids),
            selection_mode="multi-row",
            placeholder="",
            alt="All runs with their settings and results",
        )
    hidden = len(set(chosen) - {row.run_id for row in shown})
    st.caption(
        "Tick runs to compare them and to see what can be done with them; a click on a column's head sorts. "
        f"All {counted(len(rows))} runs take {in_megabytes(total_size(rows))} on disk."
        + (f" {counted(hidden)} ticked ones are hidden by the filters." if hidden else "")
    )
    return _busy(rows)


def _ticked_rows() -> list[int]:
    return st.session_state[TICKS]["selection"]["rows"] if TICKS in st.session_state else []


def _take_ticks(ids: Sequence[str]) -> None:
    """Note which runs are ticked; `ids` are those of the table's rows, the others stay as they are."""
    others = [run_id for run_id in st.session_state[CHOSEN] if run_id not in ids]
    st.session_state[CHOSEN] = (*others, *(ids[row] for row in sorted(_ticked_rows()) if row < len(ids)))
    note_change()


def _written(rows: Sequence[RunRow]) -> Styler:
    """Return the table: sorted by numbers, written in words."""
    frame = pd.DataFrame({name: [column.value(row) for row in rows] for name, column in COLUMNS.items()})
    words = {name: column.words for name, column in COLUMNS.items() if column.words}
    table = frame.style
    table.format(words, na_rep="")
    return table


def _head(name: str) -> ColumnConfig:
    column = COLUMNS[name]
    if name == "asked":
        return st.column_config.DatetimeColumn(
            column.label, help=column.help, format="D MMM, HH:mm", timezone=st.context.timezone
        )
    return st.column_config.Column(column.label, help=column.help, width=column.width)


def _compared(rows: Sequence[RunRow], shown: Sequence[RunRow], chosen: Sequence[str]) -> tuple[RunRow, ...]:
    """Return the runs whose curves are drawn: the ticked ones, else the best of the table."""
    if chosen:
        best = ranked([row for row in _fresh(rows) if row.run_id in chosen])[:MOST_CURVES]
    else:
        best = (comparable(shown) or ranked(shown))[:UNASKED_CURVES]
    return in_order_of_depth([row for row in best if row.status.epochs_done])


def _curve_controls(count: int, chosen: int) -> tuple[Part, Quantity]:
    """Draw what stands above the curves; return whose curve of what is wanted."""
    if count < 2:
        st.subheader("Epoch by epoch")
    elif chosen > count:
        st.subheader(f"{count} of the {counted(chosen)} ticked runs, epoch by epoch")
    else:
        st.subheader(f"The {count} {'ticked' if chosen else 'best'} runs, epoch by epoch")
    url.choice(PART, list(PARTS), "val", "part of the nodes")
    url.choice(QUANTITY, list(QUANTITIES), "acc", "curve")
    left, right = st.columns([3, 5])
    quantity = left.segmented_control(
        "Curve", list(QUANTITIES), key=QUANTITY, format_func=QUANTITIES.__getitem__, required=True,
        help="Accuracy is the share of nodes right; the loss, in nats, is what training lowers.",
        persist_state="session",
    )  # fmt: skip
    part = right.segmented_control(
        "Nodes", list(PARTS), key=PART, format_func=PARTS.__getitem__, required=True,
        help="Validation nodes choose the best epoch and the best run. Test nodes choose nothing; look last.",
        persist_state="session",
    )  # fmt: skip
    if chosen > count == MOST_CURVES:
        st.caption(f"These {MOST_CURVES} have the best validation accuracy; more lines cannot be told apart.")
    return part or "val", quantity or "acc"


def _curves(rows: Sequence[RunRow], part: Part, quantity: Quantity) -> bool:
    """Draw the curves; return whether one of them still grows."""
    labels = curve_labels([row.config for row in rows])
    curves = [curve for row, label in zip(rows, labels, strict=True) if (curve := _curve(row, label))]
    chance = _chance(rows, part) if rows and share_task(rows) else None
    draw(
        compare_curves(curves, current_theme(), title="", part=part, quantity=quantity, chance=chance),
        "compare",
    )
    st.caption(
        "How to read it: a line is a run, the mark on it its best epoch by validation accuracy. Each model "
        "has a hue of its own; of one model, the stronger the line, the deeper the network. A pale line only "
        "leads to a name: that run has no further epochs."
    )
    if not share_task(rows):
        st.warning("These runs are on different graphs or splits: their numbers do not compare.")
    return _busy(rows)


def _curve(row: RunRow, label: str) -> RunCurve | None:
    """Return a run's curve, or None where its history cannot be read, after saying so."""
    try:
        records = history(row.run_id)
    except RunError as error:
        st.error(as_text(str(error)))
        return None
    config = row.config
    limit = config.training.epochs if row.status.state.is_active else None
    return RunCurve(label, config.model.model, records, row.status.best, limit) if records else None


def _chance(rows: Sequence[RunRow], part: Part) -> Chance | None:
    """Return what needs no learning, or None where the graph cannot be read, after saying so."""
    try:
        return chance_levels(graph(rows[0].config.dataset), part)
    except DatasetError as error:
        st.caption(f"Without lines for guessing: {as_text(str(error))}")
        return None


def _ignored_folders() -> None:
    """Name the folders that hold no whole run, and why."""
    problems = run_store().problems()
    if problems:
        count = "1 folder is" if len(problems) == 1 else f"{counted(len(problems))} folders are"
        with st.expander(f"{count} ignored", icon=":material/folder_off:"):
            st.markdown(
                "\n".join(f"- {as_text(name)}: {as_text(reason)}" for name, reason in problems.items())
            )


page()
