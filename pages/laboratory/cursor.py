"""The depth cursor: one slider that moves the picture of all nodes, their cosines and the measures."""

from collections.abc import Sequence

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.cursor import CursorFrames, TsneFrame, one_per_depth
from gnnviz.engine.cursor import depth_frames, layer_frames, tsne_frame
from gnnviz.errors import DatasetError, GnnvizError
from gnnviz.figures.cursor import Over, cursor_scene, empty_cursor
from gnnviz.figures.cursor_words import cursor_finding, hidden_finding
from gnnviz.figures.layout import Chance, counted
from gnnviz.figures.nodes import NodeTable
from gnnviz.findings import chance_levels
from gnnviz.graph import Graph
from gnnviz.projection import PROJECTIONS
from gnnviz.sweeps import of_one_recipe
from pages.shared import url
from pages.shared.background import ask, graph, known_configs, plan_of
from pages.shared.components.cursor import draw_cursor
from pages.shared.look import current_theme
from pages.shared.selection import live, pick_epoch

OVER = "over"
CHOICES: dict[Over, str] = {"depths": "over depths", "layers": "over layers of this run"}
_HOW_TO_READ = (
    "How to read it: move the slider, press play, or use the arrow keys; every picture moves along. PCA is "
    "in units of the mean length of a node's hidden state (root mean square) and never rescaled, so nodes "
    "that become alike are seen to close up. A cross is a node that is predicted wrongly. "
)
_FRAMES: dict[Over, str] = {
    "depths": "A frame is the last hidden layer of one finished run of this recipe, at its best epoch.",
    "layers": "A frame is what one layer passes on, the activation included; the last are the logits.",
}


def cursor(config: RunConfig) -> None:
    """Draw the depth cursor.

    Args:
        config: the run that is looked at; with its recipe it decides the depths, by itself the layers.
    """
    claim = st.container()
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    url.choice(OVER, list(CHOICES), "depths", "cursor")
    with left:
        over = st.segmented_control(
            "Move the cursor",
            list(CHOICES),
            key=OVER,
            format_func=CHOICES.__getitem__,
            required=True,
            help="Over depths: from one finished run of this recipe to the next deeper one. Over layers: "
            "through the layers of the run that is chosen in the sidebar.",
            persist_state="session",
        )
    over = over or "depths"
    epoch = None
    if over == "layers":
        with right:
            epoch = pick_epoch(config.run_id)
    with claim:
        live("cursor-claim", lambda: _claim(config, over, epoch))
    live("cursor", lambda: _cursor(config, over, epoch))


def _frames(config: RunConfig, over: Over, epoch: int | None) -> CursorFrames | None:
    """Return the frames, or None while they are being computed."""
    if over == "layers":
        return ask(layer_frames, config.run_id, epoch)
    return ask(depth_frames, _finished(config))


def _finished(config: RunConfig) -> tuple[str, ...]:
    """Return the finished runs of the recipe, one for each depth."""
    done = plan_of(of_one_recipe(config, known_configs())).done
    return tuple(run.run_id for run in one_per_depth(config, done))


def _nothing(config: RunConfig, over: Over) -> str:
    """Return why there is nothing to show; "" where there is."""
    if over == "layers" or _finished(config):
        return ""
    return "No run of this recipe is finished yet. Train it, or its depths in the sweep below."


def _claim(config: RunConfig, over: Over, epoch: int | None) -> bool:
    """Draw the claim; return whether it is still being computed."""
    if _nothing(config, over):
        st.subheader("The cursor will move through the depths of this recipe")
        return False
    frames = _frames(config, over, epoch)
    st.subheader(cursor_finding(frames, over) if frames else "Computing the cursor's frames ...")
    return frames is None


def _cursor(config: RunConfig, over: Over, epoch: int | None) -> bool:
    """Draw the figure and what belongs to it; return whether a frame is still being computed."""
    theme, reason = current_theme(), _nothing(config, over)
    frames = None if reason else _frames(config, over, epoch)
    if frames is None:
        draw_cursor(empty_cursor(theme, over=over, reason=reason or "Being computed ..."), f"cursor-{over}")
        return not reason
    tsne, failure = _tsne(frames)
    data = graph(config.dataset)
    scene = cursor_scene(
        frames,
        tsne,
        NodeTable(data.y, data.class_names, names=data.node_names),
        theme,
        over=over,
        model=config.model.model,
        chance=_chance(data),
    )
    draw_cursor(scene, f"cursor-{over}")
    st.caption(f"{_HOW_TO_READ}{_FRAMES[over]}{_sample(frames, data)}")
    st.caption(f"**{hidden_finding(frames, tsne, over) or PROJECTIONS['tsne'].caveat}**")
    if over == "depths" and len(frames.places) == 1:
        st.info(
            "Only one depth of this recipe is trained, so there is nothing to move through; sweep the depths "
            "below.",
            icon=":material/info:",
        )
    if failure:
        st.warning(f"t-SNE stops here: {failure}", icon=":material/warning:")
    return len(tsne) < len(frames.places) and not failure


def _tsne(frames: CursorFrames) -> tuple[Sequence[TsneFrame], str]:
    """Return the t-SNE of the first frames, as many as are there, and what kept the next one from it, or "".

    Asks for one frame at a time, so that whoever leaves the page leaves no queue behind.
    """
    found: list[TsneFrame] = []
    try:
        while len(found) < len(frames.sources):
            frame = ask(tsne_frame, frames.sources[: len(found) + 1], slow=True)
            if frame is None:
                break
            found.append(frame)
    except GnnvizError as error:  # the rest of the figure stands without it
        return found, str(error)
    return found, ""


def _chance(data: Graph) -> Chance | None:
    try:
        return chance_levels(data)
    except DatasetError:  # no labels: there is no accuracy to compare either
        return None


def _sample(frames: CursorFrames, data: Graph) -> str:
    if len(frames.nodes) == data.num_nodes:
        return ""
    return f" {counted(len(frames.nodes))} of {counted(data.num_nodes)} nodes are drawn, chosen at random."
