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
from gnnviz.runs import RunStatus
from gnnviz.smoothing import METRICS
from gnnviz.sweeps import OPENING_DEPTHS, SweepPlan, depth_points, opening_sweep, to_start
from pages.shared import url
from pages.shared.background import ask, engine, graph, look, plan_of, submit, time_left
from pages.shared.components.canvas import draw_scene
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import RUN, UNHURRIED, live, pick_run
from pages.shared.tour import link

SMOOTHNESS = "mad_all"


def page() -> None:
    """Draw the page; start the opening sweep where it has not been trained yet."""
    configs = opening_sweep(engine().devices[0], engine().threads)
    submit(to_start(look(), configs))
    url.publish({RUN: pick_run()})
    live("story", lambda: _story(configs), UNHURRIED)
    link("oversmoothing", "Look into the layers", "Where in a deep net nodes become alike.")


def _story(configs: Sequence[RunConfig]) -> bool:
    """Draw the finding, the curve and the pictures as far as they are known; return whether more comes."""
    plan = plan_of(configs)
    done = tuple(run.run_id for run in plan.done)
    layers = ask(last_layers, done, SMOOTHNESS) if done else None
    smoothness = dict(zip(done, layers.smoothness, strict=True)) if layers else {}
    points = depth_points(tuple(plan.statuses), tuple(plan.statuses.values()), smoothness)
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
        f"layers differs. Below, {metric.label}: {metric.help[0].lower()}{metric.help[1:]} "
        f"{metric.direction[0].upper()}{metric.direction[1:]} ({metric.paper}). It need not follow the "
        "accuracy."
    )
    _pictures(configs, plan, layers)
    if plan.active:
        _progress(plan)
    return bool(plan.active) or (bool(done) and layers is None)


def _pictures(configs: Sequence[RunConfig], plan: SweepPlan, layers: LastLayers | None) -> None:
    """Draw the last hidden layer at each depth, side by side on one scale."""
    st.subheader("What the last hidden layer looks like")
    cora = graph(configs[0].dataset)
    positions = dict(zip(plan.done, layers.points, strict=True)) if layers else {}
    panels = tuple(
        Panel(
            title=_caption(config, plan.statuses.get(config)),
            positions=positions.get(config),
            note="being drawn" if config in plan.done else "still training",
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


def _caption(config: RunConfig, status: RunStatus | None) -> str:
    depth = f"{config.model.num_layers} layers"
    return f"{depth} \u2013 {percent(status.best.test_acc)}" if status and status.best else depth


def _progress(plan: SweepPlan) -> None:
    """Say quietly what is being trained and how long it will take."""
    left = time_left(plan)
    time = f", about {in_time(left)} left" if left is not None else ""
    st.caption(
        f":material/sync: {len(plan.done)} of {len(plan.statuses)} networks are trained{time}. "
        "You can look around meanwhile."
    )


page()
