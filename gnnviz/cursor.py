"""What the depth cursor moves through: hidden states as frames that can be compared one with the next.

A frame is the last hidden layer of one run, or one layer of a deep network. `cursor_frames` turns states
into pictures on one scale, histograms of cosines and measures; `tsne_points` adds the arrangement that needs
minutes. Numpy and scipy only; scikit-learn is imported where t-SNE runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gnnviz.config import RunConfig
from gnnviz.errors import ConfigError
from gnnviz.graph import UNLABELLED, Graph
from gnnviz.metric import Metric
from gnnviz.models import ModelConfig
from gnnviz.pca import Points, aligned_pca, procrustes
from gnnviz.profiles import Measurement
from gnnviz.projection import project
from gnnviz.rows import Matrix, MeasureUndefined, State, as_state
from gnnviz.similarity import EXACT_NODES, CosineHistogram, cosine_histogram
from gnnviz.smoothing import METRICS, matched_rayleigh

MOST_DRAWN = 6000  # nodes; the browser moves about this many smoothly
EXACT_FRAMES = 16  # beyond, pairs are those of a sample, so that a deep network takes no longer
SHOWN = 0.99  # share of all points that the common axes hold; the rest would squeeze them
ALIKE_FROM = 0.95  # cosines in the last of the histogram's bins


@dataclass(frozen=True, slots=True)
class FrameSource:
    """Where a frame's hidden state is: a run, one of its checkpoints, and a layer, 1 to num_states."""

    run_id: str
    epoch: int
    layer: int


@dataclass(frozen=True, slots=True, eq=False)
class CursorFrames:
    """F hidden states of one graph, ready to be compared.

    Attributes:
        sources: where each state is [F].
        places: what the slider says of each frame [F]: the depth of its run, or its layer.
        nodes: which nodes are drawn [n] int32, ascending: all of them, or a uniform sample.
        points: PCA of each state [F, n, 2] float32, each turned towards the one before. The unit is the
            root mean square length of the state's own rows: how far nodes are apart in comparison to how
            large the signal is. Zeros where there is no picture.
        explained: share of each state's variance in its picture, in 0..1; None where there is none.
        limit: axes from -limit to limit hold 99 % of all points.
        cosines: of all pairs in each state [F].
        measures: keys of `gnnviz.smoothing.METRICS`, each with its value in each state [F].
        accuracies: share of the test nodes that are right in each frame [F], in 0..1, or None.
        wrong: which drawn nodes are predicted wrongly in each frame [F, n] bool.
        reasons: why a frame has no picture [F], or "".
    """

    sources: tuple[FrameSource, ...]
    places: tuple[int, ...]
    nodes: NDArray[np.int32]
    points: Points
    explained: tuple[float | None, ...]
    limit: float
    cosines: tuple[CosineHistogram, ...]
    measures: dict[str, tuple[Measurement, ...]]
    accuracies: tuple[float | None, ...]
    wrong: NDArray[np.bool_]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TsneFrame:
    """One frame's arrangement of the drawn nodes [n, 2], or None, and what must be said beside it."""

    points: Points | None
    note: str = ""


def cursor_measures(model: ModelConfig) -> tuple[str, ...]:
    """Return the measures of the cursor: the energy that fits a model, MAD and the effective rank."""
    return (matched_rayleigh(model), "mad", "effective_rank")


