"""The depth cursor as a `CursorScene`: frames between which the browser moves without asking the server.

Arrays in, one frozen record out; a canvas draws it. Every frame shares axes with all the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gnnviz.cursor import CursorFrames, TsneFrame
from gnnviz.figures.cursor_curves import CursorCurve, accuracy_curve, measure_curve
from gnnviz.figures.cursor_words import frame_stamp, frames_alt, hidden_note, place_name, whole_percent
from gnnviz.figures.layout import Chance, counted
from gnnviz.figures.nodes import Group, NodeTable, hover_lines, node_groups
from gnnviz.figures.scene import LegendEntry
from gnnviz.figures.theme import Theme, model_style
from gnnviz.smoothing import METRICS

Over = Literal["depths", "layers"]
LIMIT_STEP = 10.0  # t-SNE's axes grow in such steps, so that a new frame seldom moves the others
SLIDER_NAMES: dict[Over, str] = {"depths": "Depth (number of layers)", "layers": "Layer"}


@dataclass(frozen=True, slots=True)
class CursorCloud:
    """The nodes as points, a picture for each frame on one pair of axes.

    Attributes:
        title: above the picture.
        positions: [F, n, 2] float32 in data units; anything where `present` is False.
        present: whether each frame has a picture [F].
        limit: both axes go from -limit to limit.
        unit_length: length of the scale bar in data units, 0 for none.
        axes: names of the two axes.
        notes: what must be said beside each frame's picture [F]; "" for nothing.
    """

    title: str
    positions: NDArray[np.float32]
    present: tuple[bool, ...]
    limit: float
    unit_length: float
    axes: tuple[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CursorHistogram:
    """The cosines of all pairs of nodes, frame by frame.

    Attributes:
        title: above the picture.
        edges: ends of the bins [B + 1].
        counts: pairs in each bin [F][B].
        notes: how many pairs there are in each frame, and who is in none [F].
    """

    title: str
    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CursorScene:
    """What the browser draws; all text is plain.

    Attributes:
        title: what the figure is, or will be.
        slider: the slider's name.
        places: what the slider says of each frame [F], short: "16".
        names: the same in words [F]: "16 layers".
        stamps: what is known of each frame [F], pairs of a name and a value.
        clouds: pictures of the nodes, on axes of their own that their frames share.
        histogram: the cosines, or None without frames.
        curves: quantities against the frame.
        palette: the colours that `colour_index` [n] uint8 points into.
        crosses: which nodes are wrong in each frame [F, n] uint8, and drawn as crosses.
        hover: what is said of each node [n], lines of plain text.
        legend: what colours and crosses mean.
        reason: why there is nothing to draw; "" where there is.
        alt: what the figure says, for those who do not see it.
        line: colour of the curves, and of the slider.
        ink, muted, background, grid, band: colours from the theme.
    """

    title: str
    slider: str
    places: tuple[str, ...]
    names: tuple[str, ...]
    stamps: tuple[tuple[tuple[str, str], ...], ...]
    clouds: tuple[CursorCloud, ...]
    histogram: CursorHistogram | None
    curves: tuple[CursorCurve, ...]
    palette: tuple[str, ...]
    colour_index: NDArray[np.uint8]
    crosses: NDArray[np.uint8]
    hover: tuple[str, ...]
    legend: tuple[LegendEntry, ...]
    reason: str
    alt: str
    line: str
    ink: str
    muted: str
    background: str
    grid: str
    band: str


def cursor_scene(
    frames: CursorFrames,
    tsne: Sequence[TsneFrame],
    nodes: NodeTable,
    theme: Theme,
    *,
    over: Over,
    model: str,
    chance: Chance | None = None,
) -> CursorScene:
    """Return the scene of some frames.

    Args:
        frames: from `gnnviz.cursor`.
        tsne: the first frames' t-SNE, as many as are there; the others are said to be computed.
        nodes: what is known about all N nodes; predictions are not needed.
        theme: light or dark.
        over: what a frame is.
        model: a key of `MODELS`; decides the curves' hue.
        chance: the accuracies that need no learning.
    """
    groups, colour_index = _coloured(nodes, frames.nodes, theme)
    names = tuple(place_name(place, frames, over) for place in frames.places)
    legend = [LegendEntry(f"{group.name} ({counted(len(group.members))})", group.colour) for group in groups]
    legend += [LegendEntry("predicted wrongly", theme.muted, cross=True)] if frames.wrong.any() else []
    hue = model_style(model, theme).colour
    return CursorScene(
        title=_title(over),
        slider=SLIDER_NAMES[over],
        places=tuple(map(str, frames.places)),
        names=names,
        stamps=tuple(frame_stamp(frames, place) for place in range(len(names))),
        clouds=(_pca_cloud(frames), _tsne_cloud(frames, tsne)),
        histogram=_histogram(frames),
        curves=_curves(frames, over, chance),
        palette=tuple(group.colour for group in groups),
        colour_index=colour_index,
        crosses=frames.wrong.astype(np.uint8),
        hover=tuple("\n".join(lines) for lines in _hover(nodes, frames.nodes)),
        legend=tuple(legend),
        reason="",
        alt=frames_alt(frames, names),
        line=hue,
        **_colours(theme),
    )


def empty_cursor(theme: Theme, *, over: Over, reason: str) -> CursorScene:
    """Return a scene without frames, with its title, that says why it is empty.

    Args:
        theme: light or dark.
        over: what a frame would be.
        reason: why there are none, and what changes that.
    """
    return CursorScene(
        title=_title(over),
        slider=SLIDER_NAMES[over],
        places=(),
        names=(),
        stamps=(),
        clouds=(),
        histogram=None,
        curves=(),
        palette=(),
        colour_index=np.zeros(0, dtype=np.uint8),
        crosses=np.zeros((0, 0), dtype=np.uint8),
        hover=(),
        legend=(),
        reason=reason,
        alt=f"{_title(over)}. {reason}",
        line=theme.muted,
        **_colours(theme),
    )


def _title(over: Over) -> str:
    return "The last hidden layer at each depth" if over == "depths" else "The layers of this run"


def _colours(theme: Theme) -> Mapping[str, str]:
    return {
        "ink": theme.ink,
        "muted": theme.muted,
        "background": theme.background,
        "grid": theme.grid,
        "band": theme.placeholder,
    }


def _coloured(
    nodes: NodeTable, drawn: NDArray[np.int32], theme: Theme
) -> tuple[list[Group], NDArray[np.uint8]]:
    """Return the groups of all nodes, and to which of them each drawn node belongs [n]."""
    if nodes.labels is None:
        return node_groups(nodes, theme, "class", len(drawn)), np.zeros(len(drawn), dtype=np.uint8)
    groups = node_groups(nodes, theme, "class", len(nodes.labels))
    index = np.zeros(len(nodes.labels), dtype=np.uint8)
    for number, group in enumerate(groups):
        index[group.members] = number
    return groups, index[drawn]


def _hover(nodes: NodeTable, drawn: NDArray[np.int32]) -> list[list[str]]:
    table = NodeTable(
        None if nodes.labels is None else nodes.labels[drawn],
        nodes.class_names,
        names=tuple(nodes.names[node] if nodes.names else f"node {node}" for node in drawn),
    )
    return hover_lines(table, len(drawn))


def _pca_cloud(frames: CursorFrames) -> CursorCloud:
    outside = (np.abs(frames.points).max(axis=2) > frames.limit).sum(axis=1)
    notes = []
    for reason, explained, beyond in zip(frames.reasons, frames.explained, outside, strict=True):
        shown = (
            "All nodes are one point."
            if explained is None
            else f"Shows {whole_percent(explained)} of the variance."
        )
        cut = f" {counted(int(beyond))} nodes are beyond the frame." if beyond else ""
        notes.append(reason or f"{shown}{cut}")
    return CursorCloud(
        title="PCA, one scale for all frames",
        positions=np.ascontiguousarray(frames.points),
        present=tuple(not reason for reason in frames.reasons),
        limit=frames.limit,
        unit_length=_round_below(frames.limit / 2),
        axes=("component 1", "component 2"),
        notes=tuple(notes),
    )


def _tsne_cloud(frames: CursorFrames, tsne: Sequence[TsneFrame]) -> CursorCloud:
    shape = frames.points.shape
    positions = np.zeros(shape, dtype=np.float32)
    notes = []
    for place in range(shape[0]):
        if place < len(tsne):
            frame = tsne[place]
            positions[place] = 0 if frame.points is None else frame.points
            notes.append(frame.note or hidden_note(frames, tsne, place))
        else:
            notes.append(f"Being computed: {len(tsne)} of {shape[0]} frames are there.")
    reach = float(np.abs(positions).max(initial=0.0))
    return CursorCloud(
        title="t-SNE, each frame begun from the last",
        positions=positions,
        present=tuple(frame.points is not None for frame in tsne) + (False,) * (shape[0] - len(tsne)),
        limit=LIMIT_STEP * max(1, math.ceil(reach / LIMIT_STEP)),
        unit_length=0.0,
        axes=("no unit", "no unit"),
        notes=tuple(notes),
    )


def _histogram(frames: CursorFrames) -> CursorHistogram:
    notes = []
    for cosines in frames.cosines:
        pairs = counted(int(cosines.counts.sum()))
        sample = f" of {counted(cosines.nodes_used)} sampled nodes" * (
            cosines.nodes_used < cosines.nodes_live
        )
        dead = f"; {counted(cosines.dead)} nodes without a signal are in none" if cosines.dead else ""
        notes.append(f"{pairs} pairs{sample}{dead}.")
    return CursorHistogram(
        title="Cosine of every two nodes",
        edges=tuple(frames.cosines[0].edges.tolist()),
        counts=tuple(tuple(cosines.counts.tolist()) for cosines in frames.cosines),
        notes=tuple(notes),
    )


def _curves(frames: CursorFrames, over: Over, chance: Chance | None) -> tuple[CursorCurve, ...]:
    curves = [measure_curve(METRICS[name], values) for name, values in frames.measures.items()]
    if over == "depths" and any(accuracy is not None for accuracy in frames.accuracies):
        curves.insert(0, accuracy_curve(frames.accuracies, chance))
    return tuple(curves)


def _round_below(length: float) -> float:
    """Return 1, 2 or 5 times a power of ten, the largest that is at most `length`."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(step * power for step in (5, 2, 1) if step * power <= length * (1 + 1e-9))
