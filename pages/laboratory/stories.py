"""Each node's story: its predictions at every depth, and where in the graph nodes turn wrong."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.engine.analyses import project_layer
from gnnviz.engine.places import graph_places
from gnnviz.engine.stories import depth_stories
from gnnviz.figures.graph import GraphNodes, whole_graph
from gnnviz.figures.layout import listed
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.scene import GraphScene, Panel, graph_scene
from gnnviz.figures.stories import neighbour_strips, story_strip, turning_scene
from gnnviz.findings import in_time
from gnnviz.graph import Graph
from gnnviz.graph_findings import drawn_in_words
from gnnviz.graph_layout import drawn_edges
from gnnviz.graph_statistics import PARTS, node_parts
from gnnviz.node_stories import (
    LEAST_DEPTHS,
    Turning,
    one_per_depth,
    shown_neighbours,
)
from gnnviz.story_words import TURNINGS, list_in_words, node_in_words, stories_finding
from gnnviz.sweeps import (
    OPENING_DEPTHS,
    of_one_recipe,
    seconds_to_train,
    sweep,
)
from pages.laboratory.story_list import story_list
from pages.shared import url
from pages.shared.background import (
    ask,
    engine,
    graph,
    known_configs,
    plan_of,
    queue,
    run_store,
    runs_on,
    time_left,
)
from pages.shared.components.canvas import draw_scene
from pages.shared.components.plotly_chart import draw
from pages.shared.fields import select
from pages.shared.look import current_theme
from pages.shared.selection import NODE, live, search_node, take_click
from pages.shared.words import as_text

TURNING, PICTURED = "turning", "story_depth"
GRAPH, EMBEDDING, NEIGHBOURS = "story-graph", "story-embedding", "story-neighbours"


def stories(config: RunConfig) -> None:
    """Draw the stories of the nodes of a run's graph, from the runs that differ from it in depth only."""
    data = graph(config.dataset)
    runs = _runs(config)
    headline = st.container()
    if len(runs) < LEAST_DEPTHS:
        headline.subheader("What becomes of each node with depth?")
        live("story-runs", lambda: _missing(config, len(runs)))
        return
    for_node, for_turning, for_depth, _ = st.columns([2, 3, 2, 2], vertical_alignment="bottom")
    with for_node:
        node = search_node(data)
    with for_turning:
        turning = _pick_turning()
    with for_depth:
        pictured = _pick_depth(config, runs)
    ids = tuple(run.run_id for run in runs)
    with headline:
        live("story-finding", lambda: _finding(ids, turning))
    live("story-runs", lambda: _missing(config, len(runs)))
    live("story-node", lambda: _node(ids, data, node))
    live("story-pictures", lambda: _pictures(config, ids, pictured, turning, node))
    story_list(config, ids, turning, node)


def _runs(config: RunConfig) -> tuple[RunConfig, ...]:
    """Return the finished runs of this recipe, one a depth, shallow ones first."""
    return one_per_depth(config, plan_of(of_one_recipe(config, known_configs())).done)


def _missing(config: RunConfig, shown: int) -> bool:
    """Offer the usual depths that are not trained, and say how far they are; return whether more comes."""
    if len(_runs(config)) != shown:
        st.rerun()  # another depth is trained: the whole view has one more
    plan = plan_of(sweep(config, [config.model.model], OPENING_DEPTHS, 1))
    words, action = st.columns([4, 1.6], vertical_alignment="center")
    if plan.active:
        left = time_left(plan)
        time = f", about {in_time(left)} left" if left is not None else ""
        words.caption(f":material/sync: {len(plan.active)} of the usual depths are being trained{time}.")
    elif plan.missing:
        depths = listed([run.model.num_layers for run in plan.missing])
        few = "Stories need nets of two depths or more with one recipe. " if shown < LEAST_DEPTHS else ""
        words.markdown(f"{few}Not trained yet of the usual depths: {depths}.{_time_needed(plan.missing)}")
        action.button(
            "Train these depths",
            key="story-queue",
            type="primary" if shown < LEAST_DEPTHS else "secondary",
            on_click=queue,
            args=(plan.missing,),
            icon=":material/playlist_add:",
            width="stretch",
            help="Trains in the background with the recipe of the run above; only the depth differs.",
        )
    elif shown < LEAST_DEPTHS:
        words.markdown("Stories need nets of two depths or more with one recipe; train another depth.")
    return bool(plan.active)


def _time_needed(runs: Sequence[RunConfig]) -> str:
    seconds = seconds_to_train(runs, runs_on(runs[0].dataset.name), engine().train_workers)
    return f" That takes about **{in_time(seconds)}**." if seconds else ""


def _pick_turning() -> Turning:
    options: list[Turning] = list(TURNINGS)
    url.choice(TURNING, options, "ever", "way to turn wrong")
    chosen = st.segmented_control(
        "A node turns wrong",
        options,
        key=TURNING,
        format_func=lambda key: TURNINGS[key].label,
        required=True,
        help="For the first time: the smallest depth that predicts it wrongly. For good: the smallest from "
        "which on every depth does.",
        persist_state="session",
    )
    return chosen or "ever"


