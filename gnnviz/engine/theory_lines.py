"""What a worker computes for the lines beside a run's layers: propagation only, and what theory says.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gnnviz.config import RunConfig
from gnnviz.datasets import OWN_PREFIX, DatasetSpec
from gnnviz.engine.analyses import first_state
from gnnviz.engine.layer_measures import checked_metric, graph_within, measured
from gnnviz.models import MODELS, Normalisation
from gnnviz.profiles import Extent, Measurement
from gnnviz.propagation_only import measured_steps, propagated
from gnnviz.rows import MeasureUndefined, State, as_state
from gnnviz.runs import RunStore
from gnnviz.spectrum import linear_energies, plateau, slowest_mode
from gnnviz.theory import (
    TheoryResult,
    asymptotic_rate,
    half_way,
    mixed_share,
    spectral_sum,
    weight_bound,
    why_not,
)

Steps = tuple[tuple[int, Measurement], ...]


def propagation_measure(
    _store_root: str,
    dataset: DatasetSpec,
    normalisation: Normalisation,
    measure: str,
    steps: int,
    extent: Extent = "whole",
) -> Steps:
    """Return a measure of the features after 0 to `steps` steps of averaging, with the step of each.

    Of many steps not all are measured (`measured_steps`). It may take a minute.

    Args:
        dataset: which graph.
        normalisation: as for `gnnviz.propagation_only.averaging`.
        measure: a key of `METRICS`.
        steps: the last step, 0 or more.
        extent: "whole" graph or "largest" component.

    Raises:
        DatasetError: the graph is not there any more.
        ConfigError: there is no such measure.
    """
    function = _propagation if dataset.name.startswith(OWN_PREFIX) else _bundled_propagation
    return function(dataset, normalisation, measure, steps, extent)


def theory_line(
    store_root: str, run_id: str, epoch: int, name: str, measure: str, extent: Extent = "whole"
) -> TheoryResult:
    """Return what a line of theory says beside a run's layers; where it says nothing, why.

    Args:
        store_root: the folder of runs.
        run_id: which run.
        epoch: one of the run's checkpoints, whose weights count where weights do.
        name: a key of `gnnviz.theory.THEORY_LINES`.
        measure: a key of `METRICS`: what is drawn against the layers.
        extent: "whole" graph or "largest" component.

    Raises:
        RunError: there is no such run or checkpoint.
        DatasetError: the run's graph is not there any more.
        ConfigError: there is no such line or measure.
    """
    checked_metric(measure)
    config = RunStore(Path(store_root)).config(run_id)
    reason = why_not(name, config.model, measure)
    if reason:
        return TheoryResult(note=reason)
    try:
        return _LINES[name](store_root, config, epoch, measure, extent)
    except MeasureUndefined as error:
        return TheoryResult(note=str(error))


def _spectral_sum(
    store_root: str, config: RunConfig, epoch: int, measure: str, extent: Extent
) -> TheoryResult:
    x, graph = _linear_start(store_root, config, epoch, extent), graph_within(config.dataset, extent)[0]
    result = spectral_sum(linear_energies(graph, x, config.model.num_layers).measure(measure))
    return TheoryResult(curve=result.curve[_first(config) :], note=result.note)


def _asymptotic_rate(
    store_root: str, config: RunConfig, epoch: int, measure: str, extent: Extent
) -> TheoryResult:
    x, graph = _linear_start(store_root, config, epoch, extent), graph_within(config.dataset, extent)[0]
    result = asymptotic_rate(slowest_mode(graph, x), measure, config.model.num_layers)
    return TheoryResult(curve=result.curve[_first(config) :], note=result.note)


def _weight_bound(
    store_root: str, config: RunConfig, epoch: int, _measure: str, extent: Extent
) -> TheoryResult:
    graph, _ = graph_within(config.dataset, extent)
    weights = RunStore(Path(store_root)).load_checkpoint(config.run_id, epoch)
    norms = [_spectral_norm(matrix) for matrix in weights.values() if matrix.ndim == 2]
    start = linear_energies(graph, graph.x, 0).distance[0]
    size = slowest_mode(graph, graph.x).size
    return weight_bound(float(start), norms, size, has_bias=config.model.bias)


def _plateau(store_root: str, config: RunConfig, epoch: int, measure: str, extent: Extent) -> TheoryResult:
    graph, nodes = graph_within(config.dataset, extent)
    alpha = mixed_share(config.model)
    state = plateau(graph, first_state(store_root, config.run_id, epoch)[nodes], alpha)
    found = measured(checked_metric(measure), state, graph)
    return TheoryResult(level=found.value, note=found.reason or f"the first state's share is {alpha:g}")


def _half_way(
    _store_root: str, config: RunConfig, _epoch: int, _measure: str, extent: Extent
) -> TheoryResult:
    return half_way(graph_within(config.dataset, extent)[0])


def _linear_start(store_root: str, config: RunConfig, epoch: int, extent: Extent) -> State:
    """Return what is smoothed [N, F]: class scores where averaging alone follows, else the features."""
    graph, nodes = graph_within(config.dataset, extent)
    if not _first(config):
        return graph.x
    return as_state(first_state(store_root, config.run_id, epoch)[nodes])  # says so where it is not finite


def _spectral_norm(matrix: NDArray[np.generic]) -> float:
    """Return the largest singular value; NaN for a matrix that is not finite, for which there is none."""
    values = matrix.astype(np.float64)
    return float(np.linalg.norm(values, 2)) if np.isfinite(values).all() else float("nan")


def _first(config: RunConfig) -> int:
    """Return the layer at which the linear lines begin: 1 where layer 0, the features, is not smoothed."""
    return int(MODELS[config.model.model].propagates)


def _propagation(
    dataset: DatasetSpec, normalisation: Normalisation, measure: str, steps: int, extent: Extent
) -> Steps:
    metric, graph = checked_metric(measure), graph_within(dataset, extent)[0]
    wanted = measured_steps(steps)
    try:
        states = enumerate(propagated(graph, normalisation, steps))
        return tuple((step, measured(metric, state, graph)) for step, state in states if step in wanted)
    except MeasureUndefined as error:  # too large to be smoothed at all
        return tuple((step, Measurement(None, str(error))) for step in wanted)


_bundled_propagation = lru_cache(maxsize=64)(_propagation)

_LINES: dict[str, Callable[[str, RunConfig, int, str, Extent], TheoryResult]] = {
    "spectral_sum": _spectral_sum,
    "asymptotic_rate": _asymptotic_rate,
    "weight_bound": _weight_bound,
    "plateau": _plateau,
    "half_way": _half_way,
}
