"""The graph before any model: its picture, its nodes, its degrees, pieces, classes and split."""

from dataclasses import replace

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.datasets import DatasetSpec, available_splits, dataset_names
from gnnviz.edits import edit_and_report
from gnnviz.engine.places import graph_places
from gnnviz.engine.summaries import NodeResults, node_results
from gnnviz.figures.graph import GraphNodes, NodeColour, whole_graph
from gnnviz.figures.graph_statistics import class_bars, class_mixing, component_bars, degree_histogram
from gnnviz.figures.nodes import NodeTable
from gnnviz.graph import Graph
from gnnviz.graph_findings import (
    Words,
    cleaning_in_words,
    components_in_words,
    degrees_in_words,
    drawn_in_words,
    graph_finding,
    homophily_in_words,
    neighbour_table,
    node_facts,
    node_in_words,
    reading_in_words,
    words_of,
)
from gnnviz.graph_layout import drawn_edges
from gnnviz.graph_statistics import (
    PARTS,
    GraphStatistics,
    NodeReport,
    find_nodes,
    graph_statistics,
    node_parts,
    node_report,
)
from gnnviz.models import MODELS
from pages.shared import url
from pages.shared.background import ask, graph, run_config, run_store
from pages.shared.components.canvas import draw_scene
from pages.shared.components.plotly_chart import draw
from pages.shared.data_form import edit_defaults, edit_fields
from pages.shared.graph_form import COLOUR, OF_RUN, pick_colour, pick_data, pick_split
from pages.shared.look import current_theme
from pages.shared.selection import NODE, RUN, live, pick_node, pick_run, take_click
from pages.shared.tour import link
from pages.shared.words import as_text

SEARCH, PICTURE = "find", "graph"


def page() -> None:
    """Draw the page."""
    run_id = pick_run()
    config = run_config(run_id) if run_id else None
    headline = st.container()
    for_data, for_split, for_colour, for_search = st.columns([3, 2.5, 4, 2.5], vertical_alignment="bottom")
    with for_data, st.container():
        name = pick_data(config)
    with for_split, st.container():
        spec = config.dataset if config and name == OF_RUN else pick_split(name)
    if name != OF_RUN:
        spec = replace(spec, edits=edit_fields())
    data, words = graph(spec), words_of(spec.name)
    statistics = _statistics(spec)
    headline.header(as_text(graph_finding(data.name, statistics, words)))
    of_run = run_id if config and config.dataset == spec else None
    with for_colour:
        colour = pick_colour(data, of_run)
    node = pick_node(data)
    with for_search:
        _search(data)
    _publish(config, name, spec, node)
    live("picture", lambda: _picture(spec, of_run, colour, node))
    st.caption(reading_in_words(words, colour))
    if node is not None:
        _node(node_report(data, node), data, words, of_run)
    _details(data, statistics, words)
    _changes(spec, words)


def _publish(config: RunConfig | None, name: str, spec: DatasetSpec, node: int | None) -> None:
    values = {
        RUN: config.run_id if config else None,
        "data": name,
        "split": None if name == OF_RUN else spec.split,
        "split_seed": None if name == OF_RUN else spec.split_seed,
        "colour": st.session_state[COLOUR],
        NODE: node,
        **({} if name == OF_RUN else {key: st.session_state.get(key) for key in edit_defaults()}),
    }
    standard = {"data": OF_RUN if config else dataset_names()[0], "colour": "class", **edit_defaults()}
    url.publish(values, {**standard, "split": available_splits(spec.name)[0], "split_seed": 0})


@st.cache_resource(show_spinner=False, max_entries=16)
def _statistics(spec: DatasetSpec) -> GraphStatistics:
    return graph_statistics(graph(spec))


def _search(data: Graph) -> None:
    """Draw the field that finds a node; say so where it finds none."""
    st.text_input(
        "Find a node",
        key=SEARCH,
        placeholder="name or number",
        on_change=_take_search,
        args=(data,),
        help="The whole name, its beginning or any part of it; or the node's number.",
    )
    text = st.session_state[SEARCH]
    if text and not find_nodes(data, text):
        st.caption(f"No node is called {as_text(text)}.")


def _take_search(data: Graph) -> None:
    found = find_nodes(data, st.session_state[SEARCH])
    if found:
        st.session_state[NODE] = found[0]


def _show_node(node: int) -> None:
    st.session_state[NODE] = node


