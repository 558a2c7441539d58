"""What a node hears: the sampled neighbourhood, the computation it stands for, and how far layers reach."""

from dataclasses import asdict

import streamlit as st

from gnnviz.datasets import DatasetSpec
from gnnviz.engine.neighbours import drawn_neighbourhood, parse_fan_outs, reach_of
from gnnviz.errors import ConfigError
from gnnviz.figures.neighbourhood import cut_note, neighbourhood_figure, neighbourhood_finding
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.reach import reach_figure, reach_finding
from gnnviz.figures.tree import computation_tree_figure, tree_finding
from gnnviz.graph import Graph
from pages.shared import url
from pages.shared.background import ask, graph, run_config
from pages.shared.components.plotly_chart import draw
from pages.shared.fields import select, whole
from pages.shared.look import current_theme
from pages.shared.selection import NODE, RUN, live, pick_run, search_node, take_click
from pages.shared.tour import link

USUAL = "10, 5"
FORMS = {"tree": "a tree: every path by itself", "merged": "merged: equal nodes of a layer are one"}
LARGEST_SAMPLE = 1_000_000


def page() -> None:
    """Draw the page."""
    run_id = pick_run()
    spec = run_config(run_id).dataset if run_id else DatasetSpec()
    data = graph(spec)
    headline = st.container()
    node, fan_outs, sample, form = _controls(data)
    url.publish(
        {RUN: run_id, NODE: node, "fanouts": st.session_state.fanouts, "sample": sample, "form": form},
        {"fanouts": USUAL, "sample": 0, "form": "tree"},
    )
    name = f"node {data.node_name(node)}"
    with headline:
        live("headline", lambda: _headline(spec, node, fan_outs, sample, form, name))
    live("sample", lambda: _sample(spec, node, fan_outs, sample, form, name))
    live("reach", lambda: _reach(spec, node, name))
    if run_id:
        link(
            "embeddings", "This node in the embedding", "The same node among all.", run=run_id, node=str(node)
        )


def _controls(data: Graph) -> tuple[int, tuple[int, ...], int, str]:
    """Draw the controls; return node, fan-outs, the sample's number and the form of the computation."""
    for_node, for_fans, for_sample, button, for_form = st.columns(
        [2.5, 2.5, 1.6, 1.6, 3], vertical_alignment="bottom"
    )
    with for_node:
        node = search_node(data)
    with for_fans:
        fan_outs = _fan_outs()
    with for_sample:
        sample = whole(
            "sample", 0, LARGEST_SAMPLE, 0, "Sample", "Its number decides what is drawn by chance."
        )
    button.button(
        "Resample",
        icon=":material/casino:",
        on_click=_resample,
        help="Draws other neighbours: in training, every step sees another sample.",
        width="stretch",
    )
    with for_form:
        form = select(
            "form", list(FORMS), "tree", "Computation as", FORMS.__getitem__,
            "The same sample either way. Merged is what is really computed; the tree shows why it grows.",
        )  # fmt: skip
    return node, fan_outs, sample, form


def _fan_outs() -> tuple[int, ...]:
    arrived = url.arriving("fanouts")
    if arrived is not None or "fanouts" not in st.session_state:
        st.session_state.fanouts = arrived or USUAL
    text = st.text_input(
        "Fan-outs",
        key="fanouts",
        persist_state="session",
        help="The most neighbours that a node draws, one number a layer, the node's own neighbours first. "
        "Where a node has fewer, it takes all. GraphSAGE's paper uses 25, 10.",
    )
    try:
        return parse_fan_outs(text)
    except ConfigError as error:
        st.warning(str(error))
        return parse_fan_outs(USUAL)


def _resample() -> None:
    st.session_state.sample += 1


def _headline(
    spec: DatasetSpec, node: int, fan_outs: tuple[int, ...], sample: int, form: str, name: str
) -> bool:
    """Draw the claim about the sample; return whether it is still being drawn."""
    drawn = ask(drawn_neighbourhood, spec, node, fan_outs, sample, form == "merged")
    st.header(neighbourhood_finding(drawn.view, name) if drawn else "Drawing neighbours ...")
    return drawn is None


def _sample(
    spec: DatasetSpec, node: int, fan_outs: tuple[int, ...], sample: int, form: str, name: str
) -> bool:
    """Draw the sample as a picture and as a computation; return whether it is still being drawn."""
    drawn = ask(drawn_neighbourhood, spec, node, fan_outs, sample, form == "merged")
    if drawn is None:
        return True
    data = graph(spec)
    nodes = NodeTable(data.y, data.class_names, names=data.node_names)
    picture, computation = st.columns(2, gap="large")
    with picture:
        draw(
            neighbourhood_figure(
                drawn.view, nodes, current_theme(), title="The neighbourhood that was drawn"
            ),
            "neighbourhood",
            on_click=lambda: take_click("neighbourhood"),
        )
        st.caption(
            "How to read it: the node is in the middle, rings are hops. Filled nodes and strong edges were "
            "drawn; hollow and faint ones exist but were not. Click a node to go there. "
            + cut_note(drawn.view)
        )
    with computation:
        draw(
            computation_tree_figure(drawn.tree, nodes, current_theme(), title=tree_finding(drawn.tree, name)),
            "computation",
            on_click=lambda: take_click("computation"),
        )
        st.caption(
            "How to read it: a column is a layer; a state is computed from the states it is joined to. What "
            "many paths lead to weighs more, and deep layers of different nodes end up with the same inputs."
        )
    st.dataframe(
        [asdict(hop) for hop in drawn.hops],
        hide_index=True,
        column_config={
            "hop": st.column_config.NumberColumn("Hop", help="1: the node's own neighbours."),
            "fan_out": st.column_config.NumberColumn("Fan-out", help="The most that a node draws."),
            "drawn": st.column_config.NumberColumn("Drawn", format="localized", help="Neighbours drawn."),
            "present": st.column_config.NumberColumn(
                "There are", format="localized", help="Neighbours without sampling."
            ),
            "new_nodes": st.column_config.NumberColumn(
                "New nodes", format="localized", help="Nodes that take part for the first time."
            ),
        },
    )
    return False


def _reach(spec: DatasetSpec, node: int, name: str) -> bool:
    """Draw how much of the graph the node hears with depth; return whether that is still being counted."""
    reach = ask(reach_of, spec, node)
    if reach is None:
        return True
    data = graph(spec)
    st.subheader(reach_finding(reach.node, reach.mean, name))
    draw(reach_figure(reach.node, reach.mean, current_theme(), title="", name=name), "reach")
    whole_graph = reach.sampled == data.num_nodes
    average = "over all nodes" if whole_graph else f"over a sample of {reach.sampled:,} nodes"
    st.caption(
        "How to read it: the share of all nodes that a node hears from, without sampling, against the "
        f"number of layers; the average is {average}. Once all nodes hear the same nodes, what they can say "
        "becomes alike: receptive fields that overlap are where over-smoothing begins."
    )
    return False


page()
