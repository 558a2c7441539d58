"""The list of nodes by the depth at which they turn wrong, what goes with that, and its CSV."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from gnnviz.config import RunConfig
from gnnviz.engine.stories import depth_stories, story_correlations
from gnnviz.graph import Graph
from gnnviz.node_stories import NodeStories, Turning, turning_depths
from gnnviz.story_words import (
    FACTS,
    correlation_in_words,
    list_in_words,
    sorted_nodes,
    stories_csv,
    story_columns,
)
from pages.shared.background import ask, graph
from pages.shared.fields import select
from pages.shared.selection import NODE, live

ORDER, CLASS, TABLE = "story_order", "story_class", "story_table"
EVERY_CLASS, EARLY = "every", "turned"


def story_list(config: RunConfig, run_ids: tuple[str, ...], turning: Turning, node: int) -> None:
    """Draw what goes with turning wrong early, and the nodes in a table.

    Args:
        config: a run on the graph.
        run_ids: the runs of several depths, shallow ones first.
        turning: for the first time, or for good.
        node: the one that is looked at; a click on a row chooses another.
    """
    data = graph(config.dataset)
    st.subheader("Who turns wrong early?")
    live("story-correlations", lambda: _correlations(run_ids, turning))
    order, label = _controls(data)
    live("story-list", lambda: _list(config, run_ids, turning, node, order, label))


def _correlations(run_ids: tuple[str, ...], turning: Turning) -> bool:
    """Say what goes with turning wrong early; return whether that is still being computed."""
    found = ask(story_correlations, run_ids, turning)
    if found is None:
        st.caption(":material/sync: Comparing the nodes ...")
        return True
    st.markdown("\n".join(f"- {correlation_in_words(each)}" for each in found))
    st.caption(
        "Over the labelled nodes that no net was trained on, by ranks; one that does not turn wrong counts "
        "as later than all others. The three go together themselves, and none need be the cause."
    )
    return False


def _controls(data: Graph) -> tuple[str, int | None]:
    """Draw what orders and filters the list; return the order's key and a class, or None for all."""
    orders = {
        EARLY: "the depth at which it turns wrong",
        **{name: fact.label for name, fact in FACTS.items()},
    }
    for_order, for_class, _ = st.columns([3, 3, 3])
    with for_order:
        order = select(
            ORDER, list(orders), EARLY, "Sorted by", orders.__getitem__,
            "Which nodes the list begins with: early ones, hubs, those among other classes, remote ones.",
        )  # fmt: skip
    classes = {str(index): name.replace("_", " ") for index, name in enumerate(data.class_names)}
    with for_class:
        label = select(
            CLASS, [EVERY_CLASS, *classes], EVERY_CLASS, "Class",
            lambda key: "every class" if key == EVERY_CLASS else classes[key],
            "Only nodes of this class are in the list.",
        )  # fmt: skip
    return order, None if label == EVERY_CLASS else int(label)


def _list(
    config: RunConfig, run_ids: tuple[str, ...], turning: Turning, node: int, order: str, label: int | None
) -> bool:
    """Draw the list of nodes and the way to take it away; return whether it is still being computed."""
    if st.session_state[NODE] not in (-1, node):
        st.rerun()  # a row was chosen: the whole view speaks of it
    found = ask(depth_stories, run_ids)
    if found is None:
        return True
    data = graph(config.dataset)
    nodes = sorted_nodes(found, turning_depths(found, turning), order, label)
    st.dataframe(
        pd.DataFrame(story_columns(found, data, nodes)),
        key=TABLE,
        hide_index=True,
        height=380,
        column_config=_heads(),
        on_select=lambda: _take_row(nodes.tolist()),
        selection_mode="single-row",
        placeholder="",
        alt="Nodes with their class, neighbours and the depth at which they turn wrong",
    )
    _take_away(config, found, data, len(nodes), label)
    return False


def _heads() -> dict[str, ColumnConfig]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "node": number("Node", format="%d", help="Its number."),
        "name": text("Name"),
        "class": text("Class", help="Empty: no label."),
        "neighbours": number("Neighbours", format="%d"),
        "local_homophily": number(
            "Of its class", format="percent", help="Share of its labelled neighbours of the same class."
        ),
        "training_distance": number(
            "To training", format="%d", help="Edges to the nearest training node; empty: none can be reached."
        ),
        "first_wrong_depth": number("First wrong", format="%d", help="Depth; empty: right at every depth."),
        "wrong_for_good_depth": number(
            "Wrong for good", format="%d", help="Depth; empty: right with the deepest net."
        ),
    }


def _take_row(nodes: Sequence[int]) -> None:
    chosen = st.session_state[TABLE].selection.rows
    if chosen:
        st.session_state[NODE] = nodes[chosen[0]]


def _take_away(config: RunConfig, found: NodeStories, data: Graph, shown: int, label: int | None) -> None:
    words, action = st.columns([4, 1.6], vertical_alignment="center")
    total = data.num_nodes if label is None else int((found.labels == label).sum())
    words.caption(f"{list_in_words(shown, total, 'nodes')}. Choose a row to go there.")
    action.download_button(
        "All nodes as CSV",
        partial(stories_csv, found, data),
        f"{config.dataset.name}-{config.model.model}-nodes-by-depth.csv",
        "text/csv",
        key="story-csv",
        on_click="ignore",
        icon=":material/download:",
        help="These columns for every node, with the class and probability that each depth predicts.",
        width="stretch",
    )
