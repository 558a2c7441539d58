"""What a worker measures in the layers of a run: METRICS on the hidden states of a checkpoint.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gnnviz.datasets import OWN_PREFIX, DatasetSpec
from gnnviz.engine.analyses import hidden_states
from gnnviz.engine.summaries import best_epoch
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import ConfigError
from gnnviz.graph import Graph
from gnnviz.metric import Metric
from gnnviz.profiles import Extent, Measurement
from gnnviz.rows import MeasureUndefined, State
from gnnviz.runs import RunStore
from gnnviz.smoothing import METRICS


def layer_measures(
    store_root: str, run_id: str, epoch: int, measures: Sequence[str], extent: Extent = "whole"
) -> tuple[tuple[Measurement, ...], ...]:
    """Return for each measure its value in layers 1 to L [measures][L], computed in float64.

    The states are always those of the whole graph; of the largest component their rows and its edges are
    measured.

    Args:
        store_root: the folder of runs.
        run_id: which run.
        epoch: one of the run's checkpoints.
        measures: keys of `gnnviz.smoothing.METRICS`.
        extent: "whole" graph or "largest" component.

    Raises:
        RunError: there is no such run or checkpoint.
        DatasetError: the run's graph is not there any more.
        ConfigError: there is no such measure.
    """
    metrics = [checked_metric(name) for name in measures]
    graph, nodes = graph_within(RunStore(Path(store_root)).config(run_id).dataset, extent)
    states = hidden_states(store_root, run_id, epoch)
    return tuple(tuple(measured(metric, h[nodes], graph) for h in states) for metric in metrics)


def last_hidden_measure(store_root: str, run_id: str, measure: str) -> Measurement:
    """Return a measure of the last hidden layer at the best epoch; with one layer, of the logits.

    Raises:
        RunError: there is no such run, or its best epoch is not kept (yet).
        DatasetError: the run's graph is not there any more.
        ConfigError: there is no such measure.
    """
    store = RunStore(Path(store_root))
    states = hidden_states(store_root, run_id, best_epoch(store, run_id))
    graph = load_graph_once(store.config(run_id).dataset)
    return measured(checked_metric(measure), states[max(len(states) - 2, 0)], graph)


def feature_measure(
    _store_root: str, dataset: DatasetSpec, measure: str, extent: Extent = "whole"
) -> Measurement:
    """Return a measure of the features, what stands before layer 1; may take seconds.

    Raises:
        DatasetError: the graph is not there any more.
        ConfigError: there is no such measure.
    """
    if dataset.name.startswith(OWN_PREFIX):  # its files may change
        graph, _ = graph_within(dataset, extent)
        return measured(checked_metric(measure), graph.x, graph)
    return _bundled_feature_measure(dataset, measure, extent)


def equal_rows_value(
    _store_root: str, dataset: DatasetSpec, measure: str, extent: Extent = "whole"
) -> float | None:
    """Return what a measure reads where all nodes have the same row, if that is a floor worth drawing.

    GCN's energies are 0 at rows along sqrt(d + 1); a network whose biases have taken over gives every
    node the same row instead, and there they read this.

    Returns:
        The value, or None where it is the measure's smoothed value, or depends on how long the row is.

    Raises:
        DatasetError: the graph is not there any more.
        ConfigError: there is no such measure.
    """
    metric, graph = checked_metric(measure), graph_within(dataset, extent)[0]
    ones = np.ones((graph.num_nodes, 1))
    value, doubled = measured(metric, ones, graph).value, measured(metric, 2 * ones, graph).value
    if value is None or value != doubled or metric.smoothed is None:
        return None
    return None if math.isclose(value, metric.smoothed, abs_tol=1e-12) else value


def graph_within(dataset: DatasetSpec, extent: Extent) -> tuple[Graph, NDArray[np.int64] | slice]:
    """Return the graph or its largest component, and which rows of a state on the whole graph are its own.

    Raises:
        DatasetError: the graph is not there any more.
    """
    if extent == "whole":
        return load_graph_once(dataset), slice(None)
    if dataset.name.startswith(OWN_PREFIX):
        return _largest_component(load_graph_once(dataset))
    return _bundled_largest_component(dataset)


def checked_metric(name: str) -> Metric:
    """Return a measure by its key.

    Raises:
        ConfigError: there is no such measure.
    """
    if name not in METRICS:
        raise ConfigError(f"unknown measure {name!r}; choose from {', '.join(METRICS)}")
    return METRICS[name]


def measured(metric: Metric, h: State, graph: Graph) -> Measurement:
    """Return a measure of a state, or the reason why it has none."""
    try:
        return Measurement(metric(h, graph))
    except MeasureUndefined as error:
        return Measurement(None, str(error))


@lru_cache(maxsize=64)
def _bundled_feature_measure(dataset: DatasetSpec, measure: str, extent: Extent) -> Measurement:
    graph, _ = graph_within(dataset, extent)
    return measured(checked_metric(measure), graph.x, graph)


@lru_cache(maxsize=4)
def _bundled_largest_component(dataset: DatasetSpec) -> tuple[Graph, NDArray[np.int64]]:
    return _largest_component(load_graph_once(dataset))


def _largest_component(graph: Graph) -> tuple[Graph, NDArray[np.int64]]:
    return graph.largest_component(), np.flatnonzero(graph.components() == 0)