def _pick_depth(config: RunConfig, runs: Sequence[RunConfig]) -> RunConfig:
    """Draw the choice of the net whose embedding is shown, and return its run."""
    by_depth = {str(run.model.num_layers): run for run in runs}
    own = str(config.model.num_layers)
    chosen = select(
        PICTURED, list(by_depth), own if own in by_depth else list(by_depth)[-1], "Embedding of depth", str,
        "Whose last hidden layer is drawn beside the graph.",
    )  # fmt: skip
    return by_depth[chosen]


def _finding(run_ids: tuple[str, ...], turning: Turning) -> bool:
    found = ask(depth_stories, run_ids)
    st.subheader(stories_finding(found, turning) if found else "Predicting every node at every depth ...")
    return found is None


def _node(run_ids: tuple[str, ...], data: Graph, node: int) -> bool:
    """Draw the node's strip and its neighbours'; return whether they are still being computed."""
    _follow_clicks(node)
    found = ask(depth_stories, run_ids)
    if found is None:
        return True
    name = f"Node {data.node_name(node)}"
    neighbours = shown_neighbours(data, node)
    own, around = st.columns([2, 3], gap="large")
    with own:
        st.markdown(f"**{as_text(node_in_words(found, node, name))}.**")
        draw(story_strip(found, node, current_theme(), title=""), "story-strip")
        st.caption(
            "How to read it: a row is a net of that depth; the bar is as long as it is sure of the class "
            "that colour and name say. A cross is a wrong prediction."
        )
    with around:
        many = list_in_words(len(neighbours), int(found.degree[node]), "neighbours")
        st.markdown(f"**{many}, in the same way.**")
        names = [data.node_name(int(other)) for other in neighbours]
        draw(
            neighbour_strips(found, neighbours, names, current_theme(), title=""),
            NEIGHBOURS,
            on_click=lambda: take_click(NEIGHBOURS),
        )
        st.caption("How to read it: a column is a neighbour. Click one to go there.")
    return False


def _follow_clicks(node: int) -> None:
    """Have the whole view drawn for the node that was clicked in one of its parts."""
    if st.session_state[NODE] not in (-1, node):
        st.rerun()


def _pictures(
    config: RunConfig, run_ids: tuple[str, ...], pictured: RunConfig, turning: Turning, node: int
) -> bool:
    """Draw the graph and an embedding, coloured by depth; return whether one is still being computed."""
    _follow_clicks(node)
    found = ask(depth_stories, run_ids)
    if found is None:
        return True
    data, theme = graph(config.dataset), current_theme()
    st.subheader("Where nodes turn wrong")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**In the graph**")
        scene, placed = _graph_scene(config, data, node)
        draw_scene(turning_scene(scene, found, turning, theme), GRAPH, on_click=lambda: take_click(GRAPH))
    with right:
        st.markdown(f"**In the embedding of {_layers(pictured)}**")
        scene, projected = _embedding_scene(pictured, data, node)
        draw_scene(
            turning_scene(scene, found, turning, theme), EMBEDDING, on_click=lambda: take_click(EMBEDDING)
        )
    st.caption(
        "How to read it: each dot is a node, its colour the depth at which it turns wrong, from shallow to "
        "deep; grey ones do not. Training nodes are among them. Right: PCA of the net's last "
        "hidden layer. Click a node for its story."
    )
    return not (placed and projected)


def _layers(run: RunConfig) -> str:
    return f"{run.model.num_layers} layer{'' if run.model.num_layers == 1 else 's'}"


def _nodes(data: Graph) -> NodeTable:
    return NodeTable(data.y, data.class_names, names=data.node_names)


def _graph_scene(config: RunConfig, data: Graph, node: int) -> tuple[GraphScene, bool]:
    """Return the whole graph, and whether its nodes have their places."""
    places = ask(graph_places, config.dataset, slow=True)
    if places and len(places.nodes) < data.num_nodes:
        st.warning(drawn_in_words(len(places.nodes), data.num_nodes), icon=":material/content_cut:")
    scene = whole_graph(
        places,
        drawn_edges(data, places.nodes) if places else None,
        GraphNodes(_nodes(data), data.degrees(), node_parts(data), PARTS),
        current_theme(),
        alt=f"The nodes of {data.name}, coloured by the depth at which they turn wrong.",
        primary=node,
        neighbours=None,
        note="The nodes are being placed ...",
    )
    return replace(scene, selected=None), places is not None


def _embedding_scene(run: RunConfig, data: Graph, node: int) -> tuple[GraphScene, bool]:
    """Return the PCA of a run's last hidden layer, and whether it is computed."""
    best = run_store().status(run.run_id).best
    layer = max(run.model.num_states - 1, 1)
    result = ask(project_layer, run.run_id, best.epoch, layer, "pca") if best else None
    scene = graph_scene(
        (Panel("", result.coordinates if result else None, "being computed ..."),),
        _nodes(data),
        current_theme(),
        alt=f"PCA of the last hidden layer, {_layers(run)}, coloured by the depth at which nodes turn wrong.",
        count=data.num_nodes,
        axes=result.axis_names if result else ("", ""),
        primary=node,
        height=540,
    )
    return scene, result is not None
