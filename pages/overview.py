"""The opening story: what depth does to a GCN on Cora, filling in live."""

from collections.abc import Sequence

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.engine.summaries import LastLayers, last_layers
from gnnviz.figures.depth import MeasureAxis, accuracy_against_depth
from gnnviz.figures.depth_points import depth_finding
from gnnviz.figures.layout import percent
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.scene import Panel, graph_scene
from gnnviz.findings import chance_levels, in_time
from gnnviz.runs import RunState
from gnnviz.smoothing import METRICS
from gnnviz.sweeps import OPENING_DEPTHS, depth_points, opening_sweep, sweep_seconds_left, to_start
from pages.shared import url
from pages.shared.background import ask, engine, graph, history, run_store
from pages.shared.components.canvas import draw_scene
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import RUN, live, pick_run
from pages.shared.tour import link

SMOOTHNESS = "mad_all"
UNHURRIED = 2.0  # seconds between two looks: drawing five pictures takes from the cores that train


def page() -> None:
    """Draw the page; start the opening sweep where it has not been trained yet."""
    configs = opening_sweep(engine().devices[0], engine().threads)
    for config in to_start(run_store(), configs):
        engine().submit(config)
    url.publish({RUN: pick_run()})
    live("story", lambda: _story(configs), UNHURRIED)
    link("oversmoothing", "Look into the layers", "Where in a deep net nodes become alike.")


def _story(configs: Sequence[RunConfig]) -> bool:
    """Draw the finding, the curve and the pictures as far as they are known; return whether more comes."""
    statuses = {config.run_id: run_store().status(config.run_id) for config in configs}
    done = tuple(run_id for run_id, status in statuses.items() if status.state is RunState.DONE)
    layers = ask(last_layers, done, SMOOTHNESS) if done else None
    smoothness = dict(zip(done, layers.smoothness, strict=True)) if layers else {}
    points = depth_points(configs, list(statuses.values()), smoothness)
    chance = chance_levels(graph(configs[0].dataset))
    st.header(depth_finding(points, OPENING_DEPTHS, chance))
    metric = METRICS[SMOOTHNESS]
    measure = MeasureAxis(f"{metric.label}, last hidden layer")
    draw(
        accuracy_against_depth(
            points,
            current_theme(),
            title="",
            expected_depths=OPENING_DEPTHS,
            chance=chance,
            measure=measure,
        ),
        "depth",
    )
    st.caption(
        "How to read it: each point is one network, all trained with the same recipe; only the number of "
        f"layers differs. Below, {metric.label} ({metric.paper}): {metric.help} {metric.direction[0].upper()}"
        f"{metric.direction[1:]}."
    )
    _pictures(configs, done, layers)
    active = [config for config in configs if statuses[config.run_id].state.is_active]
    if active:
        _progress(configs, active)
    return bool(active) or (bool(done) and layers is None)


def _pictures(configs: Sequence[RunConfig], done: Sequence[str], layers: LastLayers | None) -> None:
    """Draw the last hidden layer at each depth, side by side on one scale."""
    st.subheader("What the last hidden layer looks like")
    cora = graph(configs[0].dataset)
    positions = dict(zip(done, layers.points, strict=True)) if layers else {}
    panels = tuple(
        Panel(
            title=_caption(config),
            positions=positions.get(config.run_id),
            note="still training" if config.run_id not in done else "being drawn",
        )
        for config in configs
    )
    nodes = NodeTable(cora.y, cora.class_names, names=cora.node_names)
    scene = graph_scene(
        panels,
        nodes,
        current_theme(),
        alt=f"The {cora.num_nodes} papers in the last hidden layer of each network, coloured by topic.",
        count=cora.num_nodes,
        span=((-layers.limit, layers.limit), (-layers.limit, layers.limit)) if layers else None,
        columns=len(panels),
        height=230,
    )
    draw_scene(scene, "pictures")
    st.caption(
        "How to read it: each dot is a paper, coloured by its true topic, at its place in the two directions "
        "in which the papers differ most (PCA), in units of the layer's own typical length. All frames share "
        "one scale, and each is turned to match the one before: where colours mix, topics can no longer be "
        "told apart; where everything shrinks to a spot, all papers look alike to the network. PCA is a "
        "shadow of all hidden channels: what looks close may differ elsewhere."
        + (f" {layers.outside} far dots lie outside the frames." if layers else "")
    )


def _caption(config: RunConfig) -> str:
    status = run_store().status(config.run_id)
    depth = f"{config.model.num_layers} layers"
    return f"{depth} \u2013 {percent(status.best.test_acc)}" if status.best else depth


def _progress(configs: Sequence[RunConfig], active: Sequence[RunConfig]) -> None:
    """Say quietly what is being trained and how long it will take."""
    left = sweep_seconds_left(active, [history(config.run_id) for config in active], engine().train_workers)
    time = f", about {in_time(left)} left" if left is not None else ""
    trained = len(configs) - len(active)
    st.caption(
        f":material/sync: {trained} of {len(configs)} networks are trained{time}. "
        "You can look around meanwhile."
    )


page()
