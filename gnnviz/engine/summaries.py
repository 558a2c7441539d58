"""What a worker computes over several runs, or over a whole hidden state: pictures side by side, measures.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gnnviz.engine.analyses import hidden_states, layer_state, predictions
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import RunError
from gnnviz.graph import Graph
from gnnviz.pca import aligned_pca
from gnnviz.rows import MeasureUndefined
from gnnviz.runs import RunStore
from gnnviz.similarity import CosineHistogram, cosine_histogram, knn_purity
from gnnviz.smoothing import METRICS

NEIGHBOURS = 10
SHOWN = 0.99  # share of the points that the common axes hold


@dataclass(frozen=True, slots=True, eq=False)
class LastLayers:
    """The last hidden layer of several runs at their best epochs.

    Attributes:
        points: one PCA for each run [N, 2], turned towards the one before. Each state is first divided
            by the root mean square length of its rows: what a network's numbers are large or small by
            is its own, but how far nodes are apart in comparison to it is the same question for all.
        limit: axes from -limit to limit hold 99 % of all points; the rest would squeeze them.
        outside: how many points lie beyond.
        smoothness: the measure that was asked for, of each run; None where it has no value.
    """

    points: tuple[NDArray[np.float32], ...]
    limit: float
    outside: int
    smoothness: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NodeResults:
    """What a checkpoint says about every node.

    Attributes:
        predicted: the most probable class [N].
        probability: its probability [N], in 0..1.
    """

    predicted: NDArray[np.int64]
    probability: NDArray[np.float32]


def last_layers(store_root: str, run_ids: Sequence[str], measure: str) -> LastLayers:
    """Return the last hidden layers of runs on one graph, which for one layer are its logits.

    Args:
        store_root: the folder of runs.
        run_ids: runs on one graph, each with a best epoch that is kept.
        measure: a key of `gnnviz.smoothing.METRICS`.

    Raises:
        RunError: there is no such run or checkpoint.
    """
    store = RunStore(Path(store_root))
    states, smoothness = [], []
    for run_id in run_ids:
        outputs = list(hidden_states(store_root, run_id, best_epoch(store, run_id)))
        states.append(outputs[-2] if len(outputs) > 1 else outputs[-1])
        smoothness.append(measured(measure, states[-1], load_graph_once(store.config(run_id).dataset)))
    pictures = aligned_pca([_in_own_units(state) for state in states])
    reach = np.abs(np.concatenate(pictures.coordinates)).max(axis=1)
    limit = float(np.quantile(reach, SHOWN)) or 1.0
    return LastLayers(pictures.coordinates, limit, int((reach > limit).sum()), tuple(smoothness))


def node_results(store_root: str, run_id: str, epoch: int) -> NodeResults:
    """Return what a run predicts for every node after `epoch`; errors as `analyses.predictions`."""
    probabilities = predictions(store_root, run_id, epoch)
    return NodeResults(probabilities.argmax(axis=1), probabilities.max(axis=1))


def neighbour_purity(store_root: str, run_id: str, epoch: int, layer: int) -> float:
    """Return the share of each node's 10 nearest in a hidden state that have its class, in 0..1.

    Raises:
        RunError: there is no such run, checkpoint or layer.
        MeasureUndefined: the graph has no labels, or the state no distances to compare.
    """
    graph = load_graph_once(RunStore(Path(store_root)).config(run_id).dataset)
    if graph.y is None:
        raise MeasureUndefined(f"{graph.name} has no classes to compare neighbours by")
    return knn_purity(layer_state(store_root, run_id, epoch, layer), graph.y, NEIGHBOURS)


def _in_own_units(h: NDArray[np.float32]) -> NDArray[np.float64]:
    state = h.astype(np.float64)
    length = np.sqrt(np.mean(np.sum(state**2, axis=1)))
    return state / length if length else state


def layer_cosines(store_root: str, run_id: str, epoch: int, layer: int) -> CosineHistogram:
    """Return how alike the rows of a hidden state are, pair by pair; errors as `analyses.layer_state`."""
    return cosine_histogram(layer_state(store_root, run_id, epoch, layer))


def best_epoch(store: RunStore, run_id: str) -> int:
    """Return the epoch that was chosen on the validation nodes.

    Raises:
        RunError: there is no such run, or no epoch of it is finished.
    """
    best = store.status(run_id).best
    if best is None:
        raise RunError(f"run {run_id} has not finished an epoch yet; wait for its first")
    return best.epoch


def measured(name: str, h: NDArray[np.float32], graph: Graph) -> float | None:
    """Return a measure of a hidden state, or None where it has no value there."""
    try:
        return METRICS[name](h, graph)
    except MeasureUndefined:
        return None