def one_per_depth(base: RunConfig, configs: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Return one run of `base`'s model for each depth, ascending: with its seed, or else the lowest seed.

    Args:
        base: the run that is looked at.
        configs: finished runs of its recipe, of any models, depths and seeds.
    """
    chosen: dict[int, RunConfig] = {}
    own = (config for config in configs if config.model.model == base.model.model)
    for config in sorted(own, key=lambda run: (run.training.seed != base.training.seed, run.training.seed)):
        chosen.setdefault(config.model.num_layers, config)
    return tuple(chosen[depth] for depth in sorted(chosen))


def cursor_frames(
    sources: Sequence[FrameSource],
    places: Sequence[int],
    states: Sequence[State],
    predictions: Sequence[NDArray[np.integer]],
    graph: Graph,
    measures: Sequence[str],
) -> CursorFrames:
    """Return states as frames on one scale.

    Args:
        sources: where each state is [F]; F is 1 or more.
        places: what the slider says of each [F].
        states: one row for each node [F][N, d], of any widths; one that is not finite has no picture.
        predictions: the class of each node in each frame [F][N].
        graph: the graph of N nodes.
        measures: keys of `METRICS`.

    Raises:
        ConfigError: no frames.
    """
    if not states:
        raise ConfigError("got no hidden states; choose at least one finished run or layer")
    nodes = drawn_nodes(graph.num_nodes)
    checked = [_in_own_units(state, nodes) for state in states]
    pictures = aligned_pca([state for state, _ in checked])
    points = np.stack(pictures.coordinates)
    reach = np.abs(points).max(axis=2)
    most = EXACT_NODES if len(states) <= EXACT_FRAMES else _sampled_nodes(len(states))
    return CursorFrames(
        sources=tuple(sources),
        places=tuple(places),
        nodes=nodes,
        points=points,
        explained=pictures.explained,
        limit=float(np.quantile(reach, SHOWN)) or 1.0,
        cosines=tuple(_cosines(state, most) for state in states),
        measures={name: tuple(_measured(METRICS[name], h, graph) for h in states) for name in measures},
        accuracies=tuple(_accuracy(predicted, graph) for predicted in predictions),
        wrong=np.stack([_wrong(predicted, graph)[nodes] for predicted in predictions]),
        reasons=tuple(reason for _, reason in checked),
    )


def tsne_points(h: State, nodes: NDArray[np.integer], before: Points | None) -> TsneFrame:
    """Return the t-SNE of some nodes of a state, begun from the frame before and turned towards it.

    Args:
        h: one row for each node [N, d].
        nodes: which are drawn [n].
        before: the last frame's points [n, 2], or None to begin from PCA.
    """
    try:
        found = project("tsne", as_state(h)[nodes], init=before)
    except MeasureUndefined as error:
        return TsneFrame(None, f"{error}.")
    if before is None or not found.coordinates.any():
        return TsneFrame(found.coordinates, found.note)
    return TsneFrame(procrustes(found.coordinates, before).astype(np.float32), found.note)


def drawn_nodes(num_nodes: int) -> NDArray[np.int32]:
    """Return all nodes, or of more than `MOST_DRAWN` a uniform sample, ascending."""
    if num_nodes <= MOST_DRAWN:
        return np.arange(num_nodes, dtype=np.int32)
    chosen = np.random.default_rng(0).choice(num_nodes, size=MOST_DRAWN, replace=False)
    return np.sort(chosen).astype(np.int32)


def alike_share(cosines: CosineHistogram) -> float | None:
    """Return the share of pairs with a cosine above `ALIKE_FROM`, or None where there are no pairs."""
    pairs = int(cosines.counts.sum())
    return float(cosines.counts[cosines.edges[:-1] > ALIKE_FROM - 1e-9].sum() / pairs) if pairs else None


def spread_of(points: Points) -> float:
    """Return the root mean square distance of points [n, 2] from their centre."""
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    return float(np.sqrt(np.mean(np.sum(centred**2, axis=1))))


def _in_own_units(h: State, nodes: NDArray[np.integer]) -> tuple[Matrix, str]:
    """Return the drawn rows [n, d] over their root mean square length, or zeros and the reason."""
    try:
        rows = as_state(h)[nodes]
    except MeasureUndefined as error:
        return np.zeros((len(nodes), 1)), f"No picture: {error}."
    length = np.sqrt(np.mean(np.sum(rows**2, axis=1)))
    return rows / length if length else rows, ""


def _cosines(h: State, at_most: int) -> CosineHistogram:
    try:
        return cosine_histogram(h, at_most=at_most)
    except MeasureUndefined:  # not finite, as the frame's reason says: there are no pairs
        nobody = cosine_histogram(np.zeros((1, 1)))
        return replace(nobody, dead=0)


def _sampled_nodes(frames: int) -> int:
    """Return how many nodes have about as many pairs in all frames as `EXACT_FRAMES` exact ones."""
    return int(EXACT_NODES * math.sqrt(EXACT_FRAMES / frames))


def _measured(metric: Metric, h: State, graph: Graph) -> Measurement:
    try:
        return Measurement(metric(h, graph))
    except MeasureUndefined as error:
        return Measurement(None, str(error))


def _accuracy(predicted: NDArray[np.integer], graph: Graph) -> float | None:
    if graph.y is None or graph.test_mask is None:
        return None
    asked = graph.test_mask & (graph.y != UNLABELLED)
    return float(np.mean((predicted == graph.y)[asked])) if asked.any() else None


def _wrong(predicted: NDArray[np.integer], graph: Graph) -> NDArray[np.bool_]:
    if graph.y is None:
        return np.zeros(graph.num_nodes, dtype=bool)
    return (predicted != graph.y) & (graph.y != UNLABELLED)
