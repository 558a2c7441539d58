"""The hidden states of a run, layer by layer, as PCA and t-SNE."""

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.engine.analyses import project_layer
from gnnviz.engine.summaries import NodeResults, layer_cosines, neighbour_purity, node_results
from gnnviz.figures.histogram import cosine_histogram_figure
from gnnviz.figures.nodes import ColourBy, NodeTable
from gnnviz.figures.scene import Panel, graph_scene
from gnnviz.findings import cosine_finding, layer_name, purity_finding
from gnnviz.graph import Graph
from gnnviz.models import MODELS, ModelSpec
from gnnviz.projection import PROJECTIONS, ProjectionResult
from pages.shared import url
from pages.shared.background import ask, graph, run_config
from pages.shared.components.canvas import draw_scene
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import NODE, RUN, live, pick_epoch, pick_node, pick_run, take_click
from pages.shared.tour import link

COLOURS: dict[ColourBy, str] = {
    "class": "true class",
    "prediction": "predicted class",
    "right_wrong": "right or wrong",
}


def page() -> None:
    """Draw the page."""
    run_id = pick_run()
    if run_id is None:
        st.header("No run has been trained yet")
        link("training", "Train one", "Choose a model and a depth, and watch it learn.")
        return
    config = run_config(run_id)
    finding = st.container()
    layer, epoch, colour = _controls(run_id, config)
    node = pick_node(graph(config.dataset))
    url.publish(
        {RUN: run_id, "layer": layer, "epoch": st.session_state.epoch, "colour": colour, NODE: node},
        {"epoch": "best", "colour": "class"},
    )
    with finding:
        live("finding", lambda: _finding(run_id, epoch, layer))
    live("projections", lambda: _projections(run_id, epoch, layer, colour, node))
    live("cosines", lambda: _cosines(run_id, epoch, layer))
    _deeper(run_id, MODELS[config.model.model], node)


def _deeper(run_id: str, model: ModelSpec, node: int | None) -> None:
    """Draw the links to what a single node is made of."""
    query = {"run": run_id} if node is None else {"run": run_id, "node": str(node)}
    with st.container(horizontal=True):
        if model.uses_graph:
            link("neighbourhoods", "Where a node's numbers come from", "What a node hears.", **query)
        if model.has_heads:
            link("attention", "What its heads look at", "The attention of each head at a node.", **query)


def _controls(run_id: str, config: RunConfig) -> tuple[int, int, ColourBy]:
    """Draw the controls above the pictures; return layer, epoch and what colours mean."""
    depth = config.model.num_states
    left, middle, right = st.columns([3, 2, 3], vertical_alignment="bottom")
    url.whole("layer", 0, depth, max(1, depth - 1), "The layer")
    with left:
        layer = st.slider(
            "Layer",
            0,
            depth,
            key="layer",
            help="0: the features as they came; between: hidden states; last: logits, one a class.",
            persist_state="session",
        )
    with middle:
        epoch = pick_epoch(run_id)
    url.choice("colour", list(COLOURS), "class", "colouring")
    with right:
        colour = st.segmented_control(
            "Colour by",
            list(COLOURS),
            key="colour",
            format_func=COLOURS.__getitem__,
            required=True,
            help="Crosses are nodes that this run predicts wrongly, whatever the colour means.",
            persist_state="session",
        )
    return layer, epoch, colour or "class"


def _finding(run_id: str, epoch: int, layer: int) -> bool:
    """Draw the page's claim; return whether it is still being computed."""
    purity = ask(neighbour_purity, run_id, epoch, layer)
    name = layer_name(layer, run_config(run_id).model.num_states)
    st.header(purity_finding(name, purity) if purity is not None else f"Looking into {name} ...")
    return purity is None


def _projections(run_id: str, epoch: int, layer: int, colour: ColourBy, node: int | None) -> bool:
    """Draw PCA and t-SNE side by side; return whether one is still being computed."""
    results = ask(node_results, run_id, epoch)
    busy = results is None
    for place, name in zip(st.columns(2, gap="large"), PROJECTIONS, strict=True):
        projection = PROJECTIONS[name]
        result = ask(project_layer, run_id, epoch, layer, name, slow=not projection.fast)
        busy = busy or result is None
        with place:
            st.subheader(projection.label, help=f"{projection.help} ({projection.paper})")
            _draw_projection(name, run_id, result, results, colour, node)
            st.caption(f"{projection.help} **{projection.caveat}**")
    return busy


def _cosines(run_id: str, epoch: int, layer: int) -> bool:
    """Draw what no projection can show, how alike all nodes are; return whether it is being computed."""
    cosines = ask(layer_cosines, run_id, epoch, layer)
    if cosines is None:
        return True
    name = layer_name(layer, run_config(run_id).model.num_states)
    st.subheader(cosine_finding(name, cosines.edges, cosines.counts))
    draw(
        cosine_histogram_figure(
            cosines.edges,
            {"all pairs": cosines.counts},
            current_theme(),
            title="",
            reason="No two nodes have a signal to compare.",
        ),
        "cosines",
    )
    left_out = f" {cosines.dead} nodes have no signal at all and are left out." if cosines.dead else ""
    st.caption(
        "How to read it: the cosine of every two nodes' hidden states. A peak at 1 means that the nodes "
        "point one way, however far apart t-SNE draws them: that is what over-smoothing, or a dead signal, "
        f"looks like in numbers.{left_out}"
    )
    return False


def _draw_projection(
    name: str,
    run_id: str,
    result: ProjectionResult | None,
    results: NodeResults | None,
    colour: ColourBy,
    node: int | None,
) -> None:
    """Draw one projection of all nodes, or a frame that says what is awaited."""
    data = graph(run_config(run_id).dataset)
    scene = graph_scene(
        (Panel("", result.coordinates if result else None, "being computed ..."),),
        _nodes(data, results),
        current_theme(),
        alt=f"{PROJECTIONS[name].label} of {data.num_nodes} nodes.",
        count=data.num_nodes,
        colour_by=colour if results else "class",
        axes=result.axis_names if result else ("", ""),
        primary=node,
        height=470,
    )
    draw_scene(scene, name, on_click=lambda: take_click(name))
    if result and result.note:
        st.warning(result.note, icon=":material/warning:")


def _nodes(data: Graph, results: NodeResults | None) -> NodeTable:
    return NodeTable(
        data.y,
        data.class_names,
        predictions=results.predicted if results else None,
        probabilities=results.probability if results else None,
        names=data.node_names,
    )


page()
