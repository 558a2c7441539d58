"""What a run shows, as one sentence computed from its numbers.

Pages put these sentences above their pictures; a sentence claims nothing that its arguments do not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gnnviz.config import RunConfig
from gnnviz.errors import DatasetError
from gnnviz.figures.layout import Chance, counted, percent
from gnnviz.figures.theme import PART_LABELS, Part
from gnnviz.graph import Graph
from gnnviz.models import MODELS
from gnnviz.records import EpochRecord
from gnnviz.run_status import RunState, RunStatus

_FEW_MINUTES = 10  # up to here seconds are told, too
PACE_WINDOW = 50  # epochs that the remaining time is estimated from


def training_finding(config: RunConfig, status: RunStatus) -> str:
    """Return what a run has reached so far, or why it has not."""
    name = model_phrase(config)
    epochs = f"{counted(status.epochs_done)} of {counted(config.training.epochs)} epochs"
    if status.state is RunState.FAILED:
        return f"{name} failed after {epochs}"
    if status.best is None:
        begun = (
            "is waiting for its turn" if status.state is RunState.QUEUED else "has not finished an epoch yet"
        )
        return f"{name} {begun}"
    accuracy = f"{percent(status.best.test_acc)} of the test nodes right"
    if status.state is RunState.DONE:
        return f"{name} gets {accuracy}"
    return f"{name} gets {accuracy}, {status.word} at {epochs}"


def model_phrase(config: RunConfig) -> str:
    """Return for example "GAT with 2 layers"."""
    depth = config.model.num_layers
    return f"{MODELS[config.model.model].label} with {depth} layer{'' if depth == 1 else 's'}"


def layer_name(layer: int, num_states: int) -> str:
    """Return what stands at a place in a stack: "the features", "hidden layer 3", "the logits".

    Args:
        layer: 0 for the features, then 1 to `num_states`.
        num_states: `ModelConfig.num_states`; the last of them are the logits.
    """
    if layer == 0:
        return "the features"
    return "the logits" if layer == num_states else f"hidden layer {layer}"


def purity_finding(place: str, purity: float) -> str:
    """Return how well classes keep together at a place in a stack.

    Args:
        place: from `layer_name`.
        purity: share of nearest neighbours of the same class, in 0..1.
    """
    return f"In {place}, {percent(purity)} of a node's nearest nodes are of its own class"


def cosine_finding(place: str, edges: NDArray[np.float64], counts: NDArray[np.int64]) -> str:
    """Return how many pairs of nodes nearly point the same way at a place in a stack.

    Args:
        place: from `layer_name`.
        edges: borders of the bins [B + 1], ascending, the last one 1.
        counts: pairs in each bin [B].
    """
    if not counts.sum():
        return f"In {place} there are no two nodes with a signal to compare"
    share = float(counts[-1] / counts.sum())
    return f"In {place}, {percent(share)} of all pairs of nodes have a cosine above {edges[-2]:.2f}"


def chance_levels(graph: Graph, part: Part = "test") -> Chance:
    """Return the accuracies that need no learning: the share of the largest class, and 1 / C.

    Args:
        graph: a graph with labels and a split.
        part: on which of its nodes.

    Raises:
        DatasetError: the graph has no labels or no such nodes.
    """
    mask = {"train": graph.train_mask, "val": graph.val_mask, "test": graph.test_mask}[part]
    if graph.y is None or mask is None or not mask.any():
        nodes = f"labelled {PART_LABELS[part]} nodes"
        raise DatasetError(f"{graph.name} has no {nodes} to compare an accuracy with")
    counts = np.bincount(graph.y[mask], minlength=graph.num_classes)
    return Chance(majority=float(counts.max() / counts.sum()), uniform=1 / graph.num_classes)


def seconds_left(history: Sequence[EpochRecord], epochs: int) -> float | None:
    """Return the seconds that the remaining epochs will take at the present pace; None before the first."""
    if not history:
        return None
    pace = median(record.seconds for record in history[-PACE_WINDOW:])
    return pace * (epochs - history[-1].epoch)


def in_time(seconds: float) -> str:
    """Return a duration for people: "under a second", "42 s", "3 min 20 s", "35 min", "2 h 5 min"."""
    if seconds < 1:
        return "under a second"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < _FEW_MINUTES:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