def _picture(spec: DatasetSpec, of_run: str | None, colour: NodeColour, node: int | None) -> bool:
    """Draw the whole graph; return whether its places or its predictions are still being computed."""
    if st.session_state[NODE] != (-1 if node is None else node):
        st.rerun()  # a node was clicked in the picture: the whole page speaks of it
    data = graph(spec)
    places = ask(graph_places, spec, slow=True)
    results = _results(of_run) if colour == "right_wrong" and of_run else None
    waiting = places is None or (colour == "right_wrong" and results is None)
    scene = whole_graph(
        places,
        drawn_edges(data, places.nodes) if places else None,
        _nodes(data, results),
        current_theme(),
        alt=f"The {data.num_nodes} nodes and {data.num_edges} edges of {data.name}.",
        colour_by="class" if waiting else colour,
        primary=node,
        neighbours=None if node is None else node_report(data, node).neighbours,
        note="The nodes are being placed ...",
    )
    draw_scene(scene, PICTURE, on_click=lambda: take_click(PICTURE))
    if places and len(places.nodes) < data.num_nodes:
        st.warning(drawn_in_words(len(places.nodes), data.num_nodes), icon=":material/content_cut:")
    return waiting


def _results(run_id: str) -> NodeResults | None:
    """Return what the run predicts at its best epoch; None while that is being computed."""
    best = run_store().status(run_id).best
    return ask(node_results, run_id, best.epoch) if best else None


def _nodes(data: Graph, results: NodeResults | None) -> GraphNodes:
    table = NodeTable(
        data.y,
        data.class_names,
        predictions=results.predicted if results else None,
        probabilities=results.probability if results else None,
        names=data.node_names,
    )
    return GraphNodes(table, data.degrees(), node_parts(data), PARTS)


def _node(report: NodeReport, data: Graph, words: Words, of_run: str | None) -> None:
    """Draw what is known of the node that is looked at, and where to see more of it."""
    title, clear = st.columns([6, 1], vertical_alignment="bottom")
    title.subheader(f"{words.node.capitalize()} {as_text(report.name)}")
    clear.button(
        "Let go",
        on_click=_show_node,
        args=(-1,),
        icon=":material/close:",
        help="Lights the whole graph again.",
    )
    about, around = st.columns([2, 3], gap="large")
    with about:
        st.markdown(" \u00b7 ".join(as_text(fact) for fact in node_facts(report, data, words)))
        st.markdown(as_text(node_in_words(report, data, words)))
        if of_run:
            _links(report.node, of_run)
    if report.degree:
        with around:
            key = f"neighbours-{report.node}"
            st.dataframe(
                neighbour_table(report, data, words),
                key=key,
                height=220,
                selection_mode="single-row",
                on_select=lambda: _take_row(key, report),
            )
            st.caption("Its neighbours. Choose a row to go there.")


def _links(node: int, run_id: str) -> None:
    around = "Whom it hears from, hop by hop."
    link("neighbourhoods", "Its neighbourhood", around, run=run_id, node=str(node))
    where = "The node among the others, layer by layer."
    link("embeddings", "Where the layers put it", where, run=run_id, node=str(node))
    if MODELS[run_config(run_id).model.model].has_heads:
        heads = "Its attention, head by head."
        link("attention", "Which neighbours it attends to", heads, run=run_id, node=str(node))


def _take_row(key: str, report: NodeReport) -> None:
    rows = st.session_state[key].selection.rows
    if rows:
        _show_node(int(report.neighbours[rows[0]]))


def _details(data: Graph, statistics: GraphStatistics, words: Words) -> None:
    """Draw the counts below the picture."""
    theme = current_theme()
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("How many neighbours nodes have")
        draw(degree_histogram(statistics.degree_counts, statistics.mean_degree, theme, title=""), "degrees")
        st.caption(as_text(degrees_in_words(statistics, data, words)))
        st.subheader("Classes and split")
        draw(class_bars(statistics.class_parts, PARTS, data.class_names, theme, title=""), "classes")
        st.caption(
            "How to read it: each bar is a class, in its colour; patterns are the parts of the split. "
            "Only the nodes that train show their class to the model."
        )
    with right:
        st.subheader("Whose neighbours are whose")
        draw(class_mixing(statistics.mixing, data.class_names, theme, title=""), "mixing")
        st.caption(
            f"How to read it: of all neighbours of a row's {words.nodes}, the share of each column's "
            f"{words.label}. {homophily_in_words(statistics, words)}"
        )
        _pieces(statistics, words)


def _pieces(statistics: GraphStatistics, words: Words) -> None:
    st.subheader("Pieces")
    if len(statistics.component_sizes) > 1:
        draw(component_bars(statistics.component_sizes, current_theme(), title=""), "components")
    st.markdown(components_in_words(statistics, words))


def _changes(spec: DatasetSpec, words: Words) -> None:
    """Say what was changed on the way from the files to the graph above."""
    read = graph(replace(spec, edits=()))
    st.subheader("What reading the files changed")
    st.markdown(" ".join(cleaning_in_words(read.cleaning, read.num_edges, words)))
    if spec.edits:
        st.subheader("What was changed on purpose")
        st.markdown("\n".join(f"- {sentence}" for sentence in _edit_sentences(spec)))


@st.cache_data(show_spinner=False, max_entries=16)
def _edit_sentences(spec: DatasetSpec) -> list[str]:
    _, reports = edit_and_report(graph(replace(spec, edits=())), spec.edits)
    return [report.sentence for report in reports]


page()
